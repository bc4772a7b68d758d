"""The switchboard: the face of call control. It answers, rings, bridges and ends calls.

Rules, checked by :meth:`Switchboard.check`: a call is bridged iff it is talking; a ring belongs to one living
call; every stream and every session told of belongs to one leg; every call that arrived leaves exactly one
row.
"""

from collections.abc import Callable, Sequence
from typing import Any

from calls.admission import PhoneBook, admit
from calls.announcements import Announcements
from calls.bridge import agree, codecs_for
from calls.call import Call, CallInput, CallState
from calls.callback import CallbackCalls
from calls.comfort import Comfort
from calls.consult import Consults
from calls.desk import CallDesk
from calls.dial import Dials
from calls.events import (
    CallChanged,
    CallEvent,
    CallGone,
    CallQueued,
    PhoneChanged,
    SeatAnswered,
    SeatFreed,
    SeatTaken,
)
from calls.failover import Failover
from calls.handover import Handover
from calls.hearing import Hearing
from calls.invariants import check, is_quiet
from calls.keys import Keys
from calls.leading import NO_ANSWER
from calls.leg import Leg, LegInput, LegState
from calls.lines import Lines
from calls.presentation import note_caller
from calls.recording import CallRecordings
from calls.records import call_row, ended_fields
from calls.recovery import Recovery
from calls.redirect import Redirects
from calls.replacements import Replacements
from calls.ringing import ELSEWHERE
from calls.rings import Rings
from calls.routing import NumberPlan, Route, wanted_seat
from calls.scripts import ABANDONED, Scripts
from calls.settings import CallSettings
from calls.standing import Standing
from calls.streams import Streams
from calls.supervision import Supervision
from calls.survey import Surveys
from calls.talk import Talk
from calls.transfer import Transfers
from calls.trunks import TrunkGate
from calls.voicemail import VOICEMAIL, Voicemails
from kernel.chance import Chance
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, SeatId
from kernel.outbox import Outbox
from kernel.staterows import BoardRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from media.events import MediaEvent
from media.plane import Plane
from sip.events import (
    NOTICES,
    BindingsChanged,
    InfoReceived,
    InviteArrived,
    Notice,
    ReferArrived,
    ReferProgressed,
    SessionAnswered,
    SessionCancelled,
    SessionConfirmed,
    SessionEnded,
    SessionFailed,
    SessionOffered,
    SessionProgressed,
    UpdateAnswered,
    UpdateFailed,
)
from sip.grammar import SipError
from sip.identity import reason_to_pass
from sip.stack import Stack


