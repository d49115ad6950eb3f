"""What the OSC server does with messages, without a socket: keeps the newest value of each address, then acts.

    take(message, sender)   as often as messages come in; cheap, and as large as the table at most
    act(now)                sets what is waiting in the order in which it came, gives the answers

A message with one argument sets, one without asks (a trigger's is pressed), a pattern does so for all it matches.
`<address>/norm` is the same fader on 0..1. `/moodfader/subscribe [rate_hz [port]]`, `/moodfader/subscribe/norm` and
`/moodfader/unsubscribe [port]` are for clients that want to be told. What cannot be done is answered by
`/moodfader/error` with the reason, and by what the address holds, so that a client's fader goes back to where it is.
"""

import importlib.resources
import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...models.common.errors import InputError
from ..session.parameters import ROOT, Parameter, Value, find_parameter, match_parameters
from ..session.presets import user_preset_dir
from .packets import IMPULSE, Argument, MalformedPacketError, Message, OtherArgument, untyped_value
from .subscriptions import DEFAULT_RATE_HZ, NORM, RATES_HZ, Sender, Subscriptions, at_port, normalised

if TYPE_CHECKING:
    from ..session.session import Session

ERROR: Final = f"{ROOT}/error"
SUBSCRIBE: Final = f"{ROOT}/subscribe"
UNSUBSCRIBE: Final = f"{ROOT}/unsubscribe"
MOST_WAITING: Final = 256
"""Questions that wait for the next act; what comes beyond is dropped (a flood, not a controller)."""
MOST_ANSWERS: Final = 200
"""In one act, or a few more: questions that are left wait for the next one, after what has come in meanwhile."""
COMPLAINTS_PER_S: Final = 50
"""Complaints that are answered; guessing at what was meant takes time, and a flood of nonsense gets none."""
HELD_PER_S: Final = 200
"""Values that are sent back after a refusal. Two servers that take each other for clients would go on for ever."""

_SHIPPED: Final = str(importlib.resources.files("moodfader.presets"))
Answer = tuple[Sender, str, tuple[Value, ...]]


