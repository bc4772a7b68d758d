"""Recording: which calls are recorded, and what of them.

A recording belongs to who is outside: left is what that side says, right whatever it hears of seats, third
parties and supervisors. So it goes on in one file through holds, consultations, transfers, takeovers and
whoever barges in; it moves with its caller to the call that a transfer makes, and both calls' rows name it.
What the two sides do not hear of each other is in no file: on hold, and while the caller is in a script, both
channels are silent, of a muted seat the right one is, and what a seat says to whom it consults is said to
nobody outside. Time goes on meanwhile, so that places in the file are those of the talk.

Rules: of each recording there is exactly one row, whatever ends it; until then the journal knows that it is
being written. A call has at most one that is being written.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from calls.call import Call, CallState
from calls.catalogue import Catalogue
from calls.controls import RecordingAsked
from calls.events import CallChanged
from calls.leg import Leg
from kernel.chance import Chance
from kernel.errors import OperationRefused
from kernel.ids import CallId, RecordingId, SeatId
from kernel.rows import RecordingRow
from kernel.staterows import RecordingStateRow
from kernel.walltime import WallTime
from media.events import NOTHING, RecordingEnded, RecordingFailed, Written
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

INTERRUPTED = "switch_killed"
KEPT, FAILED = "kept", "failed"


class Taping:
    """One recording that is being written, or whose file is being closed."""

    __slots__ = (
        "began_at",
        "call",
        "ended_at",
        "first_call",
        "id",
        "is_pausable",
        "left",
        "number",
        "queue",
        "seats",
        "suspended_at",
        "suspended_by",
        "suspended_for",
        "tenant",
    )

    def __init__(self, recording: RecordingId, call: Call, left: Leg, now: float) -> None:
        self.id = recording
        self.call = call
        self.first_call = call.id
        self.left = left
        self.tenant = call.tenant
        self.queue = call.queue or ""
        self.number = left.number
        self.seats: dict[SeatId, None] = {}  # that were heard, in order
        self.began_at = now
        self.ended_at: float | None = None
        self.is_pausable = True
        self.suspended_by: SeatId | None = None
        self.suspended_at = 0.0
        self.suspended_for = 0.0

    def resume(self, now: float) -> None:
        """Count the time that it was suspended."""
        if self.suspended_by is not None:
            self.suspended_by = None
            self.suspended_for += now - self.suspended_at


class CallRecordings:
    """The recordings of one switchboard.

    ``moved`` are the calls in which somebody may hear others than before; :meth:`settle` looks at them.
    """

    def __init__(self, board: "Switchboard", plane: Plane, chance: Chance, walltime: WallTime) -> None:
        self._board = board
        self._plane = plane
        self._chance = chance
        self._walltime = walltime
        self.by_call: dict[CallId, Taping] = {}
        self.living: dict[RecordingId, Taping] = {}  # until the media plane has told that it is over
        self.moved: dict[CallId, Call] = {}
        self.catalogue = Catalogue(plane.recordings.folder)
        self._refused: dict[CallId, None] = {}  # calls whose recording could not be written
        self._is_failing = False  # which the operator knows

    # What is seen and asked.

    def state(self, call: Call) -> str:
        """Return ``on``, ``suspended`` or ``off``."""
        taping = self.by_call.get(call.id)
        if taping is None:
            return "off"
        return "on" if taping.suspended_by is None else "suspended"

    def ask(self, what: RecordingAsked, now: float) -> None:
        """Suspend the recording of a call, for what must not be in it, or go on."""
        board = self._board
        call, _, _ = board.desk.talking(what.call, what.seat)
        taping = self.by_call.get(call.id)
        if taping is None:
            raise OperationRefused("NOT_RECORDED", f"call {call.id} is not recorded")
        if call.held or board.transfers.is_moving(call):
            raise OperationRefused("NO_BRIDGE", f"the two sides of call {call.id} do not hear each other")
        if what.paused and not taping.is_pausable:
            raise OperationRefused("NO_RIGHT", f"queue {taping.queue} lets nobody suspend its recordings")
        if what.paused == (taping.suspended_by is not None):
            word = "ALREADY_SUSPENDED" if what.paused else "NOT_SUSPENDED"
            how = "suspended already" if what.paused else "not suspended"
            raise OperationRefused(word, f"the recording of call {call.id} is {how}")
        if what.paused:
            taping.suspended_by, taping.suspended_at = what.seat, now
        else:
            taping.resume(now)
        board.rows.put(self._state(taping))
        self.touch(call)
        board.events.put(CallChanged(call.id, call.state))

    # What the calls tell.

    def touch(self, call: Call) -> None:
        """Note that those in ``call`` may hear others than before, where that is of interest to anybody."""
        if self.by_call or self._board.plan.records:
            self.moved[call.id] = call

    def settle(self, now: float) -> None:
        """Look at the calls that have changed."""
        while self.moved:
            call = self.moved.pop(next(iter(self.moved)))
            if self._board.calls.get(call.id) is call:
                self._tune(call, now)

    def leg_moved(self, leg: Leg, call: Call, into: Call, now: float) -> None:
        """A transfer takes ``leg`` from one call to another: its recording goes along."""
        taping = self.by_call.get(call.id)
        if taping is None or taping.left is not leg:
            return
        del self.by_call[call.id]
        other = self.by_call.get(into.id)
        if other is not None:
            self._end(other, now)
        taping.call = into
        self.by_call[into.id] = taping
        into.recording = into.recording or taping.id  # the call that it comes from names it already
        self.touch(into)

    def call_ended(self, call: Call, now: float) -> None:
        """A call is over, and with it its recording."""
        self.moved.pop(call.id, None)
        self._refused.pop(call.id, None)
        taping = self.by_call.get(call.id)
        if taping is not None:
            self._end(taping, now)

    # What the media plane tells.

    def over(self, event: RecordingEnded | RecordingFailed, now: float) -> None:
        """A file is closed: leave its row; a call that goes on after its worker's death gets another file."""
        taping = self.living.pop(event.recording, None)
        if taping is None:
            return
        call, is_current = taping.call, self.by_call.get(taping.call.id) is taping
        if is_current:
            del self.by_call[call.id]
        if isinstance(event, RecordingFailed):
            self._failed(event, call, is_current=is_current)
            state, cause = FAILED, event.reason
        else:
            state, cause = KEPT if event.size else FAILED, event.cause
            if event.size and self._is_failing:
                self._is_failing = False
                self._board.log.put(("recordings are written again", {}))
        taping.resume(now if taping.ended_at is None else taping.ended_at)
        ended_at = now if taping.ended_at is None else taping.ended_at
        self._put_row(taping, ended_at, event.seconds, event.size, state, cause)
        if is_current:
            if not event.size and not isinstance(event, RecordingFailed) and call.recording == taping.id:
                call.recording = ""  # another is begun, and is what its row shall name
            self.touch(call)
            self._board.events.put(CallChanged(call.id, call.state))

    def _failed(self, event: RecordingFailed, call: Call, *, is_current: bool) -> None:
        if is_current:
            self._refused[call.id] = None
        if not self._is_failing:  # told once, until one can be written again
            self._is_failing = True
            about = {"recording": event.recording, "call": call.id, "why": event.reason}
            self._board.log.put(("a recording cannot be written", about))

    # How it is done.

    def _tune(self, call: Call, now: float) -> None:
        """Let the recording of ``call`` be of who is heard in it now."""
        taping = self.by_call.get(call.id)
        if taping is not None:
            is_over = taping.left not in (call.caller_leg, call.callee) or call.state is CallState.SURVEY
            if is_over:  # whoever has the place of who was recorded has a file of its own
                self._end(taping, now)
                taping = None
        if taping is None:
            if call.state is not CallState.TALKING or not self._is_wanted(call):
                return
            taping = self._begin(call, now)
        left = taping.left
        if taping.suspended_by is not None:
            if not any(leg.seat == taping.suspended_by for leg in call.legs()):
                taping.resume(now)  # whoever has suspended it has left
                self._board.rows.put(self._state(taping))
        other = call.other(left) if call.state is CallState.TALKING else None
        if other is None or call.is_parked or self._board.scripts.interacts(call):
            self._plane.recordings.pause(taping.id, now)
            return
        usual = () if call.is_muted else (other.stream,)
        right = self._board.hearing.hears(left.stream) or usual
        self._plane.recordings.point(taping.id, right, now)
        self._note_seats(taping, call)
        if taping.suspended_by is None:
            self._plane.recordings.resume(taping.id, now)
        else:
            self._plane.recordings.pause(taping.id, now)

    def _is_wanted(self, call: Call) -> bool:
        if call.is_supervision or call.entry.startswith("consult:") or call.id in self._refused:
            return False
        if call.caller_leg is None or call.callee is None:
            return False
        plan = self._board.plan
        queue = plan.queues.get(call.queue or "")
        if queue is not None:
            return queue.record
        if not any(leg.seat is not None for leg in call.legs()):
            return False
        settings = plan.settings.recording
        recorded = {"in": settings.tenants_in, "out": settings.tenants_out}
        return call.tenant in recorded.get(call.direction, ())

    def _begin(self, call: Call, now: float) -> Taping:
        caller, callee = call.caller_leg, call.callee
        assert caller is not None
        assert callee is not None
        is_reversed = call.is_callback or (caller.seat is not None and callee.seat is None)
        left = callee if is_reversed else caller
        recording = RecordingId(f"{call.id}-{self._chance.token()}")
        taping = Taping(recording, call, left, now)
        queue = self._board.plan.queues.get(call.queue or "")
        taping.is_pausable = queue is None or queue.record_pausable
        self.by_call[call.id] = self.living[recording] = taping
        call.recording = call.recording or recording
        self._plane.recordings.begin(recording, left.stream, (), now)
        self._board.rows.put(self._state(taping))
        self._board.events.put(CallChanged(call.id, call.state))
        return taping

    def _end(self, taping: Taping, now: float) -> None:
        del self.by_call[taping.call.id]
        taping.ended_at = now
        self._plane.recordings.end(taping.id, now)

    def _note_seats(self, taping: Taping, call: Call) -> None:
        before = len(taping.seats)
        for leg in call.legs():
            if leg.seat is not None and leg is not taping.left:
                taping.seats.setdefault(leg.seat)
        if len(taping.seats) != before:
            self._board.rows.put(self._state(taping))

    # Rows.

    def removed(self, rows: Sequence[RecordingRow]) -> None:
        """Take what has become of recordings whose files have been removed."""
        for row in rows:
            self._board.rows.put(row)
            self.catalogue.update(row)

    def restore(
        self,
        known: Sequence[RecordingRow],
        rows: Sequence[RecordingStateRow],
        died_at: float,
        files: Mapping[str, Written],
    ) -> None:
        """Take the recordings of before, and leave rows of what the switch before was writing when it died at
        ``died_at`` (epoch): of what is in their ``files``, which its media workers may have gone on with.
        """
        for row in known:
            self.catalogue.add(row)
        for state in rows:
            written = files.get(state.recording, NOTHING)
            ended_at = max(died_at, state.began_at + written.seconds)
            more = max(0.0, ended_at - state.suspended_at) if state.suspended_at else 0.0
            self._put(
                RecordingRow(
                    *(state.recording, state.call, state.tenant, state.queue, state.seat, state.seats),
                    state.number,
                    state.began_at,
                    ended_at,
                    written.seconds,
                    written.size,
                    round(state.suspended + more, 3),
                    KEPT if written.size else FAILED,
                    INTERRUPTED,
                )
            )

    def state_rows(self) -> list[RecordingStateRow]:
        """Return the state rows of all that is being written."""
        return [self._state(taping) for taping in self.living.values()]

    def _state(self, taping: Taping) -> RecordingStateRow:
        is_suspended = taping.suspended_by is not None
        at = self._walltime.epoch(taping.suspended_at) if is_suspended else 0.0
        return RecordingStateRow(*self._about(taping), round(taping.suspended_for, 3), at)

    def _about(self, taping: Taping) -> tuple[str, str, str, str, str, str, str, float]:
        seats = tuple(taping.seats)
        began_at = self._walltime.epoch(taping.began_at)
        first = seats[0] if seats else ""
        about = (taping.id, taping.first_call, taping.tenant, taping.queue, first, ",".join(seats))
        return (*about, taping.number, began_at)

    def _put_row(
        self, taping: Taping, ended_at: float, seconds: float, size: int, state: str, cause: str
    ) -> None:
        self._put(
            RecordingRow(
                *self._about(taping),
                self._walltime.epoch(ended_at),
                seconds,
                size,
                round(taping.suspended_for, 3),
                state,
                cause,
            )
        )

    def _put(self, row: RecordingRow) -> None:
        self._board.rows.put(row)
        self.catalogue.add(row)

    def check(self) -> None:
        """Assert what must hold between turns."""
        for call, taping in self.by_call.items():
            assert self.living.get(taping.id) is taping, f"{taping.id} is written for {call} and is over"
            assert taping.call.id == call, f"{taping.id} is of another call"
            assert call in self._board.calls, f"{call} is over and is recorded"
            assert taping.ended_at is None, f"{taping.id} has ended and is written"
        for taping in self.living.values():
            assert (taping.ended_at is None) == (self.by_call.get(taping.call.id) is taping), (
                f"{taping.id} is written and nobody knows for whom"
            )
