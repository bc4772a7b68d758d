"""Pairing: policies over levels, queues and weights; seats held back; nobody left unpaired."""

from typing import Any

import msgspec
import pytest

from acd.inputs import SeatEngaged
from kernel.ids import CallId, SeatId
from kernel.staterows import OfferStateRow
from queues.settings import MissedRule, MissedRules, RelaxStep


def department(kit: Any, hold_back: int = 1, **junior: Any) -> Any:
    """Juniors serve junior; seniors serve junior after 10 s, and complaint."""
    relax = (RelaxStep(10.0, highest=2),)
    return kit.floor(
        (kit.queue(relax=relax, **junior), kit.queue("complaint", 2)),
        (
            kit.seat("8001"),
            kit.seat("8016", 2, ("junior", "complaint")),
            kit.seat("8017", 2, ("junior", "complaint")),
        ),
        hold_back=(0, 0, hold_back),
    )


def test_least_skilled_first_keeps_generalists_free(kit: Any) -> None:
    seats = (
        kit.seat("8016", 2),
        kit.seat("8002", 0, ("junior", "other")),
        kit.seat("8003", skills=(("english", 5),)),
        kit.seat("8001"),
    )
    floor = kit.floor((kit.queue(highest=2), kit.queue("other")), seats)
    floor.sign_in("8016", "8002", "8003", "8001")
    for name in "abcd":
        floor.join(name)
    assert floor.rings() == [("a", "8001"), ("b", "8002"), ("c", "8003"), ("d", "8016")]


