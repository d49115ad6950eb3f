"""What a MIDI control shows of a parameter, as whole numbers and messages: positions, LED rings, lamps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..parameters.table import ROOT, Value, find_parameter
from .decoder import steps_of
from .mapping_file import RELATIVE, MidiBinding
from .messages import MidiMessage

_STATUS: Final = {"control": 0xB0, "note": 0x90, "pitchbend": 0xE0}
_SLOT: Final = f"{ROOT}/snapshot/slot"
_WATCHED: Final = {
    f"{ROOT}/snapshot/recall": _SLOT,
    f"{ROOT}/morph/to": _SLOT,
    f"{ROOT}/snapshot/store": f"{ROOT}/snapshot/names/",
    f"{ROOT}/snapshot/clear": f"{ROOT}/snapshot/names/",
    f"{ROOT}/cue/set": f"{ROOT}/cue/points/",
    f"{ROOT}/cue/go": f"{ROOT}/cue/points/",
    f"{ROOT}/cue/clear": f"{ROOT}/cue/points/",
}
"""What the lamp of a pad shows whose address holds nothing itself; a slash at the end: of the number that it sets."""


@dataclass(frozen=True)
class Shown:
    """What a control shows.

    Attributes
    ----------
    binding : MidiBinding
        The control.
    address : str
        The parameter that it shows, which need not be the one that it sets.
    value : callable
        The whole number for a value of the parameter; None: it shows nothing.
    absolute : bool
        Whether the control has a position of its own (a fader), which a hand may hold.
    bits : int
        Of the whole number.
    """

    binding: MidiBinding
    address: str
    value: Callable[[Value], int | None]
    absolute: bool = False
    bits: int = 7

    @property
    def step(self) -> int:
        """A step of seven bits, in the control's whole numbers."""
        return 1 << (self.bits - 7)

    def messages(self, value: int) -> list[list[int]]:
        """The bytes of the messages that show it; of 14 bits the coarse half first."""
        binding = self.binding
        status = _STATUS[binding.message] | (binding.channel - 1)
        if binding.message == "pitchbend":
            return [[status, value & 127, value >> 7]]
        if binding.mode == "14bit":
            return [[status, binding.number, value >> 7], [status, binding.number + 32, value & 127]]
        return [[status, binding.number, value]]

    def from_message(self, message: MidiMessage, before: int | None) -> int | None:
        """The control's position by a message of its own; `before` has the other half of 14 bits."""
        if self.binding.mode != "14bit":
            return message.value
        if message.number == self.binding.number:
            return message.value << 7 | (0 if before is None or before >> 7 != message.value else before & 127)
        return None if before is None else (before & ~127) | message.value


def shown_by(binding: MidiBinding) -> Shown | None:
    """What a control shows; None: nothing (triggers, program changes, pads that set a fader by their velocity)."""
    parameter = find_parameter(binding.address)
    if binding.message == "program":
        return None
    if binding.value is not None:
        return _lamp(binding, binding.value)
    if parameter.kind == "bool":
        return Shown(binding, binding.address, lambda value: binding.on if value else binding.off)
    if not parameter.has_norm or binding.message == "note":
        return None
    bits = 14 if binding.message == "pitchbend" or binding.mode == "14bit" else 7

    def steps(value: Value) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return steps_of(parameter.to_norm(value), bits)

    return Shown(binding, binding.address, steps, absolute=binding.mode not in RELATIVE, bits=bits)


def _lamp(binding: MidiBinding, sets: Value) -> Shown:
    """The lamp of a pad that sets a value: lit while that value is held, or what it goes to is there."""
    watched = _WATCHED.get(binding.address, binding.address)
    if watched.endswith("/"):
        return Shown(binding, f"{watched}{sets}", lambda value: binding.off if value in (None, "") else binding.on)
    return Shown(binding, watched, lambda value: binding.on if value == sets else binding.off)
