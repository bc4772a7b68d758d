"""Trunks on the wire, with SIPp as the carriers: failover, late answers, probes, registration, caps.

A caller comes in on one trunk, and the hotline that it calls is a number outside, reached through the trunk
``first`` and, failing that, ``second``. Timers of transactions run at an eighth of their length.
"""

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp
from tests.wire.switch import CONFIG, Rpc, Switch, wait_until

pytestmark = pytest.mark.wire

OUTSIDE = "96210"
TRY_FOR = 0.3  # seconds


class Office:
    """A switch with the trunks ``first`` and ``second``, whose carriers are at these ports."""

    def __init__(self, folder: Path, first: str = "", incoming: str = "") -> None:
        """``first`` and ``incoming`` are keys of the trunk ``first`` and of the one that callers come by."""
        self.folder = folder
        self.first, self.second = free_port(), free_port()
        text = CONFIG.replace("[sip]", '[sip]\nt1 = "60ms"\nt2 = "500ms"')
        text = text.replace(
            "hotlines = [", f'hotlines = [\n{{{{number = "{OUTSIDE}", entry = "number:139"}}}},'
        )
        text = text.replace('accept = ["127.0.0.0/8"]', f'accept = ["127.0.0.0/8"]\n{incoming}')
        trunks = "".join(
            f'[[trunk]]\nname = "{name}"\ncontact = "sip:127.0.0.1:{port}"\ntry_for = "{TRY_FOR}s"\n{keys}\n'
            for name, port, keys in (("first", self.first, first), ("second", self.second, ""))
        )
        routes = '[[route]]\ntrunks = ["first", "second"]\n'
        self.switch = Switch(folder, config=text.replace("[[tenant]]", f"{trunks}{routes}[[tenant]]", 1))

    def __enter__(self) -> "Office":
        self.switch.__enter__()
        self.admin = self.switch.rpc()
        return self

    def __exit__(self, *why: Any) -> None:
        self.switch.__exit__(*why)

    def caller(self, scenario: str = "caller", **options: Any) -> Sipp:
        """Call the number outside."""
        target = f"127.0.0.1:{self.switch.sip_port}"
        return Sipp(self.folder, scenario, port=free_port(), target=target, service=OUTSIDE, **options)

    def carrier(self, scenario: str, port: int, **options: Any) -> Sipp:
        """Let a carrier behave as ``scenario``."""
        return Sipp(self.folder, scenario, port=port, **options)

    def calls(self, count: int) -> list[tuple[str, int]]:
        """Return verdict and status of each call, once there are ``count`` and nothing is left of them."""
        wait_until("the rows", lambda: self.switch.count("calls") == count)
        assert self.admin.call("call.list") == []
        return [(str(row["verdict"]), int(row["sip_status"])) for row in self.switch.rows("calls")]


def trunk(admin: Rpc, name: str = "first") -> dict[str, Any]:
    """Return what the switch says of a trunk."""
    found: dict[str, Any] = next(row for row in admin.call("trunk.list") if row["trunk"] == name)
    return found


def test_503_leads_to_the_second_carrier(tmp_path: Path) -> None:
    with (
        Office(tmp_path) as office,
        office.carrier("seat_refuses", office.first, status=503) as first,
        office.carrier("seat", office.second) as second,
    ):
        with office.caller(options=("-d", "300")) as caller:
            for phone in (caller, first, second):
                phone.finish()
        assert office.calls(1) == [("success", 200)]
        assert trunk(office.admin)["failovers"] == 1


def test_busy_callee_is_tried_nowhere_else(tmp_path: Path) -> None:
    """486 is the callee's word, not the carrier's failure."""
    with (
        Office(tmp_path) as office,
        office.carrier("seat_refuses", office.first, status=486) as first,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
    ):
        second.bind(("127.0.0.1", office.second))
        with office.caller("caller_refused", status=486) as caller:
            for phone in (caller, first):
                phone.finish()
        assert office.calls(1)[0][1] == 486
        assert received(second) == []


