"""What the web process is started with, and the messages between it and the program."""

import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..parameters.table import Value


@dataclass(frozen=True)
class WebJob:
    """What the process serves.

    Attributes
    ----------
    values : dict
        Values of all parameters by address, as they are at the start.
    tracks : tuple of Path
        The set list.
    titles : tuple of str
        What is shown of each of its tracks.
    page : socket or None
        Listening socket of the page; None: no page.
    token : str
        First part of every path of the page; empty: none is needed.
    query : socket or None
        Listening socket of OSCQuery; None: no OSCQuery.
    host_info : dict
        The answer to OSCQuery's `?HOST_INFO`.
    """

    values: dict[str, Value]
    tracks: tuple[Path, ...] = ()
    titles: tuple[str, ...] = ()
    page: socket.socket | None = None
    token: str = ""
    query: socket.socket | None = None
    host_info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SetRequest:
    """One value that a client wants to set."""

    address: str
    value: Value
    client: int
    source: str


@dataclass(frozen=True)
class SetBatch:
    """Values to set, in order; answered by `Changes` with the same number. An empty batch asks for what is new."""

    number: int
    requests: tuple[SetRequest, ...]


@dataclass(frozen=True)
class Changes:
    """Values that have changed.

    Attributes
    ----------
    values : dict
        New values by address.
    answers : int
        Number of the batch that was obeyed before; 0: none.
    refused : tuple of (int, str, str)
        Client, address and reason of each request of that batch that could not be obeyed.
    analyses : dict
        Files of analyses that are new, by track.
    """

    values: dict[str, Value]
    answers: int = 0
    refused: tuple[tuple[int, str, str], ...] = ()
    analyses: dict[int, str] = field(default_factory=dict)
