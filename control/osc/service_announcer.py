"""Announces the OSC server on the network by zeroconf (Bonjour), so that controllers find it by name.

It runs in a thread of its own: to see that the name is free takes seconds, and nothing waits for that.
"""

import contextlib
import socket
import threading
from typing import Final

NAME: Final = "Moodfader"
EVERYWHERE: Final = ("0.0.0.0", "::")


class ServiceAnnouncer:
    """Announces the services `_oscjson._tcp` and `_osc._udp` until `close`.

    Where there is no multicast nothing is announced, and the port has to be given to controllers by hand.

    Parameters
    ----------
    host : str
        Numeric address on which the servers listen.
    http_port, osc_port : int
        Their ports.

    Attributes
    ----------
    announced : bool
        Whether it has worked, once `done` is set.
    done : threading.Event
        Set when that is known.
    """

    def __init__(self, host: str, http_port: int, osc_port: int) -> None:
        self.announced = False
        self.done = threading.Event()
        self._closing = threading.Event()
        self._ports = (("_oscjson._tcp.local.", http_port), ("_osc._udp.local.", osc_port))
        self._thread = threading.Thread(target=self._run, args=(host,), name="discovery", daemon=True)
        self._thread.start()

    def close(self, *, timeout_s: float = 2.0) -> None:
        """Withdraw the services; waits for that no longer than `timeout_s`."""
        self._closing.set()
        self._thread.join(timeout_s)

    def _run(self, host: str) -> None:
        from zeroconf import InterfaceChoice, ServiceInfo, Zeroconf

        try:
            address = own_address() if host in EVERYWHERE else host
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
        except Exception:  # whatever the network has: without an announcement controllers are told the port
            self.announced = False
        finally:
            self.done.set()


def own_address() -> str:
    """The address by which others reach this machine: the one it would use itself (nothing is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"
