"""SIP over connections - TCP, TLS, WebSocket: accepted and opened, bounded in number, silence and unsent
bytes.

The shell numbers connections and passes bytes; framing is the stack's. A flow with connection 0 is a wish for
any connection to that peer: one that is open is used again, else one is opened and what is to be sent waits.

Rule: a connection counts from its first packet, before TLS is agreed; a connection that we opened over TLS is
used again only for the name that its certificate was verified for (RFC 5922 7.4).
"""

import asyncio
import socket
import ssl
from typing import Any, cast

import structlog

from config.schema import ConnectionSettings
from kernel.limits import STREAM_FIRST_REQUEST_MAX
from seatswitch.shell.clock import monotonic
from seatswitch.shell.pump import Pump
from seatswitch.shell.tls import HANDSHAKE_AFTER_MAX, Certificates, verified_names
from seatswitch.shell.websocket import WebSocket
from sip.flows import Flow

UNSENT_MAX = 1_048_576  # bytes a peer may leave unread before the connection is given up
CONNECT_AFTER_MAX = 10.0  # seconds for the handshake; a third of the 32 s a transaction lives
ACCEPT_AGAIN_AFTER = 1.0  # seconds without descriptors before we try again
SHUTDOWN_AFTER_MAX = 2.0  # seconds a peer may take to agree on the end of TLS
SWEEP_EVERY = 5.0  # seconds between looks for silent connections
_MADE_WITHIN = 0.1  # seconds a connection gets to be made when the switch stops
_BACKLOG = 1_024  # handshakes the kernel keeps for us
_OPENED = ("tcp", "tls")  # what we open ourselves; WebSockets are opened by phones alone

log = structlog.get_logger()


class Connection(asyncio.Protocol):
    """One connection, accepted or being opened."""

    def __init__(self, streams: "Streams", wish: Flow, *, is_outgoing: bool) -> None:
        self.flow = wish  # gets its number when the connection is admitted
        self.name = wish.name
        self.is_outgoing = is_outgoing
        self.made_at = self.heard_at = self.asked_at = monotonic()
        self.has_spoken = is_outgoing
        self._messages = 0  # that have come whole, at the last look
        self._amid_since: float | None = None  # the look that found one begun
        self.transport: asyncio.Transport | None = None
        self.waiting: list[bytes] = []  # until the handshake is done
        self.web = WebSocket(streams.settings.origins) if wish.transport in ("ws", "wss") else None
        self._waiting_bytes = 0
        self._streams = streams

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to talk: the connection is there, and secured where it has to be."""
        self.transport = cast(asyncio.Transport, transport)
        self.made_at = self.heard_at = monotonic()
        self._streams.made(self, self.transport)
        for data in self.waiting:
            self.transport.write(data)
        self.waiting.clear()

    def data_received(self, data: bytes) -> None:
        """One turn, or one per WebSocket message."""
        self.heard_at = monotonic()
        flow, pump = self.flow, self._streams.pump
        if self.web is None:
            pump.turn(pump.node.receive_stream, data, flow)
            return
        self.web.receive(data, self._message_received)
        self._write_web()
        if self.web.is_over and self.transport is not None:
            self.transport.close()

    def _message_received(self, message: bytes) -> None:
        self.has_spoken = True
        pump = self._streams.pump
        pump.turn(pump.node.receive_datagram, message, self.flow)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the node, once."""
        self.transport = None
        if self.web is not None:
            self.web.lost()
        self._streams.lost(self)

    def send(self, data: bytes) -> None:
        """Write ``data``, or keep it until the handshake is done; a peer that does not read is dropped."""
        if self.web is not None:
            self.web.send(data)
            self._write_web()
        elif self.transport is None:
            self._waiting_bytes += len(data)
            if self._waiting_bytes <= UNSENT_MAX:
                self.waiting.append(data)
        else:
            self._write(data)

    def outstays(self, now: float, first_request_after: float, idle_after: float) -> bool:
        """Return whether it is to be closed: a stranger has not said one whole thing in time, or somebody is
        too long about one message, byte by byte, or silent for too long.
        """
        if self.web is None:
            count, is_amid = self._streams.pump.node.stack.stream_progress(self.flow)
            self.has_spoken = self.has_spoken or count > 0
        else:
            count, is_amid = self.web.messages, self.web.is_amid
            self.web.pings = 0
        if not is_amid or count != self._messages:
            self._amid_since = now if is_amid else None
        self._messages = count
        if not self.has_spoken:
            return now - self.made_at > first_request_after
        if self._amid_since is not None and now - self._amid_since > first_request_after:
            return True
        return now - self.heard_at > idle_after

    def ping(self, now: float) -> None:
        """Ask a silent WebSocket whether anybody is there; give it up when nobody is."""
        every = self._streams.settings.ping_every
        if self.web is None or not every or now - max(self.heard_at, self.asked_at) < every:
            return
        self.asked_at = now
        if self.web.ping():
            self._write_web()
        elif self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """Close once what is written has left."""
        if self.transport is None:
            return
        if self.web is not None:
            self.web.close()
            self._write_web()
        self.transport.close()

    def _write_web(self) -> None:
        assert self.web is not None
        data = self.web.take()
        if data:
            self._write(data)

    def _write(self, data: bytes) -> None:
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > UNSENT_MAX:
            log.warning("! connection dropped: the peer does not read", flow=str(self.flow))
            transport.abort()


