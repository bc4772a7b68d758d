"""Presentation: how a caller is named to whom it is put through (RFC 3323, RFC 3325).

Rule: who asks not to be named is anonymous to phones and to trunks outside the trust domain; inside it, it is
asserted together with its wish.
"""

import msgspec

from calls.call import Call
from sip.identity import caller_name, diverting_user, wants_privacy
from sip.message import Request

ANONYMOUS = "Anonymous"
PRIVACY = (("Privacy", "id"),)


class Presented(msgspec.Struct, frozen=True):
    """What From says, and the headers beside it."""

    user: str  # "" is anonymous@anonymous.invalid
    display: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def note_caller(call: Call, request: Request, *, is_trusted: bool = False) -> None:
    """Take from a caller's INVITE its name, whether it may be named, and who diverted it here."""
    first = request.first
    call.caller_name = caller_name(request, is_trusted=is_trusted)
    if "privacy" in first:
        call.is_private = wants_privacy(request)
    if "diversion" in first or "history-info" in first:
        call.diverted_by = diverting_user(request)


def presented(number: str, domain: str, *, is_private: bool, is_trusted: bool = False) -> Presented:
    """Return how ``number`` is shown; ``is_trusted``: to a trunk inside our trust domain."""
    if not is_trusted:
        return Presented("", ANONYMOUS) if is_private else Presented(number)
    asserted: tuple[tuple[str, str], ...] = ()
    if number:
        user = number if number.isalnum() or number[1:].isalnum() else ""
        asserted = (("P-Asserted-Identity", f"<sip:{user}@{domain}>"),) if user else ()
    if is_private:
        return Presented("", ANONYMOUS, asserted + PRIVACY)
    return Presented(number, "", asserted)
