"""What replications come to: figures with 95 % confidence intervals (docs/contract.md, section 6).

A figure is the ratio of sums over all replications; its half-width comes from how much those differ.
Unknown is None: a mean of nothing, an interval from a single replication.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any

from kernel.errors import OperatorError
from seatswitch.forecast.settings import Scenario
from seatswitch.forecast.tally import CURVE_POINTS, CURVE_STEPS, ClassTally, Tally, total

Figures = dict[str, float | None]
Report = dict[str, Any]

# 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom; beyond these an expansion will do.
_T = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
_NORMAL = 1.959964

MEASURES = (
    "blocked",
    "abandoned",
    "answered",
    "mean_wait",
    "mean_wait_answered",
    "probability_wait",
    "service_level",
    "mean_queue",
)


def student(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t, within 0.001."""
    if degrees <= len(_T):
        return _T[degrees - 1]
    z = _NORMAL
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


def figures(tally: ClassTally, span: float) -> Figures:
    """Return the figures of one class: ``offered`` a count, fractions of it, seconds, calls.

    ``mean_wait`` is of all who were not blocked; ``mean_queue`` follows from it by Little's law.
    """
    offered, entered = tally.offered, tally.offered - tally.blocked
    return {
        "offered": offered,
        "blocked": _share(tally.blocked, offered),
        "abandoned": _share(tally.abandoned, offered),
        "answered": _share(tally.answered, offered),
        "mean_wait": _share(tally.wait, entered),
        "mean_wait_answered": _share(tally.wait_answered, tally.answered),
        "probability_wait": _share(tally.waited, offered),
        "service_level": _share(tally.within, offered),
        "mean_queue": _share(tally.wait, span),
    }


def build_report(scenario: Scenario, tallies: Sequence[Tally]) -> Report:
    """Return the JSON result of a scenario's replications."""
    parts = [_parts(scenario, tally) for tally in tallies]
    span = sum(tally.span for tally in tallies)
    sums = Tally(
        [total([tally.classes[number] for tally in tallies]) for number in range(len(scenario.classes))],
        [sum(tally.busy[number] for tally in tallies) for number in range(len(scenario.groups))],
        span,
        [sum(column) for column in zip(*(tally.squares for tally in tallies), strict=True)],
    )
    report = _parts(scenario, sums)
    report["half_width"] = {
        "classes": {
            name: _half_widths([part["classes"][name] for part in parts]) for name in report["classes"]
        },
        "groups": {name: _half_widths([part["groups"][name] for part in parts]) for name in report["groups"]},
        "overall": _half_widths([part["overall"] for part in parts]),
    }
    return report


def _parts(scenario: Scenario, tally: Tally) -> Report:
    return {
        "classes": {
            kind.name: figures(each, tally.span)
            for kind, each in zip(scenario.classes, tally.classes, strict=True)
        },
        "groups": {
            group.name: {
                "utilisation": _share(busy, len(group.seats) * tally.span),
                "peakedness": _peakedness(tally, number),
            }
            for number, (group, busy) in enumerate(zip(scenario.groups, tally.busy, strict=True))
        },
        "overall": figures(total(tally.classes), tally.span),
    }


def _peakedness(tally: Tally, group: int) -> float | None:
    """Return the variance over the mean of how many seats of a group work at a moment; None if unknown."""
    if not tally.squares or not tally.busy[group]:
        return None
    mean = tally.busy[group] / tally.span
    return (tally.squares[group] / tally.span - mean * mean) / mean


def _half_widths(replications: Sequence[Figures]) -> Figures:
    return {
        name: None if name == "offered" else half_width([each[name] for each in replications])
        for name in replications[0]
    }


def half_width(values: Sequence[float | None]) -> float | None:
    """Return half of the 95 % confidence interval of the mean; None where it cannot be known."""
    known = [value for value in values if value is not None]
    count = len(known)
    if count < 2 or count < len(values):
        return None
    mean = sum(known) / count
    variance = sum((value - mean) ** 2 for value in known) / (count - 1)
    return student(count - 1) * sqrt(variance / count)


def wait_curve(tallies: Sequence[Tally], kind: int, threshold: float) -> list[tuple[float, float]]:
    """Return (seconds, share of offered calls answered by then) of one class, up to 6 thresholds."""
    tally = total([each.classes[kind] for each in tallies])
    points: list[tuple[float, float]] = []
    answered = 0
    for number in range(CURVE_POINTS):
        answered += tally.curve[number]
        points.append((number * threshold / CURVE_STEPS, answered / max(1, tally.offered)))
    return points


def parse_sweep(text: str) -> tuple[str, range]:
    """Return group and numbers of seats of ``GROUP=6..14``; raise OperatorError for anything else."""
    group, _, numbers = text.rpartition("=")
    first, _, last = numbers.partition("..")
    if not group or not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        raise OperatorError("--sweep", f"{text!r} is not GROUP=FIRST..LAST such as junior=6..14")
    seats = range(int(first), int(last) + 1)
    if not 0 < len(seats) <= 1000:
        raise OperatorError("--sweep", f"{numbers} is not 1 to 1000 numbers of seats, rising")
    return group, seats


def fewest_seats(points: Sequence[tuple[int, Report]], target: float) -> int | None:
    """Return the least number of seats from which on the overall service level is at least ``target``."""
    found: int | None = None
    for seats, report in reversed(points):
        level = report["overall"]["service_level"]
        if level is None or level < target:
            break
        found = seats
    return found


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
