"""The render process as the player sees it: the pipe to it, what it has been told, and another one in its place.

What a renderer was told about tracks is kept, so that one that replaces it sounds the same.
"""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from .ipc import ChildProcesses
from .messages import ControlValue, RenderJob, ResumePoint, SetControls, SettingSolved, UseAnalysis


class RendererLink:
    """Starts the render process and sends to it, from any thread.

    Attributes
    ----------
    connection : Connection
        This end of the pipe of the present renderer.
    """

    def __init__(self, children: ChildProcesses, target: Callable[..., None]) -> None:
        """Start the process, whose entry point is `target`; it waits for `begin`."""
        self._children, self._target = children, target
        self.connection = self._start()
        self._job: RenderJob | None = None
        self._lock = threading.Lock()  # two threads send
        self._analyses: dict[int, str] = {}
        self._settings: dict[tuple[int, tuple[float, ...]], SettingSolved] = {}

    def begin(self, job: RenderJob) -> None:
        """Have it render. Raises OSError where the process has ended."""
        self._job = job
        self.connection.send(job)

    def set_controls(self, changes: tuple[tuple[str, ControlValue], ...]) -> None:
        """Send changes of controls. Raises OSError where the process has ended."""
        self._send(SetControls(changes))

    def use_analysis(self, track: int, path: str) -> bool:
        """Have it use the analysis of a track in this file; False, and nothing sent, where it does so already."""
        if self._analyses.get(track) == path:
            return False
        self._analyses[track] = path
        with contextlib.suppress(OSError):  # (one that is started in its place gets it with its job)
            self._send(UseAnalysis(track, path))
        return True

    def use_setting(self, solved: SettingSolved) -> bool:
        """Have it use a solved setting; False, and nothing sent, where it has one of these faders for the track."""
        key = solved.track, solved.faders_db
        if key in self._settings:
            return False
        self._settings[key] = solved
        with contextlib.suppress(OSError):
            self._send(solved)
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
        """Start another renderer, which continues where the last one ended (the parameters are a ResumePoint's)."""
        assert self._job is not None
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
        connection = self._start()
        with contextlib.suppress(OSError):  # (it has ended already: who listens to its pipe finds that)
            connection.send(replace(self._job, resume=point))
        with self._lock:
            self.connection = connection

    def _start(self) -> "Connection[Any, Any]":
        _, connection = self._children.start(self._target)
        return connection

    def _send(self, message: SetControls | UseAnalysis | SettingSolved) -> None:
        with self._lock:
            self.connection.send(message)
