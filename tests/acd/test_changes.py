"""New settings under load, and seats from before a restart."""

from random import Random
from typing import Any

import pytest

from acd.commands import ReleaseCall
from acd.engine import Engine
from acd.inputs import ReadyAsked, Reconfigured, SeatRestored, WrapUpExtended
from acd.settings import TenantSettings
from kernel.chance import Chance
from kernel.errors import OperatorError
from kernel.ids import CallId, SeatId
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from queues.settings import RelaxStep

EPOCH = 1_700_000_000.0
S = SeatId("8001")


def restored(presence: str = "ready", **more: Any) -> SeatRestored:
    plain = {
        "agent": "Wang",
        "session": "old",
        "reason": "",
        "since": -50.0,
        "wrapup_until": None,
        "pending": "",
        "phone_kind": "softphone",
        "phone_number": "8001",
    }
    return SeatRestored(S, presence=presence, **{**plain, **more})


def reload(floor: Any, kit: Any, queues: Any, seats: Any, **more: Any) -> None:
    floor.do(Reconfigured(kit.settings(queues, seats, **more)))


def test_same_settings_change_nothing(one_seat: Any, kit: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.join("a")
    one_seat.join("b")
    before = one_seat.engine.snapshot(0.0)
    rows = len(one_seat.rows)
    reload(one_seat, kit, (kit.queue(),), (kit.seat("8001"),), wrap_up=30.0)
    assert one_seat.engine.snapshot(0.0) == before
    assert len(one_seat.rows) == rows
    one_seat.answer("8001")
    one_seat.end_talk("8001")
    assert one_seat.state("8001") == "wrapup idle"


def test_calls_sign_ins_places_and_counters_stay(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001")
    floor.join("x")
    floor.answer("8001")
    for moment, call in ((5.0, "a"), (6.0, "b"), (7.0, "c")):
        floor.at(moment)
        floor.join(call)
    floor.at(10.0)
    reload(floor, kit, (kit.queue(ring_for=9.0, weight=2),), (kit.seat("8002"), kit.seat("8001")))
    assert [floor.engine.position(CallId(call), 10.0) for call in "abc"] == [1, 2, 3]
    assert floor.state("8001") == "ready talking"
    assert floor.engine.queues["junior"].statistics.total.answered == 1
    assert list(floor.engine.seats) == ["8002", "8001"]
    floor.sign_in("8002")
    assert floor.ringing() == {"a": "8002"}
    floor.at(19.0)
    assert floor.ringing() == {"b": "8002"}


def test_calls_of_a_removed_queue_are_handed_back(kit: Any) -> None:
    floor = kit.floor((kit.queue(), kit.queue("old")), (kit.seat("8001", 0, ("junior", "old")),))
    floor.sign_in("8001")
    floor.join("a", "old")
    floor.join("b", "old")
    floor.join("c")
    reload(floor, kit, (kit.queue(),), (kit.seat("8001", 0, ("junior", "old")),))
    assert floor.released() == [
        ReleaseCall(CallId("a"), "old", "withdrawn", "queue_removed"),
        ReleaseCall(CallId("b"), "old", "withdrawn", "queue_removed"),
    ]
    assert floor.withdrawn() == [("a.1.1", "queue_removed")]
    assert floor.ringing() == {"c": "8001"}


def test_removed_seat_leaves_at_once_when_idle(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001")
    reload(floor, kit, (kit.queue(),), (kit.seat("8002"),))
    assert list(floor.engine.seats) == ["8002"]
    assert [each.session for each in floor.kicked()] == ["s-8001"]
    assert floor.presences("8001")[-1].cause == "seat_removed"
    assert floor.timers.armed() == []


def test_removed_seat_finishes_its_talk(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), wrap_up=30.0)
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    reload(floor, kit, (kit.queue(),), (), wrap_up=30.0)
    assert floor.state("8001") == "ready talking"
    floor.end_talk("8001")
    assert list(floor.engine.seats) == []
    assert floor.presences("8001")[-1].presence == "offline"


def test_removed_seat_that_comes_back_in_time_stays(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    reload(floor, kit, (kit.queue(),), ())
    reload(floor, kit, (kit.queue(),), (kit.seat("8001"),))
    floor.end_talk("8001")
    assert floor.state("8001") == "ready idle"


def test_new_level_or_queue_of_a_seat_serves_at_once(kit: Any) -> None:
    floor = kit.floor((kit.queue(), kit.queue("complaint", 2)), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a", "complaint")
    assert floor.rings() == []
    reload(floor, kit, (kit.queue(), kit.queue("complaint", 2)), (kit.seat("8001", 2, ("complaint",)),))
    assert floor.ringing() == {"a": "8001"}


def test_less_held_back_frees_seats_at_once(kit: Any) -> None:
    queues = (kit.queue(highest=2), kit.queue("complaint", 2))
    seats = (kit.seat("8016", 2, ("junior", "complaint")),)
    floor = kit.floor(queues, seats, hold_back=(0, 0, 1))
    floor.sign_in("8016")
    floor.join("a")
    assert floor.rings() == []
    reload(floor, kit, queues, seats, hold_back=(0, 0, 0))
    assert floor.ringing() == {"a": "8016"}


def test_deadlines_follow_the_new_settings(kit: Any) -> None:
    floor = kit.floor((kit.queue(max_wait=600.0),), (kit.seat("8001", 1),))
    floor.sign_in("8001")
    floor.join("a")
    floor.at(50.0)
    relax = (RelaxStep(20.0, highest=1),)
    reload(floor, kit, (kit.queue(max_wait=60.0, relax=relax),), (kit.seat("8001", 1),))
    floor.at(50.0)
    assert floor.ringing() == {"a": "8001"}
    floor.leave("a")
    floor.pause("8001")
    floor.join("b")
    floor.at(110.0)
    assert [row.outcome for row in floor.visits()] == ["abandoned", "timed_out"]


def test_unknown_policy_is_refused_and_changes_nothing(one_seat: Any, kit: Any) -> None:
    with pytest.raises(OperatorError):
        reload(one_seat, kit, (kit.queue(policy="linear"),), ())
    assert list(one_seat.engine.seats) == ["8001"]


def test_suspension_keeps_those_who_work(one_seat: Any, kit: Any) -> None:
    one_seat.sign_in("8001")
    tenant = TenantSettings("demo", suspended=True)
    reload(one_seat, kit, (kit.queue(),), (kit.seat("8001"),), tenant=tenant)
    assert one_seat.state("8001") == "ready idle"


# Restart.


@pytest.mark.parametrize(
    ("what", "state", "reason"),
    [
        (restored(), "ready idle", ""),
        (restored("offline"), "offline idle", ""),
        (restored("paused", reason="rest"), "paused idle", "rest"),
        (restored("forced", reason="coaching"), "paused idle", "coaching"),
        (restored("wrapup", wrapup_until=12.0), "wrapup idle", ""),
        (restored("wrapup", wrapup_until=-1.0), "ready idle", ""),
        (restored("wrapup", wrapup_until=-1.0, pending="paused:rest"), "paused idle", "rest"),
        (restored("wrapup", wrapup_until=-1.0, pending="offline"), "offline idle", ""),
        (restored("ready", pending="paused:rest"), "paused idle", "rest"),
    ],
)
def test_seats_come_back_as_they_were(one_seat: Any, what: SeatRestored, state: str, reason: str) -> None:
    one_seat.do(what)
    assert (one_seat.state("8001"), one_seat.seat("8001").reason) == (state, reason)


def test_remaining_wrap_up_goes_on(one_seat: Any) -> None:
    one_seat.do(restored("wrapup", wrapup_until=12.0, pending="paused:rest"))
    assert one_seat.seat("8001").session == "old"
    one_seat.at(11.99)
    assert one_seat.state("8001") == "wrapup idle"
    one_seat.at(12.0)
    assert (one_seat.state("8001"), one_seat.seat("8001").reason) == ("paused idle", "rest")


def test_the_state_is_as_old_as_it_was(one_seat: Any) -> None:
    """A wrap-up may be extended up to the most of all, counted from its real beginning."""
    one_seat.at(100.0)
    one_seat.do(restored("wrapup", since=40.0, wrapup_until=110.0))
    assert one_seat.seat("8001").since == 40.0
    for _ in range(6):
        one_seat.do(WrapUpExtended(S, 600.0))
    assert one_seat.seat("8001").wrapup_until == 3640.0


def test_forced_pause_is_still_forced(one_seat: Any) -> None:
    one_seat.do(restored("forced", reason="coaching"))
    assert one_seat.refused(ReadyAsked(S)) == "FORCED_PAUSE"


def test_idle_time_is_counted_from_before(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8002")
    floor.do(restored())
    floor.join("a")
    assert floor.ringing() == {"a": "8001"}


def test_restored_seat_that_is_gone_or_signed_in_already_is_left_alone(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.do(restored("paused", reason="rest"))
    assert one_seat.state("8001") == "ready idle"
    one_seat.do(SeatRestored(SeatId("9"), "", "", "ready", "", 0.0, None, "", "", ""))


def test_a_seat_that_nobody_has_signed_in_at_is_offline_since_it_was_configured(kit: Any) -> None:
    """Not since monotonic zero, which is when the machine was started."""
    settings = kit.settings((kit.queue(),), (kit.seat("8001"),))
    walltime = WallTime(EPOCH)
    engine = Engine(settings, TimerQueue(), Chance(Random(1).randbytes), walltime, now=500.0)
    assert engine.seat_object(S, 600.0)["since"] == walltime.text(500.0)
    more = kit.settings((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    engine.handle(Reconfigured(more), 700.0)
    since = [engine.seat_object(SeatId(seat), 800.0)["since"] for seat in ("8001", "8002")]
    assert since == [walltime.text(500.0), walltime.text(700.0)]
