"""One stack in virtual time, and messages to and from it as text."""

from itertools import count
from typing import Any

from kernel.chance import Chance
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from sip.events import SipEvent
from sip.flows import Flow
from sip.message import Request, Response
from sip.parser import parse_message
from sip.settings import Account, Listener, Secret, SipSettings, TrunkPeer
from sip.stack import Stack

TRUNK = Flow("udp", 0, "10.0.0.9", 5080)
PHONE = Flow("udp", 0, "192.0.2.7", 5062)
STRANGER = Flow("udp", 0, "203.0.113.5", 5060)
SDP = b"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
OURS = b"v=0\r\no=- 2 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"


def seeded() -> Chance:
    """Chance from a plain counter: every token different, every run the same."""
    counter = count(1)
    return Chance(lambda n: b"".join(next(counter).to_bytes(8, "big") for _ in range(n // 8)))


def settings(**changes: Any) -> SipSettings:
    """One UDP and one TCP listener, one trunk, two accounts."""
    base: dict[str, Any] = {
        "listen": (Listener("udp", "10.0.0.1", 5060), Listener("tcp", "10.0.0.1", 5060)),
        "domains": ("example.com",),
        "accounts": {
            "8001": Account("8001", Secret(password="one"), tenant="demo"),
            "8002": Account("8002", Secret(password="two"), tenant="demo"),
        },
        "trunks": (TrunkPeer("carrier", accept=("10.0.0.0/24",)),),
        "options_probe_every": 0.0,
    }
    return SipSettings(**(base | changes))


class Sent:
    """One message the stack sent."""

    def __init__(self, at: float, flow: Flow, data: bytes) -> None:
        self.at = at
        self.flow = flow
        self.data = data
        self.message: Request | Response = parse_message(data)

    @property
    def word(self) -> str:
        """The status as text, or the method."""
        message = self.message
        return str(message.status) if isinstance(message, Response) else message.method

    def __repr__(self) -> str:
        return f"<{self.at:.3f} {self.word} to {self.flow.host}:{self.flow.port}>"


class Scene:
    """A stack, its clock, and everything it has sent and told."""

    def __init__(self, **changes: Any) -> None:
        self.timers = TimerQueue()
        self.stack = Stack(settings(**changes), self.timers, seeded(), WallTime(1_000_000.0))
        self.now = 0.0
        self.sent: list[Sent] = []
        self.told: list[SipEvent] = []

    def receive(self, data: bytes, flow: Flow) -> list[Sent]:
        """Give the stack a datagram and return what it sent at once."""
        self.collect()
        before = len(self.sent)
        if flow.transport == "udp":
            self.stack.receive_datagram(data, flow, self.now)
        else:
            self.stack.receive_stream(data, flow, self.now)
        self.collect()
        return self.sent[before:]

    def collect(self) -> None:
        """Take what the stack has to say."""
        for flow, data in self.stack.datagrams.take():
            self.sent.append(Sent(self.now, flow, data))
        self.told.extend(self.stack.events.take())
        self.stack.check()

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        self.collect()
        end = self.now + seconds
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.timers.fire_due(self.now)
            self.collect()
        self.now = end

    def clear(self) -> None:
        """Forget what was sent and told so far."""
        self.collect()
        self.sent.clear()
        self.told.clear()

    def words(self) -> list[str]:
        """Return what was sent: methods and statuses."""
        self.collect()
        return [sent.word for sent in self.sent]

    def times(self, word: str) -> list[float]:
        """Return when messages of a kind were sent, to the millisecond."""
        return [round(sent.at, 3) for sent in self.sent if sent.word == word]

    def firsts(self, word: str) -> list[float]:
        """Return when requests of a kind were sent first, to the millisecond: repetitions do not count."""
        found: dict[tuple[str, int], float] = {}
        for sent in self.sent:
            if sent.word == word:
                found.setdefault((sent.message.call_id, sent.message.cseq[0]), round(sent.at, 3))
        return list(found.values())

    def last(self, word: str) -> Sent:
        """Return the last message of a kind."""
        self.collect()
        return [sent for sent in self.sent if sent.word == word][-1]

    def events(self, kind: type) -> list[Any]:
        """Return the events of one type."""
        self.collect()
        return [event for event in self.told if type(event) is kind]


def request(
    method: str,
    uri: str = "sip:96198@example.com",
    *,
    branch: str = "z9hG4bKone",
    via: str = "10.0.0.9:5080",
    transport: str = "UDP",
    from_: str = "<sip:13800000000@carrier.example>;tag=from1",
    to: str = "<sip:96198@example.com>",
    call_id: str = "call1",
    cseq: int = 1,
    contact: str = "<sip:caller@10.0.0.9:5080>",
    headers: tuple[str, ...] = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
    max_forwards: int = 70,
) -> bytes:
    """Return a request as bytes."""
    cseq_method = "INVITE" if method == "" else method
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/{transport} {via};branch={branch}",
        f"From: {from_}",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {cseq_method}",
        f"Max-Forwards: {max_forwards}",
        *([f"Contact: {contact}"] if contact else []),
        *headers,
        *([f"Content-Type: {content_type}"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def respond(
    sent: Sent,
    status: int,
    *,
    tag: str = "callee1",
    contact: str = "<sip:callee@10.0.0.9:5090>",
    headers: tuple[str, ...] = (),
    body: bytes = b"",
) -> bytes:
    """Return a response to a request the stack sent."""
    asked = sent.message
    assert isinstance(asked, Request)
    to = asked.header("to") or ""
    if tag and ";tag=" not in to:
        to = f"{to};tag={tag}"
    lines = [
        f"SIP/2.0 {status} Whatever",
        *(f"Via: {value}" for value in asked.headers("via")),
        f"From: {asked.header('from')}",
        f"To: {to}",
        f"Call-ID: {asked.call_id}",
        f"CSeq: {asked.header('cseq')}",
        *([f"Contact: {contact}"] if contact else []),
        *headers,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def to_tag(sent: Sent) -> str:
    """Return the To tag of a message."""
    return sent.message.to_tag
