"""Attacks of the checklist at a real switch over real sockets: it stays up, says what it must, and serves
everybody else.
"""

import select
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from benchmarks.soak_sip import errors_of
from sip.digest import answer_challenge
from sip.message import Response
from sip.parser import StreamParser, parse_message
from sip.settings import Secret
from tests.calls.test_floods import bad
from tests.certificates import Authority
from tests.ports import free_port
from tests.sip.scene import SDP, request
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, wait_until

pytestmark = pytest.mark.wire

TRUNK, SECURE = "127.0.0.1", "127.0.0.2"
LISTEN = 'listen = ["udp://127.0.0.1:{sip}", "tcp://127.0.0.1:{sip}"'
PER_SOURCE = 40
WITHIN = 15.0  # seconds for any answer, and only a test that fails waits for so long


def configuration(authority: Authority) -> str:
    """One trunk at one address, a TLS listener, and what keeps strangers in bounds."""
    certificate, key = authority.issue(SECURE)
    tls = f'tls = {{{{certificate = "{certificate}", key = "{key}", ca = "{authority.ca}"}}}}'
    more = (f', "tls://{SECURE}:{{sip}}"', f"]\n{tls}\nconnections_per_source = {PER_SOURCE}")
    config = CONFIG.replace(f"{LISTEN}]", f"{LISTEN}{more[0]}{more[1]}")
    return config.replace('accept = ["127.0.0.0/8"]', f'accept = ["{TRUNK}/32"]')


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Switch]:
    with Switch(tmp_path_factory.mktemp("attacks"), config=configuration(authority)) as one:
        yield one
        assert one.rpc().call("admin.status")["shell"]["bugs"] == {}
        assert errors_of(one.log_path) == []


def connect(switch: Switch, source: str = TRUNK, host: str = TRUNK) -> socket.socket:
    """Return a TCP connection from an address of its own."""
    return socket.create_connection((host, switch.sip_port), WITHIN, (source, 0))


def whole(name: str, body: bytes = b"") -> bytes:
    """Return an OPTIONS that is in order."""
    return request("OPTIONS", transport="TCP", branch=f"z9hG4bK{name}", call_id=name, body=body)


def ask(ours: socket.socket, name: str) -> bytes:
    """Send OPTIONS over a connection and return the first bytes of the answer."""
    ours.settimeout(WITHIN)
    ours.sendall(whole(name))
    return ours.recv(65_536)


def trusting(authority: Authority, ours: socket.socket) -> ssl.SSLSocket:
    """Return TLS over a connection to the secure listener."""
    context = ssl.create_default_context(cafile=str(authority.ca))
    return context.wrap_socket(ours, server_hostname=SECURE)


def doubtful(old: str, new: str, name: str) -> bytes:
    """Return an OPTIONS with a body of three bytes, ``old`` in it changed to ``new``."""
    data = whole(name, b"abc")
    assert data.count(old.encode()) == 1
    return data.replace(old.encode(), new.encode())


LENGTH = "Content-Length: 3"
DOUBTS = {
    "none": (f"{LENGTH}\r\n", ""),
    "two": (LENGTH, f"{LENGTH}\r\nContent-Length: 0"),
    "two alike": (LENGTH, f"{LENGTH}\r\nContent-Length: 3"),
    "two, one compact": (LENGTH, f"{LENGTH}\r\nl: 0"),
    "two, one with a blank": (LENGTH, f"{LENGTH}\r\nContent-Length : 0"),
    "list": (LENGTH, "Content-Length: 3, 0"),
    "sign": (LENGTH, "Content-Length: +3"),
    "negative": (LENGTH, "Content-Length: -3"),
    "hexadecimal": (LENGTH, "Content-Length: 0x3"),
    "digits of another script": (LENGTH, "Content-Length: \u0663"),
    "huge": (LENGTH, "Content-Length: 99999999999999999999"),
    "bare LF": (LENGTH, f"X: y\n{LENGTH}"),
    "bare CR": (LENGTH, f"X: y\r{LENGTH}"),
    "NUL": (LENGTH, f"X: y\0\r\n{LENGTH}"),
    "LF ends the head": (LENGTH, "X: y\n\n"),
    "blank in a name": (LENGTH, f"Content Length: 0\r\n{LENGTH}"),
    "no colon": (LENGTH, f"Content-Length\r\n{LENGTH}"),
}


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda it: it.replace(" ", "-"))
def test_doubt_about_a_message_smuggles_nothing_over_tcp(switch: Switch, doubt: str) -> None:
    """A-SMUG: from the trunk, between two requests that are in order. The first is answered, the doubtful one
    at most refused, and the third is never read: the connection is closed.
    """
    number = list(DOUBTS).index(doubt)
    first, second, third = (f"{word}{number}" for word in ("first", "doubtful", "hidden"))
    data = whole(first) + doubtful(*DOUBTS[doubt], second) + whole(third)
    parser, answers = StreamParser(), list[Response]()
    with connect(switch) as ours:
        ours.sendall(data)
        while data := ours.recv(65_536):
            answers += [found for found in parser.feed(data) if isinstance(found, Response)]
    told = [(answer.call_id, answer.status) for answer in answers]
    assert told[0] == (first, 200)
    assert told[1:] in ([], [(second, 400)])
    with connect(switch) as another:
        assert ask(another, f"another{number}").startswith(b"SIP/2.0 200 ")


