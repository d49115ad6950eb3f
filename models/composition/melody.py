"""Rule-based melodies: melodiousness as a parameter, from a singable, stepwise, phrased line to scattered notes.

Singable means small intervals, a range of about a tenth, a motif that returns, phrases of two or four bars with a
long last note and a breath, and chord notes on the strong beats.
"""

from dataclasses import dataclass

import numpy as np

from .harmony import Chord, chord_at
from .midi_parts import named_rng
from .timing import SHIFTS

# Rhythms of one bar of four beats, as note lengths; other meters take as much as fits.
RHYTHMS = (
    (1.0, 1.0, 2.0), (2.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0), (2.0, 2.0), (1.5, 0.5, 2.0), (1.0, 0.5, 0.5, 2.0),
    (1.5, 0.5, 1.0, 1.0), (3.0, 1.0), (0.5, 0.5, 1.0, 1.0, 1.0), (1.0, 0.5, 0.5, 1.0, 1.0),
)  # fmt: skip
STEPS = (-2, -1, -1, -1, 1, 1, 1, 2)
"""Intervals of a melodious line, in scale steps."""
CHROMATIC_THRESHOLD = 0.55
"""Notes whose threshold is above this one are altered chromatically when tonal stability is 0."""
LEAPS = (-19, -14, -11, -8, 8, 11, 14, 19)
"""Intervals of an unmelodious line from the centre of its range, in semitones."""


@dataclass(frozen=True)
class MelodyNote:
    """A note of a melody.

    Attributes
    ----------
    start, length
        In beats.
    pitch
        MIDI number.
    strength
        Accent, added to the velocity.
    """

    start: float
    length: float
    pitch: int
    strength: float


def melody_prominence(melodiousness: float) -> float:
    """Convert melodiousness to the prominence of the melody against the accompaniment, both 0..1.

    The exponent makes the quarters of the scale perceptually more alike. With prominence equal to melodiousness, a
    network trained on such pieces predicted .03, .10, .26 and .15 of the scale for the four quarters: a melody that
    is almost inaudible counts as none.
    """
    return float(melodiousness**0.7)


def compose_melody(
    bars: list[float],
    chords: list[Chord],
    *,
    melodiousness: float,
    complexity: float,
    tonal_stability: float,
    centre: int,
    seed: int,
) -> list[MelodyNote]:
    """Compose a melody over a chord progression.

    Parameters
    ----------
    bars
        Bar lines in beats.
    chords
        The progression.
    melodiousness
        0..1; the lower, the more notes leave the line by a leap of more than half an octave.
    complexity
        Rhythmic complexity, 0..1; syncopates notes.
    tonal_stability
        0..1; the lower, the more notes off the strong beats are altered chromatically.
    centre
        MIDI number of the middle of the range.
    seed
        Seed of the piece.

    Returns
    -------
    list of MelodyNote
        By onset.
    """
    rng = named_rng(seed, "melody")
    motifs = [RHYTHMS[i] for i in rng.choice(len(RHYTHMS), 2)]
    augmentation = float(rng.choice([1.0, 1.0, 2.0]))
    phrase_bars = int(rng.choice([2, 2, 4]))
    intervals = rng.choice(STEPS, (2, 16))
    size = 64
    leap_at, alter_at = (rng.permutation(size) + 0.5) / size, (rng.permutation(size) + 0.5) / size
    shift_at, shifts = (rng.permutation(size) + 0.5) / size, rng.choice(SHIFTS[:4], size)
    leaps, alterations = rng.choice(LEAPS, size), rng.choice([-1, 1], size)
    tones: list[MelodyNote] = []
    line_pitch, count = centre, 0
    for index in range(0, len(bars) - 1, int(augmentation)):
        start, end = bars[index], bars[min(index + int(augmentation), len(bars) - 1)]
        motif = (index // int(augmentation)) % 2
        is_last_bar = (index // int(augmentation)) % phrase_bars == phrase_bars - 1
        beat = start
        for k, length in enumerate(motifs[motif]):
            length *= augmentation
            if beat >= end - 0.2:
                break
            closing = is_last_bar and (k == len(motifs[motif]) - 1 or beat + length >= end - 0.2)
            length = min(length, end - beat)
            chord, slot = chord_at(chords, beat), count % size
            strong = k == 0 or closing
            line_pitch = nearest_pitch(
                line_pitch + int(intervals[motif][k]) * 2, chord.triad if strong else chord.scale, line_pitch
            )
            line_pitch = _limit_range(line_pitch, centre, chord.scale)
            pitch = line_pitch
            if not strong and alter_at[slot] > CHROMATIC_THRESHOLD + (1 - CHROMATIC_THRESHOLD) * tonal_stability:
                pitch += int(alterations[slot])
            if leap_at[slot] > melodiousness + 0.05:
                pitch = nearest_pitch(centre + int(leaps[slot]), chord.triad if strong else chord.scale)
            shift = float(shifts[slot]) if shift_at[slot] < complexity and length >= 0.75 else 0.0
            sounding = length * 0.75 if closing else length
            tones.append(
                MelodyNote(max(beat + shift, 0.0), max(sounding - max(shift, 0.0), 0.2), pitch, 6.0 * strong)
            )
            beat += length
            count += 1
    return sorted(tones, key=lambda tone: tone.start)


def nearest_pitch(target: float, allowed: tuple[int, ...], previous: int | None = None) -> int:
    """Return the pitch nearest to a target among some pitch classes.

    Parameters
    ----------
    target
        MIDI number, not necessarily whole.
    allowed
        Pitch classes, 0..11.
    previous
        A MIDI number that is avoided unless it is nearer by 0.9 semitones.

    Returns
    -------
    int
        MIDI number.
    """
    middle = round(target)
    candidates = [pitch for pitch in range(middle - 7, middle + 8) if pitch % 12 in allowed]
    return min(candidates, key=lambda pitch: abs(pitch - target) + (0.9 if pitch == previous else 0.0))


def _limit_range(pitch: int, centre: int, scale: tuple[int, ...]) -> int:
    """Keep a line within nine semitones of its centre: a pitch beyond them returns to about six."""
    if abs(pitch - centre) <= 9:
        return pitch
    return nearest_pitch(centre + int(np.sign(pitch - centre)) * 6, scale)
