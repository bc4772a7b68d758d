"""SIP over TCP: accepted and opened connections, bounded in number, silence and unsent bytes.

The shell numbers connections and passes bytes; framing is the stack's. A flow with connection 0 is a wish for
any connection to that peer: one that is open is used again, else one is opened and what is to be sent waits.
"""

import asyncio
import socket
from typing import Any, cast

import structlog

from kernel.limits import STREAM_CONNECTIONS_MAX, STREAM_FIRST_REQUEST_MAX, STREAM_IDLE_MAX
from seatswitch.shell.clock import monotonic
from seatswitch.shell.pump import Pump
from sip.flows import Flow

PER_SOURCE_MAX = 1_024  # connections of one host: a NAT full of phones, a quarter of all at most
UNSENT_MAX = 1_048_576  # bytes a peer may leave unread before the connection is given up
CONNECT_AFTER_MAX = 10.0  # seconds for the handshake; a third of the 32 s a transaction lives
SWEEP_EVERY = 5.0  # seconds between looks for silent connections
_BACKLOG = 1_024  # handshakes the kernel keeps for us

log = structlog.get_logger()


class Connection(asyncio.Protocol):
    """One TCP connection, accepted or being opened."""

    def __init__(self, streams: "Streams", flow: Flow | None, local: int, *, is_outgoing: bool) -> None:
        self.flow = flow  # None until an accepted connection is made
        self.is_outgoing = is_outgoing
        self.heard_at = monotonic()
        self.has_spoken = is_outgoing
        self.transport: asyncio.Transport | None = None
        self.waiting: list[bytes] = []  # until the handshake is done
        self._waiting_bytes = 0
        self._streams = streams
        self._local = local

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a number, or be refused by a cap."""
        self.transport = cast(asyncio.Transport, transport)
        self.heard_at = monotonic()
        if self.flow is None:
            peer = transport.get_extra_info("peername") or ("", 0)
            self.flow = self._streams.admit(self, self._local, peer[0], peer[1])
            if self.flow is None:
                self.transport.abort()
                return
        for data in self.waiting:
            self.transport.write(data)
        self.waiting.clear()

    def data_received(self, data: bytes) -> None:
        """One turn."""
        self.heard_at = monotonic()
        self.has_spoken = True
        if self.flow is not None:
            pump = self._streams.pump
            pump.turn(pump.node.receive_stream, data, self.flow)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the node, once."""
        self.transport = None
        self._streams.lost(self)

    def send(self, data: bytes) -> None:
        """Write ``data``, or keep it until the handshake is done; a peer that does not read is dropped."""
        if self.transport is None:
            self._waiting_bytes += len(data)
            if self._waiting_bytes <= UNSENT_MAX:
                self.waiting.append(data)
            return
        self.transport.write(data)
        if self.transport.get_write_buffer_size() > UNSENT_MAX:
            log.warning("! connection dropped: the peer does not read", flow=str(self.flow))
            self.transport.abort()


