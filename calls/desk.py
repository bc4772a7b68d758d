"""The desk: call control from the agent's screen, for phones that have no such buttons.

Hold and mute are ours alone: the media plane plays to the other side instead of passing the seat on, and no
phone is told. What a phone does by itself (re-INVITE, REFER) goes on beside it. A call that is held at the
desk talks again when it is taken from hold, transferred, or taken over by another process.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from calls.bridge import is_held
from calls.call import Call, CallState
from calls.controls import (
    CallAnswered,
    CallHeld,
    CallMuted,
    CallRefused,
    CallTagged,
    CallUnheld,
    ConsultAsked,
    ConsultEnded,
    ConsultJoined,
    Control,
    DialAsked,
    DigitsPressed,
    InteractAsked,
    ModeSwitched,
    RecordingAsked,
    SupervisionAsked,
    SurveyAsked,
    TakeoverAsked,
    TransferAsked,
)
from calls.events import CallChanged, SeatHold
from calls.leg import Leg
from calls.ringing import AUTO_ANSWER, ELSEWHERE, invitations, ring_headers
from calls.routing import Refusal, Route
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from media.plane import KEY_FOR, Plane
from sip.stack import Stack

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

MUSIC = "builtin:music"
SILENCE = "builtin:silence"
_WORDS = {403: "CALL_RIGHT", 404: "NO_SUCH_TARGET", 486: "TARGET_BUSY", 480: "TENANT_SUSPENDED"}


class CallDesk:
    """The desks of one switchboard's seats."""

    def __init__(self, board: "Switchboard", stack: Stack, plane: Plane) -> None:
        self._board = board
        self._stack = stack
        self._plane = plane
        self._on: dict[type, Callable[[Any, float], None]] = {
            CallRefused: self._refuse,
            CallAnswered: self._answer,
            CallHeld: self._hold,
            CallUnheld: self._unhold,
            CallMuted: self._mute,
            DigitsPressed: self._press,
            CallTagged: self._tag,
            TransferAsked: self._transfer,
            SurveyAsked: board.surveys.ask,
            InteractAsked: board.scripts.interact,
            RecordingAsked: board.recordings.ask,
            ConsultAsked: self._consult,
            ConsultEnded: lambda what, now: board.consults.end(
                self.call(what.call), what.seat, what.how, now
            ),
            ConsultJoined: lambda what, now: board.consults.join(self.call(what.call), what.seat, now),
            DialAsked: board.dials.place,
            SupervisionAsked: board.supervision.begin,
            ModeSwitched: board.supervision.switch,
            TakeoverAsked: board.supervision.take_over,
        }

    def handle(self, what: Control, now: float) -> None:
        """Do what is asked; OperationRefused says why not."""
        self._on[type(what)](what, now)

    def call(self, number: CallId) -> Call:
        """Return a living call."""
        call = self._board.calls.get(number)
        if call is None:
            raise OperationRefused("NO_SUCH_CALL", f"there is no call {number}")
        return call

    def talking(self, number: CallId, seat: SeatId) -> tuple[Call, Leg, Leg]:
        """Return a call in which ``seat`` talks, its leg and the other one."""
        call = self.call(number)
        leg = next((each for each in call.legs() if each.seat == seat), None)
        other = None if leg is None else call.other(leg)
        if call.state is not CallState.TALKING or leg is None or other is None:
            raise OperationRefused("NOT_IN_CALL", f"seat {seat} does not talk in call {number}")
        return call, leg, other

    # What rings.

    def _refuse(self, what: CallRefused, now: float) -> None:
        call = self.call(what.call)
        leg = next((each for each in call.rings if each.seat == what.seat), None)
        if leg is None:
            raise OperationRefused("NOT_RINGING", f"call {call.id} does not ring at seat {what.seat}")
        self._board.rings.failed(leg, 603, now)

    def _answer(self, what: CallAnswered, now: float) -> None:
        """Ring the phone anew with the request to answer at once: one that rings can be told nothing."""
        call, board = self.call(what.call), self._board
        leg = next((each for each in call.rings if each.seat == what.seat), None)
        if leg is not None and board.handover.accept(leg, now):
            return
        if leg is None or not leg.ringing_sessions:
            raise OperationRefused("NOT_RINGING", f"call {call.id} does not ring at seat {what.seat}")
        settings = board.plan.settings
        if leg.phone[0] == "pstn" or what.seat not in settings.auto_answer:
            message = f"the phone of seat {what.seat} is not one that can be told to answer (auto_answer)"
            raise OperationRefused("BAD_STATE", message)
        headers = tuple(dict.fromkeys(ring_headers(leg, call, settings) + AUTO_ANSWER))
        targets = invitations(leg, call, settings.domain, self._stack, headers)
        if not targets:
            raise OperationRefused("BAD_STATE", f"the phone of seat {what.seat} has gone")
        sessions, leg.ringing_sessions = leg.ringing_sessions, []
        for session in sessions:
            session.user = None
            self._stack.hang_up(session, now, ELSEWHERE)
        leg.targets = targets
        board.rings.invite(leg, now)

    # Hold, mute, keys, tags.

    def _hold(self, what: CallHeld, now: float) -> None:
        call, leg, other = self.talking(what.call, what.seat)
        if call.held:
            raise OperationRefused("ALREADY_HELD", f"call {call.id} is on hold")
        if call.id in self._board.consults.pending:
            raise OperationRefused("BAD_STATE", f"call {call.id} is a talk of three")
        if self._board.scripts.interacts(call):
            raise OperationRefused("BAD_STATE", f"the caller of call {call.id} is in a script")
        self.hold(call, leg, other, now)

    def hold(self, call: Call, leg: Leg, other: Leg, now: float) -> None:
        """Let ``other`` hear music, and ``leg`` nothing."""
        call.is_parked, call.held_by = True, leg.stream
        self._plane.disconnect(leg.stream, now)
        queue = self._board.plan.queues.get(call.queue or "")
        music = queue.music if queue is not None and queue.music else MUSIC
        self._plane.play(other.stream, (music,), now)
        self._say_held(call, now, held=True)

    def _unhold(self, what: CallUnheld, now: float) -> None:
        call, leg, other = self.talking(what.call, what.seat)
        if self._board.scripts.take_back(call, now):
            return
        if call.is_parked and call.id in self._board.consults.pending:
            raise OperationRefused("BAD_STATE", f"call {call.id} is on hold for a consultation")
        if not call.is_parked:
            why = "by a phone, which must end it" if call.held else "not"
            raise OperationRefused("NOT_HELD", f"call {call.id} is on hold {why}")
        self.unhold(call, leg, other, now)

    def unhold(self, call: Call, leg: Leg, other: Leg, now: float) -> None:
        """Let both hear each other again."""
        call.is_parked = False
        self._plane.connect(leg.stream, other.stream, now)
        if call.is_muted:
            self._plane.play(other.stream, (SILENCE,), now)
        held = any(each.agreement is not None and is_held(each.agreement) for each in (leg, other))
        self._say_held(call, now, held=held)

    def _say_held(self, call: Call, now: float, *, held: bool) -> None:
        call.note_hold(held, now)
        self._board.talk.limit_hold(call, now)
        self._board.supervision.touch_call(call)
        for side in call.legs():
            if side.seat is not None:
                self._board.events.put(SeatHold(side.seat, held))
        self._board.events.put(CallChanged(call.id, "held" if held else "talking"))

    def _mute(self, what: CallMuted, now: float) -> None:
        call, _, other = self.talking(what.call, what.seat)
        if call.is_muted == what.muted:
            return
        call.is_muted = what.muted
        self._board.supervision.touch_call(call)
        if call.is_parked or self._board.scripts.interacts(call):
            return  # it hears the music or the script, and silence after that
        if not what.muted:
            self._plane.stop(other.stream, now)
        elif not self._board.consults.is_joined(call):
            self._plane.play(other.stream, (SILENCE,), now)
        self._board.consults.tune(call, now)

    def _press(self, what: DigitsPressed, now: float) -> None:
        call, leg, other = self.talking(what.call, what.seat)
        others = self._board.consults.partners(leg)
        if others is None:
            others = () if call.is_parked or self._board.scripts.interacts(call) else (other,)
        if not any(one.session is not None for one in others):
            raise OperationRefused("NO_BRIDGE", f"nobody hears seat {what.seat} in call {call.id}")
        for one in others:
            if one.session is None or self._plane.send_digits(one.stream, what.digits, now):
                continue
            for digit in what.digits:
                body = f"Signal={digit}\r\nDuration={KEY_FOR}\r\n".encode()
                self._stack.info(one.session, "application/dtmf-relay", body, now)

    def _tag(self, what: CallTagged, now: float) -> None:
        self.call(what.call).tag = what.tag

    # Transfer and consultation.

    def _transfer(self, what: TransferAsked, now: float) -> None:
        call, leg, other = self.talking(what.call, what.seat)
        self._may_move(call)
        route = self.route(what.seat, what.to)
        credit = 0.0
        if call.joined_at is not None and call.answered_at is not None:
            credit = call.answered_at - call.joined_at
        self._board.transfers.hand_on(call, leg, other, route, credit, now)

    def _consult(self, what: ConsultAsked, now: float) -> None:
        call, leg, other = self.talking(what.call, what.seat)
        self._may_move(call)
        route = self.route(what.seat, what.to)
        if route.phone is None:
            raise OperationRefused("NO_SUCH_TARGET", f"{what.to} is nobody to talk to before the transfer")
        self._board.consults.begin(call, leg, other, route, now)

    def _may_move(self, call: Call) -> None:
        if self._board.transfers.is_moving(call):
            why = "is being transferred, consulted about, or in a script"
            raise OperationRefused("BAD_STATE", f"call {call.id} {why}")

    def route(self, seat: SeatId, to: str) -> Route:
        """Return where ``to`` leads for ``seat``, with room for a call there."""
        route = self._board.plan.to_target(seat, to)
        if isinstance(route, Refusal):
            raise OperationRefused(_WORDS.get(route.status, "NO_SUCH_TARGET"), f"{to}: {route.verdict}")
        if route.phone is not None and not self._board.can_ring(route.phone):
            raise OperationRefused("TARGET_BUSY", f"{to} is in a call, or its phone cannot be rung")
        return route
