"""A phone that stays on the line: SIPp is called once, and fails at whatever it does not expect."""

from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, wait_until
from tests.wire.test_desk import until
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire


def test_two_calls_on_one_line(tmp_path: Path) -> None:
    """INVITE at the sign-in, BYE at the sign-out, and nothing between, whoever talks."""
    phone_port = free_port()
    config = CONFIG.replace('phones = ["softphone"]', 'phones = ["softphone"]\nstanding = "auto"')
    with Switch(tmp_path, wrap_up=0, config=config) as switch:
        register(tmp_path, switch.sip_port, ["8001"], port=phone_port)
        target = f"127.0.0.1:{switch.sip_port}"
        with Sipp(tmp_path, "seat", port=phone_port) as phone:
            (desk,) = sign_in(switch, ["8001"])
            until(desk, "idle")
            for _ in range(2):
                with Sipp(tmp_path, "caller_stays", port=free_port(), target=target) as caller:
                    until(desk, "talking")
                    wait_until("they talk", lambda: desk.call("call.list")[0]["state"] == "talking")
                    desk.call("call.hangup")
                    caller.finish()
                until(desk, "idle")
            desk.call("session.logout")
            phone.finish()
        rows = rows_when_complete(switch, "calls", 3)
        assert sorted(row["entry"] for row in rows) == ["queue:junior", "queue:junior", "standing:8001"]
        assert [row["verdict"] for row in rows] == ["success"] * 3
        offers = rows_when_complete(switch, "offers", 2)
        assert [row["outcome"] for row in offers] == ["answered"] * 2
