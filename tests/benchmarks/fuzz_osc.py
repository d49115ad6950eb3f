"""A million random and mutated datagrams, a flood and two hundred clients against the OSC server; prints figures.

    python tests/benchmarks/fuzz_osc.py [--datagrams 1000000] [--seed 1]
    python tests/benchmarks/fuzz_osc.py --live

The datagrams go through the parser and the dispatcher without a socket (so that none is lost); the flood, the clients
and the latencies go over the loopback. Latency is from sending to the session's change, with no player attached.

`--live` does it to a `moodfader play` that plays over JACK (dummy driver) and is recorded: 10,000 mutated datagrams,
200 clients that never renew or read, a flood of 100,000 messages in a second. After each, twenty messages are sent
whose changes are looked for in the recording, as in bench_live.py; memory, drop-outs and written files are told.
"""

import argparse
import contextlib
import importlib.util
import os
import random
import resource
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # (for helpers)
from helpers.osc_fuzz import SEEDS, mutated
from moodfader.control.osc.dispatcher import Dispatcher
from moodfader.control.osc.packets import MalformedPacketError, encode_message, read_packet
from moodfader.control.osc.server import OscServer
from moodfader.control.osc.subscriptions import Subscriptions
from moodfader.control.session.session import Session
from moodfader.engine.performance.automation_file import read_automation

MASTER = "/moodfader/master"  # what the flood does not touch


def memory_mib() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fuzz(count: int, seed: int) -> None:
    """Datagrams through the parser and the dispatcher; a fault of the program ends it here."""
    chance, session, clients = random.Random(seed), Session(), Subscriptions()
    faults: list[str] = []
    dispatcher = Dispatcher(session, clients, note=faults.append)
    refused, slowest, began = 0, 0.0, time.perf_counter()
    for number in range(count):
        data, sender = mutated(chance), ("127.0.0.1", number % 500)
        start = time.perf_counter()
        try:
            packet = read_packet(data)
            for message in packet.messages:
                dispatcher.enqueue(message, sender)
            for address, reason in packet.refused:
                dispatcher.report_error(sender, address, reason)
            refused += bool(packet.refused)
        except MalformedPacketError as error:
            dispatcher.report_error(sender, "", str(error))
            refused += 1
        if number % 50 == 0:
            dispatcher.apply_pending(number / 10_000)
            clients.due(number / 10_000)
        slowest = max(slowest, time.perf_counter() - start)
        if faults:
            raise SystemExit(f"{data!r}: {faults}")
        if number == count // 10:
            warm = memory_mib()
    took = time.perf_counter() - began
    print(f"fuzz: {count} datagrams, {refused} refused, {took:.1f} s, slowest {slowest * 1000:.1f} ms")
    print(f"      memory {warm:.0f} MiB after a tenth, {memory_mib():.0f} MiB at the end")


def latencies(session: Session, client: socket.socket, count: int) -> list[float]:
    """Milliseconds from sending a value to its being in the session, one after another."""
    found = []
    for number in range(count):
        value = number % 200 / 100 + 1
        start = time.perf_counter()
        client.send(encode_message(MASTER, value))
        while abs(float(session.get(MASTER) or 0) - value) > 1e-6 and time.perf_counter() - start < 2:
            time.sleep(0.0002)
        found.append((time.perf_counter() - start) * 1000)
        time.sleep(0.003)
    return found


def told(what: str, values: list[float]) -> None:
    """Median, 99th percentile and largest."""
    ordered = sorted(values)
    at_99 = ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
    print(f"{what}: median {statistics.median(values):.2f} ms, p99 {at_99:.2f} ms, largest {ordered[-1]:.2f} ms")


