"""Places: our own addresses as peers see them, and the flow to an address of theirs.

Here a URI leads somewhere only if its host is an IP literal; names are for :mod:`sip.resolve`.
"""

from collections.abc import Callable
from ipaddress import ip_address

from sip.flows import Flow
from sip.grammar import SipError, is_unicast_quad
from sip.settings import SipSettings
from sip.uri import SipUri, parse_uri

_RESOLVED_MAX = 4_096  # URIs whose flow is remembered
_MOVED_MAX = 4_096  # flows whose phone is remembered to have registered over another since
_MOVES_IN_A_ROW_MAX = 16
_OPENED = ("udp", "tcp", "tls")  # WebSockets are opened by phones alone
DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


def nobody(uri: str) -> Flow | None:
    """Return the way to a GRUU where nobody is registered: none."""
    return None


class Place:
    """One listening socket, with the text it stands for in Via and Contact."""

    __slots__ = ("address", "contact", "family", "host", "port", "transport", "via")

    def __init__(self, transport: str, host: str, port: int, family: int = 0, scheme: str = "sip") -> None:
        """``family`` is 4 or 6 for a socket that reaches only addresses of that kind, else 0.

        A ``sips`` scheme is for dialogs that must stay secure (RFC 3261 8.1.1.8, 12.1.1).
        """
        self.transport = transport
        self.host = host
        self.port = port
        self.family = family
        shown = f"[{host}]" if ":" in host else host
        self.via = f"Via: SIP/2.0/{transport.upper()} {shown}:{port};rport;branch="
        self.address = f"{shown}:{port}{_parameter(transport, scheme)}"  # behind "sip:" or "@"
        self.contact = f"Contact: <{scheme}:{self.address}>\r\n"


def _parameter(transport: str, scheme: str) -> str:
    """Return the transport parameter of a URI (RFC 7118 5.2: ``ws`` whether secure or not; RFC 5630 3.1.4:
    ``sips`` implies TLS).
    """
    if transport == "udp" or (scheme == "sips" and transport == "tls"):
        return ""
    return ";transport=ws" if transport == "wss" else f";transport={transport}"


