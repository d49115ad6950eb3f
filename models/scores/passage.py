"""A passage of a score, transposed and changed in mode: modality and tonal stability as parameters in 0..1.

The passage is cut into segments of one to three seconds. Each segment is converted to major or minor as modality
requires (scale degrees 3, 6 and 7 are exchanged), and transposed to the home key of the passage or, as tonal
stability requires, to a distant one. Both parameters are compared with thresholds that are evenly spread over the
segments, as in `harmony.py`. The higher tonal stability, the more of the score's own accidentals are removed; the
lower, the more melody notes off the first beats are altered chromatically, as in `melody.py`.
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
"""Semitones above the tonic: degrees 3, 6 and 7 of major, and those of minor."""
TO_MAJOR: Final = {3: 4, 8: 9, 10: 11}
TRIAD_DEGREES: Final = ((0, 2, 4), (3, 5, 0), (4, 6, 1))
"""The triads on degrees 1, 4 and 5, in scale degrees from 0: the chords that harmonise a passage."""


@dataclass(frozen=True)
class KeySegment:
    """A segment of a passage in one key and mode.

    Attributes
    ----------
    start, end
        In beats of the piece.
    transposition
        Transposition in semitones.
    tonic, minor
        The key in the piece: pitch class 0..11, and whether it is minor.
    written_tonic, written_minor
        The key in the score.
    """

    start: float
    end: float
    transposition: int
    tonic: int
    minor: bool
    written_tonic: int
    written_minor: bool


class Passage:
    """The bars of a score from `first` on (continued from its beginning) on the bars of a piece.

    Parameters
    ----------
    score
        The score.
    timing
        Bars of the piece.
    first
        Index of the first bar.
    transposition
        Transposition of the home key in semitones.
    home_fraction
        Fraction of segments in the home key, 0..1.
    modality
        Fraction of segments in minor, 0..1.
    seed
        Seed of the piece.

    Attributes
    ----------
    segments : list of KeySegment
        The segments in order, without gaps.
    """

    def __init__(
        self,
        score: Score,
        timing: Timing,
        *,
        first: int,
        transposition: int,
        home_fraction: float,
        modality: float,
        seed: int,
    ) -> None:
        self._score, self._timing, self._first = score, timing, first
        self._home_fraction, self._seed = home_fraction, seed
        rng = named_rng(seed, "cells")
        self._keeps_leading_notes: bool = rng.random() < 0.6
        bars = timing.bars
        bar_s = timing.beat_s * score.meter
        borders = bars[:: 2 if bar_s < 1.1 else 1]
        if bar_s > 2.0:
            borders = sorted({*borders, *(round((a + b) / 2) + 0.0 for a, b in pairwise(bars))})
        count = len(borders)
        home_at, minor_at, key_steps = (
            low_discrepancy(rng, count),
            low_discrepancy(rng, count, SILVER),
            rng.choice(FAR_KEYS, count),
        )
        self.segments: list[KeySegment] = []
        home, shift = score.tonics[first % len(score.tonics)], 0
        for k, (start, end) in enumerate(pairwise(borders)):
            bar = int(np.searchsorted(bars, start + 1e-6)) - 1
            score_bar = (first + bar) % len(score.tonics)
            shift = 0 if home_at[k] < home_fraction else (shift + int(key_steps[k])) % 12 or 6
            key = score.tonics[score_bar]
            interval = (home - key + shift) % 12
            semitones = transposition + (interval if interval <= 6 else interval - 12)
            self.segments.append(
                KeySegment(
                    start,
                    end,
                    semitones,
                    (key + semitones) % 12,
                    bool(minor_at[k] < modality),
                    key,
                    score.minor[score_bar],
                )
            )

    def segment_at(self, beat: float) -> KeySegment:
        """Return the segment at a position in beats."""
        starts = [segment.start for segment in self.segments]
        return self.segments[max(int(np.searchsorted(starts, beat + 1e-6)) - 1, 0)]

    def voice(self, index: int) -> list[MelodyNote]:
        """Return the notes of a voice in their new keys and modes.

        Parameters
        ----------
        index
            0 is the highest voice, the melody.

        Returns
        -------
        list of MelodyNote
            In beats of the piece, by onset.
        """
        bars: list[list[tuple[float, float, int]]] = [[] for _ in self._score.tonics]
        for bar, beat_in_bar, length, pitch in self._score.voices[index]:
            bars[bar].append((beat_in_bar, length, pitch))
        notes = []
        for k, (line, next_line) in enumerate(pairwise(self._timing.bars)):
            if self._timing.seconds(line) > self._timing.length_s:
                break
            for beat_in_bar, length, pitch in bars[(self._first + k) % len(bars)]:
                if line + beat_in_bar < next_line - 0.05:
                    notes.append((line + beat_in_bar, length, pitch, beat_in_bar))
        rng, count = named_rng(self._seed, f"accidentals {index}"), len(notes)
        correct_at, alter_at, alterations = (
            low_discrepancy(rng, count),
            low_discrepancy(rng, count, SILVER),
            rng.choice((-1, 1), count),
        )
        tones = []
        for k, (start, length, pitch, beat_in_bar) in enumerate(notes):
            segment, strong = self.segment_at(start), beat_in_bar < 0.05
            next_pitch = notes[k + 1][2] if k + 1 < len(notes) else pitch
            converted = self._change_mode(pitch, segment, leading=next_pitch - pitch == 1)
            if correct_at[k] < self._home_fraction and not _in_scale(converted, segment):
                converted += -1 if next_pitch > pitch else 1  # undoes the accidental: raised notes rise, lowered fall
            if (
                index == 0
                and not strong
                and alter_at[k] > CHROMATIC_THRESHOLD + (1 - CHROMATIC_THRESHOLD) * self._home_fraction
            ):
                converted += int(alterations[k])
            tones.append(MelodyNote(start, length, converted + segment.transposition, 5.0 if strong else 0.0))
        return tones

    def _change_mode(self, pitch: int, segment: KeySegment, *, leading: bool) -> int:
        """Exchange the scale degrees that differ between the modes; a leading note may keep its pitch in minor."""
        step = (pitch - segment.written_tonic) % 12
        if segment.minor:
            if step == 11 and (segment.written_minor or (leading and self._keeps_leading_notes)):
                return pitch
            if step == 9 and segment.written_minor:
                return pitch
            return pitch + TO_MINOR.get(step, step) - step
        return pitch + TO_MAJOR.get(step, step) - step

    def chords(self, voices: list[list[MelodyNote]], dissonance: float) -> list[Chord]:
        """Harmonise the passage.

        Parameters
        ----------
        voices
            The notes of all voices, as `voice` returns them.
        dissonance
            0..1; adds dissonant notes to the triads.

        Returns
        -------
        list of Chord
            One for each segment: the triad on degree 1, 4 or 5 whose pitch classes sound longest.
        """
        chords = []
        for segment in self.segments:
            weights = np.zeros(12)
            for tone in (tone for voice in voices for tone in voice):
                overlap = min(tone.start + tone.length, segment.end) - max(tone.start, segment.start)
                weights[tone.pitch % 12] += max(overlap, 0.0)
            scale = tuple((segment.tonic + step) % 12 for step in (MINOR if segment.minor else MAJOR))
            triads = [(scale[root], scale[third], scale[fifth]) for root, third, fifth in TRIAD_DEGREES]
            triad = max(triads, key=lambda triad: sum(weights[k] for k in triad) + 0.1 * weights[triad[0]])
            chords.append(
                Chord(
                    segment.start,
                    segment.end - segment.start,
                    triad,
                    added_dissonances(triad, dissonance),
                    scale,
                    triad[0],
                    segment.tonic,
                )
            )
        return chords


def _in_scale(pitch: int, segment: KeySegment) -> bool:
    """Whether a pitch (before transposition) is in the segment's scale; minor has both sixths and sevenths."""
    step = (pitch - segment.written_tonic) % 12
    return step in MINOR or step in (9, 11) if segment.minor else step in MAJOR
