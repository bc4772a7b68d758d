"""Every benchmark with its figures in a table at the end: in about three minutes, or all of it in twelve.

Each runs in a process of its own, one after the other, within a time of its own; what needs a program that
is not installed is left out and named. The short form measures the same for a shorter time; what cannot be
shortened it leaves out. Run it on a machine that does nothing else.

python -m benchmarks [--long] [--only bench_parser load_queue_call]
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Benchmark(NamedTuple):
    """One module of this folder, how it is run here, and how long it may take."""

    module: str
    says: str
    figures: tuple[tuple[str, str], ...]  # what the table says of it: a name, and what finds it in the output
    options: tuple[str, ...] = ()
    short: tuple[str, ...] | None = ()  # the options of the short form; None: not part of it
    within: float = 60.0  # seconds
    needs: str = ""  # a program without which there is nothing to measure


class Outcome(NamedTuple):
    """How one benchmark went: what is wrong, the figures found, how long it took."""

    module: str
    trouble: str
    figures: tuple[tuple[str, str], ...]
    took: float


BENCHMARKS = (
    Benchmark(
        "bench_parser",
        "one SIP message: read, answer, build, negotiate",
        (("26 headers read and written, us", r"26 headers, ours +read +([\d.]+) us, written +([\d.]+) us"),),
    ),
    Benchmark(
        "bench_stack",
        "whole calls through the SIP stack, in process",
        (("UAS call, us", r"uas +([\d.]+) us"), ("B2BUA call, us", r"b2bua +([\d.]+) us")),
        short=("5000",),
    ),
    Benchmark(
        "bench_enumeration",
        "the time of an answer for users who exist and who do not",
        (("apart, ms", r"wrong password: .* apart ([\d.]+)"),),
        short=("500",),
    ),
    Benchmark(
        "bench_matcher",
        "one decision of distribution, by seats and waiting calls",
        (
            ("200 seats: seat ready and call arrives, us", r"^ +200 +400 +100 +([\d.]+) +([\d.]+)"),
            ("most seats over fewest", r"over smallest, 100 queues, .*: ready ([\d.]+), arrive ([\d.]+)"),
        ),
        short=("--quick", "--no-peers"),
        within=120.0,
    ),
    Benchmark(
        "bench_decision",
        "seat ready to INVITE in a full house",
        (("p50 and p99, us", r"p50 (\d+) us, p99 (\d+) us"), ("kB per waiting call", r"call: ([\d.]+) kB")),
    ),
    Benchmark(
        "bench_node",
        "a queue call through the whole node, in process",
        (("queue call, us", r"node: (\d+) us"), ("garbage", r"collector: (\d+)")),
        short=("--calls", "1500"),
    ),
    Benchmark(
        "bench_relay",
        "one forwarded RTP packet, beside other relays",
        (
            ("packet one by one, us", r"^worker +[\d.]+ +[\d.]+ +([\d.]+)"),
            ("of a bare loop", r"^worker / bare: ([\d.]+)"),
        ),
        short=("--rounds", "5", "--bursts", "no"),
        within=150.0,
    ),
    Benchmark(
        "bench_mixer",
        "one mixed frame, beside a relayed packet, in process",
        (("talk of three, us every 20 ms", r"talk of three +([\d.]+)"),),
        short=("--rounds", "2", "--seconds", "2"),
    ),
    Benchmark(
        "load_queue_call",
        "complete queue calls through a real switch",
        (
            ("200 calls/s: lost, CPU s per 1,000", r"^ +200 +\d+ +(\d+) +([\d.]+)"),
            ("200 calls/s: INVITE to 200 p50 and p99, ms", r"^ +200(?: +[\d.]+){6} +([\d.]+) +([\d.]+)"),
        ),
        ("--rates", "100", "200", "400", "--seconds", "30"),
        ("--rates", "200", "--seconds", "15"),
        300.0,
        "sipp",
    ),
    Benchmark(
        "load_decision",
        "seat ready to INVITE at its phone",
        (("p50 and p99, us", r"p50 (\d+) us, p99 (\d+) us"),),
        short=("--decisions", "100"),
        within=150.0,
        needs="sipp",
    ),
    Benchmark(
        "load_two_leg",
        "the plain two-leg call, beside peers in the same run",
        (
            ("two legs, CPU s per 1,000", r"^ +seatswitch +([\d.]+)"),
            ("what the queue adds", r"^ +the queue +([\d.]+)"),
        ),
        ("--rate", "100", "--seconds", "10", "--rounds", "3"),
        ("--rate", "100", "--seconds", "5", "--rounds", "1"),
        300.0,
        "sipp",
    ),
    Benchmark(
        "soak_sip",
        "good calls amid rubbish",
        (("lost; p50 and p99, ms", r"lost (\d+); INVITE to 200 p50 ([\d.]+) ms, p99 ([\d.]+)"),),
        ("--messages", "450000", "--rate", "4500"),
        None,
        240.0,
        "sipp",
    ),
    Benchmark(
        "load_flood",
        "good calls beside a flood from another address",
        (
            ("good calls in the flood", r"^flood_per_second [1-9]\d* +good_calls (\d+  of \d+)"),
            ("setup p99, ms", r"^flood_per_second [1-9].* setup_p99_ms ([\d.]+)"),
        ),
        short=("--seconds", "10"),
        within=120.0,
        needs="sipp",
    ),
)


def run(benchmark: Benchmark, options: Sequence[str]) -> Outcome:
    """Run one benchmark, its output going where ours goes, and say how it went."""
    began = time.monotonic()
    trouble, output = "", ""
    if benchmark.needs and shutil.which(benchmark.needs) is None:
        trouble = f"left out: {benchmark.needs} is not installed (make system-packages)"
    else:
        trouble, output = _output(benchmark, options)
    found = tuple((name, figure) for name, pattern in benchmark.figures if (figure := find(pattern, output)))
    return Outcome(benchmark.module, trouble, found, time.monotonic() - began)


def find(pattern: str, output: str) -> str:
    """Return what a figure's pattern finds first in an output, "" for nothing."""
    match = re.search(pattern, output, re.MULTILINE)
    return "" if match is None else ", ".join(match.groups())


