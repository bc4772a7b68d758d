"""Ringing a phone: whom to INVITE when a seat's or an extension's phone is to ring."""

from calls.call import Call
from calls.leg import Leg
from calls.routing import NumberPlan
from sip.session import Invitation
from sip.stack import Stack


def invitations(
    leg: Leg, call: Call, plan: NumberPlan, stack: Stack, *, queue_header: bool
) -> list[Invitation]:
    """Return one invitation per contact of the leg's phone; none if it cannot be rung.

    A softphone or extension is rung at each of its registered contacts, an outside number through the
    tenant's trunk. The SDP is filled in once the leg's stream is open.
    """
    kind, number = leg.phone
    headers: tuple[tuple[str, str], ...] = ()
    if leg.offer is not None and queue_header and call.queue is not None:
        headers = (("X-Queue", call.queue),)
    if kind == "pstn":
        trunk = plan.trunk_of(call.tenant)
        if trunk is None:
            return []
        uri = f"sip:{number}@{trunk.contact.partition(':')[2]}"
        return [Invitation(uri, f"<{uri}>", call.caller, trunk=trunk.name, headers=headers)]
    to = f"<sip:{number}@{plan.settings.domain}>"
    return [
        Invitation(contact.uri, to, call.caller, flow=contact.flow, routes=contact.path, headers=headers)
        for contact in stack.contacts(number)
        if contact.reachable
    ]
