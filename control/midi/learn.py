"""MIDI learn: from what a person moves, which control it is and how it sends."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from ..session.parameters import Value, find_parameter
from .decoder import encoder_steps
from .mapping import RELATIVE, MidiBinding
from .messages import MidiMessage

_REMEMBERED: Final = 512
_ENOUGH: Final = 8
"""Messages of one control from which its kind is told."""
_PATIENT: Final = 48
"""Messages after which it is decided without being turned back: numbers that repeat are an encoder's (`twos`)."""
_POT_RUN: Final = 11
"""Values in a row that only rise or only fall, which no encoder sends: nobody turns ever faster for so long."""
_LEAP: Final = 48
"""From one value to the next: what an encoder's numbers do when it is turned back, and no pot does."""
_LARGEST_STEPS: Final = 40
"""Steps in one message, of an encoder that accelerates."""


class MidiLearn:
    """Listens to what is moved until it is known what it is.

    Parameters
    ----------
    address : str
        The address to be mapped.
    found : callable
        Called once when `result` is there.
    value : Value
        What a press shall set, for a button, pad or program change; None for a control that moves the address.
    """

    def __init__(self, address: str, found: Callable[[], object] = lambda: None, *, value: Value = None) -> None:
        self.result: MidiBinding | None = None
        self._address, self._found, self._value = address, found, value
        self._messages: list[MidiMessage] = []

    def receive(self, message: MidiMessage) -> None:
        """Take one message."""
        if self.result is None:
            self._messages = [*self._messages[-_REMEMBERED:], message]
            self.result = infer_binding(self._address, self._messages, value=self._value)
            if self.result is not None:
                self._found()


def infer_binding(address: str, messages: Sequence[MidiMessage], *, value: Value = None) -> MidiBinding | None:
    """The binding of the control that was moved, from all messages that came.

    For a fader it is the control that moved most: a controller with a fine half beside it is 14-bit, a pitch bend is
    a motor fader's; of the others `infer_mode` tells encoders from pots. For a switch or button, and where a press
    sets a `value`, it is the first note, program change or control change that is pressed.

    Returns
    -------
    MidiBinding or None
        None while it cannot be told: more has to be moved.
    """
    parameter = find_parameter(address)
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
        enough = len(moved[kind, channel, 0]) >= _ENOUGH
        return MidiBinding(address, channel, message="pitchbend") if enough else None
    coarse = number - 32 if 32 <= number < 64 and (kind, channel, number - 32) in moved else number
    if coarse < 32 and (kind, channel, coarse + 32) in moved:
        fine = moved[kind, channel, coarse + 32]
        return MidiBinding(address, channel, coarse, "14bit") if len(fine) >= _ENOUGH // 2 else None
    mode = infer_mode(moved[kind, channel, number])
    return None if mode is None else MidiBinding(address, channel, number, mode)


def infer_mode(values: Sequence[int]) -> str | None:
    """How a control sends that has sent these values: `7bit`, `twos`, `offset` or `signed`; None: not yet clear.

    A pot or fader sends a value only when it changes, runs through those in between, and does not leap over half of
    its range. An encoder sends steps: the same number again while it is turned evenly, larger ones when it is turned
    faster (acceleration), never "no step"; when it is turned back its numbers leap to the other side.
    """
    if len(values) < _ENOUGH:
        return None
    fitting = [mode for mode in RELATIVE if _are_steps(mode, values)]
    if not fitting or _longest_run(values) >= _POT_RUN:
        return "7bit"
    repeats = sum(a == b for a, b in pairwise(values)) * 6 >= len(values)
    leaps = any(abs(a - b) >= _LEAP for a, b in pairwise(values))
    both_ways = [mode for mode in fitting if len({encoder_steps(mode, value) > 0 for value in values}) == 2]
    if both_ways and (leaps or repeats):
        return both_ways[0]
    if len(values) < _PATIENT:
        return None
    return fitting[0] if repeats else "7bit"


def _longest_run(values: Sequence[int]) -> int:
    """The most values in a row that only rise, or only fall."""
    longest = rising = falling = 1
    for a, b in pairwise(values):
        rising, falling = (rising + 1 if b > a else 1), (falling + 1 if b < a else 1)
        longest = max(longest, rising, falling)
    return longest


def _are_steps(mode: str, values: Sequence[int]) -> bool:
    return all(0 < abs(encoder_steps(mode, value)) <= _LARGEST_STEPS for value in values)


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