def flood(port: int) -> None:
    """100,000 datagrams within a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        began = time.perf_counter()
        for number in range(100_000):
            sender.send(SEEDS[number % len(SEEDS)])
            while number % 100 == 0 and time.perf_counter() - began < number / 100_000:
                time.sleep(0.0005)
        print(f"flood: 100,000 datagrams in {time.perf_counter() - began:.2f} s")


def over_sockets() -> None:
    """Latency alone, with 1,000 messages a second, after a flood, with two hundred clients."""
    session = Session()
    server = OscServer(session, port=0)
    client, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    client.connect(("127.0.0.1", server.port))
    other.connect(("127.0.0.1", server.port))
    told("latency alone", latencies(session, client, 500))

    stop = threading.Event()

    def busy() -> None:
        message = encode_message("/moodfader/midlevel/dissonance", 1.0)
        while not stop.wait(0.001):
            other.send(message)

    sender = threading.Thread(target=busy)
    sender.start()
    told("latency at 1,000 messages a second", latencies(session, client, 500))
    stop.set()
    sender.join()

    before, began = memory_mib(), time.perf_counter()
    flood = subprocess.Popen([sys.executable, __file__, "--flood", str(server.port)])  # not in our interpreter's lock
    time.sleep(0.5)
    told("latency in a flood of 100,000 messages a second (2 s: lost)", latencies(session, client, 5))
    flood.wait()
    told("      the 20 messages after it", latencies(session, client, 20))
    print(f"      memory {before:.0f} MiB before, {memory_mib():.0f} MiB after {time.perf_counter() - began:.1f} s")

    many = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
    for one in many:
        one.connect(("127.0.0.1", server.port))
        with contextlib.suppress(OSError):
            one.send(encode_message("/moodfader/subscribe", 60.0))
    time.sleep(0.5)
    print(f"clients: 200 subscribed at 60 Hz and never read, {len(server.clients())} kept")
    told("      latency meanwhile", latencies(session, client, 500))
    print(f"      memory {memory_mib():.0f} MiB")
    server.close()


def live(seed: int) -> None:
    """The same to a performance that sounds."""
    bench = load("live_runs", Path(__file__).with_name("live_runs.py"))
    server = bench.jack_server.Server(synchronous=True)
    os.environ.update(server.environment)
    asked = argparse.Namespace(file=Path(__file__).parents[2] / "presets" / "demo.ogg", backend="jack", ahead=None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MOODFADER_CONFIG"] = folder + "/config"
        bench.the_map(asked.file)
        kept = files_of(folder, os.environ.get("MOODFADER_CACHE"))
        probes: dict[str, list[tuple[float, float]]] = {}
        try:
            playing = bench.Playing(server, asked, Path(folder))
            for address in ("transport/loop", "transport/play"):
                playing.send(f"/moodfader/{address}", 1)
            time.sleep(3)
            for name, trouble in (
                ("nothing", lambda: None),
                ("10,000 mutated datagrams", lambda: send_mutated(playing.port, seed)),
                ("200 clients that never read", lambda: crowd(playing.port)),
                ("a flood of 100,000", lambda: flood(playing.port)),
            ):
                before = bench.memory_mib(playing.process.pid)
                trouble()
                for address, value in (("bypass", 0), ("delta", 0), ("wet", 1), ("master", 0), ("match_loudness", 0)):
                    playing.send(f"/moodfader/{address}", value)
                probes[name] = probed(playing, bench.MODALITY)
                after, dropouts = bench.memory_mib(playing.process.pid), playing.lines[-1]["dropouts"]
                print(f"{name}: memory {before:.0f} to {after:.0f} MiB, {dropouts} drop-outs so far")
            playing.end()
        finally:
            server.stop()
        written = files_of(folder, os.environ.get("MOODFADER_CACHE")) - kept
        others = sorted(name for name in written if "tape" not in name and "kept" not in name)
        print(f"files written: {others or 'none'}")
        history, tape = read_automation(playing.kept), bench.jack_server.Tape(playing.tape)
        the_map = bench.the_map(asked.file)
        settings = bench.solved_settings(asked.file, history)
        found = bench.performance_compare.compare(
            history, [asked.file], [the_map], tape, settings=settings, probe=bench.MODALITY
        )
    print(f"compared with the render: {found.compared / 44100:.0f} s, {len(found.breaks)} discontinuities")
    for name, sent in probes.items():
        heard = [(tape.time_of(found.onsets[value]) - at) * 1000 for value, at in sent if value in found.onsets]
        told(f"after {name}, {len(heard)} of {len(sent)} messages: message to sound", heard)
        bench.tell_slow(history, tape, found, sent, beyond_ms=60)


def probed(playing: Any, address: str) -> list[tuple[float, float]]:
    """Twenty messages, the values and when they were sent."""
    sent = []
    for number in range(20):
        value = struct.unpack("f", struct.pack("f", (-1) ** number * random.uniform(5, 12)))[0]
        sent.append((value, time.monotonic()))
        playing.send(address, value)
        time.sleep(random.uniform(0.2, 0.4))
    return sent


def send_mutated(port: int, seed: int) -> None:
    chance = random.Random(seed)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(10_000):
            with contextlib.suppress(OSError):
                sender.sendto(mutated(chance), ("127.0.0.1", port))
            if number % 10 == 0:
                time.sleep(0.001)


def crowd(port: int) -> None:
    many = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
    for one in many:
        one.sendto(encode_message("/moodfader/subscribe", 60.0), ("127.0.0.1", port))


def files_of(*folders: str | None) -> set[str]:
    return {str(path) for folder in folders if folder for path in Path(folder).rglob("*")}


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datagrams", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flood", type=int, metavar="PORT", help="Only flood this port.")
    parser.add_argument("--live", action="store_true", help="To a performance that sounds.")
    arguments = parser.parse_args()
    if arguments.flood:
        flood(arguments.flood)
    elif arguments.live:
        live(arguments.seed)
    else:
        fuzz(arguments.datagrams, arguments.seed)
        over_sockets()
