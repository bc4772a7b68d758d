"""Screening: what a request requires of us and brings along, looked at before anybody is looked up."""

from collections.abc import Container

from kernel.limits import SIP_BODY_MAX
from sip.core import ALLOW, ALLOW_EVENTS, Core
from sip.grammar import SipError
from sip.headers import tokens
from sip.message import REASONS, Request, sdp_of


class Unwelcome(SipError):
    """A request that is refused with header lines that say what would have been taken."""

    def __init__(self, status: int, headers: str) -> None:
        super().__init__(status, REASONS[status])
        self.headers = headers


def check_extensions(request: Request, supported: Container[str]) -> None:
    """Refuse what is required of us and unknown: 420 (RFC 3261 8.2.2.3)."""
    if request.first.get("require") is None:
        return
    unknown = [tag for tag in tokens(request.headers("require")) if tag.lower() not in supported]
    if unknown:
        raise Unwelcome(420, f"Unsupported: {', '.join(unknown)}\r\n")


def check_body(request: Request) -> None:
    """Refuse a body or an Accept that rules SDP out: 413, 415, 406 (RFC 3261 8.2.3)."""
    if request.body:
        if len(request.body) > SIP_BODY_MAX:
            raise SipError(413, REASONS[413])
        encoding = (request.first.get("content-encoding") or "identity").strip().lower()
        disposition = (request.first.get("content-disposition") or "").lower().replace(" ", "")
        is_optional = "handling=optional" in disposition
        if encoding != "identity" and not is_optional:
            raise Unwelcome(415, "Accept-Encoding: identity\r\n")
        if not is_optional and not sdp_of(request):
            raise Unwelcome(415, "Accept: application/sdp\r\n")
    check_accept(request, "application/sdp")


def check_accept(request: Request, kind: str) -> None:
    """Refuse an Accept that rules ``kind`` out: 406."""
    if request.first.get("accept") is None:
        return
    accepted = {media.partition(";")[0].strip().lower() for media in tokens(request.headers("accept"))}
    if accepted.isdisjoint({kind, f"{kind.partition('/')[0]}/*", "*/*"}):
        raise Unwelcome(406, "")


def abilities(core: Core) -> str:
    """Return the header lines that answer OPTIONS."""
    return (
        f"{ALLOW}{ALLOW_EVENTS}Accept: application/sdp\r\nAccept-Encoding: identity\r\n"
        f"Accept-Language: en\r\nSupported: {', '.join(sorted(core.supported))}\r\n{core.agent}"
    )
