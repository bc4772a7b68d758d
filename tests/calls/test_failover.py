"""Failover: the next address when one fails or is silent, nobody doubled, caps, loops, transit."""

from typing import Any

import pytest

from calls.events import SeatFailed, SeatRefused
from calls.failover import LOOP_HEADER
from calls.outside import Target
from calls.settings import Hotline, OutsideRoute, RouteTrunk, TrunkSettings
from kernel.rows import CallRow
from sip.flows import Flow
from sip.resolve import Answer, Question
from tests.calls.office import Office, call_settings, sdp
from tests.sip.scene import PHONE, TRUNK, Sent

FIRST = Flow("udp", 0, "10.0.1.1", 5060)
SECOND = Flow("udp", 0, "10.0.1.2", 5060)
TRUNKS = (
    TrunkSettings("carrier", tenant="demo"),
    TrunkSettings("first", contact="sip:10.0.1.1:5060"),
    TrunkSettings("second", contact="sip:10.0.1.2:5060"),
)
ROUTES = (OutsideRoute("", (RouteTrunk("first", 1), RouteTrunk("second", 2))),)


def office(**changes: Any) -> Office:
    return Office(call_settings(**({"trunks": TRUNKS, "routes": ROUTES} | changes)))


def dial_out(it: Office, number: str = "13900000001", call_id: str = "out1") -> None:
    it.register("2001")
    it.dial(number, call_id, PHONE, from_="<sip:2001@example.com>;tag=f")


def queued(it: Office, number: str = "13900000001") -> None:
    """A waiting call is offered to a seat whose phone is outside."""
    call = it.dial("96198")
    assert call is not None
    it.offer(call.id, ("pstn", number))


def invites(it: Office) -> list[str]:
    return [sent.flow.host for sent in it.sent if sent.word == "INVITE"]


def talk(it: Office, invite: Sent) -> None:
    it.answer(invite, 200, sdp(5000))
    assert [call.state.value for call in it.board.calls.values()] == ["talking"]


def test_503_leads_to_the_next_trunk() -> None:
    it = office()
    dial_out(it)
    it.answer(it.last("INVITE", FIRST), 503)
    talk(it, it.last("INVITE", SECOND))
    assert invites(it) == ["10.0.1.1", "10.0.1.2"]
    assert (it.board.gate.calls("first"), it.board.gate.calls("second")) == (0, 1)
    assert it.board.gate.counters("first").failovers == 1


@pytest.mark.parametrize("status", [404, 480, 486, 487, 603])
def test_what_the_callee_says_is_final(status: int) -> None:
    it = office()
    dial_out(it)
    it.answer(it.last("INVITE", FIRST), status)
    assert invites(it) == ["10.0.1.1"]
    assert it.last(str(status), PHONE)
    it.caller_says("ACK", it.last(str(status), PHONE), 1)
    assert it.board.gate.total() == 0
    it.advance(70.0)
    assert it.is_quiet()


def test_an_address_that_cannot_be_reached_is_passed_over() -> None:
    """Fault list, trunk down: ICMP, TCP refused."""
    it = office()
    queued(it)
    it.stack.flow_failed(FIRST, it.now)
    it.settle()
    talk(it, it.last("INVITE", SECOND))


def test_silence_is_not_waited_for() -> None:
    """Fault list, trunk down: silent drop, SIGSTOP. After 5 s the next; the first never gets the call."""
    it = office()
    queued(it)
    it.advance(4.9)
    assert set(invites(it)) == {"10.0.1.1"}
    it.advance(0.2)
    talk(it, it.last("INVITE", SECOND))
    # The first wakes up and works through what was sent to it: CANCEL, and an answer is ended at once.
    late = it.last("INVITE", FIRST)
    it.answer(late, 100)
    assert it.last("CANCEL", FIRST)
    it.answer(late, 200, sdp(6000), tag="late")
    assert it.words(FIRST)[-2:] == ["ACK", "BYE"]
    assert [call.state.value for call in it.board.calls.values()] == ["talking"]
    assert it.board.gate.total() == 2  # the caller's trunk and the second


