"""Calls that begin at a seat because a customer is to be called back, in virtual time and as text."""

import gc

import pytest

from calls.call import Call
from calls.events import (
    CallGone,
    CustomerAnswered,
    CustomerFailed,
    SeatAnswered,
    SeatFailed,
    SeatFreed,
    SeatRefused,
)
from calls.settings import TrunkSettings
from kernel.ids import CallId, OfferId, QueueName
from kernel.rows import CallRow, StreamRow
from media.messages import Connect
from sip.settings import TrunkPeer
from tests.calls.office import Office, call_settings, sdp
from tests.sip.scene import PHONE, Sent

PEERS = (TrunkPeer("carrier", accept=("10.0.0.9",)),)
SEAT_SDP = sdp(5000, host="192.0.2.7")
CUSTOMER_SDP = sdp(4000)


def ring(office: Office, call: str = "cb-1", offer: str = "o1") -> Sent:
    """Place the call and ring the seat; return the INVITE to it."""
    office.register("8001")
    office.board.callbacks.place(
        CallId(call), QueueName("junior"), "demo", "13800000000", "96198", 45.0, office.now
    )
    office.offer(CallId(call), ("softphone", "8001"), offer=offer)
    return office.last("INVITE")


def dial() -> tuple[Office, Call, Sent, Sent]:
    """Let the seat answer; return its INVITE and the customer's."""
    office = Office(trunks=PEERS)
    seat = ring(office)
    office.answer(seat, 180)
    office.advance(2.0)
    office.answer(seat, 200, SEAT_SDP)
    return office, office.board.calls[CallId("cb-1")], seat, office.last("INVITE")


def row_of(office: Office) -> CallRow:
    (row,) = [row for row in office.rows if isinstance(row, CallRow)]
    return row


def test_the_seat_is_rung_first_and_then_the_customer() -> None:
    """The seat sees whom it will talk to, the customer the tenant's number; one row, wrap-up for the seat."""
    office, call, seat, customer = dial()
    assert (seat.flow, "sip:13800000000@" in (seat.message.header("from") or "")) == (PHONE, True)
    assert seat.message.header("x-queue") == "junior"
    assert customer.message.method == "INVITE"
    assert customer.message.uri == "sip:13800000000@10.0.0.9:5080"
    assert "sip:96198@" in (customer.message.header("from") or "")
    assert customer.message.header("x-queue") is None
    assert office.board.gate.calls("carrier") == 1
    office.answer(customer, 180)
    office.advance(5.0)
    assert call.state == "ringing"
    office.answer(customer, 200, CUSTOMER_SDP)
    assert call.state == "talking"
    assert sum(isinstance(command, Connect) for command in office.commands) == 1
    office.advance(30.0)
    office.phone_says("BYE", customer, 1)
    office.answer(office.last("BYE", PHONE), 200)
    told = [event for event in office.told if isinstance(event, SeatAnswered | CustomerAnswered | SeatFreed)]
    assert [type(event) for event in told] == [SeatAnswered, CustomerAnswered, SeatFreed]
    assert told[-1].bridged
    row = row_of(office)
    assert (row.direction, row.caller, row.called, row.seat) == ("out", "96198", "13800000000", "8001")
    assert (row.entry, row.trunk, row.verdict, row.ended_by) == (
        "callback:junior",
        "carrier",
        "success",
        "caller",
    )
    assert (row.waited, row.talked) == (7.0, 30.0)
    assert sum(isinstance(row, StreamRow) for row in office.rows) == 2
    assert office.board.gate.calls("carrier") == 0
    office.advance(40.0)
    assert office.is_quiet()


@pytest.mark.parametrize(
    ("status", "outcome", "verdict"),
    [
        (486, "busy", "peer:busy"),
        (603, "busy", "peer:refused"),
        (480, "no_answer", "peer:no_answer"),
        (404, "failed", "network:404"),
        (503, "failed", "network:503"),
    ],
)
def test_what_the_customer_s_side_says_is_the_attempt_s_outcome(
    status: int, outcome: str, verdict: str
) -> None:
    """The seat is let go without wrap-up."""
    office, _, _, customer = dial()
    office.answer(customer, status)
    office.answer(office.last("BYE", PHONE), 200)
    assert office.events(CustomerFailed) == [CustomerFailed(CallId("cb-1"), outcome, status)]
    assert [event.bridged for event in office.events(SeatFreed)] == [False]
    assert (row_of(office).verdict, row_of(office).sip_status) == (verdict, status)
    office.advance(40.0)
    assert office.is_quiet()


