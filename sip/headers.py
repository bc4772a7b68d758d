"""Headers: their names in one registry, and the typed values that are no addresses.

Rule: inside, a header name is its full form in lower case ("call-id"), whatever came off the wire.
"""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from sip.grammar import SipError, is_token, parse_number, parse_params, split_list
from sip.uri import parse_host_port

CSEQ_MAX = 2**31 - 1  # RFC 3261 8.1.1.5
DELTA_SECONDS_MAX = 2**32 - 1  # RFC 3261 20.19

COMPACT = {  # RFC 3261 7.3.3 and the registry of header fields
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

# Of which a message may have one line and one value (RFC 3261 7.3.1); a second one is refused.
SINGLE = frozenset(
    {
        "call-id",
        "content-disposition",
        "content-length",
        "content-type",
        "cseq",
        "event",
        "expires",
        "from",
        "max-forwards",
        "min-expires",
        "min-se",
        "rack",
        "refer-to",
        "referred-by",
        "rseq",
        "session-expires",
        "subscription-state",
        "to",
    }
)

_SPELLINGS = """
Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Answer-Mode
Authentication-Info Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding
Content-Language Content-Length Content-Type CSeq Date Diversion Error-Info Event Expires Flow-Timer
From Geolocation History-Info Identity In-Reply-To Join Max-Forwards MIME-Version Min-Expires Min-SE
Organization P-Access-Network-Info P-Asserted-Identity P-Associated-URI P-Called-Party-ID
P-Charging-Vector P-Early-Media P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-
Authorization Proxy-Require RAck RSeq Reason Record-Route Refer-Sub Refer-To Referred-By Remote-
Party-ID Replaces Reply-To Request-Disposition Require Retry-After Route Security-Client Security-
Server Security-Verify Server Service-Route Session-Expires SIP-ETag SIP-If-Match Subject
Subscription-State Supported Target-Dialog Timestamp To Unsupported User-Agent Via Warning WWW-
Authenticate X-Queue
"""  # usual in requests and responses; others take the slower way


def _spelled() -> dict[str, str]:
    """Return every usual spelling of a name with its canonical form: one look-up, no strip and lower."""
    known: dict[str, str] = {}
    for name in _SPELLINGS.split():
        for spelling in (name, name.lower(), name.title(), name.upper()):
            known[spelling] = name.lower()
    for letter, name in COMPACT.items():
        known[letter] = known[letter.upper()] = name
    return known


NAMES = _spelled()


def canonical_name(name: str) -> str:
    """Return the full, lower-case form of a header name; 400 if it is no token. Blanks before the colon are
    allowed (RFC 3261 7.3.1), before the name they are not.
    """
    name = name.rstrip(" \t")
    # The ordinary X-Name is known by less (0.25 us instead of 0.45).
    if not (name.isascii() and name.replace("-", "").isalpha()) and not is_token(name):
        raise SipError(400, "Bad Header Name")
    lower = name.lower()
    return COMPACT.get(lower, lower)


# What stands in nearly every Via: such a one needs no parser.
_VIA_PARAMS = frozenset({"branch", "rport", "received", "alias", "keep"})


class Via(msgspec.Struct, eq=False):
    """One Via value."""

    raw: str
    transport: str  # in capitals: "UDP"
    host: str  # in lower case; IPv6 in brackets
    port: int | None
    params: dict[str, str]
    branch: str = ""
    rport: str | None = None  # None: absent; "": asked for (RFC 3581)
    received: str = ""

    @property
    def sent_by(self) -> tuple[str, int]:
        """Host and port where answers go when nothing else says so (RFC 3261 18.2.2)."""
        return self.host, self.port or (5061 if self.transport == "TLS" else 5060)

    def __repr__(self) -> str:
        return f"<Via {self.raw}>"


def parse_via(raw: str) -> Via:
    """Read one Via value (no comma list); 400 if it is broken."""
    head, semicolon, tail = raw.partition(";")
    protocol, _, place = head.partition(" ")
    if protocol[:8] != "SIP/2.0/" or not protocol[8:].isalpha() or " " in place or "\t" in head or not place:
        protocol, place = _loose_via_head(head)
    host, port = parse_host_port(place)
    params: dict[str, str] = {}
    if semicolon:
        is_plain = " " not in tail and '"' not in tail and "\t" not in tail
        for part in tail.split(";"):
            name, _, value = part.partition("=")
            if name not in _VIA_PARAMS or name in params or not is_plain:
                params = parse_params(";" + tail)
                break
            params[name] = value
    get = params.get
    branch, received = get("branch", ""), get("received", "")
    return Via(raw, protocol[8:].upper(), host, port, params, branch, get("rport"), received)


def _loose_via_head(head: str) -> tuple[str, str]:
    """Cut ``SIP / 2.0 / UDP   host : port`` with its blanks; 400 if it is no Via.

    Any protocol and version will do (RFC 3261 25.1): a request of another version is answered with 505.
    """
    name, _, rest = head.partition("/")
    version, _, rest = rest.partition("/")
    words = rest.replace("\t", " ").strip().split(" ", 1)
    if len(words) != 2:
        raise SipError(400, "Bad Via")
    transport, place = words[0], words[1].strip()
    if ":" in place:
        before, _, port = place.rpartition(":")
        if before[-1:] in " \t" or port[:1] in " \t":
            place = f"{before.rstrip()}:{port.lstrip()}"
    if not (is_token(transport) and is_token(name.strip(" \t")) and is_token(version.strip(" \t"))):
        raise SipError(400, "Bad Via")
    return "SIP/2.0/" + transport, place


@lru_cache(maxsize=1_024)
def parse_cseq(value: str) -> tuple[int, str]:
    """Split ``"314 INVITE"``; 400 on anything that RFC 3261 8.1.1.5 does not allow. Nearly all requests of
    ours, and of many a peer, are the first or the second of their dialog.
    """
    number, _, method = value.partition(" ")
    if len(number) < 10 and number.isdigit() and method.isalpha() and value.isascii():
        return int(number), method
    number, method = [*value.split(None, 1), "", ""][:2]
    if not is_token(method):
        raise SipError(400, "Bad CSeq")
    return parse_number(number, CSEQ_MAX, "CSeq"), method


def parse_rack(value: str) -> tuple[int, int, str]:
    """Split RAck ``"776656 1 INVITE"`` into RSeq, CSeq number and method (RFC 3262 7.2)."""
    words = value.split()
    if len(words) != 3 or not is_token(words[2]):
        raise SipError(400, "Bad RAck")
    return parse_number(words[0], CSEQ_MAX + 1, "RAck"), parse_number(words[1], CSEQ_MAX, "RAck"), words[2]


def parse_delta(value: str, what: str = "Expires") -> int:
    """Return seconds, clamped to 2^32-1 (RFC 3261 20.19); 400 if ``value`` is no number."""
    digits = value.strip(" \t")
    if not digits.isdigit() or not digits.isascii():
        raise SipError(400, f"Bad {what}")
    return min(int(digits[-20:]), DELTA_SECONDS_MAX) if len(digits) <= 20 else DELTA_SECONDS_MAX


def parse_q(value: str) -> float:
    """Return a q value, 0 to 1 (RFC 3261 25.1); 400 if it is none."""
    whole, _, part = value.partition(".")
    if whole not in ("0", "1", "") or len(part) > 3 or (part and not (part.isdigit() and part.isascii())):
        raise SipError(400, "Bad Q Value")
    q = float(f"{whole or 0}.{part or 0}")
    if q > 1 or not (whole or part):
        raise SipError(400, "Bad Q Value")
    return q


def tokens(values: Iterable[str]) -> list[str]:
    """Return the items of comma lists over all lines of a header (Require, Supported, Allow); empty items
    fall away.
    """
    return [item for value in values for item in split_list(value) if item]


def media_type(value: str) -> str:
    """Return ``type/subtype`` in lower case, without parameters."""
    return value.partition(";")[0].strip(" \t").replace(" ", "").lower()


def parse_dialog_reference(value: str) -> tuple[str, dict[str, str]]:
    """Split Replaces, Join or Target-Dialog into Call-ID and parameters (RFC 3891 6.1); 400 without both
    tags.
    """
    sip_call_id, semicolon, rest = value.partition(";")
    params = parse_params(semicolon + rest)
    if not sip_call_id.strip(" \t") or "to-tag" not in params or "from-tag" not in params:
        raise SipError(400, "Bad Dialog Reference")
    return sip_call_id.strip(" \t"), params
