"""Seat ready to INVITE: how long a decision takes when the house is full.

2,000 seats are signed in and busy resting, 1,000 calls wait. One seat after another becomes ready; measured
is the time from its word to the INVITE for its phone handed out for the socket: matching, reservation,
stream, SIP. p50, p99 and the worst of 1,000 decisions, and the memory of a waiting call.

python -m benchmarks.bench_decision
"""

import gc
import sys
import time
import tracemalloc

from acd.inputs import PauseAsked, ReadyAsked
from benchmarks.bench_node import CALLER, Peers
from kernel.ids import SeatId

SEATS = 2000
WAITING = 1000


def arrive(peers: Peers, number: int) -> None:
    """One caller arrives and acknowledges the answer; it stays."""
    out = peers.arrive(number)
    assert out, "the caller was not answered"


def main() -> int:
    """Fill the house, then let one seat after another become ready."""
    peers = Peers(seats=SEATS, ports=range(20000, 60000, 2))
    node = peers.node
    for number in peers.seats:
        node.handle(PauseAsked(SeatId(number), "rest"), peers.now)
    peers.drain()
    arrive(peers, 1)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(2, WAITING + 1):
        arrive(peers, number)
    peers.now += 33.0  # transactions and answered repeats are over: what is left is the waiting itself
    node.handle_timers(peers.now)
    peers.drain()
    gc.collect()
    per_call = (tracemalloc.get_traced_memory()[0] - before) / (WAITING - 1)
    tracemalloc.stop()
    gc.freeze()
    took = []
    for number in peers.seats[: SEATS // 2]:
        peers.now += 0.001
        seat = SeatId(number)
        started = time.perf_counter()
        node.handle(ReadyAsked(seat), peers.now)
        out = node.stack.datagrams.take()
        took.append((time.perf_counter() - started) * 1e6)
        assert any(data.startswith(b"INVITE") and flow.port != CALLER.port for flow, data in out)
        peers.drain()
    took.sort()
    print(f"seat ready to INVITE, {WAITING} waiting, {SEATS} seats, {len(took)} decisions:")
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    print(f"  p50 {p50:.0f} us, p99 {p99:.0f} us, worst {took[-1]:.0f} us")
    print(f"memory per waiting call: {per_call / 1024:.1f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
