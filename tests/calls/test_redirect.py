"""Redirections: row T37 of the conformance checklist, and the table's queue_member_forward."""

import pytest

from calls.events import SeatAnswered, SeatFailed, SeatFreed, SeatRefused, SeatTaken
from calls.redirect import FORWARDS_MAX, forwarded
from calls.settings import Hotline, OutsideRoute, RouteTrunk, TrunkSettings
from sip.flows import Flow
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
    assert invite.message.header("diversion") == "<sip:8001@example.com>;reason=unconditional;counter=1"
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
    """T37: no more than FORWARDS_MAX are followed."""
    extensions = {str(number): "demo" for number in range(2001, 2010)}
    made = office(extensions=extensions)
    made.dial("8001", flow=THIRD_PHONE, from_="<sip:8002@example.com>;tag=m")
    redirect(made, made.last("INVITE", PHONE), "<sip:2001@example.com>")
    leg = made.board.calls[made.call_of(0)].rings[0]
    assert leg.redirects == 1
    leg.redirects = FORWARDS_MAX
    redirect(made, made.last("INVITE", OTHER_PHONE), "<sip:8002@example.com>")
    assert made.words(THIRD_PHONE)[-1] == "480"


TRUNKS = (
    TrunkSettings("carrier", tenant="demo", contact="sip:10.0.0.9:5080"),
    TrunkSettings("second", contact="sip:10.0.0.10:5060"),
    TrunkSettings("others", tenant="other", contact="sip:10.0.0.11:5060"),
)
SECOND = Flow("udp", 0, "10.0.0.10", 5060)
ROUTES = (OutsideRoute("139", (RouteTrunk("carrier"),)),)


def outside(**changes: object) -> Office:
    """Seat 8001 has called 13911112222 through the carrier."""
    made = office(**({"routes": ROUTES, "trunks": TRUNKS} | changes))
    me = "<sip:8001@example.com>;tag=mine"
    made.dial("13911112222", flow=PHONE, from_=me, contact="<sip:8001@192.0.2.7:5062>")
    return made


def invited(made: Office) -> list[tuple[str, int]]:
    return [(sent.flow.host, sent.flow.port) for sent in made.sent if sent.word == "INVITE"]


def test_a_trunk_leads_to_another_address_for_the_same_number() -> None:
    """T37: a trunk's address that the tenant may use; the call is counted there, and nobody is diverted."""
    made = outside()
    redirect(made, made.last("INVITE", TRUNK), "<sip:13911112222@10.0.0.10>")
    again = made.last("INVITE", SECOND)
    assert again.message.uri == "sip:13911112222@10.0.0.10:5060"
    assert again.message.header("diversion") is None
    assert (made.board.gate.calls("carrier"), made.board.gate.calls("second")) == (0, 1)
    made.answer(again, 200, sdp(6000, host="10.0.0.10"))
    (call,) = made.board.calls.values()
    assert call.state == "talking"
    made.board.end_all(made.now)
    made.settle()
    assert made.board.gate.total() == 0


def test_two_addresses_that_name_each_other() -> None:
    """T37: no address is asked twice; the caller gets 480."""
    made = outside()
    redirect(made, made.last("INVITE", TRUNK), "<sip:13911112222@10.0.0.10>")
    redirect(made, made.last("INVITE", SECOND), "<sip:13911112222@10.0.0.9:5080>", 305)
    assert made.words(PHONE)[-1] == "480"
    assert invited(made) == [("10.0.0.9", 5080), ("10.0.0.10", 5060)]
    assert made.board.gate.total() == 0


def test_a_trunk_leads_to_another_number() -> None:
    """T37: where the caller could call it itself; whoever is rung learns by Diversion and History-Info."""
    made = outside()
    redirect(made, made.last("INVITE", TRUNK), "<sip:13933334444@10.0.0.10>", 301)
    again = made.last("INVITE", SECOND).message
    assert again.uri == "sip:13933334444@10.0.0.10:5060"
    assert again.header("diversion") == "<sip:13911112222@example.com>;reason=unconditional;counter=1"
    assert again.header("history-info") == (
        "<sip:13911112222@example.com?Reason=SIP%3Bcause%3D302>;index=1, "
        "<sip:13933334444@example.com;cause=302>;index=1.1;mp=1"
    )


def test_a_trunk_leads_back_to_a_phone_of_ours() -> None:
    """T37: it is rung, and the call is the trunk's no more."""
    made = outside()
    redirect(made, made.last("INVITE", TRUNK), "<sip:2001@example.com>")
    ring = made.last("INVITE", OTHER_PHONE)
    assert ring.message.header("diversion") == "<sip:13911112222@example.com>;reason=unconditional;counter=1"
    assert made.board.gate.total() == 0
    made.answer(ring, 200, sdp(6000, host="192.0.2.8"))
    (call,) = made.board.calls.values()
    assert call.state == "talking"


