"""Supervision: seats and waiting calls that a shift leader moves, and calls it picks up."""

from typing import Any

from acd.inputs import (
    CallMoved,
    CallPicked,
    CallPickedUp,
    OfferTaken,
    PhoneReachable,
    ReadyAsked,
    SeatMoved,
    SignedOut,
    SupervisionWanted,
)
from acd.settings import TenantSettings
from kernel.ids import CallId, SeatId
from queues.settings import EntrySettings

S, LEAD = SeatId("8001"), SeatId("8019")


def led(kit: Any, **more: Any) -> Any:
    """One seat, one leader without queues, both signed in."""
    floor = kit.floor((kit.queue(**more),), (kit.seat("8001"), kit.seat("8019", 2, (), role="supervisor")))
    floor.sign_in("8001", "8019")
    return floor


def two_queues(kit: Any, **more: Any) -> Any:
    """Nobody is signed in."""
    queues = (kit.queue(), kit.queue("second", **more))
    return kit.floor(queues, (kit.seat("8001"), kit.seat("8002", queues=("second",))))


# Picking up.


def test_a_ringing_call_rings_at_the_leader_instead(kit: Any) -> None:
    floor = led(kit)
    floor.join("a")
    floor.rang("8001")
    floor.do(CallPickedUp(S, LEAD))
    assert floor.ringing() == {"a": "8019"}
    assert floor.state("8001") == "ready idle"
    assert floor.withdrawn() == [("a.1.1", "picked_up")]
    floor.answer("8019")
    (visit,) = floor.visits()
    assert (visit.outcome, visit.seat) == ("answered", "8019")
    assert floor.seat("8001").misses == {}
    assert [(it.seat, it.policy) for it in floor.offers()] == [
        ("8001", "least-skilled-first"),
        ("8019", "picked"),
    ]


def test_what_is_not_ringing_is_not_picked_up(kit: Any) -> None:
    floor = led(kit)
    assert floor.refused(CallPickedUp(S, LEAD)) == "NOT_RINGING"
    floor.join("a")
    assert floor.refused(CallPickedUp(S, LEAD)) == "NOT_RINGING"  # reserved: its phone has said nothing yet
    floor.rang("8001")
    floor.do(SignedOut(LEAD))
    assert floor.refused(CallPickedUp(S, LEAD)) == "NOT_LOGGED_IN"
    floor.answer("8001")
    assert floor.refused(CallPickedUp(S, LEAD)) == "NOT_RINGING"


def test_a_leader_who_talks_picks_nothing_up(kit: Any) -> None:
    floor = led(kit)
    floor.join("a")
    floor.rang("8001")
    floor.do(CallPickedUp(S, LEAD))
    floor.answer("8019")
    floor.join("b")
    floor.rang("8001")
    assert floor.refused(CallPickedUp(S, LEAD)) == "STATUS_NOT_IDLE"


def test_a_leader_who_does_not_answer_gives_the_call_back_at_its_place(kit: Any) -> None:
    floor = led(kit, pair_back_off=0.0)
    floor.pause("8019")
    floor.join("a")
    floor.rang("8001")
    floor.do(CallPickedUp(S, LEAD))
    floor.join("b")
    assert floor.ringing() == {"a": "8019", "b": "8001"}
    floor.refuse("8019")
    floor.refuse("8001")
    assert floor.state("8019") == "paused idle"
    floor.after(5.0)
    assert floor.ringing() == {"a": "8001"}  # which came first


def test_every_seat_that_rings_for_the_call_is_called_off(kit: Any) -> None:
    seats = (kit.seat("8001"), kit.seat("8002"), kit.seat("8019", 2, (), role="supervisor"))
    floor = kit.floor((kit.queue(policy="ring-all"),), seats)
    floor.sign_in("8001", "8002", "8019")
    floor.join("a")
    floor.rang("8002")
    floor.do(CallPickedUp(SeatId("8002"), LEAD))
    assert floor.ringing() == {"a": "8019"}
    assert (floor.state("8001"), floor.state("8002")) == ("ready idle", "ready idle")


# Picking a call that waits.


def pick(call: str, seat: str = "8019", *, leads: bool = False) -> CallPicked:
    return CallPicked(CallId(call), SeatId(seat), leads)


