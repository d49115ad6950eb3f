"""A show that is open to the network, and nonsense from several clients at once: a million frames and requests.

    pytest -m soak tests/web/test_web_soak.py -s            # MOODFADER_FUZZ: another number than a million

It plays on, its processes stay the same and do not grow, nothing comes out without the token, and no file beside the
show's own is read or written (each Python process writes down what it opens, see helpers/audit).
"""

import contextlib
import itertools
import json
import os
import random
import re
import secrets
import shutil
import socket
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from helpers.ports import free_port
from helpers.program import PROGRAM
from helpers.show import Typist
from helpers.surfaces import tcp_ports
from helpers.waiting import PATIENCE_S, until
from helpers.web_fuzz import frame, request
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

ROOT = Path(__file__).parents[2]
MANY = int(os.environ.get("MOODFADER_FUZZ", "1000000"))
CLIENTS = 4
GROWS_BY_MIB = 24
ANALYSIS_GROWS_BY_MIB = 100
_PAGE_SHARE, _REQUEST_SHARE = 0.6, 0.04


class OpenShow:
    """`play` for the whole network, two tracks, all its own files in one folder; what it opens is written down."""

    def __init__(self, folder):
        self.folder, self.audit = folder / "show", folder / "audit"
        self.secret = folder / "not of the show"
        for one in (self.folder / "tmp", self.audit, self.secret):
            one.mkdir(parents=True)
        (self.secret / "diary.toml").write_text("summary = 'private'\n")
        for name in ("one.ogg", "two.ogg"):
            shutil.copy(ROOT / "presets" / "demo.ogg", self.folder / name)
        self.page_port = free_port()
        words = [*PROGRAM, "play", self.folder / "one.ogg", self.folder / "two.ogg", "--backend", "null", "--web"]
        words += ["--bind", "0.0.0.0", "--web-port", self.page_port, "--osc-port", free_port()]
        own = {f"MOODFADER_{name}": str(self.folder / name.lower()) for name in ("CONFIG", "STATE", "CACHE")}
        own |= {"HOME": str(self.folder), "TMPDIR": str(self.folder / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
        audit = {"PYTHONPATH": str(ROOT / "tests" / "helpers" / "audit"), "MOODFADER_AUDIT": str(self.audit)}
        self._program = Typist(words, **own, **audit)
        self.pid = self._program.process.pid
        until(lambda: re.search(r"http://\S+/([\w-]{16})/", self._program.read))
        self.token = re.search(r"http://\S+/([\w-]{16})/", self._program.read)[1]
        (self.query_port,) = until(lambda: tcp_ports(self.pid) - {self.page_port})
        self.url = f"ws://127.0.0.1:{self.page_port}/{self.token}/ws"

    def family(self):
        """Its processes by number, without Python's keeper of shared memory."""
        every = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        return {one.pid: one for one in every if "resource_tracker" not in " ".join(one.cmdline())}

    def memory_mib(self):
        """Resident MiB of each process."""
        return {pid: one.memory_info().rss / 2**20 for pid, one in self.family().items()}

    @property
    def words(self):
        """What it has written so far."""
        return self._program.read

    def stop(self):
        self._program.stop()


class Watcher:
    """A page that keeps it playing, and counts how the position moves."""

    def __init__(self, url):
        self.moves, self.values, self.told = 0, {}, threading.Condition()
        self._socket = connect(url, open_timeout=PATIENCE_S, max_size=None)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self):
        with contextlib.suppress(WebSocketException, OSError):
            for text in self._socket:
                told = json.loads(text)
                new = told.get("v") or told.get("hello", {}).get("values", {})
                with self.told:
                    self.moves += "/moodfader/transport/position" in new
                    self.values |= new
                    self.told.notify_all()
                if not self.values["/moodfader/transport/play"]:
                    self.set("transport/play", True)

    def set(self, name, value):
        self._socket.send(json.dumps({"set": {f"/moodfader/{name}": value}}))

    def waits(self, condition):
        """Wait until the values are as wanted."""
        with self.told:
            assert self.told.wait_for(lambda: self.values and condition(self.values), PATIENCE_S), self.values

    def close(self):
        self._socket.close()
        self._thread.join(PATIENCE_S)


class Fuzzer(threading.Thread):
    """One client, which sends its share of frames and requests; what is wrong is in `faults`."""

    def __init__(self, show, seed, count):
        super().__init__(daemon=True)
        self.show, self.chance, self.count = show, random.Random(seed), count
        self.sent, self.faults, self.stopped = 0, [], False
        self.names = [str(show.secret / "diary"), f"../../{show.secret.name}/diary", str(show.secret / "diary.toml")]

    def run(self):
        try:
            while self.sent < self.count and not self.stopped:
                if self.chance.random() < _REQUEST_SHARE * 250 / (1 + _REQUEST_SHARE * 249):
                    self.ask()
                else:
                    self.talk(self.chance.randrange(1, 500))
        except BaseException as error:  # (the thread's end is told in the test)
            self.faults.append(repr(error))
            raise

    def talk(self, count):
        """Frames over one WebSocket, the page's or OSCQuery's."""
        url = self.show.url if self.chance.random() < _PAGE_SHARE else f"ws://127.0.0.1:{self.show.query_port}/"
        with (
            contextlib.suppress(WebSocketException, TimeoutError, OSError),
            connect(url, open_timeout=PATIENCE_S, max_queue=None, max_size=None, close_timeout=PATIENCE_S) as client,
        ):
            for _ in range(count):
                data, is_text = frame(self.chance, self.names)
                client.send(data, text=is_text)
                self.sent += 1

    def ask(self):
        """One request, with the token, without or with another one."""
        port = self.chance.choice((self.show.page_port, self.show.page_port, self.show.query_port))
        token = self.show.token.encode()
        shown = self.chance.choice((token, token, b"", secrets.token_urlsafe(12).encode()))
        text = request(self.chance, token=b"" if port == self.show.query_port else shown)
        answer = b""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
            client.sendall(text)
            self.sent += 1
            if not text.endswith(b"\r\n\r\n"):
                client.shutdown(socket.SHUT_WR)  # (the end of it would be waited for)
            reads = self.chance.random() < 0.7
            while reads and b"\r\n\r\n" not in answer and (some := client.recv(65536)):  # (some keep the connection)
                answer += some
        if port == self.show.page_port and token not in text and re.match(rb"HTTP/1.\d (?!4\d\d |204 )", answer):
            self.faults.append(f"{text!r} without the token is answered by {answer[:200]!r}")


@pytest.fixture
def show(tmp_path):
    show = OpenShow(tmp_path)
    yield show
    show.stop()
    print(f"the show's own words: {show.words[-3000:]}")


def opened_elsewhere(show):
    """What its processes opened, listed, started, moved or removed beside their own folder and the installation."""
    installed = [
        ROOT,
        *filter(None, sys.path),
        sys.prefix,
        sys.base_prefix,
        "/proc",
        "/sys",
        "/dev",
        "/etc",
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
    ]
    reading = ("open", "os.listdir", "os.scandir", "subprocess.Popen", "os.exec", "os.posix_spawn")
    found = set()
    for log in show.audit.iterdir():
        for event, name in map(json.loads, log.read_text().splitlines()):
            path = Path(name)
            if path.is_relative_to(show.folder) and show.secret.name not in name:
                continue
            allowed = installed if event in reading else ["/dev"]
            if "passwd" in name or not any(path.is_relative_to(one) for one in allowed):
                found.add((event, name))
    return found


@pytest.mark.parametrize(
    "count",
    [pytest.param(20_000, marks=pytest.mark.slow), pytest.param(MANY, marks=[pytest.mark.slow, pytest.mark.soak])],
)
def test_bad_frames_and_requests_from_several_clients(show, count):
    watcher = Watcher(show.url)
    watcher.waits(lambda values: values["/moodfader/state/analysis"] == 1.0)
    before = set(show.family())
    fuzzers = [Fuzzer(show, seed, count // CLIENTS) for seed in range(CLIENTS)]
    for one in fuzzers:
        one.start()
    memory, moves, began = [], [], time.monotonic()
    while any(one.is_alive() for one in fuzzers):
        assert set(show.family()) == before, f"a process has ended: {show.words[-2000:]}"
        next(one for one in fuzzers if one.is_alive()).join(1.0)
        sent = sum(one.sent for one in fuzzers)
        if sent >= len(memory) * count / 20:
            memory.append(show.memory_mib())
            moves.append(watcher.moves)
            shown = " ".join(f"{mib:.0f}" for mib in memory[-1].values())
            print(f"{sent} sent in {time.monotonic() - began:.0f} s; MiB {shown}; {watcher.moves} moves", flush=True)
    assert sum(one.sent for one in fuzzers) >= count
    assert [fault for one in fuzzers for fault in one.faults] == []
    assert set(show.family()) == before, "a process has ended"
    assert all(later > sooner for sooner, later in itertools.pairwise(moves)), "it did not play on"
    for name, value in {"transport/track": 0, "transport/loop": False, "midlevel/modality": 2.5}.items():
        watcher.set(name, value)
    watcher.set("transport/seek", 1.0)
    watcher.waits(lambda values: values["/moodfader/midlevel/modality"] == 2.5)
    watcher.waits(lambda values: 2.0 < values["/moodfader/transport/position"] < 25.0)
    assert watcher.values["/moodfader/state/renderer"] == "running"
    watcher.close()
    memory.append(show.memory_mib())
    settled = memory[len(memory) // 5]
    grown = {pid: round(memory[-1][pid] - mib, 1) for pid, mib in settled.items()}
    # The analysis process takes and gives back 200 MiB with each target that it solves: its peaks are compared
    analyzer, half = max(settled, key=settled.__getitem__), len(memory) // 2
    peaks = [max(one[analyzer] for one in part) for part in (memory[:half], memory[half:])]
    grown[analyzer] = 0.0
    print(
        f"MiB grown since a fifth of it: {grown}; drop-outs {watcher.values['/moodfader/meter/dropouts']}", flush=True
    )
    print(f"peaks of the analysis process in both halves: {peaks} MiB", flush=True)
    assert max(grown.values()) < GROWS_BY_MIB
    assert peaks[1] - peaks[0] < ANALYSIS_GROWS_BY_MIB
    assert opened_elsewhere(show) == set()
