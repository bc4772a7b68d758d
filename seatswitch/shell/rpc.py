"""JSON-RPC sockets: one JSON text per line, over Unix sockets and TCP.

The shell cuts lines, bounds them and passes them to the API; what they mean is the API's. Who does not read
is disconnected, so that one slow reader costs the others nothing.
"""

import asyncio
import os
import socket
import stat
from collections import deque
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import structlog

from kernel.errors import OperatorError
from kernel.limits import RPC_BACKLOG_MAX, RPC_CONNECTIONS_MAX, RPC_LINE_MAX
from seatswitch.shell.pump import Pump
from seatswitch.shell.udp import bind_socket

_LINES_PER_ROUND = 32  # lines of one connection before others get their turn
_UNIX_PATH_MAX = 107  # bytes; sockaddr_un
_TOO_LONG = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"line longer than %d bytes"}}\n'
_TOO_MANY = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"too many connections"}}\n'

_QUEUED_MAX = RPC_CONNECTIONS_MAX  # connections to be accepted: every desk comes back at once after a restart

log = structlog.get_logger()


def make_private_folder(folder: Path) -> None:
    """Create ``folder`` and its missing parents with mode 0700 (contract: sockets and stores are private).

    Raises OperatorError when that cannot be done.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        try:
            place.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise OperatorError(str(place), f"the folder cannot be created ({error.strerror})") from error
    if not folder.is_dir():
        raise OperatorError(str(folder), "this is not a folder")


def bind_unix(path: Path) -> socket.socket:
    """Return a listening-to-be Unix socket at ``path`` with mode 0600.

    The socket file of a dead process is replaced. Raises OperatorError when a live process listens there or
    the path cannot be used.
    """
    where = f"rpc.listen: unix://{path}"
    if len(os.fsencode(path)) > _UNIX_PATH_MAX:
        raise OperatorError(where, f"the path is longer than the {_UNIX_PATH_MAX} bytes a Unix socket allows")
    make_private_folder(path.parent)
    if path.exists():
        _remove_stale(path, where)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        raise OperatorError(where, f"the socket cannot be created ({error.strerror})") from error
    finally:
        os.umask(before)
    bound.setblocking(False)
    return bound


def _remove_stale(path: Path, where: str) -> None:
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise OperatorError(where, "there is a file that is no socket; remove it or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise OperatorError(where, f"the socket there cannot be asked ({error.strerror})") from error
    raise OperatorError(where, "another switch is listening there; stop it or choose another path")


class RpcConnection(asyncio.Protocol):
    """One client: bytes in, lines to the API."""

    def __init__(self, servers: "RpcServers", role: str) -> None:
        self.role = role
        self.number = 0  # 0 until admitted
        self.transport: asyncio.Transport | None = None
        self._servers = servers
        self._rest = bytearray()
        self._lines: deque[bytes] = deque()
        self._is_busy = False  # lines are left for a later round

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Get a number, or be refused by the cap."""
        self.transport = cast(asyncio.Transport, transport)
        self.number = self._servers.admit(self)
        if not self.number:
            self.transport.write(_TOO_MANY)
            self.transport.close()
            return
        pump = self._servers.pump
        pump.turn(pump.api.opened, self.number, self.role)

    def data_received(self, data: bytes) -> None:
        """Cut lines; each is one turn."""
        if not self.number or self.transport is None or self.transport.is_closing():
            return
        self._rest += data
        *lines, rest = bytes(self._rest).split(b"\n") if b"\n" in data else (self._rest,)
        self._rest = bytearray(rest)
        line_max = self._servers.line_max
        if len(rest) > line_max or any(len(line) > line_max for line in lines):
            self.transport.write(_TOO_LONG % line_max)
            self.transport.close()
            return
        self._lines.extend(lines)
        if not self._is_busy:
            self._work()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the API, once."""
        self.transport = None
        self._lines.clear()
        self._servers.lost(self)

    def send(self, data: bytes) -> None:
        """Write ``data``; a reader too far behind is disconnected."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._servers.backlog_max:
            log.warning("! RPC client disconnected: it does not read", connection=self.number)
            transport.abort()

    def _work(self) -> None:
        pump = self._servers.pump
        for _ in range(_LINES_PER_ROUND):
            if not self._lines or self.transport is None:
                break
            line = self._lines.popleft()
            if line and not line.isspace():
                pump.turn(pump.api.received, self.number, line)
        has_more = bool(self._lines) and self.transport is not None
        if has_more:
            asyncio.get_running_loop().call_soon(self._work)
        if self.transport is not None and has_more != self._is_busy and not self.transport.is_closing():
            # A flood of requests waits in the client's own socket, not here.
            if has_more:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()
        self._is_busy = has_more


