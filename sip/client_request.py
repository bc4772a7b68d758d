"""The client transaction of every request but INVITE and ACK (RFC 3261 17.1.2).

Completed is where retransmissions of the final response are absorbed. Here the table of transactions does
that: a response that matches nothing is dropped. So Completed is left at once, as with K = 0.
"""

from enum import IntEnum, auto
from typing import Any

from kernel.timers import Timer
from sip.flows import Flow
from sip.message import Response
from sip.reaper import Key
from sip.transactions import MARGIN, ClientUser, Transactions


class State(IntEnum):
    """RFC 3261 figure 6."""

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class Input(IntEnum):
    """What can happen; TIMER_F is TIMER_E at the moment of giving up."""

    PROVISIONAL = auto()
    FINAL = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_K = auto()
    TRANSPORT_FAILED = auto()


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[State, Input], State] = {
    (State.TRYING, Input.PROVISIONAL): State.PROCEEDING,
    (State.TRYING, Input.FINAL): State.COMPLETED,
    (State.TRYING, Input.TIMER_E): State.TRYING,
    (State.TRYING, Input.TIMER_F): State.TERMINATED,
    (State.TRYING, Input.TRANSPORT_FAILED): State.TERMINATED,
    (State.PROCEEDING, Input.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Input.FINAL): State.COMPLETED,
    (State.PROCEEDING, Input.TIMER_E): State.PROCEEDING,
    (State.PROCEEDING, Input.TIMER_F): State.TERMINATED,
    (State.PROCEEDING, Input.TRANSPORT_FAILED): State.TERMINATED,
    (State.COMPLETED, Input.TIMER_K): State.TERMINATED,
}

DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        (State.TRYING, Input.TIMER_K),
        (State.PROCEEDING, Input.TIMER_K),
        # The final response has been told; what comes now is a repetition.
        *((State.COMPLETED, cause) for cause in Input if cause is not Input.TIMER_K),
        *((State.TERMINATED, cause) for cause in Input),
    }
)


class ClientRequest:
    """One request of ours, repeated until it is answered."""

    __slots__ = (
        "_data",
        "_give_up_at",
        "_interval",
        "_key",
        "_timer",
        "_transactions",
        "context",
        "flow",
        "method",
        "state",
        "user",
    )

    def __init__(
        self,
        transactions: Transactions,
        key: Key,
        method: str,
        data: bytes,
        flow: Flow,
        user: ClientUser | None,
        now: float,
        context: Any = None,
    ) -> None:
        """Send ``data``; ``context`` is the user's, for telling its requests apart."""
        self._transactions = transactions
        self._key = key
        self._data = data
        self.method = method
        self.flow = flow
        self.user = user
        self.context = context
        self.state = State.TRYING
        transactions.clients[key] = self
        transactions.put((flow, data))
        self._give_up_at = now + transactions.give_up_after
        self._interval = transactions.t1
        self._timer: Timer | None
        if flow[0] == "udp":
            self._timer = transactions.timers.arm_after(self, "E", transactions.t1, now)
        else:
            self._timer = transactions.timers.arm_after(self, "E", transactions.give_up_after, now)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that matched this transaction."""
        user = self.user
        if response.status < 200:
            self._move(Input.PROVISIONAL)
        elif self._move(Input.FINAL):
            self._end()
        if user is not None:
            user.on_response(self, response, now)

    def fail(self, status: int, now: float) -> None:
        """Give up: 408 for silence, 503 for a transport that failed."""
        user = self.user
        if self._move(Input.TIMER_F if status == 408 else Input.TRANSPORT_FAILED):
            self._end()
            if user is not None:
                user.on_failure(self, status, now)

    def on_timer(self, name: str, now: float) -> None:
        """Repeat the request (E) or, when 64*T1 have passed, give up (F)."""
        left = self._give_up_at - now
        if left <= MARGIN:
            self.fail(408, now)
            return
        self._move(Input.TIMER_E)
        transactions = self._transactions
        transactions.put((self.flow, self._data))
        if self.state is State.PROCEEDING:
            self._interval = transactions.t2
        else:
            self._interval = min(2 * self._interval, transactions.t2)
        if self._interval < left:
            self._timer = transactions.timers.arm_after(self, "E", self._interval, now)
        else:
            self._timer = transactions.timers.arm(self, "E", self._give_up_at)

    def _move(self, cause: Input) -> bool:
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True

    def _end(self) -> None:
        transactions = self._transactions
        transactions.timers.disarm(self._timer)
        self._timer = None
        self.user = None
        if transactions.clients.get(self._key) is self:
            del transactions.clients[self._key]
