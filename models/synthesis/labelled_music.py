"""Rendered music of known qualities: clips for training, and series in which one quality alone is turned.

Each clip is composed (by rule, or arranged from a score: whatever is called like `compose`), rendered with
FluidSynth with a random sound font in a random room and passed through a random recording chain, so that no
quality can be read off the way things sound in general. Everything follows from the seed: the same seed gives
the same samples.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import mido
import numpy as np
import soundfile

from ..common.atomic_write import atomic_write
from ..common.constants import MIDLEVEL, SAMPLE_RATE
from ..common.errors import InputError
from ..composition.compose import GENERATOR_VERSION, compose
from ..composition.midi_parts import named_rng
from .midi_render import ReverbSettings, find_soundfont, render_midi, require_fluidsynth
from .recording_chain import apply_recording_chain

__all__ = ["Composer", "draw_qualities", "labelled_clip", "labelled_set", "render_midi", "sweep_clips"]

CLIP_SECONDS = 11.0
TABLE = "known_music.csv"
SWEEP_VALUES = (0.0, 0.25, 0.5, 0.75, 1.0)


class Composer(Protocol):
    """What makes a piece of given qualities: `compose`, or `arrange` on real scores."""

    def __call__(self, qualities: Mapping[str, float], *, seed: int, seconds: float) -> mido.MidiFile: ...


def draw_qualities(seed: int) -> dict[str, float]:
    """Seven independent qualities in 0..1: half of the draws uniform, half towards the extremes."""
    rng = named_rng(seed, "qualities")
    uniform, extreme, which = rng.random(7), rng.beta(0.4, 0.4, 7), rng.random(7) < 0.5
    drawn = np.where(which, uniform, extreme)
    return {name: round(float(value), 4) for name, value in zip(MIDLEVEL, drawn, strict=True)}


def labelled_clip(
    qualities: Mapping[str, float],
    *,
    seed: int,
    seconds: float = CLIP_SECONDS,
    soundfont: Path | str | None = None,
    composer: Composer = compose,
) -> np.ndarray:
    """One clip: float32 [samples], mono at 22,050 Hz, peak 0.2..0.95; composed, rendered, recorded."""
    rng = named_rng(seed, "room")
    size, damping, level = (float(value) for value in rng.uniform((0.1, 0.0, 0.1), (0.9, 0.8, 0.9)))
    room = ReverbSettings(size=size, damping=damping, level=level)
    midi = composer(qualities, seed=seed, seconds=seconds)
    dry = render_midi(midi, sample_rate=SAMPLE_RATE, channels=1, room=room, soundfont=soundfont)
    return apply_recording_chain(dry[:, 0], named_rng(seed, "recording"))


def draw_soundfont(soundfonts: Sequence[Path | str], seed: int) -> Path:
    """The sound font of one clip: one of those given, by its seed, or the usual one. Raises InputError."""
    if not soundfonts:
        return find_soundfont()
    return find_soundfont(soundfonts[int(named_rng(seed, "soundfont").integers(len(soundfonts)))])


def sweep_clips(
    feature: str,
    count: int,
    *,
    seed: int,
    values: tuple[float, ...] = SWEEP_VALUES,
    seconds: float = CLIP_SECONDS,
    soundfonts: Sequence[Path | str] = (),
    composer: Composer = compose,
) -> Iterator[tuple[dict[str, float], list[np.ndarray]]]:
    """`count` pieces in which one quality alone is turned: for each its other qualities and the clips.

    Everything else, the other six qualities included, is drawn once a piece and then held. Yields (qualities
    without `feature`, one float32 [samples] for each of `values`). Raises InputError for an unknown feature.
    """
    if feature not in MIDLEVEL:
        raise InputError(f"{feature}: no such feature; there are {', '.join(MIDLEVEL)}")
    for index in range(count):
        piece_seed = clip_seed(seed, index)
        others = {name: value for name, value in draw_qualities(piece_seed).items() if name != feature}
        font = draw_soundfont(soundfonts, piece_seed)
        yield (
            others,
            [
                labelled_clip(
                    {**others, feature: v}, seed=piece_seed, seconds=seconds, soundfont=font, composer=composer
                )
                for v in values
            ],
        )


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
    """Make a folder of `count` FLAC clips (mono, 22,050 Hz, 16 bit) and its table; returns the table's path.

    `known_music.csv` has the columns file, the seven qualities, seed, soundfont, group (by `group` from the
    seed of a clip: the same for clips that are made of the same score). Clips that exist are kept (those of a version
    whose knobs meant something else have other names, and stay out of the table), so an interrupted run goes on where
    it stopped, and a larger `count` adds to what is there; the table lists the clips that are finished. `progress` is
    called with the fraction done.

    Raises InputError when FluidSynth or a sound font is missing or the folder cannot be written to.
    """
    require_fluidsynth()
    for named in soundfonts or (None,):
        find_soundfont(named)
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [clip_seed(seed, index) for index in range(count)]
    paths = [folder / f"known{GENERATOR_VERSION}_{seed}_{index:05d}.flac" for index in range(count)]

    def make(index: int) -> None:
        if not paths[index].is_file():
            clip, font = seeds[index], draw_soundfont(soundfonts, seeds[index])
            samples = labelled_clip(
                draw_qualities(clip), seed=clip, seconds=seconds, soundfont=font, composer=composer
            )
            with atomic_write(paths[index]) as beside:
                soundfile.write(beside, samples, SAMPLE_RATE, subtype="PCM_16")

    def write() -> None:
        rows = [
            [path.name, *draw_qualities(clip).values(), clip, draw_soundfont(soundfonts, clip).name, group(clip)]
            for path, clip in zip(paths, seeds, strict=True)
            if path.is_file()
        ]
        write_label_table(folder / TABLE, rows)

    pool = ThreadPoolExecutor(workers)  # threads: nearly all of the work is FluidSynth's, outside of Python
    try:
        for done, _ in enumerate(pool.map(make, range(count)), start=1):
            if progress:
                progress(done / count)
            if done % 200 == 0:
                write()
    finally:
        pool.shutdown(cancel_futures=True)
        write()
    return folder / TABLE


def clip_seed(seed: int, index: int) -> int:
    """The seed of one clip or series of many."""
    return int(np.random.default_rng([seed, index]).integers(2**31))


def write_label_table(table: Path, rows: Sequence[Sequence[object]], *, further: Sequence[str] = ()) -> None:
    """Write rows of file, the seven qualities, seed, soundfont, group and what `further` names."""
    with atomic_write(table) as beside, beside.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", *MIDLEVEL, "seed", "soundfont", "group", *further])
        writer.writerows(rows)
