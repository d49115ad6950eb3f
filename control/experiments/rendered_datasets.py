"""Data sets of MIDI files as sound: read, and rendered into the cache folder."""

from pathlib import Path
from typing import Final

from ...models.common.paths import cache_dir
from ...models.datasets.digests import short_digest
from ...models.datasets.table import Clip
from ...models.midi_datasets.emopia import read_emopia
from ...models.midi_datasets.pop909 import read_pop909
from ...models.midi_datasets.pop_setting import band_setting
from ...models.midi_datasets.rendered_sets import ensemble_setting, rendered_clips
from ...models.midi_datasets.vgmidi import read_vgmidi
from ..console.output import Output

MIDI_READERS: Final = {"vgmidi": read_vgmidi, "emopia": read_emopia, "pop909": read_pop909}
MIDI_SEED: Final = 21
EXCERPTS: Final = {"vgmidi": 3, "emopia": 1, "pop909": 1}
"""Rendered excerpts of each piece."""


def render_midi_dataset(
    kind: str, folder: Path, voice: Output, *, rendered: Path | None = None, soundfonts: tuple[str, ...] = ()
) -> list[Clip]:
    """Read a data set of MIDI files and render excerpts of them, unless they are there already.

    Parameters
    ----------
    kind
        A key of MIDI_READERS.
    folder
        The data set.
    voice
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
    pieces = MIDI_READERS[kind](folder)
    if rendered is None:
        rendered = cache_dir() / "rendered" / f"{kind}-{short_digest(str(folder.resolve()))}"
    setting = band_setting if kind == "pop909" else ensemble_setting
    with voice.progress(f"Rendering {kind}") as report:
        return rendered_clips(
            pieces,
            rendered,
            excerpts=EXCERPTS[kind],
            seed=MIDI_SEED,
            setting=setting,
            soundfonts=soundfonts,
            progress=report,
        )
