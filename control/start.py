"""The console script. For `play` the processes of the sound begin first, while the program itself is imported."""

import sys

_NO_SOUND = {"-h", "--help", "--prepare"}


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["play"] and not _NO_SOUND & set(arguments):
        from ..engine.live.entry_points import prepare_processes

        prepare_processes()
    from .cli import main as command_line

    command_line()
