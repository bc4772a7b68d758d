"""Whole calls through the SIP stack, in process: microseconds of CPU per call.

``python -m benchmarks.bench_stack [CALLS]``. The UAS call is INVITE, 100, 180, 200, ACK, BYE, 200; the B2BUA
call is that on one side and INVITE, 180, 200, ACK, BYE, 200 on the other, with SDP and headers of trunk size.
Last, what the end of one TCP connection costs while 2,000 calls are waiting, each with a phone that rings.
Peers' messages are made before the clock starts where they can be; what is left of making them is measured
apart and taken off.
"""

import gc
import sys
from itertools import count
from time import process_time

from kernel.chance import Chance
from kernel.timers import TimerQueue
from sip.events import InviteArrived, SessionAnswered, SessionEnded
from sip.flows import Flow
from sip.invitation import Invitation
from sip.settings import Account, Listener, Secret, SipSettings, TrunkPeer
from sip.stack import Stack

TRUNK = Flow("udp", 0, "10.0.0.9", 5080)
PHONE = Flow("udp", 0, "10.0.0.7", 5070)
SDP = (
    b"v=0\r\no=user1 53655765 2353687637 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
)
HEADERS = (
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE\r\nSupported: replaces, timer\r\n"
    b"User-Agent: Trunk SBC 7.2\r\nP-Asserted-Identity: <sip:13800000000@10.0.0.9>\r\n"
)


def trunk_request(method: str, number: int, to_tag: str, cseq: int, body: bytes = b"") -> bytes:
    """A request of the trunk in its ``number``-th call."""
    tag = f";tag={to_tag}" if to_tag else ""
    kind = b"Content-Type: application/sdp\r\n" if body else b""
    head = (
        f"{method} sip:96198@10.0.0.1:5060 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 10.0.0.9:5080;branch=z9hG4bK-{number}-{method}\r\nMax-Forwards: 70\r\n"
        f'From: "Caller" <sip:13800000000@10.0.0.9>;tag=f{number}\r\nTo: <sip:96198@10.0.0.1>{tag}\r\n'
        f"Call-ID: {number}-4711@10.0.0.9\r\nCSeq: {cseq} {method}\r\n"
        "Contact: <sip:13800000000@10.0.0.9:5080>\r\n"
    ).encode()
    return head + HEADERS + kind + b"Content-Length: %d\r\n\r\n" % len(body) + body


def phone_response(request: bytes, status: bytes, body: bytes = b"") -> bytes:
    """A phone's response to a request of ours."""
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    kept = [line for line in lines[1:] if line.startswith((b"Via:", b"From:", b"Call-ID:", b"CSeq:"))]
    to = next(line for line in lines if line.startswith(b"To:"))
    if b";tag=" not in to:
        to += b";tag=phone"
    contact = b"Contact: <sip:8001@10.0.0.7:5070>"
    kind = [b"Content-Type: application/sdp"] if body else []
    length = b"Content-Length: %d" % len(body)
    parts = [b"SIP/2.0 " + status, *kept, to, contact, *kind, length, b"", body]
    return b"\r\n".join(parts)


