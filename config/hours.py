"""Opening hours as they are written: texts into calendars.

``"mon-fri 08:30-12:00 13:30-18:00"`` is a rule of a week, ``"2026-10-01..2026-10-07 closed"``,
``"12-25 closed"`` (every year) and ``"2026-10-10 09:00-12:00"`` are rules of dates.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, tzinfo

from config.network import check_name
from config.reading import Read, Reader, show, suggest
from queues.hours import MINUTES_A_DAY, DateRule, HoursSettings, Opening

FindZone = Callable[[str], tzinfo | None]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "closed"
DATES_MAX = 400  # rules of one calendar: looked through once a minute of calls
_LEAP_YEAR = 2000  # a rule of every year may name 29 February


def only_utc(name: str) -> tzinfo | None:
    """Return UTC for its names; what is found where nobody hands in a time-zone database."""
    return UTC if name in ("UTC", "Etc/UTC") else None


def build_hours(
    reader: Reader, calendars: Sequence[Read], zones: dict[str, str], find_zone: FindZone
) -> dict[str, tuple[str, HoursSettings]]:
    """Return tenant ("" for all) and calendar by name; ``zones`` are the tenants' own, by tenant."""
    names: dict[str, str] = {}
    found: dict[str, tuple[str, HoursSettings]] = {}
    for where, table in calendars:
        check_name(reader, f"{where}.name", table.name, names)
        if table.tenant and table.tenant not in zones:
            reader.refuse(
                f"{where}.tenant", f"unknown tenant {show(table.tenant)}{suggest(table.tenant, list(zones))}"
            )
        tenant = table.tenant or (next(iter(zones)) if len(zones) == 1 else "")
        zone_name = table.time_zone or zones.get(tenant, "") or "UTC"
        zone = find_zone(zone_name)
        if zone is None:
            place = f"{where}.time_zone" if table.time_zone else f"{where}.name"
            reader.refuse(place, f"{show(zone_name)} is no time zone such as Asia/Shanghai")
        if not table.week and not table.dates:
            reader.refuse(f"{where}.week", 'is missing; for example ["mon-fri 08:30-18:00"]')
        if len(table.dates) > DATES_MAX:
            reader.refuse(f"{where}.dates", f"are more than {DATES_MAX}")
        settings = HoursSettings(
            table.name, _dates(reader, where, table.dates), _week(reader, where, table.week), zone or UTC
        )
        found.setdefault(table.name, (tenant, settings))
    return found


def _week(reader: Reader, where: str, rules: Sequence[str]) -> tuple[tuple[Opening, ...], ...]:
    week: list[list[Opening]] = [[] for _ in DAYS]
    for index, text in enumerate(rules, 1):
        place = f"{where}.week[{index}]"
        head, *spans = text.split() or [""]
        days = weekdays(head)
        openings = _openings(spans)
        if days is None:
            reader.refuse(place, f"{show(text)} does not begin with a day or days such as mon-fri or sat,sun")
        elif isinstance(openings, str):
            reader.refuse(place, f"{show(text)}: {openings}")
        else:
            for day in days:
                week[day] += openings
    return tuple(tuple(sorted(day, key=lambda opening: opening.begin)) for day in week)


def weekdays(text: str) -> list[int] | None:
    """Return the days of ``mon-fri`` or ``sat,sun``, Monday 0; None for anything else."""
    days: dict[int, None] = {}
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            return None
        begin, end = DAYS.index(first), DAYS.index(last or first)
        span = range(begin, end + 1) if begin <= end else [*range(begin, 7), *range(end + 1)]
        days |= dict.fromkeys(span)
    return list(days)


def _openings(spans: Sequence[str]) -> tuple[Opening, ...] | str:
    """Return openings, () for ``closed``, or what is wrong."""
    if list(spans) == [CLOSED]:
        return ()
    if not spans:
        return "times are missing, such as 08:30-18:00, or closed"
    openings = []
    for span in spans:
        first, _, last = span.partition("-")
        begin, end = minute_of_day(first), minute_of_day(last)
        if begin is None or end is None:
            return f"{span} is not a time such as 08:30-18:00"
        if begin >= end:
            return f"{span} ends before it begins; write a night as two rules, until 24:00 and from 00:00"
        openings.append(Opening(begin, end))
    return tuple(openings)


def minute_of_day(text: str) -> int | None:
    """Return the minute of ``08:30``, at most that of ``24:00``; None for anything else."""
    hour, colon, minute = text.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and hour.isdigit() and minute.isdigit()):
        return None
    total = int(hour) * 60 + int(minute)
    return total if int(minute) < 60 and total <= MINUTES_A_DAY else None


def _dates(reader: Reader, where: str, rules: Sequence[str]) -> tuple[DateRule, ...]:
    dates: list[DateRule] = []
    for index, text in enumerate(rules, 1):
        place = f"{where}.dates[{index}]"
        head, *spans = text.split() or [""]
        first_text, dots, last_text = head.partition("..")
        first, last = _day(first_text), _day(last_text if dots else first_text)
        openings = _openings(spans)
        if first is None or last is None or bool(first[0]) != bool(last[0]):
            reader.refuse(
                place, f"{show(text)} does not begin with a date such as 2026-10-01, 10-01 or 10-01..10-07"
            )
        elif first[0] and first > last:
            reader.refuse(place, f"{show(text)} ends before it begins")
        elif isinstance(openings, str):
            reader.refuse(place, f"{show(text)}: {openings}")
        else:
            dates.append(DateRule(first, last, openings))
    return tuple(dates)


def _day(text: str) -> tuple[int, int, int] | None:
    """Return year (0: every year), month and day; None for what is no date."""
    parts = text.split("-")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    year, month, day = (0, *map(int, parts)) if len(parts) == 2 else map(int, parts)
    try:
        date(year or _LEAP_YEAR, month, day)
    except ValueError:
        return None
    return (year, month, day)
