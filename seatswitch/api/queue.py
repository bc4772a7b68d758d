"""``queue.*``: who waits, who serves, and what is counted."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kernel.walltime import epoch_text
from queues.statistics import INTERVAL
from seatswitch.api.method import AGENT, Method, Nothing, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import Name, QueueObject, Statistics

Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with a time zone")]


class OneQueue(Params, frozen=True):
    """A queue by its name."""

    queue: Name


class Between(Params, frozen=True):
    """A queue and a time: whole quarters of an hour that begin in ``from <= t < to``; left out, all of it."""

    queue: Name
    begin: Moment | None = msgspec.field(name="from", default=None)
    end: Moment | None = msgspec.field(name="to", default=None)


def list_queues(scope: Scope, params: Nothing) -> list[dict[str, Any]]:
    """Return the queues that may be seen."""
    queues = scope.node.engine.queues
    return [
        scope.node.queue_view(name, scope.now)
        for name, queue in queues.items()
        if scope.sees(queue.settings.tenant)
    ]


def get_queue(scope: Scope, params: OneQueue) -> dict[str, Any]:
    """Return one queue."""
    return scope.node.queue_view(scope.queue(params.queue), scope.now)


def statistics(scope: Scope, params: Between) -> dict[str, Any]:
    """Return counters and the figures that follow from them."""
    name = scope.queue(params.queue)
    counted = scope.node.engine.queues[name].statistics
    begin = None if params.begin is None else params.begin.timestamp()
    end = None if params.end is None else params.end.timestamp()
    if begin is None and end is None:
        counters = counted.total
    else:
        first = float("-inf") if begin is None else begin
        counters = counted.between(first, float("inf") if end is None else end)
    return {
        "queue": name,
        "from": None if begin is None else epoch_text(begin),
        "to": None if end is None else epoch_text(end),
        "interval": INTERVAL,
        **counters.as_dict(),
    }


METHODS = (
    Method("queue.list", AGENT, "The queues of the tenant.", Nothing, list[QueueObject], list_queues),
    Method(
        "queue.get",
        AGENT,
        "One queue with those who wait.",
        OneQueue,
        QueueObject,
        get_queue,
        ("NO_SUCH_QUEUE",),
    ),
    Method(
        "queue.statistics",
        AGENT,
        "Counters of a queue since the start, or of the quarters of an hour between two moments (seven days "
        "are kept). service_level counts abandoned calls against; asa and ata are mean waits in seconds.",
        Between,
        Statistics,
        statistics,
        ("NO_SUCH_QUEUE",),
    ),
)
