"""Parser: bytes to messages, for datagrams and for streams.

Eager: start line, header lines (folding, compact names, case), Content-Length against the body. Everything
typed is decoded when asked for. :func:`check_request` and :func:`check_response` ask for what RFC 3261 and
RFC 4475 say must be well-formed, once, before anybody acts on a message.

Rules: the caps of :mod:`kernel.limits` hold before anything is split; on a stream, a doubt about where a
message ends breaks the connection, because guessing wrong lets a peer smuggle one message inside another.
"""

from typing import Final

from kernel.limits import SIP_HEADER_LINE_MAX, SIP_HEADERS_MAX, SIP_MESSAGE_MAX, SIP_VIAS_MAX
from sip.address import Address
from sip.grammar import SipError, is_token, without_breaks
from sip.headers import NAMES, SINGLE, Via, canonical_name
from sip.known import Known
from sip.message import Request, Response

_STATUSES = frozenset(str(status) for status in range(100, 700))
_TO_ANSWER = ("via", "from", "to", "call-id", "cseq")  # what a stateless answer copies


class Keepalive:
    """A CRLFCRLF between two messages of a stream, to be answered with CRLF (RFC 5626 4.4.1)."""

    def __repr__(self) -> str:
        return "KEEPALIVE"


KEEPALIVE: Final = Keepalive()


def parse_message(data: bytes) -> Request | Response:
    """Read one datagram; SipError where it is no message, with what could be salvaged of a request."""
    if len(data) > SIP_MESSAGE_MAX:
        raise SipError(513, "Message Too Large")
    head, end, body = data.partition(b"\r\n\r\n")
    if not head or head[0] in b"\r\n":
        head, end, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")  # RFC 3261 7.5
    message, fault = _parse_head(head)
    if not end and not fault:
        fault = "No End Of Headers"
    claimed = message.first.get("content-length")
    # Most messages claim no body and have none.
    if claimed is not None and not fault and (claimed != "0" or body or message.more):
        length = _content_length(message)
        if length < 0 or length > len(body):
            fault = "Bad Content-Length"
        elif length < len(body):
            body = body[:length]  # what follows is discarded (RFC 3261 18.3)
    if fault:
        raise _refusal(message, fault)
    message.body = body
    return message


def _refusal(message: Request | Response, fault: str) -> SipError:
    if not isinstance(message, Request) or any(name not in message.first for name in _TO_ANSWER):
        return SipError(400, fault)
    try:
        _ = message.via
    except SipError:  # nobody knows where an answer would go
        return SipError(400, fault)
    return SipError(400, fault, message)


def _content_length(message: Request | Response) -> int:
    """Return Content-Length, -1 where it is doubtful: no number, or there twice."""
    value = message.first["content-length"]
    if len(value) > 8 or not value.isdigit() or not value.isascii() or "content-length" in message.more:
        return -1
    return int(value)


def _parse_head(head: bytes) -> tuple[Request | Response, str]:
    """Read start line and header lines; the second is what was wrong, "" if nothing."""
    text = head.decode("utf-8", "surrogateescape")
    lines = text.split("\r\n", SIP_HEADERS_MAX + 1)
    kept = "".join(lines)
    if (
        len(text) > SIP_HEADER_LINE_MAX
        or len(lines) > SIP_HEADERS_MAX + 1
        or "\n" in kept
        or "\r" in kept
        or "\0" in kept
        or not lines[-1]
    ):
        return _index(*_repaired_lines(text))
    return _index(lines, "")


def _index(lines: list[str], fault: str) -> tuple[Request | Response, str]:
    """Make the message of a start line and header lines."""
    first: dict[str, str] = {}
    more: dict[str, list[str]] = {}
    names = NAMES
    rest = iter(lines)
    start = next(rest)
    for line in rest:
        name, colon, value = line.partition(": ")
        key = names.get(name)
        if key is None or not colon:  # less usual: no blank behind the colon, another name
            if line[:1] in (" ", "\t"):  # folded: looked for only here, because it is rare and dear to find
                return _index(*_repaired_lines("\r\n".join(lines), fault))
            name, colon, value = line.partition(":")
            key = _name_of(name, colon)
            if not key:
                fault = "Bad Header Line"
                continue
        if key not in first:
            first[key] = value.strip(" \t")
        elif key in more:
            more[key].append(value.strip(" \t"))
        else:
            more[key] = [first[key], value.strip(" \t")]
    if start[-8:] == " SIP/2.0":
        method, blank, uri = start[:-8].partition(" ")
        if blank and " " not in uri and method.isalpha() and start.isascii():
            return Request(lines, first, more, method=method, uri=uri, version="SIP/2.0"), fault
    if start[:4].upper() == "SIP/":
        return _parse_status_line(start, lines, first, more, fault)
    return _parse_request_line(start, lines, first, more, fault)


