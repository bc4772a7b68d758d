"""Recovery: distribution as it was before the switch died - seats, conversations, places in queues.

Everything is put back before anything is paired. A visit whose call goes on keeps its id, its place and the
credit it had; one whose call is lost ends as withdrawn, with the cause ``interrupted``. An offer does not
survive: its ring was called off, its row says withdrawn, and the call stands in line again.
"""

from collections.abc import Callable, Sequence

import msgspec

from acd.board import Board
from acd.changes import Changes
from acd.commands import ReleaseCall
from acd.desk import Desk
from acd.distribution import Distribution
from acd.inputs import SeatRestored, SeatTalks
from acd.seat import Sight
from kernel.ids import CallId, QueueName, SeatId, VisitId
from kernel.rows import OfferRow
from kernel.staterows import OfferStateRow, VisitStateRow
from queues.events import Outcome
from queues.queue import Queue
from queues.settings import QueueSettings, Requirement
from queues.waiting import Keeper, WaitingCall

INTERRUPTED = "interrupted"


class Recovered(msgspec.Struct, frozen=True):
    """What lived in distribution when the switch died; moments of seats are monotonic, of rows wall time."""

    seats: Sequence[SeatRestored]
    talks: Sequence[SeatTalks]
    visits: Sequence[VisitStateRow]
    offers: Sequence[OfferStateRow]


class Recovery:
    """Puts back what lived."""

    def __init__(
        self,
        board: Board,
        desk: Desk,
        distribution: Distribution,
        changes: Changes,
        call_keeper: Keeper,
    ) -> None:
        self._board = board
        self._desk = desk
        self._distribution = distribution
        self._changes = changes
        self._call_keeper = call_keeper

    def restore(self, what: Recovered, goes_on: Callable[[str], bool], now: float) -> None:
        """Put everything back; ``goes_on(call)`` says whether a call was taken over."""
        talks: dict[SeatId, list[SeatTalks]] = {}
        for talk in what.talks:
            talks.setdefault(talk.seat, []).append(talk)
        for restored in what.seats:
            self._changes.restore(restored, now, talks.get(restored.seat, ()))
        for talk in what.talks:
            seat = self._board.seats.get(talk.seat)
            if seat is not None and talk.call not in seat.engaged:  # nobody is signed in there
                self._desk.engage(seat, talk.call, Sight.TALK, "restored", now)
        for offer in what.offers:
            self._end_offer(offer, now)
        for visit in what.visits:
            self._restore_visit(visit, now, goes_on=goes_on(visit.call))

    def _end_offer(self, kept: OfferStateRow, now: float) -> None:
        ended_at = max(self._board.walltime.epoch(now), kept.made_at)
        self._board.history.put_offer(
            OfferRow(
                kept.offer,
                kept.visit,
                kept.seat,
                kept.phone,
                kept.made_at,
                ended_at,
                0.0,
                "withdrawn",
                0,
                kept.policy,
                kept.key,
                kept.eligible,
                kept.runners_up,
                kept.queue,
            )
        )

    def _restore_visit(self, kept: VisitStateRow, now: float, *, goes_on: bool) -> None:
        board = self._board
        monotonic = board.walltime.monotonic
        queue = board.queues.get(QueueName(kept.queue))
        call = WaitingCall(
            CallId(kept.call),
            VisitId(kept.visit),
            kept.number,
            QueueName(kept.queue),
            caller=kept.caller,
            called=kept.called,
            joined_at=min(monotonic(kept.joined_at), now),
            entered_at=min(monotonic(kept.entered_at), now),
            credit=kept.credit,
            sequence=board.next_sequence(),
            skills=kept.skills,
            keeper=self._call_keeper,
        )
        call.offered, call.vip, call.resumes = kept.offered, kept.vip, kept.resumes
        call.position = kept.position
        board.remember_visit(call.call, kept.number)
        if goes_on and queue is not None:
            self._distribution.enter(call, queue, now)
            return
        where = Queue(QueueSettings(kept.queue, "", Requirement(0, 0))) if queue is None else queue
        board.history.visit_ended(call, where, Outcome.WITHDRAWN, INTERRUPTED, "", now)
        self._distribution.entry.gave_up(call, where, now)  # it was our fault: who calls again has it back
        if goes_on:
            board.commands.put(
                ReleaseCall(call.call, call.queue, Outcome.WITHDRAWN.value, "queue_removed")
            )
