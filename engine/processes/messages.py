"""Jobs of the player's processes, and the messages between them, the player and its owner."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

    from ..analysis.surrogate import TrackSummary
    from ..performance.transport_commands import Primitive

ControlValue = float | int | bool | str | None
ProcessName = Literal["renderer", "output", "analyzer"]
ProcessState = Literal["running", "gone", "restarting", "failed"]


@dataclass(frozen=True)
class ResumePoint:
    """State of a renderer that ended, for the one that replaces it.

    `position` is the output sample of its next step, `track_position` the sample of the track with which that begins;
    `controls` are the values of all controls that were set, in the order of their setting, `analyses` the paths of
    the analysis files by track; `settings` those that were solved as wholes.
    """

    position: int
    track: int
    track_position: int
    playing: bool
    controls: tuple[tuple[str, ControlValue], ...]
    analyses: Mapping[int, str]
    settings: "tuple[SettingSolved, ...]" = ()
    ended: bool = False


@dataclass(frozen=True)
class RenderJob:
    """What a renderer is started with.

    `ring` is where it renders to, `ahead` how many samples before they are needed (None: as many as it turns out to
    take), `versions` those of the files when the show began (input_file.file_version). With `resume` it goes on where
    another one ended.
    """

    files: tuple[Path, ...]
    versions: tuple[tuple[int, int] | None, ...]
    sample_rate: int
    channels: int
    ceiling_dbtp: float
    ahead: int | None
    ring: str
    resume: ResumePoint | None = None


@dataclass(frozen=True)
class AnalysisJob:
    """The tracks, and how they are analysed (fields of AnalysisSettings; none: the defaults).

    draft_first: whether a draft of each analysis is made and used before the full one.
    presets: settings of the faders [7] in dB that are solved as wholes for each track once it is analysed.
    versions: of the files that are played (input_file.file_version).
    """

    files: tuple[Path, ...]
    versions: tuple[tuple[int, int] | None, ...]
    model: Path | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    draft_first: bool = False
    presets: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class OutputJob:
    """What to play on. sample_rate None: the device's own. `device` is a PortAudio number, None the default one.

    connections: names of the JACK ports that each output was connected to before; none: the loudspeakers.
    """

    backend: str
    sample_rate: int | None
    channels: int
    block_length: int
    device: int | None = None
    name: str = "moodfader"
    connections: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class PlayerMeters:
    """How the player stands.

    Positions are in s, peaks are magnitudes (`peak` the true one, `channel_peaks` of the first two channels), the
    limiter's reduction is in dB, the load a share of real time, the ring in samples; dropouts are blocks that were
    not there, late the cycles that the sound server reports as late. `awaited` has the moves (and the switch of the
    loop) that have not taken effect yet, in their order: what the meters say of them is of before.
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
    channel_peaks: tuple[float, float] = (0.0, 0.0)
    reduction_db: float = 0.0
    awaited: Mapping[str, ControlValue] = field(default_factory=dict)


@dataclass(frozen=True)
class AppliedEvent:
    """A control took `value` with output sample `at`.

    `derived` marks what nobody set as such: it follows from something else (a seek out of a loop ends the loop).
    """

    at: int
    address: str
    value: ControlValue
    derived: bool = False


@dataclass(frozen=True)
class EventsApplied:
    """Controls that took effect with the same step, in the order in which they did."""

    events: tuple[AppliedEvent, ...]

    @classmethod
    def at_step(cls, at: int, primitives: "Sequence[Primitive]") -> "EventsApplied":
        """Of what a performance applied with the step that begins at output sample `at`."""
        return cls(tuple(AppliedEvent(at, event.address, event.value, event.derived) for event in primitives))


@dataclass(frozen=True)
class AnalysisProgress:
    """How far the analysis of a track is: `fraction` in 0..1."""

    track: int
    fraction: float


@dataclass(frozen=True)
class TrackAnalyzed:
    """The analysis of a track is there; `summary` has what the surrogate needs, and the path of the analysis file."""

    track: int
    summary: "TrackSummary"


@dataclass(frozen=True)
class SettingSolved:
    """A setting of the faders [7] in dB, solved as a whole for a track.

    `correction_db`, float32 [segments], is added to the sum of the faders' masks. The analysis process finds it, the
    renderer applies it.
    """

    track: int
    faders_db: tuple[float, ...]
    correction_db: "np.ndarray"


@dataclass(frozen=True)
class TrackThumbnail:
    """A small spectrogram of a track, uint8 [columns, rows] (see audio/thumbnail.py)."""

    track: int
    levels: "np.ndarray"


@dataclass(frozen=True)
class MeasuredEffect:
    """What steering did to an excerpt that sounded: predictions of the steered and of the original sound.

    Both are of the same samples, before wet/dry mix, A/B and master gain. `original` and `steered` hold the seven
    features and eight emotions by name, as the network gives them (about 0..1). The excerpt is up to ten seconds long
    and ends with what sounds now. `settling`: it still holds sound from before the last move of a fader, or is short.
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
class SolveTargets:
    """To the analysis process: find faders for targets with the network.

    `number` counts the requests: only the newest is answered. `asked` has shifts by emotion (0: kept), `position_s`
    is where the track is, `faders_db` [7] the estimate to begin with.
    """

    number: int
    track: int
    position_s: float
    asked: Mapping[str, float]
    faders_db: tuple[float, ...]


@dataclass(frozen=True)
class TargetsSolved:
    """Faders in dB [7] that were found for request `number`; with `error` (one line) there are none.

    With them the predicted shifts of all emotions.
    """

    number: int
    track: int
    faders_db: tuple[float, ...] = ()
    shifts: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class ProcessStatus:
    """A process of the player has gone or is there again; `text` says so to the user in one line."""

    process: ProcessName
    state: ProcessState
    text: str


@dataclass(frozen=True)
class Notice:
    """One line for the user; an error is something that does not work."""

    text: str
    is_error: bool = False


PlayerMessage = (
    EventsApplied
    | AnalysisProgress
    | TrackAnalyzed
    | SettingSolved
    | TrackThumbnail
    | MeasuredEffect
    | TargetsSolved
    | ProcessStatus
    | Notice
)
PlayerCallback = Callable[[PlayerMessage], None]
"""Takes what a player has to tell its owner; called by a thread of the player."""


@dataclass(frozen=True)
class SetControls:
    """To the renderer: controls to set, in this order."""

    changes: tuple[tuple[str, ControlValue], ...]


@dataclass(frozen=True)
class UseAnalysis:
    """To the renderer: the analysis of a track lies in this file."""

    track: int
    path: str


@dataclass(frozen=True)
class AttachRing:
    """To the analysis process: the ring buffer that it listens to."""

    name: str
    sample_rate: int
    channels: int


@dataclass(frozen=True)
class DeviceOpened:
    """Of an output process: the device is open, at this rate in Hz and with blocks of so many samples."""

    sample_rate: int
    block_length: int


@dataclass(frozen=True)
class PortsConnected:
    """Of an output process at JACK: what each of its outputs is connected to now (OutputJob.connections)."""

    connections: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DeviceFailed:
    """Of an output process: the device cannot be opened, or has gone while it played."""

    reason: str
