"""Replacements: an INVITE takes the place of another leg (RFC 3891). Phones send it that transfer among
themselves: one says to the other, in a call that we know nothing of, whose place it shall take.

The leg that comes in goes on in the call it was sent for, and hears whom the leg before it heard. The call
that its INVITE made ends at once as ``success:transferred``; its row names the call it went on in.

Rules: only seats and extensions come in, only into calls of their own tenant, and only in the place of a
seat's or extension's phone: nobody takes the line of a trunk, and no trunk anybody's. An offer is its seat's:
its ring is not for others.
"""

from typing import TYPE_CHECKING

from calls.call import Call, CallState
from calls.events import SeatFreed
from calls.leg import Leg, LegState
from calls.ringing import ELSEWHERE
from calls.routing import Refusal, Route
from calls.transfer import TRANSFERRED, is_outside
from sip.events import Identity

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

REFUSED = "caller:replaces"


class Replacements:
    """The INVITEs with Replaces of one switchboard."""

    def __init__(self, board: "Switchboard") -> None:
        self._board = board

    def route(self, old: Leg | None, identity: Identity, plain: Route | Refusal) -> Route | Refusal:
        """Return a route to nowhere if ``identity`` may have the place of ``old``, else why not; ``plain``
        says where the INVITE would lead without Replaces, and so who calls.
        """
        status = 403 if identity.kind != "account" else self._refusal(old, plain.tenant)
        if status:
            return Refusal(status, REFUSED, plain.caller, plain.called, plain.tenant, plain.trunk)
        assert old is not None
        return Route("internal", plain.tenant, plain.caller, plain.called or old.phone[1], "")

    def _refusal(self, old: Leg | None, tenant: str) -> int:
        """Return the status that tells a phone of ``tenant`` why it may not have the place of ``old``."""
        call = None if old is None else old.call
        if old is None or call is None:
            return 481
        if is_outside(old) or call.tenant != tenant or (old.offer is not None and old in call.rings):
            return 403
        if call.is_supervision:
            return 403  # an ear is nobody's to give away
        if self._board.transfers.is_moving(call):
            return 491
        if old.state is LegState.ANSWERED or old in call.rings:
            return 0
        return 481

    def take(self, call: Call, now: float) -> None:
        """The stream of the leg that comes in is open: let it take the place that it was sent for."""
        board, leg = self._board, call.caller_leg
        old, call.replaces = call.replaces, None
        status = self._refusal(old, call.tenant)
        if status:
            board.end(call, now, ended_by="switch", verdict=REFUSED, status=status)
            return
        assert old is not None
        assert old.call is not None
        assert leg is not None
        into = old.call
        board.answer_caller(leg, now)
        if old in into.rings:
            self._pick_up(call, leg, into, old, now)
        else:
            board.transfers.take_place(call, leg, into, old, now)
            board.transfers.meet(into, leg, now)
        board.end(call, now, ended_by="caller", verdict=TRANSFERRED, status=200)

    def _pick_up(self, call: Call, leg: Leg, into: Call, old: Leg, now: float) -> None:
        """Answer ``into`` with ``leg`` instead of the phone that rings, which is let go."""
        board = self._board
        assert into.state is CallState.RINGING
        call.continued_as = into.id
        call.caller_leg, leg.call = None, into
        into.rings.remove(old)
        if old.seat is not None:
            board.events.put(SeatFreed(old.seat, into.id, bridged=False))
        board.drop(old, now, ELSEWHERE)
        into.rings.append(leg)
        board.bridge(into, leg, now)
        if leg.seat is not None:
            board.events.put(SeatFreed(leg.seat, call.id, bridged=False))
