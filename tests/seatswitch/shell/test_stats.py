"""``seatswitch stats``: what is asked, and what the tables say."""

from typing import Any

import pytest

from seatswitch.shell.stats import COLUMNS, read_statistics
from seatswitch.shell.tables import build_table
from tests.seatswitch.api.stub import Office
from tests.seatswitch.shell.test_tables import lines as cells


def asking(office: Office) -> Any:
    desk = office.desk("admin")
    return lambda method, params: desk.ask(method, **params)


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("queues", ["junior", "other"]),
        ("seats", ["8001", "8002", "8003", "8019", "9001"]),
        ("levels", ["junior"]),
    ],
)
def test_one_line_each(what: str, names: list[str]) -> None:
    views = read_statistics(asking(Office()), what, None)
    assert [view[what[:-1]] for view in views] == names
    assert len(build_table(COLUMNS[what], views, 0.0).rows) == len(names)


def test_since_is_the_quarter_of_an_hour_it_is_in() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(method: str, params: dict[str, Any]) -> Any:
        asked.append((method, params))
        return [{"queue": "junior"}] if method == "queue.list" else {}

    read_statistics(ask, "queues", 1_800_000_000.0 + 1_000.0)
    assert asked[1] == ("queue.statistics", {"queue": "junior", "from": "2027-01-15T08:15:00.000Z"})


def test_what_is_unknown_is_empty() -> None:
    """A queue that nobody called: no 0 %, no 100 %."""
    view = read_statistics(asking(Office()), "queues", None)[0]
    row = cells(COLUMNS["queues"], [view])[1]
    assert "%" not in " ".join(row)
    assert row[:3] == ["junior", "0", "0"]


def test_figures_are_told_in_words_of_time_and_share() -> None:
    view = {"queue": "a", "service_level": 0.8, "asa": 75.0, "now": {"waiting": 3}}
    row = " ".join(cells(COLUMNS["queues"], [view])[1])
    assert "80 %" in row
    assert "1:15" in row
    assert row.endswith("3")
