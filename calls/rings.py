"""Rings: the phones that ring for calls, for an offer of a queue or for a direct call, until one answers or
none does.

Rule: a ring for an offer is known by the offer for exactly as long as it is one of its call's ``rings``.
"""

from typing import TYPE_CHECKING

import msgspec

from calls.bridge import agree, codecs_for
from calls.call import Call, CallInput
from calls.callback import ring_ended
from calls.events import CallChanged, SeatFailed, SeatRang, SeatRefused
from calls.failover import hops_left
from calls.leading import why_not
from calls.leg import Leg, LegInput, LegState
from calls.ringing import ELSEWHERE, invitations, ring_headers
from kernel.ids import CallId, OfferId, QueueName, SeatId
from media.plane import Plane
from sip.events import SessionFailed, SessionProgressed
from sip.grammar import SipError
from sip.stack import Stack

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

OUR_AFFAIR = frozenset({401, 407, 481, 482, 483})  # between a phone and us; the caller learns only: not there
REFUSED = frozenset({480, 486, 600, 603})  # somebody said no; anything else is a failure


class Rings:
    """What rings for the calls of one switchboard; ``offers`` are the rings that carry out an offer."""

    def __init__(self, board: "Switchboard", stack: Stack, plane: Plane) -> None:
        self._board = board
        self._stack = stack
        self._plane = plane
        self.offers: dict[OfferId, Leg] = {}

    # Verbs of distribution.

    def ring_seat(
        self,
        offer: OfferId,
        call_id: CallId,
        seat: SeatId,
        queue: QueueName,
        phone: tuple[str, str],
        now: float,
    ) -> None:
        """Ring the phone bound to ``seat`` for a waiting call."""
        call = self._board.calls.get(call_id)
        if call is None:
            self._board.events.put(SeatFailed(offer, 487))
            return
        call.queue = queue
        call.move(CallInput.RUNG)
        leg = self.add(call, phone, now, seat=seat, offer=offer)
        self.offers[offer] = leg
        self.start(leg, now)

    def withdraw(self, offer: OfferId, cause: str, now: float) -> None:
        """Stop ringing for ``offer``; the call waits on."""
        leg = self.offers.pop(offer, None)
        if leg is None or leg.call is None:
            return
        call = leg.call
        call.rings.remove(leg)
        if not call.rings:
            ring_ended(call, self._board.callbacks)
            self._board.comfort.ring_ended(call, now)
        self._board.drop(leg, now, ELSEWHERE if cause == "answered_elsewhere" else "")

    # A phone is rung.

    def add(
        self, call: Call, phone: tuple[str, str], now: float, *, seat: SeatId | None, offer: OfferId | None
    ) -> Leg:
        """Add a leg that will ring ``phone``, for ``offer`` at ``seat`` or for neither."""
        standing = self._board.standing
        kept = standing.lend(call, phone, now) if standing.by_seat else None
        leg = kept or self._board.streams.new_leg(call, phone[1], LegState.INVITED)
        leg.phone, leg.offer = phone, offer
        if seat is not None:
            self._board.count_leg(leg, seat)
        call.rings.append(leg)
        self._board.lines.add(leg)
        return leg

    def start(self, leg: Leg, now: float) -> None:
        """Ring every contact of the leg's phone; a phone without one fails at once."""
        assert leg.call is not None
        if leg.line is not None:
            self._board.standing.summon(leg, now)
            return
        headers = ring_headers(leg, leg.call, self._board.plan.settings)
        why_not = ""
        if leg.phone[0] != "pstn":
            leg.targets = invitations(leg, leg.call, self._board.plan.settings.domain, self._stack, headers)
        elif not leg.targets:  # a callback has chosen before
            why_not = self._board.failover.begin(leg, headers, now)
        if leg.targets:
            self._board.streams.open(leg, now)
        else:
            status = 404 if why_not == "us:no_trunk" else 503 if why_not else 480
            self.failed(leg, status, now, reachable=False)

    def invite(self, leg: Leg, now: float) -> None:
        """The stream of an outgoing leg is open: invite its targets."""
        assert leg.call is not None
        codecs = codecs_for(leg.call.caller_leg or leg.call.transferee, self._board.plan.settings.codecs)
        sdp = leg.side.offer(leg.address, leg.port, codecs)
        targets, leg.targets = leg.targets, []
        for target in targets:
            invitation = msgspec.structs.replace(target, sdp=sdp, max_forwards=hops_left(leg.call))
            leg.ringing_sessions.append(self._stack.invite(invitation, leg, now))
        if leg.trunk and leg.reserve:
            self._board.failover.started(leg, leg.trunk, now)
        self._board.recovery.note(leg.call)

    def progressed(self, event: SessionProgressed, now: float) -> None:
        """A phone rings, or plays something before it answers."""
        leg = event.session.user
        if leg is None or leg.call is None or leg.state is LegState.ANSWERED:
            return
        call: Call = leg.call
        first = leg.rang_at is None
        if first:
            leg.rang_at = now
        if leg.offer is not None:
            leg.move(LegInput.RANG)
            if first:
                self._board.events.put(SeatRang(leg.offer))
                self._board.events.put(CallChanged(call.id, "ringing"))
            return
        if call.is_callback:
            self._board.callbacks.progressed(call, leg, event, now)
            return
        caller = call.caller_leg
        if caller is None or caller.session is None or caller.state is LegState.ANSWERED:
            if first:
                self._board.transfers.rang(call, now)
                self._board.events.put(CallChanged(call.id, "ringing"))
            return
        if event.sdp and len(leg.ringing_sessions) == 1 and caller.answer_sdp:
            try:
                agree(leg, leg.side.accept(event.sdp), self._plane, now)
            except SipError:
                return  # the final answer may still bring what we can play
            leg.move(LegInput.PROGRESSED)
            caller.move(LegInput.PROGRESSED)
            self._plane.connect(caller.stream, leg.stream, now)
            self._stack.ring(caller.session, now, 183, caller.answer_sdp)
        elif caller.state is not LegState.EARLY:
            leg.move(LegInput.RANG)
            caller.move(LegInput.RANG)
            self._stack.ring(caller.session, now, 180)
        if first:
            self._board.events.put(CallChanged(call.id, "ringing"))

    def session_failed(self, event: SessionFailed, now: float) -> None:
        """A contact of a phone has not taken the call."""
        leg: Leg | None = event.session.user
        event.session.user = None
        if leg is None or leg.call is None or event.session not in leg.ringing_sessions:
            return
        leg.ringing_sessions.remove(event.session)
        # RFC 3261 16.7: a 6xx decides, else a refusal by a person tells more than a dead contact.
        if not leg.best_status or event.status >= 600 or leg.best_status not in REFUSED:
            leg.best_status = event.status
        if event.redirects and not leg.ringing_sessions and self._board.redirects.follow(leg, event, now):
            return
        if not leg.ringing_sessions and not self._board.failover.try_next(leg, event.status, now):
            self.failed(leg, leg.best_status, now)

    def failed(self, leg: Leg, status: int, now: float, *, reachable: bool = True) -> None:
        """No contact of the phone took the call."""
        call, offer = leg.call, leg.offer
        assert call is not None
        if call.is_callback and offer is None:
            self._board.callbacks.customer_failed(call, status, now)
            return
        if offer is None:
            verdict = "agent:refused" if status in REFUSED and reachable else leg.unreachable()
            told = 480 if status < 400 or status in OUR_AFFAIR else status
            why = why_not(leg, status, reachable=reachable)
            self._board.missed(call, now, why, ended_by="seat", verdict=verdict, status=told)
            return
        self.offers.pop(offer, None)
        call.rings.remove(leg)
        if not call.rings:
            ring_ended(call, self._board.callbacks)
            self._board.comfort.ring_ended(call, now)
        self._board.drop(leg, now)
        if status in REFUSED and reachable:
            self._board.events.put(SeatRefused(offer, status))
        else:
            self._board.events.put(SeatFailed(offer, status))
