"""Counters of a queue, by interval and in all, and every service-level formula as arithmetic over them.

A visit is counted once, when it ends, by its outcome and by whether its wait was within the threshold
(inclusive); offers and conversations when they end. Nothing is reset by a change of state. An interval is
closed when a later one begins, and never changes after that.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, ClassVar, Generic, TypeVar

from kernel.limits import INTERVAL, INTERVALS_MAX
from queues.sums import WORK, Sketch, Sums, share, work_figures

VISITS = (
    "answered_within",
    "answered_late",
    "answered_within_2",  # the second threshold; counted above, too
    "abandoned_within",
    "abandoned_late",
    "abandoned_within_2",
    "abandoned_ringing",  # while a seat rang; counted among the abandoned, too
    "short_abandoned",  # likewise
    "refused",
    "timed_out",
    "overflowed",
    "withdrawn",
    "callback",
    "answered_wait",  # sums, seconds
    "abandoned_wait",
    "short_wait",
    "wait",
)
MODES = ("negative", "ignore", "positive", "answered_only")
RINGING = "ringing"  # cause of an abandon while a seat rang


class Counters(Sums):
    """What happened to the callers of one queue in one interval, or in several of several."""

    __slots__ = (*VISITS, "wait_longest", "waits")
    NAMES: ClassVar[tuple[str, ...]] = (*VISITS, *WORK)

    answered_within: int
    answered_late: int
    answered_within_2: int
    abandoned_within: int
    abandoned_late: int
    abandoned_within_2: int
    abandoned_ringing: int
    short_abandoned: int
    refused: int
    timed_out: int
    overflowed: int
    withdrawn: int
    callback: int
    answered_wait: float
    abandoned_wait: float
    short_wait: float
    wait: float

    def __init__(self) -> None:
        super().__init__()
        self.wait_longest = 0.0
        self.waits = Sketch()  # of answered calls

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

    def count(
        self,
        outcome: str,
        waited: float,
        threshold: float,
        short: float,
        second: float = 60.0,
        cause: str = "",
    ) -> None:
        """Count one visit that has ended after ``waited`` seconds."""
        if outcome == "refused":
            self.refused += 1
            return
        self.wait += waited
        self.wait_longest = max(self.wait_longest, waited)
        if outcome == "answered":
            self.answered_wait += waited
            self.waits.count(waited)
            self.answered_within_2 += waited <= second
            if waited <= threshold:
                self.answered_within += 1
            else:
                self.answered_late += 1
        elif outcome == "abandoned":
            self.abandoned_wait += waited
            self.abandoned_within_2 += waited <= second
            self.abandoned_ringing += cause == RINGING
            if waited <= threshold:
                self.abandoned_within += 1
            else:
                self.abandoned_late += 1
            if waited < short:
                self.short_abandoned += 1
                self.short_wait += waited
        else:
            setattr(self, outcome, getattr(self, outcome) + 1)

    def add(self, other: Sums) -> None:
        """Add another interval's or queue's counters to these."""
        super().add(other)
        assert isinstance(other, Counters)
        self.wait_longest = max(self.wait_longest, other.wait_longest)
        self.waits.add(other.waits)

    def as_dict(self) -> dict[str, Any]:
        """Return counters and the figures that follow from them, for an operator."""
        return {
            "offered": self.offered,
            "answered": self.answered,
            "abandoned": self.abandoned,
            **dict(zip(self.NAMES, self.values(), strict=True)),
            "wait_longest": self.wait_longest,
            **figures(self),
        }


C = TypeVar("C", bound=Sums)


class Statistics(Generic[C]):
    """Counters in all and by quarters of an hour of wall time."""

    __slots__ = ("begins_at", "ends_at", "intervals", "kind", "most", "open", "past")

    def __init__(self, kind: type[C], most: int = INTERVALS_MAX) -> None:
        self.kind = kind
        self.most = most  # closed intervals that are kept
        self.past = kind()  # all that is closed
        self.open = kind()
        self.begins_at = 0.0  # of the open interval, epoch seconds
        self.ends_at = 0.0  # 0: none has been opened yet
        self.intervals: OrderedDict[int, C] = OrderedDict()  # closed ones, by epoch // INTERVAL

    @property
    def total(self) -> C:
        """Everything that has been counted."""
        result = self.kind()
        result.add(self.past)
        result.add(self.open)
        return result

    def roll(self, epoch: float) -> C | None:
        """Let ``epoch`` be in the open interval; return what was closed for it, unless it is empty.

        A clock that was set back does not open an interval again: it is counted in the one that is open.
        """
        if epoch < self.ends_at:
            return None
        closed = self.open
        begins_at = self.begins_at
        number = int(epoch // INTERVAL)
        self.begins_at, self.ends_at = number * INTERVAL, (number + 1) * INTERVAL
        if closed.is_empty():
            return None
        self.open = self.kind()
        self.past.add(closed)
        self.keep(begins_at, closed)
        return closed

    def keep(self, begins_at: float, counters: C) -> None:
        """Keep a closed interval for those who ask for it; the oldest is forgotten."""
        self.intervals[int(begins_at // INTERVAL)] = counters
        if len(self.intervals) > self.most:
            self.intervals.popitem(last=False)

    def gather(self, begins_at: float, counters: C) -> None:
        """Add a closed interval of one of several to that of all."""
        number = int(begins_at // INTERVAL)
        if number not in self.intervals:
            self.keep(begins_at, self.kind())
        self.intervals[number].add(counters)

    def take_back(self, counters: C, begins_at: float) -> None:
        """Take back all that was counted up to the end of the interval that began at ``begins_at``."""
        self.past = counters
        self.begins_at = self.ends_at = begins_at + INTERVAL

    def each(self, start: float, end: float) -> Iterator[tuple[float, C]]:
        """Yield (begin, counters) of the intervals that begin in ``start <= epoch < end``, oldest first."""
        for number, counters in self.intervals.items():
            if start <= number * INTERVAL < end:
                yield number * INTERVAL, counters
        if start <= self.begins_at < end and not self.open.is_empty():
            yield self.begins_at, self.open

    def between(self, start: float, end: float) -> C:
        """Return the sum of the intervals that begin in ``start <= epoch < end``."""
        result = self.kind()
        for _, counters in self.each(start, end):
            result.add(counters)
        return result


def service_level(
    counters: Counters, mode: str = "negative", *, without_short: bool = False, second: bool = False
) -> float | None:
    """Return the share served within the threshold; None where nothing was asked of the queue.

    ``mode`` says what an abandon within the threshold is: ``negative`` (counts against, the default),
    ``ignore`` (neither), ``positive`` (counts for); ``answered_only`` looks at answered calls alone.
    ``without_short`` leaves short abandons out altogether; ``second`` is by the second threshold.
    """
    good: int = counters.answered_within_2 if second else counters.answered_within
    forgiven = counters.abandoned_within_2 if second else counters.abandoned_within
    asked = counters.offered
    if without_short:
        asked -= counters.short_abandoned
        forgiven = max(0, forgiven - counters.short_abandoned)
    if mode == "negative":
        return share(good, asked)
    if mode == "ignore":
        return share(good, asked - forgiven)
    if mode == "positive":
        return share(good + forgiven, asked)
    assert mode == "answered_only", f"there is no service level called {mode}"
    return share(good, counters.answered)


def service_levels(counters: Counters, *, second: bool = False) -> dict[str, float | None]:
    """Return the service level by every mode, and again without short abandons."""
    return {
        f"{mode}{suffix}": service_level(counters, mode, without_short=bool(suffix), second=second)
        for suffix in ("", "_without_short")
        for mode in MODES
    }


def average_speed_of_answer(counters: Counters) -> float | None:
    """Return the mean wait of answered calls (ASA), seconds."""
    return share(counters.answered_wait, counters.answered)


def average_time_to_abandon(counters: Counters) -> float | None:
    """Return the mean wait of abandoned calls (ATA), seconds."""
    return share(counters.abandoned_wait, counters.abandoned)


def abandon_rate(counters: Counters, *, without_short: bool = False) -> float | None:
    """Return abandoned over offered."""
    short = counters.short_abandoned if without_short else 0
    return share(counters.abandoned - short, counters.offered - short)


def figures(counters: Counters) -> dict[str, Any]:
    """Return every figure that follows from the counters of a queue."""
    waiting = counters.abandoned - counters.abandoned_ringing
    return {
        "service_level": service_level(counters),
        "service_level_2": service_level(counters, second=True),
        "service_levels": service_levels(counters),
        "service_levels_2": service_levels(counters, second=True),
        "asa": average_speed_of_answer(counters),
        "awt": share(counters.wait, counters.offered),
        "ata": average_time_to_abandon(counters),
        "wait_p50": counters.waits.quantile(0.5),
        "wait_p95": counters.waits.quantile(0.95),
        "abandon_rate": abandon_rate(counters),
        "abandon_rate_without_short": abandon_rate(counters, without_short=True),
        "abandon_rate_waiting": share(waiting, counters.offered),
        "abandon_rate_ringing": share(counters.abandoned_ringing, counters.offered),
        **work_figures(counters),
    }
