"""Entry rules: hours, full, empty, likely wait; where those go who are turned away; one row per queue."""

from typing import Any

import pytest

from acd.commands import ReleaseCall
from acd.entry import VISITS_OF_A_CALL_MAX
from acd.inputs import KeyChosen, Reconfigured
from kernel.ids import CallId
from queues.hours import HoursSettings, Opening
from queues.settings import EntrySettings, MissedRule, MissedRules

# The moment 0 of a floor is Friday 2027-01-15 08:00 UTC.
MORNING = HoursSettings("morning", week=((Opening(480, 540),),) * 7)  # 08:00-09:00
AFTERNOON = HoursSettings("afternoon", week=((Opening(840, 900),),) * 7)
FREE = MissedRules(no_answer=MissedRule(), refused=MissedRule(), unreachable=MissedRule())


def story(floor: Any) -> list[tuple[str, str, str, str, str]]:
    return [(row.visit, row.queue, row.outcome, row.cause, row.target) for row in floor.visits()]


def entry(**more: Any) -> EntrySettings:
    return EntrySettings(**more)


# Hours.


def test_closed_refuses_and_open_takes(kit: Any) -> None:
    floor = kit.floor((kit.queue(entry=entry(hours=MORNING)),), (kit.seat("8001"),))
    floor.at(3599.9)
    floor.join("a")
    floor.at(3600.0)
    floor.join("b")
    assert story(floor) == [("b.1", "junior", "refused", "closed", "")]
    assert floor.released() == [ReleaseCall(CallId("b"), "junior", "refused", "closed")]
    assert floor.engine.position(CallId("a"), floor.now) == 1  # who waits already stays


def test_closed_leads_to_the_queue_of_the_night(kit: Any) -> None:
    queues = (kit.queue(entry=entry(hours=AFTERNOON, on_closed="queue:night")), kit.queue("night"))
    floor = kit.floor(queues, (kit.seat("8001", 0, ("junior", "night")),))
    floor.sign_in("8001")
    floor.join("a")
    assert floor.ringing() == {"a": "8001"}
    floor.answer("8001")
    assert story(floor) == [
        ("a.1", "junior", "overflowed", "closed", "queue:night"),
        ("a.2", "night", "answered", "", ""),
    ]
    counted = floor.engine.queues["junior"].statistics.total
    assert (counted.overflowed, counted.refused, counted.offered) == (1, 0, 1)


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        ("number:13800000000", "overflowed"),
        ("callback", "callback"),
        ("message:builtin:welcome", "refused"),
    ],
)
def test_targets_of_call_control(kit: Any, target: str, outcome: str) -> None:
    floor = kit.floor((kit.queue(entry=entry(hours=AFTERNOON, on_closed=target)),), (kit.seat("8001"),))
    floor.join("a")
    assert floor.released() == [ReleaseCall(CallId("a"), "junior", outcome, "closed", target)]
    assert story(floor) == [("a.1", "junior", outcome, "closed", target)]


# Full.


def test_full_goes_on_from_queue_to_queue(kit: Any) -> None:
    """Each queue on the way leaves one row; the third has room."""
    queues = (
        kit.queue(max_waiting=1, entry=entry(on_full="queue:second")),
        kit.queue("second", max_waiting=1, entry=entry(on_full="queue:third"), priority_credit=30.0),
        kit.queue("third"),
    )
    floor = kit.floor(queues, (kit.seat("8001"),))
    floor.join("x")
    floor.join("y", "second")
    floor.at(5.0)
    floor.join("a")
    assert story(floor) == [
        ("a.1", "junior", "overflowed", "full", "queue:second"),
        ("a.2", "second", "overflowed", "full", "queue:third"),
    ]
    visit = floor.engine.waiting(CallId("a"))
    assert (visit.visit, visit.queue, visit.credit, visit.joined_at) == ("a.3", "third", 30.0, 5.0)


