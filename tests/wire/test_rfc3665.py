"""The basic call flows of RFC 3665 through a real switch, with SIPp on both sides.

The switch stands where the RFC has its proxies: an outside number leads to extension 2001. Timers run at an
eighth of their length, so that the flow without an answer ends within four seconds.

Not here: 3.4, a proxy that is silent, is the caller's to get round; as a caller of trunks we do, see
``test_trunks.py``. 3.5, a gateway that rewrites SDP, is what the switch is in every flow: either side sees
only our addresses (3.1). 3.6's redirection by a carrier is in ``test_trunks.py``, too.
"""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, wait_until

pytestmark = pytest.mark.wire

TO_EXTENSION = "96200"


class Place:
    """One switch for all flows, and extension 2001 registered at a port that each flow gives to its phone."""

    def __init__(self, folder: Path, switch: Switch) -> None:
        self.folder = folder
        self.switch = switch
        self.phone_port = free_port()
        self.calls = 0
        register(folder, switch.sip_port, ["2001"], port=self.phone_port)

    def phone(self, scenario: str, **options: Any) -> Sipp:
        """Let extension 2001 behave as ``scenario``."""
        return Sipp(self.folder, scenario, port=self.phone_port, **options)

    def caller(self, scenario: str, **options: Any) -> Sipp:
        """Call extension 2001 from outside."""
        self.calls += 1
        return Sipp(
            self.folder,
            scenario,
            port=free_port(),
            target=f"127.0.0.1:{self.switch.sip_port}",
            service=TO_EXTENSION,
            **options,
        )

    def last_call(self) -> tuple[str, int]:
        """Return verdict and status of the call before, once nothing is left of it."""
        wait_until("its row", lambda: self.switch.count("calls") == self.calls)
        assert self.switch.rpc().call("call.list") == []
        row = max(self.switch.rows("calls"), key=lambda row: row["arrived_at"])
        return str(row["verdict"]), int(row["sip_status"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("rfc3665")
    with Switch(folder, config=CONFIG.replace("[sip]", '[sip]\nt1 = "60ms"\nt2 = "500ms"')) as switch:
        yield Place(folder, switch)


def test_registrations(place: Place) -> None:
    """2.1 new, 2.2 update of the contacts, 2.3 request of the list, 2.4 cancelled."""
    rows = ["2002;[authentication username=2002 password=demo]"]
    target = f"127.0.0.1:{place.switch.sip_port}"
    with Sipp(place.folder, "registrations", port=free_port(), target=target, rows=rows) as phone:
        phone.finish()


def test_unsuccessful_registration(place: Place) -> None:
    """2.5: a wrong password draws another 401, and no call goes there."""
    rows = ["2002;[authentication username=2002 password=wrong]"]
    target = f"127.0.0.1:{place.switch.sip_port}"
    with Sipp(place.folder, "register_refused", port=free_port(), target=target, rows=rows) as phone:
        phone.finish()
    assert place.switch.rpc().call("admin.status")["sip"]["bindings"] == 1, "only that of 2001"


def test_session_and_a_caller_who_moves(place: Place) -> None:
    """3.1 session establishment, 3.7 re-INVITE with a new address: audio goes there from then on, and either
    side knows only our addresses.
    """
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
    ):
        mouth.bind(("127.0.0.1", 0))
        ear.bind(("127.0.0.2", 0))
        ear.settimeout(0.02)
        log = place.folder / "called.log"
        traced = ("-trace_msg", "-message_file", str(log), "-key", "mouth", str(mouth.getsockname()[1]))
        moved = ("-key", "moved", "127.0.0.2", "-key", "ear", str(ear.getsockname()[1]), "-d", "1000")
        with (
            place.phone("called", options=traced) as phone,
            place.caller("caller_moves", options=moved) as caller,
        ):
            offer = wait_until("the INVITE", lambda: re.search(r"m=audio (\d+)", read(log)))
            heard = hear(mouth, ("127.0.0.1", int(offer[1])), ear)
            caller.finish()
            phone.finish()
        assert heard == b"\xd5" * 160
    assert place.last_call() == ("success", 200)


def read(log: Path) -> str:
    return log.read_text() if log.exists() else ""


def hear(mouth: socket.socket, to: tuple[str, int], ear: socket.socket) -> bytes:
    """Speak into the call every 20 ms until something comes out where the caller has moved to; return it."""
    for number in range(250):
        header = bytes((0x80, 0)) + number.to_bytes(2, "big") + (number * 160).to_bytes(4, "big") + b"mout"
        mouth.sendto(header + b"\xd5" * 160, to)
        try:
            return ear.recv(2048)[12:]
        except TimeoutError:
            continue
    return b""


def test_session_through_two_proxies(place: Place) -> None:
    """3.2 and 3.3: every Via and Record-Route comes back in its order; the credentials for us are found
    beside those for a proxy; our BYE takes the route that was recorded to the phone behind it (F22, F24).
    """
    other, log = free_port(), place.folder / "proxied.log"
    register(place.folder, place.switch.sip_port, ["2002"], port=other)
    with (
        Sipp(place.folder, "seat_hangs_up", port=other, options=("-d", "200")) as phone,
        Sipp(
            place.folder,
            "caller_behind_proxies",
            port=free_port(),
            target=f"127.0.0.1:{place.switch.sip_port}",
            service="2002",
            rows=["2001;[authentication username=2001 password=demo]"],
            options=("-trace_msg", "-message_file", str(log)),
        ) as caller,
    ):
        caller.finish()
        phone.finish()
    place.calls += 1
    assert place.last_call() == ("success", 200)
    messages = re.split(r"(?m)^-{10,} .*\n", log.read_text())
    sent = next(it for it in messages if "message sent" in it and "CSeq: 2 INVITE" in it)
    for status in ("180", "200"):
        answer = next(it for it in messages if f"\nSIP/2.0 {status}" in it and "CSeq: 2 INVITE" in it)
        assert [it.partition(";")[0] for it in lines(answer, "Via")] == [
            it.partition(";")[0] for it in lines(sent, "Via")
        ]
        assert lines(answer, "Record-Route") == lines(sent, "Record-Route")
    bye = next(it for it in messages if "\nBYE " in it)
    assert "\nBYE sip:alice@pc33.atlanta.example.com SIP/2.0" in bye
    assert lines(bye, "Route") == lines(sent, "Record-Route")


def lines(message: str, name: str) -> list[str]:
    """Return the values of a header, as one list however many lines they come in."""
    found = re.findall(rf"(?m)^{name}: *(.*?)\r?$", message)
    return [value.strip() for line in found for value in line.split(",")]


def test_session_whose_answer_comes_in_the_ack(place: Place) -> None:
    """3.6, the part of the one who calls: no SDP in the INVITE, the offer in our 200, the answer in the ACK;
    audio flows to where the answer says.
    """
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
    ):
        mouth.bind(("127.0.0.1", 0))
        ear.bind(("127.0.0.2", 0))
        ear.settimeout(0.02)
        log = place.folder / "late.log"
        traced = ("-trace_msg", "-message_file", str(log), "-key", "mouth", str(mouth.getsockname()[1]))
        where = ("-key", "moved", "127.0.0.2", "-key", "ear", str(ear.getsockname()[1]), "-d", "1000")
        with (
            place.phone("called", options=traced) as phone,
            place.caller("caller_late_offer", options=where) as caller,
        ):
            offer = wait_until("the INVITE", lambda: re.search(r"m=audio (\d+)", read(log)))
            heard = hear(mouth, ("127.0.0.1", int(offer[1])), ear)
            caller.finish()
            phone.finish()
        assert heard == b"\xd5" * 160
    assert place.last_call() == ("success", 200)


