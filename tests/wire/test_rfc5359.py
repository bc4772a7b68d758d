"""RFC 5359, hold and unattended transfer: SIPp on all sides.

Hold with a whole phone is in ``test_interop.py`` (baresip); consultation hold (2.2) and attended transfer
(2.5) are in ``make interop`` with pjsua2 and linphone; forwarding by a phone's 3xx (2.7 to 2.9) is in
``tests/calls/test_redirect.py``.
"""

from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, wait_until

pytestmark = pytest.mark.wire


def test_hold(tmp_path: Path) -> None:
    """2.1: either side is told which way audio goes, when it is held and when it is taken up again."""
    with Switch(tmp_path, config=CONFIG) as switch:
        port, target = free_port(), f"127.0.0.1:{switch.sip_port}"
        register(tmp_path, switch.sip_port, ["2001"], port=port)
        with (
            Sipp(tmp_path, "called_held", port=port) as held,
            Sipp(tmp_path, "caller_holds", port=free_port(), target=target, service="96200") as holder,
        ):
            for phone in (holder, held):
                phone.finish()
        wait_until("the row", lambda: switch.count("calls") == 1)
        row = switch.rows("calls")[0]
        assert row["verdict"] == "success"
        assert row["held"] > 0.2, "SIPp holds for 0.3 s"


def test_unattended_transfer(tmp_path: Path) -> None:
    """2.4: 202, NOTIFY with what becomes of it, BYE; the caller talks to 2002 in the dialog that it has."""
    ports = {user: free_port() for user in ("2001", "2002")}
    with Switch(tmp_path, config=CONFIG) as switch:
        for user, port in ports.items():
            register(tmp_path, switch.sip_port, [user], port=port)
        target = f"127.0.0.1:{switch.sip_port}"
        with (
            Sipp(tmp_path, "called_refers", port=ports["2001"]) as transferor,
            Sipp(tmp_path, "seat", port=ports["2002"]) as third,
            Sipp(
                tmp_path, "caller", port=free_port(), target=target, service="96200", options=("-d", "2500")
            ) as caller,
        ):
            transferor.finish()
            assert caller.process.poll() is None, "the caller talks on"
            for phone in (caller, third):
                phone.finish()
        wait_until("the rows", lambda: switch.count("calls") == 2)
        verdicts = [row["verdict"] for row in sorted(switch.rows("calls"), key=lambda row: row["arrived_at"])]
        assert verdicts == ["success:transferred", "success"]
