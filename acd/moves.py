"""Moves: seats that a supervisor has let serve other queues, or work at another level or with other skills.

A move outlives a reload and, by its row, a restart. It ends when somebody moves the seat back, when the
configuration says something else of the seat's queues, level or skills than it did when the seat was moved,
or when a queue or the level that it was moved to is gone. It costs the same however many seats there are.
"""

from typing import Any

import msgspec

from acd.board import Board
from acd.events import SeatMoveEnded
from acd.settings import AcdSettings, SeatSettings
from kernel.ids import SeatId
from kernel.rows import SeatMoveRow

FILE_CHANGED = "the configuration says something else of it now"
TARGET_GONE = "a queue or the level it was moved to is gone"
SEAT_GONE = "the configuration has it no more"

_NAMES = msgspec.json.Decoder(tuple[str, ...])
_SKILLS = msgspec.json.Decoder(dict[str, int])


class Moves:
    """The moves of one engine."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._rows: dict[SeatId, SeatMoveRow] = {}
        self._written: dict[SeatId, SeatSettings] = {}  # what the configuration says of those moved
        self._ranks: dict[str, int] = {}  # of levels
        self._tenants: dict[str, str] = {}  # of queues

    def configure(self, settings: AcdSettings) -> None:
        """Take levels and queues that seats may have been moved to."""
        self._ranks = {level.name: rank for rank, level in enumerate(settings.levels)}
        self._tenants = {queue.name: queue.tenant for queue in settings.queues}

    def __len__(self) -> int:
        return len(self._rows)

    def is_moved(self, seat: SeatId) -> bool:
        """Return whether ``seat`` is otherwise than the configuration says."""
        return seat in self._rows

    def as_written(self, seat: SeatId) -> SeatSettings | None:
        """Return what the configuration says of a seat that was moved."""
        return self._written.get(seat)

    def note(self, before: SeatSettings, after: SeatSettings, by: str, epoch: float) -> None:
        """A seat has just been moved; where it is as the configuration says again, no move is left."""
        seat = SeatId(before.number)
        written = self._written.get(seat, before)
        if self._said(written) == self._said(after):
            self._end(seat, by, epoch)
            return
        queues, level, skills = self._said(after)
        was = _text(self._said(written))
        row = SeatMoveRow(seat, _text(queues), level, _text(skills), was, by, epoch, False)
        self._rows[seat] = row
        self._written[seat] = written
        self._board.rows.put(row)

    def settings_for(self, written: SeatSettings, epoch: float) -> SeatSettings:
        """Return a seat's settings, where the configuration says ``written``: as it was moved, or these."""
        seat = SeatId(written.number)
        row = self._rows.get(seat)
        if row is None:
            return written
        if row.moved_from != _text(self._said(written)):
            return self._cease(seat, FILE_CHANGED, written, epoch)
        moved = self._moved(row, written)
        if moved is None:
            return self._cease(seat, TARGET_GONE, written, epoch)
        self._written[seat] = written
        return moved

    def forget(self, seat: SeatId, epoch: float) -> None:
        """The configuration has ``seat`` no more."""
        if seat in self._rows:
            self._end(seat, "", epoch)
            self._tell(seat, SEAT_GONE)

    def restore(self, row: SeatMoveRow, written: SeatSettings | None, epoch: float) -> SeatSettings | None:
        """Take back a move from before a restart and return the seat's settings, or None if it has ended."""
        if row.is_removed:
            return None
        seat = SeatId(row.seat)
        self._rows[seat] = row
        if written is None:
            self.forget(seat, epoch)
            return None
        settings = self.settings_for(written, epoch)
        return settings if seat in self._rows else None

    def _moved(self, row: SeatMoveRow, written: SeatSettings) -> SeatSettings | None:
        """Return where ``row`` moves a seat to; None if that is gone."""
        queues = _NAMES.decode(row.queues)
        level = self._ranks.get(row.level)
        if level is None or any(self._tenants.get(queue) != written.tenant for queue in queues):
            return None
        skills = tuple(sorted(_SKILLS.decode(row.skills).items()))
        return msgspec.structs.replace(written, queues=queues, level=level, skills=skills)

    def _said(self, settings: SeatSettings) -> tuple[tuple[str, ...], str, dict[str, int]]:
        """Return what a move is about: queues, level by name, skills."""
        return settings.queues, self._board.level_name(settings.level), dict(sorted(settings.skills))

    def _cease(self, seat: SeatId, why: str, written: SeatSettings, epoch: float) -> SeatSettings:
        self._end(seat, "", epoch)
        self._tell(seat, why)
        return written

    def _tell(self, seat: SeatId, why: str) -> None:
        self._board.events.put(SeatMoveEnded(seat, why))
        self._board.log.put(("a seat is no longer moved", {"seat": seat, "why": why}))

    def _end(self, seat: SeatId, by: str, epoch: float) -> None:
        row = self._rows.pop(seat, None)
        self._written.pop(seat, None)
        if row is not None:
            ended = msgspec.structs.replace(row, moved_by=by, changed_at=epoch, is_removed=True)
            self._board.rows.put(ended)

    def check(self) -> None:
        """Assert what must hold between turns."""
        assert self._written.keys() == self._rows.keys(), "what some seat was moved from is not known"
        for number, row in self._rows.items():
            seat = self._board.seats.get(number)
            assert seat is not None, f"{number} is gone and still moved"
            assert row.seat == number, f"{number} is moved by the row of {row.seat}"
            assert not row.is_removed, f"the move of {number} has ended and lives"
            written, said = self._said(self._written[number]), self._said(seat.settings)
            told = (_NAMES.decode(row.queues), row.level, _SKILLS.decode(row.skills))
            assert told == said, f"{number} is not where its row says that it was moved"
            assert row.moved_from == _text(written), f"{number} was moved from somewhere else"
            assert written != said, f"{number} is where the configuration says, and moved"
            queues = [self._tenants.get(queue) for queue in seat.settings.queues]
            assert all(each == seat.settings.tenant for each in queues), f"{number} serves what is gone"


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
