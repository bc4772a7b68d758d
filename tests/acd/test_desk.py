"""The desk: what every move of a seat entails."""

from typing import Any

import pytest

from acd.events import SeatChanged
from acd.seat import Sight, Word


def test_a_move_tells_once(one_seat: Any) -> None:
    one_seat.events.clear()
    one_seat.sign_in("8001")
    assert one_seat.events == [SeatChanged("8001", "signed_in")]
    one_seat.pause("8001")
    assert one_seat.events[1:] == [SeatChanged("8001", "pause")]


def test_what_is_pending_is_told_and_saved_once(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.join("a")
    before = len(one_seat.states("8001"))
    one_seat.pause("8001")
    one_seat.pause("8001")
    assert [row.pending for row in one_seat.states("8001")[before:]] == ["paused:rest"]


def test_words_that_the_table_drops_are_our_own_mistake(one_seat: Any) -> None:
    desk = one_seat.engine._distribution._desk
    with pytest.raises(AssertionError):
        desk.say(one_seat.seat("8001"), Word.READY, "test", 0.0)
    with pytest.raises(AssertionError):
        desk.work_ended(one_seat.seat("8001"), "test", 0.0)


def test_sights_that_the_table_drops_change_nothing(one_seat: Any) -> None:
    desk = one_seat.engine._distribution._desk
    assert not desk.see(one_seat.seat("8001"), Sight.FREE, "test", 0.0)
    assert one_seat.state("8001") == "offline idle"


def test_since_is_the_last_change(one_seat: Any) -> None:
    one_seat.at(3.0)
    one_seat.sign_in("8001")
    one_seat.at(9.0)
    one_seat.join("a")
    assert one_seat.seat("8001").since == 9.0


def test_work_that_ends_in_wrap_up_is_one_change(one_seat: Any) -> None:
    """Idle and ready for no time at all would be offered the call that waits."""
    one_seat.sign_in("8001")
    one_seat.join("a")
    one_seat.answer("8001")
    one_seat.join("b")
    rows = len(one_seat.presences("8001"))
    one_seat.end_talk("8001")
    assert len(one_seat.presences("8001")) == rows + 1
    assert one_seat.state("8001") == "wrapup idle"
    assert one_seat.ringing() == {}
