"""Lists of callers from text: numbers, ends, queues, and what is refused."""

from datetime import UTC, timedelta, timezone

import pytest

from acd.settings import ListSettings
from config.load import load_settings
from config.reading import ConfigErrors
from queues.callers import ListEntry

BASE = """
[switch]
country = "CN"
[[tenant]]
name = "demo"
time_zone = "Asia/Shanghai"
barred_status = 403
[[tenant]]
name = "other"
[[queue]]
name = "junior"
tenant = "demo"
on_barred = "queue:night"
[[queue]]
name = "night"
tenant = "demo"
[[queue]]
name = "foreign"
tenant = "other"
"""
CHINA = timezone(timedelta(hours=8))
HEAD = '[[list]]\nname = "l"\ntenant = "demo"\n'


def load(text: str) -> tuple[ListSettings, ...]:
    zones = {"UTC": UTC, "Asia/Shanghai": CHINA}
    return load_settings(BASE + HEAD + text, file="s", find_zone=zones.get).acd.lists


def test_a_list_with_everything() -> None:
    (found,) = load(
        'kind = "white"\nqueues = ["junior"]\nonly = true\ncredit = "2m"\n'
        'numbers = ["138 0000-0001", "0108*", "anonymous", "200 until 2027-01-31", '
        '"201 until 2027-01-31T12:00", "202 until 2027-01-31T12:00Z"]'
    )
    assert (found.name, found.tenant, found.kind, found.queues) == ("l", "demo", "white", ("junior",))
    assert (found.only, found.credit) == (True, 120.0)
    assert found.entries == (
        ListEntry("13800000001"),
        ListEntry("0108*"),
        ListEntry("anonymous"),
        ListEntry("200", 1_801_411_200.0),  # the end of that day in Shanghai: 2027-01-31T16:00Z
        ListEntry("201", 1_801_368_000.0),
        ListEntry("202", 1_801_396_800.0),
    )


def test_what_the_barred_are_told_and_where_they_go() -> None:
    settings = load_settings(BASE, file="s", find_zone=lambda _: CHINA)
    assert settings.calls.barred_statuses == {"demo": 403, "other": 603}
    assert settings.acd.queues[0].entry.on_barred == "queue:night"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "grey"', 'kind: "grey" is not one of "black", "white"'),
        ('kind = "black"\ncredit = "1m"', "credit: is for white lists"),
        ('kind = "black"\nonly = true', "only: is for white lists"),
        ('kind = "black"\nqueues = ["junor"]', 'queues[1]: unknown queue "junor" (did you mean junior?)'),
        ('kind = "black"\nqueues = ["foreign"]', 'queues[1]: queue "foreign" belongs to tenant other'),
        ('kind = "black"\nnumbers = ["*"]', 'numbers[1]: "*" is no number of a caller, such as'),
        ('kind = "black"\nnumbers = ["1*3"]', 'numbers[1]: "1*3" is no number of a caller'),
        (
            'kind = "black"\nnumbers = ["13800000001", "+86 138 0000 0001"]',
            'numbers[2]: "+86 138 0000 0001" is given twice',
        ),
        ('kind = "black"\nnumbers = ["1 until soon"]', 'numbers[1]: "soon" is no date such as 2027-01-31'),
    ],
)
def test_wrong_lists(text: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(text)
    (error,) = [str(each).removeprefix('s: list[1] "l".') for each in caught.value.errors]
    assert error.startswith(message)


def test_too_many_numbers_and_unknown_tenants() -> None:
    numbers = ", ".join(f'"{number}"' for number in range(10_001))
    with pytest.raises(ConfigErrors) as caught:
        load(f'kind = "black"\nnumbers = [{numbers}]')
    assert str(caught.value) == (
        's: list[1] "l".numbers: are more than 10000; add the others by list.add'
    )
    with pytest.raises(ConfigErrors, match='unknown tenant "dmo"'):
        load_settings(BASE + '[[list]]\nname = "l"\nkind = "black"\ntenant = "dmo"\n', file="s")
