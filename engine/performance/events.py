"""Control events of a performance, and the addresses that the engine knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...models.common.constants import MIDLEVEL
from ..dsp.faders import FADER_RANGE_DB

ROOT = "/moodfader/"
ANALYSIS_READY = ROOT + "track/ready"
"""Event from which on the analysis of a track is used; its value is the number of the track."""
SETTING_SOLVED = ROOT + "track/setting"
"""Event from which on a setting of the faders sounds as it was solved as a whole; its value is `setting_text`."""
SEEK = ROOT + "transport/seek"
SKIP = ROOT + "transport/skip"
"""Relative seek in seconds; automation files contain the resulting SEEK."""
TRACK = ROOT + "transport/track"
PLAY = ROOT + "transport/play"
PAUSE = ROOT + "transport/pause"
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


def setting_text(track: int, faders_db: Sequence[float]) -> str:
    """The value of SETTING_SOLVED: the number of the track and the seven faders in dB.

    Examples
    --------
    >>> setting_text(0, (6.0, 0.0, 0.0, 0.0, 0.0, 0.0, -4.5))
    '0 6.0 0.0 0.0 0.0 0.0 0.0 -4.5'
    """
    return " ".join((str(track), *(repr(float(db)) for db in faders_db)))


def read_setting(text: object) -> tuple[int, tuple[float, ...]]:
    """Track and faders of such a value. Raises ValueError."""
    words = text.split() if isinstance(text, str) else []
    if len(words) != 1 + len(MIDLEVEL):
        raise ValueError("a solved setting is the number of a track and seven faders")
    track, faders_db = int(words[0]), tuple(map(float, words[1:]))
    low, high = FADER_RANGE_DB
    if track < 0 or not all(low <= db <= high for db in faders_db):
        raise ValueError(f"faders go from {low:g} to {high:g} dB")
    return track, faders_db
