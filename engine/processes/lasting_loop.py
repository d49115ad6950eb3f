"""The loop of a thread that is needed for as long as a show lasts: what goes wrong in one round is told in a line.

An exception that ended such a thread would be seen by nobody, and what it does (recording, restarts, a MIDI input)
would be missing for the rest of the show.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final

from ...models.common.errors import InputError

_REST_S: Final = 0.25
_TELL_AGAIN_S: Final = 60.0


def run_rounds(
    work: Callable[[], object], closing: threading.Event, *, who: str, tell: Callable[[str], object]
) -> None:
    """Call `work` again and again until `closing` is set.

    Parameters
    ----------
    work : callable
        One round, which waits by itself for what there is to do; False ends the loop.
    closing : threading.Event
        Ends the loop.
    who : str
        What the line begins with.
    tell : callable
        Told in one line of a round that raised; the same line again only after a minute.
    """
    told, told_at = "", 0.0
    while not closing.is_set():
        try:
            if work() is False:
                return
        except Exception as error:
            if closing.is_set():  # (what it works with is being put away)
                return
            text, now = fault_line(who, error), time.monotonic()
            if text != told or now - told_at > _TELL_AGAIN_S:
                told, told_at = text, now
                with contextlib.suppress(Exception):  # (who is told may be what has failed)
                    tell(text)
            closing.wait(_REST_S)


def fault_line(who: str, error: Exception) -> str:
    """One line about an exception that does not end the show.

    Examples
    --------
    >>> fault_line("OSC", ValueError("no number"))
    'OSC: a fault of Moodfader (ValueError: no number); the show goes on'
    >>> fault_line("MIDI", OSError(24, "Too many open files"))
    'MIDI: Too many open files; the show goes on'
    """
    if isinstance(error, InputError):
        return f"{who}: {error}; the show goes on"
    if isinstance(error, OSError) and error.strerror:
        return f"{who}: {error.strerror}; the show goes on"
    words = " ".join(str(error).split())
    return f"{who}: a fault of Moodfader ({type(error).__name__}{words and ': '}{words}); the show goes on"
