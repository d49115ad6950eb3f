"""From OSC messages to changes of the session and answers, without a socket.

`Dispatcher.enqueue` takes each message as it comes and keeps the newest value of each address, and all that acts;
`apply_pending` sets them, in the order in which they came, and returns the answers.

The addresses are the parameters of control/parameters/table.py (a new one is a row there); only subscriptions and
errors have addresses of their own here.

* A message with one argument sets, one without asks (a trigger is pressed); a pattern does so for all it matches.
* `<address>/norm` is the same parameter on 0..1.
* `/moodfader/subscribe [rate_hz [port]]`, `/moodfader/subscribe/norm` and `/moodfader/unsubscribe [port]` begin and
  end a subscription.
* A message that cannot be obeyed is answered by `/moodfader/error` and the reason, and by what the address holds, so
  that the client's fader goes back to where it is.
"""

import importlib.resources
import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...models.common.errors import InputError
from ..parameters.table import ROOT, Parameter, Value, find_parameter, match_parameters
from ..parameters.waiting_changes import WaitingChanges
from ..session.presets import user_preset_dir
from .arguments import Argument, argument_value, finite_numbers, norm_value, untyped_value
from .packets import Message
from .subscriptions import DEFAULT_RATE_HZ, NORM, RATES_HZ, Sender, Subscriptions, at_port, with_norm

if TYPE_CHECKING:
    from ..session.session import Session

ERROR: Final = f"{ROOT}/error"
SUBSCRIBE: Final = f"{ROOT}/subscribe"
UNSUBSCRIBE: Final = f"{ROOT}/unsubscribe"
MAX_QUERIES: Final = 256
"""Queries that wait for the next `apply_pending`; more are dropped (a flood, not a controller)."""
MAX_ANSWERS: Final = 200
"""Answers of one `apply_pending`, exceeded by at most one query's; other queries wait for the next one."""
MAX_ERRORS_PER_S: Final = 50
"""Errors that are answered; finding out what was meant takes time, and a flood of nonsense gets none."""
MAX_RETURNS_PER_S: Final = 200
"""Held values that are sent back after a refusal; without a limit two servers could answer each other for ever."""

Answer = tuple[Sender, str, tuple[Value, ...]]
"""Whom to send it to, address and arguments."""


