"""The client transaction of INVITE (RFC 3261 17.1.1 with RFC 6026).

Once the final response is there, what is left to do is to send the same ACK again: the ACK of the
transaction for a failure (Completed, timer D), the ACK of the core for a success (Accepted, timer M). Both
states are therefore records of the reaper, which the stack reads when a response matches one.
"""

from enum import IntEnum, auto
from typing import Any

from sip.client import Client
from sip.flows import Flow
from sip.message import Response
from sip.reaper import Key
from sip.targets import Targets
from sip.transactions import MARGIN, ClientUser, Transactions


class State(IntEnum):
    """RFC 3261 figure 5 with RFC 6026 figure 5; RESOLVING comes before it."""

    RESOLVING = auto()  # the next hop is a name without address so far
    CALLING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Input(IntEnum):
    """What can happen; TIMER_B is TIMER_A at the moment of giving up, or a cancelled INVITE's silence."""

    LOOK_UP = auto()  # a name is being asked for
    TARGET = auto()  # sent, to the first target or the next
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
    (State.RESOLVING, Input.LOOK_UP): State.RESOLVING,
    (State.RESOLVING, Input.TARGET): State.CALLING,
    (State.RESOLVING, Input.TIMER_B): State.TERMINATED,
    (State.RESOLVING, Input.TRANSPORT_FAILED): State.TERMINATED,
    (State.CALLING, Input.LOOK_UP): State.RESOLVING,
    (State.CALLING, Input.TARGET): State.CALLING,
    (State.PROCEEDING, Input.LOOK_UP): State.RESOLVING,
    (State.PROCEEDING, Input.TARGET): State.CALLING,
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
        # Nothing has been sent that could be answered or repeated.
        *((State.RESOLVING, cause) for cause in (Input.PROVISIONAL, Input.SUCCESS, Input.FAILURE)),
        *((State.RESOLVING, cause) for cause in (Input.TIMER_A, Input.TIMER_D, Input.TIMER_M)),
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


class LateAck:
    """The ACK of a 2xx that goes to a name, or that is too large for a datagram: sent once its target is
    known. Until then, repeated 2xx draw it on the way that the answer came.
    """

    __slots__ = ("_ack", "_flow", "_key", "_targets", "_transactions", "_word")

    def __init__(
        self, transactions: Transactions, key: Key, ack: bytes, flow: Flow, word: str, targets: Targets
    ) -> None:
        self._transactions = transactions
        self._key = key
        self._ack = ack
        self._flow = flow
        self._word = word
        self._targets = targets

    def on_resolved(self, now: float) -> None:
        """Send it, if its target is known now."""
        transactions, chooser, targets = self._transactions, self._transactions.chooser, self._targets
        assert chooser is not None
        flow = targets.next(self, now)
        if flow is None and targets.is_waiting:
            return
        data, via = self._ack, self._ack.split(b"\r\n", 2)[1]
        if flow is None:
            flow = self._flow
        elif flow.local != self._flow.local:
            branch = via.rpartition(b"branch=")[2].decode()
            data = chooser.rewritten(data, branch, self._flow.local, flow, keeps_contact=True)
        transactions.put((flow, data))
        after = transactions.give_up_after
        transactions.client_reaper.linger(self._key, "INVITE", data, flow, after, now, self._word)