class Dispatcher:
    """Messages in, changes of the session and answers out. Not thread-safe: one worker owns it."""

    def __init__(
        self,
        session: "Session",
        clients: Subscriptions,
        *,
        own_address: Sender = ("", 0),
        note: Callable[[str], None] | None = None,
    ) -> None:
        """`own_address`: the server's, where no client listens; `note`: told in a line of faults of the program."""
        self._session = session
        self._clients = clients
        self._own_address = own_address
        self._note = note or (lambda text: None)
        self._waiting: dict[str, tuple[Parameter, Value, Sender, bool]] = {}
        self._asked: dict[tuple[Sender, str], Callable[[float], list[Answer]]] = {}
        self._complaints: dict[tuple[Sender, str], Callable[[], str]] = {}
        self._held: dict[tuple[Sender, str], tuple[Parameter, bool]] = {}
        self._complained, self._sent_back, self._since = 0, 0, -math.inf

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (self._waiting or self._asked or self._complaints or self._held)

    def enqueue(self, message: Message, sender: Sender) -> None:
        """Put a message to what waits; a newer value of the same address takes the older one's place."""
        try:
            self._sort(message, sender)
        except InputError as error:
            self.report_error(sender, message.address, str(error))
        except Exception as error:  # one fault must not end the show
            self._fault(sender, message.address, error)

    def report_error(self, sender: Sender, what: str, reason: str | Callable[[], str]) -> None:
        """Answer `/moodfader/error` with a reason at the next act; the last one counts for the same `what`."""
        if len(self._complaints) < COMPLAINTS_PER_S:
            self._complaints[self._clients.reply_address(sender), what] = (
                reason if callable(reason) else lambda: reason
            )

    def apply_pending(self, now: float) -> list[Answer]:
        """Do what waits; returns the answers to be sent. Leases begin at `now`, in seconds."""
        waiting, self._waiting = self._waiting, {}
        answers: list[Answer] = []
        for address, (control, value, sender, norm) in waiting.items():
            try:
                self._session.set(address, value, source=f"osc {sender[0]}:{sender[1]}")
                self._clients.note_sent(sender, address, value)
                continue
            except InputError as error:
                self.report_error(sender, address, _without_folders(str(error)))
            except Exception as error:  # one fault must not end the show; who caused it is told
                self._fault(sender, address, error)
            self._send_back([control], sender, norm)
        while self._asked and len(answers) < MOST_ANSWERS:
            answers += self._asked.pop(next(iter(self._asked)))(now)
        return self._refusals(now) + answers  # who sets and then asks hears first why it was not set

    def _refusals(self, now: float) -> list[Answer]:
        """The reasons that are told this second, and the values that are sent back."""
        if now - self._since >= 1:
            self._complained, self._sent_back, self._since = 0, 0, now
        complaints, self._complaints = self._complaints, {}
        made = list(complaints.items())[: COMPLAINTS_PER_S - self._complained]
        self._complained += len(made)
        held, self._held = self._held, {}
        told = list(held.items())[: HELD_PER_S - self._sent_back]
        self._sent_back += len(told)
        answers: list[Answer] = [(reply, ERROR, (reason(),)) for (reply, _), reason in made]
        for (reply, _), (control, norm) in told:
            answers += self._values([control], reply, norm)
        return answers

    def _sort(self, message: Message, sender: Sender) -> None:
        address, arguments = message.address, message.arguments
        if address == ERROR:  # another server's complaint is not to be complained about
            return
        if address in (SUBSCRIBE, SUBSCRIBE + NORM):
            rate_hz, reply = self._subscriber(address, _numbers(message), sender)
            norm = address != SUBSCRIBE
            self._ask(reply, SUBSCRIBE, lambda now: self._subscribe(sender, reply, rate_hz, norm, now))
            return
        if address == UNSUBSCRIBE:
            reply = self._reply(address, _numbers(message), sender)
            self._asked.pop((reply, SUBSCRIBE), None)
            self._clients.leave(reply)
            return
        pattern, norm = (address.removesuffix(NORM), True) if address.endswith(NORM) else (address, False)
        controls = [control for control in match_parameters(pattern) if control.has_norm or not norm]
        if not controls:
            if norm and match_parameters(pattern):
                raise InputError(f"{address}: has no range, so it has no normalised value")
            self.report_error(sender, address, lambda: _unknown(pattern))
            return
        if message.untyped:
            arguments = (_untyped(message, controls),)
        if len(arguments) > 1:
            raise InputError(f"{address}: wants one value, not {len(arguments)}")
        if arguments:
            writable = [control for control in controls if control.writable]  # of a pattern, those that can be set
            self._set(writable or controls, arguments[0], sender, norm)
        elif len(controls) == 1 and controls[0].kind == "trigger":
            self._set(controls, None, sender, norm)
        else:
            reply = self._clients.reply_address(sender)
            self._ask(reply, address, lambda _: self._values(controls, reply, norm))

    def _set(self, controls: list[Parameter], given: Argument, sender: Sender, norm: bool) -> None:
        checked = []
        try:
            for control in controls:
                if not control.writable:
                    raise InputError(f"{control.address}: can only be watched, not set")
                value = _value(control, given)
                checked.append(
                    (control, control.from_norm(_number(control, value)) if norm else control.validate(value))
                )
        except InputError:
            self._send_back(controls, sender, norm)
            raise
        for control, value in checked:
            if control.kind == "trigger" and not value:  # the release of a button
                continue
            self._waiting.pop(control.address, None)  # the order of the newest values counts: play, then pause
            self._waiting[control.address] = control, value, sender, norm

    def _send_back(self, controls: list[Parameter], sender: Sender, norm: bool) -> None:
        """Tell who wanted to set these what they hold, so that a fader goes back to where it is."""
        reply = self._clients.reply_address(sender)
        for control in controls:
            if len(self._held) < HELD_PER_S and self._session.get(control.address) is not None:
                self._held[reply, control.address] = control, norm

    def _fault(self, sender: Sender, address: str, error: Exception) -> None:
        """Name a fault of the program to who caused it, and in full to who plays."""
        self.report_error(sender, address, f"{address}: a fault of Moodfader ({type(error).__name__})")
        self._note(f"OSC {address}: a fault of Moodfader ({error!r}); the show goes on")

    def _ask(self, sender: Sender, what: str, question: Callable[[float], list[Answer]]) -> None:
        if len(self._asked) < MOST_WAITING:
            self._asked[sender, what] = question

    def _values(self, controls: list[Parameter], reply: Sender, norm: bool) -> list[Answer]:
        answers: list[Answer] = []
        for control in controls:
            if control.kind != "trigger":
                address, value = control.address, self._session.get(control.address)
                if norm:
                    address, value = normalised(address, value)
                answers.append((reply, address, (value,)))
        return answers

    def _subscriber(self, address: str, numbers: tuple[float, ...], sender: Sender) -> tuple[float, Sender]:
        """Rate and reply address of a subscription. Raises InputError."""
        rate_hz, (low, high) = (numbers or (DEFAULT_RATE_HZ,))[0], RATES_HZ
        if not low <= rate_hz <= high:
            raise InputError(f"{address}: {rate_hz:g} Hz is out of range, it goes from {low:g} to {high:g}")
        return rate_hz, self._reply(address, numbers[1:], sender)

    def _reply(self, address: str, numbers: tuple[float, ...], sender: Sender) -> Sender:
        """Where a client listens that names that port, or none. Raises InputError."""
        if not numbers:
            return self._clients.reply_address(sender)
        (port,) = numbers[:1]
        if len(numbers) > 1 or port != int(port) or not 1 <= port <= 65535:
            raise InputError(f"{address}: the port to answer to is one whole number from 1 to 65535")
        if at_port(sender, int(port))[:2] == self._own_address[:2]:
            raise InputError(f"{address}: {port:g} is the port that Moodfader listens on, name your own")
        return at_port(sender, int(port))

    def _subscribe(self, sender: Sender, reply: Sender, rate_hz: float, norm: bool, now: float) -> list[Answer]:
        version, _ = self._session.changes_since(0)  # first the version: what changes meanwhile is told twice
        lease = self._clients.renew(reply, now, rate_hz=rate_hz, version=version, asked_from=sender, normalised=norm)
        news = lease.news(self._session.state())
        return [(reply, address, (value,)) for address, value in news.items()]


