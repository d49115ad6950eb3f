"""Out-of-domain test signals: silence, noise, a sine and synthetic speech, which the networks were not trained on.

Each is float32 [samples], ten seconds mono at 22,050 Hz with a peak of 1 (but for silence), the same for the same
seed.
"""

from collections.abc import Mapping

import numpy as np
from scipy.signal import lfilter

from ..common.arrays import FloatArray
from ..common.constants import SAMPLE_RATE

SECONDS = 10.0
# First three formants of five vowels of male speakers in Hz (after Peterson & Barney, JASA 1952).
VOWELS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}


def out_of_domain_sounds(*, seed: int = 0) -> Mapping[str, FloatArray]:
    """Synthesise the test signals.

    Parameters
    ----------
    seed
        Of noise and speech.

    Returns
    -------
    mapping of str to numpy.ndarray
        "silence", "white noise", "pink noise", "speech-like" and "sine 440 Hz": float32 [samples].
    """
    rng = np.random.default_rng(seed)
    count = round(SECONDS * SAMPLE_RATE)
    white = rng.standard_normal(count)
    times = np.arange(count) / SAMPLE_RATE
    signals = {
        "white noise": white,
        "pink noise": _pink(rng.standard_normal(count)),
        "speech-like": _speech(rng, count),
        "sine 440 Hz": np.sin(2 * np.pi * 440 * times),
    }
    scaled = {name: (signal / np.abs(signal).max()).astype(np.float32) for name, signal in signals.items()}
    return {"silence": np.zeros(count, np.float32), **scaled}


def _pink(white: np.ndarray) -> np.ndarray:
    """Pink noise from white noise [samples]: power falls by 3 dB per octave above 20 Hz."""
    spectrum = np.fft.rfft(white)
    frequencies = np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 20.0)), len(white)))


def _speech(rng: np.random.Generator, count: int) -> np.ndarray:
    """Speech-like sound: glottal pulses through formants that glide from vowel to vowel, with fricatives and pauses.

    4.5 syllables per second; the pitch falls from 130 to 85 Hz in each phrase of 2.2 s.
    """
    hop = SAMPLE_RATE // 200  # the formants move every 5 ms
    blocks = -(-count // hop)
    seconds = np.arange(blocks * hop) / SAMPLE_RATE
    phrase = (seconds % 2.2) / 2.2
    pitch = 130 - 45 * phrase + 4 * np.sin(2 * np.pi * 2.7 * seconds)
    cycles = np.cumsum(pitch) / SAMPLE_RATE
    pulses = np.diff(np.floor(cycles), prepend=0.0)
    source = lfilter([1.0], [1.0, -1.88, 0.885], pulses)  # -12 dB per octave, as the glottal source
    # lip radiation (a differentiator), and breath noise
    source = np.diff(source, prepend=0.0) + 0.003 * rng.standard_normal(len(seconds))
    targets = np.array([VOWELS[name] for name in rng.choice(list(VOWELS), 60)], float)
    syllable = seconds[::hop] * 4.5
    index = np.minimum(syllable.astype(int), 58)
    glide = np.clip((syllable % 1) * 2, 0, 1)[:, None]
    formants = targets[index] * (1 - glide) + targets[index + 1] * glide  # [blocks, 3]
    voiced = _apply_formants(source, formants, hop)
    envelope = np.clip(1.4 * np.sin(np.pi * (seconds * 4.5 % 1)), 0, 1) * (phrase < 0.85)
    fricatives = lfilter([1, -1.6, 0.8], [1], rng.standard_normal(len(seconds))) * ((seconds * 4.5 % 2) > 1.85)
    voiced = voiced / np.abs(voiced).max() * envelope
    return np.asarray(voiced + 0.03 * fricatives * (phrase < 0.85))[:count]


def _apply_formants(source: np.ndarray, formants: np.ndarray, hop: int) -> np.ndarray:
    """Filter [samples] by three resonators in series, 80, 90 and 150 Hz wide, at frequencies [blocks, 3] in Hz."""
    signal = source
    for column, width in enumerate((80.0, 90.0, 150.0)):
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        state = np.zeros(2)
        out = np.empty_like(signal)
        for block, frequency in enumerate(formants[:, column]):
            poles = [1.0, -2 * radius * np.cos(2 * np.pi * frequency / SAMPLE_RATE), radius**2]
            part = slice(block * hop, (block + 1) * hop)
            out[part], state = lfilter([sum(poles)], poles, signal[part], zi=state)
        signal = out
    return signal
