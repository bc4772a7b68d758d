"""The phones' own transactions in virtual time (RFC 3261 17): T1 500 ms, T2 4 s, 64*T1 32 s.

Over a connection nothing is repeated but the 2xx to an INVITE (13.3.1.4), which the dialog owes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulator.network import Address
from tests.simulator.timeline import Planned
from tests.simulator.wire import Message, build

if TYPE_CHECKING:
    from tests.simulator.call import Call
    from tests.simulator.endpoint import Endpoint

T1, T2, GIVE_UP = 0.5, 4.0, 32.0
OnResponse = Callable[[Message | None], None]


class ClientTransaction:
    """One request of ours, repeated until it is answered; silence is told as None."""

    __slots__ = (
        "_data",
        "_destination",
        "_endpoint",
        "_interval",
        "_on_response",
        "_timer",
        "branch",
        "method",
        "provisional",
        "started_at",
    )

    def __init__(
        self,
        endpoint: "Endpoint",
        method: str,
        branch: str,
        data: bytes,
        to: Address,
        on_response: OnResponse,
    ) -> None:
        self._endpoint, self._data, self._destination = endpoint, data, to
        self.method, self.branch, self._on_response = method, branch, on_response
        self.provisional = False
        self.started_at = endpoint.now
        self._interval = T1
        endpoint.send(data, to)
        self._timer: Planned | None = endpoint.after(T1, self._repeat)

    def _repeat(self) -> None:
        if self._endpoint.now - self.started_at >= GIVE_UP - 1e-9:
            self._endpoint.transactions.pop((self.branch, self.method), None)
            self._on_response(None)
            return
        is_repeated = self._endpoint.streams is None
        if is_repeated and (self.method != "INVITE" or not self.provisional):
            self._endpoint.send(self._data, self._destination)
        self._interval *= 2
        if self.method != "INVITE":
            self._interval = T2 if self.provisional else min(self._interval, T2)
        left = self.started_at + GIVE_UP - self._endpoint.now
        self._timer = self._endpoint.after(min(self._interval, left), self._repeat)

    def receive(self, response: Message) -> None:
        if response.status < 200:
            self.provisional = True
            if self.method == "INVITE" and self._timer is not None:
                self._timer.call_off()
        else:
            if self._timer is not None:
                self._timer.call_off()
            self._endpoint.transactions.pop((self.branch, self.method), None)
        self._on_response(response)


class ServerTransaction:
    """One request to us and our answer to it, repeated when the request is, or until the ACK."""

    __slots__ = (
        "_interval",
        "_timer",
        "acked",
        "call",
        "data",
        "endpoint",
        "request",
        "response",
        "source",
        "started_at",
        "status",
    )

    def __init__(self, endpoint: "Endpoint", request: Message, data: bytes, source: Address) -> None:
        self.endpoint, self.request, self.data, self.source = endpoint, request, data, source
        self.call: Call | None = None
        self.response: bytes | None = None
        self.status = 0
        self.acked = False
        self._interval = T1
        self._timer: Planned | None = None
        self.started_at = 0.0

    def respond(
        self,
        status: int,
        reason: str,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        tag: str = "",
    ) -> None:
        """Send a response; a final one to INVITE is repeated until its ACK."""
        if self.status >= 200:
            return
        request = self.request
        lines = [("Via", via) for via in request.all("via")]
        lines += [("Record-Route", route) for route in request.all("record-route")]
        to = request.get("to")
        if tag and not request.to_tag:
            to += f";tag={tag}"
        lines += [("From", request.get("from")), ("To", to), ("Call-ID", request.call_id)]
        lines += [("CSeq", request.get("cseq")), *(headers or [])]
        self.status = status
        self.response = build(f"SIP/2.0 {status} {reason}", lines, body)
        self.endpoint.send(self.response, self.source)
        if status >= 200:
            self.started_at = self.endpoint.now
            if request.method == "INVITE":
                self._timer = self.endpoint.after(T1, self._repeat)

    def repeat(self) -> None:
        """The request came again."""
        if self.response is not None and not self.acked:
            self.endpoint.send(self.response, self.source)

    def receive_ack(self) -> None:
        """The ACK arrived; the answer is repeated no more."""
        self.acked = True
        if self._timer is not None:
            self._timer.call_off()

    def _repeat(self) -> None:
        if self.acked:
            return
        if self.endpoint.now - self.started_at >= GIVE_UP - 1e-9:
            if self.call is not None and self.status < 300:
                self.call.lost("no ACK")
            return
        assert self.response is not None
        if self.endpoint.streams is None or self.status < 300:
            self.endpoint.send(self.response, self.source)
        self._interval = min(2 * self._interval, T2)
        left = self.started_at + GIVE_UP - self.endpoint.now
        self._timer = self.endpoint.after(min(self._interval, left), self._repeat)
