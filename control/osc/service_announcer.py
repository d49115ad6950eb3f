"""Telling the network where the OSC server is (zeroconf, also called Bonjour), so that controllers find it by name.

It goes on in a thread of its own: to see that the name is free takes seconds, and nothing waits for that.
"""

import contextlib
import socket
import threading
from typing import Final

NAME: Final = "Moodfader"
EVERYWHERE: Final = ("0.0.0.0", "::")


class ServiceAnnouncer:
    """The services `_oscjson._tcp` and `_osc._udp` under this program's name, until `close`.

    Where there is no multicast nothing is announced, and controllers have to be told the port.
    """

    def __init__(self, host: str, http_port: int, osc_port: int) -> None:
        """Begins in the background; `done` is set when it is known whether it went well: `announced`."""
        self.announced = False
        self.done = threading.Event()
        self._closing = threading.Event()
        self._ports = (("_oscjson._tcp.local.", http_port), ("_osc._udp.local.", osc_port))
        self._thread = threading.Thread(target=self._run, args=(host,), name="discovery", daemon=True)
        self._thread.start()

    def close(self, *, patience_s: float = 2.0) -> None:
        """Say that the services go; waits so long for that at most."""
        self._closing.set()
        self._thread.join(patience_s)

    def _run(self, host: str) -> None:
        from zeroconf import Error, InterfaceChoice, ServiceInfo, Zeroconf

        try:
            address = _own_address() if host in EVERYWHERE else host
            with Zeroconf(interfaces=InterfaceChoice.Default if host in EVERYWHERE else [host]) as zeroconf:
                for kind, port in self._ports:
                    info = ServiceInfo(kind, f"{NAME} {port}.{kind}", port=port, parsed_addresses=[address])
                    zeroconf.register_service(info, allow_name_change=True)
                    if self._closing.is_set():
                        break
                else:
                    self.announced = True
                self.done.set()
                self._closing.wait()
        except (OSError, Error):
            self.announced = False
        finally:
            self.done.set()


def _own_address() -> str:
    """The address by which others reach this machine: the one it would use itself (nothing is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"
