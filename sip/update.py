"""Updates: what we want changed in a running session, and the request of ours that says so (RFC 3261 14).

A session has an :class:`Updates` from the first change on. It holds a change back while an INVITE is under
way in either direction, and sends it again after a glare. Rule: at most one request of ours that changes the
session is out, and the last wish counts.
"""

from typing import TYPE_CHECKING, Any

from kernel.timers import Timer
from sip.attempt import Attempt
from sip.branches import client_key_of
from sip.client_invite import ClientInvite
from sip.events import UpdateAnswered, UpdateFailed
from sip.message import Response, sdp_of
from sip.sessionstate import SessionState

if TYPE_CHECKING:
    from sip.session import Session

GLARES_MAX = 5  # re-INVITEs sent again after 491 before the user is told


class Updates:
    """Our side of the changes of one session."""

    __slots__ = ("_glares", "_sdp", "_session", "_timer", "client")

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._sdp: bytes | None = None  # of a re-INVITE that waits for its turn
        self._glares = 0
        self._timer: Timer | None = None
        self.client: ClientInvite | None = None  # our re-INVITE without final answer

    def offer(self, sdp: bytes, now: float) -> None:
        """Send a re-INVITE, now or when the INVITE under way is over."""
        self._sdp = sdp
        self._glares = 0
        self.send_waiting(now)

    def send_waiting(self, now: float) -> None:
        """Send what waits, if it may go (RFC 3261 14.1: not while an INVITE is in progress)."""
        session = self._session
        if self._sdp is None or self.client is not None or not session.is_settled:
            return
        sdp, self._sdp = self._sdp, None
        self._disarm()
        self._send(sdp, "", now)

    def drop(self, now: float) -> None:
        """Let go of everything: the session is over."""
        self._disarm()
        self._sdp = None
        if self.client is not None:
            self.client.give_up_later(now)

    def _send(self, sdp: bytes, authorization: str, now: float) -> None:
        session = self._session
        core, dialog = session.core, session.dialog
        assert dialog is not None
        flow = dialog.find_flow(core.places) or session.flow
        attempt = Attempt(
            dialog.request_uri,
            dialog.place,
            core.chance.branch(),
            dialog.local,
            dialog.remote,
            dialog.sip_call_id,
            dialog.next_cseq(),
            dialog.routes,
            sdp,
            is_authorized=bool(authorization),
        )
        data = attempt.invite(f"{dialog.place.contact}{core.invite_headers}{authorization}")
        key = client_key_of(attempt.branch, "INVITE")
        self.client = ClientInvite(core.transactions, key, attempt.branch, data, flow, self, now, attempt)

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take a response to a re-INVITE of ours."""
        status = response.status
        if status < 200:
            transaction.give_up_later(now)
            return
        session = self._session
        core, dialog = session.core, session.dialog
        assert dialog is not None
        attempt: Attempt = transaction.context
        self.client = None
        if status < 300:
            if response.header("contact") is not None:
                dialog.refresh_target(response)
            flow = dialog.find_flow(core.places) or session.flow
            ack = dialog.build("ACK", attempt.cseq, core.chance.branch())
            transaction.acknowledge(ack, flow, dialog.remote_tag, now)
            if session.state is SessionState.CONFIRMED:
                core.put_event(UpdateAnswered(session, sdp_of(response)))
                self.send_waiting(now)
            return
        transaction.acknowledge(attempt.ack_failure(response), transaction.flow, "", now)
        if session.state is not SessionState.CONFIRMED:
            return
        if status == 491 and self._glares < GLARES_MAX:
            self._back_off(attempt.sdp, now)
        elif status in (401, 407) and not attempt.is_authorized:
            authorization = session.authorize(response, "INVITE", attempt.uri, attempt.sdp)
            if authorization:
                self._send(attempt.sdp, authorization, now)
            else:
                self._failed(status, now)
        else:
            self._failed(status, now)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that a re-INVITE of ours stays unanswered."""
        self.client = None
        self._failed(status, now)

    def on_timer(self, name: str, now: float) -> None:
        """Try again after a glare."""
        self._timer = None
        self.send_waiting(now)

    def _back_off(self, sdp: bytes, now: float) -> None:
        """Try again after a glare, in steps of 10 ms (RFC 3261 14.1)."""
        session = self._session
        core, dialog = session.core, session.dialog
        assert dialog is not None
        self._glares += 1
        if self._sdp is None:
            self._sdp = sdp
        chance = core.chance
        wait = (2.1 + chance.number(191) / 100) if dialog.is_ours else chance.number(201) / 100
        self._timer = core.timers.arm(self, "glare", now + wait)

    def _failed(self, status: int, now: float) -> None:
        session = self._session
        if status in (408, 481):
            session.gone(now, "timeout" if status == 408 else "gone")
        elif session.state is SessionState.CONFIRMED:
            session.core.put_event(UpdateFailed(session, status))
            self.send_waiting(now)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._session.core.timers.disarm(self._timer)
            self._timer = None
