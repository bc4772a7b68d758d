"""Whom to INVITE when a phone is to ring."""

from calls.call import Call
from calls.leg import Leg, LegState
from calls.ringing import AUTO_ANSWER, invitations, ring_headers
from kernel.ids import CallId, OfferId, QueueName, SeatId, StreamId
from sip.invitation import Invitation
from tests.calls.office import OTHER_PHONE, Office, call_settings
from tests.sip.scene import PHONE


def invited(
    office: Office,
    kind: str,
    number: str,
    *,
    offer: str | None = "o1",
) -> list[Invitation]:
    call = Call(CallId("c"), office.now)
    call.caller, call.tenant, call.queue = "13800000000", "demo", QueueName("junior")
    leg = Leg(call, StreamId(1), number, LegState.INVITED)
    leg.phone, leg.offer = (kind, number), None if offer is None else OfferId(offer)
    headers = ring_headers(leg, call, office.board.plan.settings)
    return invitations(leg, call, "example.com", office.stack, headers)


def test_a_softphone_rings_at_each_of_its_contacts() -> None:
    office = Office()
    office.register("8001", "phone", "other")
    found = invited(office, "softphone", "8001")
    assert [(one.uri, one.flow) for one in found] == [
        ("sip:8001@192.0.2.7:5062", PHONE),
        ("sip:8001@192.0.2.8:5064", OTHER_PHONE),
    ]
    assert {(one.to, one.from_user) for one in found} == {("<sip:8001@example.com>", "13800000000")}


def test_the_queue_is_named_to_seats_that_ring_for_it() -> None:
    """X-Queue; a call that came through no queue has none to name."""
    office = Office()
    office.register("8001")
    assert invited(office, "softphone", "8001")[0].headers == (("X-Queue", "junior"),)
    assert invited(office, "softphone", "8001", offer=None)[0].headers == ()


def test_a_phone_that_is_not_registered_cannot_be_rung() -> None:
    assert invited(Office(), "extension", "2001") == []


def test_who_is_asked_to_answer_at_once() -> None:
    """A seat that is set so, for a queue call; and one that dials, at its own phone alone."""
    settings = call_settings(auto_answer={"8001": "always", "8002": "desk"})
    call = Call(CallId("c"), 0.0)
    call.queue = QueueName("junior")
    leg = Leg(call, StreamId(1), "8001", LegState.INVITED)
    leg.phone, leg.seat, leg.offer = ("softphone", "8001"), SeatId("8001"), OfferId("o1")
    assert ring_headers(leg, call, settings) == (("X-Queue", "junior"), *AUTO_ANSWER)
    leg.seat = SeatId("8002")
    assert ring_headers(leg, call, settings) == (("X-Queue", "junior"),)
    leg.offer, call.is_callback, call.is_dialled = None, True, True
    assert ring_headers(leg, call, settings) == AUTO_ANSWER
    call.caller_leg = leg
    assert ring_headers(leg, call, settings) == ()
