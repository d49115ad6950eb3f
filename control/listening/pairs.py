"""Pairs of excerpts, original and steered: made from sound files, or found in a folder; matched in loudness."""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...engine.audio.loudness import LoudnessMeter
from ...engine.audio.track import Track, load_track
from ...engine.audio.true_peak import TruePeakMeter
from ...engine.render.audio_writer import AudioWriter
from ...models.common.atomic_write import atomic_write
from ...models.common.constants import SAMPLE_RATE
from ...models.common.errors import InputError
from .questions import question_called

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model

Samples = npt.NDArray[np.float32]
TARGET_LUFS: Final = -20.0
"""Both sounds of a pair are as loud as this, or as the softer one; or softer by as much as the ceiling asks for."""
CEILING_DBTP: Final = -1.0
SECONDS_RANGE: Final = (2.0, 30.0)
_SILENT_LUFS: Final = -69.0  # (BS.1770 leaves out what is below -70)
_FADE_S: Final = 0.03
_SUFFIXES: Final = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".m4a")
_ORIGINAL: Final = "-original"
_LESS: Final = "less-"
_MAX_PAIRS: Final = 200


@dataclass(frozen=True)
class Manipulation:
    """What is done to a file: targets by emotion, or gains of faders in dB; and what is asked about it.

    direction: +1 if the steered sound is meant to have more of it, -1 for less.
    """

    question: str
    direction: int
    toward: Mapping[str, float] | None = None
    gains_db: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Pair:
    """Two sounds [samples, channels] of one rate, equally loud and equally long."""

    name: str
    question: str
    direction: int
    original: Samples
    steered: Samples
    sample_rate: int
    channel_mask: int = 0
    """Loudspeakers of the channels, as in channel_layout.py; 0: the usual ones."""


def excerpt(track: Track, seconds: float, start_s: float | None = None) -> Samples:
    """Samples [n, channels] from `start_s` on; None: around the middle of what sounds. Short tracks are whole."""
    length = min(round(seconds * track.sample_rate), track.samples)
    middle = sum(track.sounding) / 2 / SAMPLE_RATE
    start = round((max(middle - seconds / 2, 0) if start_s is None else start_s) * track.sample_rate)
    start = max(min(start, track.samples - length), 0)
    parts: list[Samples] = []
    missing = length
    for block in track.blocks(start=start):
        parts.append(np.asarray(block[:missing], np.float32))
        missing -= len(parts[-1])
        if missing <= 0:
            break
    return np.concatenate(parts)


