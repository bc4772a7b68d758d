"""History: one row per visit, per offer and per change of a seat, and the row a seat is restored from."""

from collections.abc import Sequence

import msgspec

from acd.counting import Counting
from acd.memory import LeftPlace
from acd.offer import Offer
from acd.readiness import Entry
from acd.seat import Presence, Seat
from kernel.outbox import Outbox
from kernel.rows import (
    CallbackAttemptRow,
    CallbackRow,
    CallerSeatRow,
    CountRow,
    FollowupRow,
    ListEntryRow,
    OfferRow,
    PresenceRow,
    QualityRow,
    SeatMoveRow,
    SeatStateRow,
    VisitRow,
)
from kernel.staterows import LeftStateRow, OfferStateRow, VisitStateRow
from kernel.walltime import WallTime
from policies.views import SeatKey
from queues.events import Outcome
from queues.queue import Queue
from queues.waiting import WaitingCall

AcdRow = (
    VisitRow
    | OfferRow
    | PresenceRow
    | SeatStateRow
    | CallerSeatRow
    | CallbackRow
    | CallbackAttemptRow
    | FollowupRow
    | QualityRow
    | ListEntryRow
    | SeatMoveRow
    | VisitStateRow
    | OfferStateRow
    | CountRow
    | LeftStateRow
)

_WITHIN = (Outcome.ANSWERED, Outcome.ABANDONED)  # what may be within the threshold
FORCED = "forced"  # how a pause that only a supervisor may lift is written in a SeatStateRow


def key_text(key: SeatKey) -> str:
    """Return a policy's key as the row says it: its parts, spaces between."""
    return " ".join([f"{part:.3f}" if type(part) is float else str(part) for part in key])


def _shown(seat: Seat, key: SeatKey) -> str:
    """Return the text of ``key``: a seat keeps its key while ready, and is a runner-up of many offers."""
    shown = seat.key_shown
    if shown[0] is not key:
        shown = seat.key_shown = (key, key_text(key))
    return shown[1]


def _winner(offer: Offer) -> str:
    """Return the text of the key that won ``offer``."""
    if not offer.key_text:
        # What was ready with others has been shown before; a lone seat's key is of this moment alone.
        is_known = offer.eligible > 1
        offer.key_text = _shown(offer.seat, offer.key) if is_known else key_text(offer.key)
    return offer.key_text


def _next_best(offer: Offer) -> str:
    """Return the text of the runners-up of ``offer``, which both of its rows tell."""
    if offer.runners_up and not offer.runners_text:
        offer.runners_text = runners_text(offer.runners_up)
    return offer.runners_text


def runners_text(runners: Sequence[Entry]) -> str:
    """Return the next best seats with their keys: ``8002 (0 1 17.250 8002), 8003 (...)``."""
    return ", ".join([f"{seat.id} ({_shown(seat, key)})" for key, _, seat in runners])


class NoHistory:
    """Writes and counts nothing: for forecasts, which count for themselves what they ask about."""

    __slots__ = ()

    def visit_ended(
        self,
        call: WaitingCall,
        queue: Queue,
        outcome: Outcome,
        cause: str,
        seat: str,
        now: float,
        target: str = "",
    ) -> None:
        """Forget a visit."""

    def visit_began(self, call: WaitingCall) -> None:
        """Forget a visit."""

    def offer_began(self, offer: Offer) -> None:
        """Forget an offer."""

    def offer_ended(self, offer: Offer, outcome: str, status: int, now: float) -> None:
        """Forget an offer."""

    def put_offer(self, row: OfferRow) -> None:
        """Forget the row of an offer."""

    def seat_changed(self, seat: Seat, cause: str, now: float) -> None:
        """Forget a change of a seat."""

    def seat_state(self, seat: Seat) -> None:
        """Forget the state of a seat."""

    def caller_seat(self, queue: str, number: str, seat: str, epoch: float) -> None:
        """Forget which seat served a caller."""

    def caller_left(self, queue: str, number: str, place: LeftPlace) -> None:
        """Forget the place of a caller who gave up."""


