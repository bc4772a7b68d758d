"""Whom to INVITE when a phone is to ring."""

from calls.call import Call
from calls.leg import Leg, LegState
from calls.ringing import invitations, queue_headers
from kernel.ids import CallId, OfferId, QueueName, StreamId
from sip.invitation import Invitation
from tests.calls.office import OTHER_PHONE, Office
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
    return invitations(leg, call, "example.com", office.stack, queue_headers(leg, call))


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
