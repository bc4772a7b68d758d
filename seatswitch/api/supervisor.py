"""``supervisor.*``: what a shift leader does to seats and calls. Every action leaves a row, an event and a
line in the log.

Who leads: a supervisor's seat leads the seats of its tenant, or those that serve a queue of its
``supervises``; tokens and operators lead all. Nobody supervises the own seat.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import Meta

from acd.inputs import (
    CallMoved,
    CallPicked,
    CallPickedUp,
    PauseAsked,
    ReadyAsked,
    SeatMoved,
    SignedOut,
    SupervisionWanted,
)
from calls.controls import ModeSwitched, SupervisionAsked, TakeoverAsked
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from seatswitch.api.method import SUPERVISOR, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import CallNumber, Done, Name, PhoneWanted, SeatNumber, SeatObject, Skill, Text

CREDIT_MAX = 86_400.0  # seconds; a day


class TheSeat(Params, frozen=True):
    """A seat that one leads."""

    seat: SeatNumber


class PickUp(Params, frozen=True):
    """A seat that one leads and at which a queue call rings, or a call that waits: one of them."""

    seat: SeatNumber | None = None
    call: CallNumber | None = None


class ForcePause(Params, frozen=True):
    """A seat that one leads, and why."""

    seat: SeatNumber
    reason: Text = ""


class Attend(Params, frozen=True):
    """A seat that one leads and that talks; the phone to listen with, if it is not the one bound to the own
    seat (who has no seat must name one, with its number); and whether to stay for the seat's next calls.
    """

    seat: SeatNumber
    phone: PhoneWanted | None = None
    follow: bool = False


class Mode(Params, frozen=True):
    """How to be in the call; the seat, for who supervises several."""

    mode: Literal["monitor", "whisper", "barge"]
    seat: SeatNumber | None = None


class Attended(Params, frozen=True):
    """A seat that one supervises; left out, the only one."""

    seat: SeatNumber | None = None


class Supervising(Params, frozen=True):
    """The id of the supervisor's own call."""

    call: str


class MoveSeat(Params, frozen=True):
    """A seat, and its queues, level and skills from now on (left out: as they are); or that all shall be as
    the configuration says.
    """

    seat: SeatNumber
    queues: list[Name] | None = None
    level: Name | None = None
    skills: dict[Name, Skill] | None = None
    reset: Annotated[bool, Meta(description="As the configuration says; the rest is not looked at")] = False


class MoveCall(Params, frozen=True):
    """A waiting call, the queue it shall wait in (left out: where it is), whether before all others, and the
    seconds of waiting it is credited with from now on (left out: as before).
    """

    call: CallNumber
    queue: Name | None = None
    first: bool = False
    credit: Annotated[float, Meta(ge=0, le=CREDIT_MAX, description="seconds")] | None = None
    lower: Annotated[bool, Meta(description="The credit may be less than the call has")] = False


def force_ready(scope: Scope, params: TheSeat) -> dict[str, Any]:
    """Lift any pause."""
    seat = scope.seat_to_supervise(params.seat)
    scope.node.handle(ReadyAsked(seat, forced=True), scope.now)
    scope.record("force_ready", seat=seat)
    return scope.seat_view(seat)


def force_pause(scope: Scope, params: ForcePause) -> dict[str, Any]:
    """Pause so that only a supervisor can lift it."""
    seat = scope.seat_to_supervise(params.seat)
    scope.node.handle(PauseAsked(seat, params.reason, forced=True), scope.now)
    scope.record("force_pause", seat=seat, detail=params.reason)
    return scope.seat_view(seat)


def force_logout(scope: Scope, params: TheSeat) -> dict[str, Any]:
    """Sign the seat out; a conversation is not cut."""
    seat = scope.seat_to_supervise(params.seat)
    scope.node.handle(SignedOut(seat, deferred=True, cause="supervisor", forced=True), scope.now)
    scope.record("force_logout", seat=seat)
    scope.sessions.lost_seat(seat)
    return scope.seat_view(seat)


def disconnect(scope: Scope, params: TheSeat) -> dict[str, Any]:
    """End a seat's conversation (强拆)."""
    seat = scope.seat_to_supervise(params.seat)
    view = scope.seat_view(seat)
    if view["activity"] != "talking" or view["call"] is None:
        raise OperationRefused("TARGET_NOT_TALKING", f"seat {seat} is {view['activity']}")
    scope.node.hang_up(CallId(view["call"]), "disconnected", scope.now)
    scope.record("disconnect", seat=seat, call=view["call"])
    return {"done": True}


