"""Rendered music of known qualities: clips for training, and series in which one quality alone is turned.

Each clip is composed, rendered with FluidSynth in a random room and passed through a random recording chain
(tilt, low-pass, gentle saturation, level), so that no quality can be read off the way things sound in
general. Everything follows from the seed: the same seed gives the same samples.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from .composition import compose
from .errors import InputError
from .files import written_beside
from .fluidsynth import Room, find_fluidsynth, find_soundfont, render_midi
from .score import stream
from .vocabulary import MIDLEVEL, SAMPLE_RATE

__all__ = ["known_clip", "known_music", "known_qualities", "known_series", "render_midi"]

CLIP_SECONDS = 11.0
TABLE = "known_music.csv"
SWEEP = (0.0, 0.25, 0.5, 0.75, 1.0)


def known_qualities(seed: int) -> dict[str, float]:
    """Seven independent qualities in 0..1: half of the draws uniform, half towards the extremes."""
    rng = stream(seed, "qualities")
    uniform, extreme, which = rng.random(7), rng.beta(0.4, 0.4, 7), rng.random(7) < 0.5
    drawn = np.where(which, uniform, extreme)
    return {name: round(float(value), 4) for name, value in zip(MIDLEVEL, drawn, strict=True)}


def known_clip(qualities: Mapping[str, float], *, seed: int, seconds: float = CLIP_SECONDS) -> np.ndarray:
    """One clip: float32 [samples], mono at 22,050 Hz, peak 0.2..0.95; composed, rendered, recorded."""
    rng = stream(seed, "room")
    size, damping, level = (float(value) for value in rng.uniform((0.1, 0.0, 0.1), (0.9, 0.8, 0.9)))
    room = Room(size=size, damping=damping, level=level)
    dry = render_midi(compose(qualities, seed=seed, seconds=seconds), sample_rate=SAMPLE_RATE, channels=1, room=room)
    return _recorded(dry[:, 0], stream(seed, "recording"))


def known_series(
    feature: str, count: int, *, seed: int, values: tuple[float, ...] = SWEEP, seconds: float = CLIP_SECONDS
) -> Iterator[tuple[dict[str, float], list[np.ndarray]]]:
    """`count` pieces in which one quality alone is turned: for each its other qualities and the clips.

    Everything else, the other six qualities included, is drawn once a piece and then held. Yields (qualities
    without `feature`, one float32 [samples] for each of `values`). Raises InputError for an unknown feature.
    """
    if feature not in MIDLEVEL:
        raise InputError(f"{feature}: no such feature; there are {', '.join(MIDLEVEL)}")
    for index in range(count):
        piece_seed = _clip_seed(seed, index)
        others = {name: value for name, value in known_qualities(piece_seed).items() if name != feature}
        yield others, [known_clip({**others, feature: v}, seed=piece_seed, seconds=seconds) for v in values]


def known_music(
    count: int,
    *,
    seed: int,
    folder: Path,
    progress: Callable[[float], None] | None = None,
    workers: int = 2,
    seconds: float = CLIP_SECONDS,
) -> Path:
    """Make a folder of `count` FLAC clips (mono, 22,050 Hz, 16 bit) and its table; returns the table's path.

    `known_music.csv` has the columns file, the seven qualities, seed. Clips that exist are kept, so an
    interrupted run goes on where it stopped, and a larger `count` adds to what is there; the table lists the
    clips that are finished. `progress` is called with the fraction done.

    Raises InputError when FluidSynth or the sound font is missing or the folder cannot be written to.
    """
    find_fluidsynth()
    find_soundfont()
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [_clip_seed(seed, index) for index in range(count)]
    paths = [folder / f"known_{seed}_{index:05d}.flac" for index in range(count)]

    def make(index: int) -> None:
        if not paths[index].is_file():
            samples = known_clip(known_qualities(seeds[index]), seed=seeds[index], seconds=seconds)
            with written_beside(paths[index]) as beside:
                soundfile.write(beside, samples, SAMPLE_RATE, subtype="PCM_16")

    pool = ThreadPoolExecutor(workers)  # threads: nearly all of the work is FluidSynth's own process
    try:
        for done, _ in enumerate(pool.map(make, range(count)), start=1):
            if progress:
                progress(done / count)
            if done % 200 == 0:
                _write_table(folder / TABLE, paths, seeds)
    finally:
        pool.shutdown(cancel_futures=True)
        _write_table(folder / TABLE, paths, seeds)
    return folder / TABLE


def _clip_seed(seed: int, index: int) -> int:
    return int(np.random.default_rng([seed, index]).integers(2**31))


def _write_table(table: Path, paths: list[Path], seeds: list[int]) -> None:
    with written_beside(table) as beside, beside.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", *MIDLEVEL, "seed"])
        for path, seed in zip(paths, seeds, strict=True):
            if path.is_file():
                qualities = known_qualities(seed)
                writer.writerow([path.name, *(qualities[name] for name in MIDLEVEL), seed])


def _recorded(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random recording chain on float32 [samples]: tilt, low-pass, saturation, level, hiss."""
    tilt_db, edge = float(rng.normal(0, 0.8)), float(rng.choice([4000.0, 6000.0, 9000.0, 11000.0, 11000.0]))
    drive, level, hiss = (
        float(rng.choice([0.0, 0.0, 0.7, 1.5])),
        float(rng.uniform(0.2, 0.95)),
        rng.uniform(-90, -62),
    )
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(frequencies, 30.0) / 1000.0)
    curve = 10 ** (np.clip(tilt_db, -3, 3) * octaves / 20) / np.sqrt(1 + (frequencies / edge) ** 8)
    coloured = np.fft.irfft(np.fft.rfft(samples) * curve, len(samples))
    coloured /= max(float(np.abs(coloured).max()), 1e-6)
    if drive:
        coloured = np.tanh(drive * coloured) / np.tanh(drive)
    coloured = coloured + 10 ** (hiss / 20) * rng.standard_normal(len(samples))
    edge_samples = round(0.01 * SAMPLE_RATE)
    coloured[:edge_samples] *= np.linspace(0, 1, edge_samples)
    coloured[-edge_samples:] *= np.linspace(1, 0, edge_samples)
    recorded: np.ndarray = (coloured * level / np.abs(coloured).max()).astype(np.float32)
    return recorded
