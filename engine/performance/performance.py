"""A performance: what is heard is a pure function of the tracks, their analyses and the history of the controls.

    voice (steered and original, aligned to the sample) -> loudness match -> wet/dry, A/B, delta -> master -> limiter

Time is the output sample. Changes act at the beginning of a step (one hop of the voice), so the output does not know
in what blocks it is asked for; live and offline are the same code. Where no fader differs from zero and nothing else
is in the way, samples are the track's own; otherwise the true peak stays below the ceiling.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ...models.common.constants import MIDLEVEL
from ..audio.sample_buffer import SampleBuffer
from ..dsp.limiter import Limiter
from ..dsp.loudness_match import LoudnessMatcher
from ..dsp.ramps import RAMP_S, Ramp
from ..dsp.segment_mask import SegmentMask
from ..dsp.stft import RAMP_S as FADER_RAMP_S
from ..dsp.stft import frame_length
from .events import ANALYSIS_READY, FADE_OUT, ROOT, ControlEvent, Value
from .transport import Hop, Transport
from .transport_commands import CommandResolver, Primitive


class SetRenderer:
    """Plays a set list step by step, as its controls stand."""

    def __init__(self, sounds: Sequence[SampleBuffer], *, ceiling_dbtp: float = -1.0) -> None:
        """All sounds have one rate and one number of channels; they may still be loading."""
        rate, channels = sounds[0].sample_rate, sounds[0].channels
        self.sample_rate, self.channels = rate, channels
        self.masks: list[SegmentMask | None] = [None] * len(sounds)
        """Put here before the change at MAP_ADDRESS is applied."""
        self._used_maps: list[SegmentMask | None] = [None] * len(sounds)
        self.transport = Transport(sounds, self._used_maps)
        self.hop_length = self.transport.hop_length
        self.position = 0
        """The output sample with which the next step begins."""
        self._faders = Ramp(np.zeros(len(MIDLEVEL)), length=round(FADER_RAMP_S * rate))
        length = round(RAMP_S * rate)
        self._levels = {name: Ramp(start, length=length) for name, start in _LEVELS.items()}
        self._match = LoudnessMatcher(sample_rate=rate, n_fft=frame_length(rate), hop_length=self.hop_length)
        self._match_wanted = False
        self._limiter = Limiter(sample_rate=rate, channels=channels, ceiling_dbtp=ceiling_dbtp)
        self.latency = self._limiter.latency
        """Samples by which what `step` gives lags behind `position`."""
        self._fade_out: Ramp | None = None
        self._resolver = CommandResolver(self.transport)
        self.monitor = np.zeros((self.hop_length, 2), dtype=np.float32)
        """Mono sum of the newest step, [hop_length, 2]: original and steered (after the loudness match), both before
        wet/dry mix, A/B, delta and master gain; they are equal where nothing is steered."""
        self.jumped_at = 0
        """The output sample since which one track has been read without a jump (loops count as one reading)."""
        self.moved_at = 0
        """The output sample since which faders, loudness match and analysis have stood as they are."""

    def command(self, address: str, value: Value) -> list[Primitive]:
        """Apply what a performer asks for from the next step on, and say what that came to (see CommandResolver).

        Returns
        -------
        list of Primitive
            The events for the automation; empty for an address that is no part of the sound.
        """
        applied = self._applied(self._resolver.resolve(address, value))
        return applied + self._applied(self._resolver.after(address))

    def follow_up(self) -> list[Primitive]:
        """Apply and say what follows from the last step: a loop does not go over to the next track."""
        return self._applied(self._resolver.at_track(self.transport.track))

    def seek_target(self, address: str, value: Value) -> int | None:
        """The sample of the track that this command would go to; None if it is no seek."""
        return self._resolver.seek_target(address, value)

    def resume(self, position: int, track: int, track_position: int, *, playing: bool) -> None:
        """Go on at an output sample where another renderer was when it ended: a new one begins there.

        Parameters
        ----------
        position : int
            Output sample of the next step.
        track, track_position : int
            Track of the set list, and the sample of it with which the next step begins.
        playing : bool
            Whether it played.
        """
        self.position = self.jumped_at = self.moved_at = position
        self.transport.resume(track, track_position, playing=playing)

    def apply(self, address: str, value: Value) -> bool:
        """Change a control from the next step on; False for an address that is no part of the sound."""
        folder, _, name = address.removeprefix(ROOT).rpartition("/")
        number = float(value) if isinstance(value, int | float) else 0.0
        if folder == "midlevel" and name in MIDLEVEL:
            target = self._faders.target.copy()
            target[MIDLEVEL.index(name)] = number
            self._faders.set(self.position, target)
            self.moved_at = self.position + round(FADER_RAMP_S * self.sample_rate)
        elif address == ANALYSIS_READY:
            self._used_maps[int(number)] = self.masks[int(number)]
            self.moved_at = self.position
        elif folder == "transport":
            return self._apply_transport(name, number)
        elif not folder and name in self._levels:
            self._levels[name].set(self.position, 10 ** (number / 20) if name == "master" else number)
        elif address == ROOT + "match_loudness":
            self._match_wanted = bool(number)
            self.moved_at = self.position
        elif address == FADE_OUT:
            self._fade_out = Ramp(1.0, length=max(round(number * self.sample_rate), 1))
            self._fade_out.set(self.position, 0.0)
        else:
            return False
        return True

    def step(self) -> np.ndarray:
        """Go on by one step: float32 [n, channels] is what leaves the limiter then (n is not the same each time)."""
        faders_db = self._faders.at(self.position + self.hop_length)
        track = self.transport.track
        stretch = self.transport.step(faders_db)
        if self.transport.track != track:
            self.jumped_at = self.position
        mixed, subject = self._mixed(stretch)
        self.position += self.hop_length
        return self._limiter.process(mixed, np.full(len(mixed), subject))

    def flush(self) -> np.ndarray:
        """What is still in the limiter; the performance is then spent."""
        return self._limiter.flush()

    def _applied(self, events: Iterable[Primitive]) -> list[Primitive]:
        return [event for event in events if self.apply(event.address, event.value)]

    def _apply_transport(self, name: str, number: float) -> bool:
        if name in ("play", "pause", "seek", "track"):
            self.jumped_at = self.position
        if name == "play":
            self.transport.play(bool(number))
        elif name == "pause":
            self.transport.play(False)
        elif name == "seek":
            self.transport.seek(number)
        elif name == "track":
            self.transport.go_to_track(int(number))
        elif name == "loop":
            self.transport.loop = bool(number)
        elif name in ("loop_start", "loop_end"):
            setattr(self.transport, name + "_s", number)
        else:
            return False
        return True

    def _mixed(self, stretch: Hop) -> tuple[np.ndarray, bool]:
        """One step after match, wet/dry, delta and master, and whether the ceiling has to be watched."""
        voice = self.transport.voice
        if voice is not None:
            self._match.update(voice.spectrum, voice.gain)
        if not stretch.processed:
            self._match.reset()
        level = {name: ramp.span(self.position, self.hop_length) for name, ramp in self._levels.items()}
        match = self._match.next_gain(self._match_wanted and stretch.processed)
        wet = level["wet"] * (1 - level["bypass"])
        steered = bool(wet.any()) and (stretch.processed or bool((match != 1).any()))
        output = stretch.dry
        if steered:  # (where all of it is wet, this is the steered sample itself, as a render has it)
            output = output * (1 - level["delta"] - wet) + (wet * match) * stretch.wet
        elif level["delta"].any():
            output = output * (1 - level["delta"])
        if (level["master"] != 1).any():
            output = output * level["master"]
        if self._fade_out is not None:
            output = output * self._fade_out.span(self.position, self.hop_length)
        self.monitor[:, 0] = stretch.dry.mean(axis=1)
        self.monitor[:, 1] = (match * stretch.wet).mean(axis=1) if stretch.processed else self.monitor[:, 0]
        return output, steered or bool((level["master"] > 1).any())


_LEVELS = {"wet": 1.0, "bypass": 0.0, "delta": 0.0, "master": 1.0}


def render_events(
    sounds: Sequence[SampleBuffer],
    maps: Sequence[SegmentMask | None],
    history: Iterable[ControlEvent],
    *,
    samples: int | None = None,
    ceiling_dbtp: float = -1.0,
) -> Iterator[np.ndarray]:
    """The sound of a history, float32 [n, channels]: `samples` long, or up to the end of the last track.

    Without `samples` a performance that is left paused ends with its last change. The sounds must be loaded;
    changes are in the order of time.
    """
    performance = SetRenderer(sounds, ceiling_dbtp=ceiling_dbtp)
    performance.masks[:] = maps
    waiting = list(history)[::-1]
    given = 0
    while samples is None or given < samples:
        while waiting and waiting[-1].at <= performance.position:
            change = waiting.pop()
            performance.apply(change.address, change.value)
        if samples is None and not waiting and not performance.transport.playing:
            break
        block = performance.step()
        block = block if samples is None else block[: samples - given]
        given += len(block)
        yield block
    if samples is None:
        yield performance.flush()
