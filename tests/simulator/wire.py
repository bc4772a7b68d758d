"""SIP and SDP as the simulated phones write and read them.

On purpose nothing of :mod:`sip` is used here: a mistake of the switch must not be repeated by its test. A
message that a careful phone could not read is a :class:`Malformed`, which the world reports.
"""

from hashlib import md5, sha256
from typing import NamedTuple

_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "k": "supported",
    "s": "subject",
    "e": "content-encoding",
}
_LISTS = ("via", "route", "record-route", "contact")


class Malformed(Exception):
    """What arrived is no SIP message, or one that breaks a rule every receiver relies on."""


class Message:
    """A request (``status`` 0) or a response (``method`` from its CSeq)."""

    __slots__ = ("body", "headers", "method", "reason", "status", "uri")

    def __init__(self, data: bytes) -> None:
        head, separator, body = data.partition(b"\r\n\r\n")
        if not separator:
            raise Malformed("no empty line after the headers")
        start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        self.headers: list[tuple[str, str]] = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip() or not name:
                raise Malformed(f"header line {line!r}")
            lower = name.lower()
            self.headers.append((_COMPACT.get(lower, lower), value.strip()))
        self.body = body
        self.status, self.uri = 0, ""
        if start.startswith("SIP/2.0 "):
            self.status = int(start[8:11])
            self.reason = start[12:]
            self.method = self.cseq[1]
        else:
            self.reason = ""
            self.method, self.uri, version = start.split(" ")
            if version != "SIP/2.0":
                raise Malformed(f"start line {start!r}")
        self._check()

    def _check(self) -> None:
        for name in ("via", "from", "to", "call-id", "cseq"):
            if not self.get(name):
                raise Malformed(f"no {name}")
        for name in ("from", "to", "call-id", "cseq", "content-length", "max-forwards"):
            if sum(1 for other, _ in self.headers if other == name) > 1:
                raise Malformed(f"{name} twice")
        length = self.get("content-length")
        if length and int(length) != len(self.body):
            raise Malformed(f"Content-Length {length} with {len(self.body)} bytes of body")
        if self.body and not self.get("content-type"):
            raise Malformed("a body without Content-Type")
        if not self.status and not self.get("max-forwards"):
            raise Malformed("a request without Max-Forwards (RFC 3261 8.1.1)")
        if not param(self.get("from"), "tag"):
            raise Malformed("From without a tag (RFC 3261 8.1.1.3)")
        if not param(self.all("via")[0], "branch").startswith("z9hG4bK"):
            raise Malformed("a branch without the magic cookie (RFC 3261 8.1.1.7)")

    def get(self, name: str) -> str:
        """Return the first value of a header, or ""."""
        return next((value for other, value in self.headers if other == name), "")

    def all(self, name: str) -> list[str]:
        """Return every value of a header, comma lists of the headers that have them split."""
        values = [value for other, value in self.headers if other == name]
        if name not in _LISTS:
            return values
        return [item for value in values for item in _split(value)]

    @property
    def cseq(self) -> tuple[int, str]:
        number, _, method = self.get("cseq").partition(" ")
        return int(number), method.strip()

    @property
    def branch(self) -> str:
        return param(self.all("via")[0], "branch")

    @property
    def call_id(self) -> str:
        return self.get("call-id")

    @property
    def from_tag(self) -> str:
        return param(self.get("from"), "tag")

    @property
    def to_tag(self) -> str:
        return param(self.get("to"), "tag")


def _split(value: str) -> list[str]:
    items, depth, quoted, start = [], 0, False, 0
    for at, sign in enumerate(value):
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign == "<":
            depth += 1
        elif not quoted and sign == ">":
            depth -= 1
        elif sign == "," and not quoted and not depth:
            items.append(value[start:at].strip())
            start = at + 1
    items.append(value[start:].strip())
    return items


def param(value: str, name: str) -> str:
    """Return a header parameter of a name-addr or Via value, or ""."""
    after = value.rpartition(">")[2] if ">" in value else value
    for item in after.split(";")[1:]:
        key, _, text = item.partition("=")
        if key.strip().lower() == name:
            return text.strip()
    return ""


def uri_of(value: str) -> str:
    """Return the URI of a name-addr or addr-spec."""
    if "<" in value:
        return value.partition("<")[2].partition(">")[0]
    return value.partition(";")[0].strip()


def user_of(uri: str) -> str:
    """Return the user part of a sip URI, or ""."""
    rest = uri.partition(":")[2]
    return rest.partition("@")[0] if "@" in rest else ""


