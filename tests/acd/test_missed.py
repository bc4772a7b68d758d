"""What a missed offer costs, per cause: rests, automatic pauses, rows that start anew."""

from typing import Any

import pytest

from acd.inputs import OfferFailed, ReadyAsked
from acd.missed import Cause, count_miss, rule_for
from queues.settings import MissedRule, MissedRules


def test_rules_by_cause() -> None:
    rules = MissedRules()
    assert rule_for(rules, Cause.NO_ANSWER) == MissedRule(pause_after=2)
    assert rule_for(rules, Cause.REFUSED) == MissedRule(delay=5.0)
    assert rule_for(rules, Cause.UNREACHABLE) == MissedRule(delay=5.0)


def test_a_row_is_of_one_cause() -> None:
    misses: dict[str, tuple[int, float]] = {}
    rule = MissedRule(pause_after=2)
    assert count_miss(misses, rule, Cause.NO_ANSWER, 0.0) == ""
    assert count_miss(misses, rule, Cause.REFUSED, 1.0) == ""
    assert count_miss(misses, rule, Cause.NO_ANSWER, 2.0) == "pause"
    assert misses == {}


def test_a_rule_may_sign_the_seat_out_instead() -> None:
    misses: dict[str, tuple[int, float]] = {}
    rule = MissedRule(logout_after=2)
    assert [count_miss(misses, rule, Cause.NO_ANSWER, 0.0) for _ in range(3)] == ["", "logout", ""]


def test_what_is_long_ago_is_forgotten() -> None:
    """An hour: a second miss at 59:59 counts with the first, one at 60:00 begins a row."""
    rule = MissedRule(pause_after=2, forget_after=3600.0)
    for second, costs in ((3599.9, "pause"), (3600.0, "")):
        misses: dict[str, tuple[int, float]] = {}
        assert count_miss(misses, rule, Cause.REFUSED, 0.0) == ""
        assert count_miss(misses, rule, Cause.REFUSED, second) == costs


def test_without_a_number_nothing_ever_happens() -> None:
    misses: dict[str, tuple[int, float]] = {}
    assert [count_miss(misses, MissedRule(), Cause.NO_ANSWER, 0.0) for _ in range(50)] == [""] * 50


