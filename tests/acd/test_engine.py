"""The face: the whole of a call, views, nothing left behind."""

import gc
from typing import Any, get_args

import pytest

from acd.commands import RingSeat
from acd.events import QueueChanged
from acd.inputs import Input, TalkEnded
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId


def test_every_input_has_its_action(one_seat: Any) -> None:
    assert set(get_args(Input)) == set(one_seat.engine._actions)


def test_a_call_from_join_to_ready(one_seat: Any) -> None:
    floor = one_seat
    floor.sign_in("8001")
    floor.events.clear()
    floor.at(10.0)
    floor.join("a")
    assert floor.commands == [RingSeat("a.1.1", "a", "8001", "junior", "softphone", "8001")]
    assert floor.state("8001") == "ready reserved"
    floor.rang("8001")
    assert floor.state("8001") == "ready ringing"
    floor.at(13.0)
    floor.answer("8001")
    assert floor.state("8001") == "ready talking"
    assert floor.engine.is_quiet()
    floor.at(73.0)
    floor.end_talk("8001")
    assert floor.state("8001") == "wrapup idle"
    floor.at(103.0)
    assert floor.state("8001") == "ready idle"
    assert [each for each in floor.events if isinstance(each, QueueChanged)] == [
        QueueChanged("junior", "joined", "a"),
        QueueChanged("junior", "offered", "a", "", "8001"),
        QueueChanged("junior", "left", "a", "answered", "8001"),
    ]
    assert floor.counters("8001") == {
        "offered": 1,
        "answered": 1,
        "refused": 0,
        "missed": 0,
        "handled": 1,
        "transferred": 0,
        "talked": 60.0,
        "held": 0,
        "wrapped_up": 30.0,
    }
    assert floor.timers.armed() == []


def test_positions_and_waiting(one_seat: Any) -> None:
    for moment, call in ((0.0, "a"), (1.0, "b")):
        one_seat.at(moment)
        one_seat.join(call)
    engine = one_seat.engine
    assert [engine.position(CallId(call), 1.0) for call in ("a", "b", "z")] == [1, 2, None]
    assert engine.waiting(CallId("a")).joined_at == 0.0
    assert engine.waiting(CallId("z")) is None
    assert not engine.is_quiet()


def test_estimate_from_what_calls_take(one_seat: Any) -> None:
    """Five calls of 60 s and 30 s of wrap-up: the next place at one seat is 90 s -/+ 1.28 * 90."""
    floor = one_seat
    floor.sign_in("8001")
    for number in range(5):
        floor.join(f"c{number}")
        floor.answer("8001")
        floor.after(60.0)
        floor.end_talk("8001")
        floor.after(30.0)
    floor.join("busy")
    floor.answer("8001")
    floor.join("a")
    assert floor.engine.estimate(CallId("a"), floor.now) == pytest.approx((0.0, 205.2))
    assert floor.engine.estimate(CallId("z"), floor.now) is None
    floor.end_talk("8001")
    floor.pause("8001")
    assert floor.engine.estimate(CallId("a"), floor.now) is None


def test_seat_object_is_the_one_of_the_api(one_seat: Any) -> None:
    one_seat.at(1.5)
    one_seat.sign_in("8001")
    it = one_seat.engine.seat_object(SeatId("8001"), one_seat.now)
    assert it["phone"] == {"kind": "softphone", "number": "8001", "reachable": True}
    assert (it["seat"], it["tenant"], it["level"], it["queues"]) == ("8001", "demo", "junior", ["junior"])
    assert (it["presence"], it["activity"], it["since"]) == ("ready", "idle", "2027-01-15T08:00:01.500Z")
    assert (it["held"], it["pending"], it["call"], it["reason"]) == (False, "", None, "")
    with pytest.raises(OperationRefused):
        one_seat.engine.seat_object(SeatId("9"), 0.0)


def test_snapshot_shows_queues_and_offers(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.join("a")
    one_seat.join("b")
    it = one_seat.engine.snapshot(one_seat.now)
    assert [each["call"] for each in it["queues"]["junior"]["waiting"]] == ["a", "b"]
    assert it["offers"] == {"a.1.1": {"call": "a", "seat": "8001", "state": "reserved"}}


def test_nothing_is_left_for_the_collector(kit: Any) -> None:
    """A thousand calls of every ending; reference cycles would make collections that stop the switch."""
    floor = kit.floor((kit.queue(max_wait=40.0, pair_back_off=1.0),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.engine.check = lambda: None
    gc.collect()
    gc.disable()
    try:
        for number in range(1000):
            floor.join(f"c{number}")
            offered = [seat for seat in ("8001", "8002") if floor.seat(seat).offer is not None]
            if number % 4 == 0 and offered:
                floor.refuse(offered[0])
            elif number % 4 == 1 and offered:
                floor.answer(offered[0])
                floor.after(3.0)
                floor.end_talk(offered[0])
            elif number % 4 == 2:
                floor.leave(f"c{number}")
            else:
                floor.after(50.0)
                for seat in ("8001", "8002"):
                    if floor.state(seat) == "paused idle":
                        floor.ready(seat)
            floor.commands.clear()
            floor.events.clear()
            floor.rows.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()
    floor.after(100.0)
    assert floor.engine.is_quiet()


def test_one_seed_is_one_history(kit: Any) -> None:
    def play() -> list[object]:
        numbers = [f"800{n}" for n in range(1, 6)]
        floor = kit.floor((kit.queue(policy="random"),), tuple(kit.seat(number) for number in numbers))
        floor.sign_in(*numbers)
        for number in range(40):
            floor.join(f"c{number}")
            floor.after(1.0)
            if number % 3 == 0:
                seat = floor.rings()[-1][1]
                floor.answer(seat)
                floor.after(2.0)
                floor.do(TalkEnded(SeatId(seat), floor.seat(seat).call, True))
        return floor.rows

    assert play() == play()
