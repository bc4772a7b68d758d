"""``callback.*``: who is to be called back, and from which place in which queue."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acd.inputs import CallbackBooked, CallbackCancelled, CallbackChosen
from kernel.errors import OperationRefused
from kernel.ids import CallId
from seatswitch.api.method import AGENT, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import CallNumber, Done, Instant, Moment, Name, Number


class ListCallbacks(Params, frozen=True):
    """All open callbacks, or those of a queue."""

    queue: Name | None = None


class Book(Params, frozen=True):
    """Whom to call back, from which queue, when (at once, if left out), and which number to show."""

    number: Number
    queue: Name
    at: Moment | None = None
    display: Number | None = None


class Choose(Params, frozen=True):
    """A waiting caller; ``number`` where it is to be called at another one than it calls from."""

    call: CallNumber
    number: Number | None = None


class OneCallback(Params, frozen=True):
    """A callback by its id."""

    callback: Name


class CallbackObject(msgspec.Struct, frozen=True):
    """Who is to be called back, everywhere."""

    callback: str
    tenant: str
    queue: str
    number: str
    state: Literal["scheduled", "waiting", "dialling", "ended"]
    outcome: Annotated[
        Literal["answered", "cancelled", "expired", "exhausted", "merged"] | None,
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
    seat: str | None
    call: str | None
    followup: str | None


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
    who = scope.who()
    node.handle(CallbackBooked(callback, queue, params.number, at, params.display or "", who), scope.now)
    scope.audit("callback booked", callback=callback, queue=queue, number=params.number)
    return node.engine.callbacks.view_of(callback, scope.now)


def choose(scope: Scope, params: Choose) -> dict[str, Any]:
    """Let a waiting caller go home with its place kept."""
    view = scope.call_view(params.call)
    scope.node.handle(CallbackChosen(CallId(view["call"]), params.number or ""), scope.now)
    return scope.node.engine.callbacks.view_of(view["call"], scope.now)


def cancel(scope: Scope, params: OneCallback) -> dict[str, Any]:
    """Take the promise back."""
    known = scope.node.engine.callbacks.get(params.callback)
    if known is None or not scope.sees(known.tenant):
        raise OperationRefused("NO_SUCH_CALLBACK", f"there is no open callback {params.callback}")
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
        ("NO_SUCH_QUEUE", *_BOOKING, "BAD_DISPLAY_NUMBER"),
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
        "Take a promise back; not while the customer is being rung.",
        OneCallback,
        Done,
        cancel,
        ("NO_SUCH_CALLBACK", "BAD_STATE"),
    ),
)
