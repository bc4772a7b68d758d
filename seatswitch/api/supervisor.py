"""``supervisor.*``: what a shift leader does to seats and calls of the tenant. Every action is logged."""

from typing import Any, Literal

from acd.inputs import PauseAsked, ReadyAsked, SignedOut
from seatswitch.api.method import SUPERVISOR, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import CallNumber, Done, Name, SeatNumber, SeatObject, Text


class TheSeat(Params, frozen=True):
    """A seat of the tenant."""

    seat: SeatNumber


class ForcePause(Params, frozen=True):
    """A seat of the tenant, and why."""

    seat: SeatNumber
    reason: Text = ""


class Mode(Params, frozen=True):
    """How to be in the call."""

    mode: Literal["monitor", "whisper", "barge"]


class MoveSeat(Params, frozen=True):
    """A seat and the queues it shall serve."""

    seat: SeatNumber
    queues: list[Name]


class MoveCall(Params, frozen=True):
    """A waiting call and the queue it shall wait in."""

    call: CallNumber
    queue: Name


def force_ready(scope: Scope, params: TheSeat) -> dict[str, Any]:
    """Lift any pause."""
    seat = scope.seat(params.seat)
    scope.node.handle(ReadyAsked(seat, forced=True), scope.now)
    scope.audit("seat forced to ready", seat=seat)
    return scope.seat_view(seat)


def force_pause(scope: Scope, params: ForcePause) -> dict[str, Any]:
    """Pause so that only a supervisor can lift it."""
    seat = scope.seat(params.seat)
    scope.node.handle(PauseAsked(seat, params.reason, forced=True), scope.now)
    scope.audit("seat forced to pause", seat=seat, reason=params.reason)
    return scope.seat_view(seat)


def force_logout(scope: Scope, params: TheSeat) -> dict[str, Any]:
    """Sign the seat out; a conversation is not cut."""
    seat = scope.seat(params.seat)
    scope.node.handle(SignedOut(seat, deferred=True, cause="supervisor", forced=True), scope.now)
    scope.audit("seat forced to sign out", seat=seat)
    scope.sessions.lost_seat(seat)
    return scope.seat_view(seat)


_SEAT = ("NO_SUCH_SEAT", "NOT_LOGGED_IN")
_LISTEN = ("NO_SUCH_SEAT", "TARGET_NOT_TALKING", "STATUS_NOT_IDLE")

METHODS = (
    Method("supervisor.monitor", SUPERVISOR, "Listen to a seat's call.", TheSeat, Done, words=_LISTEN),
    Method(
        "supervisor.whisper", SUPERVISOR, "Speak so that only the seat hears.", TheSeat, Done, words=_LISTEN
    ),
    Method("supervisor.barge", SUPERVISOR, "Speak so that both hear.", TheSeat, Done, words=_LISTEN),
    Method(
        "supervisor.takeover", SUPERVISOR, "Take the seat's place.", TheSeat, Done, words=("NOT_ATTACHED",)
    ),
    Method("supervisor.disconnect", SUPERVISOR, "End a seat's call.", TheSeat, Done, words=_LISTEN),
    Method(
        "supervisor.pickup", SUPERVISOR, "Answer what rings at a seat.", TheSeat, Done, words=("NOT_RINGING",)
    ),
    Method("supervisor.switch", SUPERVISOR, "Change how to be there.", Mode, Done, words=("NOT_ATTACHED",)),
    Method(
        "supervisor.force_ready",
        SUPERVISOR,
        "Let calls come to a seat, whoever paused it.",
        TheSeat,
        SeatObject,
        force_ready,
        (*_SEAT, "ALREADY_READY"),
    ),
    Method(
        "supervisor.force_pause",
        SUPERVISOR,
        "Pause a seat so that only a supervisor can lift it; while it talks, when its work is over.",
        ForcePause,
        SeatObject,
        force_pause,
        _SEAT,
    ),
    Method(
        "supervisor.force_logout",
        SUPERVISOR,
        "Sign a seat out; while it talks, when its work is over. A ringing call goes back to its queue.",
        TheSeat,
        SeatObject,
        force_logout,
        _SEAT,
    ),
    Method("supervisor.move_seat", SUPERVISOR, "Change a seat's queues.", MoveSeat, SeatObject, words=_SEAT),
    Method(
        "supervisor.move_call",
        SUPERVISOR,
        "Move a waiting call.",
        MoveCall,
        Done,
        words=("NO_SUCH_CALL", "NO_SUCH_QUEUE"),
    ),
)
