"""Parameter sweeps as a test set: pieces rendered several times with only one mid-level feature changed.

A network recognises a feature if, within each sweep, its prediction rises with the parameter. For testing, sweeps are
rendered with a sound font and from scores that no training clip was made with.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from ..common.atomic_write import atomic_write
from ..common.constants import MIDLEVEL, SAMPLE_RATE
from ..composition.compose import GENERATOR_VERSION, compose
from .labelled_music import (
    CLIP_SECONDS,
    TABLE,
    Composer,
    clip_seed,
    draw_qualities,
    draw_soundfont,
    labelled_clip,
    write_label_table,
)
from .midi_render import require_fluidsynth

SWEEP_VALUES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Values of the feature that changes in a sweep."""
SWEEP_COLUMNS: Final = ("quality", "series", "kind")
"""Additional columns of the table: the feature that changes, the name of the sweep, the kind of music."""


@dataclass(frozen=True)
class MusicSource:
    """A kind of music.

    Attributes
    ----------
    composer
        Makes the pieces.
    group
        Returns the cross-validation group of a piece from its seed.
    """

    composer: Composer = compose
    group: Callable[[int], str] = str


def render_sweeps(
    count: int,
    *,
    seed: int,
    folder: Path,
    kinds: Mapping[str, MusicSource],
    soundfonts: Sequence[Path | str] = (),
    values: tuple[float, ...] = SWEEP_VALUES,
    seconds: float = CLIP_SECONDS,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Render a folder of parameter sweeps as FLAC files (mono, 22,050 Hz, 16 bit) with a table of their labels.

    Files that exist are not rendered again.

    Parameters
    ----------
    count
        Number of sweeps of each kind for each of the seven features.
    seed
        Seed of the set.
    folder
        Created if necessary.
    kinds
        The kinds of music by name.
    soundfonts
        Paths or names to draw from; empty for the default one.
    values
        Values of the feature that changes, 0..1.
    seconds
        Length of each clip.
    progress
        Called with the fraction done, 0..1.

    Returns
    -------
    pathlib.Path
        The table, as `labelled_set` writes it, with the additional columns quality, series and kind.

    Raises
    ------
    InputError
        FluidSynth or a sound font is missing, or the folder cannot be written to.
    """
    require_fluidsynth()
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[list[object]] = []
    jobs = [(k, kind, q) for k in range(count) for q in range(len(MIDLEVEL)) for kind in kinds]
    for done, (k, kind, q) in enumerate(jobs, start=1):
        piece = clip_seed(int(np.random.default_rng([seed, q]).integers(2**31)), k)
        series, font = f"{kind}_{MIDLEVEL[q]}_{k:03d}", draw_soundfont(soundfonts, piece)
        group = kinds[kind].group(piece)
        for value in values:
            qualities = {**draw_qualities(piece), MIDLEVEL[q]: value}
            path = folder / f"{series}_{round(100 * value):03d}_{GENERATOR_VERSION}.flac"
            if not path.is_file():
                samples = labelled_clip(
                    qualities, seed=piece, seconds=seconds, soundfont=font, composer=kinds[kind].composer
                )
                with atomic_write(path) as temp_path:
                    soundfile.write(temp_path, samples, SAMPLE_RATE, subtype="PCM_16")
            rows.append([path.name, *qualities.values(), piece, font.name, group, MIDLEVEL[q], series, kind])
        if progress:
            progress(done / len(jobs))
        if done % 20 == 0:
            write_label_table(folder / TABLE, rows, further=SWEEP_COLUMNS)
    write_label_table(folder / TABLE, rows, further=SWEEP_COLUMNS)
    return folder / TABLE
