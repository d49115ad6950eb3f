"""Becomes a client of the JACK server, which takes a while to answer; NumPy is imported only after that."""

from typing import Any


def open_client(name: str) -> Any:  # noqa: ANN401
    """A client of the server, not active yet.

    Raises
    ------
    OSError
        Without libjack.
    ConnectionError
        If there is no server.
    """
    import jack

    jack.set_error_function(lambda message: None)
    jack.set_info_function(lambda message: None)
    try:
        return jack.Client(name, no_start_server=True)
    except jack.JackError as error:
        raise ConnectionError("no JACK server answers (is jackd running?)") from error
