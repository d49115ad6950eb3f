"""Make the pictures of the first show again, with the program itself: terminal view, page on a phone and a tablet.

    .venv/bin/python docs/refresh_first_show.py

Needs tmux, Chromium and playwright. Plays the demo track as a set list of two to nobody, waits for its analysis,
moves three faders, and takes the view (tmux's screen, as SVG by rich) and the page (screenshots).
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 110, 34
SET_LIST = """format = "moodfader set list"
version = 1
[[track]]
file = "song.ogg"
title = "Opening"
cues = { 1 = 12.5, 2 = 31 }
[[track.snapshot]]
slot = 1
name = "Verse"
[[track.snapshot]]
slot = 2
name = "Chorus"
faders = { dissonance = 6, modality = -3 }
[[track]]
file = "next.ogg"
title = "Nocturne"
"""
LOOP = {"transport/loop_start": 4.0, "transport/loop_end": 32.0, "transport/loop": True}  # (it goes on, however long)
MOVES = LOOP | {"midlevel/dissonance": 6.0, "midlevel/modality": -4.5, "midlevel/melodiousness": 3.0}
MOVES |= {"transport/play": True}


def free_port() -> int:
    """A TCP port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(page: ClientConnection, name: str, condition: Callable[[Any], bool]) -> None:
    """Read the page's socket until a value is as wanted."""
    values: dict[str, Any] = {}
    while True:
        frame = json.loads(page.recv(timeout=300))
        values |= frame.get("v") or frame.get("hello", {}).get("values", {})
        if condition(values.get(f"/moodfader/{name}")):
            return


def screen_of(tmux: list[str], *options: str) -> str:
    """What is on the screen of tmux."""
    return subprocess.run([*tmux, "capture-pane", "-p", *options], capture_output=True, text=True, check=True).stdout


def wait_for_effects(tmux: list[str]) -> None:
    """Until the view shows the effect of the present faders, by the full analysis, on ten whole seconds."""
    while "last 10 s" not in (screen := screen_of(tmux)) or "settling" in screen or "draft" in screen:
        time.sleep(0.1)


def terminal_picture(tmux: list[str], path: Path) -> None:
    """The screen of tmux as an SVG."""
    screen = screen_of(tmux, "-e")
    with open(os.devnull, "w") as nothing:  # noqa: PTH123
        console = Console(width=WIDTH, record=True, force_terminal=True, color_system="truecolor", file=nothing)
        for line in screen.splitlines():
            console.print(Text.from_ansi(line), soft_wrap=True)
        svg = console.export_svg(title="moodfader play evening.toml")
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S))  # (no font from elsewhere)


def page_pictures(url: str) -> None:
    """Screenshots of the page."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, width, height in (("first-show-phone", 360, 640), ("first-show-page", 1024, 768)):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark")
            page = context.new_page()
            page.goto(url)
            page.wait_for_selector("body.ready")
            page.wait_for_function(
                "() => /^last 10 s, ±/.test(document.querySelector('#excerpt').textContent)", timeout=120_000
            )
            page.wait_for_timeout(1500)  # (so that the waveform and the gain map are drawn)
            page.screenshot(path=IMAGES / f"{name}.png")
            context.close()
        browser.close()


def main() -> None:
    """Play, and take the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for song in ("song.ogg", "next.ogg"):
            shutil.copy(ROOT / "presets" / "demo.ogg", folder / song)
        (folder / "evening.toml").write_text(SET_LIST)
        port = free_port()
        words = [sys.executable, "-m", "moodfader.control.cli", "play", folder / "evening.toml", "--backend", "null"]
        words += ["--paused", "--osc-port", "0", "--web", "--web-port", port]
        variables = ("CONFIG", "STATE")
        environment = {f"MOODFADER_{one}": str(folder / one.lower()) for one in variables}
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        tmux = ["tmux", "-u", "-L", f"pictures{os.getpid()}"]
        size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
        command = ["env", *(f"{key}={value}" for key, value in environment.items()), *map(str, words)]
        start = [*tmux, "-f", "/dev/null", "new-session", "-d", *size, " ".join(f"'{word}'" for word in command)]
        subprocess.run(start, check=True)
        try:
            for _ in range(200):
                try:
                    page = connect(f"ws://127.0.0.1:{port}/ws")
                    break
                except OSError:
                    time.sleep(0.3)
            with page:
                wait_for(page, "state/analysis", lambda value: value == 1.0)
                page.send(json.dumps({"set": {f"/moodfader/{key}": value for key, value in MOVES.items()}}))
                page.send(json.dumps({"set": {"/moodfader/transport/seek": 5.0}}))
                wait_for(page, "transport/position", lambda value: value is not None and value > 17)
            wait_for_effects(tmux)
            terminal_picture(tmux, IMAGES / "first-show-terminal.svg")
            page_pictures(f"http://127.0.0.1:{port}/")
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)


if __name__ == "__main__":
    main()
