"""A bad network on loopback: datagrams to one address reach another, but some are lost, doubled or late.

Every sender gets a port of its own towards the target, so that answers find their way back: what the target
sees is a NAT. Connections pass, too: there a loss is what TCP makes of it, bytes that come one retransmission
later with all behind them. The draws are seeded; what the phones send, and when, is not.
"""

import heapq
import selectors
import socket
import threading
import time
from random import Random
from types import TracebackType

TICK = 0.005  # seconds between two looks at what is due
RETRANSMITTED_AFTER = 0.2  # seconds: the least that Linux waits before it sends a segment again


class _Way:
    """One direction of a connection: what it leads to, and when its last bytes arrive there."""

    def __init__(self, to: socket.socket) -> None:
        self.to = to
        self.at = 0.0


class Impair:
    """Relays datagrams that come to ``host`` at ``ports`` to the same ports of ``target``, and back; and the
    connections that come to ``stream_ports``.
    """

    def __init__(
        self,
        host: str,
        target: str,
        ports: list[int],
        *,
        stream_ports: tuple[int, ...] = (),
        loss: float = 0.1,
        duplicate: float = 0.05,
        reorder: float = 0.1,
        late: float = 0.06,
        seed: int = 1,
    ) -> None:
        self.counts = {"in": 0, "lost": 0, "duplicated": 0, "reordered": 0, "stalled": 0}
        self._rates = (loss, duplicate, reorder)
        self._late = late  # seconds: what is reordered waits so long, at least half of it
        self._chance = Random(seed)
        self._target = target
        self._host = host
        self._selector = selectors.DefaultSelector()
        self._outward: dict[tuple[int, tuple[str, int]], socket.socket] = {}  # by port and sender
        self._due: list[tuple[float, int, socket.socket, bytes, tuple[str, int] | None]] = []
        self._serial = 0
        self._links: list[socket.socket] = []  # ends of connections
        self._is_over = threading.Event()
        for port in ports:
            front = self._open(port)
            self._selector.register(front, selectors.EVENT_READ, (port, None))
        for port in stream_ports:
            door = socket.create_server((host, port))
            self._selector.register(door, selectors.EVENT_READ, port)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Impair":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            sock.close()
        for sock in self._links:
            sock.close()
        self._selector.close()

    def _open(self, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((self._host, port))
        sock.setblocking(False)
        return sock

    def _run(self) -> None:
        while not self._is_over.is_set():
            for key, _ in self._selector.select(TICK):
                front = key.fileobj
                assert isinstance(front, socket.socket)
                if isinstance(key.data, int):
                    self._accept(front, key.data)
                elif isinstance(key.data, _Way):
                    self._pass_bytes(front, key.data)
                else:
                    self._read(front, *key.data)
            self._send_due()

    def _read(
        self, sock: socket.socket, port: int, behind: tuple[socket.socket, tuple[str, int]] | None
    ) -> None:
        for _ in range(64):  # the others have their turn, too
            try:
                data, sender = sock.recvfrom(65_535)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if behind is not None:
                self._pass(data, *behind)
                continue
            outward = self._outward.get((port, sender))
            if outward is None:
                outward = self._outward[(port, sender)] = self._open(0)
                self._selector.register(outward, selectors.EVENT_READ, (port, (sock, sender)))
            self._pass(data, outward, (self._target, port))

    def _pass(self, data: bytes, way: socket.socket, to: tuple[str, int]) -> None:
        loss, duplicate, reorder = self._rates
        draw, counts, now = self._chance.random, self.counts, time.monotonic()
        counts["in"] += 1
        if draw() < loss:
            counts["lost"] += 1
            return
        times = 1
        if draw() < duplicate:
            counts["duplicated"] += 1
            times = 2
        for _ in range(times):
            at = now
            if draw() < reorder:
                counts["reordered"] += 1
                at += self._late * (0.5 + draw() / 2)
            self._serial += 1
            heapq.heappush(self._due, (at, self._serial, way, data, to))
        self._send_due()

    def _accept(self, door: socket.socket, port: int) -> None:
        near = door.accept()[0]
        try:
            far = socket.create_connection((self._target, port), 2)
        except OSError:
            near.close()
            return
        self._links += (near, far)
        for one, other in ((near, far), (far, near)):
            one.settimeout(2)
            self._selector.register(one, selectors.EVENT_READ, _Way(other))

    def _pass_bytes(self, sock: socket.socket, way: _Way) -> None:
        try:
            data = sock.recv(65_535)
        except OSError:
            data = b""
        now = time.monotonic()
        if data and self._chance.random() < self._rates[0]:
            self.counts["stalled"] += 1
            now += RETRANSMITTED_AFTER
        way.at = max(way.at, now)
        self._serial += 1
        heapq.heappush(self._due, (way.at, self._serial, way.to, data, None))
        if not data:
            self._selector.unregister(sock)

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, way, data, to = heapq.heappop(self._due)
            try:
                if to is not None:
                    way.sendto(data, to)
                elif data:
                    way.sendall(data)
                else:
                    way.shutdown(socket.SHUT_WR)
            except OSError:
                continue  # as a network would: nobody is told