class Places:
    """All our places, by ``Flow.local``."""

    def __init__(self, settings: SipSettings) -> None:
        fallback = settings.advertise or (settings.domains[0] if settings.domains else "")
        self._places = [
            Place(
                listener.transport,
                settings.advertise or (fallback if _is_wildcard(listener.host) else listener.host),
                listener.port,
                family_of(listener.host),
            )
            for listener in settings.listen
        ]
        self._secure = [
            Place(place.transport, place.host, place.port, place.family, "sips") for place in self._places
        ]
        self._ours = {
            (host, listener.port)
            for listener in settings.listen
            for host in (listener.host, settings.advertise, *settings.domains)
        }
        self._domains = frozenset(domain.lower() for domain in settings.domains)
        self._resolved: dict[str, Flow | None] = {}
        self._named: dict[str, SipUri] = {}  # those of them whose host is a name of somebody else
        self._hosts: dict[str, str] = {}  # by URI
        self.registered: Callable[[str], Flow | None] = nobody  # the way to a GRUU of ours
        self._moved: dict[tuple[str, int, str, int], Flow] = {}  # by the old flow without its connection

    def __getitem__(self, local: int) -> Place:
        """Return the place of a listening socket."""
        return self._places[local]

    def is_ours(self, host: str, port: int) -> bool:
        """Return whether we listen there."""
        return (host, port) in self._ours

    def at(self, local: int, *, is_secure: bool) -> Place:
        """Return the place of a listening socket; with a SIPS Contact if ``is_secure``."""
        return self._secure[local] if is_secure else self._places[local]

    def adopt(self, flow: Flow) -> Flow | None:
        """Return ``flow`` of an earlier run on a socket of this one; None if that transport is gone."""
        places = self._places
        if flow.local < len(places) and places[flow.local].transport == flow.transport:
            return flow
        for local, place in enumerate(places):
            if place.transport == flow.transport:
                return flow._replace(local=local)
        return None

    def keep_moves(self, other: "Places") -> None:
        """Know what ``other`` knew of phones that have moved."""
        self._moved = other._moved

    def arrived(self, flow: Flow) -> None:
        """A phone that was not registered before registers over ``flow``: it has nobody else's dialogs."""
        self._moved.pop(flow[:4], None)

    def moved(self, old: Flow, new: Flow) -> None:
        """A registered phone has registered again over another flow: its dialogs follow it (RFC 5626 5.3)."""
        if old == new:
            return
        self._moved.pop(new[:4], None)
        if len(self._moved) >= _MOVED_MAX:
            del self._moved[next(iter(self._moved))]
        self._moved[old[:4]] = new

    def follow(self, flow: Flow) -> Flow:
        """Return the flow over which the phone that ``flow`` led to can be reached now."""
        if not self._moved:
            return flow
        for _ in range(_MOVES_IN_A_ROW_MAX):
            there = self._moved.get(flow[:4])
            if there is None or there == flow:
                break
            flow = there
        return flow

    def host_of(self, uri: str) -> str:
        """Return :func:`host_of` ``uri``, remembered."""
        host = self._hosts.get(uri)
        if host is None:
            if len(self._hosts) >= _RESOLVED_MAX:
                self._hosts.clear()
            host = self._hosts[uri] = host_of(uri)
        return host

    def resolve(self, uri: str) -> Flow | None:
        """Return the flow to a URI, or None: a name, a foreign scheme, ourselves, or nobody's address."""
        found = self._resolved.get(uri, _UNKNOWN)
        if found is not _UNKNOWN:
            return found
        flow = self._resolve(uri)
        if len(self._resolved) >= _RESOLVED_MAX:
            self._resolved.clear()
            self._named.clear()
            flow = self._resolve(uri)
        self._resolved[uri] = flow
        return flow

    def _resolve(self, uri: str) -> Flow | None:
        try:
            parsed = parse_uri(uri)
        except SipError:
            return None
        if not isinstance(parsed, SipUri):
            return None
        host = parsed.host.strip("[]")
        transport = wanted_transport(parsed) or ("tls" if parsed.scheme == "sips" else "udp")
        port = parsed.port if parsed.port is not None else DEFAULT_PORTS.get(transport, 0)
        if not is_literal(host):
            if host not in self._domains and (host, port) not in self._ours:
                self._named[uri] = parsed
            return None
        return self.flow_to(transport, host, port) if is_reachable_host(host) else None

    def named(self, uri: str) -> SipUri | None:
        """Return what a URI says whose host is a name that is not ours; None for any other."""
        self.resolve(uri)
        return self._named.get(uri)

    def offers(self, transport: str) -> bool:
        """Return whether requests can leave by ``transport``."""
        return transport in _OPENED and any(place.transport == transport for place in self._places)

    def families(self, transport: str) -> tuple[int, ...]:
        """Return which addresses our sockets of ``transport`` reach: 4, 6."""
        found = [place.family for place in self._places if place.transport == transport]
        return (4, 6) if 0 in found else tuple(family for family in (4, 6) if family in found)

    def contacts_of(self, was: int, now: int) -> tuple[tuple[bytes, bytes], ...]:
        """Return how our address is written at one socket and at another, as it stands in a Contact line."""
        old, new = self._places[was], self._places[now]
        secure = self._secure[was].contact, self._secure[now].contact
        pairs = ((old.contact, new.contact), secure, (f"@{old.address};line=", f"@{new.address};line="))
        return tuple((a.encode(), b.encode()) for a, b in pairs)

    def flow_to(self, transport: str, host: str, port: int, name: str = "") -> Flow | None:
        """Return the flow to an address, from the first socket of that transport that can reach it; None if
        there is none, or if it is our own.

        ``name`` is whom a certificate must be for; "" for the address itself.
        """
        if not 0 < port < 65536 or (host, port) in self._ours or transport not in _OPENED:
            return None
        family = family_of(host)
        for local, place in enumerate(self._places):
            if place.transport == transport and place.family in (0, family):
                return Flow(transport, local, host, port, 0, name if transport == "tls" else "")
        return None


_UNKNOWN = Flow("", 0, "", 0)


def wanted_transport(uri: SipUri) -> str:
    """Return the transport that a URI insists on; "" if it leaves the choice, "none" for what cannot be.

    TCP of a SIPS URI is TLS (RFC 5630 3.1.4), as is a WebSocket's way to a phone.
    """
    transport = uri.transport
    if uri.scheme == "sips":
        return {"": "", "tcp": "tls", "tls": "tls"}.get(transport, "none")
    return transport


def family_of(host: str) -> int:
    """Return 4 or 6 for an IP literal, 0 for a name."""
    if ":" in host:
        return 6
    return 4 if is_unicast_quad(host) or host == "0.0.0.0" else 0


def is_literal(host: str) -> bool:
    """Return whether ``host`` is an IP address and no name."""
    if is_unicast_quad(host):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_reachable_host(host: str) -> bool:
    """Return whether ``host`` is the IP literal of one machine."""
    if is_unicast_quad(host):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or host == "255.255.255.255")


def host_of(uri: str) -> str:
    """Return the host of a SIP URI in lower case, without brackets; "" where there is none."""
    rest = uri.partition(":")[2]
    rest = rest.rpartition("@")[2]
    for end in ";?>":
        rest = rest.partition(end)[0]
    if rest.startswith("["):
        return rest[1:].partition("]")[0].lower()
    return rest.partition(":")[0].lower()


def _is_wildcard(host: str) -> bool:
    return host in ("", "0.0.0.0", "::")
