"""Rule-based chord progressions: tonal stability, modality and dissonance as parameters in 0..1.

Tonal stability decides for each chord whether it belongs to the home key (as a step of a cadence) or to a distant
one, modality whether it is built on the major or the parallel minor scale, dissonance which notes are added to its
triad. Each decision compares a parameter with thresholds drawn beforehand, so its effect is monotone in its parameter
and independent of the other two.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .midi_parts import named_rng

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
# Progressions in scale degrees from 0; all begin near the tonic and close on it or on the way to it.
# Only degrees whose chord is major in major and minor in minor, so that every chord shows the mode.
CADENCES = ((0, 3, 4, 0), (0, 4, 0, 0), (0, 3, 0, 4), (0, 4, 0, 3), (0, 0, 3, 4), (0, 3, 4, 4), (0, 4, 3, 0))
GOLDEN, SILVER = 0.6180339887, 0.4142135624
"""Steps of two additive recurrences (the golden ratio and the square root of two, less one), see `spread`."""
FAR_KEYS = (1, 3, 4, 6, 8, 9, 11)
"""Semitones to distant keys: those more than two steps away on the circle of fifths."""
# Added notes in semitones above the root, in order of roughness; never the third of the other mode.
ADDED_DISSONANCES = ((10,), (11, 2), (11, 6), (1, 6), (1, 6, 11))


@dataclass(frozen=True)
class Chord:
    """A chord of a progression. Pitches are pitch classes, 0 (C) to 11.

    Attributes
    ----------
    start, length
        In beats.
    triad
        Root, third and fifth.
    added_notes
        The added dissonant notes, none to three.
    scale
        The seven notes that a melody may use.
    bass
        The lowest note.
    tonic
        Tonic of the key that the chord belongs to.
    """

    start: float
    length: float
    triad: tuple[int, int, int]
    added_notes: tuple[int, ...]
    scale: tuple[int, ...]
    bass: int
    tonic: int


def plan_chords(
    bars: list[float], *, home_fraction: float, modality: float, dissonance: float, seed: int, beat_s: float = 0.5
) -> list[Chord]:
    """Draw the chord progression of a piece.

    Parameters
    ----------
    bars
        Bar lines in beats, one more than there are bars.
    home_fraction
        Fraction of chords in the home key, 0..1.
    modality
        0 is all major, 1 all minor.
    dissonance
        0 is pure triads, 1 the roughest added notes.
    seed
        Seed of the piece.
    beat_s
        Nominal length of a beat in seconds. Long bars hold two chords, so that key and mode show within ten seconds.

    Returns
    -------
    list of Chord
        One or two for each bar, in order.
    """
    rng = named_rng(seed, "harmony")
    home, shift = int(rng.integers(12)), 0
    bar_s = beat_s * (bars[1] - bars[0])
    per_bar = int(rng.choice([1, 1, 2]) if 1.2 < bar_s < 2.2 else 1 + (bar_s > 2.0))
    pedal = rng.random() < 0.25 and home_fraction > 0.6
    cadence = CADENCES[rng.integers(len(CADENCES))]
    modal_mixture = 0.5 if rng.random() < 0.25 else 0.0
    # Evenly spread thresholds: a parameter at 0.5 changes half of any few chords, whatever the seed.
    count = per_bar * (len(bars) - 1)
    home_at, minor_at = low_discrepancy(rng, count, GOLDEN), low_discrepancy(rng, count, SILVER)
    key_steps, invert = rng.choice(FAR_KEYS, count), rng.random(count)
    dominant_major = rng.random() < 0.6
    chords: list[Chord] = []
    for index, (line, next_line) in enumerate(pairwise(bars)):
        for half in range(per_bar):
            k = index * per_bar + half
            length = (next_line - line) / per_bar
            is_home = home_at[k] < home_fraction
            if is_home:
                shift, degree = 0, cadence[k % len(cadence)]
            else:
                shift, degree = (shift + int(key_steps[k])) % 12 or 6, 0
            tonic = (home + shift) % 12
            scale = _scale(modality, minor_at[k], modal_mixture)
            # A dominant in minor may be major: with the leading note.
            steps = (*scale[:6], 11) if degree == 4 and dominant_major and scale[2] == 3 else scale
            root, third, fifth = ((tonic + steps[(degree + offset) % 7]) % 12 for offset in (0, 2, 4))
            triad = (root, third, fifth)
            bass = triad[0]
            if is_home and pedal:
                bass = home
            elif invert[k] > 0.35 + 0.65 * home_fraction:
                bass = triad[1 + k % 2]
            chords.append(
                Chord(
                    line + half * length, length, triad, added_dissonances(triad, dissonance),
                    tuple((tonic + step) % 12 for step in steps), bass, tonic,
                )
            )  # fmt: skip
    return chords


def in_key_fraction(tonal_stability: float) -> float:
    """Convert tonal stability to the fraction of chords in the home key.

    Tonal stability 0..1 is the fraction of chord *changes* that keep to the key. A change keeps to the key when both
    of its chords are in it; for independent chords that is the square of the fraction of chords, hence the square
    root.
    """
    return float(np.sqrt(tonal_stability))


def chord_at(chords: list[Chord], beat: float) -> Chord:
    """Return the chord at a position in beats (the last one after the end)."""
    for chord in reversed(chords):
        if chord.start <= beat + 1e-6:
            return chord
    return chords[0]


def low_discrepancy(rng: np.random.Generator, count: int, step: float = GOLDEN) -> np.ndarray:
    """Draw a low-discrepancy sequence: thresholds in 0..1 of which any few in a row are evenly spread.

    Parameters
    ----------
    rng
        Draws the start.
    count
        Number of thresholds.
    step
        Increment of the additive recurrence; irrational.

    Returns
    -------
    numpy.ndarray
        Shape [count].
    """
    thresholds: np.ndarray = (rng.random() + step * np.arange(count)) % 1.0
    return thresholds


def _scale(modality: float, threshold: float, modal_mixture: float) -> tuple[int, ...]:
    """The scale of one chord in semitones: minor if modality is above the chord's threshold.

    With `modal_mixture` (0..1) the change goes through the church modes: the seventh is lowered so much before the
    third, and the sixth so much after it. These thresholds, too, differ from chord to chord: with one for all chords,
    five settings of modality gave only three or four different pieces.
    """
    lowered_at = {
        2: threshold,
        6: (1 - modal_mixture) * threshold,
        5: modal_mixture + (1 - modal_mixture) * threshold,
    }
    return tuple(MINOR[i] if i in lowered_at and modality > lowered_at[i] else MAJOR[i] for i in range(7))


def added_dissonances(triad: tuple[int, ...], dissonance: float) -> tuple[int, ...]:
    """Return the dissonant pitch classes to add to a triad: none to three, rougher as `dissonance` (0..1) rises."""
    stage = min(int(dissonance * 5 + 0.35), len(ADDED_DISSONANCES))
    return tuple((triad[0] + interval) % 12 for interval in ADDED_DISSONANCES[stage - 1]) if stage else ()
