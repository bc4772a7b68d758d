"""Admission: whether there is room for a call that arrives, and whether it is wanted."""

from typing import TYPE_CHECKING, Protocol

from calls.call import Call
from calls.routing import Refusal, Route
from kernel.ids import CallId, SeatId

if TYPE_CHECKING:
    from calls.switchboard import Switchboard


class BarredCallers(Protocol):
    """Who knows which callers are kept off a tenant's numbers."""

    def bars(self, tenant: str, caller: str, now: float) -> bool:
        """Return whether ``caller`` is kept off all of ``tenant``'s numbers."""


class PhoneBook(BarredCallers, Protocol):
    """What call control may ask distribution about seats, their phones and callers."""

    def position(self, call: CallId, now: float) -> int | None:
        """Return the place of a waiting call in its queue, from 1."""

    def estimate(self, call: CallId, now: float) -> tuple[float, float] | None:
        """Return how long a waiting call is likely to wait from now on, (low, high) seconds; None: unknown.
        """

    def is_open(self, hours: str, now: float) -> bool:
        """Return whether a calendar is open; one that there is not is closed."""

    def is_listed(self, tenant: str, name: str, caller: str, now: float) -> bool:
        """Return whether ``caller`` is on a list of ``tenant``; on one that there is not nobody is."""

    def seat_of(self, kind: str, number: str) -> SeatId | None:
        """Return the seat that this phone is bound to."""

    def phone_of(self, seat: SeatId) -> tuple[str, str] | None:
        """Return the kind and number of the phone bound to ``seat``, or None while nobody is signed in."""


def admit(
    board: "Switchboard", callers: BarredCallers, call: Call, route: Route | Refusal, now: float
) -> tuple[int, str]:
    """Return (0, "") or the status and verdict of a refusal; an admitted call is counted at its trunk."""
    if isinstance(route, Refusal):
        return route.status, route.verdict
    settings = board.plan.settings
    if len(board.calls) >= settings.calls_max:
        return 503, "us:calls_max"
    # What leads to a queue is looked at there, by its own lists too.
    if route.trunk and route.queue is None and callers.bars(route.tenant, route.caller, now):
        return settings.release_status("barred", route.tenant), "us:barred"
    if route.phone is not None and board.is_busy(route.phone):
        return 486, "agent:busy"
    if route.trunk:
        refusal = board.gate.admit(board.plan.trunks[route.trunk], now)
        if refusal:
            return 503, refusal
        call.trunk = route.trunk
    return 0, ""
