"""Who is served first and by whom: order, fairness, priorities, rings at several seats (anchors 3.3)."""

import pytest

from acd.inputs import OfferAnswered, PhoneReachable
from kernel.ids import CallId, OfferId, QueueName
from policies.least_skilled_first import LeastSkilledFirst
from tests.acd.conftest import Floor, Kit
from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import Town


def serve(floor: Floor, number: str, talk: float) -> str:
    """Let ``number`` answer, talk and hang up; return the call it had."""
    call = next(call for call, seat in floor.ringing().items() if seat == number)
    floor.answer(number)
    floor.after(talk)
    floor.end_talk(number)
    return call


def test_a_light_queue_is_served_beside_a_heavy_one_that_never_empties(kit: Kit) -> None:
    """asterisk #1561: weight and penalty rules together let the callers of one queue wait for ever."""
    queues = (kit.queue("light", weight=1), kit.queue("heavy", weight=10))
    floor = kit.floor(queues, (kit.seat("8001", 0, ("light", "heavy")),))
    floor.join("poor", "light")
    floor.join("h0", "heavy")
    floor.sign_in("8001")
    served = []
    for number in range(1, 30):
        floor.join(f"h{number}", "heavy")
        served.append(serve(floor, "8001", 10.0))
        if served[-1] == "poor":
            break
    assert served[-1] == "poor"
    assert len(served) <= 12


def test_a_shared_seat_takes_the_longest_wait_of_all_its_queues(kit: Kit) -> None:
    """asterisk #1637, #1640, #1691, #1693, #108, #109: shared members favour one queue whoever waits
    longer.
    """
    names = ("a", "b", "c")
    floor = kit.floor(tuple(map(kit.queue, names)), (kit.seat("8001", 0, names),))
    order = ["c", "a", "b", "b", "a", "c"]
    for index, name in enumerate(order):
        floor.join(f"{index}{name}", name)
        floor.after(1.0)
    floor.sign_in("8001")
    assert [serve(floor, "8001", 5.0) for _ in order] == [
        f"{index}{name}" for index, name in enumerate(order)
    ]


def test_credit_counts_from_the_moment_a_call_joins(kit: Kit) -> None:
    """asterisk #202: a changed priority takes effect at once, or only for who comes later? Credit is given
    at the door and kept; who comes later with more stands before who has less.
    """
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.join("x")
    floor.after(10.0)
    floor.join("vip", credit=60.0)
    assert [floor.engine.position(CallId(call), floor.now) for call in ("vip", "x")] == [1, 2]
    floor.sign_in("8001")
    assert floor.ringing() == {"vip": "8001"}


def test_levels_open_one_after_the_other_at_their_moments(kit: Kit) -> None:
    """asterisk #1901, #1902, #1261, #1702: raised penalties skip levels, or raise members that were none."""
    steps = (kit.RelaxStep(20.0, highest=1), kit.RelaxStep(40.0, highest=2))
    seats = tuple(kit.seat(number, level) for number, level in (("8001", 0), ("8101", 1), ("8201", 2)))
    floor = kit.floor((kit.queue(relax=steps),), seats)
    floor.sign_in("8101", "8201")
    floor.join("x")
    floor.join("y")
    floor.at(19.99)
    assert floor.rings() == []
    floor.at(20.0)
    assert floor.rings() == [("x", "8101")]
    floor.at(40.0)
    assert floor.rings()[1] == ("y", "8201")


def test_who_has_waited_longer_by_credit_is_first(kit: Kit) -> None:
    """freeswitch #2511: callers of a lower score are served before those of a higher one. #1855: mod_fifo
    forgets the order of arrival.
    """
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    brought = {"a": 0.0, "b": 30.0, "c": 10.0, "d": 30.0}
    for call, credit in brought.items():
        floor.join(call, credit=credit)
        floor.after(1.0)
    floor.sign_in("8001")
    assert [serve(floor, "8001", 1.0) for _ in brought] == ["b", "d", "c", "a"]


