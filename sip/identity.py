"""Identity: what a request says of its caller beside From - asserted identity, privacy, diversions, reason.

Rule: nothing here is believed by itself. P-Asserted-Identity counts only from who is trusted (RFC 3325 5),
and whoever reads a value gets at most so many entries and characters of it.
"""

from sip.address import Address
from sip.grammar import SipError, split_list, without_breaks
from sip.message import Message, Request
from sip.uri import parse_uri

ENTRIES_MAX = 20  # of History-Info or Diversion; the older ones are nobody's concern
REASON_MAX = 256  # characters
NAME_MAX = 64
# Why a call is sent on (RFC 4458 4), and what Diversion calls that (RFC 5806 4.1, RFC 7544 3.4).
UNCONDITIONAL, DEFLECTED = 302, 487  # the latter while it rang
DIVERSIONS = {
    302: "unconditional",
    404: "unknown",
    408: "no-answer",
    480: "deflection",
    486: "user-busy",
    487: "deflection",
    503: "unavailable",
}
_CAUSES = {word: cause for cause, word in DIVERSIONS.items() if cause != DEFLECTED}
_PRIVATE = frozenset({"id", "user", "header", "full"})  # RFC 3323 4.2, RFC 3325 9.3


def wants_privacy(request: Request) -> bool:
    """Return whether the caller asks not to be named to whom it calls (RFC 3323, RFC 3325 9.3)."""
    for value in request.headers("privacy"):
        for word in value.replace(",", ";").split(";")[:ENTRIES_MAX]:
            if word.strip(" \t").lower() in _PRIVATE:
                return True
    return False


def asserted_user(request: Request) -> str:
    """Return the user or number of the first usable P-Asserted-Identity; "" for none.

    Only to be asked of a request from inside the trust domain.
    """
    for address in _addresses(request, "p-asserted-identity"):
        user = _user(address)
        if user:
            return user
    return ""


def caller_name(request: Request, *, is_trusted: bool = False) -> str:
    """Return what the caller is called in words: printable, at most ``NAME_MAX`` characters; "" for nothing.

    From the first P-Asserted-Identity that has a name where the request comes from inside the trust domain
    (RFC 3325 9.1), else from From. Who asks not to be named has no name, and neither has a bare number.
    """
    if "privacy" in request.first and wants_privacy(request):
        return ""
    if is_trusted and "p-asserted-identity" in request.first:
        for address in _addresses(request, "p-asserted-identity"):
            name = _name(address)
            if name:
                return name
    # The ordinary From of a carrier, <sip:...>, needs no parser.
    if request.first.get("from", "")[:1] in ("<", "s", "t"):
        return ""
    try:
        return _name(request.from_)
    except SipError:
        return ""


def diverting_user(request: Request) -> str:
    """Return the number that sent the call here instead of taking it, "" for none.

    The first Diversion is the last to divert (RFC 5806 4.1); in History-Info it is the last entry but one
    (RFC 7044 5.1).
    """
    if request.first.get("diversion") is not None:
        for address in _addresses(request, "diversion"):
            user = _user(address)
            if user:
                return user
    if request.first.get("history-info") is not None:
        entries = _addresses(request, "history-info")
        if len(entries) > 1:
            return _user(entries[-2])
    return ""


def diversion_cause(response: Message) -> int:
    """Return why a 3xx sends the call on, as its Diversion or its Reason says; 0 where neither does."""
    if response.first.get("diversion") is not None:
        for address in _addresses(response, "diversion")[:1]:
            word = address.params.get("reason", "").strip('"').lower()
            return _CAUSES.get(word, 404) if word else 0  # RFC 7544: whatever else there is, is unknown
    cause = reasons(reason_of(response)).get("SIP", 0)
    return cause if cause in DIVERSIONS else 0


def reason_of(message: Message) -> str:
    """Return the Reason of a message as one line (RFC 3326), "" for none or one of unseemly length."""
    value = message.first.get("reason")
    if value is None:
        return ""
    text = without_breaks(", ".join(message.headers("reason")[:ENTRIES_MAX]))
    return text if len(text) <= REASON_MAX else ""


def reasons(value: str) -> dict[str, int]:
    """Return the causes of a Reason value by protocol in upper case: ``{"Q.850": 16, "SIP": 487}``."""
    found: dict[str, int] = {}
    try:
        parts = split_list(value)[:ENTRIES_MAX]
    except SipError:
        return found
    for part in parts:
        protocol, _, params = part.partition(";")
        for param in params.split(";"):
            name, _, cause = param.partition("=")
            cause = cause.strip(" \t")
            if (
                name.strip(" \t").lower() == "cause"
                and cause.isdigit()
                and cause.isascii()
                and len(cause) < 4
            ):
                found.setdefault(protocol.strip(" \t").upper(), int(cause))
    return found


def reason_to_pass(value: str) -> str:
    """Return a peer's Reason as the other side may know it: the first cause, without the peer's words."""
    for protocol, cause in reasons(value).items():
        if protocol in ("Q.850", "SIP"):
            return f"{protocol};cause={cause}"
    return ""


def _name(address: Address) -> str:
    """Return the display name as people may read it: no control, format or broken characters."""
    plain = "".join(it if it.isprintable() else " " for it in address.display[: 4 * NAME_MAX])
    name = " ".join(plain.split())[:NAME_MAX].strip()
    return "" if name == _user(address) or name.lower() == "anonymous" else name


def _addresses(request: Message, name: str) -> list[Address]:
    try:
        return request.addresses(name)[:ENTRIES_MAX]
    except SipError:
        return []  # what cannot be read says nothing; the call goes on without it


def _user(address: Address) -> str:
    try:
        return parse_uri(address.uri.partition("?")[0]).user
    except SipError:
        return ""
