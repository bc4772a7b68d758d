"""Load: complete queue calls through a real switch, driven by SIPp on loopback.

Each call is an INVITE from a trunk, answered with 200 while it waits, offered to a seat (180, 200), bridged,
one second of talk without audio, BYE on both legs, wrap-up of 0.2 s, rows in the database. Reported per rate:
CPU seconds per 1,000 calls of every process of the switch (signalling, media worker, row writer), INVITE to
200 as SIPp saw it, memory, and what went wrong.

python -m benchmarks.load_queue_call --rates 100 200 400 --seconds 60
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.wire.phones import Sipp, register
from tests.wire.switch import Rpc, Switch, free_port, wait_until

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
SEATS_PER_RATE = 2.5  # 1 s of talk and 0.2 s of wrap-up, twice over
PORTS = (10000, 28998)


class Family:
    """The processes of one switch, by what they do."""

    def __init__(self, root: int) -> None:
        self.members = {root: "signalling"}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and self._parent(int(entry.name)) == root:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                self.members[int(entry.name)] = "worker" if "media-worker" in command else "writer"

    @staticmethod
    def _parent(pid: int) -> int:
        try:
            return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return 0

    def cpu(self) -> dict[str, float]:
        """Return CPU seconds used so far, by duty."""
        used: dict[str, float] = {}
        for pid, duty in self.members.items():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[duty] = used.get(duty, 0.0) + (int(fields[11]) + int(fields[12])) / TICKS
        return used

    def memory(self) -> dict[str, float]:
        """Return resident megabytes, by duty."""
        resident: dict[str, float] = {}
        for pid, duty in self.members.items():
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            resident[duty] = resident.get(duty, 0.0) + pages * PAGE / 1e6
        return resident

    def pin(self, cpu: int) -> None:
        """Put every process of the switch, with its threads, on one core."""
        for pid in self.members:
            subprocess.run(["taskset", "-a", "-cp", str(cpu), str(pid)], check=True, capture_output=True)


def sign_in(switch: Switch) -> Rpc:
    """Sign every seat in, each over a connection of its own as desks do, and return one more connection."""
    for seat in switch.seats:
        switch.rpc().call("session.login", hotline="96198", seat=seat, password="demo")
    return switch.rpc()


def response_times(folder: Path, name: str) -> list[float]:
    """Return the INVITE-to-200 times SIPp wrote, in milliseconds, sorted."""
    times: list[float] = []
    for path in folder.glob(f"{name}*_rtt.csv"):
        for line in path.read_text().splitlines()[1:]:
            fields = line.split(";")
            if len(fields) >= 2 and re.fullmatch(r"[0-9.]+", fields[1]):
                times.append(float(fields[1]))
    return sorted(times)


def quantile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of the sorted values lie; NaN for none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def run_rate(folder: Path, rate: int, seconds: float, talk: float, pin: bool) -> dict[str, Any]:
    """Run one rate through a fresh switch and return its row."""
    calls, seats = int(rate * seconds), max(20, int(rate * SEATS_PER_RATE))
    folder.mkdir()
    phone_port, caller_port = free_port(), free_port()
    with Switch(folder, seats=seats, queue_extra='music = ""\nwelcome = ""', ports=PORTS) as switch:
        assert switch.process is not None
        register(folder, switch.sip_port, switch.seats, port=phone_port)
        rpc = sign_in(switch)
        family = Family(switch.process.pid)
        if pin:
            family.pin(0)
        idle = family.memory()
        load = ("-d", str(int(talk * 1000)), "-l", str(rate * 10), "-trace_rtt", "-rtt_freq", "500")
        timeout = seconds + 60
        before, started = family.cpu(), time.monotonic()
        with (
            Sipp(folder, "seat", port=phone_port, calls=calls, timeout=timeout, core=1 if pin else None),
            Sipp(
                folder,
                "caller",
                port=caller_port,
                target=f"127.0.0.1:{switch.sip_port}",
                calls=calls,
                rate=rate,
                options=load,
                timeout=timeout,
                core=1 if pin else None,
            ) as callers,
        ):
            code = callers.wait()
            took = time.monotonic() - started
            busy = family.memory()
            lag = rpc.call("admin.status")
        wait_until("rows", lambda: len_rows(switch) >= calls or code != 0, 120)
        after = family.cpu()
        used = {duty: (after[duty] - before[duty]) * 1000 / calls for duty in after}
        times = response_times(folder, "caller")
        outcomes: dict[str, int] = {}
        for row in switch.rows("calls"):
            outcomes[row["verdict"]] = outcomes.get(row["verdict"], 0) + 1
        return {
            "rate": rate,
            "calls": calls,
            "sipp": code,
            "outcomes": outcomes,
            "seconds": round(took, 1),
            "cpu_per_1000": {duty: round(value, 3) for duty, value in used.items()},
            "cpu_total": round(sum(used.values()), 3),
            "p50_ms": quantile(times, 0.5),
            "p99_ms": quantile(times, 0.99),
            "memory_idle_mb": {duty: round(value, 1) for duty, value in idle.items()},
            "memory_busy_mb": {duty: round(value, 1) for duty, value in busy.items()},
            "status": {key: lag.get(key) for key in ("lag", "lag_max", "decision")},
        }


def len_rows(switch: Switch) -> int:
    """Return how many calls the row writer has written."""
    return int(switch.count("calls"))


def main() -> int:
    """Run the ladder and print it."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 200, 400], help="calls per second")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each rate")
    parser.add_argument("--talk", type=float, default=1.0, help="seconds each call lasts")
    parser.add_argument("--no-pin", action="store_true", help="let the switch use both cores")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args()
    if not options.json:
        heads = (
            "calls/s",
            "calls",
            "lost",
            "CPU s/1000",
            "signal",
            "worker",
            "writer",
            "p50 ms",
            "p99 ms",
            "MB",
        )
        print(" ".join(f"{head:>10}" for head in heads))
    lost_any = False
    with tempfile.TemporaryDirectory() as folder:
        for rate in options.rates:
            row = run_rate(Path(folder) / str(rate), rate, options.seconds, options.talk, not options.no_pin)
            lost = row["calls"] - row["outcomes"].get("success", 0)
            lost_any = lost_any or bool(lost)
            if options.json:
                print(json.dumps(row), flush=True)
                continue
            cpu = row["cpu_per_1000"]
            cells = (
                f"{rate}",
                f"{row['calls']}",
                f"{lost}",
                f"{row['cpu_total']:.3f}",
                *(f"{cpu.get(duty, 0.0):.3f}" for duty in ("signalling", "worker", "writer")),
                f"{row['p50_ms']:.1f}",
                f"{row['p99_ms']:.1f}",
                f"{row['memory_busy_mb']['signalling']:.0f}",
            )
            print(" ".join(f"{cell:>10}" for cell in cells), flush=True)
    return 1 if lost_any else 0


if __name__ == "__main__":
    sys.exit(main())
