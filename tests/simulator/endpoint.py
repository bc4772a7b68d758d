"""A SIP user agent in virtual time: what it sends, and whose what arrives is. Behaviours are in phones.py.

Written from RFC 3261 without :mod:`sip`. What the switch does that a strict phone must not accept goes to
``complaints``; the world asserts that there are none.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.simulator.call import Call
from tests.simulator.network import Address, Network
from tests.simulator.streams import Connection, Framer, Streams
from tests.simulator.timeline import Planned
from tests.simulator.transactions import ClientTransaction, OnResponse, ServerTransaction
from tests.simulator.wire import Malformed, Message, build, parse_sdp, uri_of

KEPT_FOR = 40.0  # seconds an ended dialog or transaction still answers repetitions


class Journal(Protocol):
    """Where endpoints write down what they saw and what they object to."""

    def note(self, who: str, what: str) -> None: ...
    def complain(self, who: str, what: str) -> None: ...


class Endpoint:
    """A user agent at one address. Subclasses decide what a person does with it."""

    def __init__(
        self, name: str, network: Network, address: Address, proxy: Address, random: Random, journal: Journal
    ) -> None:
        self.name, self.network, self.address, self.proxy = name, network, address, proxy
        self.journal, self.random = journal, random
        self.transactions: dict[tuple[str, str], ClientTransaction] = {}
        self.on_2xx: dict[tuple[str, str, int], OnResponse] = {}
        self.calls: list[Call] = []
        self.is_alive = True
        self.is_deaf = False  # takes part in nothing, though it is there
        self.payloads = "0 8 101"
        self.streams: Streams | None = None  # set: this phone speaks TCP
        self._connection: Connection | None = None
        self._framer = Framer()
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
        transport = "" if self.streams is None else ";transport=tcp"
        return f"<sip:{self.name}@{self.address[0]}:{self.address[1]}{transport}>"

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

    @property
    def via(self) -> str:
        transport = "UDP" if self.streams is None else "TCP"
        return f"SIP/2.0/{transport} {self.address[0]}:{self.address[1]}"

    def send(self, data: bytes, to: Address) -> None:
        if not self.is_alive or not to[1]:
            return
        if self.streams is None:
            self.network.send(self.address, to, data)
            return
        if self._connection is None:
            if not self.streams.is_listening:
                return
            self._framer = Framer()
            self._connection = self.streams.connect(self.address, self._hear_stream)
        self._connection.say(data)

    def cut_connection(self) -> None:
        """Lose the TCP connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _hear_stream(self, data: bytes) -> None:
        if not data:
            self._connection = None
            self.note("is disconnected")
            self.on_disconnected()
            return
        for message in self._framer.feed(data):
            self.receive(message, self.proxy)

    def vanish(self) -> None:
        """Lose power: nothing is sent or heard any more."""
        self.is_alive = False
        self.transactions.clear()
        self.on_2xx.clear()
        if self._connection is not None:
            self._connection.abandon(lambda: self.is_alive)
            self._connection = None
        self.note("vanishes")
        for call in self.calls:
            if not call.has_ended:
                call.state, call.why, call.ended_at = "ended", "vanished", self.now
                self._dialogs.pop((call.call_id, call.local_tag), None)

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
        call.is_late_offer = not body
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

    def request_in(
        self,
        call: Call,
        method: str,
        cseq: int,
        body: bytes = b"",
        extra: tuple[tuple[str, str], ...] = (),
    ) -> tuple[bytes, str]:
        """Return a request of a dialog (or the one that starts it) and its branch."""
        branch = f"z9hG4bK{self.token()}"
        headers = [("Via", f"{self.via};branch={branch};rport")]
        headers += [("Route", route) for route in call.routes]
        headers += [
            ("Max-Forwards", "70"),
            ("From", call.local),
            ("To", call.remote),
            ("Call-ID", call.call_id),
        ]
        headers += [("CSeq", f"{cseq} {method}"), ("Contact", self.contact), *extra]
        return build(f"{method} {call.target} SIP/2.0", headers, body), branch

    def start(self, method: str, branch: str, data: bytes, to: Address, on_response: OnResponse) -> None:
        """Send a request as a client transaction."""
        if self.is_alive:
            transaction = ClientTransaction(self, method, branch, data, to, on_response)
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
        self.after(KEPT_FOR * 2, lambda: self._servers.pop(key, None))
        call = self._dialogs.get((request.call_id, request.to_tag))
        if request.method == "CANCEL":
            self._receive_cancel(request, key, server)
        elif not request.to_tag:
            self._receive_new(request, server)
        elif request.method == "NOTIFY" and call is None and self.takes_notify(request):
            server.respond(200, "OK")
        elif call is None or request.from_tag != call.remote_tag:
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
        elif request.method == "NOTIFY" and self.takes_notify(request):
            server.respond(200, "OK", tag=self.token())
        elif request.method != "INVITE":
            server.respond(501, "Not Implemented", tag=self.token())
        elif self.admits(request, server):
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
            if request.method == "INFO":
                call.infos.append(request)
            server.respond(200, "OK")

    # What a person decides; overridden.

    def admits(self, request: Message, server: ServerTransaction) -> bool:
        """Return whether an INVITE is let in; else it has been answered."""
        return True

    def takes_notify(self, request: Message) -> bool:
        """Return whether a NOTIFY outside of calls is of a subscription of ours."""
        return False

    def on_invite(self, call: Call) -> None:
        call.refuse(486, "Busy Here")

    def on_cancel(self, call: Call) -> None:
        call.receive_cancel()

    def on_talking(self, call: Call) -> None:
        """A call is up, as far as this side knows."""

    def on_disconnected(self) -> None:
        """The switch has closed our connection."""

    def on_ended(self, call: Call) -> None:
        self.after(KEPT_FOR, lambda: self._dialogs.pop((call.call_id, call.local_tag), None))
