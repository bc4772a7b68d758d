"""Visits and offers: one outcome each, places kept, relaxation, overflow, several rings at once."""

from typing import Any

import pytest

from acd.commands import ReleaseCall
from acd.entry import VISITS_OF_A_CALL_MAX
from acd.inputs import (
    CallLeft,
    OfferAnswered,
    OfferFailed,
    OfferMissed,
    OfferPickedUp,
    OfferRang,
    OfferRefused,
    OfferTaken,
)
from acd.settings import TenantSettings
from kernel.ids import CallId, OfferId, SeatId
from queues.settings import MissedRule, MissedRules, RelaxStep

FREE = MissedRules(no_answer=MissedRule(), refused=MissedRule(), unreachable=MissedRule())


def outcomes(floor: Any) -> list[tuple[str, str, str]]:
    return [(row.visit, row.outcome, row.cause) for row in floor.visits()]


# Entry.


def test_full_queue_refuses(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_waiting=1),), (kit.seat("8001"),))
    floor.join("a")
    floor.join("b")
    assert floor.released() == [ReleaseCall(CallId("b"), "junior", "refused", "full")]
    assert outcomes(floor) == [("b.1", "refused", "full")]
    assert floor.engine.queues["junior"].statistics.total.refused == 1


def test_empty_queue_refuses_where_it_says_so(kit: Any) -> None:
    """Signed in counts, whatever the seat is doing."""
    floor = kit.floor((kit.queue(when_empty="refuse"),), (kit.seat("8001"),))
    floor.join("a")
    assert outcomes(floor) == [("a.1", "refused", "empty")]
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.join("b")
    assert floor.engine.position(CallId("b"), floor.now) == 1
    floor.leave("b")
    floor.sign_out("8001")
    floor.join("c")
    assert outcomes(floor)[-1] == ("c.1", "refused", "empty")


def test_seat_that_cannot_serve_does_not_make_a_queue_staffed(kit: Any) -> None:
    """It names the queue, but its level is outside the range."""
    floor = kit.floor(
        (kit.queue("complaint", 2, when_empty="refuse"),), (kit.seat("8001", 0, ("complaint",)),)
    )
    floor.sign_in("8001")
    floor.join("a", "complaint")
    assert outcomes(floor) == [("a.1", "refused", "empty")]


def test_unknown_queue_and_suspended_tenant_refuse(kit: Any) -> None:
    tenant = TenantSettings("demo", suspended=True)
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), tenant=tenant)
    floor.join("a", "nowhere")
    floor.join("b")
    assert outcomes(floor) == [("a.1", "refused", "no_such_queue"), ("b.1", "refused", "suspended")]
    assert [each.cause for each in floor.released()] == ["no_such_queue", "suspended"]


# Leaving.


@pytest.mark.parametrize("cause", ["abandoned", "withdrawn", "callback", "supervisor"])
def test_leaving_while_waiting(one_seat: Any, cause: str) -> None:
    one_seat.join("a")
    one_seat.at(7.0)
    one_seat.leave("a", cause)
    row = one_seat.visits()[0]
    assert (row.outcome, row.cause) == ("withdrawn" if cause == "supervisor" else cause, cause)
    assert (row.waited, row.within) == (7.0, cause == "abandoned")
    assert one_seat.engine.is_quiet()
    assert one_seat.timers.armed() == []


