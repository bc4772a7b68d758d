"""What both client transactions share: the way of their request to its target, and to the next.

A request to a plain address is sent at once. One to a name waits until an address is known; when that fails -
no way there, silence, 503 - the same request goes to the next one under a new branch (RFC 3263 4.3). Rule:
who has said anything but 503 keeps the request.
"""

from typing import TYPE_CHECKING, Any

from kernel.timers import Timer
from sip.branches import client_key_of
from sip.flows import Flow
from sip.reaper import Key
from sip.targets import NOT_YET, Targets
from sip.transactions import ClientUser, Transactions

if TYPE_CHECKING:
    from sip.message import Response


class Client:
    """A request of ours without final answer."""

    __slots__ = (
        "_data",
        "_give_up_at",
        "_interval",
        "_is_answered",
        "_is_rewritten",
        "_timer",
        "_transactions",
        "_written_for",
        "branch",
        "context",
        "flow",
        "key",
        "targets",
        "user",
    )

    method = ""
    timer_name = ""  # of the first retransmission

    def __init__(
        self,
        transactions: Transactions,
        key: Key,
        branch: str,
        data: bytes,
        flow: Flow,
        user: ClientUser | None,
        now: float,
        context: Any,
        next_hop: str,
    ) -> None:
        self._transactions = transactions
        self._data = data
        self.key = key
        self.branch = branch
        self.flow = flow
        self.user = user
        self.context = context
        self._timer: Timer | None = None
        self._interval = self._give_up_at = 0.0
        self._is_answered = False  # by the target under way, with anything but 503
        self._is_rewritten = True  # the bytes carry the branch
        self.targets: Targets | None = None
        transactions.clients[key] = self
        if next_hop and transactions.chooser is not None:
            self.targets = transactions.chooser.targets(next_hop, flow, len(data))
        if self.targets is None:
            transactions.aim(self)
            self._send(now)
        else:
            self._written_for = flow.local
            self.flow = Flow(NOT_YET, flow.local, "", 0)
            transactions.aim(self)
            if not self._go_on(now):
                # There is nobody to tell yet: who asks has no hold of us before this returns.
                self._timer = transactions.timers.arm_after(self, "unreachable", 0.0, now)

    @property
    def data(self) -> bytes:
        """The request as it was sent."""
        return self._data

    @property
    def is_unsent(self) -> bool:
        """Whether it waits for an address."""
        return self.flow.transport == NOT_YET

    @property
    def is_unresolved(self) -> bool:
        """Whether its next hop is a name that leads nowhere."""
        return self.targets is not None and not self.targets.is_found

    def on_timer(self, name: str, now: float) -> None:
        """Overridden: repeat or give up."""
        raise NotImplementedError

    def fail(self, status: int, now: float) -> None:
        """Overridden: go on or give up."""
        raise NotImplementedError

    def on_resolved(self, now: float) -> None:
        """An address may be known."""
        if not self._go_on(now):
            self.give_up(503, now)

    def give_up(self, status: int, now: float) -> None:
        """Overridden: tell the user that there will be no answer."""
        raise NotImplementedError

    def drop(self, now: float) -> None:
        """Ask nobody any more, and hear no answer. Who has not answered by now counts as silent."""
        targets, self.user = self.targets, None
        if targets is not None:
            if not self._is_answered and not self.is_unsent:
                targets.failed(self.flow, 408, now)
            targets.stop()
        self.give_up(408, now)

    def shun_target(self, now: float) -> bool:
        """Its target has been silent for too long for somebody; return whether there are other targets."""
        targets = self.targets
        if targets is None or self.is_unsent or self._is_answered:
            return False
        targets.failed(self.flow, 408, now)
        return targets.has_more

    def stay(self) -> None:
        """Go on to no other target."""
        if self.targets is not None:
            self.targets.stop()

    def _moved(self, *, is_waiting: bool) -> None:
        """Overridden: move to where a request is that waits for an address, or has just been sent."""
        raise NotImplementedError

    def _try_next(self, status: int, now: float) -> bool:
        """Go on to the next target after ``status``, if there is one to be tried."""
        targets = self.targets
        if targets is None or self.is_unsent or (self._is_answered and status != 503):
            return False
        targets.failed(self.flow, status, now)
        return self._go_on(now)

    def _heard(self, response: "Response") -> bool:
        """Take note that the target has answered; return whether it has no time for us (503)."""
        if response.status == 503:
            return True
        if not self._is_answered:
            self._is_answered = True
            if self.targets is not None:
                self.targets.answered()
        return False

    def _go_on(self, now: float) -> bool:
        """Send to the next target, or wait until it is known; False if there is none."""
        targets = self.targets
        assert targets is not None
        self._transactions.timers.disarm(self._timer)
        self._timer = None
        flow = targets.next(self, now)
        if flow is None and not targets.is_waiting:
            return False
        if self._interval:
            self._take_new_branch()
        self._transactions.unaim(self)
        self.flow = Flow(NOT_YET, self._written_for, "", 0) if flow is None else flow
        self._transactions.aim(self)
        if flow is None:
            self._moved(is_waiting=True)
        else:
            self._readdress(flow)
            self._moved(is_waiting=False)
            self._send(now)
        return True

    def _take_new_branch(self) -> None:
        """Be another transaction: the one before has ended."""
        transactions, chooser = self._transactions, self._transactions.chooser
        assert chooser is not None
        if transactions.clients.get(self.key) is self:
            del transactions.clients[self.key]
        self.branch = chooser.chance.branch()
        self.key = client_key_of(self.branch, self.method)
        transactions.clients[self.key] = self
        self._interval = 0.0
        self._is_answered = self._is_rewritten = False

    def _readdress(self, flow: Flow) -> None:
        """Write the request as it leaves by ``flow``."""
        targets, chooser = self.targets, self._transactions.chooser
        assert targets is not None
        assert chooser is not None
        if self._is_rewritten and flow.local == self._written_for:
            return
        # RFC 3261 18.1.1: a request that is too large for a datagram changes its Via and nothing else.
        is_spare = targets.is_spare
        self._data = chooser.rewritten(
            self._data, self.branch, self._written_for, flow, keeps_contact=is_spare
        )
        if not is_spare:
            self._written_for = flow.local
        self._is_rewritten = not is_spare
        self._rewrite_context(f"{chooser.places[flow.local].via}{self.branch}\r\n")

    def _rewrite_context(self, via_line: str) -> None:
        """Overridden where the user builds further requests of this one."""

    def _send(self, now: float) -> None:
        """Send, and wait for an answer."""
        transactions = self._transactions
        transactions.put((self.flow, self._data))
        self._give_up_at = now + transactions.give_up_after
        self._interval = transactions.t1
        after = transactions.t1 if self.flow[0] == "udp" else transactions.give_up_after
        self._timer = transactions.timers.arm_after(self, self.timer_name, after, now)
