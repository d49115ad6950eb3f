"""Live figures over a real JACK server with the dummy driver, measured in the recording of its outputs; a table.

    python tests/benchmarks/bench_live.py --minutes 30 --blocks 512            # make bench-live
    python tests/benchmarks/bench_live.py --minutes 1 --blocks 512 --no-load   # nothing beside it

`moodfader play` plays a track in a loop, and its JACK outputs are recorded bit for bit with the time of each cycle.
The load: another track is analysed again and again at normal priority, and 1,000 OSC messages a second move three
faders. Every third of a second another fader jumps; the latency is from the sending of that message to the onset of
its change in the recording: the first sample that differs by 1 % of the level (-40 dB), or by a tenth of what the
change comes to, from the same performance without that change. The recording is held against the render of its
automation, sample for sample: what is put in, left out or different is a discontinuity. Time is JACK's: a sample
sounds at its place in its cycle.
"""

import argparse
import contextlib
import datetime
import json
import multiprocessing
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from live_runs import (
    MODALITY,
    Playing,
    jack_server,
    memory_mib,
    performance_compare,
    solved_settings,
    tell_slow,
    the_map,
)
from moodfader.control.osc.packets import encode_message
from moodfader.engine.performance.automation_file import read_automation
from moodfader.engine.processes.realtime import RT_CONTROL, set_realtime

OTHERS = [f"/moodfader/midlevel/{name}" for name in ("articulation", "dissonance", "melodiousness")]
COLUMNS = (
    *("block", "load", "minutes", "drop-outs", "discontinuities", "JACK late", "probes", "median ms", "p99 ms"),
    *("max ms", "told ms", "rendering", "memory MiB"),
)


def sender(port, messages, seconds, connection):
    """Process: the load and the probes; gives (value, time sent) of the probes and how many messages were sent."""
    set_realtime(RT_CONTROL)  # (the load is to be what it is said to be)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("127.0.0.1", port))
    chance = random.Random(1)
    begun = time.monotonic()
    probes, next_probe, count, sign, taken = [], begun + 1.0, 0, 1, set()
    while (now := time.monotonic()) < begun + seconds:
        if now >= next_probe:
            sign = -sign
            value = 0.0
            while not value or value in taken:  # (a probe is known by its value)
                value = float(np.float32(sign * chance.uniform(5, 12)))
            taken.add(value)
            datagram = encode_message(MODALITY, value)
            sent = time.monotonic()
            out.send(datagram)
            probes.append((value, sent))
            next_probe += chance.uniform(0.2, 0.45)
        while messages and count < (now - begun) * messages:
            out.send(encode_message(OTHERS[count % 3], chance.uniform(-6, 6)))
            count += 1
        time.sleep(0.001)
    connection.send((probes, count))


@contextlib.contextmanager
def analysing(file, wanted):
    """Another track (this one backwards) is analysed, over and over, by a process of its own at normal priority."""
    if not wanted:
        yield
        return
    code = "import itertools, sys\nfrom moodfader.control.cli import run\n"
    code += "for seed in itertools.count(): run(['analyze', '--quiet', '--seed', str(seed), sys.argv[1]])"
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other.wav"
        samples, rate = soundfile.read(file, dtype="float32")
        soundfile.write(other, samples[::-1], rate)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command, environment = [sys.executable, "-c", code, str(other)], os.environ | {"MOODFADER_CACHE": folder}
        process = subprocess.Popen(command, env=environment, **quiet)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def measured(asked, block):
    """One run; a row of the table."""
    server = jack_server.Server(block=block, synchronous=not asked.asynchronous)
    os.environ.update(server.environment)
    seconds = asked.minutes * 60
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        try:
            playing = Playing(server, asked, Path(folder))
            with analysing(asked.file, not asked.no_load):
                playing.send("/moodfader/transport/loop", 1)
                playing.send("/moodfader/transport/play", 1)
                time.sleep(25 if asked.no_load else 8)  # (the load is there, or all is calm: what starts has started)
                late = playing.lines[-1]["late"]
                ours, theirs = multiprocessing.Pipe()
                messages = 0 if asked.no_load else asked.messages
                multiprocessing.Process(target=sender, args=(playing.port, messages, seconds, theirs)).start()
                memory = []
                while not ours.poll(1.0):
                    memory.append(memory_mib(playing.process.pid))
                probes, sent = ours.recv()
                time.sleep(0.5)
                last = playing.lines[-1]
            playing.end()
        finally:
            server.stop()
        with contextlib.suppress(OSError):  # (what follows takes minutes)
            os.nice(-12)
        history = read_automation(playing.kept)
        tape = jack_server.Tape(playing.tape)
        found = performance_compare.compare(
            history,
            [asked.file],
            [the_map(asked.file)],
            tape,
            settings=solved_settings(asked.file, history),
            probe=MODALITY,
            block=block,
        )
    latencies = [
        (tape.time_of(found.onsets[value]) - at) * 1000 for value, at in probes if found.onsets.get(value) is not None
    ]
    with contextlib.suppress(OSError):
        os.nice(12)
    for at, what in found.breaks:
        print(f"at {at / 44100:.3f} s of the recording: {what}", file=sys.stderr)
    ordered = sorted(latencies)
    tell_slow(history, tape, found, probes, beyond_ms=max(ordered[-4], 50))
    loads = [line["load"] for line in playing.lines if line["playing"]]
    tenth = max(len(memory) // 10, 1)
    return {
        "block": block,
        "load": "none" if asked.no_load else f"analysis, {sent / seconds:.0f} messages/s",
        "minutes": round(asked.minutes, 1),
        "compared_s": round(found.compared / 44100, 1),
        "drop-outs": last["dropouts"],
        "discontinuities": len(found.breaks),
        "JACK late": last["late"] - late,
        "probes": f"{len(latencies)} of {len(probes)}",
        "median ms": round(statistics.median(ordered), 1),
        "p99 ms": round(ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)], 1),
        "max ms": round(ordered[-1], 1),
        "told ms": round(statistics.median(line["latency_ms"] for line in playing.lines), 1),
        "rendering": f"{statistics.mean(loads):.0%}",
        "memory MiB": f"{memory[tenth]:.0f} to {memory[-1]:.0f}",
        "dropped_at": [
            (number, line["dropouts"], line["position_s"])
            for number, line in enumerate(playing.lines)
            if line["dropouts"] != playing.lines[max(number - 1, 0)]["dropouts"]
        ],
        "margins": [line["latency_ms"] for line in playing.lines[:: max(len(playing.lines) // 20, 1)]],
    }


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--file", type=Path, default=Path(__file__).parents[2] / "presets" / "demo.ogg")
    options.add_argument("--minutes", type=float, default=1.0)
    options.add_argument("--blocks", type=int, nargs="+", default=[512])
    options.add_argument("--messages", type=int, default=1000)
    options.add_argument("--no-load", action="store_true", help="no analysis, and no messages but the probes")
    options.add_argument("--asynchronous", action="store_true", help="jackd without -S")
    options.add_argument("--backend", default="jack")
    options.add_argument("--ahead", type=int)
    options.add_argument("--folder", type=Path, help="for the recordings: 1.3 GB an hour")
    asked = options.parse_args()
    rows = [measured(asked, block) for block in asked.blocks]
    for row in rows:
        print(json.dumps(row), file=sys.stderr)
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({processor()}), {backend_of(asked)}")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for row in rows:
        print(f"| {' | '.join(str(row[name]) for name in COLUMNS)} |")


def backend_of(asked):
    return f"jackd -R{'' if asked.asynchronous else ' -S'} -d dummy, back end {asked.backend}"


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
