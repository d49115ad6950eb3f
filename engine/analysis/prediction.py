"""What the network hears in a whole track, in bounded memory, and what the linear surrogate expects of faders."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray
from ...models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS
from ...models.common.input_level import between
from ...models.inference.checkpoint import Model
from ...models.network.model import MidlevelNetwork
from ...models.network.padding import PaddedSpectrogram, filling
from ...models.network.spectrogram import spectrogram_blocks
from ..audio.track import Track

POSITIONS_AT_ONCE = 128


@dataclass(frozen=True)
class Prediction:
    """Seven features and eight emotions on the scale 0..1, by name."""

    midlevel: Mapping[str, float]
    emotions: Mapping[str, float]


def to_prediction(midlevel: npt.NDArray[np.floating], emotions: npt.NDArray[np.floating]) -> Prediction:
    """Give the values [7] and [8] their names."""
    return Prediction(
        midlevel={name: float(value) for name, value in zip(MIDLEVEL, midlevel, strict=True)},
        emotions={name: float(value) for name, value in zip(EMOTIONS, emotions, strict=True)},
    )


def predict_track(track: Track, model: Model, *, like: Track | None = None) -> Prediction:
    """Mean of the local outputs over the whole track, its silent ends apart, and the emotions that follow from it.

    like: the original that the track was made of. At its level and between its ends it is heard, so that a change of
    level counts.
    """
    original = like or track
    return predict_blocks(
        track.network_input_blocks(), model, scale=original.network_peak, sounding=original.sounding
    )


def predict_blocks(
    mono_blocks: Iterable[FloatArray], model: Model, *, scale: float, sounding: tuple[int, int] | None = None
) -> Prediction:
    """As predict_track, for mono sound at 22.05 kHz in blocks [n].

    sounding: samples [first, end) that count, all without it.
    """
    if sounding is not None:
        mono_blocks = between(mono_blocks, *sounding)
    spectrogram = spectrogram_blocks(mono_blocks, scale=scale)
    total = torch.zeros(len(MIDLEVEL), dtype=torch.float64)
    count = 0
    with torch.inference_mode():
        for part in _seen_by_positions(spectrogram, model.network):
            local = model.network.local(part)[0]  # [7, time, frequency]
            total += local.sum((1, 2), dtype=torch.float64).cpu()
            count += local.shape[1] * local.shape[2]
        midlevel, emotions = model.network.read((total / count).float().to(model.device))
    return to_prediction(midlevel.cpu().numpy(), emotions.cpu().numpy())


def _seen_by_positions(blocks: Iterator[FloatArray], network: MidlevelNetwork) -> Iterator[PaddedSpectrogram]:
    """What the positions of a spectrogram see, at most about POSITIONS_AT_ONCE of them at once.

    Positions whose sight goes round from the end to the beginning come last, so the first frames are kept until then.
    """
    geometry = network.geometry
    field, stride = geometry.field, geometry.stride
    step = POSITIONS_AT_ONCE * stride
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
            yield _on_device(pending[:at_once], network)
            pending = pending[step:]
    if beginning is None:
        if frames:
            yield network.around(torch.from_numpy(pending)[None].to(network.device))
        return
    rest = pending[len(pending) - frames + filling(frames, stride)]
    yield _on_device(np.concatenate([pending, rest, beginning]), network)


def _on_device(frames: FloatArray, network: MidlevelNetwork) -> PaddedSpectrogram:
    return PaddedSpectrogram(torch.from_numpy(frames)[None].to(network.device))
