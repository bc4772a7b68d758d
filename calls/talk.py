"""Talk: what the sides of a bridged call tell each other - holds and resumes, new audio, DTMF in INFO."""

from math import inf
from typing import TYPE_CHECKING

from calls.bridge import agree, codecs_for, is_held, mirrored
from calls.call import Call, CallState
from calls.events import CallChanged, HoldRecalled, SeatHold
from calls.keys import key_of
from calls.leg import Leg
from kernel.timers import TimerQueue
from media.plane import Plane
from media.telephony import DIGITS
from sip.events import InfoReceived, SessionConfirmed, SessionOffered, UpdateAnswered
from sip.grammar import SipError
from sip.stack import Stack

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

REMINDER = "builtin:reminder"


class Talk:
    """Re-INVITEs and INFO of the calls of one switchboard."""

    def __init__(self, board: "Switchboard", stack: Stack, plane: Plane, timers: TimerQueue) -> None:
        self._board = board
        self._stack = stack
        self._plane = plane
        self._timers = timers

    def session_confirmed(self, event: SessionConfirmed, now: float) -> None:
        """An ACK; it may bring the answer to our offer."""
        leg: Leg | None = event.session.user
        if leg is not None and event.sdp:
            self._take_answer(leg, event.sdp, now)
            self._board.recovery.note(leg.call)

    def session_offered(self, event: SessionOffered, now: float) -> None:
        """A re-INVITE: answer it at once, and let the other side know of a hold or a resume."""
        session, leg = event.session, event.session.user
        if leg is None or leg.call is None:
            self._stack.refuse_update(session, 481, now)
            return
        codecs = codecs_for(leg, self._board.plan.settings.codecs)
        if not event.sdp:
            self._stack.accept_update(session, leg.side.offer(leg.address, leg.port, codecs), now)
            return
        try:
            answer, agreement = leg.side.answer(event.sdp, leg.address, leg.port, codecs)
        except SipError as error:
            self._stack.refuse_update(session, error.status, now)
            return
        self._stack.accept_update(session, answer, now)
        before = leg.agreement
        agree(leg, agreement, self._plane, now)
        if before is None or before.direction != agreement.direction:
            self._pass_hold(leg.call, leg, now)

    def _pass_hold(self, call: Call, leg: Leg, now: float) -> None:
        other = call.callee if leg is call.caller_leg else call.caller_leg
        assert leg.agreement is not None
        if call.is_standing:
            self._board.standing.held(leg, held=is_held(leg.agreement))
            return
        if call.state is not CallState.TALKING or other is None or other.session is None:
            return
        if self._board.consults.is_joined(call):
            return  # the others go on talking: what one phone holds is its own affair
        if self._board.scripts.interacts(call):
            return  # neither hears the other now; it counts when they meet again
        held = is_held(leg.agreement) or call.is_parked
        call.note_hold(held, now)
        if is_held(leg.agreement):
            call.held_by = leg.stream
        settings, board = self._board.plan.settings, self._board
        board.supervision.touch_call(call)
        self.limit_hold(call, now)
        sdp = other.side.offer(
            other.address,
            other.port,
            codecs_for(other, settings.codecs),
            direction=mirrored(leg.agreement),
        )
        self._stack.update(other.session, sdp, now)
        for side in (leg, other):
            if side.seat is not None:
                board.events.put(SeatHold(side.seat, held))
        board.events.put(CallChanged(call.id, "held" if held else "talking"))

    def unhold(self, call: Call, now: float) -> None:
        """Note that a call is on hold no longer, for both its seats."""
        if not call.held:
            return
        call.note_hold(False, now)
        self._board.supervision.touch_call(call)
        self._timers.disarm(call.timer)
        call.timer = None
        for leg in call.legs():
            if leg.seat is not None:
                self._board.events.put(SeatHold(leg.seat, False))

    def limit_hold(self, call: Call, now: float) -> None:
        """Nobody hears a held call die: remind of it every so often, and end it some time."""
        self._timers.disarm(call.timer)
        call.timer = None
        settings = self._board.plan.settings
        if not call.held:
            return
        left = call.held_at + settings.hold_max - now if settings.hold_max else inf
        if settings.hold_recall and settings.hold_recall < left:
            name = f"recall {call.id}"
            call.timer = self._timers.arm_after(self._board, name, settings.hold_recall, now)
        elif left < inf:
            call.timer = self._timers.arm(self._board, f"hold {call.id}", max(left, 0.0) + now)

    def recall(self, call: Call, now: float) -> None:
        """A call has been on hold for long: tell of it, and remind the seat by a tone.

        A phone that holds by itself does not listen; a seat that consults about the call knows of it.
        """
        self.limit_hold(call, now)
        if call.id in self._board.consults.pending:
            return
        leg = next((each for each in call.legs() if each.stream == call.held_by), None)
        seat = "" if leg is None else leg.seat or ""
        self._board.events.put(HoldRecalled(call.id, seat, round(now - call.held_at, 3)))
        if leg is not None and call.is_parked:
            self._plane.play(leg.stream, (REMINDER,), now, loop_last=False)

    def update_answered(self, event: UpdateAnswered, now: float) -> None:
        """The answer to an offer of ours inside the session."""
        leg: Leg | None = event.session.user
        if leg is not None and event.sdp:
            self._take_answer(leg, event.sdp, now)

    def _take_answer(self, leg: Leg, sdp: bytes, now: float) -> None:
        try:
            agree(leg, leg.side.accept(sdp), self._plane, now)
        except SipError:
            if leg.call is not None and leg.agreement is None:
                self._board.end(leg.call, now, ended_by="switch", verdict="peer:no_common_audio", status=488)

    def info_received(self, event: InfoReceived, now: float) -> None:
        """An INFO goes to the other side, in a consultation to who hears the phone: a key as an event
        (RFC 4733), if that knows such, else as it is. Before there is another side, it may bring a key.
        """
        leg: Leg | None = event.session.user
        if leg is None or leg.call is None or leg.call.state is not CallState.TALKING:
            self._board.keys.info_received(leg, event, now)
            return
        if self._board.scripts.interacts(leg.call):
            self._board.keys.info_received(leg, event, now)
            return
        others, can_hear = self._board.consults.partners(leg), True
        if others is None:
            other, can_hear = leg.call.other(leg), not leg.call.is_parked
            others = () if other is None else (other,)
        key = key_of(event)
        is_key = len(key) == 1 and key in DIGITS and can_hear
        for other in others:
            if other.session is not None:
                if not is_key or not self._plane.send_digits(other.stream, key, now):
                    self._stack.info(other.session, event.content_type, event.body, now)
