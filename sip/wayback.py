"""Ways back: where the answers to an INVITE go when the connection that it came over is gone (RFC 3261
18.2.2, RFC 3263 5).

First to another flow of the same phone; else over a new connection to the host that the INVITE came from, at
the port that its topmost Via names. If that cannot be made, and a trunk has sent the INVITE under a name, to
the hosts of that name, one after the other. Our requests to a trunk go by its Contact from then on.

Rule: only a trunk's name is asked for. Nobody else makes us send anything to a third host.
"""

from typing import TYPE_CHECKING

from sip.flows import NOWHERE, Flow
from sip.places import is_literal
from sip.targets import Targets

if TYPE_CHECKING:
    from sip.core import Core
    from sip.session import Session

_REOPENED = ("tcp", "tls")  # a WebSocket is opened by its client alone


class Way:
    """The way back to one caller."""

    __slots__ = ("_targets", "session")

    def __init__(self, session: "Session") -> None:
        self.session = session
        self._targets: Targets | None = None

    def look_up(self, core: "Core", transport: str, now: float) -> None:
        """Ask for the hosts of the name in Via, if a trunk has written one there."""
        request, identity = self.session.request, self.session.identity
        chooser = core.transactions.chooser
        if request is None or identity is None or identity.kind != "trunk" or chooser is None:
            return
        via = request.via
        port = f":{via.port}" if via.port else ""
        self._targets = chooser.targets(f"sip:{via.host}{port};transport={transport}", NOWHERE, 0)
        self.on_resolved(now)

    def failed(self, flow: Flow, now: float) -> None:
        """A host of the name cannot be reached either."""
        if self._targets is not None:
            self._targets.failed(flow, 503, now)
            self.on_resolved(now)

    def on_resolved(self, now: float) -> None:
        """Go on to the next host, if one is known."""
        flow = None if self._targets is None else self._targets.next(self, now)
        if flow is not None:
            lead(self.session, flow)

    @property
    def is_named(self) -> bool:
        """Whether it goes by the hosts of a name."""
        return self._targets is not None

    def stop(self) -> None:
        """Nobody needs it any more."""
        if self._targets is not None:
            self._targets.stop()


class WaysBack:
    """The ways back of one stack, by our tag of the session whose INVITE has lost its connection."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._ways: dict[str, Way] = {}

    def gone(self, flow: Flow, now: float) -> None:
        """Nothing can be sent over ``flow``: lead the answers that would have gone there elsewhere."""
        self._sweep()
        for tag, session in list(self._core.sessions.items()):
            _leave(session, flow)
            over = answers_over(session)
            if over is None or over[:5] != flow[:5]:
                continue
            way = self._ways.get(tag)
            if way is None:
                way = self._ways[tag] = Way(session)
                anew = self._anew(session, flow)
                if anew is not None:
                    lead(session, anew)
                    continue
            if way.is_named:
                way.failed(over, now)
            else:
                way.look_up(self._core, flow.transport, now)

    def count(self) -> int:
        """Return how many there are."""
        return len(self._ways)

    def _anew(self, session: "Session", flow: Flow) -> Flow | None:
        """Return another way to whoever sent the INVITE over ``flow``; None if there is none."""
        other = self._core.places.follow(flow)
        if other != flow:
            return other
        if flow.transport not in _REOPENED or session.request is None:
            return None
        host, port = session.request.via.sent_by
        name = "" if flow.transport != "tls" or is_literal(host.strip("[]")) else host
        return Flow(flow.transport, flow.local, flow.host, port, 0, name)

    def _sweep(self) -> None:
        """Let go of the ways of sessions that have nothing left to answer."""
        for tag, way in list(self._ways.items()):
            if self._core.sessions.get(tag) is not way.session or answers_over(way.session) is None:
                way.stop()
                del self._ways[tag]


def _leave(session: "Session", flow: Flow) -> None:
    """A trunk's connection is not the known way to it any more. A phone's stays: only it can make another."""
    dialog, identity = session.dialog, session.identity
    if dialog is None or identity is None or identity.kind != "trunk" or not flow.connection:
        return
    if dialog.home_flow is not None and dialog.home_flow[:5] == flow[:5]:
        dialog.home_flow = None


def answers_over(session: "Session") -> Flow | None:
    """Return where the answer to their INVITE goes, until it has been acknowledged; None without one."""
    server = session.ringing_server
    if server is not None:
        return server.flow
    answer = session.unfinished[1]
    return None if answer is None else answer.flow


def lead(session: "Session", flow: Flow) -> None:
    """Send what answers their INVITE over ``flow`` from now on, and what may not have arrived again."""
    server, answer = session.ringing_server, session.unfinished[1]
    if server is not None:
        server.lead(flow)
    elif answer is not None:
        answer.lead(flow)
