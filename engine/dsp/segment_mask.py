"""From seven faders to the gain of every bin of an STFT frame.

    faders [7] dB -> segments [S] dB -> spectrogram frames x bands (gather by label, smoothed 1-2-1 both ways)
                  -> STFT frames x bins (interpolated in dB over time and log frequency) -> linear

The labels lie on the network's grid: frame i is centred on second i * 704 / 22050, bands are the 149 of the
log-frequency filterbank. STFT frames lie anywhere on the track's own rate.
"""

import copy
import math
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np

from ...models.common.constants import HOP_LENGTH, SAMPLE_RATE
from ...models.common.filterbank import band_frequencies
from .array_backend import array_backend
from .solved_settings import SolvedSetting, correction_db
from .stft import frame_length

SEGMENT_LIMIT_DB: Final = 24.0
"""No segment is boosted or cut further than this, however many faders agree."""
MASK_LIMIT: Final = 1.5
"""No mask weight is larger: a fader gives no segment more than so many times its decibels."""
MAX_SUBSEGMENTS: Final = 16
"""No segment is divided into more subsegments (segmenting/subsegments.py)."""


def subsegment_labels(segments: np.ndarray, numbers: np.ndarray, count: int) -> np.ndarray:
    """Labels int32 [frames, bands] of subsegments: `count` of each segment follow each other.

    segments: labels [frames, bands]; numbers: of the subsegments within their segment [frames, bands].
    """
    return np.asarray(segments * np.int32(count) + numbers, np.int32)


def fader_columns(faders_db: np.ndarray, columns: int) -> np.ndarray:
    """Faders [7] in dB as coefficients of `columns` mask columns: with 14, those above zero and those below apart."""
    if columns == len(faders_db):
        return faders_db
    return np.concatenate((np.maximum(faders_db, 0), np.minimum(faders_db, 0)))


