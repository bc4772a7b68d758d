"""The ground that the four transactions stand on: their tables, their timers, the way out.

A transaction is an object while something is still to be decided, and a record of the reaper after that.
Timer pairs share one armed timer: a retransmission timer that reaches the moment of its give-up timer is
that timer (A and B, E and F, G and H of RFC 3261, table 4).
"""

from typing import TYPE_CHECKING, Any, Protocol

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.flows import Flow
from sip.message import Response
from sip.reaper import Key, Lingering, Reaper
from sip.settings import Timing

if TYPE_CHECKING:
    from sip.client import Client
    from sip.targets import Chooser

MARGIN = 1e-6  # seconds; sums of floats reach 64*T1 a hair early or late


class ClientUser(Protocol):
    """Who sent a request, as its client transaction sees it."""

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take a provisional or the final response."""

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that there will be no final response: 408 for silence, 503 for a transport that failed."""


class Transactions:
    """The transactions of one stack, by key, living and lingering."""

    __slots__ = (
        "_asked",
        "chooser",
        "client_reaper",
        "clients",
        "give_up_after",
        "put",
        "server_reaper",
        "servers",
        "t1",
        "t2",
        "t4",
        "timers",
    )

    def __init__(self, timing: Timing, timers: TimerQueue, datagrams: Outbox[tuple[Flow, bytes]]) -> None:
        self.clients: dict[Key, Any] = {}
        self.servers: dict[Key, Any] = {}
        self._asked: dict[tuple[str, str, int], dict[Client, None]] = {}  # living clients by their peer
        self.timers = timers
        self.chooser: Chooser | None = None  # None: every request has one target
        self.put = datagrams.put
        self.client_reaper = Reaper(self.clients, timers)
        self.server_reaper = Reaper(self.servers, timers)
        self.set_timing(timing)

    def set_timing(self, timing: Timing) -> None:
        """Take the timer values of RFC 3261; transactions under way go on with theirs."""
        self.t1, self.t2, self.t4 = timing.t1, timing.t2, timing.t4
        self.give_up_after = 64 * timing.t1

    def aim(self, client: "Client") -> None:
        """Note whom a client transaction asks: ``client.flow`` has been set."""
        flow = client.flow
        peer = (flow[0], flow[2], flow[3])
        asking = self._asked.get(peer)
        if asking is None:
            self._asked[peer] = {client: None}
        else:
            asking[client] = None

    def unaim(self, client: "Client") -> None:
        """Forget it: the transaction has ended, or is about to ask somebody else."""
        flow = client.flow
        peer = (flow[0], flow[2], flow[3])
        asking = self._asked[peer]
        del asking[client]
        if not asking:
            del self._asked[peer]

    def fail_flow(self, transport: str, host: str, port: int, connection: int, now: float) -> None:
        """Fail every client transaction whose requests go to that peer (or that connection)."""
        asking = self._asked.get((transport, host, port))
        if asking is None:
            return
        failed = [
            client
            for client in asking
            if not connection or not client.flow.connection or client.flow.connection == connection
        ]
        for client in failed:
            client.fail(503, now)

    def check(self) -> None:
        """Assert that every client transaction that lives is known by its peer, and no other."""
        self.client_reaper.check()
        self.server_reaper.check()
        living = [client for client in self.clients.values() if type(client) is not Lingering]
        for client in living:
            flow = client.flow
            assert client in self._asked.get((flow[0], flow[2], flow[3]), {}), f"{client.key} asks nobody"
        assert sum(map(len, self._asked.values())) == len(living), "who has ended still asks"
