"""Seats that are stuck, stale or booked twice: the most frequent wound of all peers (anchors 3.2)."""

from collections.abc import Callable

import pytest

from acd.inputs import (
    OfferFailed,
    PhoneReachable,
    Reconfigured,
    SeatEngaged,
    SignedIn,
    SignedOut,
    TalkEnded,
)
from acd.settings import AcdSettings, PhoneSettings
from kernel.ids import CallId, SeatId
from tests.acd.conftest import Floor, Kit, queue, seat, settings

SHARED = (queue("a"), queue("b"))
ONE = (seat("8001", 0, ("a", "b")),)


def shared(**more: object) -> Floor:
    """Two queues, one seat that serves both."""
    return Floor(settings(SHARED, ONE, **more))  # type: ignore[arg-type]


def without_queue_a() -> AcdSettings:
    return settings((queue("b"),), ONE)


def without_seats() -> AcdSettings:
    return settings(SHARED, ())


def test_two_queues_share_one_seat_with_simultaneous_arrivals() -> None:
    """ASTERISK-16115: two queues ring one member for two callers at once. Here one rings, one waits."""
    floor = shared()
    floor.sign_in("8001")
    floor.join("x", "a")
    floor.join("y", "b")
    assert floor.rings() == [("x", "8001")]
    floor.answer("8001")
    assert floor.rings() == [("x", "8001")]
    floor.end_talk("8001")
    assert floor.rings() == [("x", "8001"), ("y", "8001")]


EXITS: dict[str, Callable[[Floor], None]] = {
    "refused": lambda floor: floor.refuse("8001"),
    "phone failed": lambda floor: floor.do(OfferFailed(floor.offer_of("8001"), 503)),
    "not answered": lambda floor: floor.after(25.0) and None,
    "caller gone": lambda floor: floor.leave("x"),
    "phone lost": lambda floor: floor.do(PhoneReachable("softphone", "8001", False)),
    "forced out": lambda floor: floor.do(SignedOut(SeatId("8001"), forced=True)),
    "forced pause": lambda floor: floor.pause("8001", forced=True),
    "queue removed": lambda floor: floor.do(Reconfigured(without_queue_a())),
    "seat removed": lambda floor: floor.do(Reconfigured(without_seats())) or (floor.after(25.0) and None),
    "a call of its own": lambda floor: (
        floor.do(SeatEngaged(SeatId("8001"), CallId("own"), "dialling")) or (floor.after(25.0) and None)
    ),
}


@pytest.mark.parametrize("way_out", EXITS.values(), ids=EXITS)
def test_a_reservation_ends_on_every_way_out(way_out: Callable[[Floor], None]) -> None:
    """ASTERISK-26133, -26299, -26621, -26862, -27920, freeswitch #2540, #2565, #2575, #1062: members stay
    pending, agents Reserved or Receiving, after some end of a ring. Here no end leaves an offer or a
    reserved seat behind.
    """
    floor = shared()
    floor.sign_in("8001")
    floor.join("x", "a")
    assert floor.state("8001") == "ready reserved"
    way_out(floor)
    assert floor.engine.snapshot(floor.now)["offers"] == {}
    left = floor.engine.seats.get(SeatId("8001"))
    assert left is None or left.offer is None
    assert left is None or left.activity.value != "reserved"
    for offer in floor.offers():
        assert offer.ended_at >= offer.rung_at


def test_the_end_of_a_talk_and_an_arrival_at_one_moment() -> None:
    """ASTERISK-19820, -26399, -26400, -26715, -26975: a member is rung between the end of a call and its
    wrap-up.
    """
    floor = shared(wrap_up=20.0)
    floor.sign_in("8001")
    floor.join("x", "a")
    floor.answer("8001")
    floor.after(10.0)
    floor.join("y", "b")
    floor.end_talk("8001")
    assert (floor.state("8001"), floor.ringing()) == ("wrapup idle", {})
    floor.after(19.99)
    assert floor.ringing() == {}
    floor.after(0.01)
    assert floor.ringing() == {"y": "8001"}


def test_wrap_up_is_of_the_seat_and_not_of_a_queue() -> None:
    """asterisk #1006, ASTERISK-28952: wrap-up ends early, or a stale one holds, where queues share a
    member.
    """
    floor = Floor(settings((queue("a", wrap_up=30.0), queue("b", wrap_up=5.0)), ONE))
    floor.sign_in("8001")
    floor.join("x", "a")
    floor.answer("8001")
    floor.end_talk("8001")
    floor.join("y", "b")
    floor.at(29.99)
    assert floor.ringing() == {}
    floor.at(30.0)
    assert floor.ringing() == {"y": "8001"}
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.seat("8001").wrapup_until == 35.0


