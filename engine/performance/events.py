"""The words in which a performance is told: which control took which value at which output sample."""

from dataclasses import dataclass

ROOT = "/moodfader/"
ANALYSIS_READY = ROOT + "track/ready"
"""The change that says from when on the analysis of a track (its number is the value) is there."""
SEEK = ROOT + "transport/seek"
SKIP = ROOT + "transport/skip"
"""A relative seek in seconds; an automation file has the seek that it came to."""
TRACK = ROOT + "transport/track"
LOOP = ROOT + "transport/loop"
LOOP_START = ROOT + "transport/loop_start"
LOOP_END = ROOT + "transport/loop_end"
BYPASS = ROOT + "bypass"
DELTA = ROOT + "delta"
FADE_OUT = ROOT + "fade_out"
"""Fades all sound out within so many seconds, linearly; the last event of a performance that is ended by hand."""
Value = float | int | bool | str | None


@dataclass(frozen=True)
class ControlEvent:
    """What was set to which value, from the step on that begins at or after output sample `at`."""

    at: int
    address: str
    value: Value