def test_leaving_while_a_seat_rings(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.join("a")
    one_seat.rang("8001")
    one_seat.at(4.0)
    one_seat.leave("a")
    assert one_seat.withdrawn() == [("a.1.1", "caller_gone")]
    assert outcomes(one_seat) == [("a.1", "abandoned", "ringing")]
    assert one_seat.state("8001") == "ready idle"


def test_leaving_twice_or_never_having_joined_is_nothing(one_seat: Any) -> None:
    one_seat.join("a")
    one_seat.leave("a")
    one_seat.do(CallLeft(CallId("a")))
    one_seat.do(CallLeft(CallId("z")))
    assert len(one_seat.visits()) == 1


def test_visits_of_a_call_are_numbered_over_its_life(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.join("a")
    one_seat.answer("8001")
    one_seat.join("a")
    one_seat.leave("a")
    assert [row.visit for row in one_seat.visits()] == ["a.1", "a.2"]


# Places.


def test_place_is_kept_over_refusal_no_answer_and_failure(kit: Any) -> None:
    queue = kit.queue(missed=FREE, pair_back_off=1.0, max_wait=0.0)
    floor = kit.floor((queue,), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("first")
    floor.at(1.0)
    floor.pause("8001")  # pending
    floor.join("second")
    floor.do(OfferRefused(floor.offer_of("8001"), 486))
    assert floor.engine.position(CallId("first"), floor.now) == 1
    floor.at(3.0)
    floor.ready("8001")
    assert floor.ringing() == {"first": "8001"}
    floor.pause("8001")
    floor.at(28.0)
    floor.at(30.0)
    floor.ready("8001")
    assert floor.ringing() == {"first": "8001"}
    floor.pause("8001")
    floor.do(OfferFailed(floor.offer_of("8001"), 503))
    floor.at(32.0)
    floor.ready("8001")
    assert floor.ringing() == {"first": "8001"}
    assert [row.outcome for row in floor.offers()] == ["refused", "missed", "failed"]


def test_same_pair_waits_10_s_others_do_not(kit: Any) -> None:
    floor = kit.floor((kit.queue(missed=FREE),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001")
    floor.join("a")
    floor.refuse("8001")
    assert floor.ringing() == {}
    floor.at(5.0)
    floor.sign_in("8002")
    assert floor.ringing() == {"a": "8002"}
    floor.refuse("8002")
    floor.at(9.99)
    assert floor.ringing() == {}
    floor.at(10.0)
    assert floor.ringing() == {"a": "8001"}


def test_a_seat_that_backs_off_takes_the_next_call(kit: Any) -> None:
    """The head is not for it just now; the second is."""
    floor = kit.floor((kit.queue(missed=FREE),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.join("b")
    floor.refuse("8001")
    assert floor.ringing() == {"b": "8001"}


def test_credit_is_time_already_waited(kit: Any) -> None:
    floor = kit.floor(
        (kit.queue(), kit.queue("complaint", 0, priority_credit=90.0)),
        (kit.seat("8001", 0, ("junior", "complaint")),),
    )
    for moment, call, name, credit in (
        (0.0, "early", "junior", 0.0),
        (50.0, "complaint", "complaint", 0.0),
        (60.0, "vip", "junior", 61.0),
    ):
        floor.at(moment)
        floor.join(call, name, credit=credit)
    floor.sign_in("8001")
    order = []
    for _ in range(3):
        order.append(next(iter(floor.ringing())))
        floor.answer("8001")
        floor.end_talk("8001")
    assert order == ["complaint", "vip", "early"]
    assert [row.priority_credit for row in floor.visits()] == [90.0, 61.0, 0.0]


def test_priority_aging_never_starves(kit: Any) -> None:
    """Complaints with 90 s of credit arrive each 10 s for one seat; the plain call is served after 90 s.

    The complaint of that moment has the same key; the one who arrived first goes first.
    """
    floor = kit.floor(
        (kit.queue(), kit.queue("complaint", 0, priority_credit=90.0)),
        (kit.seat("8001", 0, ("junior", "complaint")),),
    )
    floor.sign_in("8001")
    floor.join("c0", "complaint")
    floor.answer("8001")
    floor.join("plain")
    for number in range(1, 20):
        floor.at(10.0 * number)
        floor.join(f"c{number}", "complaint")
        floor.end_talk("8001")
        floor.answer("8001")
        if floor.seat("8001").call == "plain":
            break
    assert floor.now == 90.0


# Longest wait.


def test_hang_up_at_the_longest_wait(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_wait=60.0),), (kit.seat("8001"),))
    floor.join("a")
    floor.at(59.99)
    assert floor.released() == []
    floor.at(60.0)
    assert floor.released() == [ReleaseCall(CallId("a"), "junior", "timed_out", "max_wait")]
    assert outcomes(floor) == [("a.1", "timed_out", "max_wait")]


def test_other_targets_are_call_controls(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_wait=5.0, on_timeout="voicemail"),), (kit.seat("8001"),))
    floor.join("a")
    floor.at(5.0)
    assert floor.released()[0].target == "voicemail"
    (visit,) = floor.visits()
    assert (visit.outcome, visit.cause, visit.target) == ("overflowed", "max_wait", "voicemail")


def test_no_longest_wait(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_wait=0.0),), (kit.seat("8001"),))
    floor.join("a")
    assert floor.timers.armed() == []
    floor.at(100_000.0)
    assert floor.engine.position(CallId("a"), floor.now) == 1


def test_a_seat_that_rings_at_the_longest_wait_gets_its_chance(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_wait=60.0),), (kit.seat("8001"), kit.seat("8002")))
    floor.join("a")
    floor.at(50.0)
    floor.sign_in("8001")
    floor.at(70.0)
    floor.sign_in("8002")
    assert floor.ringing() == {"a": "8001"}
    floor.answer("8001")
    assert outcomes(floor) == [("a.1", "answered", "")]


