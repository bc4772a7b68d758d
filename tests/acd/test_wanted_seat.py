"""One given seat: asked for, or the one that served the caller last; nobody waits behind such a call."""

from typing import Any

import pytest

from acd.commands import ReleaseCall
from acd.inputs import CallerRestored, CallJoined, QueuesPaused, Reconfigured, SeatMoved
from kernel.ids import CallId, QueueName, SeatId
from kernel.rows import CallerSeatRow
from queues.hours import HoursSettings
from queues.settings import EntrySettings, MissedRule, MissedRules, RelaxStep

FREE = MissedRules(no_answer=MissedRule(), refused=MissedRule(), unreachable=MissedRule())
STICKY = EntrySettings(sticky_for=30.0, sticky_memory=3600.0)
QUEUE = QueueName("junior")


def story(floor: Any) -> list[tuple[str, str, str, str]]:
    return [(row.visit, row.outcome, row.cause, row.target) for row in floor.visits()]


def join(floor: Any, call: str, caller: str = "13800000001", seat: str = "") -> None:
    floor.do(CallJoined(CallId(call), QUEUE, caller, seat=seat))


def desk(kit: Any, entry: EntrySettings, **more: Any) -> Any:
    """Two seats, of which 8001 is asked first; both free."""
    queue = kit.queue(entry=entry, missed=FREE, policy="top-down", **more)
    floor = kit.floor((queue,), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    return floor


def served_by_second(kit: Any, entry: EntrySettings = STICKY, **more: Any) -> Any:
    """8002 has served the caller 13800000001; both are free again."""
    floor = desk(kit, entry, **more)
    floor.pause("8001")
    join(floor, "first")
    floor.answer("8002")
    floor.end_talk("8002")
    floor.ready("8001")
    return floor


def keep_busy(floor: Any, number: str) -> None:
    """Let ``number`` talk to somebody else."""
    join(floor, f"with {number}", "somebody", number)
    floor.answer(number)


# The seat that served the caller last.


def test_the_last_seat_is_asked_first(kit: Any) -> None:
    floor = served_by_second(kit)
    join(floor, "again")
    join(floor, "stranger", "13900000002")
    assert floor.ringing() == {"again": "8002", "stranger": "8001"}


def test_it_is_waited_for_while_it_talks_then_anyone_may_have_the_call(kit: Any) -> None:
    floor = served_by_second(kit)
    keep_busy(floor, "8002")
    join(floor, "again")
    assert floor.ringing() == {}
    floor.after(29.9)
    assert floor.ringing() == {}
    floor.after(0.1)
    assert floor.ringing() == {"again": "8001"}


def test_who_waits_for_a_seat_holds_up_nobody(kit: Any) -> None:
    """The first in the queue wants 8002, which talks; who comes later gets 8001 at once."""
    floor = served_by_second(kit)
    keep_busy(floor, "8002")
    join(floor, "again")
    join(floor, "stranger", "13900000002")
    assert floor.engine.position(CallId("again"), floor.now) == 1
    assert floor.ringing() == {"stranger": "8001"}
    assert floor.engine.estimate(CallId("again"), floor.now) is None
    floor.end_talk("8002")
    assert floor.ringing() == {"again": "8002", "stranger": "8001"}


def test_a_seat_that_does_not_take_the_call_again_lets_it_go(kit: Any) -> None:
    floor = served_by_second(kit)
    join(floor, "again")
    floor.refuse("8002")
    assert floor.ringing() == {"again": "8001"}


def test_a_seat_that_has_left_or_rests_is_not_waited_for(kit: Any) -> None:
    floor = served_by_second(kit)
    floor.pause("8002")
    join(floor, "again")
    assert floor.ringing() == {"again": "8001"}
    floor.leave("again")
    floor.ready("8002")
    keep_busy(floor, "8002")
    join(floor, "once more")
    assert floor.ringing() == {}
    floor.sign_out("8002", deferred=True)
    floor.end_talk("8002")
    assert floor.ringing() == {"once more": "8001"}


def test_memory_has_an_age_and_belongs_to_a_number(kit: Any) -> None:
    floor = served_by_second(kit)
    floor.at(3600.1)
    join(floor, "again")
    assert floor.ringing() == {"again": "8001"}


def test_memory_outlives_a_restart(kit: Any) -> None:
    """Its row goes to the store, and comes back as an input."""
    floor = served_by_second(kit)
    (row,) = [each for each in floor.rows if isinstance(each, CallerSeatRow)]
    assert (row.queue, row.number, row.seat) == ("junior", "13800000001", "8002")
    fresh = desk(kit, STICKY)
    fresh.do(CallerRestored(QUEUE, row.number, SeatId(row.seat), row.at))
    join(fresh, "again")
    assert fresh.ringing() == {"again": "8002"}


def test_queues_that_do_not_ask_remember_nothing(kit: Any) -> None:
    floor = served_by_second(kit, EntrySettings())
    assert not [each for each in floor.rows if isinstance(each, CallerSeatRow)]
    join(floor, "again")
    assert floor.ringing() == {"again": "8001"}


def test_steps_go_on_meanwhile(kit: Any) -> None:
    """Intermediates were let in at 20 s; at 30 s, when the call lets go of its seat, that holds at once."""
    queue = kit.queue(entry=STICKY, relax=(RelaxStep(20.0, highest=1),), missed=FREE)
    floor = kit.floor((queue,), (kit.seat("8001"), kit.seat("8011", 1)))
    floor.sign_in("8001")
    join(floor, "first")
    floor.answer("8001")
    join(floor, "again")
    floor.end_talk("8001")
    floor.leave("again")
    keep_busy(floor, "8001")
    floor.sign_in("8011")
    join(floor, "again 2")
    floor.after(29.0)
    assert floor.ringing() == {}
    floor.after(1.0)
    assert floor.ringing() == {"again 2": "8011"}


# A seat that was asked for.


def test_a_caller_waits_for_the_seat_it_asked_for(kit: Any) -> None:
    """Also while that rests: it is signed in. 8001 is free all the time."""
    floor = desk(kit, EntrySettings(seat_wait=60.0))
    floor.pause("8002")
    join(floor, "a", seat="8002")
    floor.after(50.0)
    assert floor.ringing() == {}
    floor.ready("8002")
    assert floor.ringing() == {"a": "8002"}
    floor.refuse("8002")
    assert floor.ringing() == {}
    floor.after(10.0)
    assert floor.ringing() == {"a": "8001"}


def test_its_own_longest_wait_and_its_own_way_out(kit: Any) -> None:
    floor = desk(kit, EntrySettings(seat_wait=60.0, on_seat_wait="number:13900000000"))
    floor.pause("8002")
    join(floor, "a", seat="8002")
    floor.after(60.0)
    assert story(floor) == [("a.1", "overflowed", "seat_wait", "number:13900000000")]
    assert floor.released() == [
        ReleaseCall(CallId("a"), "junior", "overflowed", "seat_wait", "number:13900000000")
    ]


def test_a_seat_that_rings_at_that_moment_gets_its_chance(kit: Any) -> None:
    floor = desk(kit, EntrySettings(seat_wait=20.0, on_seat_wait="hangup"))
    join(floor, "a", seat="8002")
    floor.after(24.0)
    assert floor.ringing() == {"a": "8002"}
    floor.after(1.0)
    assert story(floor) == [("a.1", "timed_out", "seat_wait", "")]


def test_nobody_at_the_seat(kit: Any) -> None:
    """Nobody signed in there: anyone, or the way out, at once; the same when the seat leaves."""
    anyone = desk(kit, EntrySettings())
    anyone.sign_out("8002")
    join(anyone, "a", seat="8002")
    assert anyone.ringing() == {"a": "8001"}
    elsewhere = desk(kit, EntrySettings(on_seat_wait="message:builtin:welcome"))
    elsewhere.sign_out("8002")
    join(elsewhere, "a", seat="8002")
    assert story(elsewhere) == [("a.1", "refused", "seat_away", "message:builtin:welcome")]
    elsewhere.sign_in("8002", presence="paused", reason="rest")
    join(elsewhere, "b", seat="8002")
    elsewhere.sign_out("8002")
    assert story(elsewhere)[1:] == [("b.1", "timed_out", "seat_wait", "message:builtin:welcome")]


def test_a_seat_held_back_for_others_is_there_for_who_asks_for_it(kit: Any) -> None:
    """The only idle senior is kept from juniors' callers, not from its own."""
    queues = (kit.queue(highest=2), kit.queue("complaint", 2))
    floor = kit.floor(queues, (kit.seat("8016", 2, ("junior", "complaint")),), hold_back=(0, 0, 1))
    floor.sign_in("8016")
    join(floor, "plain")
    join(floor, "asks", seat="8016")
    assert floor.ringing() == {"asks": "8016"}


def test_overflow_to_a_seat_waits_there_and_then_ends(kit: Any) -> None:
    """The place is kept; after that seat there is nothing."""
    entry = EntrySettings(seat_wait=15.0)
    floor = desk(kit, entry, max_wait=40.0, on_timeout="seat:8002")
    floor.pause("8001")
    floor.pause("8002")
    join(floor, "a")
    floor.after(40.0)
    assert story(floor) == [("a.1", "overflowed", "max_wait", "seat:8002")]
    floor.ready("8001")
    assert floor.ringing() == {}
    floor.after(15.0)
    assert story(floor)[1:] == [("a.2", "timed_out", "seat_wait", "")]


def test_at_night_one_seat_takes_the_calls(kit: Any) -> None:
    floor = desk(kit, EntrySettings(hours=HoursSettings("never"), on_closed="seat:8002"))
    join(floor, "a")
    assert floor.ringing() == {"a": "8002"}
    assert story(floor) == [("a.1", "overflowed", "closed", "seat:8002")]
    floor.sign_out("8002", forced=True)
    join(floor, "b")
    assert story(floor)[-1] == ("b.1", "refused", "closed", "")


def test_a_reload_that_removes_the_seat_frees_the_call(kit: Any) -> None:
    floor = desk(kit, EntrySettings(seat_wait=600.0))
    floor.pause("8002")
    join(floor, "a", seat="8002")
    queue = kit.queue(entry=EntrySettings(seat_wait=600.0))
    floor.do(Reconfigured(kit.settings((queue,), (kit.seat("8001"),))))
    assert floor.ringing() == {"a": "8001"}
    seats = (kit.seat("8001"), kit.seat("8002"))
    floor.leave("a")
    floor.do(Reconfigured(kit.settings((queue,), seats)))
    floor.sign_in("8002", presence="paused", reason="rest")
    join(floor, "b", seat="8002")
    floor.do(Reconfigured(kit.settings((queue,), seats)))
    assert floor.ringing() == {}
    floor.ready("8002")
    assert floor.ringing() == {"b": "8002"}


def moved(kit: Any, entry: EntrySettings) -> tuple[SeatMoved, ...]:
    return (SeatMoved(SeatId("8002"), ("second",)),)


def paused(kit: Any, entry: EntrySettings) -> tuple[QueuesPaused, ...]:
    return (QueuesPaused(SeatId("8002"), ("junior",), "rest"),)


def removed(kit: Any, entry: EntrySettings) -> tuple[Reconfigured, ...]:
    return (Reconfigured(kit.settings((kit.queue(entry=entry), kit.queue("second")), (kit.seat("8001"),))),)


@pytest.mark.parametrize("away", [moved, paused, removed])
@pytest.mark.parametrize(("entry", "seat"), [(STICKY, ""), (EntrySettings(seat_wait=600.0), "8002")])
def test_a_seat_that_serves_the_queue_no_more_is_not_waited_for(
    kit: Any, entry: EntrySettings, seat: str, away: Any
) -> None:
    """By who was served there, and by who asks for it: not even while it still talks."""
    queues = (kit.queue(entry=entry, missed=FREE, policy="top-down"), kit.queue("second"))
    floor = kit.floor(queues, (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8002")
    join(floor, "first")
    floor.answer("8002")
    for what in away(kit, entry):
        floor.do(what)
    join(floor, "again", seat=seat)
    assert floor.ringing() == {}
    floor.sign_in("8001")
    assert floor.ringing() == {"again": "8001"}


def test_who_asks_for_a_seat_that_has_paused_in_the_queue_finds_it_away(kit: Any) -> None:
    floor = desk(kit, EntrySettings(on_seat_wait="message:builtin:welcome"))
    floor.do(QueuesPaused(SeatId("8002"), ("junior",), "rest"))
    join(floor, "a", seat="8002")
    assert story(floor) == [("a.1", "refused", "seat_away", "message:builtin:welcome")]


def test_a_queue_that_asks_no_more_asks_nobody_first(kit: Any) -> None:
    floor = served_by_second(kit)
    queue = kit.queue(missed=FREE, policy="top-down")
    floor.do(Reconfigured(kit.settings((queue,), (kit.seat("8001"), kit.seat("8002")))))
    join(floor, "again")
    assert floor.ringing() == {"again": "8001"}


def test_a_seat_that_served_a_caller_after_a_while_is_asked_first_the_next_time(kit: Any) -> None:
    """The step that let it have the call is not open yet; one that never opens does not help."""
    for highest, ringing in ((1, {"again": "8011"}), (0, {"again": "8001"})):
        steps = (RelaxStep(20.0, highest=highest),)
        queue = kit.queue(entry=STICKY, relax=steps, missed=FREE)
        floor = kit.floor((queue,), (kit.seat("8001"), kit.seat("8011", 1)))
        floor.do(CallerRestored(QUEUE, "13800000001", SeatId("8011"), floor.walltime.epoch(0.0)))
        floor.sign_in("8001", "8011")
        join(floor, "again")
        assert floor.ringing() == ringing


def test_why_such_a_call_waits(kit: Any) -> None:
    floor = desk(kit, EntrySettings())
    floor.pause("8002")
    join(floor, "a", seat="8002")
    found = floor.engine.explain_call(CallId("a"), floor.now)
    failed = {each["seat"]: [test["test"] for test in each["failed"]] for each in found["seats"]}
    assert failed == {"8001": ["wanted_seat"], "8002": ["presence_ready"]}