@pytest.mark.parametrize(
    "target",
    [
        "<sip:13911112222@203.0.113.66>",
        "<sip:13911112222@10.0.0.11>",
        "<sip:13911112222@10.0.0.9:5080>",
        "<sip:13911112222@example.com>",
        "<sip:00882139@10.0.0.10>",
        "<sip:00882139@example.com>",
        "<tel:00882139>",
        "<sip:4711@example.com>",
        "<sip:8001@example.com>",
    ],
)
def test_a_trunk_leads_nobody_astray(target: str) -> None:
    """T37, A-TOLL: no foreign host, no other tenant's trunk, no number without a route, nobody busy."""
    made = outside()
    redirect(made, made.last("INVITE", TRUNK), target)
    assert made.words(PHONE)[-1] == "480"
    assert invited(made) == [("10.0.0.9", 5080)]


def test_a_trunks_caller_is_led_to_no_other_number() -> None:
    """A-TOLL: the hotline leads to one number; its carrier may name another address, and nothing else."""
    hotlines = (Hotline("96198", "demo", "number:13911112222"),)
    made = office(trunks=TRUNKS, routes=ROUTES, hotlines=hotlines)
    assert made.dial("96198") is not None
    same = "<sip:13911112222@10.0.0.10>;q=0.1"
    others = f"<sip:13933334444@10.0.0.10>;q=1, <sip:2001@example.com>;q=0.9, {same}"
    redirect(made, made.last("INVITE", TRUNK), others)
    assert made.last("INVITE", SECOND).message.uri == "sip:13911112222@10.0.0.10:5060"
    redirect(made, made.last("INVITE", SECOND), "<sip:13933334444@10.0.0.9:5080>")
    assert made.words(TRUNK)[-1] == "480"


def test_a_phone_sends_its_colleague_outside() -> None:
    """RFC 5359 2.7: 2001 calls 8001, which is at its mobile today; a trunk's caller would not get there."""
    made = office(trunks=TRUNKS, routes=ROUTES)
    me = "<sip:2001@example.com>;tag=mine"
    call = made.dial("8001", flow=OTHER_PHONE, from_=me, contact="<sip:2001@192.0.2.8:5064>")
    assert call is not None
    redirect(made, made.last("INVITE", PHONE), "<sip:13911112222@example.com>")
    outward = made.last("INVITE", TRUNK)
    assert outward.message.uri == "sip:13911112222@10.0.0.9:5080"
    assert outward.message.header("diversion") == "<sip:8001@example.com>;reason=unconditional;counter=1"
    assert [event.seat for event in made.events(SeatFreed)] == ["8001"]
    made.answer(outward, 200, sdp(6000))
    assert (call.state, call.trunk) == ("talking", "carrier")
    made.board.end_all(made.now)
    made.settle()
    assert made.board.gate.total() == 0


def test_two_forwards_are_both_told() -> None:
    """The last diversion stands first (RFC 5806 7); the history is a path (RFC 7044 5.1, RFC 7544 3.2)."""
    assert forwarded(("8001",), (), "h") == ()
    assert dict(forwarded(("8001", "2001", "8002"), (486, 408), "h")) == {
        "Diversion": "<sip:2001@h>;reason=no-answer;counter=1, <sip:8001@h>;reason=user-busy;counter=1",
        "History-Info": "<sip:8001@h?Reason=SIP%3Bcause%3D486>;index=1, "
        "<sip:2001@h;cause=486?Reason=SIP%3Bcause%3D408>;index=1.1;mp=1, "
        "<sip:8002@h;cause=408>;index=1.1.1;mp=1.1",
    }


@pytest.mark.parametrize(
    ("rings", "contact", "more", "reason", "cause"),
    [
        (False, "<sip:2001@example.com>", (), "unconditional", 302),
        (True, "<sip:2001@example.com>", (), "deflection", 487),
        (True, "<sip:2001@example.com;cause=408>", (), "no-answer", 408),
        (False, "<sip:2001@example.com;cause=999>", (), "unconditional", 302),
        (False, "<sip:2001@example.com>", ("Diversion: <sip:8001@x>;reason=user-busy",), "user-busy", 486),
        (False, "<sip:2001@example.com>", ("Diversion: <sip:8001@x>;reason=away",), "unknown", 404),
        (False, "<sip:2001@example.com>", ("Diversion: <sip:8001@x>;reason=deflection",), "deflection", 480),
        (False, "<sip:2001@example.com>", ("Reason: SIP;cause=486",), "user-busy", 486),
        (False, "<sip:2001@example.com>", ("Reason: SIP;cause=503",), "unavailable", 503),
        (False, "<sip:2001@example.com>", ("Reason: Q.850;cause=17",), "unconditional", 302),
    ],
)
def test_why_a_phone_sends_its_caller_on(
    rings: bool, contact: str, more: tuple[str, ...], reason: str, cause: int
) -> None:
    """RFC 4458 4, RFC 5806 4.1: as the 3xx says; else it did so at once, or while it rang."""
    made = office()
    call = made.dial("96198")
    assert call is not None
    made.caller_says("ACK", made.last("200"), 1)
    ring = made.ring(call)
    if rings:
        made.answer(ring, 180)
    made.receive(respond(ring, 302, contact=contact, headers=more), ring.flow)
    invite = made.last("INVITE", OTHER_PHONE).message
    assert invite.header("diversion") == f"<sip:8001@example.com>;reason={reason};counter=1"
    assert invite.header("history-info") == (
        f"<sip:8001@example.com?Reason=SIP%3Bcause%3D{cause}>;index=1, "
        f"<sip:2001@example.com;cause={cause}>;index=1.1;mp=1"
    )
