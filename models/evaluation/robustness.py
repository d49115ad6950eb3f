"""Changes that a listener would hardly rate otherwise, and how far a network's answers move with them.

Each is done to the sound of a clip, not to its spectrogram: what is changed is read as another file of the same music
would be. All but the "heard at the same scale" ones are scaled to the level that the clip had, as every track is.
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
from ..common.input_level import measured

WINDOW_SECONDS = 10.0
SHIFT_SECONDS = 3.0
REFERENCE = "unchanged"
MP3_BITRATE = 96_000
OUTPUT_NAMES = (*MIDLEVEL, *EMOTIONS)


@dataclass(frozen=True)
class RobustnessResult:
    """By output: mean absolute change over clips on the scale 0..1, and r of changed with unchanged predictions."""

    clips: int
    change: dict[str, float]
    r: dict[str, float]


def perturb_audio(sound: FloatArray) -> Mapping[str, FloatArray | None]:
    """Ten seconds of a clip, unchanged and changed in every way; None for a shift where the clip is too short.

    sound: float32 [samples] at SAMPLE_RATE, scaled to its level (input_level.py). The stretch lies in the middle of
    the clip.
    """
    window, shift = round(WINDOW_SECONDS * SAMPLE_RATE), round(SHIFT_SECONDS * SAMPLE_RATE)
    begin = max(0, (len(sound) - window - shift) // 2)
    piece = sound[begin : begin + window + shift]
    level_before = measured(piece).level or 1.0

    def same_level(changed: np.ndarray) -> FloatArray:
        level = measured(np.asarray(changed, np.float32)).level or 1.0
        return np.asarray(changed[:window] * (level_before / level), np.float32)

    made: dict[str, FloatArray | None] = {REFERENCE: piece[:window]}
    made["level -12 dB in the file"] = same_level(piece * np.float32(_gain(-12)))
    for level in (-12, -6, 6):
        made[f"level {level:+d} dB, heard at the same scale"] = piece[:window] * np.float32(_gain(level))
    made["tilt +6 dB from low to high"] = same_level(_filtered(piece, lambda hz: _tilt_db(hz, 6)))
    made["tilt -6 dB from low to high"] = same_level(_filtered(piece, lambda hz: _tilt_db(hz, -6)))
    made["low-pass 4 kHz"] = same_level(_filtered(piece, lambda hz: -10 * np.log10(1 + (hz / 4000) ** 8)))
    made["MP3 96 kbit/s"] = same_level(mp3_round_trip(piece))
    made["tuning +0.25 semitone"] = same_level(soxr.resample(piece, 2 ** (0.25 / 12) * SAMPLE_RATE, SAMPLE_RATE))
    made["window 3 s later"] = piece[shift:] if len(piece) >= window + shift else None
    return made


def robustness(unchanged: Floats, changed: Floats) -> RobustnessResult:
    """How far outputs [runs, clips, 15] move; clips that lack one of the two (NaN) do not count."""
    change, r = [], []
    clips = 0
    for before, after in zip(unchanged, changed, strict=True):
        rows = np.isfinite(before).all(1) & np.isfinite(after).all(1)
        clips = int(rows.sum())
        change.append(np.abs(after - before)[rows].mean(0))
        r.append([np.corrcoef(before[rows, i], after[rows, i])[0, 1] for i in range(len(OUTPUT_NAMES))])
    named = (dict(zip(OUTPUT_NAMES, map(float, np.mean(values, axis=0)), strict=True)) for values in (change, r))
    return RobustnessResult(clips, *named)


def mp3_round_trip(sound: FloatArray, *, bitrate: int = MP3_BITRATE) -> FloatArray:
    """Written as MP3 of a constant bit rate and read again; float32 [samples], as long as it was.

    libsndfile asks for 0..1 within 8..160 kbit/s, the rates that MP3 has below 32 kHz.
    """
    memory = io.BytesIO()
    level = (160_000 - bitrate) / (160_000 - 8_000)
    options = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT", "compression_level": level}
    soundfile.write(memory, sound, SAMPLE_RATE, **options)
    memory.seek(0)
    decoded, _ = soundfile.read(memory, dtype="float32")
    decoded = decoded[: len(sound)]
    return np.asarray(np.pad(decoded, (0, len(sound) - len(decoded))), np.float32)


def _gain(level_db: float) -> float:
    return float(10 ** (level_db / 20))


def _filtered(sound: FloatArray, curve_db: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """A filter of zero phase with gain in dB by frequency in Hz."""
    length = scipy.fft.next_fast_len(len(sound) + SAMPLE_RATE, real=True)  # a second of silence for it to ring into
    hz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    gain = np.asarray(10 ** (curve_db(hz) / 20), np.float32)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(sound, length) * gain, length)[: len(sound)])


def _tilt_db(hz: np.ndarray, whole_db: float) -> np.ndarray:
    """Straight over octaves, `whole_db` from 50 Hz to 11 kHz, zero in the middle."""
    low, high = np.log2(50.0), np.log2(11_025.0)
    return np.asarray(whole_db * ((np.log2(np.clip(hz, 50, 11_025)) - low) / (high - low) - 0.5))
