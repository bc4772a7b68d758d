"""A-ROUTE: whatever a request names - Route, maddr, sent-by, a host in the Request-URI - nothing is
sent to a host that did not ask.
"""

import select
import socket
from collections.abc import Iterator

import pytest

from tests.sip.scene import SDP, request
from tests.wire.switch import Switch

pytestmark = pytest.mark.wire

VICTIM = "127.0.0.9"
CASES = {
    "route": {"headers": (f"Route: <sip:{VICTIM}:5060;lr>",)},
    "strict route": {"headers": (f"Route: <sip:{VICTIM}>",)},
    "uri": {"uri": f"sip:96198@{VICTIM}"},
    "uri with a port": {"uri": f"sip:96198@{VICTIM}:5060"},
    "maddr in the uri": {"uri": f"sip:96198@127.0.0.1;maddr={VICTIM}"},
    "route in the uri": {"uri": f"sip:96198@127.0.0.1?Route=%3Csip:{VICTIM};lr%3E"},
    "sent-by": {"via": f"{VICTIM}:5060"},
    "maddr in Via": {"via": f"127.0.0.1;maddr={VICTIM};ttl=1"},
    "received in Via": {"via": f"127.0.0.1;received={VICTIM};rport=5060"},
    "record-route": {"headers": (f"Record-Route: <sip:{VICTIM}:5060;lr>",)},
    "no hops": {"max_forwards": 0, "headers": (f"Route: <sip:{VICTIM};lr>",)},
    "name": {"headers": ("Route: <sip:victim.example;lr>",), "uri": "sip:96198@victim.example"},
}


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with Switch(tmp_path_factory.mktemp("routes")) as one:
        yield one


@pytest.fixture
def victim() -> Iterator[list[socket.socket]]:
    """Sockets where nothing may arrive: UDP and TCP at port 5060 of another host."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
    ):
        udp.bind((VICTIM, 5060))
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((VICTIM, 5060))
        tcp.listen()
        yield [udp, tcp]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "BYE", "REGISTER"])
@pytest.mark.parametrize("case", CASES, ids=lambda it: it.replace(" ", "-"))
def test_no_packet_to_a_third_host(
    switch: Switch, victim: list[socket.socket], case: str, method: str
) -> None:
    """From a stranger; what the switch has to say goes back to where it was asked from."""
    to = "<sip:a@127.0.0.1>;tag=t" if method == "BYE" else "<sip:96198@127.0.0.1>"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.settimeout(5.0)
        key = f"{case}{method}".replace(" ", "").replace("-", "")
        data = request(
            method,
            branch=f"z9hG4bK{key}",
            call_id=key,
            to=to,
            contact=f"<sip:x@{VICTIM}>",
            body=SDP if method == "INVITE" else b"",
            **({"via": "127.0.0.1"} | CASES[case]),  # type: ignore[arg-type]
        )
        stranger.sendto(data, ("127.0.0.1", switch.sip_port))
        # The next request is answered after it: whatever the first one draws has left by then.
        port = stranger.getsockname()[1]
        alive = request("OPTIONS", via=f"127.0.0.1:{port}", branch=f"z9hG4bKalive{key}", call_id=f"a{key}")
        stranger.sendto(alive, ("127.0.0.1", switch.sip_port))
        while f"Call-ID: a{key}".encode() not in stranger.recv(65_536):
            continue
    assert select.select(victim, [], [], 0.05)[0] == []
