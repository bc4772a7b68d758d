"""Consultations: a seat talks to a third party while the other side of its call is on hold.

The third party is called by a call of its own, whose only leg it is; the seat's phone stays in its first call
and its stream is joined to the third party's. Going back, and whatever ends the second call, joins the seat
to the first again; a transfer moves the third party into the seat's place there, so that the caller's call
keeps its id. When the first call ends, so does the second.

Joined, all three hear each other: the two sides are connected again, and each of the three has a mix. When
the third party hangs up, or the seat goes back, two talk on; when the seat hangs up the other side is left to
the third party, as by a transfer; the other side ends all.
"""

from typing import TYPE_CHECKING

from calls.call import Call, CallInput, CallState
from calls.events import CallChanged, SeatTaken
from calls.leg import Leg
from calls.routing import Route
from calls.transfer import RINGBACK, TRANSFERRED
from kernel.chance import Chance
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from kernel.timers import TimerQueue
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard


class Consult:
    """One consultation."""

    __slots__ = ("call", "is_joined", "other", "seat", "target")

    def __init__(self, call: Call, seat: Leg, other: Leg, target: Call) -> None:
        self.call = call
        self.seat = seat  # the leg that consults
        self.other = other  # who is on hold
        self.target = target
        self.is_joined = False


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

    def end(self, call: Call, seat: SeatId, how: str, now: float) -> None:
        """End the consultation of ``call`` as ``how`` says; NO_CONSULT if there is none so far."""
        consult = self._consult_of(call, seat)
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

    def join(self, call: Call, seat: SeatId, now: float) -> None:
        """Let all three hear each other; NO_CONSULT before the third party has answered, and once they do."""
        consult = self._consult_of(call, seat)
        leg = consult.target.callee
        if leg is None or consult.is_joined:
            said = "talks to both already" if consult.is_joined else "has not answered yet"
            raise OperationRefused("NO_CONSULT", f"who is consulted about call {call.id} {said}")
        consult.is_joined = True
        board = self._board
        board.desk.unhold(call, consult.seat, consult.other, now)
        self.tune(call, now)
        board.supervision.touch(leg)
        for one in (call, consult.target):
            board.events.put(CallChanged(one.id, "threeway"))

    def is_joined(self, call: Call) -> bool:
        """Return whether ``call`` is one of the two of a talk of three."""
        consult = self.pending.get(call.id)
        return consult is not None and consult.is_joined

    def tune(self, call: Call, now: float) -> None:
        """Let the three hear each other, but nobody a muted seat; does nothing unless they are joined."""
        consult = self.pending.get(call.id)
        if consult is None or not consult.is_joined:
            return
        third = consult.target.callee
        assert third is not None
        seat, other = consult.seat, consult.other
        if consult.call.is_muted:
            self._plane.stop(other.stream, now)  # the silence that is played to one who hears the seat alone
        for leg in (seat, other, third):
            heard = [one for one in (other, third, seat) if one is not leg]
            if consult.call.is_muted and leg is not seat:
                heard.remove(seat)
            hears = tuple(one.stream for one in heard)
            self._board.hearing.want(consult.call.id, leg.stream, hears, now)

    def partners(self, leg: Leg) -> tuple[Leg, ...] | None:
        """Return whom ``leg`` hears in the consultation that it is part of; None if it is part of none."""
        consult = None if leg.call is None else self.pending.get(leg.call.id)
        if consult is None:
            return None
        third = consult.target.callee
        present = [consult.seat] if third is None else [consult.seat, third]
        if consult.is_joined:
            present.append(consult.other)
        return tuple(one for one in present if one is not leg) if leg in present else ()

    def left(self, leg: Leg, now: float) -> bool:
        """Return whether ``leg`` is the seat's of a three-way talk that hung up: the others talk on."""
        consult = None if leg.call is None else self.pending.get(leg.call.id)
        if consult is None or consult.seat is not leg or not consult.is_joined:
            return False
        self._transfer(consult, now)
        return True

    def hung_up(self, call: Call, seat: SeatId, now: float) -> bool:
        """Return whether ``seat`` hangs up at its desk and leaves the others of a three-way talk by that."""
        consult = self.pending.get(call.id)
        return consult is not None and consult.seat.seat == seat and self.left(consult.seat, now)

    def stage(self, call: Call) -> str | None:
        """Return how far the consultation that ``call`` is part of has come: ringing, talking, threeway."""
        consult = self.pending.get(call.id)
        if consult is None:
            return None
        if consult.is_joined:
            return "threeway"
        return "talking" if consult.target.state is CallState.TALKING else "ringing"

    def _consult_of(self, call: Call, seat: SeatId) -> Consult:
        consult = self.pending.get(call.id)
        if consult is None or consult.call is not call:
            raise OperationRefused("NO_CONSULT", f"nobody is consulted about call {call.id}")
        if consult.seat.seat != seat:
            raise OperationRefused("NOT_IN_CALL", f"seat {seat} does not talk in call {call.id}")
        return consult

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
        self._forget(consult, now)
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
        self._forget(consult, now)
        board.transfers.take_place(target, leg, call, consult.seat, now)
        call.is_parked = call.is_muted = False
        board.end(target, now, ended_by="caller", verdict=TRANSFERRED, status=200)
        board.desk.unhold(call, leg, consult.other, now)

    def _forget(self, consult: Consult, now: float) -> None:
        if consult.is_joined:
            for leg in (consult.seat, consult.other, consult.target.callee):
                assert leg is not None
                self._board.hearing.want(consult.call.id, leg.stream, (), now)
        consult.target.transferee = None
        del self.pending[consult.call.id]
        del self.pending[consult.target.id]

    def check(self) -> None:
        """Assert what must hold between turns."""
        for consult in self.pending.values():
            call, target = consult.call, consult.target
            assert call.is_parked != consult.is_joined, f"{call.id} is consulted about and not on hold"
            third = target.callee
            assert third is not None or not consult.is_joined, f"{call.id} is joined and there is no third"
            is_mixed = third is not None and call.id in self._board.hearing.wanted.get(third.stream, {})
            assert is_mixed == consult.is_joined, (
                f"{call.id} is joined and not mixed, or mixed and not joined"
            )
            assert call.state is CallState.TALKING, f"{call.id} is consulted about and {call.state}"
            assert target.state is not CallState.ENDED, f"{target.id} has ended and is consulted"
            assert consult.seat.call is call, f"who consults about {call.id} has left it"
            assert consult.other.call is call, f"who waits in {call.id} has left it"
