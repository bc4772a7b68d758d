"""Keys of a telephone nobody here wrote (baresip, RFC 4733): a way out of waiting, and a rating."""

from pathlib import Path

import pytest

from tests.wire.switch import Switch, wait_until
from tests.wire.test_audio import registered, states, two_phones
from tests.wire.test_comfort import place_of
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire


def test_a_key_in_the_welcome_takes_a_caller_to_another_queue(tmp_path: Path) -> None:
    with Switch(tmp_path, queue_extra='keys = {"0" = "queue:senior"}\n') as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("the caller waits", lambda: states(admin.call("call.list")) == ["waiting"])
            caller.command("sndcode", "5")
            caller.command("sndcode", "0")
            wait_until("it waits there", lambda: admin.call("call.list")[0]["queue"] == "senior")
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
        first, second = rows_when_complete(switch, "visits", 2)
    assert (first["queue"], first["outcome"], first["cause"]) == ("junior", "overflowed", "key:0")
    assert (first["target"], second["queue"]) == ("queue:senior", "senior")


def test_a_caller_whose_seat_hangs_up_first_rates_the_call(tmp_path: Path) -> None:
    """It presses 4 in the middle of the question and is thanked."""
    with Switch(tmp_path, queue_extra="survey = {automatic = true}\n") as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            desk = sign_in(switch, ["8001"])[0]
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
            wait_until("they talked", lambda: admin.call("call.list")[0]["talked"] > 1.0)
            seat.command("hangup")
            wait_until("the caller is asked", lambda: states(admin.call("call.list")) == ["survey"])
            caller.command("sndcode", "4")
            wait_until("the call is over", lambda: not admin.call("call.list"))
            desk.close()
        (row,) = rows_when_complete(switch, "surveys", 1)
        heard = caller.heard()[-1]
    assert (row["queue"], row["seat"], row["key"], row["result"]) == ("junior", "8001", "4", "4")
    assert place_of(heard, "thank-you") > 0
