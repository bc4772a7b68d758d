"""Trunks by name, and requests that are too large for a datagram, with SIPp and a name server on loopback."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.seatswitch.shell.nameserver import NameServer
from tests.wire.phones import Sipp
from tests.wire.switch import CONFIG, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete

pytestmark = pytest.mark.wire

TRUNK = """
[[trunk]]
name = "outside"
tenant = "demo"
contact = "{contact}"
try_for = "10s"
[[tenant]]"""
HOTLINE = '  {{number = "96210", entry = "number:13900000001"}},\n  {{number = "96198"'


def configuration(contact: str, sip: str) -> str:
    """The usual switch, with a trunk to the outside and a hotline that leads there."""
    trunk = TRUNK.format(contact=contact)
    return (
        CONFIG.replace("[media]", f"{sip}\n[media]", 1)
        .replace("[[tenant]]", trunk, 1)
        .replace('  {{number = "96198"', HOTLINE, 1)
    )


@contextmanager
def name_server(records: dict[tuple[str, str], tuple[int, list[str]]]) -> Iterator[NameServer]:
    """A name server in a thread of its own."""
    loop, server = asyncio.new_event_loop(), NameServer()
    server.records = records
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        server.stop()
        loop.run_until_complete(asyncio.sleep(0.01))  # in which its socket is closed
        loop.close()


def call_through(switch: Switch, folder: Path, port: int, calls: int, *options: str) -> list[str]:
    """Call the hotline that leads outside, and return the verdicts; the carrier is SIPp at ``port``."""
    key = ("-key", "mouth", str(free_port()))
    with Sipp(folder, "called", port=port, calls=calls, options=(*key, *options)) as carrier:
        caller = Sipp(
            folder,
            "caller",
            port=free_port(),
            target=f"127.0.0.1:{switch.sip_port}",
            calls=calls,
            service="96210",
            options=("-d", "200"),
        )
        caller.finish()
        carrier.finish()
    wait_until("no call is left", lambda: not switch.rpc().call("call.list"))
    return [str(row["verdict"]) for row in rows_when_complete(switch, "calls", calls)]


def test_a_trunk_by_name_whose_first_host_is_dead(tmp_path: Path) -> None:
    """RFC 3263: no NAPTR, two services; the host that nobody listens at is left for the next one, and the
    next calls begin there. Every question is asked once.
    """
    dead, live = free_port(), free_port()
    records = {
        ("SRV", "_sip._udp.carrier.example"): (
            300,
            [f"1 1 {dead} dead.carrier.example.", f"2 1 {live} live.carrier.example."],
        ),
        ("A", "dead.carrier.example"): (300, ["127.0.0.1"]),
        ("A", "live.carrier.example"): (300, ["127.0.0.1"]),
    }
    with name_server(records) as server:
        config = configuration("sip:carrier.example", f'dns = ["127.0.0.1:{server.port}"]')
        with Switch(tmp_path, config=config) as switch:
            assert call_through(switch, tmp_path, live, 5) == ["success"] * 5
        assert sorted(server.asked) == [
            ("A", "dead.carrier.example"),
            ("A", "live.carrier.example"),
            ("NAPTR", "carrier.example"),
            ("SRV", "_sip._tcp.carrier.example"),
            ("SRV", "_sip._udp.carrier.example"),
        ]


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_trunk_whose_name_leads_nowhere(tmp_path: Path, is_silent: bool) -> None:
    """The caller hears 503 after seconds at most, calls to queues go on, the log names the name."""
    with name_server({}) as server:
        server.is_silent = is_silent
        config = configuration("sip:nowhere.example:5060", f'dns = ["127.0.0.1:{server.port}"]')
        with Switch(tmp_path, config=config) as switch:
            caller = Sipp(
                tmp_path,
                "caller_refused",
                port=free_port(),
                target=f"127.0.0.1:{switch.sip_port}",
                service="96210",
                status=503,
            )
            caller.finish()
            (row,) = rows_when_complete(switch, "calls", 1)
            assert (row["sip_status"], row["verdict"]) == (503, "network:unreachable")
            assert "a name leads nowhere" in switch.log_path.read_text()
            assert "nowhere.example" in switch.log_path.read_text()


def test_a_large_invite_goes_by_tcp_to_a_carrier_that_takes_it(tmp_path: Path) -> None:
    """RFC 3261 18.1.1: SIPp listens on TCP alone."""
    port = free_port()
    config = configuration(f"sip:127.0.0.1:{port}", "datagram_max = 300")
    with Switch(tmp_path, config=config) as switch:
        assert call_through(switch, tmp_path, port, 3, "-t", "t1") == ["success"] * 3


def test_a_large_invite_goes_by_udp_where_tcp_is_refused(tmp_path: Path) -> None:
    """RFC 3261 18.1.1: SIPp listens on UDP alone."""
    port = free_port()
    config = configuration(f"sip:127.0.0.1:{port}", "datagram_max = 300")
    with Switch(tmp_path, config=config) as switch:
        assert call_through(switch, tmp_path, port, 3) == ["success"] * 3
