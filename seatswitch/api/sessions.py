"""Connections, the seats they are signed in at, and how often a sign-in may fail.

A session is a seat's: it begins with a sign-in, survives its connection by ``SESSION_RESUME_AFTER`` and ends
with the seat's sign-out, whoever caused that. Who knows a session's secret may take it over.

Rules, checked by :meth:`Sessions.check`: a seat has at most one session, a connection has at most one, and a
session without a connection has its deadline armed.
"""

from hashlib import sha256
from hmac import compare_digest

from acd.inputs import SignedOut
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.limits import (
    FAILED_SEATS_MAX,
    FAILED_SIGN_INS_MAX,
    FAILED_SIGN_INS_WITHIN,
    SESSION_RESUME_AFTER,
)
from kernel.outbox import Outbox
from kernel.timers import Timer
from seatswitch.api.errors import Refusal
from seatswitch.api.subscriptions import Subscription
from seatswitch.api.switch import Switch

RANKS = {"": 0, "agent": 1, "supervisor": 2, "admin": 3}


class Failures:
    """Failed sign-ins of one connection or for one seat."""

    __slots__ = ("count", "since")

    def __init__(self) -> None:
        self.count = 0
        self.since = 0.0

    def check(self, now: float) -> None:
        """Refuse the right password too while there were too many wrong ones."""
        ends_at = self.since + FAILED_SIGN_INS_WITHIN
        if self.count >= FAILED_SIGN_INS_MAX and now < ends_at:
            after = round(ends_at - now, 3)
            raise Refusal(
                "TRY_LATER", f"too many failed sign-ins; try again in {after:.0f} s", retry_after=after
            )

    def note(self, now: float) -> None:
        """Count one more."""
        if now >= self.since + FAILED_SIGN_INS_WITHIN:
            self.count = 0
            self.since = now
        self.count += 1


class Session:
    """One sign-in at a seat."""

    __slots__ = ("connection", "resume", "seat", "token")

    def __init__(self, seat: SeatId, token: str) -> None:
        self.seat = seat
        self.token = token
        self.connection: Connection | None = None
        self.resume: Timer | None = None  # armed while the connection is lost


class Connection:
    """One client. ``role`` and ``name`` are what its socket or token gave it, beside any seat."""

    __slots__ = ("failures", "listens_to", "name", "number", "role", "session", "subscription")

    def __init__(self, number: int, role: str) -> None:
        self.number = number
        self.role = role
        self.name: str | None = None
        self.session: Session | None = None
        self.subscription: Subscription | None = None
        self.failures = Failures()
        self.listens_to = ""  # the file whose audio it has asked for last


