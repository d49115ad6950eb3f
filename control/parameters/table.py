"""The table of all parameters: OSC address, type, range, unit and description; some of its rows are in *_rows.py.

The OSC server, the OSCQuery tree, the MIDI mapping, the terminal view, the controller layouts and the address
reference are made from it; `Session` validates values by it. A new address is a new row of `PARAMETERS`.
"""

import difflib
from functools import lru_cache
from typing import Final

from ...engine.dsp.faders import FADER_RANGE_DB, MASTER_RANGE_DB, WET_RANGE
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.formatting import display_name
from .address_patterns import has_wildcard, matches
from .parameter import OFF, ROOT, Kind, Parameter, Value
from .snapshot_rows import SNAPSHOT_ROWS
from .target_rows import TARGET_ROWS

__all__ = ["OFF", "PARAMETERS", "ROOT", "Kind", "Parameter", "Value", "find_parameter", "match_parameters"]


def _fader(name: str) -> Parameter:
    low, high = FADER_RANGE_DB
    meaning = f"Fader of {display_name(name)}: above 0 dB raises it, below lowers it, by gains of segments."
    return Parameter(f"{ROOT}/midlevel/{name}", "float", low, high, "dB", 0.0, meaning)


def _transport(
    name: str, kind: Kind, default: Value, meaning: str, *, writable: bool = True, acts: bool = False
) -> Parameter:
    low, unit = (0.0, "s" if kind == "float" else "") if kind in ("float", "int") else (None, "")
    return Parameter(f"{ROOT}/transport/{name}", kind, low, None, unit, default, meaning, writable, acts=acts)


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
        acts=True,
    ),
    _transport("loop_start", "float", 0.0, "Begin of the loop."),
    _transport("loop_end", "float", 0.0, "End of the loop; 0: the end of the track."),
    _transport("loop", "bool", False, "Whether the loop is on."),
    _transport("track", "int", 0, "The track that plays, counted from 0; setting it goes there."),
    _transport("next", "trigger", None, "Go to the next track.", acts=True),
    _transport("previous", "trigger", None, "Go to the previous track.", acts=True),
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
    Parameter(
        f"{ROOT}/wet", "float", *WET_RANGE, "", 1.0, "Fraction of the steered sound; the rest is the original."
    ),
    Parameter(f"{ROOT}/master", "float", *MASTER_RANGE_DB, "dB", 0.0, "Output gain."),
    _switch("match_loudness", False, "Whether the steered sound is matched to the loudness of the original."),
    _meter("peak_db", "dBTP", "True peak of the last blocks.", low=None, default=-120.0),
    _meter("left_db", "dBFS", "Sample peak of the first channel.", low=None, default=-120.0),
    _meter("right_db", "dBFS", "Sample peak of the second channel (the first of mono).", low=None, default=-120.0),
    _meter("reduction_db", "dB", "By how much the limiter lowers the sound; 0 while it is idle."),
    _meter("load", "", "Rendering time as a fraction of real time: 1 is all of it."),
    _meter("dropouts", "", "Underruns: blocks that were not ready in time, since the start.", kind="int", default=0),
    _meter("late", "", "Xruns: cycles that JACK reported as late (through any program).", kind="int", default=0),
    _meter("ring", "blocks", "Rendered blocks that wait for the sound card."),
    _meter("latency_ms", "ms", "Mean latency from a fader to the sound card."),
    *SNAPSHOT_ROWS,
    *TARGET_ROWS,
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
