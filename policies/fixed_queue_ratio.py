"""Fixed queue ratio: free seats keep the lengths of queues in proportion (Gurvich and Whitt 2009).

The queue that is longest for its share is served first, so that lengths stay as one to another as the inverse
of the weights: a queue of weight 2 is kept half as long as one of weight 1. By Little's law that holds waits
in the ratio of ``1 / (weight * arrival rate)``, which is how service levels of classes are balanced.
"""

from policies.least_skilled_first import LeastSkilledFirst
from policies.views import CallKey, CallView


class FixedQueueRatio(LeastSkilledFirst):
    """Calls by length times weight of their queue, oldest first inside; seats as least-skilled-first."""

    name = "fixed-queue-ratio"

    def call_key(self, head: CallView, now: float) -> CallKey:
        """Return ``(-priority, -length * weight, joined, sequence)``."""
        return (-head.priority, -head.queue_length * head.weight, head.key, head.sequence)
