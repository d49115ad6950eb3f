"""The session that MIDI controls move: decoded messages are set, and what cannot be set is told in one line."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...models.common.errors import InputError
from ..parameters.table import Parameter
from .decoder import MidiDecoder
from .mapping_file import MidiBinding
from .messages import MidiMessage

if TYPE_CHECKING:
    from ..session.session import Session
    from .feedback import MidiFeedback


class MidiControl:
    """Moves a session by the messages of an input, as the mapping says.

    Parameters
    ----------
    session : Session
        What is set.
    mapping : sequence of MidiBinding
        Which control sets which address.
    source : str
        The source that a recording of the performance names.
    feedback : MidiFeedback, optional
        Feedback to the same controls. It is told which control is being moved, and a motor fader's own way to the
        value that it was sent does not act.
    note : callable, optional
        Told in one line what a person should know: a fader that waits for pickup, a value that was refused.
    """

    def __init__(
        self,
        session: "Session",
        mapping: Sequence[MidiBinding],
        *,
        source: str = "midi",
        feedback: "MidiFeedback | None" = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._session = session
        self._source = source
        self._feedback = feedback
        self._note = note or (lambda text: None)
        self._decoder = MidiDecoder(mapping, session.get, self._waiting)
        self._lock = threading.Lock()  # (what was held back comes by the thread of the feedback, and before the next)
        if feedback is not None:
            feedback.on_stopped = self._act_on_stopped

    def receive(self, message: MidiMessage) -> None:
        """Act on one message; what is not mapped is left alone. Raises nothing: the show goes on."""
        with self._lock:
            if self._feedback is None:
                self._act(message)
                return
            received = self._feedback.receive(message)
            for binding in received.followed:
                self._decoder.take_over(binding)
            for one in received.messages:
                self._act(one)

    def restart(self) -> None:
        """Forget where the controls stand: their device was gone, and is back."""
        with self._lock:
            self._decoder.restart()

    def _act_on_stopped(self) -> None:
        with self._lock:
            for message in self._feedback.stopped() if self._feedback is not None else ():
                self._act(message)

    def _act(self, message: MidiMessage) -> None:
        try:
            for address, value in self._decoder.decode(message):
                self._session.set(address, value, source=self._source)
        except InputError as error:
            self._note(f"MIDI: {error}")
        except Exception as error:  # one fault must not end the show
            self._note(f"MIDI: a fault of Moodfader ({error!r}); the show goes on")

    def _waiting(self, parameter: Parameter, value: float) -> None:
        name = parameter.address.rsplit("/", 1)[-1].replace("_", " ")
        unit = f" {parameter.unit}" if parameter.unit else ""
        self._note(f"MIDI: {name} waits for its fader: move it through {value:.3g}{unit}")