def _repaired_lines(text: str, fault: str = "") -> tuple[list[str], str]:
    """Unfold what is folded, and leave out what must not be there so that the rest is safe to echo; the
    second is what that was, "" if nothing.
    """
    text = text.replace("\r\n ", " ").replace("\r\n\t", " ")
    breaks = text.count("\r\n")
    lines = text.split("\r\n", SIP_HEADERS_MAX + 1)
    if breaks > SIP_HEADERS_MAX:
        fault = "Too Many Header Lines"
        lines.pop()
    if any(len(line) > SIP_HEADER_LINE_MAX for line in lines):
        fault = "Header Line Too Long"
        lines = [line[:SIP_HEADER_LINE_MAX] for line in lines[:1]] + [
            line for line in lines[1:] if len(line) <= SIP_HEADER_LINE_MAX
        ]
    if breaks != text.count("\n") or breaks != text.count("\r"):
        fault = "Bare CR Or LF"
    elif "\0" in text and text.count("\0") != text.count("\\\0"):
        fault = "NUL"  # allowed only as a quoted pair (RFC 4475 3.1.1.2)
    if fault:
        lines = [without_breaks(line) for line in lines]
    return lines[:1] + [line for line in lines[1:] if line], fault


def _name_of(name: str, colon: str) -> str:
    """Return the canonical form of what stands before a colon, "" if it is no header name."""
    try:
        return NAMES.get(name) or canonical_name(name) if colon else ""
    except SipError:
        return ""


def _parse_request_line(
    start: str, lines: list[str], first: dict[str, str], more: dict[str, list[str]], fault: str
) -> tuple[Request, str]:
    method, _, rest = start.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if not uri or " " in uri or "\t" in start or not is_token(method) or version[:4].upper() != "SIP/":
        fault = fault or "Bad Request Line"
    return Request(lines, first, more, method=method, uri=uri, version=version.upper()), fault


def _parse_status_line(
    start: str, lines: list[str], first: dict[str, str], more: dict[str, list[str]], fault: str
) -> tuple[Response, str]:
    version, _, rest = start.partition(" ")
    digits, _, reason = rest.partition(" ")
    if version == "SIP/2.0" and digits in _STATUSES:
        return Response(lines, first, more, status=int(digits), reason=reason), fault
    status = 0
    if version.upper() != "SIP/2.0" or len(digits) != 3 or not digits.isdigit() or not digits.isascii():
        fault = fault or "Bad Status Line"
    else:
        status = int(digits)
        if not 100 <= status <= 699:
            fault = fault or "Bad Status Line"
    return Response(lines, first, more, status=status, reason=reason), fault


def check_request(request: Request, known: Known | None = None) -> None:
    """Refuse what must not be acted on (RFC 3261 8.1.1, 16.3; RFC 4475): SipError 400, 416 or 505.

    Not here, because it depends on who asks and for what: unknown methods, extensions and bodies,
    Max-Forwards 0, tags without a dialog, Contact schemes, headers inside a Contact's URI. ``known`` is the
    stack's, and spares the reading of texts that have come before.
    """
    if request.version != "SIP/2.0":
        raise SipError(505, "Version Not Supported")
    if known is None:
        known = Known()
    first, more = request.first, request.more
    if more:
        _check_single(more)
    via: Via | None = None
    contacts: list[Address] | None = None
    value = first.get("via")
    if value and "," not in value:
        via = known.via(value)
    if via is None or "via" in more:
        _check_vias(request)
        via = request.via
    if request.read_dialog()[1] != request.method:
        raise SipError(400, "CSeq Method Mismatch")
    value = first.get("max-forwards")
    if value is not None and value != "70":
        _ = request.max_forwards
    uri = known.uri(request.uri)
    value = first.get("contact")
    if value is not None:
        if "," not in value and "contact" not in more:
            contacts = known.contact(value)
        else:
            contacts = request.contacts
    request.learn(via, uri, contacts)


