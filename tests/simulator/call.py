"""One call as its phone sees it: an INVITE dialog, its offers and answers, its end."""

from typing import TYPE_CHECKING

from tests.simulator.network import Address
from tests.simulator.transactions import GIVE_UP, OnResponse, ServerTransaction
from tests.simulator.wire import Message, Sdp, build_sdp, host_port, parse_sdp, uri_of

if TYPE_CHECKING:
    from tests.simulator.endpoint import Endpoint


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
        self.infos: list[Message] = []  # INFO requests got
        self.is_late_offer = False  # our INVITE has no SDP: the 2xx offers, our ACK answers
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

    def fork(self) -> None:
        """Ring under another To tag than the one that will answer, as a forking proxy lets it (12.1.2)."""
        if self.state in ("arrived", "ringing") and self.server is not None:
            other = self.endpoint.token()
            self.server.respond(180, "Ringing", [("Contact", self.endpoint.contact)], tag=other)
            self.state, self.rung_at = "ringing", self.endpoint.now

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
                if response.status in (408, 481):  # RFC 3261 12.2.1.2: the dialog is gone
                    self._end(f"re-INVITE refused {response.status}")
                return
            self._take_sdp(response)
            self._send_ack(cseq)
            if not answered["done"]:
                answered["done"] = True
                self.endpoint.note(f"re-INVITE {direction}: {response.status}")

        self.endpoint.on_2xx[self.call_id, self.local_tag, cseq] = on_response
        self._send_in_dialog("INVITE", self.sdp(direction), on_response, cseq)

    def refer(self, number: str, host: str, hangs_up: float | None = None) -> None:
        """Transfer the other side to ``number`` (RFC 3515), and hang up so long after the 202."""
        assert self.state == "talking"
        self.cseq += 1
        extra = (("Refer-To", f"<sip:{number}@{host}>"), ("Referred-By", f"<{uri_of(self.local)}>"))
        data, branch = self.endpoint.request_in(self, "REFER", self.cseq, extra=extra)

        def on_response(response: Message | None) -> None:
            status = 0 if response is None else response.status
            self.endpoint.note(f"REFER to {number}: {status}")
            if status == 481:
                self._end("REFER refused 481")
            elif status == 202 and hangs_up is not None:
                self.endpoint.after(hangs_up, self.hang_up)

        self.endpoint.start("REFER", branch, data, self._next_hop(), on_response)

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
        body = self.sdp() if self.is_late_offer and cseq == 1 else b""
        request = self.endpoint.request_in(self, "ACK", cseq, body)
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
            # RFC 3261 9.1: whoever hears nothing of its cancelled INVITE for 64*T1 takes it as ended.
            self.endpoint.after(
                GIVE_UP, lambda: self._end("silence after CANCEL") if self.state == "cancelling" else None
            )

    def _end(self, why: str) -> None:
        if not self.has_ended:
            self.state, self.why, self.ended_at = "ended", why, self.endpoint.now
            self.endpoint.note(f"call {self.number} ended: {why}")
            self.endpoint.on_ended(self)
