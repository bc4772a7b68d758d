"""Timetables: what seats do by themselves by weekday and hour, in the time zone of their tenant.

Seats with the same timetable share one deadline. What cannot be done - a seat that nobody works at, a phone
that is another's - is left out; what is busy does it when its work is over. A clock that is set back does
nothing twice, one that jumps does what it jumped over.
"""

from datetime import datetime, time, timedelta

from acd.attendance import Attendance
from acd.board import Board
from acd.distribution import Distribution
from acd.inputs import PauseAsked, PhoneBound, ReadyAsked, SignedIn, SignedOut
from acd.seat import Presence, Seat
from acd.settings import Job, Timetable
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.timers import Timer

CAUSE = "timetable"


class Timetables:
    """The timetables of one engine."""

    def __init__(self, board: Board, attendance: Attendance, distribution: Distribution) -> None:
        self._board = board
        self._attendance = attendance
        self._distribution = distribution
        self._seats: dict[Timetable, list[SeatId]] = {}
        self._order: list[Timetable] = []  # by the number in a timer's name
        self._due: dict[Timetable, float] = {}  # epoch seconds of the next job
        self._timers: dict[Timetable, Timer] = {}

    def configure(self, now: float) -> None:
        """Take the timetables of the seats that there are now."""
        board = self._board
        for timer in self._timers.values():
            board.timers.disarm(timer)
        self._timers.clear()
        before, self._due, self._seats = self._due, {}, {}
        for seat in board.seats.values():
            if seat.settings.timetable.jobs and not seat.is_removed:
                self._seats.setdefault(seat.settings.timetable, []).append(seat.id)
        self._order = list(self._seats)
        epoch = board.walltime.epoch(now)
        for table in self._order:
            due = before.get(table)
            self._due[table] = next_due(table, epoch) if due is None else due
        self.arm()

    def arm(self) -> None:
        """Arm every deadline by the wall time as it is now."""
        board = self._board
        for number, table in enumerate(self._order):
            board.timers.disarm(self._timers.get(table))
            at = board.walltime.monotonic(self._due[table])
            self._timers[table] = board.timers.arm(self, f"timetable {number}", at)

    def on_timer(self, name: str, now: float) -> None:
        """Do the jobs of one timetable that are due, and arm the next."""
        board = self._board
        number = int(name.partition(" ")[2])
        table = self._order[number]
        due = self._due[table]
        for job in table.jobs:
            if moment_after(job, table, due - 1.0) == due:
                for seat in self._seats[table]:
                    known = board.seats.get(seat)
                    if known is not None and not known.is_removed:
                        self._do(known, job, now)
        following = self._due[table] = next_due(table, due)
        at = max(board.walltime.monotonic(following), now)
        self._timers[table] = board.timers.arm(self, name, at)
        self._distribution.settle(now)

    def _do(self, seat: Seat, job: Job, now: float) -> None:
        attendance = self._attendance
        try:
            if job.action == "login":
                if not seat.is_signed_in:  # whoever is there already stays as it is
                    attendance.sign_in(SignedIn(seat.id, CAUSE), now)
            elif job.action == "ready":
                if seat.presence is not Presence.WRAPUP:  # which ends in ready by itself
                    attendance.ready(ReadyAsked(seat.id, cause=CAUSE), now)
            elif job.action == "pause":
                attendance.pause(PauseAsked(seat.id, job.argument, cause=CAUSE), now)
            elif job.action == "logout":
                attendance.sign_out(SignedOut(seat.id, deferred=True, cause=CAUSE), now)
            else:
                kind, _, number = job.argument.partition(":")
                attendance.bind(PhoneBound(seat.id, kind, number, deferred=True), now)
        except OperationRefused:
            return  # a person would be told why; nobody is there to hear it


def next_due(table: Timetable, epoch: float) -> float:
    """Return the moment of the first job after ``epoch``, both epoch seconds."""
    return min(moment_after(job, table, epoch) for job in table.jobs)


def moment_after(job: Job, table: Timetable, epoch: float) -> float:
    """Return when ``job`` is due for the first time after ``epoch``; an hour that comes twice counts once."""
    today = datetime.fromtimestamp(epoch, table.zone).date()
    clock = time(job.minute // 60, job.minute % 60)
    for offset in range(9):
        day = today + timedelta(days=offset)
        if day.weekday() in job.days:
            moment = datetime.combine(day, clock, tzinfo=table.zone).timestamp()
            if moment > epoch:
                return moment
    raise AssertionError(f"{job} is on no day of the week")
