"""Writes down which files a Python program opens, lists, moves or removes, and which programs it starts.

For tests: with this folder on PYTHONPATH and a folder in MOODFADER_AUDIT, each Python process that starts writes a
line of JSON there for each new pair of event and path, in a file named by its process id.
"""

import json
import os
import sys

_FOLDER = os.environ.get("MOODFADER_AUDIT")
_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EVENTS = ("open", "os.", "shutil.", "subprocess.Popen", "tempfile.", "pty.spawn")
_QUIET = {f"os.{name}" for name in ("chdir", "fork", "fwalk", "kill", "killpg", "putenv", "unsetenv", "walk")}
_seen = set()
_log = -1


def _note(event, arguments):
    if not event.startswith(_EVENTS) or event in _QUIET or event.startswith("os.sched"):
        return
    path = arguments[0] if arguments else ""
    if isinstance(path, int):  # (of a file that is open already)
        return
    flags = arguments[2] if event == "open" and isinstance(arguments[2], int) else 0
    kind = f"{event} for writing" if flags & _FLAGS else event
    key = kind, str(path)
    if key not in _seen:
        _seen.add(key)
        name = os.fsdecode(path) if isinstance(path, bytes | os.PathLike) else str(path)
        os.write(_log, json.dumps([kind, os.path.abspath(name)]).encode() + b"\n")  # noqa: PTH100 (links are not followed)


if _FOLDER:
    _log = os.open(f"{_FOLDER}/{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.addaudithook(_note)