class History:
    """Writes rows into the outbox. Moments become wall time here."""

    __slots__ = ("_counting", "_rows", "_walltime")

    def __init__(self, rows: Outbox[AcdRow], walltime: WallTime, counting: Counting) -> None:
        self._rows = rows
        self._counting = counting
        self._walltime = walltime

    def visit_ended(
        self,
        call: WaitingCall,
        queue: Queue,
        outcome: Outcome,
        cause: str,
        seat: str,
        now: float,
        target: str = "",
    ) -> None:
        """Count a visit that has ended, and write its row."""
        waited = round(now - call.entered_at, 3)
        settings = queue.settings
        is_within = waited <= settings.service_level and outcome in _WITHIN
        row = VisitRow(
            call.visit,
            call.call,
            call.queue,
            self._walltime.epoch(call.entered_at),
            self._walltime.epoch(now),
            waited,
            round(call.credit + call.entered_at - call.joined_at, 3),
            outcome._value_,
            cause,
            seat,
            is_within,
            target,
            call.resumes,
            call.position,
            call.position_left,
        )
        self._rows.put(row)
        self._counting.visit(row, settings, queue.statistics)

    def visit_began(self, call: WaitingCall) -> None:
        """Write what the next process must know of a visit."""
        self._rows.put(self.visit_state(call))

    def offer_began(self, offer: Offer) -> None:
        """Write what the next process must know of an offer."""
        self._rows.put(self.offer_state(offer))

    def visit_state(self, call: WaitingCall) -> VisitStateRow:
        """Return the state row of a visit."""
        epoch = self._walltime.epoch
        return VisitStateRow(
            call.visit,
            call.call,
            call.visits,
            call.queue,
            call.caller,
            call.called,
            epoch(call.joined_at),
            epoch(call.entered_at),
            call.credit,
            call.skills,
            call.offered,
            call.vip,
            call.resumes,
            call.position,
        )

    def offer_state(self, offer: Offer) -> OfferStateRow:
        """Return the state row of an offer."""
        return OfferStateRow(
            offer.id,
            offer.call.visit,
            offer.seat.id,
            offer.seat.phone.text,
            self._walltime.epoch(offer.made_at),
            offer.policy,
            _winner(offer),
            offer.eligible,
            _next_best(offer),
            offer.call.queue,
        )

    def offer_ended(self, offer: Offer, outcome: str, status: int, now: float) -> None:
        """Write the row of an offer that has ended."""
        rung_at = offer.rung_at
        self.put_offer(
            OfferRow(
                offer.id,
                offer.call.visit,
                offer.seat.id,
                offer.seat.phone.text,
                self._walltime.epoch(offer.made_at if rung_at is None else rung_at),
                self._walltime.epoch(now),
                0.0 if rung_at is None else round(now - rung_at, 3),
                outcome,
                status,
                offer.policy,
                _winner(offer),
                offer.eligible,
                _next_best(offer),
                offer.call.queue,
            )
        )

    def put_offer(self, row: OfferRow) -> None:
        """Write the row of an offer, and count it."""
        self._rows.put(row)
        self._counting.offer(row)

    def seat_changed(self, seat: Seat, cause: str, now: float) -> None:
        """Write the row of a change of presence or activity."""
        at = self._walltime.epoch(now)
        # Milliseconds since 1970 at least, so that numbers go on rising over a restart.
        stamp, follower = int(at * 1000), seat.changes + 1
        seat.changes = stamp if stamp > follower else follower
        row = PresenceRow(
            f"{seat.changes}.{seat.id}",
            seat.id,
            seat.agent,
            at,
            seat.presence._value_,  # str() would make a new text each time, which nobody has hashed yet
            seat.reason,
            seat.activity._value_,
            cause,
            seat.call or "",
            seat.works_for,
            seat.held,
        )
        self._rows.put(row)
        self._counting.presence(row, seat.account)

    def caller_seat(self, queue: str, number: str, seat: str, epoch: float) -> None:
        """Write which seat served a caller."""
        self._rows.put(CallerSeatRow(f"{queue} {number}", queue, number, seat, epoch))

    def caller_left(self, queue: str, number: str, place: LeftPlace) -> None:
        """Write the place of a caller who gave up."""
        self._rows.put(self.left_state(queue, number, place))

    def left_state(self, queue: str, number: str, place: LeftPlace) -> LeftStateRow:
        """Return the state row of a caller who gave up."""
        epoch = self._walltime.epoch
        joined_at, left_at = epoch(place.joined_at), epoch(place.left_at)
        return LeftStateRow(place.visit, queue, number, joined_at, place.credit, left_at)

    def seat_state(self, seat: Seat) -> None:
        """Write what the seat is to be restored to."""
        until = seat.wrapup_until
        is_forced = seat.is_forced and seat.presence is Presence.PAUSED
        self._rows.put(
            SeatStateRow(
                seat.id,
                seat.agent,
                seat.session,
                FORCED if is_forced else str(seat.presence),
                seat.reason,
                self._walltime.epoch(seat.since),
                None if until is None else self._walltime.epoch(until),
                seat.pending,
                seat.phone.kind,
                seat.phone.number,
                seat.works_for if seat.presence is Presence.WRAPUP else "",
                seat.after_call,
                msgspec.json.encode(seat.paused_in).decode() if seat.paused_in else "",
            )
        )
