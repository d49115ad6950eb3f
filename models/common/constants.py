"""The names of the features and emotions and the numbers of the spectrogram: their only home.

Features are the seven mid-level perceptual features of Aljanaki & Soleymani (ISMIR 2018), emotions the eight
of Eerola & Vuoskoski's Soundtracks (2011), both on the scale 0..1 (a mean rating divided by ten).
High articulation is staccato, high modality is minor.
"""

from typing import Final

MIDLEVEL: Final = (
    "melodiousness",
    "articulation",
    "rhythmic_complexity",
    "rhythmic_stability",
    "dissonance",
    "tonal_stability",
    "modality",
)
EMOTIONS: Final = ("valence", "energy", "tension", "anger", "fear", "happy", "sad", "tender")

SAMPLE_RATE: Final = 22050
"""Rate at which the network listens, in Hz, mono."""
N_FFT: Final = 2048
"""Length of a spectrogram frame in samples."""
HOP_LENGTH: Final = 704
"""Distance of spectrogram frames in samples: 31.3 frames a second."""
BANDS_PER_OCTAVE: Final = 24
F_MIN: Final = 20.0
F_MAX: Final = 16000.0
N_BANDS: Final = 149
"""Bands that are left of 24 an octave from 20 Hz to 16 kHz at this rate and frame length."""
CLIP_FRAMES: Final = 313
"""Frames of ten seconds, the length that the listeners rated and the network was trained on."""

RELIABILITY_THRESHOLD: Final = 0.9
"""Stability of a feature's weights from which on its mask is trusted without a word."""
