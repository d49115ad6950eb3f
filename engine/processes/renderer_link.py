"""The render process as the player sees it: the pipe to it, what it has been told, and another one in its place.

What a renderer was told about tracks is kept, so that one that replaces it sounds the same. A renderer that stands
still holds up who writes to its pipe: one thread of the player does that (`send`), all others add to what waits.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from .ipc import ChildProcesses
from .messages import ControlValue, RenderJob, ResumePoint, SetControls, SettingSolved, UseAnalysis


class RendererLink:
    """Starts the render process and sends to it."""

    def __init__(self, children: ChildProcesses, target: Callable[..., None]) -> None:
        """Start the process, whose entry point is `target`; it waits for `begin`."""
        self._children, self._target = children, target
        self._process, connection = children.start(target)
        self._pipe: tuple[Connection[Any, Any], deque[object]] = connection, deque()  # (replaced as one)
        self._job: RenderJob | None = None
        self._analyses: dict[int, str] = {}
        self._settings: dict[tuple[int, tuple[float, ...]], SettingSolved] = {}

    @property
    def connection(self) -> "Connection[Any, Any]":
        """Our end of the pipe of the present renderer."""
        return self._pipe[0]

    def begin(self, job: RenderJob) -> None:
        """Have it render. Raises OSError where the process has ended."""
        self._job = job
        self.connection.send(job)

    def send(self, changes: tuple[tuple[str, ControlValue], ...]) -> None:
        """Send what waits, then changes of controls; by one thread only. Raises OSError: the process has ended."""
        connection, waiting = self._pipe
        while waiting:
            connection.send(waiting.popleft())
        if changes:
            connection.send(SetControls(changes))

    def use_analysis(self, track: int, path: str) -> bool:
        """Have it use the analysis of a track in this file with the next `send`; False where it does so already."""
        if self._analyses.get(track) == path:
            return False
        self._analyses[track] = path
        self._pipe[1].append(UseAnalysis(track, path))
        return True

    def use_setting(self, solved: SettingSolved) -> bool:
        """Have it use a solved setting with the next `send`; False where it has one of these faders for the track."""
        key = solved.track, solved.faders_db
        if key in self._settings:
            return False
        self._settings[key] = solved
        self._pipe[1].append(solved)
        return True

    def restart(
        self,
        *,
        position: int,
        track: int,
        track_position: int,
        playing: bool,
        ended: bool,
        controls: tuple[tuple[str, ControlValue], ...],
    ) -> None:
        """Start another renderer, which continues where the last one ended (the parameters are a ResumePoint's).

        Raises InputError where none can be started.
        """
        assert self._job is not None
        process, connection = self._children.start(self._target)
        point = ResumePoint(
            position=position,
            track=track,
            track_position=track_position,
            playing=playing,
            ended=ended,
            controls=controls,
            analyses=dict(self._analyses),
            settings=tuple(self._settings.values()),
        )
        self._process = process
        self._pipe = connection, deque([replace(self._job, resume=point)])  # (nobody reads the old one any more)

    def kill(self) -> None:
        """End the present renderer by force."""
        self._children.kill(self._process)