def test_a_message_inside_a_body_is_a_body(switch: Switch) -> None:
    """A-SMUG: announced longer than the next message is, and with a blank before the colon, which RFC 3261
    25.1 allows: the next message is part of the body, and the one behind it is answered.
    """
    outer = whole("outer", whole("inner")).replace(b"Content-Length:", b"Content-Length \t:", 1)
    assert heard(switch, outer + whole("after"), 2) == [("outer", 200), ("after", 200)]


def test_what_is_behind_a_body_begins_a_message(switch: Switch) -> None:
    """A-SMUG: announced shorter than it is, the end of the body spoils the next request's method."""
    data = doubtful(LENGTH, "Content-Length: 1", "short") + whole("spoiled") + whole("good")
    assert heard(switch, data, 3) == [("short", 200), ("spoiled", 400), ("good", 200)]


def heard(switch: Switch, data: bytes, count: int) -> list[tuple[str, int]]:
    """Send data over a connection of its own; return Call-ID and status of ``count`` answers or more."""
    parser, answers = StreamParser(), list[Response]()
    with connect(switch) as ours:
        ours.sendall(data)
        while len(answers) < count:
            answers += [found for found in parser.feed(ours.recv(65_536)) if isinstance(found, Response)]
        assert select.select([ours], [], [], 0.05)[0] == []
    return [(answer.call_id, answer.status) for answer in answers]


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda it: it.replace(" ", "-"))
def test_doubt_about_a_message_smuggles_nothing_over_udp(switch: Switch, doubt: str) -> None:
    """A-SMUG: in one datagram there is one message, and one answer at most besides its repetition."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind((TRUNK, 0))
        ours.settimeout(WITHIN)
        port = ours.getsockname()[1]
        name = f"udp{list(DOUBTS).index(doubt)}"
        told: list[tuple[str, int]] = []
        for data in (
            doubtful(*DOUBTS[doubt], name).replace(b";branch", b";rport;branch") + whole(f"hidden{name}"),
            request("OPTIONS", via=f"{TRUNK}:{port}", branch=f"z9hG4bKend{name}", call_id=f"end{name}"),
        ):
            ours.sendto(data, (TRUNK, switch.sip_port))
        end = (f"end{name}", 200)
        while end not in told:
            answer = parse_message(ours.recv(65_536))
            assert isinstance(answer, Response)
            told.append((answer.call_id, answer.status))
    is_in_order = doubt == "none"  # RFC 3261 18.3: the body ends with the datagram
    assert told in ([end], [(name, 200 if is_in_order else 400), end])


def s_client(switch: Switch, *options: str) -> "subprocess.Popen[bytes]":
    """Return OpenSSL's own client, connected to the secure listener."""
    command = ["openssl", "s_client", "-connect", f"{SECURE}:{switch.sip_port}", *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT)


