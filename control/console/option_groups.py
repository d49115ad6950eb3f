"""Option groups: options that belong together, declared once as a dataclass and taken by commands as one parameter.

    @dataclass(frozen=True)
    class TrainingOptions:
        epochs: Annotated[int, typer.Option(help="Number of epochs.")] = 30

    @expand_option_groups
    def train(output: ..., training: TrainingOptions, ...): ...

typer sees the fields as options of their own, in the parameter's place.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def expand_option_groups(command: F) -> F:
    """Decorate a command: each parameter that is a dataclass becomes one option for each of its fields.

    Parameters
    ----------
    command : callable
        A typer command.

    Returns
    -------
    callable
        Takes the fields as keyword arguments and calls `command` with the dataclasses made of them.
    """
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: p.annotation for name, p in signature.parameters.items() if dataclasses.is_dataclass(p.annotation)
    }
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        own = inspect.signature(groups[name], eval_str=True).parameters.values() if name in groups else [parameter]
        parameters += [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]

    @functools.wraps(command)
    def expanded(**options: Any) -> Any:  # noqa: ANN401
        for name, group in groups.items():
            fields = [field.name for field in dataclasses.fields(group)]
            options[name] = group(**{field: options.pop(field) for field in fields})
        return command(**options)

    del expanded.__wrapped__  # its signature is no longer the one that counts
    expanded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {p.name: p.annotation for p in parameters}
    return expanded  # type: ignore[return-value]
