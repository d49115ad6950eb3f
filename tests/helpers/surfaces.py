"""One show and a client of every surface: each can set the fader of modality, and tells what it shows of it."""

import contextlib
import json
import re
import shutil
import subprocess
import threading
import time

import psutil
from helpers.osc_client import OscClient, osc, read
from helpers.ports import free_port
from helpers.show import Show
from helpers.waiting import PATIENCE_S
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

FADER = "/moodfader/midlevel/modality"
MAPPING = f"""
[[control]]
address = "{FADER}"
channel = 1
number = 7
mode = "14bit"
takeover = "jump"
"""
TOLERANCE_DB = 0.06  # (the terminal view shows tenths)
_SCREEN = 30_000  # letters of the view that are looked through: three whole screens


def tcp_ports(process):
    """Ports on which a process and its children listen."""
    family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
    found = set()
    for one in family:
        with contextlib.suppress(psutil.Error):  # (one that has just ended)
            found |= {socket.laddr.port for socket in one.net_connections("tcp") if socket.status == "LISTEN"}
    return found


class Surface:
    """What it shows is in `value` (None: nothing yet)."""

    value = None

    def set(self, value):
        """Move the fader by this surface."""
        raise NotImplementedError

    def shows(self, value):
        """Whether the fader stands there on this surface."""
        return self.value is not None and abs(self.value - value) < TOLERANCE_DB

    def close(self):
        """Leave the show."""


class OscSurface(Surface):
    """A program that subscribes on a port of its own and sends from another; liblo's oscsend if `liblo`."""

    def __init__(self, port, *, liblo=False, rate_hz=50.0):
        self._client, self._listens, self._liblo = OscClient(port), OscClient(port), liblo
        self._ask = osc("/moodfader/subscribe", "fi", rate_hz, self._listens.socket.getsockname()[1])
        self._listens.socket.settimeout(0.2)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        asked = 0.0
        while not self._closing.is_set():
            if time.monotonic() - asked > 4:
                asked = time.monotonic()
                self._client.send(self._ask)
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                for address, value in read(self._listens.socket.recv(65536)):
                    if address == FADER:
                        self.value = value

    def set(self, value):
        if self._liblo:
            words = ["oscsend", "localhost", str(self._client.port), FADER, "f", str(value)]
            subprocess.run(words, check=True, timeout=20)
        else:
            self._client.set(FADER, float(value))

    def close(self):
        self._closing.set()
        self._thread.join()
        for one in (self._client, self._listens):
            one.socket.close()


class SocketSurface(Surface):
    """A WebSocket that is read all the time."""

    def __init__(self, url):
        self._open = contextlib.ExitStack()
        self._socket = self._open.enter_context(connect(url, open_timeout=PATIENCE_S, max_size=None))
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        with contextlib.suppress(ConnectionClosed, OSError):
            for frame in self._socket:
                self._take(frame)

    def _take(self, frame):
        raise NotImplementedError

    def close(self):
        self._open.close()


class PageSurface(SocketSurface):
    """A client of the page's own protocol."""

    def _take(self, frame):
        frame = json.loads(frame)
        values = frame.get("v") or frame.get("hello", {}).get("values", {})
        self.value = values.get(FADER, self.value)

    def set(self, value):
        self._socket.send(json.dumps({"set": {FADER: value}}))


class OscQuerySurface(SocketSurface):
    """A client of OSCQuery's WebSocket that listens to the fader."""

    def __init__(self, url):
        super().__init__(url)
        self._socket.send(json.dumps({"COMMAND": "LISTEN", "DATA": FADER}))

    def _take(self, frame):
        for address, value in read(frame) if isinstance(frame, bytes) else ():
            if address == FADER:
                self.value = value

    def set(self, value):
        self._socket.send(osc(FADER, "f", float(value)))


class MidiSurface(Surface):
    """A motor fader of 14 bits on a cable."""

    def __init__(self, cable):
        self._cable = cable
        self._coarse = 0
        self._seen = 0

    def set(self, value):
        steps = round((value + 12) / 12 * 8192) if value <= 0 else 8192 + round(value / 12 * 8191)
        self._cable.send((0xB0, 7, steps >> 7), (0xB0, 39, steps & 127))

    def shows(self, value):
        while self._seen < len(self._cable.got):
            status, number, data = self._cable.got[self._seen]
            self._seen += 1
            if status == 0xB0 and number == 7:
                self._coarse = data
            elif status == 0xB0 and number == 39:
                steps = self._coarse << 7 | data
                self.value = (steps - 8192) / 8192 * 12 if steps <= 8192 else (steps - 8192) / 8191 * 12
        return super().shows(value)


