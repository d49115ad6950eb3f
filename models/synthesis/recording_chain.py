"""A random recording chain: what a recording does to music without changing what is played.

Tilt, low-pass, gentle saturation, hiss, level, and now and then MP3 or Ogg Vorbis at a low rate and back.
"""

import io
from typing import Final

import numpy as np
import soundfile

from ..common.constants import SAMPLE_RATE

CODEC_SHARE: Final = 0.3
"""How many clips go through a codec."""
_BLOCK: Final = 65536  # libsndfile's Vorbis encoder takes long stretches onto the stack


def apply_recording_chain(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pass float [samples] at SAMPLE_RATE through a chain drawn by `rng`: float32 [samples], peak 0.2..0.95."""
    tilt_db, edge = float(rng.normal(0, 0.8)), float(rng.choice([4000.0, 6000.0, 9000.0, 11000.0, 11000.0]))
    drive, level = float(rng.choice([0.0, 0.0, 0.7, 1.5])), float(rng.uniform(0.2, 0.95))
    hiss, codec, strength = rng.uniform(-90, -62), rng.random(), float(rng.uniform(0.0, 0.9))
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(frequencies, 30.0) / 1000.0)
    curve = 10 ** (np.clip(tilt_db, -3, 3) * octaves / 20) / np.sqrt(1 + (frequencies / edge) ** 8)
    coloured = np.fft.irfft(np.fft.rfft(samples) * curve, len(samples))
    coloured /= max(float(np.abs(coloured).max()), 1e-6)
    if drive:
        coloured = np.tanh(drive * coloured) / np.tanh(drive)
    coloured = coloured + 10 ** (hiss / 20) * rng.standard_normal(len(samples))
    if codec < CODEC_SHARE:
        coloured = codec_round_trip(0.5 * coloured, "MP3" if codec < 0.6 * CODEC_SHARE else "OGG", strength)
    edge_samples = round(0.01 * SAMPLE_RATE)
    coloured[:edge_samples] *= np.linspace(0, 1, edge_samples)
    coloured[-edge_samples:] *= np.linspace(1, 0, edge_samples)
    return (coloured * level / max(float(np.abs(coloured).max()), 1e-6)).astype(np.float32)


def codec_round_trip(samples: np.ndarray, kind: str, strength: float) -> np.ndarray:
    """Encode [samples] as `kind` (MP3 or OGG), decode, same length. `strength` 0..1: 1 is the lowest rate."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, format=kind, compression_level=strength) as encoder:
        for start in range(0, len(samples), _BLOCK):
            encoder.write(samples[start : start + _BLOCK])
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float64")
    kept: np.ndarray = np.pad(decoded[: len(samples)], (0, max(len(samples) - len(decoded), 0)))
    return kept
