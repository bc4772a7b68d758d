"""Places: our own addresses as peers see them, and the flow to an address of theirs.

A URI is resolved only if its host is an IP literal; names are refused (503) until there is a resolver.
"""

from ipaddress import ip_address

from sip.flows import Flow
from sip.grammar import SipError, is_unicast_quad
from sip.settings import SipSettings
from sip.uri import SipUri, parse_uri

_RESOLVED_MAX = 4_096  # URIs whose flow is remembered
_DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}


class Place:
    """One listening socket, with the text it stands for in Via and Contact."""

    __slots__ = ("contact", "host", "port", "transport", "via")

    def __init__(self, transport: str, host: str, port: int) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        shown = f"[{host}]" if ":" in host else host
        self.via = f"Via: SIP/2.0/{transport.upper()} {shown}:{port};rport;branch="
        parameter = "" if transport == "udp" else f";transport={transport}"
        self.contact = f"Contact: <sip:{shown}:{port}{parameter}>\r\n"


class Places:
    """All our places, by ``Flow.local``."""

    def __init__(self, settings: SipSettings) -> None:
        fallback = settings.advertise or (settings.domains[0] if settings.domains else "")
        self._places = [
            Place(
                listener.transport,
                settings.advertise or (fallback if _is_wildcard(listener.host) else listener.host),
                listener.port,
            )
            for listener in settings.listen
        ]
        self._ours = {
            (host, listener.port)
            for listener in settings.listen
            for host in (listener.host, settings.advertise, *settings.domains)
        }
        self._resolved: dict[str, Flow | None] = {}

    def __getitem__(self, local: int) -> Place:
        """Return the place of a listening socket."""
        return self._places[local]

    def adopt(self, flow: Flow) -> Flow | None:
        """Return ``flow`` of an earlier run on a socket of this one; None if that transport is gone."""
        places = self._places
        if flow.local < len(places) and places[flow.local].transport == flow.transport:
            return flow
        for local, place in enumerate(places):
            if place.transport == flow.transport:
                return flow._replace(local=local)
        return None

    def resolve(self, uri: str) -> Flow | None:
        """Return the flow to a URI, or None: a name, a foreign scheme, ourselves, or nobody's address."""
        found = self._resolved.get(uri, _UNKNOWN)
        if found is not _UNKNOWN:
            return found
        flow = self._resolve(uri)
        if len(self._resolved) >= _RESOLVED_MAX:
            self._resolved.clear()
        self._resolved[uri] = flow
        return flow

    def _resolve(self, uri: str) -> Flow | None:
        try:
            parsed = parse_uri(uri)
        except SipError:
            return None
        if not isinstance(parsed, SipUri) or parsed.scheme != "sip":
            return None
        host = parsed.host.strip("[]")
        transport = (parsed.params.get("transport") or "udp").lower()
        port = parsed.port if parsed.port is not None else _DEFAULT_PORTS.get(transport, 0)
        if not 0 < port < 65536 or not is_reachable_host(host) or (host, port) in self._ours:
            return None
        for local, place in enumerate(self._places):
            if place.transport == transport:
                return Flow(transport, local, host, port)
        return None


_UNKNOWN = Flow("", 0, "", 0)


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