def test_longest_idle_between_equals(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002"), kit.seat("8003")))
    for moment, number in ((0.0, "8003"), (1.0, "8001"), (2.0, "8002")):
        floor.at(moment)
        floor.sign_in(number)
    for name in "abc":
        floor.join(name)
    assert [seat for _, seat in floor.rings()] == ["8003", "8001", "8002"]


def test_a_free_seat_takes_the_longest_wait_of_all_its_queues(kit: Any) -> None:
    floor = kit.floor((kit.queue("a"), kit.queue("b")), (kit.seat("8001", 0, ("a", "b")),))
    for moment, call, name in ((0.0, "x", "b"), (1.0, "y", "a"), (2.0, "z", "b")):
        floor.at(moment)
        floor.join(call, name)
    floor.sign_in("8001")
    for _ in range(3):
        floor.answer("8001")
        floor.end_talk("8001")
    assert [call for call, _ in floor.rings()] == ["x", "y", "z"]


def test_weight_of_a_queue(kit: Any) -> None:
    """At 30 s: weight 3 times 12 s is more than 30 s."""
    floor = kit.floor((kit.queue("a"), kit.queue("b", weight=3)), (kit.seat("8001", 0, ("a", "b")),))
    floor.join("x", "a")
    floor.at(18.0)
    floor.join("y", "b")
    floor.at(30.0)
    floor.sign_in("8001")
    assert floor.ringing() == {"y": "8001"}


def test_one_senior_is_kept_for_complaints(kit: Any) -> None:
    """Two seniors idle: one may go to the juniors' queue; the last is kept, and goes to a complaint."""
    floor = department(kit)
    floor.sign_in("8016", "8017")
    floor.join("a")
    floor.join("b")
    floor.at(10.0)
    assert floor.ringing() == {"a": "8016"}
    floor.join("angry", "complaint")
    assert floor.ringing() == {"a": "8016", "angry": "8017"}


def test_a_second_idle_senior_frees_the_first(kit: Any) -> None:
    """The one that is idle longest goes, not the one that came."""
    floor = department(kit)
    floor.sign_in("8016")
    floor.join("a")
    floor.join("b")
    floor.at(20.0)
    assert floor.rings() == []
    floor.sign_in("8017")
    assert floor.rings() == [("a", "8016")]
    floor.answer("8016")
    floor.at(25.0)
    floor.end_talk("8016", bridged=False)
    assert floor.rings() == [("a", "8016"), ("b", "8017")]


def test_a_freed_senior_frees_one_that_alone_can_serve(kit: Any) -> None:
    """8017 does not serve the juniors' queue, but its being idle is why 8016 may."""
    relax = (RelaxStep(10.0, highest=2),)
    floor = kit.floor(
        (kit.queue(relax=relax), kit.queue("complaint", 2)),
        (kit.seat("8016", 2, ("junior", "complaint")), kit.seat("8017", 2, ("complaint",))),
        hold_back=(0, 0, 1),
    )
    floor.sign_in("8016")
    floor.join("a")
    floor.at(15.0)
    assert floor.rings() == []
    floor.sign_in("8017")
    assert floor.ringing() == {"a": "8016"}


def test_a_senior_that_serves_no_complaints_is_not_kept_for_them(kit: Any) -> None:
    floor = kit.floor((kit.queue(highest=2),), (kit.seat("8016", 2),), hold_back=(0, 0, 1))
    floor.sign_in("8016")
    floor.join("a")
    assert floor.ringing() == {"a": "8016"}


def test_held_back_under_a_policy_that_would_take_them_first(kit: Any) -> None:
    floor = department(kit, policy="longest-idle", highest=2)
    floor.sign_in("8016")
    floor.at(5.0)
    floor.sign_in("8001")
    floor.join("a")
    assert floor.ringing() == {"a": "8001"}


def test_two_held_back(kit: Any) -> None:
    floor = department(kit, hold_back=2)
    floor.sign_in("8016", "8017")
    floor.join("a")
    floor.at(30.0)
    assert floor.rings() == []
    floor.join("angry", "complaint")
    assert floor.ringing() == {"angry": "8016"}


def test_a_seat_busy_by_itself_leaves_the_pool(kit: Any) -> None:
    floor = department(kit)
    floor.sign_in("8016", "8017")
    floor.do(SeatEngaged(SeatId("8016"), CallId("own"), "talking"))
    floor.join("a")
    floor.at(30.0)
    assert floor.rings() == []


def test_offer_row_tells_the_choice(kit: Any) -> None:
    """Winner's key, how many were eligible, the next three."""
    numbers = [f"800{n}" for n in range(1, 7)]
    floor = kit.floor((kit.queue(),), tuple(kit.seat(number) for number in numbers))
    for place, number in enumerate(numbers):
        floor.at(float(place))
        floor.sign_in(number)
    floor.join("a")
    floor.leave("a")
    row = floor.offers()[0]
    assert (row.policy, row.key, row.eligible) == ("least-skilled-first", "0 1 0.000 8001", 6)
    assert row.runners_up == "8002 (0 1 1.000 8002), 8003 (0 1 2.000 8003), 8004 (0 1 3.000 8004)"
    kept = next(each for each in floor.rows if isinstance(each, OfferStateRow))
    assert (kept.key, kept.eligible, kept.runners_up) == (row.key, row.eligible, row.runners_up)


def test_eligible_leaves_out_the_held_and_the_backed_off(kit: Any) -> None:
    """Ready are 8001 (just refused this call), 8003, 8004 and 8016 (held back): two are eligible."""
    free = MissedRules(refused=MissedRule())
    floor = kit.floor(
        (kit.queue(relax=(RelaxStep(10.0, highest=2),), missed=free), kit.queue("complaint", 2)),
        (*(kit.seat(f"800{n}") for n in range(1, 5)), kit.seat("8016", 2, ("junior", "complaint"))),
        hold_back=(0, 0, 1),
    )
    floor.join("a")
    floor.at(20.0)
    floor.sign_in("8016", "8001")
    floor.refuse("8001")
    floor.sign_in("8002", "8003", "8004")
    floor.refuse("8002")
    floor.answer("8003")
    row = floor.offers()[-1]
    assert (row.seat, row.eligible, row.runners_up) == ("8003", 2, "8004 (0 1 20.000 8004)")


@pytest.mark.parametrize("policy", ["round-robin", "fewest-calls", "least-talk-time", "top-down", "random"])
def test_every_policy_gives_every_call_a_seat(kit: Any, policy: str) -> None:
    numbers = [f"800{n}" for n in range(1, 6)]
    floor = kit.floor((kit.queue(policy=policy),), tuple(kit.seat(number) for number in numbers))
    floor.sign_in(*numbers)
    for number in range(5):
        floor.join(f"c{number}")
    assert sorted(seat for _, seat in floor.rings()) == numbers


def test_policies_of_two_queues_share_a_seat(kit: Any) -> None:
    floor = kit.floor(
        (kit.queue("a", policy="top-down"), kit.queue("b", policy="longest-idle")),
        (kit.seat("8001", 0, ("a", "b")), kit.seat("8002", 0, ("a", "b"))),
    )
    floor.sign_in("8002")
    floor.at(1.0)
    floor.sign_in("8001")
    floor.join("x", "a")
    assert floor.ringing() == {"x": "8001"}
    floor.leave("x")
    floor.join("y", "b")
    assert floor.ringing() == {"y": "8002"}


@pytest.mark.parametrize("policy", ["longest-idle", "random", "least-skilled-first", "top-down"])
def test_a_preferred_level_comes_first_then_the_nearest(kit: Any, policy: str) -> None:
    """``requires.prefer``: intermediates, then juniors and seniors by the policy, whoever is idle longest."""
    wanted = msgspec.structs.replace(kit.queue(highest=2, policy=policy).requires, preferred=1)
    queue = msgspec.structs.replace(kit.queue(policy=policy), requires=wanted)
    seats = tuple(
        kit.seat(number, level) for number, level in (("8001", 0), ("8101", 1), ("8102", 1), ("8201", 2))
    )
    floor = kit.floor((queue,), seats)
    floor.sign_in("8001", "8201", "8101", "8102")
    for call in ("a", "b", "c", "d"):
        floor.join(call)
    order = [seat for _, seat in floor.rings()]
    assert sorted(order[:2]) == ["8101", "8102"]
    assert sorted(order[2:]) == ["8001", "8201"]
    floor.answer("8101")
    (row,) = floor.offers()
    assert row.key.startswith("0 ")


def test_a_free_seat_takes_its_call_whatever_level_is_preferred(kit: Any) -> None:
    """Nobody of the preferred level is free: who waits is served by whoever becomes free."""
    wanted = msgspec.structs.replace(kit.queue(highest=2).requires, preferred=1)
    queue = msgspec.structs.replace(kit.queue(), requires=wanted)
    floor = kit.floor((queue,), (kit.seat("8001", 0), kit.seat("8101", 1)))
    floor.join("a")
    floor.sign_in("8001")
    assert floor.rings() == [("a", "8001")]


def test_by_rank_in_two_queues_of_one_seat(kit: Any) -> None:
    """The engine asks once for each queue: 8001 is first in one and last in the other."""
    queues = tuple(kit.queue(name, policy="rank-first") for name in ("junior", "second"))
    both = ("junior", "second")
    seats = (
        kit.seat("8001", queues=both, ranks=(("second", 2),)),
        kit.seat("8002", queues=both, ranks=(("junior", 2),)),
    )
    for name, first in (("junior", "8001"), ("second", "8002")):
        floor = kit.floor(queues, seats)
        floor.sign_in("8001", "8002")
        floor.join("a", name)
        assert floor.ringing() == {"a": first}


def test_weighted_random_by_the_shares_of_two_seats(kit: Any) -> None:
    """Two seats, one with three shares of four: it gets three quarters of 400 calls, -/+ 3.5 deviations."""
    seats = (kit.seat("8001"), kit.seat("8002", shares=(("junior", 3),)))
    floor = kit.floor((kit.queue(policy="weighted-random"),), seats)
    floor.sign_in("8001", "8002")
    for number in range(400):
        floor.join(f"c{number}")
        (ringing,) = floor.ringing().values()
        floor.answer(ringing)
        floor.after(1.0)
        floor.end_talk(ringing)
    assert abs(floor.seat("8002").answered - 300) < 3.5 * (400 * 0.75 * 0.25) ** 0.5


def test_fewest_calls_of_one_queue(kit: Any) -> None:
    """8001 has answered more calls in all, 8002 more of this queue."""
    queues = (kit.queue(policy="fewest-calls-in-queue"), kit.queue("other", policy="fewest-calls-in-queue"))
    seats = (kit.seat("8001", queues=("junior", "other")), kit.seat("8002"))
    floor = kit.floor(queues, seats)
    for name, number in (("other", "8001"), ("other", "8001"), ("junior", "8002")):
        floor.sign_in(number)
        floor.after(1.0)
        floor.join(f"{floor.now}", name)
        floor.answer(number)
        floor.end_talk(number)
        floor.sign_out(number)
    floor.sign_in("8001", "8002")
    floor.join("a")
    floor.join("b")
    assert floor.ringing() == {"a": "8001", "b": "8002"}
    floor.leave("a")
    floor.leave("b")
    assert [(row.seat, row.key.split()[0]) for row in floor.offers()][-2:] == [("8001", "0"), ("8002", "1")]
