"""Attacks of the checklist by what is said: JSON, descriptions of media, and text that somebody will read.
At a real switch; good calls go on meanwhile.
"""

import json
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from benchmarks.soak_sip import anonymous, errors_of
from sip.message import Request, Response
from tests.ports import free_port
from tests.wire.party import SDP, TRUNK, WITHIN, Calm, Party
from tests.wire.switch import CONFIG, ROOT, Switch, wait_until

pytestmark = pytest.mark.wire

TOKEN = "supervisors-token-0123456789"
DNS = free_port()
GROWTH_MAX = 30_000_000  # bytes of the switch's own memory, whatever is sent
LOCAL = "127.0.0.1"


def configuration() -> str:
    """Tokens for TCP, one trunk, and a name server that is ours."""
    config = CONFIG.replace('accept = ["127.0.0.0/8"]', f'accept = ["{TRUNK}/32"]')
    config = config.replace("[media]", f'dns = ["{LOCAL}:{DNS}"]\n[media]')
    tokens = f'tokens = [{{{{name = "board", role = "supervisor", token = "{TOKEN}"}}}}]\n\n[store]'
    return config.replace("[store]", tokens, 1)


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with Switch(tmp_path_factory.mktemp("injection"), config=configuration()) as one:
        yield one
        assert one.rpc().call("admin.status")["shell"]["bugs"] == {}
        assert errors_of(one.log_path) == []
        written = one.log_path.read_bytes()
        for secret in (TOKEN, "never-say-this"):
            assert secret.encode() not in written, f"{secret} is in the log"


class Line:
    """A JSON-RPC connection over TCP: a stranger, or whoever shows the token."""

    def __init__(self, switch: Switch, token: str = "") -> None:
        text = switch.config_path.read_text()
        port = int(text.rpartition("tcp://127.0.0.1:")[2].partition('"')[0])
        self.socket = socket.create_connection((LOCAL, port), WITHIN)
        self._file = self.socket.makefile("rb")
        self._count = count(1)
        if token:
            assert "result" in self.ask("session.token", token=token)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def say(self, text: bytes) -> Any:
        """Send one line and return the answer; None where the connection has ended."""
        try:
            self.socket.sendall(text + b"\n")
            line = self._file.readline()
        except OSError:
            return None
        return json.loads(line) if line else None

    def ask(self, method: str, **params: Any) -> Any:
        """Return the answer to one request."""
        request = {"jsonrpc": "2.0", "id": next(self._count), "method": method, "params": params}
        return self.say(json.dumps(request).encode())

    def code(self, text: bytes) -> int:
        """Return the code of the error that a line draws; 0: the connection has ended."""
        answer = self.say(text)
        return 0 if answer is None else int(answer["error"]["code"])


def called(method: str, params: str, number: int | str = 1) -> bytes:
    return f'{{"jsonrpc":"2.0","id":{number},"method":"{method}","params":{params}}}'.encode()


SEAT = '{"seat":"8001"}'
BAD_TEXTS = {
    "deep arrays": (b"[" * 10_000 + b"]" * 10_000, -32600),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, -32600),
    "deep and open": (b"[" * 10_000, -32600),
    "deep in params": (called("seat.get", '{"seat":' + "[" * 200 + "]" * 200 + "}"), -32600),
    "brackets in a text": (called("seat.get", '{"seat":"' + "[" * 300 + '"}'), -32602),
    "NaN": (called("seat.get", '{"seat":NaN}'), -32700),
    "Infinity": (called("calls.list", '{"limit":Infinity}'), -32700),
    "number for a text": (called("seat.get", '{"seat":8001}'), -32602),
    "list for an object": (called("seat.get", '["8001"]'), -32602),
    "null": (called("seat.get", "null"), -32600),
    "huge number": (called("seat.get", '{"seat":1e999}'), -32602),
    "unknown parameter": (called("seat.get", '{"seat":"8001","__class__":"x"}'), -32602),
    "no UTF-8": (called("seat.get", '{"seat":"\xff"}').decode().encode("latin-1"), -32700),
    "half a surrogate": (called("seat.get", '{"seat":"\\ud800"}'), -32700),
    "batch of 100,000": (b"[" + b",".join([b"1"] * 100_000) + b"]", -32600),
    "batch of 101": (b"[" + b",".join([called("session.whoami", "{}")] * 101) + b"]", -32600),
    "id that is an object": (called("session.whoami", "{}", '{"a":1}'), -32600),
    "method that is a number": (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
    "private method": (called("__init__", "{}"), -32601),
    "other version": (b'{"jsonrpc":"1.0","id":1,"method":"session.whoami"}', -32600),
}


