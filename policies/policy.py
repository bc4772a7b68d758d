"""A policy: two pure keys. The engine keeps the indexes; nobody sorts all candidates.

Rule: ``seat_key`` is asked once when a seat becomes ready and must hold as long as it stays ready; it ends in
the seat's id, so that equal seats have an order that replays.
"""

from math import inf

from policies.views import CallKey, CallView, SeatKey, SeatView


class Policy:
    """What every policy does unless it says otherwise. Smaller keys come first."""

    name = ""
    fan_out = 1  # seats that may ring for one call at the same time
    widen_after = 0.0  # seconds of ringing before one seat more rings; 0: all at once
    by_queue = False  # a seat's key differs from queue to queue: ``seat_key_in`` says it

    def seat_key(self, seat: SeatView) -> SeatKey:
        """Rank ``seat`` among the ready ones."""
        raise NotImplementedError

    def seat_key_in(self, seat: SeatView, queue: str) -> SeatKey:
        """Rank ``seat`` among those that are ready for ``queue``; asked where ``by_queue`` is set."""
        return self.seat_key(seat)

    def call_key(self, head: CallView, now: float) -> CallKey:
        """Rank the heads of the lines a free seat may serve: credited wait times the queue's weight.

        Every wait grows without bound, so no weight starves a queue; a strict priority may. Keys of different
        policies meet where queues share seats, so every policy's begins with the priority.
        """
        return (-head.priority, -(now - head.key) * head.weight, head.key, head.sequence)

    def chosen(self, key: SeatKey) -> None:
        """Learn which key has won; for policies that remember."""


def head_key(policy: Policy, head: CallView, now: float) -> CallKey:
    """Return what ``head`` is compared by: its policy's key, or, once it starves, its credited wait alone.

    A call starves when it has waited, credit included, for ``starves_after`` seconds. It then comes before
    every call that does not, whatever priorities, weights and lengths say, and among its like the longest
    credited wait comes first: ``key`` never changes, so that order is for ever. Lines stand in the same
    order, so no call starves behind a head that does not.
    """
    if now - head.key >= head.starves_after:
        return (-inf, head.key, head.sequence)
    return policy.call_key(head, now)
