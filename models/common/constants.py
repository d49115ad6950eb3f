"""Names of the features and emotions, and parameters of the spectrogram that is the network's input.

The features are the seven mid-level perceptual features of Aljanaki & Soleymani (ISMIR 2018), the emotions the eight
of Eerola & Vuoskoski's Soundtracks dataset (Psychology of Music 2011), both on a scale of 0..1 (mean ratings divided
by ten). High articulation is staccato, high modality is minor.
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
OUTPUTS: Final = (*MIDLEVEL, *EMOTIONS)
"""What every network, listener and judge predicts, in this order."""

SAMPLE_RATE: Final = 22050
"""Sample rate of the network's input in Hz; the input is mono."""
N_FFT: Final = 2048
"""Length of a spectrogram frame in samples."""
HOP_LENGTH: Final = 704
"""Distance of spectrogram frames in samples: 31.3 frames a second."""
BANDS_PER_OCTAVE: Final = 24
F_MIN: Final = 20.0
"""Lowest frequency of the filterbank in Hz."""
F_MAX: Final = 16000.0
"""Upper limit of the filterbank in Hz; at this sample rate it ends at 11,025 Hz."""
N_BANDS: Final = 149
"""Number of distinct bands that this sample rate and frame length leave of the filterbank."""
CLIP_FRAMES: Final = 313
"""Frames in ten seconds, the approximate length of the rated clips and the length of training excerpts."""

QUALITIES: Final = ("full", "draft")
"""Qualities of an analysis."""
RELIABILITY_THRESHOLD: Final = 0.9
"""Lowest reliability of a feature's weights at which no warning is given."""
REACHED_SHARE: Final = 0.9
"""A target is reached where an emotion moves by this share of what was asked, and by no more than as much beyond."""
KEPT_SHARE: Final = 0.2
"""An emotion is kept where it moves by less than this share of the largest shift that is asked for."""