class Streams:
    """All TCP connections of a switch."""

    def __init__(
        self,
        pump: Pump,
        *,
        connections_max: int = STREAM_CONNECTIONS_MAX,
        per_source_max: int = PER_SOURCE_MAX,
        first_request_after: float = STREAM_FIRST_REQUEST_MAX,
        idle_after: float = STREAM_IDLE_MAX,
        sweep_every: float = SWEEP_EVERY,
    ) -> None:
        self.pump = pump
        self.refused = 0  # connections over a cap
        self._connections_max = connections_max
        self._per_source_max = per_source_max
        self._first_request_after = first_request_after
        self._idle_after = idle_after
        self._sweep_every = sweep_every
        self._number = 0
        self._by_number: dict[int, Connection] = {}
        self._by_peer: dict[tuple[str, int], Connection] = {}
        self._per_source: dict[str, int] = {}
        self._local_hosts: dict[int, str] = {}
        self._servers: list[asyncio.Server] = []
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    async def listen(self, bound: socket.socket, local: int) -> None:
        """Accept connections on ``bound``, the listener with index ``local``."""
        self._local_hosts[local] = bound.getsockname()[0]
        server = await self._loop.create_server(
            lambda: Connection(self, None, local, is_outgoing=False), sock=bound, backlog=_BACKLOG
        )
        self._servers.append(server)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._sweep_every, self._sweep)

    def __len__(self) -> int:
        return len(self._by_number)

    def send(self, flow: Flow, data: bytes) -> None:
        """Send on the connection of ``flow``; connection 0 means any to that peer, opened if need be.

        A connection that is gone or over the cap comes back as ``node.flow_failed``, on a later round.
        """
        if flow.connection:
            connection = self._by_number.get(flow.connection)
        else:
            connection = self._by_peer.get((flow.host, flow.port))
            if connection is None and flow.transport == "tcp":
                connection = self._open(flow)
        if connection is None:
            self._loop.call_soon(self._fail, flow)
            return
        connection.send(data)

    def close(self, flow: Flow) -> None:
        """Close the connection of ``flow`` once what is written has left; the node hears of it then."""
        connection = self._by_number.get(flow.connection)
        if connection is not None and connection.transport is not None:
            connection.transport.close()

    async def stop(self) -> None:
        """Accept nothing more and close every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for server in self._servers:
            server.close()
        tasks = list(self._opening.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in list(self._by_number.values()):
            if connection.transport is not None:
                connection.transport.close()

    def admit(self, connection: Connection, local: int, host: str, port: int) -> Flow | None:
        """Number a connection, or return None when a cap is reached."""
        if len(self._by_number) >= self._connections_max or (
            self._per_source.get(host, 0) >= self._per_source_max
        ):
            self.refused += 1
            if str(self.refused).strip("0") == "1":  # the first, the tenth, the hundredth ...
                log.warning("! connections refused: too many", source=host, refused=self.refused)
            return None
        self._number += 1
        flow = Flow("tcp", local, host, port, self._number)
        self._by_number[self._number] = connection
        self._by_peer[(host, port)] = connection
        self._per_source[host] = self._per_source.get(host, 0) + 1
        return flow

    def lost(self, connection: Connection) -> None:
        """Forget a connection and tell the node; what was asked over one we opened has failed."""
        flow = connection.flow
        if flow is None or self._by_number.pop(flow.connection, None) is None:
            return
        if self._by_peer.get((flow.host, flow.port)) is connection:
            del self._by_peer[(flow.host, flow.port)]
        left = self._per_source[flow.host] - 1
        if left:
            self._per_source[flow.host] = left
        else:
            del self._per_source[flow.host]
        self.pump.turn(self.pump.node.flow_closed, flow)
        if connection.is_outgoing:
            self._fail(flow._replace(connection=0))

    def _open(self, flow: Flow) -> Connection | None:
        connection = Connection(self, None, flow.local, is_outgoing=True)
        numbered = self.admit(connection, flow.local, flow.host, flow.port)
        if numbered is None:
            return None
        connection.flow = numbered
        task = self._loop.create_task(self._connect(connection, numbered))
        self._opening[numbered.connection] = task
        return connection

    async def _connect(self, connection: Connection, flow: Flow) -> None:
        host = self._local_hosts.get(flow.local)
        ours = None if host in {None, "0.0.0.0", "::"} else (host, 0)
        try:
            async with asyncio.timeout(CONNECT_AFTER_MAX):
                await self._loop.create_connection(
                    lambda: connection, flow.host, flow.port, local_addr=cast(Any, ours)
                )
        except (OSError, TimeoutError):
            self.lost(connection)
        finally:
            self._opening.pop(flow.connection, None)

    def _fail(self, flow: Flow) -> None:
        self.pump.turn(self.pump.node.flow_failed, flow)

    def _sweep(self) -> None:
        """Close who never spoke and who has been silent for long."""
        now = monotonic()
        for connection in list(self._by_number.values()):
            allowed = self._idle_after if connection.has_spoken else self._first_request_after
            if connection.transport is not None and now - connection.heard_at > allowed:
                connection.transport.abort()
        self._sweeper = self._loop.call_later(self._sweep_every, self._sweep)
