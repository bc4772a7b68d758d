"""Views as tables: words, durations, and nothing that could steer a terminal."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from seatswitch.shell.tables import (
    CALLS,
    QUALITY,
    QUEUES,
    SEATS,
    TRUNKS,
    Column,
    build_table,
    duration,
    elapsed,
    plain,
    seat_state,
    share,
    styled_state,
)
from tests.seatswitch.shell import rpc_stub

MIDNIGHT = 1767225600.0  # 2026-01-01T00:00:00Z


def lines(columns: Sequence[Column], views: Sequence[dict[str, Any]]) -> list[list[str]]:
    out = io.StringIO()
    Console(file=out, width=200, highlight=False).print(build_table(columns, views, MIDNIGHT + 65))
    return [line.split() for line in out.getvalue().splitlines() if line.strip(" ─")]


def words(line: str) -> list[str]:
    return line.split()


def test_seats() -> None:
    head, first, second, third = lines(SEATS, rpc_stub.SEATS)
    assert head == ["seat", "level", "presence", "activity", "since", "phone", "call", "queues", "counters"]
    assert " ".join(first) == (
        "8001 junior ready then paused talking 1:05 softphone 8001 c-1 junior answered 3 talked 61.2"
    )
    assert " ".join(second) == (
        "8002 senior paused (rest) idle 1:05 pstn 13800000000 unreachable junior, complaint"
    )
    assert third == ["8003", "junior", "offline", "idle"]


def test_wrap_up_shows_what_is_left() -> None:
    seat = {"seat": "8001", "presence": "wrapup", "activity": "idle", "wrapup_left": 12.5}
    assert lines(SEATS, [seat])[1] == words("8001 wrapup 0:12 left idle")


def test_whom_a_seat_supervises_is_shown_instead_of_that_it_talks() -> None:
    at = {"seat": "8001", "mode": "whisper", "attached": False}
    seat = {"seat": "8019", "presence": "ready", "activity": "ringing", "supervising": at}
    assert lines(SEATS, [seat])[1] == words("8019 ready whisper 8001 rings")
    assert str(styled_state(seat)) == "whisper 8001 rings"
    at["attached"] = True
    assert lines(SEATS, [seat | {"activity": "talking"}])[1] == words("8019 ready whisper 8001")


def test_queues_calls_and_trunks() -> None:
    assert lines(QUEUES, rpc_stub.QUEUES)[1] == words("junior 1 0:12 2 of 3 1 87 % 40 2 0 1")
    assert lines(CALLS, rpc_stub.CALLS)[2] == (words("c-2 waiting in ?[31mred 96198 junior 0:12 1 0:10-1:35"))
    assert lines(TRUNKS, rpc_stub.TRUNKS)[1] == words("carrier demo 2 300 50 sip:127.0.0.1:5080")


def test_no_view_gives_the_head_only() -> None:
    assert len(lines(CALLS, [])) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (7.9, "0:07"),
        (760, "12:40"),
        (11100, "3:05:00"),
        (183600, "2d 03:00"),
        (None, ""),
        (-1, "0:00"),
    ],
)
def test_durations(seconds: object, text: str) -> None:
    assert duration(seconds) == text


def test_elapsed_needs_a_moment() -> None:
    assert elapsed("2026-01-01T00:00:00.000Z", MIDNIGHT + 3) == 3.0
    assert [elapsed(None, 0.0), elapsed("yesterday", 0.0)] == [None, None]


def test_shares() -> None:
    assert [share(0.5), share(1), share(None)] == ["50 %", "100 %", ""]


def test_text_of_strangers_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b]0;title\x07\r\nb\u202e") == "a?]0;title???b?"
    assert "[red]" in " ".join(lines(CALLS, [{"call": "[red]x[/red]"}])[1])


@pytest.mark.parametrize(
    ("presence", "activity", "word"),
    [
        ("ready", "idle", "ready"),
        ("ready", "ringing", "ringing"),
        ("offline", "unreachable", "offline"),
        ("paused", "talking", "talking"),
    ],
)
def test_the_word_of_a_seat(presence: str, activity: str, word: str) -> None:
    assert seat_state({"presence": presence, "activity": activity}) == word


def test_who_waits_too_long_is_counted_beside_the_longest_wait() -> None:
    late = rpc_stub.QUEUES[0] | {"waiting_long": 2}
    _, row = lines(QUEUES, [late])
    assert " ".join(row).count("0:12 (2 too long)") == 1


def test_quality_shows_who_was_checked_too_rarely() -> None:
    seat = {"seat": "8001", "level": "junior", "month": "2026-11", "checks": 0, "missing": 1, "to_target": 5}
    checked = {**seat, "seat": "8002", "checks": 2, "missing": 0, "to_target": 3, "mean": 3.6}
    checked["means"] = {"tone": 4.5, "terms": 3.0}
    head, first, second = lines(QUALITY, [seat, checked])
    assert head == words("seat level month checks missing to target points by item")
    assert first == words("8001 junior 2026-11 0 1 5")
    assert second == words("8002 junior 2026-11 2 3 3.6 tone 4.5 terms 3")


def lines_of(columns: Sequence[Column], views: Sequence[dict[str, Any]], width: int) -> list[str]:
    out = io.StringIO()
    table = build_table(columns, views, MIDNIGHT + 65, width=width)
    Console(file=out, width=width, highlight=False).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines() if line.strip(" ─")]


def test_narrow_terminal_has_one_line_for_each_seat_and_names_what_is_left_out() -> None:
    wide = lines_of(SEATS, rpc_stub.SEATS, 200)
    assert len(wide) == 1 + len(rpc_stub.SEATS)
    narrow = lines_of(SEATS, rpc_stub.SEATS, 80)
    assert len(narrow) == 1 + len(rpc_stub.SEATS) + 1
    assert narrow[0].split() == ["seat", "presence", "activity", "since", "call"]
    assert narrow[1].split() == words("8001 ready then paused talking 1:05 c-1")
    assert narrow[-1].strip() == "no room for level, phone, queues, counters"
    assert all(len(line) <= 80 for line in narrow)


def test_even_the_narrowest_terminal_shows_which_seat() -> None:
    shown = lines_of(SEATS, rpc_stub.SEATS, 12)
    assert [line.split()[0] for line in shown[:4]] == ["seat", "8001", "8002", "8003"]


@pytest.mark.parametrize("columns", [SEATS, QUEUES, CALLS, QUALITY, TRUNKS])
def test_first_column_is_never_left_out(columns: Sequence[Column]) -> None:
    table = build_table(columns, [], MIDNIGHT, width=1)
    assert [column.header for column in table.columns] == [columns[0].head]
