"""Dialogs: the peer-to-peer relation that requests inside a session travel in (RFC 3261 12).

What never changes in a dialog - From, To, Call-ID, the route set as text - is written once and joined to
each request.
"""

from collections.abc import Sequence

from sip.address import Address, build_address
from sip.branches import has_cookie
from sip.flows import Flow
from sip.grammar import SipError
from sip.headers import parse_q
from sip.message import Request, Response
from sip.places import Place, Places

CSEQ_MAX = 2**31 - 1
REDIRECTS_MAX = 8  # of one 3xx


def route_text(address: Address) -> str:
    """Return a route as it is written into Route."""
    return build_address(address.uri, address.display, address.params)


def uri_is_loose(route: str) -> bool:
    """Return whether a route's URI has the ``lr`` parameter (RFC 3261 16.12.1.1)."""
    uri = uri_of(route)
    return any(part.partition("=")[0].lower() == "lr" for part in uri.split(";")[1:])


def uri_of(route: str) -> str:
    """Return the URI of ``<sip:host;lr>;parameter``."""
    opens = route.find("<")
    return route[opens + 1 : route.find(">", opens)] if opens >= 0 else route.partition(";")[0]


class Dialog:
    """One dialog, confirmed or early."""

    __slots__ = (
        "_head",
        "_via",
        "flow",
        "home_flow",
        "home_host",
        "is_ours",
        "local",
        "local_cseq",
        "local_tag",
        "next_hop",
        "place",
        "remote",
        "remote_cseq",
        "remote_tag",
        "remote_target",
        "request_uri",
        "route_set",
        "routes",
        "sip_call_id",
    )

    def __init__(
        self,
        sip_call_id: str,
        local: str,
        remote: str,
        local_tag: str,
        remote_tag: str,
        route_set: tuple[str, ...],
        remote_target: str,
        place: Place,
        *,
        is_ours: bool,
        local_cseq: int,
        remote_cseq: int,
    ) -> None:
        """``local`` and ``remote`` are From and To of our requests, tags included."""
        self.sip_call_id = sip_call_id
        self.local_tag = local_tag
        self.remote_tag = remote_tag
        self.route_set = route_set
        self.place = place
        self._via = place.via  # of the socket that requests leave by
        self.next_hop = ""  # the URI that ``flow`` was found for; "" for the known way
        self.is_ours = is_ours  # we own the Call-ID: our back-off after a glare is the longer one
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.home_flow: Flow | None = None  # the known way to a peer behind NAT or on a connection
        self.home_host = ""  # the Contact host that the known way stands for
        self.flow: Flow | None = None
        self._head = f"From: {local}\r\nTo: {remote}\r\nCall-ID: {sip_call_id}\r\n"
        self.local = local
        self.remote = remote
        self.request_uri = ""  # of our requests; digest answers cover it
        self.routes = ""  # the whole Route line
        self.remote_target = ""
        self.set_target(remote_target)

    def set_target(self, remote_target: str) -> None:
        """Take a new remote target (RFC 3261 12.2); the route set never changes."""
        if remote_target == self.remote_target:
            return
        self.remote_target = remote_target
        route_set = self.route_set
        if not route_set:
            self.request_uri, self.routes = remote_target, ""
        elif uri_is_loose(route_set[0]):
            self.request_uri = remote_target
            self.routes = f"Route: {', '.join(route_set)}\r\n"
        else:
            # RFC 3261 12.2.1.1: a strict router is addressed itself, the target goes to the end.
            self.request_uri = uri_of(route_set[0]).partition("?")[0]
            self.routes = f"Route: {', '.join((*route_set[1:], f'<{remote_target}>'))}\r\n"

    def heard_from(self, flow: Flow) -> None:
        """The peer has sent a target refresh over ``flow``: that is its known way now, if it has one."""
        if self.home_flow is not None and self.home_host:
            self.home_flow = flow

    def refresh_target(self, message: Request | Response, places: Places) -> None:
        """Take the Contact of a target refresh (RFC 3261 12.2.1.2); one that is unusable changes nothing.

        A known way that was nothing but the old Contact's address is known no more.
        """
        try:
            target = contact_target(message)
        except SipError:
            return
        home, before = self.home_flow, self.remote_target
        if home is not None and target != before and not home.connection:
            led_to = places.resolve(before)
            if led_to is not None and led_to[2:4] == home[2:4]:
                self.home_flow = None
        self.set_target(target)

    def find_flow(self, places: Places) -> Flow | None:
        """Decide where requests go; None if the next hop is no address we can send to, but may be a name.

        The known way is taken while the next hop is the peer itself at the host it was known for.
        """
        next_hop = uri_of(self.route_set[0]) if self.route_set else self.remote_target
        gruu = places.registered(next_hop) if ";gr" in next_hop else None
        if gruu is not None:
            # RFC 5627 5.4: wherever the phone is registered from by now.
            self.flow, self.next_hop = gruu, ""
            if self.home_flow is not None:
                self.home_flow = gruu
        elif self.home_flow is not None and not self.route_set and places.host_of(next_hop) == self.home_host:
            self.flow = self.home_flow = places.follow(self.home_flow)
            self.next_hop = ""
        else:
            self.flow, self.next_hop = places.resolve(next_hop), next_hop
        self._via = self.place.via if self.flow is None else places[self.flow.local].via
        return self.flow

    def next_cseq(self) -> int:
        """Count our next request."""
        self.local_cseq += 1
        return self.local_cseq

    def build(
        self,
        method: str,
        cseq: int,
        branch: str,
        headers: str = "",
        body: bytes = b"",
        content_type: str = "application/sdp",
    ) -> bytes:
        """Return a request in this dialog as bytes; ``headers`` are whole lines."""
        start = (
            f"{method} {self.request_uri} SIP/2.0\r\n{self._via}{branch}\r\nMax-Forwards: 70\r\n"
            f"{self._head}CSeq: {cseq} {method}\r\n{self.routes}{headers}"
        )
        if not body:
            return f"{start}Content-Length: 0\r\n\r\n".encode("utf-8", "surrogateescape")
        start = f"{start}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        return start.encode("utf-8", "surrogateescape") + body


