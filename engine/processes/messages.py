"""What the player's processes are told when they start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

ProcessName = Literal["renderer", "output", "analyzer"]
ProcessState = Literal["running", "gone", "restarting", "failed"]


@dataclass(frozen=True)
class RenderJob:
    """What a renderer is started with: `ring` is where it renders to, `ahead` how many samples before they are
    needed (None: as many as it turns out to take).
    """

    files: tuple[Path, ...]
    sample_rate: int
    channels: int
    ceiling_dbtp: float
    ahead: int | None
    ring: str


@dataclass(frozen=True)
class AnalysisJob:
    """The tracks, and how they are analysed (fields of AnalysisSettings; none: the defaults)."""

    files: tuple[Path, ...]
    model: Path | None = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OutputJob:
    """What to play on. sample_rate None: the device's own. `device` is a PortAudio number, None the default one."""

    backend: str
    sample_rate: int | None
    channels: int
    block_length: int
    device: int | None = None
    name: str = "moodfader"


@dataclass(frozen=True)
class PlayerMeters:
    """How it stands: positions in s, true peak as a magnitude, load as a share of real time, ring in samples;
    dropouts are blocks that were not there, late the cycles that the sound server says came late.
    """

    track: int
    position_s: float
    duration_s: float
    playing: bool
    ended: bool
    peak: float
    load: float
    underruns: int
    xruns: int
    buffered: int
    latency_s: float


PlayerCallback = Callable[..., None]
"""Called as event(kind, *content) by a thread of the player: "applied", a list of (at, address, value); "heard",
track, Heard; "picture", track, levels (see picture.py); "progress", track, fraction; "measured", emotions; "error"
and "note", text; "card", text (gone, or back)."""


@dataclass(frozen=True)
class AppliedEvent:
    """A control took `value` with output sample `at`.

    `derived` marks what nobody set as such: it follows from something else (a seek out of a loop ends the loop).
    """

    at: int
    address: str
    value: float | int | bool | str | None
    derived: bool = False


@dataclass(frozen=True)
class AnalysisProgress:
    """How far the analysis of a track is: `fraction` in 0..1, and what is done now, in words."""

    track: int
    fraction: float
    stage: str = ""


@dataclass(frozen=True)
class MeasuredEffect:
    """What steering did to an excerpt that sounded: predictions of the steered and of the original sound.

    Both are of the same samples, before wet/dry mix, A/B and master gain. `original` and `steered` hold the seven
    features and eight emotions by name, each in 0..1. The excerpt is up to ten seconds long and ends with what sounds
    now. `settling`: it still holds sound from before the last move of a fader, or is short.
    """

    track: int
    duration_s: float
    original: Mapping[str, float]
    steered: Mapping[str, float]
    settling: bool

    @property
    def effect(self) -> dict[str, float]:
        """Steered minus original by name, -1..1."""
        return {name: self.steered[name] - value for name, value in self.original.items()}


@dataclass(frozen=True)
class ProcessStatus:
    """A process of the player has gone or is there again; `text` says so to the user in one line."""

    process: ProcessName
    state: ProcessState
    text: str
