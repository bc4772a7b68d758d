"""``seatswitch simulate``: reads the scenario, runs its replications in parallel, shows what they come to."""

import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from kernel.errors import OperatorError
from seatswitch.forecast.report import Report, build_report, fewest_seats, parse_sweep, wait_curve
from seatswitch.forecast.run import Run
from seatswitch.forecast.scenario import Document, load_scenario, parse_document, with_seats
from seatswitch.forecast.settings import Scenario
from seatswitch.forecast.tally import Tally
from seatswitch.shell.configuration import read_configuration
from seatswitch.shell.plot import check_plotting, draw

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

Done = Callable[[int], None]  # so many calls more have been simulated

LOOK_EVERY = 0.25  # seconds, at how far the processes are
ROUNDS_MAX = 60  # times as many replications as asked for, until a sweep is decided
SURE = 1.5  # half-widths that a service level must be away from the target, looked at again and again


class Request(msgspec.Struct, frozen=True):
    """What the command line asks for; an empty text or 0 is what the scenario says."""

    scenario: str = ""
    config: str = ""
    classes: tuple[str, ...] = ()
    calls: int = 0
    replications: int = 0
    seed: int | None = None
    policy: str = ""
    sweep: str = ""
    target: float = 0.8
    plot: str = ""
    as_json: bool = False
    jobs: int = 0
    decides: bool = False


