"""A passage of a score with modality and tonal stability turned: its notes and its chords on the bars of a piece.

The passage is cut into cells of one to three seconds. Each cell is carried into minor or major as modality says
(scale steps 3, 6 and 7 are exchanged) and into the one key of the passage, or into a far one where tonal stability
says so. Both compare a knob with thresholds that are spread evenly over the cells, as in harmony.py. The higher
tonal stability, the more of the score's own accidentals are taken back; the lower, the more notes of its tune that
are not on a bar's first beat leave the scale, as in melody.py.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from ..composition.harmony import FAR_KEYS, MAJOR, MINOR, SILVER, Chord, added_dissonances, low_discrepancy
from ..composition.melody import CHROMATIC_THRESHOLD, MelodyNote
from ..composition.midi_parts import named_rng
from ..composition.timing import Timing
from .corpus import Score

TO_MINOR: Final = {4: 3, 9: 8, 11: 10}
TO_MAJOR: Final = {3: 4, 8: 9, 10: 11}
STEPS: Final = ((0, 2, 4), (3, 5, 0), (4, 6, 1))
"""The chords on the first, fourth and fifth step: what a tune without other voices is harmonised with."""


@dataclass(frozen=True)
class KeySegment:
    """A stretch of the piece in beats; semitones it is moved by; its key there and that of the score."""

    start: float
    end: float
    moved: int
    tonic: int
    minor: bool
    written_tonic: int
    written_minor: bool


class Passage:
    """`score` from bar `first` on (and round again) on the bars of `timing`, moved by `transposed` semitones."""

    def __init__(
        self,
        score: Score,
        timing: Timing,
        *,
        first: int,
        transposed: int,
        at_home: float,
        modality: float,
        seed: int,
    ) -> None:
        self._score, self._timing, self._first = score, timing, first
        self._at_home, self._seed = at_home, seed
        rng = named_rng(seed, "cells")
        self._keeps_leading: bool = rng.random() < 0.6
        lines = timing.bars
        bar_s = timing.beat_s * score.meter
        cuts = lines[:: 2 if bar_s < 1.1 else 1]
        if bar_s > 2.0:
            cuts = sorted({*cuts, *(round((a + b) / 2) + 0.0 for a, b in pairwise(lines))})
        count = len(cuts)
        stay, turn, walk = (
            low_discrepancy(rng, count),
            low_discrepancy(rng, count, SILVER),
            rng.choice(FAR_KEYS, count),
        )
        self.cells: list[KeySegment] = []
        home, shift = score.tonics[first % len(score.tonics)], 0
        for k, (start, end) in enumerate(pairwise(cuts)):
            bar = int(np.searchsorted(lines, start + 1e-6)) - 1
            written = (first + bar) % len(score.tonics)
            shift = 0 if stay[k] < at_home else (shift + int(walk[k])) % 12 or 6
            key = score.tonics[written]
            away = (home - key + shift) % 12
            moved = transposed + (away if away <= 6 else away - 12)
            self.cells.append(
                KeySegment(start, end, moved, (key + moved) % 12, bool(turn[k] < modality), key, score.minor[written])
            )

    def cell(self, beat: float) -> KeySegment:
        """The cell that a beat lies in."""
        starts = [cell.start for cell in self.cells]
        return self.cells[max(int(np.searchsorted(starts, beat + 1e-6)) - 1, 0)]

    def voice(self, index: int) -> list[MelodyNote]:
        """The notes of a voice in beats of the piece, in their new keys and modes."""
        bars: list[list[tuple[float, float, int]]] = [[] for _ in self._score.tonics]
        for bar, place, length, pitch in self._score.voices[index]:
            bars[bar].append((place, length, pitch))
        placed = []
        for k, (line, following) in enumerate(pairwise(self._timing.bars)):
            if self._timing.seconds(line) > self._timing.length_s:
                break
            for place, length, pitch in bars[(self._first + k) % len(bars)]:
                if line + place < following - 0.05:
                    placed.append((line + place, length, pitch, place))
        rng, count = named_rng(self._seed, f"accidentals {index}"), len(placed)
        back, bend, bends = (
            low_discrepancy(rng, count),
            low_discrepancy(rng, count, SILVER),
            rng.choice((-1, 1), count),
        )
        tones = []
        for k, (start, length, pitch, place) in enumerate(placed):
            cell, strong = self.cell(start), place < 0.05
            following = placed[k + 1][2] if k + 1 < len(placed) else pitch
            turned = self._turned(pitch, cell, leading=following - pitch == 1)
            if back[k] < self._at_home and not _in_scale(turned, cell):
                turned += -1 if following > pitch else 1  # a raised note rises, a lowered one falls
            if (
                index == 0
                and not strong
                and bend[k] > CHROMATIC_THRESHOLD + (1 - CHROMATIC_THRESHOLD) * self._at_home
            ):
                turned += int(bends[k])
            tones.append(MelodyNote(start, length, turned + cell.moved, 5.0 if strong else 0.0))
        return tones

    def _turned(self, pitch: int, cell: KeySegment, *, leading: bool) -> int:
        """Exchange the steps that differ between the modes; a leading note may stay one in minor."""
        step = (pitch - cell.written_tonic) % 12
        if cell.minor:
            if step == 11 and (cell.written_minor or (leading and self._keeps_leading)):
                return pitch
            if step == 9 and cell.written_minor:
                return pitch
            return pitch + TO_MINOR.get(step, step) - step
        return pitch + TO_MAJOR.get(step, step) - step

    def chords(self, voices: list[list[MelodyNote]], dissonance: float) -> list[Chord]:
        """A chord for each cell: the triad that fits what sounds there best, with what rubs against it."""
        chords = []
        for cell in self.cells:
            weights = np.zeros(12)
            for tone in (tone for voice in voices for tone in voice):
                shared = min(tone.start + tone.length, cell.end) - max(tone.start, cell.start)
                weights[tone.pitch % 12] += max(shared, 0.0)
            scale = tuple((cell.tonic + step) % 12 for step in (MINOR if cell.minor else MAJOR))
            triads = [(scale[one], scale[two], scale[three]) for one, two, three in STEPS]
            triad = max(triads, key=lambda triad: sum(weights[k] for k in triad) + 0.1 * weights[triad[0]])
            chords.append(
                Chord(
                    cell.start,
                    cell.end - cell.start,
                    triad,
                    added_dissonances(triad, dissonance),
                    scale,
                    triad[0],
                    cell.tonic,
                )
            )
        return chords


def _in_scale(pitch: int, cell: KeySegment) -> bool:
    """Whether a turned pitch, before it is moved, is in the cell's scale; in minor, with both sixths and sevenths."""
    step = (pitch - cell.written_tonic) % 12
    return step in MINOR or step in (9, 11) if cell.minor else step in MAJOR
