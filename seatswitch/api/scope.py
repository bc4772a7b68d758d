"""What a method sees: the node, the connection that asks, and what that connection may see and do.

A connection has at most two grants: what its socket or token gave it, for all tenants, and the role of the
seat it is signed in at, for that seat's tenant. The higher one counts, between equals the first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from config.schema import Token
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, SeatId
from kernel.outbox import Outbox
from seatswitch.api.sessions import RANKS, Connection, Sessions
from seatswitch.api.subscriptions import Subscriptions
from seatswitch.api.switch import Switch


class Scope:
    """One request's view."""

    __slots__ = (
        "connection",
        "document",
        "node",
        "now",
        "requests",
        "role",
        "sessions",
        "shell",
        "subscriptions",
        "tenant",
        "tokens",
    )

    def __init__(
        self,
        node: Switch,
        connection: Connection,
        sessions: Sessions,
        subscriptions: Subscriptions,
        now: float,
    ) -> None:
        self.node = node
        self.connection = connection
        self.sessions = sessions
        self.subscriptions = subscriptions
        self.now = now
        self.tokens: Sequence[Token] = ()
        self.requests: Outbox[str] = Outbox()
        self.shell: dict[str, Any] = {}
        self.document: Any = None
        self.role, self.tenant = "", ""
        self.look()

    def look(self) -> None:
        """Find out what the connection may do, as it is now."""
        self.role, self.tenant = grant(self.node, self.connection)

    # Rights.

    def may(self, right: str) -> bool:
        """Say whether the connection has at least the role ``right``."""
        return RANKS[self.role] >= RANKS[right]

    def sees(self, tenant: str | None) -> bool:
        """Say whether the connection may know of what is ``tenant``'s."""
        return not self.tenant or tenant == self.tenant

    # Things by name. What belongs to another tenant does not exist.

    def own_seat(self) -> SeatId:
        """Return the seat the connection is signed in at; NOT_LOGGED_IN if there is none."""
        session = self.connection.session
        if session is None:
            raise OperationRefused("NOT_LOGGED_IN", "sign in at a seat first, or name one")
        return session.seat

    def seat(self, asked: str | None) -> SeatId:
        """Return the seat to look at: the one asked for, else the connection's own."""
        if asked is None:
            return self.own_seat()
        seat = SeatId(asked)
        known = self.node.engine.seats.get(seat)
        if known is None or not self.sees(known.settings.tenant):
            raise OperationRefused("NO_SUCH_SEAT", f"there is no seat {asked}")
        return seat

    def seat_to_act_on(self, asked: str | None) -> SeatId:
        """Return the seat to do something to: an agent's own, a supervisor's or an administrator's any."""
        seat = self.seat(asked)
        session = self.connection.session
        if not self.may("supervisor") and (session is None or session.seat != seat):
            raise OperationRefused("NO_RIGHT", "an agent acts on its own seat only")
        return seat

    def seat_to_supervise(self, asked: str) -> SeatId:
        """Return the seat a supervisor does something to: of those it leads, and never its own."""
        seat = self.seat(asked)
        session = self.connection.session
        if session is not None and session.seat == seat:
            raise OperationRefused("NO_RIGHT", "nobody supervises the own seat")
        if not self.leads(self.node.engine.queues_of(seat)):
            raise OperationRefused("NO_RIGHT", f"seat {asked} serves none of the queues this seat leads")
        return seat

    def leads(self, queues: Sequence[str]) -> bool:
        """Say whether a supervisor may act on what belongs to ``queues``; one seat may lead some alone."""
        session = self.connection.session
        if session is None or RANKS[self.connection.role] >= RANKS["supervisor"]:
            return True
        led = self.node.engine.seats[session.seat].settings.supervises
        return not led or any(queue in led for queue in queues)

    def seat_view(self, seat: SeatId) -> dict[str, Any]:
        """Return a seat object, with who supervises whom for those who may."""
        return self.node.seat_view(seat, self.now) | self.supervision(seat)

    def supervision(self, seat: str) -> dict[str, Any]:
        """Return whom ``seat`` supervises and who supervises it; nulls for an agent."""
        if self.may("supervisor"):
            return self.node.supervision_view(SeatId(seat))
        return {"supervising": None, "supervised": None}

    def may_know_of(self, view: Mapping[str, Any]) -> bool:
        """Say whether the connection may see a call object: agents do not see who listens to them."""
        return self.sees(view["tenant"]) and (not view["supervises"] or self.may("supervisor"))

    def call_view(self, asked: str) -> dict[str, Any]:
        """Return a call object; NO_SUCH_CALL if there is none that may be seen."""
        view = self.node.call_view(CallId(asked), self.now)
        if not self.may_know_of(view):
            raise OperationRefused("NO_SUCH_CALL", f"there is no call {asked}")
        return view

    def queue(self, asked: str) -> QueueName:
        """Return the name of a queue; NO_SUCH_QUEUE if there is none that may be seen."""
        name = QueueName(asked)
        known = self.node.engine.queues.get(name)
        if known is None or not self.sees(known.settings.tenant):
            raise OperationRefused("NO_SUCH_QUEUE", f"there is no queue {asked}")
        return name

    def audit(self, what: str, **fields: Any) -> None:
        """Leave a line in the log: who did what to whom."""
        self.node.log.put((what, {"by": self.who(), **fields}))

    def record(
        self,
        what: str,
        *,
        seat: SeatId | None = None,
        call: str = "",
        tenant: str = "",
        queue: str = "",
        detail: str = "",
        supervises: str = "",
    ) -> None:
        """Leave a row, an event and a line in the log of what a supervisor has done to whom; the event of one
        who listens to the seat ``supervises`` is for supervisors alone.
        """
        told = {"seat": seat, "call": call, "queue": queue, "detail": detail}
        self.audit(f"supervisor: {what}", **{name: value for name, value in told.items() if value})
        if seat is not None:
            tenant = self.node.engine.seats[seat].settings.tenant
        who = self.who()
        self.node.record(
            what,
            who,
            tenant,
            self.now,
            seat=seat or "",
            call=call,
            queue=queue,
            detail=detail,
            supervises=supervises,
        )

    def who(self) -> str:
        """Return who asks: a token's name, a seat, or a role."""
        session = self.connection.session
        return self.connection.name or (session.seat if session is not None else self.role)


def grant(node: Switch, connection: Connection) -> tuple[str, str]:
    """Return role and tenant ("" for all) of a connection."""
    session = connection.session
    seat = node.engine.seats.get(session.seat) if session is not None else None
    if seat is None or RANKS[connection.role] >= RANKS.get(seat.settings.role, 1):
        return connection.role, ""
    return seat.settings.role, seat.settings.tenant
