"""Which control change moves which address: the logic, without a port.

    [[control]]
    address = "/moodfader/midlevel/articulation"
    channel = 1                  # 1..16
    number = 7                   # 0..119
    mode = "7bit"                # 14bit, twos, offset, signed

14-bit: numbers 0..31 bring the coarse half, number + 32 the fine one. Encoders without ends send ticks: `twos`
1 up and 127 down, `offset` 65 up and 63 down, `signed` 1 up and 65 down; a tick is 1/128 of the range.
"""

import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import tomli_w

from ...models.common.atomic_write import atomic_write
from ...models.common.errors import InputError
from ..session.parameters import Parameter, Value, find_parameter

MODES: Final = ("7bit", "14bit", "twos", "offset", "signed")
_RELATIVE: Final = MODES[2:]
_PRESSED: Final = 64


@dataclass(frozen=True)
class MidiBinding:
    """One control change on one channel, and what it moves. Raises InputError for what cannot be mapped."""

    address: str
    channel: int
    number: int
    mode: str = "7bit"

    def __post_init__(self) -> None:
        control = self.check_address(self.address)
        if self.mode not in MODES:
            raise InputError(f"MIDI mode {self.mode!r}: there are {', '.join(MODES)}")
        if self.mode != "7bit" and not control.has_norm:
            raise InputError(f"{self.address}: has no range, so only a button in mode 7bit can set it")
        for name, low, high in (("channel", 1, 16), ("number", 0, 31 if self.mode == "14bit" else 119)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise InputError(f"{self.address}: MIDI {name} {value!r} is none from {low} to {high} ({self.mode})")

    @staticmethod
    def check_address(address: str) -> Parameter:
        """The control of that address. Raises InputError if a MIDI control cannot set it."""
        control = find_parameter(address)
        if not (control.has_norm or (control.writable and control.kind in ("bool", "trigger"))):
            raise InputError(f"{address}: a MIDI control cannot set it (only faders, switches and buttons)")
        return control


class ControlChangeDecoder:
    """Turns control changes into values of addresses; keeps the coarse halves that wait for their fine ones."""

    def __init__(self, mapping: Iterable[MidiBinding], current: Callable[[str], Value]) -> None:
        """`current` gives the value of an address: relative encoders start from it."""
        self._mapped: dict[tuple[int, int], list[tuple[MidiBinding, Parameter]]] = {}
        self._coarse: dict[MidiBinding, int] = {}
        self._has_fine: set[MidiBinding] = set()
        self._current = current
        for mapped in mapping:
            numbers = (mapped.number, mapped.number + 32) if mapped.mode == "14bit" else (mapped.number,)
            for number in numbers:
                moved = self._mapped.setdefault((mapped.channel, number), [])
                moved.append((mapped, find_parameter(mapped.address)))

    def decode(self, channel: int, number: int, value: int) -> list[tuple[str, Value]]:
        """What a control change (channel 1..16, number and value 0..127) sets: addresses and values."""
        changes: list[tuple[str, Value]] = []
        for mapped, control in self._mapped.get((channel, number), ()):
            if mapped.mode in _RELATIVE:
                now = self._current(control.address)
                at = (
                    control.to_norm(now if isinstance(now, int | float) else 0.0)
                    + encoder_steps(mapped.mode, value) / 128
                )
                changes.append((control.address, control.from_norm(min(max(at, 0.0), 1.0))))
            elif mapped.mode == "14bit":
                fraction = self._wide(mapped, number, value)
                if fraction is not None:
                    changes.append((control.address, control.from_norm(fraction)))
            elif control.has_norm:
                changes.append((control.address, control.from_norm(_centred(value))))
            elif control.kind == "bool":
                changes.append((control.address, value >= _PRESSED))
            elif value >= _PRESSED:  # a trigger's release does nothing
                changes.append((control.address, True))
        return changes

    def _wide(self, mapped: MidiBinding, number: int, value: int) -> float | None:
        """0..1 of both halves; the coarse one alone counts only until a fine one has been seen."""
        if number == mapped.number:
            self._coarse[mapped] = value
            return None if mapped in self._has_fine else _centred(value)
        self._has_fine.add(mapped)
        return ((self._coarse.get(mapped, 0) << 7) | value) / 16383


def encoder_steps(mode: str, value: int) -> int:
    """How far a relative encoder was turned: positive is clockwise."""
    if mode == "twos":
        return value - 128 if value >= 64 else value
    if mode == "offset":
        return value - 64
    return -(value - 64) if value >= 64 else value


def infer_binding(address: str, seen: Sequence[tuple[int, int, int]]) -> MidiBinding | None:
    """The mapping of the control that was moved, from (channel, number, value) of all that came; None: move on.

    It is the one that moved most. A control with a fine half beside it is 14-bit; small steps that repeat are an
    encoder's (turned both ways, it tells its kind). A button is known by its first press.
    """
    control = find_parameter(address)
    if not control.has_norm:
        pressed = next(((channel, number) for channel, number, value in seen if value >= _PRESSED), None)
        return None if pressed is None else MidiBinding(address, *pressed)
    values: dict[tuple[int, int], list[int]] = {}
    for channel, number, value in seen:
        values.setdefault((channel, number), []).append(value)
    if not values:
        return None
    channel, number = max(values, key=lambda key: len(values[key]))
    coarse = number - 32 if 32 <= number < 64 and (channel, number - 32) in values else number
    if coarse < 32 and (channel, coarse + 32) in values:
        return MidiBinding(address, channel, coarse, "14bit") if len(values[channel, coarse + 32]) >= 4 else None
    moved = values[channel, number]
    return MidiBinding(address, channel, number, _kind(moved)) if len(moved) >= 8 else None


def _kind(values: Sequence[int]) -> str:
    """7bit, or the encoder that sends such values: a pot never sends the same value twice in a row."""
    repeats = sum(one == other for one, other in pairwise(values))
    if repeats * 2 >= len(values) - 1:
        for mode, fits in (
            ("twos", lambda value: value <= 8 or value >= 120),
            ("offset", lambda value: 56 <= value <= 72),
            ("signed", lambda value: value <= 8 or 64 <= value <= 72),
        ):
            if all(fits(value) for value in values):
                return mode
    return "7bit"


def _centred(value: int) -> float:
    """0..127 as 0..1 with 64 exactly in the middle, where controllers put their detent: 0 dB."""
    return value / 128 if value <= 64 else 0.5 + (value - 64) / 126


def read_mapping(path: Path) -> tuple[MidiBinding, ...]:
    """The mapping kept in a file, none if there is no file. Raises InputError for what is no mapping."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    rows = values.get("control", [])
    if set(values) - {"control"} or not isinstance(rows, list):
        raise InputError(f"{path}: a MIDI mapping is a list of [[control]], nothing else")
    return tuple(_row(path, row) for row in rows)


def _row(path: Path, row: Any) -> MidiBinding:  # noqa: ANN401
    if not isinstance(row, dict) or not {"address", "channel", "number"} <= set(row) <= set(
        MidiBinding.__annotations__
    ):
        raise InputError(f"{path}: a [[control]] has address, channel, number and mode, nothing else")
    if not isinstance(row["address"], str):
        raise InputError(f"{path}: the address {row['address']!r} is no text")
    try:
        return MidiBinding(**row)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def save_mapping(path: Path, mapping: Iterable[MidiBinding]) -> None:
    """Keep a mapping. Raises InputError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be made ({error.strerror or error})") from error
    with atomic_write(path) as beside:
        beside.write_text(tomli_w.dumps({"control": [asdict(mapped) for mapped in mapping]}), encoding="utf-8")
