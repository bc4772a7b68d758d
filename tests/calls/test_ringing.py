"""Whom to INVITE when a phone is to ring."""

from calls.call import Call
from calls.leg import Leg, LegState
from calls.ringing import invitations
from calls.routing import NumberPlan
from calls.settings import TrunkSettings
from kernel.ids import CallId, OfferId, QueueName, StreamId
from sip.session import Invitation
from tests.calls.office import OTHER_PHONE, Office, call_settings
from tests.sip.scene import PHONE


def invited(
    office: Office,
    kind: str,
    number: str,
    *,
    offer: str | None = "o1",
    queue_header: bool = True,
    **changes: object,
) -> list[Invitation]:
    call = Call(CallId("c"), office.now)
    call.caller, call.tenant, call.queue = "13800000000", "demo", QueueName("junior")
    leg = Leg(call, StreamId(1), number, LegState.INVITED)
    leg.phone, leg.offer = (kind, number), None if offer is None else OfferId(offer)
    plan = NumberPlan(call_settings(**changes))
    return invitations(leg, call, plan, office.stack, queue_header=queue_header)


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
    """X-Queue, by setting; a call that came through no queue has none to name."""
    office = Office()
    office.register("8001")
    assert invited(office, "softphone", "8001")[0].headers == (("X-Queue", "junior"),)
    assert invited(office, "softphone", "8001", queue_header=False)[0].headers == ()
    assert invited(office, "softphone", "8001", offer=None)[0].headers == ()


def test_a_phone_that_is_not_registered_cannot_be_rung() -> None:
    assert invited(Office(), "extension", "2001") == []


def test_an_outside_number_goes_through_the_tenants_trunk() -> None:
    (one,) = invited(Office(), "pstn", "13900000001")
    assert (one.uri, one.to, one.trunk) == (
        "sip:13900000001@10.0.0.9:5080",
        "<sip:13900000001@10.0.0.9:5080>",
        "carrier",
    )
    assert one.flow is None


def test_without_a_trunk_that_has_a_contact_no_outside_number_can_be_rung() -> None:
    inbound = (TrunkSettings("carrier", tenant="demo"),)
    assert invited(Office(), "pstn", "13900000001", trunks=inbound) == []
    others = (TrunkSettings("theirs", tenant="other", contact="sip:192.0.2.1:5060"),)
    assert invited(Office(), "pstn", "13900000001", trunks=others) == []