class Sessions:
    """All connections and sessions of one node."""

    def __init__(self, node: Switch, notices: Outbox[tuple[Connection, str, SeatId]]) -> None:
        """``notices`` gets (connection, "kicked" or "ended", seat) when a connection loses its seat."""
        self.connections: dict[int, Connection] = {}
        self._node = node
        self._notices = notices
        self._sessions: dict[SeatId, Session] = {}
        self._by_secret: dict[
            bytes, Session
        ] = {}  # by the hash of its token: the time to find it tells nothing
        self._failures: dict[tuple[str, str], Failures] = {}

    # Connections.

    def opened(self, number: int, role: str) -> None:
        """A client has connected."""
        self.connections[number] = Connection(number, role)

    def closed(self, number: int, now: float) -> Connection | None:
        """A client is gone; its seat stays as it is until the session can no longer be resumed."""
        connection = self.connections.pop(number, None)
        if connection is not None and connection.session is not None:
            self._lose(connection.session, now)
            connection.session = None
        return connection

    # Sessions.

    def begin(self, connection: Connection, seat: SeatId, token: str) -> None:
        """Give ``connection`` the seat; the engine has accepted the session."""
        if connection.session is not None:
            self.end(connection.session)
        older = self._sessions.get(seat)
        if older is not None:
            self._detach(older, "kicked")
            self._forget(older)
        self._attach(self._remember(seat, token), connection)

    def resume(self, connection: Connection, token: str) -> Session:
        """Give ``connection`` the session called ``token``, taking it from another that still has it."""
        found = self._by_secret.get(_secret(token))
        if found is None or not compare_digest(found.token.encode(), token.encode()):
            found = None
        if found is None or not self.is_current(found):
            raise OperationRefused("NO_SESSION", "there is no such session to resume: sign in")
        if found.connection is not connection:
            if connection.session is not None:
                raise OperationRefused(
                    "BAD_STATE", f"this connection is signed in at {connection.session.seat}"
                )
            self._detach(found, "kicked")
            self._node.timers.disarm(found.resume)
            found.resume = None
            self._attach(found, connection)
        return found

    def adopt(self, now: float) -> None:
        """Take seats that were signed in before a restart as sessions whose connection is lost."""
        for name, seat in self._node.engine.seats.items():
            if seat.session and name not in self._sessions:
                self._lose(self._remember(name, seat.session), now)

    def is_current(self, session: Session) -> bool:
        """Say whether the seat still belongs to the session."""
        seat = self._node.engine.seats.get(session.seat)
        return seat is not None and seat.session == session.token

    def refresh(self, connection: Connection) -> None:
        """Take from ``connection`` a seat that was signed out or taken over behind its back."""
        session = connection.session
        if session is not None and not self.is_current(session):
            self.lost_seat(session.seat)

    def lost_seat(self, seat: SeatId) -> None:
        """Tell the connection at ``seat`` when its session is no longer the seat's."""
        session = self._sessions.get(seat)
        if session is not None and not self.is_current(session):
            self._detach(session, "ended")
            self._forget(session)

    def kicked(self, seat: SeatId, token: str) -> None:
        """The engine says that session ``token`` of ``seat`` has been replaced by a newer sign-in."""
        session = self._sessions.get(seat)
        if session is not None and session.token == token:
            self._detach(session, "kicked")
            self._forget(session)

    def end(self, session: Session) -> None:
        """Forget a session whose connection need not be told."""
        if session.connection is not None:
            session.connection.session = None
            session.connection = None
        self._forget(session)

    def resume_over(self, seat: SeatId, now: float) -> None:
        """Nobody came back: sign the seat out, or let it be signed out when its work is done."""
        session = self._sessions.get(seat)
        if session is None or session.connection is not None:
            return
        session.resume = None
        is_current = self.is_current(session)
        self._forget(session)
        if is_current:
            self._node.handle(SignedOut(seat, deferred=True, cause="connection_lost"), now)

    # Failed sign-ins.

    def seat_failures(self, hotline: str, seat: str) -> Failures:
        """Return the failures counted for a seat, whether it exists or not."""
        key = (hotline, seat)
        failures = self._failures.pop(key, None) or Failures()
        if len(self._failures) >= FAILED_SEATS_MAX:
            del self._failures[next(iter(self._failures))]
        self._failures[key] = failures
        return failures

    def forget_failures(self, hotline: str, seat: str) -> None:
        """A right password ends the count."""
        self._failures.pop((hotline, seat), None)

    def check(self) -> None:
        """Assert what must hold between turns."""
        for seat, session in self._sessions.items():
            assert session.seat == seat, f"the session of {session.seat} stands at {seat}"
            assert self._by_secret.get(_secret(session.token)) is session, f"{seat} cannot be resumed"
            assert (session.connection is None) == (session.resume is not None), (
                f"{seat} has lost its deadline"
            )
        assert len(self._by_secret) == len(self._sessions), "a session that is over could be resumed"
        for connection in self.connections.values():
            own = connection.session
            assert own is None or own.connection is connection, f"{connection.number} has another's session"
            assert own is None or self._sessions.get(own.seat) is own, (
                f"{connection.number} has a dead session"
            )

    # Inside.

    def _remember(self, seat: SeatId, token: str) -> Session:
        session = self._sessions[seat] = self._by_secret[_secret(token)] = Session(seat, token)
        return session

    def _attach(self, session: Session, connection: Connection) -> None:
        session.connection = connection
        connection.session = session

    def _detach(self, session: Session, why: str) -> None:
        connection = session.connection
        if connection is not None:
            connection.session = None
            session.connection = None
            self._notices.put((connection, why, session.seat))

    def _lose(self, session: Session, now: float) -> None:
        session.connection = None
        session.resume = self._node.timers.arm_after(
            self, f"resume {session.seat}", SESSION_RESUME_AFTER, now
        )

    def _forget(self, session: Session) -> None:
        self._node.timers.disarm(session.resume)
        session.resume = None
        if self._sessions.get(session.seat) is session:
            del self._sessions[session.seat]
            self._by_secret.pop(_secret(session.token), None)

    def on_timer(self, name: str, now: float) -> None:
        """A lost session can no longer be resumed; ``name`` is ``resume`` and the seat."""
        self.resume_over(SeatId(name.partition(" ")[2]), now)


def _secret(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