def simulate(request: Request, console: Console) -> None:
    """Run it and print the result; raises OperatorError where something has to be mended first."""
    if request.plot:
        check_plotting()
    scenario = read_scenario(request)
    if request.sweep:
        group, numbers = parse_sweep(request.sweep)
        scenarios = [with_seats(scenario, group, seats) for seats in numbers]
    else:
        group, numbers = "", range(0)
        scenarios = [scenario]
    jobs = request.jobs or len(os.sched_getaffinity(0))
    is_decided: bool | None = None
    with _progress(sum(each.replications * each.calls for each in scenarios)) as done:
        tallies = run_all(scenarios, jobs, done)
        if request.decides and numbers:
            is_decided = decide(scenarios, tallies, request.target, jobs, done)
    reports = [build_report(each, counted) for each, counted in zip(scenarios, tallies, strict=True)]
    points = list(zip(numbers, reports, strict=False))
    fewest = fewest_seats(points, request.target)
    if request.as_json:
        counts = [len(counted) for counted in tallies]
        result = (
            _sweep_result(group, request.target, fewest, points, counts, is_decided) if points else reports[0]
        )
        console.file.write(json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    elif points:
        _print_sweep(console, scenario, group, points, request.target, fewest)
        if is_decided is not None:
            console.print(_decision(scenario, max(map(len, tallies)), is_decided=is_decided))
    else:
        _print_report(console, scenario, reports[0])
    if request.plot:
        shown = numbers.index(fewest) if fewest is not None else len(scenarios) - 1
        curves = {
            kind.name: wait_curve(tallies[shown], number, kind.threshold)
            for number, kind in enumerate(scenario.classes)
        }
        where = "" if not group else f"{numbers[shown]} seats in {group}"
        draw(request.plot, curves, [kind.threshold for kind in scenario.classes], where, group, points)


# Reading.


def read_scenario(request: Request) -> Scenario:
    """Return the scenario that a file, a configuration and the command line come to."""
    if request.scenario:
        document = parse_document(_read(request.scenario), request.scenario)
    else:
        document = Document("command line", {})
    content = dict(document.content)
    if request.config:
        content["config"] = request.config
    if request.classes:
        content["class"] = [_class(text) for text in request.classes]
    for key, value in (
        ("calls", request.calls),
        ("replications", request.replications),
        ("policy", request.policy),
    ):
        if value:
            content[key] = value
    if request.seed is not None:
        content["seed"] = request.seed
    document = Document(document.file, content)
    acd = read_configuration(document.config).acd if document.config else None
    return load_scenario(document, acd)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise OperatorError(path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise OperatorError(path, f"is not UTF-8 text (byte {error.start})") from error


def _class(text: str) -> dict[str, Any]:
    """Return the table of ``NAME=RATE,HANDLE[,PATIENCE]``."""
    name, equals, rest = text.partition("=")
    parts = rest.split(",")
    if not name or not equals or len(parts) not in (2, 3):
        raise OperatorError("--class", f"{text!r} is not NAME=RATE,HANDLE[,PATIENCE]: junior=3/min,150s,300s")
    table: dict[str, Any] = {"name": name, "rate": parts[0], "handle": {"mean": parts[1]}}
    if len(parts) == 3:
        table["patience"] = {"mean": parts[2]}
    return table


# Running.


def replicate(scenario: Scenario, number: int, done: Done | None = None) -> Tally:
    """Run one replication; the same seed and number give the same callers, whatever else is different."""
    return Run(scenario, lambda name: Random(f"{scenario.seed}/{number}/{name}"), done).run()


def run_all(scenarios: Sequence[Scenario], jobs: int, done: Done) -> list[list[Tally]]:
    """Return the tallies of every scenario, in order; ``done`` is told of the calls as they are counted."""
    return _run_more(scenarios, [range(each.replications) for each in scenarios], jobs, done)


def _run_more(
    scenarios: Sequence[Scenario], which: Sequence[range], jobs: int, done: Done
) -> list[list[Tally]]:
    """Return the tallies of the replications ``which`` of every scenario."""
    tasks = [(each, number) for each, numbers in zip(scenarios, which, strict=True) for number in numbers]
    tallies = iter(list(_run(tasks, min(jobs, len(tasks)), done)))
    return [[next(tallies) for _ in numbers] for numbers in which]


def decide(
    scenarios: Sequence[Scenario], tallies: list[list[Tally]], target: float, jobs: int, done: Done
) -> bool:
    """Add replications to the scenarios of a sweep between which the target is met, until it is certain which
    is the first that meets it; return False if it is not after :data:`ROUNDS_MAX` times as many.

    Every scenario sees the same callers, replication by replication.
    """
    step = scenarios[0].replications
    for many in range(1, ROUNDS_MAX + 1):
        reports = [build_report(each, counted) for each, counted in zip(scenarios, tallies, strict=True)]
        first = fewest_seats(list(enumerate(reports)), target)
        last_below = len(scenarios) - 1 if first is None else first - 1
        border = [at for at in (last_below, first) if at is not None and at >= 0]
        if all(_is_certain(reports[at], target) for at in border):
            return True
        wanted = step * min(many + 1, ROUNDS_MAX)
        which = [range(len(tallies[at]), max(wanted, len(tallies[at]))) for at in border]
        found = _run_more([scenarios[at] for at in border], which, jobs, done)
        for at, more in zip(border, found, strict=True):
            tallies[at] += more
    return False


def _is_certain(report: Report, target: float) -> bool:
    """Return whether chance alone is no reason to doubt on which side of the target the figure is."""
    level, width = report["overall"]["service_level"], report["half_width"]["overall"]["service_level"]
    return level is not None and width is not None and abs(level - target) > SURE * width


def _run(tasks: Sequence[tuple[Scenario, int]], jobs: int, done: Done) -> Iterator[Tally]:
    if jobs <= 1:
        for scenario, number in tasks:
            yield replicate(scenario, number, done)
        return
    # Fresh interpreters: a fork would copy whatever threads and files the caller has.
    context = get_context("spawn")
    counted, told = context.Value("q", 0), 0
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare, initargs=(counted,))
    try:
        futures = [pool.submit(_replicate, scenario, number) for scenario, number in tasks]
        for future in futures:
            while not future.done():
                wait([future], LOOK_EVERY)
                told, before = counted.value, told
                done(told - before)
            yield future.result()
        done(counted.value - told)
    except BrokenProcessPool as error:
        raise OperatorError("--jobs", "a process has died, perhaps for want of memory; try fewer") from error
    except KeyboardInterrupt:
        # A replication takes long; nobody wants to wait for one that is not wanted any more.
        for child in active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_SHARED: list["Synchronized[int]"] = []  # in a process of the pool: the calls of all of them


def _replicate(scenario: Scenario, number: int) -> Tally:
    """Run one replication in a process of the pool."""
    (counted,) = _SHARED

    def count(calls: int) -> None:
        with counted.get_lock():
            counted.value += calls

    return replicate(scenario, number, count)


def _prepare(counted: "Synchronized[int]") -> None:
    """Leave Ctrl-C to the first process, and look for cycles seldom: a replication leaves none behind."""
    _SHARED.append(counted)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@contextmanager
def _progress(calls: int) -> Iterator[Done]:
    """Show a bar on standard error where somebody looks at it: calls simulated, of ``calls`` at first."""
    console = Console(stderr=True)
    columns = (TextColumn("simulating"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        task = progress.add_task("", total=calls)

        def done(more: int) -> None:
            progress.advance(task, more)
            if progress.tasks[0].completed > calls:  # a sweep that has to be decided goes on
                progress.update(task, total=None)

        yield done


# Showing.


def _sweep_result(
    group: str,
    target: float,
    fewest: int | None,
    points: Sequence[tuple[int, Report]],
    counts: Sequence[int],
    is_decided: bool | None,
) -> dict[str, Any]:
    """``counts``: replications of each point, told where it was to be decided."""
    sweep: dict[str, Any] = {"group": group, "target": target, "fewest": fewest}
    found: list[dict[str, Any]] = [{"seats": seats, **report} for seats, report in points]
    if is_decided is not None:
        sweep["decided"] = is_decided
        for point, count in zip(found, counts, strict=True):
            point["replications"] = count
    return {"sweep": sweep, "points": found}


def _decision(scenario: Scenario, replications: int, *, is_decided: bool) -> str:
    found = "certain" if is_decided else "still not certain"
    return f"That is {found} after {replications} x {scenario.calls} calls."


def _print_report(console: Console, scenario: Scenario, report: Report) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("callers")
    heads = (
        "offered",
        "answered",
        _in_time(scenario),
        "gave up",
        "turned away",
        "had to wait",
        "mean wait",
        "in queue",
    )
    for head in heads:
        table.add_column(head, justify="right")
    widths = report["half_width"]
    rows = [
        (kind.name, report["classes"][kind.name], widths["classes"][kind.name]) for kind in scenario.classes
    ]
    if len(rows) > 1:
        rows.append(("all", report["overall"], widths["overall"]))
    for name, found, width in rows:
        table.add_row(
            name,
            str(found["offered"]),
            *(
                _percent(found[key], width[key])
                for key in ("answered", "service_level", "abandoned", "blocked")
            ),
            _percent(found["probability_wait"], width["probability_wait"]),
            _seconds(found["mean_wait"], width["mean_wait"]),
            _plain(found["mean_queue"], width["mean_queue"]),
        )
    console.print(table)
    desks = Table(box=None, pad_edge=False)
    desks.add_column("\nseats")
    for head in ("\nnumber", "\nbusy"):
        desks.add_column(head, justify="right")
    for group in scenario.groups:
        busy = _percent(
            report["groups"][group.name]["utilisation"], widths["groups"][group.name]["utilisation"]
        )
        desks.add_row(group.name, str(len(group.seats)), busy)
    console.print(desks)
    console.print(_method(scenario))


def _print_sweep(
    console: Console,
    scenario: Scenario,
    group: str,
    points: Sequence[tuple[int, Report]],
    target: float,
    fewest: int | None,
) -> None:
    table = Table(box=None, pad_edge=False)
    for head in (f"seats in {group}", _in_time(scenario), "gave up", "turned away", "mean wait", "busy"):
        table.add_column(head, justify="right")
    for seats, report in points:
        found, width = report["overall"], report["half_width"]["overall"]
        busy = report["groups"][group]["utilisation"], report["half_width"]["groups"][group]["utilisation"]
        table.add_row(
            str(seats),
            *(_percent(found[key], width[key]) for key in ("service_level", "abandoned", "blocked")),
            _seconds(found["mean_wait"], width["mean_wait"]),
            _percent(*busy),
        )
    console.print(table)
    wanted = f"{target * 100:g} % {_in_time(scenario)}"
    if fewest is None:
        console.print(f"\n{wanted}: not with up to {points[-1][0]} seats in {group}.")
    else:
        console.print(f"\n{wanted}: {fewest} seats in {group}.")
    console.print(_method(scenario))


def _method(scenario: Scenario) -> str:
    policies = dict.fromkeys(queue.policy for queue in scenario.acd.queues)
    return (
        f"{scenario.replications} x {scenario.calls} calls, {', '.join(policies)}; "
        "± is half of a 95 % confidence interval"
    )


def _in_time(scenario: Scenario) -> str:
    thresholds = list(dict.fromkeys(kind.threshold for kind in scenario.classes))
    return f"within {thresholds[0]:g} s" if len(thresholds) == 1 else "in time"


def _percent(value: float | None, width: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 100:.1f} %" if width is None else f"{value * 100:.1f} ± {width * 100:.1f} %"


def _seconds(value: float | None, width: float | None) -> str:
    return "-" if value is None else f"{_plain(value, width)} s"


def _plain(value: float | None, width: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if width is None else f"{value:.1f} ± {width:.1f}"
