"""The table of all parameters: OSC address, type, range, unit and description. Nothing of it stands elsewhere.

The OSC server, the OSCQuery tree, the MIDI mapping, the terminal view, the controller layouts and the address
reference are made from it; `Session` validates values by it. A new address is a new row of `PARAMETERS`.
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
"""What a parameter holds: None while it is not known."""
Kind = Literal["float", "int", "bool", "trigger", "string"]
ROOT: Final = "/moodfader"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a session.

    Attributes
    ----------
    address : str
        Its OSC address.
    kind : Kind
        The type of its value. A trigger has none: it acts.
    low, high : float or None
        Bounds of a number; None: unbounded.
    unit : str
        Unit of the value, empty without.
    default : Value
        What it holds at first.
    description : str
        What it does, in one sentence.
    writable : bool
        Whether it can be set; otherwise it is only read.
    """

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
        """Whether it has the normalised form `<address>/norm`, 0..1 from `low` to `high`."""
        return self.writable and self.kind == "float" and self.low is not None and self.high is not None

    def from_norm(self, fraction: float) -> float:
        """The value for a normalised one. Raises InputError if that is outside 0..1, or there is no such form."""
        if self.low is None or self.high is None or not self.has_norm:
            raise InputError(f"{self.address}: has no range, so it takes no normalised value")
        if not 0 <= fraction <= 1:
            raise InputError(f"{self.address}/norm: {fraction:g} is out of range, it goes from 0 to 1")
        return self.low + (self.high - self.low) * fraction

    def to_norm(self, value: float) -> float:
        """The normalised value, 0..1 from `low` to `high`. Raises InputError if there is no such form."""
        if self.low is None or self.high is None:
            raise InputError(f"{self.address}: has no range, so it has no normalised value")
        return (value - self.low) / (self.high - self.low)

    def validate(self, value: object) -> Value:
        """The value converted to this parameter's type: 1 and 1.0 become True, whole floats int, True 1.0.

        Whether the parameter is writable is not checked here.

        Returns
        -------
        Value
            Of a trigger True, or False for the release of a button (0), which does nothing.

        Raises
        ------
        InputError
            For a value of another type, out of range or not finite.
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
    def wanted(self) -> str:
        """The type of value that it takes, in words."""
        return _WANTED[self.kind]

    @property
    def range_text(self) -> str:
        """The range in words, with the unit."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"it goes from {self.low:g} to {self.high:g}{unit}"
        return f"it starts at {self.low:g}{unit}" if self.low is not None else "any"


_WANTED: Final = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "trigger": "no value",
    "string": "a text",
}


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) and len(value) < 40 else f"a {type(value).__name__}"


