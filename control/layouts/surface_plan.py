"""What a touch surface shows, row by row, for every format of layout: which parameters, under which names."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import name_with_pole
from ..parameters.snapshot_rows import SLOTS
from ..parameters.table import ROOT, Parameter, Value, find_parameter

Kind = Literal["fader", "meter", "toggle", "button"]
GAP: Final = 10
_WIDTH, _FADER, _METER, _BUTTON = 100, 300, 200, 60
_SEEK_S: Final = 10.0
_MORE_FADERS: Final = (("wet", "wet"), ("master", "master"), ("morph/position", "crossfade"))
_OF_SLOTS: Final = (
    ("snapshot/recall", "snapshot"),
    ("morph/to", "morph to"),
    ("snapshot/store", "store"),
    ("cue/go", "cue"),
)
"""Rows of buttons, one for each slot or cue point."""


@dataclass(frozen=True)
class Control:
    """One control of a surface.

    Attributes
    ----------
    kind : str
        A fader, a meter (a fader that cannot be touched), a toggle or a button.
    parameter : Parameter
        What it sets or shows.
    name : str
        What is written on it.
    left, top, width, height : int
        Its place in pixels.
    value : Value
        What a button sends; None: nothing, it is a trigger.
    """

    kind: Kind
    parameter: Parameter
    name: str
    left: int
    top: int
    width: int
    height: int
    value: Value = None

    @property
    def id(self) -> str:
        """A name that no other control has."""
        short = self.parameter.address.removeprefix(f"{ROOT}/")
        return short if self.value is None else f"{short}/{self.value}"

    @property
    def span(self) -> tuple[float, float]:
        """Lower and upper bound; 0 and 1 for what has none."""
        low, high = self.parameter.low, self.parameter.high
        return (0.0 if low is None else low), (1.0 if high is None else high)


def surface_plan(presets: tuple[str, ...] = ()) -> list[Control]:
    """All controls of a surface, in rows from the top.

    Parameters
    ----------
    presets : tuple of str
        Names of presets; a button each.
    """
    names = tuple((f"midlevel/{name}", name_with_pole(name)) for name in MIDLEVEL)
    faders = _row("fader", (*names, *_MORE_FADERS), top=0, height=_FADER)
    top = _FADER + GAP
    meters = _row("meter", tuple((f"emotion/{name}", name) for name in EMOTIONS), top=top, height=_METER)
    top += _METER + GAP
    switches = (
        ("transport/play", "play"),
        ("transport/loop", "loop"),
        ("bypass", "original"),
        ("delta", "delta"),
        ("match_loudness", "match loudness"),
    )
    toggles = _row("toggle", switches, top=top, height=_BUTTON)
    triggers: tuple[tuple[str, str, Value], ...]
    triggers = (("zero", "zero", None), ("transport/previous", "previous", None), ("transport/next", "next", None))
    triggers += (("undo", "undo", None), ("redo", "redo", None))
    skips = (("transport/skip", "\u2212 10 s", -_SEEK_S), ("transport/skip", "+ 10 s", _SEEK_S))
    top += _BUTTON + GAP
    buttons = _buttons((*triggers, *skips), top=top)
    top += _BUTTON + GAP
    slots: list[list[tuple[str, str, Value]]]
    slots = [[(address, f"{name} {slot}", slot) for slot in range(1, SLOTS + 1)] for address, name in _OF_SLOTS]
    loads: list[tuple[str, str, Value]] = [("preset/load", name, name) for name in presets]
    per_row = len(faders)
    for row in (*slots, *(loads[start : start + per_row] for start in range(0, len(loads), per_row))):
        buttons += _buttons(tuple(row), top=top)
        top += _BUTTON + GAP
    return [*faders, *meters, *toggles, *buttons]


def _row(kind: Kind, what: tuple[tuple[str, str], ...], *, top: int, height: int) -> list[Control]:
    return [
        Control(kind, find_parameter(f"{ROOT}/{address}"), name, column * (_WIDTH + GAP), top, _WIDTH, height)
        for column, (address, name) in enumerate(what)
    ]


def _buttons(what: tuple[tuple[str, str, Value], ...], *, top: int) -> list[Control]:
    rows = _row("button", tuple((address, name) for address, name, _ in what), top=top, height=_BUTTON)
    return [replace(one, value=value) for one, (_, _, value) in zip(rows, what, strict=True)]
