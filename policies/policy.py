"""A policy: two pure keys. The engine keeps the indexes; nobody sorts all candidates.

Rule: ``seat_key`` is asked once when a seat becomes ready and must hold as long as it stays ready; it ends in
the seat's id, so that equal seats have an order that replays.
"""

from policies.views import CallKey, CallView, SeatKey, SeatView


class Policy:
    """What every policy does unless it says otherwise. Smaller keys come first."""

    name = ""
    fan_out = 1  # seats that may ring for one call at the same time
    widen_after = 0.0  # seconds of ringing before one seat more rings; 0: all at once

    def seat_key(self, seat: SeatView) -> SeatKey:
        """Rank ``seat`` among the ready ones."""
        raise NotImplementedError

    def call_key(self, head: CallView, now: float) -> CallKey:
        """Rank the heads of the lines a free seat may serve: credited wait times the queue's weight.

        Every wait grows without bound, so no weight starves a queue; a strict priority may. Keys of different
        policies meet where queues share seats, so every policy's begins with the priority.
        """
        return (-head.priority, -(now - head.key) * head.weight, head.key, head.sequence)

    def chosen(self, key: SeatKey) -> None:
        """Learn which key has won; for policies that remember."""