class Dispatcher:
    """Sets and reads a session by OSC messages. Not thread-safe: one thread owns it.

    Parameters
    ----------
    session : Session
        What is set and read.
    subscriptions : Subscriptions
        The clients that are told of changes.
    own_address : Sender
        The server's own address, which no client may name as its own.
    note : callable, optional
        Told in one line of faults of the program itself.
    """

    def __init__(
        self,
        session: "Session",
        subscriptions: Subscriptions,
        *,
        own_address: Sender = ("", 0),
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._session = session
        self._subscriptions = subscriptions
        self._own_address = own_address
        self._note = note or (lambda text: None)
        self._values: WaitingChanges[tuple[Parameter, Value, Sender, bool]] = WaitingChanges()
        self._queries: dict[tuple[Sender, str], Callable[[float], list[Answer]]] = {}
        self._errors: dict[tuple[Sender, str], Callable[[], str]] = {}
        self._returns: dict[tuple[Sender, str], tuple[Parameter, bool]] = {}
        self._errors_sent, self._returns_sent, self._second_began = 0, 0, -math.inf

    @property
    def idle(self) -> bool:
        """Whether nothing is pending."""
        return not (self._values or self._queries or self._errors or self._returns)

    def enqueue(self, message: Message, sender: Sender) -> None:
        """Add a message to what is pending (see WaitingChanges). Raises nothing."""
        try:
            self._enqueue(message, sender)
        except InputError as error:
            self.report_error(sender, message.address, str(error))
        except Exception as error:  # a fault of the program must not end the show
            self._report_fault(sender, message.address, error)

    def report_error(self, sender: Sender, address: str, reason: str | Callable[[], str]) -> None:
        """Answer `/moodfader/error` with the reason at the next `apply_pending`; the last one counts per address."""
        if len(self._errors) < MAX_ERRORS_PER_S:
            text = reason if callable(reason) else lambda: reason
            self._errors[self._subscriptions.reply_address(sender), address] = text

    def apply_pending(self, now: float) -> list[Answer]:
        """Set the pending values and answer the pending queries.

        Parameters
        ----------
        now : float
            Time in seconds of a steady clock; subscriptions begin at it.

        Returns
        -------
        list of Answer
            What is to be sent: errors and held values first, then what was asked.
        """
        for parameter, value, sender, norm in self._values.take():
            address = parameter.address
            try:
                self._session.set(address, value, source=f"osc {sender[0]}:{sender[1]}")
                self._subscriptions.note_sent(sender, address, value)
                continue
            except InputError as error:
                self.report_error(sender, address, _without_folders(str(error)))
            except Exception as error:  # a fault of the program must not end the show
                self._report_fault(sender, address, error)
            self._return_held([parameter], sender, norm)
        answers: list[Answer] = []
        while self._queries and len(answers) < MAX_ANSWERS:
            answers += self._queries.pop(next(iter(self._queries)))(now)
        return self._refusals(now) + answers

    def _refusals(self, now: float) -> list[Answer]:
        """Errors and held values, as many as are allowed in this second."""
        if now - self._second_began >= 1:
            self._errors_sent, self._returns_sent, self._second_began = 0, 0, now
        errors = list(self._errors.items())[: MAX_ERRORS_PER_S - self._errors_sent]
        returns = list(self._returns.items())[: MAX_RETURNS_PER_S - self._returns_sent]
        self._errors, self._returns = {}, {}
        self._errors_sent += len(errors)
        self._returns_sent += len(returns)
        answers: list[Answer] = [(reply, ERROR, (reason(),)) for (reply, _), reason in errors]
        for (reply, _), (parameter, norm) in returns:
            answers += self._read([parameter], reply, norm)
        return answers

    def _enqueue(self, message: Message, sender: Sender) -> None:
        address = message.address
        if address == ERROR:  # the error of another server: answering it could go on for ever
            return
        if address in (SUBSCRIBE, SUBSCRIBE + NORM, UNSUBSCRIBE):
            self._enqueue_subscription(message, sender)
            return
        norm = address.endswith(NORM)
        pattern = address.removesuffix(NORM)
        matched = match_parameters(pattern)
        parameters = [parameter for parameter in matched if parameter.has_norm or not norm]
        if not parameters:
            if matched:
                raise InputError(f"{address}: has no range, so it has no normalised value")
            self.report_error(sender, address, lambda: _unknown_text(pattern))
            return
        arguments = _arguments(message, text=all(parameter.kind == "string" for parameter in parameters))
        if len(arguments) > 1:
            raise InputError(f"{address}: wants one value, not {len(arguments)}")
        if arguments:
            writable = [parameter for parameter in parameters if parameter.writable]
            self._enqueue_value(writable or parameters, arguments[0], sender, norm)
        elif len(parameters) == 1 and parameters[0].kind == "trigger":
            self._enqueue_value(parameters, None, sender, norm)
        else:
            reply = self._subscriptions.reply_address(sender)
            self._enqueue_query(reply, address, lambda _: self._read(parameters, reply, norm))

    def _enqueue_value(self, parameters: list[Parameter], argument: Argument, sender: Sender, norm: bool) -> None:
        """Set all of these parameters or, if one of them does not take the argument, none."""
        convert = norm_value if norm else _validated
        try:
            values = [(parameter, convert(parameter, argument)) for parameter in parameters]
        except InputError:
            self._return_held(parameters, sender, norm)
            raise
        for parameter, value in values:
            if parameter.kind == "trigger" and not value:  # the release of a button
                continue
            self._values.put(parameter, (parameter, value, sender, norm))

    def _enqueue_query(self, reply: Sender, what: str, query: Callable[[float], list[Answer]]) -> None:
        if len(self._queries) < MAX_QUERIES:
            self._queries[reply, what] = query

    def _enqueue_subscription(self, message: Message, sender: Sender) -> None:
        address = message.address
        numbers = finite_numbers(address, _arguments(message, text=False))
        if address == UNSUBSCRIBE:
            reply = self._reply_address(address, numbers, sender)
            self._queries.pop((reply, SUBSCRIBE), None)
            self._subscriptions.leave(reply)
            return
        rate_hz, (low, high) = numbers[0] if numbers else DEFAULT_RATE_HZ, RATES_HZ
        if not low <= rate_hz <= high:
            raise InputError(f"{address}: {rate_hz:g} Hz is out of range, it goes from {low:g} to {high:g}")
        reply, norm = self._reply_address(address, numbers[1:], sender), address != SUBSCRIBE
        self._enqueue_query(reply, SUBSCRIBE, lambda now: self._subscribe(sender, reply, rate_hz, norm, now))

    def _subscribe(self, sender: Sender, reply: Sender, rate_hz: float, norm: bool, now: float) -> list[Answer]:
        """Begin a subscription; the answer is the whole state."""
        version, _ = self._session.changes_since(
            0
        )  # before the state: what changes meanwhile is sent twice, not never
        subscription = self._subscriptions.renew(
            reply, now, rate_hz=rate_hz, version=version, sender=sender, normalised=norm
        )
        state = subscription.pending(self._session.state())
        return [(reply, address, (value,)) for address, value in state.items()]

    def _reply_address(self, address: str, numbers: tuple[float, ...], sender: Sender) -> Sender:
        """Where a client listens that has named that port, or none. Raises InputError."""
        if not numbers:
            return self._subscriptions.reply_address(sender)
        port = numbers[0]
        if len(numbers) > 1 or not port.is_integer() or not 1 <= port <= 65535:
            raise InputError(f"{address}: the port to answer to is one whole number from 1 to 65535")
        reply = at_port(sender, int(port))
        if reply[:2] == self._own_address[:2]:
            raise InputError(f"{address}: {port:g} is the port that Moodfader listens on, name your own")
        return reply

    def _return_held(self, parameters: list[Parameter], sender: Sender, norm: bool) -> None:
        """Send the held values of these parameters back to who wanted to change them."""
        reply = self._subscriptions.reply_address(sender)
        for parameter in parameters:
            if len(self._returns) < MAX_RETURNS_PER_S and self._session.get(parameter.address) is not None:
                self._returns[reply, parameter.address] = parameter, norm

    def _read(self, parameters: list[Parameter], reply: Sender, norm: bool) -> list[Answer]:
        """Answers with what the parameters hold; triggers hold nothing."""
        answers: list[Answer] = []
        for parameter in parameters:
            if parameter.kind != "trigger":
                address, value = parameter.address, self._session.get(parameter.address)
                if norm:
                    address, value = with_norm(address, value)
                answers.append((reply, address, (value,)))
        return answers

    def _report_fault(self, sender: Sender, address: str, error: Exception) -> None:
        """Name a fault of the program to the client, and describe it to who plays."""
        self.report_error(sender, address, f"{address}: a fault of Moodfader ({type(error).__name__})")
        self._note(f"OSC {address}: a fault of Moodfader ({error!r}); the show goes on")


def _validated(parameter: Parameter, argument: Argument) -> Value:
    if not parameter.writable:
        raise InputError(f"{parameter.address}: can only be watched, not set")
    return parameter.validate(argument_value(parameter, argument))


def _arguments(message: Message, *, text: bool) -> tuple[Argument, ...]:
    """The arguments of a message with or without type tags. Raises InputError."""
    if not message.untyped:
        return message.arguments
    return (untyped_value(message.address, message.untyped, text=text),)


def _unknown_text(pattern: str) -> str:
    """Why there is no such parameter, with a guess at what was meant."""
    try:
        return f"{find_parameter(pattern).address}: matches nothing"
    except InputError as error:
        return str(error)


_SHIPPED_PRESETS: Final = str(importlib.resources.files("moodfader.presets"))


def _without_folders(text: str) -> str:
    """An error message without the preset folders of this machine, which are no business of the network's."""
    for folder in (user_preset_dir(), user_preset_dir().resolve(), _SHIPPED_PRESETS):
        text = text.replace(f"{folder}{os.sep}", "")
    return text
