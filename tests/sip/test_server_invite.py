"""The server INVITE machine by itself. Its timing is in test_checklist.py (T06, T07, T10)."""

from itertools import product

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.flows import Flow
from sip.reaper import Lingering
from sip.server_invite import DROPPED, MOVES, Input, ServerInvite, State
from sip.settings import Timing
from sip.transactions import Transactions

UDP = Flow("udp", 0, "10.0.0.9", 5080)
TCP = Flow("tcp", 1, "10.0.0.9", 5080, 4)


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def started(flow: Flow) -> tuple[ServerInvite, Transactions, Outbox[tuple[Flow, bytes]]]:
    out: Outbox[tuple[Flow, bytes]] = Outbox()
    transactions = Transactions(Timing(), TimerQueue(), out)
    return ServerInvite(transactions, "k", flow, None), transactions, out


def test_accepted_is_an_absorbing_record() -> None:
    """RFC 6026 7.1: L is 64*T1; there is nothing to repeat."""
    invite, transactions, out = started(TCP)
    assert invite.respond(200, b"200", 1.0)
    assert invite.state is State.ACCEPTED
    assert transactions.servers["k"] == Lingering(33.0, "INVITE", b"", "", *TCP)
    assert not invite.respond(486, b"486", 1.0)
    assert out.take() == [(TCP, b"200")]


def test_confirmed_lasts_t4_on_udp_and_nothing_on_tcp() -> None:
    """I is T4 on UDP, 0 on TCP."""
    invite, transactions, _ = started(UDP)
    invite.respond(486, b"486", 1.0)
    invite.receive_ack(2.0)
    assert transactions.servers["k"] == Lingering(7.0, "INVITE", b"", "", *UDP)
    invite, transactions, _ = started(TCP)
    invite.respond(486, b"486", 1.0)
    invite.receive_ack(2.0)
    assert transactions.servers == {}
    assert transactions.timers.armed() == []


def test_a_repeated_invite_draws_the_last_response() -> None:
    invite, _, out = started(UDP)
    invite.receive_again(0.0)
    invite.respond(100, b"100", 0.0)
    invite.respond(180, b"180", 0.0)
    invite.receive_again(0.5)
    invite.receive_ack(0.6)
    invite.respond(486, b"486", 1.0)
    invite.receive_again(1.1)
    assert [data for _, data in out.take()] == [b"100", b"180", b"180", b"486", b"486"]
