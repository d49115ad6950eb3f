"""The one error that is meant for the user's eyes."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that names the thing and guesses the cause; the command line prints it as it is and
    exits with code 2. Whoever uses the package from Python catches it as a ValueError.
    """
