"""Seat ready to INVITE in a real switch: from the desk's request to the INVITE at its phone's socket.

``bench_decision`` times the turn of the node alone. Here a whole switch runs with 2,000 seats and 1,000
callers who wait, made by SIPp; one desk after another sends ``seat.ready``, and the seat's phone (a socket of
ours) gets its INVITE. Measured is from before the request is written to the kernel's time stamp of the
INVITE's arrival: the switch's wake-up, reading the request, the decision, the journal, the socket. Each phone
says 180, so that all of them ring and the rest goes on waiting.

python -m benchmarks.load_decision
"""

import argparse
import re
import socket
import struct
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.load_queue_call import PORTS, are_all, quantile, sign_in
from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import Rpc, Switch, wait_until

SEATS = 2_000
WAITING = 1_000
DECISIONS = 500
PACE = 0.02  # seconds between two seats that become ready
SO_TIMESTAMPNS = 35
KEPT = re.compile(rb"^(?:Via|From|Call-ID|CSeq):.*\r\n", re.MULTILINE | re.IGNORECASE)
TO = re.compile(rb"^To:[^\r]*", re.MULTILINE | re.IGNORECASE)


def ringing(invite: bytes) -> bytes:
    """Return the 180 that answers an INVITE."""
    to = TO.search(invite)
    assert to is not None
    head = b"SIP/2.0 180 Ringing\r\n" + b"".join(KEPT.findall(invite))
    return head + to[0] + b";tag=ring\r\nContact: <sip:seat@127.0.0.1>\r\nContent-Length: 0\r\n\r\n"


def decide(desk: Rpc, phone: socket.socket) -> float:
    """Let the desk's seat become ready; return microseconds until its phone has the INVITE."""
    started = time.time_ns()
    desk.send("seat.ready")
    while True:
        data, marks, _, source = phone.recvmsg(65_536, 64)
        if data.startswith(b"INVITE"):
            break
    phone.sendto(ringing(data), source)
    seconds, fraction = struct.unpack("qq", marks[0][2][:16])
    return float(seconds * 1_000_000_000 + fraction - started) / 1e3


def run(folder: Path, decisions: int) -> list[float]:
    """Fill the house, let one seat after another become ready; return the times in us, sorted."""
    phone_port, calls = free_port(), WAITING + decisions
    extra = 'music = ""\nwelcome = ""'
    with Switch(folder, seats=SEATS, max_waiting=2 * calls, queue_extra=extra, ports=PORTS) as switch:
        register(folder, switch.sip_port, switch.seats, port=phone_port)
        desks, rpc = sign_in(switch, "paused"), switch.rpc()
        target, options = f"127.0.0.1:{switch.sip_port}", ("-d", "600000", "-l", str(calls))
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone,
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
            phone.bind(("127.0.0.1", phone_port))
            phone.settimeout(5.0)
            phone.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            wait_until("waiting calls", partial(are_all, rpc, "waiting", calls), 120)
            took = []
            for desk in desks[:decisions]:
                time.sleep(PACE)
                took.append(decide(desk, phone))
    return sorted(took)


def main() -> int:
    """Measure and print."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--decisions", type=int, default=DECISIONS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        took = run(Path(folder), given.decisions)
    print(f"seat ready to INVITE at its phone, {WAITING} waiting, {SEATS} seats, {len(took)} decisions:")
    p50, p99 = quantile(took, 0.5), quantile(took, 0.99)
    print(f"  p50 {p50:.0f} us, p99 {p99:.0f} us, worst {took[-1]:.0f} us")
    return 0


if __name__ == "__main__":
    sys.exit(main())
