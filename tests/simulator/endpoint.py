"""A SIP user agent in virtual time: transactions, dialogs, nothing else. Behaviours are in phones.py.

Written from RFC 3261 without :mod:`sip`, with its own timers (T1 500 ms, T2 4 s, 64*T1 32 s). What the switch
does that a strict phone must not accept goes to ``complaints``; the world asserts that there are none.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.simulator.network import Address, Network
from tests.simulator.timeline import Planned
from tests.simulator.wire import Malformed, Message, Sdp, build, build_sdp, host_port, parse_sdp, uri_of

T1, T2, GIVE_UP = 0.5, 4.0, 32.0
_KEPT_FOR = 40.0  # seconds an ended dialog or transaction still answers repetitions
OnResponse = Callable[[Message | None], None]


class Journal(Protocol):
    """Where endpoints write down what they saw and what they object to."""

    def note(self, who: str, what: str) -> None: ...
    def complain(self, who: str, what: str) -> None: ...


class _ClientTransaction:
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
        if self.method != "INVITE" or not self.provisional:
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
        self.endpoint.send(self.response, self.source)
        self._interval = min(2 * self._interval, T2)
        left = self.started_at + GIVE_UP - self.endpoint.now
        self._timer = self.endpoint.after(min(self._interval, left), self._repeat)


class Call:
    """One INVITE usage as its phone sees it: calling, ringing, answered, talking, ended."""

    def __init__(
        self, endpoint: "Endpoint", *, is_caller: bool, call_id: str, local: str, remote: str
    ) -> None:
        self.endpoint, self.is_caller, self.call_id = endpoint, is_caller, call_id
        self.local_tag, self.remote_tag = endpoint.token(), ""
        self.local, self.remote = local, remote
        self.target, self.routes = "", [""][:0]
        self.cseq, self.remote_cseq = 1, 0
        self.state = "calling" if is_caller else "arrived"
        self.status = 0  # last status of the INVITE
        self.why = ""  # how it ended
        self.began_at = endpoint.now
        self.rung_at: float | None = None
        self.answered_at: float | None = None
        self.confirmed_at: float | None = None
        self.ended_at: float | None = None
        self.rtp_port = endpoint.next_rtp_port()
        self.sdp_version = 1
        self.remote_sdp: Sdp | None = None
        self.number = ""
        self.invite: Message | None = None
        self.acks = True  # how a caller treats our 2xx
        self.ack_after = 0.0
        self.bye_before_ack = False
        self.wants_cancel = False
        self.server: ServerTransaction | None = None
        self.plan: object = None
        self.offers_seen = 0
        self._ack = b""
        self._invite_data = (b"", "")

    def __repr__(self) -> str:
        return f"<{self.endpoint.name} {self.number} {self.state} {self.status} {self.why}>"

    @property
    def has_ended(self) -> bool:
        return self.state == "ended"

    @property
    def rtp(self) -> Address:
        """Where this phone wants its audio."""
        return (self.endpoint.address[0], self.rtp_port)

    def sdp(self, direction: str = "sendrecv") -> bytes:
        """Return our description, a version further each time."""
        body = build_sdp(
            *self.rtp, version=self.sdp_version, direction=direction, payloads=self.endpoint.payloads
        )
        self.sdp_version += 1
        return body

    # What a phone does.

    def ring(self, status: int = 180) -> None:
        if self.state in ("arrived", "ringing") and self.server is not None:
            self.server.respond(status, "Ringing", [("Contact", self.endpoint.contact)], tag=self.local_tag)
            self.state, self.rung_at = "ringing", self.endpoint.now

    def answer(self) -> None:
        if self.state not in ("arrived", "ringing") or self.server is None:
            return
        self.state, self.answered_at = "answered", self.endpoint.now
        headers = [
            ("Contact", self.endpoint.contact),
            ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE"),
        ]
        self.server.respond(200, "OK", headers, self.sdp(), tag=self.local_tag)
        self.endpoint.note(f"answers {self.number}")

    def refuse(self, status: int, reason: str = "No") -> None:
        if self.state in ("arrived", "ringing") and self.server is not None:
            self.server.respond(status, reason, tag=self.local_tag)
            self._end(f"refused {status}")

    def hang_up(self) -> None:
        """Do what a person does with the red button, whatever the state."""
        if self.state in ("calling", "proceeding", "ringing") and self.is_caller:
            self.wants_cancel = True
            if self.state != "calling":
                self._cancel()
        elif self.state in ("arrived", "ringing"):
            self.refuse(603, "Decline")
        elif self.state in ("answered", "talking"):
            self._bye("hung up")

    def reinvite(self, direction: str = "sendrecv") -> None:
        """Send a re-INVITE with a new description (hold: sendonly or inactive)."""
        assert self.state == "talking"
        self.cseq += 1
        cseq, answered = self.cseq, {"done": False}

        def on_response(response: Message | None) -> None:
            if response is None or response.status < 200:
                return
            if response.status >= 300:
                self.endpoint.note(f"re-INVITE {direction}: {response.status}")
                return
            self._take_sdp(response)
            self._send_ack(cseq)
            if not answered["done"]:
                answered["done"] = True
                self.endpoint.note(f"re-INVITE {direction}: {response.status}")

        self.endpoint.on_2xx[self.call_id, self.local_tag, cseq] = on_response
        self._send_in_dialog("INVITE", self.sdp(direction), on_response, cseq)

    # What the endpoint reports.

    def receive_final_or_provisional(self, response: Message | None) -> None:
        """A response to our INVITE, or None for silence."""
        if response is None:
            self._end("no response")
        elif response.status < 200:
            self.status = response.status
            if self.state == "calling" or (self.state == "proceeding" and response.status > 100):
                self.state = "proceeding" if response.status == 100 else "ringing"
                self.rung_at = self.endpoint.now if response.status > 100 else None
            if response.body:
                self._take_sdp(response)
            if self.wants_cancel:
                self._cancel()
        elif response.status < 300:
            self._take_2xx(response)
        else:
            self.status = response.status
            self._end(f"refused {response.status}")

    def receive_bye(self, server: ServerTransaction) -> None:
        server.respond(200, "OK")
        self._end("bye")

    def receive_cancel(self) -> None:
        if self.state in ("arrived", "ringing") and self.server is not None:
            self.server.respond(487, "Request Terminated", tag=self.local_tag)
            self._end("cancelled")

    def receive_reinvite(self, server: ServerTransaction) -> None:
        self.offers_seen += 1
        if server.request.body:
            self.remote_sdp = parse_sdp(server.request.body)
        facing = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
        direction = facing.get(self.remote_sdp.direction if self.remote_sdp else "", "sendrecv")
        self.endpoint.note(f"re-INVITE arrives: {self.remote_sdp.direction if self.remote_sdp else '-'}")
        server.respond(200, "OK", [("Contact", self.endpoint.contact)], self.sdp(direction))

    def receive_ack(self) -> None:
        if self.state == "answered":
            self.state, self.confirmed_at = "talking", self.endpoint.now
            self.endpoint.on_talking(self)

    def lost(self, why: str) -> None:
        """Our 2xx was never acknowledged (RFC 3261 13.3.1.4): hang up."""
        if not self.has_ended:
            self._bye(why)

    # Inside.

    def _take_2xx(self, response: Message) -> None:
        if self.has_ended and self.why != "vanished" and not self.wants_cancel:
            if self.acks:
                self._send_ack(1)
            return
        if self.status < 200:
            self.status = response.status
            self.remote_tag, self.remote = response.to_tag, response.get("to")
            self.target = uri_of(response.get("contact"))
            self.routes = response.all("record-route")[::-1]
            self.answered_at = self.endpoint.now
            if not self.remote_tag:
                self.endpoint.complain("2xx without To tag")
            if not self.target:
                self.endpoint.complain("2xx without Contact (RFC 3261 13.3.1.4)")
            self._take_sdp(response)
            self.state = "talking"
            self.confirmed_at = self.endpoint.now
            if self.bye_before_ack or (self.wants_cancel and not self.acks):
                self._bye("hung up before ACK")
                self._send_ack(self.cseq - 1)
                return
            self._acknowledge()
            if self.wants_cancel:
                self._bye("hung up, 200 crossed CANCEL")
            else:
                self.endpoint.note(f"call to {self.number} answered")
                self.endpoint.on_talking(self)
        else:
            self._acknowledge()

    def _acknowledge(self) -> None:
        if not self.acks:
            return
        if self.ack_after and not self.wants_cancel:
            self.endpoint.after(self.ack_after, lambda: self._send_ack(1))
        else:
            self._send_ack(1)

    def _take_sdp(self, message: Message) -> None:
        if not message.body:
            self.endpoint.complain(f"{message.status} to an INVITE with an offer carries no answer")
            return
        sdp = parse_sdp(message.body)
        if sdp.media_lines != 1:
            self.endpoint.complain(f"{sdp.media_lines} media lines in the answer to one")
        if message.status >= 200 and sdp.port == 0:
            self.endpoint.complain("audio refused inside a 2xx")
        if self.remote_sdp is not None and sdp.session != self.remote_sdp.session:
            self.endpoint.complain("o= session id changed inside a dialog (RFC 3264 8)")
        self.remote_sdp = sdp

    def _send_ack(self, cseq: int) -> None:
        request = self.endpoint.request_in(self, "ACK", cseq)
        self.endpoint.send(request[0], self._next_hop())

    def _next_hop(self) -> Address:
        return host_port(uri_of(self.routes[0]) if self.routes else self.target)

    def _send_in_dialog(self, method: str, body: bytes, on_response: OnResponse, cseq: int) -> None:
        data, branch = self.endpoint.request_in(self, method, cseq, body)
        self.endpoint.start(method, branch, data, self._next_hop(), on_response)

    def _bye(self, why: str) -> None:
        self._end(why)
        self.cseq += 1
        self._send_in_dialog("BYE", b"", lambda _: None, self.cseq)

    def _cancel(self) -> None:
        self.wants_cancel = True
        if self.state != "cancelling":
            self.state = "cancelling"
            self.endpoint.cancel(self)

    def _end(self, why: str) -> None:
        if not self.has_ended:
            self.state, self.why, self.ended_at = "ended", why, self.endpoint.now
            self.endpoint.note(f"call {self.number} ended: {why}")
            self.endpoint.on_ended(self)


class Endpoint:
    """A user agent at one address. Subclasses decide what a person does with it."""

    def __init__(
        self, name: str, network: Network, address: Address, proxy: Address, random: Random, journal: Journal
    ) -> None:
        self.name, self.network, self.address, self.proxy = name, network, address, proxy
        self.journal, self.random = journal, random
        self.transactions: dict[tuple[str, str], _ClientTransaction] = {}
        self.on_2xx: dict[tuple[str, str, int], OnResponse] = {}
        self.calls: list[Call] = []
        self.is_alive = True
        self.is_deaf = False  # takes part in nothing, though it is there
        self.payloads = "0 8 101"
        self._servers: dict[tuple[str, str, str], ServerTransaction] = {}
        self._dialogs: dict[tuple[str, str], Call] = {}  # (Call-ID, local tag)
        self._rtp_port = 9998
        self.network.attach(address, self.receive)

    # Plumbing.

    @property
    def now(self) -> float:
        return self.network.timeline.now

    @property
    def contact(self) -> str:
        return f"<sip:{self.name}@{self.address[0]}:{self.address[1]}>"

    def after(self, delay: float, action: Callable[[], None]) -> Planned:
        return self.network.timeline.after(delay, action)

    def token(self) -> str:
        return f"{self.random.getrandbits(48):012x}"

    def next_rtp_port(self) -> int:
        self._rtp_port += 2
        return self._rtp_port

    def note(self, what: str) -> None:
        self.journal.note(self.name, what)

    def complain(self, what: str) -> None:
        self.journal.complain(self.name, what)

    def send(self, data: bytes, to: Address) -> None:
        if self.is_alive and to[1]:
            self.network.send(self.address, to, data)

    def vanish(self) -> None:
        """Lose power: nothing is sent or heard any more."""
        self.is_alive = False
        self.note("vanishes")
        for call in self.calls:
            if not call.has_ended:
                call.state, call.why, call.ended_at = "ended", "vanished", self.now

    def move(self, port: int) -> None:
        """Go on from another port."""
        self.network.detach(self.address)
        self.address = (self.address[0], port)
        self.network.attach(self.address, self.receive)

    # Requests of ours.

    def invite(
        self, number: str, *, display: str = "", user: str = "", to_host: str = "", body: bool = True
    ) -> Call:
        """Call ``number`` through the proxy."""
        host = to_host or self.proxy[0]
        me = f"sip:{user or self.name}@{self.from_host}"
        call = Call(
            self,
            is_caller=True,
            call_id=f"{self.token()}@{self.address[0]}",
            local=f"{display}<{me}>",
            remote=f"<sip:{number}@{host}>",
        )
        call.local += f";tag={call.local_tag}"
        call.number, call.target = number, f"sip:{number}@{host}"
        self.calls.append(call)
        self._dialogs[call.call_id, call.local_tag] = call
        self.note(f"calls {number}")
        data, branch = self.request_in(call, "INVITE", 1, call.sdp() if body else b"")
        call._invite_data = (data, branch)
        self.on_2xx[call.call_id, call.local_tag, 1] = call.receive_final_or_provisional
        self.start("INVITE", branch, data, self.proxy, call.receive_final_or_provisional)
        return call

    @property
    def from_host(self) -> str:
        return self.address[0]

    def request_in(self, call: Call, method: str, cseq: int, body: bytes = b"") -> tuple[bytes, str]:
        """Return a request of a dialog (or the one that starts it) and its branch."""
        branch = f"z9hG4bK{self.token()}"
        headers = [("Via", f"SIP/2.0/UDP {self.address[0]}:{self.address[1]};branch={branch};rport")]
        headers += [("Route", route) for route in call.routes]
        headers += [
            ("Max-Forwards", "70"),
            ("From", call.local),
            ("To", call.remote),
            ("Call-ID", call.call_id),
        ]
        headers += [("CSeq", f"{cseq} {method}"), ("Contact", self.contact)]
        return build(f"{method} {call.target} SIP/2.0", headers, body), branch

    def start(self, method: str, branch: str, data: bytes, to: Address, on_response: OnResponse) -> None:
        """Send a request as a client transaction."""
        if self.is_alive:
            transaction = _ClientTransaction(self, method, branch, data, to, on_response)
            self.transactions[branch, method] = transaction

    def cancel(self, call: Call) -> None:
        """CANCEL our INVITE (RFC 3261 9.1): same branch, same Request-URI."""
        invite, branch = call._invite_data
        message = Message(invite)
        kept = [("Via", message.get("via")), ("Max-Forwards", "70"), ("From", message.get("from"))]
        kept += [
            ("To", message.get("to")),
            ("Call-ID", message.call_id),
            ("CSeq", f"{message.cseq[0]} CANCEL"),
        ]
        data = build(f"CANCEL {message.uri} SIP/2.0", kept)
        self.note(f"cancels {call.number}")
        self.start("CANCEL", branch, data, self.proxy, lambda _: None)

    # What arrives.

    def receive(self, data: bytes, source: Address) -> None:
        if not self.is_alive or self.is_deaf:
            return
        if not data.strip():
            return
        try:
            message = Message(data)
        except (Malformed, ValueError, IndexError, UnicodeDecodeError) as error:
            self.complain(f"cannot read {data[:60]!r}: {error!r}")
            return
        if message.status:
            self._receive_response(message)
        else:
            self._receive_request(message, data, source)

    def _receive_response(self, response: Message) -> None:
        method = response.method
        transaction = self.transactions.get((response.branch, method))
        if method == "INVITE" and response.status >= 300:
            self._ack_refusal(response)
        if transaction is not None:
            transaction.receive(response)
        elif method == "INVITE" and 200 <= response.status < 300:
            repeated = self.on_2xx.get((response.call_id, response.from_tag, response.cseq[0]))
            if repeated is not None:
                repeated(response)

    def _ack_refusal(self, response: Message) -> None:
        call = self._dialogs.get((response.call_id, response.from_tag))
        if call is None:
            return
        headers = [("Via", response.all("via")[0].partition(";received")[0])]
        headers += [("Max-Forwards", "70"), ("From", response.get("from")), ("To", response.get("to"))]
        headers += [("Call-ID", response.call_id), ("CSeq", f"{response.cseq[0]} ACK")]
        self.send(build(f"ACK {call.target} SIP/2.0", headers), self.proxy)

    def _receive_request(self, request: Message, data: bytes, source: Address) -> None:
        key = (request.branch, request.all("via")[0].partition(";")[0], request.method)
        if request.method == "ACK":
            self._receive_ack(request, key)
            return
        known = self._servers.get(key)
        if known is not None:
            if known.data != data:
                self.complain(f"{request.method} repeated with other bytes")
            known.repeat()
            return
        server = self._servers[key] = ServerTransaction(self, request, data, source)
        self.after(_KEPT_FOR * 2, lambda: self._servers.pop(key, None))
        call = self._dialogs.get((request.call_id, request.to_tag))
        if request.method == "CANCEL":
            self._receive_cancel(request, key, server)
        elif not request.to_tag:
            self._receive_new(request, server)
        elif call is None:
            server.respond(481, "Call/Transaction Does Not Exist")
        else:
            self._receive_in_dialog(call, request, server)

    def _receive_ack(self, request: Message, key: tuple[str, str, str]) -> None:
        invite = self._servers.get((key[0], key[1], "INVITE"))
        if invite is not None and invite.status >= 300:
            invite.receive_ack()
            return
        call = self._dialogs.get((request.call_id, request.to_tag))
        if call is None:
            return
        for server in self._servers.values():
            if (
                server.request.method == "INVITE"
                and server.request.call_id == request.call_id
                and server.request.cseq[0] == request.cseq[0]
                and server.request.from_tag == request.from_tag
                and 200 <= server.status < 300
            ):
                server.receive_ack()
                call.receive_ack()

    def _receive_cancel(self, request: Message, key: tuple[str, str, str], server: ServerTransaction) -> None:
        invite = self._servers.get((key[0], key[1], "INVITE"))
        if invite is None or invite.call is None:
            server.respond(481, "Call/Transaction Does Not Exist")
            return
        server.respond(200, "OK", tag=invite.call.local_tag)
        self.on_cancel(invite.call)

    def _receive_new(self, request: Message, server: ServerTransaction) -> None:
        if request.method == "OPTIONS":
            server.respond(200, "OK", [("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS")], tag=self.token())
        elif request.method != "INVITE":
            server.respond(501, "Not Implemented", tag=self.token())
        else:
            call = Call(
                self,
                is_caller=False,
                call_id=request.call_id,
                local=request.get("to"),
                remote=request.get("from"),
            )
            call.local += f";tag={call.local_tag}"
            call.remote_tag, call.invite, call.server = request.from_tag, request, server
            call.target = uri_of(request.get("contact"))
            call.routes = request.all("record-route")
            call.remote_cseq = request.cseq[0]
            call.number = uri_of(request.get("from"))
            server.call = call
            self.calls.append(call)
            self._dialogs[call.call_id, call.local_tag] = call
            if not call.target:
                self.complain("INVITE without Contact (RFC 3261 8.1.1.8)")
            if request.body:
                call.remote_sdp = parse_sdp(request.body)
            self.note(f"is called by {call.number}")
            server.respond(100, "Trying")
            self.on_invite(call)

    def _receive_in_dialog(self, call: Call, request: Message, server: ServerTransaction) -> None:
        if request.cseq[0] < call.remote_cseq:
            server.respond(500, "CSeq out of order")
            return
        if request.cseq[0] == call.remote_cseq:
            self.complain(f"{request.method} uses CSeq {request.cseq[0]} a second time")
        call.remote_cseq = request.cseq[0]
        if request.method == "BYE":
            call.receive_bye(server)
        elif request.method in ("INVITE", "UPDATE"):
            server.call = call
            call.receive_reinvite(server)
        else:
            server.respond(200, "OK")

    # What a person decides; overridden.

    def on_invite(self, call: Call) -> None:
        call.refuse(486, "Busy Here")

    def on_cancel(self, call: Call) -> None:
        call.receive_cancel()

    def on_talking(self, call: Call) -> None:
        """A call is up, as far as this side knows."""

    def on_ended(self, call: Call) -> None:
        self.after(_KEPT_FOR, lambda: self._dialogs.pop((call.call_id, call.local_tag), None))
