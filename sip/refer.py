"""Referrals: transfers asked for inside a session (RFC 3515), and how they went, told in NOTIFY (RFC 6665).

The implicit subscription of a REFER lives until its last NOTIFY, its expiry, or until the peer shows that it
knows it no more. Rule: who asked for NOTIFY hears of exactly one end.
"""

from enum import IntEnum, auto
from typing import TYPE_CHECKING, Any

import msgspec

from kernel.timers import Timer
from sip.address import build_address, parse_address
from sip.core import Core
from sip.events import ReferArrived, ReferProgressed
from sip.flows import Flow
from sip.grammar import SipError, parse_params
from sip.message import REASONS, Request, Response
from sip.reaper import Key
from sip.replaces import Replaces, parse_replaces
from sip.responses import answer_flow, build, header_lines, response_head
from sip.server_request import ServerRequest
from sip.sessionstate import SessionState
from sip.uri import SipUri, escape_user

if TYPE_CHECKING:
    from sip.session import Session

EXPIRES = 240.0  # seconds: a phone may ring for ring_max, and its answer is still of interest
REFERRALS_MAX = 8  # living ones of one session
SIPFRAG = "message/sipfrag;version=2.0"
_FRAGMENT_MAX = 256  # characters of the status line in a NOTIFY
_ANSWERED = (SessionState.CONFIRMED, SessionState.ACCEPTED)


class ReferTo(msgspec.Struct, frozen=True):
    """Where a REFER points."""

    uri: str  # without the headers behind "?"
    user: str  # unescaped; the number of a tel URI; "" for none
    host: str  # "" for a tel URI
    port: int | None
    method: str = "INVITE"
    replaces: Replaces | None = None


def parse_refer_to(value: str) -> ReferTo:
    """Read a Refer-To; 400 if it is broken, 416 if its scheme is foreign (RFC 3515 2.1)."""
    address = parse_address(value)
    uri = address.parsed
    bare = address.uri.partition("?")[0]
    method = uri.params.get("method", "INVITE").upper()
    asked = uri.headers.get("replaces")
    replaces = None if asked is None else parse_replaces(asked)
    return ReferTo(bare, uri.user, uri.host, uri.port, method, replaces)


class ReferralState(IntEnum):
    """How far a transfer that was asked of us has come."""

    ASKED = auto()  # the REFER is unanswered
    ACTIVE = auto()  # accepted; NOTIFYs go out
    SILENT = auto()  # accepted; no NOTIFY is wanted (RFC 4488)
    ENDED = auto()


class ReferralInput(IntEnum):
    """What can happen to it."""

    ACCEPT = auto()
    ACCEPT_SILENTLY = auto()
    REFUSE = auto()
    FINAL = auto()  # the last NOTIFY
    EXPIRE = auto()
    GONE = auto()  # the peer does not know the subscription any more


_S, _I = ReferralState, ReferralInput
# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[ReferralState, ReferralInput], ReferralState] = {
    (_S.ASKED, _I.ACCEPT): _S.ACTIVE,
    (_S.ASKED, _I.ACCEPT_SILENTLY): _S.SILENT,
    (_S.ASKED, _I.REFUSE): _S.ENDED,
    (_S.ACTIVE, _I.FINAL): _S.ENDED,
    (_S.ACTIVE, _I.EXPIRE): _S.ENDED,
    (_S.ACTIVE, _I.GONE): _S.ENDED,
    (_S.SILENT, _I.FINAL): _S.ENDED,
}

DROPPED: frozenset[tuple[ReferralState, ReferralInput]] = frozenset(
    {
        (_S.ASKED, _I.FINAL),  # nothing can be told before the REFER is accepted
        (_S.ASKED, _I.EXPIRE),
        (_S.ASKED, _I.GONE),
        *((_S.ACTIVE, cause) for cause in (_I.ACCEPT, _I.ACCEPT_SILENTLY, _I.REFUSE)),
        *((_S.SILENT, cause) for cause in _I if cause is not _I.FINAL),
        *((_S.ENDED, cause) for cause in _I),
    }
)


