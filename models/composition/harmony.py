"""Chords by rule: tonal stability, modality and dissonance as knobs on one plan of chords.

Tonal stability decides for each chord whether it stays in the one key (as a step of a cadence) or leaves for
a far one; modality whether it takes its notes from major or from the parallel minor; dissonance which notes
rub against its triad. The three decisions compare a knob with thresholds drawn beforehand, so each is
monotone in its knob and none disturbs the others.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .midi_parts import named_rng

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
# Progressions in scale degrees from 0; all begin near the tonic and close on it or on the way to it.
# Only steps whose chord is major in major and minor in minor, so that the mode is heard in every chord.
CADENCES = ((0, 3, 4, 0), (0, 4, 0, 0), (0, 3, 0, 4), (0, 4, 0, 3), (0, 0, 3, 4), (0, 3, 4, 4), (0, 4, 3, 0))
GOLDEN, SILVER = 0.6180339887, 0.4142135624
FAR_KEYS = (1, 3, 4, 6, 8, 9, 11)
# What rubs, in semitones above the root, by rising roughness; never the third of the other mode.
ADDED_DISSONANCES = ((10,), (11, 2), (11, 6), (1, 6), (1, 6, 11))


@dataclass(frozen=True)
class Chord:
    """A chord over `length` beats from `start`; pitches are pitch classes 0..11.

    `triad` is root, third, fifth; `rubs` the added dissonant notes; `scale` the seven notes melodies move in;
    `bass` the lowest note; `tonic` the key it belongs to.
    """

    start: float
    length: float
    triad: tuple[int, int, int]
    rubs: tuple[int, ...]
    scale: tuple[int, ...]
    bass: int
    tonic: int


def plan_chords(
    bars: list[float], *, at_home: float, modality: float, dissonance: float, seed: int, beat_s: float = 0.5
) -> list[Chord]:
    """Chords over bars given by the beats of their bar lines (one more than there are bars). Knobs 0..1;
    at_home is the share of chords that keep to the one key, see share_at_home.

    A slow bar (`beat_s` seconds a beat) holds two chords, so that keys and modes can be told in ten seconds.
    """
    rng = named_rng(seed, "harmony")
    home, shift = int(rng.integers(12)), 0
    bar_s = beat_s * (bars[1] - bars[0])
    per_bar = int(rng.choice([1, 1, 2]) if 1.2 < bar_s < 2.2 else 1 + (bar_s > 2.0))
    pedal = rng.random() < 0.25 and at_home > 0.6
    cadence = CADENCES[rng.integers(len(CADENCES))]
    early = 0.5 if rng.random() < 0.25 else 0.0
    # Thresholds spread evenly over every few chords: a knob at 0.5 turns half of them, whatever the seed.
    count = per_bar * (len(bars) - 1)
    stay, turn = low_discrepancy(rng, count, GOLDEN), low_discrepancy(rng, count, SILVER)
    walk, invert = rng.choice(FAR_KEYS, count), rng.random(count)
    dominant_major = rng.random() < 0.6
    chords: list[Chord] = []
    for index, (line, following) in enumerate(pairwise(bars)):
        for half in range(per_bar):
            k = index * per_bar + half
            length = (following - line) / per_bar
            stays = stay[k] < at_home
            if stays:
                shift, degree = 0, cadence[k % len(cadence)]
            else:
                shift, degree = (shift + int(walk[k])) % 12 or 6, 0
            tonic = (home + shift) % 12
            scale = _scale(modality, turn[k], early)
            lead = (*scale[:6], 11) if degree == 4 and dominant_major and scale[2] == 3 else scale
            root, third, fifth = ((tonic + lead[(degree + offset) % 7]) % 12 for offset in (0, 2, 4))
            triad = (root, third, fifth)
            bass = triad[0]
            if stays and pedal:
                bass = home
            elif invert[k] > 0.35 + 0.65 * at_home:
                bass = triad[1 + k % 2]
            chords.append(
                Chord(
                    line + half * length, length, triad, added_dissonances(triad, dissonance),
                    tuple((tonic + step) % 12 for step in lead), bass, tonic,
                )
            )  # fmt: skip
    return chords


def in_key_fraction(tonal_stability: float) -> float:
    """How many of the chords keep to the one key, so that about `tonal_stability` of the steps between them do.

    A step stays where both of its chords do. Chords at home are spread evenly, so were they as many as the knob says,
    hardly a step would stay before half of them are.
    """
    return float(np.sqrt(tonal_stability))


def chord_at(chords: list[Chord], beat: float) -> Chord:
    """The chord that sounds at a beat (the last one after the end)."""
    for chord in reversed(chords):
        if chord.start <= beat + 1e-6:
            return chord
    return chords[0]


def low_discrepancy(rng: np.random.Generator, count: int, step: float = GOLDEN) -> np.ndarray:
    """Thresholds in 0..1 of which any few in a row are spread evenly: an additive recurrence from a random start."""
    thresholds: np.ndarray = (rng.random() + step * np.arange(count)) % 1.0
    return thresholds


def _scale(modality: float, threshold: float, early: float) -> tuple[int, ...]:
    """The scale of one chord: minor above its threshold, in some pieces by way of the modes: the seventh is lowered
    `early` (0..1) of the way before the third, and the sixth as much after it.

    Each chord has its own threshold there too. With one for all chords a piece was all major below it and all minor
    above, and five settings of the knob were three or four pieces.
    """
    falls = {2: threshold, 6: (1 - early) * threshold, 5: early + (1 - early) * threshold}
    return tuple(MINOR[i] if i in falls and modality > falls[i] else MAJOR[i] for i in range(7))


def added_dissonances(triad: tuple[int, ...], dissonance: float) -> tuple[int, ...]:
    """The pitch classes that rub against a triad: none to three, rougher and rougher."""
    stage = min(int(dissonance * 5 + 0.35), len(ADDED_DISSONANCES))
    return tuple((triad[0] + interval) % 12 for interval in ADDED_DISSONANCES[stage - 1]) if stage else ()
