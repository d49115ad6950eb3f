"""What the OSC server does with messages, without a socket: keeps the newest value of each address, then acts.

    take(message, sender)   as often as messages come in; cheap, and as large as the table at most
    act(now)                sets what is waiting in the order in which it came, gives the answers

A message with one argument sets, one without asks (a trigger's is pressed), a pattern does so for all it matches.
`<address>/norm` is the same fader on 0..1. `/moodfader/subscribe [rate_hz]` and `/moodfader/unsubscribe` are for
clients that want to be told; what cannot be done is answered by `/moodfader/error`.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...models.common.errors import InputError
from ..session.parameters import ROOT, Parameter, Value, find_parameter, match_parameters
from .packets import Message
from .subscriptions import DEFAULT_RATE_HZ, RATES_HZ, Sender, Subscriptions

if TYPE_CHECKING:
    from ..session.session import Session

ERROR: Final = f"{ROOT}/error"
SUBSCRIBE: Final = f"{ROOT}/subscribe"
UNSUBSCRIBE: Final = f"{ROOT}/unsubscribe"
NORM: Final = "/norm"
MOST_WAITING: Final = 256
"""Questions that wait for the next act; what comes beyond is dropped (a flood, not a controller)."""
MOST_ANSWERS: Final = 200
"""In one act, or a few more: questions that are left wait for the next one, after what has come in meanwhile."""
COMPLAINTS_PER_S: Final = 50
"""Complaints that are answered; guessing at what was meant takes time, and a flood of nonsense gets none."""

Answer = tuple[Sender, str, tuple[Value, ...]]


class Dispatcher:
    """Messages in, changes of the session and answers out. Not thread-safe: one worker owns it."""

    def __init__(self, session: "Session", clients: Subscriptions) -> None:
        self._session = session
        self._clients = clients
        self._waiting: dict[str, tuple[Parameter, Value, Sender]] = {}
        self._asked: dict[tuple[Sender, str], Callable[[float], list[Answer]]] = {}
        self._complaints: dict[tuple[Sender, str], Callable[[], str]] = {}
        self._complained, self._since = 0, -math.inf

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._waiting and not self._asked and not self._complaints

    def enqueue(self, message: Message, sender: Sender) -> None:
        """Put a message to what waits; a newer value of the same address takes the older one's place."""
        try:
            self._sort(message, sender)
        except InputError as error:
            self.report_error(sender, message.address, str(error))

    def report_error(self, sender: Sender, what: str, reason: str | Callable[[], str]) -> None:
        """Answer `/moodfader/error` with a reason at the next act; the last one counts for the same `what`."""
        if len(self._complaints) < COMPLAINTS_PER_S:
            self._complaints[sender, what] = reason if callable(reason) else lambda: reason

    def apply_pending(self, now: float) -> list[Answer]:
        """Do what waits; returns the answers to be sent. Leases begin at `now`, in seconds."""
        waiting, self._waiting = self._waiting, {}
        answers: list[Answer] = []
        for address, (_, value, sender) in waiting.items():
            try:
                self._session.set(address, value, source=f"osc {sender[0]}:{sender[1]}")
                self._clients.note_sent(sender, address, value)
            except InputError as error:
                self.report_error(sender, address, str(error))
            except Exception as error:  # one fault must not end the show; who caused it is told
                self.report_error(sender, address, f"{address}: a fault of Moodfader ({error!r})")
        while self._asked and len(answers) < MOST_ANSWERS:
            answers += self._asked.pop(next(iter(self._asked)))(now)
        return self._reasons(now) + answers  # who sets and then asks hears first why it was not set

    def _reasons(self, now: float) -> list[Answer]:
        """The complaints that are made this second."""
        if now - self._since >= 1:
            self._complained, self._since = 0, now
        complaints, self._complaints = self._complaints, {}
        made = list(complaints.items())[: COMPLAINTS_PER_S - self._complained]
        self._complained += len(made)
        return [(sender, ERROR, (reason(),)) for (sender, _), reason in made]

    def _sort(self, message: Message, sender: Sender) -> None:
        address, arguments = message.address, message.arguments
        if address == ERROR:  # another server's complaint is not to be complained about
            return
        if address == SUBSCRIBE:
            rate_hz = _rate(arguments)
            self._ask(sender, SUBSCRIBE, lambda now: self._subscribe(sender, rate_hz, now))
            return
        if address == UNSUBSCRIBE:
            self._asked.pop((sender, SUBSCRIBE), None)
            self._clients.leave(sender)
            return
        pattern, norm = (address.removesuffix(NORM), True) if address.endswith(NORM) else (address, False)
        controls = [control for control in match_parameters(pattern) if control.has_norm or not norm]
        if not controls:
            if norm and match_parameters(pattern):
                raise InputError(f"{address}: has no range, so it has no normalised value")
            self.report_error(sender, address, lambda: _unknown(pattern))
            return
        if len(arguments) > 1:
            raise InputError(f"{address}: wants one value, not {len(arguments)}")
        if arguments:
            writable = [control for control in controls if control.writable]  # of a pattern, those that can be set
            self._set(writable or controls, arguments[0], sender, norm)
        elif len(controls) == 1 and controls[0].kind == "trigger":
            self._set(controls, None, sender, norm)
        else:
            self._ask(sender, address, lambda _: self._values(controls, sender, norm))

    def _set(self, controls: list[Parameter], given: Value, sender: Sender, norm: bool) -> None:
        checked = []
        for control in controls:
            if not control.writable:
                raise InputError(f"{control.address}: can only be watched, not set")
            checked.append((control, control.from_norm(_number(control, given)) if norm else control.validate(given)))
        for control, value in checked:
            if control.kind == "trigger" and not value:  # the release of a button
                continue
            self._waiting.pop(control.address, None)  # the order of the newest values counts: play, then pause
            self._waiting[control.address] = control, value, sender

    def _ask(self, sender: Sender, what: str, question: Callable[[float], list[Answer]]) -> None:
        if len(self._asked) < MOST_WAITING:
            self._asked[sender, what] = question

    def _values(self, controls: list[Parameter], sender: Sender, norm: bool) -> list[Answer]:
        answers: list[Answer] = []
        for control in controls:
            value = self._session.get(control.address)
            if norm and isinstance(value, int | float):
                answers.append((sender, control.address + NORM, (control.to_norm(value),)))
            elif control.kind != "trigger":
                answers.append((sender, control.address, (value,)))
        return answers

    def _subscribe(self, sender: Sender, rate_hz: float, now: float) -> list[Answer]:
        version, _ = self._session.changes_since(0)  # first the version: what changes meanwhile is told twice
        lease = self._clients.renew(sender, now, rate_hz=rate_hz, version=version)
        news = lease.news(self._session.state())
        return [(sender, address, (value,)) for address, value in news.items()]


def _unknown(pattern: str) -> str:
    try:
        return find_parameter(pattern).address
    except InputError as error:
        return str(error)


def _rate(arguments: tuple[Value, ...]) -> float:
    if not arguments:
        return DEFAULT_RATE_HZ
    rate_hz, (low, high) = arguments[0], RATES_HZ
    if len(arguments) > 1 or isinstance(rate_hz, bool | str) or rate_hz is None or not math.isfinite(rate_hz):
        raise InputError(f"{SUBSCRIBE}: wants one number at most, messages a second")
    if not low <= rate_hz <= high:
        raise InputError(f"{SUBSCRIBE}: {rate_hz:g} Hz is out of range, it goes from {low:g} to {high:g}")
    return float(rate_hz)


def _number(control: Parameter, given: Value) -> float:
    if isinstance(given, str) or given is None or not math.isfinite(given):
        raise InputError(f"{control.address}{NORM}: wants a number from 0 to 1")
    return float(given)
