"""Random: every ready seat has the same chance.

A key drawn when the seat becomes ready would favour newcomers, because those with poor keys stay. Keys are
therefore exponential waits on a clock that jumps to each winner's key: what is left of the others' waits is
exponential again, so they and the newcomers are equals.
"""

from math import log

from kernel.chance import Chance
from policies.policy import Policy
from policies.views import SeatKey, SeatView


class Random(Policy):
    """Draws from the node's one source, so that a seed replays."""

    name = "random"

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._clock = 0.0

    def seat_key(self, seat: SeatView) -> SeatKey:
        """Return ``(a draw, id)``."""
        return (self._clock - log(1.0 - self._chance.uniform(0.0, 1.0)), seat.id)

    def chosen(self, key: SeatKey) -> None:
        """Let the clock jump to the winner."""
        drawn = key[0]
        assert isinstance(drawn, float)
        self._clock = max(self._clock, drawn)