def test_and_if_it_does_not_take_it_the_call_leaves(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_wait=60.0),), (kit.seat("8001"), kit.seat("8002")))
    floor.join("a")
    floor.at(50.0)
    floor.sign_in("8001", "8002")
    floor.at(75.0)
    assert floor.rings() == [("a", "8001")]
    assert outcomes(floor) == [("a.1", "timed_out", "max_wait")]
    assert floor.visits()[0].waited == 75.0


def test_overflow_keeps_place_and_credit(kit: Any) -> None:
    """40 s in the first queue count in the second: the caller stands before one who came there 30 s ago."""
    queues = (
        kit.queue(max_wait=40.0, on_timeout="queue:senior", priority_credit=5.0),
        kit.queue("senior", 2),
    )
    floor = kit.floor(queues, (kit.seat("8016", 2, ("senior",)),))
    floor.join("a")
    floor.at(10.0)
    floor.join("b", "senior")
    floor.at(40.0)
    assert outcomes(floor) == [("a.1", "overflowed", "max_wait")]
    assert floor.released() == []
    assert [floor.engine.position(CallId(call), floor.now) for call in ("a", "b")] == [1, 2]
    floor.at(45.0)
    floor.sign_in("8016")
    assert floor.ringing() == {"a": "8016"}
    floor.answer("8016")
    row = floor.visits()[-1]
    assert (row.visit, row.queue, row.waited, row.priority_credit) == ("a.2", "senior", 5.0, 45.0)
    visit = floor.visits()[0]
    assert (visit.waited, visit.priority_credit) == (40.0, 5.0)


def test_overflow_into_a_full_or_missing_queue_ends_here(kit: Any) -> None:
    queues = (
        kit.queue(max_wait=40.0, on_timeout="queue:senior"),
        kit.queue("senior", 2, max_waiting=1),
        kit.queue("lost", 0, max_wait=40.0, on_timeout="queue:gone"),
    )
    floor = kit.floor(queues, (kit.seat("8001"),))
    floor.join("s", "senior")
    floor.join("a")
    floor.join("b", "lost")
    floor.at(40.0)
    assert outcomes(floor) == [("a.1", "timed_out", "max_wait"), ("b.1", "timed_out", "max_wait")]