def test_a_seat_that_misses_too_often_is_signed_out(kit: Any) -> None:
    rules = MissedRules(no_answer=MissedRule(logout_after=2))
    floor = kit.floor((kit.queue(missed=rules, max_wait=0.0),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.rang("8001")
    floor.at(59.9)
    assert floor.state("8001") == "ready reserved"
    floor.at(60.0)
    assert floor.state("8001") == "offline idle"
    assert floor.presences("8001")[-1].cause == "no_answer"


def test_two_rings_without_answer_pause_the_seat(kit: Any) -> None:
    """25 s each, 10 s before the same pair is tried again: paused at 60 s, with the reason."""
    floor = kit.floor((kit.queue(max_wait=0.0),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.rang("8001")
    floor.at(25.0)
    assert floor.state("8001") == "ready idle"
    assert floor.ringing() == {}
    floor.at(35.0)
    assert floor.ringing() == {"a": "8001"}
    floor.at(60.0)
    assert (floor.state("8001"), floor.seat("8001").reason) == ("paused idle", "no_answer")
    assert floor.withdrawn() == [("a.1.1", "no_answer"), ("a.1.2", "no_answer")]
    assert [(row.outcome, row.rang) for row in floor.offers()] == [("missed", 25.0), ("missed", 0.0)]
    assert floor.counters("8001")["missed"] == 2


def test_an_answer_starts_the_row_anew(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_wait=0.0),), (kit.seat("8001"),))
    floor.sign_in("8001")
    for call in ("a", "b"):
        floor.join(call)
        floor.after(35.0)  # missed once, offered again
        floor.answer("8001")
        floor.end_talk("8001")
    assert floor.state("8001") == "ready idle"


def test_a_refusal_rests_the_seat_for_5_s(kit: Any) -> None:
    """Another call may have it after 5 s, the refused one after 10 s."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.at(2.0)
    floor.refuse("8001", 603)
    floor.join("b")
    assert floor.ringing() == {}
    floor.at(6.99)
    assert floor.ringing() == {}
    floor.at(7.0)
    assert floor.ringing() == {"b": "8001"}
    floor.answer("8001")
    floor.end_talk("8001")
    floor.at(11.99)
    assert floor.ringing() == {}
    floor.at(12.0)
    assert floor.ringing() == {"a": "8001"}
    assert (floor.offers()[0].outcome, floor.offers()[0].sip_status) == ("refused", 603)


def test_a_phone_that_fails_rests_the_seat_and_never_pauses_it(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_wait=0.0, pair_back_off=0.0),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    for number in range(1, 6):
        floor.do(OfferFailed(floor.offer_of("8001"), 503))
        floor.at(5.0 * number)
    assert [row.outcome for row in floor.offers()] == ["failed"] * 5
    assert floor.ringing() == {"a": "8001"}


@pytest.mark.parametrize("cause", ["abandoned", "withdrawn"])
def test_a_caller_who_hangs_up_costs_nothing(kit: Any, cause: str) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    since = floor.seat("8001").idle_since
    for number in range(5):
        floor.join(f"c{number}")
        floor.rang("8001")
        floor.after(20.0)
        floor.leave(f"c{number}", cause)
        assert floor.state("8001") == "ready idle"
    assert floor.seat("8001").misses == {}
    assert floor.seat("8001").idle_since == since
    assert {row.outcome for row in floor.offers()} == {"withdrawn"}


def test_the_pause_is_lifted_by_the_person(kit: Any) -> None:
    floor = kit.floor(
        (kit.queue(missed=MissedRules(no_answer=MissedRule(pause_after=1))),), (kit.seat("8001"),)
    )
    floor.sign_in("8001")
    floor.join("a")
    floor.at(25.0)
    assert floor.state("8001") == "paused idle"
    floor.at(40.0)
    floor.do(ReadyAsked(floor.seat("8001").id))
    assert floor.ringing() == {"a": "8001"}


def test_what_was_asked_for_while_ringing_comes_before_the_pause(kit: Any) -> None:
    floor = kit.floor(
        (kit.queue(missed=MissedRules(no_answer=MissedRule(pause_after=1))),), (kit.seat("8001"),)
    )
    floor.sign_in("8001")
    floor.join("a")
    floor.sign_out("8001", deferred=True)
    floor.at(25.0)
    assert floor.state("8001") == "offline idle"


def test_a_miss_soon_after_a_call_does_not_count(kit: Any) -> None:
    """AQ's autopausedelay: who has just hung up may not hear the next ring."""
    rules = MissedRules(no_answer=MissedRule(pause_after=1, grace=30.0))
    queue = kit.queue(missed=rules, ring_for=10.0, pair_back_off=0.0, max_wait=0.0)
    floor = kit.floor((queue,), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    floor.end_talk("8001")
    floor.join("b")
    floor.at(29.9)  # rung in vain until 10, and until 20
    assert (floor.state("8001"), floor.seat("8001").missed) == ("ready reserved", 2)
    floor.at(30.0)
    assert floor.state("8001") == "paused idle"
    assert floor.presences("8001")[-1].reason == "no_answer"


def test_a_refusal_in_the_grace_costs_its_rest_and_nothing_else() -> None:
    misses: dict[str, tuple[int, float]] = {}
    rule = MissedRule(logout_after=1, grace=5.0)
    assert count_miss(misses, rule, Cause.REFUSED, 100.0, 4.9) == ""
    assert misses == {}
    assert count_miss(misses, rule, Cause.REFUSED, 100.0, 5.0) == "logout"
