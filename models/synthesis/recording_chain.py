"""Augmentation by a random recording chain: changes of the sound that leave the music as it is.

Spectral tilt, low-pass filter, gentle saturation, noise, level and, for some clips, a round trip through MP3 or Ogg
Vorbis.
"""

import io
from typing import Final

import numpy as np
import soundfile

from ..common.constants import SAMPLE_RATE

CODEC_SHARE: Final = 0.3
"""Probability of a codec round trip."""
_BLOCK: Final = 65536  # samples; libsndfile's Vorbis encoder puts whole blocks on the stack


def apply_recording_chain(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pass a clip through a randomly drawn recording chain.

    Parameters
    ----------
    samples
        Mono audio at 22,050 Hz, shape [samples], any level.
    rng
        Draws the chain and its noise.

    Returns
    -------
    numpy.ndarray
        float32 [samples], peak 0.2..0.95, faded in and out over 10 ms.
    """
    tilt_db, cutoff = float(rng.normal(0, 0.8)), float(rng.choice([4000.0, 6000.0, 9000.0, 11000.0, 11000.0]))
    drive, level = float(rng.choice([0.0, 0.0, 0.7, 1.5])), float(rng.uniform(0.2, 0.95))
    noise_db, codec, compression = rng.uniform(-90, -62), rng.random(), float(rng.uniform(0.0, 0.9))
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(frequencies, 30.0) / 1000.0)
    response = 10 ** (np.clip(tilt_db, -3, 3) * octaves / 20) / np.sqrt(1 + (frequencies / cutoff) ** 8)
    recording = np.fft.irfft(np.fft.rfft(samples) * response, len(samples))
    recording /= max(float(np.abs(recording).max()), 1e-6)
    if drive:
        recording = np.tanh(drive * recording) / np.tanh(drive)
    recording = recording + 10 ** (noise_db / 20) * rng.standard_normal(len(samples))
    if codec < CODEC_SHARE:
        recording = codec_round_trip(0.5 * recording, "MP3" if codec < 0.6 * CODEC_SHARE else "OGG", compression)
    fade = round(0.01 * SAMPLE_RATE)
    recording[:fade] *= np.linspace(0, 1, fade)
    recording[-fade:] *= np.linspace(1, 0, fade)
    return (recording * level / max(float(np.abs(recording).max()), 1e-6)).astype(np.float32)


def codec_round_trip(samples: np.ndarray, kind: str, strength: float) -> np.ndarray:
    """Encode and decode audio with a lossy codec.

    Parameters
    ----------
    samples
        Mono audio at 22,050 Hz in -1..1, shape [samples].
    kind
        "MP3" or "OGG" (Vorbis).
    strength
        libsndfile's compression level, 0..1; 1 is the lowest bit rate.

    Returns
    -------
    numpy.ndarray
        float64 [samples].
    """
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, format=kind, compression_level=strength) as encoder:
        for start in range(0, len(samples), _BLOCK):
            encoder.write(samples[start : start + _BLOCK])
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float64")
    padded: np.ndarray = np.pad(decoded[: len(samples)], (0, max(len(samples) - len(decoded), 0)))
    return padded
