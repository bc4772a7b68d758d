"""Ring progressively: one seat rings, and every few seconds one more, until somebody answers."""

from policies.top_down import TopDown


class RingProgressively(TopDown):
    """In the order of the configuration; those who ring already go on. The losers have missed nothing."""

    name = "ring-progressively"
    fan_out = 10
    widen_after = 5.0  # about two rings: long enough to answer before the neighbour's phone rings too
