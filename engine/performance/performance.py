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
from ..dsp.stft import RAMP_S as FADER_RAMP_S
from ..dsp.stft import frame_length
from .events import ANALYSIS_READY, ROOT, ControlEvent, Value
from .masked_reader import SegmentMask
from .transport import Hop, Transport


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
        self._limiter = Limiter(sample_rate=rate, channels=channels, ceiling_dbtp=ceiling_dbtp, torchless=True)
        self.latency = self._limiter.latency
        """Samples by which what `step` gives lags behind `position`."""

    def apply(self, address: str, value: Value) -> bool:
        """Change a control from the next step on; False for an address that is no part of the sound."""
        folder, _, name = address.removeprefix(ROOT).rpartition("/")
        number = float(value) if isinstance(value, int | float) else 0.0
        if folder == "midlevel" and name in MIDLEVEL:
            target = self._faders.target.copy()
            target[MIDLEVEL.index(name)] = number
            self._faders.set(self.position, target)
        elif address == ANALYSIS_READY:
            self._used_maps[int(number)] = self.masks[int(number)]
        elif folder == "transport":
            return self._apply_transport(name, number)
        elif not folder and name in self._levels:
            self._levels[name].set(self.position, 10 ** (number / 20) if name == "master" else number)
        elif address == ROOT + "match_loudness":
            self._match_wanted = bool(number)
        else:
            return False
        return True

    def step(self) -> np.ndarray:
        """Go on by one step: float32 [n, channels] is what leaves the limiter then (n is not the same each time)."""
        faders_db = self._faders.at(self.position + self.hop_length)
        stretch = self.transport.step(faders_db)
        mixed, subject = self._mixed(stretch)
        self.position += self.hop_length
        return self._limiter.process(mixed, np.full(len(mixed), subject))

    def flush(self) -> np.ndarray:
        """What is still in the limiter; the performance is then spent."""
        return self._limiter.flush()

    def _apply_transport(self, name: str, number: float) -> bool:
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
        if level["delta"].any():
            output = output * (1 - level["delta"])
        if steered:
            output = output + wet * (match * stretch.wet - stretch.dry)
        if (level["master"] != 1).any():
            output = output * level["master"]
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
