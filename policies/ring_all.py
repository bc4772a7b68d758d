"""Ring all: every free seat rings, the first answer wins."""

from policies.least_skilled_first import LeastSkilledFirst


class RingAll(LeastSkilledFirst):
    """At most :attr:`fan_out` seats at a time; the losers are called off and have missed nothing."""

    name = "ring-all"
    fan_out = 10  # a ring costs a dialog and a phone call each; more than this many wins nothing