def _attend(mode: str) -> Callable[[Scope, Attend], dict[str, Any]]:
    def run(scope: Scope, params: Attend) -> dict[str, Any]:
        """Ring a phone of the supervisor's, to be in the conversation of a seat."""
        node, target = scope.node, scope.seat_to_supervise(params.seat)
        own = None if scope.connection.session is None else scope.connection.session.seat
        phone = params.phone
        node.handle(SupervisionWanted(target, own, phone is not None), scope.now)
        if phone is None and own is None:
            raise OperationRefused("NOT_LOGGED_IN", "sign in at a seat first, or name a phone")
        if phone is not None and phone.number is None:
            raise OperationRefused("NO_SUCH_TARGET", f"which {phone.kind}? name its number")
        rung = None if phone is None else (phone.kind, phone.number or "")
        call = node.chance.call_id()
        asked = SupervisionAsked(call, target, scope.who(), own, rung, mode, params.follow)
        node.control(asked, scope.now)
        detail = "" if rung is None else f"{rung[0]} {rung[1]}"
        scope.record(mode, seat=target, call=call, detail=detail, supervises=target)
        return {"call": call}

    return run


def switch(scope: Scope, params: Mode) -> dict[str, Any]:
    """Listen, or speak to the seat, or to both, from now on."""
    target = _attended(scope, params.seat)
    scope.node.control(ModeSwitched(target, params.mode), scope.now)
    scope.record("switch", seat=target, detail=params.mode, supervises=target)
    return {"done": True}


def take_over(scope: Scope, params: Attended) -> dict[str, Any]:
    """Take the place of a seat (接管)."""
    target = _attended(scope, params.seat)
    call = scope.seat_view(target)["call"] or ""
    scope.node.control(TakeoverAsked(target), scope.now)
    scope.record("takeover", seat=target, call=call, supervises=target)
    return {"done": True}


def _attended(scope: Scope, asked: str | None) -> SeatId:
    """Return the seat that is supervised by who asks; NOT_ATTACHED if there is none, or another does."""
    mine = scope.node.supervised_by(scope.who())
    if asked is not None:
        seat = scope.seat_to_supervise(asked)
        if seat in mine:
            return seat
    elif len(mine) == 1:
        return mine[0]
    elif mine:
        raise OperationRefused("NOT_ATTACHED", f"which seat? {', '.join(mine)} are supervised")
    raise OperationRefused("NOT_ATTACHED", f"{scope.who()} does not supervise {asked or 'any seat'}")


def pick_up(scope: Scope, params: PickUp) -> dict[str, Any]:
    """Let what rings at a seat, or a call that waits, ring at the own phone (抢线)."""
    if (params.seat is None) == (params.call is None):
        raise OperationRefused("NO_SUCH_TARGET", "name the seat that rings, or the call that waits")
    if params.seat is None:
        return _pick(scope, params.call or "")
    seat = scope.seat_to_supervise(params.seat)
    own = scope.own_seat()
    call = scope.seat_view(seat)["call"] or ""
    scope.node.handle(CallPickedUp(seat, own), scope.now)
    scope.record("pickup", seat=seat, call=call)
    return {"done": True}


def _pick(scope: Scope, asked: str) -> dict[str, Any]:
    own, view = scope.own_seat(), scope.call_view(asked)
    if not scope.leads([view["queue"] or ""]):
        raise OperationRefused("NO_RIGHT", f"call {asked} waits in no queue that this seat leads")
    call, queue = view["call"], view["queue"] or ""
    scope.node.handle(CallPicked(CallId(call), own, leads=True), scope.now)
    scope.record("pickup", call=call, tenant=view["tenant"], queue=queue)
    return {"done": True}


def move_seat(scope: Scope, params: MoveSeat) -> dict[str, Any]:
    """Let a seat serve other queues."""
    seat = scope.seat_to_supervise(params.seat)
    queues = None if params.queues is None else tuple(params.queues)
    skills = None if params.skills is None else tuple(sorted(params.skills.items()))
    moved = SeatMoved(seat, queues, params.level, skills, scope.who(), params.reset)
    scope.node.handle(moved, scope.now)
    scope.record("move_seat", seat=seat, detail=_where(params))
    return scope.seat_view(seat)


def _where(params: MoveSeat) -> str:
    """Return in words where a seat is moved to."""
    if params.reset:
        return "as the configuration says"
    level = f"at level {params.level}" if params.level else ""
    skills = ", ".join(f"{name}={value}" for name, value in sorted((params.skills or {}).items()))
    having = "" if params.skills is None else f"with {skills or 'no skills'}"
    return " ".join(word for word in (", ".join(params.queues or ()), level, having) if word)


