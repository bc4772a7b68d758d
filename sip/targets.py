"""Targets: where one request goes, and where next when that fails (RFC 3263 4.3, RFC 3261 18.1.1).

A request whose next hop is an address that takes it has one target and needs nothing of this. One whose next
hop is a name has those that a lookup finds, and one that is too large for a datagram has a connection first
and, where that is refused, the datagram after all.
"""

from kernel.chance import Chance
from sip.flows import Flow
from sip.places import Places
from sip.resolve import Lookup, Resolver, Waiter

NO_TCP_FOR = 600.0  # seconds in which a host that refused a connection is not asked for another
NOT_YET = ""  # transport of the flow of a request whose target is not known yet


class Targets:
    """The targets of one request."""

    __slots__ = ("_chooser", "_fallback", "_flow", "_is_large", "_lookup", "_spare", "nominal")

    def __init__(
        self, chooser: "Chooser", lookup: Lookup | None, flow: Flow | None, fallback: Flow, *, is_large: bool
    ) -> None:
        """``flow`` is the only target where there is no lookup; ``fallback`` the one where it finds none."""
        self._chooser = chooser
        self._lookup = lookup
        self._flow = flow
        self._fallback: Flow | None = fallback if fallback.transport else None
        self._is_large = is_large
        self._spare: Flow | None = None  # the datagram that a connection is tried instead of
        self.nominal: Flow = fallback  # the target as its URI means it

    @property
    def is_waiting(self) -> bool:
        """Whether a question about a name is out."""
        return self._lookup is not None and self._lookup.is_waiting

    @property
    def is_found(self) -> bool:
        """Whether there was any target at all."""
        return self._lookup is None or bool(self._lookup.found)

    @property
    def has_more(self) -> bool:
        """Whether a name has more targets than those that were tried."""
        return self._lookup is not None and self._lookup.has_more

    @property
    def is_spare(self) -> bool:
        """Whether the target under way is a connection that stands for a datagram."""
        return self._spare is not None

    def next(self, waiter: Waiter, now: float) -> Flow | None:
        """Return the next target; None when there is none, or while ``is_waiting``."""
        if self._spare is not None:
            spare, self._spare = self._spare, None
            return spare
        lookup = self._lookup
        if lookup is None:
            flow, self._flow = self._flow, None
        else:
            flow = lookup.next(waiter, now)
            if flow is None and not lookup.is_waiting and not lookup.found:
                flow, self._fallback = self._fallback, None
        if flow is None:
            return None
        self.nominal = flow
        if self._is_large and flow.transport == "udp":
            stream = self._chooser.stream_instead_of(flow, now)
            if stream is not None:
                self._spare = flow
                return stream
        return flow

    def failed(self, flow: Flow, status: int, now: float) -> None:
        """``flow`` did not take the request: 503 for no way there or no time, 408 for silence."""
        resolver = self._chooser.resolver
        if self._spare is not None and status == 503:
            resolver.shun(flow, now, NO_TCP_FOR)
            return
        self._spare = None  # the host is there, and not for us
        if self._lookup is not None:
            resolver.shun(self.nominal, now)

    def answered(self) -> None:
        """The target has answered: it keeps the request."""
        self._spare = None
        if self._lookup is not None:
            self._chooser.resolver.trust(self.nominal)

    def stop(self) -> None:
        """No other target is wanted."""
        self._spare = self._flow = self._fallback = None
        if self._lookup is not None:
            self._lookup.stop()


class Chooser:
    """Decides whether a request has more than the obvious target, and writes it anew for another one."""

    __slots__ = ("_lookups", "chance", "datagram_max", "places", "resolver")

    def __init__(self, places: Places, resolver: Resolver, chance: Chance, datagram_max: int) -> None:
        """``datagram_max`` is the largest request in bytes that leaves as a datagram; 0 for any."""
        self.places = places
        self.resolver = resolver
        self.chance = chance
        self.datagram_max = datagram_max or 1 << 30

    def targets(self, next_hop: str, flow: Flow, size: int) -> Targets | None:
        """Return the targets of a request of ``size`` bytes to the URI ``next_hop``; None where ``flow``, to
        which it was resolved, is the only one. For a name ``flow`` is taken if nothing is found.
        """
        uri = self.places.named(next_hop)
        is_large = size > self.datagram_max
        if uri is not None:
            return Targets(self, Lookup(self.resolver, self.places, uri), None, flow, is_large=is_large)
        if is_large and flow.transport == "udp":
            return Targets(self, None, flow, flow, is_large=True)
        return None

    def stream_instead_of(self, flow: Flow, now: float) -> Flow | None:
        """Return the TCP flow to where ``flow`` leads; None without a TCP socket, or if it was refused."""
        stream = self.places.flow_to("tcp", flow.host, flow.port)
        return None if stream is None or self.resolver.is_shunned(stream, now) else stream

    def rewritten(self, data: bytes, branch: str, was: int, flow: Flow, *, keeps_contact: bool) -> bytes:
        """Return a request of ours that was written for the socket ``was`` as it leaves by ``flow``: with
        that socket's Via and, unless it is to stay, our address there in Contact.
        """
        places = self.places
        start, _, rest = data.partition(b"\r\n")
        rest = rest.partition(b"\r\n")[2]
        if flow.local != was and not keeps_contact:
            for old, new in places.contacts_of(was, flow.local):
                rest = rest.replace(old, new, 1)
        return b"%b\r\n%b%b\r\n%b" % (start, places[flow.local].via.encode(), branch.encode(), rest)
