"""What rings for a call: several contacts, refusals, a ring that is taken back, a phone that is not there."""

import pytest

from calls.events import SeatAnswered, SeatFailed, SeatRang, SeatRefused
from kernel.ids import CallId, OfferId
from tests.calls.office import OTHER_PHONE, Office, reason_of, sdp
from tests.sip.scene import PHONE, TRUNK


def test_the_phone_that_loses_is_told_that_the_call_was_answered_elsewhere() -> None:
    """RFC 3326: no missed call at the second contact of a seat."""
    office = Office()
    office.register("8001", "phone", "other")
    call = office.dial("96198")
    assert call is not None
    office.caller_says("ACK", office.last("200"), 1)
    office.ring(call)
    winner, loser = office.last("INVITE", OTHER_PHONE), office.last("INVITE", PHONE)
    office.answer(winner, 180)
    office.answer(loser, 180)
    office.answer(winner, 200, sdp(5002, host="192.0.2.8"))
    cancel = office.last("CANCEL", PHONE)
    assert reason_of(cancel) == 'SIP;cause=200;text="Call completed elsewhere"'
    assert (call.state, len(office.events(SeatRang)), len(office.events(SeatAnswered))) == ("talking", 1, 1)
    office.answer(cancel, 200)
    office.answer(loser, 487)
    assert call.state == "talking"


def test_both_contacts_that_answer_at_once_leave_one_conversation() -> None:
    """The loser's 200 crosses our CANCEL: ACK and BYE."""
    office = Office()
    office.register("8001", "phone", "other")
    call = office.dial("96198")
    assert call is not None
    office.caller_says("ACK", office.last("200"), 1)
    office.ring(call)
    winner, loser = office.last("INVITE", OTHER_PHONE), office.last("INVITE", PHONE)
    office.answer(winner, 180)
    office.answer(loser, 180)
    office.answer(winner, 200, sdp(5002, host="192.0.2.8"))
    office.answer(loser, 200, sdp(5000, host="192.0.2.7"))
    assert office.words(PHONE) == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert call.state == "talking"


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ((486, 408), SeatRefused),  # a refusal by a person tells more than a dead contact
        ((408, 486), SeatRefused),
        ((500, 408), SeatFailed),
        ((486, 600), SeatRefused),
    ],
)
def test_a_phone_of_two_contacts_fails_as_its_better_one(statuses: tuple[int, int], told: type) -> None:
    """RFC 3261 16.7."""
    office = Office()
    office.register("8001", "phone", "other")
    call = office.dial("96198")
    assert call is not None
    office.caller_says("ACK", office.last("200"), 1)
    office.ring(call)
    for flow, status in zip((PHONE, OTHER_PHONE), statuses, strict=True):
        office.answer(office.last("INVITE", flow), status)
    better = 600 if 600 in statuses else 486 if 486 in statuses else statuses[-1]
    assert [(event.offer, event.status) for event in office.events(told)] == [("o1", better)]
    assert call.state == "waiting"


def test_a_withdrawn_ring_stops_and_the_caller_waits_on() -> None:
    office = Office()
    office.register("8001")
    call = office.dial("96198")
    assert call is not None
    office.caller_says("ACK", office.last("200"), 1)
    office.answer(office.ring(call), 180)
    office.board.rings.withdraw(OfferId("o1"), "missed", office.now)
    office.settle()
    assert (call.state, reason_of(office.last("CANCEL", PHONE))) == ("waiting", "")
    assert not office.events(SeatFailed)


def test_an_offer_to_a_seat_without_a_phone_fails_at_once() -> None:
    office = Office()
    call = office.dial("96198")
    assert call is not None
    office.offer(call.id, ("softphone", "8001"))
    assert [(event.offer, event.status) for event in office.events(SeatFailed)] == [("o1", 480)]
    office.offer(CallId("gone"), ("softphone", "8001"))
    assert [event.status for event in office.events(SeatFailed)] == [480, 487]


@pytest.mark.parametrize(
    ("said", "told"), [(302, 480), (401, 480), (407, 480), (481, 480), (486, 486), (603, 603)]
)
def test_what_is_between_a_phone_and_us_is_not_told_to_the_caller(said: int, told: int) -> None:
    """A-TOLL: a redirect is neither followed nor handed on without its Contact; nor is a challenge."""
    office = Office()
    office.book.phones["8001"] = ("softphone", "8001")
    office.register("8001")
    assert office.dial("96201") is not None
    office.answer(office.last("INVITE", PHONE), said)
    assert office.words(TRUNK) == ["100", str(told)]
    assert office.verdicts()[0][2] == told
