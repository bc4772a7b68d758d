"""``seatswitch stats``: counters and figures as tables, asked for one by one over the RPC socket."""

from collections.abc import Callable, Sequence
from typing import Any

from kernel.limits import INTERVAL
from kernel.walltime import epoch_text
from seatswitch.shell.tables import Column, View, duration, plain, share

Ask = Callable[[str, dict[str, Any]], Any]


def read_statistics(ask: Ask, what: str, since: float | None) -> list[dict[str, Any]]:
    """Return the statistics of all ``what`` (queues, seats or levels) that may be seen.

    ``since`` (epoch seconds): of the quarters of an hour from the one it is in; None: of all time.
    """
    begin = {} if since is None else {"from": epoch_text(since // INTERVAL * INTERVAL)}
    if what == "queues":
        return [ask("queue.statistics", {"queue": it["queue"], **begin}) for it in ask("queue.list", {})]
    seats = ask("seat.list", {})
    if what == "seats":
        return [ask("seat.statistics", {"seat": it["seat"], **begin}) for it in seats]
    levels = dict.fromkeys(it["level"] for it in seats)
    return [ask("level.statistics", {"level": level, **begin}) for level in levels]


def _at(view: View, path: str) -> object:
    """Return what stands at a path such as ``callers.asa``; None where it ends early."""
    found: Any = view
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _count(path: str) -> Callable[[View, float], str]:
    return lambda view, _wall: plain(_at(view, path))


def _time(path: str) -> Callable[[View, float], str]:
    return lambda view, _wall: duration(_at(view, path))


def _share(path: str) -> Callable[[View, float], str]:
    return lambda view, _wall: share(_at(view, path))


def _columns(*columns: tuple[str, Callable[[View, float], str]]) -> tuple[Column, ...]:
    """Return the columns: the first is a name, the others are numbers."""
    return tuple(Column(head, cell, right=place > 0) for place, (head, cell) in enumerate(columns))


COLUMNS: dict[str, Sequence[Column]] = {
    "queues": _columns(
        ("queue", _count("queue")),
        ("offered", _count("offered")),
        ("answered", _count("answered")),
        ("gave up", _share("abandon_rate")),
        ("in time", _share("service_level")),
        ("by 2nd", _share("service_level_2")),
        ("mean wait", _time("asa")),
        ("half by", _time("wait_p50")),
        ("95 % by", _time("wait_p95")),
        ("longest", _time("wait_longest")),
        ("handling", _time("aht")),
        ("waiting", _count("now.waiting")),
    ),
    "seats": _columns(
        ("seat", _count("seat")),
        ("signed in", _time("time_signed_in")),
        ("offers", _count("offers")),
        ("missed", _share("rna_rate")),
        ("handled", _count("handled")),
        ("handling", _time("aht")),
        ("talking", _time("time_talking")),
        ("held", _time("time_held")),
        ("wrap-up", _time("time_wrapup")),
        ("ready", _time("time_ready")),
        ("paused", _time("time_paused")),
        ("occupied", _share("occupancy")),
        ("utilised", _share("utilisation")),
    ),
    "levels": _columns(
        ("level", _count("level")),
        ("offered", _count("callers.offered")),
        ("gave up", _share("callers.abandon_rate")),
        ("in time", _share("callers.service_level")),
        ("mean wait", _time("callers.asa")),
        ("95 % by", _time("callers.wait_p95")),
        ("waiting", _count("now.waiting")),
        ("seats", _count("seats")),
        ("handled", _count("work.handled")),
        ("handling", _time("work.aht")),
        ("occupied", _share("work.occupancy")),
        ("utilised", _share("work.utilisation")),
    ),
}
