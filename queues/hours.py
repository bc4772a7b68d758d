"""Opening hours: rules for dates before rules for weekdays, in the time zone of a tenant or a calendar.

Moments come in as epoch seconds; the zone's offsets are data handed in from outside (a ``tzinfo``), so that
nothing here reads a clock or a file. The first date rule that covers a day decides it alone; a day that no
date rule covers has the openings of its weekday; a day without openings is closed.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

MINUTES_A_DAY = 1440
DAYS_LOOKED_AHEAD = 15  # for the next change: past two weeks of holidays nobody plans by it


class Opening(msgspec.Struct, frozen=True):
    """Open from minute ``begin`` to minute ``end`` (exclusive) of a day, 0 <= begin < end <= 1440."""

    begin: int
    end: int


class DateRule(msgspec.Struct, frozen=True):
    """What the days from ``first`` to ``last`` (inclusive) have instead of their weekday's openings.

    Days are ``(year, month, day)``; year 0 means every year, and such a rule may run over New Year.
    """

    first: tuple[int, int, int]
    last: tuple[int, int, int]
    openings: tuple[Opening, ...] = ()  # none: closed

    def covers(self, day: date) -> bool:
        """Say whether the rule is about ``day``."""
        if self.first[0]:
            return self.first <= (day.year, day.month, day.day) <= self.last
        this, first, last = (day.month, day.day), self.first[1:], self.last[1:]
        return first <= this <= last if first <= last else this >= first or this <= last


class HoursSettings(msgspec.Struct, frozen=True):
    """One calendar of opening hours."""

    name: str
    dates: tuple[DateRule, ...] = ()
    week: tuple[tuple[Opening, ...], ...] = ((),) * 7  # Monday first
    zone: tzinfo = UTC


class Hours:
    """A calendar that is asked at every entry: the answer is computed once a minute."""

    __slots__ = ("_is_open", "_minute", "settings")

    def __init__(self, settings: HoursSettings) -> None:
        self.settings = settings
        self._minute = -1
        self._is_open = False

    def is_open(self, epoch: float) -> bool:
        """Say whether it is open at ``epoch`` (seconds, UTC)."""
        minute = int(epoch // 60)
        if minute != self._minute:
            self._minute, self._is_open = minute, is_open(self.settings, epoch)
        return self._is_open


def is_open(settings: HoursSettings, epoch: float) -> bool:
    """Say whether the calendar is open at ``epoch``."""
    there = datetime.fromtimestamp(epoch, settings.zone)
    minute = there.hour * 60 + there.minute
    return any(each.begin <= minute < each.end for each in openings_of(settings, there.date()))


def openings_of(settings: HoursSettings, day: date) -> tuple[Opening, ...]:
    """Return when a day is open."""
    for rule in settings.dates:
        if rule.covers(day):
            return rule.openings
    return settings.week[day.weekday()]


def next_change(settings: HoursSettings, epoch: float) -> float | None:
    """Return when it opens or closes next, epoch seconds; None if it does not within two weeks."""
    now_open = is_open(settings, epoch)
    for moment in _edges(settings, epoch):
        if moment > epoch and is_open(settings, moment) is not now_open:
            return moment
    return None


def _edges(settings: HoursSettings, epoch: float) -> Iterator[float]:
    """Yield the moments at which an opening begins or ends, day by day, in order."""
    first = datetime.fromtimestamp(epoch, settings.zone).date()
    for offset in range(DAYS_LOOKED_AHEAD):
        day = first + timedelta(days=offset)
        edges: dict[float, None] = {}
        for opening in openings_of(settings, day):
            for minute in (opening.begin, opening.end):
                midnight = datetime.combine(day + timedelta(days=minute // MINUTES_A_DAY), time(0))
                local = midnight + timedelta(minutes=minute % MINUTES_A_DAY)
                for fold in (0, 1):  # the hour that comes twice when clocks go back
                    edges[local.replace(tzinfo=settings.zone, fold=fold).timestamp()] = None
        yield from sorted(edges)
