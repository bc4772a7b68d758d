"""Scripts with telephones nobody here wrote (baresip, keys by RFC 4733, and SIPp): a queue by a key, a number
that is read in the middle of a conversation, and who is not taken where the script leads.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.wire.phones import tone_share
from tests.wire.switch import CONFIG, Switch, wait_until
from tests.wire.test_audio import WINDOW, registered, states, two_phones
from tests.wire.test_endings import Scene
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire

SCRIPTS = """
[tenant.ivr.main.node.choose]
kind = "menu"
sounds = ["builtin:welcome"]
keys = {{1 = "queue:junior", 2 = "queue:senior"}}
[tenant.ivr.account.node.ask]
kind = "read"
into = "account"
sounds = ["voice:en/rate-us"]
within = "10s"
between = "10s"
then = "pin"
[tenant.ivr.account.node.pin]
kind = "read"
into = "pin"
most = 4
secret = true
within = "10s"
between = "10s"
then = "return"
"""
WITH_SCRIPTS = CONFIG.replace(
    '  {{number = "96200"', '  {{number = "96300", entry = "ivr:main"}},\n  {{number = "96200"'
).replace('pause_reasons = ["rest"]\n', f'pause_reasons = ["rest"]\n{SCRIPTS}')
HUNT = """
[tenant.ivr.main.node.seat]
kind = "go"
to = "seat:8001"
ring_for = "2s"
cases = {{busy = "extension", no_answer = "extension"}}
[tenant.ivr.main.node.extension]
kind = "go"
to = "extension:2001"
cases = {{unreachable = "outside"}}
[tenant.ivr.main.node.outside]
kind = "go"
to = "number:13900000099"
cases = {{unreachable = "queue:senior"}}
"""
WITH_HUNT = CONFIG.replace(
    '{{number = "96198", entry = "queue:junior"}}', '{{number = "96198", entry = "ivr:main"}}'
)
WITH_HUNT = WITH_HUNT.replace('pause_reasons = ["rest"]\n', f'pause_reasons = ["rest"]\n{HUNT}')


def script_of(view: list[dict[str, Any]]) -> Any:
    return view[0]["script"] and view[0]["script"]["node"]


def test_a_caller_chooses_a_queue_by_a_key_in_the_middle_of_the_question(tmp_path: Path) -> None:
    with Switch(tmp_path, config=WITH_SCRIPTS) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            caller.command("dial", f"sip:96300@127.0.0.1:{switch.sip_port}")
            wait_until("the menu is played", lambda: states(admin.call("call.list")) == ["script"])
            assert script_of(admin.call("call.list")) == "choose"
            caller.command("sndcode", "2")
            wait_until("it waits there", lambda: states(admin.call("call.list")) == ["waiting"])
            assert admin.call("call.list")[0]["queue"] == "senior"
            caller.command("hangup")
            wait_until("the call is over", lambda: not admin.call("call.list"))
        (run,) = rows_when_complete(switch, "scripts", 1)
        (call,) = rows_when_complete(switch, "calls", 1)
    assert (run["ivr"], run["outcome"], run["path"]) == ("main", "led", "choose")
    assert run["target"] == "queue:senior"
    assert (call["entry"], call["verdict"]) == ("ivr:main", "caller:abandoned")


def test_a_seat_has_its_caller_back_with_the_number_that_was_read(tmp_path: Path) -> None:
    """The account is seen, the PIN is not: by the desk, in the rows, in the log. Then they talk on."""
    with Switch(tmp_path, config=WITH_SCRIPTS) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            desk = sign_in(switch, ["8001"])[0]
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
            wait_until("they talked", lambda: admin.call("call.list")[0]["talked"] > 1.0)
            desk.call("call.interact", ivr="account")
            (view,) = admin.call("call.list")
            assert view["state"] == "interact"
            wait_until("it was asked", lambda: admin.call("call.list")[0]["talked"] > view["talked"] + 2.0)
            for key in "1357#":
                caller.command("sndcode", key)
            wait_until("the PIN is asked", lambda: script_of(admin.call("call.list")) == "pin")
            for key in "8642":
                caller.command("sndcode", key)
            wait_until("they talk again", lambda: states(admin.call("call.list")) == ["talking"])
            (view,) = admin.call("call.list")
            assert view["collected"] == {"account": "1357", "pin": "***"}
            wait_until("they talked", lambda: admin.call("call.list")[0]["talked"] > view["talked"] + 2.0)
            caller.command("hangup")
            wait_until("the call is over", lambda: not admin.call("call.list"))
            desk.close()
        (run,) = rows_when_complete(switch, "scripts", 1)
        (call,) = rows_when_complete(switch, "calls", 1)
        log = switch.log_path.read_text(errors="replace")
        heard = caller.heard()[-1]
    assert (run["kind"], run["seat"], run["outcome"]) == ("interact", "8001", "returned")
    assert json.loads(run["variables"]) == {"account": "1357", "pin": "***"}
    assert (call["seat"], call["verdict"]) == ("8001", "success")
    assert "8642" not in log
    shares = [tone_share(heard[at : at + WINDOW], 1000) for at in range(0, len(heard) - WINDOW, WINDOW)]
    begun = next(place for place, share in enumerate(shares) if share > 0.8)
    away = next(place for place, share in enumerate(shares[begun:], begun) if share < 0.2)
    assert any(share > 0.8 for share in shares[away:]), shares  # the seat's tone, gone, and back


@pytest.mark.parametrize("behaves", ["seat_refuses", "seat_rings"])
def test_a_caller_whom_nobody_takes_comes_to_the_queue_that_does(tmp_path: Path, behaves: str) -> None:
    """SIPp's seat is busy, or rings in vain; the extension has no phone, no trunk leads to the number."""
    with Switch(tmp_path, config=WITH_HUNT) as switch:
        scene = Scene(tmp_path, switch)
        options = {"status": 486} if behaves == "seat_refuses" else {}
        with scene.seat(behaves, **options) as phone:
            with scene.caller(options=("-d", "4000")) as caller:
                wait_until("it waits", lambda: states(scene.admin.call("call.list")) == ["waiting"])
                assert scene.admin.call("call.list")[0]["queue"] == "senior"
                caller.finish()
            phone.finish()
        assert scene.visit()["outcome"] == "abandoned"
        assert scene.verdict() == "caller:abandoned"
        rows = sorted(rows_when_complete(switch, "scripts", 3), key=lambda row: str(row["run"]))
        (view,) = [it for it in scene.admin.call("seat.list") if it["seat"] == "8001"]
    assert [(row["outcome"], row["target"]) for row in rows] == [
        ("led", "seat:8001"),
        ("led", "number:13900000099"),
        ("led", "queue:senior"),
    ]
    assert [row["path"] for row in rows] == ["seat", "extension > outside", ""]
    assert (view["presence"], view["activity"]) == ("ready", "idle")


