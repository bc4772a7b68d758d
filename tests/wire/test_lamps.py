"""Busy lamps on the wire: SIPp watches an extension, and fails at any NOTIFY it does not expect."""

from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import Switch, wait_until

pytestmark = pytest.mark.wire


def test_an_extension_watches_another(tmp_path: Path) -> None:
    """489, 423, 200; dark, ringing, talking, dark; renewed, ended: one NOTIFY each (RFC 4235, RFC 6665)."""
    ports = {user: free_port() for user in ("2001", "2002")}
    with Switch(tmp_path) as switch:
        for user, port in ports.items():
            register(tmp_path, switch.sip_port, [user], port=port)
        target = f"127.0.0.1:{switch.sip_port}"
        admin = switch.rpc()
        with (
            Sipp(tmp_path, "watcher", port=ports["2002"], target=target) as watcher,
            Sipp(tmp_path, "seat", port=ports["2001"]) as called,
        ):
            wait_until("it watches", lambda: admin.call("admin.status")["sip"]["subscriptions"] == 1)
            with Sipp(
                tmp_path, "caller", port=free_port(), target=target, service="96200", options=("-d", "500")
            ) as caller:
                caller.finish()
            called.finish()
            watcher.finish()
        assert admin.call("admin.status")["sip"]["subscriptions"] == 0
