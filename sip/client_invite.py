"""The client transaction of INVITE (RFC 3261 17.1.1 with RFC 6026).

Once the final response is there, what is left to do is to send the same ACK again: the ACK of the
transaction for a failure (Completed, timer D), the ACK of the core for a success (Accepted, timer M). Both
states are therefore tuples of the reaper, which the stack reads when a response matches one.
"""

from enum import IntEnum, auto
from typing import Any

from kernel.timers import Timer
from sip.flows import Flow
from sip.message import Response
from sip.reaper import Key
from sip.transactions import MARGIN, ClientUser, Transactions


class State(IntEnum):
    """RFC 3261 figure 5 with RFC 6026 figure 5."""

    CALLING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Input(IntEnum):
    """What can happen; TIMER_B is TIMER_A at the moment of giving up, or a cancelled INVITE's silence."""

    PROVISIONAL = auto()
    SUCCESS = auto()
    FAILURE = auto()
    TIMER_A = auto()
    TIMER_B = auto()
    TIMER_D = auto()
    TIMER_M = auto()
    TRANSPORT_FAILED = auto()


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[State, Input], State] = {
    (State.CALLING, Input.PROVISIONAL): State.PROCEEDING,
    (State.CALLING, Input.SUCCESS): State.ACCEPTED,
    (State.CALLING, Input.FAILURE): State.COMPLETED,
    (State.CALLING, Input.TIMER_A): State.CALLING,
    (State.CALLING, Input.TIMER_B): State.TERMINATED,
    (State.CALLING, Input.TRANSPORT_FAILED): State.TERMINATED,
    (State.PROCEEDING, Input.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Input.SUCCESS): State.ACCEPTED,
    (State.PROCEEDING, Input.FAILURE): State.COMPLETED,
    # RFC 3261 9.1: a cancelled INVITE that stays silent for 64*T1 is considered cancelled.
    (State.PROCEEDING, Input.TIMER_B): State.TERMINATED,
    (State.PROCEEDING, Input.TRANSPORT_FAILED): State.TERMINATED,
    (State.COMPLETED, Input.FAILURE): State.COMPLETED,  # acked again
    (State.COMPLETED, Input.TIMER_D): State.TERMINATED,
    (State.ACCEPTED, Input.SUCCESS): State.ACCEPTED,  # acked again by the core, or ended if forked
    (State.ACCEPTED, Input.TIMER_M): State.TERMINATED,
}

DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        (State.CALLING, Input.TIMER_D),
        (State.CALLING, Input.TIMER_M),
        (State.PROCEEDING, Input.TIMER_A),  # a provisional stops A
        (State.PROCEEDING, Input.TIMER_D),
        (State.PROCEEDING, Input.TIMER_M),
        *((State.COMPLETED, cause) for cause in Input if cause not in (Input.FAILURE, Input.TIMER_D)),
        *((State.ACCEPTED, cause) for cause in Input if cause not in (Input.SUCCESS, Input.TIMER_M)),
        *((State.TERMINATED, cause) for cause in Input),
    }
)


class ClientInvite:
    """One INVITE of ours, until its final response."""

    __slots__ = (
        "_data",
        "_give_up_at",
        "_interval",
        "_timer",
        "_transactions",
        "branch",
        "context",
        "flow",
        "key",
        "state",
        "user",
    )

    method = "INVITE"

    @property
    def data(self) -> bytes:
        """The INVITE as it was sent."""
        return self._data

    def __init__(
        self,
        transactions: Transactions,
        key: Key,
        branch: str,
        data: bytes,
        flow: Flow,
        user: ClientUser,
        now: float,
        context: Any = None,
    ) -> None:
        """Send ``data``; ``context`` is the user's: what it takes to build the ACK and the CANCEL."""
        self._transactions = transactions
        self._data = data
        self.key = key
        self.branch = branch
        self.flow = flow
        self.user: ClientUser | None = user
        self.context = context
        self.state = State.CALLING
        transactions.clients[key] = self
        transactions.put((flow, data))
        self._give_up_at = now + transactions.give_up_after
        self._interval = transactions.t1
        self._timer: Timer | None
        if flow[0] == "udp":
            self._timer = transactions.timers.arm_after(self, "A", transactions.t1, now)
        else:
            self._timer = transactions.timers.arm_after(self, "A", transactions.give_up_after, now)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that matched this transaction; after a final one, ``acknowledged`` is owed."""
        status = response.status
        cause = Input.PROVISIONAL if status < 200 else Input.SUCCESS if status < 300 else Input.FAILURE
        was_calling = self.state is State.CALLING
        self._move(cause)
        if was_calling or cause is not Input.PROVISIONAL:
            self._transactions.timers.disarm(self._timer)
            self._timer = None
        user = self.user
        assert user is not None
        user.on_response(self, response, now)
        assert cause is Input.PROVISIONAL or self.user is None, "a final response was not acknowledged"

    def acknowledge(self, ack: bytes, flow: Flow, word: str, now: float) -> None:
        """Send the ACK of the final response and linger to send it again.

        ``word`` is the To tag of a 2xx, whose repetitions are told from a fork's by it, else "".
        """
        transactions = self._transactions
        transactions.put((flow, ack))
        if self.state is State.ACCEPTED:
            after = transactions.give_up_after  # M
        else:
            after = max(32.0, transactions.give_up_after) if flow[0] == "udp" else 0.0  # D
        transactions.client_reaper.linger(self.key, "INVITE", ack, flow, after, now, word)
        self.user = None
        self.context = None

    def give_up_later(self, now: float) -> None:
        """Wait no longer than 64*T1 from now for the final response: after a CANCEL (RFC 3261 9.1), and
        wherever nobody rings a person.
        """
        transactions = self._transactions
        self._give_up_at = now + transactions.give_up_after
        transactions.timers.disarm(self._timer)
        self._timer = transactions.timers.arm_after(self, "B", transactions.give_up_after, now)

    def fail(self, status: int, now: float) -> None:
        """Give up: 408 for silence, 503 for a transport that failed."""
        if not self._move(Input.TIMER_B if status == 408 else Input.TRANSPORT_FAILED):
            return
        transactions, user = self._transactions, self.user
        transactions.timers.disarm(self._timer)
        self._timer = None
        self.user = None
        if transactions.clients.get(self.key) is self:
            del transactions.clients[self.key]
        if user is not None:
            user.on_failure(self, status, now)
        self.context = None

    def on_timer(self, name: str, now: float) -> None:
        """Repeat the INVITE (A) or, when 64*T1 have passed, give up (B)."""
        left = self._give_up_at - now
        if left <= MARGIN:
            self.fail(408, now)
            return
        if not self._move(Input.TIMER_A):
            return
        transactions = self._transactions
        transactions.put((self.flow, self._data))
        self._interval = interval = 2 * self._interval
        if interval < left:
            self._timer = transactions.timers.arm_after(self, "A", interval, now)
        else:
            self._timer = transactions.timers.arm(self, "A", self._give_up_at)

    def _move(self, cause: Input) -> bool:
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True
