"""``*.statistics``: counters and figures of a queue, a seat, a level or a tenant."""

from typing import Any

import msgspec

from acd.figures import Span
from kernel.errors import OperationRefused
from seatswitch.api.method import AGENT, SUPERVISOR, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import GroupStatistics, Moment, Name, QueueStatistics, SeatNumber, SeatStatistics


class Between(Params, frozen=True):
    """A time: whole quarters of an hour that begin in ``from <= t < to``; left out, all that was counted."""

    begin: Moment | None = msgspec.field(name="from", default=None)
    end: Moment | None = msgspec.field(name="to", default=None)
    by_interval: bool = False

    def span(self) -> Span:
        """Return the time in epoch seconds."""
        begin = None if self.begin is None else self.begin.timestamp()
        end = None if self.end is None else self.end.timestamp()
        return Span(begin, end, by_interval=self.by_interval)


class OfQueue(Between, frozen=True, kw_only=True):
    """A queue and a time."""

    queue: Name


class OfSeat(Between, frozen=True, kw_only=True):
    """A seat (left out, one's own) and a time."""

    seat: SeatNumber | None = None


class OfLevel(Between, frozen=True, kw_only=True):
    """A level and a time."""

    level: Name


class OfTenant(Between, frozen=True, kw_only=True):
    """A tenant (left out, one's own) and a time."""

    tenant: Name | None = None


def of_queue(scope: Scope, params: OfQueue) -> dict[str, Any]:
    """Return what callers of a queue found."""
    return scope.node.engine.figures.queue(scope.queue(params.queue), params.span(), scope.now)


def of_seat(scope: Scope, params: OfSeat) -> dict[str, Any]:
    """Return what a seat did."""
    return scope.node.engine.figures.seat(scope.seat_to_act_on(params.seat), params.span(), scope.now)


def of_level(scope: Scope, params: OfLevel) -> dict[str, Any]:
    """Return what callers of a level found and what its seats did."""
    for rank, level in enumerate(scope.node.engine.settings.levels):
        if level.name == params.level:
            return scope.node.engine.figures.level(rank, scope.tenant, params.span(), scope.now)
    raise OperationRefused("NO_SUCH_LEVEL", f"there is no level {params.level}")


def of_tenant(scope: Scope, params: OfTenant) -> dict[str, Any]:
    """Return what callers of a tenant found and what its seats did."""
    names = [tenant.name for tenant in scope.node.engine.settings.tenants if scope.sees(tenant.name)]
    asked = params.tenant or (names[0] if len(names) == 1 else "")
    if asked not in names:
        raise OperationRefused("NO_SUCH_TENANT", f"there is no tenant {asked}" if asked else "name a tenant")
    return scope.node.engine.figures.tenant(asked, params.span(), scope.now)


_TIME = (
    "In all since counting began (restarts do not matter), or the quarters of an hour between two moments, "
    "summed or, with by_interval, one by one as well."
)

METHODS = (
    Method(
        "queue.statistics",
        AGENT,
        f"What callers of a queue found, and who waits now. {_TIME} Seven days are kept; older ones are in "
        "the table queue_intervals.",
        OfQueue,
        QueueStatistics,
        of_queue,
        ("NO_SUCH_QUEUE",),
    ),
    Method(
        "seat.statistics",
        AGENT,
        f"What a seat did: offers, conversations, time in each state. {_TIME} One day is kept; older ones "
        "are in the table seat_intervals.",
        OfSeat,
        SeatStatistics,
        of_seat,
        ("NO_SUCH_SEAT", "NOT_LOGGED_IN"),
    ),
    Method(
        "level.statistics",
        SUPERVISOR,
        f"What callers of the queues that start at a level found, and what its seats did. {_TIME}",
        OfLevel,
        GroupStatistics,
        of_level,
        ("NO_SUCH_LEVEL",),
    ),
    Method(
        "tenant.statistics",
        SUPERVISOR,
        f"What callers of a tenant found, and what its seats did. {_TIME}",
        OfTenant,
        GroupStatistics,
        of_tenant,
        ("NO_SUCH_TENANT",),
    ),
)
