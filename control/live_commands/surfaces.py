"""The control surfaces of `play` beside the terminal view: OSC, the web page with OSCQuery, MIDI both ways."""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..console.output import Output
from ..parameters.parameter import ROOT

if TYPE_CHECKING:
    from ..midi.ports import MidiConnection
    from ..osc.server import OscServer
    from ..session.session import Session
    from ..web.server import WebServer

Note = Callable[[str], None]


@dataclass(frozen=True)
class SurfaceOptions:
    """Which control surfaces are opened, and where; None for those that are not.

    Attributes
    ----------
    host
        Address on which OSC and the web page are listened to.
    osc_port, page_port
        UDP port of OSC, TCP port of the page; 0: any free one.
    reply_port
        Port of the clients on which they are answered; None: the one that they send from.
    midi_input, midi_output
        Names of MIDI ports.
    """

    host: str
    osc_port: int | None
    reply_port: int | None
    page_port: int | None
    midi_input: str | None
    midi_output: str | None

    @property
    def with_midi(self) -> bool:
        """Whether a MIDI port is opened."""
        return self.midi_input is not None or self.midi_output is not None


@dataclass(frozen=True)
class TakenPorts:
    """Bound sockets of the surfaces, taken before the show sounds; None for what is not served."""

    options: SurfaceOptions
    osc: socket.socket | None
    page: socket.socket | None


@dataclass(frozen=True)
class OpenSurfaces:
    """The surfaces that were opened; None for those that were not."""

    osc: "OscServer | None"
    web: "WebServer | None"
    url: str
    """Of the page; empty: it is not served."""


def take_ports(open_things: contextlib.ExitStack, options: SurfaceOptions) -> TakenPorts:
    """Take the ports of OSC (UDP) and of the web page (TCP).

    Raises
    ------
    InputError
        If one of them cannot be had.
    """
    from ..osc.sockets import bind_tcp, bind_udp

    osc = page = None
    if options.osc_port is not None:
        osc = open_things.enter_context(bind_udp(options.host, options.osc_port))
    if options.page_port is not None:
        page = open_things.enter_context(bind_tcp(options.host, options.page_port, what="web page on"))
    return TakenPorts(options, osc, page)


def open_surfaces(
    session: "Session",
    open_things: contextlib.ExitStack,
    ports: TakenPorts,
    files: Sequence[Path],
    titles: Sequence[str],
    console: Output,
    note: Note,
) -> OpenSurfaces:
    """Open OSC, the server of OSCQuery and the web page (which does not serve yet) and MIDI, as far as asked for.

    The address of the page is printed. Raises InputError.
    """
    options = ports.options
    osc = None if ports.osc is None else _open_osc(session, open_things, ports.osc, options.reply_port, note)
    web, url = None, ""
    if ports.page is not None or osc is not None:
        osc_port = None if osc is None else osc.port
        web = _open_web(session, open_things, ports, osc_port, files, titles, note)
        url = web.url
    if ports.page is not None:
        _show_page_address(console, url)
    if options.with_midi:
        _open_midi(session, open_things, options.midi_input, options.midi_output, note)
    return OpenSurfaces(osc, web, url)


def _open_osc(
    session: "Session", open_things: contextlib.ExitStack, bound: socket.socket, reply_port: int | None, note: Note
) -> "OscServer":
    """Let OSC in through a socket that was taken."""
    from ..osc.server import OscServer

    server = OscServer(session, bound=bound, reply_port=reply_port, note=note)
    open_things.callback(server.close)
    return server


def _open_web(
    session: "Session",
    open_things: contextlib.ExitStack,
    ports: TakenPorts,
    osc_port: int | None,
    files: Sequence[Path],
    titles: Sequence[str],
    note: Note,
) -> "WebServer":
    """Make the server of the page, where a port was taken for it, and of OSCQuery, which names the port of OSC.

    `start` of what is returned begins to serve. Raises InputError.
    """
    from ..osc.sockets import url_host
    from ..web.server import WebServer

    server = WebServer(
        session,
        host=ports.options.host,
        bound=ports.page,
        osc_port=osc_port,
        tracks=files,
        titles=titles,
        note=note,
        start=False,
    )
    open_things.callback(server.close)
    if osc_port is not None:
        shown = url_host(server.host)
        note(f"OSC on {shown}:{osc_port}, OSCQuery on http://{shown}:{server.query_port}")
    return server


def _show_page_address(output: Output, url: str) -> None:
    """Print the address as one line on standard output, and as a QR code where other devices can reach it."""
    from urllib.parse import urlsplit

    output.result({"web": url}, lambda: f"web page: {url}")
    if urlsplit(url).path != "/" and sys.stderr.isatty():
        from ..console.qr_code import qr_lines

        output.note("\n".join(qr_lines(url, inverted=True)))


def _open_midi(
    session: "Session", open_things: contextlib.ExitStack, input_: str | None, output: str | None, note: Note
) -> None:
    """Listen to a MIDI input, and send feedback to an output, as far as they are named. Raises InputError."""
    from ..midi.feedback import MidiFeedback
    from ..midi.mapping_file import mapping_file, read_mapping
    from ..midi.midi_control import MidiControl
    from ..midi.ports import MidiInput, MidiOutput

    mapping = read_mapping(mapping_file())
    feedback = None
    ports: list[MidiConnection] = []
    if output is not None:
        to_controller = MidiOutput(output, note=note)
        open_things.callback(to_controller.close)
        feedback = MidiFeedback(session, mapping, to_controller.send, note=note)
        to_controller.on_back = feedback.restart
        ports.append(to_controller.connection)
    if input_ is not None:
        control = MidiControl(session, mapping, source=f"midi {input_}", feedback=feedback, note=note)
        from_controller = MidiInput(input_, control.receive, note=note, on_back=control.restart)
        open_things.callback(from_controller.close)
        ports.append(from_controller.connection)
        note(f"MIDI from {from_controller.name}")
    if feedback is not None:
        feedback.start()
        open_things.callback(feedback.close)
        note(f"MIDI to {to_controller.name}")
    open_things.callback(session.watch(_follow_server(session, ports)))


def _follow_server(session: "Session", connections: "Sequence[MidiConnection]") -> Callable[[Set[str]], None]:
    """A listener that closes MIDI ports at JACK when the sound card has gone, and opens them when it is back."""
    address = f"{ROOT}/state/output"
    gone = False
    one_at_a_time = threading.Lock()  # (it may be back while another thread still closes the ports)

    def notice(changed: Set[str]) -> None:
        nonlocal gone
        if address not in changed:
            return
        with one_at_a_time:
            before, gone = gone, session.get(address) != "running"
            for connection in connections if gone != before else ():
                (connection.leave_server if gone else connection.join_server)()

    return notice
