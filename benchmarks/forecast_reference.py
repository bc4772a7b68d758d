"""The forecast against queueing theory, with long runs: every figure in standard errors from its exact value.

Erlang B, C and A and trunk lines are computed here from their formulas; priority, N-designs, the inverted V
and the department of nested levels are tables (the last one is itself a simulation, good to about 1 %). Then
a million calls through the engine on one core, timed.

python -m benchmarks.forecast_reference [--calls 100000] [--replications 16] [--jobs 1] [--quick]
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from math import sqrt
from typing import NamedTuple

from seatswitch.forecast.report import build_report, student
from seatswitch.forecast.scenario import load_scenario, parse_document
from seatswitch.forecast.settings import Scenario
from seatswitch.shell.simulate import replicate, run_all

ERRORS = 3.5  # standard errors that a figure may be off
Figures = Mapping[str, float]


class Case(NamedTuple):
    """A scenario and what must come of it; figures are named ``class.measure`` and ``group.utilisation``."""

    name: str
    text: str
    exact: Figures
    own: float = 0.0  # relative standard error of ``exact``


# Formulas.


def erlang_b(c: int, a: float) -> float:
    """Return the blocking of ``c`` seats under ``a`` erlang."""
    blocking = 1.0
    for k in range(1, c + 1):
        blocking = a * blocking / (k + a * blocking)
    return blocking


def chain(c: int, a: float, theta: float, lines: int) -> list[float]:
    """Return the stationary law of M/M/c with patience rate ``theta`` (per handle time), cut at ``lines``."""
    weights = [1.0]
    for k in range(1, lines + 1):
        weights.append(weights[-1] * a / (min(k, c) + max(0, k - c) * theta))
    whole = sum(weights)
    return [weight / whole for weight in weights]


def queue_figures(c: int, a: float, handle: float, theta: float, lines: int) -> Figures:
    """Return the exact figures of a chain; ``handle`` in seconds."""
    law = chain(c, a, theta, lines)
    length = sum((k - c) * p for k, p in enumerate(law) if k > c)
    busy = sum(min(k, c) * p for k, p in enumerate(law))
    blocked = law[lines]
    return {
        "a.blocked": blocked,
        "a.probability_wait": sum(law[c:lines]),
        "a.mean_wait": handle * length / (a * (1 - blocked)),
        "a.mean_queue": length,
        "a.abandoned": theta * length / a,
        "g.utilisation": busy / c,
    }


# Cases.


def desk(rate: float, handle: float, seats: int, *, top: str = "", more: str = "", mixed: str = "") -> str:
    """Return a scenario of one class and one group; ``rate`` per second."""
    return (
        f'warm_up = "{max(3600, 40 * handle):g}s"\n{top}\n[[class]]\nname = "a"\nrate = "{rate * 3600}/h"\n'
        f"handle = {{mean = {handle}}}\n{more}\n"
        + (mixed or f'[[group]]\nname = "g"\nseats = {seats}\nserves = ["a"]\n')
    )


def single_class_cases() -> Iterator[Case]:
    """Erlang B, C and A, and trunk lines."""
    for c, a in ((5, 3.0), (10, 5.0), (10, 10.0), (30, 30.0)):
        blocking = erlang_b(c, a)
        exact = {"a.blocked": blocking, "g.utilisation": a * (1 - blocking) / c}
        yield Case(f"Erlang B({c}, {a:g})", desk(a / 60, 60.0, c, more="queued = false"), exact)
    for c in (12, 13, 14, 15):
        figures = dict(queue_figures(c, 10.0, 180.0, 0.0, c + 1200))
        figures.pop("a.blocked")
        figures.pop("a.abandoned")
        yield Case(f"Erlang C({c}, 10)", desk(10 / 180, 180.0, c), figures)
    for c, a, handle, patience in ((10, 10.0, 180.0, 300.0), (50, 48.0, 60.0, 120.0)):
        figures = dict(queue_figures(c, a, handle, handle / patience, c + 600))
        figures.pop("a.blocked")
        more = f"patience = {{mean = {patience}}}"
        yield Case(f"Erlang A({c}, {a:g})", desk(a / handle, handle, c, more=more), figures)
    for c, a, lines in ((12, 10.0, 20), (12, 10.0, 15), (20, 18.0, 30), (10, 8.0, 10)):
        figures = dict(queue_figures(c, a, 60.0, 0.0, lines))
        figures.pop("a.abandoned")
        text = desk(a / 60, 60.0, c, top=f"lines = {lines}")
        yield Case(f"M/M/{c}/{lines}, {a:g} erl", text, {k: v for k, v in figures.items() if v})


def priority_cases() -> Iterator[Case]:
    """Cobham, two and three classes: a = 8, c = 10, AHT 180 s."""
    for shares, waits in (((25, 75), (9.2066, 46.0328)), ((20, 50, 30), (8.7681, 19.9276, 83.6959))):
        classes = "".join(
            f'[[class]]\nname = "{number}"\nrate = "{share * 1.6}/h"\nhandle = {{mean = 180}}\n'
            f"priority = {-number}\n"
            for number, share in enumerate(shares)
        )
        served = [str(number) for number in range(len(shares))]
        group = f'[[group]]\nname = "g"\nseats = 10\nserves = {served}\n'
        exact = {f"{number}.mean_wait": wait for number, wait in enumerate(waits)}
        yield Case(f"priority {shares}", classes + group, {**exact, "overall.mean_wait": 36.8262})


def n_design_cases() -> Iterator[Case]:
    """Exact two-dimensional chains; mean handle time a minute."""
    losses = (
        (0, 0.092743, 0.254286, 0.675951),
        (1, 0.141368, 0.175238, 0.645581),
        (5, 0.235570, 0.110054, 0.533967),
    )
    for held, low, high, seniors in losses:
        exact = {"L.blocked": low, "H.blocked": high, "J.utilisation": 0.76443, "S.utilisation": seniors}
        yield Case(f"N-design, loss, R = {held}", n_design(8, "queued = false", held), exact)
    names = ("L.mean_wait", "H.mean_wait", "L.abandoned", "H.abandoned", "L.probability_wait")
    names = (*names, "H.probability_wait", "J.utilisation", "S.utilisation")
    queues = (
        (0, 7.24218, 11.62182, 0.060351, 0.096849, 0.439588, 0.630602, 0.865982, 0.847688),
        (1, 9.86124, 7.66158, 0.082177, 0.063846, 0.534024, 0.415718, 0.883614, 0.799990),
        (5, 20.35164, 3.70098, 0.169597, 0.030841, 0.766499, 0.200814, 0.934204, 0.581495),
    )
    for held, *values in queues:
        text = n_design(9, "patience = {mean = 120}", int(held))
        yield Case(f"N-design, patience, R = {held}", text, dict(zip(names, values, strict=True)))


def n_design(low: int, more: str, held: int) -> str:
    """Return the scenario: class L on 8 juniors, then on 5 seniors; class H on the seniors."""
    return (
        f'[[class]]\nname = "L"\nrate = "{low}/min"\nhandle = {{mean = 60}}\n{more}\n'
        f'[[class]]\nname = "H"\nrate = "3/min"\nhandle = {{mean = 60}}\npriority = 1\n{more}\n'
        '[[group]]\nname = "J"\nseats = 8\nserves = ["L"]\n'
        f'[[group]]\nname = "S"\nseats = 5\nserves = ["L", "H"]\nhold_back = {held}\n'
    )


def inverted_v_cases() -> Iterator[Case]:
    """30 fast and 30 slow seats."""
    mixed = "".join(
        f'[[group]]\nname = "{name}"\nseats = 30\nserves = ["a"]\nspeed = {speed}\n'
        for name, speed in (("fast", 1.25), ("slow", 0.75))
    )
    exact = {
        "a.probability_wait": 0.335844,
        "a.mean_wait": 10.0753,
        "fast.utilisation": 0.885279,
        "slow.utilisation": 0.924534,
    }
    for policy in ("longest-idle", "random"):
        top = f'policy = "{policy}"'
        yield Case(f"inverted V, {policy}", desk(0.3, 180.0, 0, top=top, mixed=mixed), exact)


def department_cases() -> Iterator[Case]:
    """9 juniors, 6 intermediates, 4 seniors; simple calls, consultations, complaints."""
    names = ("overall.mean_wait", "overall.abandoned", "overall.service_level")
    names = (*names, "simple.mean_wait", "consult.mean_wait", "complaint.mean_wait")
    names = (*names, "simple.service_level", "consult.service_level", "complaint.service_level")
    names = (*names, "junior.utilisation", "intermediate.utilisation", "senior.utilisation")
    rows = (
        *((("A", "longest-idle", 0, 0), (11.14, 0.0373, 0.8475, 2.36, 15.52, 63.80)),),
        *((("B", "least-skilled-first", 0, 0), (9.87, 0.0330, 0.8643, 2.61, 13.60, 53.26)),),
        *((("E", "least-skilled-first", 1, 1), (11.55, 0.0387, 0.8332, 5.85, 17.16, 37.46)),),
    )
    rest = (
        (0.951, 0.745, 0.382, 0.649, 0.799, 0.892),
        (0.946, 0.781, 0.505, 0.729, 0.765, 0.793),
        (0.888, 0.754, 0.661, 0.746, 0.772, 0.749),
    )
    for ((letter, policy, strict, held), first), second in zip(rows, rest, strict=True):
        exact = dict(zip(names, (*first, *second), strict=True))
        yield Case(f"department, policy {letter}", department(policy, strict, held), exact, own=0.0075)


def department(policy: str, strict: int, held: int) -> str:
    """Return the scenario of the department under ``policy``."""
    kinds = (("simple", 3.0, 150), ("consult", 1.2, 240), ("complaint", 0.4, 420))
    classes = "".join(
        f'[[class]]\nname = "{name}"\nrate = "{rate}/min"\nhandle = {{mean = {handle}}}\n'
        f"patience = {{mean = 300}}\npriority = {strict * rank}\n"
        for rank, (name, rate, handle) in enumerate(kinds)
    )
    groups = "".join(
        f'[[group]]\nname = "{name}"\nseats = {seats}\nhold_back = {held}\n'
        f"serves = {[each[0] for each in kinds[: number + 1]]}\n"
        for number, (name, seats) in enumerate((("junior", 9), ("intermediate", 6), ("senior", 4)))
    )
    return f'policy = "{policy}"\n{classes}{groups}'


# Comparison.


def compare(case: Case, calls: int, replications: int, jobs: int) -> float:
    """Print the figures of a case; return the largest distance in standard errors."""
    top = f"calls = {calls}\nreplications = {replications}\n"
    scenario = load_scenario(parse_document(top + case.text, case.name))
    started = time.perf_counter()
    tallies = run_all([scenario], jobs, lambda: None)[0]
    report = build_report(scenario, tallies)
    print(f"{case.name} ({time.perf_counter() - started:.0f} s)")
    worst = 0.0
    for path, exact in case.exact.items():
        name, measure = path.split(".")
        place = "overall" if name == "overall" else "groups" if measure == "utilisation" else "classes"
        found, widths = report[place], report["half_width"][place]
        if place != "overall":
            found, widths = found[name], widths[name]
        error = widths[measure] / student(replications - 1)
        apart = (found[measure] - exact) / sqrt(error**2 + (case.own * exact) ** 2)
        worst = max(worst, abs(apart))
        print(f"  {path:24} {found[measure]:10.5f}  exact {exact:10.5f}  {apart:+5.2f} standard errors")
    return worst


def speed(scenario: Scenario) -> None:
    """Print how long one core takes for the calls of one replication."""
    started = time.process_time()
    replicate(scenario, 0)
    took = time.process_time() - started
    print(f"{scenario.calls} calls through the engine on one core: {took:.1f} s", end="")
    print(f" ({took / scenario.calls * 1e6:.0f} us a call)")


def main() -> int:
    """Run all cases; 1 if a figure is more than 3.5 standard errors off."""
    parser = argparse.ArgumentParser(description="Forecasts against queueing theory")
    parser.add_argument("--calls", type=int, default=100_000, help="per replication")
    parser.add_argument("--replications", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    options = parser.parse_args()
    calls = options.calls // 10 if options.quick else options.calls
    cases = [
        *single_class_cases(),
        *priority_cases(),
        *n_design_cases(),
        *inverted_v_cases(),
        *department_cases(),
    ]
    worst = {case.name: compare(case, calls, options.replications, options.jobs) for case in cases}
    for name, apart in worst.items():
        print(f"{name:28} {apart:5.2f} {'' if apart <= ERRORS else 'TOO FAR'}")
    million = 100_000 if options.quick else 1_000_000
    text = f"calls = {million}\n" + department("least-skilled-first", 0, 0)
    speed(load_scenario(parse_document(text, "department")))
    return int(max(worst.values()) > ERRORS)


if __name__ == "__main__":
    sys.exit(main())
