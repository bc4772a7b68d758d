"""Load: complete queue calls through a real switch, driven by SIPp on loopback.

Each call is an INVITE from a trunk, answered with 200 while it waits, offered to a seat (180, 200), bridged,
one second of talk without audio, BYE on both legs, wrap-up of 0.2 s, rows in the database. Reported per rate:
CPU seconds per 1,000 calls of every process of the switch (signalling, media worker, row writer), INVITE to
200 as SIPp saw it, the worst lag of the switch's loop, memory, and what went wrong. Then how long a decision
takes (``bench_decision``).

python -m benchmarks.load_queue_call --rates 100 200 400 --seconds 60
python -m benchmarks.load_queue_call --highest 1600 --seconds 60  # the highest rate without loss up to 1,600
python -m benchmarks.load_queue_call --memory 1000  # resident, of calls that wait, then talk
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import bench_decision
from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import Rpc, Switch, wait_until

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
SEATS_PER_RATE = 2.5  # 1 s of talk and 0.2 s of wrap-up, twice over
PORTS = (10000, 28998)
PROBE_EVERY = 0.5  # seconds between two looks at the lag
SEARCH_STEP = 0.05  # of a rate: what the search for the highest leaves open
SETTLED_AFTER = 35.0  # seconds: the last transactions are over
WARM_UP = 100  # calls before memory is measured
COLUMNS = (
    *("calls/s", "calls", "lost", "CPU s/1000", "signal", "worker", "writer"),
    *("p50 ms", "p99 ms", "lag ms", "MB"),
)


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


def sign_in(switch: Switch, presence: str = "ready") -> list[Rpc]:
    """Sign every seat in, each over a connection of its own as desks do; return the connections."""
    more = {} if presence == "ready" else {"presence": presence, "reason": "rest"}
    desks = []
    for seat in switch.seats:
        desks.append(switch.rpc())
        desks[-1].call("session.login", hotline="96198", seat=seat, password="demo", **more)
    return desks


class Probe(threading.Thread):
    """Looks at the switch's loop twice a second while a load runs."""

    def __init__(self, rpc: Rpc) -> None:
        super().__init__(daemon=True)
        self._rpc = rpc
        self._is_over = threading.Event()
        self.lag = 0.0  # seconds, the worst

    def run(self) -> None:
        """Look until told to stop."""
        while not self._is_over.wait(PROBE_EVERY):
            self.lag = max(self.lag, self._rpc.call("admin.status")["lag"])

    def stop(self) -> float:
        """Return the worst lag in seconds."""
        self._is_over.set()
        self.join()
        return self.lag


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
        sign_in(switch)
        family = Family(switch.process.pid)
        if pin:
            family.pin(0)
        idle = family.memory()
        load = ("-d", str(int(talk * 1000)), "-l", str(rate * 10), "-trace_rtt", "-rtt_freq", "500")
        timeout = seconds + 60
        before, started = family.cpu(), time.monotonic()
        probe = Probe(switch.rpc())
        probe.start()
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
            lag = probe.stop()
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
            "lag_ms": lag * 1000,
            "lost": calls - outcomes.get("success", 0),
        }


def len_rows(switch: Switch) -> int:
    """Return how many calls the row writer has written."""
    return int(switch.count("calls"))


def cells_of(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    cpu = row["cpu_per_1000"]
    cells = (
        f"{row['rate']}",
        f"{row['calls']}",
        f"{row['lost']}",
        f"{row['cpu_total']:.3f}",
        *(f"{cpu.get(duty, 0.0):.3f}" for duty in ("signalling", "worker", "writer")),
        f"{row['p50_ms']:.1f}",
        f"{row['p99_ms']:.1f}",
        f"{row['lag_ms']:.0f}",
        f"{row['memory_busy_mb']['signalling']:.0f}",
    )
    return " ".join(f"{cell:>10}" for cell in cells)


def find_highest(limit: int, measure: Callable[[int], bool]) -> int:
    """Return the highest rate up to ``limit`` at which ``measure`` says that nothing is lost; 0: none."""
    good, bad = 0, limit + 1
    rate = limit
    while bad - good > max(1, int(SEARCH_STEP * good)):
        if measure(rate):
            good = rate
        else:
            bad = rate
        rate = (good + bad) // 2
    return good


def are_all(rpc: Rpc, state: str, calls: int) -> bool:
    """Say whether ``calls`` calls are in that state."""
    return bool(rpc.call("admin.status")["calls"].get(state, 0) >= calls)


def run_memory(folder: Path, calls: int) -> None:
    """Print what each of ``calls`` calls costs in resident memory, waiting and talking."""
    folder.mkdir()
    phone_port, options = free_port(), ("-d", "600000", "-l", str(2 * calls))
    with Switch(folder, seats=calls, max_waiting=2 * calls, ports=PORTS) as switch:
        assert switch.process is not None
        register(folder, switch.sip_port, switch.seats, port=phone_port)
        desks, rpc = sign_in(switch, "paused"), switch.rpc()
        target = f"127.0.0.1:{switch.sip_port}"
        with Sipp(
            folder, "caller", port=free_port(), target=target, calls=WARM_UP, rate=100, options=("-d", "500")
        ) as early:
            early.finish()
        time.sleep(SETTLED_AFTER)
        family = Family(switch.process.pid)
        table = {"idle": family.memory()}
        with (
            Sipp(folder, "seat", port=phone_port, calls=calls, timeout=600),
            Sipp(
                folder,
                "caller_stays",
                port=free_port(),
                target=target,
                calls=calls,
                rate=100,
                timeout=600,
                options=options,
            ),
        ):
            for state in ("waiting", "talking"):
                if state == "talking":
                    for desk in desks:
                        desk.call("seat.ready")
                wait_until(state, partial(are_all, rpc, state, calls), 60)
                time.sleep(SETTLED_AFTER)
                table[state] = family.memory()
    print(f"{'':>10} " + " ".join(f"{duty + ' MB':>14}" for duty in table["idle"]) + "  kB a call, both")
    for state, memory in table.items():
        more = sum(memory[duty] - table["idle"][duty] for duty in ("signalling", "worker")) * 1e3 / calls
        print(f"{state:>10} " + " ".join(f"{value:>14.1f}" for value in memory.values()) + f"  {more:>15.1f}")


def main() -> int:
    """Run the ladder, the search or the memory, and print it."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 200, 400], help="calls per second")
    parser.add_argument("--highest", type=int, metavar="RATE", help="find the highest without loss up to it")
    parser.add_argument("--memory", type=int, metavar="CALLS", help="memory of so many calls instead")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each rate")
    parser.add_argument("--talk", type=float, default=1.0, help="seconds each call lasts")
    parser.add_argument("--no-pin", action="store_true", help="let the switch use both cores")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.memory:
            run_memory(Path(folder) / "memory", options.memory)
            return 0
        if not options.json:
            print(" ".join(f"{column:>10}" for column in COLUMNS))

        def measure(rate: int) -> bool:
            place = Path(tempfile.mkdtemp(prefix=f"{rate}-", dir=folder)) / "run"
            row = run_rate(place, rate, options.seconds, options.talk, not options.no_pin)
            print(json.dumps(row) if options.json else cells_of(row), flush=True)
            return not row["lost"] and row["sipp"] == 0

        if options.highest:
            print(f"highest without loss: {find_highest(options.highest, measure)} calls/s")
            return 0
        are_good = [measure(rate) for rate in options.rates]
    if not options.json:
        bench_decision.main()
    return 0 if all(are_good) else 1


if __name__ == "__main__":
    sys.exit(main())
