"""Control events of a performance, and the addresses that the engine knows."""

from dataclasses import dataclass

ROOT = "/moodfader/"
ANALYSIS_READY = ROOT + "track/ready"
"""Event from which on the analysis of a track is used; its value is the number of the track."""
SEEK = ROOT + "transport/seek"
SKIP = ROOT + "transport/skip"
"""Relative seek in seconds; automation files contain the resulting SEEK."""
TRACK = ROOT + "transport/track"
LOOP = ROOT + "transport/loop"
LOOP_START = ROOT + "transport/loop_start"
LOOP_END = ROOT + "transport/loop_end"
BYPASS = ROOT + "bypass"
DELTA = ROOT + "delta"
FADE_OUT = ROOT + "fade_out"
"""Linear fade-out of the output; the value is its duration in seconds."""
Value = float | int | bool | str | None


@dataclass(frozen=True)
class ControlEvent:
    """A control takes `value` with the first step that begins at or after output sample `at`."""

    at: int
    address: str
    value: Value
