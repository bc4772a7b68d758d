"""Updates: changes of a running session, ours and theirs (RFC 3261 14, RFC 3311).

A session has an :class:`Updates` from our first change on: an offer goes out in a re-INVITE, before the
answer in an UPDATE; a refresh of the session goes out in an UPDATE, or in a re-INVITE that says again what
was said if the peer knows no UPDATE. It is held back while an INVITE is under way in either direction, and
sent again after a glare. :class:`TheirOffer` is an UPDATE of theirs whose offer waits for our user's answer.

Rule: at most one request of ours that changes the session is out, and the last wish counts.
"""

from typing import TYPE_CHECKING, Any

from kernel.timers import Timer
from sip.attempt import Attempt
from sip.branches import client_key_of
from sip.client_invite import ClientInvite
from sip.client_request import ClientRequest
from sip.dialog import Dialog
from sip.events import SessionOffered, UpdateAnswered, UpdateFailed
from sip.flows import Flow
from sip.message import Request, Response, sdp_of
from sip.reaper import Key
from sip.responses import answer_flow, build, response_head
from sip.server_request import ServerRequest

if TYPE_CHECKING:
    from sip.session import Session

GLARES_MAX = 5  # requests sent again after 491, 500 or 422 before the user is told


class Change:
    """One request of ours that changes the session: what it offers, and why it was sent."""

    __slots__ = ("attempt", "dialog", "is_authorized", "is_refresh", "sdp")

    def __init__(self, sdp: bytes, dialog: Dialog, *, is_refresh: bool, is_authorized: bool) -> None:
        self.sdp = sdp
        self.dialog = dialog
        self.is_refresh = is_refresh  # nobody asked for it: nobody is told
        self.is_authorized = is_authorized
        self.attempt: Attempt | None = None  # None: an UPDATE

    def ack_failure(self, response: Response) -> bytes:
        """Return the ACK of a 3xx-6xx to a re-INVITE."""
        assert self.attempt is not None
        return self.attempt.ack_failure(response)

    def readdress(self, branch: str, via_line: str) -> None:
        """The re-INVITE goes to another target."""
        assert self.attempt is not None
        self.attempt.readdress(branch, via_line)


