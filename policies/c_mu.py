"""c-mu: the queue first that saves most waiting cost per second of a seat (Cox and Smith 1961).

The cost of a waiting second is the queue's weight, the rate of service one over what its calls have lately
kept a seat. Optimal for linear costs without abandonment; it may starve a cheap queue for as long as a dear
one has somebody waiting, so give no weights that you would not give strict priorities.
"""

from policies.least_skilled_first import LeastSkilledFirst
from policies.views import CallKey, CallView

HANDLED_FOR = 180.0  # seconds; of a queue that has handled nobody yet


class CMu(LeastSkilledFirst):
    """Calls by weight over handling time, oldest first inside a queue; seats as least-skilled-first."""

    name = "c-mu"

    def call_key(self, head: CallView, now: float) -> CallKey:
        """Return ``(-priority, -weight / handled_for, joined, sequence)``."""
        return (-head.priority, -head.weight / (head.handled_for or HANDLED_FOR), head.key, head.sequence)
