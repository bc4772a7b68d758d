"""Timetables: jobs of seats as they are written."""

import pytest

from acd.settings import Job
from config.load import load_settings
from kernel.errors import OperatorError

HEAD = """
[[tenant]]
name = "demo"
pause_reasons = ["lunch"]
time_zone = "%s"
[[queue]]
name = "desk"
[[seat]]
numbers = "8001-8002"
password = "x"
level = "junior"
queues = ["desk"]
phones = ["softphone", "pstn:13800000000"]
timetable = %s
"""


def test_each_seat_of_a_range_has_the_jobs_in_the_zone_of_its_tenant() -> None:
    lines = (
        '["mon-fri 08:30 ready", "mon-fri 12:00 pause lunch", "sat,sun 00:00 logout", '
        '"fri-mon 18:00 phone pstn:13800000000", "mon 08:00 phone softphone"]'
    )
    settings = load_settings(HEAD % ("UTC", lines), file="test.toml")
    tables = [seat.timetable for seat in settings.acd.seats]
    assert tables[0] == tables[1]
    assert tables[0].jobs == (
        Job((0, 1, 2, 3, 4), 510, "ready"),
        Job((0, 1, 2, 3, 4), 720, "pause", "lunch"),
        Job((5, 6), 0, "logout"),
        Job((0, 4, 5, 6), 1080, "phone", "pstn:13800000000"),
        Job((0,), 480, "phone", "softphone"),
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("noon ready", "does not begin with a day"),
        ("mon 8:30 ready", "'8:30' is not a time"),
        ("mon 24:00 ready", "'24:00' is not a time"),
        ("mon 08:30 redy", "unknown action 'redy'"),
        ("mon 08:30 ready now", "ready is not followed by anything"),
        ("mon 12:00 pause golf", "'golf' is not a pause reason: lunch"),
        ("mon 12:00 phone extension:2001", "the seat has no phone 'extension:2001'"),
        ("mon 12:00 phone pstn:110", "the seat has no phone 'pstn:110'"),
        ("", "does not begin with a day"),
    ],
)
def test_what_is_wrong_is_named(line: str, why: str) -> None:
    with pytest.raises(OperatorError) as caught:
        load_settings(HEAD % ("UTC", f'["{line}"]'), file="test.toml")
    assert '"8001-8002".timetable[1]' in str(caught.value)
    assert why in str(caught.value).replace('"', "'")


def test_a_timetable_needs_a_time_zone_that_exists() -> None:
    with pytest.raises(OperatorError) as caught:
        load_settings(HEAD % ("Mars/Olympus", '["mon 08:30 ready"]'), file="test.toml")
    assert "time_zone" in str(caught.value)