@pytest.mark.parametrize("text", BAD_TEXTS, ids=lambda it: it.replace(" ", "-"))
def test_bad_json_is_an_error_with_its_code(switch: Switch, text: str) -> None:
    """A-JSON: from a supervisor, who is served afterwards."""
    data, code = BAD_TEXTS[text]
    with Line(switch, TOKEN) as line:
        assert line.code(data) == code
        assert "result" in line.ask("session.whoami")


def test_of_equal_keys_the_last_counts(switch: Switch) -> None:
    """A-JSON: in the request and in its parameters; a role cannot be smuggled in beside another."""
    with Line(switch, TOKEN) as line:
        text = b'{"jsonrpc":"2.0","id":1,"method":"admin.drain","method":"seat.get","params":'
        answer = line.say(text + b'{"seat":"8009","seat":"8001"}}')
        assert answer["result"]["seat"] == "8001"
        assert line.say(text.replace(b'"seat.get"', b'"admin.drain"') + b"{}}")["error"]["data"]["word"]
    assert not switch.rpc().call("admin.status")["draining"]


def test_a_hundred_megabytes_cost_no_memory(switch: Switch) -> None:
    """A-JSON: a line without end, from a stranger, from a supervisor, and by ten at once."""
    assert switch.process is not None
    pid = switch.process.pid
    with Calm(switch):
        before, most = anonymous(pid), 0
        lines = [Line(switch), *(Line(switch, TOKEN) for _ in range(10))]
        block, sent = b"x" * 65_536, 0
        left = {line.socket.fileno(): line for line in lines}
        while left and sent < 100 * 1_048_576:
            for number, line in list(left.items()):
                try:
                    sent += line.socket.send(block)
                except OSError:
                    del left[number]
            most = max(most, anonymous(pid))
        assert not left, "somebody is still listened to"
        for line in lines:
            line.__exit__()
        assert most - before < GROWTH_MAX


CONTROL = ("\r\n", "\n", "\r", "\0", "\r\nX-Evil: 1\r\n", "\u2028", "\x1b[31m", "\x7f")


def test_no_control_character_reaches_sip(switch: Switch) -> None:
    """A-JSON: line ends, NUL and escapes in every text of a request that could be written into a message."""
    with Line(switch) as desk, Party(switch, "127.7.0.1") as phone:
        assert phone.register("8001", "demo") == 200
        login = {"hotline": "96198", "seat": "8001", "password": "demo"}
        assert "result" in desk.ask("session.login", **login)
        for text in CONTROL:
            for method, params in (
                ("call.dial", {"number": f"2001{text}"}),
                ("call.dial", {"number": "2001", "display": f"96198{text}"}),
                ("call.transfer", {"to": f"extension:2001{text}"}),
                ("session.login", login | {"seat": f"8002{text}"}),
                ("seat.bind", {"phone": f"softphone{text}"}),
                ("call.tag", {"tag": f"a{text}"}),
                ("session.token", {"token": f"{TOKEN}{text}"}),
            ):
                answer = desk.ask(method, **params)
                assert "error" in answer, (method, text, answer)
        assert "result" in desk.ask("seat.pause", reason="rest")
        assert "error" in desk.ask("seat.pause", reason="rest\r\nX-Evil: 1")
        assert [each for each in phone.listen(0.3) if isinstance(each, Request)] == []
        desk.ask("session.logout")


