"""Starts the player while the session and the control surfaces are still being imported and opened.

What is to sound from the first sample on can be told to it already: then it plays before there is a session.
"""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ...engine.live.player import Player
from ...engine.live.player_options import PlayerOptions
from ...engine.performance.events import Value
from ...engine.processes.ipc import ChildProcesses
from ...engine.processes.messages import PlayerMessage

_PATIENCE_S: Final = 1.0
"""For so long a device may go on being opened that nobody needs any more."""
_POLL_S: Final = 0.002
Controls = Sequence[tuple[str, Value]]
Follow = Callable[[PlayerMessage], None]


class EarlyPlayer:
    """A player that a thread of its own starts: it opens the device and decodes, and does not play unless told to.

    Its messages are kept until somebody takes them.
    """

    def __init__(
        self, files: Sequence[Path], options: PlayerOptions, children: ChildProcesses, controls: Controls = ()
    ) -> None:
        """Begin.

        Parameters
        ----------
        files, options
            What to play, and how.
        children : ChildProcesses
            Where its processes are prepared.
        controls : sequence of (str, Value)
            Controls that are set at once, by address; values that have been checked.
        """
        self._arguments = files, options, children
        self.controls = dict(controls)
        """What it has been told."""
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

    def wait_for_sound(self, longest_s: float) -> None:
        """Leave the processor to the first sound: wait until it has been played, or for so long."""
        end = time.monotonic() + longest_s
        self._thread.join(longest_s)
        while self._player is not None and not self._player.samples_played and time.monotonic() < end:
            time.sleep(_POLL_S)

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
            player = Player(files, self._pass_on, options, children=children)
            for address, value in self.controls.items():
                player.set(address, value)
            self._player = player
        except BaseException as error:
            self._error = error

    def _pass_on(self, message: PlayerMessage) -> None:
        with self._lock:
            if self._follow is None:
                self._kept.append(message)
                return
        self._follow(message)
