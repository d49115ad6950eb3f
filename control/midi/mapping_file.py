"""The MIDI mapping: which control sets which address, in a TOML file.

    [[control]]
    address = "/moodfader/midlevel/articulation"
    channel = 1                  # 1..16
    number = 7                   # of the controller, note or program
    message = "control"          # note, program, pitchbend
    mode = "7bit"                # 14bit, twos, offset, signed, toggle
    takeover = "pickup"          # jump
    value = "dolce"              # what a press sets, for buttons, pads and programs
    on = 127                     # what lights the lamp of a button or pad (play --midi-out): a colour, on some
    off = 0                      # what puts it out

Modes: `14bit` takes numbers 0..31 for the coarse half, number + 32 for the fine one. Encoders without ends send
steps: `twos` 1 up and 127 down, `offset` 65 up and 63 down, `signed` 1 up and 65 down; a step is 1/128 of the range.
`toggle` turns a switch over at each press.

Takeover: with `pickup` a fader that stands elsewhere than the value (a preset was loaded, another surface moved it)
does nothing until it comes to the value or crosses it; with `jump` it acts at once. A motor fader that has gone along
(feedback.py) holds the value.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import tomli_w

from ...models.common.atomic_write import atomic_write, make_folder
from ...models.common.errors import InputError
from ...models.common.parsing import parse_toml, read_text
from ...models.common.paths import config_dir
from ..parameters.table import Parameter, Value, find_parameter
from .messages import KINDS

RELATIVE: Final = ("twos", "offset", "signed")
MODES: Final = ("7bit", "14bit", *RELATIVE, "toggle")
TAKEOVERS: Final = ("pickup", "jump")
_MAX_BYTES: Final = 1 << 20
_MAX_BINDINGS: Final = 4096


@dataclass(frozen=True)
class MidiBinding:
    """One control and the address that it sets; fields as in the file.

    Attributes
    ----------
    address : str
        Address of a writable parameter.
    channel : int
        MIDI channel, 1..16.
    number : int
        Number of the controller (0..119; coarse half of 14 bits: 0..31), note or program (0..127).
    mode : str
        One of `MODES`: how the values are to be read.
    message : str
        One of `KINDS`: the type of MIDI message.
    takeover : str
        One of `TAKEOVERS`: what a fader does that stands elsewhere than the value.
    value : Value
        What a press sets; None: the address follows the control.
    on, off : int
        Velocity or value, 0..127, that lights the control's lamp and puts it out.

    Raises
    ------
    InputError
        For what cannot be mapped.
    """

    address: str
    channel: int
    number: int = 0
    mode: str = "7bit"
    message: str = "control"
    takeover: str = "pickup"
    value: Value = None
    on: int = 127
    off: int = 0

    def __post_init__(self) -> None:
        parameter = self.check_address(self.address, self.value)
        for name, known in (("mode", MODES), ("message", KINDS), ("takeover", TAKEOVERS)):
            if getattr(self, name) not in known:
                raise InputError(f"MIDI {name} {_shown(getattr(self, name))}: there are {', '.join(known)}")
        largest = {"control": 31 if self.mode == "14bit" else 119, "pitchbend": 0}.get(self.message, 127)
        for name, low, high in (("channel", 1, 16), ("number", 0, largest), ("on", 0, 127), ("off", 0, 127)):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
                raise InputError(
                    f"{self.address}: MIDI {name} {_shown(given)} is none from {low} to {high} ({self.mode})"
                )
        self._check_mode(parameter)

    def _check_mode(self, parameter: Parameter) -> None:
        if self.mode == "toggle" and parameter.kind != "bool":
            raise InputError(f"{self.address}: is no switch, so nothing can turn it over (mode toggle)")
        if self.mode in ("14bit", *RELATIVE):
            if not parameter.has_norm or self.value is not None:
                raise InputError(f"{self.address}: has no range, so only a button in mode 7bit can set it")
            if self.message != "control":
                raise InputError(f"{self.address}: mode {self.mode} is for control changes, not for a {self.message}")
        if self.message == "pitchbend" and (not parameter.has_norm or self.value is not None):
            raise InputError(f"{self.address}: has no range, so a pitch bend cannot set it")
        if self.message == "program" and parameter.has_norm and self.value is None:
            raise InputError(f"{self.address}: a program change needs the value that it sets (value = ...)")

    @staticmethod
    def check_address(address: str, value: Value = None) -> Parameter:
        """The parameter of that address. Raises InputError if MIDI cannot set it (to that value)."""
        parameter = find_parameter(address)
        if value is not None and parameter.writable:
            parameter.validate(value)
        elif not (parameter.has_norm or (parameter.writable and parameter.kind in ("bool", "trigger"))):
            needs = ", or a value to set it to" if parameter.writable else ""
            raise InputError(f"{address}: a MIDI control cannot set it (only faders, switches and buttons{needs})")
        return parameter


def mapping_file() -> Path:
    """The file of the user's mapping, which need not exist."""
    return config_dir() / "midi.toml"


def read_mapping(path: Path) -> tuple[MidiBinding, ...]:
    """Read a mapping; it is empty if there is no such file. Raises InputError for a file that is not a mapping."""
    try:
        values = parse_toml(read_text(path, limit=_MAX_BYTES))
    except FileNotFoundError:
        return ()
    except ValueError as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: not a TOML file ({error})") from error
    rows = values.get("control", [])
    if set(values) - {"control"} or not isinstance(rows, list):
        raise InputError(f"{path}: a MIDI mapping is a list of [[control]], nothing else")
    if len(rows) > _MAX_BINDINGS:
        raise InputError(f"{path}: more than {_MAX_BINDINGS} controls")
    return tuple(_binding(path, row) for row in rows)


def save_mapping(path: Path, mapping: Iterable[MidiBinding]) -> None:
    """Write a mapping; fields with their default are left out. Raises InputError if it cannot be written."""
    make_folder(path.parent)
    defaults = {"message": "control", "takeover": "pickup", "value": None, "on": 127, "off": 0}
    rows = [
        {name: field for name, field in asdict(binding).items() if name not in defaults or field != defaults[name]}
        for binding in mapping
    ]
    with atomic_write(path) as beside:
        beside.write_text(tomli_w.dumps({"control": rows}), encoding="utf-8")


def _binding(path: Path, row: Any) -> MidiBinding:  # noqa: ANN401
    if not isinstance(row, dict) or not {"address", "channel"} <= set(row) <= set(MidiBinding.__annotations__):
        names = ", ".join(MidiBinding.__annotations__)
        raise InputError(f"{path}: a [[control]] has address and channel, and of {names} what it needs, nothing else")
    if not isinstance(row["address"], str):
        raise InputError(f"{path}: the address {_shown(row['address'])} is no text")
    if "number" not in row and row.get("message") != "pitchbend":
        raise InputError(f"{path}: the [[control]] of {row['address'][:80]!r} has no number")
    if not isinstance(row.get("value"), Value):
        raise InputError(f"{path}: the value {_shown(row['value'])} is no number, text or true and false")
    try:
        return MidiBinding(**row)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _shown(value: object) -> str:
    """A value for an error message, shortened."""
    if isinstance(value, int | float | str):
        try:
            return repr(value)[:40]
        except ValueError:  # a whole number of thousands of digits
            return "of thousands of digits"
    return f"a {type(value).__name__}"