def test_a_page_cannot_post_to_the_port_and_a_url_is_not_written_down(switch: Switch) -> None:
    """A-JSON: HTTP is hung up on at its first line, with a method line of ours behind it unread, and with a
    secret in the URL that is nowhere afterwards.
    """
    drain = called("admin.drain", "{}")
    for first in (b"POST / HTTP/1.1", b"GET /?token=never-say-this HTTP/1.1", b"OPTIONS * HTTP/1.0"):
        with Line(switch) as line:
            assert line.say(first + b"\r\nHost: localhost\r\nOrigin: http://evil\r\n\r\n" + drain) is None
    assert not switch.rpc().call("admin.status")["draining"]


def test_a_wrong_password_takes_as_long_as_an_unknown_seat(switch: Switch) -> None:
    """A-JSON: and says the same, letter by letter; after ten the right one is refused too."""
    answers: dict[str, list[Any]] = {}
    for seat in ("8005", "8999"):
        with Line(switch) as line:
            login = {"hotline": "96198", "seat": seat, "password": "never-say-this"}
            answers[seat] = [line.ask("session.login", **login) for _ in range(10)]
    assert answers["8005"] == answers["8999"]
    assert {it["error"]["data"]["word"] for it in answers["8005"]} == {"BAD_LOGIN"}
    with Line(switch) as line:
        right = line.ask("session.login", hotline="96198", seat="8005", password="demo")
        assert right["error"]["data"]["word"] == "TRY_LATER"
        assert "result" in line.ask("session.login", hotline="96198", seat="8006", password="demo")
        line.ask("session.logout")


def test_who_does_not_read_is_hung_up_on(switch: Switch) -> None:
    """A-JSON: a supervisor who asks for everything and reads nothing; others are served, memory is flat."""
    assert switch.process is not None
    pid = switch.process.pid
    with Calm(switch), Line(switch, TOKEN) as slow, Line(switch, TOKEN) as other:
        before = anonymous(pid)
        ask = called("rpc.discover", "{}") + b"\n"
        ended = False
        for _ in range(2_000):
            try:
                slow.socket.settimeout(0.2)
                slow.socket.sendall(ask)
            except (BrokenPipeError, ConnectionResetError):
                ended = True
                break
            except TimeoutError:
                pass
            assert "result" in other.ask("session.whoami")
        assert ended
        assert anonymous(pid) - before < GROWTH_MAX
    assert "RPC client disconnected: it does not read" in switch.log_path.read_text()


def description(media: str = "m=audio 4000 RTP/AVP 0", host: str = TRUNK, more: str = "") -> bytes:
    """Return a description of one audio stream."""
    return f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n{media}\r\n{more}".encode()


REFUSED = {
    "port 0": description("m=audio 0 RTP/AVP 0"),
    "port 65536": description("m=audio 65536 RTP/AVP 0"),
    "negative port": description("m=audio -4000 RTP/AVP 0"),
    "port of another script": description("m=audio \u0664000 RTP/AVP 0"),
    "multicast": description(host="224.0.0.1"),
    "multicast with a ttl": description(host="239.255.0.1/127/3"),
    "broadcast": description(host="255.255.255.255"),
    "this network": description(host="0.1.2.3"),
    "name": description(host="victim.example"),
    "IPv6 that is IPv4": description(host="::ffff:224.0.0.1"),
    "no connection": b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    "5,000 attributes": description(more="a=sendrecv\r\n" * 5_000),
    "600 lines": description(more="a=x\r\n" * 600),
    "1,000 media": description(more="m=audio 4002 RTP/AVP 0\r\n" * 1_000),
    "17 media": description(more="m=audio 4002 RTP/AVP 0\r\n" * 17),
    "payload type 999": description("m=audio 4000 RTP/AVP 999", more="a=rtpmap:999 PCMU/8000\r\n"),
    "contradictory rtpmaps": description(
        "m=audio 4000 RTP/AVP 96", more="a=rtpmap:96 PCMU/8000\r\na=rtpmap:96 L16/44100\r\n"
    ),
    "nothing but CRLF": b"\r\n" * 100,
    "no SDP": b"\x00\xff" * 500,
    "negative ptime": description(more="a=ptime:-20\r\n"),
    "huge ptime": description(more="a=ptime:99999999999999999999\r\n"),
    "fraction of a ptime": description(more="a=ptime:1e3\r\n"),
    "line end of a Mac": description(more="a=x:1\ra=sendonly\r\n"),
}
TAKEN = {
    "bandwidth that lies": description(more="b=AS:-1\r\n"),
    "attributes that nobody knows": description(more="a=x:\u202e'; DROP TABLE\r\n" * 100),
}


