"""Talk: holds, resumes, moved audio and DTMF reach the other side of a bridged call."""

import pytest

from calls.controls import CallHeld, CallUnheld, ConsultAsked
from calls.events import (
    CallChanged,
    HoldRecalled,
    SeatHold,
)
from calls.talk import REMINDER
from kernel.ids import SeatId
from kernel.rows import CallRow
from media.messages import Play, SendDigits, SetRemote
from tests.calls.office import Office, call_settings, direction_of, sdp, with_events
from tests.sip.scene import PHONE, TRUNK


@pytest.mark.parametrize(
    ("asked", "answered", "mirrored"),
    [("sendonly", "recvonly", "sendonly"), ("inactive", "inactive", "inactive")],
)
def test_the_seats_hold_and_resume_reach_the_caller(asked: str, answered: str, mirrored: str) -> None:
    """RFC 3264 8.4: the phone is answered at once, the other side is told by a re-INVITE."""
    office = Office()
    office.register("8001")
    call, _, invite = office.talk()
    office.advance(5.0)
    office.phone_says("INVITE", invite, 1, sdp(5000, asked, "192.0.2.7", 2))
    assert direction_of(office.last("200", PHONE).message.body) == answered
    hold = office.last("INVITE", TRUNK)
    assert direction_of(hold.message.body) == mirrored
    assert call.held
    assert [(event.seat, event.held) for event in office.events(SeatHold)] == [("8001", True)]
    office.answer(hold, 200, sdp(4000, answered, version=2))
    office.phone_says("ACK", invite, 1)
    office.advance(7.0)
    office.phone_says("INVITE", invite, 2, sdp(5000, "sendrecv", "192.0.2.7", 3))
    resume = office.last("INVITE", TRUNK)
    assert resume is not hold
    assert direction_of(resume.message.body) == "sendrecv"
    office.answer(resume, 200, sdp(4000, "sendrecv", version=3))
    assert not call.held
    office.advance(1.0)
    office.phone_says("BYE", invite, 3)
    (row,) = [row for row in office.rows if isinstance(row, CallRow)]
    assert (row.held, row.talked) == (7.0, 13.0)
    states = [event.state for event in office.events(CallChanged)]
    assert states == ["arrived", "waiting", "ringing", "talking", "held", "talking", "ended"]


def test_the_callers_hold_and_resume_reach_the_seat() -> None:
    office = Office()
    office.register("8001")
    call, ok, _ = office.talk()
    office.caller_says("INVITE", ok, 2, sdp(4000, "sendonly", version=2))
    hold = office.last("INVITE", PHONE)
    assert (direction_of(hold.message.body), call.held) == ("sendonly", True)
    office.answer(hold, 200, sdp(5000, "recvonly", "192.0.2.7", 2))
    office.caller_says("ACK", ok, 2)
    office.caller_says("INVITE", ok, 3, sdp(4000, "sendrecv", version=3))
    resume = office.last("INVITE", PHONE)
    assert (direction_of(resume.message.body), call.held) == ("sendrecv", False)


def test_a_call_that_is_held_for_ever_is_over_one_day() -> None:
    """Both peers may have died in the meantime: a held stream is silent, and nobody would notice."""
    office = Office(call_settings(hold_max=600.0))
    office.register("8001")
    call, _, invite = office.talk()
    office.phone_says("INVITE", invite, 1, sdp(5000, "sendonly", "192.0.2.7", 2))
    office.answer(office.last("INVITE", TRUNK), 200, sdp(4000, "recvonly", version=2))
    office.phone_says("ACK", invite, 1)
    office.advance(599.0)
    assert call.held
    office.advance(1.0)
    assert office.verdicts() == [("switch", "network:held_too_long", 200)]


def test_a_re_invite_that_the_other_side_refuses_changes_nothing_for_it() -> None:
    """RFC 3261 14.1: the session goes on as it was."""
    office = Office()
    office.register("8001")
    call, _, invite = office.talk()
    office.phone_says("INVITE", invite, 1, sdp(5000, "sendonly", "192.0.2.7", 2))
    office.answer(office.last("INVITE", TRUNK), 488)
    assert (call.state, call.held) == ("talking", True)


def test_a_re_invite_that_only_moves_the_audio_stays_on_its_side() -> None:
    office = Office()
    office.register("8001")
    _, _, invite = office.talk()
    before = office.words(TRUNK)
    office.phone_says("INVITE", invite, 1, sdp(5010, "sendrecv", "192.0.2.7", 2))
    assert office.words(TRUNK) == before
    remote = [command for command in office.commands if isinstance(command, SetRemote)][-1]
    assert (remote.host, remote.port) == ("192.0.2.7", 5010)


@pytest.mark.parametrize("from_caller", [True, False])
def test_dtmf_in_info_is_relayed(from_caller: bool) -> None:
    office = Office()
    office.register("8001")
    _, ok, invite = office.talk()
    digits, kind = b"Signal=5\r\nDuration=160\r\n", "application/dtmf-relay"
    if from_caller:
        office.caller_says("INFO", ok, 2, digits, content_type=kind)
    else:
        office.phone_says("INFO", invite, 1, digits, content_type=kind)
    info = office.last("INFO", PHONE if from_caller else TRUNK)
    assert info.message.header("content-type") == "application/dtmf-relay"
    assert info.message.body == b"Signal=5\r\nDuration=160\r\n"


