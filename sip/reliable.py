"""Reliable provisional responses and their PRACK (RFC 3262), from either end.

:class:`Provisionals` are ours, to an INVITE that requires 100rel: one at a time, each repeated until its
PRACK, and no 2xx before the PRACK of one that carried SDP. :class:`EarlyDialog` is where theirs are
acknowledged, in the order of their RSeq.
"""

from typing import TYPE_CHECKING

from kernel.timers import Timer
from sip.attempt import Attempt
from sip.branches import client_key_of
from sip.client_request import ClientRequest
from sip.dialog import Dialog
from sip.events import SessionOffered, SessionProgressed, UpdateAnswered
from sip.flows import Flow
from sip.headers import parse_rack, tokens
from sip.message import Request, Response, sdp_of
from sip.reaper import Key
from sip.responses import answer_flow, build, record_routes, response_head
from sip.server_invite import ServerInvite
from sip.server_request import ServerRequest
from sip.transactions import MARGIN
from sip.update import TheirOffer

if TYPE_CHECKING:
    from sip.session import Session

RSEQ_FIRST_MAX = 2**31 - 1  # RFC 3262 3: chosen from 1 to 2^31-1
RSEQ_MAX = 2**32 - 1
QUEUED_MAX = 8  # provisional responses that wait for the PRACK of the one before


def is_reliable(message: Request | Response) -> bool:
    """Return whether a response must be acknowledged, or a request asks that all of ours be."""
    return any(tag.lower() == "100rel" for tag in tokens(message.headers("require")))


class Provisionals:
    """Our reliable provisional responses to one INVITE."""

    __slots__ = (
        "_data",
        "_give_up_at",
        "_held",
        "_interval",
        "_is_answered",
        "_offers",
        "_pending",
        "_pending_sdp",
        "_queue",
        "_rseq",
        "_said",
        "_session",
        "_timer",
        "early_offer",
    )

    def __init__(self, session: "Session", request: Request) -> None:
        self._session: Session | None = session
        self._offers = not request.body  # our first description is an offer
        self._rseq = session.core.chance.number(RSEQ_FIRST_MAX - 1024)  # of the last that was sent
        self._pending = 0  # RSeq of the one that waits for its PRACK
        self._pending_sdp = False
        self._queue: list[tuple[int, bytes]] = []
        self._held: bytes | None = None  # the SDP of a 2xx that waits for the PRACK
        self._said = False  # a description of ours is out: there will be no other
        self._is_answered = False  # and the peer has acknowledged it
        self._data = b""
        self._interval = 0.0
        self._give_up_at = 0.0
        self._timer: Timer | None = None
        self.early_offer = b""  # of the first that goes out, to an INVITE without offer

    @property
    def has_offer_out(self) -> bool:
        """Whether an offer of ours waits for the answer in a PRACK."""
        return self._offers and self._said and not self._is_answered

    @property
    def is_agreed(self) -> bool:
        """Whether offer and answer are done with, so that the next offer is welcome."""
        return self._said and (self._is_answered or not self._offers)

    @property
    def is_acknowledged(self) -> bool:
        """Whether our description has been acknowledged."""
        return self._is_answered

    def ring(self, status: int, sdp: bytes, now: float) -> None:
        """Send a provisional response, or queue it until the last has its PRACK."""
        if self._offers and not self._said:
            sdp = sdp or self.early_offer
        if len(self._queue) < QUEUED_MAX:
            self._queue.append((status, sdp))
            self._send_next(now)

    def may_accept(self, sdp: bytes) -> bool:
        """Return whether the 2xx may go out now; if not, it goes with ``sdp`` after the PRACK."""
        if self._pending and self._pending_sdp:
            self._held = sdp
            return False
        self.stop()
        return True

    def left_to_say(self, sdp: bytes) -> bytes:
        """Return what of ``sdp`` belongs into the 2xx: nothing if a reliable response has said it."""
        return b"" if self._said else sdp

    def stop(self) -> None:
        """Repeat nothing any more; a PRACK that comes late still finds its response."""
        session = self._session
        if session is not None and self._timer is not None:
            session.core.timers.disarm(self._timer)
        self._timer = None
        self._queue.clear()
        self._held = None

    def forget(self) -> None:
        """The session is over."""
        self.stop()
        self._session = None

    def matches(self, rack: tuple[int, int, str]) -> bool:
        """Return whether a RAck names the response that waits for its PRACK."""
        session = self._session
        assert session is not None
        assert session.request is not None
        return bool(self._pending) and rack == (self._pending, session.request.cseq[0], "INVITE")

    def receive_prack(self, their: TheirOffer, sdp: bytes, now: float) -> None:
        """Take the PRACK of the response that waits for it."""
        session = self._session
        assert session is not None
        had_sdp, self._pending, self._pending_sdp = self._pending_sdp, 0, False
        if self._timer is not None:
            session.core.timers.disarm(self._timer)
            self._timer = None
        is_answer = had_sdp and self._offers
        if is_answer and not sdp:
            self._said = False  # its offer was left without answer: the 2xx makes another
        elif had_sdp:
            self._is_answered = True
        if sdp and not is_answer:
            their.offer_to(session, sdp, now)
        else:
            their.accept(session, b"", now)
        if is_answer and sdp:
            session.core.put_event(UpdateAnswered(session, sdp))
        held, self._held = self._held, None
        if held is not None:
            session.answer(held, now)
        else:
            self._send_next(now)

    def on_timer(self, name: str, now: float) -> None:
        """Repeat the response or, 64*T1 after the first, give the INVITE up (``name`` is always ``1xx``)."""
        session = self._session
        assert session is not None, "a provisional outlived its session"
        self._timer = None
        left = self._give_up_at - now
        if left <= MARGIN:
            session.no_prack(now)
            return
        self._put(session)
        self._interval = interval = 2 * self._interval
        timers = session.core.timers
        if interval < left:
            self._timer = timers.arm_after(self, "1xx", interval, now)
        else:
            self._timer = timers.arm(self, "1xx", self._give_up_at)

    def _send_next(self, now: float) -> None:
        session = self._session
        if self._pending or not self._queue or session is None:
            return
        server = session.ringing_server
        if server is None:
            return
        status, sdp = self._queue.pop(0)
        sdp = self.left_to_say(sdp)
        self._rseq += 1
        self._pending, self._pending_sdp = self._rseq, bool(sdp)
        if sdp:
            self._said = True
            session.said = sdp
        assert session.request is not None
        assert session.dialog is not None
        headers = (
            f"{record_routes(session.request)}{session.dialog.place.contact}{session.core.answer_headers}"
            f"Require: 100rel\r\nRSeq: {self._rseq}\r\n"
        )
        transactions = session.core.transactions
        self._data = build(status, session.head, headers, sdp)
        session.last_status = status
        server.respond(status, self._data, now)
        self._interval = transactions.t1
        self._give_up_at = now + transactions.give_up_after
        self._timer = transactions.timers.arm_after(self, "1xx", transactions.t1, now)

    def _put(self, session: "Session") -> None:
        server: ServerInvite | None = session.ringing_server
        if server is not None:
            session.core.transactions.put((server.flow, self._data))


