"""Rows: a call's whole story, with wall-clock moments and exact durations."""

from typing import Any

from acd.history import key_text
from acd.inputs import PhoneReachable

EPOCH = 1_800_000_000.0


def story(one_seat: Any) -> Any:
    """Joined at 10 s, rings 11-14 s, talks to 74 s, wraps up to 104 s."""
    one_seat.sign_in("8001")
    one_seat.at(10.0)
    one_seat.join("a")
    one_seat.at(11.0)
    one_seat.rang("8001")
    one_seat.at(14.0)
    one_seat.answer("8001")
    one_seat.at(74.0)
    one_seat.end_talk("8001")
    one_seat.at(200.0)
    return one_seat


def test_visit_row(one_seat: Any) -> None:
    row = story(one_seat).visits()[0]
    assert (row.visit, row.call, row.queue, row.seat) == ("a.1", "a", "junior", "8001")
    assert (row.joined_at, row.left_at, row.waited) == (EPOCH + 10.0, EPOCH + 14.0, 4.0)
    assert (row.outcome, row.cause, row.within, row.priority_credit) == ("answered", "", True, 0.0)


def test_offer_row(one_seat: Any) -> None:
    row = story(one_seat).offers()[0]
    assert (row.offer, row.visit, row.seat, row.phone) == ("a.1.1", "a.1", "8001", "softphone:8001")
    assert (row.rung_at, row.ended_at, row.rang) == (EPOCH + 11.0, EPOCH + 14.0, 3.0)
    assert (row.outcome, row.sip_status, row.policy) == ("answered", 200, "least-skilled-first")
    assert (row.key, row.eligible, row.runners_up) == ("0 1 0.000 8001", 1, "")


def test_one_presence_row_per_change(one_seat: Any) -> None:
    rows = [row for row in story(one_seat).presences("8001") if row.cause != "reachable"]
    assert [(row.at - EPOCH, row.presence, row.activity, row.cause, row.call) for row in rows] == [
        (0.0, "ready", "idle", "signed_in", ""),
        (10.0, "ready", "reserved", "offer", "a"),
        (11.0, "ready", "ringing", "ringing", "a"),
        (14.0, "ready", "talking", "answered", "a"),
        (74.0, "wrapup", "idle", "talk_ended", ""),
        (104.0, "ready", "idle", "wrapup_over", ""),
    ]


def test_numbers_of_changes_rise_even_in_one_instant_and_over_a_restart(one_seat: Any) -> None:
    for reachable in (False, True, False, True):
        one_seat.do(PhoneReachable("softphone", "8001", reachable))
    names = [row.change for row in one_seat.presences("8001")]
    assert len(set(names)) == len(names)
    numbers = [int(name.partition(".")[0]) for name in names]
    assert numbers == sorted(numbers)
    assert numbers[0] >= EPOCH * 1000


def test_a_seat_state_for_every_change_that_must_survive(one_seat: Any) -> None:
    rows = story(one_seat).states("8001")
    assert [(row.presence, row.wrapup_until) for row in rows] == [
        ("ready", None),
        ("wrapup", EPOCH + 104.0),
        ("ready", None),
    ]
    one_seat.pause("8001", "coaching", forced=True)
    last = one_seat.states("8001")[-1]
    assert (last.presence, last.reason, last.since, last.session) == (
        "forced",
        "coaching",
        EPOCH + 200.0,
        "s-8001",
    )
    assert (last.phone_kind, last.phone_number) == ("softphone", "8001")


def test_an_offer_that_never_rang_rang_for_nothing(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.at(5.0)
    one_seat.join("a")
    one_seat.at(9.0)
    one_seat.leave("a")
    row = one_seat.offers()[0]
    assert (row.rung_at, row.ended_at, row.rang) == (EPOCH + 5.0, EPOCH + 9.0, 0.0)


def test_threshold_is_inclusive(kit: Any) -> None:
    floor = kit.floor((kit.queue(service_level=20.0),), (kit.seat("8001"),))
    for call in ("a", "b"):
        floor.join(call)
    floor.at(20.0)
    floor.leave("a")
    floor.at(20.01)
    floor.leave("b")
    assert [row.within for row in floor.visits()] == [True, False]


def test_keys_read_as_their_parts() -> None:
    assert key_text((0, 2, 12.5, "8001")) == "0 2 12.500 8001"


def test_without_history_everything_else_is_the_same(kit: Any) -> None:
    """A forecast counts for itself: no rows, no statistics, the same commands."""
    told = []
    for keeps_history in (True, False):
        floor = kit.floor((kit.queue(),), (kit.seat("8001"),), keeps_history=keeps_history)
        story(floor)
        told.append(floor.commands)
    assert told[0] == told[1] != []
    assert floor.rows == []
    assert floor.engine.queues["junior"].statistics.total.offered == 0


def test_places_at_entry_and_at_leaving(kit: Any) -> None:
    """Both belong in the row (AQ writes them with ABANDON and EXITWITHTIMEOUT); who never got in has none."""
    floor = kit.floor((kit.queue(max_waiting=3),), (kit.seat("8001"),))
    for call in "abc":
        floor.join(call)
    floor.join("d")
    floor.leave("a")
    floor.join("vip", credit=60.0)
    floor.leave("c")
    places = {row.call: (row.position, row.position_left) for row in floor.visits()}
    assert places == {"d": (0, 0), "a": (1, 1), "c": (3, 3)}
    floor.leave("b")
    assert (floor.visits()[-1].position, floor.visits()[-1].position_left) == (2, 2)
