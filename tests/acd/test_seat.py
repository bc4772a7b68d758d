"""The two tables of a seat, walked pair by pair, and what follows from them."""

from itertools import product
from typing import Any

import pytest

from acd.seat import (
    ACTIVITY_DROPPED,
    ACTIVITY_MOVES,
    PRESENCE_DROPPED,
    PRESENCE_MOVES,
    Activity,
    Presence,
    Sight,
    Word,
)


def test_every_pair_of_presence_is_decided() -> None:
    assert set(product(Presence, Word)) == PRESENCE_MOVES.keys() | PRESENCE_DROPPED
    assert not PRESENCE_MOVES.keys() & PRESENCE_DROPPED


def test_every_pair_of_activity_is_decided() -> None:
    assert set(product(Activity, Sight)) == ACTIVITY_MOVES.keys() | ACTIVITY_DROPPED
    assert not ACTIVITY_MOVES.keys() & ACTIVITY_DROPPED


def test_every_state_can_be_left_and_reached() -> None:
    for moves, states in ((PRESENCE_MOVES, Presence), (ACTIVITY_MOVES, Activity)):
        assert {before for before, _ in moves} == set(states)
        assert set(moves.values()) == set(states)


def test_free_always_ends_work_and_reserve_needs_idle() -> None:
    for activity in (Activity.RESERVED, Activity.DIALLING, Activity.RINGING, Activity.TALKING):
        assert ACTIVITY_MOVES[(activity, Sight.FREE)] is Activity.IDLE
        assert (activity, Sight.RESERVE) not in ACTIVITY_MOVES
    assert ACTIVITY_MOVES[(Activity.IDLE, Sight.RESERVE)] is Activity.RESERVED


@pytest.mark.parametrize("presence", Presence)
@pytest.mark.parametrize("activity", Activity)
def test_routable_is_ready_and_idle_and_nothing_else(
    kit: Any, presence: Presence, activity: Activity
) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    seat = floor.seat("8001")
    seat.presence, seat.activity = presence, activity
    assert seat.is_routable == (presence is Presence.READY and activity is Activity.IDLE)


def test_seat_shows_what_the_desk_needs(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001", skills=(("english", 5),)),))
    seat = floor.seat("8001")
    assert (seat.number, seat.tenant, seat.level, seat.skills) == ("8001", "demo", 0, {"english": 5})
    assert (seat.presence, seat.reason, seat.activity, seat.held) == ("offline", "", "idle", False)
    assert (seat.phone.kind, seat.phone.number, seat.phone.reachable) == ("softphone", "8001", True)
    assert (seat.queues, seat.call, seat.session, seat.agent, seat.pending) == (("junior",), None, "", "", "")
    assert not any(floor.counters("8001").values())