class RpcServers:
    """All JSON-RPC listeners and their clients."""

    def __init__(
        self,
        pump: Pump,
        *,
        line_max: int = RPC_LINE_MAX,
        connections_max: int = RPC_CONNECTIONS_MAX,
        backlog_max: int = RPC_BACKLOG_MAX,
    ) -> None:
        self.pump = pump
        self.line_max = line_max
        self.backlog_max = backlog_max
        self._connections_max = connections_max
        self._connections: dict[int, RpcConnection] = {}
        self._number = 0
        self._servers: list[asyncio.Server] = []
        self._unix_files: list[tuple[Path, int]] = []  # with inode: another's socket stays

    async def listen(self, url: str) -> None:
        """Serve ``unix://PATH`` (relative to the working directory; role admin) or ``tcp://HOST:PORT``.

        Raises OperatorError when that cannot be done.
        """
        loop = asyncio.get_running_loop()
        if url.startswith("unix://"):
            path = Path(url.removeprefix("unix://"))
            bound, role = bind_unix(path), "admin"
            self._unix_files.append((path, path.lstat().st_ino))
            server = await loop.create_unix_server(
                lambda: RpcConnection(self, role), sock=bound, backlog=_QUEUED_MAX
            )
        elif url.startswith("tcp://"):
            parts = urlsplit(url)
            if not parts.hostname or parts.port is None:
                raise OperatorError(f"rpc.listen: {url}", "is not tcp://HOST:PORT")
            bound, role = bind_socket("rpc.listen", "tcp", parts.hostname, parts.port), ""
            server = await loop.create_server(
                lambda: RpcConnection(self, role), sock=bound, backlog=_QUEUED_MAX
            )
        else:
            raise OperatorError(f"rpc.listen: {url}", "is neither unix://PATH nor tcp://HOST:PORT")
        self._servers.append(server)

    def __len__(self) -> int:
        return len(self._connections)

    def addresses(self) -> list[tuple[str, int]]:
        """Return host and port of every TCP listener."""
        names = [sock.getsockname() for server in self._servers for sock in server.sockets]
        return [(name[0], name[1]) for name in names if isinstance(name, tuple)]

    def send(self, connection: int, text: bytes) -> None:
        """Send one JSON text as a line; nothing happens when the connection is gone."""
        client = self._connections.get(connection)
        if client is not None:
            client.send(text + b"\n")

    def close(self, connection: int, reason: str) -> None:
        """Close after what is written has left."""
        client = self._connections.get(connection)
        if client is not None and client.transport is not None:
            log.info("RPC client closed", connection=connection, reason=reason)
            client.transport.close()

    async def stop(self) -> None:
        """Accept nothing more, close everybody, remove our socket files."""
        for server in self._servers:
            server.close()
        for client in list(self._connections.values()):
            if client.transport is not None:
                client.transport.close()
        for path, inode in self._unix_files:
            try:
                if path.lstat().st_ino == inode:
                    path.unlink()
            except FileNotFoundError:
                continue

    def admit(self, client: RpcConnection) -> int:
        """Return the number of a new client, 0 over the cap."""
        if len(self._connections) >= self._connections_max:
            return 0
        self._number += 1
        self._connections[self._number] = client
        return self._number

    def lost(self, client: RpcConnection) -> None:
        """Forget a client and tell the API."""
        if self._connections.pop(client.number, None) is not None:
            self.pump.turn(self.pump.api.closed, client.number)
