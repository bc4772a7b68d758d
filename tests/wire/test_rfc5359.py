"""RFC 5359, unattended transfer: SIPp on all sides.

Hold (2.1) is in ``test_interop.py`` with baresip; consultation hold (2.2) and attended transfer (2.5) are in
``make interop`` with pjsua2 and linphone.
"""

from pathlib import Path

import pytest

from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, free_port, wait_until

pytestmark = pytest.mark.wire


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
