"""The tables of transactions: which of them a failed flow takes down."""

from typing import Any

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.client_request import ClientRequest
from sip.flows import Flow
from sip.settings import Timing
from sip.transactions import Transactions


class Asker:
    def __init__(self) -> None:
        self.failures: list[tuple[str, int]] = []

    def on_response(self, transaction: Any, response: Any, now: float) -> None:
        raise AssertionError("nobody answered")

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        self.failures.append((transaction.context, status))


def test_only_the_transactions_to_that_peer_fail() -> None:
    """ICMP names a peer; a closed connection also takes those that waited for it to open."""
    transactions, asker = Transactions(Timing(), TimerQueue(), Outbox()), Asker()
    flows = {
        "udp": Flow("udp", 0, "10.0.0.9", 5080),
        "other port": Flow("udp", 0, "10.0.0.9", 5081),
        "opening": Flow("tcp", 1, "10.0.0.9", 5080),
        "third": Flow("tcp", 1, "10.0.0.9", 5080, 3),
        "fourth": Flow("tcp", 1, "10.0.0.9", 5080, 4),
    }
    for name, flow in flows.items():
        ClientRequest(transactions, name, "BYE", b"", flow, asker, 0.0, name)
    transactions.fail_flow("udp", "10.0.0.9", 5080, 0, 1.0)
    assert asker.failures == [("udp", 503)]
    transactions.fail_flow("tcp", "10.0.0.9", 5080, 3, 1.0)
    assert asker.failures[1:] == [("opening", 503), ("third", 503)]
    assert sorted(transactions.clients) == ["fourth", "other port"]


def test_new_timing_counts_for_new_transactions() -> None:
    transactions = Transactions(Timing(t1=0.1), TimerQueue(), Outbox())
    assert transactions.give_up_after == 6.4
    transactions.set_timing(Timing())
    assert transactions.give_up_after == 32.0
