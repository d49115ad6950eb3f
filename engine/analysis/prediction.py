"""Prediction of the features and emotions of a whole track in bounded memory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray
from ...models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS, SAMPLE_RATE
from ...models.inference.checkpoint import Model
from ...models.network.receptive_field import ReceptiveField
from ...models.network.spectrogram import spectrogram_blocks
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


def predict_track(track: Track, model: Model, *, scale: float | None = None) -> Prediction:
    """Predict a track: the mean of the local outputs over its whole length, and the emotions that follow from it.

    Parameters
    ----------
    track
        The track.
    model
        The model.
    scale
        Divisor of the mono mix; None for the track's peak. A steered version of a track is predicted at the scale of
        the original, so that changes of level have an effect.
    """
    prediction = predict_blocks(
        track.network_input_blocks(), model, scale=track.network_peak if scale is None else scale
    )
    return replace(prediction, duration_s=track.duration_s)


def predict_blocks(mono_blocks: Iterable[FloatArray], model: Model, *, scale: float) -> Prediction:
    """Predict audio that comes in blocks.

    Parameters
    ----------
    mono_blocks
        Mono audio at 22,050 Hz, float32 [samples] each.
    model
        The model.
    scale
        Divisor of the samples.
    """
    samples = 0

    def counted() -> Iterator[FloatArray]:
        nonlocal samples
        for block in mono_blocks:
            samples += len(block)
            yield block

    spectrogram = spectrogram_blocks(counted(), scale=scale)
    total = np.zeros(len(MIDLEVEL))
    count = 0
    with torch.inference_mode():
        for window in _overlapping_windows(spectrogram, model.network.geometry):
            local = model.network.local(torch.from_numpy(window)[None].to(model.device))[0]  # [7, time, frequency]
            total += local.sum((1, 2), dtype=torch.float64).cpu().numpy()
            count += local.shape[1] * local.shape[2]
    midlevel = total / count
    emotions = model.network.emotions(torch.from_numpy(midlevel).float().to(model.device)).detach().cpu().numpy()
    return to_prediction(midlevel, emotions, duration_s=samples / SAMPLE_RATE)


def _overlapping_windows(blocks: Iterator[FloatArray], geometry: ReceptiveField) -> Iterator[FloatArray]:
    """Windows of the zero-padded spectrogram, each the receptive field of up to POSITIONS_AT_ONCE output
    positions.
    """
    begin, end = geometry.frame_range(0, POSITIONS_AT_ONCE)
    pending = np.zeros((-begin, N_BANDS), np.float32)
    frames = done = 0
    for block in blocks:
        frames += len(block)
        pending = np.concatenate([pending, block])
        while len(pending) >= end - begin:
            yield pending[: end - begin]
            pending = pending[POSITIONS_AT_ONCE * geometry.stride :]
            done += POSITIONS_AT_ONCE
    remaining = geometry.positions(frames) - done
    if remaining > 0:
        begin, end = geometry.frame_range(0, remaining)
        padding = np.zeros((end - begin - len(pending), N_BANDS), np.float32)
        yield np.concatenate([pending, padding])
