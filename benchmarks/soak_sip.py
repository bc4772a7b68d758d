"""Soak: a million messages, good and bad, at a real switch, and calls that must work in between.

One process sends rubbish of all kinds (tests/sip/rubbish.py) over UDP from many addresses of 127.0.0.0/8, one
of them the trunk's own, and some over TCP connections that come and go. SIPp makes whole queue calls all the
while. Reported: messages sent and how many the kernel dropped at the switch's socket, INVITE to 200 of the
good calls, calls lost, memory of each process over time, errors in the log.

Memory is flat when the anonymous resident memory (RssAnon: what the process has taken for itself, no file and
no library) grows by at most GROWTH_MAX in the last half of the run, as a straight line through it says. That
half must not begin before SETTLED_AFTER: until then it grows by what is kept for 32 s of every request. A run
too short for that says so, and judges all but memory.

python -m benchmarks.soak_sip --messages 1000000 --rate 4500
"""

import argparse
import socket
import sys
import tempfile
import time
from pathlib import Path
from statistics import linear_regression

from benchmarks.load_queue_call import Family, quantile, response_times
from tests.ports import free_port
from tests.sip.rubbish import Rubbish
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, wait_until

TRUNK = "127.0.0.1"
HOTLINE = "95588"  # which no rubbish dials: its calls would wait for the seats of the good ones
HOSTS = 200  # strangers
OF_TRUNK = 8  # one message in so many comes from the trunk's address
OVER_TCP = 100  # one in so many opens a connection, says its word and goes
SLICE = 0.02  # seconds: how often the sender looks at the clock
MADE_AHEAD = 20_000  # messages; they are sent again with another name, so that making them costs no time
BAR_MS = 200.0
LOOKS = 100  # at the memory, evenly over the messages
GROWTH_MAX = 3.0  # MB: Python takes 1 MiB at a time, so one step or two say nothing
SETTLED_AFTER = 45.0  # seconds: what lives for 32 s comes and goes at the same rate


