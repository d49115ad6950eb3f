"""Renders a set list from control events: the output is a pure function of tracks, masks and events.

    transport (steered and original hop) -> loudness match -> wet/dry, A/B, delta -> master gain -> limiter

Time is counted in output samples. Events take effect at the beginning of a step (one hop of the mask filter), so the
output does not depend on the blocks in which it is read; live playing and replay are the same code. With all faders
at zero and unity gain the samples are the track's own; otherwise the true peak stays below the ceiling.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from ...models.common.constants import MIDLEVEL
from ..audio.sample_buffer import SampleBuffer
from ..dsp.limiter import Limiter
from ..dsp.loudness_match import LoudnessMatcher
from ..dsp.ramps import FADER_RAMP_S, RAMP_S, Ramp
from ..dsp.segment_mask import SegmentMask
from ..dsp.solved_settings import SolvedSetting
from ..dsp.stft import frame_length
from .events import ANALYSIS_READY, FADE_OUT, ROOT, SETTING_SOLVED, ControlEvent, Value, read_setting
from .transport import Hop, Transport
from .transport_commands import CommandResolver, Primitive


class SetRenderer:
    """Renders a set list step by step under its controls."""

    def __init__(self, sounds: Sequence[SampleBuffer], *, ceiling_dbtp: float = -1.0) -> None:
        """`sounds` are the tracks, of one rate and one number of channels; they may still be loading."""
        rate, channels = sounds[0].sample_rate, sounds[0].channels
        self.sample_rate, self.channels = rate, channels
        self.masks: list[SegmentMask | None] = [None] * len(sounds)
        """Masks by track; used from the event at ANALYSIS_READY on."""
        self.settings: dict[str, SolvedSetting] = {}
        """Settings that were solved as wholes, by setting_text; used from the event at SETTING_SOLVED on."""
        self._active_masks: list[SegmentMask | None] = [None] * len(sounds)
        self.transport = Transport(sounds, self._active_masks)
        self.hop_length = self.transport.hop_length
        self.position = 0
        """First output sample of the next step."""
        self._faders = Ramp(np.zeros(len(MIDLEVEL)), length=round(FADER_RAMP_S * rate))
        length = round(RAMP_S * rate)
        self._levels = {name: Ramp(start, length=length) for name, start in _LEVELS.items()}
        self._match = LoudnessMatcher(sample_rate=rate, n_fft=frame_length(rate), hop_length=self.hop_length)
        self._match_wanted = False
        self._limiter = Limiter(sample_rate=rate, channels=channels, ceiling_dbtp=ceiling_dbtp)
        self.latency = self._limiter.latency
        """Samples that the limiter keeps back."""
        self._fade_out: Ramp | None = None
        self._resolver = CommandResolver(self.transport)
        self.monitor = np.zeros((self.hop_length, 2), dtype=np.float32)
        """Mono sum of the newest step, [hop_length, 2]: original and steered (after the loudness match), both before
        wet/dry mix, A/B, delta and master gain; they are equal where nothing is steered."""
        self.jumped_at = 0
        """Output sample since which one track has been read without a jump (the wrap of a loop is none)."""
        self.moved_at = 0
        """Output sample since which faders, loudness match and mask have been constant."""

    def command(self, address: str, value: Value) -> list[Primitive]:
        """Apply a command from the next step on, resolved into primitive events (see CommandResolver).

        Returns
        -------
        list of Primitive
            The events for the automation; empty for an address that is no part of the sound.
        """
        applied = self._applied(self._resolver.resolve(address, value))
        return applied + self._applied(self._resolver.after(address))

    def follow_up(self) -> list[Primitive]:
        """Apply and return the events that follow from the last step: the end of a loop at a change of track."""
        return self._applied(self._resolver.at_track(self.transport.track))

    def seek_target(self, address: str, value: Value) -> int | None:
        """Target sample of a seek or relative seek; None for other commands."""
        return self._resolver.seek_target(address, value)

    def resume(self, position: int, track: int, track_position: int, *, playing: bool, ended: bool = False) -> None:
        """Continue at the output sample where another renderer ended.

        Parameters
        ----------
        position : int
            Output sample of the next step.
        track, track_position : int
            Track of the set list, and the sample of it with which the next step begins.
        playing, ended : bool
            Whether it played, or the set list had ended.
        """
        self.position = self.jumped_at = self.moved_at = position
        self.transport.resume(track, track_position, playing=playing, ended=ended)

    def apply(self, address: str, value: Value) -> bool:
        """Apply an event from the next step on; False for an address that does not affect the sound."""
        folder, _, name = address.removeprefix(ROOT).rpartition("/")
        number = float(value) if isinstance(value, int | float) else 0.0
        if folder == "midlevel" and name in MIDLEVEL:
            target = self._faders.target.copy()
            target[MIDLEVEL.index(name)] = number
            self._faders.set(self.position, target)
            self.moved_at = self.position + round(FADER_RAMP_S * self.sample_rate)
        elif address == ANALYSIS_READY:
            self._active_masks[int(number)] = self.masks[int(number)]
            self.moved_at = self.position
        elif address == SETTING_SOLVED:
            self._use_setting(str(value))
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
        """Render the next step: samples float32 [n, channels] that leave the limiter (n varies at the start)."""
        faders_db = self._faders.at(self.position + self.hop_length)
        track = self.transport.track
        hop = self.transport.step(faders_db)
        if self.transport.track != track:
            self.jumped_at = self.position
        mixed, subject = self._mixed(hop)
        self.position += self.hop_length
        return self._limiter.process(mixed, np.full(len(mixed), subject))

    @property
    def reduction_db(self) -> float:
        """By how much the limiter lowered the step that it gave last, in dB."""
        return self._limiter.reduction_db

    def flush(self) -> np.ndarray:
        """The samples left in the limiter; the renderer cannot be used afterwards."""
        return self._limiter.flush()

    def _applied(self, events: Iterable[Primitive]) -> list[Primitive]:
        return [event for event in events if self.apply(event.address, event.value)]

    def _use_setting(self, text: str) -> None:
        """From now on the setting sounds as it was solved, where it is known and its track has its mask."""
        number = read_setting(text)[0]
        mask = self._active_masks[number]
        if mask is not None and text in self.settings:
            self._active_masks[number] = mask.with_setting(self.settings[text])
            self.moved_at = self.position

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

    def _mixed(self, hop: Hop) -> tuple[np.ndarray, bool]:
        """One step after loudness match, wet/dry, delta and master gain, and whether the limiter applies to it."""
        reader = self.transport.reader
        if reader is not None:
            self._match.update(reader.spectrum, reader.gain)
        if not hop.processed:
            self._match.reset()
        level = {name: ramp.span(self.position, self.hop_length) for name, ramp in self._levels.items()}
        match = self._match.next_gain(self._match_wanted and hop.processed)
        wet = level["wet"] * (1 - level["bypass"])
        steered = bool(wet.any()) and (hop.processed or bool((match != 1).any()))
        output = hop.dry
        if steered:  # at wet = 1 exactly the steered sample, as in `render`
            output = output * (1 - level["delta"] - wet) + (wet * match) * hop.wet
        elif level["delta"].any():
            output = output * (1 - level["delta"])
        if (level["master"] != 1).any():
            output = output * level["master"]
        if self._fade_out is not None:
            output = output * self._fade_out.span(self.position, self.hop_length)
        self.monitor[:, 0] = hop.dry.mean(axis=1)
        self.monitor[:, 1] = (match * hop.wet).mean(axis=1) if hop.processed else self.monitor[:, 0]
        return output, steered or bool((level["master"] > 1).any())


_LEVELS = {"wet": 1.0, "bypass": 0.0, "delta": 0.0, "master": 1.0}


def render_events(
    sounds: Sequence[SampleBuffer],
    masks: Sequence[SegmentMask | None],
    history: Iterable[ControlEvent],
    *,
    samples: int | None = None,
    ceiling_dbtp: float = -1.0,
    settings: Mapping[str, SolvedSetting] | None = None,
) -> Iterator[np.ndarray]:
    """Render control events.

    Parameters
    ----------
    sounds : sequence of SampleBuffer
        The tracks, loaded.
    masks : sequence of SegmentMask or None
        Their masks; None for a track that is not steered.
    history : iterable of ControlEvent
        The events, in the order of time.
    samples : int, optional
        Length of the output; None: up to the end of the last track, or the last event if it is paused then.
    ceiling_dbtp : float
        Ceiling of the limiter.
    settings : mapping of str to SolvedSetting, optional
        What the events at SETTING_SOLVED name.

    Yields
    ------
    numpy.ndarray
        Samples float32 [n, channels].
    """
    renderer = SetRenderer(sounds, ceiling_dbtp=ceiling_dbtp)
    renderer.masks[:] = masks
    renderer.settings.update(settings or {})
    pending = list(history)[::-1]
    rendered = 0
    while samples is None or rendered < samples:
        while pending and pending[-1].at <= renderer.position:
            event = pending.pop()
            renderer.apply(event.address, event.value)
        if samples is None and not pending and not renderer.transport.playing:
            break
        block = renderer.step()
        block = block if samples is None else block[: samples - rendered]
        rendered += len(block)
        yield block
    if samples is None:
        yield renderer.flush()
