"""Callbacks: a call that begins at the seat. It is rung first; the customer is dialled when it has answered.

Until a seat has answered there is nothing to be remembered: a ring that comes to nothing leaves no call, only
the offer's row. From then on the seat's leg is the caller's and the call ends like any other, with one row.

The transit guard: the customer is dialled through the trunk of the tenant whose seat has answered, with one
of that tenant's numbers shown.
"""

from typing import TYPE_CHECKING

from calls.bridge import agree
from calls.call import Call, CallInput, CallState
from calls.events import (
    CallChanged,
    CallGone,
    CustomerAnswered,
    CustomerFailed,
    SeatAnswered,
    SeatTaken,
)
from calls.leg import Leg, LegInput
from kernel.ids import CallId, QueueName
from kernel.timers import TimerQueue
from media.plane import Plane
from sip.events import SessionProgressed
from sip.grammar import SipError

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

BUSY = frozenset({486, 600})
NO_ANSWER = frozenset({408, 480, 487})


class CallbackCalls:
    """The calls of one switchboard that begin at a seat's phone because a customer is to be called back."""

    def __init__(self, board: "Switchboard", plane: Plane, timers: TimerQueue) -> None:
        self._board = board
        self._plane = plane
        self._timers = timers

    def place(
        self,
        call_id: CallId,
        queue: QueueName,
        tenant: str,
        number: str,
        display: str,
        ring_for: float,
        now: float,
    ) -> None:
        """Prepare the call a seat is about to be rung for; ``display`` "" is the tenant's first number."""
        board = self._board
        if call_id in board.calls:
            return
        call = Call(call_id, now)
        call.is_callback = True
        call.direction, call.tenant, call.queue = "out", tenant, queue
        call.entry = f"callback:{queue}"
        call.called = number
        call.caller = display or board.plan.display_number(tenant)
        call.target = ("pstn", number)
        call.customer_ring_for = ring_for
        board.calls[call_id] = call

    def forget(self, call: Call) -> None:
        """No seat has taken it: it was never placed."""
        del self._board.calls[call.id]
        self._board.recovery.note(call)
        self._board.events.put(CallChanged(call.id, "ended", call.tenant))

    def seat_answered(self, call: Call, leg: Leg, now: float) -> None:
        """The seat is there: dial the customer."""
        board = self._board
        assert call.target is not None
        assert leg.seat is not None
        call.rings.remove(leg)
        call.caller_leg = leg
        board.supervision.touch(leg)
        board.recovery.note(call)
        self._timers.disarm(call.timer)
        call.timer = None
        if leg.offer is not None:
            board.events.put(SeatAnswered(leg.offer))
        else:
            board.events.put(SeatTaken(leg.seat, call.id, "talking"))
        ring = board.rings.add(call, call.target, now, seat=None, offer=None)
        refusal = ""
        if ring.phone[0] == "pstn":
            refusal = board.failover.begin(ring, (), now)
        else:
            board.engage(ring, board.phonebook.seat_of(*ring.phone), "ringing")
        if refusal:
            board.end(call, now, ended_by="switch", verdict=refusal, status=503)
            return
        call.timer = self._timers.arm_after(board, f"ring {call.id}", call.customer_ring_for, now)
        board.events.put(CallChanged(call.id, "ringing"))
        board.rings.start(ring, now)

    def progressed(self, call: Call, leg: Leg, event: SessionProgressed, now: float) -> None:
        """Let the seat hear what the customer's side plays before it answers."""
        caller = call.caller_leg
        if caller is None or not event.sdp or len(leg.ringing_sessions) != 1:
            return
        try:
            agree(leg, leg.side.accept(event.sdp), self._plane, now)
        except SipError:
            return  # the final answer may still bring what we can play
        leg.move(LegInput.PROGRESSED)
        self._plane.connect(caller.stream, leg.stream, now)

    def customer_failed(self, call: Call, status: int, now: float) -> None:
        """The customer did not take the call."""
        if call.caller_leg is None:  # of a call dialled at the desk: the seat's own phone
            self._own_phone_failed(call, status, now)
            return
        if status in BUSY:
            verdict = "peer:busy"
        elif status in NO_ANSWER:
            verdict = "peer:no_answer"
        elif status == 603:
            verdict = "peer:refused"
        else:
            verdict = f"network:{status}"
        self._board.end(call, now, ended_by="caller", verdict=verdict, status=status)

    def _own_phone_failed(self, call: Call, status: int, now: float) -> None:
        verdict = "agent:unreachable"
        if status in NO_ANSWER:
            verdict = "agent:no_answer"
        elif status in BUSY or status == 603:
            verdict = "agent:refused"
        self._board.end(call, now, ended_by="caller", verdict=verdict, status=status)

    def ended(self, call: Call, before: CallState, verdict: str, status: int, cause: str) -> None:
        """Tell what has become of the attempt; ``before`` is the state in which the call ended."""
        if call.is_dialled:
            return  # nobody was promised it
        events = self._board.events
        if call.caller_leg is None:
            events.put(CallGone(call.id, cause))
        elif before is not CallState.TALKING:
            outcome = _OUTCOMES.get(verdict, "failed")
            events.put(CustomerFailed(call.id, outcome, status))

    def customer_answered(self, call: Call) -> None:
        """Both are there."""
        if not call.is_dialled:
            self._board.events.put(CustomerAnswered(call.id))


_OUTCOMES = {
    "peer:busy": "busy",
    "peer:refused": "busy",
    "peer:no_answer": "no_answer",
    "agent:cancelled": "cancelled",
    "us:seat": "cancelled",
    "us:supervisor": "cancelled",
    "us:operator": "cancelled",
}


def ring_ended(call: Call, callbacks: CallbackCalls) -> None:
    """The last ring of a call has come to nothing: a queue call waits on, a callback was never placed."""
    call.move(CallInput.RING_ENDED)
    if call.is_callback and call.caller_leg is None:
        callbacks.forget(call)