def test_an_address_that_works_on_it_is_left_to_it() -> None:
    it = office()
    queued(it)
    it.answer(it.last("INVITE", FIRST), 100, tag="")
    it.advance(20.0)
    assert set(invites(it)) == {"10.0.1.1"}


def test_the_only_address_is_waited_for() -> None:
    it = office(routes=(OutsideRoute("", (RouteTrunk("first"),)),))
    queued(it)
    it.advance(31.0)
    assert set(invites(it)) == {"10.0.1.1"}
    talk(it, it.last("INVITE", FIRST))


def test_no_answer_is_not_tried_elsewhere() -> None:
    """408 after ringing is the callee's, 408 before it is the trunk's."""
    it = office()
    queued(it)
    it.answer(it.last("INVITE", FIRST), 180)
    it.answer(it.last("INVITE", FIRST), 408)
    assert invites(it) == ["10.0.1.1"]
    assert [event.status for event in it.events(SeatFailed)] == [408]


def test_when_all_have_failed_the_last_status_is_told() -> None:
    it = office()
    dial_out(it)
    it.answer(it.last("INVITE", FIRST), 503)
    it.answer(it.last("INVITE", SECOND), 500)
    assert [row.sip_status for row in it.rows if isinstance(row, CallRow)] == [500]
    assert it.board.gate.total() == 0


def test_a_caller_who_gives_up_stops_the_search() -> None:
    it = office()
    queued(it)
    it.advance(1.0)
    it.board.rings.withdraw(next(iter(it.board.rings.offers)), "timeout", it.now)
    it.settle()
    it.advance(40.0)
    assert set(invites(it)) == {"10.0.1.1"}
    assert it.board.gate.calls("first") == 0


def test_a_full_trunk_sends_calls_to_the_next() -> None:
    """max_calls counts both directions; beyond every cap a call is 503."""
    trunks = (
        TrunkSettings("carrier", tenant="demo", max_calls=1),
        TrunkSettings("first", contact="sip:10.0.1.1:5060", max_calls=1),
        TrunkSettings("second", contact="sip:10.0.1.2:5060", max_cps=1.0),
    )
    it = office(trunks=trunks)
    for number in range(3):
        dial_out(it, call_id=f"out{number}")
    assert invites(it) == ["10.0.1.1", "10.0.1.2"]
    assert it.last("503", PHONE)
    counters = it.board.gate.counters("second")
    assert (counters.calls_out, counters.over_cap) == (1, 1)
    assert it.board.gate.counters("first").over_cap == 2
    assert it.dial("96198", "in1") is not None
    assert it.dial("96198", "in2") is None
    assert it.last("503", TRUNK).message.header("retry-after") == "5"
    assert it.board.gate.counters("carrier").over_cap == 1


def test_an_extension_dials_out_only_where_a_route_leads() -> None:
    it = office()
    dial_out(it)
    invite = it.last("INVITE", FIRST).message
    assert (invite.header("from") or "").startswith("<sip:2001@example.com>")
    talk(it, it.last("INVITE", FIRST))
    (call,) = it.board.calls.values()
    assert (call.direction, call.trunk, call.entry) == ("out", "first", "number:13900000001")
    without = office(routes=())
    dial_out(without)
    assert without.last("404", PHONE)
    assert invites(without) == []


def test_a_suspended_tenant_does_not_call_out() -> None:
    it = office(suspended_tenants=("demo",))
    dial_out(it)
    assert it.last("480", PHONE)
    assert it.verdicts() == [("switch", "us:tenant_suspended", 480)]


def test_a_trunk_is_no_way_to_another_trunk() -> None:
    """The transit guard (no transit of traffic): refused though a route would lead there."""
    it = office()
    assert it.dial("13900000001") is None
    assert it.verdicts() == [("switch", "caller:transit", 403)]
    assert invites(it) == []


