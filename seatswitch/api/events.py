"""``events.*``: hear of changes as they happen."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from seatswitch.api.method import AGENT, Method, Nothing, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import Done
from seatswitch.api.subscriptions import TOPICS
from seatswitch.api.voicemail import may_open, own_mailboxes
from seatswitch.voicemails import view

Topic = Literal["seat", "call", "queue", "supervisor", "callback", "voicemail", "trunk", "switch"]


class Subscribe(Params, frozen=True):
    """What to hear of; ``since`` is the last number a lost connection has got."""

    topics: Annotated[list[Topic], Meta(min_length=1, max_length=len(TOPICS))]
    since: Annotated[int, Meta(ge=0)] | None = None


class Subscribed(msgspec.Struct, frozen=True):
    """The number before the first event, and how everything is at that number (null with ``since``)."""

    seq: int
    snapshot: dict[str, Any] | None


def subscribe(scope: Scope, params: Subscribe) -> dict[str, Any]:
    """Begin, or begin anew, the connection's subscription."""
    connection, subscriptions, now = scope.connection, scope.subscriptions, scope.now
    if connection.subscription is not None:
        subscriptions.remove(connection.subscription, now)
        connection.subscription = None
    leads = scope.may("supervisor")
    subscription = subscriptions.add(
        connection.number, params.topics, scope.tenant, leads, params.since, now, opens=own_mailboxes(scope)
    )
    connection.subscription = subscription
    if params.since is not None:
        return {"seq": params.since, "snapshot": None}
    return {"seq": subscription.prev, "snapshot": _snapshot(scope, subscription.topics)}


def unsubscribe(scope: Scope, params: Nothing) -> dict[str, Any]:
    """End the connection's subscription, if it has one."""
    connection = scope.connection
    if connection.subscription is not None:
        scope.subscriptions.remove(connection.subscription, scope.now)
        connection.subscription = None
    return {"done": True}


def _snapshot(scope: Scope, topics: tuple[str, ...]) -> dict[str, Any]:
    """Return how everything is that the topics tell of; lists of what may be seen."""
    node, now = scope.node, scope.now
    result: dict[str, Any] = {topic: [] for topic in topics}
    if "seat" in result:
        seen = [view for view in node.seats_view(now) if scope.sees(view["tenant"])]
        result["seat"] = [view | scope.supervision(view["seat"]) for view in seen]
    if "call" in result:
        result["call"] = [view for view in node.calls_view(now) if scope.may_know_of(view)]
    if "queue" in result:
        result["queue"] = [
            node.queue_view(name, now)
            for name, queue in node.engine.queues.items()
            if scope.sees(queue.settings.tenant)
        ]
    if "callback" in result:
        views = node.engine.callbacks.views(now)
        result["callback"] = [view for view in views if scope.sees(view["tenant"])]
    if "voicemail" in result:
        result["voicemail"] = [view(row) for row in node.voicemails.all() if may_open(scope, row)]
    if "trunk" in result:
        result["trunk"] = [view for view in node.trunks_view(now) if scope.sees(view["tenant"])]
    if "switch" in result:
        result["switch"] = {"draining": node.is_draining}
    return result


METHODS = (
    Method(
        "events.subscribe",
        AGENT,
        "Hear of changes. A connection has one subscription; a second one replaces the first. The snapshot "
        "has one list per topic (for switch an object). With since, what was missed follows the answer as "
        "ordinary events, the first with prev = since; if it is no longer kept, RESYNC.",
        Subscribe,
        Subscribed,
        subscribe,
        ("RESYNC",),
    ),
    Method("events.unsubscribe", AGENT, "Hear no more.", Nothing, Done, unsubscribe),
)
