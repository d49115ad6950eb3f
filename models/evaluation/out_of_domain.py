"""Sounds that are no music, made by formula: what does the network say of what it was never asked about?

Each is ten seconds, mono at SAMPLE_RATE, float32 [samples], and has a peak of one as a track has that is read;
silence stays silence. The same seed gives the same samples.
"""

from collections.abc import Mapping

import numpy as np
from scipy.signal import lfilter

from ..common.arrays import FloatArray
from ..common.constants import SAMPLE_RATE

SECONDS = 10.0
# First three formants in Hz of Finnish-like vowels a e i o u, an adult man's (after Peterson & Barney 1952).
VOWELS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}


def out_of_domain_sounds(*, seed: int = 0) -> Mapping[str, FloatArray]:
    """By name: silence, white noise, pink noise, speech-like, sine 440 Hz."""
    rng = np.random.default_rng(seed)
    count = round(SECONDS * SAMPLE_RATE)
    white = rng.standard_normal(count)
    times = np.arange(count) / SAMPLE_RATE
    made = {
        "white noise": white,
        "pink noise": _pink(rng.standard_normal(count)),
        "speech-like": _speech(rng, count),
        "sine 440 Hz": np.sin(2 * np.pi * 440 * times),
    }
    scaled = {name: (sound / np.abs(sound).max()).astype(np.float32) for name, sound in made.items()}
    return {"silence": np.zeros(count, np.float32), **scaled}


def _pink(white: np.ndarray) -> np.ndarray:
    """Power falls by 3 dB an octave from 20 Hz on."""
    spectrum = np.fft.rfft(white)
    frequencies = np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 20.0)), len(white)))


def _speech(rng: np.random.Generator, count: int) -> np.ndarray:
    """Glottal pulses through formants that glide from vowel to vowel, hissing between them, a breath between phrases.

    Four to five syllables a second, pitch falling from 130 to 90 Hz over a phrase of about two seconds.
    """
    hop = SAMPLE_RATE // 200  # the formants move every 5 ms
    blocks = -(-count // hop)
    seconds = np.arange(blocks * hop) / SAMPLE_RATE
    phrase = (seconds % 2.2) / 2.2
    pitch = 130 - 45 * phrase + 4 * np.sin(2 * np.pi * 2.7 * seconds)
    cycles = np.cumsum(pitch) / SAMPLE_RATE
    pulses = np.diff(np.floor(cycles), prepend=0.0)
    source = lfilter([1.0], [1.0, -1.88, 0.885], pulses)  # -12 dB an octave, a glottal pulse's slope
    source = np.diff(source, prepend=0.0) + 0.003 * rng.standard_normal(len(seconds))  # radiation at the lips, breath
    targets = np.array([VOWELS[name] for name in rng.choice(list(VOWELS), 60)], float)
    syllable = seconds[::hop] * 4.5
    at = np.minimum(syllable.astype(int), 58)
    glide = np.clip((syllable % 1) * 2, 0, 1)[:, None]
    formants = targets[at] * (1 - glide) + targets[at + 1] * glide  # [blocks, 3]
    voiced = _resonated(source, formants, hop)
    open_mouth = np.clip(1.4 * np.sin(np.pi * (seconds * 4.5 % 1)), 0, 1) * (phrase < 0.85)
    hiss = lfilter([1, -1.6, 0.8], [1], rng.standard_normal(len(seconds))) * ((seconds * 4.5 % 2) > 1.85)
    voiced = voiced / np.abs(voiced).max() * open_mouth
    return np.asarray(voiced + 0.03 * hiss * (phrase < 0.85))[:count]


def _resonated(source: np.ndarray, formants: np.ndarray, hop: int) -> np.ndarray:
    """Three resonators one after the other, 80, 90 and 150 Hz wide, at frequencies [blocks, 3]."""
    sound = source
    for column, width in enumerate((80.0, 90.0, 150.0)):
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        state = np.zeros(2)
        out = np.empty_like(sound)
        for block, frequency in enumerate(formants[:, column]):
            poles = [1.0, -2 * radius * np.cos(2 * np.pi * frequency / SAMPLE_RATE), radius**2]
            part = slice(block * hop, (block + 1) * hop)
            out[part], state = lfilter([sum(poles)], poles, sound[part], zi=state)
        sound = out
    return sound
