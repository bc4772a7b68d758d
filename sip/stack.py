"""The stack: the face of the SIP floor."""

from kernel.chance import Chance
from kernel.outbox import Outbox
from kernel.rows import BindingRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from sip.events import SipEvent
from sip.flows import Flow
from sip.session import Invitation, Session
from sip.settings import SipSettings


class Stack:
    """All signalling of one node."""

    def __init__(
        self, settings: SipSettings, timers: TimerQueue, chance: Chance, walltime: WallTime | None = None
    ) -> None:
        self.datagrams: Outbox[tuple[Flow, bytes]] = Outbox()
        self.closes: Outbox[Flow] = Outbox()
        self.events: Outbox[SipEvent] = Outbox()
        self.rows: Outbox[BindingRow] = Outbox()
        self.refuse_new: tuple[int, int] | None = None

    def receive_datagram(self, data: bytes, flow: Flow, now: float) -> None: ...

    def receive_stream(self, data: bytes, flow: Flow, now: float) -> None: ...

    def flow_closed(self, flow: Flow, now: float) -> None: ...

    def flow_failed(self, flow: Flow, now: float) -> None: ...

    def invite(self, invitation: Invitation, user: object, now: float) -> Session: ...

    def ring(self, session: Session, now: float, status: int = 180, sdp: bytes = b"") -> None: ...

    def answer(self, session: Session, sdp: bytes, now: float) -> None: ...