def test_a_customer_who_does_not_answer_is_rung_for_as_long_as_was_said() -> None:
    office, call, _, customer = dial()
    office.answer(customer, 180)
    office.advance(44.9)
    assert call.state == "ringing"
    office.advance(0.2)
    assert office.last("CANCEL").message.uri == customer.message.uri
    assert office.events(CustomerFailed) == [CustomerFailed(CallId("cb-1"), "no_answer", 408)]


def test_a_seat_that_hangs_up_before_the_customer_answers_cancels_the_attempt() -> None:
    office, _, seat, customer = dial()
    office.answer(customer, 180)
    office.phone_says("BYE", seat, 1)
    assert office.last("CANCEL").message.uri == customer.message.uri
    assert [event.outcome for event in office.events(CustomerFailed)] == ["cancelled"]
    assert (row_of(office).verdict, row_of(office).ended_by) == ("agent:cancelled", "seat")


def test_the_seat_hears_what_is_played_before_the_customer_answers() -> None:
    """183 with SDP: RFC 3960."""
    office, _, _, customer = dial()
    office.answer(customer, 183, CUSTOMER_SDP)
    assert sum(isinstance(command, Connect) for command in office.commands) == 1
    office.answer(customer, 200, CUSTOMER_SDP)
    assert office.events(CustomerAnswered) == [CustomerAnswered(CallId("cb-1"))]


@pytest.mark.parametrize(("status", "told"), [(486, SeatRefused), (503, SeatFailed)])
def test_a_seat_that_does_not_take_it_leaves_no_call(status: int, told: type) -> None:
    office = Office(trunks=PEERS)
    seat = ring(office)
    office.answer(seat, status)
    assert len(office.events(told)) == 1
    assert office.board.calls == {}
    assert office.rows == []
    ring(office, offer="o2")
    assert list(office.board.calls) == ["cb-1"]


def test_a_ring_that_is_called_off_leaves_no_call() -> None:
    office = Office(trunks=PEERS)
    seat = ring(office)
    office.answer(seat, 180)
    office.board.rings.withdraw(OfferId("o1"), "no_answer", office.now)
    office.settle()
    assert office.last("CANCEL").flow == PHONE
    assert (office.board.calls, office.rows) == ({}, [])


def test_an_operator_who_ends_it_while_the_seat_rings_sends_it_back_to_its_queue() -> None:
    office = Office(trunks=PEERS)
    ring(office)
    office.board.hang_up(CallId("cb-1"), "operator", office.now)
    office.settle()
    assert office.events(CallGone) == [CallGone(CallId("cb-1"), "withdrawn")]
    assert (office.board.calls, office.rows) == ({}, [])


def test_without_a_trunk_nobody_is_dialled() -> None:
    """The transit guard: only the tenant's own trunk, or a shared one, takes its calls."""
    office = Office(
        call_settings(trunks=(TrunkSettings("other", tenant="else", contact="sip:1.2.3.4:5060"),))
    )
    seat = ring(office)
    office.answer(seat, 200, SEAT_SDP)
    assert [event.outcome for event in office.events(CustomerFailed)] == ["failed"]
    assert row_of(office).verdict == "us:no_trunk"
    assert office.last("INVITE") == seat


def test_a_full_trunk_takes_no_callback() -> None:
    carrier = TrunkSettings("carrier", tenant="demo", contact="sip:10.0.0.9:5080", max_cps=1.0)
    office = Office(call_settings(trunks=(carrier,)), trunks=PEERS)
    assert office.board.gate.admit(carrier, office.now) == ""
    office.board.gate.release("carrier")
    office.answer(ring(office), 200, SEAT_SDP)
    assert row_of(office).verdict == "us:trunk_rate"
    assert office.board.gate.calls("carrier") == 0


def test_nothing_is_left_for_the_garbage_collector() -> None:
    office, _, _, customer = dial()
    office.answer(customer, 200, CUSTOMER_SDP)
    office.phone_says("BYE", customer, 1)
    office.answer(office.last("BYE", PHONE), 200)
    office.advance(40.0)
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is Call]
