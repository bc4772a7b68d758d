"""Sessions: the INVITE usage of a dialog, seen from either end (RFC 3261 13 to 15).

A session is made by our INVITE or by theirs and tells its user in the words of :mod:`sip.events`. It repeats
2xx until the ACK, waits with BYE where section 15 says so, and holds a re-INVITE back while another is under
way. After :meth:`Session.hang_up` its user hears nothing more.
"""

from typing import Any

from kernel.timers import Timer
from sip.answer import Answer
from sip.authorization import authorize
from sip.branches import client_key_of
from sip.client_request import ClientRequest
from sip.core import Core
from sip.dialog import Dialog, dialog_of_request, uri_of
from sip.events import (
    Identity,
    InfoReceived,
    SessionAnswered,
    SessionCancelled,
    SessionConfirmed,
    SessionEnded,
    SessionFailed,
    SessionOffered,
)
from sip.flows import Flow
from sip.headers import tokens
from sip.invitation import Invitation
from sip.message import Request, Response, sdp_of
from sip.outgoing import Outgoing
from sip.places import host_of, is_reachable_host
from sip.reaper import Key
from sip.reliable import EarlyOffer, Provisionals, is_reliable
from sip.responses import answer_flow, build, record_routes, response_head
from sip.server_invite import ServerInvite
from sip.sessionstate import (
    ACCEPTED,
    ARRIVED,
    CANCELLING,
    CONFIRMED,
    ENDED,
    ENDING,
    INVITING,
    LEAVING,
    MOVES,
    SessionInput,
)
from sip.sessiontimer import SessionTimer
from sip.transactions import ClientUser
from sip.update import TheirOffer, Updates

PROVISIONAL_EVERY = 60.0  # seconds (RFC 3261 13.3.1.1)

_LEAVING = frozenset({CANCELLING, LEAVING, ENDING, ENDED})
_EARLY = frozenset({"UPDATE", "INFO", "OPTIONS"})  # what a callee may send before its answer