def _unknown(pattern: str) -> str:
    try:
        return find_parameter(pattern).address
    except InputError as error:
        return str(error)


def _numbers(message: Message) -> tuple[float, ...]:
    """The arguments of a message that takes numbers only. Raises InputError."""
    arguments = (_untyped(message, []),) if message.untyped else message.arguments
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in arguments):
        raise InputError(f"{message.address}: wants numbers, messages a second and the port to answer to")
    numbers = tuple(float(one) for one in arguments if isinstance(one, int | float))
    if not all(map(math.isfinite, numbers)):
        raise InputError(f"{message.address}: wants finite numbers")
    return numbers


def _untyped(message: Message, controls: list[Parameter]) -> Value:
    text = bool(controls) and all(control.kind == "string" for control in controls)
    try:
        return untyped_value(message.untyped, text=text)
    except MalformedPacketError as error:
        raise InputError(f"{message.address}: {error}") from error


def _value(control: Parameter, given: Argument) -> Value:
    """The argument as a value: an impulse presses a trigger. Raises InputError for what no address takes."""
    if not isinstance(given, OtherArgument):
        return given
    if given == IMPULSE and control.kind == "trigger":
        return None
    raise InputError(f"{control.address}: wants {control.wanted}, not {given.description}")


def _number(control: Parameter, given: Value) -> float:
    if isinstance(given, str) or given is None or not math.isfinite(given):
        raise InputError(f"{control.address}{NORM}: wants a number from 0 to 1")
    return float(given)


def _without_folders(text: str) -> str:
    """A message without the folders of this machine: a preset is named by its file alone."""
    for folder in (user_preset_dir(), user_preset_dir().resolve(), _SHIPPED):
        text = text.replace(f"{folder}{os.sep}", "")
    return text