def make_pairs(
    files: Sequence[Path],
    manipulations: Sequence[Manipulation],
    *,
    seconds: float,
    model: "Model",
    progress: Callable[[float], None] | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> list[Pair]:
    """Steer an excerpt of each file as each manipulation says. Raises InputError for a file that cannot be used.

    note: told what the user should know about a file.
    """
    pairs = []
    total = len(files) * len(manipulations)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in files:
            track = load_track(file)
            for line in track.notes:
                note(line)
            cut = excerpt(track, seconds)
            original = folder / "original.wav"
            _write(original, cut, track.sample_rate, track.source.channel_mask, bit_depth="float")
            for manipulation in manipulations:
                steered = folder / "steered.wav"
                steered.unlink(missing_ok=True)
                with _named(original, f"{file}: the {len(cut) / track.sample_rate:.4g} s around its middle"):
                    _steer(load_track(original), steered, manipulation, model)
                    pairs.append(
                        _pair(file.stem, manipulation.question, manipulation.direction, original, steered, seconds)
                    )
                if progress:
                    progress(len(pairs) / total)
    return pairs


@contextlib.contextmanager
def _named(temporary: Path, name: str) -> Iterator[None]:
    """Errors name what the user knows in place of a temporary file."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(str(temporary), name)) from error


def find_pairs(folder: Path, *, seconds: float, question: str | None = None, less: bool = False) -> list[Pair]:
    """Pairs of files that lie in a folder: NAME-original.wav with NAME-tender.wav, NAME-less-tender.wav and the like.

    Parameters
    ----------
    folder
        Where they lie.
    seconds
        Longer sounds are cut to their middle.
    question
        What is asked about NAME-steered.wav, which does not say it.
    less
        Whether NAME-steered.wav is meant to have less of it.

    Raises
    ------
    InputError
        If there are none, or too many, or a name asks about something unknown.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    sounds = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    originals = {path.stem.removesuffix(_ORIGINAL): path for path in sounds if path.stem.endswith(_ORIGINAL)}
    others = [path for path in sounds if not path.stem.endswith(_ORIGINAL)]
    pairs = []
    for name, original in originals.items():
        longer = tuple(f"{other}-" for other in originals if other.startswith(f"{name}-"))
        own = (path for path in others if path.stem.startswith(f"{name}-") and not path.stem.startswith(longer))
        for other in own:  # ("song-live-tender" belongs to "song-live-original", if there is one)
            asked = other.stem.removeprefix(f"{name}-")
            direction = -1 if asked.startswith(_LESS) else 1
            asked = asked.removeprefix(_LESS)
            if asked == "steered":
                if question is None:
                    raise InputError(f"{other}: --question says what is asked about it (tender, articulation, ...)")
                asked, direction = question, -1 if less else direction
            try:
                asked = question_called(asked)
            except InputError as error:
                raise InputError(f"{other}: {error}") from error
            pairs.append(_pair(name, asked, direction, original, other, seconds))
            if len(pairs) > _MAX_PAIRS:
                raise InputError(f"{folder}: more than {_MAX_PAIRS} pairs, nobody hears as many")
    if not pairs:
        raise InputError(
            f"{folder}: no pairs in it (NAME-original.wav with NAME-tender.wav), and no files to steer are given"
        )
    return pairs


def write_sound(path: Path, samples: Samples, sample_rate: int, channel_mask: int) -> None:
    """Write a sound of a pair as 16 bits, dithered."""
    _write(path, samples, sample_rate, channel_mask, bit_depth="16")


def _steer(track: Track, output: Path, manipulation: Manipulation, model: "Model") -> None:
    if manipulation.toward is not None:
        from ...engine.file_targets.steer import steer

        steer(track, output, toward=manipulation.toward, model=model, bit_depth="float")
        return
    from ...engine.analysis.cache import analyze
    from ...engine.analysis.settings import AnalysisSettings
    from ...engine.dsp.faders import Faders
    from ...engine.render.render import render

    faders = Faders.from_mapping(manipulation.gains_db or {})
    render(track, analyze(track, model=model, settings=AnalysisSettings()), output, faders=faders, model=model)


def _pair(name: str, question: str, direction: int, original: Path, steered: Path, seconds: float) -> Pair:
    tracks = [load_track(path) for path in (original, steered)]
    first, second = tracks
    if (first.sample_rate, first.channels) != (second.sample_rate, second.channels):
        raise InputError(f"{steered}: another rate or number of channels than {original}")
    if abs(first.samples - second.samples) > 0.05 * first.sample_rate:
        raise InputError(f"{steered}: not as long as {original}: the two are to be the same music")
    start_s = max(first.duration_s / 2 - seconds / 2, 0.0)
    cut = [excerpt(track, seconds, start_s) for track in tracks]
    length = min(map(len, cut))
    mask = first.source.channel_mask
    faded = [_faded(samples[:length], first.sample_rate) for samples in cut]
    try:
        before, after = matched_loudness(faded, first.sample_rate, channel_mask=mask)
    except InputError as error:
        raise InputError(f"{original}: {error}") from error
    return Pair(name, question, direction, before, after, first.sample_rate, mask)


def matched_loudness(sounds: Iterable[Samples], sample_rate: int, *, channel_mask: int = 0) -> list[Samples]:
    """The same sounds at one integrated loudness (ITU-R BS.1770), no true peak above the ceiling.

    Raises
    ------
    InputError
        If one is silent, or too soft for its loudness to be measured.
    """
    sounds = list(sounds)
    loudness = []
    for samples in sounds:
        meter = LoudnessMeter(sample_rate, samples.shape[1], channel_mask=channel_mask)
        meter.add(samples)
        loudness.append(meter.integrated())
    if not min(loudness) > _SILENT_LUFS:
        raise InputError(
            f"an excerpt of it is silent, or softer than {_SILENT_LUFS:g} LUFS: there is nothing to compare "
            "(--seconds takes a longer one)"
        )
    wanted = min(TARGET_LUFS, *loudness)
    gains_db = [wanted - level for level in loudness]
    peaks_db = []
    for samples, gain_db in zip(sounds, gains_db, strict=True):
        peak = TruePeakMeter(samples.shape[1])
        peak.add(samples)
        peaks_db.append(peak.peak_dbtp() + gain_db)
    lower_db = max(0.0, *(peak_db - CEILING_DBTP for peak_db in peaks_db))
    return [
        np.asarray(samples * np.float32(10 ** ((gain_db - lower_db) / 20)), np.float32)
        for samples, gain_db in zip(sounds, gains_db, strict=True)
    ]


def _faded(samples: Samples, sample_rate: int) -> Samples:
    length = min(round(_FADE_S * sample_rate), len(samples) // 2)
    faded = samples.copy()
    ramp = (np.sin((np.arange(length) + 0.5) / length * np.pi / 2) ** 2).astype(np.float32)[:, None]
    faded[:length] *= ramp
    faded[len(faded) - length :] *= ramp[::-1]
    return faded


def _write(path: Path, samples: Samples, sample_rate: int, channel_mask: int, *, bit_depth: str) -> None:
    with (
        atomic_write(path) as beside,
        AudioWriter(
            beside,
            sample_rate=sample_rate,
            channels=samples.shape[1],
            samples=len(samples),
            bit_depth=bit_depth,
            dither_seed=0 if bit_depth == "16" else None,
            channel_mask=channel_mask,
            name=path,
        ) as writer,
    ):
        writer.write(samples)
