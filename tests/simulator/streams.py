"""Virtual TCP: connections whose bytes arrive complete and in order, but cut into pieces anywhere.

Bad weather only delays them. A cut connection is told to the switch; a phone that loses power tells nobody,
and its connection stays half-open.
"""

from collections import deque
from collections.abc import Callable
from random import Random

from tests.simulator.network import Address, Network

Hear = Callable[[bytes], None]  # b"" when the connection is gone


class Connection:
    """One TCP connection between a phone and the switch."""

    def __init__(self, streams: "Streams", number: int, phone: Address, hear: Hear) -> None:
        self._streams = streams
        self.number, self.phone = number, phone
        self.is_open = True
        self._to_phone: deque[bytes] = deque()
        self._to_switch: deque[bytes] = deque()
        self._hear = hear

    def say(self, data: bytes) -> None:
        """Send from the phone's side."""
        if self.is_open:
            self._push(self._to_switch, data, self._switch_hears)

    def answer(self, data: bytes) -> None:
        """Send from the switch's side."""
        if self.is_open:
            self._push(self._to_phone, data, self._phone_hears)

    def abandon(self, is_back: Callable[[], bool]) -> None:
        """Forget it at the phone, as a power cut does; what arrives once the phone is back draws a reset."""

        def reset(data: bytes) -> None:
            if data and is_back():
                self.close()

        self._hear = reset

    def close(self) -> None:
        """Close from the phone's side; the switch is told."""
        if self.is_open:
            self.is_open = False
            self._streams.closed(self)

    def close_from_switch(self) -> None:
        """Close from the switch's side; the phone is told."""
        if self.is_open:
            self.is_open = False
            self._streams.network.timeline.after(self._streams.network.weather.delay, lambda: self._hear(b""))

    def _phone_hears(self, data: bytes) -> None:
        self._hear(data)

    def _switch_hears(self, data: bytes) -> None:
        self._streams.on_data(self, data)

    def _push(self, queue: "deque[bytes]", data: bytes, hear: Hear) -> None:
        for piece in self._streams.cut(data):
            queue.append(piece)
            self._streams.network.timeline.after(
                self._streams.network.weather.delay, lambda: self._arrive(queue, hear)
            )

    def _arrive(self, queue: "deque[bytes]", hear: Hear) -> None:
        network = self._streams.network
        if network.is_blocked(self.phone[0], self._streams.switch[0]):
            network.timeline.after(1.0, lambda: self._arrive(queue, hear))
        elif queue and self.is_open:
            hear(queue.popleft())


class Streams:
    """All connections of a world to the one listener of its switch."""

    def __init__(
        self,
        network: Network,
        switch: Address,
        random: Random,
        on_data: Callable[[Connection, bytes], None],
        on_closed: Callable[[Connection], None],
    ) -> None:
        self.network, self.switch, self.on_data, self.closed = network, switch, on_data, on_closed
        self.connections: dict[int, Connection] = {}
        self.is_listening = True
        self._random = random

    def connect(self, phone: Address, hear: Hear) -> Connection:
        """Open a connection from an ephemeral port of the phone's host."""
        number = len(self.connections) + 1
        connection = Connection(self, number, (phone[0], 40_000 + number), hear)
        self.connections[number] = connection
        return connection

    def close_all(self) -> None:
        """The switch has died: its kernel closes every connection and refuses new ones."""
        self.is_listening = False
        for connection in self.connections.values():
            connection.close_from_switch()

    def cut(self, data: bytes) -> list[bytes]:
        """Cut bytes into one to four pieces."""
        marks = sorted(self._random.randrange(1, len(data) + 1) for _ in range(self._random.randint(0, 3)))
        pieces, start = [], 0
        for mark in [*marks, len(data)]:
            if mark > start:
                pieces.append(data[start:mark])
            start = max(start, mark)
        return pieces


class Framer:
    """Splits a phone's incoming bytes into messages by Content-Length (RFC 3261 18.3)."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete now."""
        self._buffer += data
        messages = []
        while True:
            self._buffer = self._buffer.lstrip(b"\r\n")
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return messages
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.strip().lower() in (b"content-length", b"l"):
                    length = int(value)
            if len(rest) < length:
                return messages
            messages.append(head + separator + rest[:length])
            self._buffer = rest[length:]
