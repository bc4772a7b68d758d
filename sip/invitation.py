"""Invitations: whom an INVITE of ours goes to, and with what."""

import msgspec

from sip.dialog import uri_of
from sip.flows import Flow


class Invitation(msgspec.Struct, frozen=True):
    """Whom to invite, and with what."""

    uri: str  # Request-URI: "sip:8001@127.0.0.1:5071"
    to: str  # name-addr of To: "<sip:8001@127.0.0.1>"
    from_user: str
    from_display: str = ""
    sdp: bytes = b""
    flow: Flow | None = None  # of a registered phone; None: found for the URI
    account: str = ""  # whose phone that is, with
    instance: str = ""  # the instance and reg-id of the flow, where it keeps several (RFC 5626)
    routes: tuple[str, ...] = ()  # Path of the binding, as route set
    trunk: str = ""  # whose credentials answer challenges
    headers: tuple[tuple[str, str], ...] = ()
    max_forwards: int = 70

    @property
    def next_hop(self) -> str:
        """The URI of whom it is sent to (RFC 3261 8.1.2)."""
        return uri_of(self.routes[0]) if self.routes else self.uri

    @property
    def is_secure(self) -> bool:
        """Whether our Contact must be a SIPS URI (RFC 3261 8.1.1.8)."""
        return self.uri[:5].lower() == "sips:" or "<sips:" in (self.routes[0] if self.routes else "")