def test_tls_is_not_negotiated_again(switch: Switch, authority: Authority) -> None:
    """A-TLS: a client that asks for new keys over and over would cost us a handshake each (CVE-2011-1473)."""
    client = s_client(switch, "-tls1_2", "-CAfile", str(authority.ca))
    assert client.stdin is not None
    assert client.stdout is not None
    said = b""
    while b"Verify return code: 0" not in said:
        line = client.stdout.readline()
        assert line, said
        said = line
    client.stdin.write(b"R\n")
    client.stdin.flush()
    said = client.communicate(timeout=WITHIN)[0]
    assert b"RENEGOTIATING" in said
    assert b"no renegotiation" in said
    with connect(switch, TRUNK, SECURE) as ours, trusting(authority, ours) as secured:
        assert ask(secured, "afterwards").startswith(b"SIP/2.0 ")


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_tls_is_refused(switch: Switch, version: str) -> None:
    """A-TLS, RFC 8996: no session with a client that knows nothing newer."""
    client = s_client(switch, version, "-cipher", "ALL:@SECLEVEL=0")
    said = client.communicate(timeout=WITHIN)[0]
    assert b"New, (NONE), Cipher is (NONE)" in said
    assert b"BEGIN CERTIFICATE" not in said


def descriptors(switch: Switch) -> int:
    """Return how many files and sockets the switch holds open."""
    assert switch.process is not None
    return len(list(Path(f"/proc/{switch.process.pid}/fd").iterdir()))


def is_closed(ours: socket.socket) -> bool:
    """Return whether the switch has closed a connection by now."""
    try:
        return bool(select.select([ours], [], [], 0.0)[0]) and ours.recv(1) == b""
    except ConnectionResetError:
        return True


def test_idle_connections_of_one_host_leave_room_for_others(switch: Switch, authority: Authority) -> None:
    """A-FLOOD2: of 120 connections that say nothing the cap is kept and the rest closed at once; TLS that is
    not agreed on is closed in 5 s; others come in meanwhile.
    """
    before = descriptors(switch)
    idle = [connect(switch, "127.5.0.1") for _ in range(3 * PER_SOURCE)]
    half = [connect(switch, "127.5.0.2", SECURE) for _ in range(PER_SOURCE)]
    try:
        wait_until("the rest closed", lambda: sum(map(is_closed, idle)) == 2 * PER_SOURCE)
        assert descriptors(switch) <= before + 2 * PER_SOURCE + 2
        with connect(switch, "127.5.0.3") as other:
            assert ask(other, "other").startswith(b"SIP/2.0 ")
        with connect(switch, "127.5.0.3", SECURE) as other, trusting(authority, other) as secured:
            assert ask(secured, "secured").startswith(b"SIP/2.0 ")
        wait_until("half-open TLS closed", lambda: all(map(is_closed, half)), WITHIN)
    finally:
        for each in (*idle, *half):
            each.close()
    wait_until("nothing left", lambda: descriptors(switch) <= before)


def test_a_flood_of_one_host_costs_nobody_a_call_and_the_log_few_lines(
    tmp_path: Path, authority: Authority
) -> None:
    """A-FLOOD1, A-FLOOD3: 6,000 INVITEs, BYEs, ACKs, responses and broken messages in 3 s from one address;
    of the trunk's 12 calls in between each is answered, and what is logged of the flood is sampled.
    """
    with Switch(tmp_path, config=configuration(authority)) as switch:
        phone, caller = free_port(), free_port()
        register(tmp_path, switch.sip_port, switch.seats, port=phone)
        for seat in switch.seats:
            switch.rpc().call("session.login", hotline="96198", seat=seat, password="demo")
        before = len(switch.log_path.read_text().splitlines())
        target = f"{TRUNK}:{switch.sip_port}"
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder,
            Sipp(tmp_path, "seat", port=phone, calls=12),
            Sipp(
                tmp_path, "caller", port=caller, target=target, calls=12, rate=4, options=("-d", "300")
            ) as callers,
        ):
            flooder.bind(("127.5.0.9", 0))
            began, sent = monotonic(), 0
            while sent < 6_000:
                while sent < (monotonic() - began) * 2_000:
                    flooder.sendto(bad(sent), (TRUNK, switch.sip_port))
                    sent += 1
                select.select([], [], [], 0.005)
            assert callers.wait() == 0
        wait_until("rows", lambda: len(switch.rows("calls")) == 12)
        assert {row["verdict"] for row in switch.rows("calls")} == {"success"}
        lines = switch.log_path.read_text().splitlines()[before:]
        assert len([line for line in lines if "call ended" not in line]) <= 12
        assert errors_of(switch.log_path) == []


