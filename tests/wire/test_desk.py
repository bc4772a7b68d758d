"""Call control from the desk on the wire: the phones are SIPp, which fails at what it does not expect."""

from pathlib import Path

import pytest

from tests.interop.story import digits
from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip, Sipp, register
from tests.wire.switch import CONFIG, Rpc, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire


def until(desk: Rpc, activity: str) -> None:
    wait_until(f"the seat is {activity}", lambda: desk.call("seat.get")["activity"] == activity)


def test_hold_and_transfer_reach_phones_that_know_nothing_of_either(tmp_path: Path) -> None:
    """No re-INVITE, no REFER: 8001 gets BYE when 8002 has answered, the caller nothing but its one dialog."""
    phone_port, caller_port = free_port(), free_port()
    with Switch(tmp_path, wrap_up=0) as switch:
        register(tmp_path, switch.sip_port, ["8001", "8002"], port=phone_port)
        first, second = sign_in(switch, ["8001", "8002"])
        second.call("seat.pause", reason="rest")
        target = f"127.0.0.1:{switch.sip_port}"
        with (
            Sipp(tmp_path, "seat", port=phone_port, calls=2) as phones,
            Sipp(tmp_path, "caller_stays", port=caller_port, target=target) as caller,
        ):
            until(first, "talking")
            first.call("call.hold")
            assert first.call("seat.get")["held"] is True
            first.call("call.unhold")
            first.call("call.tag", tag="billing")
            first.call("call.transfer", to="8002")
            until(second, "talking")
            until(first, "idle")
            second.call("call.hangup")
            caller.finish()
            phones.finish()
        rows = rows_when_complete(switch, "calls", 2)
        by_verdict = {row["verdict"]: row for row in rows}
        assert by_verdict["success:transferred"]["continued_as"] == by_verdict["success"]["call"]
        assert by_verdict["success:transferred"]["tag"] == "billing"


def test_a_paused_seat_picks_a_caller_who_waits(tmp_path: Path) -> None:
    phone_port, caller_port = free_port(), free_port()
    with Switch(tmp_path, wrap_up=0, queue_extra="pick = true\n") as switch:
        register(tmp_path, switch.sip_port, ["8001"], port=phone_port)
        (desk,) = sign_in(switch, ["8001"])
        desk.call("seat.pause", reason="rest")
        target = f"127.0.0.1:{switch.sip_port}"
        with (
            Sipp(tmp_path, "seat", port=phone_port) as phone,
            Sipp(tmp_path, "caller_stays", port=caller_port, target=target) as caller,
        ):
            wait_until("the caller waits", lambda: len(desk.call("call.list")) == 1)
            desk.call("call.pick", call=desk.call("call.list")[0]["call"])
            until(desk, "talking")
            desk.call("call.hangup")
            caller.finish()
            phone.finish()
        (offer,) = rows_when_complete(switch, "offers", 1)
        assert (offer["policy"], offer["outcome"]) == ("picked", "answered")


def test_a_consultation_moves_the_caller_to_whom_was_asked(tmp_path: Path) -> None:
    phone_port, caller_port = free_port(), free_port()
    with Switch(tmp_path, wrap_up=0) as switch:
        register(tmp_path, switch.sip_port, ["8001", "2001"], port=phone_port)
        (desk,) = sign_in(switch, ["8001"])
        target = f"127.0.0.1:{switch.sip_port}"
        with (
            Sipp(tmp_path, "seat", port=phone_port, calls=2) as phones,
            Sipp(tmp_path, "caller_stays", port=caller_port, target=target) as caller,
        ):
            until(desk, "talking")
            desk.call("call.consult", to="extension:2001")
            admin = switch.rpc()
            wait_until(
                "the extension talks",
                lambda: sorted(call["state"] for call in admin.call("call.list")) == ["held", "talking"],
            )
            desk.call("call.consult_transfer")
            until(desk, "idle")
            (call,) = admin.call("call.list")
            assert (call["state"], call["direction"]) == ("talking", "in")
            admin.call("call.hangup", call=call["call"])
            caller.finish()
            phones.finish()
        verdicts = sorted(row["verdict"] for row in rows_when_complete(switch, "calls", 2))
        assert verdicts == ["success", "success:transferred"]


def test_keys_from_the_desk_are_events_for_a_phone_that_takes_them(tmp_path: Path) -> None:
    """RFC 4733: baresip tells every digit once, with the end that it had."""
    phone_port = free_port()
    first = free_media_ports(16)
    with Switch(tmp_path, wrap_up=0) as switch:
        register(tmp_path, switch.sip_port, ["8001"], port=phone_port)
        (desk,) = sign_in(switch, ["8001"])
        desk.call("seat.pause", reason="rest")
        other = Baresip(
            tmp_path,
            "2002",
            port=free_port(),
            control=free_port(),
            rtp=first,
            sip_port=switch.sip_port,
            frequency=1000.0,
            answer="auto",
        )
        with Sipp(tmp_path, "seat", port=phone_port) as phone, other:
            admin = switch.rpc()
            wait_until("baresip is there", lambda: admin.call("admin.status")["sip"]["bindings"] >= 2)
            call = desk.call("call.dial", number="2002")
            wait_until("they talk", lambda: [it for it in desk.call("call.list") if it["state"] == "talking"])
            desk.call("call.dtmf", digits="159#")
            wait_until("every digit", lambda: digits(other.folder / "out.log") == "159#")
            desk.call("call.hangup", call=call["call"])
            phone.finish()


def test_dialling_rings_the_own_phone_and_then_the_carrier(tmp_path: Path) -> None:
    phone_port, carrier_port = free_port(), free_port()
    config = CONFIG.replace(
        'accept = ["127.0.0.0/8"]', f'accept = ["127.0.0.0/8"]\ncontact = "sip:127.0.0.1:{carrier_port}"'
    )
    route = '[[route]]\ntenant = "demo"\ntrunks = ["carrier"]\n'
    with Switch(tmp_path, wrap_up=0, config=config, queue_extra=route) as switch:
        register(tmp_path, switch.sip_port, ["8001"], port=phone_port)
        (desk,) = sign_in(switch, ["8001"])
        desk.call("seat.pause", reason="rest")
        with (
            Sipp(tmp_path, "seat", port=phone_port) as phone,
            Sipp(tmp_path, "seat", port=carrier_port) as customer,
        ):
            call = desk.call("call.dial", number="13900000077", display="96199")
            wait_until(
                "the customer talks",
                lambda: [it for it in desk.call("call.list") if it["state"] == "talking"],
            )
            desk.call("call.hangup", call=call["call"])
            phone.finish()
            customer.finish()
        view = desk.call("seat.get")
        assert (view["presence"], view["reason"], view["activity"]) == ("paused", "rest", "idle")
        (row,) = rows_when_complete(switch, "calls", 1)
        assert (row["direction"], row["caller"], row["called"], row["verdict"], row["seat"]) == (
            "out",
            "96199",
            "13900000077",
            "success",
            "8001",
        )