class ClientInvite(Client):
    """One INVITE of ours, until its final response."""

    __slots__ = ("state",)

    method = "INVITE"
    timer_name = "A"

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
        next_hop: str = "",
    ) -> None:
        """Send ``data``; ``context`` is the user's: what it takes to build the ACK and the CANCEL.

        ``next_hop`` is the URI that ``flow`` was found for; "" for a way that is never left.
        """
        self.state = State.CALLING
        super().__init__(transactions, key, branch, data, flow, user, now, context, next_hop)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that matched this transaction; after a final one, ``acknowledged`` is owed."""
        if self._heard(response) and self._try_after_503(response, now):
            return
        status = response.status
        is_final, was_calling = status >= 200, self.state is State.CALLING
        self._move(Input.PROVISIONAL if not is_final else Input.SUCCESS if status < 300 else Input.FAILURE)
        if was_calling or is_final:
            self._transactions.timers.disarm(self._timer)
            self._timer = None
        user = self.user
        assert user is not None
        user.on_response(self, response, now)
        assert not is_final or self.user is None, "a final response was not acknowledged"

    def acknowledge(self, ack: bytes, flow: Flow, word: str, now: float, next_hop: str = "") -> None:
        """Send the ACK of the final response and linger to send it again.

        ``word`` is the To tag of a 2xx, whose repetitions are told from a fork's by it, else "". ``next_hop``
        is the URI that ``flow`` was found for, "" for a way that is never left.
        """
        transactions = self._transactions
        chooser = transactions.chooser
        targets = chooser.targets(next_hop, flow, len(ack)) if next_hop and chooser is not None else None
        if targets is None:
            transactions.put((flow, ack))
        else:
            LateAck(transactions, self.key, ack, flow, word, targets).on_resolved(now)
        if self.state is State.ACCEPTED:
            after = transactions.give_up_after  # M
        else:
            after = max(32.0, transactions.give_up_after) if flow[0] == "udp" else 0.0  # D
        transactions.unaim(self)
        transactions.client_reaper.linger(self.key, "INVITE", ack, flow, after, now, word)
        self.user = None
        self.context = None

    def give_up_later(self, now: float) -> None:
        """Wait no longer than 64*T1 from now for the final response: after a CANCEL (RFC 3261 9.1), and
        wherever nobody rings a person. One that has not been sent is dropped.
        """
        if self.is_unsent:
            self.drop(now)
            return
        transactions = self._transactions
        self._give_up_at = now + transactions.give_up_after
        transactions.timers.disarm(self._timer)
        self._timer = transactions.timers.arm_after(self, "B", transactions.give_up_after, now)

    def fail(self, status: int, now: float) -> None:
        """Go on to the next target, or give up: 408 for silence, 503 for a transport that failed."""
        if self.state is State.CALLING and self._try_next(status, now):
            return
        self.give_up(status, now)

    def give_up(self, status: int, now: float) -> None:
        """Tell the user that there will be no answer."""
        if not self._move(Input.TIMER_B if status == 408 else Input.TRANSPORT_FAILED):
            return
        transactions, user = self._transactions, self.user
        transactions.timers.disarm(self._timer)
        self._timer = None
        self.user = None
        transactions.unaim(self)
        if transactions.clients.get(self.key) is self:
            del transactions.clients[self.key]
        if user is not None:
            user.on_failure(self, status, now)
        self.context = None

    def on_timer(self, name: str, now: float) -> None:
        """Repeat the INVITE (A) or, when 64*T1 have passed, give up (B)."""
        self._timer = None
        if name == "unreachable":
            self.give_up(503, now)
            return
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

    def _try_after_503(self, response: Response, now: float) -> bool:
        """Acknowledge a 503 and go on to the next target, if there is one."""
        if self.targets is None or self.context is None:
            return False
        key, flow, ack = self.key, self.flow, self.context.ack_failure(response)
        if not self._try_next(503, now):
            return False
        transactions = self._transactions
        transactions.put((flow, ack))
        after = max(32.0, transactions.give_up_after) if flow[0] == "udp" else 0.0  # D
        transactions.client_reaper.linger(key, "INVITE", ack, flow, after, now, "")
        return True

    def _rewrite_context(self, via_line: str) -> None:
        if self.context is not None:
            self.context.readdress(self.branch, via_line)

    def _moved(self, *, is_waiting: bool) -> None:
        self._move(Input.LOOK_UP if is_waiting else Input.TARGET)

    def _move(self, cause: Input) -> bool:
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True