def test_a_configured_number_is_no_transit() -> None:
    """A hotline of a tenant may overflow to a number outside: the tenant asked for it."""
    it = office(hotlines=(Hotline("96205", "demo", "number:13900000001"),))
    call = it.dial("96205")
    assert call is not None
    assert call.direction == "in"
    talk(it, it.last("INVITE", FIRST))
    assert (it.board.gate.calls("carrier"), it.board.gate.calls("first")) == (1, 1)
    foreign = office(
        hotlines=(Hotline("96205", "demo", "number:13900000001"),),
        trunks=(TRUNKS[0], TrunkSettings("first", tenant="other", contact="sip:10.0.1.1:5060")),
        routes=(OutsideRoute("", (RouteTrunk("first"),)),),
    )
    assert foreign.dial("96205") is None
    assert invites(foreign) == []
    assert foreign.last("404", TRUNK)


def test_a_call_loses_a_hop_on_its_way() -> None:
    """RFC 7332: a B2BUA does not give a loop seventy new hops."""
    it = office()
    call = it.dial("96198", max_forwards=9)
    assert call is not None
    it.offer(call.id, ("pstn", "13900000001"))
    assert it.last("INVITE", FIRST).message.header("max-forwards") == "8"
    it = office(hotlines=(Hotline("96205", "demo", "number:13900000001"),))
    assert it.dial("96205", max_forwards=1) is not None
    assert it.last("INVITE", FIRST).message.header("max-forwards") == "0"
    assert it.dial("96205", "again", max_forwards=0) is None
    assert it.last("483", TRUNK)


def test_a_call_that_comes_back_is_a_loop() -> None:
    """Our mark comes back in a new dialog, or our own INVITE as it was: 482, no second ring."""
    it = office()
    queued(it)
    sent = it.last("INVITE", FIRST).message
    mark = sent.header(LOOP_HEADER.lower())
    assert mark
    assert it.dial("96198", "back", headers=(f"{LOOP_HEADER}: {mark}",)) is None
    assert it.verdicts()[-1] == ("switch", "caller:loop", 482)
    assert it.dial("96198", "fresh", headers=(f"{LOOP_HEADER}: 0123",)) is not None
    assert it.dial("96198", sent.call_id, from_=sent.header("from")) is None
    assert it.last("482", TRUNK)


def test_a_refusal_by_a_person_costs_the_seat_and_no_other_trunk() -> None:
    it = office()
    queued(it)
    it.answer(it.last("INVITE", FIRST), 486)
    assert [event.status for event in it.events(SeatRefused)] == [486]
    assert invites(it) == ["10.0.1.1"]


def test_a_silent_host_of_a_name_is_left_for_the_next_one() -> None:
    """RFC 3263 4.3 within try_for: the other host of the name first, the other trunk after it."""
    trunks = (
        TrunkSettings("carrier", tenant="demo"),
        TrunkSettings("first", contact="sip:carrier.example:5060", try_for=4.0),
        TrunkSettings("second", contact="sip:10.0.1.2:5060"),
    )
    it = office(trunks=trunks)
    dial_out(it)
    (question,) = it.stack.questions.take()
    assert question == Question("A", "carrier.example")
    it.stack.name_answered(question, Answer(("10.0.1.8", "10.0.1.9"), 60.0), it.now)
    it.settle()
    assert invites(it) == ["10.0.1.8"]
    it.advance(4.1)
    assert list(dict.fromkeys(invites(it))) == ["10.0.1.8", "10.0.1.9"]
    it.advance(4.1)
    assert list(dict.fromkeys(invites(it))) == ["10.0.1.8", "10.0.1.9", "10.0.1.2"]
    talk(it, it.last("INVITE", SECOND))
    # Who answers late is let go: ACK and BYE.
    it.answer(next(sent for sent in it.sent if sent.flow.host == "10.0.1.8"), 200, sdp(5000))
    assert it.last("BYE", Flow("udp", 0, "10.0.1.8", 5060))
    assert [call.state.value for call in it.board.calls.values()] == ["talking"]


def test_a_secure_contact_is_called_by_a_secure_uri() -> None:
    target = Target(TRUNKS[1], "sips:carrier.example:5061", "+8613900000001")
    assert target.uri == "sips:+8613900000001@carrier.example:5061"
