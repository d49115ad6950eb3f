"""Feedback to MIDI controllers: motor faders, LED rings and lamps follow what any surface changes.

The same mapping says which control shows which address. A control that is being moved by hand is sent nothing until
it rests; what a motor fader reports on its own way to the value that it was sent does not act.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .feedback_values import Shown, shown_by
from .mapping_file import RELATIVE, MidiBinding
from .messages import MidiMessage

if TYPE_CHECKING:
    from ..session.session import Session

REST_S: Final = 0.3
"""So long after its last message a control counts as being moved by hand."""
TRAVEL_S: Final = 0.4
"""So long after it was sent a value a motor fader may be on its way there."""
_GAP_S: Final = 0.02
"""Shortest time between two values to one control: a MIDI cable carries 3,125 bytes a second."""
_POLL_S: Final = 0.008
"""Longest time until a control that rests again is sent what it was not sent while it was moved."""

Key = tuple[str, int, int]
"""Kind, channel and number of the messages of a control."""


@dataclass(frozen=True)
class Received:
    """What comes of a message of the controller.

    Attributes
    ----------
    messages : tuple of MidiMessage
        What acts now, in the order in which it came; none for a motor fader on its way.
    followed : tuple of MidiBinding
        The bindings (one at most) whose control has gone along to the value that it was sent, so that it holds it.
    """

    messages: tuple[MidiMessage, ...] = ()
    followed: tuple[MidiBinding, ...] = ()


@dataclass
class _Control:
    """One control: what it shows, and where it is and was sent to, as whole numbers of its own resolution."""

    binding: MidiBinding
    shown: Shown
    value: int | None = None  # that it shows now: sent last, or moved there by hand
    sent: int | None = None  # waits to be reached; None once it was moved by hand
    sent_from: int | None = None  # what it showed before
    sent_at: float = float("-inf")
    position: int | None = None  # as it has reported last
    moved_at: float = float("-inf")
    travels: bool = False  # by the last coarse half
    held_back: list[MidiMessage] = field(default_factory=list)  # taken for a motor's way: the last of each half


class MidiFeedback:
    """Sends the values of a session to the controls of a mapping from its own thread until `close`.

    Parameters
    ----------
    session : Session
        What is shown.
    mapping : iterable of MidiBinding
        Which control shows which address; of several of one control the first counts.
    send : callable
        Sends the bytes of one message.
    clock : callable
        Time in seconds.
    note : callable, optional
        Told in one line when sending fails.

    Attributes
    ----------
    on_stopped : callable
        Called when a motor's way is over whose messages were held back; `stopped` says then what acts after all.
    """

    def __init__(
        self,
        session: "Session",
        mapping: Iterable[MidiBinding],
        send: Callable[[Sequence[int]], object],
        *,
        clock: Callable[[], float] = time.monotonic,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._session, self._send, self._clock = session, send, clock
        self._note = note or (lambda text: None)
        self._controls: dict[Key, _Control] = {}
        self._by_address: dict[str, list[_Control]] = {}
        for binding in mapping:
            key = binding.message, binding.channel, binding.number
            shown = shown_by(binding)
            if shown is None or key in self._controls:
                continue
            self._controls[key] = control = _Control(binding, shown)
            self._by_address.setdefault(shown.address, []).append(control)
        self._version = 0
        self._waiting: list[_Control] = []
        self._lock = threading.Lock()
        self._failed = False
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._stop_watching = session.watch(self._notice)
        self.on_stopped: Callable[[], object] = lambda: None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send: the whole state first."""
        self._thread = threading.Thread(target=self._run, name="midi out", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop sending."""
        self._closing.set()
        self._wake.set()
        self._stop_watching()
        if self._thread is not None:
            self._thread.join()

    def restart(self) -> None:
        """Send all values again: the device was gone, is back, and shows nothing of them."""
        with self._lock:
            self._controls = {key: _Control(one.binding, one.shown) for key, one in self._controls.items()}
            self._by_address = {}
            for control in self._controls.values():
                self._by_address.setdefault(control.shown.address, []).append(control)
            self._waiting = list(self._controls.values())
        self._wake.set()

    def receive(self, message: MidiMessage) -> Received:
        """Take note of a message of the controller, before it acts; what was held back and is late acts first."""
        with self._lock:
            control, fine = self._control_of(message)
            if control is None:
                return Received((message,))
            if not control.shown.absolute:
                self._renew_lamp(control, message)
                return Received((message,))
            now = self._clock()
            before = control.position
            position = control.shown.from_message(message, before)
            late = [] if position is not None and position == control.sent else _stopped(control, now)
            control.position = position
            if position is None:
                return Received((*late, message))
            if fine:
                travels = control.travels and now - control.sent_at < TRAVEL_S
            else:
                travels = control.travels = _is_on_its_way(control, before, position, now)
            if travels:
                # (Where it was sent to as well: it may have been sent further since, and this may be a hand.)
                held_back = [one for one in control.held_back if one.number != message.number] if fine else []
                control.held_back = [*held_back, message] if now - control.sent_at < TRAVEL_S else []
                return Received(tuple(late))
            control.held_back = []
            followed = control.sent is not None and _has_followed(control, before, position)
            control.sent, control.value, control.moved_at = None, position, now
            return Received((*late, message), (control.binding,) if followed else ())

    def stopped(self) -> tuple[MidiMessage, ...]:
        """The messages of controls that were taken for motors on their way and have stopped elsewhere: hands' ones.

        They shall act at once, before any other message does.
        """
        with self._lock:
            now = self._clock()
            return tuple(message for control in self._controls.values() for message in _stopped(control, now))

    def update(self) -> None:
        """Send what has changed, as far as its controls rest; the thread does so all the time."""
        with self._lock:
            self._version, changes = self._session.changes_since(self._version)
            for address in changes:
                self._waiting += [one for one in self._by_address.get(address, ()) if one not in self._waiting]
            now = self._clock()
            due = [one for one in self._waiting if now - one.moved_at >= REST_S and now - one.sent_at >= _GAP_S]
            self._waiting = [one for one in self._waiting if one not in due]
            packets: list[Sequence[int]] = []
            for control in due:
                value = control.shown.value(self._session.get(control.shown.address))
                if value is None or value == control.value:
                    continue
                control.sent_from = control.value
                control.value = control.sent = value
                control.sent_at = now
                packets += control.shown.messages(value)
            stopped = any(_way_is_over(control, now) for control in self._controls.values())
        for packet in packets:
            self._send(packet)
        if stopped:
            self.on_stopped()

    def _notice(self, changed: Set[str]) -> None:
        if not changed.isdisjoint(self._by_address):
            self._wake.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(_POLL_S)
            self._wake.clear()
            try:
                self.update()
                self._failed = False
            except Exception as error:  # (the show goes on, whatever has become of the port)
                if not self._failed:
                    self._note(f"MIDI output: cannot be sent ({error})")
                self._failed = True
                self._closing.wait(1.0)

    def _renew_lamp(self, control: _Control, message: MidiMessage) -> None:
        """Send the lamp of a button again that was let go: many put it out by themselves then."""
        if control.binding.mode not in RELATIVE and message.value == 0:
            control.value = None
            if control not in self._waiting:
                self._waiting.append(control)

    def _control_of(self, message: MidiMessage) -> tuple[_Control | None, bool]:
        """The control that has sent a message, and whether it is the fine half of 14 bits."""
        if (control := self._controls.get((message.kind, message.channel, message.number))) is not None:
            return control, False
        coarse = self._controls.get((message.kind, message.channel, message.number - 32))
        if coarse is not None and coarse.binding.mode == "14bit":
            return coarse, True
        return None, False


def _is_on_its_way(control: _Control, before: int | None, position: int, now: float) -> bool:
    """Whether a control that was sent to a value has reported a place on its way there, or has arrived."""
    sent, step = control.sent, control.shown.step
    if sent is None:
        return False
    if position == sent:
        return True
    if now - control.sent_at >= TRAVEL_S:
        return False
    places = [place for place in (before, control.sent_from, sent) if place is not None]
    return min(places) - step <= position <= max(places) + step


def _way_is_over(control: _Control, now: float) -> bool:
    """Whether messages of a control were held back, and no motor is still on its way."""
    return bool(control.held_back) and now - control.sent_at >= TRAVEL_S


def _stopped(control: _Control, now: float) -> list[MidiMessage]:
    """The messages of a control that was taken for one on its way, and has stopped elsewhere: a hand has moved it."""
    if not _way_is_over(control, now):
        return []
    messages, control.held_back, control.travels = control.held_back, [], False
    position, sent = control.position, control.sent
    if position is None or sent is None or abs(position - sent) <= control.shown.step:
        return []
    control.sent, control.value, control.moved_at = None, position, now
    return messages


def _has_followed(control: _Control, before: int | None, position: int) -> bool:
    """Whether a control that is moved by hand had gone to the value that it was sent: it begins near to that."""
    sent, step = control.sent, control.shown.step
    if sent is None:
        return False
    if before is None:
        return abs(position - sent) <= 8 * step
    return abs(before - sent) <= step or abs(position - sent) < abs(position - before) / 2