def test_two_answers_to_one_ring_all_have_one_winner() -> None:
    """asterisk #176, #313: two agents answer at once and both think they have won. The whole switch: two
    200 in the same instant; one talks, the other gets ACK and BYE, and is ready again without a miss.
    """
    world = staffed(Manner(answers_after=2.0), Town(juniors=2, intermediates=0, seniors=0, policy="ring-all"))
    caller = world.trunk.dial(Errand(hangs_up_after=10.0))
    world.run(4.0)
    calls = [phone.calls[0] for phone in world.phones.values()]
    assert sorted(call.state for call in calls) == ["ended", "talking"]
    states = [world.admin.ask("seat.get", {"seat": seat})["activity"] for seat in ("8001", "8002")]
    assert sorted(states) == ["idle", "talking"]
    assert caller.state == "talking"
    world.run(10.0)
    assert sorted(row.outcome for row in world.offer_rows) == ["answered", "withdrawn"]
    settle(world)


def test_losers_of_a_ring_all_hear_once_that_it_was_answered_elsewhere() -> None:
    """asterisk option C, freeswitch LOSE_RACE: a lost race counts as a missed call on the phone. Each loser
    gets one CANCEL with Reason: SIP;cause=200 (RFC 3326).
    """
    world = staffed(
        Manner(answers_after=None), Town(juniors=4, intermediates=0, seniors=0, policy="ring-all")
    )
    world.phones["8003"].manner = Manner(answers_after=2.0, talks_for=3.0)
    seen: list[tuple[str, bool]] = []
    world.network.watchers.append(
        lambda passed: (
            seen.append((passed.destination[0], b"Reason: SIP;cause=200" in passed.data))
            if passed.data.startswith(b"CANCEL")
            else None
        )
    )
    world.trunk.dial(Errand())
    world.run(10.0)
    hosts = sorted(world.phones[seat].address[0] for seat in ("8001", "8002", "8004"))
    assert sorted(seen) == [(host, True) for host in hosts]
    assert [row.outcome for row in world.offer_rows].count("withdrawn") == 3
    settle(world)


def test_ring_all_rings_each_phone_once() -> None:
    """freeswitch #2901: ring-all rings the same contact twice."""
    world = staffed(
        Manner(answers_after=3.0, talks_for=2.0),
        Town(juniors=3, intermediates=0, seniors=0, policy="ring-all"),
    )
    world.trunk.dial(Errand())
    world.run(10.0)
    assert [len(phone.calls) for phone in world.phones.values()] == [1, 1, 1]
    settle(world)


def test_a_seat_that_answers_and_hangs_up_at_once_is_told_of_once() -> None:
    """asterisk #1557: an agent answers and hangs up before the bridge; the others are dropped, AGENTDUMP
    comes twice.
    """
    world = staffed(
        Manner(answers_after=1.0, talks_for=0.0),
        Town(juniors=2, intermediates=0, seniors=0, policy="ring-all"),
    )
    world.trunk.dial(Errand(hangs_up_after=20.0))
    world.run(25.0)
    assert [row.outcome for row in world.visit_rows] == ["answered"]
    assert sorted(row.outcome for row in world.offer_rows) == ["answered", "withdrawn"]
    assert len(world.call_rows) == 1
    settle(world)


def test_a_place_is_kept_from_queue_to_queue(kit: Kit) -> None:
    """SkypeForBusiness #9902: a caller who was sent elsewhere and back stands last. The time waited goes
    along.
    """
    queues = (kit.queue("a", max_wait=30.0, on_timeout="queue:b"), kit.queue("b"))
    floor = kit.floor(queues, (kit.seat("8001", 0, ("b",)),))
    floor.join("x", "a")
    floor.at(20.0)
    floor.join("y", "b")
    floor.at(31.0)
    assert [floor.engine.position(CallId(call), floor.now) for call in ("x", "y")] == [1, 2]