def test_a_reload_does_not_forget_when_a_seat_was_last_busy() -> None:
    """asterisk #607: the time of the last call is reset by a reload, and a member is rung in its wrap-up."""
    floor = shared(wrap_up=30.0)
    floor.sign_in("8001")
    floor.join("x", "a")
    floor.answer("8001")
    floor.end_talk("8001")
    floor.at(10.0)
    floor.do(Reconfigured(settings(SHARED, ONE, wrap_up=30.0)))
    floor.join("y", "b")
    floor.at(29.9)
    assert floor.ringing() == {}
    floor.at(30.0)
    assert floor.ringing() == {"y": "8001"}


def test_one_change_is_told_once() -> None:
    """ASTERISK-29355: one change of a member is told several times."""
    floor = shared()
    floor.sign_in("8001")
    floor.events.clear()
    before = len(floor.presences("8001"))
    floor.pause("8001")
    told = [event for event in floor.events if getattr(event, "seat", "") == "8001"]
    assert len(told) == 1
    assert len(floor.presences("8001")) == before + 1


def test_a_seat_that_cannot_be_rung_does_not_stall_those_behind_it(kit: Kit) -> None:
    """freeswitch #1216, #1221: with top-down one unavailable agent holds up all callers."""
    seats = tuple(kit.seat(number) for number in ("8001", "8002", "8003"))
    floor = kit.floor((kit.queue(policy="top-down"),), seats)
    floor.sign_in("8001", "8002", "8003")
    floor.do(PhoneReachable("softphone", "8001", False))
    floor.join("x")
    floor.join("y")
    assert floor.ringing() == {"x": "8002", "y": "8003"}


def test_an_unregistered_phone_is_never_rung_and_shows_it(kit: Kit) -> None:
    """fusionpbx #2831, freeswitch #153, SkypeForBusiness #3847: agents whose phone is gone look available,
    are rung again and again, and the caller pays the ring time.
    """
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.do(PhoneReachable("softphone", "8001", False))
    assert floor.state("8001") == "ready unreachable"
    for number in range(3):
        floor.join(f"c{number}")
    assert floor.rings() == [("c0", "8002")]
    floor.do(PhoneReachable("softphone", "8001", True))
    assert floor.rings() == [("c0", "8002"), ("c1", "8001")]