def move_call(scope: Scope, params: MoveCall) -> dict[str, Any]:
    """Let a waiting call wait elsewhere, first, or with another credit."""
    view = scope.call_view(params.call)
    if not scope.leads([view["queue"] or ""]):
        raise OperationRefused("NO_RIGHT", f"call {params.call} waits in no queue that this seat leads")
    moved = CallMoved(CallId(view["call"]), params.queue, params.first, params.credit, params.lower)
    scope.node.handle(moved, scope.now)
    said = (params.first and "first", params.credit is not None and f"credit {params.credit:g} s")
    detail = ", ".join(word for word in said if word)
    scope.record(
        "move_call", call=view["call"], tenant=view["tenant"], queue=params.queue or "", detail=detail
    )
    return {"done": True}


_SEAT = ("NO_SUCH_SEAT", "NOT_LOGGED_IN")
_LISTEN = (
    "NO_SUCH_SEAT",
    "TARGET_NOT_TALKING",
    "TARGET_BUSY",
    "NOT_LOGGED_IN",
    "STATUS_NOT_IDLE",
    "PHONE_NOT_REGISTERED",
    "PHONE_IN_USE",
    "NO_SUCH_TARGET",
    "CALL_RIGHT",
)
_THERE = ("NO_SUCH_SEAT", "NOT_ATTACHED")

METHODS = (
    Method(
        "supervisor.monitor",
        SUPERVISOR,
        "Listen to a seat's conversation: one's own phone rings, and hears both sides. It stays with the "
        "seat through hold, consultation and transfer, until the seat talks no more; with follow, for its "
        "next calls, too. A seat is supervised by one at a time.",
        Attend,
        Supervising,
        _attend("monitor"),
        _LISTEN,
    ),
    Method(
        "supervisor.whisper",
        SUPERVISOR,
        "As monitor, and the seat alone hears what one says.",
        Attend,
        Supervising,
        _attend("whisper"),
        _LISTEN,
    ),
    Method(
        "supervisor.barge",
        SUPERVISOR,
        "As monitor, and both sides hear what one says.",
        Attend,
        Supervising,
        _attend("barge"),
        _LISTEN,
    ),
    Method(
        "supervisor.takeover",
        SUPERVISOR,
        "Take the place of the seat that one supervises: its call goes on with oneself, and it wraps up.",
        Attended,
        Done,
        take_over,
        (*_THERE, "BAD_STATE"),
    ),
    Method(
        "supervisor.disconnect",
        SUPERVISOR,
        "End the conversation of a seat; its verdict is success:disconnected.",
        TheSeat,
        Done,
        disconnect,
        ("NO_SUCH_SEAT", "TARGET_NOT_TALKING"),
    ),
    Method(
        "supervisor.pickup",
        SUPERVISOR,
        "Let the queue call that rings at a seat, or a call that waits, ring at one's own phone instead; "
        "one's own seat must be signed in and idle, ready or not.",
        PickUp,
        Done,
        pick_up,
        (
            "NO_SUCH_SEAT",
            "NO_SUCH_CALL",
            "NO_SUCH_TARGET",
            "NOT_LOGGED_IN",
            "NOT_RINGING",
            "BAD_STATE",
            "STATUS_NOT_IDLE",
        ),
    ),
    Method(
        "supervisor.switch",
        SUPERVISOR,
        "Change how one is in the conversation, without ringing anew.",
        Mode,
        Done,
        switch,
        _THERE,
    ),
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
    Method(
        "supervisor.move_seat",
        SUPERVISOR,
        "Let a seat serve other queues, or work at another level or with other skills, at once; its call, "
        "presence and sign-in stay. It outlives a reload and a restart, until reset says so, until the "
        "configuration says something else of the seat's queues, level or skills than it did, or until a "
        "queue or the level it was moved to is gone.",
        MoveSeat,
        SeatObject,
        move_seat,
        ("NO_SUCH_SEAT", "NO_SUCH_QUEUE", "NO_SUCH_TARGET", "NOT_IN_QUEUE"),
    ),
    Method(
        "supervisor.move_call",
        SUPERVISOR,
        "Let a waiting call wait in another queue, before all others, or with another credit, at once. It "
        "keeps the time it has waited and, where nothing is said of it, its credit; one that is less than "
        "it has is refused (BAD_STATE) but with lower. Its visit to a queue it leaves ends as overflowed, "
        "cause moved.",
        MoveCall,
        Done,
        move_call,
        ("NO_SUCH_CALL", "NO_SUCH_QUEUE", "BAD_STATE", "TARGET_BUSY"),
    ),
)
