"""Where in which track one is: play, pause, seek, loop and the set list, each change a crossfade of one step.

A step is one hop of the voice (12 ms at 44.1 kHz). At every change the old reading goes on for a step and fades out
while the new one fades in; the two fades add up to one. A loop is exact to the sample: its second reading starts so
much before the loop's beginning that both are there at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..audio.sample_buffer import SampleBuffer
from ..dsp.mask_filter import MaskFilter
from ..dsp.segment_mask import SegmentMask
from ..dsp.stft import OVERLAP, frame_length


@dataclass
class Hop:
    """One step of sound: steered and original float32 [hop_length, channels], and whether they differ."""

    wet: np.ndarray
    dry: np.ndarray
    processed: bool


class Transport:
    """Reads the tracks of a set list, one after the other."""

    def __init__(self, sounds: Sequence[SampleBuffer], maps: list[SegmentMask | None]) -> None:
        self._sounds = sounds
        self._maps = maps
        self.sample_rate, self.channels = sounds[0].sample_rate, sounds[0].channels
        self.hop_length = frame_length(self.sample_rate) // OVERLAP
        self.playing = False
        self.ended = False
        """Whether the last track has come to its end (and nobody has moved since)."""
        self.track = 0
        self.loop = False
        self.loop_start_s = self.loop_end_s = 0.0
        self._position = 0
        self._voice: MaskFilter | None = None
        phase = (np.arange(self.hop_length) + 0.5) * (np.pi / 2 / self.hop_length)
        self._rise = (np.sin(phase) ** 2).astype(np.float32)[:, None]

    @property
    def position(self) -> int:
        """The sample of the track with which the next step begins."""
        return self._position

    @property
    def length(self) -> int | None:
        """Samples of the track that plays; None while that is not known."""
        return self._sounds[self.track].length

    def loop_edges(self) -> tuple[int, int] | None:
        """First sample of the active loop and the one behind its last; None without a loop, or if it has no end yet.

        A loop that is shorter than two steps is none: its crossfade would not fit.
        """
        if not self.loop:
            return None
        start, end = (round(edge * self.sample_rate) for edge in (self.loop_start_s, self.loop_end_s))
        if end <= 0:
            if self.length is None:
                return None
            end = self.length
        return (start, end) if end - start > 2 * self.hop_length else None

    @property
    def voice(self) -> MaskFilter | None:
        """The reading that sounds, if one does."""
        return self._voice

    def seek(self, seconds: float) -> None:
        """Go there at the next step; behind the end is the end."""
        self._move(self.track, round(seconds * self.sample_rate))

    def go_to_track(self, track: int) -> None:
        """Go to the beginning of that track of the set list (one that is not there: stay)."""
        if 0 <= track < len(self._sounds):
            self._move(track, 0)

    def play(self, playing: bool) -> None:
        """Go on, or pause. After the end of the last track it begins with that track again."""
        if playing and self.ended:
            self._move(self.track, 0)
        self.playing = playing

    def resume(self, track: int, position: int, *, playing: bool) -> None:
        """Stand at a sample of a track, as another renderer did."""
        self._move(track, position)
        self.playing = playing

    def ready(self) -> bool:
        """Whether what the next step needs has been loaded."""
        if not self.playing:
            return True
        length = frame_length(self.sample_rate)
        return self._sounds[self.track].is_loaded(self._position, self._position + length)

    def step(self, faders_db: np.ndarray) -> Hop:
        """The next step of sound under these faders [7] in dB."""
        old, hop = self._voice, self.hop_length
        # What reads at the right place goes on; whatever else is wanted is a new reading.
        wanted = self._wanted_start()
        if wanted is None:
            new = None
        elif old is not None and old.source is self._sounds[self.track] and old.position == wanted:
            new = old
        else:
            new = MaskFilter(self._sounds[self.track], wanted)
        if new is not None:
            self._position = new.position + hop
        self._voice = new
        if new is old:
            return self._read(new, faders_db, self.track) if new is not None else self._silence()
        entering = self._silence() if new is None else self._read(new, faders_db, self.track)
        if new is not None and new.position == hop and old is None:
            return entering  # a track's own beginning needs no fade
        leaving = self._silence() if old is None else self._read(old, faders_db, self._sounds.index(old.source))
        return self._crossfaded(leaving, entering)

    def _wanted_start(self) -> int | None:
        """Where to read from in this step; None while nothing plays."""
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

    def _read(self, voice: MaskFilter, faders_db: np.ndarray, track: int) -> Hop:
        return Hop(*voice.step(self._maps[track], faders_db))

    def _silence(self) -> Hop:
        nothing = np.zeros((self.hop_length, self.channels), dtype=np.float32)
        return Hop(nothing, nothing, False)

    def _crossfaded(self, leaving: Hop, entering: Hop) -> Hop:
        dry = leaving.dry + (entering.dry - leaving.dry) * self._rise
        touched = leaving.processed or entering.processed
        wet = leaving.wet + (entering.wet - leaving.wet) * self._rise if touched else dry
        return Hop(wet, dry, touched)
