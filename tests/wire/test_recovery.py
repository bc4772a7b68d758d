"""kill -9 of the switch in mid-call, with whole phones: what they said to each other goes on."""

from pathlib import Path

import pytest

from tests.wire.switch import Switch, wait_until
from tests.wire.test_audio import CLEAR, registered, shares, states, two_phones
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire
COUNTED = ("answered", "offers_answered", "answered_wait", "rang", "wait_p50", "service_levels")


def test_a_conversation_outlives_the_switch_that_carried_it(tmp_path: Path) -> None:
    """Both phones take our re-INVITE after the restart; each hears the other's tone again; one row each."""
    with Switch(tmp_path) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            sign_in(switch, ["8001"])
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
            wait_until("for 2 s", lambda: admin.call("call.list")[0]["talked"] > 2.0)
            counted = [admin.call("queue.statistics", queue="junior")[name] for name in COUNTED]
            assert counted[:2] == [1, 1]
            assert switch.process is not None
            switch.process.kill()
            switch.process.wait(5)
            switch.start()
            admin = switch.rpc()
            wait_until("they talk again", lambda: states(admin.call("call.list")) == ["talking"])
            after = [admin.call("queue.statistics", queue="junior")[name] for name in COUNTED]
            assert after == counted, "the counters did not outlive the kill"
            assert admin.call("seat.get", seat="8001")["counters"]["answered"] == 1
            again_at = admin.call("call.list")[0]["talked"]
            wait_until("for 4 s more", lambda: admin.call("call.list")[0]["talked"] > again_at + 4.0)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
            assert len(rows_when_complete(switch, "visits", 1)) == 1
            (row,) = rows_when_complete(switch, "calls", 1)
        assert (row["verdict"], row["resumed"]) == ("success", 1)
        for heard, frequency in ((caller.heard()[-1], 1000), (seat.heard()[-1], 440)):
            last = shares(heard, frequency)[-5:]
            assert sum(share > CLEAR for share in last) >= 3, f"{frequency} Hz is not back: {last}"