class Bench:
    """One stack and its peers."""

    def __init__(self) -> None:
        serial = count(1)
        chance = Chance(lambda n: b"".join(next(serial).to_bytes(8, "big") for _ in range(n // 8)))
        settings = SipSettings(
            listen=(Listener("udp", "10.0.0.1", 5060), Listener("tcp", "10.0.0.1", 5060)),
            domains=("10.0.0.1",),
            accounts={"8001": Account("8001", Secret("x"))},
            trunks=(TrunkPeer("carrier", accept=("10.0.0.9/32",)),),
        )
        self.timers = TimerQueue()
        self.stack = Stack(settings, self.timers, chance)
        self.now = 0.0
        self.peers = 0.0  # seconds of CPU the peers took

    def turn(self, data: bytes, flow: Flow) -> list[bytes]:
        """One datagram in, everything due out."""
        self.stack.receive_datagram(data, flow, self.now)
        return [sent for _, sent in self.stack.datagrams.take()]

    def incoming(self, number: int, invite: bytes) -> str:
        """INVITE, 180, 200; returns our tag."""
        stack, now = self.stack, self.now
        self.turn(invite, TRUNK)
        event = stack.events.take()[0]
        assert type(event) is InviteArrived
        session = event.session
        stack.ring(session, now)
        stack.answer(session, SDP, now)
        stack.datagrams.take()
        return session.local_tag

    def uas_call(self, number: int, invite: bytes) -> None:
        """A whole call that we are called in."""
        tag = self.incoming(number, invite)
        at = process_time()
        ack, bye = trunk_request("ACK", number, tag, 1), trunk_request("BYE", number, tag, 2)
        self.peers += process_time() - at
        self.turn(ack, TRUNK)
        self.turn(bye, TRUNK)
        assert type(self.stack.events.take()[-1]) is SessionEnded

    def b2bua_call(self, number: int, invite: bytes) -> None:
        """A whole call through us: the caller's side as above, the phone's side rung, answered, ended."""
        stack = self.stack
        tag = self.incoming(number, invite)
        invitation = Invitation("sip:8001@10.0.0.7:5070", "<sip:8001@10.0.0.1>", "138", sdp=SDP, flow=PHONE)
        session = stack.invite(invitation, "leg", self.now)
        asked = stack.datagrams.take()[0][1]
        at = process_time()
        ringing, answer = phone_response(asked, b"180 Ringing"), phone_response(asked, b"200 OK", SDP)
        ack, bye = trunk_request("ACK", number, tag, 1), trunk_request("BYE", number, tag, 2)
        self.peers += process_time() - at
        self.turn(ringing, PHONE)
        self.turn(answer, PHONE)
        assert type(stack.events.take()[-1]) is SessionAnswered
        self.turn(ack, TRUNK)
        self.turn(bye, TRUNK)
        stack.hang_up(session, self.now)
        asked = stack.datagrams.take()[-1][1]
        at = process_time()
        done = phone_response(asked, b"200 OK")
        self.peers += process_time() - at
        self.turn(done, PHONE)
        stack.events.take()

    def lost_connections(self, calls: int, connections: int) -> float:
        """Return microseconds of our CPU for the end of one of ``connections`` amid ``calls`` that ring."""
        for number in range(calls):
            self.incoming(30_000_000 + number, trunk_request("INVITE", 30_000_000 + number, "", 1, SDP))
            invitation = Invitation(
                "sip:8001@10.0.0.7:5070", "<sip:8001@10.0.0.1>", "138", sdp=SDP, flow=PHONE
            )
            self.stack.invite(invitation, "leg", self.now)
        self.stack.datagrams.take()
        began = process_time()
        for number in range(1, connections + 1):
            self.stack.flow_closed(Flow("tcp", 1, "10.0.0.8", 10_000 + number, number), self.now)
        return (process_time() - began) / connections * 1e6

    def run(self, kind: str, calls: int, rate: float = 400.0) -> float:
        """Return microseconds of our CPU per call at ``rate`` calls a (virtual) second."""
        call = self.uas_call if kind == "uas" else self.b2bua_call
        first = 10_000_000 if kind == "uas" else 20_000_000
        invites = [trunk_request("INVITE", first + number, "", 1, SDP) for number in range(calls)]
        self.peers = 0.0
        began = process_time()
        for number, invite in enumerate(invites):
            call(first + number, invite)
            self.now += 1.0 / rate
            self.timers.fire_due(self.now)
        return (process_time() - began - self.peers) / calls * 1e6


def main() -> None:
    """Print the table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for kind, target in (("uas", 150), ("b2bua", 200)):
        best = min(Bench().run(kind, calls) for _ in range(3))
        print(f"{kind:6} {best:7.1f} us a call (target {target})")
    print(f"lost   {Bench().lost_connections(2_000, 5_000):7.1f} us a connection amid 2,000 calls")
    bench = Bench()
    gc.collect()
    bench.run("b2bua", 2_000)
    print(f"garbage after 2,000 calls: {gc.collect()}")


if __name__ == "__main__":
    main()