def receive_prack(session: "Session", request: Request, flow: Flow, key: Key, now: float) -> None:
    """Take a PRACK, its CSeq already found to be fresh: 481 if it acknowledges nothing (RFC 3262 3)."""
    core = session.core
    rack = parse_rack(request.header("rack") or "")
    server = ServerRequest(core.transactions, key, "PRACK", answer_flow(request, flow))
    head = response_head(request, session.local_tag, flow)
    provisionals, dialog = session.provisionals, session.dialog
    if provisionals is None or dialog is None or session.is_leaving or not provisionals.matches(rack):
        server.respond(481, build(481, head), now)
        return
    provisionals.receive_prack(TheirOffer(server, head, request, dialog), sdp_of(request), now)


class EarlyDialog:
    """Who rings under one To tag, and what has been acknowledged there."""

    __slots__ = ("_rseq", "allows_update", "answer", "dialog")

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self._rseq = 0  # of the last in order; 0 before the first
        self.answer = b""  # the reliable answer to our offer
        self.allows_update = False

    def receive(self, session: "Session", response: Response, attempt: Attempt, now: float) -> None:
        """Take a reliable provisional response: told and acknowledged if it is the next, else dropped.

        RFC 3262 4: a repeated one is dropped, the PRACK repeats itself until it is answered.
        """
        rseq = _rseq_of(response)
        if not rseq or (self._rseq and rseq != self._rseq + 1):
            return
        self._rseq = rseq
        core, sdp = session.core, sdp_of(response)
        if response.header("allow") is not None:
            self.allows_update = "UPDATE" in tokens(response.headers("allow"))
        self.dialog.refresh_target(response, core.places)
        rack = f"RAck: {rseq} {attempt.cseq} INVITE\r\n"
        if attempt.sdp or not sdp:
            self._acknowledge(session, rack, b"", now)
            if attempt.sdp and not self.answer:
                self.answer = sdp
            core.put_event(SessionProgressed(session, response.status, sdp))
            return
        # RFC 3262 5: an offer, whose answer goes into the PRACK.
        core.put_event(SessionProgressed(session, response.status, b""))
        session.their_offer = EarlyOffer(self, rack)
        core.put_event(SessionOffered(session, sdp))

    def _acknowledge(self, session: "Session", rack: str, sdp: bytes, now: float) -> None:
        core, dialog = session.core, self.dialog
        flow = dialog.find_flow(core.places) or session.flow
        branch = core.chance.branch()
        data = dialog.build("PRACK", dialog.next_cseq(), branch, rack, sdp)
        key = client_key_of(branch, "PRACK")
        ClientRequest(core.transactions, key, "PRACK", data, flow, None, now, next_hop=dialog.next_hop)

    def answer_offer(self, session: "Session", rack: str, sdp: bytes, now: float) -> None:
        """Acknowledge with our answer to their offer."""
        self._acknowledge(session, rack, sdp, now)


class EarlyOffer:
    """The offer of a reliable provisional response, until our user answers it."""

    __slots__ = ("_early", "_rack")

    def __init__(self, early: EarlyDialog, rack: str) -> None:
        self._early = early
        self._rack = rack

    def accept(self, session: "Session", sdp: bytes, now: float) -> None:
        """Acknowledge with our answer."""
        self._early.answer_offer(session, self._rack, sdp, now)

    def refuse(self, status: int, now: float, headers: str = "") -> None:
        """There is no refusing it: our user hangs up, or hears no audio."""


def _rseq_of(response: Response) -> int:
    try:
        rseq = int((response.header("rseq") or "0").strip())
    except ValueError:
        return 0
    return rseq if 0 < rseq <= RSEQ_MAX else 0