def test_full_where_the_next_would_hang_up_is_refused_here(kit: Any) -> None:
    queues = (
        kit.queue(max_waiting=1, entry=entry(on_full="queue:second")),
        kit.queue("second", max_waiting=1),
    )
    floor = kit.floor(queues, (kit.seat("8001"),))
    floor.join("x")
    floor.join("y", "second")
    floor.join("a")
    assert story(floor) == [("a.1", "junior", "refused", "full", "")]


def test_two_full_queues_that_point_at_each_other_end(kit: Any) -> None:
    queues = (
        kit.queue(max_waiting=1, entry=entry(on_full="queue:second")),
        kit.queue("second", max_waiting=1, entry=entry(on_full="queue:junior")),
    )
    floor = kit.floor(queues, (kit.seat("8001"),))
    floor.join("x")
    floor.join("y", "second")
    floor.join("a")
    assert len(floor.visits()) == VISITS_OF_A_CALL_MAX
    assert floor.visits()[-1].outcome == "refused"


# Empty.


@pytest.mark.parametrize(
    ("absent", "taken"),
    [((), True), (("paused",), False), (("wrapup",), True), (("talking", "wrapup"), True)],
)
def test_which_states_count_as_absent(kit: Any, absent: tuple[str, ...], taken: bool) -> None:
    """The only seat is paused."""
    floor = kit.floor((kit.queue(when_empty="refuse", entry=entry(absent=absent)),), (kit.seat("8001"),))
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.join("a")
    assert (floor.engine.waiting(CallId("a")) is not None) is taken


def test_absent_by_what_the_phone_does(kit: Any) -> None:
    """Ringing includes being reserved; talking and wrap-up follow the seat from state to state."""
    there = entry(absent=("ringing", "talking", "wrapup"))
    floor = kit.floor((kit.queue(when_empty="refuse", entry=there),), (kit.seat("8001"),), wrap_up=30.0)
    queue = floor.engine.queues["junior"]
    assert queue.present == 0
    floor.sign_in("8001")
    assert queue.present == 1
    floor.join("a")
    assert queue.present == 0
    floor.rang("8001")
    floor.answer("8001")
    assert queue.present == 0
    floor.end_talk("8001")
    assert (floor.state("8001"), queue.present) == ("wrapup idle", 0)
    floor.join("b")
    assert story(floor)[-1] == ("b.1", "junior", "refused", "empty", "")
    floor.after(30.0)
    assert queue.present == 1


def test_who_is_absent_is_counted_anew_after_a_reload(kit: Any) -> None:
    queues, seats = (kit.queue(when_empty="refuse"),), (kit.seat("8001"),)
    floor = kit.floor(queues, seats)
    floor.sign_in("8001", presence="paused", reason="rest")
    changed = (kit.queue(when_empty="refuse", entry=entry(absent=("paused",))),)
    floor.do(Reconfigured(kit.settings(changed, seats)))
    floor.join("a")
    assert story(floor) == [("a.1", "junior", "refused", "empty", "")]
    floor.do(Reconfigured(kit.settings(queues, seats)))
    floor.join("b")
    assert floor.engine.waiting(CallId("b")) is not None


def test_who_waits_where_nobody_is_leaves_after_its_own_time(kit: Any) -> None:
    """Empty from 10 s on: who was there leaves at 70 s; who came at 40 s, at 100 s."""
    rules = entry(max_wait_empty=60.0, on_empty="queue:other")
    floor = kit.floor((kit.queue(entry=rules), kit.queue("other")), (kit.seat("8001", 0, ("junior",)),))
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.join("a")
    floor.at(10.0)
    floor.sign_out("8001")
    floor.at(40.0)
    floor.join("b")
    floor.at(69.9)
    assert story(floor) == []
    floor.at(70.0)
    assert story(floor) == [("a.1", "junior", "overflowed", "empty", "queue:other")]
    floor.at(100.0)
    assert story(floor)[1:] == [("b.1", "junior", "overflowed", "empty", "queue:other")]
    assert [floor.engine.position(CallId(call), floor.now) for call in "ab"] == [1, 2]


