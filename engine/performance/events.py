"""The words in which a performance is told: which control took which value at which output sample."""

from dataclasses import dataclass

ROOT = "/moodfader/"
ANALYSIS_READY = ROOT + "track/ready"
"""The change that says from when on the analysis of a track (its number is the value) is there."""
Value = float | int | bool | str | None


@dataclass(frozen=True)
class ControlEvent:
    """What was set to which value, from the step on that begins at or after output sample `at`."""

    at: int
    address: str
    value: Value
