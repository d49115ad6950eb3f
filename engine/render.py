"""From a track, its analysis and seven faders to a new sound file, and what the network hears in it.

Everything streams: memory does not grow with the length of the track. What is reported of the file is
measured on the file, read back: its loudness, its true peak, and the network's prediction.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..models.checkpoint import Model, load_model
from ..models.errors import InputError
from ..models.files import written_beside
from .analysis import Analysis
from .decoding import decode, probe
from .gains import Faders, segment_gain_db
from .intersample import TruePeakMeter
from .loudness import LoudnessMeter
from .prediction import predict_track, surrogate_emotions
from .steered import steered_blocks
from .tags import copy_tags
from .track import Track, load_track
from .writer import AudioWriter, check_output

CEILING_RANGE_DBTP = (-20.0, 0.0)
LOUDNESS_TOLERANCE_LU = 0.1
_MATCH_LIMIT_DB = 12.0
_ATTEMPTS = 6
_DITHER_SEED = 0
_READ_BACK = 0.3  # share of the work that is measuring the written file, for the progress

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Rendered:
    """What came of a render; predictions are on the scale 0..1.

    `after` is measured on the written file, `surrogate` is what the linear surrogate expected there. gain_db
    is the gain on the whole track (for the loudness match, or to keep an untouched float track inside an
    integer file); loudness_matched is None where no match was asked for, False where the ceiling did not
    allow it.
    """

    file: str
    output: str
    duration_s: float
    seconds: float
    midlevel: dict[str, dict[str, float]]
    emotions: dict[str, dict[str, float]]
    loudness_lufs: dict[str, float]
    true_peak_dbtp: float
    gain_db: float
    loudness_matched: bool | None


@dataclass(frozen=True)
class Written:
    """What was measured on a written file, in LUFS and dBTP, and the gain in dB that was put on the track."""

    loudness_lufs: float
    true_peak_dbtp: float
    gain_db: float


def render(
    track: Track,
    analysis: Analysis,
    output: str | Path,
    *,
    faders: Faders,
    model: Model | None = None,
    match_loudness: bool = False,
    bit_depth: str = "24",
    ceiling_dbtp: float = -1.0,
    overwrite: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> Rendered:
    """Write `track` steered by `faders` to `output` (wav, flac or ogg by its name), tags included.

    With neutral faders the output equals the input; it is only brought down where a track above full scale
    (float or lossy files) would clip in an integer file. Otherwise the true peak stays below ceiling_dbtp;
    match_loudness gives the output the input's integrated loudness as far as the ceiling lets it. model is
    the default checkpoint where none is given; progress is called with the fraction done.

    Raises InputError for an output that cannot or must not be written, an analysis of another sound, and a
    ceiling out of range.
    """
    started = time.monotonic()
    output = Path(output)
    check_output(output, bit_depth=bit_depth, source=track.path, overwrite=overwrite)
    if analysis.track_digest != track.digest:
        raise InputError(f"{analysis.path or 'the analysis'}: it is of another sound than {track.path}")
    chosen = _device(device)
    model = load_model(device=str(chosen)) if model is None else model
    report = progress or (lambda fraction: None)
    before = predict_track(track, model)
    report(0.1)
    with written_beside(output) as beside:
        written = write_steered(
            track,
            analysis.segments,
            analysis.mask_weights,
            beside,
            name=output,
            faders=faders,
            match_loudness=match_loudness,
            bit_depth=bit_depth,
            ceiling_dbtp=ceiling_dbtp,
            device=chosen,
            progress=lambda fraction: report(0.1 + 0.8 * fraction),
        )
        after = predict_track(load_track(beside), model, scale=track.peak)
        copy_tags(track.path, beside)
    gains_db = segment_gain_db(analysis.mask_weights, faders.array())
    shift = surrogate_emotions(analysis, gains_db, model)
    expected = {name: value + shift[name] for name, value in before.emotions.items()}
    off = abs(written.loudness_lufs - track.loudness_lufs)
    report(1.0)
    return Rendered(
        file=str(track.path),
        output=str(output),
        duration_s=track.duration_s,
        seconds=time.monotonic() - started,
        midlevel={"before": dict(before.midlevel), "after": dict(after.midlevel)},
        emotions={"before": dict(before.emotions), "after": dict(after.emotions), "surrogate": expected},
        loudness_lufs={"before": track.loudness_lufs, "after": written.loudness_lufs},
        true_peak_dbtp=written.true_peak_dbtp,
        gain_db=written.gain_db,
        loudness_matched=off <= LOUDNESS_TOLERANCE_LU if match_loudness else None,
    )


def write_steered(
    track: Track,
    labels: np.ndarray,
    mask_weights: np.ndarray,
    path: Path,
    *,
    faders: Faders,
    name: Path | None = None,
    match_loudness: bool = False,
    bit_depth: str = "24",
    ceiling_dbtp: float = -1.0,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Written:
    """The part of `render` that makes the sound: writes to `path`, measures what was written, and mends it.

    It is written again with another gain when the loudness is to match and does not, and with a lower ceiling
    when a lossy format raised the peaks. `name` is what errors call the file.
    """
    low, high = CEILING_RANGE_DBTP
    if not low <= ceiling_dbtp <= high:
        raise InputError(f"ceiling {ceiling_dbtp:g} dBTP is out of range, it goes from {low:g} to {high:g}")
    match = match_loudness and not faders.neutral
    gain_db = _gain_into_range(track, bit_depth, path) if faders.neutral else 0.0
    limit_db = ceiling_dbtp
    target = track.loudness_lufs if match else 0.0
    share = _shares(2 if match else 1, progress)
    for attempt in range(_ATTEMPTS):
        blocks = steered_blocks(
            track,
            labels,
            mask_weights,
            faders=faders,
            gain_db=gain_db,
            ceiling_dbtp=limit_db,
            device=device,
        )
        with _one_thread():
            dither_seed = None if faders.neutral and not gain_db else _DITHER_SEED
            with AudioWriter(
                path,
                sample_rate=track.sample_rate,
                channels=track.channels,
                samples=track.samples,
                bit_depth=bit_depth,
                dither_seed=dither_seed,
                name=name,
            ) as writer:
                done = 0
                for block in blocks:
                    writer.write(block)
                    done += len(block)
                    share(attempt, (1 - _READ_BACK) * done / track.samples)
            loudness, peak = _measured(path)
        share(attempt, 1.0)
        if faders.neutral:
            break
        excess, missing = peak - ceiling_dbtp, target - loudness if match else 0.0
        wanted_db = min(max(gain_db + missing, -_MATCH_LIMIT_DB), _MATCH_LIMIT_DB)
        if excess <= 0 and (abs(missing) <= LOUDNESS_TOLERANCE_LU / 2 or wanted_db == gain_db):
            break
        limit_db -= excess + 0.05 if excess > 0 else 0.0
        gain_db = wanted_db
    return Written(loudness, peak, gain_db)


def _gain_into_range(track: Track, bit_depth: str, path: Path) -> float:
    """Gain in dB, 0 or less, that keeps an untouched track inside what the file can hold."""
    if track.sample_peak <= 1 or (bit_depth == "float" and path.suffix.lower() == ".wav"):
        return 0.0
    return 20 * math.log10((1 - 2**-15) / track.sample_peak)


def _measured(path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP of a sound file."""
    source = probe(path)
    loudness = LoudnessMeter(source.sample_rate, source.channels)
    peak = TruePeakMeter(source.channels)
    for block in decode(source):
        loudness.add(block)
        peak.add(block)
    return loudness.integrated(), peak.peak_dbtp()


def _shares(expected: int, progress: Progress | None) -> Callable[[int, float], None]:
    """Progress over a number of attempts that is not known beforehand: never backwards, never beyond 1."""
    furthest = 0.0

    def share(attempt: int, fraction: float) -> None:
        nonlocal furthest
        furthest = max(furthest, min((attempt + fraction) / max(expected, attempt + 1), 1.0))
        if progress:
            progress(furthest)

    return share


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """The pieces of work are small: a second thread costs more than it gives, far more on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _device(name: str) -> torch.device:
    """The device called `name`; "auto" is CUDA where there is one. Raises InputError where it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} is not there (auto, cpu, cuda or cuda:N)") from error
    return device
