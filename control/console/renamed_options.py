"""Hidden aliases: options that were renamed are still accepted under their old names, for one version."""

from collections.abc import Mapping
from typing import Any

from typer.core import TyperCommand


def command_with_aliases(aliases: Mapping[str, str]) -> type[TyperCommand]:
    """Return a command class that accepts old names of options, which its help does not show.

    Parameters
    ----------
    aliases
        New names of options by old names, both with their dashes.

    Returns
    -------
    type
        For the parameter `cls` of `typer.Typer.command`.
    """

    class AliasCommand(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # click's, or typer's copy of it
            return super().parse_args(ctx, [_renamed(argument) for argument in args])

    def _renamed(argument: str) -> str:
        name, equals, value = argument.partition("=")
        return aliases.get(name, name) + equals + value

    return AliasCommand
