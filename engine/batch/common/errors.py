"""Errors of a batch that are not a track's own: a lost storage, a worker that died, a scheduler that went away."""

import errno
from typing import Final

from ....models.common.errors import error_chain

_LOST: Final = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.ENODEV,
    errno.ENOTCONN,
    errno.ESTALE,
    errno.EHOSTDOWN,
}
"""Errors of the system that concern a disk or a server, not a file."""
_LOST_NAMES: Final = {
    "ConnectionError",
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "ConnectionClosedError",
    "ReadTimeoutError",
    "ServerDisconnectedError",
    "ClientConnectorError",
    "NoCredentialsError",
    "TimeoutError",
}
"""Classes of the clients of remote storage (botocore, aiohttp, requests), which are no dependencies here."""


class StorageLostError(Exception):
    """A storage cannot be reached or is full: the batch stops and can go on later. The message is one line."""


class WorkerDiedError(Exception):
    """The process that worked on some tracks ended without an answer."""


class SchedulerLostError(Exception):
    """The scheduler of a cluster went away with what had been submitted."""


def lost_storage(error: BaseException) -> str | None:
    """Why an error means that a disk or a server is lost or full.

    Parameters
    ----------
    error
        Any error; what it came from (`__cause__`, `__context__`) is looked at, too.

    Returns
    -------
    str or None
        The reason in a few words; None where the error is about one file.
    """
    for found in error_chain(error):
        if isinstance(found, OSError) and found.errno in _LOST:
            return found.strerror or str(found)
        if any(kind.__name__ in _LOST_NAMES for kind in type(found).__mro__):
            return one_line(found)
        if "is the disk full?" in str(found):  # (libsndfile keeps the system's reason to itself)
            return "no space left on device"
    return None


def one_line(error: BaseException) -> str:
    """The message of an error in one line of at most 300 characters; its class where it has none."""
    return " ".join(str(error).split())[:300] or type(error).__name__
