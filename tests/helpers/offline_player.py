"""The player's interface without a clock or processes: renders as fast as it is asked to."""

from collections.abc import Sequence

import numpy as np
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.performance.events import ANALYSIS_READY, Value
from moodfader.engine.performance.performance import SetRenderer
from moodfader.engine.processes.messages import EventsApplied, PlayerCallback, PlayerMeters, SolveTargets


class OfflinePlayer:
    """Takes control changes as a Player does; `render` gives the sound. For one thread only."""

    def __init__(
        self,
        sounds: Sequence[SampleBuffer],
        masks: Sequence[SegmentMask | None],
        event: PlayerCallback,
        *,
        ceiling_dbtp: float = -1.0,
    ) -> None:
        """`sounds` are loaded tracks, `masks` their masks (None: not analysed); `event` takes what a player tells."""
        self._sounds = sounds
        self._event = event
        self._renderer = SetRenderer(sounds, ceiling_dbtp=ceiling_dbtp)
        self._renderer.masks[:] = masks
        self.sample_rate, self.channels = self._renderer.sample_rate, self._renderer.channels
        self.block_length = self._renderer.hop_length
        self._waiting: list[tuple[str, Value]] = [
            (ANALYSIS_READY, n) for n, mask in enumerate(masks) if mask is not None
        ]
        self._rest = np.zeros((0, self.channels), dtype=np.float32)
        self._peak = 0.0
        self.samples_played = 0
        self.requests: list[SolveTargets] = []
        """Requests of the targets, in their order."""

    def set(self, address: str, value: Value) -> None:
        """Change a control with the next step."""
        self._waiting.append((address, value))

    def render(self, samples: int) -> np.ndarray:
        """The next samples of the performance, float32 [samples, channels]."""
        while len(self._rest) < samples:
            waiting, self._waiting = self._waiting, []
            at = self._renderer.position
            applied = self._renderer.follow_up()
            for change in waiting:
                applied += self._renderer.command(*change)
            if applied:
                self._event(EventsApplied.at_step(at, applied))
            self._rest = np.concatenate((self._rest, self._renderer.step()))
        output, self._rest = self._rest[:samples], self._rest[samples:]
        self._peak = float(np.abs(output).max(initial=0.0))
        self.samples_played += samples
        return output

    def meters(self) -> PlayerMeters:
        """As Player's."""
        transport = self._renderer.transport
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
            awaited=dict(self._waiting),
        )

    def solve_targets(self, request: SolveTargets) -> None:
        """Keep the request; what stands for the network answers it by the callback."""
        self.requests.append(request)

    def close(self, *, fade_s: float = 0.0) -> None:
        """Nothing runs that would have to be stopped."""
