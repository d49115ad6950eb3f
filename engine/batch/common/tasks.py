"""What a batch consists of: one job for all tracks, one task a track, one outcome for each task.

All three are pickled on their way to a worker and back, so they hold plain values only.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ....models.signal.log_spectrogram import INPUT_VERSION

Status = Literal["done", "failed", "lost"]
"""lost: not the track's fault (a full disk, a storage that went away); it is worked on again later."""

NOTES: Final = "notes"
"""Where a result has what the user should know about the track, a text each; no such part where there is nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """A sound file: `url` is a local path or an fsspec URL, `root` the folder that it was found under.

    stamp: its size in bytes and what changes when its content does (time of change in ns, or ETag).
    """

    url: str
    root: str
    path: str
    """Relative to the root, with slashes."""
    stamp: tuple[int, str] = (0, "")


@dataclass(frozen=True, slots=True)
class Task:
    """One track to work on. `name` tells it from all others of the batch; `output` is where its file goes."""

    source: Source
    name: str
    output: str | None
    settings: Mapping[str, Any]
    settings_digest: str
    known_sound: str = ""
    """Digest of the sound that an earlier record of this name is about, if its file was touched since then."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all tasks have in common."""

    command: str
    model_path: str | None
    model_digest: str
    device: str
    destination: str
    version: str
    cache: str | None = None


@dataclass(slots=True)
class Outcome:
    """What came of one task."""

    status: Status
    reason: str = ""
    sound: str = ""
    """SHA-256 of the decoded sound."""
    result: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    """What the user should know about the track, a text each."""
    unchanged: bool = False
    """Whether the sound is the one that the earlier record is about: that record's result holds."""


def settings_digest(command: str, settings: Mapping[str, Any]) -> str:
    """Digest (16 hex digits) of a command's settings and of the version of the network's input."""
    text = json.dumps([command, INPUT_VERSION, dict(settings)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