def test_redirect_is_not_followed(place: Place) -> None:
    """3.6, as far as it is ours: a phone cannot send its callers elsewhere, nor show them where (A-TOLL)."""
    with (
        place.phone("seat_refuses", status=302) as phone,
        place.caller("caller_refused", status=480) as caller,
    ):
        caller.finish()
        phone.finish()
    assert place.last_call() == ("agent:unreachable", 480)


def test_no_answer(place: Place) -> None:
    """3.8: the caller cancels while it rings: 200 to CANCEL, 487 to INVITE, on both sides."""
    with (
        place.phone("seat_rings") as phone,
        place.caller("caller_cancels", status=180, options=("-d", "300")) as caller,
    ):
        caller.finish()
        phone.finish()
    assert place.last_call() == ("caller:cancelled", 487)


def test_busy(place: Place) -> None:
    """3.9."""
    with (
        place.phone("seat_refuses", status=486) as phone,
        place.caller("caller_refused", status=486) as caller,
    ):
        caller.finish()
        phone.finish()
    assert place.last_call() == ("agent:refused", 486)


def test_no_response(place: Place) -> None:
    """3.10: the INVITE is sent seven times (Timer A), given up (Timer B) and told as 408."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", place.phone_port))
        silent.settimeout(0.5)
        with place.caller("caller_refused", status=408) as caller:
            caller.finish()
        sent = []
        while True:
            try:
                sent.append(silent.recv(65535).split(b" ", 1)[0])
            except TimeoutError:
                break
    assert sent == [b"INVITE"] * 7
    assert place.last_call() == ("agent:unreachable", 408)


def test_temporarily_unavailable(place: Place) -> None:
    """3.11."""
    with (
        place.phone("seat_refuses", status=480) as phone,
        place.caller("caller_refused", status=480) as caller,
    ):
        caller.finish()
        phone.finish()
    assert place.last_call() == ("agent:refused", 480)
