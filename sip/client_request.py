"""The client transaction of every request but INVITE and ACK (RFC 3261 17.1.2).

Completed is where retransmissions of the final response are absorbed. Here the table of transactions does
that: a response that matches nothing is dropped. So Completed is left at once, as with K = 0.
"""

from enum import IntEnum, auto
from typing import Any

from sip.client import Client
from sip.flows import Flow
from sip.message import Response
from sip.reaper import Key
from sip.transactions import MARGIN, ClientUser, Transactions


class State(IntEnum):
    """RFC 3261 figure 6; RESOLVING comes before it."""

    RESOLVING = auto()  # the next hop is a name without address so far
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class Input(IntEnum):
    """What can happen; TIMER_F is TIMER_E at the moment of giving up."""

    LOOK_UP = auto()  # a name is being asked for
    TARGET = auto()  # sent, to the first target or the next
    PROVISIONAL = auto()
    FINAL = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_K = auto()
    TRANSPORT_FAILED = auto()


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[State, Input], State] = {
    (State.RESOLVING, Input.LOOK_UP): State.RESOLVING,
    (State.RESOLVING, Input.TARGET): State.TRYING,
    (State.RESOLVING, Input.TIMER_F): State.TERMINATED,
    (State.RESOLVING, Input.TRANSPORT_FAILED): State.TERMINATED,
    (State.TRYING, Input.LOOK_UP): State.RESOLVING,
    (State.TRYING, Input.TARGET): State.TRYING,
    (State.PROCEEDING, Input.LOOK_UP): State.RESOLVING,
    (State.PROCEEDING, Input.TARGET): State.TRYING,
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
        # Nothing has been sent that could be answered or repeated.
        *((State.RESOLVING, it) for it in (Input.PROVISIONAL, Input.FINAL, Input.TIMER_E, Input.TIMER_K)),
        (State.TRYING, Input.TIMER_K),
        (State.PROCEEDING, Input.TIMER_K),
        # The final response has been told; what comes now is a repetition.
        *((State.COMPLETED, cause) for cause in Input if cause is not Input.TIMER_K),
        *((State.TERMINATED, cause) for cause in Input),
    }
)


class ClientRequest(Client):
    """One request of ours, repeated until it is answered."""

    __slots__ = ("method", "state")

    timer_name = "E"

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
        next_hop: str = "",
    ) -> None:
        """Send ``data``; ``context`` is the user's, for telling its requests apart.

        ``next_hop`` is the URI that ``flow`` was found for; "" for a way that is never left.
        """
        self.method = method
        self.state = State.TRYING
        branch = key.partition(" ")[0] if next_hop else ""
        super().__init__(transactions, key, branch, data, flow, user, now, context, next_hop)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that matched this transaction."""
        if self._heard(response) and self._try_next(503, now):
            return
        user = self.user
        if response.status < 200:
            self._move(Input.PROVISIONAL)
        elif self._move(Input.FINAL):
            self._end()
        if user is not None:
            user.on_response(self, response, now)

    def fail(self, status: int, now: float) -> None:
        """Go on to the next target, or give up: 408 for silence, 503 for a transport that failed."""
        if not self._try_next(status, now):
            self.give_up(status, now)

    def give_up(self, status: int, now: float) -> None:
        """Tell the user that there will be no answer."""
        user = self.user
        if self._move(Input.TIMER_F if status == 408 else Input.TRANSPORT_FAILED):
            self._end()
            if user is not None:
                user.on_failure(self, status, now)

    def on_timer(self, name: str, now: float) -> None:
        """Repeat the request (E) or, when 64*T1 have passed, give up (F)."""
        self._timer = None
        if name == "unreachable":
            self.give_up(503, now)
            return
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

    def _moved(self, *, is_waiting: bool) -> None:
        self._move(Input.LOOK_UP if is_waiting else Input.TARGET)

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
        transactions.unaim(self)
        if transactions.clients.get(self.key) is self:
            del transactions.clients[self.key]