def test_overflow_in_a_circle_ends(kit: Any) -> None:
    queues = (
        kit.queue(max_wait=10.0, on_timeout="queue:other"),
        kit.queue("other", max_wait=10.0, on_timeout="queue:junior"),
    )
    floor = kit.floor(queues, (kit.seat("8001"),))
    floor.join("a")
    floor.at(1000.0)
    assert [row.outcome for row in floor.visits()] == ["overflowed"] * (VISITS_OF_A_CALL_MAX - 1) + [
        "timed_out"
    ]
    assert floor.engine.is_quiet()


# Relaxation.


def test_levels_open_with_the_wait(kit: Any) -> None:
    """Intermediate after 20 s, senior after 40 s, each exactly then."""
    relax = (RelaxStep(20.0, highest=1), RelaxStep(40.0, highest=2))
    for level, moment in ((0, 0.0), (1, 20.0), (2, 40.0)):
        floor = kit.floor((kit.queue(relax=relax),), (kit.seat("8001", level),))
        floor.sign_in("8001")
        floor.join("a")
        if moment:
            floor.at(moment - 0.01)
            assert floor.rings() == []
            floor.at(moment)
        assert floor.rings() == [("a", "8001")]


def test_relaxation_goes_on_while_a_seat_rings(kit: Any) -> None:
    """The offer made at 10 s fails at 35 s; the senior whom 30 s have opened is asked at once."""
    relax = (RelaxStep(30.0, highest=2),)
    floor = kit.floor((kit.queue(relax=relax),), (kit.seat("8001"), kit.seat("8016", 2)))
    floor.sign_in("8016")
    floor.join("a")
    floor.at(10.0)
    floor.sign_in("8001")
    floor.at(34.99)
    assert floor.ringing() == {"a": "8001"}
    floor.at(35.0)
    assert floor.ringing() == {"a": "8016"}


def test_skills_relax_but_not_those_the_call_brought(kit: Any) -> None:
    relax = (RelaxStep(10.0, skills=()),)
    seats = (kit.seat("8001"), kit.seat("8002", skills=(("french", 4),)))
    floor = kit.floor((kit.queue(skills=(("typing", 3),), relax=relax),), seats)
    floor.sign_in("8001", "8002")
    floor.join("a")
    floor.join("b", skills=(("french", 4),))
    assert floor.rings() == []
    floor.at(10.0)
    assert floor.ringing() == {"a": "8001", "b": "8002"}


# Offers.


