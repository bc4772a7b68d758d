"""Ringing a phone: whom to INVITE when a seat's or an extension's phone is to ring."""

from calls.call import Call
from calls.leg import Leg
from calls.presentation import ANONYMOUS
from calls.settings import CallSettings
from sip.invitation import Invitation
from sip.stack import Stack

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'  # RFC 3326: no missed call at the losing phone
Headers = tuple[tuple[str, str], ...]

# RFC 5373, and what most phones know instead.
AUTO_ANSWER = (("Answer-Mode", "Auto"), ("Call-Info", "<sip:localhost>;answer-after=0"))


def invitations(leg: Leg, call: Call, domain: str, stack: Stack, headers: Headers) -> list[Invitation]:
    """Return one invitation per registered contact of the leg's phone; none if it cannot be rung.

    The SDP is filled in once the leg's stream is open. Outside numbers: :mod:`calls.failover`.
    """
    number = leg.phone[1]
    # Who is called back sees our number, the seat sees whom it will talk to.
    shown = call.called if call.is_callback and call.caller_leg is None else call.caller
    to = f"<sip:{number}@{domain}>"
    hidden = call.is_private and not call.is_callback
    if call.referred_by:
        headers += (("Referred-By", f"<sip:{call.referred_by}@{domain}>"),)  # RFC 3892
    return [
        Invitation(
            contact.uri,
            to,
            "" if hidden else shown,
            ANONYMOUS if hidden else "",
            flow=contact.flow,
            account=number if contact.has_flows else "",
            instance=contact.instance if contact.has_flows else "",
            routes=contact.path,
            headers=headers,
        )
        for contact in stack.ways(number)
    ]


def ring_headers(leg: Leg, call: Call, settings: CallSettings) -> Headers:
    """Return X-Queue for a phone that rings for a queue, and what makes one answer by itself that shall: its
    seat dials or supervises with it, or is set so.
    """
    if (call.is_dialled and call.caller_leg is None) or (call.is_supervision and leg.phone[0] != "pstn"):
        return AUTO_ANSWER
    if call.is_standing:
        return AUTO_ANSWER if settings.auto_answer.get(call.seat or "") else ()
    headers: Headers = ()
    if leg.offer is not None:
        if call.queue is not None and settings.queue_header:
            headers = (("X-Queue", call.queue),)
        if settings.auto_answer.get(leg.seat or "") == "always":
            headers += AUTO_ANSWER
    return headers
