"""Every benchmark with its table, in about twelve minutes.

Each runs in a process of its own, one after the other, within a time of its own; what needs a program that
is not installed is left out and named. Run it on a machine that does nothing else.

python -m benchmarks [--only bench_parser load_queue_call]
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Benchmark(NamedTuple):
    """One module of this folder, how it is run here, and how long it may take."""

    module: str
    says: str
    options: tuple[str, ...] = ()
    within: float = 60.0  # seconds
    needs: str = ""  # a program without which there is nothing to measure


BENCHMARKS = (
    Benchmark("bench_parser", "one SIP message: read, answer, build, negotiate"),
    Benchmark("bench_stack", "whole calls through the SIP stack, in process"),
    Benchmark("bench_enumeration", "the time of an answer for users who exist and who do not"),
    Benchmark("bench_matcher", "one decision of distribution, by seats and waiting calls", within=120.0),
    Benchmark("bench_decision", "seat ready to INVITE in a full house"),
    Benchmark("bench_node", "a queue call through the whole node, in process"),
    Benchmark("bench_relay", "one forwarded RTP packet, beside other relays", within=150.0),
    Benchmark("bench_mixer", "one mixed frame, beside a relayed packet, in process"),
    Benchmark(
        "load_queue_call",
        "complete queue calls through a real switch",
        ("--rates", "100", "200", "400", "--seconds", "30"),
        300.0,
        "sipp",
    ),
    Benchmark("load_decision", "seat ready to INVITE at its phone", within=150.0, needs="sipp"),
    Benchmark(
        "load_two_leg",
        "the plain two-leg call, beside peers in the same run",
        ("--rate", "100", "--seconds", "10", "--rounds", "3"),
        300.0,
        "sipp",
    ),
    Benchmark(
        "soak_sip",
        "good calls amid rubbish",
        ("--messages", "450000", "--rate", "4500"),
        240.0,
        "sipp",
    ),
    Benchmark("load_flood", "good calls beside a flood from another address", within=120.0, needs="sipp"),
)


def run(benchmark: Benchmark) -> str:
    """Run one benchmark, its output going where ours goes; return "" or what is wrong with it."""
    if benchmark.needs and shutil.which(benchmark.needs) is None:
        return f"left out: {benchmark.needs} is not installed (make system-packages)"
    command = [sys.executable, "-m", f"benchmarks.{benchmark.module}", *benchmark.options]
    try:
        code = subprocess.run(command, cwd=ROOT, timeout=benchmark.within, check=False).returncode
    except subprocess.TimeoutExpired:
        return f"stopped: not done within {benchmark.within:g} s"
    return "" if code == 0 else f"failed with exit code {code}"


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
    wanted = parser.parse_args().only
    chosen = [benchmark for benchmark in BENCHMARKS if benchmark.module in wanted]
    print(machine(), flush=True)
    began, wrong = time.monotonic(), list[str]()
    for number, benchmark in enumerate(chosen, 1):
        at = time.monotonic()
        print(f"\n== {number} of {len(chosen)}: {benchmark.module}: {benchmark.says}", flush=True)
        trouble = run(benchmark)
        if trouble:
            wrong.append(f"{benchmark.module} {trouble}")
            print(wrong[-1], flush=True)
        took, total = time.monotonic() - at, time.monotonic() - began
        print(f"== {benchmark.module} took {took:.0f} s, {total:.0f} s in all", flush=True)
    for line in wrong:
        print(f"! {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