def test_a_caller_of_whom_a_script_says_nothing_more_is_told_by_the_verdict(tmp_path: Path) -> None:
    """And the operator by a line of the log."""
    bare = WITH_HUNT.replace('cases = {{busy = "extension", no_answer = "extension"}}\n', "")
    bare = bare[: bare.index("[tenant.ivr.main.node.extension]")] + bare[bare.index("[[level]]") :]
    with Switch(tmp_path, config=bare) as switch:
        scene = Scene(tmp_path, switch)
        with scene.seat("seat_refuses", status=603) as phone, scene.caller("caller_stays") as caller:
            phone.finish()
            caller.finish()
        assert scene.verdict() == "agent:refused"
        log = switch.log_path.read_text(errors="replace")
    assert "a script says nothing of a target that takes nobody" in log
    assert "seat:8001" in log


ORDERS = """
[tenant.ivr.orders]
otherwise = "sorry"
[tenant.ivr.orders.node.ask]
kind = "read"
into = "order"
sounds = ["voice:en/rate-us"]
within = "10s"
between = "10s"
then = "queue:junior"
[tenant.ivr.orders.node.sorry]
kind = "hangup"
cause = "turned_away"
"""
WITH_ORDERS = CONFIG.replace(
    '{{number = "96198", entry = "queue:junior"}}', '{{number = "96198", entry = "ivr:orders"}}'
).replace('pause_reasons = ["rest"]\n', f'pause_reasons = ["rest"]\n{ORDERS}')


def test_a_script_says_what_follows_the_queue_though_the_switch_was_killed_meanwhile(tmp_path: Path) -> None:
    """The caller has read out a number and waits, the switch is killed and comes back, nobody is there in
    time: the script's last word ends the call, and the number is with it all along.
    """
    with Switch(tmp_path, config=WITH_ORDERS, queue_extra='max_wait = "12s"') as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("it is asked", lambda: states(admin.call("call.list")) == ["script"])
            for key in "1357#":
                caller.command("sndcode", key)
            wait_until("it waits", lambda: states(admin.call("call.list")) == ["waiting"])
            assert switch.process is not None
            switch.process.kill()
            switch.process.wait(5)
            switch.start()
            admin = switch.rpc()
            (view,) = admin.call("call.list")
            assert (view["state"], view["collected"]) == ("waiting", {"order": "1357"})
            wait_until("the call is over", lambda: not admin.call("call.list"))
        runs = rows_when_complete(switch, "scripts", 2)
        (call,) = rows_when_complete(switch, "calls", 1)
    assert [(run["outcome"], run["target"], run["path"]) for run in runs] == [
        ("led", "queue:junior", "ask"),
        ("hung_up", "", "sorry"),
    ]
    assert [json.loads(run["variables"]) for run in runs] == [{"order": "1357"}] * 2
    assert (call["verdict"], call["resumed"]) == ("success:turned_away", 1)
