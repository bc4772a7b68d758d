"""Sessions: the INVITE usage of a dialog (RFC 3261 13 and 14), seen from either end.

A session is made by our INVITE or by theirs and is told to its user in the words of :mod:`sip.events`.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from sip.flows import Flow

if TYPE_CHECKING:
    from sip.events import Identity
    from sip.message import Request


class Invitation(msgspec.Struct, frozen=True):
    """Whom to invite, and with what."""

    uri: str  # Request-URI: "sip:8001@127.0.0.1:5071"
    to: str  # name-addr of To: "<sip:8001@127.0.0.1>"
    from_user: str
    from_display: str = ""
    sdp: bytes = b""
    flow: Flow | None = None  # of a registered phone; None: resolved from the URI (IP literals only)
    routes: tuple[str, ...] = ()  # Path of the binding, as route set
    trunk: str = ""  # whose credentials answer challenges
    headers: tuple[tuple[str, str], ...] = ()


class Session:
    """One INVITE usage; ``user`` belongs to whoever made or accepted it."""

    __slots__ = ("flow", "identity", "is_outgoing", "last_status", "remote_target", "request", "sip_call_id",
                 "state", "user")

    def __init__(self) -> None:
        self.user: Any = None
        self.request: Request | None = None
        self.identity: Identity | None = None
        self.is_outgoing = False
        self.last_status = 0
        self.remote_target = ""
        self.sip_call_id = ""
        self.flow: Flow | None = None