class Referral:
    """A REFER that arrived: to be accepted or refused, then told of until it has ended."""

    __slots__ = (
        "_core",
        "_event",
        "_expires_at",
        "_head",
        "_living",
        "_server",
        "_timer",
        "refer_to",
        "referred_by",
        "session",
        "state",
        "wants_silence",
    )

    def __init__(
        self,
        core: Core,
        living: list["Referral"],
        session: "Session",
        request: Request,
        refer_to: ReferTo,
        server: ServerRequest,
        head: str,
    ) -> None:
        """``living`` is the list of the session's referrals, which this one leaves when it has ended."""
        self._core = core
        self._living = living
        self._server: ServerRequest | None = server
        self._head = head
        self._timer: Timer | None = None
        self._expires_at = 0.0
        self.session = session
        self.refer_to = refer_to
        self.referred_by = request.header("referred-by") or ""
        self.wants_silence = (request.header("refer-sub") or "").strip().lower().startswith("false")
        # RFC 3515 2.4.6: the second and later REFERs of a dialog are told apart by their CSeq.
        self._event = "Event: refer"
        if session.refers:
            self._event += f";id={request.cseq[0]}"
        session.refers += 1
        self.state = ReferralState.ASKED
        living.append(self)

    def accept(self, now: float) -> None:
        """Answer 202 and tell 100, or only answer where no NOTIFY is wanted."""
        contact = self.session.contact
        if self.wants_silence:
            self._move(ReferralInput.ACCEPT_SILENTLY)
            self._respond(202, f"{contact}Refer-Sub: false\r\n", now)
            return
        self._move(ReferralInput.ACCEPT)
        self._respond(202, contact, now)
        self._expires_at = now + EXPIRES
        self._timer = self._core.timers.arm_after(self, "expiry", EXPIRES, now)
        self.notify(100, "", now)

    def refuse(self, status: int, now: float) -> None:
        """Answer the REFER with 3xx-6xx."""
        if self._move(ReferralInput.REFUSE):
            self._respond(status, "", now)
            self._end()

    def notify(self, status: int, reason: str, now: float) -> None:
        """Tell how the transfer goes: a provisional status, or the final one, which ends the subscription."""
        if status >= 200:
            was_active = self.state is ReferralState.ACTIVE
            if not self._move(ReferralInput.FINAL):
                return
            self._end()
            if was_active:
                self._send("terminated;reason=noresource", status, reason, now)
        elif self.state is ReferralState.ACTIVE:
            left = max(1, round(self._expires_at - now))
            self._send(f"active;expires={left}", status, reason, now)

    def on_timer(self, name: str, now: float) -> None:
        """The subscription has lived long enough."""
        self._timer = None
        if self._move(ReferralInput.EXPIRE):
            self._end()
            self._send("terminated;reason=timeout", 100, "", now)

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take the answer to a NOTIFY: an error ends the subscription (RFC 6665 4.2.2), never the session."""
        if response.status >= 300:
            self._forget()

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that a NOTIFY stays unanswered."""
        self._forget()

    def _forget(self) -> None:
        if self._move(ReferralInput.GONE):
            self._end()

    def _send(self, subscription: str, status: int, reason: str, now: float) -> None:
        phrase = reason or REASONS.get(status, "Unknown")
        headers = f"{self._event}\r\nSubscription-State: {subscription}\r\n"
        body = f"SIP/2.0 {status} {phrase}\r\n".encode("utf-8", "replace")
        contact = self.session.contact
        self.session.send_inside("NOTIFY", f"{headers}{contact}", body, SIPFRAG, now, self)

    def _respond(self, status: int, headers: str, now: float) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.respond(status, build(status, self._head, headers), now)

    def _move(self, cause: ReferralInput) -> bool:
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True

    def _end(self) -> None:
        self._core.timers.disarm(self._timer)
        self._timer = None
        if self in self._living:
            self._living.remove(self)


class OutgoingReferral:
    """A REFER of ours; ReferProgressed tells how it goes, once with ``is_final``."""

    __slots__ = ("_core", "_living", "_timer", "cseq", "is_over", "session", "user")

    def __init__(
        self, core: Core, living: list["OutgoingReferral"], session: "Session", user: object
    ) -> None:
        self._core = core
        self._living = living
        self._timer: Timer | None = None
        self.session = session
        self.user: Any = user
        self.cseq = 0
        self.is_over = False

    def send(self, refer_to: str, referred_by: str, now: float) -> None:
        """Send the REFER."""
        self._living.append(self)
        contact = self.session.contact
        headers = header_lines(
            (("Refer-To", refer_to), ("Referred-By", referred_by))[: 1 + bool(referred_by)]
        )
        self.cseq = self.session.send_inside("REFER", f"{headers}{contact}", b"", "", now, self)
        self._timer = self._core.timers.arm_after(self, "expiry", EXPIRES, now)

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take the answer to our REFER."""
        silent = (response.header("refer-sub") or "").strip().lower() == "false"
        if response.status >= 300 or (response.status >= 200 and silent):
            self.tell(response.status, is_final=True)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that our REFER stays unanswered."""
        self.tell(status, is_final=True)

    def on_timer(self, name: str, now: float) -> None:
        """Nobody has told the end in time."""
        self._timer = None
        self.tell(408, is_final=True)

    def tell(self, status: int, *, is_final: bool) -> None:
        """Tell the user, unless the end has been told."""
        if self.is_over:
            return
        if is_final:
            self.is_over = True
            self._core.timers.disarm(self._timer)
            self._timer = None
            self._living.remove(self)
        self._core.put_event(ReferProgressed(self, status, is_final))