class Session:
    """One INVITE usage; ``user`` belongs to whoever made or accepted it."""

    __slots__ = (
        "_answer",
        "_cancel_headers",
        "_head",
        "_is_reinvited",
        "_provisional",
        "_server",
        "_server_request",
        "_timer",
        "_updates",
        "allow",
        "carriers",
        "core",
        "dialog",
        "flow",
        "identity",
        "invitation",
        "is_outgoing",
        "last_status",
        "local_tag",
        "outgoing",
        "provisionals",
        "refers",
        "remote_tag",
        "request",
        "said",
        "session_timer",
        "sip_call_id",
        "state",
        "their_offer",
        "user",
    )

    def __init__(self, core: Core, sip_call_id: str, flow: Flow, *, is_outgoing: bool) -> None:
        self.core = core  # what all sessions of the stack share
        self.user: Any = None
        self.request: Request | None = None  # the INVITE that arrived
        self.identity: Identity | None = None
        self.invitation: Invitation | None = None
        self.is_outgoing = is_outgoing
        self.last_status = 0
        self.local_tag = core.chance.token()
        self.remote_tag = ""
        self.sip_call_id = sip_call_id
        self.flow = flow
        self.state = INVITING if is_outgoing else ARRIVED
        self.dialog: Dialog | None = None  # once there is one
        self.outgoing: Outgoing | None = None  # our INVITE without final answer
        self.provisionals: Provisionals | None = None  # ours, where they must be acknowledged
        self._server: ServerInvite | None = None  # their INVITE or re-INVITE without final answer
        self._server_request: Request | None = None
        self._head = ""  # what the responses to it have in common
        self._provisional = b""
        self._answer: Answer | None = None
        self._cancel_headers: str | None = None  # of the CANCEL that waits for a provisional
        self._updates: Updates | None = None
        self.session_timer: SessionTimer | None = None
        self.allow: str | None = None  # what the peer's Allow says; None: not looked at yet
        self.said = b""  # our last description that the peer has taken
        self.their_offer: TheirOffer | EarlyOffer | None = None  # without answer; INVITEs apart
        self._is_reinvited = False  # the INVITE that ``_server`` stands for is a re-INVITE
        self._timer: Timer | None = None
        self.carriers: tuple[tuple[object, ...], ...] = ()  # connections whose end concerns it
        self.refers = 0  # REFERs that have come (RFC 3515 2.4.6)

    @property
    def unfinished(self) -> tuple[Request | None, Answer | None]:
        """Their INVITE without final response, and our 2xx without ACK."""
        return self._server_request if self.state is ARRIVED else None, self._answer

    @property
    def is_settled(self) -> bool:
        """Whether it is confirmed, with nothing of theirs and no 2xx of ours open."""
        is_free = self._server is None and self._answer is None and self.their_offer is None
        return is_free and self.state is CONFIRMED

    @property
    def is_talking(self) -> bool:
        """Whether the INVITE has succeeded and nobody has hung up."""
        return self.state is CONFIRMED or self.state is ACCEPTED

    @property
    def is_leaving(self) -> bool:
        """Whether our user has hung up, or the session is over."""
        return self.state in _LEAVING

    @property
    def early_dialog(self) -> Dialog | None:
        """The early dialog in which we may offer: the first offer has been answered, and reliably."""
        if self.outgoing is not None:
            return self.outgoing.answered_dialog
        if self.ringing_server is None or self.provisionals is None or self.their_offer is not None:
            return None
        return self.dialog if self.provisionals.is_agreed and self.allows("UPDATE") else None

    @property
    def ringing_server(self) -> ServerInvite | None:
        """The transaction of the INVITE that made this session, until its final answer."""
        return self._server if self.state is ARRIVED else None

    @property
    def head(self) -> str:
        """What the responses to the INVITE under way have in common."""
        return self._head

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        """Return the dialog, be it an early one, with the peer that uses ``remote_tag``."""
        if self.outgoing is not None:
            return self.outgoing.dialog_with(remote_tag)
        return self.dialog if remote_tag == self.remote_tag else None

    def allows(self, method: str) -> bool:
        """Return whether the peer has said that it takes ``method``."""
        if self.allow is None:
            self.allow = ", ".join(self.request.headers("allow")) if self.request is not None else ""
        return method in tokens((self.allow,))

    def glare(self, remote_tag: str) -> int:
        """Return what an offer of theirs draws now (RFC 3311 5.2): 0 nothing, 491 while an offer of ours is
        out, 500 while one of theirs has no answer.
        """
        if self.their_offer is not None:
            return 500
        provisionals = self.provisionals if self.ringing_server is not None else None
        if provisionals is not None and provisionals.has_offer_out:
            return 491
        if self._server is not None and not (provisionals is not None and provisionals.is_agreed):
            return 500 if self._request().body else 491
        if self.outgoing is not None and not self.outgoing.has_answer_from(remote_tag):
            return 491
        if self._answer is not None and self._answer.is_offer:
            return 491
        return 491 if self._updates is not None and self._updates.has_offer_out else 0

    @property
    def contact(self) -> str:
        """Our Contact line in the dialog: a SIPS URI where it must stay secure (RFC 3261 12.1.1)."""
        assert self.dialog is not None
        return self.dialog.place.contact

    @property
    def remote_target(self) -> str:
        """The URI that requests to the peer carry (RFC 3261 12.2)."""
        if self.dialog is not None:
            return self.dialog.remote_target
        return self.invitation.uri if self.invitation is not None else ""

    # Outgoing.

    def send_invite(self, invitation: Invitation, now: float) -> None:
        """Send the first INVITE."""
        self.invitation = invitation
        self.core.sessions[self.local_tag] = self
        self.outgoing = Outgoing(self)
        self.outgoing.send(1, "", now)

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take a response to a BYE or an INFO of ours."""
        if response.status >= 200:
            self._request_answered(transaction, response, now)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that a BYE or an INFO of ours stays unanswered."""
        if transaction.method == "BYE":
            self._move(SessionInput.BYE_DONE)
            self._finish()
        else:
            self.gone(now, "timeout")

    def invite_succeeded(
        self, dialog: Dialog, offered: bytes, sdp: bytes, response: Response, now: float
    ) -> None:
        """Take that our INVITE was answered 2xx, which has been acknowledged; ``sdp`` is the answer."""
        core = self.core
        self.outgoing = None
        self.dialog = dialog
        self.remote_tag = dialog.remote_tag
        was_inviting = self.state is INVITING
        self._move(SessionInput.SUCCESS)
        if was_inviting:
            self.allow = ", ".join(response.headers("allow"))
            self.said = self.said or offered
            core.session_timers.agreed(self, response, now)
            core.put_event(SessionAnswered(self, sdp))
            self._go_on(now)
        else:
            self._send_bye("", now)

    def invite_failed(
        self, status: int, reason: str, now: float, redirects: tuple[str, ...] = (), cause: int = 0
    ) -> None:
        """Take that our INVITE will not be answered: a final 3xx-6xx, silence (408) or no way (503)."""
        self._disarm()
        self.last_status = status
        was_inviting = self.state is INVITING
        self._move(SessionInput.FAILURE)
        self._finish()
        if was_inviting:
            self.core.put_event(SessionFailed(self, status, reason, redirects, cause))

    def rang_too_long(self, now: float) -> None:
        """Give up our INVITE, which only rings (RFC 3261 16.8)."""
        if self.outgoing is not None and self._move(SessionInput.HANG_UP):
            self.outgoing.cancel("", now)
            self.core.put_event(SessionFailed(self, 408, "Request Timeout"))

    def take_over(self, dialog: Dialog, answer: Answer | None) -> None:
        """Go on with a dialog of another process, whose ``answer`` may wait for its ACK."""
        self.local_tag, self.remote_tag = dialog.local_tag, dialog.remote_tag
        self.dialog, self._answer = dialog, answer
        self.state = CONFIRMED if answer is None else ACCEPTED
        self.core.sessions[self.local_tag] = self
        self.core.ways_back.carry(self, self.flow)

    # Incoming.

    def receive_invite(self, request: Request, flow: Flow, key: Key, now: float) -> None:
        """Take the INVITE that makes this session; SipError if it cannot form a dialog."""
        core = self.core
        self.request = self._server_request = request
        self.remote_tag = request.from_tag
        dialog = self.dialog = dialog_of_request(request, self.local_tag, core.places, flow[1])
        dialog.home_flow = flow
        identity = self.identity
        if flow[0] != "udp" or (identity is not None and identity.kind == "account"):
            dialog.home_host = core.places.host_of(dialog.remote_target)
        core.sessions[self.local_tag] = self
        if flow[0] != "udp":
            core.ways_back.carry(self, flow)
        if "require" in request.first and is_reliable(request):
            self.provisionals = Provisionals(self, request)
        self._server = ServerInvite(core.transactions, key, answer_flow(request, flow), self)
        self._head = response_head(request, self.local_tag, flow)
        if core.settings.timing.trying_after <= 0.0:
            self._server.respond(100, build(100, self._head), now)
        else:
            self._timer = core.timers.arm_after(self, "100", core.settings.timing.trying_after, now)

    def ring(self, status: int, sdp: bytes, now: float) -> None:
        """Send a provisional response; nothing if the INVITE has its final one."""
        if self.state is not ARRIVED:
            return
        server, dialog = self._server, self.dialog
        assert server is not None
        assert dialog is not None
        if self.provisionals is not None:
            self.provisionals.ring(status, sdp, now)
        else:
            headers = f"{record_routes(self._request())}{dialog.place.contact}"
            self.last_status = status
            self._provisional = build(status, self._head, headers, sdp)
            server.respond(status, self._provisional, now)
        if self._timer is None or self._timer.name == "100":
            self._disarm()
            self._timer = self.core.timers.arm_after(self, "provisional", PROVISIONAL_EVERY, now)

    def answer(self, sdp: bytes, now: float) -> None:
        """Answer the INVITE or re-INVITE with 200; nothing if it is over."""
        server, dialog = self._server, self.dialog
        if self.provisionals is not None and self.state is ARRIVED:
            if not self.provisionals.may_accept(sdp):
                return  # RFC 3262 5: it goes out after the PRACK
            sdp = self.provisionals.left_to_say(sdp)
        if server is None or dialog is None or not self._move(SessionInput.ACCEPT):
            return
        request = self._request()
        self._disarm()
        self.last_status = 200
        core = self.core
        lines = core.session_timers.accept(self, request, now)
        headers = f"{record_routes(request)}{dialog.place.contact}{core.answer_headers}{lines}"
        data = build(200, self._head, headers, sdp)
        server.respond(200, data, now)
        self._server = None
        self._server_request = None
        self.said = sdp or self.said
        if self._is_reinvited and request.first.get("contact") is not None:
            dialog.refresh_target(request, core.places)
        transactions = core.transactions
        is_offer = not request.body and bool(sdp)
        self._answer = Answer(
            self, transactions, data, server.flow, request.cseq[0], is_offer=is_offer, now=now
        )

    def accept_update(self, sdp: bytes, now: float) -> None:
        """Answer their re-INVITE or UPDATE."""
        their = self.their_offer
        if their is None:
            self.answer(sdp, now)
            return
        self.their_offer = None
        self.said = sdp
        their.accept(self, sdp, now)
        self._go_on(now)

    def refuse(self, status: int, reason: str, headers: str, now: float) -> None:
        """Refuse the INVITE; nothing if it is over."""
        if not self._move(SessionInput.REFUSE):
            return
        self._final(status, now, headers, reason)
        self._finish()

    def _final(self, status: int, now: float, headers: str = "", reason: str = "") -> None:
        """Answer their pending INVITE or re-INVITE with 3xx-6xx."""
        server = self._server
        if server is None:
            return
        self.last_status = status
        server.respond(status, build(status, self._head, headers, reason=reason), now)
        self._server = None
        self._server_request = None

    def cancelled(self, now: float, reason: str = "") -> None:
        """Take a CANCEL of their pending INVITE; the CANCEL itself has been answered."""
        if self._move(SessionInput.REFUSE):
            self._final(487, now)
            self._finish()
            self.core.put_event(SessionCancelled(self, reason))
        else:
            self._final(487, now)  # a re-INVITE: the session goes on as it was

    def no_prack(self, now: float) -> None:
        """Give up waiting for the PRACK of a provisional response (RFC 3262 3)."""
        if self._move(SessionInput.REFUSE):
            self._final(504, now)
            self._finish()
            self.core.put_event(SessionEnded(self, "no_prack"))

    def receive_ack(self, request: Request, now: float) -> None:
        """Take the ACK of a 2xx."""
        answer = self._answer
        if answer is None or request.cseq[0] != answer.cseq:
            return
        self._acknowledged(answer, sdp_of(request) if answer.is_offer else b"", now)

    def _acknowledged(self, answer: Answer, sdp: bytes, now: float) -> None:
        answer.stop()
        self._answer = None
        if self.carriers:
            self.core.ways_back.arrived(self)
        if self._move(SessionInput.ACK):
            if self.state is ENDING:
                self._send_bye(self._cancel_headers or "", now)
            else:
                self.core.put_event(SessionConfirmed(self, sdp))
                self._go_on(now)

    def no_ack(self, now: float) -> None:
        """Give up waiting for the ACK of our 2xx: end the session (RFC 3261 13.3.1.4)."""
        was_leaving = self.state is LEAVING
        self._answer = None
        if self._move(SessionInput.NO_ACK):
            self._send_bye(self._cancel_headers or "", now)
            if not was_leaving:
                self.core.put_event(SessionEnded(self, "no_ack"))

    # Both ways.

    def hang_up(self, headers: str, now: float) -> None:
        """End the session, whatever its state; ``headers`` (whole lines) go on the CANCEL or BYE."""
        self.user = None
        state = self.state
        if state is ARRIVED:
            self.refuse(480, "", headers, now)
        elif self._move(SessionInput.HANG_UP):
            if self.outgoing is not None:
                self.outgoing.cancel(headers, now)
            elif state is CONFIRMED:
                self._send_bye(headers, now)
            else:
                self._cancel_headers = headers  # for the BYE that is owed

    def update(self, sdp: bytes, now: float) -> None:
        """Offer ``sdp`` in a re-INVITE, before the answer in an UPDATE, now or when the INVITE under way is
        over; the last wish counts.
        """
        if self.is_talking or self.early_dialog is not None:
            self._changes().offer(sdp, now)

    def refresh(self, now: float) -> None:
        """Refresh the session: nobody has for half of its interval (RFC 4028 10)."""
        if self.is_talking:
            self._changes().refresh(now)

    def _changes(self) -> Updates:
        if self._updates is None:
            self._updates = Updates(self)
        return self._updates

    def _go_on(self, now: float) -> None:
        """An INVITE is over: what waited for that may go."""
        if self._updates is not None:
            self._updates.send_waiting(now)

    def gone(self, now: float, cause: str) -> None:
        """End it: the peer does not know the dialog any more, or is silent (RFC 3261 12.2.1.2)."""
        if self._move(SessionInput.GONE):
            self._stop_answer()
            self._send_bye("", now)
            self.core.put_event(SessionEnded(self, cause))

    def send_info(self, content_type: str, body: bytes, now: float) -> None:
        """Send an INFO; its answer matters only if it says that the session is gone."""
        if self.state in (CONFIRMED, ACCEPTED):
            self._send("INFO", "", body, content_type, now)

    def _send(self, method: str, headers: str, body: bytes, content_type: str, now: float) -> None:
        context = (headers, body, content_type)
        self.send_inside(method, headers, body, content_type, now, self, context)

    def send_inside(
        self,
        method: str,
        headers: str,
        body: bytes,
        content_type: str,
        now: float,
        user: ClientUser,
        context: object = None,
    ) -> int:
        """Send a request in the dialog, even one that has just ended; ``user`` hears how it is answered.

        Returns its CSeq number.
        """
        dialog, core = self.dialog, self.core
        assert dialog is not None
        flow = dialog.find_flow(core.places) or self.flow
        branch = core.chance.branch()
        cseq = dialog.next_cseq()
        data = dialog.build(method, cseq, branch, headers, body, content_type)
        key = client_key_of(branch, method)
        ClientRequest(core.transactions, key, method, data, flow, user, now, context, dialog.next_hop)
        return cseq

    def _send_bye(self, headers: str, now: float) -> None:
        self._drop_updates(now)
        self._send("BYE", headers, b"", "", now)

    def _drop_updates(self, now: float) -> None:
        """Let go of re-INVITEs in both directions: the session is over."""
        self._disarm()
        self._final(487, now)
        if self.their_offer is not None:
            self.their_offer.refuse(487, now)
            self.their_offer = None
        if self.session_timer is not None:
            self.session_timer.stop()
            self.session_timer = None
        if self._updates is not None:
            self._updates.drop(now)

    def _request_answered(self, transaction: ClientRequest, response: Response, now: float) -> None:
        """Take the final answer to a BYE or an INFO."""
        status, method = response.status, transaction.method
        headers, body, content_type = transaction.context
        dialog = self.dialog
        assert dialog is not None
        is_alive = method == "BYE" or self.state is CONFIRMED
        if status in (401, 407) and is_alive and "uthorization: " not in headers:
            authorization = self.authorize(response, method, dialog.request_uri, body)
            if authorization:
                self._send(method, headers + authorization, body, content_type, now)
                return
        if method == "BYE":
            self._move(SessionInput.BYE_DONE)
            self._finish()
        elif status in (408, 481):
            self.gone(now, "gone")

    def authorize(self, response: Response, method: str, uri: str, body: bytes) -> str:
        trunk = self.invitation.trunk if self.invitation is not None else ""
        peer = self.core.trunks.get(trunk)
        return authorize(peer, response, method, uri, body, self.core.chance) if peer is not None else ""

    # Requests inside the dialog.

    def receive_reinvite(self, request: Request, flow: Flow, key: Key, now: float) -> None:
        """Take an INVITE inside the dialog, its CSeq already found to be fresh."""
        core, dialog = self.core, self.dialog
        assert dialog is not None
        answer = self._answer
        server = ServerInvite(core.transactions, key, answer_flow(request, flow), None)
        head = response_head(request, self.local_tag, flow)
        if self.is_leaving:
            server.respond(481, build(481, head), now)
            return
        too_small = core.session_timers.refusal(request)
        if too_small:
            server.respond(422, build(422, head, too_small), now)
            return
        is_asked = self._server is not None or self.their_offer is not None
        if is_asked or (answer is not None and answer.is_offer):
            retry = f"Retry-After: {core.chance.number(11)}\r\n"
            server.respond(500, build(500, head, retry), now)
            return
        if self._updates is not None and self._updates.has_offer_out:
            server.respond(491, build(491, head), now)
            return
        if answer is not None:
            # The peer has our 2xx, or it would not go on: its ACK was lost or is late.
            self._acknowledged(answer, b"", now)
        server.session = self
        self._server, self._server_request, self._head = server, request, head
        self._is_reinvited = True
        server.respond(100, build(100, head), now)
        dialog.heard_from(flow)
        core.ways_back.carry(self, flow)
        core.put_event(SessionOffered(self, sdp_of(request)))

    def refuse_update(self, status: int, now: float) -> None:
        """Refuse their re-INVITE or UPDATE; the session goes on as it was."""
        their, self.their_offer = self.their_offer, None
        if their is not None:
            their.refuse(status, now)
            self._go_on(now)
        elif self._is_reinvited:
            self._final(status, now)
            self._go_on(now)

    def receive_bye(self, now: float, reason: str = "") -> None:
        """Take a BYE, which has been answered."""
        state = self.state
        if state is ARRIVED:
            self.cancelled(now, reason)
            return
        if not self._move(SessionInput.BYE) or self.state is ENDING:
            return
        self._drop_updates(now)
        self._finish()
        if state is not LEAVING:
            self.core.put_event(SessionEnded(self, "bye", reason))

    def receive_info(self, request: Request) -> None:
        """Take an INFO, which has been answered."""
        if self.state in (CONFIRMED, ACCEPTED):
            content_type = (request.first.get("content-type") or "").partition(";")[0].strip().lower()
            self.core.put_event(InfoReceived(self, content_type, request.body))

    def takes(self, request: Request) -> bool:
        """Return whether a request with our tag is of this dialog."""
        if request.first["call-id"] != self.sip_call_id:
            return False
        if self.outgoing is None:
            return request.from_tag == self.remote_tag
        return request.method in _EARLY and self.outgoing.dialog_with(request.from_tag) is not None

    def is_from_peer(self, remote_tag: str, host: str) -> bool:
        """Return whether ``host`` may be the peer of the dialog with that tag: where we talk to it, its
        Contact's host or a proxy of the route set. A name could be any address.
        """
        dialog = self.dialog_with(remote_tag)
        if dialog is None:
            return False
        if any(flow is not None and flow[2] == host for flow in (dialog.home_flow, dialog.flow)):
            return True
        hosts = [host_of(dialog.remote_target), *(host_of(uri_of(route)) for route in dialog.route_set)]
        return any(host == one or not is_reachable_host(one) for one in hosts)

    def is_fresh(self, request: Request) -> bool:
        """Count a request of theirs; False if its CSeq is not higher than the last (RFC 3261 12.2.2)."""
        cseq, dialog = request.cseq[0], self.dialog
        if dialog is None:
            dialog = self.dialog_with(request.from_tag)
        if dialog is None or cseq <= dialog.remote_cseq:
            return False
        dialog.remote_cseq = cseq
        return True

    def on_timer(self, name: str, now: float) -> None:
        """Act on ``100`` or ``provisional``."""
        self._timer = None
        if self._server is not None:
            if name == "100":
                self._server.respond(100, build(100, self._head), now)
            else:
                if self.provisionals is not None:
                    self.provisionals.ring(self.last_status, b"", now)
                else:
                    self._server.respond(self.last_status, self._provisional, now)
                self._timer = self.core.timers.arm_after(self, "provisional", PROVISIONAL_EVERY, now)

    def _request(self) -> Request:
        assert self._server_request is not None
        return self._server_request

    def _move(self, cause: SessionInput) -> bool:
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True

    def _disarm(self) -> None:
        if self._timer is not None:
            self.core.timers.disarm(self._timer)
            self._timer = None

    def _stop_answer(self) -> None:
        if self._answer is not None:
            self._answer.stop()
            self._answer = None

    def _finish(self) -> None:
        """Let go of everything: nobody asks for an ended session any more."""
        assert self._server is None, "an INVITE of theirs was left without final answer"
        self._disarm()
        self._stop_answer()
        self._updates = None
        self.outgoing = None
        self.their_offer = None
        if self.provisionals is not None:
            self.provisionals.forget()
            self.provisionals = None
        if self.session_timer is not None:
            self.session_timer.stop()
            self.session_timer = None
        if self.carriers:
            self.core.ways_back.forget(self)
        self.core.sessions.pop(self.local_tag, None)