def test_carrier_that_sends_on_is_followed(tmp_path: Path) -> None:
    """RFC 3665 3.6: 302 to an address that is a trunk's own, and ACK; then the INVITE goes there. Only for
    callers of ours: one who came in by a trunk is not led out by another (transit guard).
    """
    with Office(tmp_path) as office:
        there = ("-key", "second", str(office.second))
        with (
            office.carrier("carrier_redirects", office.first, options=there) as first,
            office.carrier("seat_hangs_up", office.second, options=("-d", "200")) as second,
            Sipp(
                tmp_path,
                "caller_behind_proxies",
                port=free_port(),
                target=f"127.0.0.1:{office.switch.sip_port}",
                service="13900000001",
                rows=["2001;[authentication username=2001 password=demo]"],
            ) as caller,
        ):
            for phone in (caller, first, second):
                phone.finish()
        assert office.calls(1) == [("success", 200)]


def test_silent_carrier_is_given_up(tmp_path: Path) -> None:
    """Nothing at all for ``try_for``: the next. No CANCEL before there is a provisional (RFC 3261 9.1)."""
    with (
        Office(tmp_path) as office,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
        office.carrier("seat", office.second) as second,
    ):
        first.bind(("127.0.0.1", office.first))
        with office.caller(options=("-d", "300")) as caller:
            for phone in (caller, second):
                phone.finish()
        assert office.calls(1) == [("success", 200)]
        assert trunk(office.admin)["failovers"] == 1
        assert dict.fromkeys(received(first)) == {b"INVITE": None}


@pytest.mark.parametrize("late", ["carrier_late_ringing", "carrier_late_answer"])
def test_carrier_that_answers_late_is_let_go(tmp_path: Path, late: str) -> None:
    """It rings after it was given up: CANCEL; it answers: ACK and BYE. Who talks meanwhile hears nothing."""
    with (
        Office(tmp_path) as office,
        office.carrier(late, office.first) as first,
        office.carrier("seat", office.second) as second,
    ):
        with office.caller(options=("-d", "2500")) as caller:
            first.finish()
            assert caller.process.poll() is None, "the conversation goes on"
            for phone in (caller, second):
                phone.finish()
        assert office.calls(1) == [("success", 200)]
        outward = [trunk(office.admin, name)["calls"] for name in ("first", "second")]
        assert outward == [0, 0]


def test_probe_takes_a_carrier_down_and_up(tmp_path: Path) -> None:
    """Three misses take it down and calls go past it; two answers bring it up and calls come back."""
    with Office(tmp_path, first='probe = {{every = "1s", down_after = 3, up_after = 2}}') as office:
        assert trunk(office.admin)["state"] == "up"
        wait_until("it is down", lambda: trunk(office.admin)["state"] == "down")
        with office.carrier("seat", office.second) as second, office.caller(options=("-d", "200")) as caller:
            for phone in (caller, second):
                phone.finish()
        assert trunk(office.admin)["failovers"] == 0, "it was not even tried"
        with office.carrier("carrier_probed", office.first, status=503, calls=2) as carrier:
            carrier.finish()  # 503 is no sign of life
        assert trunk(office.admin)["state"] == "down"
        with office.carrier("carrier_probed", office.first, status=200, calls=2) as carrier:
            carrier.finish()
        wait_until("it is up", lambda: trunk(office.admin)["state"] == "up")
        with office.carrier("seat", office.first) as carrier, office.caller(options=("-d", "200")) as caller:
            for phone in (caller, carrier):
                phone.finish()
        assert office.calls(2) == [("success", 200)] * 2


