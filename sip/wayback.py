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
    """The sessions that each connection carries, and the ways back of those that have lost theirs.

    A session is noted under every connection over which an INVITE or an UPDATE of its peer has come, or to
    which an answer of ours has been led, so that the end of a connection costs its own sessions and no other.
    """

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._ways: dict[str, Way] = {}  # by our tag of the session
        self._carried: dict[tuple[object, ...], dict[str, Session]] = {}  # by flow without name, and our tag

    def carry(self, session: "Session", flow: Flow) -> None:
        """The end of ``flow``, if it is a connection, concerns ``session``."""
        if flow[0] == "udp":
            return
        key = flow[:5]
        if key not in session.carriers:
            session.carriers = (*session.carriers, key)
            self._carried.setdefault(key, {})[session.local_tag] = session

    def gone(self, flow: Flow, now: float) -> None:
        """Nothing can be sent over ``flow``: lead the answers that would have gone there elsewhere."""
        key = flow[:5]
        for session in list(self._carried.get(key, {}).values()):
            _leave(session, flow)
            over = answers_over(session)
            if over is not None and over[:5] == key:
                self._lead_elsewhere(session, flow, over, now)
                over = answers_over(session)
            if over is None or over[:5] != key:
                session.carriers = tuple(each for each in session.carriers if each != key)
                self._uncarry(session, key)

    def _lead_elsewhere(self, session: "Session", flow: Flow, over: Flow, now: float) -> None:
        way = self._ways.get(session.local_tag)
        if way is None:
            way = self._ways[session.local_tag] = Way(session)
            anew = self._anew(session, flow)
            if anew is not None:
                lead(session, anew)
                return
        if way.is_named:
            way.failed(over, now)
        else:
            way.look_up(self._core, flow.transport, now)

    def arrived(self, session: "Session") -> None:
        """The answer to their INVITE has been acknowledged: it needs no way any more."""
        way = self._ways.pop(session.local_tag, None)
        if way is not None:
            way.stop()

    def forget(self, session: "Session") -> None:
        """A session is over."""
        self.arrived(session)
        for key in session.carriers:
            self._uncarry(session, key)
        session.carriers = ()

    def _uncarry(self, session: "Session", key: tuple[object, ...]) -> None:
        carried = self._carried[key]
        del carried[session.local_tag]
        if not carried:
            del self._carried[key]

    def count(self) -> int:
        """Return how many ways back there are."""
        return len(self._ways)

    def check(self) -> None:
        """Assert that every session is noted where its answers go, and that none is noted after its end."""
        sessions = self._core.sessions
        for key, carried in self._carried.items():
            assert carried, f"{key} carries nobody and is noted"
            for tag, session in carried.items():
                assert sessions.get(tag) is session, f"{session.sip_call_id} is over and {key} carries it"
                assert key in session.carriers, f"{session.sip_call_id} does not know that {key} carries it"
        for tag, session in sessions.items():
            for each in session.carriers:
                assert tag in self._carried.get(each, {}), f"{each} does not carry {session.sip_call_id}"
            over = answers_over(session)
            assert over is None or over.transport == "udp" or over[:5] in session.carriers, (
                f"the answer of {session.sip_call_id} goes where nobody would miss it"
            )
            home = None if session.dialog is None else session.dialog.home_flow
            if home is not None and home.connection and _is_a_trunks(session):
                assert home[:5] in session.carriers, f"{session.sip_call_id} would not miss its trunk"
        for tag, way in self._ways.items():
            assert sessions.get(tag) is way.session, "a way back outlived its session"

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


def _leave(session: "Session", flow: Flow) -> None:
    """A trunk's connection is not the known way to it any more. A phone's stays: only it can make another."""
    dialog = session.dialog
    if dialog is None or not flow.connection or not _is_a_trunks(session):
        return
    if dialog.home_flow is not None and dialog.home_flow[:5] == flow[:5]:
        dialog.home_flow = None


def _is_a_trunks(session: "Session") -> bool:
    return session.identity is not None and session.identity.kind == "trunk"


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
    session.core.ways_back.carry(session, flow)
    if server is not None:
        server.lead(flow)
    elif answer is not None:
        answer.lead(flow)
