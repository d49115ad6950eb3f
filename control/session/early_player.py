"""Starts the player while the session and the control surfaces are still being imported and opened."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ...engine.live.player import Player
from ...engine.live.player_options import PlayerOptions
from ...engine.processes.ipc import ChildProcesses
from ...engine.processes.messages import PlayerMessage

_PATIENCE_S: Final = 1.0
"""For so long a device may go on being opened that nobody needs any more."""
Follow = Callable[[PlayerMessage], None]


class EarlyPlayer:
    """A player that a thread of its own starts: it opens the device and decodes, but does not play yet.

    Its messages are kept until somebody takes them.
    """

    def __init__(self, files: Sequence[Path], options: PlayerOptions, children: ChildProcesses) -> None:
        """Begin; children: where its processes are prepared."""
        self._arguments = files, options, children
        self._lock = threading.Lock()
        self._kept: list[PlayerMessage] = []
        self._follow: Follow | None = None
        self._player: Player | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._start, name="player", daemon=True)
        self._thread.start()

    def take(self, follow: Follow) -> Player:
        """Wait until it has started; `follow` takes its messages, also those so far.

        Raises
        ------
        InputError
            A file cannot be played, or no device be opened.
        """
        self._thread.join()
        if self._player is None:
            assert self._error is not None
            raise self._error
        with self._lock:
            for message in self._kept:
                follow(message)
            self._follow = follow
        return self._player

    def close(self) -> None:
        """Stop it, also while it starts."""
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            self._arguments[2].join(0)  # what it waits for ends
            self._thread.join()
        if self._player is not None:
            self._player.close()

    def _start(self) -> None:
        files, options, children = self._arguments
        try:
            self._player = Player(files, self._pass_on, options, children=children)
        except BaseException as error:
            self._error = error

    def _pass_on(self, message: PlayerMessage) -> None:
        with self._lock:
            if self._follow is None:
                self._kept.append(message)
                return
        self._follow(message)
