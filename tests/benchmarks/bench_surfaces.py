"""How long a change made on one surface of a show takes to be shown by each other one.

    PYTHONPATH=tests OMP_NUM_THREADS=1 python tests/benchmarks/bench_surfaces.py --changes 20

Plays the demo track, paused, to the null back end, with a client of every surface that this machine has: OSC (with a
subscription of 50 Hz), the page's WebSocket, OSCQuery's, MIDI over JACK, the terminal view in a pseudo-terminal, and
Chromium. Printed is a table of medians in ms (rows: who sets; columns: who shows), then the 99th percentile of all.
"""

import argparse
import contextlib
import random
import statistics
import tempfile
import time
from pathlib import Path

from helpers import midi_cable
from helpers.surfaces import Stage

DEMO = Path(__file__).parents[2] / "presets" / "demo.ogg"


def browser_or_none(open_things):
    """Chromium, where playwright and it are there."""
    try:
        from helpers.chromium import PROGRAM
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return None
    playwright = open_things.enter_context(sync_playwright())
    try:
        return playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu"])
    except Error:
        return None


WATCH = """(selector) => {
    const fader = document.querySelector(selector);
    window.shownAt = {};
    new MutationObserver(() => { window.shownAt[Number(fader.ariaValueNow).toFixed(1)] ??= Date.now(); })
        .observe(fader, { attributes: true, attributeFilter: ["aria-valuenow"] });
}"""


def measure(stage, source, value):
    """Milliseconds from the change to each surface that shows it.

    The browser notes by itself when it shows a value: asking it takes longer than what is measured.
    """
    browser = stage.surfaces.get("browser")
    others = [name for name in stage.surfaces if name not in (source, "liblo", "browser")]
    if browser is not None:
        browser.page.evaluate("window.shownAt = {}")
    clock, began = time.time(), time.perf_counter()
    stage.surfaces[source].set(value)
    took = {}
    while len(took) < len(others):
        for name in others:
            if name not in took and stage.surfaces[name].shows(value):
                took[name] = (time.perf_counter() - began) * 1000
        if time.perf_counter() - began > 20:
            raise SystemExit(f"{source}: {sorted(set(others) - set(took))} do not show {value}")
        time.sleep(0.0005)
    if browser is not None:
        key = f"{value:.1f}"
        browser.page.wait_for_function("(key) => window.shownAt[key]", arg=key, timeout=20_000)
        took["browser"] = browser.page.evaluate("(key) => window.shownAt[key]", key) - clock * 1000
    return took


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=20, help="of each surface")
    wanted = parser.parse_args()
    chance = random.Random(1)
    with contextlib.ExitStack() as open_things:
        folder = Path(open_things.enter_context(tempfile.TemporaryDirectory()))
        cable = None
        if not midi_cable.missing():
            cable = midi_cable.MidiCable()
            open_things.callback(cable.close)
        stage = Stage(DEMO, folder / "config", cable=cable, browser=browser_or_none(open_things))
        open_things.callback(stage.close)
        if "browser" in stage.surfaces:
            stage.surfaces["browser"].page.evaluate(WATCH, stage.surfaces["browser"].SELECTOR)
        sources = [name for name in stage.surfaces if name not in ("terminal", "browser", "liblo")]
        times = {(source, shown): [] for source in sources for shown in stage.surfaces}
        last = 0.0
        for number in range(wanted.changes * len(sources)):
            source = sources[number % len(sources)]
            value = chance.choice([step / 2 for step in range(-23, 24) if abs(step / 2 - last) > 1 and step])
            time.sleep(0.5 + chance.random() / 20)  # (at rest: no hand is on a fader, and at any moment of a clock)
            for shown, took in measure(stage, source, value).items():
                times[source, shown].append(took)
            last = value
    shown_by = [name for name in stage.surfaces if name != "liblo"]
    print("set by     " + "".join(f"{name:>10}" for name in shown_by))
    for source in sources:
        cells = (times[source, name] for name in shown_by)
        print(f"{source:<11}" + "".join(f"{statistics.median(one):>10.1f}" if one else f"{'':>10}" for one in cells))
    for name in shown_by:
        every = sorted(took for (_, shown), one in times.items() if shown == name for took in one)
        late = every[min(int(len(every) * 0.99), len(every) - 1)]
        within = sum(took <= 50 for took in every) / len(every)
        print(f"{name:<11}median {statistics.median(every):6.1f} ms  p99 {late:6.1f} ms  within 50 ms {within:.0%}")


if __name__ == "__main__":
    main()
