"""Transfers: a phone asks that the other side of its call talk to somebody else (RFC 5589).

The words are the RFC's: the transferor sends REFER, the transferee is the other side of its call, the target
is whom it gets. A blind transfer rings the target as a call of its own, to which the transferee moves when
the target answers or the transferor hangs up, whichever is first; if the target fails before, the call goes
on as it was. An attended transfer (Replaces) puts the transferee into the transferor's place in another of
its calls. Whoever is moved takes its leg along; the call it leaves ends as ``success:transferred``.

Rules: only seats and extensions transfer, and only to where they could call themselves; two sides of outside
trunks are left alone with each other only by a seat that somebody is signed in at (transit guard).
"""

from typing import TYPE_CHECKING

from calls.call import Call, CallState
from calls.events import CallChanged, SeatFreed, SeatHold, SeatTaken
from calls.leg import Leg, LegState
from calls.routing import Refusal, Route
from kernel.chance import Chance
from kernel.ids import CallId, QueueName
from media.plane import Plane
from sip.events import Identity, ReferArrived
from sip.refer import Referral, ReferTo
from sip.sessionstate import SessionState
from sip.stack import Stack

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

TRANSFERRED = "success:transferred"
RINGBACK = "builtin:music"  # what a transferee hears while its target rings
_INSIDE = ("softphone", "extension")


class Unheard:
    """What stands for a REFER where a desk asks: nobody is sent a NOTIFY, its events tell all."""

    def accept(self, now: float) -> None:
        """Tell nobody."""

    def notify(self, status: int, reason: str, now: float) -> None:
        """Tell nobody."""


class Transfer:
    """One blind transfer whose target rings."""

    __slots__ = ("call", "referral", "target", "transferee", "transferor")

    def __init__(
        self, call: Call, transferor: Leg, transferee: Leg, target: Call, referral: "Referral | Unheard"
    ) -> None:
        self.call: Call | None = call  # None: the transferee has moved to ``target``
        self.transferor = transferor
        self.transferee = transferee
        self.target = target
        self.referral = referral


