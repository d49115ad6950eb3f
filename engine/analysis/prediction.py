"""Prediction of the features and emotions of a whole track in bounded memory. On a processor without torch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS, SAMPLE_RATE
from ...models.inference.checkpoint import Model
from ...models.inference.predictor import Predictor
from ...models.inference.threads import each_of, in_order, one_blas_thread, working_threads
from ...models.network.padding import PaddedSpectrogram, circle_of, filling
from ...models.network.receptive_field import ReceptiveField
from ...models.numpy_network.network import NumpyNetwork
from ...models.signal.input_level import between
from ...models.signal.log_spectrogram import spectrogram_blocks
from ..audio.track import Track

POSITIONS_AT_ONCE = 128
"""Output positions that are computed in one pass through the network."""


@dataclass(frozen=True, repr=False)
class Prediction:
    """Predicted mid-level features and emotions by name, from 0 to 1 (a mean rating divided by ten)."""

    midlevel: Mapping[str, float]
    """The seven features of MIDLEVEL."""
    emotions: Mapping[str, float]
    """The eight emotions of EMOTIONS."""
    duration_s: float
    """Seconds of sound that were predicted from."""

    def to_array(self) -> Floats:
        """The features, then the emotions, in the order of `constants.py`: float64 [15]."""
        values = *(self.midlevel[name] for name in MIDLEVEL), *(self.emotions[name] for name in EMOTIONS)
        return np.array(values, np.float64)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain dicts and floats, as `moodfader predict --json` prints it."""
        return {"duration_s": self.duration_s, "midlevel": dict(self.midlevel), "emotions": dict(self.emotions)}

    def __repr__(self) -> str:
        """Its values with two decimals."""
        groups = (
            f"{what}={{{', '.join(f'{name}: {value:.2f}' for name, value in values.items())}}}"
            for what, values in (("midlevel", self.midlevel), ("emotions", self.emotions))
        )
        return f"Prediction({', '.join(groups)}, duration_s={self.duration_s:.1f})"


def to_prediction(
    midlevel: npt.NDArray[np.floating], emotions: npt.NDArray[np.floating], *, duration_s: float
) -> Prediction:
    """Return a prediction from features [7] and emotions [8] in the order of `constants.py`."""
    return Prediction(
        midlevel={name: float(value) for name, value in zip(MIDLEVEL, midlevel, strict=True)},
        emotions={name: float(value) for name, value in zip(EMOTIONS, emotions, strict=True)},
        duration_s=duration_s,
    )


def predict_track(track: Track, model: Model, *, scale: float | None = None, like: Track | None = None) -> Prediction:
    """Predict a track: the mean of the local outputs between its silent ends, and the emotions that follow from it.

    Parameters
    ----------
    track
        The track.
    model
        The model.
    scale
        Divisor of the mono mix; None for the level of `like`.
    like
        The original of a steered version, which is predicted at the level of the original and between its ends, so
        that changes of level have an effect. None: the track itself.
    """
    original = like or track
    scale = original.network_peak if scale is None else scale
    prediction = predict_blocks(track.network_input_blocks(), model, scale=scale, sounding=original.sounding)
    return replace(prediction, duration_s=track.duration_s)


def predict_blocks(
    mono_blocks: Iterable[FloatArray], model: Model, *, scale: float, sounding: tuple[int, int] | None = None
) -> Prediction:
    """Predict audio that comes in blocks.

    Parameters
    ----------
    mono_blocks
        Mono audio at 22,050 Hz without clicks, float32 [samples] each.
    model
        The model.
    scale
        Divisor of the samples.
    sounding
        Samples [first, end) that count; None for all.
    """
    samples = 0

    def counted() -> Iterator[FloatArray]:
        nonlocal samples
        for block in mono_blocks:
            samples += len(block)
            yield block

    blocks = counted() if sounding is None else between(counted(), *sounding)
    midlevel, emotions = model.predictor.read(_mean_output(spectrogram_blocks(blocks, scale=scale), model.predictor))
    return to_prediction(midlevel, emotions, duration_s=samples / SAMPLE_RATE)


def predict_spectrograms(
    spectrograms: Sequence[FloatArray],
    model: Model,
    *,
    threads: int = 1,
    predictor: Predictor | None = None,
    positions: int = POSITIONS_AT_ONCE,
) -> FloatArray:
    """Features and emotions [spectrograms, 15] of long log-spectrograms [frames, bands], in bounded memory.

    threads: so many are predicted at a time, or so many parts of a single one, with the same result. predictor:
    another one than the model's own. positions: output positions that are computed in one pass through it.
    """
    used = predictor or model.predictor
    inner = threads if len(spectrograms) == 1 else 1
    with one_blas_thread():
        means = each_of(
            lambda one: _mean_output(iter([one]), used, threads=inner, positions=positions),
            spectrograms,
            threads=threads // inner,
        )
    return np.concatenate(used.read(np.stack(means)), axis=1)


def _mean_output(
    blocks: Iterator[FloatArray],
    predictor: Predictor,
    *,
    threads: int | None = None,
    positions: int = POSITIONS_AT_ONCE,
) -> npt.NDArray[np.float64]:
    """The mean of the local outputs [7] of a log-spectrogram that comes in blocks [frames, bands].

    threads: so many windows are computed at a time, with the same result; None: as many as there are.
    """
    on_processor = isinstance(predictor, NumpyNetwork)
    threads = working_threads() if threads is None else threads

    def summed(window: PaddedSpectrogram) -> tuple[npt.NDArray[np.float64], int]:
        local = predictor.local(window)[0]  # [7, time, frequency]
        return local.sum((1, 2), dtype=np.float64), local.shape[1] * local.shape[2]

    total = np.zeros(len(MIDLEVEL))
    count = 0
    windows = overlapping_windows(blocks, predictor.geometry, positions=positions)
    with one_blas_thread():
        for part, size in in_order(summed, windows, threads=threads if on_processor else 1):
            total += part
            count += size
    return total / count


def overlapping_windows(
    blocks: Iterator[FloatArray], geometry: ReceptiveField, *, positions: int = POSITIONS_AT_ONCE
) -> Iterator[PaddedSpectrogram]:
    """Receptive fields of so many consecutive output positions, about, of a circular spectrogram.

    Positions whose receptive field goes round from the end to the beginning come last.
    """
    field, stride = geometry.field, geometry.stride
    step = positions * stride
    at_once = step + field - stride
    phase = geometry.frame_range(0, 1)[0] % stride
    pending = np.zeros((0, N_BANDS), np.float32)
    beginning: FloatArray | None = None
    frames = 0
    for block in blocks:
        frames += len(block)
        pending = np.concatenate([pending, block])
        # (one turn of a short sound is seen at once)
        while len(pending) >= (2 * at_once if beginning is None else at_once):
            if beginning is None:
                beginning = pending[: phase + field - stride].copy()
                pending = pending[phase:]
            yield PaddedSpectrogram(pending[None, :at_once])
            pending = pending[step:]
    if beginning is None:
        if frames:
            yield circle_of(pending[None], geometry)
        return
    rest = pending[len(pending) - frames + filling(frames, stride)]
    yield PaddedSpectrogram(np.concatenate([pending, rest, beginning])[None])
