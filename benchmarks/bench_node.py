"""The whole node in process: CPU per complete queue call, without sockets, loop or processes.

What remains of a queue call's cost when kernel, event loop, media worker and row writer are taken away: SIP
both ways, call control, distribution, rows. The number to watch when the hot path changes; ``--profile`` says
where it goes.

python -m benchmarks.bench_node [--calls 5000] [--profile]
"""

import argparse
import cProfile
import gc
import pstats
import random
import statistics
import sys
import time

from acd.inputs import SignedIn
from config.load import load_settings
from kernel.chance import Chance
from kernel.ids import SeatId
from kernel.rows import BindingRow
from media.events import StreamStatistics
from media.messages import Close, Closed, PortsBound, decode_commands, encode_reports
from seatswitch.node import Node
from sip.flows import Flow, flow_text
from tests.wire.switch import CONFIG, seat_numbers

OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)
CALLER = Flow("udp", 0, "127.0.0.1", 5080)
PHONE = Flow("udp", 0, "127.0.0.1", 5071)
SEATS = 100


class Peers:
    """A caller and the seats' phones, as strings; and a media worker that says yes."""

    def __init__(self, seats: int = SEATS, ports: range = range(20000, 24000, 2)) -> None:
        self.seats = numbers = seat_numbers(seats)
        text = CONFIG.format(
            sip=5060,
            rpc=5070,
            rtp=20000,
            rtp_end=59998,
            folder="var",
            workers=1,
            wrap_up=0.2,
            max_waiting=2000,
            ring_for=25,
            rtp_timeout="60s",
            queue_extra='music = ""\nwelcome = ""',
            first_seat=numbers[0],
            last_seat=numbers[-1],
        )
        self.now = 1000.0
        settings = load_settings(text, file="bench")
        self.node = Node(settings, Chance(random.Random(1).randbytes), 0.0, self.now)
        self.node.worker_started(0, self.now)
        bound = PortsBound(tuple(ports), True)
        self.node.receive_worker(0, encode_reports([bound]), self.now)
        flow = flow_text(PHONE)
        rows = [
            BindingRow(
                f"{user} c", user, f"sip:{user}@127.0.0.1:5071", flow, "", "", "r", 1, 1.0, 1e9
            )
            for user in numbers
        ]
        self.node.restore(rows, self.now)
        for number in numbers:
            self.node.handle(SignedIn(SeatId(number), f"s{number}"), self.now)
        self.drain()
        self._calls = 0

    def drain(self) -> list[tuple[Flow, bytes]]:
        """Take everything the node has to say, as the shell does."""
        node = self.node
        out = node.stack.datagrams.take()
        for _, message in node.plane.commands.take():
            closed = [
                Closed(StreamStatistics(command.stream))
                for command in decode_commands(message)
                if isinstance(command, Close)
            ]
            if closed:
                node.receive_worker(0, encode_reports(closed), self.now)
        node.rows.take()
        node.log.take()
        return out

    def receive(self, text: str, flow: Flow) -> list[tuple[Flow, bytes]]:
        """Hand one message in and return what it draws."""
        self.node.receive_datagram(text.encode(), flow, self.now)
        return self.drain()

    @staticmethod
    def _caller(number: int) -> tuple[str, str]:
        """Return the headers, with blanks, and the SDP part of a caller's messages."""
        head = (
            f"Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK{number}-{{branch}}\r\n"
            f"From: <sip:1390000{number}@127.0.0.1:5080>;tag=c{number}\r\n"
            "To: <sip:96198@127.0.0.1:5060>{tag}\r\n"
            f"Call-ID: {number}@127.0.0.1\r\nCSeq: {{cseq}}\r\nContact: <sip:caller@127.0.0.1:5080>\r\n"
            "Max-Forwards: 70\r\n"
        )
        body = OFFER.format(port=40000 + number % 1000 * 2)
        return head, f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"

    def arrive(self, number: int) -> str:
        """Let a caller arrive who stays; return the answer."""
        head, sdp = self._caller(number)
        start = "INVITE sip:96198@127.0.0.1:5060 SIP/2.0\r\n" + head.format(branch=1, tag="", cseq="1 INVITE")
        out = [data.decode() for _, data in self.receive(start + sdp, CALLER)]
        answer = next(text for text in out if text.startswith("SIP/2.0 200"))
        tag = ";tag=" + line(answer, "To").rpartition(";tag=")[2]
        target = line(answer, "Contact").partition("<")[2].partition(">")[0]
        ack = f"ACK {target} SIP/2.0\r\n" + head.format(branch=2, tag=tag, cseq="1 ACK")
        self.receive(ack + "Content-Length: 0\r\n\r\n", CALLER)
        return answer

    def call(self) -> None:
        """One complete queue call."""
        self._calls += 1
        number = self._calls
        head, sdp = self._caller(number)
        nothing = "Content-Length: 0\r\n\r\n"
        start = "INVITE sip:96198@127.0.0.1:5060 SIP/2.0\r\n" + head.format(branch=1, tag="", cseq="1 INVITE")
        out = [data.decode() for _, data in self.receive(start + sdp, CALLER)]
        answer = next(text for text in out if text.startswith("SIP/2.0 200"))
        invite = next(text for text in out if text.startswith("INVITE"))
        tag = ";tag=" + line(answer, "To").rpartition(";tag=")[2]
        target = line(answer, "Contact").partition("<")[2].partition(">")[0]
        ack = f"ACK {target} SIP/2.0\r\n" + head.format(branch=2, tag=tag, cseq="1 ACK")
        self.receive(ack + nothing, CALLER)
        echo = "".join(f"{name}: {line(invite, name)}\r\n" for name in ("Via", "From", "Call-ID", "CSeq"))
        to = f"To: {line(invite, 'To')};tag=s{number}\r\nContact: <sip:seat@127.0.0.1:5071>\r\n"
        self.receive(f"SIP/2.0 180 Ringing\r\n{echo}{to}{nothing}", PHONE)
        self.receive(f"SIP/2.0 200 OK\r\n{echo}{to}{sdp}", PHONE)
        self.now += 0.01
        bye = f"BYE {target} SIP/2.0\r\n" + head.format(branch=3, tag=tag, cseq="2 BYE")
        out = [data.decode() for _, data in self.receive(bye + nothing, CALLER)]
        end = next(text for text in out if text.startswith("BYE"))
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        echo = "".join(f"{name}: {line(end, name)}\r\n" for name in names)
        self.receive(f"SIP/2.0 200 OK\r\n{echo}{nothing}", PHONE)
        self.now += 0.01
        self.node.handle_timers(self.now)
        self.drain()


def line(message: str, name: str) -> str:
    """Return the first value of a header."""
    return message.partition(f"\r\n{name}: ")[2].partition("\r\n")[0]


def main() -> int:
    """Measure, or profile."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--calls", type=int, default=5000, help="calls per round")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    options = parser.parse_args()
    peers = Peers()
    for _ in range(500):
        peers.call()
    gc.collect()
    gc.freeze()
    if options.profile:
        profile = cProfile.Profile()
        profile.enable()
        for _ in range(options.calls):
            peers.call()
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(60)
        return 0
    rounds = []
    for _ in range(5):
        before = time.process_time()
        for _ in range(options.calls):
            peers.call()
        rounds.append((time.process_time() - before) / options.calls * 1e6)
    print(f"node: {statistics.median(rounds):.0f} us per queue call, peers' strings included")
    print(f"garbage found by the collector: {gc.collect()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
