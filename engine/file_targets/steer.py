"""A recording steered towards emotions: asked, solved, written, and measured on what was written."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...models.common.atomic_write import atomic_write
from ...models.common.constants import EMOTIONS
from ...models.common.errors import InputError
from ...models.inference.checkpoint import Model, load_model
from ...models.inference.threads import torch_threads
from ..analysis.prediction import Prediction, predict_track
from ..audio.track import Track, load_track
from ..audio.track_spectrogram import track_spectrogram
from ..render.audio_writer import check_layout, validate_output
from ..render.tags import copy_tags
from .curve import Curve
from .gain_map import GainMap, KeptFields, Trajectory, gain_map
from .headroom import Progress, WrittenMap, write_gain_map
from .quality import MEASURE, need_quality
from .targets import GAIN_RANGE_DB, MAX_RMS_DB, Targets
from .trajectory import NO_CORRECTION, TrajectorySolver

CORRECTIONS: Final = 2
"""How often a file is written again because the whole track answered otherwise than its excerpts."""
_CLOSE: Final = 0.05
_OUT_OF_REACH: Final = 0.2
"""A miss at the excerpts with which the file is not written again: there is no more to be had."""

Judges = Callable[[Track, Track, float], Mapping[str, Mapping[str, float]]]
"""Asks judges of (original, steered, gain in dB of the second on the first): shifts by judge and emotion."""


@dataclass(frozen=True)
class Steered:
    """Result of steering a file; predictions and shifts are on the scale 0..1.

    Attributes
    ----------
    file, output
        The track's path, and that of the written file.
    asked, kept
        Wanted shifts by emotion (of a curve their mean over the track), and emotions that were to stay.
    reachable
        Whether what was asked was reached to REACHED_SHARE (the mean of a curve may be missed by a tenth of the mean
        size of its shifts), and what was kept moved by less than KEPT_SHARE of it.
    reached
        Shifts of the emotions that were asked for, measured on the file by the network that ships, at a scale lowered
        by as much as the file is.
    judges
        Shifts by judge and emotion, where judges were asked.
    midlevel, emotions
        Predictions by name, "before" and "after"; the latter measured as `reached`.
    gain_rms_db, gain_max_db
        Root mean square and largest size of the gain field.
    quality
        Mean opinion score and its measure; None without Zimtohrli.
    loudness_lufs, true_peak_dbtp
        Integrated loudness "before" and "after"; true peak of the file.
    duration_s, seconds
        Length of the track; how long it took.
    """

    file: str
    output: str
    duration_s: float
    asked: dict[str, float]
    kept: list[str]
    reachable: bool
    reached: dict[str, float]
    judges: dict[str, dict[str, float]] | None
    midlevel: dict[str, dict[str, float]]
    emotions: dict[str, dict[str, float]]
    gain_rms_db: float
    gain_max_db: float
    quality: dict[str, str | float] | None
    loudness_lufs: dict[str, float]
    true_peak_dbtp: float
    seconds: float


@dataclass(frozen=True)
class _Try:
    """One version of the file; missed: the largest miss of a target."""

    trajectory: Trajectory
    map: GainMap
    written: WrittenMap
    after: Prediction
    moved: Mapping[str, float]
    missed: float


def steer(
    track: Track,
    output: str | Path,
    *,
    toward: Mapping[str, float] | Curve,
    keep: Iterable[str] = (),
    model: Model | None = None,
    max_rms_db: float = MAX_RMS_DB,
    min_quality: float | None = None,
    judges: Judges | None = None,
    bit_depth: str = "24",
    ceiling_dbtp: float = -1.0,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Steered:
    """Write `track` to `output` with its emotions shifted.

    The file is as loud as the original, or as much softer as the ceiling requires: there is no limiter in the way.

    Parameters
    ----------
    track, output
        The track, and the path of the file (.wav, .flac or .ogg).
    toward
        Shifts by emotion on the scale 0..1, or a curve of them over time.
    keep
        Emotions that shall stay.
    model
        The network; the default one if None.
    max_rms_db
        Root mean square gain that is not exceeded, in GAIN_RANGE_DB.
    min_quality
        Mean opinion score, 1 to 5, below which the change is made smaller; None: QUALITY_FLOOR, where Zimtohrli is
        installed.
    judges
        Measures the result, if given.
    bit_depth, ceiling_dbtp, overwrite, progress
        As of `render`.

    Raises
    ------
    InputError
        For an output that cannot or must not be written, and for targets, a gain or a quality that make no sense.
        What cannot be reached is no error.
    """
    started = time.monotonic()
    output, keep = Path(output), tuple(keep)
    targets = Targets(toward.mean_size(track.duration_s) if isinstance(toward, Curve) else toward, keep)
    asked = toward.mean(track.duration_s) if isinstance(toward, Curve) else dict(targets.toward)
    low, high = GAIN_RANGE_DB
    if not low <= max_rms_db <= high:
        raise InputError(f"gain {max_rms_db:g} dB is out of range: {low:g} to {high:g} dB rms")
    if min_quality is not None:
        need_quality(min_quality)
    validate_output(output, bit_depth=bit_depth, source=track.path, overwrite=overwrite)
    check_layout(output, channels=track.channels, channel_mask=track.source.channel_mask)
    report = progress or (lambda fraction: None)
    model = model or load_model()
    solver = TrajectorySolver(
        track,
        model,
        toward if isinstance(toward, Curve) else targets,
        keep=targets.keep,
        max_rms_db=max_rms_db,
        min_quality=min_quality,
    )
    before = predict_track(track, model)
    spectrogram = track_spectrogram(track)
    kept = None if isinstance(toward, Curve) else KeptFields()
    report(0.1)
    with atomic_write(output) as beside:

        def attempt(trajectory: Trajectory, begun: float) -> _Try:
            map = gain_map(spectrogram, trajectory, narrow=solver.narrow, kept=kept, max_rms_db=max_rms_db)
            written = write_gain_map(
                track,
                map,
                beside,
                name=output,
                bit_depth=bit_depth,
                ceiling_dbtp=ceiling_dbtp,
                progress=lambda fraction: report(begun + 0.2 * fraction),
            )
            scale = track.network_peak * 10 ** (written.lowered_db / 20)
            after = predict_track(load_track(beside), model, scale=scale, like=track)
            moved = {name: after.emotions[name] - before.emotions[name] for name in EMOTIONS}
            return _Try(trajectory, map, written, after, moved, _missed(targets, moved))

        best = _best_try(attempt, solver, targets, corrected=not isinstance(toward, Curve))
        if track.source.array is None:  # (samples in memory have no tags)
            copy_tags(track.source.data, beside, name=output)
        judged = judges(track, load_track(beside), best.written.lowered_db) if judges else None
    report(1.0)
    quality: dict[str, str | float] | None = None
    if solver.quality is not None:
        quality = {"measure": MEASURE, "value": solver.quality}
    return Steered(
        file=str(track.path),
        output=str(output),
        duration_s=track.duration_s,
        asked=asked,
        kept=list(targets.keep),
        reachable=targets.reached(best.moved, asked),
        reached={name: best.moved[name] for name in targets.toward},
        judges=None if judged is None else {name: dict(moved) for name, moved in judged.items()},
        midlevel={"before": dict(before.midlevel), "after": dict(best.after.midlevel)},
        emotions={"before": dict(before.emotions), "after": dict(best.after.emotions)},
        gain_rms_db=best.map.rms_db,
        gain_max_db=best.map.largest_db,
        quality=quality,
        loudness_lufs={"before": track.loudness_lufs, "after": best.written.loudness_lufs},
        true_peak_dbtp=best.written.true_peak_dbtp,
        seconds=time.monotonic() - started,
    )


def _best_try(
    attempt: Callable[[Trajectory, float], _Try], solver: TrajectorySolver, targets: Targets, *, corrected: bool
) -> _Try:
    """Solve and write the file, again with what it missed as a correction; the best version is the one that is left.

    attempt: writes the file under a trajectory, from this fraction of the progress on.
    """

    def solved(*correction: dict[str, float]) -> Trajectory:
        with torch_threads(1):  # (many small operations: a second thread waits more than it works)
            return solver.solve(*correction)

    best = last = attempt(solved(), 0.1)
    correction = dict(NO_CORRECTION)
    for number in range(1, CORRECTIONS + 1 if corrected else 1):
        if last.missed <= _CLOSE or solver.missed > _OUT_OF_REACH:
            break
        for name in (*targets.toward, *targets.keep):
            correction[name] += targets.toward.get(name, 0.0) - last.moved[name]
        last = attempt(solved(correction), 0.1 + 0.2 * number)
        best = min(best, last, key=lambda one: one.missed)
    return best if best is last else attempt(best.trajectory, 0.7)


def _missed(targets: Targets, moved: Mapping[str, float]) -> float:
    """The largest miss, as a share of the largest shift that was asked."""
    largest = max(abs(value) for value in targets.toward.values())
    misses = [abs(moved[name] - targets.toward.get(name, 0.0)) for name in (*targets.toward, *targets.keep)]
    return max(misses) / largest
