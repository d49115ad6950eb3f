"""Options that belong together, declared once as a dataclass and taken by a command as one parameter.

    @dataclass(frozen=True)
    class Recipe:
        epochs: Annotated[int, typer.Option(help="How many epochs.")] = 30

    @with_groups
    def train(output: ..., recipe: Recipe, ...): ...

typer sees the fields as options of their own, in the parameter's place.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def expand_option_groups(command: F) -> F:
    """A command whose dataclass parameters are spelled as the options of their fields."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: p.annotation for name, p in signature.parameters.items() if dataclasses.is_dataclass(p.annotation)
    }
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        own = inspect.signature(groups[name], eval_str=True).parameters.values() if name in groups else [parameter]
        parameters += [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]

    @functools.wraps(command)
    def spelled(**options: Any) -> Any:  # noqa: ANN401
        for name, group in groups.items():
            fields = [field.name for field in dataclasses.fields(group)]
            options[name] = group(**{field: options.pop(field) for field in fields})
        return command(**options)

    del spelled.__wrapped__  # its signature is no longer the one that counts
    spelled.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    spelled.__annotations__ = {p.name: p.annotation for p in parameters}
    return spelled  # type: ignore[return-value]
