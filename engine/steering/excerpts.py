"""Excerpts with handles: what listeners say of them for coefficients of the handles, and how that changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from ...models.common.arrays import FloatArray, Floats
from ...models.network.spectrogram import LogSpectrogram
from .gain_path import GainPath
from .handles import DAMAGE, LIMIT_DB, field_of, handle_fields
from .listeners import Listener

DAMAGE_POWER: Final = 0.5
"""Of the damage that a handle does, in what it costs. With 1 judges hear less at the same rms gain, and the score of
the sound is no better.
"""


@dataclass(frozen=True)
class _Part:
    path: GainPath
    picture: FloatArray  # log-spectrogram [frames, bands]
    fields: torch.Tensor  # [fields, frames, bands]


class Excerpts:
    """Excerpts with handles: what listeners say for coefficients of the handles, and how that changes.

    Fields may be added to the handles: coefficients are for the handles, then for these.
    """

    def __init__(self, sounds: Sequence[FloatArray], listeners: Sequence[Listener]) -> None:
        """sounds: mono [samples] at 22,050 Hz, on the track's scale."""
        self.listeners = listeners
        self._parts = []
        for sound in sounds:
            picture = _picture(sound)
            self._parts.append(_Part(GainPath(sound), picture, torch.from_numpy(handle_fields(picture))))
        flat = torch.cat([part.fields.flatten(1) for part in self._parts], 1)
        root = DAMAGE ** (DAMAGE_POWER / 2)
        self.metric: Floats = (flat @ flat.T).double().numpy() / flat.shape[1] * root[:, None] * root
        """[handles, handles]: c' metric c is what coefficients c cost: the mean square of their field in dB (while
        it is small), each handle's by a power of the damage that it does."""
        self._shares = [part.fields.shape[1] for part in self._parts]
        self.before = self.measure(np.zeros(len(flat)))

    def add_fields(self, made: Callable[[FloatArray, FloatArray], FloatArray], coefficients: Floats) -> None:
        """Have more fields beside those that there are: their coefficients follow.

        made: (log-spectrogram, gain field in dB) [frames, bands] -> [more, frames, bands]; it is given the field of
        the coefficients, which are for the fields so far.
        """
        chosen = torch.from_numpy(coefficients).float()
        for number, part in enumerate(self._parts):
            more = torch.from_numpy(made(part.picture, field_of(chosen, part.fields).numpy()))
            self._parts[number] = replace(part, fields=torch.cat((part.fields, more)))

    def measure(self, coefficients: Floats, *, listeners: int | None = None) -> Floats:
        """What the (first so many) listeners say, [listeners, 15]: the mean over the excerpts, by their length."""
        chosen = torch.from_numpy(coefficients).float()
        with torch.inference_mode():
            said = [self._said(part, field_of(chosen, part.fields), listeners) for part in self._parts]
        return np.average(torch.stack(said).double().numpy(), axis=0, weights=self._shares)

    def slopes(self, rows: Sequence[tuple[int, int]], coefficients: Floats | None = None) -> Floats:
        """Change of the outputs (listener, number) per dB of each field, about, at coefficients (by default at
        none): [rows, fields].
        """
        fields = len(self._parts[0].fields)
        total = np.zeros((len(rows), fields))
        chosen = torch.from_numpy(np.zeros(fields) if coefficients is None else coefficients).float()
        for part, share in zip(self._parts, self._shares, strict=True):
            field = field_of(chosen, part.fields)
            found = field_slopes(part.path, field, self.listeners, rows) * (1 - (field / LIMIT_DB) ** 2)
            total += share * (found.flatten(1) @ part.fields.flatten(1).T).double().numpy()
        return total / sum(self._shares)

    def rms_db(self, coefficients: Floats) -> float:
        """Root mean square of the gain field in dB over all excerpts."""
        chosen = torch.from_numpy(coefficients).float()
        squares = [float((field_of(chosen, part.fields) ** 2).mean()) for part in self._parts]
        return float(np.sqrt(np.average(squares, weights=self._shares)))

    def fields_db(self, coefficients: Floats) -> list[torch.Tensor]:
        """The gain field [frames, bands] in dB of each excerpt."""
        return [field_of(torch.from_numpy(coefficients).float(), part.fields) for part in self._parts]

    def sounds(self, coefficients: Floats) -> list[FloatArray]:
        """The excerpts [samples] under the gain field, as loud as before."""
        chosen = torch.from_numpy(coefficients).float()
        with torch.inference_mode():
            return [part.path.filtered(field_of(chosen, part.fields), matched=True).numpy() for part in self._parts]

    def _said(self, part: _Part, field_db: torch.Tensor, listeners: int | None) -> torch.Tensor:
        spectrogram = part.path.spectrogram(field_db, matched=True)
        return torch.stack([listener(spectrogram) for listener in self.listeners[:listeners]])


def field_slopes(
    path: GainPath, field_db: torch.Tensor, listeners: Sequence[Listener], rows: Sequence[tuple[int, int]]
) -> torch.Tensor:
    """Change of the outputs (listener, number) per dB of each pixel of a gain field [frames, bands], about.

    float32 [rows, frames, bands], by the path's quick spectrogram: the true path is ten times as slow backwards.
    """
    field = field_db.clone().requires_grad_()
    spectrogram = path.quick_spectrogram(field)
    found: dict[tuple[int, int], torch.Tensor] = {}
    for number in {listener for listener, _ in rows}:
        outputs = sorted({output for listener, output in rows if listener == number})
        for output, pixels in zip(outputs, listeners[number].gradients(spectrogram.detach(), outputs), strict=True):
            # (a sum: gradients of more than a number import what computes with symbols, a third of a second)
            (found[number, output],) = torch.autograd.grad((spectrogram * pixels).sum(), field, retain_graph=True)
    return torch.stack([found[row] for row in rows])


def _picture(sound: FloatArray) -> FloatArray:
    with torch.inference_mode():
        return np.asarray(LogSpectrogram()(torch.from_numpy(sound)).numpy())
