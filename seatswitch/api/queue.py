"""``queue.*``: who waits and who serves. What is counted is in statistics.py."""

from typing import Any

from seatswitch.api.method import AGENT, Method, Nothing, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import Name, QueueObject


class OneQueue(Params, frozen=True):
    """A queue by its name."""

    queue: Name


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
)
