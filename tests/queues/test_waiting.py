"""Lines of waiting calls: order by a constant key, lazy leaving, places given back."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from kernel.ids import QueueName, SeatId
from kernel.timers import TimerQueue
from queues.settings import Requirement
from queues.waiting import WaitingCall, WaitingLine

Build = Callable[..., WaitingCall]


def line() -> WaitingLine:
    return WaitingLine(QueueName("q"), Requirement(0, 0), 0, is_configured=True)


def drained(it: WaitingLine) -> list[str]:
    result = []
    while (head := it.head()) is not None:
        result.append(head.call)
        it.remove(head)
    return result


def test_first_come_first_served_with_credit(waiting: Build) -> None:
    """A caller with 90 s of credit stands where one stands who came 90 s earlier."""
    it = line()
    for call in (waiting("a", 0.0), waiting("b", 50.0), waiting("vip", 100.0, 90.0)):
        it.add(call)
    assert drained(it) == ["a", "vip", "b"]


def test_equal_keys_go_by_arrival(waiting: Build) -> None:
    it = line()
    calls = [waiting(name, 5.0) for name in ("c", "a", "b")]
    for call in reversed(calls):
        it.add(call)
    assert drained(it) == ["c", "a", "b"]


def test_call_that_comes_back_has_its_old_place(waiting: Build) -> None:
    it = line()
    first, second = waiting("a", 1.0), waiting("b", 2.0)
    it.add(first)
    it.add(second)
    it.remove(first)
    assert it.head() is second
    it.add(first)
    assert it.head() is first
    assert it.count == 2


def test_leaving_from_the_middle_is_swept_up(waiting: Build) -> None:
    """Dead entries are dropped when they outnumber the living, so that a line does not grow for ever."""
    it = line()
    first = waiting("first", 0.0)
    it.add(first)
    for number in range(1000):
        call = waiting(f"c{number}", 1.0 + number)
        it.add(call)
        it.remove(call)
    assert it.count == 1
    assert len(it._row) + len(it._early) < 100
    assert [call.call for call in it.calls()] == ["first"]


@pytest.mark.parametrize("seed", range(20))
def test_whoever_leaves_whenever_the_first_is_the_first(waiting: Build, seed: int) -> None:
    """Joining in order, with credit and coming back, leaving from anywhere: the least place is first."""
    draw, it, seat = Random(seed), line(), SeatId("8001")
    timers = TimerQueue()
    here: list[WaitingCall] = []
    for number in range(300):
        kind = draw.random()
        if kind < 0.5 or not here:
            call = waiting(f"c{number}", float(number), draw.choice((0.0, 0.0, 5.0, 400.0)))
            if draw.random() < 0.2:
                call.keep_from(seat, timers.arm(call, "back_off", 1e9))
            here.append(call)
            it.add(call)
        elif kind < 0.8:
            it.remove(here.pop(draw.randrange(len(here))))
        elif kind < 0.9:
            first = min(here, key=lambda call: call.place)
            it.remove(first)
            it.add(first)  # offered in vain
        able = [call for call in here if seat not in call.back_off]
        assert it.first_for(seat) is (min(able, key=lambda call: call.place) if able else None)
        assert it.head() is (min(here, key=lambda call: call.place) if here else None)
        assert it.count == len(here) == len(list(it.calls()))


def test_a_seat_passes_over_calls_it_has_just_let_go_by(waiting: Build) -> None:
    it, seat = line(), SeatId("8001")
    timers = TimerQueue()
    calls = [waiting(name, float(place)) for place, name in enumerate("abc")]
    for call in calls:
        it.add(call)
    for call in calls[:2]:
        call.keep_from(seat, timers.arm(call, "back_off", 10.0))
    assert it.first_for(seat) is calls[2]
    assert it.first_for(SeatId("8002")) is calls[0]
    calls[2].keep_from(seat, timers.arm(calls[2], "back_off", 10.0))
    assert it.first_for(seat) is None
    assert drained(it) == ["a", "b", "c"]


def test_a_seat_kept_from_one_call_is_kept_from_no_other(waiting: Build) -> None:
    first, second, seat = waiting("a"), waiting("b"), SeatId("8001")
    first.keep_from(seat, TimerQueue().arm(first, "back_off", 10.0))
    assert (list(first.back_off), list(second.back_off)) == ([seat], [])
    second.may_have(seat)
    first.may_have(seat)
    assert not first.back_off


def test_an_offer_that_has_ended_rings_no_longer(waiting: Build) -> None:
    call = waiting("a")
    offers = call.ringing = tuple(call.next_offer_id() for _ in range(3))
    call.stop_ringing(offers[1])
    assert call.ringing == (offers[0], offers[2])
    call.stop_ringing(offers[0])
    call.stop_ringing(offers[2])
    assert call.ringing == ()


def test_ids_of_offers_are_numbered(waiting: Build) -> None:
    call = waiting("k3v9")
    assert [call.next_offer_id(), call.next_offer_id()] == ["k3v9.1.1", "k3v9.1.2"]


def test_deadline_goes_to_the_keeper(waiting: Build, keeper: Any) -> None:
    timers = TimerQueue()
    timers.arm(waiting("a"), "wait", 3.0)
    timers.fire_due(3.0)
    assert keeper.due == [("a", "wait", 3.0)]
