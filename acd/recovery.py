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
from acd.desk import FORCED, Desk
from acd.distribution import Distribution
from acd.inputs import SeatRestored, SeatTalks
from acd.seat import Sight
from kernel.ids import CallId, QueueName, SeatId, VisitId
from kernel.rows import OfferRow, PresenceRow
from kernel.staterows import OfferStateRow, VisitStateRow
from queues.events import Outcome
from queues.queue import Queue
from queues.settings import QueueSettings, Requirement
from queues.waiting import Keeper, WaitingCall

INTERRUPTED = "interrupted"
DIED = "died"  # the cause of the row that says until when the switch lived

_IDLE = ("time_ready", "time_paused", "time_wrapup")


class Recovered(msgspec.Struct, frozen=True):
    """What lived in distribution when the switch died; moments of seats are monotonic, of rows wall time."""

    seats: Sequence[SeatRestored]
    talks: Sequence[SeatTalks]
    visits: Sequence[VisitStateRow]
    offers: Sequence[OfferStateRow]
    died_at: float | None = None  # the moment, epoch seconds, that a row has to say; None: one does


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
        if what.died_at is not None:
            self._write_death(what.seats, what.died_at)
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

    def _write_death(self, seats: Sequence[SeatRestored], died_at: float) -> None:
        """Say by one row of one seat, which did what it did before, until when all seats did so.

        Counters have that time already; the next start reads it from the row.
        """
        board = self._board
        signed_in = [it for it in seats if board.counting.seat(it.seat).state and it.seat in board.seats]
        idle = [it for it in signed_in if board.counting.seat(it.seat).state in _IDLE]
        for kept in [*idle, *signed_in][:1]:
            seat, account = board.seats[kept.seat], board.counting.seat(kept.seat)
            does = account.state.removeprefix("time_")
            seat.changes = int(died_at * 1000)
            presence = "paused" if kept.presence == FORCED else kept.presence
            board.rows.put(
                PresenceRow(
                    f"{seat.changes}.{seat.id}",
                    seat.id,
                    kept.agent,
                    died_at,
                    does if account.state in _IDLE else presence,
                    account.reason,
                    "idle" if account.state in _IDLE else "talking" if does == "held" else does,
                    DIED,
                    "",
                    account.queue,
                    does == "held",
                )
            )

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