@pytest.fixture(scope="module")
def name_server() -> Iterator[socket.socket]:
    """Where the switch would ask for a name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((LOCAL, DNS))
        yield one


@pytest.mark.parametrize("case", [*REFUSED, *TAKEN], ids=lambda it: it.replace(" ", "-"))
def test_a_description_is_refused_or_harmless(switch: Switch, name_server: socket.socket, case: str) -> None:
    """A-SDP: of a caller of the trunk: 488, 400 or 413; what is taken is a call as any other. Nobody is asked
    for a name.
    """
    body = REFUSED.get(case) or TAKEN[case]
    with Party(switch, TRUNK) as caller:
        uri = f"sip:96198@{TRUNK}"
        answer = caller.ask("INVITE", uri, body=body, from_=f"<sip:13900000001@{TRUNK}>;tag=s")
        if case in REFUSED:
            assert answer.status in (400, 413, 488), answer.status
        else:
            assert answer.status == 200
            caller.acknowledge(answer, uri)
            named = {"call_id": answer.call_id, "from_": answer.header("from"), "to": answer.header("to")}
            assert caller.ask("BYE", uri, cseq=2, **named).status == 200
        assert caller.ask("OPTIONS", uri).status == 200
    assert select.select([name_server], [], [], 0.0)[0] == []


def test_no_media_to_whom_a_description_may_not_name(switch: Switch) -> None:
    """A-SDP: our own SIP, JSON-RPC and RTP ports, DNS and other ports below 1024: the caller is taken or not,
    and no packet goes there. A phone's answer is held to the same.
    """
    rpc = switch.rpc()
    victims = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    try:
        for number, victim in enumerate(victims):
            victim.bind(("127.0.0.9", 53 + 70 * number))  # DNS, NTP
        before = rpc.call("admin.status")["sip"]
        with Party(switch, TRUNK) as caller:
            uri = f"sip:96198@{TRUNK}"
            for host, port in (
                *((TRUNK, port) for port in (switch.sip_port, *range(*switch.rtp_ports, 40))),
                *(("127.0.0.9", port) for port in (53, 123)),
            ):
                body = description(f"m=audio {port} RTP/AVP 0", host)
                answer = caller.ask("INVITE", uri, body=body)
                assert answer.status in (200, 488)
                if answer.status == 200:
                    caller.acknowledge(answer, uri)
                    caller.listen(0.1)
                    named = {"call_id": answer.call_id, "to": answer.header("to")}
                    assert caller.ask("BYE", uri, cseq=2, **named).status == 200
        assert select.select(victims, [], [], 0.2)[0] == []
        after = rpc.call("admin.status")["sip"]
        assert after["dropped"] == before["dropped"]
    finally:
        for victim in victims:
            victim.close()


EVIL_TEXTS = {
    "sql": "x'); DROP TABLE calls; --",
    "html": "<script>alert(1)</script>",
    "formula": "=HYPERLINK(http://evil)",
    "log line": "a 2026-01-01T00:00:00Z info call ended",
    "path": "../../../../etc/passwd",
    "percent": "100%s%n%x{0.__class__}",
    "queue log": "a|b|COMPLETECALLER|1|2",
    "unicode": "\u202egnp.exe \u7761 \U0001f600",
}


@pytest.mark.parametrize("kind", EVIL_TEXTS)
def test_what_callers_call_themselves_is_kept_as_it_is_and_written_safely(switch: Switch, kind: str) -> None:
    """A-INJ: in the display name, User-Agent and Subject: verbatim in the row and in the object; every line
    of the log begins with its time, every one of the queue log has its fields.
    """
    text = EVIL_TEXTS[kind]
    shown = text.replace("\u202e", "")  # what turns a line round is left out
    caller_number = f"137{list(EVIL_TEXTS).index(kind):08}"
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    log_before = switch.log_path.read_bytes().count(b"\n")
    with Party(switch, TRUNK) as caller:
        uri = f"sip:96198@{TRUNK}"
        answer = caller.ask(
            "INVITE",
            uri,
            from_=f'"{quoted}" <sip:{caller_number}@{TRUNK}>;tag=i',
            headers=(f"User-Agent: {text}", f"Subject: {text}"),
            body=SDP,
        )
        assert answer.status == 200
        caller.acknowledge(answer, uri)
        (view,) = [it for it in switch.rpc().call("call.list") if it["caller"] == caller_number]
        assert view["caller_name"] == shown
        named = {"call_id": answer.call_id, "from_": answer.header("from"), "to": answer.header("to")}
        assert caller.ask("BYE", uri, cseq=2, **named).status == 200
    rows = wait_until("the row", lambda: [r for r in switch.rows("calls") if r["caller"] == caller_number])
    assert rows[0]["caller_name"] == shown
    added = switch.log_path.read_bytes().split(b"\n")[log_before:]
    assert all(line.startswith(b"20") for line in added if line)
    done = seatswitch(switch, "queue-log")
    assert done.returncode == 0, done.stderr
    assert all(len(line.split("|")) >= 5 for line in done.stdout.splitlines())
    assert len([line for line in done.stdout.splitlines() if caller_number in line]) <= 2
    assert "Traceback" not in done.stdout + done.stderr


def seatswitch(switch: Switch, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "seatswitch", "--socket", str(switch.socket_path), *arguments]
    if arguments[0] == "queue-log":
        command += ["-c", str(switch.config_path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_no_header_can_be_written_into_ours(switch: Switch) -> None:
    """A-INJ: line ends, escaped and bare, and commas, in From, Refer-To and the Request-URI of who calls: the
    seat's phone is sent no header and no address of the caller's making.
    """
    with Party(switch, TRUNK) as caller, Party(switch, "127.7.0.2") as phone:
        assert phone.register("2001", "demo") == 200
        uri = f"sip:96200@{TRUNK}"
        for number, from_ in enumerate(
            (
                f'"a%0d%0aX-Evil: 1" <sip:139@{TRUNK}>;tag=j',
                f"<sip:139%0d%0aX-Evil%3a%201@{TRUNK}>;tag=j",
                f'"a\\\r" <sip:139@{TRUNK}>;tag=j',
                f'"a", <sip:139@{TRUNK}>;tag=j',
                f'"a" <sip:139@{TRUNK}>;tag=j, <sip:evil@{TRUNK}>',
                f'"a\x00" <sip:139@{TRUNK}>;tag=j',
                f'"a" <sip:139@{TRUNK}?X-Evil=1>;tag=j',
                f'"\x1b]0;owned\x07" <sip:139@{TRUNK}>;tag=j',
            )
        ):
            branch = caller.send("INVITE", uri, from_=from_, call_id=f"inj{number}", body=SDP)
            heard = caller.listen(0.4)
            refused = [it for it in heard if isinstance(it, Response) and it.status >= 300]
            if refused:
                assert refused[0].status in (400, 403, 404), from_
                continue
            asked = phone.hear("INVITE", 1.0)
            lines = asked.lines
            assert not any(line.lower().startswith("x-evil") for line in lines)
            assert len([line for line in lines if line.lower().startswith("from:")]) == 1
            assert "\x1b" not in "\n".join(lines)
            assert "\0" not in "\n".join(lines)
            assert "<sip:evil@" not in "\n".join(lines)
            phone.answer(asked, 486)
            caller.final(branch, "INVITE", uri)
