"""The score of the demo track as data: a waltz of film-music character in three sections.

D major, lyrical, over a falling bass; D minor, staccato, in driving six-eight; the first theme again, full ensemble,
with a closing ritardando. Lengths are in beats (quarter notes), three per bar; a pitch of 0 is a rest.
"""

from dataclasses import dataclass

Line = tuple[tuple[float, int], ...]
"""A melody: length in beats and MIDI number of each note."""


@dataclass(frozen=True)
class Bar:
    """A chord.

    Attributes
    ----------
    beats
        Length in beats.
    bass
        MIDI number of the bass note.
    tones
        Pitch classes above it; the first three are the triad.
    """

    beats: float
    bass: int
    tones: tuple[int, ...]


D, EB, E, F, FS, G, A, BB, B, C, CS = 2, 3, 4, 5, 6, 7, 9, 10, 11, 0, 1

LYRICAL_BARS = (
    Bar(3, 38, (D, FS, A)), Bar(3, 37, (A, CS, E)), Bar(3, 35, (B, D, FS)), Bar(3, 33, (FS, A, CS)),
    Bar(3, 31, (G, B, D)), Bar(3, 30, (D, FS, A)), Bar(3, 28, (E, G, B, D)), Bar(3, 33, (A, CS, E, G)),
)  # fmt: skip
DRIVING_BARS = (
    Bar(3, 38, (D, F, A)), Bar(3, 38, (D, F, A)), Bar(3, 34, (BB, D, F)), Bar(3, 36, (C, E, G)),
    Bar(3, 31, (G, BB, D)), Bar(3, 29, (F, A, D)), Bar(3, 28, (E, G, BB, D)), Bar(3, 33, (A, CS, E, G)),
)  # fmt: skip
CLOSING_BARS = (
    *LYRICAL_BARS[:6], Bar(1.5, 31, (G, B, D, E)), Bar(1.5, 33, (A, CS, E, G)), Bar(3, 38, (D, FS, A)),
    Bar(3, 26, (D, FS, A)),
)  # fmt: skip

LYRICAL_THEME: Line = (
    (2, 78), (1, 79), (1.5, 76), (0.5, 74), (1, 73), (2, 74), (1, 76), (2.5, 73), (0.5, 0),
    (1, 71), (1, 74), (1, 79), (2, 78), (1, 74), (1.5, 76), (0.5, 78), (1, 79), (2, 76), (1, 0),
)  # fmt: skip
DRIVING_THEME: Line = (
    (1.5, 62), (1.5, 65), (0.5, 64), (0.5, 62), (0.5, 60), (1.5, 62), (1.5, 58), (1.5, 65), (0.5, 64), (0.5, 65),
    (0.5, 67), (1.5, 64), (1.5, 67), (0.5, 65), (0.5, 64), (0.5, 62), (1.5, 65), (1.5, 69), (0.5, 67), (0.5, 65),
    (0.5, 64), (1.5, 70), (2.5, 69), (0.5, 0),
)  # fmt: skip
CLOSING_THEME: Line = (
    (2, 78), (1, 79), (1.5, 76), (0.5, 74), (1, 73), (2, 74), (1, 76), (2.5, 73), (0.5, 0),
    (1, 71), (1, 74), (1, 79), (1.5, 81), (0.5, 79), (1, 78), (1.5, 79), (1, 76), (0.5, 73), (6, 74),
)  # fmt: skip
COUNTER_THEME: Line = (
    (3, 57), (2, 57), (1, 55), (3, 54), (1, 54), (1, 57), (1, 61), (2, 62), (1, 59), (3, 57), (1.5, 59), (1.5, 61),
    (1, 62), (1, 61), (1, 59), (3, 57),
)  # fmt: skip
