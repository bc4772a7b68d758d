"""Daily limits: so many queue calls a day, in the time zone of the tenant, over restarts and reloads."""

from datetime import timedelta, timezone
from typing import Any

from acd.inputs import Reconfigured
from acd.settings import TenantSettings
from kernel.ids import SeatId

HOUR = 3600.0
MIDNIGHT = 16 * HOUR  # the moment 0 of a floor is 08:00 UTC


def limited(kit: Any, limit: int = 2, **more: Any) -> Any:
    floor = kit.floor((kit.queue(),), (kit.seat("8001", daily_limit=limit),), **more)
    floor.sign_in("8001")
    return floor


def serve(floor: Any, call: str) -> None:
    floor.join(call)
    floor.answer("8001")
    floor.after(60.0)
    floor.end_talk("8001")


def test_a_seat_is_offered_no_more_than_its_calls_of_a_day(kit: Any) -> None:
    floor = limited(kit)
    serve(floor, "a")
    serve(floor, "b")
    floor.join("c")
    assert (floor.ringing(), floor.state("8001")) == ({}, "ready idle")
    assert floor.engine.queues["junior"].waiting
    floor.join("d")
    floor.leave("d")
    tests = floor.engine.explain_seat(SeatId("8001"), floor.now)["tests"]
    failed = [test for test in tests if not test["passed"]]
    assert [(test["test"], test["is"], test["wanted"]) for test in failed] == [
        ("below_daily_limit", 2, "< 2 today")
    ]


def test_the_next_day_begins_at_midnight(kit: Any) -> None:
    floor = limited(kit, 1)
    serve(floor, "a")
    floor.at(MIDNIGHT - 1.0)
    floor.join("b")
    assert floor.ringing() == {}
    floor.at(MIDNIGHT)
    assert floor.ringing() == {"b": "8001"}
    floor.answer("8001")
    floor.end_talk("8001")
    floor.join("c")
    assert floor.ringing() == {}
    floor.at(MIDNIGHT + 24 * HOUR)
    assert floor.timers.armed() == []


def test_midnight_is_where_the_tenant_is(kit: Any) -> None:
    shanghai = TenantSettings("demo", zone=timezone(timedelta(hours=8)))  # 16:00 there
    floor = limited(kit, 1, tenant=shanghai)
    serve(floor, "a")
    floor.at(8 * HOUR - 1.0)
    floor.join("b")
    assert floor.ringing() == {}
    floor.at(8 * HOUR)
    assert floor.ringing() == {"b": "8001"}


def test_rings_in_vain_and_calls_of_its_own_do_not_count(kit: Any) -> None:
    floor = limited(kit, 1)
    floor.join("a")
    floor.refuse("8001")
    floor.after(10.0)
    assert floor.ringing() == {"a": "8001"}


def test_another_limit_counts_at_once(kit: Any) -> None:
    floor = limited(kit, 1)
    serve(floor, "a")
    floor.join("b")
    assert floor.ringing() == {}
    seats = (kit.seat("8001", daily_limit=2),)
    floor.do(Reconfigured(kit.settings((kit.queue(),), seats)))
    assert floor.ringing() == {"b": "8001"}
    floor.answer("8001")
    floor.end_talk("8001")
    floor.join("c")
    assert floor.ringing() == {}
    floor.do(Reconfigured(kit.settings((kit.queue(),), (kit.seat("8001"),))))
    assert floor.ringing() == {"c": "8001"}
    assert not any(timer.name == "midnight" for timer in floor.timers.armed())


def test_a_seat_that_has_had_its_calls_does_not_work_for_who_waits(kit: Any) -> None:
    """Neither estimates nor the ratio count it."""
    floor = limited(kit, 1)
    wanted = floor.seat("8001").classes[0]
    assert wanted.working == 1
    floor.join("a")
    floor.answer("8001")
    assert wanted.working == 0


def test_a_restart_forgets_nothing(kit: Any) -> None:
    floor = limited(kit, 1)
    serve(floor, "a")
    other = kit.floor((kit.queue(),), (kit.seat("8001", daily_limit=1),))
    other.at(HOUR)
    other.engine.recount([*floor.offers(), *floor.visits(), *floor.presences("8001")], other.now)
    other.sign_in("8001")
    other.join("b")
    assert other.ringing() == {}
