"""Pauses in some queues: a seat takes no calls of them and goes on in the others.

In such a queue it is as if the seat had left: who wants it there finds it away, and it does not count as
signed in. What rings or talks goes on. It ends with the sign-out.
"""

from acd.board import Board
from acd.changes import Changes
from acd.desk import Desk
from acd.inputs import QueuesPaused, QueuesReady
from acd.seat import Seat
from kernel.errors import OperationRefused
from kernel.ids import QueueName, SeatId


class QueuePauses:
    """Lets seats leave queues for a while."""

    def __init__(self, board: Board, desk: Desk, changes: Changes) -> None:
        self._board = board
        self._desk = desk
        self._changes = changes

    def pause(self, what: QueuesPaused, now: float) -> None:
        """Take no calls of some queues; a queue that is paused already gets the new reason."""
        seat, queues = self._named(what.seat, what.queues)
        reasons = self._board.tenant(seat.tenant).pause_reasons
        if reasons and what.reason not in reasons:
            told = f"{what.reason!r} is not a pause reason: {', '.join(reasons)}"
            raise OperationRefused("BAD_PAUSE", told)
        changed = [queue for queue in queues if seat.paused_in.get(queue) != what.reason]
        left = {**seat.paused_in, **dict.fromkeys(queues, what.reason)}
        self._leave(seat, left, [f"paused_in:{queue}:{what.reason}" for queue in changed], now)

    def ready(self, what: QueuesReady, now: float) -> None:
        """Take calls of some queues again."""
        seat, queues = self._named(what.seat, what.queues)
        back = [queue for queue in queues if queue in seat.paused_in]
        if not back:
            raise OperationRefused("ALREADY_READY", f"seat {seat.id} is paused in none of these queues")
        left = {queue: why for queue, why in seat.paused_in.items() if queue not in back}
        self._leave(seat, left, [f"unpaused_in:{queue}:{seat.paused_in[queue]}" for queue in back], now)

    def forget(self, name: SeatId, now: float) -> None:
        """Somebody signs in: it serves every queue of the seat, whatever was said by who was there before."""
        seat = self._board.seats.get(name)
        if seat is not None and seat.paused_in and not seat.is_signed_in:
            seat.paused_in = {}
            self._changes.move(seat, seat.settings, now)

    def _leave(self, seat: Seat, left: dict[QueueName, str], causes: list[str], now: float) -> None:
        if not causes:
            return
        seat.paused_in = left
        self._changes.move(seat, seat.settings, now)
        for cause in causes:
            self._desk.serves_anew(seat, cause, now)

    def _named(self, name: SeatId, queues: tuple[str, ...]) -> tuple[Seat, list[QueueName]]:
        """Return the seat, which must be signed in, and the queues, which it must serve."""
        seat = self._board.seats.get(name)
        if seat is None or seat.is_removed:
            raise OperationRefused("NO_SUCH_SEAT", f"there is no seat {name}")
        if not seat.is_signed_in:
            raise OperationRefused("NOT_LOGGED_IN", f"nobody is signed in at seat {name}")
        for queue in queues:
            if queue not in seat.queues:
                raise OperationRefused("NOT_IN_QUEUE", f"seat {name} does not serve queue {queue}")
        return seat, [QueueName(queue) for queue in dict.fromkeys(queues)]
