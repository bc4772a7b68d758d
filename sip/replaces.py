"""Replaces: an INVITE, or the one a REFER asks for, that takes the place of another dialog (RFC 3891).

Rule: a dialog is found only by all three of its Call-ID and tags; whether the one who asks may have it is
for call control to say.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from sip.grammar import SipError, is_token, parse_params
from sip.sessionstate import SessionState

if TYPE_CHECKING:
    from sip.message import Request
    from sip.session import Session

_LENGTH_MAX = 512  # characters of one Replaces; three tokens of honest length are below 200


class Replaces(msgspec.Struct, frozen=True):
    """Which dialog is meant, as its receiver knows it."""

    sip_call_id: str
    to_tag: str  # the receiver's own tag
    from_tag: str
    early_only: bool = False


def parse_replaces(value: str) -> Replaces:
    """Read ``call-id;to-tag=a;from-tag=b;early-only``; 400 if it is broken."""
    sip_call_id, semicolon, rest = value.strip(" \t").partition(";")
    sip_call_id = sip_call_id.rstrip(" \t")
    params = parse_params(semicolon + rest)
    to_tag, from_tag = params.get("to-tag", ""), params.get("from-tag", "")
    if not sip_call_id or " " in sip_call_id or "," in value or len(value) > _LENGTH_MAX:
        raise SipError(400, "Bad Replaces")
    if not is_token(to_tag) or not is_token(from_tag):
        raise SipError(400, "Bad Replaces")
    return Replaces(sip_call_id, to_tag, from_tag, "early-only" in params)


def find_replaced(replaces: Replaces, sessions: Mapping[str, "Session"]) -> "Session":
    """Return the session that ``replaces`` means (RFC 3891 3), or raise the refusal it deserves.

    481 for no such dialog or an early one that the peer started, 603 for one that is over, 486 for an
    answered one where only an early one was wanted.
    """
    session = sessions.get(replaces.to_tag)
    if session is None or session.sip_call_id != replaces.sip_call_id:
        raise SipError(481, "No Such Dialog")
    # RFC 3891 3: "0" stands for the missing tag of a peer older than RFC 3261.
    wanted = replaces.from_tag if session.remote_tag or replaces.from_tag != "0" else ""
    if session.remote_tag != wanted and (
        session.outgoing is None or session.dialog_with(replaces.from_tag) is None
    ):
        raise SipError(481, "No Such Dialog")
    state = session.state
    if state in (SessionState.ENDING, SessionState.ENDED, SessionState.LEAVING, SessionState.CANCELLING):
        raise SipError(603, "Decline")
    if state is SessionState.ARRIVED:
        raise SipError(481, "No Such Dialog")
    if replaces.early_only and state in (SessionState.CONFIRMED, SessionState.ACCEPTED):
        raise SipError(486, "Busy Here")
    return session


def replaced_by(request: "Request", sessions: Mapping[str, "Session"]) -> "Session | None":
    """Return the session that an INVITE asks to replace, None if it asks for none; SipError as above."""
    value = request.first.get("replaces")
    if value is None:
        return None
    if len(request.headers("replaces")) > 1 or request.first.get("join") is not None:
        raise SipError(400, "Bad Replaces")
    return find_replaced(parse_replaces(value), sessions)
