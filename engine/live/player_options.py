"""Options of the player: output device, block length, and how tracks are analysed and rendered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

BLOCK_LENGTH: Final = 512
"""Samples in a block where nothing else is asked for."""


@dataclass(frozen=True)
class PlayerOptions:
    """How and on what to play.

    Attributes
    ----------
    backend : str
        jack, portaudio, pyo (JACK through pyo), null, or auto: the first that works.
    device : int, optional
        PortAudio's number of the device; None: its default.
    sample_rate : int, optional
        In Hz; None: the device's, or the first file's.
    channels : int, optional
        None: as many as the tracks have, two at least.
    block_length : int
        Samples in a block (JACK has its own).
    ahead : int, optional
        Samples rendered ahead; None: adapts.
    ceiling_dbtp : float
        Ceiling of the limiter.
    model : Path, optional
        Checkpoint of the network; None: the shipped one.
    analysis : mapping
        Fields of AnalysisSettings that differ from the defaults.
    draft_first : bool
        Whether a track that has no analysis yet gets a draft of it first, which the full one replaces.
    presets : callable
        Gives settings of the faders [7] in dB that are solved as wholes for each track, so that they sound as
        `render` makes them; until then, and beside them, the faders add up. Called once the first sound has left.
    """

    backend: str = "auto"
    device: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    block_length: int = BLOCK_LENGTH
    ahead: int | None = None
    ceiling_dbtp: float = -1.0
    model: Path | None = None
    analysis: Mapping[str, Any] = field(default_factory=dict)
    draft_first: bool = False
    presets: Callable[[], tuple[tuple[float, ...], ...]] = tuple