def check_response(response: Response) -> None:
    """Refuse a response that must be dropped: broken, or with a second Via (RFC 3261 8.1.3.3)."""
    _check_vias(response)
    check_our_response(response)


def check_our_response(response: Response) -> None:
    """Refuse what :func:`check_response` refuses, but for a broken Via: its branch is known to be ours."""
    if response.more:
        _check_single(response.more)
    if "via" in response.more or "," in response.first["via"]:
        raise SipError(400, "Not For Us")
    response.read_dialog()


def _check_single(more: dict[str, list[str]]) -> None:
    for name in more:
        if name in SINGLE:
            raise SipError(400, f"More Than One {name.title()}")


def _check_vias(message: Request | Response) -> None:
    _ = message.via
    if "," in message.first["via"] or "via" in message.more:
        if sum(value.count(",") + 1 for value in message.headers("via")) > SIP_VIAS_MAX:
            raise SipError(400, "Too Many Vias")


class StreamParser:
    """Cuts one connection's bytes into messages (RFC 3261 18.3)."""

    __slots__ = ("_body_length", "_buffer", "_message", "_scanned", "broken", "count")

    def __init__(self) -> None:
        self.broken = False  # the connection must be closed; nothing more is read from it
        self.count = 0  # messages that have come whole
        self._buffer = bytearray()
        self._scanned = 0  # up to where the end of a head has been looked for in vain
        self._message: Request | Response | None = None  # whose body is still coming
        self._body_length = 0

    @property
    def is_amid(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._message is not None or len(self._buffer) > 3  # beyond half a keepalive

    def feed(self, data: bytes) -> list[Request | Response | SipError | Keepalive]:
        """Return what ``data`` completes, in order. A SipError is the last that comes: see ``broken``."""
        found: list[Request | Response | SipError | Keepalive] = []
        if self.broken:
            return found
        self._buffer += data
        try:
            while self._next(found):
                pass
        except SipError as error:
            self.broken = True
            self._buffer.clear()
            self._message = None
            # Not the one that was raised: its traceback holds the frame that holds ``found``, for ever.
            found.append(SipError(error.status, error.reason, error.salvaged))
        return found

    def _next(self, found: list[Request | Response | SipError | Keepalive]) -> bool:
        """Take one thing off the buffer; False if more bytes are needed."""
        buffer = self._buffer
        message = self._message
        if message is None:
            self._skip_breaks(found)
            end = buffer.find(b"\r\n\r\n", self._scanned)
            if end < 0:
                if len(buffer) > SIP_MESSAGE_MAX + 3:  # the end may have begun
                    raise SipError(513, "Message Too Large")
                self._scanned = max(0, len(buffer) - 3)
                return False
            message = self._take_head(end)
        length = self._body_length
        if len(buffer) < length:
            return False
        message.body = bytes(buffer[:length])
        del buffer[:length]
        self._message = None
        self.count += 1
        found.append(message)
        return True

    def _skip_breaks(self, found: list[Request | Response | SipError | Keepalive]) -> None:
        buffer = self._buffer
        if not buffer or buffer[0] != 0x0D:
            return
        start = 0
        while buffer[start : start + 2] == b"\r\n":
            start += 2
        if start == 2 and (len(buffer) == 2 or (len(buffer) == 3 and buffer[2] == 0x0D)):
            return  # half a keepalive, or an answer to one: the next bytes tell
        if start >= 4 and KEEPALIVE not in found:
            found.append(KEEPALIVE)
        del buffer[:start]
        self._scanned = 0

    def _take_head(self, end: int) -> Request | Response:
        if end > SIP_MESSAGE_MAX:
            raise SipError(513, "Message Too Large")
        message, fault = _parse_head(bytes(self._buffer[:end]))
        length = -1
        if "content-length" in message.first:
            length = _content_length(message)
        if fault or length < 0:  # on a stream Content-Length is a must (RFC 3261 20.14)
            raise _refusal(message, fault or "Bad Content-Length")
        if length > SIP_MESSAGE_MAX:
            raise SipError(513, "Message Too Large", _refusal(message, "").salvaged)
        del self._buffer[: end + 4]
        self._scanned = 0
        self._message, self._body_length = message, length
        return message
