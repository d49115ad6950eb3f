"""MIDI channel messages that can steer: control change, note, program change, pitch bend; read from their bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["control", "note", "program", "pitchbend"]
KINDS: Final[tuple[Kind, ...]] = ("control", "note", "program", "pitchbend")


@dataclass(frozen=True)
class MidiMessage:
    """One channel message.

    Attributes
    ----------
    kind : Kind
        What it is; a note that ends is a `note` of value 0.
    channel : int
        1..16.
    number : int
        Controller, note or program, 0..127; 0 for a pitch bend.
    value : int
        Controller value or velocity, 0..127; of a pitch bend 0..16383 with 8192 in the middle; 127 for a program.
    """

    kind: Kind
    channel: int
    number: int
    value: int


def parse_message(data: Sequence[int]) -> MidiMessage | None:
    """Read the bytes of one message.

    Parameters
    ----------
    data : sequence of int
        Status byte and data bytes, 0..255.

    Returns
    -------
    MidiMessage or None
        None for what is no whole message of these kinds (clock, aftertouch, system exclusive, a broken one).
    """
    if not data or any(not 0 <= byte < 128 for byte in data[1:]):
        return None
    channel = (data[0] & 0x0F) + 1
    match data[0] & 0xF0, *data[1:]:
        case 0xB0, number, value:
            return MidiMessage("control", channel, number, value)
        case 0x90, number, value:
            return MidiMessage("note", channel, number, value)
        case 0x80, number, _:
            return MidiMessage("note", channel, number, 0)
        case 0xC0, number:
            return MidiMessage("program", channel, number, 127)
        case 0xE0, fine, coarse:
            return MidiMessage("pitchbend", channel, 0, coarse << 7 | fine)
    return None
