"""Standing lines: the phone of a seat is called when its agent signs in, and stays in that call.

Between two calls the phone hears silence. Whatever would ring it is a beep in its ear, or the question for
the key: its leg is lent to the other call and comes back when that lets go of it, and the phone is told of
neither. A line that is lost is called again, after longer and longer rests, until the agent signs out.

Rule: the leg of a line is the callee of the line's own call; or it is lent, and that call waits without one.
"""

from typing import TYPE_CHECKING

from calls.bridge import is_held
from calls.call import Call, CallInput, CallState
from calls.desk import SILENCE
from calls.dial import OWN_RING_FOR
from calls.events import CallChanged, LineMoved, SeatRang
from calls.leg import Leg, LegInput, LegState
from kernel.chance import Chance
from kernel.ids import SeatId
from kernel.timers import Timer, TimerQueue
from media.plane import Plane
from sip.stack import Stack

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

REST = 2.0  # seconds before a phone that was lost, or did not answer, is called again
REST_MAX = 60.0  # twice as long each time, up to this


class Line:
    """What is kept open to one seat's phone."""

    __slots__ = ("call", "leg", "phone", "seat", "timer", "tries")

    def __init__(self, seat: SeatId, phone: tuple[str, str]) -> None:
        self.seat = seat
        self.phone = phone
        self.call: Call | None = None  # the line's own, from the first ring; None while it rests
        self.leg: Leg | None = None  # None until the phone has answered
        self.timer: Timer | None = None  # armed while it rests
        self.tries = 0  # in vain, since it was up last