def test_a_stranger_learns_no_version(switch: Switch) -> None:
    """A-SCAN1: OPTIONS and INVITE of a scanner draw no number of a version, wherever one may stand."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.5.0.4", 0))
        stranger.settimeout(WITHIN)
        via = f"127.5.0.4:{stranger.getsockname()[1]}"
        for method, body in (("OPTIONS", b""), ("INVITE", SDP)):
            data = request(method, via=via, branch=f"z9hG4bKscan{method}", call_id=method, body=body)
            stranger.sendto(data, (TRUNK, switch.sip_port))
            answer = parse_message(stranger.recv(65_536))
            assert isinstance(answer, Response)
            assert answer.status in {200, 401, 403, 404}
            assert answer.header("server") in (None, "seatswitch")
            assert answer.header("user-agent") is None


class Phone:
    """A UDP socket at an address of its own that asks and hears."""

    def __init__(self, switch: Switch, host: str) -> None:
        self.host = host
        self._switch = switch
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(WITHIN)
        self._count = 0

    def __enter__(self) -> "Phone":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, method: str, uri: str, **more: Any) -> Response:
        """Send a request and return its final answer."""
        self._count += 1
        branch = f"z9hG4bK{self.host}-{self._count}"
        via = f"{self.host}:{self._socket.getsockname()[1]}"
        more.setdefault("call_id", branch)
        data = request(method, uri, branch=branch, via=via, **more)
        self._socket.sendto(data, (TRUNK, self._switch.sip_port))
        while True:
            answer = parse_message(self._socket.recv(65_536))
            if isinstance(answer, Response) and answer.via.branch == branch and answer.status >= 200:
                return answer

    def register(self, user: str, password: str) -> int:
        """Answer the challenge to a REGISTER; return the status."""
        me = f"<sip:{user}@{TRUNK}>"
        more: dict[str, Any] = {"from_": f"{me};tag=r", "to": me, "contact": f"<sip:{user}@{self.host}>"}
        asked = self.ask("REGISTER", f"sip:{TRUNK}", **more)
        if asked.status != 401:
            return asked.status
        values, secret = asked.headers("www-authenticate"), Secret(password)
        said = answer_challenge(values, user, secret, "REGISTER", f"sip:{TRUNK}", b"", "cn")
        return self.ask("REGISTER", f"sip:{TRUNK}", headers=(f"Authorization: {said}",), **more).status


def test_a_crack_ends_after_ten_guesses(switch: Switch) -> None:
    """A-CRACK: then the right password is refused too, and another host's is taken."""
    with Phone(switch, "127.5.0.5") as cracker, Phone(switch, "127.5.0.6") as owner:
        assert [cracker.register("8001", f"guess{number}") for number in range(10)] == [401] * 10
        assert cracker.register("8001", "demo") == 403
        assert owner.register("8001", "demo") == 200


def test_a_forged_bye_ends_no_call(switch: Switch) -> None:
    """A-DLG: right Call-ID and tags from another address, and from the right one with a wrong tag."""
    uri, rpc = f"sip:96198@{TRUNK}", switch.rpc()
    with Phone(switch, TRUNK) as caller, Phone(switch, "127.5.0.7") as forger:
        named: dict[str, Any] = {"call_id": "forged", "from_": f"<sip:138@{TRUNK}>;tag=mine"}
        answer = caller.ask("INVITE", uri, body=SDP, **named)
        assert answer.status == 200
        to = answer.header("to") or ""
        assert forger.ask("BYE", uri, to=to, cseq=2, **named).status in (403, 481)
        assert caller.ask("BYE", uri, to=f"{to}x", cseq=2, **named).status == 481
        assert [call["caller"] for call in rpc.call("call.list")] == ["138"]
        assert caller.ask("BYE", uri, to=to, cseq=3, **named).status == 200
        wait_until("the call's end", lambda: rpc.call("call.list") == [])
