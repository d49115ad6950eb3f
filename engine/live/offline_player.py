"""Playing without a clock: the same performance, as fast as it is asked for, for tests and scripts."""

from collections.abc import Sequence

import numpy as np

from ..audio.sample_buffer import SampleBuffer
from ..dsp.segment_mask import SegmentMask
from ..performance.events import ANALYSIS_READY, Value
from ..performance.performance import SetRenderer
from ..processes.messages import EventsApplied, PlayerCallback, PlayerMeters


class OfflinePlayer:
    """Takes changes as a Player does; `advance` gives the sound. One thread only."""

    def __init__(
        self,
        sounds: Sequence[SampleBuffer],
        maps: Sequence[SegmentMask | None],
        event: PlayerCallback,
        *,
        ceiling_dbtp: float = -1.0,
    ) -> None:
        """The sounds are loaded."""
        self._sounds = sounds
        self._event = event
        self._performance = SetRenderer(sounds, ceiling_dbtp=ceiling_dbtp)
        self._performance.masks[:] = maps
        self.sample_rate, self.channels = self._performance.sample_rate, self._performance.channels
        self.block_length = self._performance.hop_length
        self._waiting: list[tuple[str, Value]] = [
            (ANALYSIS_READY, n) for n, known in enumerate(maps) if known is not None
        ]
        self._rest = np.zeros((0, self.channels), dtype=np.float32)
        self._peak = 0.0
        self.samples_played = 0

    def set(self, address: str, value: Value) -> None:
        """Change a control with the next step."""
        self._waiting.append((address, value))

    def render(self, samples: int) -> np.ndarray:
        """The next samples of the performance, float32 [samples, channels]."""
        while len(self._rest) < samples:
            waiting, self._waiting = self._waiting, []
            at = self._performance.position
            applied = self._performance.follow_up()
            for change in waiting:
                applied += self._performance.command(*change)
            if applied:
                self._event(EventsApplied.at_step(at, applied))
            self._rest = np.concatenate((self._rest, self._performance.step()))
        output, self._rest = self._rest[:samples], self._rest[samples:]
        self._peak = float(np.abs(output).max(initial=0.0))
        self.samples_played += samples
        return output

    def meters(self) -> PlayerMeters:
        """As Player's."""
        transport = self._performance.transport
        return PlayerMeters(
            track=transport.track,
            position_s=transport.position / self.sample_rate,
            duration_s=self._sounds[transport.track].expected_duration_s or 0.0,
            playing=transport.playing,
            ended=transport.ended,
            peak=self._peak,
            load=0.0,
            underruns=0,
            xruns=0,
            buffered=len(self._rest),
            latency_s=0.0,
        )

    def close(self, *, fade_s: float = 0.0) -> None:
        """Nothing runs that would have to be stopped."""
