"""Redirections: row T37 of the conformance checklist, and the table's queue_member_forward."""

import pytest

from calls.events import SeatAnswered, SeatFailed, SeatFreed, SeatRefused, SeatTaken
from calls.redirect import FORWARDS_MAX
from calls.settings import OutsideRoute, RouteTrunk
from tests.calls.office import OTHER_PHONE, THIRD_PHONE, Office, call_settings, sdp
from tests.sip.scene import PHONE, TRUNK, Sent, respond


def office(**changes: object) -> Office:
    made = Office(call_settings(**changes))
    made.register("8001")
    made.register("2001", "other")
    made.register("8002", "third")
    made.book.phones["8001"] = ("softphone", "8001")
    made.book.phones["8002"] = ("softphone", "8002")
    return made


def redirect(where: Office, sent: Sent, target: str, status: int = 302) -> None:
    where.receive(respond(sent, status, contact=target), sent.flow)


def test_a_seats_phone_sends_a_queue_call_to_an_extension() -> None:
    """queue_member_forward: the valid target rings, and its answer is the seat's."""
    made = office()
    call = made.dial("96198")
    assert call is not None
    made.caller_says("ACK", made.last("200"), 1)
    redirect(made, made.ring(call), "<sip:2001@example.com>")
    invite = made.last("INVITE", OTHER_PHONE)
    assert invite.message.header("diversion") == "<sip:8001@example.com>;reason=deflection;counter=1"
    assert invite.message.header("x-queue") == "junior"
    made.answer(invite, 200, sdp(6000, host="192.0.2.8"))
    assert call.state == "talking"
    assert [event.offer for event in made.events(SeatAnswered)] == ["o1"]
    assert call.seat == "8001"


@pytest.mark.parametrize(
    "target",
    [
        "<sip:4711@example.com>",
        "<sip:2001@192.0.2.8:5064>",
        "<sip:00882139@10.0.0.9:5080>",
        "<sip:13911112222@example.com>",
        "<sip:96198@example.com>",
        "<sip:8002@example.com>",
        "<sip:8001@example.com>",
        "<mailto:2001@example.com>",
        "",
    ],
)
def test_an_invalid_target_ends_the_offer_cleanly(target: str) -> None:
    """T37, A-TOLL: no foreign host, no way out, no other seat, no loop; the caller waits on."""
    made = office(routes=(OutsideRoute("", (RouteTrunk("carrier"),)),))
    call = made.dial("96198")
    assert call is not None
    made.caller_says("ACK", made.last("200"), 1)
    redirect(made, made.ring(call), target)
    assert len(made.events(SeatFailed)) + len(made.events(SeatRefused)) == 1
    assert call.state == "waiting"
    assert [sent.flow for sent in made.sent if sent.word == "INVITE"] == [PHONE]


def test_a_direct_call_goes_to_the_seat_it_is_sent_to() -> None:
    """RFC 5359 2.9: the first seat is free again, the second is taken."""
    made = office()
    me = "<sip:2001@example.com>;tag=mine"
    call = made.dial("8001", flow=OTHER_PHONE, from_=me, contact="<sip:2001@192.0.2.8:5064>")
    assert call is not None
    redirect(made, made.last("INVITE", PHONE), "<sip:2001@example.com>;q=0.1, <sip:8002@example.com>;q=0.7")
    seats = [(type(it), it.seat) for it in made.told if isinstance(it, SeatTaken | SeatFreed)]
    assert seats == [(SeatTaken, "8001"), (SeatFreed, "8001"), (SeatTaken, "8002")]
    made.answer(made.last("INVITE", THIRD_PHONE), 200, sdp(6000, host="192.0.2.9"))
    assert (call.state, call.seat) == ("talking", "8002")
    made.board.end_all(made.now)
    made.settle()
    assert made.events(SeatFreed)[-1].seat == "8002"
    made.advance(80.0)
    assert made.is_quiet()


def test_two_phones_that_send_each_other_calls() -> None:
    """T37: nobody is rung twice; asterisk calls it forward_loop."""
    made = office()
    me = "<sip:8002@example.com>;tag=mine"
    call = made.dial("8001", flow=THIRD_PHONE, from_=me, contact="<sip:8002@192.0.2.9:5066>")
    assert call is not None
    redirect(made, made.last("INVITE", PHONE), "<sip:2001@example.com>")
    redirect(made, made.last("INVITE", OTHER_PHONE), "<sip:8001@example.com>")
    assert made.words(THIRD_PHONE)[-1] == "480"
    assert [sent.flow for sent in made.sent if sent.word == "INVITE"] == [PHONE, OTHER_PHONE]
    assert made.verdicts() == [("seat", "agent:unreachable", 480)]


def test_a_chain_has_an_end() -> None:
    extensions = {str(number): "demo" for number in range(2001, 2010)}
    made = office(extensions=extensions)
    made.dial("8001", flow=THIRD_PHONE, from_="<sip:8002@example.com>;tag=m")
    redirect(made, made.last("INVITE", PHONE), "<sip:2001@example.com>")
    leg = made.board.calls[made.call_of(0)].rings[0]
    leg.forwards = tuple(str(number) for number in range(FORWARDS_MAX + 1))
    redirect(made, made.last("INVITE", OTHER_PHONE), "<sip:8002@example.com>")
    assert made.words(THIRD_PHONE)[-1] == "480"


def test_a_trunks_redirection_is_not_followed() -> None:
    made = office(routes=(OutsideRoute("", (RouteTrunk("carrier"),)),))
    me = "<sip:8001@example.com>;tag=mine"
    made.dial("13911112222", flow=PHONE, from_=me, contact="<sip:8001@192.0.2.7:5062>")
    redirect(made, made.last("INVITE", TRUNK), "<sip:2001@example.com>")
    assert made.words(PHONE)[-1] == "480"
