"""Live figures over a real JACK server with the dummy driver: drop-outs, load, and latency from OSC to sound.

    python tests/benchmarks/bench_live.py --seconds 60 --block 512 --messages 1000 --analyse OTHER.flac

A fader is moved over OSC at random moments. Its latency is the time from the sending of the message to the moment at
which JACK is handed the first sample that differs: the player says at which output sample the change begins, and when
each block was taken is watched (every half millisecond). `--messages` more a second move other faders meanwhile;
`--analyse` analyses a track again and again in another process. One line of JSON.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
from pythonosc.osc_message_builder import build_msg

_spec = spec_from_file_location("jack", Path(__file__).parent.parent / "jack.py")
jack = module_from_spec(_spec)
_spec.loader.exec_module(jack)


def sender(port, messages, seconds, connection):
    """Process: the load and the probes; gives (value, time sent) of the probes."""
    import socket

    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("127.0.0.1", port))
    others = ["articulation", "dissonance", "melodiousness"]
    begun = time.monotonic()
    probes, next_probe, count = [], begun + 1.0, 0
    while (now := time.monotonic()) < begun + seconds:
        if now >= next_probe:
            value = float(np.float32(random.uniform(-12, 12)))
            out.send(build_msg("/moodfader/midlevel/modality", value).dgram)
            probes.append((value, time.monotonic()))
            next_probe += random.uniform(0.15, 0.45)
        while messages and count < (now - begun) * messages:
            out.send(build_msg(f"/moodfader/midlevel/{others[count % 3]}", random.uniform(-6, 6)).dgram)
            count += 1
        time.sleep(0.001)
    connection.send((probes, count))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("file", nargs="?", type=Path, default=Path(__file__).parents[2] / "presets" / "demo.ogg")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--block", type=int, default=512)
    options.add_argument("--messages", type=int, default=0)
    options.add_argument("--ahead", type=int)
    options.add_argument("--analyse", type=Path)
    options.add_argument("--model", type=Path)
    asked = options.parse_args()
    server = jack.Server(block=asked.block)
    os.environ.update(server.environment)
    analysing = None
    try:
        if asked.analyse:
            code = "import sys\nfrom moodfader.control.cli import run\nwhile True: run(sys.argv[1:])"
            folder = tempfile.mkdtemp()
            command = [sys.executable, "-c", code, "analyze", str(asked.analyse)]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            analysing = subprocess.Popen(command, env=os.environ | {"MOODFADER_CACHE": folder}, **quiet)
        print(json.dumps(measured(asked)))
    finally:
        if analysing is not None:
            analysing.kill()
        server.stop()


def measured(asked):
    import multiprocessing

    from moodfader.control.osc import OscServer
    from moodfader.control.session import Session
    from moodfader.engine.player import PlayerOptions

    applied = {}
    session = Session(note=lambda text: print(text, file=sys.stderr))
    original = session.event

    def event(kind, *content):
        if kind == "applied":
            applied.update({value: at for at, address, value in content[0] if address.endswith("/modality")})
        original(kind, *content)

    from moodfader.engine.player import Player

    player = Player([asked.file], event, PlayerOptions(backend="jack", model=asked.model, ahead=asked.ahead))
    session.attach(player)
    threading.Thread(target=session._follow, daemon=True).start()
    osc = OscServer(session, port=0)
    taken, stop = [], threading.Event()

    def watch():
        last = player.ring.read
        while not stop.is_set():
            read = player.ring.read
            if read != last:
                taken.append((time.monotonic(), last))
                last = read
            time.sleep(0.0005)

    session.set("/moodfader/transport/loop", True)
    session.set("/moodfader/transport/play", True)
    end = time.monotonic() + 120
    while session.get("/moodfader/emotion/happy") is None and time.monotonic() < end:
        time.sleep(0.1)
    before = player.ring.dropouts
    threading.Thread(target=watch, daemon=True).start()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=sender, args=(osc.port, asked.messages, asked.seconds, theirs)
    )
    process.start()
    loads, worst = [], 0.0
    while not ours.poll(0.1) and process.is_alive():
        loads.append(player.ring.load)
        worst = max(worst, player.ring.load_max)
    probes, sent = ours.recv()
    time.sleep(0.3)
    stop.set()
    dropouts = player.ring.dropouts - before
    started = player.ring.dropouts - dropouts
    told = player.meters().latency_s
    rate, ahead = player.sample_rate, player.ahead
    osc.close()
    session.close()
    starts = np.array([first for _, first in taken])
    latencies = []
    for value, sent_at in probes:
        if value in applied:
            at = applied[value]
            block = np.searchsorted(starts, at, side="right") - 1
            if 0 <= block < len(starts) - 1:
                latencies.append(taken[block][0] + (at - starts[block]) / rate - sent_at)
    milliseconds = np.array(latencies) * 1000
    return {
        "block": asked.block,
        "seconds": asked.seconds,
        "messages_a_second": round(sent / asked.seconds),
        "analysing": bool(asked.analyse),
        "ahead": ahead,
        "dropouts": dropouts,
        "dropouts_before": started,
        "load": round(float(np.mean(loads)), 3),
        "load_max": round(worst, 3),
        "probes": len(milliseconds),
        "lost": len(probes) - len(milliseconds),
        "latency_ms": {
            "median": round(float(np.median(milliseconds)), 1),
            "p99": round(float(np.percentile(milliseconds, 99)), 1),
            "max": round(float(milliseconds.max()), 1),
            "told": round(told * 1000, 1),
        },
    }


if __name__ == "__main__":
    main()
