"""The stack: the face of the SIP floor.

It matches messages to transactions and sessions, answers by itself what needs no user (OPTIONS, CANCEL,
REGISTER, whatever is refused), and tells the rest in :mod:`sip.events`. The order of refusals is the
contract's: what can be refused without looking anybody up comes first, then who is it, then the rest.

Rule: what is refused for good reason leaves no state behind but a record that repeats the answer; strays and
floods leave none at all.
"""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from kernel.chance import Chance
from kernel.outbox import Outbox
from kernel.rows import BindingRow
from kernel.staterows import DialogState, InviteState
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from sip.admission import Admission, Refused
from sip.branches import client_key, client_key_of, merge_key, plain_client_key, server_key
from sip.client_request import ClientRequest
from sip.core import ALLOW, ALLOW_EVENTS, ALLOWED, UNSERVED, Core
from sip.dialog import contact_target, dialog_of_response, initial_target
from sip.events import InviteArrived, SipEvent
from sip.flows import NOWHERE, Flow
from sip.grammar import SipError
from sip.identity import reason_of
from sip.invitation import Invitation
from sip.known import Known
from sip.message import Request, Response, sdp_of
from sip.parser import (
    KEEPALIVE,
    StreamParser,
    check_our_response,
    check_request,
    check_response,
    parse_message,
)
from sip.peers import Peers
from sip.ratelimit import SourceRates
from sip.reaper import Lingering, Reaper, flow_of
from sip.refer import OutgoingReferral, Referrals
from sip.registrar import Binding, Registrar
from sip.reliable import receive_prack
from sip.replaces import Replaces, replaced_by
from sip.resolve import Answer, Question
from sip.responses import answer_flow, build, header_lines, response_head
from sip.restored import restore_dialog, restore_invite
from sip.screening import abilities, check_body, check_extensions
from sip.server_invite import ServerInvite
from sip.server_request import ServerRequest
from sip.session import Session
from sip.sessionstate import SessionState
from sip.settings import SipSettings
from sip.strays import Strays
from sip.subscription import Watchers
from sip.update import receive_update
from sip.uri import SipUri

INSIDE_ONLY = frozenset({"BYE", "INFO", "UPDATE", "PRACK", "NOTIFY", "REFER"})  # requests of a dialog
FLOOD_SAMPLE = 32  # of the INVITEs over the rate, one in so many is told 503
RETRY_LATER = "Retry-After: 5\r\n"  # to who asks faster than it may
KEEPALIVE_ANSWER = b"\r\n"  # RFC 5626 4.4.1
_CRLFS = frozenset({b"\r\n\r\n", b"\r\n", b"", b"\x00", b"\x00\x00\x00\x00"})  # what phones send to keep NATs


