"""``callback.*``: who is to be called back, and from which place in which queue."""

from math import inf
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acd.inputs import CallbackBooked, CallbackCancelled, CallbackChosen, FollowupClosed
from kernel.errors import OperationRefused
from kernel.ids import CallId
from seatswitch.api.method import AGENT, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import CallNumber, Done, Instant, Moment, Name, Number, SeatNumber
from seatswitch.api.switch import Callback

SEAT_WAIT_MAX = 31 * 86_400.0  # seconds
WEEK = 7 * 86_400.0  # seconds


class ListCallbacks(Params, frozen=True):
    """All open callbacks, or those of a queue."""

    queue: Name | None = None


class Book(Params, frozen=True):
    """Whom to call back, from which queue, when (at once, if left out), and which number to show.

    With ``seat`` that one alone may have it, whenever it is there, for ``seat_wait`` seconds from ``at`` on;
    without ``seat_wait`` for as long as the callback lasts.

    With ``class`` (urgent, complaint, general, or one of the configuration) it is a follow-up: it has a
    deadline, does not lapse, and is escalated when it is late.
    """

    number: Number
    queue: Name
    at: Moment | None = None
    display: Number | None = None
    followup: Name | None = msgspec.field(name="class", default=None)
    seat: SeatNumber | None = None
    seat_wait: Annotated[float, Meta(ge=0, le=SEAT_WAIT_MAX, description="seconds")] | None = None


class Choose(Params, frozen=True):
    """A waiting caller; ``number`` where it is to be called at another one than it calls from."""

    call: CallNumber
    number: Number | None = None


class OneCallback(Params, frozen=True):
    """A callback by its id."""

    callback: Name


class CloseFollowup(Params, frozen=True):
    """A follow-up whose customer cannot be reached, and what the department has said."""

    callback: Name
    note: Annotated[str, Meta(min_length=1, max_length=1000)]


class During(Params, frozen=True):
    """A time, ``from <= t < to``; left out, the last seven days."""

    begin: Moment | None = msgspec.field(name="from", default=None)
    end: Moment | None = msgspec.field(name="to", default=None)


class FollowupCounts(msgspec.Struct, frozen=True):
    """What became of the follow-ups of one class; ``open`` and ``overdue`` are of now."""

    tenant: str
    followup: str = msgspec.field(name="class")
    accepted: Annotated[int, Meta(description="受理: booked in that time")]
    escalated: Annotated[int, Meta(description="督办: late in that time")]
    returned: Annotated[int, Meta(description="回访: the customer was reached")]
    on_time: Annotated[int, Meta(description="of those returned, by their deadline")]
    closed: Annotated[int, Meta(description="反馈: closed with what the department has said")]
    exhausted: Annotated[int, Meta(description="ended after the most attempts in vain")]
    cancelled: int
    open: int
    overdue: int


class CallbackObject(msgspec.Struct, frozen=True):
    """Who is to be called back, everywhere."""

    callback: str
    tenant: str
    queue: str
    number: str
    state: Literal["scheduled", "waiting", "dialling", "ended"]
    outcome: Annotated[
        Literal["answered", "cancelled", "expired", "exhausted", "merged", "closed"] | None,
        Meta(description="merged: the customer rang in itself"),
    ]
    booked_by: Annotated[str, Meta(description="caller, why its queue let it go, or who booked it")]
    booked_at: Instant
    joined_at: Annotated[str, Meta(description="Its place in the queue is that of a caller who joined then")]
    due_at: Instant
    expires_at: Instant
    attempts: int
    attempts_max: int
    last_outcome: Literal["answered", "no_answer", "busy", "failed", "cancelled"] | None
    position: int | None
    seat: Annotated[str | None, Meta(description="That has dialled it last")]
    for_seat: Annotated[str | None, Meta(description="It waits for this one")]
    seat_until: Annotated[str | None, Meta(description="And then for anybody; null: for that one for ever")]
    call: str | None
    followup: Annotated[str | None, Meta(description="Of a follow-up")] = msgspec.field(name="class")
    deadline: Instant | None
    overdue: bool
    escalated_at: Instant | None


def list_callbacks(scope: Scope, params: ListCallbacks) -> list[dict[str, Any]]:
    """Return the open callbacks that may be seen, in the order of their places."""
    queue = None if params.queue is None else scope.queue(params.queue)
    return [
        view
        for view in scope.node.engine.callbacks.views(scope.now)
        if scope.sees(view["tenant"]) and queue in (None, view["queue"])
    ]


