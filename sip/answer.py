"""Answers: our 2xx to an INVITE, repeated until its ACK, on every transport (RFC 3261 13.3.1.4)."""

from typing import TYPE_CHECKING

from kernel.timers import Timer
from sip.flows import Flow
from sip.transactions import MARGIN, Transactions

if TYPE_CHECKING:
    from sip.session import Session


class Answer:
    """One 2xx that waits for its ACK."""

    __slots__ = (
        "_data",
        "_give_up_at",
        "_interval",
        "_session",
        "_timer",
        "_transactions",
        "cseq",
        "flow",
        "is_offer",
    )

    def __init__(
        self,
        session: "Session",
        transactions: Transactions,
        data: bytes,
        flow: Flow,
        cseq: int,
        *,
        is_offer: bool,
        now: float,
    ) -> None:
        """The 2xx has just been sent; ``is_offer`` says that its SDP waits for an answer in the ACK."""
        self._session: Session | None = session
        self._transactions = transactions
        self._data = data
        self.flow = flow
        self.cseq = cseq
        self.is_offer = is_offer
        self._give_up_at = now + transactions.give_up_after
        self._interval = transactions.t1
        self._timer: Timer | None = transactions.timers.arm_after(self, "2xx", transactions.t1, now)

    @property
    def data(self) -> bytes:
        """The 2xx."""
        return self._data

    def lead(self, flow: Flow) -> None:
        """Send the 2xx over ``flow`` from now on, and at once."""
        self.flow = flow
        self._transactions.put((flow, self._data))

    def stop(self) -> None:
        """The ACK is here, or the session is over."""
        self._transactions.timers.disarm(self._timer)
        self._timer = None
        self._session = None

    def on_timer(self, name: str, now: float) -> None:
        """Repeat the 2xx or, when 64*T1 have passed, tell the session that no ACK came."""
        session = self._session
        assert session is not None, "an answer outlived its session"
        left = self._give_up_at - now
        transactions = self._transactions
        if left <= MARGIN:
            self._timer = None
            session.no_ack(now)
            return
        transactions.put((self.flow, self._data))
        self._interval = interval = min(2 * self._interval, transactions.t2)
        if interval < left:
            self._timer = transactions.timers.arm_after(self, "2xx", interval, now)
        else:
            self._timer = transactions.timers.arm(self, "2xx", self._give_up_at)
