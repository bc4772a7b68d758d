"""Responses of one request: the part they share is built once, the rest is joined to it."""

from collections.abc import Sequence

from sip.flows import Flow
from sip.grammar import SipError
from sip.message import REASONS, Request

_STATUS_LINES = {status: f"SIP/2.0 {status} {reason}\r\n" for status, reason in REASONS.items()}


def answer_flow(request: Request, flow: Flow) -> Flow:
    """Return where the responses to ``request`` go: back to its source (RFC 3261 18.2.2, RFC 3581 4).

    Neither maddr nor a foreign sent-by is believed. Over UDP the port is the source's with ``rport``,
    else the Via's.
    """
    if flow[0] != "udp":
        return flow
    via = request.via
    if via.rport is not None or via.port == flow[3]:
        return flow
    return Flow("udp", flow[1], flow[2], via.port or 5060)


def response_head(request: Request, tag: str, flow: Flow) -> str:
    """Return what every response to ``request`` has in common: Via, From, To, Call-ID, CSeq.

    ``tag`` is added to To where it has none; ``flow`` is the request's source (RFC 3581).
    """
    to = request.first.get("to")
    if to is None:
        return f"{request.vias_echoed((flow[2], flow[3]))}\r\n"
    if tag and not _has_tag(request):
        to = f"{to};tag={tag}"
    return f"{request.vias_echoed((flow[2], flow[3]))}\r\nTo: {to}\r\n"


def _has_tag(request: Request) -> bool:
    try:
        return bool(request.to_tag)
    except SipError:
        return True  # a To that cannot be read is echoed as it is


def record_routes(request: Request) -> str:
    """Return the Record-Route lines that a dialog-forming response copies (RFC 3261 12.1.1)."""
    if request.first.get("record-route") is None:
        return ""
    return "".join(f"Record-Route: {value}\r\n" for value in request.headers("record-route"))


def status_line(status: int, reason: str = "") -> str:
    """Return ``SIP/2.0 180 Ringing`` with its line end; ``reason`` replaces the usual phrase."""
    if reason:
        return f"SIP/2.0 {status} {reason}\r\n"
    return _STATUS_LINES.get(status) or f"SIP/2.0 {status} {_class_reason(status)}\r\n"


def build(
    status: int,
    head: str,
    headers: str = "",
    body: bytes = b"",
    content_type: str = "application/sdp",
    reason: str = "",
) -> bytes:
    """Return a response as bytes; ``headers`` are whole lines."""
    if not body:
        return f"{status_line(status, reason)}{head}{headers}Content-Length: 0\r\n\r\n".encode(
            "utf-8", "surrogateescape"
        )
    start = (
        f"{status_line(status, reason)}{head}{headers}Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return start.encode("utf-8", "surrogateescape") + body


def header_lines(headers: Sequence[tuple[str, str]]) -> str:
    """Return headers as whole lines; a line end inside a value becomes a space."""
    return "".join(
        f"{name}: {value.replace(chr(13), ' ').replace(chr(10), ' ')}\r\n" for name, value in headers
    )


def _class_reason(status: int) -> str:
    return REASONS.get(status // 100 * 100, "Unknown")
