"""Flows: where a message came from and how an answer gets back (RFC 5626 calls a connection or 5-tuple a
flow).
"""

from functools import lru_cache
from typing import NamedTuple


class Flow(NamedTuple):
    """One way to a peer. A tuple, because one is made per datagram.

    ``local`` is the index of the listening socket in :attr:`sip.settings.SipSettings.listen`; ``connection``
    is the shell's number of a TCP, TLS or WebSocket connection, 0 for UDP and for a connection yet to be
    opened. ``name`` is whom the certificate of a TLS connection yet to be opened must be for (RFC 5922 4);
    "" for the host itself.
    """

    transport: str  # udp, tcp, tls, ws, wss
    local: int
    host: str
    port: int
    connection: int = 0
    name: str = ""


NOWHERE = Flow("", 0, "", 0)


@lru_cache(maxsize=4_096)
def flow_text(flow: Flow) -> str:
    """Return ``flow`` as one word, for rows and logs: ``udp/0/127.0.0.1/5070/0``. Peers come again."""
    return f"{flow.transport}/{flow.local}/{flow.host}/{flow.port}/{flow.connection}"


def parse_flow(text: str) -> Flow:
    """Return the flow that :func:`flow_text` wrote."""
    transport, local, host, port, connection = text.split("/")
    return Flow(transport, int(local), host, int(port), int(connection))
