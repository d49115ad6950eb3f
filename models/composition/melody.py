"""A foreground line with melodiousness as a knob: from a sung, stepwise, phrased melody to scattered notes.

Singable here means what it means in singing lessons: small intervals, a range of about a tenth, a motif that
comes back, phrases of some bars with a long last note and a breath, chord notes on the strong beats.
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
CHROMATIC_THRESHOLD = 0.55
"""At no tonal stability, notes whose threshold is beyond this one are bent out of the scale."""
LEAPS = (-19, -14, -11, -8, 8, 11, 14, 19)


@dataclass(frozen=True)
class MelodyNote:
    """A note of a melody in beats; `strength` is added to its velocity."""

    start: float
    length: float
    pitch: int
    strength: float


def melody_prominence(melodiousness: float) -> float:
    """How far the tune stands in front of the rest, 0..1, for a knob whose quarters are heard as steps more alike.

    Where the one was the other, the quarters were .03, .10, .26 and .15 of the scale to a network that had learned
    from such pieces: a tune that is nearly gone sounds like none.
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
    """A line over all bars around the pitch `centre`; knobs 0..1.

    The lower `melodiousness`, the more notes leave their step for a leap of more than an octave's half.
    `complexity` syncopates the rhythm, low `tonal_stability` puts chromatic notes between the others.
    """
    rng = named_rng(seed, "melody")
    motif = [RHYTHMS[i] for i in rng.choice(len(RHYTHMS), 2)]
    slow = float(rng.choice([1.0, 1.0, 2.0]))
    phrase_bars = int(rng.choice([2, 2, 4]))
    moves = rng.choice(STEPS, (2, 16))
    size = 64
    leap_at, bend_at = (rng.permutation(size) + 0.5) / size, (rng.permutation(size) + 0.5) / size
    late, shift = (rng.permutation(size) + 0.5) / size, rng.choice(SHIFTS[:4], size)
    leaps, bends = rng.choice(LEAPS, size), rng.choice([-1, 1], size)
    tones: list[MelodyNote] = []
    here, count = centre, 0
    for index in range(0, len(bars) - 1, int(slow)):
        start, end = bars[index], bars[min(index + int(slow), len(bars) - 1)]
        which = (index // int(slow)) % 2
        last = (index // int(slow)) % phrase_bars == phrase_bars - 1
        place = start
        for k, length in enumerate(motif[which]):
            length *= slow
            if place >= end - 0.2:
                break
            closing = last and (k == len(motif[which]) - 1 or place + length >= end - 0.2)
            length = min(length, end - place)
            chord, slot = chord_at(chords, place), count % size
            strong = k == 0 or closing
            here = nearest_pitch(here + int(moves[which][k]) * 2, chord.triad if strong else chord.scale, here)
            here = _homeward(here, centre, chord.scale)
            pitch = here
            if not strong and bend_at[slot] > CHROMATIC_THRESHOLD + (1 - CHROMATIC_THRESHOLD) * tonal_stability:
                pitch += int(bends[slot])
            if leap_at[slot] > melodiousness + 0.05:
                pitch = nearest_pitch(centre + int(leaps[slot]), chord.triad if strong else chord.scale)
            moved = float(shift[slot]) if late[slot] < complexity and length >= 0.75 else 0.0
            sounding = length * 0.75 if closing else length
            tones.append(
                MelodyNote(max(place + moved, 0.0), max(sounding - max(moved, 0.0), 0.2), pitch, 6.0 * strong)
            )
            place += length
            count += 1
    return sorted(tones, key=lambda tone: tone.start)


def nearest_pitch(target: float, allowed: tuple[int, ...], previous: int | None = None) -> int:
    """The pitch nearest to `target` whose pitch class is allowed, rather not the previous one."""
    middle = round(target)
    candidates = [pitch for pitch in range(middle - 7, middle + 8) if pitch % 12 in allowed]
    return min(candidates, key=lambda pitch: abs(pitch - target) + (0.9 if pitch == previous else 0.0))


def _homeward(pitch: int, centre: int, scale: tuple[int, ...]) -> int:
    """Keep a walk within a tenth: beyond it, turn back to the scale's note at the edge."""
    if abs(pitch - centre) <= 9:
        return pitch
    return nearest_pitch(centre + int(np.sign(pitch - centre)) * 6, scale)