@pytest.mark.parametrize("cap", ["max_calls = 1", "max_cps = 1"])
def test_what_is_over_a_cap_goes_to_the_second_carrier(tmp_path: Path, cap: str) -> None:
    with (
        Office(tmp_path, first=cap) as office,
        office.carrier("seat", office.first) as first,
        office.carrier("seat", office.second) as second,
    ):
        with office.caller(calls=2, rate=20, options=("-d", "500")) as callers:
            for phone in (callers, first, second):
                phone.finish()
        assert office.calls(2) == [("success", 200)] * 2
        assert (trunk(office.admin)["over_cap"], trunk(office.admin)["calls_out"]) == (1, 1)


@pytest.mark.parametrize("cap", ["max_calls = 1", "max_cps = 1"])
def test_callers_over_a_cap_are_refused(tmp_path: Path, cap: str) -> None:
    with (
        Office(tmp_path, incoming=cap) as office,
        office.carrier("seat", office.first) as carrier,
        office.caller(options=("-d", "800")) as caller,
    ):
        wait_until("the first call", lambda: trunk(office.admin, "carrier")["calls"] == 1)
        with office.caller("caller_refused", status=503) as refused:
            for phone in (refused, caller, carrier):
                phone.finish()
        assert sorted(status for _, status in office.calls(2)) == [200, 503]


REGISTERED = """register = {{{{registrar = "sip:127.0.0.1:{port}", user = "line7", expires = "5m"}}}}
auth = {{{{user = "line7", password = "secret"}}}}"""


def test_registration_with_digest_is_renewed_and_taken_away(tmp_path: Path) -> None:
    """SIPp checks the digest of each. Five are one after the other in one dialogue with the registrar: asked,
    proved, renewed, proved again, taken away. When renewals come is shown in virtual time.
    """
    port = free_port()
    with Sipp(tmp_path, "registrar", port=port, options=trace(tmp_path)) as registrar:
        with Office(tmp_path, first=REGISTERED.format(port=port)) as office:
            wait_until("registered", lambda: state(office) == "registered")
            wait_until("a fifth", lambda: len(requests(tmp_path)) >= 4)
        registrar.finish()
    asked = requests(tmp_path)
    numbers = [number for _, number in asked]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert len({call_id for call_id, _ in asked}) == 1


def test_registrar_without_time_is_let_be(tmp_path: Path) -> None:
    """RFC 5626 4.5: 503 is a failure that is told, and nothing follows at once; when the next comes is shown
    in virtual time.
    """
    port = free_port()
    with (
        Sipp(tmp_path, "registrar_busy", port=port, options=trace(tmp_path)) as registrar,
        Office(tmp_path, first=REGISTERED.format(port=port)) as office,
    ):
        wait_until("failed", lambda: state(office) == "failed")
        registrar.finish()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as instead:
            instead.bind(("127.0.0.1", port))
            assert received(instead) == []
        assert state(office) == "failed"
    assert len(requests(tmp_path)) == 1


def state(office: Office) -> str:
    """Return how far the registration is."""
    return str(trunk(office.admin)["registration"]["state"])


def trace(folder: Path) -> tuple[str, ...]:
    """Return SIPp's options that let it write its messages down."""
    return ("-trace_msg", "-message_file", str(folder / "registrar.log"))


def requests(folder: Path) -> list[tuple[str, int]]:
    """Return Call-ID and CSeq of each REGISTER that came."""
    log = folder / "registrar.log"
    text = log.read_text() if log.exists() else ""
    came = re.findall(r"UDP message received \[\d+\] bytes ?:\n\n(REGISTER.*?\n)\n", text, re.DOTALL)
    fields = [dict(line.split(": ", 1) for line in one.splitlines() if ": " in line) for one in came]
    return [(one["Call-ID"], int(one["CSeq"].split()[0])) for one in fields]


def received(sock: socket.socket) -> list[bytes]:
    """Return the method of every request that has come."""
    sock.settimeout(0.1)
    methods = []
    while True:
        try:
            methods.append(sock.recv(65535).split(b" ", 1)[0])
        except TimeoutError:
            return methods
