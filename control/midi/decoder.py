"""MIDI messages into values of addresses, by a mapping: 14 bits, encoders without ends, switches, pickup."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ..session.parameters import Parameter, Value, find_parameter
from .mapping import RELATIVE, MidiBinding
from .messages import MidiMessage

_PRESSED: Final = 64
_NEAR: Final = 1 / 127
"""How near to the value, as a fraction of the range, a fader picks it up: one step of seven bits."""
_SAME: Final = 1e-6


@dataclass
class _Halves:
    """What a 14-bit control has sent: the value so far, and whether a coarse half waits for its fine one."""

    value: int | None = None
    fine_seen: bool = False
    waits_for_fine: bool = False


@dataclass
class _Fader:
    """Where an absolute control stands, and what it set last; both 0..1, None: nothing yet."""

    position: float | None = None
    set_to: float | None = None
    waiting: bool = False


class MidiDecoder:
    """Turns MIDI messages into values of addresses.

    Parameters
    ----------
    mapping : iterable of MidiBinding
        Which control moves which address; one may move several.
    current : callable
        The value that an address holds: encoders, switches and pickup start from it.
    on_waiting : callable, optional
        Told once, with the parameter and its value, when a fader is moved that waits to pick the value up.
    """

    def __init__(
        self,
        mapping: Iterable[MidiBinding],
        current: Callable[[str], Value],
        on_waiting: Callable[[Parameter, float], None] | None = None,
    ) -> None:
        self._bindings: dict[tuple[str, int, int], list[tuple[MidiBinding, Parameter]]] = {}
        self._halves: dict[MidiBinding, _Halves] = {}
        self._faders: dict[MidiBinding, _Fader] = {}
        self._current = current
        self._on_waiting = on_waiting or (lambda parameter, value: None)
        for binding in mapping:
            numbers = (binding.number, binding.number + 32) if binding.mode == "14bit" else (binding.number,)
            for number in numbers:
                bound = self._bindings.setdefault((binding.message, binding.channel, number), [])
                bound.append((binding, find_parameter(binding.address)))

    def decode(self, message: MidiMessage) -> list[tuple[str, Value]]:
        """What a message sets: addresses and values, none if it is not mapped or changes nothing."""
        bound = self._bindings.get((message.kind, message.channel, message.number), ())
        changes = ((parameter.address, self._value(binding, parameter, message)) for binding, parameter in bound)
        return [(address, value) for address, value in changes if value is not None]

    def _value(self, binding: MidiBinding, parameter: Parameter, message: MidiMessage) -> Value:
        """The value that the message sets, None for none."""
        pressed = message.value > 0 if message.kind == "note" else message.value >= _PRESSED
        if binding.value is not None:
            return binding.value if pressed else None
        if parameter.has_norm:
            return self._fader_value(binding, parameter, message)
        if parameter.kind == "bool":
            if binding.mode == "toggle" or message.kind == "program":
                return not self._current(parameter.address) if pressed else None
            return pressed
        return True if pressed else None  # a trigger's release does nothing

    def _fader_value(self, binding: MidiBinding, parameter: Parameter, message: MidiMessage) -> float | None:
        held = self._current(parameter.address)
        now = parameter.to_norm(held) if isinstance(held, int | float) else 0.0
        if binding.mode in RELATIVE:
            moved = now + encoder_steps(binding.mode, message.value) / 128
            return parameter.from_norm(min(max(moved, 0.0), 1.0))
        if message.kind == "note" and message.value == 0:  # a pad that is let go
            return None
        if message.kind == "pitchbend":
            fraction: float | None = fraction_of(message.value, 14)
        elif binding.mode == "14bit":
            fraction = self._joined(binding, message)
        else:
            fraction = fraction_of(message.value, 7)
        if fraction is None or not (binding.takeover == "jump" or self._picks_up(binding, parameter, now, fraction)):
            return None
        value = parameter.from_norm(fraction)
        self._faders.setdefault(binding, _Fader()).set_to = parameter.to_norm(value)
        return value

    def _picks_up(self, binding: MidiBinding, parameter: Parameter, now: float, fraction: float) -> bool:
        """Whether the control has the value in its hand: it set it last, is near to it, or has just crossed it."""
        fader = self._faders.setdefault(binding, _Fader())
        before, fader.position = fader.position, fraction
        has_it = fader.set_to is not None and abs(now - fader.set_to) < _SAME
        crossed = before is not None and (before - now) * (fraction - now) <= 0
        if has_it or crossed or abs(fraction - now) <= _NEAR:
            fader.waiting = False
            return True
        if not fader.waiting:
            fader.waiting = True
            self._on_waiting(parameter, parameter.from_norm(min(max(now, 0.0), 1.0)))
        return False

    def _joined(self, binding: MidiBinding, message: MidiMessage) -> float | None:
        """0..1 of both halves.

        A coarse half acts at once. Of a control that sends fine halves it takes the value only as far as it is sure
        to go (down to the top or up to the bottom of the new coarse step), so that a slow movement is smooth. Two
        coarse halves without a fine one between them come from a control that sends none any more: seven bits then.
        """
        halves = self._halves.setdefault(binding, _Halves())
        if message.number != binding.number:
            halves.fine_seen, halves.waits_for_fine = True, False
            if halves.value is None:  # the coarse half is not known yet
                return None
            halves.value = (halves.value & ~127) | message.value
            return fraction_of(halves.value, 14)
        alone = halves.waits_for_fine or not halves.fine_seen or halves.value is None
        halves.waits_for_fine = True
        lowest = message.value << 7
        if alone or halves.value is None:
            halves.value = lowest
            return fraction_of(message.value, 7)
        halves.value = min(max(halves.value, lowest), lowest + 127)
        return fraction_of(halves.value, 14)


def fraction_of(value: int, bits: int) -> float:
    """A value of so many bits as 0..1 with the middle (64, 8192) at exactly 0.5: 0 dB, where faders have a detent.

    >>> fraction_of(0, 7), fraction_of(64, 7), fraction_of(127, 7), fraction_of(8192, 14), fraction_of(16383, 14)
    (0.0, 0.5, 1.0, 0.5, 1.0)
    """
    middle = 1 << (bits - 1)
    return value / (2 * middle) if value <= middle else 0.5 + (value - middle) / (2 * (middle - 1))


def encoder_steps(mode: str, value: int) -> int:
    """How many steps a relative encoder was turned, -64..64: positive is clockwise."""
    if mode == "twos":
        return value - 128 if value >= 64 else value
    if mode == "offset":
        return value - 64
    return -(value - 64) if value >= 64 else value
