"""Reports: what queues, seats, levels and tenants came to between two moments, out of the rows of quarters.

A quarter of an hour belongs to the part of the report in which it begins, and each is counted once. Parts are
of equal length and begin at the report's begin; without parts there is one line for each queue, seat, level
and tenant. Figures and formulas are those of :mod:`queues.statistics` and :mod:`acd.worktime`.
"""

from typing import Any

import msgspec

from acd.counting import row_values
from acd.worktime import STATES, SeatCounters
from kernel.rows import QueueIntervalRow, SeatIntervalRow
from kernel.walltime import epoch_text
from queues.statistics import MODES, Counters, figures
from queues.sums import WORK, read_sketch

KINDS = ("queue", "seat", "level", "tenant")

_PAUSED = msgspec.json.Decoder(dict[str, float])

CALLERS = (
    "offered",
    "answered",
    "abandoned",
    "abandoned_waiting",
    "abandoned_ringing",
    "short_abandoned",
    "refused",
    "timed_out",
    "overflowed",
    "withdrawn",
    "callback",
    *(f"service_level_{mode}" for mode in MODES),
    *(f"service_level_{mode}_without_short" for mode in MODES),
    "abandon_rate",
    "abandon_rate_without_short",
    "asa",
    "awt",
    "ata",
    "wait_p50",
    "wait_p95",
    "wait_longest",
)
HANDLING = (*WORK, "aht", "average_talk", "average_hold", "acw", "average_ring", "rna_rate", "transfer_rate")
TIME = ("time_signed_in", *STATES, "occupancy", "occupancy_without_ring", "utilisation", "paused_for")
COLUMNS = ("kind", "name", "tenant", "level", "begin", *CALLERS, *HANDLING, *TIME)


class Wanted(msgspec.Struct, frozen=True):
    """What is reported; moments are epoch seconds, an empty text is every one."""

    begin: float
    end: float
    part: float = 0.0  # seconds of each part; 0: the whole in one
    queue: str = ""
    seat: str = ""
    tenant: str = ""


class Line(msgspec.Struct):
    """What is known of one queue, seat, level or tenant in one part."""

    tenant: str
    level: str
    callers: Counters | None = None
    work: SeatCounters | None = None


class Report:
    """Adds up rows."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._lines: dict[tuple[int, str, float], Line] = {}  # by kind, name and begin of the part

    def take(self, row: QueueIntervalRow | SeatIntervalRow) -> None:
        """Count one quarter; what is not wanted is passed over."""
        wanted = self._wanted
        if not wanted.begin <= row.begin_at < wanted.end or wanted.tenant not in ("", row.tenant):
            return
        if isinstance(row, QueueIntervalRow):
            if not wanted.seat and wanted.queue in ("", row.queue):
                self._take_queue(row)
        elif not wanted.queue and wanted.seat in ("", row.seat):
            self._take_seat(row)

    def _take_queue(self, row: QueueIntervalRow) -> None:
        counters = Counters()
        counters.take(row_values(row))
        counters.wait_longest = row.wait_longest
        counters.waits = read_sketch(row.waits)
        for line in self._of(row, "queue", row.queue):
            if line.callers is None:
                line.callers = Counters()
            line.callers.add(counters)

    def _take_seat(self, row: SeatIntervalRow) -> None:
        counters = SeatCounters()
        counters.take(row_values(row))
        counters.paused_for = _PAUSED.decode(row.paused_for)
        for line in self._of(row, "seat", row.seat):
            if line.work is None:
                line.work = SeatCounters()
            line.work.add(counters)

    def _of(self, row: QueueIntervalRow | SeatIntervalRow, kind: str, name: str) -> list[Line]:
        """Return the lines that ``row`` counts in: one of a queue or a seat alone, or of groups too."""
        wanted = self._wanted
        begin = row.begin_at if wanted.part else wanted.begin
        if wanted.part:
            begin -= (row.begin_at - wanted.begin) % wanted.part
        found = [self._line(kind, name, begin, row.tenant, row.level)]
        if not wanted.queue and not wanted.seat:
            found.append(self._line("level", row.level, begin, wanted.tenant, row.level))
            found.append(self._line("tenant", row.tenant, begin, row.tenant, ""))
        return found

    def _line(self, kind: str, name: str, begin: float, tenant: str, level: str) -> Line:
        key = (KINDS.index(kind), name, begin)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(tenant, level)
        line.level = level  # a seat that was moved: where it was last
        return line

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines, queues first, each with all of :data:`COLUMNS`; None where nothing is known.

        Of a level or a tenant the callers are those of its queues, the handling and the time its seats'.
        """
        result = []
        for (kind, name, begin), line in sorted(self._lines.items(), key=lambda each: each[0]):
            known: dict[str, Any] = {
                "kind": KINDS[kind],
                "name": name,
                "tenant": line.tenant,
                "level": line.level,
                "begin": epoch_text(begin) if begin > 0 else None,
            }
            if line.callers is not None:
                known |= _callers(line.callers)
            if line.work is not None:
                known |= line.work.as_dict()
            result.append({column: known.get(column) for column in COLUMNS})
        return result


def _callers(counters: Counters) -> dict[str, Any]:
    known = counters.as_dict()
    known["abandoned_waiting"] = counters.abandoned - counters.abandoned_ringing
    levels = figures(counters)["service_levels"]
    return known | {f"service_level_{mode}": level for mode, level in levels.items()}
