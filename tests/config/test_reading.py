"""Documents into tables: durations, secrets, words about wrong values."""

import pytest

from config.reading import LISTED_MAX, Reader, describe, parse_duration, show, suggest
from config.tables import (
    MediaTable,
    QueueTable,
    RpcTable,
    SeatTable,
    SipTable,
    TrunkTable,
)


def complaints(reader: Reader) -> list[str]:
    return [str(error) for error in reader.errors]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (20, 20.0),
        (0.5, 0.5),
        ("20s", 20.0),
        ("3m", 180.0),
        ("4h", 14400.0),
        ("500ms", 0.5),
        ("2d", 172800.0),
        ("1.5m", 90.0),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "s",
        "20",
        "20 s",
        "20x",
        "1e3s",
        "-1s",
        -1,
        True,
        None,
        [],
        float("nan"),
        float("inf"),
        "999d",
        "1.2.3s",
        "٣s",
    ],
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(written)


def test_secret_is_read_from_the_mappings_and_never_shown() -> None:
    reader = Reader({"NAME": "from the environment"}, {"/run/secret": "from the file\n"})
    for given, text in (
        ("plain", "plain"),
        ({"env": "NAME"}, "from the environment"),
        ({"file": "/run/secret"}, "from the file"),
    ):
        table = reader.table(SeatTable, {"password": given}, "seat")
        assert table is not None
        assert table.password == text
    assert reader.errors == []
    reader.table(SeatTable, {"password": 1234}, "a")
    reader.table(SeatTable, {"password": {"env": "OTHER"}}, "b")
    reader.table(SeatTable, {"password": {"file": "nowhere"}}, "c")
    reader.table(SeatTable, {"password": {"vault": "x"}}, "d")
    assert complaints(reader) == [
        'a.password: is not a text, {env = "NAME"} or {file = "PATH"}',
        "b.password: environment variable OTHER is not set",
        "c.password: file nowhere cannot be read",
        'd.password: is not a text, {env = "NAME"} or {file = "PATH"}',
    ]


def test_a_key_in_error_counts_as_not_given() -> None:
    reader = Reader({}, {})
    table = reader.table(QueueTable, {"name": "a", "ring_for": "soon", "max_waiting": 7}, "queue")
    assert table is not None
    assert (table.ring_for, table.max_waiting) == (25.0, 7)
    assert complaints(reader) == ['queue.ring_for: "soon" is not a duration such as 20, "20s", "3m" or "4h"']


def test_a_table_without_a_key_it_must_have_is_none() -> None:
    reader = Reader({}, {})
    assert reader.table(QueueTable, {}, "queue[1]") is None
    assert complaints(reader) == ["queue[1].name: is missing"]


def test_nested_tables_are_told_by_their_place() -> None:
    reader = Reader({}, {})
    reader.table(
        QueueTable,
        {
            "name": "a",
            "relax": [{"after": 1}, {"level": "senior", "untill": 3}],
            "requires": {"skills": {"french": 11}, "level": {"from": "junior"}},
            "missed": {"refused": {"pause_after": -1}},
        },
        "queue",
    )
    assert complaints(reader) == [
        "queue.requires.level.to: is missing",
        "queue.requires.skills.french: 11 is not a whole number from 1 to 10",
        "queue.relax[2].untill: unknown key; there are after, level, lowest, skills, when_nobody, when_few",
        "queue.relax[2].after: is missing",
        "queue.missed.refused.pause_after: -1 is not a whole number of at least 0",
    ]


@pytest.mark.parametrize(
    ("table", "document", "message"),
    [
        (SipTable, {"domain": 1}, "t.domain: 1 is not a text or a list of texts"),
        (MediaTable, {"ports": [1]}, "t.ports: [1] is not a list of 2, each a whole number from 0 to 65535"),
        (MediaTable, {"workers": "all"}, 't.workers: "all" is not a whole number of at least 0 or "auto"'),
        (
            TrunkTable,
            {"name": "a", "hotline_in": "from"},
            't.hotline_in: "from" is not one of "request-uri", "to", "p-called-party-id"',
        ),
        (TrunkTable, {"name": "a", "max_cps": "many"}, 't.max_cps: "many" is not a number of at least 0'),
        (TrunkTable, {"name": "a", "auth": "me"}, 't.auth: "me" is not a table'),
        (RpcTable, {"tokens": {"name": "ops"}}, "t.tokens: a table is not a list of tables"),
        (SeatTable, {"skills": ["french"]}, 't.skills: ["french"] is not a table'),
    ],
)
def test_words_about_wrong_values(table: type[SipTable], document: dict[str, object], message: str) -> None:
    reader = Reader({}, {})
    reader.table(table, document, "t")
    assert complaints(reader) == [message]


def test_long_values_are_shortened() -> None:
    assert show("x" * 100) == '"' + "x" * 56 + "..."
    assert show({"a": 1}) == "a table"


def test_suggestions_name_what_there_is() -> None:
    assert suggest("seniorr", ["junior", "senior"]) == " (did you mean senior?); there are junior, senior"
    assert suggest("x", []) == "; there are none"
    many = [f"key_{number}" for number in range(LISTED_MAX + 1)]
    assert suggest("kye_7", many) == " (did you mean key_7?)"
    assert suggest("other", many).startswith("; there are key_0, key_1, ")
    assert describe(bool) == "true or false"
