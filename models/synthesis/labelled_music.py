"""Synthetic labelled music: training clips rendered from pieces whose mid-level features are set as parameters.

Each clip is composed (by rule, or arranged from a score), rendered with FluidSynth with a random sound font and
random reverb, and passed through a random recording chain, so that no feature can be told from timbre or sound
quality alone. The same seed gives the same samples.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import mido
import numpy as np
import soundfile

from ..common.atomic_write import atomic_write
from ..common.constants import MIDLEVEL, SAMPLE_RATE
from ..composition.compose import GENERATOR_VERSION, compose
from ..composition.midi_parts import named_rng
from .midi_render import ReverbSettings, find_soundfont, render_midi, require_fluidsynth
from .recording_chain import apply_recording_chain

CLIP_SECONDS = 11.0
TABLE = "known_music.csv"
"""File name of the table of labels."""


class Composer(Protocol):
    """A function that makes a piece with given mid-level features: `compose`, or `arrange` on scores."""

    def __call__(self, qualities: Mapping[str, float], *, seed: int, seconds: float) -> mido.MidiFile:
        """Make a piece with these features."""
        ...


def draw_qualities(seed: int) -> dict[str, float]:
    """Draw the mid-level features of a clip.

    Half of the values are drawn from a uniform distribution, half from one with most of its mass at 0 and 1 (beta
    with both parameters 0.4).

    Parameters
    ----------
    seed
        Seed of the clip.

    Returns
    -------
    dict of str to float
        The seven features by name, independent, 0..1.
    """
    rng = named_rng(seed, "qualities")
    uniform, extreme, use_uniform = rng.random(7), rng.beta(0.4, 0.4, 7), rng.random(7) < 0.5
    values = np.where(use_uniform, uniform, extreme)
    return {name: round(float(value), 4) for name, value in zip(MIDLEVEL, values, strict=True)}


def labelled_clip(
    qualities: Mapping[str, float],
    *,
    seed: int,
    seconds: float = CLIP_SECONDS,
    soundfont: Path | str | None = None,
    composer: Composer = compose,
) -> np.ndarray:
    """Compose and render one clip, and pass it through a random recording chain.

    Parameters
    ----------
    qualities
        The seven features by name, 0..1.
    seed
        Seed of piece, reverb and recording chain.
    seconds
        Length, 1..600.
    soundfont
        As in `midi_render.find_soundfont`.
    composer
        Makes the piece.

    Returns
    -------
    numpy.ndarray
        float32 [samples], mono at 22,050 Hz, peak 0.2..0.95.

    Raises
    ------
    InputError
        A feature is missing or out of range, or FluidSynth or the sound font is missing.
    """
    return rendered_excerpt(composer(qualities, seed=seed, seconds=seconds), seed=seed, soundfont=soundfont)


def rendered_excerpt(midi: mido.MidiFile, *, seed: int, soundfont: Path | str | None = None) -> np.ndarray:
    """Render MIDI in a random room and pass it through a random recording chain.

    Returns
    -------
    numpy.ndarray
        float32 [samples], mono at 22,050 Hz, peak 0.2..0.95.

    Raises
    ------
    InputError
        FluidSynth or the sound font is missing.
    """
    rng = named_rng(seed, "room")
    size, damping, level = (float(value) for value in rng.uniform((0.1, 0.0, 0.1), (0.9, 0.8, 0.9)))
    room = ReverbSettings(size=size, damping=damping, level=level)
    dry = render_midi(midi, sample_rate=SAMPLE_RATE, channels=1, room=room, soundfont=soundfont)
    return apply_recording_chain(dry[:, 0], named_rng(seed, "recording"))


def draw_soundfont(soundfonts: Sequence[Path | str], seed: int) -> Path:
    """Draw the sound font of a clip.

    Parameters
    ----------
    soundfonts
        Paths or names to draw from; empty for the default one.
    seed
        Seed of the clip.

    Raises
    ------
    InputError
        The sound font does not exist.
    """
    if not soundfonts:
        return find_soundfont()
    return find_soundfont(soundfonts[int(named_rng(seed, "soundfont").integers(len(soundfonts)))])


def labelled_set(
    count: int,
    *,
    seed: int,
    folder: Path,
    progress: Callable[[float], None] | None = None,
    workers: int = 2,
    seconds: float = CLIP_SECONDS,
    soundfonts: Sequence[Path | str] = (),
    composer: Composer = compose,
    group: Callable[[int], str] = str,
) -> Path:
    """Render a folder of labelled clips as FLAC files (mono, 22,050 Hz, 16 bit) with a table of their labels.

    Clips that exist are not rendered again, so an interrupted run is resumed and a larger `count` extends a folder;
    clips of an older generator version have other names and are left out of the table.

    Parameters
    ----------
    count
        Number of clips.
    seed
        Seed of the set.
    folder
        Created if necessary.
    progress
        Called with the fraction done, 0..1.
    workers
        Number of threads.
    seconds
        Length of each clip.
    soundfonts
        Paths or names to draw from; empty for the default one.
    composer
        Makes the pieces.
    group
        Returns the cross-validation group of a clip from its seed: the same for clips made of the same score.

    Returns
    -------
    pathlib.Path
        The table `known_music.csv` with the columns file, the seven features, seed, soundfont and group; it lists the
        finished clips.

    Raises
    ------
    InputError
        FluidSynth or a sound font is missing, or the folder cannot be written to.
    """
    require_fluidsynth()
    for soundfont in soundfonts or (None,):
        find_soundfont(soundfont)
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [clip_seed(seed, index) for index in range(count)]
    paths = [folder / f"known{GENERATOR_VERSION}_{seed}_{index:05d}.flac" for index in range(count)]

    def render(index: int) -> None:
        if not paths[index].is_file():
            clip, font = seeds[index], draw_soundfont(soundfonts, seeds[index])
            samples = labelled_clip(
                draw_qualities(clip), seed=clip, seconds=seconds, soundfont=font, composer=composer
            )
            with atomic_write(paths[index]) as temp_path:
                soundfile.write(temp_path, samples, SAMPLE_RATE, subtype="PCM_16")

    def write_finished() -> None:
        rows = [
            [path.name, *draw_qualities(clip).values(), clip, draw_soundfont(soundfonts, clip).name, group(clip)]
            for path, clip in zip(paths, seeds, strict=True)
            if path.is_file()
        ]
        write_label_table(folder / TABLE, rows)

    pool = ThreadPoolExecutor(workers)  # threads suffice: FluidSynth renders without holding the GIL
    try:
        for done, _ in enumerate(pool.map(render, range(count)), start=1):
            if progress:
                progress(done / count)
            if done % 200 == 0:
                write_finished()
    finally:
        pool.shutdown(cancel_futures=True)
        write_finished()
    return folder / TABLE


def clip_seed(seed: int, index: int) -> int:
    """Derive the seed of one clip (or sweep) from the seed of a set and its index."""
    return int(np.random.default_rng([seed, index]).integers(2**31))


def write_label_table(table: Path, rows: Sequence[Sequence[object]], *, further: Sequence[str] = ()) -> None:
    """Write a table of labels (CSV).

    Parameters
    ----------
    table
        The file to write.
    rows
        Values in the order of the columns: file, the seven features, seed, soundfont, group, and `further`.
    further
        Names of additional columns.
    """
    with atomic_write(table) as temp_path, temp_path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", *MIDLEVEL, "seed", "soundfont", "group", *further])
        writer.writerows(rows)
