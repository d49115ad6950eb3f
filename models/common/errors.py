"""The exception for invalid input, whose message is shown to the user."""


class InputError(ValueError):
    """Invalid input: a file, option or argument that cannot be used.

    The message is one line that names the input and suggests the cause. The command line prints it without a
    traceback and exits with code 2.
    """
