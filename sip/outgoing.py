"""Outgoing: our INVITE that makes a session, from its first attempt to its final answer (RFC 3261 13.2).

It answers a challenge and a 422, holds the CANCEL back until a provisional response is here, and gives up
what only rings (timer C). Who rings under which To tag is an early dialog each; what they say reliably is
acknowledged there (:mod:`sip.reliable`).
"""

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from kernel.timers import Timer
from sip.address import build_address
from sip.attempt import Attempt
from sip.branches import client_key_of
from sip.client_invite import ClientInvite
from sip.client_request import ClientRequest
from sip.dialog import Dialog, dialog_of_response, redirect_targets
from sip.events import SessionProgressed
from sip.identity import DEFLECTED, UNCONDITIONAL, diversion_cause
from sip.message import Response, sdp_of
from sip.reliable import EarlyDialog, is_reliable
from sip.responses import header_lines
from sip.sessionstate import INVITING
from sip.sessiontimer import longer_interval
from sip.uri import escape_user

if TYPE_CHECKING:
    from sip.session import Session

ATTEMPTS_MAX = 6  # INVITEs of one session, each with what the refusal of the last asked for
EARLY_MAX = 16  # early dialogs of one INVITE: phones behind a proxy that forks


class Outgoing:
    """The INVITE usage of a session that is not answered yet; made and dropped by the session."""

    __slots__ = (
        "_cancel_headers",
        "_client",
        "_early",
        "_heard",
        "_session",
        "_timer",
        "_timer_lines",
        "_tried",
    )

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._client: ClientInvite | None = None
        self._cancel_headers: str | None = None  # of the CANCEL that waits for a provisional
        self._heard: Response | None = None  # the last 101-199
        self._early: dict[str, EarlyDialog] | None = None  # by the peer's tag, once one of them matters
        self._timer: Timer | None = None  # C
        self._tried: tuple[str, ...] = ()  # flows of the phone that could not deliver the INVITE
        self._timer_lines = session.core.session_timers.invite_lines

    def send(self, cseq: int, authorization: str, now: float) -> None:
        """Send an INVITE: the first, or the one that says what the last lacked."""
        session = self._session
        session.last_status = 0
        core, invitation, flow = session.core, session.invitation, session.flow
        assert invitation is not None
        place = core.places.at(flow[1], is_secure=invitation.is_secure)
        user = escape_user(invitation.from_user)
        domain = core.settings.domains[0] if core.settings.domains else place.host
        from_uri = f"sip:{user}@{domain}" if user else "sip:anonymous@anonymous.invalid"
        from_ = build_address(from_uri, invitation.from_display, tag=session.local_tag)
        routes = f"Route: {', '.join(invitation.routes)}\r\n" if invitation.routes else ""
        attempt = Attempt(
            invitation.uri,
            place,
            core.chance.branch(),
            from_,
            invitation.to,
            session.sip_call_id,
            cseq,
            routes,
            invitation.sdp,
            is_authorized=bool(authorization),
            max_forwards=invitation.max_forwards,
        )
        extra = header_lines(invitation.headers)
        headers = f"{place.contact}{core.invite_headers}{self._timer_lines}{authorization}{extra}"
        key = client_key_of(attempt.branch, "INVITE")
        data = attempt.invite(headers)
        next_hop = "" if invitation.flow is not None else invitation.next_hop
        self._client = ClientInvite(
            core.transactions, key, attempt.branch, data, flow, self, now, attempt, next_hop
        )

    @property
    def client(self) -> ClientInvite | None:
        """The transaction of the last attempt, while it has no final response."""
        return self._client

    def send_again(self, attempt: Attempt, data: bytes, now: float) -> None:
        """Go on with an INVITE that another process had sent; to the peer it is a retransmission."""
        core, flow = self._session.core, self._session.flow
        key = client_key_of(attempt.branch, "INVITE")
        self._client = ClientInvite(core.transactions, key, attempt.branch, data, flow, self, now, attempt)

    def cancel(self, headers: str, now: float) -> None:
        """Give up our INVITE: CANCEL now, or as soon as a provisional is here (RFC 3261 9.1)."""
        client = self._client
        assert client is not None
        self.disarm()
        client.stay()
        if client.is_unsent:
            self._client = None
            client.drop(now)
            self._session.invite_failed(487, "Request Terminated", now)
        elif self._session.last_status == 0:
            self._cancel_headers = headers
        else:
            self._send_cancel(client, headers, now)

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        """Return the early dialog with the peer that uses ``remote_tag``, if it has been heard of."""
        early = self._early_with(remote_tag)
        return None if early is None else early.dialog

    def has_answer_from(self, remote_tag: str) -> bool:
        """Return whether that peer has answered our offer, and reliably."""
        early = None if self._early is None else self._early.get(remote_tag)
        return early is not None and bool(early.answer)

    @property
    def answered_dialog(self) -> Dialog | None:
        """The early dialog in which our offer has been answered reliably and UPDATE is allowed; None if it is
        not the only one.
        """
        if self._early is None or len(self._early) != 1:
            return None
        (early,) = self._early.values()
        return early.dialog if early.answer and early.allows_update else None

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take a response to our INVITE."""
        session = self._session
        status = session.last_status = response.status
        if transaction.targets is not None:
            self._answered_by(transaction)
        if status < 200:
            if self._cancel_headers is not None:
                headers, self._cancel_headers = self._cancel_headers, None
                self._send_cancel(transaction, headers, now)
            elif session.state is INVITING:
                if self._timer is None:
                    ring_max = session.core.settings.timing.ring_max
                    self._timer = session.core.timers.arm_after(self, "C", ring_max, now)
                if status > 100:
                    self._progressed(transaction.context, response, now)
            return
        attempt: Attempt = transaction.context
        self._client = None
        if status < 300:
            self._succeeded(transaction, attempt, response, now)
            return
        transaction.acknowledge(attempt.ack_failure(response), transaction.flow, "", now)
        if session.state is INVITING and self._try_again(attempt, response, now):
            return
        self.disarm()
        if status == 430 and session.invitation is not None:
            session.core.way_failed(session.invitation.uri, session.flow)
            if self._try_other_flow(attempt, now):
                return
        redirects = redirect_targets(response) if status < 400 else ()
        rang = DEFLECTED if self._heard is not None else UNCONDITIONAL
        cause = (diversion_cause(response) or rang) if redirects else 0
        session.invite_failed(status, response.reason, now, redirects, cause)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that our INVITE stays unanswered."""
        self._client = None
        self.disarm()
        if self._session.last_status < 101 and self._try_other_flow(transaction.context, now):
            return
        silent = "Unresolvable" if transaction.is_unresolved else "Unreachable"
        self._session.invite_failed(status, "Request Timeout" if status == 408 else silent, now)

    def on_timer(self, name: str, now: float) -> None:
        """It has only rung for too long (``name`` is always ``C``)."""
        self._timer = None
        self._session.rang_too_long(now)

    def disarm(self) -> None:
        """Disarm timer C."""
        if self._timer is not None:
            self._session.core.timers.disarm(self._timer)
            self._timer = None

    def _answered_by(self, transaction: ClientInvite) -> None:
        """The peer is known now: one of several targets. What another one had said counts no more."""
        assert transaction.targets is not None
        self._session.flow = transaction.targets.nominal
        if self._heard is not None and self._heard.via.branch != transaction.branch:
            self._early = self._heard = None

    def _try_again(self, attempt: Attempt, response: Response, now: float) -> bool:
        """Send an INVITE that says what this refusal asks for; return whether there is such a thing."""
        session, status = self._session, response.status
        authorization = ""
        if status in (401, 407) and not attempt.is_authorized:
            authorization = session.authorize(response, "INVITE", attempt.uri, attempt.sdp)
            if not authorization:
                return False
        elif status == 422 and attempt.cseq < ATTEMPTS_MAX:
            timers, min_se = session.core.session_timers, longer_interval(response)
            if min_se <= timers.min_se:
                return False
            self._timer_lines = timers.offer_lines(max(timers.expires, min_se), min_se)
        else:
            return False
        self.disarm()
        self._early = self._heard = None
        self.send(attempt.cseq + 1, authorization, now)
        return True

    def _try_other_flow(self, attempt: Attempt, now: float) -> bool:
        """Send the INVITE over another flow of the same phone, which has not got it (RFC 5626 5.3); return
        whether there is one.
        """
        session, core = self._session, self._session.core
        invitation = session.invitation
        if invitation is None or not invitation.instance or session.state is not INVITING:
            return False
        self._tried += (invitation.instance,)
        way = core.other_way(invitation.account, self._tried)
        if way is None:
            return False
        session.invitation = replace(
            invitation, uri=way.uri, flow=way.flow, routes=way.path, instance=way.instance
        )
        session.flow = way.flow
        self._early = self._heard = None
        self.send(attempt.cseq + 1, "", now)
        return True

    def _progressed(self, attempt: Attempt, response: Response, now: float) -> None:
        session = self._session
        self._heard = response
        if "rseq" in response.first and is_reliable(response):
            early = self._early_with(response.to_tag)
            if early is not None:
                early.receive(session, response, attempt, now)
            return
        session.core.put_event(SessionProgressed(session, response.status, sdp_of(response)))

    def _early_with(self, remote_tag: str) -> EarlyDialog | None:
        """Return the early dialog of a tag, made when it is first asked for."""
        if self._early is None:
            self._early = {}
        early = self._early.get(remote_tag)
        heard = self._heard
        if early is None and heard is not None and remote_tag and heard.to_tag == remote_tag:
            if len(self._early) < EARLY_MAX:
                dialog = self._dialog_of(heard)
                if dialog.remote_target:
                    early = self._early[remote_tag] = EarlyDialog(dialog)
        return early

    def _dialog_of(self, response: Response) -> Dialog:
        session = self._session
        core, invitation, flow = session.core, session.invitation, session.flow
        assert invitation is not None
        dialog = dialog_of_response(
            response, invitation.uri, core.places.at(flow[1], is_secure=invitation.is_secure)
        )
        if invitation.flow is not None or flow[0] != "udp":
            dialog.home_flow, dialog.home_host = flow, core.places.host_of(invitation.uri)
        return dialog

    def _succeeded(self, transaction: ClientInvite, attempt: Attempt, response: Response, now: float) -> None:
        session = self._session
        core = session.core
        self.disarm()
        dialog = self._dialog_of(response)
        sdp = sdp_of(response)
        if self._early is not None and (early := self._early.get(dialog.remote_tag)) is not None:
            # RFC 3261 13.2.2.4: the route set is the 2xx's, the counts go on.
            dialog.local_cseq = early.dialog.local_cseq
            dialog.remote_cseq = early.dialog.remote_cseq
            sdp = early.answer or sdp
        flow = dialog.find_flow(core.places) or session.flow
        ack = dialog.build("ACK", attempt.cseq, core.chance.branch())
        transaction.acknowledge(ack, flow, dialog.remote_tag, now, dialog.next_hop)
        session.invite_succeeded(dialog, attempt.sdp, sdp, response, now)

    def _send_cancel(self, client: ClientInvite, headers: str, now: float) -> None:
        key = client_key_of(client.branch, "CANCEL")
        data = client.context.cancel(headers)
        ClientRequest(self._session.core.transactions, key, "CANCEL", data, client.flow, None, now)
        client.give_up_later(now)
