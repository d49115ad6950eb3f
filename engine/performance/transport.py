"""Transport: play, pause, seek, loop and set list; every change is a crossfade of one step.

A set list is the tracks of a show in their order. A step is one hop of the mask filter (12 ms at 44.1 kHz). A reader
is a MaskFilter that reads one track from some sample on. At a change the old reader continues for one step and fades
out while the new one fades in; the two gains add up to one. The period of a loop is exact to the sample: where the
position is n samples before the end of the loop, the new reader begins n samples before its start. How a loop is
jumped into is in transport_commands.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..audio.sample_buffer import SampleBuffer
from ..dsp.mask_filter import MaskFilter
from ..dsp.segment_mask import SegmentMask
from ..dsp.stft import OVERLAP, frame_length

_LONGEST_S: Final = 1e9


def to_samples(seconds: float, sample_rate: int) -> int:
    """The nearest sample; times far beyond any track are brought to the same distant one, as floats may overflow."""
    return round(min(max(seconds, -_LONGEST_S), _LONGEST_S) * sample_rate)


@dataclass
class Hop:
    """One step: steered and original samples float32 [hop_length, channels], and whether they differ."""

    wet: np.ndarray
    dry: np.ndarray
    processed: bool


class Transport:
    """Reads the tracks of a set list in order."""

    def __init__(self, sounds: Sequence[SampleBuffer], masks: list[SegmentMask | None]) -> None:
        self._sounds = sounds
        self._masks = masks
        self.sample_rate, self.channels = sounds[0].sample_rate, sounds[0].channels
        self.hop_length = frame_length(self.sample_rate) // OVERLAP
        self.playing = False
        self.ended = False
        """Whether the last track has ended, with no move since."""
        self.track = 0
        self.loop = False
        self.loop_start_s = self.loop_end_s = 0.0
        self._position = 0
        self._reader: MaskFilter | None = None
        phase = (np.arange(self.hop_length) + 0.5) * (np.pi / 2 / self.hop_length)
        self._fade_in = (np.sin(phase) ** 2).astype(np.float32)[:, None]

    @property
    def position(self) -> int:
        """First sample of the track in the next step."""
        return self._position

    @property
    def length(self) -> int | None:
        """Length of the track that plays in samples; None until it is loaded."""
        return self._sounds[self.track].length

    def loop_edges(self) -> tuple[int, int] | None:
        """First sample of the active loop and the sample after its last one; None if no loop is active.

        A loop shorter than two steps, or one to the end of a track that is still loading, is not active.
        """
        if not self.loop:
            return None
        start, end = (to_samples(edge, self.sample_rate) for edge in (self.loop_start_s, self.loop_end_s))
        if end <= 0:
            if self.length is None:
                return None
            end = self.length
        return (start, end) if end - start > 2 * self.hop_length else None

    @property
    def reader(self) -> MaskFilter | None:
        """The mask filter that reads now; None while paused."""
        return self._reader

    def seek(self, seconds: float) -> None:
        """Go to a position in seconds with the next step; positions after the end are the end."""
        self._move(self.track, to_samples(seconds, self.sample_rate))

    def go_to_track(self, track: int) -> None:
        """Go to the beginning of a track of the set list; without effect for a number out of range."""
        if 0 <= track < len(self._sounds):
            self._move(track, 0)

    def play(self, playing: bool) -> None:
        """Play or pause. After the end of the set list the last track begins again."""
        if playing and self.ended:
            self._move(self.track, 0)
        self.playing = playing

    def resume(self, track: int, position: int, *, playing: bool, ended: bool = False) -> None:
        """Take over the state of another renderer's transport."""
        self._move(track, position)
        self.playing, self.ended = playing, ended

    def ready(self) -> bool:
        """Whether the samples of the next step are loaded."""
        if not self.playing:
            return True
        count, track, start = frame_length(self.sample_rate), self.track, self._position
        if self.length is not None and start >= self.length and track + 1 < len(self._sounds):
            track, start = track + 1, 0  # (the next track begins with this step)
        return self._sounds[track].is_loaded(start, start + count)

    def step(self, faders_db: np.ndarray) -> Hop:
        """Render the next step under faders [7] in dB."""
        old, hop = self._reader, self.hop_length
        # A reader at the right position continues; otherwise a new one begins.
        wanted = self._wanted_start()
        if wanted is None:
            new = None
        elif old is not None and old.source is self._sounds[self.track] and old.position == wanted:
            new = old
        else:
            new = MaskFilter(self._sounds[self.track], wanted)
        if new is not None:
            self._position = new.position + hop
        self._reader = new
        if new is old:
            return self._read(new, faders_db, self.track) if new is not None else self._silence()
        entering = self._silence() if new is None else self._read(new, faders_db, self.track)
        if new is not None and new.position == hop and old is None:
            return entering  # the beginning of a track needs no fade
        leaving = self._silence() if old is None else self._read(old, faders_db, self._sounds.index(old.source))
        return self._crossfaded(leaving, entering)

    def _wanted_start(self) -> int | None:
        """Index of the first sample to read in this step; None while paused. At an end it goes to the next track."""
        if not self.playing:
            return None
        length = self._sounds[self.track].length
        if (edges := self.loop_edges()) is not None:
            start, end = edges
            if self._position < end <= self._position + self.hop_length:
                return start - (end - self._position)
        if length is None or self._position < length:
            return self._position
        if self.track + 1 < len(self._sounds):
            self.track, self._position = self.track + 1, 0
            return 0
        self.playing, self.ended = False, True
        return None

    def _move(self, track: int, position: int) -> None:
        length = self._sounds[track].length
        self.track, self._position, self.ended = track, position if length is None else min(position, length), False

    def _read(self, reader: MaskFilter, faders_db: np.ndarray, track: int) -> Hop:
        return Hop(*reader.step(self._masks[track], faders_db))

    def _silence(self) -> Hop:
        nothing = np.zeros((self.hop_length, self.channels), dtype=np.float32)
        return Hop(nothing, nothing, False)

    def _crossfaded(self, leaving: Hop, entering: Hop) -> Hop:
        dry = leaving.dry + (entering.dry - leaving.dry) * self._fade_in
        touched = leaving.processed or entering.processed
        wet = leaving.wet + (entering.wet - leaving.wet) * self._fade_in if touched else dry
        return Hop(wet, dry, touched)