class Updates:
    """Our side of the changes of one session."""

    __slots__ = ("_glares", "_sdp", "_session", "_timer", "_wants_refresh", "client")

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._sdp: bytes | None = None  # an offer that waits for its turn
        self._wants_refresh = False
        self._glares = 0
        self._timer: Timer | None = None
        self.client: ClientInvite | ClientRequest | None = None  # our change without final answer

    @property
    def has_offer_out(self) -> bool:
        """Whether an offer or a re-INVITE of ours waits for its answer."""
        client = self.client
        return client is not None and (bool(client.context.sdp) or client.method == "INVITE")

    def offer(self, sdp: bytes, now: float) -> None:
        """Offer ``sdp``, now or when the INVITE under way is over."""
        self._sdp = sdp
        self._glares = 0
        self.send_waiting(now)

    def refresh(self, now: float) -> None:
        """Refresh the session (RFC 4028 7.4), now or when the INVITE under way is over."""
        self._wants_refresh = True
        self._glares = 0
        self.send_waiting(now)

    def send_waiting(self, now: float) -> None:
        """Send what waits, if it may go (RFC 3261 14.1: not while an INVITE is in progress)."""
        session = self._session
        if self.client is not None or self._timer is not None or not (self._sdp or self._wants_refresh):
            return
        if session.is_settled:
            self._wants_refresh, is_refresh = False, self._sdp is None
            if self._sdp is not None:
                self._send_invite(self._take(), "", now, is_refresh=is_refresh)
            elif session.allows("UPDATE"):
                self._send_update(session.dialog, b"", "", now, is_refresh=True)
            else:
                self._send_invite(session.said, "", now, is_refresh=True)
        elif self._sdp is not None and (early := session.early_dialog) is not None:
            self._send_update(early, self._take(), "", now)

    def drop(self, now: float) -> None:
        """Let go of everything: the session is over."""
        self._disarm()
        self._sdp = None
        self._wants_refresh = False
        if isinstance(self.client, ClientInvite):
            self.client.give_up_later(now)

    def _take(self) -> bytes:
        sdp, self._sdp = self._sdp, None
        assert sdp is not None
        return sdp

    def _headers(self, dialog: Dialog, authorization: str) -> str:
        session = self._session
        timer = session.session_timer
        lines = timer.offer_lines() if timer is not None else ""
        return f"{dialog.place.contact}{session.core.invite_headers}{lines}{authorization}"

    def _send_invite(self, sdp: bytes, authorization: str, now: float, *, is_refresh: bool = False) -> None:
        session = self._session
        core, dialog = session.core, session.dialog
        assert dialog is not None
        flow = dialog.find_flow(core.places) or session.flow
        change = Change(sdp, dialog, is_refresh=is_refresh, is_authorized=bool(authorization))
        change.attempt = attempt = Attempt(
            dialog.request_uri,
            core.places[flow.local],
            core.chance.branch(),
            dialog.local,
            dialog.remote,
            dialog.sip_call_id,
            dialog.next_cseq(),
            dialog.routes,
            sdp,
        )
        data = attempt.invite(self._headers(dialog, authorization))
        key = client_key_of(attempt.branch, "INVITE")
        self.client = ClientInvite(
            core.transactions, key, attempt.branch, data, flow, self, now, change, dialog.next_hop
        )

    def _send_update(
        self, dialog: Dialog | None, sdp: bytes, authorization: str, now: float, *, is_refresh: bool = False
    ) -> None:
        session = self._session
        core = session.core
        assert dialog is not None
        flow = dialog.find_flow(core.places) or session.flow
        change = Change(sdp, dialog, is_refresh=is_refresh, is_authorized=bool(authorization))
        branch = core.chance.branch()
        data = dialog.build("UPDATE", dialog.next_cseq(), branch, self._headers(dialog, authorization), sdp)
        key = client_key_of(branch, "UPDATE")
        transactions, next_hop = core.transactions, dialog.next_hop
        self.client = ClientRequest(transactions, key, "UPDATE", data, flow, self, now, change, next_hop)

    def _send_again(self, change: Change, authorization: str, now: float) -> None:
        if change.attempt is not None:
            self._send_invite(change.sdp, authorization, now, is_refresh=change.is_refresh)
        else:
            self._send_update(change.dialog, change.sdp, authorization, now, is_refresh=change.is_refresh)

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take a response to a re-INVITE or UPDATE of ours."""
        status = response.status
        change: Change = transaction.context
        attempt = change.attempt
        if status < 200:
            if attempt is not None:
                transaction.give_up_later(now)
            return
        session = self._session
        core, dialog = session.core, session.dialog or change.dialog
        self.client = None
        if status < 300:
            if response.header("contact") is not None:
                dialog.refresh_target(response, core.places)
            if attempt is not None:
                flow = dialog.find_flow(core.places) or session.flow
                ack = dialog.build("ACK", attempt.cseq, core.chance.branch())
                transaction.acknowledge(ack, flow, dialog.remote_tag, now, dialog.next_hop)
            if session.is_talking or session.early_dialog is change.dialog:
                self._succeeded(change, response, now)
            return
        if attempt is not None:
            transaction.acknowledge(attempt.ack_failure(response), transaction.flow, "", now)
        if session.is_talking or session.early_dialog is change.dialog:
            self._refused(change, response, now)

    def _succeeded(self, change: Change, response: Response, now: float) -> None:
        session = self._session
        if session.is_talking:
            session.core.session_timers.agreed(session, response, now)
        if change.sdp:
            session.said = change.sdp
            session.core.put_event(UpdateAnswered(session, sdp_of(response)))
        self.send_waiting(now)

    def _refused(self, change: Change, response: Response, now: float) -> None:
        session, status = self._session, response.status
        timer = session.session_timer
        if self._glares < GLARES_MAX:
            if status == 491 or (status == 500 and response.header("retry-after") is not None):
                self._back_off(change, now)
                return
            if status == 422 and timer is not None and timer.lengthen(response):
                self._glares += 1
                self._send_again(change, "", now)
                return
        if status in (401, 407) and not change.is_authorized:
            method = "UPDATE" if change.attempt is None else "INVITE"
            authorization = session.authorize(response, method, change.dialog.request_uri, change.sdp)
            if authorization:
                self._send_again(change, authorization, now)
                return
        if status in (405, 501) and change.attempt is None and change.is_refresh:
            session.allow = ""  # whatever it has told, UPDATE is not for it
            self._wants_refresh = True
            self.send_waiting(now)
            return
        self._failed(change, status, now, is_answered=True)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that a request of ours stays unanswered."""
        self.client = None
        self._failed(transaction.context, status, now, is_answered=False)

    def on_timer(self, name: str, now: float) -> None:
        """Try again after a glare."""
        self._timer = None
        self.send_waiting(now)

    def _back_off(self, change: Change, now: float) -> None:
        """Try again after a glare, in steps of 10 ms (RFC 3261 14.1)."""
        core = self._session.core
        self._glares += 1
        if change.is_refresh:
            self._wants_refresh = True
        elif self._sdp is None:
            self._sdp = change.sdp
        chance = core.chance
        wait = (2.1 + chance.number(191) / 100) if change.dialog.is_ours else chance.number(201) / 100
        self._timer = core.timers.arm(self, "glare", now + wait)

    def _failed(self, change: Change, status: int, now: float, *, is_answered: bool) -> None:
        session = self._session
        if status in (408, 481):
            session.gone(now, "timeout" if status == 408 else "gone")
            return
        if change.is_refresh:
            if session.session_timer is not None:
                session.session_timer.refused(now, is_answered=is_answered)
        elif session.is_talking or session.early_dialog is change.dialog:
            session.core.put_event(UpdateFailed(session, status))
        self.send_waiting(now)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._session.core.timers.disarm(self._timer)
            self._timer = None


