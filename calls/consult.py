"""Consultations: a seat talks to a third party while the other side of its call is on hold.

The third party is called by a call of its own, whose only leg it is; the seat's phone stays in its first call
and its stream is joined to the third party's. Going back, and whatever ends the second call, joins the seat
to the first again; a transfer moves the third party into the seat's place there, so that the caller's call
keeps its id. When the first call ends, so does the second.
"""

from typing import TYPE_CHECKING

from calls.call import Call, CallInput, CallState
from calls.events import CallChanged, SeatTaken
from calls.leg import Leg
from calls.routing import Route
from calls.transfer import RINGBACK, TRANSFERRED
from kernel.chance import Chance
from kernel.errors import OperationRefused
from kernel.ids import CallId
from kernel.timers import TimerQueue
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard


class Consult:
    """One consultation."""

    __slots__ = ("call", "other", "seat", "target")

    def __init__(self, call: Call, seat: Leg, other: Leg, target: Call) -> None:
        self.call = call
        self.seat = seat  # the leg that consults
        self.other = other  # who is on hold
        self.target = target


class Consults:
    """The consultations of one switchboard; ``pending`` by the ids of both calls."""

    def __init__(self, board: "Switchboard", plane: Plane, timers: TimerQueue, chance: Chance) -> None:
        self._board = board
        self._plane = plane
        self._timers = timers
        self._chance = chance
        self.pending: dict[CallId, Consult] = {}

    def begin(self, call: Call, leg: Leg, other: Leg, route: Route, now: float) -> None:
        """Put ``other`` on hold and call whom the seat wants to ask."""
        board = self._board
        target = Call(self._chance.call_id(), now)
        target.caller, target.called, target.tenant = leg.phone[1], route.called, route.tenant
        target.direction, target.entry, target.target = route.direction, f"consult:{call.id}", route.phone
        target.transferee = leg
        board.calls[target.id] = target
        self.pending[call.id] = self.pending[target.id] = Consult(call, leg, other, target)
        if not call.is_parked:
            board.desk.hold(call, leg, other, now)
        board.events.put(CallChanged(target.id, "arrived"))
        self._plane.play(leg.stream, (RINGBACK,), now)
        board.place(target, now)

    def end(self, call: Call, how: str, now: float) -> None:
        """End the consultation of ``call`` as ``how`` says; NO_CONSULT if there is none so far."""
        consult = self.pending.get(call.id)
        if consult is None or consult.call is not call:
            raise OperationRefused("NO_CONSULT", f"nobody is consulted about call {call.id}")
        target = consult.target
        is_linked = target.state is CallState.TALKING
        if is_linked == (how == "cancel"):
            said = "has answered" if is_linked else "has not answered yet"
            raise OperationRefused("NO_CONSULT", f"who is consulted about call {call.id} {said}")
        if how == "transfer":
            self._transfer(consult, now)
            return
        verdict = "success" if is_linked else "caller:cancelled"
        self._board.end(target, now, ended_by="caller", verdict=verdict, status=200 if is_linked else 487)

    def answered(self, target: Call, leg: Leg, now: float) -> None:
        """The third party has answered: it and the seat hear each other."""
        consult = self.pending[target.id]
        board = self._board
        target.rings.remove(leg)
        target.callee, target.seat, target.answered_at = leg, leg.seat, now
        target.move(CallInput.BRIDGED)
        self._timers.disarm(target.timer)
        target.timer = None
        self._plane.connect(consult.seat.stream, leg.stream, now)
        board.supervision.touch(consult.seat)
        board.supervision.touch(leg)
        if leg.seat is not None:
            board.events.put(SeatTaken(leg.seat, target.id, "talking"))
        board.events.put(CallChanged(target.id, "talking"))

    def call_ended(self, call: Call, now: float) -> None:
        """One of the two calls ends: the seat goes back to the first, or the second ends with it."""
        consult = self.pending.get(call.id)
        if consult is None:
            return
        self._forget(consult)
        if call is consult.call:
            board = self._board
            board.end(consult.target, now, ended_by="caller", verdict="caller:abandoned", status=487)
        else:
            self._board.desk.unhold(consult.call, consult.seat, consult.other, now)

    def _transfer(self, consult: Consult, now: float) -> None:
        """Put the third party into the seat's place, and let the seat go."""
        board, call, target = self._board, consult.call, consult.target
        leg = target.callee
        assert leg is not None
        self._forget(consult)
        board.transfers.take_place(target, leg, call, consult.seat, now)
        call.is_parked = call.is_muted = False
        board.end(target, now, ended_by="caller", verdict=TRANSFERRED, status=200)
        board.desk.unhold(call, leg, consult.other, now)

    def _forget(self, consult: Consult) -> None:
        consult.target.transferee = None
        del self.pending[consult.call.id]
        del self.pending[consult.target.id]

    def check(self) -> None:
        """Assert what must hold between turns."""
        for consult in self.pending.values():
            call, target = consult.call, consult.target
            assert call.is_parked, f"{call.id} is consulted about and not on hold"
            assert call.state is CallState.TALKING, f"{call.id} is consulted about and {call.state}"
            assert target.state is not CallState.ENDED, f"{target.id} has ended and is consulted"
            assert consult.seat.call is call, f"who consults about {call.id} has left it"
            assert consult.other.call is call, f"who waits in {call.id} has left it"