def test_a_leader_takes_a_waiting_call_out_of_its_order(kit: Any) -> None:
    floor = led(kit)
    floor.pause("8001")
    for call in ("a", "b", "c"):
        floor.after(1.0)
        floor.join(call)
    floor.do(pick("b", leads=True))
    assert floor.ringing() == {"b": "8019"}
    floor.answer("8019")
    (visit,) = floor.visits()
    assert (visit.call, visit.outcome, visit.seat) == ("b", "answered", "8019")
    (offer,) = floor.offers()
    assert (offer.policy, offer.key, offer.eligible, offer.runners_up) == ("picked", "", 1, "")
    floor.ready("8001")
    assert floor.ringing() == {"a": "8001"}


def test_a_picked_call_that_is_not_taken_waits_on_at_its_place(kit: Any) -> None:
    floor = led(kit)
    floor.pause("8001")
    floor.join("a")
    floor.after(1.0)
    floor.join("b")
    floor.do(pick("a", leads=True))
    floor.refuse("8019")
    assert floor.engine.position(CallId("a"), floor.now) == 1
    floor.ready("8001")
    assert floor.ringing() == {"a": "8001"}


def test_a_call_that_rings_elsewhere_is_called_off_there(kit: Any) -> None:
    floor = led(kit)
    floor.join("a")
    floor.rang("8001")
    floor.do(pick("a", leads=True))
    assert (floor.ringing(), floor.withdrawn()) == ({"a": "8019"}, [("a.1.1", "picked_up")])
    assert (floor.state("8001"), floor.seat("8001").misses) == ("ready idle", {})


def test_a_call_that_a_seat_has_taken_is_nobody_elses(kit: Any) -> None:
    """The seat has answered, and is told something before it talks."""
    floor = led(kit)
    floor.join("a")
    floor.rang("8001")
    floor.do(OfferTaken(floor.offer_of("8001"), 10.0))
    assert floor.refused(pick("a", leads=True)) == "BAD_STATE"
    assert floor.refused(CallPickedUp(S, LEAD)) == "NOT_RINGING"
    floor.answer("8001")
    assert floor.refused(pick("a", leads=True)) == "BAD_STATE"


def test_a_seat_picks_calls_of_its_queues_where_they_allow_it(kit: Any) -> None:
    queues = (kit.queue(), kit.queue("open", pick=True), kit.queue("foreign", pick=True))
    floor = kit.floor(queues, (kit.seat("8001", queues=("junior", "open")),))
    floor.sign_in("8001")
    floor.pause("8001")
    for name in ("junior", "open", "foreign"):
        floor.join(f"{name}-1", name)
        floor.join(f"{name}-2", name)
    assert floor.refused(pick("junior-1", "8001")) == "NO_RIGHT"
    assert floor.refused(pick("foreign-1", "8001")) == "NO_RIGHT"
    assert floor.refused(pick("nobody", "8001")) == "BAD_STATE"
    floor.do(pick("open-2", "8001"))  # paused, and yet it may
    assert floor.ringing() == {"open-2": "8001"}
    assert floor.refused(pick("open-1", "8001")) == "STATUS_NOT_IDLE"
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.state("8001") == "paused idle"
    floor.sign_out("8001")
    assert floor.refused(pick("open-1", "8001")) == "NOT_LOGGED_IN"