def contact_target(message: Request | Response) -> str:
    """Return the URI of the only Contact; 400 if there is none, several, or not a SIP URI."""
    contacts = message.contacts
    if len(contacts) == 1:
        uri = contacts[0].uri
        if uri[:4] == "sip:" or uri.lower().startswith(("sip:", "sips:")):
            return uri
    raise SipError(400, "Bad Contact")


def initial_target(request: Request) -> str:
    """Return where requests to a caller go: its Contact; its From if it is older than RFC 3261.

    400 if there is no such URI.
    """
    if request.first.get("contact") is None and not has_cookie(request.via.branch):
        return request.from_.uri
    return contact_target(request)


def redirect_targets(response: Response) -> tuple[str, ...]:
    """Return the SIP URIs that a 3xx names, best q first, at most REDIRECTS_MAX; () if they are broken."""
    try:
        contacts = response.contacts
        ranked = sorted(contacts, key=lambda it: -parse_q(it.params["q"]) if "q" in it.params else -1.0)
    except SipError:
        return ()
    return tuple(it.uri for it in ranked[:REDIRECTS_MAX] if it.uri != "*")


def must_stay_secure(route_set: Sequence[str], remote_target: str) -> bool:
    """Return whether a dialog that is known only by where its requests go must stay secure."""
    next_hop = uri_of(route_set[0]) if route_set else remote_target
    return next_hop[:5].lower() == "sips:"


def _routes_of(message: Request | Response) -> Sequence[Address]:
    return message.record_routes if message.first.get("record-route") is not None else ()


def dialog_of_request(request: Request, local_tag: str, places: Places, local: int) -> Dialog:
    """Return the dialog that our answer to an INVITE forms (RFC 3261 12.1.1), at the listening socket
    ``local``; 400 if it cannot.
    """
    routes, target = _routes_of(request), initial_target(request)
    next_hop = routes[0].uri if routes else target
    is_secure = request.uri[:5].lower() == "sips:" or next_hop[:5].lower() == "sips:"
    return Dialog(
        request.first["call-id"],
        f"{request.first['to']};tag={local_tag}",
        request.first["from"],
        local_tag,
        request.from_tag,
        tuple(map(route_text, routes)),
        target,
        places.at(local, is_secure=is_secure),
        is_ours=False,
        local_cseq=0,
        remote_cseq=request.cseq[0],
    )


def dialog_of_response(response: Response, fallback_target: str, place: Place) -> Dialog:
    """Return the dialog that a 2xx to our INVITE forms (RFC 3261 12.1.2).

    A 2xx without a usable Contact must be acknowledged all the same: ``fallback_target`` is then the target.
    """
    try:
        target = contact_target(response)
    except SipError:
        target = fallback_target
    try:
        routes = tuple(route_text(route) for route in reversed(_routes_of(response)))
    except SipError:
        routes = ()
    return Dialog(
        response.first["call-id"],
        response.first["from"],
        response.first["to"],
        response.from_tag,
        response.to_tag,
        routes,
        target,
        place,
        is_ours=True,
        local_cseq=response.cseq[0],
        remote_cseq=-1,
    )
