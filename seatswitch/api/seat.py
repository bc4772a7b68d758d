"""``seat.*``: what a person does at a seat. An agent acts on its own, others name one."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from acd.inputs import (
    AfterCallSet,
    PauseAsked,
    PhoneBound,
    QueuesPaused,
    QueuesReady,
    ReadyAsked,
    WrapUpEnded,
    WrapUpExtended,
)
from seatswitch.api.method import AGENT, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import Name, PhoneWanted, SeatNumber, SeatObject, Text


class ListSeats(Params, frozen=True):
    """All seats, or those that serve a queue."""

    queue: Name | None = None


class OneSeat(Params, frozen=True):
    """A seat; left out, the connection's own."""

    seat: SeatNumber | None = None


Queues = Annotated[list[Name], Meta(min_length=1, description="These only, of those the seat serves")]


class Ready(Params, frozen=True):
    """A seat (left out: the connection's own), as a whole, or in some queues that it has paused in."""

    seat: SeatNumber | None = None
    queues: Queues | None = None


class Pause(Params, frozen=True):
    """Why: one of the tenant's pause reasons; and in which queues, where not in all."""

    reason: Text
    seat: SeatNumber | None = None
    queues: Queues | None = None


class AfterCall(Params, frozen=True):
    """What is to follow each queue call and its wrap-up."""

    mode: Literal["ready", "pause"]
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


def ready(scope: Scope, params: Ready) -> dict[str, Any]:
    """Let calls come (置闲)."""
    seat = scope.seat_to_act_on(params.seat)
    queues = params.queues
    scope.node.handle(ReadyAsked(seat) if queues is None else QueuesReady(seat, tuple(queues)), scope.now)
    return scope.seat_view(seat)


def after_call(scope: Scope, params: AfterCall) -> dict[str, Any]:
    """Say what follows each call."""
    seat = scope.seat_to_act_on(params.seat)
    scope.node.handle(AfterCallSet(seat, params.mode), scope.now)
    return scope.seat_view(seat)


def pause(scope: Scope, params: Pause) -> dict[str, Any]:
    """Keep calls away (置忙)."""
    seat = scope.seat_to_act_on(params.seat)
    queues = params.queues
    if queues is None:
        scope.node.handle(PauseAsked(seat, params.reason), scope.now)
    else:
        scope.node.handle(QueuesPaused(seat, tuple(queues), params.reason), scope.now)
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
        "Let calls come; while busy, when the work is over. With queues: of these again, which it has paused "
        "in, and nothing else changes.",
        Ready,
        SeatObject,
        ready,
        (*_NAMED, "ALREADY_READY", "FORCED_PAUSE", "NOT_IN_QUEUE"),
    ),
    Method(
        "seat.pause",
        AGENT,
        "Keep calls away, with a reason; while busy, when the work is over (see pending). With queues: those "
        "of these alone, at once and until seat.ready with them or the sign-out; there it is as if the seat "
        "had left, and what rings rings on.",
        Pause,
        SeatObject,
        pause,
        (*_NAMED, "BAD_PAUSE", "FORCED_PAUSE", "NOT_IN_QUEUE"),
    ),
    Method(
        "seat.after_call",
        AGENT,
        "Be ready, or paused (reason after_call), when a queue call and its wrap-up are over; during a call "
        "it counts for this one already. Until the sign-out.",
        AfterCall,
        SeatObject,
        after_call,
        _NAMED,
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
