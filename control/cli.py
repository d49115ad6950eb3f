"""The command line. `main` gives errors one line and the exit code its meaning.

Exit codes: 0 done (also when the reader of the output has gone); 2 something the user gave cannot be used (one line
says what); 3 some tracks of a batch failed; 130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP; 1 a fault of
the program itself (with a traceback to report).
"""

import atexit
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Final, NoReturn

import typer

from .. import __version__
from ..models.common.errors import InputError
from ..models.common.extras import missing_extra
from .command_line.plain_arguments import plain_call
from .command_line.renamed_options import current_option
from .command_line.usage_errors import empty_argument, usage_line
from .console.interruption import Terminated, ended_by_signals, interrupt_behind
from .console.output import print_error, system_reason
from .console.terminal_io import adapt_streams, is_broken_pipe, silence_stdout

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells have it."""

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "control.commands.demo": ("demo",),
    "control.commands.predict": ("predict", "analyze"),
    "control.commands.explain": ("explain",),
    "control.commands.render": ("render",),
    "control.commands.steer": ("steer",),
    "control.commands.listen_test": ("listen-test",),
    "control.batch.commands": ("batch",),
    "control.live_commands.play": ("play",),
    "control.live_commands.osc": ("send", "monitor", "controls"),
    "control.live_commands.midi": ("midi",),
    "control.live_commands.devices": ("devices",),
    "control.commands.presets": ("presets",),
    "control.experiments.train_command": ("train",),
    "control.experiments.evaluate_command": ("evaluate",),
    "control.commands.cache": ("cache",),
}
"""The commands of each module, in the order in which the help names them."""


def make_app(command: str = "") -> typer.Typer:
    """The program with one of its commands, or with all if it has none of that name: importing them takes a while."""
    app = typer.Typer(
        name="moodfader",
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": current_option},
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(moodfader)
    for module in [name for name, commands in MODULES.items() if command in commands] or MODULES:
        import_module(f"moodfader.{module}").register(app)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        print(f"moodfader {__version__}")
        raise typer.Exit


def moodfader(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Seven faders for the qualities that a listener hears in a finished recording, and the emotions they move."""


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say; returns the exit code."""
    if empty_argument(arguments):
        print_error("an argument is empty (a variable of the shell that is not set?)")
        return 2
    try:
        app = make_app(arguments[0] if arguments else "")
        plain = plain_call(app, arguments) if arguments else None
        if plain is not None:
            code: int | None = plain()
        else:
            code = typer.main.get_command(app).main(list(arguments), prog_name="moodfader", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        code = _code_of(interrupt_behind(error) or error, arguments)
        if code is None:
            raise
        return code
    if code == INTERRUPTED:
        print_error("interrupted")
    return code if isinstance(code, int) else 0


def _code_of(error: BaseException, arguments: Sequence[str]) -> int | None:
    """Print an error as one line; the exit code, or None for a fault of the program."""
    match error:
        case InputError():
            print_error(str(error))
        case typer.TyperException():
            return _usage_error(error, arguments)
        case KeyboardInterrupt() | typer.Abort():
            print_error("interrupted")
            return INTERRUPTED
        case Terminated():
            print_error("ended by a signal")
            return 128 + error.number
        case OSError() | SystemExit() if is_broken_pipe(error):
            silence_stdout()  # the reader (head, less) has closed the pipe: print nothing, flush nothing
            return 0
        case OSError() if reason := system_reason(error):
            print_error(reason)
        case ModuleNotFoundError() if line := missing_extra(error):
            print_error(line)
        case _:
            return None
    return 2


def _usage_error(error: typer.TyperException, arguments: Sequence[str]) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
    else:
        print_error(usage_line(error, arguments))
    return 2


def main() -> None:
    """Run the command line and exit."""
    adapt_streams()
    with ended_by_signals():
        code = run(sys.argv[1:])
        if code == INTERRUPTED:
            _exit_interrupted()
        sys.exit(code)


def _exit_interrupted() -> NoReturn:
    """Exit with INTERRUPTED in every case.

    Where the interrupt came while Python executed code that it had made of text, as it does when many modules are
    imported, `sys.exit` would end the process by SIGINT, whatever its argument.
    """
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):  # (nobody reads any more)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
