"""Soak: a million messages, good and bad, at a real switch, and calls that must work in between.

One process sends rubbish of all kinds (tests/sip/rubbish.py) over UDP from many addresses of 127.0.0.0/8, one
of them the trunk's own, and some over TCP connections that come and go. SIPp makes whole queue calls all the
while. Reported: messages sent and how many the kernel dropped at the switch's socket, INVITE to 200 of the
good calls, calls lost, memory of the signalling process over time, errors in the log.

python -m benchmarks.soak_sip --messages 1000000 --rate 8000
"""

import argparse
import socket
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.load_queue_call import Family, quantile, response_times
from tests.sip.rubbish import Rubbish
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, free_port, wait_until

TRUNK = "127.0.0.1"
HOTLINE = "95588"  # which no rubbish dials: its calls would wait for the seats of the good ones
HOSTS = 200  # strangers
OF_TRUNK = 8  # one message in so many comes from the trunk's address
OVER_TCP = 100  # one in so many opens a connection, says its word and goes
SLICE = 0.02  # seconds: how often the sender looks at the clock
MADE_AHEAD = 20_000  # messages; they are sent again with another name, so that making them costs no time
BAR_MS = 200.0
GROWTH_MAX = 20.0  # MB


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
            due = min(messages, int((time.monotonic() - began) * rate) + 1)
            while self.sent < due:
                self._send(self.sent)
                self.sent += 1
            time.sleep(SLICE)

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
        memory = [family.memory()["signalling"]]
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
            for tenth in range(1, 11):
                sender.run(messages * tenth // 10, rate)
                memory.append(family.memory()["signalling"])
            took, used = time.monotonic() - began, family.cpu()["signalling"] - used
            code = callers.wait()
        sender.close()
        # Rubbish leaves rows too: it is those of the good calls that are waited for.
        wait_until("rows", lambda: code != 0 or good_calls(switch) >= calls, 60)
        times = response_times(folder, "caller")
        status = rpc.call("admin.status")
        lost, errors = calls - good_calls(switch), errors_of(switch.log_path)
        drops = dropped_at(switch.sip_port)
    return report(sender, took, used, drops, times, calls, lost, memory, errors, status)


def report(
    sender: Sender,
    took: float,
    used: float,
    drops: int,
    times: list[float],
    calls: int,
    lost: int,
    memory: list[float],
    errors: list[str],
    status: dict[str, object],
) -> int:
    """Print what was seen and return how many bars were missed."""
    p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
    growth = memory[-1] - memory[4]
    print(f"sent {sender.sent} messages in {took:.0f} s ({sender.sent / took:.0f}/s), {sender.unsent} unsent")
    print(f"dropped by the kernel {drops}; signalling CPU {used / sender.sent * 1e6:.0f} us each")
    print(f"good calls {calls}, lost {lost}; INVITE to 200 p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    print("signalling MB", " ".join(f"{value:.1f}" for value in memory), f"second half {growth:+.1f}")
    print(f"errors logged {len(errors)}; sip {status.get('sip')}")
    for line in errors[:5]:
        print(f"! {line}")
    missed = [lost > 0, p99 >= BAR_MS, growth > GROWTH_MAX, bool(errors)]
    return sum(missed)


def main() -> int:
    """Run it."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=8_000.0, help="messages a second")
    parser.add_argument("--calls", type=int, default=10, help="good calls a second")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return soak(Path(folder), options.messages, options.rate, options.calls, options.seed)


if __name__ == "__main__":
    sys.exit(main())
