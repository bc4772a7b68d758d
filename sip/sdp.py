"""SDP as data (RFC 8866, the older RFC 4566 too): what a body says, without deciding anything about it.

Rule: reading is bounded by :mod:`kernel.limits` and linear; unknown lines and attributes are skipped, broken
ones that matter for audio are a SipError 400. Host names are kept as text and never looked up here.
"""

from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any

from kernel.limits import SDP_LINES_MAX, SDP_MEDIA_MAX, SIP_MESSAGE_MAX
from sip.grammar import SipError, is_unicast_quad

DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
STATIC_PAYLOADS = {  # RFC 3551 table 4
    "0": "PCMU/8000",
    "3": "GSM/8000",
    "4": "G723/8000",
    "8": "PCMA/8000",
    "9": "G722/8000",
    "13": "CN/8000",
    "15": "G728/8000",
    "18": "G729/8000",
}
_FORMATS_MAX = 128  # payload types are 7 bits
_KNOWN_MAX = 1_024  # descriptions known again
_KNOWN_LENGTH_MAX = 1_024  # bytes; longer ones are read every time


class MediaDescription:
    """One m= section."""

    __slots__ = (
        "connection",
        "direction",
        "fmtp",
        "formats",
        "kind",
        "line",
        "port",
        "proto",
        "ptime",
        "rtpmaps",
    )

    def __init__(self, line: str, kind: str, port: int, proto: str, formats: list[str]) -> None:
        self.line = line  # behind "m=", as on the wire
        self.kind = kind  # "audio", "video"
        self.port = port  # 0: refused or switched off
        self.proto = proto  # "RTP/AVP"
        self.formats = formats  # payload types in order of preference
        self.rtpmaps: dict[str, str] = {}  # payload type -> "PCMU/8000", as on the wire
        self.fmtp: dict[str, str] = {}
        self.direction = ""  # "" where the section says nothing
        self.ptime = 0  # milliseconds, 0 where the section says nothing
        self.connection = ""  # host of its own c= line, "" for the session's

    def encoding(self, payload_type: str) -> str:
        """Return ``NAME/rate`` or ``NAME/rate/channels`` of a payload type, "" if it is unknown."""
        return self.rtpmaps.get(payload_type) or STATIC_PAYLOADS.get(payload_type, "")


class SessionDescription:
    """A whole description."""

    __slots__ = ("choices", "connection", "direction", "media", "origin", "time")

    def __init__(self) -> None:
        self.choices: dict[Any, Any] | None = None  # what was chosen from it, by what there was to choose
        self.origin = ""  # behind "o="
        self.connection = ""  # host of the session's c= line, "" for none
        self.direction = ""
        self.time = "0 0"
        self.media: list[MediaDescription] = []

    def host_of(self, media: MediaDescription) -> str:
        """Return where ``media`` is to be sent: its own c= line, else the session's; "" for none."""
        return media.connection or self.connection

    def direction_of(self, media: MediaDescription) -> str:
        """Return the direction of ``media``, seen from who described it (RFC 8866 6.7)."""
        return media.direction or self.direction or "sendrecv"


def parse_sdp(body: bytes) -> SessionDescription:
    """Read a description; 400 if it is broken, 488 if it is larger than anybody's honest one."""
    if len(body) > SIP_MESSAGE_MAX or body.count(b"\n") > SDP_LINES_MAX:
        raise SipError(488, "SDP Too Large")
    text = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    if "\0" in text or "\r" in text or text[:2] != "v=":
        raise SipError(400, "Bad SDP")
    session = SessionDescription()
    media: MediaDescription | None = None
    for line in text.split("\n"):
        kind, value = line[:2], line[2:]
        if kind == "a=":
            _take_attribute(session if media is None else media, value)
        elif kind == "m=":
            media = _parse_media(value)
            session.media.append(media)
            if len(session.media) > SDP_MEDIA_MAX:
                raise SipError(488, "Too Many Media Lines")
        elif kind == "c=":
            (session if media is None else media).connection = _parse_connection(value)
        elif kind == "o=":
            if len(value.split()) != 6:
                raise SipError(400, "Bad SDP Origin")
            session.origin = value
        elif kind == "t=" and media is None:
            session.time = value.strip()
        elif line and line[1:2] != "=":
            raise SipError(400, "Bad SDP Line")
    if not session.origin:
        raise SipError(400, "SDP Without Origin")
    return session


