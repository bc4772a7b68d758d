"""The client non-INVITE machine by itself. Its timing is in test_checklist.py (T04, T05)."""

from itertools import product

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.client_request import DROPPED, MOVES, ClientRequest, Input, State
from sip.flows import Flow
from sip.message import Response
from sip.parser import parse_message
from sip.settings import Timing
from sip.transactions import Transactions


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


class Asker:
    def __init__(self) -> None:
        self.heard: list[int] = []

    def on_response(self, transaction: ClientRequest, response: Response, now: float) -> None:
        self.heard.append(response.status)

    def on_failure(self, transaction: ClientRequest, status: int, now: float) -> None:
        self.heard.append(-status)


def test_over_tcp_it_is_sent_once_and_times_out() -> None:
    """T04: no E on a stream transport, F as ever."""
    out: Outbox[tuple[Flow, bytes]] = Outbox()
    timers, asker = TimerQueue(), Asker()
    transactions = Transactions(Timing(), timers, out)
    ClientRequest(transactions, "k", "BYE", b"BYE", Flow("tcp", 1, "h", 1), asker, 0.0)
    timers.fire_due(31.9)
    assert asker.heard == []
    timers.fire_due(32.0)
    assert asker.heard == [-408]
    assert len(out) == 1
    assert transactions.clients == {}


def response(status: int) -> Response:
    message = parse_message(b"SIP/2.0 %d X\r\n\r\n" % status)
    assert isinstance(message, Response)
    return message


def test_a_final_response_ends_it() -> None:
    timers, asker = TimerQueue(), Asker()
    transactions = Transactions(Timing(), timers, Outbox())
    request = ClientRequest(transactions, "k", "BYE", b"BYE", Flow("udp", 0, "h", 1), asker, 0.0)
    request.receive(response(100), 0.1)
    request.receive(response(200), 0.2)
    request.receive(response(200), 0.3)
    assert asker.heard == [100, 200]
    assert request.state is State.COMPLETED
    assert timers.armed() == []
    assert transactions.clients == {}
