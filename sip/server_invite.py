"""The server transaction of INVITE (RFC 3261 17.2.1 with RFC 6026).

Confirmed (timer I) and Accepted (timer L) do nothing but absorb; they are records of the reaper with no bytes
to repeat. A 2xx is repeated by the session, not here (13.3.1.4).
"""

from enum import IntEnum, auto
from typing import TYPE_CHECKING

from kernel.timers import Timer
from sip.flows import Flow
from sip.reaper import Key
from sip.transactions import MARGIN, Transactions

if TYPE_CHECKING:
    from sip.session import Session


class State(IntEnum):
    """RFC 3261 figure 7 with RFC 6026 figure 4."""

    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Input(IntEnum):
    """What can happen; REQUEST is a retransmission, TIMER_H is TIMER_G at the moment of giving up."""

    REQUEST = auto()
    PROVISIONAL = auto()
    SUCCESS = auto()
    FAILURE = auto()
    ACK = auto()
    TIMER_G = auto()
    TIMER_H = auto()
    TIMER_I = auto()
    TIMER_L = auto()


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[State, Input], State] = {
    (State.PROCEEDING, Input.REQUEST): State.PROCEEDING,
    (State.PROCEEDING, Input.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Input.SUCCESS): State.ACCEPTED,
    (State.PROCEEDING, Input.FAILURE): State.COMPLETED,
    (State.COMPLETED, Input.REQUEST): State.COMPLETED,
    (State.COMPLETED, Input.ACK): State.CONFIRMED,
    (State.COMPLETED, Input.TIMER_G): State.COMPLETED,
    (State.COMPLETED, Input.TIMER_H): State.TERMINATED,
    (State.CONFIRMED, Input.TIMER_I): State.TERMINATED,
    (State.ACCEPTED, Input.TIMER_L): State.TERMINATED,
}

DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        # A stray ACK of a response that was never sent.
        (State.PROCEEDING, Input.ACK),
        *(
            (State.PROCEEDING, cause)
            for cause in (Input.TIMER_G, Input.TIMER_H, Input.TIMER_I, Input.TIMER_L)
        ),
        *((State.COMPLETED, cause) for cause in (Input.PROVISIONAL, Input.SUCCESS, Input.FAILURE)),
        (State.COMPLETED, Input.TIMER_I),
        (State.COMPLETED, Input.TIMER_L),
        # Retransmissions are absorbed, that is dropped; the ACK of a 2xx is the session's.
        *((State.CONFIRMED, cause) for cause in Input if cause is not Input.TIMER_I),
        *((State.ACCEPTED, cause) for cause in Input if cause is not Input.TIMER_L),
        *((State.TERMINATED, cause) for cause in Input),
    }
)


class ServerInvite:
    """One INVITE of theirs, until our final response has been acknowledged."""

    __slots__ = (
        "_give_up_at",
        "_interval",
        "_last",
        "_timer",
        "_transactions",
        "flow",
        "key",
        "session",
        "state",
    )

    method = "INVITE"

    def __init__(self, transactions: Transactions, key: Key, flow: Flow, session: "Session | None") -> None:
        self._transactions = transactions
        self._last = b""
        self._interval = 0.0
        self._give_up_at = 0.0
        self._timer: Timer | None = None
        self.key = key
        self.flow = flow  # where responses go
        self.session = session  # whom a CANCEL concerns
        self.state = State.PROCEEDING
        transactions.servers[key] = self

    def receive_again(self, now: float) -> None:
        """Take a retransmission of the INVITE."""
        if self._move(Input.REQUEST) and self._last:
            self._transactions.put((self.flow, self._last))

    def respond(self, status: int, data: bytes, now: float) -> bool:
        """Send a response, built by the caller; return whether it was in time."""
        cause = Input.PROVISIONAL if status < 200 else Input.SUCCESS if status < 300 else Input.FAILURE
        if not self._move(cause):
            return False
        transactions = self._transactions
        transactions.put((self.flow, data))
        if status < 200:
            self._last = data
            return True
        self.session = None
        if status < 300:
            # RFC 6026 7.1: stay and absorb, or each retransmission would reach the user as a new call.
            transactions.server_reaper.linger(
                self.key, "INVITE", b"", self.flow, transactions.give_up_after, now
            )
            return True
        self._last = data
        self._give_up_at = now + transactions.give_up_after
        self._interval = transactions.t1
        after = transactions.t1 if self.flow[0] == "udp" else transactions.give_up_after
        self._timer = transactions.timers.arm_after(self, "G", after, now)
        return True

    def lead(self, flow: Flow) -> None:
        """Send responses over ``flow`` from now on, the last one again."""
        self.flow = flow
        if self._last:
            self._transactions.put((flow, self._last))

    def receive_ack(self, now: float) -> None:
        """Take the ACK of our 3xx-6xx."""
        if not self._move(Input.ACK):
            return
        transactions = self._transactions
        transactions.timers.disarm(self._timer)
        self._timer = None
        after = transactions.t4 if self.flow[0] == "udp" else 0.0  # I
        transactions.server_reaper.linger(self.key, "INVITE", b"", self.flow, after, now)

    def on_timer(self, name: str, now: float) -> None:
        """Repeat the response (G) or, when 64*T1 have passed without ACK, give up (H)."""
        transactions = self._transactions
        left = self._give_up_at - now
        if left <= MARGIN:
            self._timer = None
            if self._move(Input.TIMER_H) and transactions.servers.get(self.key) is self:
                del transactions.servers[self.key]
            return
        if not self._move(Input.TIMER_G):
            return
        transactions.put((self.flow, self._last))
        self._interval = interval = min(2 * self._interval, transactions.t2)
        if interval < left:
            self._timer = transactions.timers.arm_after(self, "G", interval, now)
        else:
            self._timer = transactions.timers.arm(self, "G", self._give_up_at)

    def _move(self, cause: Input) -> bool:
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True