def test_who_comes_back_in_time_keeps_those_who_wait(kit: Any) -> None:
    floor = kit.floor((kit.queue(entry=entry(max_wait_empty=60.0), max_wait=0.0),), (kit.seat("8001"),))
    floor.join("a")
    floor.at(59.0)
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.at(100.0)
    assert floor.timers.armed() == []
    floor.sign_out("8001")
    floor.at(159.9)
    assert story(floor) == []
    floor.at(160.0)
    assert story(floor) == [("a.1", "junior", "timed_out", "empty", "")]
    assert floor.timers.armed() == []


def test_a_ringing_seat_gets_its_chance_when_that_time_is_over(kit: Any) -> None:
    rules = entry(absent=("ringing",), max_wait_empty=5.0)
    queue = kit.queue(entry=rules, missed=FREE, pair_back_off=0.0, max_wait=0.0)
    floor = kit.floor((queue,), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.at(20.0)
    assert floor.ringing() == {"a": "8001"}
    floor.at(25.0)
    assert story(floor) == [("a.1", "junior", "timed_out", "empty", "")]
    assert floor.timers.armed() == []


# The likely wait.


def handled(floor: Any, seconds: float) -> None:
    queue = floor.engine.queues["junior"]
    for _ in range(20):
        queue.note_handled(seconds)


def test_deflected_when_even_the_low_end_is_too_long(kit: Any) -> None:
    """One seat of 100 s each: the fourth waits 400 s -/+ 1.28 * 100 * 2, so 144 s at least."""
    queues = (kit.queue(entry=entry(max_estimate=100.0, on_estimate="queue:other")), kit.queue("other"))
    floor = kit.floor(queues, (kit.seat("8001"),))
    floor.sign_in("8001", presence="paused", reason="rest")
    handled(floor, 100.0)
    floor.ready("8001")
    floor.join("talks")
    floor.answer("8001")
    for call in "abcd":
        floor.join(call)
    assert story(floor)[1:] == [("d.1", "junior", "overflowed", "estimate", "queue:other")]
    assert floor.engine.estimate(CallId("c"), floor.now) == pytest.approx((78.3, 521.7), abs=0.1)


def test_a_complaint_is_judged_by_the_place_its_credit_gives_it(kit: Any) -> None:
    floor = kit.floor((kit.queue(entry=entry(max_estimate=100.0)),), (kit.seat("8001"),))
    floor.sign_in("8001")
    handled(floor, 100.0)
    floor.join("talks")
    floor.answer("8001")
    for call in "abc":
        floor.join(call)
    floor.join("vip", credit=60.0)
    assert floor.engine.position(CallId("vip"), floor.now) == 1


def test_never_deflected_while_the_wait_is_unknown(kit: Any) -> None:
    """Nobody at work, or too few calls handled, is no estimate."""
    floor = kit.floor((kit.queue(entry=entry(max_estimate=1.0), max_wait=0.0),), (kit.seat("8001"),))
    for number in range(10):
        floor.join(f"c{number}")
    handled(floor, 100.0)
    floor.join("nobody works")
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.join("somebody rests")
    assert story(floor) == []


# Waiting calls per working seat.


def test_a_ratio_deflects_who_would_be_one_too_many(kit: Any) -> None:
    """One seat talks, one is paused: one works. Two calls for it are allowed, a third is not."""
    rules = entry(max_ratio=2.0, on_ratio="queue:second")
    floor = kit.floor((kit.queue(entry=rules), kit.queue("second")), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.pause("8002")
    floor.join("talks")
    floor.answer("8001")
    floor.join("a")
    floor.join("b")
    assert story(floor)[1:] == []
    floor.join("c")
    assert story(floor)[1:] == [("c.1", "junior", "overflowed", "ratio", "queue:second")]
    floor.ready("8002")  # takes a; 2 seats may have 4
    floor.join("d")
    assert floor.engine.position(CallId("d"), floor.now) == 3


def test_an_empty_queue_takes_one_whoever_works(kit: Any) -> None:
    """Nobody works: the first waits, the second is one too many."""
    floor = kit.floor((kit.queue(entry=entry(max_ratio=5.0)),), (kit.seat("8001"),))
    floor.join("a")
    floor.join("b")
    assert story(floor) == [("b.1", "junior", "refused", "ratio", "")]
    assert floor.engine.position(CallId("a"), floor.now) == 1


# Keys of the telephone.


def floor_with_keys(kit: Any, **more: Any) -> Any:
    keys = (("0", "queue:night"), ("1", "callback"), ("2", "hangup"), ("3", "number:123"), ("4", "seat:8002"))
    queues = (kit.queue(keys=keys, **more), kit.queue("night", max_waiting=1))
    return kit.floor(queues, (kit.seat("8001", 0, ("junior", "night")), kit.seat("8002")))


@pytest.mark.parametrize(
    ("key", "outcome", "target", "led"),
    [
        ("0", "overflowed", "queue:night", False),
        ("2", "withdrawn", "", True),
        ("3", "overflowed", "number:123", True),
    ],
)
def test_a_key_leads_a_waiting_caller_out(
    kit: Any, key: str, outcome: str, target: str, led: bool
) -> None:
    """One outcome with its cause; time and place go along."""
    floor = floor_with_keys(kit)
    floor.join("a")
    floor.at(10.0).do(KeyChosen(CallId("a"), key))
    assert story(floor) == [("a.1", "junior", outcome, f"key:{key}", target)]
    released = [ReleaseCall(CallId("a"), "junior", outcome, f"key:{key}", target)]
    assert floor.released() == (released if led else [])
    visit = floor.engine.waiting(CallId("a"))
    assert (visit is None) is led
    if visit is not None:
        assert (visit.queue, visit.joined_at) == ("night", 0.0)


def test_a_key_while_a_seat_rings_takes_the_ring_back_and_costs_the_seat_nothing(kit: Any) -> None:
    floor = floor_with_keys(kit)
    floor.sign_in("8001")
    floor.join("a")
    floor.rang("8001")
    floor.do(KeyChosen(CallId("a"), "2"))
    assert floor.withdrawn() == [("a.1.1", "key:2")]
    assert floor.state("8001") == "ready idle"
    assert [row.outcome for row in floor.offers()] == ["withdrawn"]
    assert floor.counters("8001")["missed"] == 0


def test_a_key_for_a_callback_keeps_the_place(kit: Any) -> None:
    floor = floor_with_keys(kit)
    floor.join("a", caller="13800000001")
    floor.at(5.0).do(KeyChosen(CallId("a"), "1"))
    assert [(it[2], it[3]) for it in story(floor)] == [("callback", "caller")]


def test_a_key_that_leads_nowhere_just_now_leaves_the_caller_where_it_is(kit: Any) -> None:
    """A full queue, a seat that is not signed in, a withheld number that cannot be called, no key at all."""
    floor = floor_with_keys(kit)
    floor.join("b", "night")
    floor.join("a", caller="anonymous")
    for key in ("0", "4", "1", "9"):
        floor.do(KeyChosen(CallId("a"), key))
    assert story(floor) == []
    assert floor.engine.position(CallId("a"), floor.now) == 1
    floor.do(KeyChosen(CallId("nobody"), "0"))


def test_a_key_for_a_seat_waits_for_that_seat(kit: Any) -> None:
    floor = floor_with_keys(kit)
    floor.sign_in("8002")
    floor.join("b")
    floor.answer("8002")
    floor.join("a")
    floor.do(KeyChosen(CallId("a"), "4"))
    assert story(floor)[-1] == ("a.1", "junior", "overflowed", "key:4", "seat:8002")
    assert floor.engine.waiting(CallId("a")).wanted_seat == "8002"
