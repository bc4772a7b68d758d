"""Messages: requests and responses as read from the wire, and the bytes of new ones.

A message keeps its header lines as text and an index of first values; a header is decoded when first asked
for, and once. Rule: nothing that is built holds a CR, LF or NUL from a value it was given (the quoted pair
that a peer wrote into its own To or From is echoed to it byte by byte, RFC 3261 8.2.6.2).
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from kernel.limits import SIP_ADDRESSES_MAX, SIP_VIAS_MAX
from sip.address import Address, parse_address, parse_addresses, split_address
from sip.grammar import SipError, parse_number, parse_params, split_list, without_breaks
from sip.headers import Via, parse_cseq, parse_via
from sip.uri import SipUri, TelUri, parse_uri

REASONS: dict[int, str] = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    417: "Unknown Resource-Priority",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    428: "Use Identity Header",
    429: "Provide Referrer Identity",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    469: "Bad Info Package",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}

_STATUS_LINES = {status: f"SIP/2.0 {status} {reason}" for status, reason in REASONS.items()}
_TOKEN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"
_CLASSES = {1: "Progress", 2: "OK", 3: "Redirect", 4: "Request Failure", 5: "Server Failure", 6: "Failure"}
_DIALOG_FORMING = frozenset({"INVITE", "SUBSCRIBE", "REFER"})


class Message(msgspec.Struct, eq=False):
    """What requests and responses have in common. Typed properties raise SipError 400 on a broken value."""

    lines: list[str]  # start line and header lines, unfolded, as on the wire
    first: dict[str, str]  # canonical name -> first value; read it, never write it
    more: dict[str, list[str]]  # the names that came more than once -> all their values in order
    body: bytes = b""
    _via: Via | None = None
    _cseq: tuple[int, str] | None = None
    _from: Address | None = None
    _to: Address | None = None
    _from_tag: str | None = None
    _to_tag: str | None = None
    _contacts: list[Address] | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header by its canonical name, or None."""
        return self.first.get(name)

    def headers(self, name: str) -> list[str]:
        """Return the value of every line of a header, in order; comma lists are not split."""
        if name in self.more:
            return self.more[name]
        value = self.first.get(name)
        return [] if value is None else [value]

    @property
    def header_lines(self) -> list[tuple[str, str]]:
        """Every header as received: names as spelled, values unfolded."""
        pairs = (line.partition(":") for line in self.lines[1:])
        return [(name.rstrip(" \t"), value.strip(" \t")) for name, _, value in pairs]

    @property
    def via(self) -> Via:
        """The top Via."""
        via = self._via
        if via is None:
            value = self.first.get("via")
            if not value:
                raise SipError(400, "Missing Via")
            via = self._via = parse_via(value if "," not in value else split_list(value)[0])
        return via

    @property
    def vias(self) -> list[Via]:
        """Every Via, top first."""
        values: list[str] = []
        for line in self.headers("via"):
            values.extend(split_list(line))
            if len(values) > SIP_VIAS_MAX:
                raise SipError(400, "Too Many Vias")
        return [parse_via(value) for value in values]

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method of CSeq."""
        cseq = self._cseq
        if cseq is None:
            value = self.first.get("cseq")
            if value is None:
                raise SipError(400, "Missing CSeq")
            cseq = self._cseq = parse_cseq(value)
        return cseq

    @property
    def call_id(self) -> str:
        """The Call-ID header."""
        value = self.first.get("call-id")
        if not value or " " in value or "\t" in value:
            raise SipError(400, "Bad Call-ID")
        return value

    def read_dialog(self) -> tuple[int, str]:
        """Read what every message must have, Call-ID, From, To and CSeq, and return CSeq; SipError 400 where
        one is missing or broken.
        """
        first = self.first
        value = first.get("call-id")
        if not value or " " in value or "\t" in value:
            raise SipError(400, "Bad Call-ID")
        self._from_tag = _tag_of(first.get("from")) or self._tagless("from")
        self._to_tag = _tag_of(first.get("to")) or self._tagless("to")
        value = first.get("cseq")
        if value is None:
            raise SipError(400, "Missing CSeq")
        cseq = self._cseq = parse_cseq(value)
        return cseq

    @property
    def from_(self) -> Address:
        """The From header."""
        if self._from is None:
            self._from = self._address("from")
        return self._from

    @property
    def to(self) -> Address:
        """The To header."""
        if self._to is None:
            self._to = self._address("to")
        return self._to

    @property
    def from_tag(self) -> str:
        """The tag of From, "" for none; the rest of From is checked on the way."""
        tag = self._from_tag
        if tag is None:
            tag = self._from_tag = _tag_of(self.first.get("from")) or self._tagless("from")
        return tag

    @property
    def to_tag(self) -> str:
        """The tag of To, "" for none; the rest of To is checked on the way."""
        tag = self._to_tag
        if tag is None:
            tag = self._to_tag = _tag_of(self.first.get("to")) or self._tagless("to")
        return tag

    @property
    def contacts(self) -> list[Address]:
        """Every Contact; ``Contact: *`` is an address with the URI ``*``."""
        if self._contacts is None:
            self._contacts = self.addresses("contact")
        return self._contacts

    @property
    def routes(self) -> list[Address]:
        """Every Route, in order."""
        return self.addresses("route")

    @property
    def record_routes(self) -> list[Address]:
        """Every Record-Route, in order."""
        return self.addresses("record-route")

    def addresses(self, name: str) -> list[Address]:
        """Return every address of a header that is a comma list of them (Path, P-Asserted-Identity); 400 for
        more than anybody honest has, before they are split.
        """
        value = self.first.get(name)
        if value is None:
            return []
        if "," not in value and name not in self.more:
            return parse_addresses(value)
        values = self.headers(name)
        if sum(value.count(",") + 1 for value in values) > SIP_ADDRESSES_MAX:
            raise SipError(400, "Too Many Addresses")
        return [address for value in values for address in parse_addresses(value)]

    def _address(self, name: str) -> Address:
        value = self.first.get(name)
        if value is None:
            raise SipError(400, f"Missing {name.title()}")
        return parse_address(value)

    def _tagless(self, name: str) -> str:
        """Return "", the tag of a From or To without one; 400 if it is not there or has no URI."""
        value = self.first.get(name)
        if value is None:
            raise SipError(400, f"Missing {name.title()}")
        if _tag_of(value) is None:
            raise SipError(400, f"Bad {name.title()}")
        return ""


class Request(Message, eq=False):
    """A request as read from the wire."""

    method: str = ""
    uri: str = ""  # as on the wire
    version: str = ""
    _parsed_uri: SipUri | TelUri | None = None
    _echo: tuple[tuple[str, int] | None, str] | None = None

    @property
    def parsed_uri(self) -> SipUri | TelUri:
        """The Request-URI in parts; SipError 400 or 416."""
        if self._parsed_uri is None:
            self._parsed_uri = parse_uri(self.uri)
        return self._parsed_uri

    def learn(self, via: Via, uri: SipUri | TelUri, contacts: list[Address] | None) -> None:
        """Take what the top Via, the Request-URI and Contact are known to say; None for none."""
        self._via, self._parsed_uri, self._contacts = via, uri, contacts

    @property
    def max_forwards(self) -> int:
        """Max-Forwards; 70 where there is none (RFC 3261 16.6.3), 400 above 255."""
        value = self.first.get("max-forwards")
        return 70 if value is None else parse_number(value, 255, "Max-Forwards")

    def vias_echoed(self, received: tuple[str, int] | None) -> str:
        """Return the lines that an answer copies: Via (the top one with where the request came from, RFC 3261
        18.2.1, RFC 3581 4), From, Call-ID, CSeq; kept, because one request draws several answers.
        """
        if self._echo is not None and self._echo[0] == received:
            return self._echo[1]
        first = self.first
        # The ordinary request, which has been found to have all four.
        if received is not None and self._via is not None and self._cseq is not None and not self.more:
            via = self._stamped_via(first["via"], received)
            sender, sip_call_id = first.get("from"), first.get("call-id")
            if sender is not None and sip_call_id is not None:
                text = f"Via: {via}\r\nFrom: {sender}\r\nCall-ID: {sip_call_id}\r\nCSeq: {first['cseq']}"
                self._echo = (received, text)
                return text
        vias = self.headers("via")
        parts = [f"Via: {value}" for value in vias]
        if received is not None and vias:
            parts[0] = f"Via: {self._stamped_via(vias[0], received)}"
        for name, key in (("From", "from"), ("Call-ID", "call-id"), ("CSeq", "cseq")):
            if key in first:
                parts.append(f"{name}: {first[key]}")
        text = "\r\n".join(parts)
        self._echo = (received, text)
        return text

    def _stamped_via(self, line: str, received: tuple[str, int]) -> str:
        try:
            via = self.via
            return _stamped(via, received) + line[len(via.raw) :]
        except SipError:  # a Via that cannot be read is echoed as it is
            return line

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(Message, eq=False):
    """A response as read from the wire."""

    status: int = 0
    reason: str = ""

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


@lru_cache(maxsize=2_048)
def _tag_of(value: str | None) -> str | None:
    """Return the tag of a From or To, "" for none, None for one without URI; 400 if it is broken.

    The texts of a dialog come again in each of its messages.
    """
    if value is None:
        return None
    # The ordinary value, Name <uri>;tag=token, needs no parser.
    display, _, rest = value.partition("<")
    uri, closes, params = rest.partition(">")
    if (
        closes
        and ":" in uri
        and " " not in uri
        and "\t" not in uri
        and "<" not in uri
        and (not display or _is_plain_name(display))
    ):
        if not params:
            return ""
        tag = params[5:]
        if params[:5] == ";tag=" and tag and ((tag.isalnum() and tag.isascii()) or not tag.strip(_TOKEN)):
            return tag
    _, uri, params = split_address(value)
    if ":" not in uri:
        return None
    return parse_params(params).get("tag", "")


def _is_plain_name(display: str) -> bool:
    """Return whether what stands before a bracket is surely a display name and nothing else."""
    if display[0] == '"':
        return display.count('"') == 2 and display.rstrip(" ")[-1] == '"' and "\\" not in display
    return '"' not in display and "," not in display and ";" not in display


def _stamped(via: Via, source: tuple[str, int]) -> str:
    """Return the Via value with ``received`` and ``rport`` from where its request really came."""
    host, port = source
    bare = host.strip("[]")
    raw = via.raw
    if via.received or via.rport:  # what the peer claims itself is not to be believed
        claimed = ("received", "rport")
        kept = [p for p in split_list(raw, ";") if p.partition("=")[0].strip(" \t").lower() not in claimed]
        raw = ";".join(kept)
        if via.rport is not None:
            raw += ";rport"
    if via.rport is not None:
        start, flag, rest = raw.rpartition(";rport")
        if not flag or rest[:1] not in ("", ";"):
            kept = [p for p in split_list(raw, ";") if p.strip(" \t").lower().rstrip("=") != "rport"]
            start, rest = ";".join(kept), ""
        return f"{start};rport={port};received={bare}{rest}"
    if via.host.strip("[]") != bare:
        return f"{raw};received={bare}"
    return raw


def _encode(lines: list[str], body: bytes) -> bytes:
    """Join header lines and body; a break inside a line (only a foreign value can bring one) is taken out."""
    head = "\r\n".join(lines)
    breaks = head.count("\r\n")
    if breaks != head.count("\n") or breaks != head.count("\r") or breaks != len(lines) - 1 or "\0" in head:
        head = "\r\n".join([without_breaks(line) for line in lines])
    return _bytes(head) + b"\r\n\r\n" + body


def _bytes(head: str) -> bytes:
    try:
        return head.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, as JSON can spell it
        return head.encode("utf-8", "replace")


def build_response(
    request: Request,
    status: int,
    reason: str = "",
    *,
    to_tag: str = "",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
    received: tuple[str, int] | None = None,
) -> bytes:
    """Return the bytes of an answer to ``request`` (RFC 3261 8.2.6).

    Via, From, To, Call-ID and CSeq are copied as far as they are there; ``to_tag`` is added to a To without
    one; ``received`` is the source of the request; Record-Route is copied into what can make a dialog.
    """
    first = request.first
    to = first.get("to")
    echo = request.vias_echoed(received)
    if to is not None:
        echo += f"\r\nTo: {to}"
        if to_tag and not _has_tag(request):
            echo += ";tag=" + without_breaks(to_tag)
    if 100 < status < 300 and "record-route" in first and request.method in _DIALOG_FORMING:
        echo += "".join([f"\r\nRecord-Route: {value}" for value in request.headers("record-route")])
    if status == 100 and "timestamp" in first:
        echo += f"\r\nTimestamp: {first['timestamp']}"
    start = _STATUS_LINES.get(status) if not reason else None
    if start is None:
        start = f"SIP/2.0 {status} {without_breaks(reason) or _CLASSES[status // 100]}"
    lines = [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Type: {content_type}")
    lines.append(f"Content-Length: {len(body)}")
    return _bytes(f"{start}\r\n{echo}\r\n") + _encode(lines, body)


def _has_tag(request: Request) -> bool:
    try:
        return bool(request.to_tag)
    except SipError:  # a To that cannot be read is echoed as it is
        return True


def build_request(
    method: str,
    uri: str,
    *,
    via: str,
    from_: str,
    to: str,
    call_id: str,
    cseq: int,
    max_forwards: int = 70,
    routes: Sequence[str] = (),
    contact: str = "",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> bytes:
    """Return the bytes of a request. ``via``, ``from_``, ``to``, ``routes`` and ``contact`` are whole header
    values.
    """
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via}",
        f"Max-Forwards: {max_forwards}",
        f"From: {from_}",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
    ]
    if routes:
        lines.extend([f"Route: {route}" for route in routes])
    if contact:
        lines.append(f"Contact: {contact}")
    if headers:
        lines.extend([f"{name}: {value}" for name, value in headers])
    if body:
        lines.append(f"Content-Type: {content_type}")
    lines.append(f"Content-Length: {len(body)}")
    return _encode(lines, body)


def sdp_of(message: Request | Response) -> bytes:
    """Return the body if it is SDP, else b""."""
    if not message.body:
        return b""
    content_type = message.first.get("content-type") or ""
    if content_type.lower().startswith("application/sdp"):
        return message.body
    return b""
