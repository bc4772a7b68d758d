"""The clock is believed when it has gone steadily for three days, over restarts too."""

from pathlib import Path

import pytest
import structlog

from seatswitch.shell.steady import JUMP, STEADY_FOR, Steady

NOW = 1_700_000_000.0
HOUR, DAY, YEAR = 3600.0, 86_400.0, 365 * 86_400.0


class Clock:
    """A wall clock that is looked at every hour, and whoever looks."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "clock.json"
        self.wall = NOW
        self.told: list[bool] = []
        self.start()

    def start(self) -> None:
        self.steady = Steady(self.path, self.told.append)
        self.look()

    def look(self) -> bool:
        is_steady = self.steady.look(self.wall)
        self.steady.save()
        return is_steady

    def run(self, seconds: float) -> bool:
        end = self.wall + seconds
        while self.wall < end:
            self.wall += HOUR
            self.look()
        return self.steady.is_steady


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


def test_it_is_believed_after_three_days(clock: Clock) -> None:
    assert not clock.run(STEADY_FOR - HOUR)
    assert clock.run(HOUR)
    assert clock.told == [True]
    assert clock.run(300 * DAY)
    assert clock.told == [True]


def test_a_jump_ahead_is_told_once_and_not_believed_until_three_days_later(clock: Clock) -> None:
    clock.run(STEADY_FOR)
    with structlog.testing.capture_logs() as lines:
        clock.wall += YEAR
        assert not clock.look()
        assert not clock.run(STEADY_FOR - HOUR)
        assert clock.run(HOUR)
    assert [(line["event"][:33], line["days"]) for line in lines] == [
        ("! the clock has jumped ahead: old", 365.0)
    ]
    assert clock.told == [True, False, True]


def test_set_right_again_it_is_believed_after_three_days_of_that(clock: Clock) -> None:
    clock.run(STEADY_FOR)
    clock.wall += YEAR
    clock.run(2 * HOUR)
    clock.wall -= YEAR
    assert not clock.look()
    assert not clock.run(STEADY_FOR - HOUR)
    assert clock.run(HOUR)


@pytest.mark.parametrize(("ahead", "is_believed"), [(JUMP, True), (JUMP + 1.0, False)])
def test_a_small_step_is_none(clock: Clock, ahead: float, *, is_believed: bool) -> None:
    """Summer time, or what a time server corrects."""
    clock.run(STEADY_FOR + HOUR)
    clock.wall -= HOUR
    assert clock.look()
    clock.wall += ahead
    assert clock.look() == is_believed


def test_a_restart_after_the_jump_does_not_believe_it_either(clock: Clock) -> None:
    """By then every row names a moment of the wrong year."""
    clock.run(STEADY_FOR)
    clock.wall += YEAR
    clock.look()
    clock.run(DAY)
    clock.start()
    assert not clock.steady.is_steady
    assert not clock.run(2 * DAY - HOUR)
    assert clock.run(HOUR)


def test_a_restart_within_the_day_is_believed_at_once(clock: Clock) -> None:
    clock.run(STEADY_FOR)
    clock.wall += 20 * HOUR
    clock.start()
    assert clock.steady.is_steady


def test_a_machine_that_was_off_for_a_month_removes_what_is_old_three_days_later(clock: Clock) -> None:
    clock.run(STEADY_FOR)
    clock.wall += 30 * DAY
    clock.start()
    assert not clock.run(STEADY_FOR - HOUR)
    assert clock.run(HOUR)


@pytest.mark.parametrize("written", [b"", b"{}", b"\xff", b'{"at": "x", "since": 1}'])
def test_a_file_that_says_nothing_is_as_none(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "clock.json").write_bytes(written)
    assert not Clock(tmp_path).steady.is_steady


def test_a_disk_that_cannot_be_written_to_is_no_trouble(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "nothing")
    assert clock.run(STEADY_FOR)
    clock.start()
    assert not clock.steady.is_steady
