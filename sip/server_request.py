"""The server transaction of every request but INVITE and ACK (RFC 3261 17.2.2).

Completed (timer J) is a record of the reaper that holds the response, ready to be sent again; on a stream
transport J is 0 and nothing is left.
"""

from enum import IntEnum, auto

from sip.flows import Flow
from sip.reaper import Key
from sip.transactions import Transactions


class State(IntEnum):
    """RFC 3261 figure 8."""

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class Input(IntEnum):
    """What can happen; REQUEST is a retransmission."""

    REQUEST = auto()
    PROVISIONAL = auto()
    FINAL = auto()
    TIMER_J = auto()


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[State, Input], State] = {
    (State.TRYING, Input.PROVISIONAL): State.PROCEEDING,
    (State.TRYING, Input.FINAL): State.COMPLETED,
    (State.PROCEEDING, Input.REQUEST): State.PROCEEDING,
    (State.PROCEEDING, Input.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Input.FINAL): State.COMPLETED,
    (State.COMPLETED, Input.REQUEST): State.COMPLETED,
    (State.COMPLETED, Input.TIMER_J): State.TERMINATED,
}

DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        (State.TRYING, Input.REQUEST),  # nothing to repeat yet
        (State.TRYING, Input.TIMER_J),
        (State.PROCEEDING, Input.TIMER_J),
        (State.COMPLETED, Input.PROVISIONAL),
        (State.COMPLETED, Input.FINAL),
        *((State.TERMINATED, cause) for cause in Input),
    }
)


class ServerRequest:
    """One request of theirs, until our final response."""

    __slots__ = ("_last", "_transactions", "flow", "key", "method", "state")

    def __init__(self, transactions: Transactions, key: Key, method: str, flow: Flow) -> None:
        self._transactions = transactions
        self._last = b""
        self.key = key
        self.method = method
        self.flow = flow
        self.state = State.TRYING
        transactions.servers[key] = self

    def receive_again(self, now: float) -> None:
        """Take a retransmission of the request."""
        if self._move(Input.REQUEST) and self._last:
            self._transactions.put((self.flow, self._last))

    def respond(self, status: int, data: bytes, now: float) -> None:
        """Send a response, built by the caller."""
        if not self._move(Input.PROVISIONAL if status < 200 else Input.FINAL):
            return
        transactions = self._transactions
        transactions.put((self.flow, data))
        if status < 200:
            self._last = data
            return
        after = transactions.give_up_after if self.flow[0] == "udp" else 0.0  # J
        transactions.server_reaper.linger(self.key, self.method, data, self.flow, after, now)

    def _move(self, cause: Input) -> bool:
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True
