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
    # Who is called back sees our number, the seat sees whom it will talk to.
    shown = call.called if call.is_callback and leg.offer is not None else call.caller
    headers: tuple[tuple[str, str], ...] = ()
    if leg.offer is not None and queue_header and call.queue is not None:
        headers = (("X-Queue", call.queue),)
    if kind == "pstn":
        trunk = plan.trunk_of(call.tenant)
        if trunk is None:
            return []
        uri = f"sip:{number}@{trunk.contact.partition(':')[2]}"
        return [Invitation(uri, f"<{uri}>", shown, trunk=trunk.name, headers=headers)]
    to = f"<sip:{number}@{plan.settings.domain}>"
    return [
        Invitation(contact.uri, to, shown, flow=contact.flow, routes=contact.path, headers=headers)
        for contact in stack.contacts(number)
        if contact.reachable
    ]
