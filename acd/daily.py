"""Daily limits: a seat that has answered as many queue calls as it may a day is offered none before the next.

How many that are is the sum of its counters since midnight in its tenant's time zone, so a restart forgets
nothing. Rule: a seat's timer ``midnight`` is armed exactly while the seat is spent.
"""

from datetime import datetime, time, timedelta

from acd.board import Board
from acd.seat import Seat

DAY = 86_400.0


class DailyLimits:
    """Says which seats have had enough today."""

    __slots__ = ("_board",)

    def __init__(self, board: Board) -> None:
        self._board = board

    def look(self, seat: Seat, now: float) -> None:
        """Note whether the seat may be offered queue calls today; the caller takes it out of the indexes."""
        limit = seat.settings.daily_limit
        if not limit and not seat.is_spent:
            return
        timers, walltime = self._board.timers, self._board.walltime
        timers.disarm(seat.midnight)
        seat.midnight = None
        seat.is_spent = bool(limit) and answered_today(self._board, seat, now) >= limit
        if seat.is_spent:
            _, ends = day_of(self._board, seat, now)
            seat.midnight = timers.arm(seat, "midnight", max(walltime.monotonic(ends), now))


def answered_today(board: Board, seat: Seat, now: float) -> int:
    """Return how many queue calls the seat has answered since midnight."""
    begins, ends = day_of(board, seat, now)
    answered: int = seat.account.statistics.between(begins, ends).offers_answered
    return answered


def day_of(board: Board, seat: Seat, now: float) -> tuple[float, float]:
    """Return begin and end of the present day where the seat's tenant is, epoch seconds."""
    zone = board.tenant(seat.tenant).zone
    today = datetime.fromtimestamp(board.walltime.epoch(now), zone).date()
    days = (today, today + timedelta(days=1))
    begins, ends = (datetime.combine(day, time(), tzinfo=zone).timestamp() for day in days)
    return begins, ends