def test_a_picked_call_rings_at_nobody_else(kit: Any) -> None:
    queue = kit.queue(policy="ring-all", pick=True)
    floor = kit.floor((queue,), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.pause("8001")
    floor.pause("8002")
    floor.join("a")
    floor.do(pick("a", "8001"))
    floor.ready("8002")
    assert floor.ringing() == {"a": "8001"}  # rings at nobody else, though its queue rings at all
    floor.leave("a")
    (visit,) = floor.visits()
    assert (visit.outcome, visit.cause) == ("abandoned", "ringing")


# Moving seats.


def test_a_seat_serves_its_new_queues_at_once(kit: Any) -> None:
    floor = two_queues(kit)
    floor.sign_in("8001")
    floor.join("a", "second")
    assert floor.rings() == []
    floor.do(SeatMoved(S, ("second",)))
    assert floor.ringing() == {"a": "8001"}
    assert (floor.engine.queues["junior"].signed_in, floor.engine.queues["second"].signed_in) == (0, 1)


def test_a_seat_that_talks_is_moved_and_talks_on(kit: Any) -> None:
    floor = two_queues(kit)
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    floor.do(SeatMoved(S, ("second",)))
    assert (floor.state("8001"), floor.seat("8001").call) == ("ready talking", "a")
    floor.join("b")
    floor.end_talk("8001")
    assert floor.ringing() == {}
    floor.join("c", "second")
    assert floor.ringing() == {"c": "8001"}


def test_a_seat_is_moved_to_another_level(kit: Any) -> None:
    floor = kit.floor((kit.queue(), kit.queue("senior", 2)), (kit.seat("8001"),))
    floor.sign_in("8001")
    assert floor.refused(SeatMoved(S, ("senior",))) == "NOT_IN_QUEUE"
    assert floor.refused(SeatMoved(S, ("senior",), "boss")) == "NO_SUCH_TARGET"
    assert floor.refused(SeatMoved(S, ("nowhere",))) == "NO_SUCH_QUEUE"
    assert floor.refused(SeatMoved(S, ())) == "NOT_IN_QUEUE"
    assert floor.refused(SeatMoved(SeatId("9999"), ("junior",))) == "NO_SUCH_SEAT"
    floor.do(SeatMoved(S, ("senior",), "senior"))
    floor.join("a", "senior")
    assert floor.ringing() == {"a": "8001"}


def test_who_waits_for_a_seat_that_is_moved_away_is_anybodys(kit: Any) -> None:
    seats = (kit.seat("8001"), kit.seat("8002"))
    floor = kit.floor((kit.queue(), kit.queue("second")), seats)
    floor.sign_in("8001", "8002")
    floor.pause("8001")
    floor.join("a", seat="8001")
    assert floor.ringing() == {}
    floor.do(SeatMoved(S, ("second",)))
    assert floor.ringing() == {"a": "8002"}


def test_a_seat_that_is_moved_is_counted_where_states_are_absent(kit: Any) -> None:
    entry = EntrySettings(absent=("paused",), max_wait_empty=10.0)
    floor = two_queues(kit, entry=entry)
    floor.sign_in("8002")
    floor.do(SeatMoved(SeatId("8002"), ("junior",)))
    assert floor.engine.queues["second"].present == 0
    floor.do(SeatMoved(SeatId("8002"), ("junior", "second")))
    assert floor.engine.queues["second"].present == 1


# Moving calls.


def test_a_call_waits_in_another_queue_with_its_time_and_its_credit(kit: Any) -> None:
    floor = two_queues(kit, priority_credit=5.0)
    floor.join("a", credit=30.0)
    floor.at(20.0)
    floor.do(CallMoved(CallId("a"), "second"))
    (visit,) = floor.visits()
    assert (visit.outcome, visit.cause, visit.target) == ("overflowed", "moved", "queue:second")
    assert (visit.waited, visit.priority_credit) == (20.0, 30.0)
    call = floor.engine.waiting(CallId("a"))
    assert (call.queue, call.joined_at, call.credit) == ("second", 0.0, 30.0)
    floor.sign_in("8002")
    assert floor.ringing() == {"a": "8002"}


def test_a_call_that_rings_is_moved_away_from_its_seat(kit: Any) -> None:
    floor = two_queues(kit)
    floor.sign_in("8001")
    floor.join("a")
    floor.rang("8001")
    floor.do(CallMoved(CallId("a"), "second"))
    assert (floor.state("8001"), floor.ringing()) == ("ready idle", {})
    assert floor.offers()[-1].outcome == "withdrawn"


def test_a_call_is_put_before_all_others(kit: Any) -> None:
    floor = two_queues(kit)
    for at, call in ((0.0, "a"), (1.0, "b"), (2.0, "c")):
        floor.at(at)
        floor.join(call)
    floor.do(CallMoved(CallId("c"), is_first=True))
    assert floor.engine.position(CallId("c"), floor.now) == 1
    assert floor.visits() == []  # it has not left
    floor.join("d", "second")
    floor.do(CallMoved(CallId("b"), "second", is_first=True))
    assert floor.engine.position(CallId("b"), floor.now) == 1
    floor.sign_in("8001", "8002")
    assert floor.ringing() == {"c": "8001", "b": "8002"}


def order(floor: Any, *calls: str) -> list[int]:
    return [floor.engine.position(CallId(call), floor.now) for call in calls]


def test_a_credit_counts_at_once_and_in_place_of_the_one_before(kit: Any) -> None:
    floor = two_queues(kit)
    for at, call in ((0.0, "a"), (10.0, "b"), (20.0, "c")):
        floor.at(at)
        floor.join(call)
    floor.do(CallMoved(CallId("c"), credit=15.0))  # now as if it had come at 5
    assert order(floor, "a", "b", "c") == [1, 3, 2]
    floor.do(CallMoved(CallId("c"), credit=20.5))  # not 35.5
    assert floor.engine.waiting(CallId("c")).key == -0.5
    assert order(floor, "a", "b", "c") == [2, 3, 1]
    floor.sign_in("8001")
    assert floor.ringing() == {"c": "8001"}
    floor.answer("8001")
    assert floor.visits()[-1].priority_credit == 20.5


def test_a_credit_is_lowered_only_where_that_is_said(kit: Any) -> None:
    """Nothing else makes a caller's credited age less."""
    floor = two_queues(kit)
    floor.join("a", credit=30.0)
    floor.at(5.0)
    floor.join("b")
    assert floor.refused(CallMoved(CallId("a"), credit=29.0)) == "BAD_STATE"
    assert order(floor, "a", "b") == [1, 2]
    floor.do(CallMoved(CallId("a"), credit=0.0, lowers=True))
    assert order(floor, "a", "b") == [1, 2]
    floor.do(CallMoved(CallId("b"), credit=6.0))
    assert order(floor, "a", "b") == [2, 1]


def test_a_call_that_rings_takes_its_new_place_when_it_comes_back(kit: Any) -> None:
    floor = two_queues(kit, pair_back_off=0.0)
    floor.sign_in("8001")
    floor.join("a")
    floor.at(1.0)
    floor.join("b")
    floor.do(CallMoved(CallId("a"), credit=0.0, lowers=True))
    floor.do(CallMoved(CallId("b"), credit=10.0))
    assert floor.ringing() == {"a": "8001"}  # a ring is not taken back for it
    floor.refuse("8001")
    floor.after(5.0)
    assert floor.ringing() == {"b": "8001"}


def test_a_call_that_rings_stands_nowhere_however_its_credit_changes(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001")
    floor.join("a")
    floor.do(CallMoved(CallId("a"), credit=10.0))
    floor.sign_in("8002")
    assert (floor.ringing(), floor.state("8002")) == ({"a": "8001"}, "ready idle")


def test_who_may_be_in_a_conversation(kit: Any) -> None:
    """Of a seat that talks; a leader who is signed in and free, at a phone that is there or at another."""
    floor = led(kit)
    wanted = SupervisionWanted(S, LEAD)
    assert floor.refused(wanted) == "TARGET_NOT_TALKING"
    floor.join("a")
    floor.answer("8001")
    floor.do(wanted)
    floor.do(PhoneReachable("softphone", "8019", False))
    assert floor.refused(wanted) == "PHONE_NOT_REGISTERED"
    floor.do(SupervisionWanted(S, LEAD, has_phone=True))
    floor.do(PhoneReachable("softphone", "8019", True))
    floor.do(wanted)
    floor.do(SignedOut(LEAD))
    assert floor.refused(wanted) == "NOT_LOGGED_IN"
    floor.do(SupervisionWanted(S))


def test_a_credit_goes_along_to_another_queue(kit: Any) -> None:
    floor = two_queues(kit)
    floor.join("x", "second")
    floor.at(3.0)
    floor.join("a")
    floor.do(CallMoved(CallId("a"), "second", credit=4.0))
    assert order(floor, "x", "a") == [2, 1]
    assert floor.visits()[0].priority_credit == 4.0


def test_a_queue_that_takes_nobody_takes_nobody_moved_either(kit: Any) -> None:
    floor = two_queues(kit, when_empty="refuse")
    floor.join("a")
    assert floor.refused(CallMoved(CallId("a"), "second")) == "TARGET_BUSY"
    assert floor.refused(CallMoved(CallId("a"), "nowhere")) == "NO_SUCH_QUEUE"
    assert floor.refused(CallMoved(CallId("a"))) == "BAD_STATE"
    assert floor.refused(CallMoved(CallId("z"), is_first=True)) == "BAD_STATE"


def test_no_call_is_moved_to_another_tenant(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), tenant=TenantSettings("north"))
    floor.join("a")
    assert floor.refused(CallMoved(CallId("a"), "other")) == "NO_SUCH_QUEUE"


def test_a_moved_seat_is_told_of(kit: Any) -> None:
    floor = two_queues(kit)
    floor.sign_in("8001")
    floor.do(SeatMoved(S, ("second",)))
    assert floor.events[-1].cause == "moved"
    assert floor.refused(ReadyAsked(S)) == "ALREADY_READY"