class Standing:
    """The standing lines of one switchboard, by seat and by phone."""

    def __init__(
        self, board: "Switchboard", stack: Stack, plane: Plane, timers: TimerQueue, chance: Chance
    ) -> None:
        self._board = board
        self._stack = stack
        self._plane = plane
        self._timers = timers
        self._chance = chance
        self.by_seat: dict[SeatId, Line] = {}
        self._by_phone: dict[tuple[str, str], Line] = {}
        self._is_held = False  # the switch drains: nobody is called any more

    # Verbs of distribution.

    def open(self, seat: SeatId, phone: tuple[str, str], now: float) -> None:
        """Call the phone of ``seat``, and keep it on the line until :meth:`close`."""
        if self._is_held:
            return
        assert seat not in self.by_seat, f"{seat} has a line already"
        line = self.by_seat[seat] = self._by_phone[phone] = Line(seat, phone)
        self._dial(line, now)

    def close(self, seat: SeatId, now: float) -> None:
        """Let the phone of ``seat`` go: now, or with the call that it is in."""
        line = self.by_seat.pop(seat, None)
        if line is None:
            return
        del self._by_phone[line.phone]
        self._timers.disarm(line.timer)
        line.timer = None
        leg, line.leg = line.leg, None
        if leg is not None:
            leg.line = None  # it is a leg like any other from now on
        call, line.call = line.call, None
        if call is not None:
            was_up = call.state is not CallState.RINGING
            verdict, status = ("success", 200) if was_up else ("agent:cancelled", 487)
            self._board.end(call, now, ended_by="switch", verdict=verdict, status=status)

    def hold(self, now: float) -> None:
        """Call nobody any more, and let every phone go that is in no other call: the switch drains."""
        self._is_held = True
        for line in list(self.by_seat.values()):
            was_up = line.leg is not None
            self.close(line.seat, now)
            if was_up:
                self._board.events.put(LineMoved(line.seat, False))

    # The line comes up, and is lost.

    def _dial(self, line: Line, now: float) -> None:
        board = self._board
        if board.legs_at(line.seat) or not board.can_ring(line.phone):
            self._rest(line, now)
            return
        is_outside = line.phone[0] == "pstn"
        call = line.call = Call(self._chance.call_id(), now)
        call.is_standing = True
        call.tenant = board.plan.settings.seats.get(line.seat, "")
        call.direction = "out" if is_outside else "internal"
        call.caller = board.plan.display_number(call.tenant) if is_outside else line.seat
        call.called, call.entry, call.target = line.phone[1], f"standing:{line.seat}", line.phone
        call.seat = line.seat
        board.calls[call.id] = call
        board.recovery.note(call)
        call.timer = self._timers.arm_after(board, f"ring {call.id}", OWN_RING_FOR, now)
        call.move(CallInput.RUNG)
        board.rings.start(board.rings.add(call, line.phone, now, seat=None, offer=None), now)

    def _rest(self, line: Line, now: float) -> None:
        rest = min(REST_MAX, REST * 2**line.tries)
        line.tries = min(line.tries + 1, 10)
        line.timer = self._timers.arm_after(self, f"line {line.seat}", rest, now)

    def on_timer(self, name: str, now: float) -> None:
        """A line has rested; ``name`` is that word and its seat."""
        line = self.by_seat.get(SeatId(name.partition(" ")[2]))
        if line is not None:
            line.timer = None
            self._dial(line, now)

    def phone_came(self, phone: tuple[str, str], now: float) -> None:
        """A phone can be rung again."""
        line = self._by_phone.get(phone)
        if line is not None and line.timer is not None:
            self._timers.disarm(line.timer)
            line.timer, line.tries = None, 0
            self._dial(line, now)

    def freed(self, seat: SeatId, now: float) -> None:
        """The phone of ``seat`` has left a call that was not on its line."""
        line = self.by_seat.get(seat)
        if line is not None and line.timer is not None and not self._board.legs_at(seat):
            self._timers.disarm(line.timer)
            line.timer = self._timers.arm_after(self, f"line {seat}", REST, now)

    def answered(self, call: Call, leg: Leg, now: float) -> None:
        """The phone has answered: the line is up."""
        line = self._line_of(call)
        assert line is not None, f"{call.id} is nobody's line"
        call.rings.remove(leg)
        call.callee, call.answered_at = leg, now
        call.move(CallInput.BRIDGED)
        self._timers.disarm(call.timer)
        call.timer = None
        line.leg, leg.line, line.tries = leg, line, 0
        self._quiet(leg, now)
        self._board.recovery.note(call)
        self._board.events.put(LineMoved(line.seat, True))

    def lost(self, leg: Leg, now: float) -> None:
        """The phone, or its stream, is gone, whatever call it was in: distribution learns of that first."""
        line = leg.line
        if line is None or line.call is None:
            return
        own, is_lent = line.call, leg.call is not line.call
        leg.line = line.leg = None
        self._board.events.put(LineMoved(line.seat, False))
        if is_lent:
            self._board.end(own, now, ended_by="seat", verdict="success", status=200)

    def call_ended(self, call: Call, now: float) -> None:
        """The own call of a line is over: call the phone again, unless nobody wants that any more."""
        line = self._line_of(call)
        if line is None:
            return
        line.call = None
        leg, line.leg = line.leg, None
        if leg is not None:  # ended by the switch: no audio, an operator
            leg.line = None
            self._board.events.put(LineMoved(line.seat, False))
        self._rest(line, now)

    def _line_of(self, call: Call) -> Line | None:
        line = self.by_seat.get(SeatId(call.entry.partition(":")[2]))
        return line if line is not None and line.call is call else None

    # The leg is lent, and comes back.

    def lend(self, call: Call, phone: tuple[str, str], now: float) -> Leg | None:
        """Return the leg that is kept open to ``phone`` for ``call`` to ring at, or None if there is none."""
        line = self._by_phone.get(phone)
        if line is None or line.leg is None or line.call is None or line.leg.call is not line.call:
            return None
        leg, own = line.leg, line.call
        own.callee = None
        own.move(CallInput.LENT)
        self._board.recovery.note(own)
        leg.call, leg.rang_at = call, None
        return leg

    def summon(self, leg: Leg, now: float) -> None:
        """Ring, on an open line, for the call that the leg has been lent to."""
        board, call = self._board, leg.call
        assert call is not None
        leg.rang_at = now
        board.recovery.note(call)  # it has a dialog more
        if call.is_supervision or (call.is_dialled and call.caller_leg is None):
            board.connect(leg, now)  # it is its own wish
            return
        caller = call.caller_leg
        if leg.offer is not None:
            board.events.put(SeatRang(leg.offer))
        elif caller is None or caller.session is None or caller.state is LegState.ANSWERED:
            board.transfers.rang(call, now)
        elif caller.state is not LegState.EARLY:
            caller.move(LegInput.RANG)
            self._stack.ring(caller.session, now, 180)
        board.events.put(CallChanged(call.id, "ringing"))
        assert leg.line is not None
        board.handover.summon(leg, board.plan.settings.standing.get(leg.line.seat, "auto"), now)

    def take_back(self, leg: Leg, now: float) -> bool:
        """A call lets go of a leg: return whether that stays, on its line."""
        line = leg.line
        if line is None or line.call is None or leg.session is None or leg.call is line.call:
            return False
        board, own = self._board, line.call
        board.handover.over(leg)
        board.recovery.note(leg.call)
        self._plane.collect(leg.stream, False, now)
        self._plane.disconnect(leg.stream, now)
        board.disengage(leg)
        board.lines.remove(leg)
        leg.call, leg.offer = own, None
        own.callee = leg
        own.move(CallInput.GIVEN_BACK)
        board.recovery.note(own)
        self._quiet(leg, now)
        self.held(leg, held=leg.agreement is not None and is_held(leg.agreement))
        return True

    def held(self, leg: Leg, *, held: bool) -> None:
        """The phone holds its idle line, or takes it up again: who holds would not hear a beep."""
        if leg.line is not None:
            self._board.events.put(LineMoved(leg.line.seat, not held))

    def _quiet(self, leg: Leg, now: float) -> None:
        self._board.lines.remove(leg)  # an idle seat's lamp is dark
        self._plane.play(leg.stream, (SILENCE,), now)

    # What must hold.

    def is_quiet(self) -> bool:
        """Return whether there is no line."""
        return not self.by_seat

    def check(self) -> None:
        """Assert what must hold between turns."""
        for seat, line in self.by_seat.items():
            assert self._by_phone.get(line.phone) is line, f"the line of {seat} is lost"
            assert (line.call is None) is (line.timer is not None), f"the line of {seat} waits for nothing"
            if line.call is not None:
                assert line.call.id in self._board.calls, f"the line of {seat} is over and does not know"
            leg = line.leg
            if leg is None:
                continue
            assert leg.line is line, f"the leg of {seat} is on no line"
            assert leg.session is not None, f"the line of {seat} leads nowhere"
            assert line.call is not None, f"{seat} has a leg and no line"
            is_at_rest = line.call.state is CallState.TALKING
            assert (leg.call is line.call) is is_at_rest, f"who has the leg of {seat}?"
        assert len(self._by_phone) == len(self.by_seat), "two lines to one phone"