def _output(benchmark: Benchmark, options: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong, "" for nothing, and what was printed, line by line as it came."""
    command = [sys.executable, "-u", "-m", f"benchmarks.{benchmark.module}", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(benchmark.within, stop)
    timer.start()
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    code = process.wait()
    timer.cancel()
    if late.is_set():
        return f"stopped: not done within {benchmark.within:g} s", "".join(lines)
    return "" if code == 0 else f"failed with exit code {code}", "".join(lines)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a line for each figure, with what it took, and for what is wrong."""
    lines = [f"{'benchmark':18} {'s':>4}  figure"]
    for outcome in outcomes:
        shown = [f"{name}: {figure}" for name, figure in outcome.figures]
        shown += [f"! {outcome.trouble}"] if outcome.trouble else []
        for place, text in enumerate(shown or ["done"]):
            head = f"{outcome.module:18} {outcome.took:>4.0f}" if place == 0 else " " * 23
            lines.append(f"{head}  {text}")
    return "\n".join(lines)


def machine() -> str:
    """Return what the numbers were taken on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores, (load, _, _) = len(os.sched_getaffinity(0)), os.getloadavg()
    where = f"{model or platform.machine()}, {cores} cores, Linux {platform.release()}"
    return f"Python {platform.python_version()}, {where}, load before the start {load:.2f}"


def main() -> int:
    """Run all, or those that are named."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    names = [benchmark.module for benchmark in BENCHMARKS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="which, in the order above")
    parser.add_argument("--long", action="store_true", help="all, and each as long as its numbers need")
    given = parser.parse_args()
    chosen = [it for it in BENCHMARKS if it.module in given.only and (given.long or it.short is not None)]
    print(machine(), flush=True)
    began, outcomes = time.monotonic(), list[Outcome]()
    for number, benchmark in enumerate(chosen, 1):
        at = f"{time.monotonic() - began:.0f} s"
        print(f"\n== {number} of {len(chosen)}, at {at}: {benchmark.module}: {benchmark.says}", flush=True)
        options = benchmark.options if given.long else benchmark.short or ()
        outcomes.append(run(benchmark, options))
        if outcomes[-1].trouble:
            print(f"! {outcomes[-1].trouble}", flush=True)
    print(f"\n== all in {time.monotonic() - began:.0f} s, on\n{machine()}\n\n{table(outcomes)}")
    for benchmark in BENCHMARKS:
        if benchmark.module in given.only and benchmark not in chosen:
            print(f"{benchmark.module} is in the long form alone: make bench-long")
    return 1 if any(outcome.trouble for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
