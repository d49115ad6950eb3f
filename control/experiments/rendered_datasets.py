"""Data sets of MIDI files as sound: read, and rendered into the cache folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...models.common.paths import cache_dir
from ...models.datasets.digests import short_digest
from ...models.datasets.table import Clip
from ...models.midi_datasets.emopia import read_emopia
from ...models.midi_datasets.pop909 import read_pop909
from ...models.midi_datasets.pop_setting import band_setting
from ...models.midi_datasets.rendered_sets import MidiPiece, Setting, ensemble_setting, rendered_clips
from ...models.midi_datasets.vgmidi import read_vgmidi
from ..console.output import Output

MIDI_SEED: Final = 21


@dataclass(frozen=True)
class MidiDataset:
    """How a data set of MIDI files is read and rendered.

    Attributes
    ----------
    read
        Reads its folder.
    excerpts
        Rendered excerpts of each piece.
    clips_per_batch
        Its place in a batch of training.
    setting
        Chooses the instruments of an excerpt.
    """

    read: Callable[[Path], list[MidiPiece]]
    excerpts: int
    clips_per_batch: int
    setting: Setting = ensemble_setting


MIDI_DATASETS: Final = {
    "vgmidi": MidiDataset(read_vgmidi, excerpts=3, clips_per_batch=8),
    "emopia": MidiDataset(read_emopia, excerpts=1, clips_per_batch=8),
    "pop909": MidiDataset(read_pop909, excerpts=1, clips_per_batch=6, setting=band_setting),
}
"""All of them, by the name of their option."""


def render_midi_dataset(
    kind: str, folder: Path, console: Output, *, rendered: Path | None = None, soundfonts: tuple[str, ...] = ()
) -> list[Clip]:
    """Read a data set of MIDI files and render excerpts of them, unless they are there already.

    Parameters
    ----------
    kind
        A key of MIDI_DATASETS.
    folder
        The data set.
    console
        For progress.
    rendered
        Where the rendered files are kept; by default in the cache folder, by the data set's path.
    soundfonts
        Paths or names to draw from; by default the system's.

    Raises
    ------
    InputError
        The data set cannot be read, FluidSynth or a sound font is missing, or the folder cannot be written to.
    """
    dataset = MIDI_DATASETS[kind]
    pieces = dataset.read(folder)
    if rendered is None:
        rendered = cache_dir() / "rendered" / f"{kind}-{short_digest(str(folder.resolve()))}"
    with console.progress(f"Rendering {kind}") as report:
        return rendered_clips(
            pieces,
            rendered,
            excerpts=dataset.excerpts,
            seed=MIDI_SEED,
            setting=dataset.setting,
            soundfonts=soundfonts,
            progress=report,
        )
