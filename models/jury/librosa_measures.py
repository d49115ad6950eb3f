"""Acoustic measures by librosa (McFee et al. 2015), other ones than measures.py's: for the jury that reports.

Needs librosa (the extra `judges`).
"""

import importlib

import numpy as np

from ..common.arrays import FloatArray
from ..common.constants import SAMPLE_RATE
from ..common.errors import InputError


def librosa_measures(sound: FloatArray) -> FloatArray:
    """Means and deviations over time [N] of mono sound [samples] at 22,050 Hz. Raises InputError without librosa."""
    try:
        feature = importlib.import_module("librosa.feature")
        onset = importlib.import_module("librosa.onset")
    except ImportError:
        raise InputError("this judge needs librosa: pip install 'moodfader[judges]'") from None
    magnitude = np.abs(importlib.import_module("librosa").stft(sound, n_fft=2048, hop_length=512)) + 1e-7
    mel = np.log10(1e-6 + feature.melspectrogram(S=magnitude**2, sr=SAMPLE_RATE, n_mels=64))
    chroma = feature.chroma_stft(S=magnitude**2, sr=SAMPLE_RATE, tuning=0.0)
    strength = onset.onset_strength(S=10 * mel, sr=SAMPLE_RATE)
    tempogram = feature.tempogram(onset_envelope=strength, sr=SAMPLE_RATE, win_length=192)
    series = [
        10 * mel[::4],
        feature.mfcc(S=10 * mel, n_mfcc=20),
        feature.delta(feature.mfcc(S=10 * mel, n_mfcc=8)),
        feature.spectral_contrast(S=magnitude, sr=SAMPLE_RATE),
        feature.spectral_bandwidth(S=magnitude, sr=SAMPLE_RATE) / 1000,
        feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE) / 1000,
        10 * np.log10(feature.rms(S=magnitude) + 1e-6),
        feature.zero_crossing_rate(sound, hop_length=512),
        feature.tonnetz(chroma=chroma, sr=SAMPLE_RATE),
        np.sort(chroma, axis=0),
        strength[None],
    ]
    mean_tempogram = np.sort(tempogram[8:].mean(1))
    pulses = [float(mean_tempogram[-1]), float(mean_tempogram[-10:].mean()), float(np.median(mean_tempogram))]
    parts = [np.concatenate((part.mean(1), part.std(1))) for part in series]
    return np.concatenate([*parts, pulses]).astype(np.float32)
