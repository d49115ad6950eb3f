"""The console script. For `play` the processes of the sound begin first, while the program itself is imported."""

import atexit
import contextlib
import os
import sys
from typing import NoReturn

from .console.interruption import Terminated, ended_by_signals, interrupt_behind

_NO_SOUND = {"-h", "--help", "--prepare"}


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    try:
        with ended_by_signals():
            if arguments[:1] == ["play"] and not _NO_SOUND & set(arguments):
                _begin_sound(arguments)
            from .cli import main as command_line

            command_line()
    except Exception as error:
        if (interrupt := interrupt_behind(error)) is None:
            raise
        _end(interrupt)
    except (KeyboardInterrupt, Terminated) as interrupt:
        _end(interrupt)


def _begin_sound(arguments: list[str]) -> None:
    from ..engine.processes.realtime import set_start_priority

    set_start_priority()  # (before anything else: imports are what takes the time, above all on a busy machine)
    from ..engine.live.entry_points import prepare_processes

    prepare_processes(likely_backend(arguments), fork=True)


def _end(interrupt: KeyboardInterrupt | Terminated) -> NoReturn:
    """End before the command line could: its modules are half imported."""
    reason, code = "interrupted", 130
    if isinstance(interrupt, Terminated):
        reason, code = "ended by a signal", 128 + interrupt.number
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(f"moodfader: {reason}", file=sys.stderr, flush=True)
    atexit._run_exitfuncs()
    os._exit(code)


def likely_backend(arguments: list[str]) -> str:
    """The output back end that is tried first, going by the arguments.

    Examples
    --------
    >>> likely_backend(["play", "a.wav", "--backend", "null"]), likely_backend(["play", "a.wav"])
    ('null', 'jack')
    """
    for number, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == "--backend":
            found = value or "".join(arguments[number + 1 : number + 2])
            return "jack" if found == "auto" else found
    return "jack"


if __name__ == "__main__":
    main()