def test_a_key_in_info_is_an_event_for_who_knows_such() -> None:
    """Whoever has agreed to telephone events does not listen for INFO."""
    office = Office()
    office.register("8001")
    call, ok, invite = office.talk()
    office.caller_says("INVITE", ok, 2, with_events(sdp(4000, version=2)))
    office.caller_says("ACK", ok, 2)
    before = office.words(TRUNK)
    kind = "application/dtmf-relay"
    office.phone_says("INFO", invite, 1, b"Signal=5\r\nDuration=160\r\n", content_type=kind)
    caller, _ = call.legs()
    assert office.commands[-1] == SendDigits(caller.stream, "5", 160, 80)
    assert office.words(TRUNK) == before
    office.phone_says("INFO", invite, 2, b"<xml/>", content_type="application/media_control+xml")
    assert office.last("INFO", TRUNK).message.body == b"<xml/>"


def recalled(office: Office) -> list[tuple[str, float]]:
    return [(event.seat, event.held_for) for event in office.events(HoldRecalled)]


def tones(office: Office, stream: int) -> int:
    plays = [it for it in office.commands if isinstance(it, Play) and it.stream == stream]
    return [it.prompts for it in plays].count((REMINDER,))


def test_a_call_that_is_held_at_the_desk_for_long_is_told_of_and_its_seat_hears_a_tone() -> None:
    """Every 2 min, until it is taken from hold; the caller hears its music throughout."""
    office = Office(call_settings(hold_recall=120.0))
    office.register("8001")
    call, _, _ = office.talk()
    seat, caller = call.callee, call.caller_leg
    assert seat is not None
    assert caller is not None
    office.board.desk.handle(CallHeld(call.id, SeatId("8001")), office.now)
    office.advance(119.9)
    assert recalled(office) == []
    office.advance(0.1)
    office.advance(120.0)
    assert recalled(office) == [("8001", 120.0), ("8001", 240.0)]
    assert (tones(office, seat.stream), tones(office, caller.stream)) == (2, 0)
    office.board.desk.handle(CallUnheld(call.id, SeatId("8001")), office.now)
    office.advance(300.0)
    assert len(recalled(office)) == 2


def test_a_hold_by_a_phone_is_told_of_without_a_tone_whoever_holds() -> None:
    """A phone that has put us on hold listens to nothing."""
    for holder, seat in (("seat", "8001"), ("caller", "")):
        office = Office(call_settings(hold_recall=60.0))
        office.register("8001")
        call, ok, invite = office.talk()
        if holder == "seat":
            office.phone_says("INVITE", invite, 1, sdp(5000, "sendonly", "192.0.2.7", 2))
            office.answer(office.last("INVITE", TRUNK), 200, sdp(4000, "recvonly", version=2))
            office.phone_says("ACK", invite, 1)
        else:
            office.caller_says("INVITE", ok, 2, sdp(4000, "sendonly", version=2))
            office.answer(office.last("INVITE", PHONE), 200, sdp(5000, "recvonly", "192.0.2.7", 2))
            office.caller_says("ACK", ok, 2)
        office.advance(60.0)
        assert recalled(office) == [(seat, 60.0)]
        assert [tones(office, leg.stream) for leg in call.legs()] == [0, 0]


def test_recalls_do_not_put_off_the_longest_hold() -> None:
    office = Office(call_settings(hold_recall=100.0, hold_max=250.0))
    office.register("8001")
    call, _, _ = office.talk()
    office.board.desk.handle(CallHeld(call.id, SeatId("8001")), office.now)
    office.advance(249.9)
    assert len(recalled(office)) == 2
    assert office.verdicts() == []
    office.advance(0.2)
    assert office.verdicts() == [("switch", "network:held_too_long", 200)]


def test_a_seat_that_consults_about_the_call_is_not_reminded_of_it() -> None:
    office = Office(call_settings(hold_recall=20.0))
    office.register("8001")
    office.register("2001", "other")
    call, _, _ = office.talk()
    office.board.desk.handle(ConsultAsked(call.id, SeatId("8001"), "extension:2001"), office.now)
    office.settle()
    office.advance(50.0)
    assert recalled(office) == []


def test_a_hold_ends_at_its_limit_and_is_not_told_of_in_the_same_moment() -> None:
    office = Office(call_settings(hold_recall=100.0, hold_max=200.0))
    office.register("8001")
    call, _, _ = office.talk()
    office.board.desk.handle(CallHeld(call.id, SeatId("8001")), office.now)
    office.advance(200.1)
    assert recalled(office) == [("8001", 100.0)]
    assert office.verdicts() == [("switch", "network:held_too_long", 200)]


def test_a_hold_without_limit_goes_on_and_waits_for_nothing() -> None:
    office = Office(call_settings(hold_max=0.0))
    office.register("8001")
    call, _, _ = office.talk()
    office.board.desk.handle(CallHeld(call.id, SeatId("8001")), office.now)
    assert call.timer is None
    office.advance(60.0)
    assert (call.held, office.verdicts(), recalled(office)) == (True, [], [])
