"""One end of SIP by hand, for what no phone would do: a UDP socket at an address of its own that asks, hears
and answers, byte for byte as the test says.
"""

import select
import socket
import threading
from time import monotonic
from typing import Any

from sip.digest import answer_challenge
from sip.message import Request, Response
from sip.parser import parse_message
from sip.settings import Secret
from tests.sip.scene import SDP as ELSEWHERE
from tests.sip.scene import request
from tests.wire.switch import Switch

TRUNK = "127.0.0.1"  # where the switch is, and the trunk of most tests
SDP = ELSEWHERE.replace(b"10.0.0.9", b"127.0.0.1")
WITHIN = 15.0  # seconds for any answer, and only a test that fails waits for so long


class Party:
    """A peer at ``host``; ``port`` 0 is any."""

    def __init__(self, switch: Switch, host: str, port: int = 0) -> None:
        self.host = host
        self.heard: list[Request | Response] = []  # everything, in order
        self._to = (TRUNK, switch.sip_port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._socket.settimeout(WITHIN)
        self.port = int(self._socket.getsockname()[1])
        self.via = f"{host}:{self.port}"
        self._count = 0

    def __enter__(self) -> "Party":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, data: bytes) -> None:
        """Send one datagram."""
        self._socket.sendto(data, self._to)

    def next_branch(self) -> str:
        """Return a branch that nobody has used."""
        self._count += 1
        return f"z9hG4bK{self.host}-{self.port}-{self._count}"

    def send(self, method: str, uri: str, **more: Any) -> str:
        """Send a request and return its branch."""
        branch = more.pop("branch", "") or self.next_branch()
        more.setdefault("call_id", branch)
        more.setdefault("contact", f"<sip:party@{self.via}>")
        self.say(request(method, uri, branch=branch, via=self.via, **more))
        return branch

    def ask(self, method: str, uri: str, **more: Any) -> Response:
        """Send a request and return its final answer; 3xx-6xx to INVITE are acknowledged."""
        branch = self.send(method, uri, **more)
        return self.final(branch, method, uri)

    def final(self, branch: str, method: str, uri: str) -> Response:
        """Return the final answer to the request of a branch."""
        while True:
            answer = self._hear(monotonic() + WITHIN)
            assert answer is not None, f"no answer to {method} {uri}"
            if isinstance(answer, Response) and answer.via.branch == branch and answer.status >= 200:
                break
        if method == "INVITE" and answer.status >= 300:
            self.acknowledge(answer, uri, branch)
        return answer

    def acknowledge(self, answer: Response, uri: str, branch: str = "") -> None:
        """Send the ACK of a final answer to INVITE; ``branch`` is the INVITE's where it failed."""
        self.send(
            "ACK",
            uri,
            branch=branch,
            call_id=answer.call_id,
            from_=answer.header("from"),
            to=answer.header("to"),
            cseq=answer.cseq[0],
        )

    def ask_as(self, user: str, password: str, method: str, uri: str, **more: Any) -> Response:
        """Send a request as ``user`` and answer the challenge that it draws, if it draws one."""
        me = f"<sip:{user}@{TRUNK}>"
        more.setdefault("from_", f"{me};tag={user}-{self.port}")
        more.setdefault("contact", f"<sip:{user}@{self.via}>")
        if method == "REGISTER":
            more.setdefault("to", me)
        more.setdefault("call_id", f"{self.next_branch()}-{user}")
        asked = self.ask(method, uri, **more)
        if asked.status not in (401, 407):
            return asked
        headers = (*more.pop("headers", ()), self.authorization(asked, user, password, method, uri))
        more["cseq"] = more.get("cseq", 1) + 1
        return self.ask(method, uri, headers=headers, **more)

    @staticmethod
    def authorization(asked: Response, user: str, password: str, method: str, uri: str) -> str:
        """Return the header line that answers a challenge."""
        names = ("www-authenticate", "Authorization"), ("proxy-authenticate", "Proxy-Authorization")
        challenge, name = names[asked.status == 407]
        values = asked.headers(challenge)
        return f"{name}: {answer_challenge(values, user, Secret(password), method, uri, b'', 'cn')}"

    def register(self, user: str, password: str) -> int:
        """Register ``user`` at this address; return the status."""
        return self.ask_as(user, password, "REGISTER", f"sip:{TRUNK}").status

    def hear(self, method: str, within: float = WITHIN) -> Request:
        """Return the next request of a method; what else comes meanwhile is passed over."""
        until = monotonic() + within
        while (message := self._hear(until)) is not None:
            if isinstance(message, Request) and message.method == method:
                return message
        raise AssertionError(f"no {method} came to {self.via}")

    def listen(self, within: float) -> list[Request | Response]:
        """Return everything that comes in so many seconds."""
        found, until = [], monotonic() + within
        while (message := self._hear(until)) is not None:
            found.append(message)
        return found

    def answer(
        self, asked: Request, status: int, body: bytes = b"", headers: tuple[str, ...] = (), contact: str = ""
    ) -> None:
        """Answer a request."""
        to = asked.header("to") or ""
        lines = [
            f"SIP/2.0 {status} Whatever",
            *(f"Via: {value}" for value in asked.headers("via")),
            f"From: {asked.header('from')}",
            f"To: {to if ';tag=' in to else f'{to};tag=party'}",
            f"Call-ID: {asked.call_id}",
            f"CSeq: {asked.header('cseq')}",
            f"Contact: {contact or f'<sip:party@{self.via}>'}",
            *headers,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _hear(self, until: float) -> Request | Response | None:
        left = max(0.0, until - monotonic())
        if not select.select([self._socket], [], [], left)[0]:
            return None
        message = parse_message(self._socket.recv(65_536))
        self.heard.append(message)
        return message


class Calm(threading.Thread):
    """Good calls of the trunk, one after the other, while something else goes on: all are answered, but for
    those that come while a busy machine makes the switch late, which is in its log.
    """

    def __init__(self, switch: Switch, uri: str = f"sip:96198@{TRUNK}") -> None:
        super().__init__(daemon=True)
        self._party = Party(switch, TRUNK)
        self._uri = uri
        self._log_path = switch.log_path
        self._is_over = threading.Event()
        self.statuses: list[int] = []
        self.late = 0  # calls refused because the switch was late

    def __enter__(self) -> "Calm":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._is_over.set()
        self.join(4 * WITHIN)
        self._party.__exit__()
        if kind is None:
            assert self.statuses, "no good call was made"
            assert set(self.statuses) == {200}, self.statuses
            assert not self.late or "overloaded, new calls are refused" in self._log_path.read_text()

    def run(self) -> None:
        """Call, be answered, hang up."""
        while True:
            me = f"<sip:13900000000@{TRUNK}>;tag=c{len(self.statuses)}"
            call_id = f"calm{self._party.port}-{len(self.statuses)}-{self.late}"
            answer = self._party.ask("INVITE", self._uri, from_=me, call_id=call_id, body=SDP)
            if answer.status == 503:
                self.late += 1
                if self._is_over.wait(0.2):
                    return
                continue
            if answer.status == 200:
                self._party.acknowledge(answer, self._uri)
                to = answer.header("to")
                bye = self._party.ask("BYE", self._uri, from_=me, call_id=call_id, to=to, cseq=2)
                self.statuses += [] if bye.status == 200 else [bye.status]
            self.statuses.append(answer.status)
            if self._is_over.wait(0.1):
                return
