"""Robustness: how far predictions change under perturbations of the audio that should hardly affect ratings.

The perturbations (level, spectral tilt, low-pass, MP3, tuning, time shift) are applied to the audio, not to its
spectrogram. Except for those named "heard at the same scale", perturbed audio is rescaled to the level of the clip,
as the program does with every file.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.fft
import soundfile
import soxr

from ..common.arrays import FloatArray, Floats
from ..common.constants import EMOTIONS, MIDLEVEL, SAMPLE_RATE
from ..signal.input_level import measured

WINDOW_SECONDS = 10.0
SHIFT_SECONDS = 3.0
REFERENCE = "unchanged"
"""Name of the reference condition."""
MP3_BITRATE = 96_000
OUTPUT_NAMES = (*MIDLEVEL, *EMOTIONS)
"""Names of the 15 outputs of a network, in the order of prediction columns."""


@dataclass(frozen=True)
class RobustnessResult:
    """Effect of a perturbation on the predictions.

    Attributes
    ----------
    clips
        Number of clips.
    change
        By output: mean absolute difference from the unperturbed prediction, on the scale 0..1.
    r
        By output: Pearson correlation with the unperturbed prediction.
    """

    clips: int
    change: dict[str, float]
    r: dict[str, float]


def perturb_audio(audio: FloatArray) -> Mapping[str, FloatArray | None]:
    """Apply every perturbation to ten seconds from the middle of a clip.

    Parameters
    ----------
    audio
        float32 [samples], mono at 22,050 Hz, scaled to a level of 1 (input_level.py).

    Returns
    -------
    mapping of str to numpy.ndarray or None
        By name of the perturbation, the reference first; None for the time shift where the clip is shorter than 13 s.
    """
    window, shift = round(WINDOW_SECONDS * SAMPLE_RATE), round(SHIFT_SECONDS * SAMPLE_RATE)
    begin = max(0, (len(audio) - window - shift) // 2)
    excerpt = audio[begin : begin + window + shift]
    level_before = measured(excerpt).level or 1.0

    def rescale(changed: np.ndarray) -> FloatArray:
        level = measured(np.asarray(changed, np.float32)).level or 1.0
        return np.asarray(changed[:window] * (level_before / level), np.float32)

    perturbed: dict[str, FloatArray | None] = {REFERENCE: excerpt[:window]}
    perturbed["level -12 dB in the file"] = rescale(excerpt * np.float32(_gain(-12)))
    for level in (-12, -6, 6):
        perturbed[f"level {level:+d} dB, heard at the same scale"] = excerpt[:window] * np.float32(_gain(level))
    perturbed["tilt +6 dB from low to high"] = rescale(_filtered(excerpt, lambda hz: _tilt_db(hz, 6)))
    perturbed["tilt -6 dB from low to high"] = rescale(_filtered(excerpt, lambda hz: _tilt_db(hz, -6)))
    perturbed["low-pass 4 kHz"] = rescale(_filtered(excerpt, lambda hz: -10 * np.log10(1 + (hz / 4000) ** 8)))
    perturbed["MP3 96 kbit/s"] = rescale(mp3_round_trip(excerpt))
    perturbed["tuning +0.25 semitone"] = rescale(soxr.resample(excerpt, 2 ** (0.25 / 12) * SAMPLE_RATE, SAMPLE_RATE))
    perturbed["window 3 s later"] = excerpt[shift:] if len(excerpt) >= window + shift else None
    return perturbed


def robustness(unchanged: Floats, changed: Floats) -> RobustnessResult:
    """Compare the predictions of perturbed clips with those of the originals.

    Parameters
    ----------
    unchanged, changed
        Predictions [runs, clips, 15]; clips with a NaN in either are left out.

    Returns
    -------
    RobustnessResult
        The mean over the runs.
    """
    change, r = [], []
    clips = 0
    for before, after in zip(unchanged, changed, strict=True):
        rows = np.isfinite(before).all(1) & np.isfinite(after).all(1)
        clips = int(rows.sum())
        change.append(np.abs(after - before)[rows].mean(0))
        r.append([np.corrcoef(before[rows, i], after[rows, i])[0, 1] for i in range(len(OUTPUT_NAMES))])
    by_output = (dict(zip(OUTPUT_NAMES, map(float, np.mean(values, axis=0)), strict=True)) for values in (change, r))
    return RobustnessResult(clips, *by_output)


def mp3_round_trip(audio: FloatArray, *, bitrate: int = MP3_BITRATE) -> FloatArray:
    """Encode as MP3 of constant bit rate and decode.

    Parameters
    ----------
    audio
        float32 [samples], mono at 22,050 Hz, in -1..1.
    bitrate
        8,000..160,000 bit/s, the rates of MPEG-2 Layer III.

    Returns
    -------
    numpy.ndarray
        float32 [samples].
    """
    file = io.BytesIO()
    # libsndfile's compression level 0..1 is linear in the bit rate.
    level = (160_000 - bitrate) / (160_000 - 8_000)
    options = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT", "compression_level": level}
    soundfile.write(file, audio, SAMPLE_RATE, **options)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    decoded = decoded[: len(audio)]
    return np.asarray(np.pad(decoded, (0, len(audio) - len(decoded))), np.float32)


def _gain(level_db: float) -> float:
    """Decibels to a factor."""
    return float(10 ** (level_db / 20))


def _filtered(audio: FloatArray, curve_db: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply a zero-phase filter whose gain in dB is a function of the frequency in Hz."""
    length = scipy.fft.next_fast_len(len(audio) + SAMPLE_RATE, real=True)  # padded by a second for its ringing
    hz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    gain = np.asarray(10 ** (curve_db(hz) / 20), np.float32)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(audio, length) * gain, length)[: len(audio)])


def _tilt_db(hz: np.ndarray, range_db: float) -> np.ndarray:
    """Spectral tilt, linear in octaves: `range_db` from 50 Hz to 11 kHz, 0 dB in the middle."""
    low, high = np.log2(50.0), np.log2(11_025.0)
    return np.asarray(range_db * ((np.log2(np.clip(hz, 50, 11_025)) - low) / (high - low) - 0.5))
