"""What a teacher answers to gain fields, and the linear model of statistics that answers alike.

A regression on clean clips learns which clips differ in what is asked; how a teacher answers when a clip is filtered
is another question, and that is the one a solver asks. So short excerpts are heard under random sums of handles, each
field added and taken away, and half of the difference is what is learned.
"""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import torch

from ....engine.steering.gain_path import GainPath
from ....engine.steering.handles import FADER_HANDLES, HANDLES, LIMIT_DB, handle_fields
from ....models.common.arrays import FloatArray, Floats
from ....models.common.constants import SAMPLE_RATE

EXCERPT_S: Final = 6.0
FIELDS: Final = 2
"""Of each excerpt; each is heard both ways."""
COEFFICIENT_DB: Final = 3.0
RMS_DB: Final = (2.0, 5.0)
_FADER_SHARE: Final = 0.25
"""So many of the handles of faders are in a field, on the mean; of the others:"""
_OTHER_SHARE: Final = 0.1
_LONE_HANDLE_DB: Final = 4.0


def excerpt_of(sound: FloatArray, rng: np.random.Generator) -> FloatArray | None:
    """EXCERPT_S of a sound [samples], from anywhere in it; None of one that is shorter."""
    length = int(EXCERPT_S * SAMPLE_RATE)
    start = int(rng.integers(max(len(sound) - length, 0) + 1))
    return np.ascontiguousarray(sound[start : start + length]) if len(sound) >= length else None


def random_field(handles: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A random sum of all handles [handles, frames, bands], of 2 to 5 dB rms: [frames, bands] in dB."""
    shares = np.where(np.arange(len(HANDLES)) < FADER_HANDLES, _FADER_SHARE, _OTHER_SHARE)
    coefficients = rng.normal(0, COEFFICIENT_DB, len(HANDLES)) * (rng.random(len(HANDLES)) < shares)
    if not coefficients.any():
        coefficients[rng.integers(FADER_HANDLES)] = _LONE_HANDLE_DB
    field = np.tensordot(coefficients, handles, 1)
    field *= rng.uniform(*RMS_DB) / max(float((field**2).mean() ** 0.5), 1e-3)
    return np.asarray(LIMIT_DB * np.tanh(field / LIMIT_DB), np.float32)


def heard_under_fields(
    excerpts: Iterable[tuple[FloatArray, np.random.Generator]],
    statistics: Callable[[torch.Tensor], torch.Tensor],
    teacher: Callable[[FloatArray], FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """Statistics [excerpts, 1 + 2 FIELDS, n] and the teacher's values [excerpts, 1 + 2 FIELDS, values].

    Of each excerpt, a sound at 22,050 Hz with the generator of its fields: without a field, then with each field and
    with the opposite one, as loud as without.
    """
    measured, taught = [], []
    for sound, rng in excerpts:
        path = GainPath(sound)
        with torch.inference_mode():
            plain = torch.as_tensor(path.front_end(torch.from_numpy(sound)))
            handles = handle_fields(plain.numpy())
            pictures, values = [plain], [teacher(sound)]
            for _ in range(FIELDS):
                field = torch.from_numpy(random_field(handles, rng))
                for way in (field, -field):
                    filtered = path.filtered(way, matched=True)
                    pictures.append(torch.as_tensor(path.front_end(filtered)))
                    values.append(teacher(filtered.numpy()))
            measured.append(np.stack([statistics(picture).numpy() for picture in pictures]))
        taught.append(np.stack(values))
    return np.stack(measured), np.stack(taught)


def fit_to_responses(statistics: FloatArray, values: FloatArray, *, ridge: float) -> dict[str, torch.Tensor]:
    """Tensors of a LinearListener that answers fields as the values do; arrays as heard_under_fields gives them.

    ridge: what is added to the Gram matrix, as a share of its mean diagonal.
    """
    mean, deviation = statistics[:, 0].mean(0), statistics[:, 0].std(0) + 1e-6
    moved = _differences(statistics) / deviation
    gram = moved.T @ moved
    lift = ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    slopes = np.linalg.solve(gram + lift, moved.T @ _differences(values))
    found = {"mean": mean, "deviation": deviation, "slopes": slopes, "offset": values[:, 0].mean(0)}
    return {name: torch.from_numpy(np.ascontiguousarray(value, np.float32)) for name, value in found.items()}


def _differences(heard: FloatArray) -> Floats:
    """Half of what lies between each field and its opposite: [excerpts x FIELDS, n]."""
    pairs = heard[:, 1:].astype(np.float64).reshape(len(heard), -1, 2, heard.shape[-1])
    return np.asarray((pairs[:, :, 0] - pairs[:, :, 1]) / 2).reshape(-1, heard.shape[-1])
