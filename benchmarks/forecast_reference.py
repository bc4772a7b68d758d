"""The forecast against queueing theory, with long runs: every figure in standard errors from its exact value.

The cases are those of :mod:`benchmarks.forecast_cases` (the department of nested levels is itself a
simulation, good to about 1 %) and how many agents a sweep finds. Then a million calls through the engine on
one core, timed.

python -m benchmarks.forecast_reference [--calls 100000] [--replications 16] [--jobs 1] [--quick]
"""

import argparse
import sys
import time
from math import sqrt

from benchmarks.forecast_cases import DRILLS, Case, Drill, all_cases, department
from seatswitch.forecast.report import build_report, fewest_seats, student
from seatswitch.forecast.scenario import load_scenario, parse_document
from seatswitch.forecast.settings import Scenario
from seatswitch.shell.simulate import replicate, run_all

ERRORS = 3.5  # standard errors that a figure may be off


def compare(case: Case, calls: int, replications: int, jobs: int) -> float:
    """Print the figures of a case; return the largest distance in standard errors."""
    top = f"calls = {calls}\nreplications = {replications}\n"
    scenario = load_scenario(parse_document(top + case.text, case.name))
    started = time.perf_counter()
    tallies = run_all([scenario], jobs, lambda: None)[0]
    report = build_report(scenario, tallies)
    print(f"{case.name} ({time.perf_counter() - started:.0f} s)", flush=True)
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


def sweep(drill: Drill, calls: int, replications: int, jobs: int) -> None:
    """Print how many agents a sweep finds to be the least: with few calls it may be one off."""
    numbers = range(drill.agents - 2, drill.agents + 2)
    top = f"calls = {calls}\nreplications = {replications}\n"
    scenarios = [load_scenario(parse_document(top + drill.text(each), drill.name)) for each in numbers]
    tallies = run_all(scenarios, jobs, lambda: None)
    reports = [build_report(each, counted) for each, counted in zip(scenarios, tallies, strict=True)]
    fewest = fewest_seats(list(zip(numbers, reports, strict=True)), drill.target)
    print(f"{drill.name}: {fewest} agents, exact {drill.agents}", flush=True)


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
    cases = all_cases()
    worst = {case.name: compare(case, calls, options.replications, options.jobs) for case in cases}
    for name, apart in worst.items():
        print(f"{name:44} {apart:5.2f} {'' if apart <= ERRORS else 'TOO FAR'}")
    print(f"worst of {len(worst)} cases: {max(worst.values()):.2f} standard errors", flush=True)
    for drill in DRILLS:
        sweep(drill, calls, options.replications, options.jobs)
    million = 100_000 if options.quick else 1_000_000
    text = f"calls = {million}\n" + department("least-skilled-first", 0, 0)
    speed(load_scenario(parse_document(text, "department")))
    return int(max(worst.values()) > ERRORS)


if __name__ == "__main__":
    sys.exit(main())
