"""Reads command lines that have nothing out of the ordinary, as typer would, without what typer imports for it.

typer converts each value by pydantic, whose import takes as long as all else that a command does before it begins.
What is declared for typer is read here, so there is one declaration of each option. Anything that is not plain - an
unknown option, a value that is not written as usual, a declaration with more to it - is left to typer, which also
says what is wrong.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import EllipsisType, NoneType, UnionType
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

_WRITTEN: Final[Mapping[Any, re.Pattern[str]]] = {
    int: re.compile(r"-?[0-9]{1,15}"),
    float: re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?"),
    str: re.compile(r"[^-].*", re.DOTALL),
    Path: re.compile(r"[^-].*", re.DOTALL),
}
_PLAIN_FIELDS: Final = ("parser", "click_type", "callback", "envvar", "default_factory", "shell_complete")
_PLAIN_OPTION_FIELDS: Final = ("prompt", "count", "is_eager")


class _Declared(NamedTuple):
    """A parameter of a command: its type, that of one of several values if it is repeated, and its bounds."""

    name: str
    kind: Any
    is_list: bool
    info: OptionInfo | ArgumentInfo
    default: Any

    @property
    def spellings(self) -> tuple[str, ...]:
        """What an option is called on the command line."""
        return self.named or ("--" + self.name.replace("_", "-"),)

    @property
    def named(self) -> tuple[str, ...]:
        """What it is called where its declaration says so (typer takes the first name for a default, at first)."""
        first = (self.info.default,) if isinstance(self.info.default, str) else ()
        return (*first, *(self.info.param_decls or ()))


def plain_arguments(command: Callable[..., Any], arguments: Sequence[str]) -> dict[str, Any] | None:
    """The arguments with which typer would call a command; None where that is better left to typer.

    Parameters
    ----------
    command : callable
        A command with typer's declarations.
    arguments : sequence of str
        The command line behind the command's name.
    """
    declared = [_declared(parameter) for parameter in inspect.signature(command, eval_str=True).parameters.values()]
    known = [one for one in declared if one is not None]
    positional = [one for one in known if isinstance(one.info, ArgumentInfo)]
    if len(known) < len(declared) or len(positional) > 1:
        return None
    options = {text: one for one in known if isinstance(one.info, OptionInfo) for text in one.spellings}
    found: dict[str, Any] = {}
    words = list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            if not positional or not _put(positional[0], word, found):
                return None
            continue
        name, equals, value = word.partition("=")
        option = options.get(name)
        if option is None or (option.kind is bool and equals) or (equals and not name.startswith("--")):
            return None
        if option.kind is bool:
            found[option.name] = True
        elif not (equals or words) or not _put(option, value if equals else words.pop(0), found):
            return None
    missing = [one for one in known if one.name not in found and one.default is ...]
    return None if missing else {one.name: found.get(one.name, one.default) for one in known}


def _declared(parameter: inspect.Parameter) -> _Declared | None:
    """What typer would take a parameter for; None where there is more to it than is read here."""
    if get_origin(parameter.annotation) is not Annotated:
        return None
    kind, info, *more = get_args(parameter.annotation)
    if more or not isinstance(info, OptionInfo | ArgumentInfo) or not isinstance(info.default, EllipsisType | str):
        return None
    if isinstance(kind, UnionType):
        kinds = [one for one in get_args(kind) if one is not NoneType]
        kind = kinds[0] if len(kinds) == 1 else None
    is_list = get_origin(kind) is list
    kind = get_args(kind)[0] if is_list else kind
    default = ... if parameter.default is inspect.Parameter.empty else parameter.default
    one = _Declared(parameter.name, kind, is_list, info, default)
    if any(getattr(info, field, None) is not None for field in _PLAIN_FIELDS):
        return None
    if isinstance(info, ArgumentInfo):
        return one if kind in _WRITTEN and not one.named else None
    if any(getattr(info, field, None) for field in _PLAIN_OPTION_FIELDS):
        return None
    if kind is bool:  # (without a name of its own it would have an opposite)
        return one if one.named and not is_list and not any("/" in text for text in one.named) else None
    return one if kind in _WRITTEN else None


def _put(one: _Declared, text: str, found: dict[str, Any]) -> bool:
    """Add a value to what was found; whether it is a plain one."""
    if not _WRITTEN[one.kind].fullmatch(text) or (one.name in found and not one.is_list):
        return False
    value = one.kind(text)
    low, high = one.info.min, one.info.max
    if (low is not None and value < low) or (high is not None and value > high):
        return False
    if one.is_list:
        found.setdefault(one.name, []).append(value)
    else:
        found[one.name] = value
    return True


def plain_call(app: typer.Typer, arguments: Sequence[str]) -> Callable[[], int] | None:
    """What carries out a command line and gives its exit code; None where that is better left to typer."""
    for info in app.registered_commands:
        command = info.callback
        if command is None or info.context_settings or (info.name or _name_of(command)) != arguments[0]:
            continue
        found = plain_arguments(command, arguments[1:])
        return None if found is None else partial(_exit_code, partial(command, **found))
    return None


def _name_of(command: Callable[..., Any]) -> str:
    return command.__name__.replace("_", "-")


def _exit_code(call: Callable[[], Any]) -> int:
    """The exit code of a command: 0, or that with which it ends itself."""
    try:
        call()
    except typer.Exit as ended:
        return int(ended.exit_code)
    return 0
