"""Excerpts under sums of handles: the outputs of listeners for given coefficients, and their slopes.

`faders/segment_excerpts.py` has the same for gains of segments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from ...models.common.arrays import FloatArray, Floats
from ...models.network.spectrogram import LogSpectrogram
from .gain_path import GainPath, field_slopes
from .handles import DAMAGE, LIMIT_DB, field_of, handle_fields
from .listeners import Listener

DAMAGE_POWER: Final = 0.5
"""Of the damage that a handle does, in what it costs. With 1 judges move by less at the same rms gain, and the score
of the sound is no better.
"""


@dataclass(frozen=True)
class _Part:
    path: GainPath
    spectrogram: FloatArray  # log-spectrogram [frames, bands]
    fields: torch.Tensor  # [fields, frames, bands]


class HandleExcerpts:
    """Excerpts of a track under gain fields that are sums of handles, and of fields added to these.

    A coefficient is in dB; those of the handles come first, then those of the added fields.

    Attributes
    ----------
    listeners : sequence of Listener
        Whose outputs are predicted, the network that ships first.
    metric : numpy.ndarray
        c' metric c is what coefficients c cost, [handles, handles]: the mean square of their field in dB (while it is
        small), each handle's by a power of the damage that it does.
    before : numpy.ndarray
        Outputs of the listeners without gain, [listeners, 15].
    """

    def __init__(self, sounds: Sequence[FloatArray], listeners: Sequence[Listener]) -> None:
        """sounds: mono [samples] at 22,050 Hz, on the track's scale."""
        self.listeners = listeners
        self._parts = []
        for sound in sounds:
            spectrogram = _log_spectrogram(sound)
            self._parts.append(_Part(GainPath(sound), spectrogram, torch.from_numpy(handle_fields(spectrogram))))
        flat = torch.cat([part.fields.flatten(1) for part in self._parts], 1)
        root = DAMAGE ** (DAMAGE_POWER / 2)
        self.metric: Floats = (flat @ flat.T).double().numpy() / flat.shape[1] * root[:, None] * root
        self._shares = [part.fields.shape[1] for part in self._parts]
        self.before = self.measure(np.zeros(len(flat)))

    def add_fields(self, made: Callable[[FloatArray, FloatArray], FloatArray], coefficients: Floats) -> None:
        """Add fields; their coefficients follow those of the fields so far.

        made: (log-spectrogram, gain field in dB) [frames, bands] -> [more, frames, bands]; it is given the field of
        the coefficients, which are for the fields so far.
        """
        chosen = torch.from_numpy(coefficients).float()
        for number, part in enumerate(self._parts):
            more = torch.from_numpy(made(part.spectrogram, field_of(chosen, part.fields).numpy()))
            self._parts[number] = replace(part, fields=torch.cat((part.fields, more)))

    def measure(self, coefficients: Floats, *, listeners: int | None = None) -> Floats:
        """Outputs of the (first so many) listeners, [listeners, 15]: means over the excerpts, by their length."""
        chosen = torch.from_numpy(coefficients).float()
        with torch.inference_mode():
            predicted = [self._outputs(part, field_of(chosen, part.fields), listeners) for part in self._parts]
        return np.average(torch.stack(predicted).double().numpy(), axis=0, weights=self._shares)

    def slopes(self, rows: Sequence[tuple[int, int]], coefficients: Floats | None = None) -> Floats:
        """Change of outputs per dB of each field, about, at coefficients (None: at zero): [rows, fields].

        rows: (number of the listener, number of its output).
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

    def _outputs(self, part: _Part, field_db: torch.Tensor, listeners: int | None) -> torch.Tensor:
        spectrogram = part.path.spectrogram(field_db, matched=True)
        return torch.stack([listener(spectrogram) for listener in self.listeners[:listeners]])


def _log_spectrogram(sound: FloatArray) -> FloatArray:
    with torch.inference_mode():
        return np.asarray(LogSpectrogram()(torch.from_numpy(sound)).numpy())
