"""Weighted random: every ready seat has a chance in proportion to its share in the queue.

As :mod:`policies.random_`, with exponential waits that are the shorter the greater the share: of several such
waits each is the shortest with a chance in proportion to its rate, and what is left of the others after a win
is distributed as before. Each queue has a clock of its own.
"""

from math import log

from kernel.chance import Chance
from policies.policy import Policy
from policies.views import SeatKey, SeatView


class WeightedRandom(Policy):
    """Draws from the node's one source, so that a seed replays."""

    name = "weighted-random"
    by_queue = True

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._clocks: dict[str, float] = {}

    def seat_key_in(self, seat: SeatView, queue: str) -> SeatKey:
        """Return ``(a draw, id, queue)``."""
        wait = -log(1.0 - self._chance.uniform(0.0, 1.0)) / seat.share_in(queue)
        return (self._clocks.get(queue, 0.0) + wait, seat.id, queue)

    def chosen(self, key: SeatKey) -> None:
        """Let the clock of the queue jump to the winner."""
        drawn, queue = key[0], key[2]
        assert isinstance(drawn, float)
        assert isinstance(queue, str)
        self._clocks[queue] = max(self._clocks.get(queue, 0.0), drawn)
