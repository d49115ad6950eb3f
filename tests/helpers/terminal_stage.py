"""Performances for the terminal view to show, and the view as text: what stands where, and in which style."""

import asyncio
import json

import numpy as np
import textual.app
from moodfader.control.tui.app import Terminal
from moodfader.control.tui.panels.palette import MANY_COLOURS
from moodfader.engine.analysis.analysis_archive import FORMAT, VERSION
from moodfader.engine.analysis.surrogate import TrackSummary
from moodfader.engine.processes.messages import TrackAnalyzed, TrackThumbnail
from moodfader.models.common.constants import EMOTIONS, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE

EFFECTS = {  # original, measured effect, expected effect
    "valence": (0.62, -0.03, -0.041),
    "energy": (0.41, 0.004, 0.006),
    "tension": (0.23, 0.121, 0.09),
    "anger": (0.04, 0.011, 0.013),
    "fear": (0.05, 0.036, 0.055),
    "happy": (0.44, -0.05, -0.04),
    "sad": (0.28, 0.02, 0.03),
    "tender": (0.44, 0.0, -0.012),
}
SHIFTS = dict(zip(MIDLEVEL, (-0.02, 0.004, 0.03, 0.05, 0.07, -0.02, 0.012), strict=True))
STATES = {
    "steered": ("steered", "steered"),
    "settling": ("steered", "steered"),
    "no analysis": ("no_analysis", "original, the faders wait: no analysis yet (34%)"),
    "output gone": ("output_gone", "the sound card is gone, looking for it every second"),
    "renderer gone": ("renderer_gone", "the renderer has ended, it is started again"),
    "original": ("original", "original (A/B); delta waits"),
    "delta": ("delta", "delta: only what the faders change"),
    "paused": ("paused", "paused; steered"),
}
TITLE = "2/5 concerto no. 3, second movement.flac"
TITLES = ("overture", "concerto no. 3, second movement", "nocturne", "the long last song of the evening", "encore")
URL = "http://192.168.1.5:9080/0fY3mXkQpLz7aB2C/"
NOTES = ("OSC on 127.0.0.1:9000, OSCQuery on http://127.0.0.1:8080", "MIDI from nanoKONTROL2")
CLIENTS = ("127.0.0.1:5000", "192.168.1.7:9001")


def perform(session, scene="steered"):
    """Give a session the values of a performance in the middle of something."""
    sound, words = STATES[scene]
    values = {
        "transport/position": 62.0,
        "transport/duration": 245.0,
        "transport/play": scene != "paused",
        "transport/loop": True,
        "transport/loop_start": 50.0,
        "transport/loop_end": 80.0,
        "meter/peak_db": -6.2,
        "meter/left_db": -6.6,
        "meter/right_db": -9.4,
        "meter/reduction_db": 2.3 if scene == "settling" else 0.0,
        "transport/track": 1,
        "snapshot/names/1": "Verse",
        "snapshot/names/2": "Chorus",
        "snapshot/names/5": "5",
        "snapshot/slot": 2,
        "cue/points/1": 12.5,
        "cue/points/3": 95.0,
        "state/undo": 4,
        "meter/load": 0.23,
        "meter/dropouts": 2 if scene == "output gone" else 0,
        "meter/ring": 4.0,
        "meter/latency_ms": 31.0,
        "excerpt/duration": 0.0 if scene == "no analysis" else 10.0,
        "excerpt/settling": scene == "settling",
        "state/sound": sound,
        "state/text": words,
        "state/recording": scene == "settling",
        "midlevel/dissonance": 6.0,
        "midlevel/tonal_stability": -7.5,
        "midlevel/melodiousness": -12.0,
        "midlevel/rhythmic_stability": 2.0,
    }
    if scene != "no analysis":
        for name, (original, change, expected) in EFFECTS.items():
            values |= {f"original/{name}": original, f"measured/{name}": original + change}
            values |= {f"effect/{name}": change, f"expected/{name}": expected}
        for name, change in SHIFTS.items():
            values |= {f"effect/{name}": change, f"expected/{name}": change * 1.3}
    session.publish({f"/moodfader/{name}": value for name, value in values.items()})


def write_analysis(path, labels, mask_weights):
    """An analysis file of these segments [frames, bands] and mask weights [segments, 7]; the rest of it is zero."""
    segments = len(mask_weights)
    description = {
        "format": FORMAT,
        "version": VERSION,
        "settings": {},
        "track": "",
        "model": "",
        "duration_s": len(labels) * HOP_LENGTH / SAMPLE_RATE,
        "clip_seconds": 10.0,
    }
    np.savez(
        path,
        description=np.frombuffer(json.dumps(description).encode(), np.uint8),
        segments=labels,
        mask_weights=mask_weights,
        weights=np.zeros((segments, 7), np.float32),
        standard_errors=np.zeros((segments, 7), np.float32),
        p_values=np.ones((segments, 7)),
        response_per_db=np.zeros(segments, np.float32),
        surrogate_r2=np.zeros(7, np.float32),
        half_agreement=np.zeros(7, np.float32),
    )
    return path


async def _yield(*_):
    """Let what waits be done; that all of it is done is what `Pilot` waits for by itself, without a clock."""
    await asyncio.sleep(0)


textual.app.wait_for_idle = _yield


def analyse(session, folder):
    """Give a session an analysis of random rectangles, and a thumbnail of slanting stripes. Returns its path."""
    random = np.random.default_rng(1)
    labels = np.zeros((8000, 149), np.int32)
    for index in range(160):
        frame, band = random.integers(0, 7900), random.integers(0, 130)
        labels[frame : frame + 100, band : band + 25] = index + 1
    weights = random.uniform(-1, 1, (161, 7)).astype(np.float32)
    weights[0] = 0
    path = write_analysis(folder / "analysis.npz", labels, weights)
    summary = TrackSummary(
        path,
        "",
        "",
        8000 * HOP_LENGTH / SAMPLE_RATE,
        10.0,
        dict.fromkeys(EMOTIONS, 0.5),
        np.zeros((8, 7), np.float32),
    )
    session.handle_message(TrackAnalyzed(0, summary))
    columns, bands = np.arange(2200)[:, None], np.arange(16)
    levels = np.clip(np.sin(columns / 9 + bands) * 0.5 + 0.5 - bands / 30, 0, 1)
    session.handle_message(TrackThumbnail(0, (levels * 255).astype(np.uint8)))
    return path


def strips_of(app):
    """The screen's lines, each a list of rich's segments."""
    return [list(strip) for strip in app.screen._compositor.render_strips()]


def text_of(app):
    """The screen's lines as text."""
    return ["".join(segment.text for segment in strip) for strip in strips_of(app)]


def shown(session, *keys, size=(80, 24), palette=MANY_COLOURS, **options):
    """The app after these keys, and the lines of its screen as segments."""

    async def run():
        app = Terminal(session, palette=palette, **options)
        async with app.run_test(size=size) as pilot:
            for key in keys:
                await pilot.press(key)
            await pilot.pause()
            app._update()  # (what the clock would do in a moment)
            await pilot.pause()
            return app, strips_of(app)

    return asyncio.run(run())


def pressed(session, *keys, **options):
    """The app after these keys, and its lines as text."""
    app, strips = shown(session, *keys, **options)
    return app, ["".join(segment.text for segment in strip) for strip in strips]