def segment_gain_db(
    mask_weights: np.ndarray,
    faders_db: np.ndarray,
    settings: Sequence[SolvedSetting] = (),
    *,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """Gain of each segment in dB: sum over features of fader times mask weight, limited to +-24 dB.

    Segments are subsegments here where masks lie on these.

    Parameters
    ----------
    mask_weights : float [segments, 7] or [segments, 14], none beyond MASK_LIMIT
        With 14 columns the first seven are for faders above zero, the others for faders below.
    faders_db : float [7]
    settings
        Solved as wholes: their corrections are added where the faders are near them.
    labels : int [n], optional
        Only the gains of these segments, in this order: [n].

    Returns
    -------
    float32 [segments]
    """
    correction = correction_db(settings, faders_db, labels)
    if labels is not None:
        mask_weights = mask_weights[labels]
    faders_db = fader_columns(faders_db, mask_weights.shape[1])
    # (added up by NumPy itself: the rounding of a BLAS product depends on its number of threads)
    gains = (mask_weights.astype(np.float32) * faders_db.astype(np.float32)).sum(axis=1)
    gains = gains if correction is None else gains + correction
    return np.asarray(np.clip(gains, -SEGMENT_LIMIT_DB, SEGMENT_LIMIT_DB))


def band_interpolation(frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each frequency in Hz the band at or below it, and how far it is to the next one in log frequency, 0..1."""
    bands = np.log2(band_frequencies().astype(np.float64))
    octaves = np.log2(np.maximum(frequencies, 1e-3))
    below = np.clip(np.searchsorted(bands, octaves, side="right") - 1, 0, len(bands) - 2)
    fraction = (octaves - bands[below]) / (bands[below + 1] - bands[below])
    return below, np.clip(fraction, 0.0, 1.0)


class SegmentMask:
    """Segments of a track and how each answers to the faders, read as gains of STFT bins.

    The gains of the label map are smoothed by 1-2-1 over frames and bands (an edge of 24 dB in one step would ring),
    then interpolated in dB. Beyond the first and last frame and band the gain there goes on.
    """

    def __init__(
        self,
        labels: np.ndarray,
        mask_weights: np.ndarray,
        *,
        sample_rate: int,
        n_fft: int | None = None,
        device: object = "cpu",
    ) -> None:
        """Labels are int [frames, bands], mask_weights float [segments, 7 or 14] (see segment_gain_db).

        n_fft: length of the STFT frames in samples; None: that of the mask filter at this rate. device: where gains
        are computed, "cpu" (NumPy) or what torch calls a device.
        """
        self.backend = array_backend(device)
        self._frames = len(labels)
        to_device = self.backend.to_device
        self._labels = to_device(np.ascontiguousarray(labels, dtype=np.int32 if device == "cpu" else np.int64))
        self._mask_weights = np.ascontiguousarray(mask_weights, dtype=np.float32)
        # A sample lies at sample * _step / _unit spectrogram frames; whole numbers keep this exact in a long track.
        self._step, self._unit = SAMPLE_RATE, sample_rate * HOP_LENGTH
        n_fft = n_fft or frame_length(sample_rate)
        below, fraction = band_interpolation(np.arange(n_fft // 2 + 1) * (sample_rate / n_fft))
        self._band, self._band_fraction = to_device(below), to_device(fraction.astype(np.float32))
        self._settings: tuple[SolvedSetting, ...] = ()
        self._segments: tuple[bytes, Any] = (b"", None)

    def with_setting(self, setting: SolvedSetting) -> Self:
        """The same mask that also knows a setting which was solved as a whole."""
        other = copy.copy(self)
        other._settings = (*self._settings, setting)
        other._segments = (b"", None)
        return other

    def frame_gains(self, centres: np.ndarray, faders_db: np.ndarray) -> Any:  # noqa: ANN401
        """Linear gains of STFT frames.

        Parameters
        ----------
        centres : int64 [frames], ascending
            The sample of the track on which each frame is centred.
        faders_db : float [7]

        Returns
        -------
        float32 [frames, n_fft // 2 + 1], in the backend's library; the same for any number of frames at once
        """
        xp, to_device = self.backend.xp, self.backend.to_device
        frame, rest = np.divmod(centres * self._step, self._unit)
        first, last = int(frame[0]), int(frame[-1])
        rows = np.arange(first - 1, last + 3).clip(0, self._frames - 1)
        decibels = self._pixel_gains(rows, faders_db)
        decibels = xp.concatenate((decibels[:, :1], decibels, decibels[:, -1:]), 1)
        decibels = (decibels[:, :-2] + 2 * decibels[:, 1:-1] + decibels[:, 2:]) / 4
        decibels = (decibels[:-2] + 2 * decibels[1:-1] + decibels[2:]) / 4  # from `first` on
        below = to_device(frame - first)
        fraction = to_device((rest / self._unit).astype(np.float32))[:, None]
        decibels = decibels[below] + (decibels[below + 1] - decibels[below]) * fraction  # [frames, bands]
        slope = decibels[:, 1:] - decibels[:, :-1]
        decibels = decibels[:, self._band] + slope[:, self._band] * self._band_fraction  # [frames, bins]
        return xp.exp(decibels * np.float32(math.log(10) / 20).item())

    def _pixel_gains(self, rows: np.ndarray, faders_db: np.ndarray) -> Any:  # noqa: ANN401
        """Gains in dB of rows of the label map, [rows, bands]."""
        if self.backend.device == "cpu" and rows.size * self._labels.shape[1] < len(self._mask_weights):
            # (a few frames of a long track, as when it is played: fewer pixels than segments)
            labels = self._labels[rows]
            gains_db = segment_gain_db(self._mask_weights, faders_db, self._settings, labels=labels.ravel())
            return gains_db.reshape(labels.shape)
        key = faders_db.tobytes()
        if key != self._segments[0]:
            gains_db = segment_gain_db(self._mask_weights, faders_db, self._settings)
            self._segments = key, self.backend.to_device(gains_db)
        return self._segments[1][self._labels[self.backend.to_device(rows)]]
