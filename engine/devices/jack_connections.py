"""What other JACK clients have connected to our outputs: looked at now and then, and made again for another process.

JACK forgets the connections of a client that ends. Who records or mixes what we play would hear nothing after the
output process, or the server, was started again.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

Names = tuple[tuple[str, ...], ...]


class JackConnections:
    """The connections of the output ports of one client.

    Parameters
    ----------
    client : jack.Client
        Whose ports they are.
    ports : sequence of jack.OwnPort
        The outputs.
    wanted : sequence of sequence of str
        Names of the ports that each of them is to be connected to again.

    Attributes
    ----------
    names : tuple of tuple of str
        What each output is connected to, and what it will be as soon as that is there.
    """

    def __init__(self, client: Any, ports: Sequence[Any], wanted: Sequence[Sequence[str]] = ()) -> None:  # noqa: ANN401
        self._client, self._ports = client, tuple(ports)
        self._missing = [list(names) for names in [*wanted, *((),) * len(self._ports)][: len(self._ports)]]
        self.names: Names = ()
        self._seen: Names = ()

    def restore(self) -> bool:
        """Connect what is wanted and there; whether that was anything."""
        from jack import JackError

        found = False
        for port, missing in zip(self._ports, self._missing, strict=True):
            for name in list(missing):
                with contextlib.suppress(JackError, ValueError):  # (not there yet: looked for with every look)
                    other = self._client.get_port_by_name(name)
                    missing.remove(name)
                    found = True
                    port.connect(other)
        return found

    def have_changed(self) -> bool:
        """Look at what is connected: whether it is something else than before, and has been so at two looks.

        A server that ends takes the connections away one after the other, and then is not there for a second look.
        """
        from jack import JackError

        if any(self._missing):
            self.restore()
        try:
            connected = [[other.name for other in port.connections] for port in self._ports]
        except JackError:  # (the server ends)
            return False
        names = tuple((*now, *missing) for now, missing in zip(connected, self._missing, strict=True))
        before, self._seen = self._seen, names
        if names != before or names == self.names:
            return False
        self.names = names
        return True
