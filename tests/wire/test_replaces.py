"""An INVITE with Replaces from SIPp: an extension takes the place of a seat that talks to a caller."""

import re
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire


def names_of(log: Path) -> str:
    """Return Call-ID, our tag and the phone's of the dialog in SIPp's log of messages."""
    text = log.read_text()
    invite, answer = text.index("INVITE sip:"), text.index("SIP/2.0 200 OK")
    ours = re.search(r"From: .*;tag=(\S+)", text[invite:])
    theirs = re.search(r"To: .*;tag=(\S+)", text[answer:])
    call = re.search(r"Call-ID: (\S+)", text[invite:])
    assert ours is not None
    assert theirs is not None
    assert call is not None
    return f"{call[1]};{ours[1]};{theirs[1]}"


def test_an_extension_takes_the_place_of_a_seat(tmp_path: Path) -> None:
    """T34, T35: 200 to the extension, BYE to the seat's phone; the caller talks on until the extension hangs
    up; the row of the call that its INVITE was names the one it went on in.
    """
    with Switch(tmp_path) as switch:
        seat_port, extension_port, log = free_port(), free_port(), tmp_path / "seat.log"
        register(tmp_path, switch.sip_port, ["8001"], port=seat_port)
        register(tmp_path, switch.sip_port, ["2001"], port=extension_port)
        target, admin = f"127.0.0.1:{switch.sip_port}", switch.rpc()
        trace = ("-trace_msg", "-message_file", str(log))
        with (
            Sipp(tmp_path, "seat", port=seat_port, options=trace) as seat,
            Sipp(tmp_path, "caller_stays", port=free_port(), target=target) as caller,
        ):
            desks = sign_in(switch, ["8001"])
            wait_until("both talk", lambda: [it["state"] for it in admin.call("call.list")] == ["talking"])
            wait_until("SIPp has written it down", lambda: "ACK sip:" in log.read_text())
            with Sipp(
                tmp_path,
                "replacing",
                port=extension_port,
                target=target,
                rows=[names_of(log)],
                options=("-d", "500"),
            ) as extension:
                seat.finish()
                extension.finish()
            caller.finish()
        calls = {row["verdict"]: row for row in rows_when_complete(switch, "calls", 2)}
        assert sorted(calls) == ["success", "success:transferred"]
        assert calls["success:transferred"]["continued_as"] == calls["success"]["call"]
        assert calls["success:transferred"]["caller"] == "2001"
        assert desks
