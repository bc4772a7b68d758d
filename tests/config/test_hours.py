"""Opening hours from text: calendars, zones, and what is wrong with a rule."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pytest

from config.hours import only_utc
from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings
from queues.hours import DateRule, HoursSettings, Opening

BASE = '[[tenant]]\nname = "t"\n{tenant}\n[[queue]]\nname = "q"\n{queue}\n'


def zones(name: str) -> tzinfo | None:
    return ZoneInfo(name) if name == "Asia/Shanghai" else only_utc(name)


def load(hours: str, queue: str = 'hours = "h"', tenant: str = "") -> Settings:
    text = BASE.format(queue=queue, tenant=tenant) + (f'[[hours]]\nname = "h"\n{hours}\n' if hours else "")
    return load_settings(text, file="s", find_zone=zones)


def errors_of(hours: str, queue: str = 'hours = "h"', tenant: str = "") -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(hours, queue, tenant)
    return [str(error).removeprefix("s: ") for error in caught.value.errors]


def calendar(hours: str, queue: str = 'hours = "h"', tenant: str = "") -> HoursSettings | None:
    return load(hours, queue, tenant).acd.queues[0].entry.hours


def test_weeks_and_dates() -> None:
    found = calendar(
        'week = ["mon-fri 13:30-18:00", "mon-wed,fri 08:30-12:00", "sat-sun 00:00-24:00"]\n'
        'dates = ["2026-10-10 09:00-10:00 11:00-12:00", "2026-10-01..2026-10-07 closed", "02-29 closed"]'
    )
    assert found is not None
    both, afternoon, night = (Opening(510, 720), Opening(810, 1080)), (Opening(810, 1080),), Opening(0, 1440)
    assert found.week == (both, both, both, afternoon, both, (night,), (night,))
    assert found.dates == (
        DateRule((2026, 10, 10), (2026, 10, 10), (Opening(540, 600), Opening(660, 720))),
        DateRule((2026, 10, 1), (2026, 10, 7)),
        DateRule((0, 2, 29), (0, 2, 29)),
    )
    assert found.zone is UTC


def test_zone_of_the_calendar_else_of_its_tenant() -> None:
    week = 'week = ["mon 08:00-09:00"]'
    of_tenant = calendar(week, tenant='time_zone = "Asia/Shanghai"')
    assert of_tenant is not None
    assert str(of_tenant.zone) == "Asia/Shanghai"
    own = calendar(f'{week}\ntime_zone = "UTC"', tenant='time_zone = "Asia/Shanghai"')
    assert own is not None
    assert own.zone is UTC


def test_hours_of_the_tenant_are_those_of_its_queues() -> None:
    found = calendar('week = ["mon 08:00-09:00"]', queue="", tenant='hours = "h"')
    assert found is not None
    assert found.name == "h"


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        ("", 'queue[1] "q".hours: unknown hours "h"; there are none'),
        ("dates = []", 'hours[1] "h".week: is missing; for example ["mon-fri 08:30-18:00"]'),
        (
            'week = ["monday 8-9"]',
            'hours[1] "h".week[1]: "monday 8-9" does not begin with a day or days such as mon-fri or sat,sun',
        ),
        ('week = ["mon 8:00-9:00"]', 'hours[1] "h".week[1]: "mon 8:00-9:00": 8:00-9:00 is not a time such'),
        ('week = ["mon"]', 'hours[1] "h".week[1]: "mon": times are missing, such as 08:30-18:00, or closed'),
        (
            'week = ["mon 22:00-06:00"]',
            'hours[1] "h".week[1]: "mon 22:00-06:00": 22:00-06:00 ends before it begins; write a night as '
            "two rules, until 24:00 and from 00:00",
        ),
        ('week = ["mon 08:00-24:30"]', 'hours[1] "h".week[1]: "mon 08:00-24:30": 08:00-24:30 is not a time'),
        (
            'dates = ["2026-02-30 closed"]',
            'hours[1] "h".dates[1]: "2026-02-30 closed" does not begin with a date such as 2026-10-01, ',
        ),
        (
            'dates = ["2026-10-07..2026-10-01 closed"]',
            'hours[1] "h".dates[1]: "2026-10-07..2026-10-01 closed" ends before it begins',
        ),
        (
            'week = ["mon 08:00-09:00"]\ntime_zone = "Asia/Peking"',
            'hours[1] "h".time_zone: "Asia/Peking" is no time zone such as Asia/Shanghai',
        ),
        (
            'week = ["mon 08:00-09:00"]\ntenant = "u"',
            'hours[1] "h".tenant: unknown tenant "u"; there are t',
        ),
    ],
)
def test_wrong_hours(hours: str, message: str) -> None:
    """Each message begins as said."""
    assert errors_of(hours)[0][: len(message)] == message


def test_hours_of_another_tenant() -> None:
    text = (
        '[[tenant]]\nname = "a"\n[[tenant]]\nname = "b"\n[[queue]]\nname = "q"\ntenant = "a"\nhours = "h"\n'
        '[[hours]]\nname = "h"\ntenant = "b"\nweek = ["mon 08:00-09:00"]\n'
    )
    with pytest.raises(ConfigErrors) as caught:
        load_settings(text, file="s")
    assert str(caught.value) == 's: queue[1] "q".hours: hours "h" belong to tenant b'
