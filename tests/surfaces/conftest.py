"""One show with a client of every surface that this machine has."""

import contextlib
from pathlib import Path

import pytest
from helpers import midi_cable
from helpers.chromium import chromium
from helpers.surfaces import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """The show; without MIDI cables or a browser where there are none."""
    folder = tmp_path_factory.mktemp("surfaces")
    with contextlib.ExitStack() as open_things:
        cable = browser = None
        if not midi_cable.missing():
            with contextlib.suppress(RuntimeError):
                cable = midi_cable.MidiCable()
                open_things.callback(cable.close)
        with contextlib.suppress(pytest.skip.Exception):
            browser = open_things.enter_context(chromium())
        demo = Path(__file__).parents[2] / "presets" / "demo.ogg"
        stage = Stage(demo, folder / "config", cable=cable, browser=browser)
        open_things.callback(stage.close)
        yield stage
