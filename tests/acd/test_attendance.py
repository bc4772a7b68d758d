"""Every operation on a seat, with every refusal."""

from typing import Any

import msgspec
import pytest

from acd.inputs import (
    AfterCallSet,
    DialWanted,
    PauseAsked,
    PhoneBound,
    PhoneReachable,
    ReadyAsked,
    SeatEngaged,
    SeatHeld,
    SeatRestored,
    SignedIn,
    SignedOut,
    TalkEnded,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.settings import PhoneSettings, TenantSettings
from kernel.ids import CallId, SeatId
from queues.hours import HoursSettings, Opening

S, OWN = SeatId("8001"), CallId("own")


@pytest.fixture
def talking(one_seat: Any) -> Any:
    """Seat 8001 has been talking with call a since 0 s."""
    one_seat.sign_in("8001")
    one_seat.join("a")
    one_seat.answer("8001")
    return one_seat


@pytest.fixture
def wrapping(talking: Any) -> Any:
    """Seat 8001 has been in wrap-up since 10 s, until 40 s."""
    talking.at(10.0)
    talking.end_talk("8001")
    return talking


# Signing in.


def test_sign_in_ready_or_paused(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.do(SignedIn(S, "session", agent="Wang"))
    floor.sign_in("8002", presence="paused", reason="rest")
    assert floor.state("8001") == "ready idle"
    assert (floor.seat("8001").session, floor.seat("8001").agent) == ("session", "Wang")
    assert (floor.state("8002"), floor.seat("8002").reason) == ("paused idle", "rest")


@pytest.mark.parametrize(
    ("what", "word"),
    [
        (SignedIn(SeatId("9999"), "s"), "NO_SUCH_SEAT"),
        (SignedIn(S, "s", presence="paused", reason="golf"), "BAD_PAUSE"),
        (SignedIn(S, "s", presence="talking"), "BAD_STATE"),
        (SignedIn(S, "s", "pstn", "139"), "PHONE_NOT_REGISTERED"),
        (ReadyAsked(S), "NOT_LOGGED_IN"),
        (PauseAsked(S, "rest"), "NOT_LOGGED_IN"),
        (PhoneBound(S, "softphone", ""), "NOT_LOGGED_IN"),
        (WrapUpEnded(S), "NOT_LOGGED_IN"),
        (WrapUpExtended(S, 60.0), "NOT_LOGGED_IN"),
        (SignedOut(S), "NOT_LOGGED_IN"),
        (SignedOut(SeatId("9999")), "NO_SUCH_SEAT"),
    ],
)
def test_refusals_of_a_seat_nobody_works_at(one_seat: Any, what: Any, word: str) -> None:
    assert one_seat.refused(what) == word


def test_not_in_queue_but_a_supervisor_may(kit: Any) -> None:
    floor = kit.floor(
        (kit.queue(),),
        (
            kit.seat("8001", queues=()),
            kit.seat("8002", queues=("gone",)),
            kit.seat("8019", queues=(), role="supervisor"),
        ),
    )
    assert floor.refused(SignedIn(S, "s")) == "NOT_IN_QUEUE"
    assert floor.refused(SignedIn(SeatId("8002"), "s")) == "NOT_IN_QUEUE"
    floor.sign_in("8019")
    assert floor.state("8019") == "ready idle"


def test_quota_counts_sign_ins_and_not_kick_outs(kit: Any) -> None:
    floor = kit.floor(
        (kit.queue(),),
        tuple(kit.seat(f"800{n}") for n in (1, 2, 3)),
        tenant=TenantSettings("demo", seat_quota=2),
    )
    floor.sign_in("8001", "8002")
    assert floor.refused(SignedIn(SeatId("8003"), "s")) == "QUOTA"
    floor.do(SignedIn(S, "other"))
    floor.sign_out("8002")
    floor.sign_in("8003")
    assert floor.state("8003") == "ready idle"


def test_suspended_tenant(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), tenant=TenantSettings("demo", suspended=True))
    assert floor.refused(SignedIn(S, "s")) == "TENANT_SUSPENDED"


def test_second_sign_in_kicks_the_older_session_out_and_keeps_the_state(talking: Any) -> None:
    talking.pause("8001", "rest")
    talking.do(SignedIn(S, "newer", presence="paused", reason="meeting", agent="Li"))
    assert [(each.seat, each.session) for each in talking.kicked()] == [("8001", "s-8001")]
    seat = talking.seat("8001")
    assert (talking.state("8001"), seat.call, seat.pending) == ("ready talking", "a", "paused:rest")
    assert (seat.session, seat.agent) == ("newer", "Li")


def test_same_session_again_kicks_nobody(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.sign_in("8001")
    assert one_seat.kicked() == []


def test_sign_in_with_a_phone_out_of_reach_is_allowed(kit: Any) -> None:
    phones = (PhoneSettings("softphone", ""), PhoneSettings("pstn", "138"))
    floor = kit.floor((kit.queue(),), (kit.seat("8001", phones=phones),))
    floor.do(PhoneReachable("softphone", "8001", False))
    floor.sign_in("8001")
    assert floor.state("8001") == "ready unreachable"
    floor.do(PhoneBound(S, "pstn", "138"))
    assert floor.state("8001") == "ready idle"


def test_sign_in_while_the_phone_is_busy_with_the_same_phone_only(kit: Any) -> None:
    phones = (PhoneSettings("softphone", ""), PhoneSettings("pstn", "138"))
    floor = kit.floor((kit.queue(),), (kit.seat("8001", phones=phones),))
    floor.do(SeatEngaged(S, OWN, "talking"))
    assert floor.refused(SignedIn(S, "s", "pstn")) == "STATUS_NOT_IDLE"
    floor.sign_in("8001")
    floor.join("a")
    assert floor.rings() == []
    floor.do(TalkEnded(S, OWN, True))
    assert floor.ringing() == {"a": "8001"}


# Signing out.


def test_sign_out_when_idle_paused_or_wrapping_up(wrapping: Any) -> None:
    wrapping.sign_out("8001")
    assert wrapping.state("8001") == "offline idle"
    assert wrapping.timers.armed() == []


def test_sign_out_while_busy_is_refused_or_deferred(talking: Any) -> None:
    assert talking.refused(SignedOut(S)) == "STATUS_NOT_IDLE"
    talking.sign_out("8001", deferred=True)
    assert talking.seat("8001").pending == "offline"
    talking.at(10.0)
    talking.end_talk("8001")
    assert talking.state("8001") == "wrapup idle"
    talking.at(40.0)
    assert talking.state("8001") == "offline idle"
    assert talking.seat("8001").session == ""


def test_forced_sign_out_takes_a_ringing_call_back(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.join("a")
    floor.do(SignedOut(S, forced=True, cause="supervisor"))
    assert floor.state("8001") == "offline idle"
    assert floor.withdrawn() == [("a.1.1", "signed_out")]
    assert floor.ringing() == {"a": "8002"}


def test_forced_sign_out_waits_for_the_end_of_a_talk(talking: Any) -> None:
    talking.do(SignedOut(S, forced=True, cause="supervisor"))
    assert (talking.state("8001"), talking.seat("8001").pending) == ("ready talking", "offline")


# Ready and paused.


def test_pause_and_ready(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    assert one_seat.refused(ReadyAsked(S)) == "ALREADY_READY"
    assert one_seat.refused(PauseAsked(S, "golf")) == "BAD_PAUSE"
    one_seat.pause("8001", "rest")
    one_seat.pause("8001", "meeting")
    assert (one_seat.state("8001"), one_seat.seat("8001").reason) == ("paused idle", "meeting")
    one_seat.ready("8001")
    assert (one_seat.state("8001"), one_seat.seat("8001").reason) == ("ready idle", "")


def test_any_reason_where_the_tenant_lists_none(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), tenant=TenantSettings("demo"))
    floor.sign_in("8001")
    floor.pause("8001", "lunch with a friend")
    assert floor.seat("8001").reason == "lunch with a friend"


def test_pause_while_talking_is_pending_and_survives_wrap_up(talking: Any) -> None:
    """It must not be lost when the timer of the wrap-up ends."""
    talking.pause("8001", "rest")
    assert (talking.state("8001"), talking.seat("8001").pending) == ("ready talking", "paused:rest")
    talking.at(10.0)
    talking.end_talk("8001")
    assert talking.state("8001") == "wrapup idle"
    talking.at(40.0)
    assert (talking.state("8001"), talking.seat("8001").reason) == ("paused idle", "rest")
    assert talking.seat("8001").pending == ""


def test_ready_takes_a_pending_pause_back(talking: Any) -> None:
    talking.pause("8001", "rest")
    talking.ready("8001")
    assert talking.seat("8001").pending == ""
    assert talking.refused(ReadyAsked(S)) == "ALREADY_READY"


def test_pause_in_wrap_up_takes_effect_at_once(wrapping: Any) -> None:
    wrapping.pause("8001", "rest")
    assert wrapping.state("8001") == "paused idle"
    wrapping.at(100.0)
    assert wrapping.state("8001") == "paused idle"


def test_ready_in_wrap_up_ends_it(wrapping: Any) -> None:
    wrapping.ready("8001")
    assert wrapping.state("8001") == "ready idle"
    assert wrapping.timers.armed() == []


def test_pause_without_force_lets_it_ring_on(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.join("a")
    one_seat.pause("8001", "rest")
    assert one_seat.state("8001") == "ready reserved"
    one_seat.leave("a")
    assert one_seat.state("8001") == "paused idle"


def test_forced_pause_takes_a_ringing_call_back_and_only_a_supervisor_lifts_it(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.join("a")
    floor.pause("8001", "coaching", forced=True)
    assert (floor.state("8001"), floor.seat("8001").reason) == ("paused idle", "coaching")
    assert floor.ringing() == {"a": "8002"}
    assert floor.refused(ReadyAsked(S)) == "FORCED_PAUSE"
    assert floor.refused(PauseAsked(S, "rest")) == "FORCED_PAUSE"
    floor.do(ReadyAsked(S, forced=True))
    assert floor.state("8001") == "ready idle"


def test_forced_pause_of_a_talk_is_pending_and_cannot_be_taken_back(talking: Any) -> None:
    talking.pause("8001", "coaching", forced=True)
    assert talking.seat("8001").pending == "forced:coaching"
    assert talking.refused(ReadyAsked(S)) == "FORCED_PAUSE"
    assert talking.refused(PauseAsked(S, "rest")) == "FORCED_PAUSE"
    talking.end_talk("8001", bridged=False)
    assert talking.state("8001") == "paused idle"
    assert talking.refused(ReadyAsked(S)) == "FORCED_PAUSE"


# Wrap-up.


def test_wrap_up_ends_by_its_timer(wrapping: Any) -> None:
    wrapping.at(39.99)
    assert wrapping.state("8001") == "wrapup idle"
    wrapping.at(40.0)
    assert wrapping.state("8001") == "ready idle"


def test_wrap_up_ends_early(wrapping: Any) -> None:
    wrapping.at(12.0)
    wrapping.do(WrapUpEnded(S))
    assert wrapping.state("8001") == "ready idle"
    assert wrapping.refused(WrapUpEnded(S)) == "BAD_STATE"
    assert wrapping.refused(WrapUpExtended(S, 60.0)) == "BAD_STATE"


@pytest.mark.parametrize("seconds", [0.0, 29.9, 600.1, -60.0])
def test_extension_is_30_to_600_s(wrapping: Any, seconds: float) -> None:
    assert wrapping.refused(WrapUpExtended(S, seconds)) == "BAD_STATE"


def test_extension_moves_the_end(wrapping: Any) -> None:
    wrapping.do(WrapUpExtended(S, 30.0))
    wrapping.at(69.99)
    assert wrapping.state("8001") == "wrapup idle"
    wrapping.at(70.0)
    assert wrapping.state("8001") == "ready idle"
    assert wrapping.states("8001")[-2].wrapup_until == 1_800_000_070.0


def test_wrap_up_is_capped(wrapping: Any) -> None:
    """3600 s in all, from 10 s on."""
    for _ in range(6):
        wrapping.do(WrapUpExtended(S, 600.0))
    assert wrapping.seat("8001").wrapup_until == 3610.0
    assert wrapping.refused(WrapUpExtended(S, 30.0)) == "BAD_STATE"


@pytest.mark.parametrize(
    ("level", "queue", "seat", "lasts"),
    [(30.0, None, None, 30.0), (30.0, 12.0, None, 12.0), (30.0, 12.0, 7.0, 7.0), (30.0, 0.0, None, 0.0)],
)
def test_wrap_up_by_seat_then_queue_then_level(
    kit: Any, level: float, queue: float | None, seat: float | None, lasts: float
) -> None:
    floor = kit.floor((kit.queue(wrap_up=queue),), (kit.seat("8001", wrap_up=seat),), wrap_up=level)
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    floor.at(10.0)
    floor.end_talk("8001")
    until = floor.seat("8001").wrapup_until
    assert (0.0 if until is None else until - 10.0) == lasts


def test_no_wrap_up_after_a_call_that_was_never_bridged(talking: Any) -> None:
    talking.end_talk("8001", bridged=False)
    assert talking.state("8001") == "ready idle"


# Phones and calls of the seat's own.


def test_bind_only_a_phone_of_the_seat_and_only_while_not_busy(kit: Any) -> None:
    phones = (PhoneSettings("softphone", ""), PhoneSettings("pstn", "138"))
    floor = kit.floor((kit.queue(),), (kit.seat("8001", phones=phones),))
    floor.sign_in("8001")
    assert floor.refused(PhoneBound(S, "extension", "2001")) == "PHONE_NOT_REGISTERED"
    floor.do(PhoneBound(S, "pstn", "138"))
    assert str(floor.seat("8001").phone) == "pstn:138"
    floor.join("a")
    assert (floor.commands[-1].phone_kind, floor.commands[-1].phone_number) == ("pstn", "138")
    assert floor.refused(PhoneBound(S, "softphone", "")) == "STATUS_NOT_IDLE"


def test_a_call_of_its_own_keeps_queue_calls_away(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    one_seat.do(SeatEngaged(S, OWN, "dialling"))
    assert one_seat.state("8001") == "ready dialling"
    one_seat.join("a")
    one_seat.do(SeatEngaged(S, OWN, "ringing"))
    one_seat.do(SeatEngaged(S, OWN, "talking"))
    assert (one_seat.state("8001"), one_seat.seat("8001").call) == ("ready talking", "own")
    assert one_seat.rings() == []
    one_seat.do(TalkEnded(S, OWN, True))
    assert one_seat.ringing() == {"a": "8001"}


def test_a_pause_holds_over_an_outgoing_call(one_seat: Any) -> None:
    one_seat.sign_in("8001", presence="paused", reason="rest")
    one_seat.do(SeatEngaged(S, OWN, "talking"))
    one_seat.do(TalkEnded(S, OWN, True))
    assert (one_seat.state("8001"), one_seat.seat("8001").reason) == ("paused idle", "rest")


def test_ready_asked_in_an_outgoing_call_comes_after_it(one_seat: Any) -> None:
    one_seat.sign_in("8001", presence="paused", reason="rest")
    one_seat.do(SeatEngaged(S, OWN, "talking"))
    one_seat.ready("8001")
    assert (one_seat.state("8001"), one_seat.seat("8001").pending) == ("paused talking", "ready")
    one_seat.do(TalkEnded(S, OWN, True))
    assert one_seat.state("8001") == "ready idle"


def test_wrap_up_timer_that_ends_in_a_call_of_its_own(wrapping: Any) -> None:
    wrapping.do(SeatEngaged(S, OWN, "talking"))
    wrapping.pause("8001", "rest")
    wrapping.at(40.0)
    assert wrapping.state("8001") == "ready talking"
    wrapping.do(TalkEnded(S, OWN, True))
    assert wrapping.state("8001") == "paused idle"


def test_consult_beside_a_queue_call(talking: Any) -> None:
    """The queue call is over when it is handed on; wrap-up starts when the phone is free."""
    talking.do(SeatEngaged(S, OWN, "dialling"))
    talking.do(SeatEngaged(S, OWN, "talking"))
    talking.at(20.0)
    talking.do(TalkEnded(S, CallId("a"), True))
    assert (talking.state("8001"), talking.seat("8001").call) == ("ready talking", "own")
    talking.at(25.0)
    talking.do(TalkEnded(S, OWN, True))
    assert (talking.state("8001"), talking.seat("8001").wrapup_until) == ("wrapup idle", 55.0)
    assert talking.counters("8001")["talked"] == 20.0


def test_end_of_a_call_it_is_not_in_changes_nothing(talking: Any) -> None:
    talking.do(TalkEnded(S, CallId("other"), True))
    talking.do(TalkEnded(SeatId("9999"), CallId("a"), True))
    assert talking.state("8001") == "ready talking"


def test_engaged_seat_that_is_not_configured_is_nobodys(one_seat: Any) -> None:
    one_seat.sign_in("8001")
    said = (len(one_seat.commands), len(one_seat.events), len(one_seat.rows))
    one_seat.do(SeatEngaged(SeatId("9999"), OWN, "talking"))
    one_seat.do(SeatHeld(SeatId("9999"), True))
    assert (len(one_seat.commands), len(one_seat.events), len(one_seat.rows)) == said
    assert one_seat.state("8001") == "ready idle"


def test_hold_is_part_of_talking(talking: Any) -> None:
    talking.do(SeatHeld(S, True))
    assert talking.seat("8001").held
    talking.do(SeatHeld(S, False))
    assert not talking.seat("8001").held
    talking.do(SeatHeld(S, True))
    talking.end_talk("8001")
    assert not talking.seat("8001").held
    talking.do(SeatHeld(S, True))
    assert not talking.seat("8001").held


def test_a_call_of_its_own_while_it_is_offered_one(one_seat: Any) -> None:
    """The phone dials out in the moment of the reservation: after the offer it is still in its call."""
    one_seat.sign_in("8001")
    one_seat.join("a")
    one_seat.do(SeatEngaged(S, OWN, "talking"))
    assert one_seat.state("8001") == "ready reserved"
    one_seat.refuse("8001", 486)
    assert (one_seat.state("8001"), one_seat.seat("8001").call) == ("ready talking", "own")
    one_seat.after(60.0)
    assert one_seat.ringing() == {}
    one_seat.do(TalkEnded(S, OWN, True))
    assert one_seat.ringing() == {"a": "8001"}


def in_a_call_with_a_limit(kit: Any) -> Any:
    """Return a floor whose seat 8001 has answered call x, which may last 180 s."""
    plain = kit.settings((kit.queue(),), (kit.seat("8001"),))
    levels = tuple(msgspec.structs.replace(level, handle_limit=180.0) for level in plain.levels)
    floor = kit.Floor(msgspec.structs.replace(plain, levels=levels))
    floor.sign_in("8001")
    floor.join("x")
    floor.answer("8001")
    return floor


def test_the_alarm_of_a_call_that_was_never_bridged_goes_with_it(kit: Any) -> None:
    """Swarm seed 20023: a callback whose customer did not answer left its seat's handle limit armed."""
    floor = in_a_call_with_a_limit(kit)
    assert [timer.name for timer in floor.timers.armed()] == ["handle"]
    floor.end_talk("8001", bridged=False)
    assert floor.timers.armed() == []


def test_a_call_that_lasts_longer_than_its_level_allows_is_in_the_log(kit: Any) -> None:
    """Once, whether or not anybody listens to events."""
    floor = in_a_call_with_a_limit(kit)
    floor.after(400.0)
    about = {"seat": "8001", "call": "x", "limit": 180.0}
    assert floor.engine.log.take() == [("handle limit reached", about)]


def test_a_pause_in_wrap_up_overtakes_the_one_that_was_pending(one_seat: Any) -> None:
    """Swarm seed 21674: the pending pause stayed, and came again after the next call."""
    one_seat.sign_in("8001")
    one_seat.join("x")
    one_seat.answer("8001")
    one_seat.pause("8001", "rest")
    one_seat.end_talk("8001")
    one_seat.pause("8001", "meeting")
    assert (one_seat.state("8001"), one_seat.seat("8001").reason) == ("paused idle", "meeting")
    assert one_seat.seat("8001").pending == ""
    one_seat.ready("8001")
    one_seat.join("y")
    one_seat.answer("8001")
    one_seat.end_talk("8001")
    one_seat.after(30.0)
    assert one_seat.state("8001") == "ready idle"


def test_ready_in_wrap_up_overtakes_the_pause_that_was_pending(one_seat: Any) -> None:
    """Swarm seed 92269: the seat was ready and had a pause pending that waited for nothing."""
    one_seat.sign_in("8001")
    one_seat.join("x")
    one_seat.answer("8001")
    one_seat.pause("8001", "rest")
    one_seat.end_talk("8001")
    one_seat.ready("8001")
    assert (one_seat.state("8001"), one_seat.seat("8001").pending) == ("ready idle", "")


# Dialling from the desk.


@pytest.mark.parametrize("presence", ["ready", "paused"])
def test_a_seat_that_is_idle_may_dial_whatever_its_presence(kit: Any, presence: str) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    assert floor.refused(DialWanted(S, "139")) == "NOT_LOGGED_IN"
    floor.sign_in("8001", presence=presence, reason="rest")
    floor.do(DialWanted(S, "139"))
    floor.do(SeatEngaged(S, OWN, "ringing"))
    assert floor.refused(DialWanted(S, "139")) == "BUSY"
    floor.do(TalkEnded(S, OWN, True))
    floor.do(PhoneReachable("softphone", "8001", False))
    assert floor.refused(DialWanted(S, "139")) == "PHONE_NOT_REGISTERED"


def test_dialling_in_wrap_up_leaves_its_deadline(wrapping: Any) -> None:
    wrapping.do(DialWanted(S, "139"))
    wrapping.do(SeatEngaged(S, OWN, "talking"))
    wrapping.at(20.0)
    wrapping.do(TalkEnded(S, OWN, True))
    assert (wrapping.state("8001"), wrapping.seat("8001").wrapup_until) == ("wrapup idle", 40.0)


def test_tenants_dial_in_their_hours_only(kit: Any) -> None:
    """The moment 0 is Friday 08:00 UTC; they dial from 09:00 on."""
    hours = HoursSettings("office", week=((Opening(540, 1080),),) * 7)
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), tenant=TenantSettings("demo", call_hours=hours))
    floor.sign_in("8001")
    assert floor.refused(DialWanted(S, "139")) == "OUT_OF_HOURS"
    floor.at(3600.0)
    floor.do(DialWanted(S, "139"))


# Ready by hand after each call.


def by_hand(kit: Any, **more: Any) -> Any:
    """CC: Available (On Demand)."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001", after_call="pause"),), **more)
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    return floor


def test_a_seat_that_is_ready_by_hand_is_paused_after_each_call(kit: Any) -> None:
    floor = by_hand(kit, wrap_up=10.0)
    assert floor.seat("8001").pending == "paused:after_call"  # shown while it talks
    floor.join("b")
    floor.end_talk("8001")
    assert floor.state("8001") == "wrapup idle"
    floor.after(10.0)
    assert (floor.state("8001"), floor.seat("8001").reason) == ("paused idle", "after_call")
    floor.ready("8001")
    assert floor.ringing() == {"b": "8001"}
    floor.answer("8001")
    assert floor.seat("8001").pending == "paused:after_call"


def test_one_may_say_otherwise_while_the_call_goes_on(kit: Any) -> None:
    floor = by_hand(kit)
    floor.ready("8001")
    floor.end_talk("8001")
    assert floor.state("8001") == "ready idle"
    floor.join("b")
    floor.answer("8001")
    floor.pause("8001", "meeting")
    floor.end_talk("8001")
    assert floor.seat("8001").reason == "meeting"


def test_a_sign_out_that_is_asked_for_comes_first(kit: Any) -> None:
    floor = by_hand(kit)
    floor.sign_out("8001", deferred=True)
    floor.end_talk("8001")
    assert floor.state("8001") == "offline idle"


def test_a_ring_in_vain_is_no_call(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001", after_call="pause"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.leave("a")
    assert floor.state("8001") == "ready idle"


def test_the_mode_is_switched_until_the_sign_out(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    assert floor.refused(AfterCallSet(SeatId("8001"), "pause")) == "NOT_LOGGED_IN"
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    floor.do(AfterCallSet(SeatId("8001"), "pause"))  # counts for this call already
    assert floor.seat("8001").pending == "paused:after_call"
    assert floor.states("8001")[-1].after_call == "pause"
    floor.do(AfterCallSet(SeatId("8001"), "ready"))
    assert floor.seat("8001").pending == ""
    floor.do(AfterCallSet(SeatId("8001"), "pause"))
    floor.end_talk("8001")
    assert floor.state("8001") == "paused idle"
    floor.sign_out("8001")
    assert floor.engine.seat_object(SeatId("8001"), floor.now)["after_call"] == "ready"


def test_the_mode_outlives_a_restart(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.do(
        SeatRestored(
            SeatId("8001"), "", "s", "ready", "", 0.0, None, "", "softphone", "8001", after_call="pause"
        )
    )
    floor.join("a")
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.state("8001") == "paused idle"
