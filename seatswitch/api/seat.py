"""``seat.*``: what a person does at a seat. An agent acts on its own, others name one."""

from typing import Annotated, Any

from msgspec import Meta

from acd.inputs import PauseAsked, PhoneBound, ReadyAsked, WrapUpEnded, WrapUpExtended
from seatswitch.api.method import AGENT, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import Name, PhoneWanted, SeatNumber, SeatObject, Text


class ListSeats(Params, frozen=True):
    """All seats, or those that serve a queue."""

    queue: Name | None = None


class OneSeat(Params, frozen=True):
    """A seat; left out, the connection's own."""

    seat: SeatNumber | None = None


class Pause(Params, frozen=True):
    """Why: one of the tenant's pause reasons."""

    reason: Text
    seat: SeatNumber | None = None


class Bind(Params, frozen=True):
    """Which of the seat's phones shall ring."""

    phone: PhoneWanted
    seat: SeatNumber | None = None


class Extend(Params, frozen=True):
    """How much longer."""

    seconds: Annotated[float, Meta(ge=30, le=600, description="seconds")]
    seat: SeatNumber | None = None


def list_seats(scope: Scope, params: ListSeats) -> list[dict[str, Any]]:
    """Return the seats that may be seen."""
    queue = "" if params.queue is None else scope.queue(params.queue)
    views = scope.node.seats_view(scope.now, queue)
    return [view | scope.supervision(view["seat"]) for view in views if scope.sees(view["tenant"])]


def get_seat(scope: Scope, params: OneSeat) -> dict[str, Any]:
    """Return one seat."""
    return scope.seat_view(scope.seat(params.seat))


def ready(scope: Scope, params: OneSeat) -> dict[str, Any]:
    """Let calls come (置闲)."""
    seat = scope.seat_to_act_on(params.seat)
    scope.node.handle(ReadyAsked(seat), scope.now)
    return scope.seat_view(seat)


def pause(scope: Scope, params: Pause) -> dict[str, Any]:
    """Keep calls away (置忙)."""
    seat = scope.seat_to_act_on(params.seat)
    scope.node.handle(PauseAsked(seat, params.reason), scope.now)
    return scope.seat_view(seat)


def bind(scope: Scope, params: Bind) -> dict[str, Any]:
    """Bind another phone."""
    seat = scope.seat_to_act_on(params.seat)
    scope.node.handle(PhoneBound(seat, params.phone.kind, params.phone.number or ""), scope.now)
    return scope.seat_view(seat)


def end_wrap_up(scope: Scope, params: OneSeat) -> dict[str, Any]:
    """Finish wrap-up."""
    seat = scope.seat_to_act_on(params.seat)
    scope.node.handle(WrapUpEnded(seat), scope.now)
    return scope.seat_view(seat)


def extend_wrap_up(scope: Scope, params: Extend) -> dict[str, Any]:
    """Lengthen wrap-up."""
    seat = scope.seat_to_act_on(params.seat)
    scope.node.handle(WrapUpExtended(seat, params.seconds), scope.now)
    return scope.seat_view(seat)


_NAMED = ("NOT_LOGGED_IN", "NO_SUCH_SEAT")

METHODS = (
    Method(
        "seat.list",
        AGENT,
        "The seats of the tenant, or those that serve a queue.",
        ListSeats,
        list[SeatObject],
        list_seats,
        ("NO_SUCH_QUEUE",),
    ),
    Method("seat.get", AGENT, "One seat; left out, one's own.", OneSeat, SeatObject, get_seat, _NAMED),
    Method(
        "seat.ready",
        AGENT,
        "Let calls come; while busy, when the work is over.",
        OneSeat,
        SeatObject,
        ready,
        (*_NAMED, "ALREADY_READY", "FORCED_PAUSE"),
    ),
    Method(
        "seat.pause",
        AGENT,
        "Keep calls away, with a reason; while busy, when the work is over (see pending).",
        Pause,
        SeatObject,
        pause,
        (*_NAMED, "BAD_PAUSE", "FORCED_PAUSE"),
    ),
    Method(
        "seat.bind",
        AGENT,
        "Let another of the seat's phones ring.",
        Bind,
        SeatObject,
        bind,
        (*_NAMED, "STATUS_NOT_IDLE", "PHONE_NOT_REGISTERED", "PHONE_IN_USE"),
    ),
    Method(
        "seat.wrapup_end",
        AGENT,
        "Finish wrap-up early.",
        OneSeat,
        SeatObject,
        end_wrap_up,
        (*_NAMED, "BAD_STATE"),
    ),
    Method(
        "seat.wrapup_extend",
        AGENT,
        "Lengthen wrap-up by 30 to 600 s.",
        Extend,
        SeatObject,
        extend_wrap_up,
        (*_NAMED, "BAD_STATE"),
    ),
)
