"""The face of the JSON-RPC side: connections in, JSON texts out.

Rights are checked before parameters, parameters before anything is done. A refusal closes nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from config.schema import Token
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.limits import RPC_LINE_MAX, STRANGER_LINE_MAX
from kernel.outbox import Outbox
from seatswitch.api.audio import Found, Wanted
from seatswitch.api.dispatch import Later, Reply, answer, decode_params, no_such_method
from seatswitch.api.methods import METHODS
from seatswitch.api.openrpc import build_document
from seatswitch.api.scope import Scope, grant
from seatswitch.api.sessions import Connection, Sessions
from seatswitch.api.subscriptions import Subscriptions
from seatswitch.api.switch import Switch

_HTTP = (b" HTTP/1.1", b" HTTP/1.0")  # how a request line of HTTP ends, and no JSON text


class Api:
    """The JSON-RPC side of one node."""

    def __init__(self, node: Switch, tokens: Sequence[Token]) -> None:
        self.replies: Outbox[tuple[int, bytes]] = Outbox()  # (connection, one JSON text)
        self.closes: Outbox[tuple[int, str]] = Outbox()  # (connection, reason)
        self.requests: Outbox[str] = Outbox()  # of the shell: "reload", "drain"
        self.shell_snapshot: Callable[[], dict[str, object]] | None = None  # set by the shell
        self.reads: Outbox[tuple[int, Wanted]] = Outbox()  # pieces of files; audio_read answers each
        self._node = node
        self._tokens = tokens
        self._first_settings = node.settings
        self._notices: Outbox[tuple[Connection, str, SeatId]] = Outbox()
        self._sessions = Sessions(node, self._notices)
        self._subscriptions = Subscriptions(node, self.replies)
        self._decoders = {name: msgspec.json.Decoder(method.params) for name, method in METHODS.items()}
        self._unread: dict[int, tuple[int, Reply, Later]] = {}  # by number: the connection, what waits for it
        self._read_count = 0
        self._document: msgspec.Raw | None = None
        self._has_adopted = False

    def opened(self, connection: int, role: str, now: float) -> None:
        """A client has connected; ``role`` is what its socket gives it ("" nothing)."""
        if not self._has_adopted:
            # Sockets open after the state of before the restart has been restored.
            self.adopt(now)
        self._sessions.opened(connection, role)

    def adopt(self, now: float) -> None:
        """Let seats restored after a restart be resumed, as if their connections had been lost now."""
        self._has_adopted = True
        self._sessions.adopt(now)

    def received(self, connection: int, text: bytes, now: float) -> None:
        """Take one JSON text: a request, a notification or a batch."""
        client = self._sessions.connections.get(connection)
        if client is None:
            return
        if text.rstrip().endswith(_HTTP):
            # A browser that a foreign page sent here: its next lines would be the page's requests.
            self.closed(connection, now)
            self.closes.put((connection, "HTTP on a JSON-RPC socket"))
            return
        length_max = RPC_LINE_MAX if grant(self._node, client)[0] else STRANGER_LINE_MAX
        reply = answer(text, lambda method, params: self._call(client, method, params, now), length_max)
        for _, _, later in reply.waiting:
            self._read_count += 1
            self._unread[self._read_count] = (connection, reply, later)
            self.reads.put((self._read_count, later.wants))
        if reply.text is not None:
            self.replies.put((connection, reply.text))
        if client.subscription is not None and client.subscription.missed:
            self._subscriptions.send_missed(client.subscription)
        self.flush(now)
        self._silence(client, now)
        if reply.bug is not None:
            raise reply.bug

    def audio_read(self, number: int, found: Found, now: float) -> None:
        """The shell has read a piece of a file, or could not; whoever has asked may be gone."""
        unread = self._unread.pop(number, None)
        if unread is None:
            return
        connection, reply, later = unread
        reply.come(later, found, now)
        if reply.text is not None:
            self.replies.put((connection, reply.text))
        self.flush(now)
        if reply.bug is not None:
            raise reply.bug

    def closed(self, connection: int, now: float) -> None:
        """A client is gone."""
        for number in [number for number, unread in self._unread.items() if unread[0] == connection]:
            del self._unread[number]
        client = self._sessions.closed(connection, now)
        if client is not None and client.subscription is not None:
            self._subscriptions.remove(client.subscription, now)
            client.subscription = None

    def flush(self, now: float) -> None:
        """Forward what has happened to those who listen, and tell who has lost a seat by it."""
        entries = self._node.news.fresh.take()
        self._subscriptions.forward(entries)
        for entry in entries:
            if entry[2] == "seat":
                self._sessions.lost_seat(entry[3]["seat"])
        self._tell_losses(now)

    def check(self) -> None:
        """Assert what must hold between turns."""
        self._sessions.check()
        self._subscriptions.check()

    def _call(self, client: Connection, name: str, params: bytes, now: float) -> Any:
        method = METHODS.get(name)
        if method is None:
            raise no_such_method(name)
        self._sessions.refresh(client)
        scope = Scope(self._node, client, self._sessions, self._subscriptions, now)
        if not scope.may(method.right):
            needed = "sign in or present a token" if not scope.role else f"{method.right} may"
            raise OperationRefused("NO_RIGHT", f"{name}: {needed}")
        if method.run is None:
            raise OperationRefused("NOT_AVAILABLE", f"{name} is not built yet")
        settings = self._node.settings
        scope.tokens = self._tokens if settings is self._first_settings else settings.rpc.tokens
        scope.requests = self.requests
        if name == "rpc.discover":
            scope.document = self._discover()
        elif name == "admin.status" and self.shell_snapshot is not None:
            scope.shell = self.shell_snapshot()
        decoded = decode_params(self._decoders[name], params)
        try:
            return method.run(scope, decoded)
        finally:
            for seat, token in self._node.kicked.take():
                self._sessions.kicked(seat, token)

    def _discover(self) -> msgspec.Raw:
        if self._document is None:
            self._document = msgspec.Raw(msgspec.json.encode(build_document(METHODS)))
        return self._document

    def _tell_losses(self, now: float) -> None:
        """Tell connections that have lost their seat, behind the events that say how."""
        for client, why, seat in self._notices.take():
            notice = {"jsonrpc": "2.0", "method": f"session.{why}", "params": {"seat": seat}}
            self.replies.put((client.number, msgspec.json.encode(notice)))
            self._silence(client, now)

    def _silence(self, client: Connection, now: float) -> None:
        """End the subscription of a connection that is nobody any more."""
        if client.subscription is not None and not grant(self._node, client)[0]:
            self._subscriptions.remove(client.subscription, now)
            client.subscription = None
