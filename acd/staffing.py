"""Staffing: how many seats work for each requirement class, and who is there for each queue.

Kept with every change of a seat, in time proportional to the classes of that seat, so that an entry rule or
an estimate never counts seats.
"""

from acd.board import Board
from acd.seat import Activity, Seat
from queues.queue import Queue

# Words of the setting ``absent`` that are not themselves a presence or an activity.
_MEANT = {"ringing": (Activity.RESERVED, Activity.DIALLING, Activity.RINGING)}


class Staffing:
    """Counts seats."""

    __slots__ = ("_board",)

    def __init__(self, board: Board) -> None:
        self._board = board

    def note(self, seat: Seat) -> None:
        """Take a change of presence or activity of ``seat`` into the counts."""
        works = seat.is_working and not seat.is_removed
        if works is not seat.works:
            seat.works = works
            change = 1 if works else -1
            for each in seat.classes:
                each.working += change
        if seat.watched_by:
            self._note_absence(seat)

    def retire(self, seat: Seat) -> None:
        """Count a seat out of its classes and queues, before it gets others."""
        if seat.works:
            for each in seat.classes:
                each.working -= 1
        seat.works = False
        for queue in seat.watched_by:
            if queue.there.pop(seat.id, "") is None:
                self.changed(queue)

    def enrol(self, seat: Seat) -> None:
        """Count a seat whose classes have just been found anew."""
        seat.works = False
        queues = self._board.queues
        serving = dict.fromkeys(each.line.queue for each in seat.classes)
        seat.watched_by = tuple(queues[name] for name in serving if queues[name].settings.entry.absent)
        self.note(seat)

    def changed(self, queue: Queue) -> None:
        """Have a queue looked at before the turn ends: somebody has come or gone."""
        if queue.settings.entry.max_wait_empty:
            self._board.thinned.append(queue)

    def _note_absence(self, seat: Seat) -> None:
        for queue in seat.watched_by:
            is_there = is_present(seat, queue.settings.entry.absent)
            if is_there is not (seat.id in queue.there):
                if is_there:
                    queue.there[seat.id] = None
                else:
                    del queue.there[seat.id]
                self.changed(queue)


def is_present(seat: Seat, absent: tuple[str, ...]) -> bool:
    """Say whether ``seat`` is there, where the states ``absent`` count as being away."""
    if not seat.is_signed_in or seat.is_removed or seat.presence in absent:
        return False
    return not any(seat.activity in _MEANT.get(word, (word,)) for word in absent)
