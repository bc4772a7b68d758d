"""The client INVITE machine by itself. Its timing is in test_checklist.py (T01 to T03, T10, T11)."""

from itertools import product

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.client_invite import DROPPED, MOVES, ClientInvite, Input, State
from sip.flows import Flow
from sip.message import Response
from sip.parser import parse_message
from sip.reaper import Lingering
from sip.settings import Timing
from sip.transactions import Transactions

FLOW = Flow("udp", 0, "10.0.0.9", 5080)


class Caller:
    """Acknowledges finals, writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def on_response(self, transaction: ClientInvite, response: Response, now: float) -> None:
        self.heard.append(response.status)
        if response.status >= 200:
            transaction.acknowledge(b"ACK", FLOW, "tag" if response.status < 300 else "", now)

    def on_failure(self, transaction: ClientInvite, status: int, now: float) -> None:
        self.heard.append(-status)


def started() -> tuple[ClientInvite, Caller, Transactions, Outbox[tuple[Flow, bytes]]]:
    out: Outbox[tuple[Flow, bytes]] = Outbox()
    transactions, caller = Transactions(Timing(), TimerQueue(), out), Caller()
    return ClientInvite(transactions, "k", "b", b"INVITE", FLOW, caller, 0.0), caller, transactions, out


def response(status: int) -> Response:
    message = parse_message(b"SIP/2.0 %d X\r\n\r\n" % status)
    assert isinstance(message, Response)
    return message


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_after_a_success_a_record_is_left_for_timer_m() -> None:
    """RFC 6026 7.2: Accepted for 64*T1; the record holds the ACK and the tag it is for."""
    invite, caller, transactions, out = started()
    invite.receive(response(200), 0.1)
    assert invite.state is State.ACCEPTED
    assert caller.heard == [200]
    entry = transactions.clients["k"]
    assert entry == Lingering(32.1, "INVITE", b"ACK", "tag", *FLOW)
    assert [data for _, data in out.take()] == [b"INVITE", b"ACK"]
    transactions.timers.fire_due(33.0)
    assert transactions.clients == {}


def test_a_failed_transport_is_told_once() -> None:
    invite, caller, transactions, _ = started()
    invite.fail(503, 0.0)
    invite.fail(503, 0.0)
    assert caller.heard == [-503]
    assert transactions.clients == {}
    assert transactions.timers.armed() == []


def test_a_cancelled_invite_waits_64_t1() -> None:
    """RFC 3261 9.1."""
    invite, caller, transactions, _ = started()
    invite.receive(response(180), 0.1)
    assert transactions.timers.armed() == []
    invite.give_up_later(10.0)
    transactions.timers.fire_due(41.9)
    assert caller.heard == [180]
    transactions.timers.fire_due(42.0)
    assert caller.heard == [180, -408]