class Transfers:
    """The transfers of one switchboard; ``pending`` by the ids of both calls."""

    def __init__(self, board: "Switchboard", stack: Stack, plane: Plane, chance: Chance) -> None:
        self._board = board
        self._stack = stack
        self._plane = plane
        self._chance = chance
        self.pending: dict[CallId, Transfer] = {}

    def refer_arrived(self, event: ReferArrived, now: float) -> None:
        """Carry out a REFER, or refuse it with the status that says why."""
        referral, transferor = event.referral, event.session.user
        status = self._begin(transferor, referral, now)
        if status:
            referral.refuse(status, now)
            who = transferor.phone[1] if transferor is not None else ""
            fields = {"by": who, "to": referral.refer_to.user, "status": status}
            self._board.log.put(("transfer refused", fields))

    def _begin(self, transferor: Leg | None, referral: Referral, now: float) -> int:
        """Return 0, or why not."""
        call = transferor.call if transferor is not None else None
        if transferor is None or call is None or call.state is not CallState.TALKING:
            return 603
        transferee = call.other(transferor)
        if transferee is None or transferee.session is None:
            return 603
        if self.is_moving(call):
            return 491
        if transferor.phone[0] not in _INSIDE:
            return 403  # who comes from a trunk never leads a call anywhere else
        refer_to = referral.refer_to
        if refer_to.replaces is not None:
            return self._attended(call, transferor, transferee, referral, now)
        route = self._route(transferor, refer_to)
        if isinstance(route, Refusal):
            return route.status
        if route.phone is not None and route.phone[0] not in _INSIDE:
            if is_outside(transferee) and transferor.seat is None:
                return 403
        self._blind(call, transferor, transferee, route, referral, now)
        return 0

    def _route(self, transferor: Leg, refer_to: ReferTo) -> Route | Refusal:
        """Return where the transferor would get if it called the target itself."""
        if refer_to.host and not self._stack.is_ours(refer_to.host, refer_to.port):
            return Refusal(403, "caller:foreign_target")
        number = transferor.phone[1]
        return self._board.plan.from_account(Identity("account", number), refer_to.user)

    # Blind.

    def hand_on(
        self, call: Call, transferor: Leg, transferee: Leg, route: Route, credit: float, now: float
    ) -> None:
        """Transfer blindly as a desk asks; a queue gives the transferee ``credit`` seconds of waiting."""
        self._blind(call, transferor, transferee, route, Unheard(), now, credit)

    def _blind(
        self,
        call: Call,
        transferor: Leg,
        transferee: Leg,
        route: Route,
        referral: "Referral | Unheard",
        now: float,
        credit: float = 0.0,
    ) -> None:
        board = self._board
        target = Call(self._chance.call_id(), now)
        target.caller, target.called, target.tenant = transferee.number, route.called, route.tenant
        target.direction, target.entry, target.target = call.direction, route.entry, route.phone
        target.script, target.variables, target.collected = route.script, call.variables, call.collected
        target.caller_name = call.caller_name if transferee is call.caller_leg else ""
        target.mailbox = route.mailbox
        target.referred_by, target.credit = transferor.phone[1], credit
        referral.accept(now)
        if route.phone is not None and board.is_busy(route.phone):
            referral.notify(486, "", now)
            target.continued_as = call.id
            board.write_row(target, now, ended_by="switch", verdict="agent:busy", status=486)
            return
        board.calls[target.id] = target
        board.scripts.leading.moved(call, target)
        transfer = Transfer(call, transferor, transferee, target, referral)
        board.events.put(CallChanged(target.id, "arrived"))
        if route.phone is None:
            target.queue = None if route.queue is None else QueueName(route.queue.name)
            referral.notify(200, "", now)
            self._hand_over(transfer, now)
        else:
            target.transferee = transferee
            self.pending[call.id] = self.pending[target.id] = transfer
        board.place(target, now)

    def is_moving(self, call: Call) -> bool:
        """Return whether a transfer or a consultation of ``call`` is under way, or its caller is in a script.
        """
        board = self._board
        return call.id in self.pending or call.id in board.consults.pending or board.scripts.interacts(call)

    def rang(self, target: Call, now: float) -> None:
        """The target's phone rings."""
        transfer = self.pending.get(target.id)
        if transfer is not None:
            transfer.referral.notify(180, "", now)

    def answered(self, target: Call, now: float) -> None:
        """The target's phone answered, and is about to be bridged to the transferee."""
        transfer = self.pending.get(target.id)
        if transfer is not None and transfer.target is target:
            self._forget(transfer)
            transfer.referral.notify(200, "", now)
            if transfer.call is not None:
                self._hand_over(transfer, now)

    def left(self, leg: Leg, now: float) -> bool:
        """Return whether ``leg`` is a transferor that hung up while the target rings: its call is then over,
        and the transferee waits for the target alone.
        """
        transfer = None if leg.call is None else self.pending.get(leg.call.id)
        if transfer is None or transfer.transferor is not leg or transfer.call is None:
            return False
        self._forget(transfer)
        self._hand_over(transfer, now)
        self._plane.play(transfer.transferee.stream, (RINGBACK,), now)
        transfer.call = None
        self.pending[transfer.target.id] = transfer  # the transferor still wants to know
        return True

    def call_ended(self, call: Call, status: int, now: float) -> None:
        """A call ends: with it the transfer that it is part of."""
        transfer = self.pending.get(call.id)
        if transfer is None:
            return
        self._forget(transfer)
        if transfer.call is not None:
            transfer.target.continued_as = transfer.call.id  # where the transferee has stayed
        if call is transfer.target:
            transfer.referral.notify(status if status >= 300 else 487, "", now)
            return
        transfer.referral.notify(487, "", now)
        self._board.end(transfer.target, now, ended_by="caller", verdict="caller:abandoned", status=487)

    def _forget(self, transfer: Transfer) -> None:
        if transfer.call is not None:
            del self.pending[transfer.call.id]
        del self.pending[transfer.target.id]

    def _hand_over(self, transfer: Transfer, now: float) -> None:
        """Move the transferee to the target's call as its caller; the call it leaves is over."""
        call, leg = transfer.call, transfer.transferee
        assert call is not None
        by = call.word_for(transfer.transferor)
        was_held = call.held
        call.continued_as = transfer.target.id
        self._leave(call, leg, transfer.target, now)
        transfer.target.transferee = None
        transfer.target.caller_leg = leg
        self._board.end(call, now, ended_by=by, verdict=TRANSFERRED, status=200)
        self._resume(leg, now, was_held=was_held)

    # Attended.

    def _attended(self, call: Call, transferor: Leg, transferee: Leg, referral: Referral, now: float) -> int:
        """Put the transferee into the transferor's place in the call that Replaces means."""
        replaces = referral.refer_to.replaces
        assert replaces is not None
        session = self._stack.session_of(replaces)
        place: Leg | None = None if session is None else session.user
        if session is None or place is None or place.call is None or session.state is SessionState.LEAVING:
            referral.accept(now)
            referral.notify(481, "", now)  # as the INVITE would be answered (RFC 3891 3)
            return 0
        consult = place.call
        if place.phone != transferor.phone or consult.is_supervision:
            return 403  # somebody else's call is nobody's to give away
        if consult is call or self.is_moving(consult):
            return 491
        is_talking = consult.state is CallState.TALKING
        if not is_talking and place is not consult.caller_leg:
            return 603
        partner = consult.other(place) if is_talking else None
        if partner is not None and is_outside(partner) and is_outside(transferee) and transferor.seat is None:
            return 403
        referral.accept(now)
        if replaces.early_only and place.state is LegState.ANSWERED:
            referral.notify(486, "", now)
            return 0
        referral.notify(200, "", now)
        was_held = call.held
        by = call.word_for(transferor)
        self.take_place(call, transferee, consult, place, now)
        self._board.end(call, now, ended_by=by, verdict=TRANSFERRED, status=200)
        self._resume(transferee, now, was_held=was_held)
        self.meet(consult, transferee, now)
        return 0

    def take_place(
        self, call: Call, leg: Leg, into: Call, place: Leg, now: float, cause: str = "transferred"
    ) -> None:
        """Move ``leg`` from ``call`` into the place of another leg, whose phone is let go; its seat learns
        the ``cause``.
        """
        call.continued_as = into.id
        self._leave(call, leg, into, now)
        self._replace(into, place, leg, now, cause)

    def meet(self, call: Call, leg: Leg, now: float) -> None:
        """Let ``leg``, which has taken somebody's place in ``call``, hear whom that one would hear."""
        partner = call.other(leg) if call.state is CallState.TALKING else None
        call.is_parked = call.is_muted = False
        self._board.supervision.touch_call(call)
        if partner is not None:
            self._plane.connect(leg.stream, partner.stream, now)
            self._resume(partner, now, was_held=call.held)
            self._board.talk.unhold(call, now)
        elif not self._board.scripts.hand_to(call, leg, now):
            queue = self._board.plan.queues.get(call.queue or "")
            music = queue.music if queue is not None and call.state is CallState.WAITING else RINGBACK
            self._plane.play(leg.stream, (music or RINGBACK,), now)
        self._board.events.put(CallChanged(call.id, call.state))

    def _replace(self, call: Call, old: Leg, new: Leg, now: float, cause: str) -> None:
        """Put ``new`` in the place of ``old``, whose phone is let go."""
        board = self._board
        is_caller = old is call.caller_leg
        if old.seat is not None:
            board.events.put(SeatFreed(old.seat, call.id, bridged=old.offer is not None, cause=cause))
        if old.state is not LegState.ANSWERED and old.session is not None and is_caller:
            session, old.session = old.session, None
            self._stack.reject(session, 487, now)
        board.drop(old, now)
        if is_caller:
            call.caller_leg = new
        else:
            call.callee = new
        board.supervision.touch_call(call)

    # Both.

    def _leave(self, call: Call, leg: Leg, into: Call, now: float) -> None:
        """Take ``leg`` out of ``call``; its seat goes along."""
        board = self._board
        if leg is call.caller_leg:
            call.caller_leg = None
        else:
            call.callee = None
        leg.call = into
        board.recordings.leg_moved(leg, call, into, now)
        board.recovery.note(into)
        board.supervision.touch(leg)
        board.supervision.touch_call(call)
        if leg.seat is not None:
            # The new conversation first: a seat between two would be offered a call.
            board.events.put(SeatTaken(leg.seat, into.id, "talking"))
            board.events.put(SeatFreed(leg.seat, call.id, bridged=leg.offer is not None))
            if call.held:
                board.events.put(SeatHold(leg.seat, False))
        leg.offer = None
        if leg.trunk and not into.trunk:
            into.trunk = leg.trunk

    def _resume(self, leg: Leg, now: float, *, was_held: bool) -> None:
        """Offer both directions again to a leg that was, or is just being, held."""
        if leg.session is None or leg.agreement is None:
            return
        if was_held or leg.agreement.direction != "sendrecv":
            codecs = self._board.plan.settings.codecs
            sdp = leg.side.offer(leg.address, leg.port, codecs, direction="sendrecv")
            self._stack.update(leg.session, sdp, now)


def is_outside(leg: Leg) -> bool:
    """Return whether a leg leads through a trunk."""
    return leg.phone[0] not in _INSIDE
