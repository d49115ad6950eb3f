"""From MIDI messages to parameter values: 7 and 14 bits, relative encoders, switches, pickup."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ..parameters.table import Parameter, Value, find_parameter
from .mapping_file import RELATIVE, MidiBinding
from .messages import MidiMessage

_PRESSED: Final = 64
"""Smallest controller value that counts as pressed."""
_PICKUP_RANGE: Final = 1 / 127
"""Distance, as a fraction of the range, within which a fader picks the value up: one step of seven bits."""
_EQUAL: Final = 1e-6
"""Distance, as a fraction of the range, below which two values are the same."""


@dataclass
class _Halves:
    """State of a 14-bit control: its value, whether it sends fine halves, whether the last coarse one still waits."""

    value: int | None = None
    fine_seen: bool = False
    waits_for_fine: bool = False


@dataclass
class _Fader:
    """State of an absolute control: its position and the value that it set last, both 0..1 (None: unknown)."""

    position: float | None = None
    set_to: float | None = None
    waiting: bool = False


class MidiDecoder:
    """Converts MIDI messages into values of parameters.

    Parameters
    ----------
    mapping : iterable of MidiBinding
        Which control sets which address; one control may set several.
    current : callable
        Returns the present value of an address, from which encoders, toggles and pickup start.
    on_waiting : callable, optional
        Called once, with the parameter and its value, when a fader is moved that has not picked the value up.
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
        """The addresses and values that a message sets; none if it is not mapped or changes nothing."""
        bound = self._bindings.get((message.kind, message.channel, message.number), ())
        changes = ((parameter.address, self._value(binding, parameter, message)) for binding, parameter in bound)
        return [(address, value) for address, value in changes if value is not None]

    def restart(self) -> None:
        """Forget where the controls stand: they may have been moved while nothing was heard of them."""
        self._halves.clear()
        self._faders.clear()

    def take_over(self, binding: MidiBinding) -> None:
        """Take note that an absolute control stands at the value that is held (a motor has moved it there)."""
        held, parameter = self._current(binding.address), find_parameter(binding.address)
        if isinstance(held, int | float) and parameter.has_norm:
            fraction = parameter.to_norm(held)
            self._faders.setdefault(binding, _Fader()).set_to = fraction
            if binding.mode == "14bit":  # (the next message may be a fine half alone)
                self._halves.setdefault(binding, _Halves()).value = steps_of(fraction, 14)

    def _value(self, binding: MidiBinding, parameter: Parameter, message: MidiMessage) -> Value:
        """The value that the message sets, or None."""
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
        """Whether the control may set the value: it set it last, is near to it, or has just crossed it."""
        fader = self._faders.setdefault(binding, _Fader())
        before, fader.position = fader.position, fraction
        set_it_last = fader.set_to is not None and abs(now - fader.set_to) < _EQUAL
        crossed = before is not None and (before - now) * (fraction - now) <= 0
        if set_it_last or crossed or abs(fraction - now) <= _PICKUP_RANGE:
            fader.waiting = False
            return True
        if not fader.waiting:
            fader.waiting = True
            self._on_waiting(parameter, parameter.from_norm(min(max(now, 0.0), 1.0)))
        return False

    def _joined(self, binding: MidiBinding, message: MidiMessage) -> float | None:
        """The value of both halves on 0..1, None while the coarse half is unknown.

        A coarse half acts at once. If the control sends fine halves, the value moves to the nearest one with that
        coarse half, so that a slow movement is monotonic. Two coarse halves without a fine one between them come from
        a control that sends no fine halves (any more), and are read as seven bits.
        """
        halves = self._halves.setdefault(binding, _Halves())
        if message.number != binding.number:
            halves.fine_seen, halves.waits_for_fine = True, False
            if halves.value is None:  # the coarse half is unknown
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
    """A value of 7 or 14 bits as 0..1 with the middle (64, 8192) at exactly 0.5: 0 dB, where faders have a detent.

    >>> fraction_of(0, 7), fraction_of(64, 7), fraction_of(127, 7), fraction_of(8192, 14), fraction_of(16383, 14)
    (0.0, 0.5, 1.0, 0.5, 1.0)
    """
    middle = 1 << (bits - 1)
    return value / (2 * middle) if value <= middle else 0.5 + (value - middle) / (2 * (middle - 1))


def steps_of(fraction: float, bits: int) -> int:
    """The whole number of 7 or 14 bits next to a fraction; the middle is exact, as in `fraction_of`.

    Beyond 0..1 it is the first or the last.

    >>> [steps_of(fraction, 7) for fraction in (0.0, 0.25, 0.5, 1.0)], steps_of(0.5, 14)
    ([0, 32, 64, 127], 8192)
    """
    middle = 1 << (bits - 1)
    steps = fraction * 2 * middle if fraction <= 0.5 else middle + (fraction - 0.5) * 2 * (middle - 1)
    nearest = min(max(round(steps), 0), 2 * middle - 1)
    assert 0 <= fraction_of(nearest, bits) <= 1
    return nearest


def encoder_steps(mode: str, value: int) -> int:
    """Steps of a relative encoder, -64..64; positive is clockwise."""
    if mode == "twos":
        return value - 128 if value >= 64 else value
    if mode == "offset":
        return value - 64
    return -(value - 64) if value >= 64 else value
