"""The table of everything that can be controlled or watched: address, range, unit, meaning. Its only home.

From it come the OSC server, the OSCQuery tree, the MIDI mapping, the terminal view, the controller layouts and the
reference page; `Session` checks values by it.
"""

import difflib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from ...engine.dsp.faders import FADER_RANGE_DB
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.formatting import display_name
from .address_patterns import has_wildcard, matches

Value = float | int | bool | str | None
"""What an address holds: None where nothing is known yet."""
Kind = Literal["float", "int", "bool", "trigger", "string"]
ROOT: Final = "/moodfader"


@dataclass(frozen=True)
class Parameter:
    """One address. `low` and `high` bound numbers (None: open); a control that is not writable is only watched."""

    address: str
    kind: Kind
    low: float | None
    high: float | None
    unit: str
    default: Value
    description: str
    writable: bool = True

    @property
    def has_norm(self) -> bool:
        """Whether it can be set through `<address>/norm`, 0..1 from low to high."""
        return self.writable and self.kind == "float" and self.low is not None and self.high is not None

    def from_norm(self, fraction: float) -> float:
        """The value at that fraction of the way from low to high. Raises InputError outside 0..1."""
        if self.low is None or self.high is None or not self.has_norm:
            raise InputError(f"{self.address}: has no range, so it takes no normalised value")
        if not 0 <= fraction <= 1:
            raise InputError(f"{self.address}/norm: {fraction:g} is out of range, it goes from 0 to 1")
        return self.low + (self.high - self.low) * fraction

    def to_norm(self, value: float) -> float:
        """Where between low and high a value lies, 0..1."""
        if self.low is None or self.high is None:
            raise InputError(f"{self.address}: has no range, so it has no normalised value")
        return (value - self.low) / (self.high - self.low)

    def validate(self, value: object) -> Value:
        """The value in this control's kind: 1 and 1.0 serve as True, whole floats as int, True as 1.0.

        A trigger gives True, or False for the release of a button, which does nothing. Raises InputError for a
        value of a wrong kind, outside the range or not finite. Whether it may be written at all is not asked here.
        """
        if self.kind == "string":
            if not isinstance(value, str) or len(value) > 256 or not value.isprintable():
                raise InputError(f"{self.address}: wants a text of at most 256 printable characters")
            return value
        if self.kind == "trigger" and value is None:
            return True
        if isinstance(value, str) or not isinstance(value, int | float):
            raise InputError(f"{self.address}: wants {_WANTED[self.kind]}, not {_shown(value)}")
        if not _finite(value):
            raise InputError(f"{self.address}: wants a finite number")
        if self.kind in ("bool", "trigger"):
            return bool(value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise InputError(f"{self.address}: {value:g} is out of range, {self.range_text}")
        if self.kind == "float":
            return float(value)
        if value != int(value):
            raise InputError(f"{self.address}: {value:g} is not a whole number")
        return int(value)

    @property
    def range_text(self) -> str:
        """The range in words, with its unit."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"it goes from {self.low:g} to {self.high:g}{unit}"
        return f"it starts at {self.low:g}{unit}" if self.low is not None else "any"


_WANTED: Final = {"float": "a number", "int": "a whole number", "bool": "true or false", "trigger": "no value"}


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) and len(value) < 40 else f"a {type(value).__name__}"


def _fader(name: str) -> Parameter:
    low, high = FADER_RANGE_DB
    meaning = f"Fader of {display_name(name)}: gain of the segments that make it heard."
    return Parameter(f"{ROOT}/midlevel/{name}", "float", low, high, "dB", 0.0, meaning)


def _transport(name: str, kind: Kind, default: Value, meaning: str, *, writable: bool = True) -> Parameter:
    low, unit = (0.0, "s" if kind == "float" else "") if kind in ("float", "int") else (None, "")
    return Parameter(f"{ROOT}/transport/{name}", kind, low, None, unit, default, meaning, writable)


def _switch(name: str, default: bool, meaning: str) -> Parameter:
    return Parameter(f"{ROOT}/{name}", "bool", None, None, "", default, meaning)


def _watched(folder: str, name: str, meaning: str) -> Parameter:
    return Parameter(f"{ROOT}/{folder}/{name}", "float", None, None, "", None, meaning, writable=False)


def _state(name: str, meaning: str) -> Parameter:
    return Parameter(f"{ROOT}/state/{name}", "string", None, None, "", "", meaning, writable=False)


_STATES: Final = {
    "sound": "What sounds: steered, zero, original, delta, no_analysis, output_gone, renderer_gone, paused or ended.",
    "text": "The same in words, with the progress of an analysis.",
    "output": "The sound card: running, gone or failed.",
    "renderer": "The process that renders: running, restarting or failed.",
    "analyzer": "The process that analyses and measures: running, restarting or failed.",
}


def _meter(
    name: str, unit: str, meaning: str, *, kind: Kind = "float", low: float | None = 0.0, default: Value = 0.0
) -> Parameter:
    return Parameter(f"{ROOT}/meter/{name}", kind, low, None, unit, default, meaning, writable=False)


PARAMETERS: Final[tuple[Parameter, ...]] = (
    *(_fader(name) for name in MIDLEVEL),
    *(
        _watched("emotion", name, f"{display_name(name)} now, 0..1 (surrogate: linear, at once).")
        for name in EMOTIONS
    ),
    *(
        _watched("measured", name, f"{display_name(name)} of the last seconds heard, 0..1 (measured).")
        for name in EMOTIONS
    ),
    *(
        _watched("original", name, f"{display_name(name)} of the same seconds of the original, 0..1 (measured).")
        for name in EMOTIONS
    ),
    *(
        _watched(
            "effect", name, f"Effect on {display_name(name)}: steered minus original, the same seconds (measured)."
        )
        for name in (*EMOTIONS, *MIDLEVEL)
    ),
    *(
        _watched(
            "expected", name, f"Effect on {display_name(name)} that the surrogate expects of the faders, at once."
        )
        for name in (*EMOTIONS, *MIDLEVEL)
    ),
    Parameter(f"{ROOT}/excerpt/duration", "float", 0.0, 10.0, "s", 0.0, "Length of what was measured last.", False),
    Parameter(f"{ROOT}/excerpt/settling", "bool", None, None, "", False, "It has sound from before a move.", False),
    *(_watched("before", name, f"{display_name(name)} of the track as it is, 0..1 (measured).") for name in EMOTIONS),
    _transport("play", "bool", False, "True plays, False pauses; tells which."),
    _transport("pause", "trigger", None, "Pause."),
    _transport("seek", "float", None, "Go to this position of the track."),
    Parameter(
        f"{ROOT}/transport/skip", "float", None, None, "s", None, "Go on by so many seconds, or back; adds up."
    ),
    _transport("loop_start", "float", 0.0, "Where the loop begins."),
    _transport("loop_end", "float", 0.0, "Where the loop ends; 0: at the end of the track."),
    _transport("loop", "bool", False, "Whether the stretch between the two is repeated."),
    _transport("track", "int", 0, "Go to this track of the set list, counted from 0; tells which plays."),
    _transport("next", "trigger", None, "Go to the next track."),
    _transport("previous", "trigger", None, "Go to the track before."),
    _transport("tracks", "int", 0, "How many tracks the set list has.", writable=False),
    _transport("position", "float", 0.0, "Position in the track of what is heard.", writable=False),
    _transport("duration", "float", 0.0, "Length of the track.", writable=False),
    *(_state(name, meaning) for name, meaning in _STATES.items()),
    Parameter(f"{ROOT}/state/analysis", "float", 0.0, 1.0, "", None, "Share of the analysis that is done.", False),
    Parameter(f"{ROOT}/state/recording", "bool", None, None, "", False, "Whether the show is being recorded.", False),
    Parameter(f"{ROOT}/zero", "trigger", None, None, "", None, "All seven faders to 0 dB."),
    Parameter(f"{ROOT}/preset/load", "string", None, None, "", "", "Put the faders as the preset of this name says."),
    _switch("bypass", False, "True: the original, aligned to the sample (A/B)."),
    _switch("delta", False, "True: only what the faders changed."),
    Parameter(f"{ROOT}/wet", "float", 0.0, 1.0, "", 1.0, "Share of the steered sound; the rest is the original."),
    Parameter(f"{ROOT}/master", "float", -60.0, 12.0, "dB", 0.0, "Gain of all that is heard."),
    _switch("match_loudness", False, "Whether the steered sound is brought to the original's loudness."),
    _meter("peak_db", "dBTP", "Largest true peak of the last moments.", low=None, default=-120.0),
    _meter("load", "", "Share of the time that rendering takes: 1 is all of it."),
    _meter("dropouts", "", "Blocks that were not ready in time since the start.", kind="int", default=0),
    _meter(
        "late", "", "Cycles that JACK called late (its own fault or another program's, too).", kind="int", default=0
    ),
    _meter("ring", "blocks", "Blocks that are ready ahead of the sound card."),
    _meter("latency_ms", "ms", "From a control to the changed sound at the sound card (on average)."),
)

_BY_ADDRESS: Final = {control.address: control for control in PARAMETERS}


def find_parameter(address: str) -> Parameter:
    """The control of that address. Raises InputError, with a guess at what was meant."""
    control = _BY_ADDRESS.get(address)
    if control is None:
        near = difflib.get_close_matches(address[:80], _BY_ADDRESS, n=1, cutoff=0.75)
        guess = f"did you mean {near[0]}?" if near else "`moodfader controls` lists all"
        raise InputError(f"no control has the address {address[:80]!r}: {guess}")
    return control


@lru_cache(maxsize=256)
def match_parameters(pattern: str) -> tuple[Parameter, ...]:
    """The controls that an OSC address pattern names (`?`, `*`, `[a-z]`, `{this,that}`), in the table's order."""
    if not has_wildcard(pattern):
        control = _BY_ADDRESS.get(pattern)
        return (control,) if control else ()
    return tuple(control for control in PARAMETERS if matches(pattern, control.address))