def test_skills_with_a_way_out_in_time(kit: Kit) -> None:
    """cloudspire #49: skills and proficiency, and who may serve when nobody fits for a while."""
    step = kit.RelaxStep(30.0, skills=())
    seats = (kit.seat("8001", skills=(("french", 3),)), kit.seat("8002", skills=(("french", 8),)))
    floor = kit.floor((kit.queue(skills=(("french", 5),), relax=(step,)),), seats)
    floor.sign_in("8001")
    floor.join("x")
    floor.at(29.99)
    assert floor.rings() == []
    floor.at(30.0)
    assert floor.rings() == [("x", "8001")]
    floor.sign_in("8002")
    floor.join("y")
    assert floor.rings()[1] == ("y", "8002")


def test_a_head_that_needs_a_rare_level_holds_nobody_up(kit: Kit) -> None:
    """The peers' model of a queue: its first caller only. Here who can be served is served."""
    floor = kit.floor(
        (kit.queue(), kit.queue("complaint", 2)), (kit.seat("8001", 0, ("junior", "complaint")),)
    )
    floor.join("rare", "complaint")
    floor.after(100.0)
    floor.join("plain")
    floor.sign_in("8001")
    assert floor.ringing() == {"plain": "8001"}


def test_a_policy_of_ones_own_is_two_functions(kit: Kit) -> None:
    """asterisk #685, #686, RestComm #1115: a choice of one's own cannot be plugged in."""

    class LastComesFirst(LeastSkilledFirst):
        name = "last-comes-first"

        def seat_key(self, seat: object) -> tuple[float | str, ...]:
            return (-seat.order, seat.id)  # type: ignore[attr-defined]

    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    for each in floor.engine._board.classes[QueueName("junior")]:
        each.policy = LastComesFirst()
    floor.sign_in("8001", "8002")
    floor.join("x")
    assert floor.ringing() == {"x": "8002"}


@pytest.mark.parametrize("policy", ["round-robin", "longest-idle", "fewest-calls", "least-talk-time"])
def test_seats_that_are_equal_get_equal_shares(kit: Kit, policy: str) -> None:
    """freeswitch FS-7018, opensips #2974: equals get unequal shares, by the order of a container."""
    numbers = [f"{8001 + index}" for index in range(5)]
    floor = kit.floor((kit.queue(policy=policy),), tuple(map(kit.seat, numbers)))
    floor.sign_in(*numbers)
    for number in range(50):
        floor.join(f"c{number}")
        serve(floor, floor.ringing()[f"c{number}"], 10.0)
    assert [floor.seat(number).answered for number in numbers] == [10] * 5


def test_aging_never_starves_who_has_no_credit(kit: Kit) -> None:
    """Wish 1.12-2: priority and wait in one formula. Credit of 90 s is worth 90 s, and no more."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.join("plain")
    floor.at(89.0)
    floor.join("vip1", credit=90.0)
    floor.at(91.0)
    floor.join("vip2", credit=90.0)
    floor.sign_in("8001")
    assert [serve(floor, "8001", 1.0) for _ in range(3)] == ["vip1", "plain", "vip2"]


def test_an_answer_that_comes_too_late_wins_nothing(kit: Kit) -> None:
    """A 200 that crosses our CANCEL: the offer is over, whoever else has the call keeps it."""
    floor = kit.floor((kit.queue(ring_for=10.0),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.join("x")
    late = floor.offer_of("8001")
    floor.at(10.0)
    assert floor.ringing() == {"x": "8002"}
    floor.do(OfferAnswered(OfferId(late)))
    assert floor.ringing() == {"x": "8002"}
    floor.do(PhoneReachable("softphone", "8001", False))
    floor.answer("8002")
    assert [row.seat for row in floor.visits()] == ["8002"]
