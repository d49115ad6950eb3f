"""Round trip of the web page's server while a show plays: from a value that is set to its echo on another client.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_web.py --seconds 20 --clients 4
    OMP_NUM_THREADS=1 python tests/benchmarks/bench_web.py --seconds 600 --clients 20 --browser --analysis

`moodfader play --web` plays the demo track to the null back end, in a loop, with its analysis beside. One client sets
a fader 60 times a second, another waits for the same value; the other clients only listen. With --browser the page is
open in Chromium, too, and with --analysis another process analyses the track again and again. Printed are the median
and the 99th percentile in ms, the drop-outs of the show, and what the web process takes of memory and of a processor.
"""

import argparse
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from websockets.exceptions import InvalidMessage
from websockets.sync.client import connect

DEMO = Path(__file__).parents[2] / "presets" / "demo.ogg"
FADER = "/moodfader/midlevel/modality"
RATE_HZ = 60


def listen(url, stop, counted):
    """A client that only reads; it tries again where too many come in the same moment, as the page does."""
    while not stop.is_set():
        with contextlib.suppress(InvalidMessage, OSError), connect(url, open_timeout=60) as client:
            while not stop.is_set():
                client.recv(timeout=20)
                counted[0] += 1
        time.sleep(0.25)


def measure(url, seconds):
    """Round trips in ms, and the drop-outs at the end."""
    trips = []
    with connect(url, open_timeout=60) as sets, connect(url, open_timeout=60) as hears:
        sets.send(json.dumps({"set": {"/moodfader/transport/loop": True}}))
        end = time.monotonic() + seconds
        dropouts = 0
        threading.Thread(target=lambda: [None for _ in sets], daemon=True).start()
        for step in itertools.count():
            began = time.perf_counter()
            if time.monotonic() > end:
                return trips, dropouts
            value = round(12 * ((step * 37) % 200 - 100) / 100, 2)
            sets.send(json.dumps({"set": {FADER: value}}))
            while True:
                values = json.loads(hears.recv(timeout=20)).get("v", {})
                dropouts = values.get("/moodfader/meter/dropouts", dropouts)
                if values.get(FADER) == value:
                    break
            trips.append((time.perf_counter() - began) * 1000)
            time.sleep(max(1 / RATE_HZ - (time.perf_counter() - began), 0))


def children(pid):
    """Processes that one has started."""
    found = []
    for one in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(one.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(one.parent.name))
    return found


def processor_s(pid):
    """Processor time that a process has taken so far, in s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def listening_ports(pid):
    """TCP ports on which a process listens."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        target = str(link.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [row.split() for row in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes}


def open_browser(url):
    """Chromium without a window, with the page open."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise SystemExit("Chromium is not installed")
    folder = tempfile.mkdtemp(prefix="bench-web-")
    words = [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    return start([*words, f"--user-data-dir={folder}", url])


def analyse_again():
    """A process that analyses the demo track, without a cache, until it is ended."""
    code = f"""
import os, tempfile
from moodfader.control.cli import run
while True:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MOODFADER_CACHE"] = folder
        run(["analyze", {str(DEMO)!r}, "-o", folder + "/a.npz", "--quiet"])
"""
    return start([sys.executable, "-c", code])


def start(words):
    """A process in a group of its own, silent."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(words, **quiet, start_new_session=True)


def main():
    """Play, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--browser", action="store_true", help="the page is open in Chromium, too")
    parser.add_argument("--analysis", action="store_true", help="the track is analysed again and again beside")
    wanted = parser.parse_args()
    command = [sys.executable, "-m", "moodfader.control.cli", "play", str(DEMO), "--backend", "null"]
    command += ["--no-terminal", "--no-osc", "--web", "--web-port", "0"]
    show = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = re.search(r"http://(\S+:(\d+)/)", show.stdout.readline())
        threading.Thread(target=lambda: [None for _ in show.stdout], daemon=True).start()
        url, port = f"ws://{address[1]}ws", int(address[2])
        stop, counted = threading.Event(), [0]
        for _ in range(wanted.clients):
            threading.Thread(target=listen, args=(url, stop, counted), daemon=True).start()
        beside = [open_browser(f"http://{address[1]}")] if wanted.browser else []
        beside += [analyse_again()] if wanted.analysis else []
        time.sleep(5)
        served = [pid for pid in children(show.pid) if port in listening_ports(pid)]
        before = processor_s(served[0])
        began = time.monotonic()
        trips, dropouts = measure(url, wanted.seconds)
        took = (processor_s(served[0]) - before) / (time.monotonic() - began)
        status = Path(f"/proc/{served[0]}/status").read_text()
        memory = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        stop.set()
        for one in beside:
            os.killpg(one.pid, signal.SIGTERM)
            one.wait(20)
    finally:
        show.terminate()
        show.wait(20)
    trips.sort()
    late = trips[int(len(trips) * 0.99)]
    print(f"{len(trips)} changes: median {statistics.median(trips):.2f} ms, p99 {late:.2f} ms")
    print(f"{counted[0]} frames to {wanted.clients} listeners; drop-outs {dropouts}")
    print(f"web process: {memory:.0f} MiB, {took:.1%} of a processor")


if __name__ == "__main__":
    main()
