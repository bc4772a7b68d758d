"""The live board: a frame's words, rates over a minute, keys."""

import io
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from seatswitch.shell.client import Client
from seatswitch.shell.top import Board, Keyboard, run_top
from tests.seatswitch.shell.rpc_stub import CALLS, QUEUES, SEATS, STATUS, StubSwitch

MIDNIGHT = 1767225600.0  # 2026-01-01T00:00:00Z


def shown(board: Board, answers: list[object], now: float) -> str:
    out = io.StringIO()
    Console(file=out, width=120, highlight=False).print(board.frame(answers, now, MIDNIGHT + 65))
    return out.getvalue()


def test_a_frame_shows_queues_seats_and_who_waits() -> None:
    text = shown(Board(), [QUEUES, SEATS, CALLS, STATUS], 0.0)
    assert text.splitlines()[0] == "seatswitch  up 1:02:05   calls 2   seats 2 of 3 signed in"
    assert "8001 talking 1:05" in text
    assert "8002 paused 1:05" in text
    assert "8003 offline" in text
    assert "c-2" in text
    assert "c-1" not in text.partition("Waiting")[2]


def test_rates_are_taken_over_the_last_minute() -> None:
    board = Board()

    def head(now: float, answered: int, abandoned: int) -> str:
        queue = {**QUEUES[0], "answered": answered, "abandoned": abandoned}
        return shown(board, [[queue], [], [], STATUS], now).splitlines()[0]

    assert "/min" not in head(0.0, 40, 2)
    assert head(30.0, 45, 2).endswith("answered 10/min   abandoned 0/min")
    assert head(60.0, 70, 5).endswith("answered 30/min   abandoned 3/min")
    assert head(90.0, 75, 5).endswith("answered 30/min   abandoned 3/min")
    assert head(120.0, 0, 0).endswith("answered 0/min   abandoned 0/min")  # the switch was started again


def test_draining_and_quiet_are_said() -> None:
    text = shown(Board(), [QUEUES, SEATS, [], {**STATUS, "draining": True}], 0.0)
    assert "DRAINING" in text
    assert "Nobody waits" in text


def test_more_seats_than_fit_are_counted() -> None:
    text = shown(Board(), [[], [{**SEATS[2], "seat": str(number)} for number in range(403)], [], STATUS], 0.0)
    assert "... and 3 more seats" in text


@pytest.mark.parametrize(("waiting", "more"), [(20, ""), (21, "... and 1 more calls")])
def test_twenty_who_wait_are_shown_and_the_rest_is_counted(waiting: int, more: str) -> None:
    calls = [{**CALLS[1], "call": f"w-{number:02}"} for number in range(waiting)]
    text = shown(Board(), [[], [], calls, STATUS], 0.0)
    assert [f"w-{number:02}" in text for number in range(waiting)] == [True] * 20 + [False] * (waiting - 20)
    assert text.rstrip().splitlines()[-1].strip().startswith(more or "w-19")
    assert ("more calls" in text) == bool(more)


def test_one_frame_in_a_pipe(tmp_path: Path) -> None:
    out = io.StringIO()
    with StubSwitch(tmp_path / "s.sock") as switch, Client(switch.address) as client:
        run_top(client, Console(file=out, width=120), Keyboard(0))
        assert switch.asked == ["queue.list", "seat.list", "call.list", "admin.status"]
    assert "8001 talking" in out.getvalue()


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = os.openpty()
    tty.setcbreak(theirs)  # keys written before the board looks arrive one by one
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def test_q_ends_the_board_and_gives_the_terminal_back(tmp_path: Path, terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    out = io.StringIO()
    os.write(ours, b"xq")
    with StubSwitch(tmp_path / "s.sock") as switch, Client(switch.address) as client:
        run_top(client, Console(file=out, width=120, force_terminal=True), Keyboard(theirs), every=5.0)
        assert switch.asked.count("seat.list") == 2
    assert "8001" in out.getvalue()


def test_keyboard_reads_single_keys(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    with Keyboard(theirs) as keyboard:
        assert keyboard.wait(0.0) == ""
        os.write(ours, b"w")
        assert keyboard.wait(5.0) == "w"


def test_no_keys_where_the_input_is_no_terminal() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"q")
    with Keyboard(reading) as keyboard:
        assert keyboard.wait(0.0) == ""
    os.close(reading)
    os.close(writing)
