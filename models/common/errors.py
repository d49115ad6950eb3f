"""The exception for invalid input, whose message is shown to the user, and what is behind an exception."""

from collections.abc import Iterator


class InputError(ValueError):
    """Invalid input: a file, option or argument that cannot be used.

    The message is one line that names the input and suggests the cause. The command line prints it without a
    traceback and exits with code 2.
    """


def error_chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what has caused it, and so on; each once, also where one has been raised from itself."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
