"""The demo: one minute of the main job, on real sockets, with simulated phones and callers and a live board.

Starts the switch with ``config/demo.toml``, registers softphones for nine seats, signs their agents in over
JSON-RPC, lets callers arrive on the trunk, shows the live board, prints what happened and exits 0 if every
call ended as it should.

python -m benchmarks.demo [--seconds 60] [--callers 40]
"""

import argparse
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from benchmarks.realnet import RealNetwork
from seatswitch.shell.client import Client, RpcFailed
from seatswitch.shell.top import METHODS, Board
from tests.simulator.network import Address
from tests.simulator.phones import Errand, Manner, Softphone, Trunk

ROOT = Path(__file__).resolve().parent.parent
SWITCH: Address = ("127.0.0.1", 5060)
JUNIORS, INTERMEDIATES, SENIORS = ("8001", "8002", "8003", "8004", "8005"), ("8011", "8012"), ("8016", "8017")
FRAME = 0.5  # seconds between frames of the board
TOLD_EVERY = 5.0  # seconds between lines where the output is no terminal
ARRIVALS = 0.7  # of the time; the rest is for those who wait
STAYS_MAX = 20.0  # seconds that callers still on the line get at the end
STOPS_WITHIN = 15.0


class Complaints:
    """What the phones object to in what the switch sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, who: str, what: str) -> None:
        """Nobody reads a phone's diary here."""

    def complain(self, who: str, what: str) -> None:
        """Keep an objection."""
        self.texts.append(f"{who}: {what}")


class Demo:
    """Phones, agents and callers of one minute."""

    def __init__(self, seconds: float, callers: int, seed: int) -> None:
        self.seconds, self.random = seconds, random.Random(seed)
        self.network = RealNetwork()
        self.complaints = Complaints()
        self.desks: dict[str, Client] = {}
        network = self.network.for_phones()
        self.phones = [
            Softphone(
                seat,
                network,
                ("127.0.0.1", 6000 + number * 2),
                SWITCH,
                self.random,
                self.complaints,
                password="demo",
                domain="127.0.0.1",
            )
            for number, seat in enumerate((*JUNIORS, *INTERMEDIATES, *SENIORS))
        ]
        for phone in self.phones:
            phone.choose = lambda _: self._manner()
        self.trunk = Trunk("carrier", network, ("127.0.0.1", 5080), SWITCH, self.random, self.complaints)
        self.arrivals = sorted(self.random.uniform(0.5, seconds * ARRIVALS) for _ in range(callers))
        self._done_at: dict[str, float] = {}  # seat -> when its agent has finished the notes

    def _manner(self) -> Manner:
        """Most agents answer soon; some refuse."""
        if self.random.random() < 0.06:
            return Manner(answers_after=1.0, refuses=486)
        return Manner(answers_after=self.random.uniform(0.5, 2.5), talks_for=self.random.uniform(3.0, 8.0))

    def _errand(self) -> Errand:
        """Most callers ask for the junior desk, some complain; a few do not have the patience."""
        number = "96199" if self.random.random() < 0.15 else "96198"
        caller = f"139{self.random.randrange(10**8):08d}"
        patience = self.random.uniform(2.0, 6.0) if self.random.random() < 0.1 else None
        return Errand(number=number, caller=caller, hangs_up_after=patience)

    def start(self, socket_path: str) -> None:
        """Register the phones, sign the agents in, plan the callers."""
        for phone in self.phones:
            phone.register()
        self.network.run(1.0)
        assert all(phone.is_registered for phone in self.phones), "a phone could not register"
        for phone in self.phones:
            desk = self.desks[phone.name] = Client(socket_path)
            desk.call("session.login", {"hotline": "96198", "seat": phone.name, "password": "demo"})
        for after in self.arrivals:
            self.network.timeline.after(after, self._arrive)

    def _arrive(self) -> None:
        self.trunk.dial(self._errand())

    def finish_notes(self, seats: Sequence[dict[str, Any]]) -> None:
        """Let agents end their wrap-up when their notes are written, as people do."""
        now = time.monotonic()
        for seat in seats:
            number = seat["seat"]
            if seat["presence"] != "wrapup" or number not in self.desks:
                self._done_at.pop(number, None)
            elif number not in self._done_at:
                self._done_at[number] = now + self.random.uniform(1.0, 4.0)
            elif now >= self._done_at[number]:
                try:
                    self.desks[number].call("seat.wrapup_end", {})
                except RpcFailed:
                    continue  # it has just ended by itself

    def close(self) -> None:
        """Let go of desks and sockets."""
        for desk in self.desks.values():
            desk.close()
        self.network.close()


