"""The simulator's phones on real sockets: a timeline on the real clock, a network of UDP on this machine."""

import selectors
import socket
import time
from collections.abc import Callable
from typing import cast

from tests.simulator.network import Address, Network, Receiver
from tests.simulator.timeline import Planned, Timeline

DATAGRAM_MAX = 65_536  # bytes


class RealTimeline(Timeline):
    """The simulator's timeline, on the real clock."""

    def at(self, moment: float, action: Callable[[], None]) -> Planned:
        """Plan ``action`` for ``moment``."""
        self.now = max(self.now, time.monotonic())
        return super().at(moment, action)


class RealNetwork:
    """What the simulated phones need of a network, on UDP sockets."""

    def __init__(self) -> None:
        self.timeline = RealTimeline(time.monotonic())
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[Address, socket.socket] = {}

    def for_phones(self) -> Network:
        """Return this network as the type that phones are told; they use nothing that is not here."""
        return cast(Network, self)

    def attach(
        self, address: Address, receiver: Receiver, unreachable: Callable[[Address], None] | None = None
    ) -> None:
        """Listen at ``address``. Nobody is told of datagrams that found nobody: UDP does not say so."""
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(address)
        except OSError:
            udp.close()
            raise
        udp.setblocking(False)
        self._sockets[address] = udp
        self._selector.register(udp, selectors.EVENT_READ, receiver)

    def detach(self, address: Address) -> None:
        """Stop listening."""
        udp = self._sockets.pop(address)
        self._selector.unregister(udp)
        udp.close()

    def send(self, source: Address, destination: Address, data: bytes) -> None:
        """Send one datagram."""
        self._sockets[source].sendto(data, destination)

    def run(self, seconds: float) -> None:
        """Let datagrams and plans happen for ``seconds``."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            self.timeline.run(now)
            next_at = self.timeline.next_at()
            wait = min(until, until if next_at is None else next_at) - now
            for key, _ in self._selector.select(max(0.0, wait)):
                try:
                    data, source = cast(socket.socket, key.fileobj).recvfrom(DATAGRAM_MAX)
                except OSError:
                    continue  # it was for somebody who has gone
                self.timeline.now = max(self.timeline.now, time.monotonic())
                key.data(data, source)

    def close(self) -> None:
        """Close every socket."""
        self._selector.close()
        for udp in self._sockets.values():
            udp.close()


def free_udp_port(host: str) -> int:
    """Return a port of ``host`` that nobody listens at now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((host, 0))
        return int(udp.getsockname()[1])


def address_towards(host: str) -> str:
    """Return our own address as ``host`` sees it. Raises OSError if there is no way there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect((host, 9))
        return str(udp.getsockname()[0])
