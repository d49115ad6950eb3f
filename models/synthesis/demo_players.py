"""The parts of the demo track: tempo map, humanised playing, and smooth voice leading of the chords."""

import itertools
from collections.abc import Sequence

import numpy as np

from ..composition.midi_parts import Part, named_rng
from .demo_score import Bar, Line

BEAT_S = 60 / 108
BEATS = 75


class DemoPlayers:
    """The parts of the demo track and their tempo map; a fixed seed makes every rendering the same.

    Attributes
    ----------
    parts : dict of str to Part
        By name of the instrument.
    seconds : float
        Length of the piece.
    """

    def __init__(self) -> None:
        self._rng = named_rng(1, "demo")
        beats = np.full(BEATS + 8, BEAT_S)
        beats[[11, 23, 59]] *= 1.10  # a breath at the end of a phrase
        beats[22:24] *= 1.12
        beats[66:] *= np.minimum(1.0 + 0.06 * np.arange(1, BEATS + 8 - 65), 1.35)  # the closing ritardando
        self._times = np.concatenate([[0.15], 0.15 + np.cumsum(beats)])
        self.seconds = self.time(BEATS) + 2.0
        self.parts = {
            name: Part(program, volume=volume, pan=pan, reverb=reverb, drums=drums)
            for name, (program, volume, pan, reverb, drums) in PLAYERS.items()
        }

    def time(self, beat: float) -> float:
        """Return the time of a position (in beats) in seconds."""
        return float(np.interp(beat, np.arange(len(self._times)), self._times))

    def play(self, name: str, beat: float, beats: float, pitch: int, velocity: float, gate: float = 1.0) -> None:
        """Add a note, humanised by 6 ms and 2.5 velocity steps (standard deviations).

        Parameters
        ----------
        name
            Name of the instrument.
        beat, beats
            Onset and length in beats.
        pitch
            MIDI number.
        velocity
            1..127.
        gate
            Sounding fraction of the length.
        """
        start = max(self.time(beat) + float(self._rng.normal(0, 0.006)), 0.0)
        length = (self.time(beat + beats) - self.time(beat)) * gate
        self.parts[name].add(start, length, pitch, velocity + float(self._rng.normal(0, 2.5)))

    def line(self, name: str, beat: float, notes: Line, velocity: float, *, gate: float = 1.02, up: int = 0) -> None:
        """Add a melody, its higher notes a little louder, as in singing.

        Parameters
        ----------
        name
            Name of the instrument.
        beat
            Onset of the first note in beats.
        notes
            Lengths in beats and MIDI numbers; a number of 0 is a rest.
        velocity
            1..127.
        gate
            Sounding fraction of each note's length.
        up
            Transposition in semitones.
        """
        for length, pitch in notes:
            if pitch:
                self.play(name, beat, length, pitch + up, velocity + 0.7 * (pitch - 74) * (pitch > 66), gate)
            beat += length

    def swell(self, name: str, start: float, end: float, low: int, high: int) -> None:
        """Add a swell: MIDI expression that rises to the middle of a phrase and falls again.

        Parameters
        ----------
        name
            Name of the instrument.
        start, end
            The phrase in beats.
        low, high
            Expression at its ends and in its middle, 0..127.
        """
        for beat in np.arange(start, end, 0.25):
            arch = np.sin(np.pi * (beat - start) / (end - start))
            self.parts[name].swells.append((self.time(float(beat)), round(low + (high - low) * float(arch))))


PLAYERS = {  # program, volume, pan, reverb, drums
    "piano": (0, 122, 58, 50, False), "flute": (73, 112, 52, 70, False), "violins": (48, 110, 44, 70, False),
    "solo": (40, 108, 50, 75, False), "strings": (49, 86, 74, 75, False), "cello": (42, 104, 82, 65, False),
    "bass": (43, 84, 80, 50, False), "harp": (46, 122, 36, 75, False), "choir": (52, 76, 64, 90, False),
    "horn": (60, 104, 46, 80, False), "trumpet": (56, 84, 72, 75, False), "spiccato": (48, 110, 54, 45, False),
    "pizzicato": (45, 90, 76, 55, False), "timpani": (47, 86, 64, 70, False), "bells": (9, 72, 40, 85, False),
    "kit": (48, 72, 64, 70, True),
}  # fmt: skip


def voice_lead(bars: Sequence[Bar], start: Sequence[int]) -> list[list[int]]:
    """Voice a chord progression so that each voice moves as little as possible and every triad is complete.

    Parameters
    ----------
    bars
        The chords.
    start
        MIDI numbers from which the voices move to the first chord.

    Returns
    -------
    list of list of int
        MIDI numbers of each chord, ascending, within 52..76.
    """
    voices, chords = list(start), []
    for bar in bars:
        options = [[p for p in range(v - 5, v + 6) if p % 12 in bar.tones and 52 <= p <= 76] for v in voices]
        best = min(
            (choice for choice in itertools.product(*options) if len(set(choice)) == len(choice)),
            key=lambda choice: (
                sum(abs(p - v) for p, v in zip(choice, voices, strict=True))
                + 6 * (len({*bar.tones[:3]} - {p % 12 for p in choice}))
            ),
        )
        voices = sorted(best)
        chords.append(voices)
    return chords
