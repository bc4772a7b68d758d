"""The torture messages of RFC 4475 and RFC 5118 at a whole switch, over UDP and over TCP on real sockets: the
answer that the manifest beside them allows, and a switch that is alive after each.
"""

import json
import os
import re
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sip.grammar import SipError
from sip.message import Response
from sip.parser import StreamParser, parse_message
from tests.sip.scene import request
from tests.wire.switch import Switch

pytestmark = pytest.mark.wire

DATA = Path(__file__).resolve().parents[1] / "data" / "torture"
# What may become of a request that is in order: what it asks for, a challenge, nobody there.
NORMAL = frozenset({100, 180, 200, 401, 403, 404, 405, 480, 481, 482, 486, 488, 501})


def entries() -> list[dict[str, Any]]:
    """Return all 62, each with its bytes and the statuses that it may draw; none: no answer."""
    found = []
    for folder in ("rfc4475", "rfc5118"):
        for entry in json.loads((DATA / folder / "manifest.json").read_text(encoding="utf-8")):
            entry["data"] = (DATA / folder / f"{entry['name']}.dat").read_bytes()
            entry["allowed"] = allowed(entry)
            # Answers go to the port of the Via at the source's address: an address of its own for each.
            entry["ours"] = (f"127.{len(found) + 1}.{os.getpid() % 200 + 1}.77", via_port(entry["data"]))
            # Some share branch and sent-by with another, and are its retransmission to a switch.
            entry["is_repeated"] = any(transaction_of(entry) == transaction_of(other) for other in found)
            found.append(entry)
    return found


def via_port(data: bytes) -> int:
    try:
        message = parse_message(data)
        return message.via.port or 5060
    except SipError:
        return 5060


def transaction_of(entry: dict[str, Any]) -> tuple[bytes | None, bytes]:
    branch = re.search(rb";branch=([^;,\s]*)", entry["data"])
    return branch and branch[1], entry["data"].partition(b" ")[0]


def allowed(entry: dict[str, Any]) -> frozenset[int]:
    if "expected" in entry:  # RFC 5118
        return frozenset({400}) if entry["expected"].startswith("reject") else NORMAL
    words = entry["uas"]
    if words == "response" or entry["response"]:
        return frozenset()
    statuses = frozenset(int(word) for word in words if word.isdigit())
    return statuses | NORMAL if "normal" in words or "ignore-headers" in words else statuses


def may_be_silent(entry: dict[str, Any]) -> bool:
    return (
        entry["is_repeated"]
        or not entry["allowed"]
        or "drop" in entry.get("uas", ())
        or entry["name"] == "baddn"
    )


@pytest.fixture(scope="module")
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def switch(transport: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    """A switch per transport: what comes a second time is a retransmission, whatever way it takes."""
    with Switch(tmp_path_factory.mktemp(transport)) as one:
        yield one
        status = one.rpc().call("admin.status")
        assert status["shell"]["bugs"] == {}


def assert_alive(switch: Switch, transport: str, name: str) -> None:
    """Ask for OPTIONS from another address, as somebody else would. What came before has been read then, and
    whatever it drew has been sent.
    """
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(5.0)
        other.connect(("127.0.0.1", switch.sip_port))
        via = f"127.0.0.1:{other.getsockname()[1]}"
        branch = f"z9hG4bKalive{name.replace('-', '')}{transport}"
        for number in "12":
            key = branch + number
            other.sendall(request("OPTIONS", transport=transport.upper(), via=via, branch=key, call_id=key))
            assert other.recv(65_536).startswith(b"SIP/2.0 200 "), f"no life after {name} over {transport}"


@pytest.mark.parametrize("transport", ["udp"], indirect=True)
@pytest.mark.parametrize("entry", entries(), ids=lambda entry: str(entry["name"]))
def test_over_udp(switch: Switch, entry: dict[str, Any]) -> None:
    """RFC 4475, RFC 5118: one datagram, one answer at most besides 100 and its repetitions."""
    found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(entry["ours"])
        ours.sendto(entry["data"], ("127.0.0.1", switch.sip_port))
        assert_alive(switch, "udp", entry["name"])
        while select.select([ours], [], [], 0.0)[0]:
            answer = parse_message(ours.recv(65_536))
            assert isinstance(answer, Response)
            found.add(answer.status)
    assert found <= entry["allowed"], f"{entry['name']} drew {found}"
    assert found or may_be_silent(entry)


@pytest.mark.parametrize("transport", ["tcp"], indirect=True)
@pytest.mark.parametrize("entry", entries(), ids=lambda entry: str(entry["name"]))
def test_over_tcp(switch: Switch, entry: dict[str, Any]) -> None:
    """RFC 4475, RFC 5118 over a stream, where Content-Length is a must: what leaves the framing in doubt is
    refused, or waited for, and the connection closed.
    """
    with socket.create_connection(("127.0.0.1", switch.sip_port), 5.0) as ours:
        ours.sendall(entry["data"])
        parser, found, is_closed = StreamParser(), [], False
        assert_alive(switch, "tcp", entry["name"])
        while not is_closed and select.select([ours], [], [], 0.0)[0]:
            data = ours.recv(65_536)
            is_closed = not data
            for message in parser.feed(data):
                assert isinstance(message, Response)
                found.append(message.status)
    name = entry["name"]
    has_length = re.search(rb"\n(?:content-length|l)\s*:", entry["data"], re.IGNORECASE)
    if has_length is None:
        assert set(found) <= {400} | entry["allowed"]
        assert is_closed
    elif name == "dblreq":
        # On a stream there are two requests; the second one's end never comes.
        assert set(found) <= NORMAL | {400}
        assert found
    else:
        assert set(found) <= entry["allowed"] | ({400} if is_closed else set()), f"{name} drew {found}"
        assert found or is_closed or may_be_silent(entry) or name == "clerr"
