"""What one replication has counted. Sums only, so that replications add up and travel between processes."""

from math import ceil

import msgspec

CURVE_POINTS = 121  # of the curve of waits: 0 to 6 thresholds
CURVE_STEPS = 20  # points per threshold


class ClassTally(msgspec.Struct):
    """The counted calls of one class; waits in seconds."""

    offered: int = 0
    blocked: int = 0  # no line, or no seat and not queued, or the queue was full or empty
    abandoned: int = 0  # left without a seat after waiting
    answered: int = 0
    waited: int = 0  # found no seat at once, and waited
    within: int = 0  # answered within the threshold
    wait: float = 0.0  # of all but the blocked
    wait_answered: float = 0.0
    curve: list[int] = msgspec.field(default_factory=lambda: [0] * CURVE_POINTS)

    def count_answer(self, waited: float, threshold: float) -> None:
        """Count a call that a seat has taken; the curve's k-th number is of waits up to k steps."""
        self.answered += 1
        self.wait += waited
        self.wait_answered += waited
        if waited <= threshold:
            self.within += 1
        point = ceil(waited * CURVE_STEPS / threshold) if threshold else 0
        if point < CURVE_POINTS:
            self.curve[point] += 1

    def count_loss(self, waited: float) -> None:
        """Count a call that has left the queue without a seat."""
        self.abandoned += 1
        self.wait += waited

    def add(self, other: "ClassTally") -> None:
        """Add what another has counted."""
        for name in self.__struct_fields__:
            if name != "curve":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        self.curve = [one + more for one, more in zip(self.curve, other.curve, strict=True)]


class Tally(msgspec.Struct):
    """One replication."""

    classes: list[ClassTally]
    busy: list[float]  # seat-seconds of work in each group while calls were counted
    span: float = 0.0  # seconds in which calls were counted
    # Of each group: the square of how many of its seats work, over that time; empty: not known.
    squares: list[float] = msgspec.field(default_factory=list)


def total(tallies: list[ClassTally]) -> ClassTally:
    """Return the sum."""
    result = ClassTally()
    for each in tallies:
        result.add(each)
    return result
