"""Interval counters of a queue, and every service-level formula as arithmetic over them.

A visit is counted once, when it ends, by its outcome and by whether its wait was within the threshold
(inclusive). Nothing is reset by state changes; intervals are kept beside the totals.
"""

from collections import OrderedDict

from queues.events import Outcome

INTERVAL = 900  # seconds
INTERVALS_MAX = 672  # seven days


class Counters:
    """What happened to the visits of one queue in one interval."""

    __slots__ = (
        "abandoned_late",
        "abandoned_wait",
        "abandoned_within",
        "answered_late",
        "answered_wait",
        "answered_within",
        "callback",
        "overflowed",
        "refused",
        "short_abandoned",
        "short_wait",
        "timed_out",
        "wait",
        "wait_longest",
        "withdrawn",
    )

    def __init__(self) -> None:
        self.answered_within = 0
        self.answered_late = 0
        self.abandoned_within = 0
        self.abandoned_late = 0
        self.short_abandoned = 0  # counted among the abandoned too
        self.refused = 0
        self.timed_out = 0
        self.overflowed = 0
        self.withdrawn = 0
        self.callback = 0
        self.answered_wait = 0.0  # sums, seconds
        self.abandoned_wait = 0.0
        self.short_wait = 0.0
        self.wait = 0.0
        self.wait_longest = 0.0

    @property
    def answered(self) -> int:
        """Visits that ended at a seat."""
        return self.answered_within + self.answered_late

    @property
    def abandoned(self) -> int:
        """Visits that the caller ended."""
        return self.abandoned_within + self.abandoned_late

    @property
    def offered(self) -> int:
        """Visits that entered the queue; the refused never did."""
        return (
            self.answered + self.abandoned + self.timed_out + self.overflowed + self.withdrawn + self.callback
        )

    def count(self, outcome: Outcome, waited: float, threshold: float, short: float) -> None:
        """Count one visit that has ended after ``waited`` seconds."""
        if outcome is Outcome.REFUSED:
            self.refused += 1
            return
        self.wait += waited
        self.wait_longest = max(self.wait_longest, waited)
        if outcome is Outcome.ANSWERED:
            self.answered_wait += waited
            if waited <= threshold:
                self.answered_within += 1
            else:
                self.answered_late += 1
        elif outcome is Outcome.ABANDONED:
            self.abandoned_wait += waited
            if waited <= threshold:
                self.abandoned_within += 1
            else:
                self.abandoned_late += 1
            if waited < short:
                self.short_abandoned += 1
                self.short_wait += waited
        else:
            setattr(self, outcome.value, getattr(self, outcome.value) + 1)

    def add(self, other: "Counters") -> None:
        """Add another interval's counters to these."""
        for name in Counters.__slots__:
            if name == "wait_longest":
                self.wait_longest = max(self.wait_longest, other.wait_longest)
            else:
                setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, float | None]:
        """Return counters and the figures that follow from them, for an operator."""
        return {
            "offered": self.offered,
            "answered": self.answered,
            "abandoned": self.abandoned,
            **{name: getattr(self, name) for name in Counters.__slots__},
            "service_level": service_level(self),
            "asa": average_speed_of_answer(self),
            "ata": average_time_to_abandon(self),
            "abandon_rate": abandon_rate(self),
        }


class Statistics:
    """Totals since the start and counters per quarter of an hour of wall time."""

    __slots__ = ("intervals", "total")

    def __init__(self) -> None:
        self.total = Counters()
        self.intervals: OrderedDict[int, Counters] = OrderedDict()  # by epoch // INTERVAL

    def count(self, outcome: Outcome, waited: float, threshold: float, short: float, epoch: float) -> None:
        """Count one visit that ended at ``epoch`` (seconds, UTC)."""
        self.total.count(outcome, waited, threshold, short)
        number = int(epoch // INTERVAL)
        interval = self.intervals.get(number)
        if interval is None:
            interval = self.intervals[number] = Counters()
            if len(self.intervals) > INTERVALS_MAX:
                self.intervals.popitem(last=False)
        interval.count(outcome, waited, threshold, short)

    def between(self, start: float, end: float) -> Counters:
        """Return the sum of the intervals that begin in ``start <= epoch < end``."""
        result = Counters()
        for number, interval in self.intervals.items():
            if start <= number * INTERVAL < end:
                result.add(interval)
        return result


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def service_level(counters: Counters, mode: str = "negative", *, without_short: bool = False) -> float | None:
    """Return the share served within the threshold; None where nothing was asked of the queue.

    ``mode`` says what an abandon within the threshold is: ``negative`` (counts against, the default),
    ``ignore`` (neither), ``positive`` (counts for); ``answered_only`` looks at answered calls alone.
    ``without_short`` leaves short abandons out altogether.
    """
    good: int = counters.answered_within
    asked = counters.offered
    forgiven = counters.abandoned_within
    if without_short:
        asked -= counters.short_abandoned
        forgiven -= counters.short_abandoned
    if mode == "negative":
        return _share(good, asked)
    if mode == "ignore":
        return _share(good, asked - forgiven)
    if mode == "positive":
        return _share(good + forgiven, asked)
    assert mode == "answered_only", f"there is no service level called {mode}"
    return _share(good, counters.answered)


def average_speed_of_answer(counters: Counters) -> float | None:
    """Return the mean wait of answered calls (ASA), seconds."""
    return _share(counters.answered_wait, counters.answered)


def average_time_to_abandon(counters: Counters) -> float | None:
    """Return the mean wait of abandoned calls (ATA), seconds."""
    return _share(counters.abandoned_wait, counters.abandoned)


def abandon_rate(counters: Counters, *, without_short: bool = False) -> float | None:
    """Return abandoned over offered."""
    short = counters.short_abandoned if without_short else 0
    return _share(counters.abandoned - short, counters.offered - short)
