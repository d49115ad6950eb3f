"""A folder of series for testing: pieces in which one quality alone is turned, with a table that says which.

A network hears a quality when, within a series, its output rises with the knob. Series are made with a sound font
and scores that no training clip was made with.
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
    SWEEP_VALUES,
    TABLE,
    Composer,
    clip_seed,
    draw_qualities,
    draw_soundfont,
    labelled_clip,
    write_label_table,
)
from .midi_render import require_fluidsynth

FURTHER: Final = ("quality", "series", "kind")


@dataclass(frozen=True)
class MusicSource:
    """A way of making pieces: its composer and which pieces belong together, by a piece's seed."""

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
    """Make `count` series of each kind for each of the seven qualities; returns the table's path.

    The clips are FLAC files (mono, 22,050 Hz, 16 bit), the table is that of `known_music` with the columns
    quality (which is turned), series (its name) and kind in addition. Files that exist are kept.

    Raises InputError when FluidSynth or a sound font is missing or the folder cannot be written to.
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
                with atomic_write(path) as beside:
                    soundfile.write(beside, samples, SAMPLE_RATE, subtype="PCM_16")
            rows.append([path.name, *qualities.values(), piece, font.name, group, MIDLEVEL[q], series, kind])
        if progress:
            progress(done / len(jobs))
        if done % 20 == 0:
            write_label_table(folder / TABLE, rows, further=FURTHER)
    write_label_table(folder / TABLE, rows, further=FURTHER)
    return folder / TABLE
