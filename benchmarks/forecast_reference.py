"""The forecast against queueing theory, with long runs: every figure in standard errors from its exact value.

The cases are those of :mod:`benchmarks.forecast_cases` (the department of nested levels is itself a
simulation, good to about 1 %) and how many agents a sweep finds, which goes on until that is certain. Then a
million calls through the engine on one core, timed. With --keep a run that was ended, or that --for has
ended, goes on where it was.

python -m benchmarks.forecast_reference [--calls 100000] [--replications 16] [--jobs 1] [--quick]
    [--keep FILE] [--for SECONDS]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from math import inf, sqrt
from pathlib import Path
from typing import Any

from benchmarks.forecast_cases import DRILLS, Case, Drill, all_cases, department
from seatswitch.forecast.report import build_report, fewest_seats, student
from seatswitch.forecast.scenario import load_scenario, parse_document
from seatswitch.forecast.settings import Scenario
from seatswitch.shell.simulate import decide, replicate, run_all

ERRORS = 3.5  # standard errors that a figure may be off


def compare(case: Case, calls: int, replications: int, jobs: int) -> float:
    """Print the figures of a case; return the largest distance in standard errors."""
    top = f"calls = {calls}\nreplications = {replications}\n"
    scenario = load_scenario(parse_document(top + case.text, case.name))
    started = time.perf_counter()
    tallies = run_all([scenario], jobs, lambda _: None)[0]
    report = build_report(scenario, tallies)
    print(f"{case.name} ({time.perf_counter() - started:.0f} s)", flush=True)
    worst = 0.0
    for path, exact in case.exact.items():
        name, measure = path.split(".")
        of_group = measure in ("utilisation", "peakedness")
        place = "overall" if name == "overall" else "groups" if of_group else "classes"
        found, widths = report[place], report["half_width"][place]
        if place != "overall":
            found, widths = found[name], widths[name]
        error = widths[measure] / student(replications - 1)
        apart = (found[measure] - exact) / sqrt(error**2 + (case.own * exact) ** 2)
        worst = max(worst, abs(apart))
        print(f"  {path:24} {found[measure]:10.5f}  exact {exact:10.5f}  {apart:+5.2f} standard errors")
    return worst


def sweep(drill: Drill, calls: int, replications: int, jobs: int) -> str:
    """Say how many agents a sweep, which goes on until that is certain, finds to be the least."""
    numbers = range(drill.agents - 2, drill.agents + 2)
    top = f"calls = {calls}\nreplications = {replications}\n"
    scenarios = [load_scenario(parse_document(top + drill.text(each), drill.name)) for each in numbers]
    tallies = run_all(scenarios, jobs, lambda _: None)
    is_certain = decide(scenarios, tallies, drill.target, jobs, lambda _: None)
    reports = [build_report(each, counted) for each, counted in zip(scenarios, tallies, strict=True)]
    fewest = fewest_seats(list(zip(numbers, reports, strict=True)), drill.target)
    many = max(map(len, tallies))
    how = "certain" if is_certain else "not certain"
    return f"{fewest} agents, {how} after {many} x {calls} calls; exact {drill.agents}"


class Kept:
    """What earlier runs with the same numbers have found, so that a long run can be done in pieces."""

    def __init__(self, path: str, key: str, until: float) -> None:
        self._path, self._key, self._until = Path(path), key, until
        known = json.loads(self._path.read_text()) if path and self._path.exists() else {}
        self.found: dict[str, Any] = known.get(key, {})

    def take(self, name: str, find: Callable[[], Any]) -> None:
        """Find what is not known yet, while there is time."""
        if name in self.found or time.monotonic() > self._until:
            return
        self.found[name] = find()
        if self._path.name:
            known = json.loads(self._path.read_text()) if self._path.exists() else {}
            known[self._key] = self.found
            self._path.write_text(json.dumps(known, indent=1, ensure_ascii=False))


def speed(scenario: Scenario) -> None:
    """Print how long one core takes for the calls of one replication."""
    started = time.process_time()
    replicate(scenario, 0)
    took = time.process_time() - started
    print(f"{scenario.calls} calls through the engine on one core: {took:.1f} s", end="")
    print(f" ({took / scenario.calls * 1e6:.0f} us a call)")


def main() -> int:
    """Run all cases; 1 if a figure is more than 3.5 standard errors off, 2 if the time was too short."""
    parser = argparse.ArgumentParser(description="Forecasts against queueing theory")
    parser.add_argument("--calls", type=int, default=100_000, help="per replication")
    parser.add_argument("--replications", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    parser.add_argument("--keep", default="", metavar="FILE", help="go on where the run before has ended")
    parser.add_argument("--for", type=float, default=inf, dest="seconds", help="begin nothing after so long")
    options = parser.parse_args()
    calls = options.calls // 10 if options.quick else options.calls
    many, jobs = options.replications, options.jobs
    kept = Kept(options.keep, f"{many} x {calls}", time.monotonic() + options.seconds)
    cases = all_cases()
    for case in cases:
        kept.take(case.name, partial(compare, case, calls, many, jobs))
    for drill in DRILLS:
        kept.take(f"sweep: {drill.name}", partial(sweep, drill, calls, many, jobs))
    worst = {case.name: kept.found[case.name] for case in cases if case.name in kept.found}
    for name, apart in worst.items():
        print(f"{name:44} {apart:5.2f} {'' if apart <= ERRORS else 'TOO FAR'}")
    for name, found in kept.found.items():
        if name.startswith("sweep: "):
            print(f"{name}: {found}")
    print(f"worst of {len(worst)} cases: {max(worst.values()):.2f} standard errors", flush=True)
    if len(kept.found) < len(cases) + len(DRILLS):
        print(f"{len(cases) + len(DRILLS) - len(kept.found)} are still to be run")
        return 2
    million = 100_000 if options.quick else 1_000_000
    text = f"calls = {million}\n" + department("least-skilled-first", 0, 0)
    speed(load_scenario(parse_document(text, "department")))
    return int(max(worst.values()) > ERRORS)


if __name__ == "__main__":
    sys.exit(main())
