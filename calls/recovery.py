"""Recovery: calls that survive the death of their switch.

While calls live, every turn that changes one leaves a state row of it: who it is, its dialogs and streams,
what rings for it. The next process takes them over as they were: streams open again on the same ports, who
waits goes on waiting, who talks goes on talking. A re-INVITE to each side shows whether it is still there;
a call of which one side has not answered it within :data:`RESUME_WITHIN` is ended on both.

What cannot go on is ended at once and leaves its row like any other call, with the verdict
:data:`INTERRUPTED`: callers whose INVITE had no final answer get 503, phones that rang get CANCEL.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from calls.bridge import codecs_for, is_held, remote_media
from calls.call import Call, CallState
from calls.leg import Leg, LegState
from kernel.ids import CallId, OfferId, QueueName, SeatId
from kernel.staterows import CallStateRow, InviteState
from kernel.staterows import LegState as LegKept
from kernel.timers import Timer, TimerQueue
from kernel.walltime import WallTime
from media.plane import Plane
from sip.events import SessionOffered, UpdateAnswered, UpdateFailed
from sip.negotiation import AudioAgreement
from sip.restored import dialog_state, invite_state
from sip.stack import Stack

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

ASK_AGAIN_AFTER = 0.5  # seconds, where no connection leads to a side: it may be about to open the next one
RESUME_WITHIN = 4.0  # seconds both sides have to answer the re-INVITE: 5 s after the start all is clear
VERSION_JUMP = 1_000  # descriptions are not kept one by one: the next process counts on from far enough
INTERRUPTED = "us:interrupted"

_Handler = Callable[[Any, float], None]


class Conversation(msgspec.Struct, frozen=True):
    """A seat that was talking when the switch died, and still is."""

    seat: SeatId
    call: CallId
    queue: QueueName | None  # None: the call came through no queue
    since: float
    held: bool


class Recovery:
    """The memory of one switchboard."""

    def __init__(
        self, board: "Switchboard", stack: Stack, plane: Plane, timers: TimerQueue, walltime: WallTime
    ) -> None:
        self._board = board
        self._stack = stack
        self._plane = plane
        self._timers = timers
        self._walltime = walltime
        self.unsaved: dict[CallId, Call] = {}  # changed in this turn
        self._unproven: dict[CallId, list[Leg]] = {}  # who has not answered the re-INVITE yet
        self._deadlines: dict[CallId, Timer] = {}
        self._unheard: dict[CallId, list[Leg]] = {}  # to whom no connection leads now
        self._again: dict[CallId, Timer] = {}
        self._lost: list[tuple[Call, int]] = []  # calls that cannot go on, and what their callers are told

    # While calls live.

    def note(self, call: Call | None) -> None:
        """A call has changed: it is written down when the turn ends."""
        if call is not None:
            self.unsaved[call.id] = call

    def watch(self, on_sip: dict[type, _Handler]) -> None:
        """Hear, too, what ``on_sip`` tells the switchboard of sessions that change."""
        for event, heard in (
            (SessionOffered, self._changed),
            (UpdateAnswered, self._update_answered),
            (UpdateFailed, self._update_failed),
        ):
            on_sip[event] = _both(on_sip[event], heard)

    def save(self) -> None:
        """Write a state row of every call that has changed in this turn and lives."""
        living, rows = self._board.calls, self._board.rows
        for call in self.unsaved.values():
            if living.get(call.id) is call or _was_never_placed(call):
                rows.put(self._state(call))
        self.unsaved.clear()

    def living(self) -> list[CallStateRow]:
        """Return the state rows of all living calls."""
        return [self._state(call) for call in self._board.calls.values()]

    def _state(self, call: Call) -> CallStateRow:
        epoch = self._walltime.epoch
        caller, joined_at, answered_at = call.caller_leg, call.joined_at, call.answered_at
        arrived = None
        if caller is not None and caller.state is not LegState.ANSWERED and caller.session is not None:
            arrived = invite_state(caller.session)
        rings: list[InviteState] = []
        handovers: list[LegKept] = []
        for ring in call.rings:
            kept = _kept(ring)
            if kept is not None:
                handovers.append(kept)
            for session in ring.ringing_sessions:
                state = invite_state(session)
                if state is not None:
                    rings.append(state)
        leading = self._board.scripts.leading
        script = call.script if call.state is CallState.SCRIPT else ""
        led_by, led = "", b""
        if leading.away:
            script = script or leading.script_of(call)
            led_by, led = leading.written(call)
        return CallStateRow(
            call.id,
            call.tenant,
            call.direction,
            call.caller,
            call.called,
            call.trunk,
            call.entry,
            call.queue or "",
            epoch(call.arrived_at),
            None if joined_at is None else epoch(joined_at),
            None if answered_at is None else epoch(answered_at),
            epoch(call.held_at) if call.held else None,
            call.held_for,
            call.resumed,
            call.is_callback,
            None if caller is None else _kept(caller),
            None if call.callee is None else _kept(call.callee),
            arrived,
            tuple(rings),
            call.seat or "",
            call.caller_name,
            tuple(handovers),
            script,
            call.runs,
            call.visits,
            call.recording,
            led_by,
            led,
        )

    # After the death of the process before.

    def restore(self, rows: Sequence[CallStateRow], now: float) -> list[Call]:
        """Take calls over and return those that go on; nobody is told anything yet.

        What rang, or had answered and was not bridged yet, is called off at once.
        """
        going_on: list[Call] = []
        for row in rows:
            for ring in row.rings:
                session = self._stack.restore_invite(ring, now)
                if session is not None:
                    self._stack.hang_up(session, now)
            for kept in row.handovers:
                session = self._stack.restore_dialog(kept.dialog, now)
                if session is not None:
                    self._stack.hang_up(session, now)
            call = self._build(row, now)
            if _was_never_placed(call):
                self.note(call)
                continue
            self._board.adopt(call)
            if self._reopen(call, row, now):
                going_on.append(call)
                self._unproven[call.id] = [leg for leg in call.legs() if leg.session is not None]
                if row.led_by:
                    self._board.scripts.restore(call, row.led_by, row.led, now)
            else:
                call.joined_at = None  # its visit is ended by distribution itself
                if call.state is not CallState.TALKING:
                    call.state = CallState.ARRIVED
                self._lost.append((call, 503))
            if row.arrived is not None and call.caller_leg is not None:
                session = self._stack.restore_invite(row.arrived, now)
                call.caller_leg.session = session
                if session is not None:
                    session.user = call.caller_leg
            self.note(call)
        return going_on

    def conversations(self) -> list[Conversation]:
        """Return who talks in the calls that were taken over, whether they go on or not."""
        return [
            Conversation(
                leg.seat,
                call.id,
                call.queue if leg.offer is not None else None,
                call.arrived_at if call.answered_at is None else call.answered_at,
                call.held,
            )
            for call in self._board.calls.values()
            for leg in call.legs()
            if leg.seat is not None
        ]

    def resume(self, now: float) -> None:
        """End what cannot go on; ask both sides of the rest whether they are still there."""
        lost, self._lost = self._lost, []
        for call, status in lost:
            self._board.end(call, now, ended_by="switch", verdict=INTERRUPTED, status=status)
        for call_id, legs in list(self._unproven.items()):
            name = f"resume {call_id}"
            self._deadlines[call_id] = self._timers.arm_after(self, name, RESUME_WITHIN, now)
            for leg in legs:
                self._ask(leg, now)
            call = self._board.calls[call_id]
            if call.script:
                self._board.scripts.begin(call, call.script, now)

    def _ask(self, leg: Leg, now: float) -> None:
        """Ask one side by re-INVITE whether it is still there."""
        direction = "sendrecv" if leg.agreement is None else leg.agreement.direction
        codecs = codecs_for(leg, self._board.plan.settings.codecs)
        sdp = leg.side.offer(leg.address, leg.port, codecs, direction=direction)
        assert leg.session is not None
        self._stack.update(leg.session, sdp, now)

    def cause_of(self, call: Call, cause: str) -> str:
        """Return why a waiting call is gone: one that nobody has heard of since the restart did not give up.
        """
        return "interrupted" if call.id in self._unproven else cause

    def ended(self, call: Call) -> None:
        """A call has ended: its row is what is kept of it."""
        self.unsaved.pop(call.id, None)
        if _was_never_placed(call):
            self.note(call)  # it has no row: a state row without rings says that it is over
        self.forget(call)

    def forget(self, call: Call) -> None:
        """Nobody is waited for any more."""
        if self._unproven.pop(call.id, None) is not None:
            self._timers.disarm(self._deadlines.pop(call.id, None))
            self._timers.disarm(self._again.pop(call.id, None))
            self._unheard.pop(call.id, None)

    def is_quiet(self) -> bool:
        """Return whether no call is waited for."""
        return not (self._unproven or self._lost)

    def on_timer(self, name: str, now: float) -> None:
        """One side has not answered in time: both are hung up. Or it is asked again."""
        what, _, call_id = name.partition(" ")
        call = self._board.calls.get(CallId(call_id))
        if what == "again":
            del self._again[CallId(call_id)]
            for leg in self._unheard.pop(CallId(call_id), ()):
                self._ask(leg, now)
        elif call is not None:
            del self._deadlines[call.id]
            self._board.end(
                call, now, ended_by="switch", verdict=INTERRUPTED, status=200, cause="interrupted"
            )

    def _build(self, row: CallStateRow, now: float) -> Call:
        monotonic = self._walltime.monotonic
        call = Call(CallId(row.call), monotonic(row.arrived_at))
        call.tenant, call.direction = row.tenant, row.direction
        call.caller, call.called, call.caller_name = row.caller, row.called, row.caller_name
        call.trunk, call.entry, call.queue = row.trunk, row.entry, QueueName(row.queue) if row.queue else None
        call.joined_at = None if row.joined_at is None else monotonic(row.joined_at)
        call.answered_at = None if row.answered_at is None else monotonic(row.answered_at)
        call.held_for, call.resumed, call.is_callback = row.held_for, row.resumed + 1, row.is_callback
        call.runs, call.visits, call.recording = row.runs, row.visits, row.recording
        if row.held_at is not None:
            call.held, call.held_at = True, monotonic(row.held_at)
        if row.caller_leg is not None:
            call.caller_leg = self._leg(call, row.caller_leg, now)
        elif row.arrived is not None:
            call.caller_leg = self._board.streams.new_leg(call, row.caller, LegState.ARRIVED)
            call.caller_leg.trunk = row.trunk
        if row.callee_leg is not None and call.answered_at is not None:
            call.callee = self._leg(call, row.callee_leg, now)
            call.state = CallState.TALKING
            seat_leg = call.caller_leg if call.is_callback else call.callee
            call.seat = SeatId(row.seat) if row.seat else None if seat_leg is None else seat_leg.seat
        elif row.script:
            call.script, call.state = row.script, CallState.ARRIVED  # where its script begins once more
        else:
            call.state = CallState.WAITING
            call.seat = SeatId(row.seat) if row.seat else None  # of who was rating it
        return call

    def _leg(self, call: Call, kept: LegKept, now: float) -> Leg:
        leg = self._board.streams.new_leg(call, kept.number, LegState.ANSWERED)
        leg.phone = (kept.phone_kind, kept.phone_number)
        leg.seat = SeatId(kept.seat) if kept.seat else None
        leg.offer = OfferId(kept.offer) if kept.offer else None
        leg.trunk = kept.trunk
        audio = kept.audio
        if audio is not None:
            leg.agreement = AudioAgreement(*msgspec.structs.astuple(audio))
        m_line = 0 if audio is None else audio.m_line
        version = kept.sdp_version + VERSION_JUMP
        leg.side.restore(kept.sdp_session, version, kept.sdp_lines, m_line, kept.sdp_types)
        leg.session = self._stack.restore_dialog(kept.dialog, now)
        if leg.session is not None:
            leg.session.user = leg
        return leg

    def _reopen(self, call: Call, row: CallStateRow, now: float) -> bool:
        """Open the streams of a call again as they were; False if it cannot go on."""
        is_waiting = call.state is CallState.WAITING and call.joined_at is not None and not call.is_callback
        if call.state is not CallState.TALKING and not is_waiting and not call.script:
            return False
        legs = call.legs()
        if any(leg.session is None for leg in legs) or (call.callee is not None and len(legs) < 2):
            return False  # who was consulted has nobody to talk to any more
        kept = [state for state in (row.caller_leg, row.callee_leg) if state is not None]
        for leg, state in zip(legs, kept, strict=False):
            if not self._board.streams.reopen(leg, state.port, now):
                return False
            if leg.agreement is not None:
                self._plane.set_remote(leg.stream, remote_media(leg.agreement), now)
        if call.callee is not None:
            self._plane.connect(legs[0].stream, legs[1].stream, now)
            if not any(leg.agreement is not None and is_held(leg.agreement) for leg in legs):
                call.note_hold(False, now)  # it was held at the desk alone
            self._board.talk.limit_hold(call, now)
        else:
            media = self._board.plan.queues.get(call.queue or "")
            if media is not None and media.music:
                self._plane.play(legs[0].stream, (media.music,), now)  # the welcome has been heard
            if media is not None:
                self._board.comfort.go_on(call, legs[0], media, now)
        return True

    # What tells that a side is there, or has changed.

    def _changed(self, event: SessionOffered, now: float) -> None:
        leg: Leg | None = event.session.user
        if leg is not None:
            self.note(leg.call)

    def _update_answered(self, event: UpdateAnswered, now: float) -> None:
        leg: Leg | None = event.session.user
        if leg is None or leg.call is None:
            return
        self.note(leg.call)
        self._proven(leg, leg.call)

    def _update_failed(self, event: UpdateFailed, now: float) -> None:
        leg: Leg | None = event.session.user
        if leg is None or leg.call is None:
            return
        call = leg.call
        # Who refuses the offer has the dialog; what fails on our side says nothing of theirs.
        if event.status < 500:
            self._proven(leg, call)
        elif leg in self._unproven.get(call.id, ()):
            self._unheard.setdefault(call.id, []).append(leg)
            if call.id not in self._again:
                name = f"again {call.id}"
                self._again[call.id] = self._timers.arm_after(self, name, ASK_AGAIN_AFTER, now)

    def _proven(self, leg: Leg, call: Call) -> None:
        unproven = self._unproven.get(call.id)
        if unproven is None or leg not in unproven:
            return
        unproven.remove(leg)
        if not unproven:
            self.forget(call)
            self._board.log.put(("call resumed", {"call": call.id, "state": call.state.value}))


def _was_never_placed(call: Call) -> bool:
    """A callback for which seats ring, and that none has taken."""
    return call.is_callback and call.caller_leg is None


def _both(first: _Handler, second: _Handler) -> _Handler:
    def handle(event: Any, now: float) -> None:
        first(event, now)
        second(event, now)

    return handle


def _kept(leg: Leg) -> LegKept | None:
    """Return what is kept of an answered leg."""
    session = leg.session
    if session is None or leg.state is not LegState.ANSWERED:
        return None
    dialog = dialog_state(session)
    if dialog is None:
        return None
    session_id, version, lines, types = leg.side.kept()
    return LegKept(
        leg.number,
        *leg.phone,
        leg.seat or "",
        leg.offer or "",
        leg.trunk,
        leg.address,
        leg.port,
        dialog,
        leg.agreement,
        session_id,
        version,
        lines,
        types,
    )
