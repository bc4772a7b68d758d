"""Sums: what counters of every kind share, a sketch of waits, and work on offers and conversations.

Everything here is a sum over rows, so an interval and an hour, a queue and a tenant add up alike. A figure
over nothing is None, never 0 or 100 %.

Waits are kept as counts in buckets whose ends grow by :data:`GROWTH`, so that quantiles cost no memory of
single calls and can be added up; a quantile is wrong by at most 2.5 % of itself (and below 0.1 s, by 0.1 s).
"""

from math import ceil, log
from operator import attrgetter
from typing import Any, ClassVar

GROWTH = 1.05  # of one bucket's end over the one before
SHORTEST = 0.1  # seconds; shorter waits are in bucket 0
_PER_BUCKET = 1.0 / log(GROWTH)
_BUCKETS_MAX = 320  # more than a week

WORK = (
    "offers",  # that ended, whatever how
    "offers_answered",
    "offers_missed",  # rang and was not answered (RNA)
    "offers_refused",
    "offers_failed",  # the phone could not be rung
    "offers_withdrawn",
    "rang",  # seconds, of all of them
    "handled",  # conversations with callers of a queue that ended
    "transferred",  # of them, ended by being handed on
    "talk",  # seconds of the handled, without hold
    "hold",
    "wrap_up",
)
_OFFERS = {
    "answered": "offers_answered",
    "missed": "offers_missed",
    "refused": "offers_refused",
    "failed": "offers_failed",
    "withdrawn": "offers_withdrawn",
}


class Sums:
    """Counters that can be added up. ``NAMES`` are those that are numbers, in the order of their rows."""

    __slots__ = WORK
    NAMES: ClassVar[tuple[str, ...]] = WORK

    offers: int
    offers_answered: int
    offers_missed: int
    offers_refused: int
    rang: float
    handled: int
    transferred: int
    talk: float
    hold: float
    wrap_up: float

    def __init__(self) -> None:
        for name in self.NAMES:
            setattr(self, name, 0)

    def add(self, other: "Sums") -> None:
        """Add another interval, or another queue or seat, to these."""
        for name in other.NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def values(self) -> tuple[Any, ...]:
        """Return the numbers in the order of ``NAMES``; seconds to the millisecond."""
        found = attrgetter(*self.NAMES)(self)
        return tuple([round(each, 3) if type(each) is float else each for each in found])

    def take(self, values: tuple[Any, ...]) -> None:
        """Add numbers in the order of ``NAMES``."""
        for name, value in zip(self.NAMES, values, strict=True):
            setattr(self, name, getattr(self, name) + value)

    def is_empty(self) -> bool:
        """Say whether nothing has been counted."""
        return not any(attrgetter(*self.NAMES)(self))

    def count_offer(self, outcome: str, rang: float) -> None:
        """Count an offer that has ended after ringing for ``rang`` seconds."""
        self.offers += 1
        name = _OFFERS[outcome]
        setattr(self, name, getattr(self, name) + 1)
        self.rang += rang

    def count_talk(self, talk: float, hold: float, *, transferred: bool) -> None:
        """Count a conversation that has ended."""
        self.handled += 1
        self.transferred += transferred
        self.talk += talk
        self.hold += hold


def share(part: float, whole: float) -> float | None:
    """Return ``part / whole``; None where there is no whole."""
    return part / whole if whole else None


def average_handle_time(sums: Sums) -> float | None:
    """Return (talk + hold + wrap-up) / handled (AHT), seconds."""
    return share(sums.talk + sums.hold + sums.wrap_up, sums.handled)


def work_figures(sums: Sums) -> dict[str, float | None]:
    """Return what follows from offers and conversations."""
    return {
        "aht": average_handle_time(sums),
        "average_talk": share(sums.talk, sums.handled),
        "average_hold": share(sums.hold, sums.handled),
        "acw": share(sums.wrap_up, sums.handled),
        "average_ring": share(sums.rang, sums.offers),
        "rna_rate": share(sums.offers_missed, sums.offers),
        "transfer_rate": share(sums.transferred, sums.handled),
    }


class Sketch(dict[int, int]):
    """How many waits fell into each bucket."""

    __slots__ = ()

    def count(self, waited: float) -> None:
        """Count one wait, seconds."""
        bucket = 0
        if waited > SHORTEST:
            bucket = min(ceil(log(waited / SHORTEST) * _PER_BUCKET), _BUCKETS_MAX)
        self[bucket] = self.get(bucket, 0) + 1

    def add(self, other: "Sketch") -> None:
        """Add the waits of another."""
        for bucket, count in other.items():
            self[bucket] = self.get(bucket, 0) + count

    def quantile(self, part: float) -> float | None:
        """Return the wait that ``part`` (0..1) of all did not exceed, within 2.5 %; None without any."""
        total = sum(self.values())
        if not total:
            return None
        left = max(1, ceil(part * total))
        for bucket in sorted(self):
            left -= self[bucket]
            if left <= 0:
                break
        # The middle of the bucket, by ratio: as far from its lower end as from its upper one.
        return 0.0 if bucket == 0 else round(SHORTEST * GROWTH ** (bucket - 0.5), 3)

    def text(self) -> str:
        """Return it as a row says it: ``0:5 38:2``, bucket and count."""
        return " ".join([f"{bucket}:{self[bucket]}" for bucket in sorted(self)])


def read_sketch(text: str) -> Sketch:
    """Return the sketch that a row says."""
    found = Sketch()
    for part in text.split():
        bucket, _, count = part.partition(":")
        found[int(bucket)] = int(count)
    return found
