"""A queue: who may enter, who stands where, how long it will take."""

from collections.abc import Callable

import pytest

from queues.estimate import SAMPLES_MIN
from queues.queue import Queue
from queues.settings import QueueSettings, Requirement
from queues.waiting import WaitingCall

Build = Callable[..., WaitingCall]


def queue(**more: object) -> Queue:
    return Queue(QueueSettings("q", "demo", Requirement(0, 0), **more))  # type: ignore[arg-type]


def test_full_at_its_limit(waiting: Build) -> None:
    it = queue(max_waiting=2)
    it.join(waiting("a"))
    assert it.refusal() == ""
    it.join(waiting("b"))
    assert it.refusal() == "full"


def test_no_limit_is_no_limit(waiting: Build) -> None:
    it = queue(max_waiting=0)
    for number in range(300):
        it.join(waiting(f"c{number}"))
    assert it.refusal() == ""


def test_empty_refuses_only_where_it_says_so() -> None:
    assert queue().refusal() == ""
    it = queue(when_empty="refuse")
    assert it.refusal() == "empty"
    it.signed_in = 1
    assert it.refusal() == ""


def test_positions_follow_leaving(waiting: Build) -> None:
    it = queue()
    calls = [waiting(name, float(place)) for place, name in enumerate("abcd")]
    for call in calls:
        it.join(call)
    vip = waiting("vip", 10.0, 9.5)
    it.join(vip)
    assert [it.position(call) for call in (*calls, vip)] == [1, 3, 4, 5, 2]
    it.leave(calls[0])
    assert [it.position(call) for call in (*calls[1:], vip)] == [2, 3, 4, 1]
    it.check()


def test_a_call_stands_once(waiting: Build) -> None:
    it = queue()
    call = waiting("a")
    it.join(call)
    with pytest.raises(AssertionError):
        it.join(call)


def test_estimate_is_unknown_until_calls_were_handled() -> None:
    it = queue()
    for _ in range(SAMPLES_MIN - 1):
        it.note_handled(100.0)
    assert it.estimate(1, 4) is None
    it.note_handled(100.0)
    assert it.estimate(1, 0) is None
    assert it.estimate(1, 4) is not None


def test_estimate_is_a_range_that_shrinks_with_the_position() -> None:
    """100 s per call and four seats: one leaves each 25 s; the fourth waits 100 s -/+ 1.28 * 25 * 2."""
    it = queue()
    for _ in range(20):
        it.note_handled(100.0)
    assert it.estimate(4, 4) == pytest.approx((36.0, 164.0))
    assert it.estimate(1, 4) == pytest.approx((0.0, 57.0))
