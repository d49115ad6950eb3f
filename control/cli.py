"""The command line. `main` is the console script: it gives errors one line and the exit code its meaning.

Exit codes: 0 done; 2 something the user gave cannot be used (one line says what); 130 interrupted by Ctrl-C;
1 a fault of the program itself (with a traceback to report).
"""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from ..models.common.errors import InputError
from .commands import cache, demo, devices, explain, midi, osc, play, predict, presets, render
from .console.output import print_error
from .experiments import evaluate_command, train_command

app = typer.Typer(
    name="moodfader",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _commands in (
    demo,
    predict,
    explain,
    render,
    play,
    osc,
    midi,
    devices,
    presets,
    train_command,
    evaluate_command,
    cache,
):
    _commands.register(app)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"moodfader {version('moodfader')}")
        raise typer.Exit


@app.callback()
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
    try:
        code = typer.main.get_command(app).main(list(arguments), prog_name="moodfader", standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        print_error(str(error))
        return 2
    except typer.TyperException as error:
        return _usage_error(error)
    except (KeyboardInterrupt, typer.Abort):
        print_error("interrupted")
        return 130
    except BrokenPipeError:
        # Who read our output has gone (head, less): nothing to say, and nothing to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if code == 130:
        print_error("interrupted")
    return code if isinstance(code, int) else 0


def _usage_error(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    text = error.format_message()
    if context is None or type(error).__name__ == "NoArgsIsHelpError":
        print(text, file=sys.stderr)
    else:
        print_error(f"{text.rstrip('.')} (see {context.command_path} --help)")
    return 2


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