def start_switch(folder: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the switch with the demo configuration, its socket and store in ``folder``."""
    text = (ROOT / "config" / "demo.toml").read_text()
    text = text.replace("unix://run/", f"unix://{folder}/").replace("sqlite:///var/", f"sqlite:///{folder}/")
    config = folder / "demo.toml"
    config.write_text(text)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "seatswitch", "run", "-c", str(config)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return process, str(folder / "seatswitch.sock")


def stop_switch(process: subprocess.Popen[bytes]) -> None:
    """End the switch, which saves every row first."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_ready(process: subprocess.Popen[bytes], socket_path: str, log: Path) -> Client:
    """Return a client once the switch answers."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"the switch did not start:\n{log.read_text()}")
        if Path(socket_path).exists():
            return Client(socket_path)
        time.sleep(0.1)
    sys.exit(f"the switch was not ready within 20 s:\n{log.read_text()}")


def show(demo: Demo, client: Client, console: Console) -> None:
    """Run the minute with the live board; in a pipe, with a line now and then."""
    board, began = Board(), time.monotonic()
    told_at = began
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while (elapsed := time.monotonic() - began) < demo.seconds + STAYS_MAX:
            demo.network.run(FRAME)
            answers = client.batch(METHODS)
            _, seats, calls, _ = answers
            demo.finish_notes(seats)
            if elapsed >= demo.seconds and not calls:
                return
            if console.is_terminal:
                live.update(board.frame(answers, time.monotonic(), time.time()), refresh=True)
            elif time.monotonic() - told_at >= TOLD_EVERY:
                told_at = time.monotonic()
                states = Counter(call["state"] for call in calls)
                words = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
                console.print(f"  {elapsed:3.0f} s: {words or 'nobody on the line'}")


def tell_queues(client: Client, console: Console) -> Counter[str]:
    """Print what became of the callers of each queue; return the sums."""
    table = Table("queue", "callers", "answered", "gave up", "turned away", "waited (mean)", "within 20 s")
    for column in table.columns[1:]:
        column.justify = "right"
    sums: Counter[str] = Counter()
    for queue in client.call("queue.list", {}):
        turned_away = int(queue["timed_out"] or 0) + int(queue["refused"] or 0)
        numbers = {
            "offered": queue["offered"],
            "answered": queue["answered"],
            "abandoned": queue["abandoned"],
        }
        sums.update({**numbers, "turned_away": turned_away})
        if queue["offered"]:
            waited, within = queue["asa"], queue["service_level"]
            table.add_row(
                queue["queue"],
                *(str(number) for number in numbers.values()),
                str(turned_away),
                "" if waited is None else f"{waited:.1f} s",
                "" if within is None else f"{within:.0%}",
            )
    console.print(table)
    return sums


def tell_seats(client: Client, console: Console) -> None:
    """Print what each seat did."""
    table = Table("seat", "level", "offered", "answered", "refused", "missed", "talked")
    for column in table.columns[2:]:
        column.justify = "right"
    for seat in client.call("seat.list", {}):
        counters = seat["counters"]
        if counters["offered"]:
            words = [str(counters[word]) for word in ("offered", "answered", "refused", "missed")]
            table.add_row(seat["seat"], seat["level"], *words, f"{counters['talked']:.0f} s")
    console.print(table)


def tell_rows(folder: Path, console: Console) -> int:
    """Print the verdicts of all calls from the database; return how many there are."""
    with closing(sqlite3.connect(folder / "seatswitch.db")) as database:
        found = list(database.execute("select verdict, count(*) from calls group by 1 order by 2 desc"))
    words = ", ".join(f"{verdict} {count}" for verdict, count in found)
    console.print(f"In the database, one row and one verdict for each call: {words}.")
    return sum(count for _, count in found)


def main() -> int:
    """Run the demo."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the demo")
    parser.add_argument("--callers", type=int, default=40, help="how many callers arrive")
    parser.add_argument("--seed", type=int, default=1, help="one seed, one story")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "switch.log"
        process, socket_path = start_switch(folder, log)
        try:
            with wait_ready(process, socket_path, log) as client:
                demo = Demo(options.seconds, options.callers, options.seed)
                demo.start(socket_path)
                console.print(f"{len(demo.phones)} phones are registered, their agents signed in.")
                console.print(f"{options.callers} callers arrive on the trunk, one after the other.")
                show(demo, client, console)
                sums = tell_queues(client, console)
                tell_seats(client, console)
                still = len(client.call("call.list", {}))
                demo.close()
        except KeyboardInterrupt:
            return 130
        finally:
            stop_switch(process)
        rows = tell_rows(folder, console)
    for text in demo.complaints.texts[:10]:
        console.print(f"a phone objects: {text}", style="red")
    is_complete = rows == len(demo.trunk.calls) == options.callers
    good = is_complete and not demo.complaints.texts and not still and sums["answered"] > 0
    console.print(
        f"{rows} of {options.callers} callers are accounted for."
        if good
        else "Something is wrong: see above.",
        style="green" if good else "red",
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