def test_ring_lasts_as_long_as_the_queue_says(kit: Any) -> None:
    floor = kit.floor((kit.queue(ring_for=12.0),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.at(100.0)
    floor.join("a")
    floor.at(111.99)
    assert floor.ringing() == {"a": "8001"}
    floor.at(112.0)
    assert floor.ringing() == {}
    assert floor.withdrawn() == [("a.1.1", "no_answer")]


@pytest.mark.parametrize("late", [OfferRang, OfferAnswered])
def test_what_comes_after_the_end_of_an_offer_is_nothing(one_seat: Any, late: Any) -> None:
    """A 200 that crosses the CANCEL: call control lets go of it, the seat is not touched."""
    one_seat.sign_in("8001")
    one_seat.join("a")
    offer = one_seat.offer_of("8001")
    one_seat.leave("a")
    one_seat.do(late(offer))
    one_seat.do(OfferRefused(offer, 487))
    one_seat.do(OfferFailed(OfferId("z.1.1"), 408))
    assert one_seat.state("8001") == "ready idle"
    assert len(one_seat.offers()) == 1


def test_two_answers_to_one_ring_all(kit: Any) -> None:
    """The first wins; the second comes for a dead offer. The losers have missed nothing (lost race)."""
    seats = tuple(kit.seat(f"800{n}") for n in (1, 2, 3))
    floor = kit.floor((kit.queue(policy="ring-all"),), seats)
    floor.sign_in("8001", "8002", "8003")
    floor.join("a")
    assert floor.rings() == [("a", "8001"), ("a", "8002"), ("a", "8003")]
    second = floor.offer_of("8003")
    floor.at(3.0)
    floor.answer("8002")
    floor.do(OfferAnswered(second))
    assert floor.withdrawn() == [("a.1.1", "answered_elsewhere"), ("a.1.3", "answered_elsewhere")]
    assert [floor.state(f"800{n}") for n in (1, 2, 3)] == ["ready idle", "ready talking", "ready idle"]
    assert floor.seat("8001").misses == {}
    assert [row.outcome for row in floor.visits()] == ["answered"]


def test_ring_all_asks_those_who_come_later_too(kit: Any) -> None:
    floor = kit.floor((kit.queue(policy="ring-all"),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001")
    floor.join("a")
    floor.at(5.0)
    floor.sign_in("8002")
    assert floor.rings() == [("a", "8001"), ("a", "8002")]
    floor.refuse("8001")
    floor.at(30.0)
    assert [row.outcome for row in floor.offers()] == ["refused", "missed"]


def test_ring_progressively_asks_one_seat_more_every_5_seconds(kit: Any) -> None:
    """In the order of the configuration; who rings goes on ringing, until somebody answers."""
    seats = tuple(kit.seat(f"800{n}") for n in (1, 2, 3))
    floor = kit.floor((kit.queue(policy="ring-progressively"),), seats)
    floor.sign_in("8003", "8002", "8001")
    floor.join("a")
    assert floor.rings() == [("a", "8001")]
    floor.at(4.9)
    assert floor.ringing() == {"a": "8001"}
    floor.at(5.0)
    assert floor.rings() == [("a", "8001"), ("a", "8002")]
    floor.at(10.0)
    assert floor.rings()[2:] == [("a", "8003")]
    floor.answer("8002")
    assert floor.withdrawn() == [("a.1.1", "answered_elsewhere"), ("a.1.3", "answered_elsewhere")]
    assert floor.timers.armed() == []


def test_ring_progressively_widens_only_while_somebody_rings(kit: Any) -> None:
    """A minute of waiting for any seat at all does not make all of them ring at once."""
    floor = kit.floor((kit.queue(policy="ring-progressively"),), (kit.seat("8001"), kit.seat("8002")))
    floor.join("a")
    floor.at(60.0)
    floor.sign_in("8001", "8002")
    assert floor.rings() == [("a", "8001")]
    floor.leave("a")
    assert floor.timers.armed() == []


def test_strict_priority_takes_the_free_seat(kit: Any) -> None:
    """However long the others have waited; inside a queue it is first come, first served."""
    queues = (kit.queue("plain"), kit.queue("urgent", priority=1))
    floor = kit.floor(queues, (kit.seat("8001", 0, ("plain", "urgent")),))
    floor.join("old", "plain")
    floor.at(500.0)
    floor.join("new", "urgent")
    floor.sign_in("8001")
    assert floor.rings() == [("new", "8001")]


def test_longest_queue_for_its_weight_is_served_first(kit: Any) -> None:
    """Two that wait at weight 1 against one of weight 3, and then against none of it."""
    queues = tuple(kit.queue(name, policy="fixed-queue-ratio", weight=w) for name, w in (("a", 1), ("b", 3)))
    floor = kit.floor(queues, (kit.seat("8001", 0, ("a", "b")),))
    floor.join("a1", "a")
    floor.join("a2", "a")
    floor.at(9.0)
    floor.join("b1", "b")
    floor.sign_in("8001")
    assert floor.rings() == [("b1", "8001")]
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.rings()[1:] == [("a1", "8001")]


def test_short_calls_of_equal_cost_are_served_first(kit: Any) -> None:
    """c-mu learns from what it sees: queue a takes 100 s a call, b 10 s."""
    queues = (kit.queue("a", policy="c-mu"), kit.queue("b", policy="c-mu"))
    floor = kit.floor(queues, (kit.seat("8001", 0, ("a", "b")),))
    floor.sign_in("8001")
    for name, talk in (("a", 100.0), ("b", 10.0)):
        floor.join(f"{name}0", name)
        floor.answer("8001")
        floor.after(talk)
        floor.end_talk("8001")
    floor.join("busy", "a")
    floor.answer("8001")
    floor.join("a1", "a")
    floor.at(200.0)
    floor.join("b1", "b")
    floor.end_talk("8001")
    assert floor.rings()[-1] == ("b1", "8001")


def test_lost_races_never_pause_a_seat(kit: Any) -> None:
    floor = kit.floor((kit.queue(policy="ring-all"),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    for number in range(5):
        floor.join(f"c{number}")
        floor.after(24.0)
        floor.answer("8002")
        floor.end_talk("8002")
    assert floor.state("8001") == "ready idle"


def test_agent_who_hangs_up_between_answer_and_bridge(one_seat: Any) -> None:
    """The visit was answered; call control may let the caller in again with what it has waited."""
    one_seat.sign_in("8001")
    one_seat.at(30.0)
    one_seat.join("a")
    one_seat.at(40.0)
    one_seat.answer("8001")
    one_seat.end_talk("8001", bridged=False)
    one_seat.pause("8001")
    one_seat.join("other", credit=9.0)
    one_seat.join("a", credit=10.0)
    assert one_seat.engine.position(CallId("a"), one_seat.now) == 1
    assert one_seat.state("8001") == "paused idle"


# The wounds of others.


def test_two_queues_that_share_a_seat_with_simultaneous_arrivals(kit: Any) -> None:
    """One seat, two calls in the same instant: one rings, one waits, nobody rings twice."""
    floor = kit.floor((kit.queue("a"), kit.queue("b")), (kit.seat("8001", 0, ("a", "b")),))
    floor.sign_in("8001")
    floor.join("x", "a")
    floor.join("y", "b")
    assert floor.rings() == [("x", "8001")]
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.rings() == [("x", "8001"), ("y", "8001")]


def test_a_head_that_needs_a_rare_level_does_not_block_the_others(kit: Any) -> None:
    floor = kit.floor(
        (kit.queue(), kit.queue("complaint", 2)), (kit.seat("8001", 0, ("junior", "complaint")),)
    )
    floor.join("rare", "complaint")
    floor.join("skilled", skills=(("klingon", 9),))
    floor.join("plain")
    floor.sign_in("8001")
    assert floor.ringing() == {"plain": "8001"}


def test_wrap_up_counts_across_queues(kit: Any) -> None:
    """In wrap-up for one queue the seat is not offered calls of another."""
    floor = kit.floor((kit.queue("a", wrap_up=20.0), kit.queue("b")), (kit.seat("8001", 0, ("a", "b")),))
    floor.sign_in("8001")
    floor.join("x", "a")
    floor.answer("8001")
    floor.join("y", "b")
    floor.at(10.0)
    floor.end_talk("8001")
    floor.at(29.99)
    assert floor.ringing() == {}
    floor.at(30.0)
    assert floor.ringing() == {"y": "8001"}


def test_a_thousand_seats_take_turns(kit: Any) -> None:
    """Round robin over more seats than fit a remainder of 1000: everyone is offered one call."""
    numbers = [f"{9000 + number}" for number in range(1100)]
    floor = kit.floor((kit.queue(policy="round-robin", max_waiting=0),), tuple(kit.seat(n) for n in numbers))
    floor.engine.check = lambda: None
    floor.sign_in(*numbers)
    for number in range(2200):
        floor.join(f"c{number}")
        seat = floor.rings()[-1][1]
        assert seat == numbers[number % 1100]
        floor.do(OfferAnswered(floor.seat(seat).offer.id))
        floor.end_talk(seat, bridged=False)
        floor.commands.clear()


def test_a_refused_call_is_offered_to_the_next_seat_at_once(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.join("a")
    floor.do(OfferRefused(floor.offer_of("8001"), 480))
    assert floor.ringing() == {"a": "8002"}
    assert floor.seat("8002").offer.call.ringing == ("a.1.2",)
    assert SeatId("8001") in floor.seat("8002").offer.call.back_off


@pytest.mark.parametrize("policy", ["ring-all", "ring-progressively"])
def test_no_more_seats_ring_at_once_than_the_queue_says(kit: Any, policy: str) -> None:
    """KZ: ring_simultaneously N."""
    numbers = ("8001", "8002", "8003", "8004")
    queue = kit.queue(policy=policy, ring_at_most=2, ring_for=60.0)
    floor = kit.floor((queue,), tuple(kit.seat(number) for number in numbers))
    floor.sign_in(*numbers)
    floor.join("a")
    floor.at(30.0)
    assert sorted(seat for _, seat in floor.rings()) == ["8001", "8002"]
    floor.refuse("8001")
    assert len([seat for _, seat in floor.rings()]) == 3
    assert floor.seat("8003").offer is not None


# A phone that has answered and is not bridged yet.


def offer_at(floor: Any, seat: str) -> OfferId:
    return floor.offer_of(seat)  # type: ignore[no-any-return]


def test_a_phone_that_was_picked_up_has_its_own_time_for_the_key(kit: Any) -> None:
    """Picked up at 20 s of 25: 15 s more, then it is missed, and the call rings the next."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001")
    floor.join("a")
    floor.rang("8001")
    floor.at(20.0).do(OfferPickedUp(offer_at(floor, "8001"), 15.0))
    floor.sign_in("8002")
    floor.at(34.9)
    assert floor.ringing() == {"a": "8001"}
    floor.at(35.0)
    assert floor.ringing() == {"a": "8002"}
    assert [(row.seat, row.outcome) for row in floor.offers()] == [("8001", "missed")]
    assert floor.withdrawn() == [("a.1.1", "no_answer")]
    assert floor.counters("8001")["missed"] == 1


def test_a_key_in_time_is_the_answer(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.rang("8001")
    floor.at(20.0).do(OfferPickedUp(offer_at(floor, "8001"), 15.0))
    floor.at(26.0).answer("8001")
    assert [(row.outcome, row.waited) for row in floor.visits()] == [("answered", 26.0)]


def test_who_hangs_up_before_the_bridge_has_missed_it_and_the_call_keeps_its_place(kit: Any) -> None:
    """AGENTDUMP."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.at(1.0).join("b")
    floor.do(OfferTaken(offer_at(floor, "8001"), 300.0))
    floor.at(3.0).do(OfferMissed(offer_at(floor, "8001")))
    assert [(row.outcome, row.seat) for row in floor.offers()] == [("missed", "8001")]
    assert floor.ringing() == {"b": "8001"}  # "a" is backed off from this seat for a while
    assert floor.engine.position(CallId("a"), floor.now) == 1
    floor.do(OfferMissed(OfferId("gone")))
    floor.do(OfferPickedUp(OfferId("gone"), 1.0))
    floor.do(OfferTaken(OfferId("gone"), 1.0))


def test_of_a_ring_all_who_takes_it_first_calls_the_others_off_and_nobody_else_is_asked(kit: Any) -> None:
    """Before the bridge already; and when that one hangs up, all are asked again."""
    seats = tuple(kit.seat(number) for number in ("8001", "8002", "8003"))
    floor = kit.floor((kit.queue(policy="ring-all", pair_back_off=0.0),), seats)
    floor.sign_in("8001", "8002")
    floor.join("a")
    floor.do(OfferTaken(offer_at(floor, "8001"), 300.0))
    assert floor.withdrawn() == [("a.1.2", "answered_elsewhere")]
    floor.sign_in("8003")
    assert [seat for _, seat in floor.rings()] == ["8001", "8002"]
    floor.do(OfferMissed(offer_at(floor, "8001")))
    assert sorted(seat for _, seat in floor.rings()[2:]) == ["8001", "8002", "8003"]
