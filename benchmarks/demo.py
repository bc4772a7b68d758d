"""The demo: one minute of the main job, on real sockets, with simulated phones and callers and a live board.

Starts the switch with ``config/demo.toml``, registers softphones for a dozen seats, signs their agents in
over JSON-RPC, lets callers arrive on the trunk, shows the live board, prints what happened and exits 0 if
every call ended as it should.

python -m benchmarks.demo [--seconds 60] [--callers 40]
"""

import argparse
import random
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.live import Live

from seatswitch.shell.client import Client
from seatswitch.shell.top import METHODS, Board
from tests.simulator.network import Address, Network, Receiver
from tests.simulator.phones import Errand, Manner, Softphone, Trunk
from tests.simulator.timeline import Planned, Timeline

ROOT = Path(__file__).resolve().parent.parent
SWITCH: Address = ("127.0.0.1", 5060)
JUNIORS, INTERMEDIATES, SENIORS = ("8001", "8002", "8003", "8004", "8005"), ("8011", "8012"), ("8016", "8017")
FRAME = 0.5  # seconds between frames of the board


class RealTimeline(Timeline):
    """The simulator's timeline, on the real clock."""

    def at(self, moment: float, action: Callable[[], None]) -> Planned:
        """Plan ``action`` for ``moment``."""
        self.now = max(self.now, time.monotonic())
        return super().at(moment, action)


class RealNetwork:
    """What the simulated phones need of a network, on UDP sockets of the loopback."""

    def __init__(self) -> None:
        self.timeline = RealTimeline(time.monotonic())
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[Address, socket.socket] = {}

    def attach(self, address: Address, receiver: Receiver) -> None:
        """Listen at ``address``."""
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(address)
        udp.setblocking(False)
        self._sockets[address] = udp
        self._selector.register(udp, selectors.EVENT_READ, receiver)

    def send(self, source: Address, destination: Address, data: bytes) -> None:
        """Send one datagram."""
        self._sockets[source].sendto(data, destination)

    def run(self, seconds: float) -> None:
        """Let datagrams and plans happen for ``seconds``."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            self.timeline.run(now)
            next_at = self.timeline.next_at()
            wait = min(until, until if next_at is None else next_at) - now
            for key, _ in self._selector.select(max(0.0, wait)):
                data, source = cast(socket.socket, key.fileobj).recvfrom(65536)
                self.timeline.now = max(self.timeline.now, time.monotonic())
                key.data(data, source)

    def close(self) -> None:
        """Close every socket."""
        self._selector.close()
        for udp in self._sockets.values():
            udp.close()


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
        self.desks: list[Client] = []
        network = cast(Network, self.network)
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
        self.arrivals = sorted(self.random.uniform(2.0, seconds * 0.75) for _ in range(callers))

    def _manner(self) -> Manner:
        """Most agents answer soon; some refuse, some do not hear the ring."""
        chance = self.random.random()
        if chance < 0.06:
            return Manner(answers_after=1.0, refuses=486)
        if chance < 0.10:
            return Manner(answers_after=None)
        return Manner(answers_after=self.random.uniform(0.5, 3.0))

    def _errand(self) -> Errand:
        """Most callers ask for the junior desk, some complain; a few do not have the patience."""
        number = "96199" if self.random.random() < 0.15 else "96198"
        caller = f"139{self.random.randrange(10**8):08d}"
        patience = self.random.uniform(2.0, 6.0) if self.random.random() < 0.1 else None
        stays = self.random.uniform(6.0, 14.0)
        return Errand(number=number, caller=caller, talks_for=stays, hangs_up_after=patience)

    def start(self, socket_path: str) -> None:
        """Register the phones, sign the agents in, plan the callers."""
        for phone in self.phones:
            phone.register()
        self.network.run(1.0)
        assert all(phone.is_registered for phone in self.phones), "a phone could not register"
        for phone in self.phones:
            desk = Client(socket_path)
            desk.call("session.login", {"hotline": "96198", "seat": phone.name, "password": "demo"})
            self.desks.append(desk)
        for after in self.arrivals:
            self.network.timeline.after(after, self._arrive)

    def _arrive(self) -> None:
        self.trunk.dial(self._errand())

    def close(self) -> None:
        """Let go of desks and sockets."""
        for desk in self.desks:
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
    """Run the minute with the live board; in a pipe, without."""
    board, until = Board(), time.monotonic() + demo.seconds
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while time.monotonic() < until:
            demo.network.run(FRAME)
            if console.is_terminal:
                answers = [client.call(method, {}) for method in METHODS]
                live.update(board.frame(answers, time.monotonic(), time.time()), refresh=True)


def report(client: Client, demo: Demo, console: Console) -> bool:
    """Print what happened; return whether it is as it should be."""
    demo.network.run(1.0)
    queues: list[dict[str, Any]] = client.call("queue.list", {})
    total: Counter[str] = Counter()
    for queue in queues:
        for word in ("offered", "answered", "abandoned", "timed_out", "refused"):
            total[word] += int(queue.get(word) or 0)
    still = len(client.call("call.list", {}))
    console.print(
        f"{len(demo.arrivals)} callers arrived: {total['answered']} reached a seat, {total['abandoned']} hung"
        f" up before, {total['timed_out'] + total['refused']} were turned away, {still} still on the line."
    )
    for seat in client.call("seat.list", {}):
        counters = seat.get("counters") or {}
        if counters.get("offered"):
            console.print(
                f"  seat {seat['seat']} ({seat['level']}): {counters['answered']} answered,"
                f" {counters['refused']} refused, {counters['missed']} missed,"
                f" {counters['talked']:.0f} s of talk"
            )
    for text in demo.complaints.texts[:10]:
        console.print(f"  a phone objects: {text}", style="red")
    accounted = total["answered"] + total["abandoned"] + total["timed_out"] + total["refused"]
    return not demo.complaints.texts and accounted >= len(demo.arrivals) - still and total["answered"] > 0


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
            client = wait_ready(process, socket_path, log)
            demo = Demo(options.seconds, options.callers, options.seed)
            demo.start(socket_path)
            console.print("Nine phones are registered, their agents signed in; callers begin to arrive.")
            show(demo, client, console)
            good = report(client, demo, console)
            demo.close()
            client.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(15)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