class Sender:
    """Sends rubbish to one port from many addresses."""

    def __init__(self, port: int, seed: int) -> None:
        self._target = (TRUNK, port)
        rubbish = Rubbish(seed, "127.3.0.1", TRUNK)
        self._made = [rubbish.take()[:60_000] for _ in range(MADE_AHEAD)]
        self._strangers = [self._socket(f"127.3.0.{number + 1}") for number in range(HOSTS)]
        self._trunk = self._socket(TRUNK)
        self.sent = self.unsent = 0

    @staticmethod
    def _socket(host: str) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((host, 0))
        made.setblocking(False)
        return made

    def run(self, messages: int, rate: float) -> None:
        """Send so many, at an even pace."""
        began = time.monotonic() - self.sent / rate if self.sent else time.monotonic()
        while self.sent < messages:
            time.sleep(SLICE)
            due = min(messages, int((time.monotonic() - began) * rate) + 1)
            while self.sent < due:
                self._send(self.sent)
                self.sent += 1

    def _send(self, number: int) -> None:
        data = self._made[number % MADE_AHEAD]
        if number >= MADE_AHEAD:  # not the same again: a repeated request draws the answer it drew before
            data = data.replace(b"branch=z9hG4bK", b"branch=z9hG4bK%x" % (number // MADE_AHEAD))
        try:
            if number % OVER_TCP == 0:
                source = (f"127.4.0.{number // OVER_TCP % HOSTS + 1}", 0)
                with socket.create_connection(self._target, 1.0, source) as one:
                    one.sendall(data)
            elif number % OF_TRUNK == 0:
                self._trunk.sendto(data, self._target)
            else:
                self._strangers[number % HOSTS].sendto(data, self._target)
        except OSError:
            self.unsent += 1

    def close(self) -> None:
        """Close the sockets; what the switch has answered was never read."""
        for each in (*self._strangers, self._trunk):
            each.close()


def dropped_at(port: int) -> int:
    """Return how many datagrams the kernel could not put into the socket of a port."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}"):
            return int(fields[-1])
    return 0


def good_calls(switch: Switch) -> int:
    """Return how many calls the row writer has written as a success."""
    return sum(row["verdict"] == "success" for row in switch.rows("calls"))


def errors_of(log: Path) -> list[str]:
    """Return the lines of a log that no peer should be able to bring about."""
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if "Traceback" in line or '"error"' in line or "[error" in line]


def anonymous(pid: int) -> int:
    """Return the bytes of resident memory that no file stands behind."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


class Memory:
    """What a process held after how many messages."""

    def __init__(self) -> None:
        self.looks: list[tuple[float, int, int]] = []  # seconds, messages, bytes

    def take(self, seconds: float, messages: int, held: int) -> None:
        """Note one look."""
        self.looks.append((seconds, messages, held))

    @property
    def growth(self) -> float | None:
        """Return the MB that the last half of the messages cost, by least squares; None: too short to say."""
        half = [look for look in self.looks if look[1] >= self.looks[-1][1] / 2]
        if len(half) < LOOKS // 4 or half[0][0] < SETTLED_AFTER:
            return None
        messages, held = [look[1] for look in half], [look[2] for look in half]
        return linear_regression(messages, held).slope * (messages[-1] - messages[0]) / 1e6

    def __str__(self) -> str:
        shown = [f"{held / 1e6:.1f}" for _, _, held in self.looks[:: max(1, len(self.looks) // 10)]]
        growth = self.growth
        judged = "too short a run to judge" if growth is None else f"last half {growth:+.1f}"
        return f"{' '.join(shown)}; {judged}"


def soak(folder: Path, messages: int, rate: float, calls_rate: int, seed: int) -> int:
    """Run it, print the table, and return how many things were not as they must be."""
    seconds = messages / rate
    calls = int(calls_rate * seconds)
    config = CONFIG.replace('accept = ["127.0.0.0/8"]', f'accept = ["{TRUNK}/32"]').replace("96198", HOTLINE)
    phone_port, caller_port = free_port(), free_port()
    music = 'music = ""\nwelcome = ""'
    with Switch(folder, seats=max(20, calls_rate * 4), queue_extra=music, config=config) as switch:
        assert switch.process is not None
        register(folder, switch.sip_port, switch.seats, port=phone_port)
        for seat in switch.seats:
            switch.rpc().call("session.login", hotline=HOTLINE, seat=seat, password="demo")
        rpc, family = switch.rpc(), Family(switch.process.pid)
        sender = Sender(switch.sip_port, seed)
        memories = {duty: Memory() for duty in family.members.values()}
        load = ("-d", "1000", "-l", str(calls_rate * 20), "-trace_rtt", "-rtt_freq", "50")
        target, timeout = f"127.0.0.1:{switch.sip_port}", seconds + 90
        with (
            Sipp(folder, "seat", port=phone_port, calls=calls, timeout=timeout),
            Sipp(
                folder,
                "caller",
                port=caller_port,
                target=target,
                calls=calls,
                rate=calls_rate,
                service=HOTLINE,
                options=load,
                timeout=timeout,
            ) as callers,
        ):
            began, used = time.monotonic(), family.cpu()["signalling"]
            for look in range(LOOKS + 1):
                sender.run(messages * look // LOOKS, rate)
                for pid, duty in family.members.items():
                    memories[duty].take(time.monotonic() - began, sender.sent, anonymous(pid))
            took, used = time.monotonic() - began, family.cpu()["signalling"] - used
            code = callers.wait()
        sender.close()
        # Rubbish leaves rows too: it is those of the good calls that are waited for.
        wait_until("rows", lambda: code != 0 or good_calls(switch) >= calls, 60)
        times = response_times(folder, "caller")
        status = rpc.call("admin.status")
        lost, errors = calls - good_calls(switch), errors_of(switch.log_path)
        drops = dropped_at(switch.sip_port)
    print(f"sent {sender.sent} messages in {took:.0f} s ({sender.sent / took:.0f}/s), {sender.unsent} unsent")
    print(f"dropped by the kernel {drops}; signalling CPU {used / sender.sent * 1e6:.0f} us each")
    print(f"sip {status.get('sip')}")
    return report(times, calls, lost, memories, errors)


def report(
    times: list[float], calls: int, lost: int, memories: dict[str, Memory], errors: list[str]
) -> int:
    """Print what is judged and return how many bars were missed."""
    p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
    print(f"good calls {calls}, lost {lost}; INVITE to 200 p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    for duty, memory in memories.items():
        print(f"anonymous MB of {duty}: {memory}")
    print(f"errors logged {len(errors)}")
    for line in errors[:5]:
        print(f"! {line}")
    is_slow = not p99 < BAR_MS  # not a number, where no call came through, is no speed
    missed = {
        "calls lost": lost > 0,
        "p99 of the setup": is_slow,
        "memory not flat": any((memory.growth or 0.0) > GROWTH_MAX for memory in memories.values()),
        "errors logged": bool(errors),
    }
    for bar, is_missed in missed.items():
        if is_missed:
            print(f"! missed: {bar}")
    return sum(missed.values())


def main() -> int:
    """Run it."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=4_500.0, help="messages a second")
    parser.add_argument("--calls", type=int, default=10, help="good calls a second")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return soak(Path(folder), options.messages, options.rate, options.calls, options.seed)


if __name__ == "__main__":
    sys.exit(main())
