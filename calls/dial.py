"""Dialling from the desk: the seat's own phone is rung first, then the customer, through the tenant's trunks.

It is a callback that nobody has booked: the seat's leg is the caller's. It leaves a row even if the seat's
own phone did not answer, and the presence of the seat stays what it was.
"""

from typing import TYPE_CHECKING

from calls.call import Call, CallInput
from calls.controls import DialAsked
from calls.events import CallChanged
from calls.numbers import is_number
from calls.routing import Refusal
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.timers import TimerQueue

if TYPE_CHECKING:
    from calls.admission import PhoneBook
    from calls.switchboard import Switchboard

OWN_RING_FOR = 30.0  # seconds the seat's own phone is rung
CUSTOMER_RING_FOR = 45.0
_WORDS = {403: "CALL_RIGHT", 480: "TENANT_SUSPENDED"}


class Dials:
    """The calls that seats of one switchboard dial from their desks."""

    def __init__(self, board: "Switchboard", timers: TimerQueue, phonebook: "PhoneBook") -> None:
        self._board = board
        self._timers = timers
        self._phonebook = phonebook

    def place(self, what: DialAsked, now: float) -> None:
        """Ring the phone of the seat, which is idle."""
        board, plan = self._board, self._board.plan
        tenant = plan.settings.seats.get(what.seat, "")
        if not is_number(what.number):
            raise OperationRefused("BAD_NUMBER", f"{what.number} is no number that can be called")
        route = plan.to_target(what.seat, what.number)
        if isinstance(route, Refusal):
            word = _WORDS.get(route.status, "NO_SUCH_TARGET")
            raise OperationRefused(word, f"{what.number}: {route.verdict}")
        if route.phone is None:
            raise OperationRefused("NO_SUCH_TARGET", f"{what.number} leads to a queue: call it from a phone")
        ours = [each.number for each in plan.settings.hotlines if each.tenant == tenant]
        if what.display and what.display not in ours:
            message = f"{what.display} is none of tenant {tenant}'s numbers"
            raise OperationRefused("BAD_DISPLAY_NUMBER", message)
        phone = self._phonebook.phone_of(what.seat)
        if phone is None:
            raise OperationRefused("NOT_LOGGED_IN", f"nobody is signed in at seat {what.seat}")
        if not board.can_ring(phone):
            raise OperationRefused("BUSY", f"the phone of seat {what.seat} is in a call, or cannot be rung")
        if route.phone[0] != "pstn" and not board.can_ring(route.phone):
            raise OperationRefused("TARGET_BUSY", f"{what.number} is in a call, or its phone cannot be rung")
        call = Call(what.call, now)
        call.is_callback = call.is_dialled = True
        call.direction = route.direction
        call.tenant, call.called, call.entry = tenant, route.called, route.entry
        call.target = route.phone
        if route.phone[0] == "softphone":
            call.target = self._phonebook.phone_of(SeatId(route.phone[1])) or route.phone
        outside = what.display or plan.display_number(tenant)
        call.caller = outside if route.phone[0] == "pstn" else what.seat
        call.customer_ring_for = CUSTOMER_RING_FOR
        board.calls[call.id] = call
        board.events.put(CallChanged(call.id, "arrived"))
        call.timer = self._timers.arm_after(board, f"ring {call.id}", OWN_RING_FOR, now)
        call.move(CallInput.RUNG)
        leg = board.rings.add(call, phone, now, seat=None, offer=None)
        board.engage(leg, what.seat, "ringing")
        board.rings.start(leg, now)