class Stack:
    """All signalling of one node."""

    def __init__(
        self,
        settings: SipSettings,
        timers: TimerQueue,
        chance: Chance,
        walltime: WallTime | None = None,
        rows: Outbox[Any] | None = None,
    ) -> None:
        """``walltime`` dates the rows of bindings; without it they are in monotonic seconds.

        ``rows`` is for rows of other parts, too; None: for its own.
        """
        self.datagrams: Outbox[tuple[Flow, bytes]] = Outbox()
        self.closes: Outbox[Flow] = Outbox()
        self.events: Outbox[SipEvent] = Outbox()
        self.rows: Outbox[BindingRow] = Outbox() if rows is None else rows
        self.refuse_new: tuple[int, int] | None = None  # status and Retry-After for new INVITEs
        self._core = core = Core(settings, timers, chance, self.datagrams, self.events)
        self.questions = core.questions  # for the domain name system
        self._transactions = core.transactions
        self._registrar = Registrar(core, self.rows, walltime or WallTime())
        core.registered = core.places.registered = self._registrar.flow_of_gruu
        core.way_failed, core.other_way = self._registrar.way_failed, self._registrar.other_way
        self._admission = Admission(core, self._registrar)
        self._referrals = Referrals(core)
        self.watchers = Watchers(core, self._admission, self._registrar)
        self._registrar.gone = self.watchers.unregistered
        self.peers = Peers(core)
        self._rates = SourceRates(settings.requests_per_source)
        self._watch_rates = SourceRates(settings.requests_per_source)
        self._merged: dict[str, Any] = {}  # requests under way, however they came
        self._merge_reaper = Reaper(self._merged, timers)
        self._ways_back = core.ways_back
        self._parsers: dict[int, StreamParser] = {}
        self._strays = Strays(core.put_event)
        self._dropped = 0
        self._known = Known()

    # Verbs of the user.

    def invite(self, invitation: Invitation, user: object, now: float) -> Session:
        """Send an INVITE; what becomes of it is told with ``session.user`` being ``user``."""
        core = self._core
        next_hop = invitation.next_hop
        flow = invitation.flow or core.places.resolve(next_hop)
        session = Session(core, core.chance.token(), flow or NOWHERE, is_outgoing=True)
        session.user = user
        if flow is None and core.places.named(next_hop) is None:
            session.invite_failed(503, "Unresolvable", now)
        else:
            session.send_invite(invitation, now)
        return session

    def ring(self, session: Session, now: float, status: int = 180, sdp: bytes = b"") -> None:
        """Send a provisional response, with early media if there is ``sdp``."""
        session.ring(status, sdp, now)

    def answer(self, session: Session, sdp: bytes, now: float) -> None:
        """Answer with 200, repeated until its ACK; without ACK the session ends (no_ack)."""
        session.answer(sdp, now)

    def reject(
        self,
        session: Session,
        status: int,
        now: float,
        reason: str = "",
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Refuse an INVITE for good; nothing more is told of its session."""
        session.user = None
        session.refuse(status, reason, header_lines(headers), now)

    def hang_up(self, session: Session, now: float, reason: str = "") -> None:
        """End a session, whatever its state: CANCEL, 480 or BYE, now or when the time has come.

        ``reason`` is the value of a Reason header (RFC 3326). Nothing more is told of the session.
        """
        session.hang_up(header_lines((("Reason", reason),)) if reason else "", now)

    def leave_target(self, session: Session, now: float) -> bool:
        """Try the host that our INVITE waits at after the others of its name for a while, and return whether
        there are others: another INVITE to the same URI will find them.
        """
        client = None if session.outgoing is None else session.outgoing.client
        return client is not None and client.shun_target(now)

    def update(self, session: Session, sdp: bytes, now: float) -> None:
        """Offer ``sdp`` in a re-INVITE."""
        session.update(sdp, now)

    def offer_early(self, session: Session, sdp: bytes) -> None:
        """Say what the first reliable provisional response to an INVITE without offer offers (RFC 3262 5)."""
        if session.provisionals is not None:
            session.provisionals.early_offer = sdp

    def accept_update(self, session: Session, sdp: bytes, now: float) -> None:
        """Answer the peer's re-INVITE or UPDATE."""
        session.accept_update(sdp, now)

    def refuse_update(self, session: Session, status: int, now: float) -> None:
        """Refuse the peer's re-INVITE or UPDATE; the session goes on as it was."""
        session.refuse_update(status, now)

    def info(self, session: Session, content_type: str, body: bytes, now: float) -> None:
        """Send an INFO inside an answered session."""
        session.send_info(content_type, body, now)

    def refer(
        self, session: Session, refer_to: str, user: object, now: float, referred_by: str = ""
    ) -> OutgoingReferral:
        """Ask the peer of an answered session to call ``refer_to``; ReferProgressed tells how it goes."""
        return self._referrals.refer(session, refer_to, user, now, referred_by)

    def is_up(self, trunk: str, contact: str) -> bool:
        """Return whether an address of a trunk takes calls, as far as is known."""
        return self.peers.is_up(trunk, contact)

    def session_of(self, replaces: Replaces) -> Session | None:
        """Return the session that a Replaces means, whatever its state."""
        session = self._core.sessions.get(replaces.to_tag)
        if session is None or session.sip_call_id != replaces.sip_call_id:
            return None
        return session if session.remote_tag == replaces.from_tag else None

    def is_ours(self, host: str, port: int | None) -> bool:
        """Return whether a URI's host is one of our domains or one of our own addresses."""
        return self._admission.is_domain(host) or self._core.places.is_ours(host.strip("[]"), port or 5060)

    def contacts(self, user: str) -> list[Binding]:
        """Return a user's registered contacts, best q first."""
        return self._registrar.contacts(user)

    def ways(self, user: str) -> list[Binding]:
        """Return the contacts of a user that a call goes to: reachable, one per phone, best q first."""
        return self._registrar.ways(user)

    def is_reachable(self, user: str) -> bool:
        """Return whether any contact of ``user`` answers."""
        return self._registrar.is_reachable(user)

    def banned(self, now: float) -> list[tuple[str, float]]:
        """Return the hosts that guessed passwords, and the seconds left of each ban."""
        return self._admission.bans.banned(now)

    def lift_ban(self, host: str, now: float) -> bool:
        """Listen to ``host`` again; False if it was not banned."""
        return self._admission.bans.lift(host, now)

    def restore_binding(self, row: BindingRow, now: float, walltime: WallTime) -> None:
        """Take back a binding kept over a restart."""
        self._registrar.restore(row, now, walltime)

    def restore_dialog(self, state: DialogState, now: float) -> Session | None:
        """Take over an answered session of the process before; None if that cannot be."""
        return restore_dialog(self._core, state, now)

    def restore_invite(self, state: InviteState, now: float) -> Session | None:
        """Take over an INVITE without final answer, theirs or ours, to be ended; None if that cannot be."""
        return restore_invite(self._core, state, now)

    def reconfigure(self, settings: SipSettings, now: float) -> None:
        """Take new settings; dialogs and transactions go on, bindings of accounts that are gone do not."""
        self._core.configure(settings)
        self._admission.reconfigure()
        self._rates.set_rate(settings.requests_per_source)
        self._watch_rates.set_rate(settings.requests_per_source)
        self._registrar.reconfigure(now)
        self.watchers.reconfigure(now)
        self.peers.reconfigure(now)

    # What an operator may see, and what must hold.

    def snapshot(self) -> dict[str, object]:
        """Return counts: sessions, transactions (living and lingering), bindings, dropped requests."""
        transactions = self._transactions
        return {
            "sessions": len(self._core.sessions),
            "client_transactions": len(transactions.clients),
            "server_transactions": len(transactions.servers),
            "bindings": self._registrar.count(),
            "subscriptions": self.watchers.count(),
            "connections": len(self._parsers),
            "dropped": self._dropped,
            "strays": self._strays.total,
            "banned": self._admission.bans.count(),
            "names": self._core.resolver.snapshot(),
        }

    def is_quiet(self) -> bool:
        """Return whether nothing is left of any call; registrations and their upkeep do not count."""
        transactions = self._transactions
        return (
            not self._core.sessions
            and self._referrals.is_quiet()
            and all(
                entry.method in ("REGISTER", "OPTIONS", "SUBSCRIBE", "NOTIFY")
                for table in (transactions.clients, transactions.servers, self._merged)
                for entry in table.values()
            )
        )

    def check(self) -> None:
        """Assert what must hold between turns."""
        for tag, session in self._core.sessions.items():
            assert session.local_tag == tag, "a session is known by a foreign tag"
            assert session.state is not SessionState.ENDED, (
                f"{session.sip_call_id} has ended and is still known"
            )
        self._transactions.check()
        self._ways_back.check()
        self._merge_reaper.check()
        self._registrar.check()
        self.watchers.check()
        self._core.resolver.check()

    # From the wire.

    def receive_datagram(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one UDP datagram, or one message of a WebSocket (RFC 7118 5.4: it may lack Content-Length)."""
        if len(data) <= 4 and data in _CRLFS:
            if flow[0] != "udp" and data == b"\r\n\r\n":  # a WebSocket asks whether we are there
                self.datagrams.put((flow, KEEPALIVE_ANSWER))
            return
        try:
            message = parse_message(data)
        except SipError as error:
            self._refuse_broken(error, flow, now)
            return
        self._receive(message, flow, now)

    def receive_stream(self, data: bytes, flow: Flow, now: float) -> None:
        """Take bytes of one connection; on doubt about the framing it is closed."""
        parser = self._parsers.get(flow.connection)
        if parser is None:
            parser = self._parsers[flow.connection] = StreamParser()
        for found in parser.feed(data):
            if found is KEEPALIVE:
                self.datagrams.put((flow, KEEPALIVE_ANSWER))
            elif isinstance(found, SipError):
                self._refuse_broken(found, flow, now)
            elif isinstance(found, (Request, Response)):
                self._receive(found, flow, now)
        if parser.broken:
            self._parsers.pop(flow.connection, None)
            self.closes.put(flow)

    def stream_progress(self, flow: Flow) -> tuple[int, bool]:
        """Return how many messages have come over a connection, and whether another one has begun."""
        parser = self._parsers.get(flow.connection)
        return (0, False) if parser is None else (parser.count, parser.is_amid)

    def flow_closed(self, flow: Flow, now: float) -> None:
        """A connection is gone."""
        self._parsers.pop(flow.connection, None)
        self._admission.flow_closed(flow)
        self._registrar.flow_closed(flow)
        self._transactions.fail_flow(flow.transport, flow.host, flow.port, flow.connection, now)
        self._ways_back.gone(flow, now)

    def flow_verified(self, flow: Flow, names: tuple[str, ...]) -> None:
        """The peer of a connection has shown a certificate that is good for ``names`` (lower case)."""
        self._admission.flow_verified(flow, names)

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Nothing can be sent to ``flow``: the client transactions on it fail with 503."""
        self._transactions.fail_flow(flow.transport, flow.host, flow.port, flow.connection, now)
        if flow.transport != "udp":
            self._ways_back.gone(flow, now)

    def name_answered(self, question: Question, answer: Answer, now: float) -> None:
        """Take what the domain name system says to a question of ours."""
        self._core.resolver.answered(question, answer, now)

    def _receive(self, message: Request | Response, flow: Flow, now: float) -> None:
        if isinstance(message, Response):
            self._receive_response(message, flow, now)
            return
        try:
            check_request(message, self._known)
            self._receive_request(message, flow, now)
        except SipError as error:
            self._refuse(message, flow, error.status, error.headers, now, error.reason)

    def _refuse_broken(self, error: SipError, flow: Flow, now: float) -> None:
        if error.salvaged is not None:
            self._refuse(error.salvaged, flow, error.status, "", now, error.reason)

    def _refuse(
        self, request: Request, flow: Flow, status: int, headers: str, now: float, reason: str = ""
    ) -> None:
        """Answer without keeping anything (8.2.7); an ACK is never answered, a flood hardly ever."""
        if request.method != "ACK" and self._is_welcome(flow, now):
            self._refuse_welcome(request, flow, status, headers, reason)

    def _refuse_welcome(
        self, request: Request, flow: Flow, status: int, headers: str, reason: str = ""
    ) -> None:
        try:
            head = response_head(request, stateless_tag(request), flow)
            to = answer_flow(request, flow)
        except SipError:
            return  # not even its Via can be read
        self.datagrams.put((to, build(status, head, headers, reason=reason)))

    def _is_welcome(self, flow: Flow, now: float) -> bool:
        """Return whether a request that nobody knows may cost us anything."""
        host = flow[2]
        if self._admission.trunk_on(flow) is not None or self._registrar.knows_host(host):
            return True
        if self._rates.allow(host, now):
            return True
        self._dropped += 1
        self._strays.note("flood", host, now)
        return False

    # Responses.

    def _receive_response(self, response: Response, flow: Flow, now: float) -> None:
        try:
            # Most repeat our Via as it was: match first, and check only what is matched.
            key = plain_client_key(response)
            transaction = self._transactions.clients.get(key)
            if transaction is None:
                check_response(response)
                key = client_key(response)
                transaction = self._transactions.clients.get(key)
                if transaction is None:
                    self._strays.note("response", flow.host, now)
                    return
            else:
                check_our_response(response)
            if type(transaction) is Lingering:
                self._acknowledge_again(key, transaction, response, now)
            else:
                transaction.receive(response, now)
        except SipError:
            return

    def _acknowledge_again(
        self,
        key: str,
        entry: Lingering,
        response: Response,
        now: float,
    ) -> None:
        """A final response to our INVITE came again, or from another branch of a fork."""
        status, tag = response.status, response.to_tag
        if status < 200 or response.cseq[1] != "INVITE":
            return
        ack, accepted_tag = entry.data, entry.word
        if status >= 300 or tag == accepted_tag:
            # An INVITE that succeeded is not refused any more, and one that failed drew its ACK.
            if (status >= 300) == (accepted_tag == ""):
                self._transactions.put((flow_of(entry), ack))
            return
        fork_key = f"{key} {tag}"
        fork = self._transactions.clients.get(fork_key)
        if fork is not None:
            self._transactions.put((flow_of(fork), fork.data))
            return
        if accepted_tag:
            self._end_fork(fork_key, flow_of(entry), response, now)

    def _end_fork(self, key: str, flow: Flow, response: Response, now: float) -> None:
        """A second phone answered one INVITE: ACK and BYE (RFC 3261 13.2.2.4)."""
        core = self._core
        dialog = dialog_of_response(response, "", core.places[flow.local])
        if not dialog.remote_target:
            return
        to = dialog.find_flow(core.places) or flow
        ack = dialog.build("ACK", dialog.local_cseq, core.chance.branch())
        transactions = self._transactions
        transactions.put((to, ack))
        transactions.client_reaper.linger(
            key, "INVITE", ack, to, transactions.give_up_after, now, dialog.remote_tag
        )
        branch = core.chance.branch()
        bye = dialog.build("BYE", dialog.next_cseq(), branch)
        key, next_hop = client_key_of(branch, "BYE"), dialog.next_hop
        ClientRequest(transactions, key, "BYE", bye, to, None, now, next_hop=next_hop)

    # Requests.

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        method = request.method
        key = server_key(request)
        transaction = self._transactions.servers.get(key)
        if method == "ACK":
            self._receive_ack(request, transaction, flow, now)
        elif transaction is not None:
            if type(transaction) is not Lingering:
                transaction.receive_again(now)
            elif transaction.data:
                self._transactions.put((flow_of(transaction), transaction.data))
        elif method == "CANCEL":
            self._receive_cancel(request, flow, key, now)
        elif method not in ALLOWED:
            self._refuse(request, flow, 405 if method in UNSERVED else 501, ALLOW, now)
        elif request.to_tag:
            self._receive_inside(request, flow, key, now)
        else:
            self._receive_outside(request, flow, key, now)

    def _receive_ack(self, request: Request, transaction: object, flow: Flow, now: float) -> None:
        if type(transaction) is ServerInvite:
            transaction.receive_ack(now)
            return
        session = self._core.sessions.get(request.to_tag)
        if session is not None and session.takes(request):
            session.receive_ack(request, now)
        elif transaction is None:
            self._strays.note("ACK", flow.host, now)

    def _receive_cancel(self, request: Request, flow: Flow, key: str, now: float) -> None:
        """RFC 3261 9.2: 200 if there is an INVITE of that branch, whatever became of it; else 481.

        Only the host that sent the INVITE can take it back: branches of some clients can be guessed.
        """
        invite = self._transactions.servers.get(server_key(request, "INVITE"))
        if invite is not None:
            source = invite.flow if type(invite) is ServerInvite else flow_of(invite)
            if source.host != flow.host:
                invite = None
        if invite is None:
            self._refuse(request, flow, 481, "", now)
            return
        session = invite.session if type(invite) is ServerInvite else None
        tag = session.local_tag if session is not None else self._core.chance.token()
        self._respond(request, flow, key, 200, "", now, tag=tag)
        if session is not None:
            session.cancelled(now, reason_of(request))

    def _receive_inside(self, request: Request, flow: Flow, key: str, now: float) -> None:
        if request.method == "SUBSCRIBE" and self.watchers.renew(request, flow, key, now):
            return
        session = self._core.sessions.get(request.to_tag)
        if session is None or not session.takes(request) or not self._is_from_peer(session, request, flow):
            self._strays.note(request.method, flow.host, now)
            self._refuse(request, flow, 481, "", now)
            return
        check_extensions(request, self._core.supported)
        method = request.method
        if method == "INVITE":
            check_body(request)
            if request.header("contact") is not None:
                contact_target(request)
            if not session.is_fresh(request):
                self._respond(request, flow, key, 500, "", now)
            else:
                session.receive_reinvite(request, flow, key, now)
            return
        if not session.is_fresh(request):
            self._respond(request, flow, key, 500, "", now)
        elif method == "BYE":
            self._respond(request, flow, key, 200, "", now)
            session.receive_bye(now, reason_of(request))
        elif method == "UPDATE":
            check_body(request)
            receive_update(session, request, flow, key, now)
        elif method == "PRACK":
            check_body(request)
            receive_prack(session, request, flow, key, now)
        elif method == "INFO":
            self._respond(request, flow, key, 200, "", now)
            session.receive_info(request)
        elif method == "OPTIONS":
            self._respond(request, flow, key, 200, abilities(self._core), now)
        elif method == "REFER":
            self._referrals.receive_refer(session, request, flow, key, now)
        elif method == "NOTIFY":
            status = self._referrals.receive_notify(session, request)
            self._respond(request, flow, key, status, ALLOW_EVENTS, now)
        else:
            self._respond(request, flow, key, 405, ALLOW, now)

    def _is_from_peer(self, session: Session, request: Request, flow: Flow) -> bool:
        """Return whether a request inside a dialog comes from where its peer may be (A-DLG): besides what the
        session knows, from another host of the same trunk, or from where the phone is registered by now.
        """
        host = flow[2]
        if host == session.flow[2] or session.is_from_peer(request.from_tag, host):
            return True
        trunk = self._admission.trunk_on(flow)
        if trunk is not None and trunk is self._admission.trunk_on(session.flow):
            return True
        return self._registrar.knows_host(host) and self._core.places.follow(session.flow)[2] == host

    def _receive_outside(self, request: Request, flow: Flow, key: str, now: float) -> None:
        method = request.method
        if self._admission.is_unwanted(request, flow):
            self._dropped += 1
            return
        if not self._is_welcome(flow, now):
            if method == "INVITE" and self._dropped % FLOOD_SAMPLE == 1:
                self._refuse_welcome(request, flow, 503, RETRY_LATER)
            return
        if method == "SUBSCRIBE" and not self._watch_rates.allow(flow[2], now):
            # Of trunks and registered phones too: some phones subscribe in a loop that never ends.
            self._dropped += 1
            self._strays.note("flood", flow[2], now)
            self._refuse_welcome(request, flow, 503, RETRY_LATER)
            return
        if request.max_forwards == 0 and method != "OPTIONS":
            self._refuse_welcome(request, flow, 483, "")
            return
        if method in INSIDE_ONLY:
            self._strays.note(method, flow.host, now)
            # Transfers are asked for inside the session that they are about.
            self._refuse_welcome(request, flow, 403 if method == "REFER" else 481, "")
            return
        if not isinstance(request.parsed_uri, SipUri) and method == "REGISTER":
            raise SipError(416, "Unsupported URI Scheme")
        merged = merge_key(request)
        if merged in self._merged:
            self._refuse_welcome(request, flow, 482, "")
            return
        check_extensions(request, self._core.supported)
        if method == "INVITE":
            self._receive_invite(request, flow, key, merged, now)
        elif method == "REGISTER":
            self._receive_register(request, flow, key, now)
        elif method == "SUBSCRIBE":
            if self.watchers.is_stopped:
                return  # it is repeated until the switch that comes next answers it
            refused = self.watchers.subscribe(request, flow, key, now)
            if refused is None:
                self._remember(merged, method, flow, now)
            else:
                self._refuse_welcome(request, flow, refused.status, refused.headers)
        else:
            self._respond(request, flow, key, 200, abilities(self._core), now)
            self._remember(merged, method, flow, now)

    def _remember(self, merged: str, method: str, flow: Flow, now: float) -> None:
        """Know a request again that comes over another way (RFC 3261 8.2.2.2)."""
        self._merge_reaper.linger(merged, method, b"", flow, self._transactions.give_up_after, now)

    def _receive_invite(self, request: Request, flow: Flow, key: str, merged: str, now: float) -> None:
        check_body(request)
        initial_target(request)
        ours = self._core.sessions.get(request.from_tag)
        if ours is not None and ours.is_outgoing and ours.sip_call_id == request.first["call-id"]:
            # An INVITE of ours has come back (RFC 3261 8.2.2.2): whoever sent it on would do so for ever.
            self._refuse_welcome(request, flow, 482, "")
            return
        who = self._admission.identify(request, flow, now)
        if isinstance(who, Refused):
            self._refuse_welcome(request, flow, who.status, who.headers)
            return
        too_small = self._core.session_timers.refusal(request)
        self._remember(merged, "INVITE", flow, now)
        if too_small:
            self._respond_invite(request, flow, key, 422, too_small, now)
            return
        if self.refuse_new is not None:
            status, retry_after = self.refuse_new
            self._respond_invite(request, flow, key, status, f"Retry-After: {retry_after}\r\n", now)
            return
        try:
            replaced = replaced_by(request, self._core.sessions)
        except SipError as error:
            self._respond_invite(request, flow, key, error.status, "", now)
            return
        session = Session(self._core, request.first["call-id"], flow, is_outgoing=False)
        session.identity = who
        session.receive_invite(request, flow, key, now)
        self.events.put(InviteArrived(session, who, sdp_of(request), replaced))

    def _receive_register(self, request: Request, flow: Flow, key: str, now: float) -> None:
        to = request.to.parsed
        user = to.user if isinstance(to, SipUri) else ""
        refused = self._admission.prove(user, request, flow, now)
        if refused is not None and refused.is_banned:
            self._refuse_welcome(request, flow, refused.status, refused.headers)
            return
        if refused is not None:
            self._respond(request, flow, key, refused.status, refused.headers, now)
            return
        if not self._admission.is_domain(to.host):
            self._respond(request, flow, key, 404, "", now)
            return
        status, headers = self._registrar.register(user, request, flow, now)
        self._respond(request, flow, key, status, f"{headers}{self._core.agent}", now)
        if status == 200:
            self.watchers.registered(user, now)

    def _respond(
        self, request: Request, flow: Flow, key: str, status: int, headers: str, now: float, tag: str = ""
    ) -> None:
        """Answer any request but INVITE for good."""
        transaction = ServerRequest(self._transactions, key, request.method, answer_flow(request, flow))
        head = response_head(request, tag or self._core.chance.token(), flow)
        transaction.respond(status, build(status, head, headers), now)

    def _respond_invite(
        self, request: Request, flow: Flow, key: str, status: int, headers: str, now: float
    ) -> None:
        """Refuse an INVITE that no session is made for."""
        transaction = ServerInvite(self._transactions, key, answer_flow(request, flow), None)
        head = response_head(request, self._core.chance.token(), flow)
        transaction.respond(status, build(status, head, headers), now)


def stateless_tag(request: Request) -> str:
    """Return the To tag of an answer that nothing is kept of: the same for the same request (8.2.7)."""
    seen = f"{request.via.branch} {request.header('call-id')}"
    return f"{crc32(seen.encode('utf-8', 'surrogateescape')):08x}"
