"""MIDI learn: infers from the messages of a control that is moved which control it is and how it sends."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from ..parameters.table import Value, find_parameter
from .decoder import encoder_steps
from .mapping_file import RELATIVE, MidiBinding
from .messages import MidiMessage

_MAX_MESSAGES: Final = 512
"""Messages that are looked at, the last ones."""
_MIN_MESSAGES: Final = 8
"""Fewest messages of one control from which its mode is inferred."""
_DECIDE_AFTER: Final = 48
"""Messages after which an encoder that was turned one way only is taken for `twos`, the most common mode."""
_POT_RUN: Final = 11
"""Length of a strictly rising or falling run that shows a pot: nobody turns an encoder ever faster for so long."""
_ENCODER_JUMP: Final = 48
"""Difference of two successive values that shows an encoder turned back; no pot moves so far in one message."""
_MAX_STEPS: Final = 40
"""Largest number of steps in one message, from an encoder that accelerates."""


_NUMBER_SELECTORS: Final = frozenset(range(98, 102))
"""Controllers that say which parameter (NRPN, RPN) the data entry that follows is for."""
_DATA_ENTRY: Final = frozenset((6, 38, 96, 97))


class MidiLearn:
    """Collects MIDI messages until the binding can be inferred.

    Parameters
    ----------
    address : str
        The address to be mapped.
    found : callable
        Called once when `result` is there.
    value : Value
        What a press shall set, for a button, pad or program change; None for a control that the address follows.

    Attributes
    ----------
    result : MidiBinding or None
        The binding, once it is inferred.
    """

    def __init__(self, address: str, found: Callable[[], object] = lambda: None, *, value: Value = None) -> None:
        self.result: MidiBinding | None = None
        self._address, self._found, self._value = address, found, value
        self._messages: list[MidiMessage] = []

    @property
    def hears_parameter_numbers(self) -> bool:
        """Whether a control was moved that sends NRPN or RPN: four messages, none of which is the control's own."""
        return any(_is_selector(message) for message in self._messages)

    def receive(self, message: MidiMessage) -> None:
        """Add one message."""
        if self.result is None:
            self._messages = [*self._messages[1 - _MAX_MESSAGES :], message]
            self.result = infer_binding(self._address, self._messages, value=self._value)
            if self.result is not None:
                self._found()


def infer_binding(address: str, messages: Sequence[MidiMessage], *, value: Value = None) -> MidiBinding | None:
    """The binding of the control that was moved.

    What belongs to parameter numbers (NRPN, RPN) is no control: all of a device share these messages.

    For a parameter with a range it is the control that sent most messages: 14 bits if the fine half came too, a
    pitch bend from a motor fader, otherwise a pot or encoder (`infer_mode`). For a switch or trigger, and where a
    press sets a `value`, it is the first note, program change or control change that was pressed.

    Returns
    -------
    MidiBinding or None
        None while more messages are needed.
    """
    parameter = find_parameter(address)
    if any(_is_selector(message) for message in messages):
        shared = _NUMBER_SELECTORS | _DATA_ENTRY
        messages = [one for one in messages if one.kind != "control" or one.number not in shared]
    if not parameter.has_norm or value is not None:
        return _pressed(address, messages, value, toggle=parameter.kind == "bool" and value is None)
    moved: dict[tuple[str, int, int], list[int]] = {}
    for message in messages:
        if message.kind in ("control", "pitchbend") and (message.kind, message.number < 120) != ("control", False):
            moved.setdefault((message.kind, message.channel, message.number), []).append(message.value)
    if not moved:
        return None
    kind, channel, number = max(moved, key=lambda key: len(moved[key]))
    if kind == "pitchbend":
        enough = len(moved[kind, channel, 0]) >= _MIN_MESSAGES
        return MidiBinding(address, channel, message="pitchbend") if enough else None
    coarse = number - 32 if 32 <= number < 64 and (kind, channel, number - 32) in moved else number
    if coarse < 32 and (kind, channel, coarse + 32) in moved:
        fine = moved[kind, channel, coarse + 32]
        return MidiBinding(address, channel, coarse, "14bit") if len(fine) >= _MIN_MESSAGES // 2 else None
    mode = infer_mode(moved[kind, channel, number])
    return None if mode is None else MidiBinding(address, channel, number, mode)


def infer_mode(values: Sequence[int]) -> str | None:
    """The mode of a control from the values that it has sent: `7bit`, `twos`, `offset` or `signed`.

    A pot or fader sends a value only when it changes, and passes through those in between. An encoder sends steps:
    the same number again while it is turned evenly, larger ones while it is turned faster (acceleration), never "no
    step"; when it is turned back its numbers jump to the other side.

    Returns
    -------
    str or None
        None while it is not clear.
    """
    if len(values) < _MIN_MESSAGES:
        return None
    fitting = [mode for mode in RELATIVE if _are_steps(mode, values)]
    if not fitting or _longest_run(values) >= _POT_RUN:
        return "7bit"
    repeats = sum(a == b for a, b in pairwise(values)) * 6 >= len(values)
    jumps = any(abs(a - b) >= _ENCODER_JUMP for a, b in pairwise(values))
    both_ways = [mode for mode in fitting if len({encoder_steps(mode, value) > 0 for value in values}) == 2]
    if both_ways and (jumps or repeats):
        return both_ways[0]
    if len(values) < _DECIDE_AFTER:
        return None
    return fitting[0] if repeats else "7bit"


def _is_selector(message: MidiMessage) -> bool:
    return message.kind == "control" and message.number in _NUMBER_SELECTORS


def _longest_run(values: Sequence[int]) -> int:
    """Length of the longest strictly rising or falling run."""
    longest = rising = falling = 1
    for a, b in pairwise(values):
        rising, falling = (rising + 1 if b > a else 1), (falling + 1 if b < a else 1)
        longest = max(longest, rising, falling)
    return longest


def _are_steps(mode: str, values: Sequence[int]) -> bool:
    return all(0 < abs(encoder_steps(mode, value)) <= _MAX_STEPS for value in values)


def _pressed(address: str, messages: Sequence[MidiMessage], value: Value, *, toggle: bool) -> MidiBinding | None:
    for message in messages:
        if message.kind == "note" and message.value > 0:
            mode = "toggle" if toggle else "7bit"
            return MidiBinding(address, message.channel, message.number, mode, message="note", value=value)
        if message.kind == "program":
            return MidiBinding(address, message.channel, message.number, message="program", value=value)
        if message.kind == "control" and message.number < 120 and message.value >= 64:
            return MidiBinding(address, message.channel, message.number, value=value)
    return None