def host_port(uri: str) -> tuple[str, int]:
    """Return where a sip URI with an IPv4 host leads; port 5060 by default."""
    rest = uri.partition(":")[2].partition(";")[0].partition("?")[0]
    hostport = rest.rpartition("@")[2]
    host, _, port = hostport.partition(":")
    return host, int(port) if port else 5060


def build(start: str, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
    """Return a message; Content-Type (SDP) and Content-Length are added."""
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


class Sdp(NamedTuple):
    """What matters of a session description with one audio stream."""

    host: str
    port: int
    payloads: tuple[int, ...]
    direction: str
    session: str  # o= session id
    version: int  # o= session version
    media_lines: int


def parse_sdp(body: bytes) -> Sdp:
    """Return what an SDP says; Malformed when it breaks RFC 4566's order or lacks a line."""
    host, port, direction, payloads = "", 0, "sendrecv", ()
    session, version, media_lines = "", 0, 0
    lines = body.decode().split("\r\n")
    if lines[0] != "v=0" or lines[-1] != "" or "t=0 0" not in lines or not any(x[:2] == "s=" for x in lines):
        raise Malformed(f"SDP {lines!r}")
    for line in lines:
        kind, value = line[:2], line[2:]
        if kind == "o=":
            session, version = value.split(" ")[1], int(value.split(" ")[2])
        elif kind == "c=":
            host = value.split(" ")[2]
        elif kind == "m=":
            media_lines += 1
            if media_lines == 1:
                words = value.split(" ")
                port, payloads = int(words[1]), tuple(int(word) for word in words[3:])
        elif kind == "a=" and value in ("sendrecv", "sendonly", "recvonly", "inactive"):
            direction = value
    if not host or not media_lines:
        raise Malformed(f"SDP {lines!r}")
    return Sdp(host, port, tuple(payloads), direction, session, version, media_lines)


def build_sdp(
    host: str, port: int, *, version: int = 1, direction: str = "sendrecv", payloads: str = "0 8 101"
) -> bytes:
    """Return an SDP with PCMU, PCMA and telephone-event, or the ``payloads`` named."""
    names = {
        "0": "PCMU/8000",
        "8": "PCMA/8000",
        "101": "telephone-event/8000",
        "9": "G722/8000",
        "18": "G729/8000",
    }
    lines = ["v=0", f"o=phone 4711 {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    lines.append(f"m=audio {port} RTP/AVP {payloads}")
    lines += [f"a=rtpmap:{payload} {names[payload]}" for payload in payloads.split()]
    if "101" in payloads.split():
        lines.append("a=fmtp:101 0-16")
    lines += ["a=ptime:20", f"a={direction}"]
    return "\r\n".join([*lines, ""]).encode()


def challenge_of(value: str) -> dict[str, str]:
    """Return the parameters of a Digest challenge."""
    found = {}
    for item in _split_commas(value.partition(" ")[2]):
        key, _, text = item.partition("=")
        found[key.strip().lower()] = text.strip().strip('"')
    return found


def _split_commas(text: str) -> list[str]:
    items, quoted, start = [], False, 0
    for at, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif sign == "," and not quoted:
            items.append(text[start:at])
            start = at + 1
    return [*items, text[start:]]


def answer_of(
    challenge: dict[str, str], *, user: str, password: str, method: str, uri: str, count: int = 1
) -> str:
    """Return the ``response`` of a Digest challenge (RFC 7616 with qop=auth, or RFC 2069 without)."""
    make = {"MD5": md5, "SHA-256": sha256}[challenge.get("algorithm", "MD5")]

    def digest(text: str) -> str:
        return make(text.encode()).hexdigest()

    ha1, ha2 = digest(f"{user}:{challenge['realm']}:{password}"), digest(f"{method}:{uri}")
    if "qop" not in challenge:
        return digest(f"{ha1}:{challenge['nonce']}:{ha2}")
    return digest(f"{ha1}:{challenge['nonce']}:{count:08x}:{challenge['cnonce']}:auth:{ha2}")


def credentials(challenge: dict[str, str], *, user: str, password: str, method: str, uri: str) -> str:
    """Return the Authorization that answers a challenge."""
    algorithm, realm, nonce = challenge.get("algorithm", "MD5"), challenge["realm"], challenge["nonce"]
    full = challenge | {"cnonce": "0a4f113b"}
    answer = answer_of(full, user=user, password=password, method=method, uri=uri)
    value = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm={algorithm}'
    if "qop" in challenge:
        value += ', qop=auth, nc=00000001, cnonce="0a4f113b"'
    value += f', response="{answer}"'
    if "opaque" in challenge:
        value += f', opaque="{challenge["opaque"]}"'
    return value
