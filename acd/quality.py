"""Quality checks: what a shift leader has found in a call of a seat, and who has been checked too rarely.

A check is a record: points per item and a remark. Whoever only listens (``supervisor.monitor``) leaves a row
in ``operations`` and has checked nothing. Rule: a leader has at most one check of one call of a seat; the
next one replaces it and stays in the month of the first.

Months are those of the tenant's time zone.
"""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from acd.board import Board
from acd.inputs import QualityRestored, QualityScored
from acd.seat import Seat
from acd.settings import QualitySettings
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.rows import QualityRow
from kernel.walltime import epoch_text

POINTS_MAX = 5
REMEMBERED_FOR = 400 * 86_400.0  # seconds: thirteen months and some days
REMEMBERED_MAX = 100_000  # about 50 MB; 1,500 seats checked five times a month

_encode_items = msgspec.json.Encoder().encode
_decode_items = msgspec.json.Decoder(dict[str, int]).decode

Key = tuple[str, str, str, str]  # seat, call, recording, by


class Quality:
    """All checks of one engine that are remembered, oldest first."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._checks: OrderedDict[str, QualityRow] = OrderedDict()
        self._by_call: dict[Key, str] = {}
        self._of_seat: dict[str, dict[str, QualityRow]] = {}

    def score(self, what: QualityScored, now: float) -> None:
        """Write a check down; refused with NO_SUCH_SEAT or BAD_SCORE."""
        seat = self._board.seats.get(what.seat)
        if seat is None:
            raise OperationRefused("NO_SUCH_SEAT", f"there is no seat {what.seat}")
        items = self._checked(self.settings_of(seat), dict(what.items))
        epoch = self._board.walltime.epoch(now)
        earlier = self._checks.get(self._by_call.get((seat.id, what.call, what.recording, what.by), ""))
        row = QualityRow(
            what.check if earlier is None else earlier.check,
            seat.tenant,
            seat.id,
            what.call,
            what.recording,
            what.by,
            epoch if earlier is None else earlier.at,
            _encode_items(items).decode(),
            round(sum(items.values()) / len(items), 3),
            what.remark,
            epoch,
        )
        self._board.rows.put(row)
        self._remember(row, epoch)

    def restore(self, what: QualityRestored, now: float) -> None:
        """Take back a check from before a restart; they come oldest first."""
        self._remember(what.row, self._board.walltime.epoch(now))

    # What is asked of it.

    def settings_of(self, seat: Seat) -> QualitySettings:
        """Return what the seat's tenant wants of checks."""
        return self._board.tenant(seat.tenant).quality

    def check_of(self, seat: str, call: str, recording: str, by: str) -> dict[str, Any]:
        """Return the check that ``by`` has made of a call."""
        return _view(self._checks[self._by_call[(seat, call, recording, by)]])

    def month(self, tenant: str, now: float) -> str:
        """Return the present month where ``tenant`` is: ``2026-11``."""
        return self._month_of(tenant, self._board.walltime.epoch(now))

    def checks_in(self, month: str, seat: str, now: float) -> Iterator[dict[str, Any]]:
        """Return the checks of a seat in a month, oldest first."""
        return map(_view, self._rows_in(month, seat))

    def seat_in(self, month: str, seat: SeatId) -> dict[str, Any]:
        """Return how often a seat was checked in a month, how often it should be, and its mean points."""
        known = self._board.seats[seat]
        wanted = self.settings_of(known)
        rows = list(self._rows_in(month, seat))
        points: dict[str, list[int]] = {}
        for row in rows:
            for item, given in _decode_items(row.items).items():
                points.setdefault(item, []).append(given)
        # Nobody is bound to check a shift leader.
        minimum, target = (wanted.minimum, wanted.target) if known.settings.role == "agent" else (0, 0)
        return {
            "seat": seat,
            "tenant": known.tenant,
            "level": self._board.level_name(known.level),
            "month": month,
            "checks": len(rows),
            "minimum": minimum,
            "target": target,
            "missing": max(0, minimum - len(rows)),
            "to_target": max(0, target - len(rows)),
            "mean": round(sum(row.mean for row in rows) / len(rows), 3) if rows else None,
            "means": {item: round(sum(given) / len(given), 3) for item, given in points.items()},
        }

    def check(self) -> None:
        """Assert what must hold between turns."""
        assert len(self._by_call) == len(self._checks), "a call was checked twice by the same leader"
        count = sum(map(len, self._of_seat.values()))
        assert count == len(self._checks), "a check belongs to no seat, or to two"

    # Inside.

    def _checked(self, wanted: QualitySettings, items: dict[str, int]) -> dict[str, int]:
        for item in items:
            if item not in wanted.items:
                names = ", ".join(wanted.items)
                raise OperationRefused("BAD_SCORE", f"{item} is no item of the tenant's checks: {names}")
        for item in wanted.items:
            if item not in items:
                raise OperationRefused("BAD_SCORE", f"{item} has no points; a check scores every item")
            if not 1 <= items[item] <= POINTS_MAX:
                told = f"{item}: {items[item]} is not between 1 and {POINTS_MAX}"
                raise OperationRefused("BAD_SCORE", told)
        return {item: items[item] for item in wanted.items}

    def _remember(self, row: QualityRow, epoch: float) -> None:
        if row.check in self._checks:
            self._checks[row.check] = row
            self._of_seat[row.seat][row.check] = row
            return
        self._checks[row.check] = row
        self._by_call[_key(row)] = row.check
        self._of_seat.setdefault(row.seat, {})[row.check] = row
        oldest = epoch - REMEMBERED_FOR
        while len(self._checks) > REMEMBERED_MAX or next(iter(self._checks.values())).at < oldest:
            _, gone = self._checks.popitem(last=False)
            del self._by_call[_key(gone)], self._of_seat[gone.seat][gone.check]
            if not self._checks:
                break

    def _rows_in(self, month: str, seat: str) -> Iterator[QualityRow]:
        tenant = self._board.seats[SeatId(seat)].tenant  # the number may have been another tenant's before
        for row in self._of_seat.get(seat, {}).values():
            if row.tenant == tenant and self._month_of(tenant, row.at) == month:
                yield row

    def _month_of(self, tenant: str, epoch: float) -> str:
        moment = datetime.fromtimestamp(epoch, self._board.tenant(tenant).zone)
        return f"{moment.year:04d}-{moment.month:02d}"


def _key(row: QualityRow) -> Key:
    return (row.seat, row.call, row.recording, row.by)


def _view(row: QualityRow) -> dict[str, Any]:
    return {
        "check": row.check,
        "tenant": row.tenant,
        "seat": row.seat,
        "call": row.call or None,
        "recording": row.recording or None,
        "by": row.by,
        "at": epoch_text(row.at),
        "items": _decode_items(row.items),
        "mean": row.mean,
        "remark": row.remark,
    }
