"""Consultations: two calls, one seat; what is let go of whichever ends first."""

from calls.call import Call, CallState
from calls.controls import ConsultAsked, ConsultEnded, ConsultJoined
from kernel.ids import SeatId
from sip.flows import Flow
from tests.calls.office import Office, sdp
from tests.sip.scene import TRUNK, Sent

S = SeatId("8001")


def consulting() -> tuple[Office, Call, Sent, Sent]:
    """The caller talks to 8001, who has asked for 2001, whose phone rings; with the INVITEs to both."""
    office = Office()
    office.register("8001")
    office.register("2001", "other")
    call, _, invite = office.talk()
    office.board.desk.handle(ConsultAsked(call.id, S, "2001"), office.now)
    office.settle()
    second = office.last("INVITE")
    office.answer(second, 180)
    return office, call, invite, second


def test_who_is_consulted_is_told_that_the_seat_calls() -> None:
    office, call, _, second = consulting()
    assert "sip:8001@" in (second.message.header("from") or "")
    target = office.board.consults.pending[call.id].target
    assert (target.state, target.caller_leg) == (CallState.RINGING, None)
    office.answer(second, 200, sdp(6000, host="192.0.2.8"))
    assert target.state is CallState.TALKING


def test_a_transfer_moves_one_leg_and_says_bye_to_the_seats_phone_alone() -> None:
    office, call, invite, second = consulting()
    office.answer(second, 200, sdp(6000, host="192.0.2.8"))
    office.board.desk.handle(ConsultEnded(call.id, S, "transfer"), office.now)
    office.settle()
    assert [sent.flow for sent in office.sent if sent.word == "BYE"] == [invite.flow]
    (left,) = office.board.calls.values()
    assert left is call
    assert left.callee is not None
    assert left.callee.phone == ("extension", "2001")
    assert not office.board.consults.pending


def test_the_end_of_the_first_call_ends_the_second() -> None:
    for answers in (False, True):
        office, call, _, second = consulting()
        if answers:
            office.answer(second, 200, sdp(6000, host="192.0.2.8"))
        office.board.hang_up(call.id, "operator", office.now)
        office.settle()
        assert not office.board.calls
        assert office.last("BYE" if answers else "CANCEL", second.flow)


def test_keys_in_info_go_to_who_hears_the_phone() -> None:
    """The seat's to whom it consults and not to who is on hold; in a talk of three to both others."""
    office, call, invite, second = consulting()
    office.answer(second, 200, sdp(6000, host="192.0.2.8"))
    keys, kind = b"Signal=5\r\nDuration=160\r\n", "application/dtmf-relay"

    def reached(before: int) -> list[Flow]:
        return [sent.flow for sent in office.sent[before:] if sent.word == "INFO"]

    before = len(office.sent)
    office.phone_says("INFO", invite, 1, keys, content_type=kind)
    assert reached(before) == [second.flow]
    office.board.desk.handle(ConsultJoined(call.id, S), office.now)
    office.settle()
    before = len(office.sent)
    office.phone_says("INFO", invite, 2, keys, content_type=kind)
    assert sorted(reached(before), key=str) == sorted([TRUNK, second.flow], key=str)
    before = len(office.sent)
    office.phone_says("INFO", second, 1, keys, content_type=kind)
    assert sorted(reached(before), key=str) == sorted([TRUNK, invite.flow], key=str)
