"""The node: one whole switch without a socket or a clock. The same object in the daemon and in the simulator.

It owns the timer queue and wires the floors: distribution and signalling meet in the two tables ``_on_call``
(what calls tell becomes what the engine is told) and ``_on_command`` (what the engine asks becomes a verb of
calls), and nowhere else. Every input is one turn; a turn ends when no floor has anything left to say to
another.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from acd.commands import (
    ChangeQueue,
    CloseLine,
    KickOut,
    OpenLine,
    PlaceCall,
    ReleaseCall,
    RingSeat,
    WithdrawOffer,
)
from acd.engine import Engine
from acd.events import (
    CallbackChanged,
    HandleLimitReached,
    QueueChanged,
    SeatChanged,
    WaitLimitReached,
)
from acd.inputs import (
    CallbackAnswered,
    CallbackBooked,
    CallbackFailed,
    CallJoined,
    CallLeft,
    DrainBegan,
    Input,
    KeyChosen,
    LineChanged,
    OfferAnswered,
    OfferFailed,
    OfferMissed,
    OfferPickedUp,
    OfferRang,
    OfferRefused,
    OfferTaken,
    PhoneReachable,
    Reconfigured,
    SeatEngaged,
    SeatHeld,
    TalkEnded,
)
from calls.catalogue import Catalogue
from calls.controls import Control
from calls.events import (
    CallbackWanted,
    CallChanged,
    CallGone,
    CallQueued,
    CustomerAnswered,
    CustomerFailed,
    HoldRecalled,
    KeyPressed,
    LineMoved,
    PhoneChanged,
    ScriptEnded,
    SeatAnswered,
    SeatFailed,
    SeatFreed,
    SeatHold,
    SeatMissed,
    SeatPickedUp,
    SeatRang,
    SeatRefused,
    SeatTaken,
    SeatTook,
    SupervisionChanged,
    SurveyEnded,
    VoicemailLeft,
)
from calls.numbers import Numbers
from calls.switchboard import Switchboard
from config.schema import Settings
from kernel.chance import Chance
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, RecordingId, SeatId
from kernel.outbox import Outbox
from kernel.rows import OperationRow, RecordingRow, VoicemailRow
from kernel.staterows import JournalRow, StateRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from media.events import NO_FILES, Written
from media.plane import Plane
from seatswitch.news import EventLog
from seatswitch.notices import Notices
from seatswitch.restoring import restore
from seatswitch.snapshot import Views
from seatswitch.voicemails import Lamps, Voicemails, booking_of
from sip.events import DigestRefused, NameUnresolved, SourceBanned, StraysSeen, TrunkChanged
from sip.flows import Flow
from sip.resolve import Answer, Question
from sip.stack import Stack

RETRY_AFTER = 10  # seconds a refused caller is asked to stay away
_UNSAVED = ("ringing", "ended")  # of calls: what is kept of them does not change, or is kept no more
LAG_HIGH = 0.25  # a loop this late (seconds) takes no new calls
LAG_LOW = 0.1  # until it is this punctual again


class Node:
    """One switch."""

    def __init__(self, settings: Settings, chance: Chance, offset: float, now: float) -> None:
        self.settings = settings
        self.chance = chance
        self.walltime = WallTime(offset)
        self.timers = TimerQueue()
        self.started_at = now
        # What any part leaves for the journal and for the operator, in the order in which it happens.
        self.rows: Outbox[JournalRow] = Outbox()
        self.log: Outbox[tuple[str, dict[str, Any]]] = Outbox()
        timers, walltime, rows, log = self.timers, self.walltime, self.rows, self.log
        self.stack = Stack(settings.sip, timers, chance, walltime, rows)
        self.plane = Plane(settings.media, timers, chance)
        self._numbers = Numbers(settings.calls.country)
        self.engine = Engine(
            settings.acd, timers, chance, walltime, now=now, numbers=self._numbers, rows=rows, log=log
        )
        self.switchboard = Switchboard(
            settings.calls, self.stack, self.plane, timers, chance, walltime, self.engine, rows, log
        )
        self.voicemails = Voicemails(settings.calls.voicemail, timers, walltime, rows)
        self.removals = self.voicemails.removals  # files of recordings that are to go
        self.looks = self.plane.recordings.looks  # recordings whose files are to be looked at
        self.views = Views(self.engine, self.switchboard, self.stack, self.walltime)
        self.kicked: Outbox[tuple[SeatId, str]] = Outbox()
        # Numbers of an earlier run are all smaller, unless it told more than a thousand events a second.
        self.news = EventLog(int(self.walltime.epoch(now) * 1000))
        self.notices = Notices(self.log, self.news)
        self.is_draining = False
        self.lag = 0.0
        self._overloaded = False
        # The boxes that every turn looks into.
        self._sip_events, self._media_events = self.stack.events, self.plane.events
        self._call_events, self._acd_commands = self.switchboard.events, self.engine.commands
        self._acd_events, self._messages = self.engine.events, self.voicemails.events
        self._unsaved = self.switchboard.recovery.unsaved
        self._supervised = self.switchboard.supervision.moved
        self._taped = self.switchboard.recordings.moved
        self._awaited = self.switchboard.supervision.waiting
        self._watched, self._lamps_changed = self.stack.watchers.watched, self.switchboard.lines.changed
        self.stack.watchers.lamp_of = self.views.lamp
        Lamps(self.voicemails, self.engine, self.stack, self._lamps_changed)
        self._on_sip = self.switchboard.on_sip
        self._on_call = self._build_calls()
        self._on_command = self._build_commands()

    def _build_calls(self) -> dict[type, Callable[[Any, float], None]]:
        """Return what calls tell, and what the engine is told then."""
        return {
            CallQueued: self._call_queued,
            CallGone: lambda event, now: self.engine.handle(CallLeft(event.call, event.cause), now),
            SeatRang: lambda event, now: self.engine.handle(OfferRang(event.offer), now),
            SeatAnswered: lambda event, now: self.engine.handle(OfferAnswered(event.offer), now),
            SeatPickedUp: lambda event, now: self.engine.handle(
                OfferPickedUp(event.offer, event.within), now
            ),
            SeatTook: lambda event, now: self.engine.handle(OfferTaken(event.offer, event.within), now),
            SeatMissed: lambda event, now: self.engine.handle(OfferMissed(event.offer), now),
            SeatRefused: lambda event, now: self.engine.handle(OfferRefused(event.offer, event.status), now),
            SeatFailed: lambda event, now: self.engine.handle(OfferFailed(event.offer, event.status), now),
            SeatTaken: lambda event, now: self.engine.handle(
                SeatEngaged(event.seat, event.call, event.activity), now
            ),
            SeatHold: lambda event, now: self.engine.handle(SeatHeld(event.seat, event.held), now),
            HoldRecalled: self._hold_recalled,
            SeatFreed: lambda event, now: self.engine.handle(
                TalkEnded(event.seat, event.call, event.bridged, event.cause), now
            ),
            PhoneChanged: lambda event, now: self.engine.handle(
                PhoneReachable(event.kind, event.number, event.reachable), now
            ),
            LineMoved: lambda event, now: self.engine.handle(LineChanged(event.seat, event.is_up), now),
            SurveyEnded: self.notices.survey_ended,
            ScriptEnded: self.notices.script_ended,
            CallbackWanted: self._callback_wanted,
            VoicemailLeft: self._voicemail_left,
            CustomerAnswered: lambda event, now: self.engine.handle(CallbackAnswered(event.call), now),
            CustomerFailed: lambda event, now: self.engine.handle(
                CallbackFailed(event.call, event.outcome, event.status), now
            ),
            KeyPressed: lambda event, now: self.engine.handle(KeyChosen(event.call, event.key), now),
            CallChanged: self._call_changed,
            SupervisionChanged: self.notices.supervision_changed,
            DigestRefused: self.notices.digest_refused,
            SourceBanned: self.notices.source_banned,
            StraysSeen: self.notices.strays_seen,
            TrunkChanged: self._trunk_changed,
            NameUnresolved: self.notices.name_unresolved,
        }

    def _build_commands(self) -> dict[type, Callable[[Any, float], None]]:
        """Return what the engine may ask, and the verb of calls that does it."""
        return {
            RingSeat: self._ring_seat,
            PlaceCall: lambda what, now: self.switchboard.callbacks.place(
                what.call, what.queue, what.tenant, what.number, what.display, what.ring_for, now
            ),
            ChangeQueue: lambda what, now: self.switchboard.comfort.change_queue(what.call, what.queue, now),
            WithdrawOffer: lambda what, now: self.switchboard.rings.withdraw(what.offer, what.cause, now),
            ReleaseCall: lambda what, now: self.switchboard.release(
                what.call, what.outcome, what.cause, now, what.target, self.engine.visits_of(what.call)
            ),
            OpenLine: lambda what, now: self.switchboard.standing.open(
                what.seat, (what.phone_kind, what.phone_number), now
            ),
            CloseLine: lambda what, now: self.switchboard.standing.close(what.seat, now),
            KickOut: lambda what, now: self.kicked.put((what.seat, what.session)),
        }

    # Inputs: each is one turn.

    def receive_datagram(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one UDP datagram of the SIP side."""
        self.stack.receive_datagram(data, flow, now)
        self.settle(now)

    def receive_stream(self, data: bytes, flow: Flow, now: float) -> None:
        """Take bytes of a SIP connection."""
        self.stack.receive_stream(data, flow, now)
        self.settle(now)

    def flow_closed(self, flow: Flow, now: float) -> None:
        """A SIP connection is gone."""
        self.stack.flow_closed(flow, now)
        self.settle(now)

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Nothing can be sent to ``flow``."""
        self.stack.flow_failed(flow, now)
        self.settle(now)

    def flow_verified(self, flow: Flow, names: tuple[str, ...], now: float) -> None:
        """The peer of a SIP connection has shown a certificate that is good for ``names``."""
        self.stack.flow_verified(flow, names)

    def name_answered(self, question: Question, answer: Answer, now: float) -> None:
        """Take what the domain name system says to a question of the SIP side."""
        self.stack.name_answered(question, answer, now)
        self.settle(now)

    def receive_worker(self, worker: int, message: bytes, now: float) -> None:
        """Take one message of a media worker."""
        self.plane.receive_worker(worker, message, now)
        self.settle(now)

    def worker_started(self, worker: int, now: float) -> None:
        """A media worker is there to be told."""
        self.plane.worker_started(worker, now)
        self.settle(now)

    def worker_lost(self, worker: int, now: float) -> None:
        """A media worker died."""
        self.log.put(("media worker lost", {"worker": worker}))
        self.plane.worker_lost(worker, now)
        self.settle(now)

    def handle(self, what: Input, now: float) -> None:
        """Take a seat operation; raises OperationRefused with the word of the API."""
        try:
            self.engine.handle(what, now)
        finally:
            self.settle(now)

    def control(self, what: Control, now: float) -> None:
        """Do what a seat's desk asks of a call; raises OperationRefused with the word of the API."""
        try:
            self.switchboard.desk.handle(what, now)
        finally:
            self.settle(now)

    def hang_up(
        self, call: CallId, cause: str, now: float, ended_by: str = "switch", seat: SeatId | None = None
    ) -> None:
        """End a call, for the ``seat`` that hangs up if one does; NO_SUCH_CALL if there is none."""
        self.switchboard.hang_up(call, cause, now, ended_by, seat)
        self.settle(now)

    def record(
        self,
        what: str,
        by: str,
        tenant: str,
        now: float,
        *,
        seat: str = "",
        call: str = "",
        queue: str = "",
        detail: str = "",
        supervises: str = "",
    ) -> None:
        """Leave a row and an event of what somebody with more rights than an agent has done. Of whoever
        listens to the seat ``supervises`` no agent hears.
        """
        at = self.walltime.epoch(now)
        self.rows.put(OperationRow(self.chance.token(), at, tenant, by, what, seat, call, queue, detail))
        told = {"what": what, "by": by, "tenant": tenant, "seat": seat or None, "call": call or None}
        if supervises:
            told["supervises"] = supervises
        self.news.put("supervisor", partial(dict, told, queue=queue or None, detail=detail), now)

    def mark_voicemail(
        self, voicemail: str, state: str, remark: str | None, by: str, now: float
    ) -> VoicemailRow:
        """Say what was done with a voicemail; NO_SUCH_VOICEMAIL if there is none."""
        try:
            return self.voicemails.mark(voicemail, state, remark, by, now)
        finally:
            self.settle(now)

    def end_all(self, now: float) -> None:
        """End every call: the switch stops now."""
        self.switchboard.end_all(now)
        self.settle(now)

    def set_clock(self, offset: float) -> None:
        """Take the offset of wall time to the monotonic clock."""
        self.walltime.set_offset(offset)
        self.engine.set_clock()

    def reconfigure(self, settings: Settings, now: float) -> None:
        """Take new settings; calls, sign-ins, places in queue and counters stay."""
        self.settings = settings
        self.stack.reconfigure(settings.sip, now)
        self.plane.reconfigure(settings.media, now)
        self.switchboard.reconfigure(settings.calls)
        self._numbers.read_as(settings.calls.country)
        self.engine.handle(Reconfigured(settings.acd), now)
        self._note("reloaded", now)
        self.voicemails.configure(settings.calls.voicemail, now)
        self.log.put(("configuration reloaded", {}))
        self.settle(now)

    def start(self, now: float) -> None:
        """The sockets are open: register at carriers, and ask whether they are there."""
        self.stack.peers.start(now)
        self._note("started", now)
        self.settle(now)

    def _note(self, what: str, now: float) -> None:
        """Leave a row of what the switch itself has done."""
        at = self.walltime.epoch(now)
        self.rows.put(OperationRow(f"{what}.{int(at * 1000)}", at, "", "switch", what, "", "", "", ""))

    def drain(self, now: float) -> None:
        """Take no new calls from now on; those there are go on. Carriers are told to send no more."""
        self.is_draining = True
        self.stack.peers.stop(now)
        self._set_refusal()
        self.engine.handle(DrainBegan(), now)
        self.switchboard.supervision.stop_following(now)
        self.switchboard.standing.hold(now)
        self.news.put("switch", lambda: {"draining": True}, now)
        self.settle(now)

    def leave(self, now: float) -> None:
        """The last turn: who watches lamps goes on at the switch that comes next."""
        self.stack.watchers.stop(now)
        self.settle(now)

    def note_lag(self, lag: float, now: float) -> None:
        """Take the measured lateness of the loop: a late switch refuses new calls until it has caught up."""
        self.lag = lag
        if lag > LAG_HIGH or (self._overloaded and lag > LAG_LOW):
            if not self._overloaded:
                self.log.put(("overloaded, new calls are refused", {"lag": round(lag, 3)}))
            self._overloaded = True
        elif self._overloaded:
            self.log.put(("no longer overloaded", {"lag": round(lag, 3)}))
            self._overloaded = False
        self._set_refusal()
        self.engine.roll(now)
        self.settle(now)

    def restore(
        self,
        rows: Sequence[JournalRow],
        now: float,
        died_at: float | None = None,
        files: Mapping[str, Written] = NO_FILES,
    ) -> None:
        """Take back what the store and the journal kept of the switch before, last seen alive at ``died_at``
        (epoch seconds), and what the ``files`` have of the recordings and voicemails that it was writing.
        """
        restore(self, rows, now, died_at, files)

    @property
    def catalogue(self) -> Catalogue:
        """Return the recordings whose files are closed."""
        return self.switchboard.recordings.catalogue

    def recordings_removed(self, rows: Sequence[RecordingRow], now: float) -> None:
        """Old recordings have been removed from the disk."""
        self.switchboard.recordings.removed(rows)
        self.settle(now)

    def recording_measured(self, recording: RecordingId, written: Written, now: float) -> None:
        """Somebody has looked at the file of a recording whose worker died."""
        self.plane.recordings.measured(recording, written)
        self.settle(now)

    def checkpoint(self) -> list[StateRow]:
        """Return the state rows of all that lives."""
        board = self.switchboard
        return [
            *board.recovery.living(),
            *board.recordings.state_rows(),
            *board.voicemails.state_rows(),
            *self.engine.living(),
        ]

    def handle_timers(self, now: float) -> None:
        """Fire every deadline that is due."""
        if self.timers.fire_due(now):
            self.settle(now)

    def next_deadline(self) -> float | None:
        """Return when to call :meth:`handle_timers`."""
        return self.timers.next_deadline()

    # What can be seen.

    def is_idle(self) -> bool:
        """Return whether no call is left, no file of one, and no carrier still to hear that we leave."""
        is_leaving = self.stack.peers.is_leaving()
        return not (self.switchboard.calls or is_leaving) and self.plane.recordings.is_quiet()

    def seat_view(self, seat: SeatId, now: float) -> dict[str, Any]:
        """Return a seat object."""
        return self.views.seat(seat, now)

    def seats_view(self, now: float, queue: str = "") -> list[dict[str, Any]]:
        """Return every seat object, or those that serve ``queue``."""
        return self.views.seats(now, queue)

    def supervised_by(self, who: str) -> list[SeatId]:
        """Return the seats that ``who`` (a seat, the name of a token, or a role) supervises."""
        return [seat for seat, it in self.switchboard.supervision.by_seat.items() if it.by == who]

    def supervision_view(self, seat: SeatId) -> dict[str, Any]:
        """Return whom a seat supervises, and who supervises it: parts of a seat object for supervisors."""
        return self.views.supervision(seat)

    def call_view(self, call: CallId, now: float) -> dict[str, Any]:
        """Return a call object."""
        return self.views.call(call, now)

    def calls_view(self, now: float) -> list[dict[str, Any]]:
        """Return every call object."""
        return self.views.calls(now)

    def queue_view(self, queue: str, now: float) -> dict[str, Any]:
        """Return a queue object."""
        return self.views.queue(queue, now)

    def queues_view(self, now: float) -> list[dict[str, Any]]:
        """Return every queue object."""
        return self.views.queues(now)

    def trunks_view(self, now: float) -> list[dict[str, Any]]:
        """Return every trunk object."""
        return self.views.trunks(now)

    def bans_view(self, now: float) -> list[dict[str, Any]]:
        """Return the hosts that guessed passwords, with the seconds left of each ban."""
        return [{"ip": host, "left": round(left, 3)} for host, left in self.stack.banned(now)]

    def lift_ban(self, host: str, now: float) -> bool:
        """Listen to ``host`` again; False if it was not banned."""
        return self.stack.lift_ban(host, now)

    def explain_call(self, call: CallId, now: float) -> dict[str, Any]:
        """Return why a call still waits, or where in a script its caller is."""
        living = self.switchboard.calls.get(call)
        script = None if living is None else self.switchboard.scripts.view(living)
        if script is not None:
            return self.engine.explain_call(call, now) | {"script": script}
        return self.engine.explain_call(call, now)

    def explain_seat(self, seat: SeatId, now: float) -> dict[str, Any]:
        """Return why a seat is not offered calls."""
        return self.engine.explain_seat(seat, now) | self.views.supervision(seat, "supervising")

    def snapshot(self, now: float) -> dict[str, Any]:
        """Return the state of the whole switch in a few numbers."""
        return {
            "uptime": round(now - self.started_at, 3),
            "draining": self.is_draining,
            "overloaded": self._overloaded,
            "lag": round(self.lag, 4),
            "calls": self.switchboard.snapshot(),
            "sip": self.stack.snapshot(),
            "media": self.plane.snapshot(),
            "distribution": self.views.distribution(),
            "scripts": {tenant: dict(counts) for tenant, counts in self.switchboard.scripts.counts.items()},
            "events": self.news.seq,
        }

    def is_quiet(self) -> bool:
        """Return whether nothing is left of any call on any floor."""
        return self.switchboard.is_quiet() and self.stack.is_quiet() and self.plane.is_quiet()

    def check(self) -> None:
        """Assert what must hold between turns, on every floor and between them."""
        self.stack.check()
        self.plane.check()
        self.engine.check()
        self.switchboard.check()
        self.voicemails.check()

    # Inside a turn.

    def settle(self, now: float) -> None:
        """Carry what floors say to each other until nobody has anything left to say."""
        sip_events, media_events = self._sip_events, self._media_events
        call_events, commands = self._call_events, self._acd_commands
        supervised, taped = self._supervised, self._taped
        if self._awaited and self._acd_events:
            self.switchboard.supervision.look(now)
        while sip_events or media_events or call_events or commands or supervised or taped:
            if sip_events:
                on_sip = self._on_sip
                for sip_event in sip_events.take():
                    on_sip[type(sip_event)](sip_event, now)
            if media_events:
                for media_event in media_events.take():
                    self.switchboard.handle_media(media_event, now)
            if call_events:
                on_call = self._on_call
                for call_event in call_events.take():
                    on_call[type(call_event)](call_event, now)
            if commands:
                for command in commands.take():
                    self._on_command[type(command)](command, now)
            if supervised:
                self.switchboard.supervision.settle(now)
            if taped:
                self.switchboard.recordings.settle(now)
            if self._awaited and self._acd_events:
                self.switchboard.supervision.look(now)
        if self._acd_events:
            self._tell(now)
        if self._messages:
            for what, view in self._messages.take():
                self.news.put("voicemail", partial(dict, view, what=what), now)
        if self._lamps_changed:
            self._show_lamps(now)
        if self._unsaved:
            self.switchboard.recovery.save()

    def _call_queued(self, event: CallQueued, now: float) -> None:
        """The engine first: a call that the queue refuses must not be answered."""
        joined = CallJoined(
            event.call, event.queue, event.caller, event.called, event.credit, event.skills, event.seat
        )
        self.engine.handle(joined, now)
        commands = self.engine.commands.take()
        is_taken = True
        sent_on: QueueName | None = None
        for command in commands:
            if isinstance(command, ReleaseCall):
                is_taken = is_taken and command.call != event.call
            elif isinstance(command, ChangeQueue) and command.call == event.call:
                # Its queue has sent it on at the door: what it hears first is the other's.
                sent_on = sent_on or command.queue
        if is_taken:
            self.switchboard.accept_queued(event.call, now, sent_on)
        for command in commands:
            self._on_command[type(command)](command, now)

    def _ring_seat(self, what: RingSeat, now: float) -> None:
        phone = (what.phone_kind, what.phone_number)
        self.switchboard.rings.ring_seat(what.offer, what.call, what.seat, what.queue, phone, now)

    def _call_changed(self, event: CallChanged, now: float) -> None:
        call = self.switchboard.calls.get(event.call)
        if call is not None:
            if event.state not in _UNSAVED:
                self._unsaved[event.call] = call
            if self._watched:
                for leg in call.legs():
                    self.switchboard.lines.note(leg)
        if not self.news.wanted:
            self.news.seq += 1
        elif event.state == "ended":
            data = {"call": event.call, "state": "ended", "tenant": event.tenant, "verdict": event.verdict}
            if event.supervises:
                data["supervises"] = event.supervises
            self.news.put("call", partial(dict, data), now)
        elif event.call in self.switchboard.calls:  # else it ended in this very turn, which is told next
            self.news.put("call", partial(self.views.call, event.call, now), now)

    def _trunk_changed(self, event: TrunkChanged, now: float) -> None:
        self.notices.trunk_changed(event, partial(self.views.trunk, event.trunk, now), now)

    def _tell(self, now: float) -> None:
        events = self._acd_events.take()
        if self._watched:
            for event in events:
                if type(event) is SeatChanged and event.seat in self._watched:
                    self._lamps_changed[event.seat] = True
        if not self.news.wanted:
            self.news.seq += len(events)
            return
        for event in events:
            if isinstance(event, SeatChanged):
                if event.seat not in self.engine.seats:
                    continue  # gone with a reload, and in this turn with its last call
                self.news.put("seat", partial(self.views.seat, event.seat, now), now)
            elif isinstance(event, CallbackChanged):
                self.news.put("callback", partial(dict, event.data, what=event.what), now)
            elif isinstance(event, HandleLimitReached):
                self._handled_too_long(event, now)
            elif isinstance(event, QueueChanged):
                data = {"queue": event.queue, "what": event.what, "call": event.call}
                if event.outcome:
                    data["outcome"] = event.outcome
                if event.seat:
                    data["seat"] = event.seat
                self.news.put("queue", partial(dict, data), now)
            elif isinstance(event, WaitLimitReached):
                told = {"queue": event.queue, "what": "waits_long", "call": event.call}
                self.news.put("queue", partial(dict, told, waited=event.waited, limit=event.limit), now)

    def _show_lamps(self, now: float) -> None:
        """Tell those who watch what has changed in this turn."""
        changed = list(self._lamps_changed)
        self._lamps_changed.clear()
        for number in changed:
            self.stack.watchers.changed(number, now)

    def _handled_too_long(self, event: HandleLimitReached, now: float) -> None:
        tenant = self.engine.seats[event.seat].tenant
        told = {"what": "handle_limit", "tenant": tenant, "limit": event.limit}
        told |= {"seat": event.seat, "call": event.call, "queue": event.queue or None}
        self.news.put("supervisor", partial(dict, told), now)
        if event.call in self.switchboard.calls:
            more = {"what": "handle_limit", "limit": event.limit}
            self.news.put("call", lambda: self.views.call(event.call, now) | more, now)

    def _callback_wanted(self, event: CallbackWanted, now: float) -> None:
        callback = self.chance.call_id()
        booked = CallbackBooked(callback, event.queue, event.number, display=event.called, booked_by="caller")
        try:
            self.engine.handle(booked, now)
        except OperationRefused:
            callback = CallId("")
        self.switchboard.scripts.booked(event.call, callback != "", now)

    def _voicemail_left(self, event: VoicemailLeft, now: float) -> None:
        """Put a message into its mailbox; where its queue says so, its caller is owed a call."""
        row = event.row
        self.voicemails.left(row, now)
        queue = self.switchboard.plan.queues.get(row.queue)
        if row.state != "new" or queue is None or not queue.voicemail_followup:
            return
        booked = booking_of(row, queue.voicemail_followup, self.chance.call_id())
        try:
            self.engine.handle(booked, now)
        except OperationRefused as refused:
            told = {"voicemail": row.voicemail, "why": refused.message}
            self.log.put(("a voicemail is followed up by nobody", told))

    def _hold_recalled(self, event: HoldRecalled, now: float) -> None:
        call = self.switchboard.calls.get(event.call)
        if call is None:
            return
        told = {"what": "hold_recall", "tenant": call.tenant, "held_for": event.held_for}
        told |= {"seat": event.seat or None, "call": event.call, "queue": call.queue}
        self.log.put(("call on hold for long", {"call": event.call, "held_for": event.held_for}))
        self.news.put("supervisor", partial(dict, told), now)
        more = {"what": "hold_recall", "held_for": event.held_for}
        self.news.put("call", lambda: self.views.call(event.call, now) | more, now)

    def _set_refusal(self) -> None:
        refuse = self.is_draining or self._overloaded
        self.stack.refuse_new = (503, RETRY_AFTER) if refuse else None
