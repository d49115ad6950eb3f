"""What the player's processes are told when they start."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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