def test_a_reload_of_the_policy_while_a_seat_rings(kit: Kit) -> None:
    """FS-7569: agents are stuck after the strategy is changed."""
    floor = kit.floor((kit.queue(policy="ring-all"),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.join("x")
    assert sorted(floor.rings()) == [("x", "8001"), ("x", "8002")]
    floor.do(
        Reconfigured(kit.settings((kit.queue(policy="top-down"),), (kit.seat("8001"), kit.seat("8002"))))
    )
    floor.answer("8002")
    floor.end_talk("8002")
    assert (floor.state("8001"), floor.state("8002")) == ("ready idle", "ready idle")
    floor.join("y")
    assert floor.ringing() == {"y": "8001"}


def test_who_is_rung_when_the_longest_wait_is_over_keeps_the_chance(kit: Kit) -> None:
    """FS-10237: a caller is thrown out while an agent is being connected."""
    floor = kit.floor((kit.queue(max_wait=30.0),), (kit.seat("8001"),))
    floor.join("x")
    floor.at(29.0)
    floor.sign_in("8001")
    floor.at(31.0)
    floor.answer("8001")
    assert [row.outcome for row in floor.visits()] == ["answered"]


def test_one_call_in_vain_is_not_offered_to_the_same_seat_at_once_nor_in_a_fast_loop(kit: Kit) -> None:
    """freeswitch #800, FS-10304, FreePBX #40: the same agent is rung again at once, thousands of times an
    hour.
    """
    floor = kit.floor((kit.queue(max_wait=0.0),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("x")
    for _ in range(1000):
        if floor.seat("8001").offer is not None:
            floor.refuse("8001")
        floor.at(min(floor.timers.next_deadline() or 600.0, 600.0))
        if floor.now >= 600.0:
            break
    assert len(floor.rings()) <= 61  # every 10 s at most


def test_idle_time_is_shared_evenly(kit: Kit) -> None:
    """FS-7018, opensips #2974: longest-idle gives some agents many more calls than others."""
    numbers = [f"{8001 + index}" for index in range(7)]
    floor = kit.floor((kit.queue(policy="longest-idle"),), tuple(map(kit.seat, numbers)))
    floor.sign_in(*numbers)
    for number in range(70):
        floor.join(f"c{number}")
        busy = floor.ringing()[f"c{number}"]
        floor.answer(busy)
        floor.after(3.0 + number % 4)
        floor.end_talk(busy)
    assert [floor.seat(number).answered for number in numbers] == [10] * 7


def test_many_wrap_ups_end_each_at_its_own_moment(kit: Kit) -> None:
    """opensips #2679: agents in wrap-up wait for each other in a list."""
    numbers = [f"{8001 + index}" for index in range(5)]
    floor = kit.floor((kit.queue(),), tuple(map(kit.seat, numbers)), wrap_up=30.0)
    floor.sign_in(*numbers)
    for index in range(5):
        floor.join(f"c{index}")
    for index in (3, 0, 4, 1, 2):
        floor.answer(numbers[index])
        floor.after(1.0)
        floor.end_talk(numbers[index])
    assert [floor.seat(number).wrapup_until for number in numbers] == [32.0, 34.0, 35.0, 31.0, 33.0]
    floor.at(31.0)
    assert [floor.state(number) for number in numbers].count("ready idle") == 1
    floor.at(35.0)
    assert [floor.state(number) for number in numbers] == ["ready idle"] * 5


def test_a_refusal_keeps_the_call_in_its_place(kit: Kit) -> None:
    """opensips #2886: a reject by the agent drops the caller."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("x")
    floor.join("y")
    floor.refuse("8001", 603)
    assert floor.visits() == []
    assert [floor.engine.position(CallId(call), floor.now) for call in ("x", "y")] == [1, 2]


def test_who_was_forced_out_signs_in_again(kit: Kit) -> None:
    """kazoo #6608, #6609: an agent that was logged out is logged out for ever."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.sign_out("8001", forced=True)
    assert floor.state("8001") == "offline idle"
    floor.sign_in("8001")
    floor.join("x")
    assert floor.ringing() == {"x": "8001"}


def test_one_call_rings_one_seat_once(kit: Kit) -> None:
    """kazoo #2689: several calls are placed to one agent for one caller."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.join("x")
    floor.at(20.0)
    assert floor.rings() == [("x", "8001")]


def test_one_phone_serves_one_seat(kit: Kit) -> None:
    """kazoo #2463, #2464: agents who share desks crash the queue. A phone is bound by one signed-in seat."""
    shared_phone = (PhoneSettings("extension", "2001"),)
    seats = (kit.seat("8001", phones=shared_phone), kit.seat("8002", phones=shared_phone))
    floor = kit.floor((kit.queue(),), seats)
    floor.sign_in("8001")
    word = floor.refused(SignedIn(SeatId("8002"), "s-8002"))
    assert word == "PHONE_IN_USE"
    floor.sign_out("8001")
    floor.sign_in("8002")
    floor.join("x")
    assert floor.ringing() == {"x": "8002"}


def test_a_caller_who_left_is_not_offered_to_who_signs_in_later(kit: Kit) -> None:
    """kazoo, a known ghost: an agent who logs in later is rung for a caller who is gone."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.join("x")
    floor.leave("x")
    floor.sign_in("8001")
    assert floor.rings() == []


def test_a_call_sent_on_to_another_queue_is_served_there(kit: Kit) -> None:
    """OpenACD PR #77: a call is in limbo after a transfer between queues."""
    floor = kit.floor(
        (kit.queue("a", max_wait=10.0, on_timeout="queue:b"), kit.queue("b")), (kit.seat("8001", 0, ("b",)),)
    )
    floor.sign_in("8001")
    floor.join("x", "a")
    floor.at(10.0)
    assert floor.ringing() == {"x": "8001"}
    floor.answer("8001")
    assert [(row.queue, row.outcome) for row in floor.visits()] == [("a", "overflowed"), ("b", "answered")]


@pytest.mark.parametrize("ring_for", [5.0, 60.0, 90.0])
def test_a_ring_lasts_as_long_as_its_queue_says(kit: Kit, ring_for: float) -> None:
    """OpenACD #29: an offer ends after 60 s whatever is configured."""
    floor = kit.floor((kit.queue(ring_for=ring_for, max_wait=0.0),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("x")
    floor.at(ring_for - 0.01)
    assert floor.offers() == []
    floor.at(ring_for)
    assert [row.outcome for row in floor.offers()] == ["missed"]


def test_the_end_of_a_call_that_is_over_already_changes_nothing(kit: Kit) -> None:
    """freeswitch #1973, #1974: an agent is left Answered by an end that came twice, or not at all."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), wrap_up=30.0)
    floor.sign_in("8001")
    floor.join("x")
    floor.answer("8001")
    floor.end_talk("8001")
    before = floor.engine.snapshot(floor.now)
    floor.do(TalkEnded(SeatId("8001"), CallId("x"), bridged=True))
    assert floor.engine.snapshot(floor.now) == before


def test_some_seats_are_kept_for_who_needs_them(kit: Kit) -> None:
    """FS-7138: agents are to be reserved for some callers."""
    queues = (kit.queue("plain", 0, 2), kit.queue("complaint", 2))
    seats = (kit.seat("8201", 2, ("plain", "complaint")), kit.seat("8202", 2, ("plain", "complaint")))
    floor = kit.floor(queues, seats, hold_back=(0, 0, 1))
    floor.sign_in("8201", "8202")
    floor.join("x", "plain")
    floor.join("y", "plain")
    assert list(floor.ringing()) == ["x"]
    floor.join("z", "complaint")
    assert sorted(floor.ringing()) == ["x", "z"]