class TerminalSurface(Surface):
    """The keys of the terminal view, and its row of the fader."""

    def __init__(self, show):
        self._show = show
        show.presses("k")  # (from the first to the last, which is modality)

    def set(self, value):
        steps = round(value * 2)
        self._show.presses("0" + ("l" if steps > 0 else "h") * abs(steps))

    def shows(self, value):
        found = re.findall(
            r"modality \(minor\) +[─━┼█]+ +([+−]?\d+(?:\.\d)?) ", self._show.read[-_SCREEN:]
        )  # (its row)
        if found:
            self.value = float(found[-1].replace("−", "-"))
        return super().shows(value)


class BrowserSurface(Surface):
    """The page in a browser, by its keyboard."""

    SELECTOR = '[aria-label="modality (minor)"]'

    def __init__(self, browser, url):
        self._context = browser.new_context(viewport={"width": 1024, "height": 768})
        self.page = self._context.new_page()
        self.page.goto(url)
        self.page.wait_for_selector("body.ready")
        self._fader = self.page.locator(self.SELECTOR)

    def set(self, value):
        self._fader.focus()
        self._press("Delete", 0)
        for step in range(1, abs(round(value * 2)) + 1):
            self._press("ArrowUp" if value > 0 else "ArrowDown", step / 2 if value > 0 else -step / 2)

    def _press(self, key, value):
        """Press a key, and wait until the program has said what has come of it."""
        self.page.keyboard.press(key)
        held = "(value) => moodfader.link.values.get('midlevel/modality') === value"
        self.page.wait_for_function(held, arg=value, timeout=PATIENCE_S * 1000)

    def shows(self, value):
        self.value = float(self._fader.get_attribute("aria-valuenow"))
        return super().shows(value)

    def close(self):
        self._context.close()


class Stage:
    """A paused show and its surfaces by name."""

    def __init__(self, song, config, *, cable=None, browser=None):
        config.mkdir(exist_ok=True)
        (config / "midi.toml").write_text(MAPPING)
        self._web_port = free_port()
        words = [song, "--paused", "--web", "--web-port", self._web_port]
        environment = {"MOODFADER_CONFIG": str(config)}
        if cable is not None:
            words += ["--midi", "desk", "--midi-out", "rings"]
            environment |= cable.environment
        self.show = Show(*words, size=(200, 50), **environment)
        try:
            self._open(cable, browser)
        except BaseException:
            self.show.stop()
            raise

    def _open(self, cable, browser):
        show = self.show
        show.until(lambda show: len(tcp_ports(show.process.pid) - {self._web_port}) == 1)
        (query_port,) = tcp_ports(show.process.pid) - {self._web_port}
        self.surfaces = {
            "osc": OscSurface(show.osc.port),
            "page": PageSurface(f"ws://127.0.0.1:{self._web_port}/ws"),
            "oscquery": OscQuerySurface(f"ws://127.0.0.1:{query_port}/"),
            "terminal": TerminalSurface(show),
        }
        if shutil.which("oscsend"):
            self.surfaces["liblo"] = OscSurface(show.osc.port, liblo=True)
        if cable is not None:
            self.surfaces["midi"] = MidiSurface(cable)
        if browser is not None:
            self.surfaces["browser"] = BrowserSurface(browser, f"http://127.0.0.1:{self._web_port}/")

    def close(self):
        """End all."""
        for one in self.surfaces.values():
            one.close()
        self.show.stop()
        self.show.osc.socket.close()

    def wait(self, name, value, seconds=PATIENCE_S):
        """Wait until a surface shows a value; how long that took in s."""
        surface, began = self.surfaces[name], time.monotonic()
        while not surface.shows(value):
            assert time.monotonic() - began < seconds, self._missing(name, value)
            time.sleep(0.001)
        return time.monotonic() - began

    def _missing(self, name, value):
        held = self.show.value("midlevel/modality")
        return f"{name} shows {self.surfaces[name].value}, not {value}, and the session has {held}"