def _fader(name: str) -> Parameter:
    low, high = FADER_RANGE_DB
    meaning = f"Fader of {display_name(name)}: gain of the segments that raise its prediction."
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
        _watched(
            "emotion",
            name,
            f"{display_name(name)} as the linear surrogate predicts it for the faders, 0..1, at once.",
        )
        for name in EMOTIONS
    ),
    *(
        _watched("measured", name, f"{display_name(name)} predicted from the last seconds that sounded, 0..1.")
        for name in EMOTIONS
    ),
    *(
        _watched("original", name, f"{display_name(name)} predicted from the same seconds of the original, 0..1.")
        for name in EMOTIONS
    ),
    *(
        _watched(
            "effect", name, f"Measured effect on {display_name(name)}: steered minus original over the same seconds."
        )
        for name in (*EMOTIONS, *MIDLEVEL)
    ),
    *(
        _watched(
            "expected",
            name,
            f"Expected effect of the faders on {display_name(name)} by the linear surrogate, at once.",
        )
        for name in (*EMOTIONS, *MIDLEVEL)
    ),
    Parameter(
        f"{ROOT}/excerpt/duration",
        "float",
        0.0,
        10.0,
        "s",
        0.0,
        "Length of the excerpt that was measured last.",
        False,
    ),
    Parameter(
        f"{ROOT}/excerpt/settling",
        "bool",
        None,
        None,
        "",
        False,
        "Whether that excerpt began before the last change.",
        False,
    ),
    *(
        _watched("before", name, f"{display_name(name)} predicted from the whole original track, 0..1.")
        for name in EMOTIONS
    ),
    _transport("play", "bool", False, "Whether it plays; false pauses."),
    _transport("pause", "trigger", None, "Pause."),
    _transport("seek", "float", None, "Go to this position in the track."),
    Parameter(
        f"{ROOT}/transport/skip",
        "float",
        None,
        None,
        "s",
        None,
        "Seek by so many seconds, forward or back; several add up.",
    ),
    _transport("loop_start", "float", 0.0, "Begin of the loop."),
    _transport("loop_end", "float", 0.0, "End of the loop; 0: the end of the track."),
    _transport("loop", "bool", False, "Whether the loop is on."),
    _transport("track", "int", 0, "The track that plays, counted from 0; setting it goes there."),
    _transport("next", "trigger", None, "Go to the next track."),
    _transport("previous", "trigger", None, "Go to the previous track."),
    _transport("tracks", "int", 0, "Number of tracks in the set list.", writable=False),
    _transport("position", "float", 0.0, "Position in the track that is audible now.", writable=False),
    _transport("duration", "float", 0.0, "Length of the track.", writable=False),
    *(_state(name, meaning) for name, meaning in _STATES.items()),
    Parameter(f"{ROOT}/state/analysis", "float", 0.0, 1.0, "", None, "Progress of the analysis, 0..1.", False),
    Parameter(f"{ROOT}/state/recording", "bool", None, None, "", False, "Whether the show is being recorded.", False),
    Parameter(f"{ROOT}/zero", "trigger", None, None, "", None, "All seven faders to 0 dB."),
    Parameter(f"{ROOT}/preset/load", "string", None, None, "", "", "Load the preset of this name."),
    _switch("bypass", False, "A/B: whether the original sounds, aligned to the sample."),
    _switch("delta", False, "Whether only the difference that the faders make sounds."),
    Parameter(f"{ROOT}/wet", "float", 0.0, 1.0, "", 1.0, "Fraction of the steered sound; the rest is the original."),
    Parameter(f"{ROOT}/master", "float", -60.0, 12.0, "dB", 0.0, "Output gain."),
    _switch("match_loudness", False, "Whether the steered sound is matched to the loudness of the original."),
    _meter("peak_db", "dBTP", "True peak of the last blocks.", low=None, default=-120.0),
    _meter("load", "", "Rendering time as a fraction of real time: 1 is all of it."),
    _meter("dropouts", "", "Underruns: blocks that were not ready in time, since the start.", kind="int", default=0),
    _meter("late", "", "Xruns: cycles that JACK reported as late (through any program).", kind="int", default=0),
    _meter("ring", "blocks", "Rendered blocks that wait for the sound card."),
    _meter("latency_ms", "ms", "Mean latency from a fader to the sound card."),
)

_BY_ADDRESS: Final = {parameter.address: parameter for parameter in PARAMETERS}


def find_parameter(address: str) -> Parameter:
    """The parameter of that address. Raises InputError, with a guess at what was meant, if there is none."""
    parameter = _BY_ADDRESS.get(address)
    if parameter is None:
        near = difflib.get_close_matches(address[:80], _BY_ADDRESS, n=1, cutoff=0.75)
        guess = f"did you mean {near[0]}?" if near else "`moodfader controls` lists all"
        raise InputError(f"no control has the address {address[:80]!r}: {guess}")
    return parameter


@lru_cache(maxsize=256)
def match_parameters(pattern: str) -> tuple[Parameter, ...]:
    """The parameters that an OSC address pattern (`?`, `*`, `[a-z]`, `{this,that}`) matches, in table order."""
    if not has_wildcard(pattern):
        parameter = _BY_ADDRESS.get(pattern)
        return (parameter,) if parameter else ()
    return tuple(parameter for parameter in PARAMETERS if matches(pattern, parameter.address))
