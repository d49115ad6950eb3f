"""Mistakes in a command line in one line: the option, what was given for it, and what is needed."""

import os
from collections.abc import Sequence
from typing import Any

import typer

_NEEDED = {
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "int_parsing_size": "a smaller number is needed",
    "float_parsing": "a number is needed",
    "less_than_equal": "goes to {le}",
    "greater_than_equal": "begins at {ge}",
}
"""What pydantic's kinds of errors mean, in the words of the other lines."""
_MAY_BE_EMPTY = ("send", "presets")


def empty_argument(arguments: Sequence[str]) -> bool:
    """Whether an argument is empty where that means nothing: most often a variable of the shell that is not set."""
    return "" in arguments and arguments[0] not in _MAY_BE_EMPTY


def usage_line(error: typer.TyperException, arguments: Sequence[str]) -> str:
    """The line for an error that the parser of the command line found.

    Parameters
    ----------
    error : typer.TyperException
        The error.
    arguments : sequence of str
        The command line, without the program's name.
    """
    text = _invalid_value(error) or error.format_message().rstrip(".")
    files = [word for word in arguments if word.startswith("-") and len(word) > 1 and os.path.lexists(word)]
    if files and type(error).__name__ == "NoSuchOption":
        text += f": for a file of this name write ./{files[0]}"
    context = getattr(error, "ctx", None)
    return text if context is None else f"{text} (see {context.command_path} --help)"


def _invalid_value(error: typer.TyperException) -> str | None:
    """What is wrong with the value of an option, where the parser knows what was given."""
    parameter, cause = getattr(error, "param", None), getattr(error, "__cause__", None)
    if parameter is None or cause is None or not hasattr(cause, "errors"):
        return None
    fault: dict[str, Any] = cause.errors()[0]
    is_option = parameter.param_type_name == "option"
    name = parameter.opts[0] if is_option else parameter.metavar or parameter.name.upper()
    needed = _NEEDED.get(fault["type"])
    if needed is None:
        reason = str(fault.get("ctx", {}).get("error", fault["msg"]))
        return f"{name} {fault['input']!r}: {reason}"
    return f"{name} {fault['input']}: {needed.format(**fault.get('ctx', {}))}"