class TheirOffer:
    """A request of theirs that changes the session, until it is answered."""

    __slots__ = ("_dialog", "_head", "_request", "_server")

    def __init__(self, server: ServerRequest, head: str, request: Request, dialog: Dialog) -> None:
        self._server = server
        self._head = head  # what its responses have in common
        self._request = request
        self._dialog = dialog

    def accept(self, session: "Session", sdp: bytes, now: float) -> None:
        """Answer 200, with our answer to the offer if there was one: a target refresh (RFC 3311 5.2)."""
        request, dialog, core = self._request, self._dialog, session.core
        lines = ""
        if request.method == "UPDATE":
            if request.header("contact") is not None:
                dialog.refresh_target(request, core.places)
            if session.is_talking:
                lines = core.session_timers.accept(session, request, now)
        headers = f"{dialog.place.contact}{core.answer_headers}{lines}"
        self._server.respond(200, build(200, self._head, headers, sdp), now)

    def offer_to(self, session: "Session", sdp: bytes, now: float) -> None:
        """Tell our user of the offer, unless it meets another (RFC 3311 5.2)."""
        core = session.core
        status = session.glare(self._request.from_tag)
        if status:
            self.refuse(status, now, f"Retry-After: {core.chance.number(11)}\r\n" if status == 500 else "")
        else:
            session.their_offer = self
            core.put_event(SessionOffered(session, sdp))

    def refuse(self, status: int, now: float, headers: str = "") -> None:
        """Answer with a refusal; the session goes on as it was."""
        self._server.respond(status, build(status, self._head, headers), now)


def receive_update(session: "Session", request: Request, flow: Flow, key: Key, now: float) -> None:
    """Take an UPDATE, its CSeq already found to be fresh (RFC 3311 5.2)."""
    core, dialog = session.core, session.dialog_with(request.from_tag)
    server = ServerRequest(core.transactions, key, "UPDATE", answer_flow(request, flow))
    head = response_head(request, session.local_tag, flow)
    if dialog is None or session.is_leaving:
        server.respond(481, build(481, head), now)
        return
    their = TheirOffer(server, head, request, dialog)
    sdp = sdp_of(request)
    too_small = core.session_timers.refusal(request)
    if too_small:
        their.refuse(422, now, too_small)
    elif session.their_offer is not None:
        their.refuse(500, now, f"Retry-After: {core.chance.number(11)}\r\n")
    else:
        dialog.heard_from(flow)
        core.ways_back.carry(session, flow)
        if sdp:
            their.offer_to(session, sdp, now)
        else:
            their.accept(session, b"", now)
