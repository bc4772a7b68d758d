"""Busy lamps on the wire: SIPp watches an extension, and fails at any NOTIFY it does not expect."""

import signal
from pathlib import Path

import pytest

from sip.message import Request
from tests.ports import free_port
from tests.wire.party import TRUNK, Calm, Party
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, wait_until

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


def test_a_lamp_key_picks_up_what_rings(tmp_path: Path) -> None:
    """RFC 4235 4.1.1, RFC 3891: SIPp calls, SIPp rings, and SIPp at another extension picks the call up."""
    ports = {user: free_port() for user in ("2001", "2002")}
    with Switch(tmp_path) as switch:
        for user, port in ports.items():
            register(tmp_path, switch.sip_port, [user], port=port)
        target = f"127.0.0.1:{switch.sip_port}"
        admin = switch.rpc()
        with (
            Sipp(tmp_path, "picker", port=ports["2002"], target=target, options=("-aa",)) as picker,
            Sipp(tmp_path, "seat_rings", port=ports["2001"]) as ringing,
        ):
            wait_until("it watches", lambda: admin.call("admin.status")["sip"]["subscriptions"] == 1)
            with Sipp(
                tmp_path, "caller", port=free_port(), target=target, service="96200", options=("-d", "500")
            ) as caller:
                caller.finish()
            ringing.finish()
            picker.finish()
        rows = wait_until("both rows", lambda: [it for it in [switch.rows("calls")] if len(it) == 2])[0]
        assert {(row["caller"] == "2002", row["verdict"]) for row in rows} == {
            (True, "success:transferred"),
            (False, "success"),
        }


def test_a_phone_that_subscribes_in_a_loop_costs_nobody_a_call(tmp_path: Path) -> None:
    """Its host may have 20 looked at in a second; the others are told to come again (RFC 3261 21.5.4)."""
    port, count = free_port(), 1_200
    config = CONFIG.replace("[sip]", "[sip]\nrequests_per_source = 20")
    with Switch(tmp_path, config=config) as switch:
        register(tmp_path, switch.sip_port, ["2002"], port=port)
        target = f"127.0.0.1:{switch.sip_port}"
        with (
            Calm(switch),
            Sipp(tmp_path, "watcher_in_a_loop", port=port, target=target, calls=count, rate=600) as phone,
        ):
            phone.finish()
        told = switch.rpc().call("admin.status")["sip"]
        assert 20 <= told["subscriptions"] <= 100
        assert told["dropped"] > 0


def watch(phone: Party, **more: str) -> tuple[str, str]:
    """Subscribe 2002 to the lamp of 2001; return our tag of the dialog and the state that is told."""
    answer = phone.ask(
        "SUBSCRIBE",
        f"sip:2001@{TRUNK}",
        from_=f"<sip:2002@{TRUNK}>;tag=w",
        headers=("Event: dialog", "Expires: 600"),
        **more,
    )
    if answer.status != 200:
        return "", str(answer.status)
    notify = phone.hear("NOTIFY")
    phone.answer(notify, 200)
    return answer.to_tag, notify.header("subscription-state") or ""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_watchers_subscribe_again_after_a_restart(tmp_path: Path, how: signal.Signals) -> None:
    """RFC 6665 4.1.3: a switch that ends says deactivated, and whoever asks it again meanwhile is answered by
    the next one. After kill -9 nobody says anything: the next refresh is 481, and the phone subscribes anew.
    """
    with Switch(tmp_path) as switch, Party(switch, "127.0.0.8") as phone:
        assert phone.register("2002", "demo") == 200
        tag, state = watch(phone, call_id="lamp")
        assert state.startswith("active")
        switch.stop(how)
        told = [each.header("subscription-state") for each in phone.listen(0.5) if isinstance(each, Request)]
        assert told == (["terminated;reason=deactivated"] if how == signal.SIGTERM else [])
        switch.start()
        inside = {"call_id": "lamp", "to": f"<sip:2001@{TRUNK}>;tag={tag}", "cseq": "2"}
        assert watch(phone, **inside) == ("", "481")
        _, state = watch(phone, call_id="lamp-anew")
        assert state.startswith("active")
        assert switch.rpc().call("admin.status")["sip"]["subscriptions"] == 1
