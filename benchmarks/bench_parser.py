"""What one message costs: reading, checking, answering, building, offer and answer.

``python -m benchmarks.bench_parser`` prints microseconds of CPU per operation, median and best of several
runs, the worst of 64 KiB, and the same trunk-sized INVITE with other libraries, in turn with ours. Bars:
trunk-sized INVITE read with what routing looks at in 35 and 0.27 times sippy, written in 5; offer and answer
in 25 each; any 64 KiB in 20 ms. Peers: an environment with sippy and sipmessage, whose ``bin`` is on PATH or
named by SIP_PEERS; those that are not there are left out and named.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time_ns
from timeit import repeat

from sip.branches import server_key
from sip.digest import Nonces, answer_challenge, challenges, check_answer, parse_credentials
from sip.grammar import SipError
from sip.headers import tokens
from sip.known import Known
from sip.message import Request, build_request, build_response
from sip.negotiation import SdpSide
from sip.parser import check_request, parse_message
from sip.sdp import Descriptions, parse_sdp
from sip.settings import Secret

SDP = (
    b"v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
SMALL = (
    b"INVITE sip:8001@127.0.0.1:5060 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-1234-1-0;rport\r\n"
    b"From: sipp <sip:sipp@127.0.0.1:5061>;tag=1234SIPpTag001\r\nTo: 8001 <sip:8001@127.0.0.1:5060>\r\n"
    b"Call-ID: 1-1234@127.0.0.1\r\nCSeq: 1 INVITE\r\nContact: <sip:sipp@127.0.0.1:5061>\r\n"
    b"Max-Forwards: 70\r\nSubject: Performance Test\r\nContent-Length: 0\r\n\r\n"
)
LARGE = (
    b"INVITE sip:+862155551234@192.0.2.10:5060;user=phone SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK4f3a.1a2b3c4d5e6f7a8b9c0d.0;rport\r\n"
    b"Via: SIP/2.0/UDP 198.51.100.7:5060;received=198.51.100.8;rport=5062;branch=z9hG4bKmavc77e7c8\r\n"
    b"Record-Route: <sip:192.0.2.1;lr;ftag=as3f2d;did=71.3fa>\r\nRecord-Route: <sip:198.51.100.1;lr>\r\n"
    b"Max-Forwards: 68\r\n"
    b'From: "Zhang San" <sip:+8613800138000@carrier.example.com;user=phone>;tag=as3f2d77e1\r\n'
    b"To: <sip:+862155551234@192.0.2.10;user=phone>\r\n"
    b"Contact: <sip:+8613800138000@198.51.100.7:5060;transport=udp>\r\n"
    b"Call-ID: 6f3dd2b9057e1c2a@198.51.100.7\r\nCSeq: 102 INVITE\r\nUser-Agent: Carrier SBC 7.2.1\r\n"
    b"Date: Mon, 01 Jun 2026 08:00:00 GMT\r\n"
    b"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH, UPDATE, PRACK\r\n"
    b"Supported: replaces, timer, 100rel\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n"
    b'P-Asserted-Identity: "Zhang San" <sip:+8613800138000@carrier.example.com>\r\n'
    b"P-Charging-Vector: icid-value=1234bc9876e;icid-generated-at=192.0.6.8;orig-ioi=home1.net\r\n"
    b"Privacy: none\r\nAccept: application/sdp\r\nX-Trace: 8f7e6d5c4b3a\r\nX-Carrier-Id: 4711\r\n"
    b"Diversion: <sip:+862155550000@carrier.example.com>;reason=unconditional\r\nP-Early-Media: supported\r\n"
    b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(SDP)
) + SDP
CODECS = ("PCMU", "PCMA")


def read(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def route(data: bytes, known: Known) -> tuple[object, ...]:
    """Read, check and take what routing looks at."""
    m = read(data)
    check_request(m, known)
    via = m.via
    ends = (m.call_id, m.cseq, m.from_tag, m.to_tag, m.contacts[0].uri, m.max_forwards)
    return (m.method, m.uri, via.branch, via.host, via.port, *ends)


def read_fields(data: bytes) -> tuple[object, ...]:
    """What the peers are asked for: read, and what routing looks at, without our checks."""
    m = read(data)
    via = m.via
    ends = (m.call_id, m.cseq, m.from_tag, m.to_tag, m.contacts[0].uri, m.max_forwards)
    return (m.method, m.uri, via.branch, via.host, via.port, *ends)


def everything(data: bytes) -> None:
    """Read a hostile input and ask it for all there is."""
    try:
        message = parse_message(data)
    except SipError:
        return
    for name in ("vias", "contacts", "routes", "from_", "to", "cseq", "call_id", "header_lines"):
        with contextlib.suppress(SipError):
            getattr(message, name)
    with contextlib.suppress(SipError):
        tokens(message.headers("require"))
    with contextlib.suppress(SipError):
        check_request(message, Known())  # type: ignore[arg-type]


def answer_once(data: bytes) -> Callable[[], bytes]:
    request = read(data)

    def answer() -> bytes:
        request._echo = None  # what a first answer costs
        return ring(request)

    return answer


def ring(request: Request) -> bytes:
    contact = (("Contact", "<sip:8001@127.0.0.1:5060>"),)
    return build_response(request, 180, to_tag="abcdef0123", headers=contact, received=("127.0.0.1", 5061))


def invite() -> bytes:
    return build_request(
        "INVITE",
        "sip:8001@127.0.0.1:5061",
        via="SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK123;rport",
        from_="<sip:a@b>;tag=1",
        to="<sip:8001@127.0.0.1>",
        call_id="6f3dd2b9057e1c2a",
        cseq=1,
        contact="<sip:a@b>",
        headers=(("Allow", "INVITE, ACK, BYE, CANCEL"), ("Supported", "timer")),
        body=SDP,
    )


def operations() -> dict[str, Callable[[], object]]:
    known, descriptions = Known(), Descriptions()
    side = SdpSide(0, descriptions)
    side.offer("127.0.0.1", 40000, CODECS)
    answer = SdpSide().answer(SDP, "127.0.0.2", 50000, CODECS)[0]
    small = read(SMALL)
    ring(small)
    secret = Secret(password="secret")
    nonces = Nonces("key", 300)
    nonce = nonces.make("127.0.0.1", 1)
    header = answer_challenge(challenges("r", nonce), "8001", secret, "REGISTER", "sip:r", b"", "c")
    credentials = parse_credentials(header)
    assert credentials is not None
    return {
        "INVITE of 26 headers: read": lambda: parse_message(LARGE),
        "INVITE of 26 headers: read, check, route": lambda: route(LARGE, known),
        "INVITE of 26 headers: read, route": lambda: read_fields(LARGE),
        "INVITE of 9 headers: read": lambda: parse_message(SMALL),
        "INVITE of 9 headers: read, check, route": lambda: route(SMALL, known),
        "first answer, 26 headers": answer_once(LARGE),
        "first answer, 9 headers": answer_once(SMALL),
        "next answer, 9 headers": lambda: ring(small),
        "request": invite,
        "transaction key": lambda: server_key(small),
        "SDP read": lambda: parse_sdp(SDP),
        "SDP offer": lambda: SdpSide().offer("127.0.0.1", 40000, CODECS),
        "SDP read again": lambda: descriptions.read(SDP),
        "SDP answer": lambda: SdpSide(0, descriptions).answer(SDP, "127.0.0.1", 40000, CODECS),
        "SDP answer taken": lambda: side.accept(answer),
        "digest read": lambda: parse_credentials(header),
        "digest checked (SHA-256)": lambda: check_answer(credentials, secret, "REGISTER", b""),
        "nonce checked": lambda: nonces.is_fresh(nonce, "127.0.0.1", 2),
    }


def measured(operation: Callable[[], object], rounds: int = 75, number: int = 200) -> list[float]:
    """Return microseconds of CPU per call, one per round."""
    return [
        run / number / 1000 for run in repeat(operation, number=number, repeat=rounds, timer=process_time_ns)
    ]


HOSTILE: tuple[tuple[bytes, bytes], ...] = (
    (b"User-Agent", b"(" * 8_000),
    (b"To", b'"' * 8_000),
    (b"To", b'"\\"' * 2_600),
    (b"Contact", b"," * 8_000),
    (b"Contact", b"<sip:a@b>," * 800),
    (b"Contact", b'"a,b" <sip:a@b>,' * 500),
    (b"Contact", b"<sip:a@b>" + b"".join(b';p%d="a;b"' % number for number in range(650))),
    (b"Route", b"<" * 8_000),
    (b"Route", b"<sip:a@b>" + b"".join(b";p%d=1" % number for number in range(900))),
    (b"Require", b",".join(b'p%d="x"' % number for number in range(800))),
    (b"From", b"<sip:a@b>" + b";a" * 4_000),
    (b"Via", b"SIP/2.0/UDP h," * 570),
    (b"Via", b"SIP/2.0/UDP h" + b"".join(b";p%d" % number for number in range(1_100))),
    (b"Call-ID", b"\r\n x" * 2_000),
    (b"X", b"a\r\nX:" * 1_300),
    (b"X", b"\xff" * 8_000),
    (b"Content-Length", b"0" * 8_000),
)


def worst_of_64_kib() -> float:
    """Return the milliseconds that the dearest of many hostile inputs takes: read, asked for all, checked.

    In one line, which the cap of a line refuses, and in seven lines that keep it.
    """
    worst = 0.0
    for name, filling in HOSTILE:
        line = name + b": " + filling[:8_100]
        for lines in (name + b": " + filling * 8, b"\r\n".join([line] * 7)):
            data = SMALL.replace(b"Subject: Performance Test", lines)[:65_535]
            runs = measured(lambda data=data: everything(data), 5, 1)  # type: ignore[misc]
            worst = max(worst, min(runs) / 1000)
    return worst


def peer_python() -> str:
    """Return the Python of the environment that the peers are installed in, "" for none."""
    given = os.environ.get("SIP_PEERS", "")
    beside = shutil.which("b2bua_simple")
    python = Path(given) / "python" if given else Path(beside).parent / "python" if beside else None
    return str(python) if python is not None and python.exists() else ""


def compare() -> None:
    """Measure ours and each peer in turn, three rounds, and print medians and ratios."""
    python, script = peer_python(), Path(__file__).with_name("parser_peers.py")
    times: dict[str, list[dict[str, float]]] = {"ours": []}
    for _ in range(3):
        ours = {
            "read": median(measured(lambda: read_fields(LARGE), 15)),
            "write": median(measured(invite, 15)),
        }
        times["ours"].append(ours)
        for name in ("sippy", "sipmessage"):
            if python:
                command = [python, str(script), name]
                done = subprocess.run(command, input=LARGE, capture_output=True, check=False)
                if done.returncode == 0:
                    times.setdefault(name, []).append(json.loads(done.stdout))
    ours = {key: median(each[key] for each in times["ours"]) for key in ("read", "write")}
    for name in ("ours", "sippy", "sipmessage"):
        if name not in times:
            print(f"{name} is left out: it is not installed in an environment on PATH or at SIP_PEERS")
            continue
        found = {key: median(each[key] for each in times[name]) for key in ("read", "write")}
        ratio = f"ours is {ours['read'] / found['read']:.2f} and {ours['write'] / found['write']:.2f} of it"
        print(
            f"26 headers, {name:10} read {found['read']:6.1f} us, written {found['write']:5.1f} us; {ratio}"
        )


def main() -> None:
    for name, operation in operations().items():
        runs = measured(operation)
        print(f"{name:42} {median(runs):7.2f} us median {min(runs):7.2f} us best")
    print(f"{'64 KiB of the worst':42} {worst_of_64_kib():7.2f} ms")
    sys.stdout.flush()
    compare()


if __name__ == "__main__":
    main()
