"""The server non-INVITE machine by itself. Its use is in test_checklist.py (T08)."""

from itertools import product

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.flows import Flow
from sip.reaper import Lingering
from sip.server_request import DROPPED, MOVES, Input, ServerRequest, State
from sip.settings import Timing
from sip.transactions import Transactions


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_completed_is_a_record_with_the_answer() -> None:
    """J is 64*T1 on UDP, 0 on TCP."""
    for flow, left in ((Flow("udp", 0, "h", 1), 1), (Flow("tcp", 1, "h", 1, 2), 0)):
        out: Outbox[tuple[Flow, bytes]] = Outbox()
        transactions = Transactions(Timing(), TimerQueue(), out)
        request = ServerRequest(transactions, "k", "BYE", flow)
        request.receive_again(0.0)
        request.respond(100, b"100", 0.0)
        request.receive_again(0.0)
        request.respond(200, b"200", 0.0)
        request.respond(500, b"500", 0.0)
        assert request.state is State.COMPLETED
        assert [data for _, data in out.take()] == [b"100", b"100", b"200"]
        assert len(transactions.servers) == left
        left_behind = Lingering(32.0, "BYE", b"200", "", *flow)
        assert all(entry == left_behind for entry in transactions.servers.values())