class Streams:
    """All SIP connections of a switch."""

    def __init__(
        self,
        pump: Pump,
        settings: ConnectionSettings | None = None,
        certificates: Certificates | None = None,
        *,
        first_request_after: float = STREAM_FIRST_REQUEST_MAX,
        handshake_after: float = HANDSHAKE_AFTER_MAX,
        sweep_every: float = SWEEP_EVERY,
    ) -> None:
        self.pump = pump
        self.settings = settings or ConnectionSettings()
        self.refused = 0  # connections over a cap
        self.failed_handshakes = 0
        self._certificates = certificates
        self._first_request_after = first_request_after
        self._handshake_after = handshake_after
        self._sweep_every = sweep_every
        self._number = 0
        self._by_number: dict[int, Connection] = {}
        self._by_peer: dict[tuple[str, str, int, str], Connection] = {}  # with the name of its certificate
        self._per_source: dict[str, int] = {}
        self._local_hosts: dict[int, str] = {}
        self._listeners: list[asyncio.Task[None]] = []
        self._bound: list[socket.socket] = []
        self._tasks: dict[int, asyncio.Task[None]] = {}  # connections being opened or secured
        self._sweeper: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def listen(self, bound: socket.socket, local: int, transport: str = "tcp") -> None:
        """Accept connections on ``bound``, the listener with index ``local``."""
        self._local_hosts[local] = bound.getsockname()[0]
        bound.listen(_BACKLOG)
        self._bound.append(bound)
        self._listeners.append(self._loop.create_task(self._accept(bound, local, transport)))
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._sweep_every, self._sweep)

    async def _accept(self, bound: socket.socket, local: int, transport: str) -> None:
        """Take every connection, or close it at once where a cap is reached: before TLS costs anything."""
        while bound.fileno() >= 0:
            try:
                accepted, peer = await self._loop.sock_accept(bound)
            except OSError as error:  # out of descriptors, or gone before we looked
                log.warning("! a connection was not accepted", why=error.strerror, on=transport)
                await asyncio.sleep(ACCEPT_AGAIN_AFTER)
                continue
            connection = Connection(self, Flow(transport, local, peer[0], peer[1]), is_outgoing=False)
            if self._admit(connection):
                number = connection.flow.connection
                self._tasks[number] = self._loop.create_task(self._serve(connection, accepted))
            else:
                accepted.close()

    async def _serve(self, connection: Connection, accepted: socket.socket) -> None:
        flow = connection.flow
        secure: dict[str, Any] = {}
        if flow.transport in ("tls", "wss"):
            assert self._certificates is not None, "TLS without certificates"
            assert self._certificates.server is not None, "a TLS listener without a certificate"
            secure = {
                "ssl": self._certificates.server,
                "ssl_handshake_timeout": self._handshake_after,
                "ssl_shutdown_timeout": SHUTDOWN_AFTER_MAX,
            }
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted, **secure)
        except (OSError, TimeoutError) as error:
            self._note_handshake(connection, error)
        finally:
            self._tasks.pop(flow.connection, None)
            if connection.transport is None:
                accepted.close()
                self.lost(connection)

    def made(self, connection: Connection, transport: asyncio.Transport) -> None:
        """Tell the node whom a certificate has proved the peer to be."""
        names = verified_names(transport.get_extra_info("peercert"))
        if names and not connection.is_outgoing:
            self.pump.turn(self.pump.node.flow_verified, connection.flow, names)

    def reconfigure(self, settings: ConnectionSettings, certificates: Certificates | None) -> None:
        """Take new bounds and certificates; connections there are stay as they are."""
        self.settings = settings
        self._certificates = certificates

    def __len__(self) -> int:
        return len(self._by_number)

    def send(self, flow: Flow, data: bytes) -> None:
        """Send on the connection of ``flow``; connection 0 means any to that peer, opened if need be.

        A connection that is gone or over the cap comes back as ``node.flow_failed``, on a later round.
        """
        if flow.connection:
            connection = self._by_number.get(flow.connection)
        else:
            connection = self._by_peer.get((flow.transport, flow.host, flow.port, flow.name))
            if connection is None and flow.transport in _OPENED:
                connection = self._open(flow)
        if connection is None:
            self._loop.call_soon(self._fail, flow)
            return
        connection.send(data)

    def close(self, flow: Flow) -> None:
        """Close the connection of ``flow`` once what is written has left; the node hears of it then."""
        connection = self._by_number.get(flow.connection)
        if connection is not None:
            connection.close()

    async def stop(self) -> None:
        """Accept nothing more and close every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        tasks = [*self._listeners, *self._tasks.values()]
        if self._tasks:  # what is all but made is cut off badly by uvloop
            await asyncio.wait(self._tasks.values(), timeout=_MADE_WITHIN)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for bound in self._bound:
            bound.close()
        for connection in list(self._by_number.values()):
            connection.close()

    def _admit(self, connection: Connection) -> bool:
        """Number a connection; False when a cap is reached."""
        wish, settings = connection.flow, self.settings
        host = wish.host
        if len(self._by_number) >= settings.connections_max or (
            self._per_source.get(host, 0) >= settings.per_source_max
        ):
            self.refused += 1
            if _is_round(self.refused):
                log.warning("! connections refused: too many", source=host, refused=self.refused)
            return False
        self._number += 1
        self._by_number[self._number] = connection
        # A stranger over TLS proves nothing by its address and port: only what we opened is used again.
        if connection.is_outgoing or wish.transport == "tcp":
            self._by_peer[wish.transport, host, wish.port, wish.name] = connection
        self._per_source[host] = self._per_source.get(host, 0) + 1
        connection.flow = wish._replace(connection=self._number, name="")
        return True

    def _note_handshake(self, connection: Connection, error: Exception) -> None:
        """Tell of a failed handshake: each with a peer that we called, of strangers' a few."""
        self.failed_handshakes += 1
        if connection.is_outgoing or _is_round(self.failed_handshakes):
            why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
            log.warning(
                "! no TLS with a peer",
                flow=str(connection.flow),
                name=connection.name,
                why=why or type(error).__name__,
                failed=self.failed_handshakes,
            )

    def lost(self, connection: Connection) -> None:
        """Forget a connection and tell the node; what was asked over one we opened has failed."""
        flow = connection.flow
        if self._by_number.pop(flow.connection, None) is None:
            return
        peer = (flow.transport, flow.host, flow.port, connection.name)
        if self._by_peer.get(peer) is connection:
            del self._by_peer[peer]
        left = self._per_source[flow.host] - 1
        if left:
            self._per_source[flow.host] = left
        else:
            del self._per_source[flow.host]
        self.pump.turn(self.pump.node.flow_closed, flow)
        if connection.is_outgoing:
            self._fail(flow._replace(connection=0, name=connection.name))

    def _open(self, flow: Flow) -> Connection | None:
        connection = Connection(self, flow, is_outgoing=True)
        if not self._admit(connection):
            return None
        task = self._loop.create_task(self._connect(connection, connection.flow))
        self._tasks[connection.flow.connection] = task
        return connection

    async def _connect(self, connection: Connection, flow: Flow) -> None:
        host = self._local_hosts.get(flow.local)
        ours = None if host in {None, "0.0.0.0", "::"} else (host, 0)
        secure: dict[str, Any] = {}
        if flow.transport == "tls":
            assert self._certificates is not None, "TLS without certificates"
            secure = {"ssl": self._certificates.client, "server_hostname": connection.name or flow.host}
            secure["ssl_shutdown_timeout"] = SHUTDOWN_AFTER_MAX
        try:
            async with asyncio.timeout(CONNECT_AFTER_MAX):
                await self._loop.create_connection(
                    lambda: connection, flow.host, flow.port, local_addr=cast(Any, ours), **secure
                )
        except (OSError, TimeoutError) as error:
            if isinstance(error, ssl.SSLError):
                self._note_handshake(connection, error)
        finally:
            self._tasks.pop(flow.connection, None)
            if connection.transport is None:
                self.lost(connection)

    def _fail(self, flow: Flow) -> None:
        self.pump.turn(self.pump.node.flow_failed, flow)

    def _sweep(self) -> None:
        """Close who never spoke and who has been silent for long."""
        now = monotonic()
        for connection in list(self._by_number.values()):
            if connection.transport is None:
                continue
            if connection.outstays(now, self._first_request_after, self.settings.idle_after):
                connection.transport.abort()
            else:
                connection.ping(now)
        self._sweeper = self._loop.call_later(self._sweep_every, self._sweep)


def _is_round(count: int) -> bool:
    return str(count).strip("0") == "1"  # the first, the tenth, the hundredth ...