class Switchboard:
    """All calls of one node."""

    def __init__(
        self,
        settings: CallSettings,
        stack: Stack,
        plane: Plane,
        timers: TimerQueue,
        chance: Chance,
        walltime: WallTime,
        phonebook: PhoneBook,
        rows: Outbox[Any] | None = None,
        log: Outbox[tuple[str, dict[str, Any]]] | None = None,
    ) -> None:
        """``rows`` and ``log`` are for what other parts write, too, in that order; None: for its own."""
        self.plan = NumberPlan(settings)
        self.calls: dict[CallId, Call] = {}
        self.gate = TrunkGate()
        self.events: Outbox[CallEvent] = Outbox()
        self.rows: Outbox[BoardRow] = Outbox() if rows is None else rows
        self.log: Outbox[tuple[str, dict[str, Any]]] = Outbox() if log is None else log
        self._settings = settings
        self._stack = stack
        self._plane = plane
        self._timers = timers
        self._chance = chance
        self._walltime = walltime
        self.phonebook = phonebook
        self._engaged: dict[SeatId, list[Leg]] = {}  # legs at a seat's phone, in the order they came
        self.lines = Lines(stack.watchers.watched)
        self.streams = Streams(self, plane, walltime)
        self.failover = Failover(self, stack, timers, chance)
        self.callbacks = CallbackCalls(self, plane, timers)
        self.announcements = Announcements(self, stack, plane, timers)
        self.keys = Keys(self, plane)
        self.comfort = Comfort(self, plane, timers, chance, phonebook)
        self.rings = Rings(self, stack, plane)
        self.handover = Handover(self, plane, timers)
        self.scripts = Scripts(self, plane, timers, walltime, phonebook)
        self.surveys = Surveys(self, plane, timers, walltime)
        self.recordings = CallRecordings(self, plane, chance, walltime)
        self.standing = Standing(self, stack, plane, timers, chance)
        self.voicemails = Voicemails(self, plane, timers, chance, walltime)
        self.talk = talk = Talk(self, stack, plane, timers)
        self.redirects = Redirects(self, stack, phonebook, chance)
        self.transfers = Transfers(self, stack, plane, chance)
        self.replacements = Replacements(self)
        self.hearing = Hearing(self, plane)
        self.consults = Consults(self, plane, timers, chance)
        self.dials = Dials(self, timers, phonebook)
        self.supervision = Supervision(self, plane, timers, phonebook)
        self.desk = CallDesk(self, stack, plane)
        self.on_sip: dict[type, Callable[[Any, float], None]] = {  # what each event of the stack leads to
            InviteArrived: self._invite_arrived,
            SessionProgressed: self.rings.progressed,
            SessionAnswered: self._session_answered,
            SessionFailed: self.rings.session_failed,
            SessionCancelled: self._session_cancelled,
            SessionConfirmed: talk.session_confirmed,
            SessionEnded: self._session_ended,
            SessionOffered: talk.session_offered,
            UpdateAnswered: talk.update_answered,
            UpdateFailed: lambda event, now: None,  # the session goes on as it was (RFC 3261 14.1)
            InfoReceived: talk.info_received,
            ReferArrived: self.transfers.refer_arrived,
            ReferProgressed: lambda event, now: None,
            BindingsChanged: self._bindings_changed,
            **dict.fromkeys(NOTICES, self._pass_on),
        }
        self.recovery = Recovery(self, stack, plane, timers, walltime)
        self.recovery.watch(self.on_sip)

    # What comes in.

    def handle_media(self, event: MediaEvent, now: float) -> None:
        """Take one event of the media plane."""
        self.streams.handle(event, now)

    def on_timer(self, name: str, now: float) -> None:
        """A direct call rang, or a call was held, long enough; ``name`` is that word and its id."""
        what, _, number = name.partition(" ")
        call = self.calls.get(CallId(number))
        if call is None:
            return
        if what == "ring" and call.state is CallState.RINGING and call.is_callback:
            self.callbacks.customer_failed(call, 408, now)
        elif what == "ring" and call.state is CallState.RINGING:
            self.missed(call, now, NO_ANSWER, ended_by="switch", verdict="agent:no_answer", status=480)
        elif what == "recall" and call.held:
            self.talk.recall(call, now)
        elif what == "hold" and call.held:
            self.end(call, now, ended_by="switch", verdict="network:held_too_long", status=200)

    def reconfigure(self, settings: CallSettings) -> None:
        """Take new settings; calls go on as they were routed."""
        self._settings = settings
        self.plan = NumberPlan(settings)

    # Verbs of distribution, through the node.

    def accept_queued(self, call_id: CallId, now: float, sent_on: QueueName | None = None) -> None:
        """A queue took the call, its own or the one it was sent on to: answer the caller (or give early
        media) and play to it.
        """
        call = self.calls.get(call_id)
        if call is None or call.caller_leg is None or not call.move(CallInput.QUEUED):
            return
        call.joined_at = now
        call.queue = sent_on or call.queue
        leg, media = call.caller_leg, self.plan.queues.get(call.queue or "")
        is_early = media is not None and media.answer == "183" and leg.state is not LegState.ANSWERED
        if is_early and leg.answer_sdp and leg.session is not None:
            leg.move(LegInput.PROGRESSED)
            self._stack.ring(leg.session, now, 183, leg.answer_sdp)
        else:
            self.answer_caller(leg, now)
        if media is not None:
            self.comfort.begin(call, leg, media, now)
        self.events.put(CallChanged(call.id, "waiting"))

    def release(
        self, call_id: CallId, outcome: str, cause: str, now: float, target: str = "", visits: int = 0
    ) -> None:
        """The queue has no seat for the call, which has had so many ``visits``: connect it to the number or
        the mailbox of ``target``, lead it into a script, or end it politely.
        """
        call = self.calls.get(call_id)
        if call is None:
            return
        waited = 0.0 if call.joined_at is None else now - call.joined_at
        call.joined_at = None  # the engine has closed the visit itself
        self.comfort.over(call)
        call.credit += waited  # should it come to a queue again, it has waited so long
        call.visits = visits
        kind, _, number = target.partition(":")
        if target and kind != "number":
            self.scripts.leading.over(call)
        if kind == "ivr":
            self.scripts.begin(call, number, now)
            return
        if kind == "number":
            # The tenant's own configuration names it, so this is no transit.
            call.target = ("pstn", number)
            self.place(call, now)
            return
        if kind == VOICEMAIL:
            self.voicemails.begin(call, target, now)
            return
        # Who has chosen to go, or is called back, has what it wants; for whoever has not, its script goes on.
        is_turned_away = not target and outcome != "callback" and not cause.startswith("key:")
        if is_turned_away and self.scripts.come_back(call, cause or outcome, now):
            return
        status = self._settings.release_status(cause, call.tenant)
        sound = number if kind == "message" else ""  # without one the call ends at once
        verdict = "caller:key" if cause.startswith("key:") else f"us:{cause or outcome}"
        self.announcements.play(call, sound, verdict, status, now)

    def hang_up(
        self, call_id: CallId, cause: str, now: float, ended_by: str = "switch", seat: SeatId | None = None
    ) -> None:
        """End a call for an operator or for its ``seat``; NO_SUCH_CALL if there is none."""
        call = self.calls.get(call_id)
        if call is None:
            raise OperationRefused("NO_SUCH_CALL", f"there is no call {call_id}")
        if seat is not None and self.consults.hung_up(call, seat, now):
            return
        verdict, status = f"us:{cause}", 480
        if call.state is CallState.TALKING:
            verdict, status = "success:disconnected" if cause == "disconnected" else "success", 200
        elif call.state is CallState.VOICEMAIL:
            verdict, status = self.voicemails.verdict(call, now), 200
        elif call.is_dialled and cause == "seat":
            verdict = "agent:cancelled"
        self.end(call, now, ended_by=ended_by, verdict=verdict, status=status, cause="withdrawn")

    def end_all(self, now: float) -> None:
        """End every call at once: the switch stops."""
        for call in list(self.calls.values()):
            self.end(call, now, ended_by="switch", verdict="us:shutdown", status=503, cause="withdrawn")

    # A call arrives.

    def _invite_arrived(self, event: InviteArrived, now: float) -> None:
        session, identity = event.session, event.identity
        assert session.request is not None
        route = self.failover.refuse_loop(session.request) or self.plan.route(identity, session.request)
        if event.replaces is not None:
            route = self.replacements.route(event.replaces.user, identity, route)
        call = Call(self._chance.call_id(), now)
        call.caller, call.called, call.tenant = route.caller, route.called, route.tenant
        call.direction = route.direction or ("internal" if identity.kind == "account" else "in")
        status, verdict = admit(self, self.phonebook, call, route, now)
        if status:
            headers = (("Retry-After", "5"),) if status == 503 else ()
            self._stack.reject(session, status, now, headers=headers)
            call.trunk = route.trunk  # for the row; a refused call was never counted at its trunk
            self.write_row(call, now, ended_by="switch", verdict=verdict, status=status)
            return
        assert isinstance(route, Route)
        call.entry, call.target, call.script = route.entry, route.phone, route.script
        call.mailbox = route.mailbox
        trunk = self.plan.trunks.get(route.trunk)
        note_caller(call, session.request, is_trusted=trunk is not None and trunk.is_trusted)
        if event.replaces is not None:
            call.replaces = event.replaces.user
        if route.queue is not None:
            call.queue = QueueName(route.queue.name)
        leg = self.streams.new_leg(call, call.caller, LegState.ARRIVED)
        leg.session, session.user, leg.peer_offer = session, leg, event.sdp
        leg.trunk = route.trunk
        call.caller_leg = leg
        self.calls[call.id] = call
        if identity.kind == "account":
            kind = "softphone" if identity.name in self._settings.seats else "extension"
            leg.phone = (kind, identity.name)
            self.lines.add(leg)
            self.engage(leg, self.phonebook.seat_of(kind, identity.name), "dialling")
        self.events.put(CallChanged(call.id, "arrived"))
        self.streams.open(leg, now)

    def is_busy(self, phone: tuple[str, str]) -> bool:
        """Return whether the seat that ``phone`` belongs or is bound to has a call."""
        seat = SeatId(phone[1]) if phone[0] == "softphone" else self.phonebook.seat_of(*phone)
        return seat is not None and seat in self._engaged

    def can_ring(self, phone: tuple[str, str]) -> bool:
        """Return whether ``phone`` is in no call and, if it registers, has a contact to be rung at."""
        if self.is_busy(phone):
            return False
        if phone[0] == "softphone":
            phone = self.phonebook.phone_of(SeatId(phone[1])) or phone
        return phone[0] == "pstn" or any(each.reachable for each in self._stack.contacts(phone[1]))

    def caller_ready(self, call: Call, leg: Leg, now: float) -> None:
        """The caller's stream is open: agree on audio, then queue the call or ring the phone."""
        if leg.peer_offer:
            try:
                leg.answer_sdp, agreement = leg.side.answer(
                    leg.peer_offer, leg.address, leg.port, codecs_for(call.replaces, self._settings.codecs)
                )
            except SipError as error:
                self.end(call, now, ended_by="switch", verdict="peer:no_common_audio", status=error.status)
                return
            agree(leg, agreement, self._plane, now)
        elif leg.session is not None and leg.session.provisionals is not None:
            # RFC 3262 5: an INVITE without offer that requires 100rel is offered something while it rings.
            leg.answer_sdp = leg.side.offer(leg.address, leg.port, self._settings.codecs)
            self._stack.offer_early(leg.session, leg.answer_sdp)
        self.place(call, now)

    def place(self, call: Call, now: float, ring_for: float = 0.0) -> None:
        """Queue a call, ring the phone that it is for (``ring_for`` 0: as long as any), or begin its script
        or its message.
        """
        if call.replaces is not None:
            self.replacements.take(call, now)
            return
        if call.script:
            self.scripts.begin(call, call.script, now)
            return
        if call.mailbox:
            self.voicemails.begin(call, call.mailbox, now)
            return
        if call.target is None:
            assert call.queue is not None
            seat = wanted_seat(call.entry, call.queue)
            self.events.put(CallQueued(call.id, call.queue, call.caller, call.called, seat, call.credit))
            return
        phone = call.target
        if phone[0] == "softphone":
            phone = self.phonebook.phone_of(SeatId(phone[1])) or phone
        call.move(CallInput.RUNG)
        ring = self.rings.add(call, phone, now, seat=None, offer=None)
        self.engage(ring, self.phonebook.seat_of(*phone), "ringing")
        name = f"ring {call.id}"
        call.timer = self._timers.arm_after(self, name, ring_for or self._settings.ring_for, now)
        self.rings.start(ring, now)

    def answer_caller(self, leg: Leg, now: float) -> None:
        """Answer a caller's INVITE, unless that has been done."""
        if leg.session is None or not leg.move(LegInput.ANSWERED):
            return
        sdp = leg.answer_sdp or leg.side.offer(leg.address, leg.port, self._settings.codecs)
        self._stack.answer(leg.session, sdp, now)

    def _session_answered(self, event: SessionAnswered, now: float) -> None:
        leg: Leg | None = event.session.user
        if leg is None or leg.call is None or leg.state is LegState.ANSWERED:
            self._stack.hang_up(event.session, now)
            return
        for session in leg.ringing_sessions:
            if session is not event.session:
                session.user = None
                self._stack.hang_up(session, now, ELSEWHERE)
        leg.ringing_sessions.clear()
        leg.session = event.session
        try:
            agreement = leg.side.accept(event.sdp)
        except SipError as error:
            self.rings.failed(leg, error.status, now)
            return
        leg.move(LegInput.ANSWERED)
        agree(leg, agreement, self._plane, now)
        self.handover.begin(leg, now)

    # Bridged.

    def connect(self, leg: Leg, now: float) -> None:
        """Whoever has answered takes the call."""
        assert leg.call is not None
        if self.transfers.pending:
            self.transfers.answered(leg.call, now)
        self.bridge(leg.call, leg, now)

    def bridge(self, call: Call, leg: Leg, now: float) -> None:
        """A phone has answered: the two hear each other."""
        if call.id in self.consults.pending:
            self.consults.answered(call, leg, now)
            return
        if call.is_supervision:
            self.supervision.answered(call, leg, now)
            return
        if call.is_standing:
            self.standing.answered(call, leg, now)
            return
        if call.is_callback and call.caller_leg is None:
            if leg.offer is not None:
                del self.rings.offers[leg.offer]
            self.callbacks.seat_answered(call, leg, now)
            return
        caller = call.caller_leg
        assert caller is not None
        call.rings.remove(leg)
        call.callee, call.seat = leg, leg.seat
        call.answered_at = now
        call.move(CallInput.BRIDGED)
        self._timers.disarm(call.timer)
        call.timer = None
        if self.comfort.told:
            self.comfort.over(call)
        if self.scripts.leading.away:
            self.scripts.leading.over(call)
        self._plane.connect(caller.stream, leg.stream, now)
        self.answer_caller(caller, now)
        if call.is_callback:
            self.callbacks.customer_answered(call)
        if leg.offer is not None:
            del self.rings.offers[leg.offer]
            self.events.put(SeatAnswered(leg.offer))
        elif leg.seat is not None:
            self.events.put(SeatTaken(leg.seat, call.id, "talking"))
        if caller.seat is not None:
            self.events.put(SeatTaken(caller.seat, call.id, "talking"))
        self.supervision.touch_call(call)
        self.events.put(CallChanged(call.id, "talking"))

    # The end.

    def _session_cancelled(self, event: SessionCancelled, now: float) -> None:
        leg: Leg | None = event.session.user
        event.session.user = None
        if leg is not None and leg.call is not None:
            leg.session = None
            said = reason_to_pass(event.reason) if event.reason else ""
            self.end(leg.call, now, ended_by="caller", verdict="caller:cancelled", status=487, reason=said)

    def _session_ended(self, event: SessionEnded, now: float) -> None:
        leg: Leg | None = event.session.user
        event.session.user = None
        if leg is None or leg.call is None:
            return
        call, leg.session = leg.call, None
        if event.cause == "bye":
            self.recovery.forget(call)  # it was there, and has given up
        if leg.line is not None:
            self.standing.lost(leg, now)
        if self.transfers.pending and self.transfers.left(leg, now):
            return
        if self.consults.pending and self.consults.left(leg, now):
            return
        if leg in call.rings:
            self.handover.hung_up(call, leg, now)
            return
        is_left = event.cause == "bye" and call.state is CallState.TALKING
        if is_left and self.plan.asks and self.surveys.left(call, leg, now):
            return
        if event.cause != "bye":
            verdict = f"network:{event.cause}"
        elif call.state in (CallState.TALKING, CallState.SURVEY):
            verdict = "success"
        elif call.state is CallState.SCRIPT:
            verdict = ABANDONED
        elif call.state is CallState.VOICEMAIL:
            verdict = self.voicemails.verdict(call, now)
        else:
            verdict = "agent:cancelled" if call.is_callback else "caller:abandoned"
        status = 504 if event.cause == "no_prack" else 200
        said = reason_to_pass(event.reason) if event.reason else ""
        self.end(call, now, ended_by=call.word_for(leg), verdict=verdict, status=status, reason=said)

    def end(
        self,
        call: Call,
        now: float,
        *,
        ended_by: str,
        verdict: str,
        status: int,
        cause: str = "abandoned",
        reason: str = "",
    ) -> None:
        """End a call whatever its state: every session, stream, ring and seat of it is let go, one row is
        left. ``reason`` is what the sides that are left are told (RFC 3326).
        """
        was_queued = call.joined_at is not None and call.state is not CallState.TALKING
        before = call.state
        if not call.move(CallInput.ENDED):
            return
        if self.transfers.pending:
            self.transfers.call_ended(call, status, now)
        if self.consults.pending:
            self.consults.call_ended(call, now)
        if call.is_supervision:
            self.supervision.call_ended(call, verdict, now)
        if call.is_standing:
            self.standing.call_ended(call, now)
        self._timers.disarm(call.timer)
        call.timer = None
        # Most calls were in none of these: a look at what there is costs less than to ask each for this one.
        if self.comfort.told:
            self.comfort.over(call)
        if self.scripts.running or self.scripts.leading.away:
            self.scripts.call_ended(call, verdict, now)
        if self.surveys.asked:
            self.surveys.call_ended(call, now)
        self.recordings.call_ended(call, now)
        if self.voicemails.by_call:
            self.voicemails.call_ended(call, now)
        caller, callee = call.caller_leg, call.callee
        if call.is_callback:
            self.callbacks.ended(call, before, verdict, status, cause)
        elif caller is not None and caller.state is LegState.ANSWERED:
            status = 200  # what the caller has been told
        if caller is not None or not call.is_callback or call.is_dialled:
            self.write_row(call, now, ended_by=ended_by, verdict=verdict, status=status)
        if caller is not None and caller.session is not None and caller.state is not LegState.ANSWERED:
            session, caller.session = caller.session, None
            session.user = None
            self._stack.reject(session, status if status >= 300 else 480, now)
        if was_queued:
            self.events.put(CallGone(call.id, self.recovery.cause_of(call, cause)))
        self.call_off(call, now, reason)
        if callee is not None:
            if callee.seat is not None:
                self.events.put(SeatFreed(callee.seat, call.id, bridged=callee.offer is not None))
            self.drop(callee, now, reason)
        if caller is not None:
            if caller.seat is not None:
                was_bridged = call.is_callback and call.answered_at is not None
                self.events.put(SeatFreed(caller.seat, call.id, bridged=was_bridged))
            self.drop(caller, now, reason)
        del self.calls[call.id]
        self.recovery.ended(call)
        call.caller_leg = call.callee = call.transferee = None
        if not call.is_standing:
            self.events.put(CallChanged(call.id, "ended", call.tenant, verdict, call.supervises))

    def call_off(self, call: Call, now: float, reason: str = "") -> None:
        """Let go of every phone that rings for a call."""
        for leg in call.rings:
            if leg.offer is not None:
                self.rings.offers.pop(leg.offer, None)
            elif leg.seat is not None:
                self.events.put(SeatFreed(leg.seat, call.id, bridged=False))
            self.drop(leg, now, reason)
        call.rings.clear()

    def missed(self, call: Call, now: float, why: str, *, ended_by: str, verdict: str, status: int) -> None:
        """The phone that a call is for does not take it: the script that has led it there goes on, or the
        call ends.
        """
        if not self.scripts.come_back(call, why, now):
            self.end(call, now, ended_by=ended_by, verdict=verdict, status=status)

    def write_row(self, call: Call, now: float, *, ended_by: str, verdict: str, status: int) -> None:
        """Leave the one row of a call that ends."""
        row = call_row(call, now, self._walltime, ended_by=ended_by, verdict=verdict, sip_status=status)
        self.rows.put(row)
        self.log.put(("call ended", ended_fields(row)))

    # Legs and streams.

    def adopt(self, call: Call) -> None:
        """Take in a call of the process before, with its legs."""
        self.calls[call.id] = call
        self.recordings.touch(call)
        for leg in call.legs():
            self.lines.add(leg)
            if leg.trunk:
                self.gate.readmit(leg.trunk)
            if leg.seat is not None:
                self.count_leg(leg, leg.seat)

    def engage(self, leg: Leg, seat: SeatId | None, activity: str) -> None:
        """Note that a leg is at the phone of ``seat``, and tell distribution."""
        if seat is None or leg.call is None:
            return
        self.count_leg(leg, seat)
        self.events.put(SeatTaken(seat, leg.call.id, activity))

    def count_leg(self, leg: Leg, seat: SeatId) -> None:
        """Note that a leg is at the phone of ``seat``; distribution knows."""
        leg.seat = seat
        self._engaged.setdefault(seat, []).append(leg)
        if self.supervision.by_seat:
            self.supervision.touch(leg)

    def disengage(self, leg: Leg) -> None:
        """Note that a leg is at its seat's phone no longer."""
        if leg.seat is not None:
            if self.supervision.by_seat:
                self.supervision.touch(leg)
            legs = self._engaged[leg.seat]
            legs.remove(leg)
            if not legs:
                del self._engaged[leg.seat]
            leg.seat = None

    def legs_at(self, seat: SeatId) -> Sequence[Leg]:
        """Return the legs at the phone of ``seat``, in the order they came."""
        return self._engaged.get(seat, ())

    def stream_failed(self, leg: Leg, reason: str, now: float) -> None:
        """There is no stream for a leg."""
        call = leg.call
        assert call is not None
        self.standing.lost(leg, now)
        if leg in call.rings:
            self.rings.failed(leg, 503, now)
        else:
            self.end(call, now, ended_by="switch", verdict=f"us:{reason}", status=503)

    def drop(self, leg: Leg, now: float, reason: str = "") -> None:
        """Let go of everything a leg has: sessions, stream, seat. That of a standing line goes back there."""
        if leg.line is not None and self.standing.take_back(leg, now):
            return
        leg.move(LegInput.ENDED)
        self.lines.remove(leg)
        if self.handover.steps:
            self.handover.over(leg)
        self.recovery.note(leg.call)
        if leg.session is not None:
            self._stack.hang_up(leg.session, now, reason)
        for session in leg.ringing_sessions:
            self._stack.hang_up(session, now, reason)
        self.streams.close(leg, now)
        self.failover.left(leg)
        if leg.seat is not None:
            seat = leg.seat
            self.disengage(leg)
            if self.standing.by_seat:
                self.standing.freed(seat, now)
        leg.detach()

    def _bindings_changed(self, event: BindingsChanged, now: float) -> None:
        kind = "softphone" if event.user in self._settings.seats else "extension"
        self.events.put(PhoneChanged(kind, event.user, event.reachable))
        if event.reachable:
            self.standing.phone_came((kind, event.user), now)

    def _pass_on(self, event: Notice, now: float) -> None:
        """What signalling tells the operator is none of the calls' business."""
        self.events.put(event)

    # What an operator may see, and what must hold.

    def snapshot(self) -> dict[str, object]:
        """Return how many calls there are, by state."""
        states = dict.fromkeys(CallState, 0)
        for call in self.calls.values():
            states[call.state] += 1
        return {str(state): count for state, count in states.items() if count}

    def is_quiet(self) -> bool:
        """Return whether nothing is left of any call."""
        return is_quiet(self) and not self._engaged

    def check(self) -> None:
        """Assert what must hold between turns."""
        check(self.calls, self.streams.living, self.rings.offers, self.gate.total())
        self.consults.check()
        self.supervision.check()
        self.scripts.check()
        self.hearing.check()
        self.recordings.check()
        self.standing.check()
        self.voicemails.check()
        for seat, legs in self._engaged.items():
            assert legs, f"{seat} is engaged by nothing"
            assert all(leg.seat == seat and leg.call is not None for leg in legs), f"{seat} has a dead leg"