class Referrals:
    """The transfers of one stack, in both directions, by our tag of the session they are asked in."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._incoming: dict[str, list[Referral]] = {}
        self._outgoing: dict[str, list[OutgoingReferral]] = {}

    def refer(
        self, session: "Session", refer_to: str, user: object, now: float, by: str = ""
    ) -> OutgoingReferral:
        """Send a REFER inside an answered session."""
        self._sweep(self._outgoing)
        transfer = OutgoingReferral(
            self._core, self._outgoing.setdefault(session.local_tag, []), session, user
        )
        if session.state in _ANSWERED:
            transfer.send(refer_to, by, now)
        else:
            transfer.is_over = True
            self._core.put_event(ReferProgressed(transfer, 481, is_final=True))
        return transfer

    def receive_refer(self, session: "Session", request: Request, flow: Flow, key: Key, now: float) -> None:
        """Take a REFER inside ``session``; SipError 400, 416 on a broken Refer-To."""
        value = request.header("refer-to")
        if value is None:
            raise SipError(400, "Missing Refer-To")
        refer_to = parse_refer_to(value)
        self._sweep(self._incoming)
        living = self._incoming.setdefault(session.local_tag, [])
        server = ServerRequest(self._core.transactions, key, "REFER", answer_flow(request, flow))
        head = response_head(request, session.local_tag, flow)
        status = 0
        if session.user is None or session.state not in _ANSWERED:
            status = 481
        elif refer_to.method != "INVITE":
            status = 405
        elif len(living) >= REFERRALS_MAX:
            status = 486
        if status:
            server.respond(status, build(status, head), now)
            return
        referral = Referral(self._core, living, session, request, refer_to, server, head)
        self._core.put_event(ReferArrived(session, referral))

    def receive_notify(self, session: "Session", request: Request) -> int:
        """Take a NOTIFY inside ``session`` and return the status of its answer."""
        event, _, rest = (request.header("event") or "").partition(";")
        if event.strip(" \t").lower() != "refer":
            return 489
        wanted = parse_params(f";{rest}").get("id", "") if rest else ""
        for transfer in self._outgoing.get(session.local_tag, ()):
            if wanted in ("", str(transfer.cseq)):
                self._take(transfer, request)
                return 200
        return 481

    def _take(self, transfer: OutgoingReferral, request: Request) -> None:
        subscription = (request.header("subscription-state") or "").strip(" \t").lower()
        is_final = subscription.startswith("terminated")
        status = fragment_status(request.body)
        if is_final and status < 200:
            status = 408 if "timeout" in subscription else 500  # ended without telling how
        transfer.tell(status or 100, is_final=is_final)

    def _sweep(self, table: dict[str, Any]) -> None:
        """Let go of sessions without living referrals; the tables hold transfers only, so they are small."""
        for tag in [tag for tag, living in table.items() if not living]:
            del table[tag]

    def is_quiet(self) -> bool:
        """Return whether no transfer is under way."""
        sessions = self._core.sessions
        return not any(living and tag in sessions for tag, living in self._outgoing.items()) and not any(
            self._incoming.values()
        )


def fragment_status(body: bytes) -> int:
    """Return the status of a message/sipfrag, 0 if it has none."""
    line = body[:_FRAGMENT_MAX].partition(b"\n")[0].split()
    if len(line) < 2 or not line[0].upper().startswith(b"SIP/") or not line[1].isdigit():
        return 0
    status = int(line[1])
    return status if 100 <= status <= 699 else 0


def refer_to_text(user: str, domain: str, replaces: Replaces | None = None) -> str:
    """Return the Refer-To of a transfer to ``user@domain``, or to the dialog that ``replaces`` means."""
    uri = SipUri("sip", escape_user(user), domain)
    if replaces is not None:
        asked = f"{replaces.sip_call_id};to-tag={replaces.to_tag};from-tag={replaces.from_tag}"
        uri.header_text = f"Replaces={escape_user(asked)}"
    return build_address(str(uri))