class Descriptions:
    """Reads descriptions, and knows those again that differ only in o= line and first audio port: a phone
    says the same in every call (1.5 us instead of 9).
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, SessionDescription] = {}  # without o= line and port; bounded

    def read(self, body: bytes) -> tuple[SessionDescription, int]:
        """Return what :func:`parse_sdp` returns, and the port of the first m= line.

        The description may be shared: it must not be changed, and its o= line and that one port may be those
        of another call.
        """
        head, begins, rest = body.partition(b"\r\nm=audio ")
        origin, _, lines = head[7:].partition(b"\r\n")
        digits, _, audio = rest.partition(b" ")
        if not begins or head[:7] != b"v=0\r\no=" or b"m=" in lines:
            return _read_anew(body)
        if not digits.isdigit() or len(digits) > 5:
            return _read_anew(body)
        port, said = int(digits), origin.decode("utf-8", "surrogateescape")
        if not 0 < port < 65536 or len(said.split()) != 6 or not said.isprintable():
            return _read_anew(body)
        key = lines + b"\0" + audio  # no description holds a NUL
        known = self._known.get(key)
        if known is None:
            known = parse_sdp(body)
            if len(key) <= _KNOWN_LENGTH_MAX:
                if len(self._known) >= _KNOWN_MAX:
                    self._known.clear()
                known.choices = {}
                self._known[key] = known
        return known, port


def _read_anew(body: bytes) -> tuple[SessionDescription, int]:
    session = parse_sdp(body)
    return session, session.media[0].port if session.media else 0


def _parse_media(value: str) -> MediaDescription:
    words = value.split()
    if len(words) < 4 or len(words) > _FORMATS_MAX + 3:
        raise SipError(400, "Bad SDP Media Line")
    port = words[1].partition("/")[0]
    if not port.isdigit() or not port.isascii() or len(port) > 5 or int(port) > 65535:
        raise SipError(400, "Bad SDP Port")
    return MediaDescription(value.strip(), words[0].lower(), int(port), words[2], words[3:])


def _parse_connection(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in ("IP4", "IP6"):
        raise SipError(400, "Bad SDP Connection")
    return words[2]  # a multicast address keeps its "/ttl"; it is refused by whoever wants to send there


def _take_attribute(where: SessionDescription | MediaDescription, attribute: str) -> None:
    if attribute in DIRECTIONS:
        where.direction = attribute
        return
    if isinstance(where, SessionDescription):
        return
    name, _, value = attribute.partition(":")
    if name == "rtpmap":
        payload_type, _, encoding = value.partition(" ")
        encoding = encoding.strip()
        known = where.rtpmaps.get(payload_type)
        if known is not None and known.upper() != encoding.upper():
            raise SipError(400, "Contradictory SDP rtpmap")
        where.rtpmaps[payload_type] = encoding
    elif name == "fmtp":
        payload_type, _, parameters = value.partition(" ")
        where.fmtp[payload_type] = parameters.strip()
    elif name == "ptime":
        whole = value.strip().partition(".")[0]
        if not whole.isdigit() or not whole.isascii() or len(whole) > 5:
            raise SipError(400, "Bad SDP ptime")
        where.ptime = int(whole)


def sendable_host(host: str) -> bool:
    """Return whether audio may be sent to ``host``: a unicast address literal, no name, group or broadcast
    (A-SDP).
    """
    if is_unicast_quad(host):
        return True
    try:
        if ":" in host:
            address6 = IPv6Address(host)
            if address6.ipv4_mapped is not None:
                return sendable_host(str(address6.ipv4_mapped))
            return not (address6.is_multicast or address6.is_unspecified)
        address = IPv4Address(host)
    except (AddressValueError, ValueError):
        return False
    return 0x01000000 <= int(address) < 0xE0000000  # neither this network nor groups nor what is reserved


def is_unspecified(host: str) -> bool:
    """Return whether ``host`` is 0.0.0.0 or ::, the hold of RFC 2543 (RFC 3264 8.4)."""
    return host in ("0.0.0.0", "::", "0:0:0:0:0:0:0:0")
