"""The console script. For `play` the processes of the sound begin first, while the program itself is imported."""

import sys

_NO_SOUND = {"-h", "--help", "--prepare"}


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["play"] and not _NO_SOUND & set(arguments):
        from ..engine.processes.realtime import set_start_priority

        set_start_priority()  # (before anything else: imports are what takes the time, above all on a busy machine)
        from ..engine.live.entry_points import prepare_processes

        prepare_processes(likely_backend(arguments), fork=True)
    from .cli import main as command_line

    command_line()


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