def book(scope: Scope, params: Book) -> dict[str, Any]:
    """Promise a customer a call."""
    node = scope.node
    queue = scope.queue(params.queue)
    tenant = node.engine.queues[queue].settings.tenant
    hotlines = [hotline.number for hotline in node.settings.calls.hotlines if hotline.tenant == tenant]
    if params.display is not None and params.display not in hotlines:
        raise OperationRefused("BAD_DISPLAY_NUMBER", f"{params.display} is none of tenant {tenant}'s numbers")
    at = None if params.at is None else node.walltime.monotonic(params.at.timestamp())
    callback = node.chance.call_id()
    booked = CallbackBooked(
        callback,
        queue,
        params.number,
        at,
        params.display or "",
        scope.who(),
        (),
        params.followup or "",
        params.seat or "",
        params.seat_wait,
    )
    node.handle(booked, scope.now)
    scope.audit("callback booked", callback=callback, queue=queue, number=params.number)
    return node.engine.callbacks.view_of(callback, scope.now)


def choose(scope: Scope, params: Choose) -> dict[str, Any]:
    """Let a waiting caller go home with its place kept."""
    view = scope.call_view(params.call)
    scope.node.handle(CallbackChosen(CallId(view["call"]), params.number or ""), scope.now)
    return scope.node.engine.callbacks.view_of(view["call"], scope.now)


def _known(scope: Scope, callback: str) -> Callback:
    known = scope.node.engine.callbacks.get(callback)
    if known is None or not scope.sees(known.tenant):
        raise OperationRefused("NO_SUCH_CALLBACK", f"there is no open callback {callback}")
    return known


def close(scope: Scope, params: CloseFollowup) -> dict[str, Any]:
    """End a follow-up with the department's word."""
    known = _known(scope, params.callback)
    forced = scope.may("supervisor")
    scope.node.handle(FollowupClosed(params.callback, params.note, forced), scope.now)
    scope.audit("follow-up closed", callback=params.callback, number=known.number, note=params.note)
    return {"done": True}


def followups(scope: Scope, params: During) -> list[dict[str, Any]]:
    """Return what became of follow-ups, by class."""
    end = inf if params.end is None else params.end.timestamp()
    last = min(end, scope.node.walltime.epoch(scope.now))
    begin = last - WEEK if params.begin is None else params.begin.timestamp()
    counted = scope.node.engine.callbacks.followups.counts(begin, end, scope.now)
    return [each for each in counted if scope.sees(each["tenant"])]


def cancel(scope: Scope, params: OneCallback) -> dict[str, Any]:
    """Take the promise back."""
    known = _known(scope, params.callback)
    if known.followup and not scope.may("supervisor"):
        raise OperationRefused("NO_RIGHT", "a follow-up is owed: only a supervisor may cancel it")
    scope.node.handle(CallbackCancelled(params.callback), scope.now)
    scope.audit("callback cancelled", callback=params.callback, number=known.number)
    return {"done": True}


_BOOKING = ("BAD_NUMBER", "ALREADY_BOOKED", "CALLBACKS_FULL")

METHODS = (
    Method(
        "callback.list",
        AGENT,
        "The open callbacks of the tenant, or of a queue, in the order in which they will be made.",
        ListCallbacks,
        list[CallbackObject],
        list_callbacks,
        ("NO_SUCH_QUEUE",),
    ),
    Method(
        "callback.book",
        AGENT,
        "Promise a customer a call: at once, which stands in the queue from now on, or not before a moment, "
        "which is its place then. The seat is rung first.",
        Book,
        CallbackObject,
        book,
        ("NO_SUCH_QUEUE", *_BOOKING, "BAD_DISPLAY_NUMBER", "NO_SUCH_CLASS", "NO_SUCH_SEAT", "NOT_IN_QUEUE"),
    ),
    Method(
        "callback.choose",
        AGENT,
        "Let a waiting caller hang up and keep its place; it is called back when its turn comes.",
        Choose,
        CallbackObject,
        choose,
        ("NO_SUCH_CALL", *_BOOKING),
    ),
    Method(
        "callback.cancel",
        AGENT,
        "Take a promise back; not while the customer is being rung. A follow-up only by a supervisor.",
        OneCallback,
        Done,
        cancel,
        ("NO_SUCH_CALLBACK", "BAD_STATE"),
    ),
    Method(
        "callback.close",
        AGENT,
        "Close a follow-up whose customer cannot be reached, on the word of the department that dealt with "
        "it: after the class's fewest attempts, by a supervisor at any time.",
        CloseFollowup,
        Done,
        close,
        ("NO_SUCH_CALLBACK", "BAD_STATE"),
    ),
    Method(
        "callback.followups",
        AGENT,
        "Follow-ups counted by class: accepted, escalated, returned, closed, late.",
        During,
        list[FollowupCounts],
        followups,
    ),
)
