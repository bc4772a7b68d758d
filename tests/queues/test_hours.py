"""Opening hours: dates before weekdays, every zone by its own clock, changes of the clocks included."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from queues.hours import DateRule, Hours, HoursSettings, Opening, is_open, next_change

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
MORNING, AFTERNOON = Opening(510, 720), Opening(810, 1080)  # 08:30-12:00, 13:30-18:00
OFFICE = ((MORNING, AFTERNOON),) * 5 + ((), ())
HOLIDAY = DateRule((2026, 10, 1), (2026, 10, 7))
WORKED_SATURDAY = DateRule((2026, 10, 10), (2026, 10, 10), (MORNING,))
HERE = HoursSettings("office", (HOLIDAY, WORKED_SATURDAY), OFFICE, SHANGHAI)


def at(text: str, zone: ZoneInfo = SHANGHAI, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("moment", "is_it"),
    [
        ("2026-09-30 08:29:59", False),
        ("2026-09-30 08:30", True),
        ("2026-09-30 11:59:59", True),
        ("2026-09-30 12:00", False),
        ("2026-09-30 13:30", True),
        ("2026-09-30 18:00", False),
        ("2026-10-01 10:00", False),  # a Thursday, and a holiday
        ("2026-10-08 10:00", True),
        ("2026-10-10 10:00", True),  # a Saturday on which people work
        ("2026-10-10 14:00", False),
        ("2026-10-11 10:00", False),
    ],
)
def test_dates_come_before_weekdays(moment: str, is_it: bool) -> None:
    assert is_open(HERE, at(moment)) is is_it
    assert Hours(HERE).is_open(at(moment)) is is_it


def test_the_first_rule_that_covers_a_day_decides_it() -> None:
    both = HoursSettings("h", (WORKED_SATURDAY, DateRule((2026, 10, 1), (2026, 10, 31))), OFFICE, SHANGHAI)
    assert is_open(both, at("2026-10-10 09:00"))
    assert not is_open(both, at("2026-10-12 09:00"))


def test_every_year_and_over_new_year() -> None:
    yearly = HoursSettings("h", (DateRule((0, 12, 24), (0, 1, 1)),), OFFICE, BERLIN)
    assert not is_open(yearly, at("2026-12-28 10:00", BERLIN))
    assert not is_open(yearly, at("2027-01-01 10:00", BERLIN))
    assert is_open(yearly, at("2027-01-04 10:00", BERLIN))
    assert is_open(yearly, at("2026-12-23 10:00", BERLIN))


def test_same_moment_in_two_zones() -> None:
    there = HoursSettings("h", (), OFFICE, BERLIN)
    moment = at("2026-09-30 09:00")  # 03:00 in Berlin
    assert (is_open(HERE, moment), is_open(there, moment)) == (True, False)


def test_clocks_that_go_forward_and_back() -> None:
    """29 March 2026: 02:00 becomes 03:00; 25 October: 03:00 becomes 02:00 and 02:00-03:00 comes twice."""
    sunday = HoursSettings("h", (), ((),) * 6 + ((Opening(120, 180),),), BERLIN)
    before = at("2026-03-29 01:59", BERLIN)
    assert [is_open(sunday, before + 60 * minute) for minute in range(4)] == [False] * 4
    twice = at("2026-10-25 02:00", BERLIN)
    assert is_open(sunday, twice)
    assert is_open(sunday, twice + 3600)
    assert not is_open(sunday, twice + 7200)
    assert next_change(sunday, twice) == twice + 7200


def test_next_change() -> None:
    assert next_change(HERE, at("2026-09-30 10:00")) == at("2026-09-30 12:00")
    assert next_change(HERE, at("2026-09-30 12:00")) == at("2026-09-30 13:30")
    assert next_change(HERE, at("2026-09-30 18:00")) == at("2026-10-08 08:30")
    assert next_change(HERE, at("2026-10-10 12:00")) == at("2026-10-12 08:30")


def test_round_the_clock_never_changes() -> None:
    always = HoursSettings("h", (), ((Opening(0, 1440),),) * 7, SHANGHAI)
    assert is_open(always, at("2026-10-01 00:00"))
    assert is_open(always, at("2026-10-01 23:59:59"))
    assert next_change(always, at("2026-10-01 12:00")) is None


def test_an_answer_lasts_a_minute_at_most() -> None:
    hours = Hours(HERE)
    assert not hours.is_open(at("2026-09-30 08:29:59.9"))
    assert hours.is_open(at("2026-09-30 08:30:00.1"))
