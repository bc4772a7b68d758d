"""Before the bridge, on the wire: the seat is told what call it is, the caller to whom it will talk."""

from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wire.phones import Baresip, Sipp, write_tone
from tests.wire.switch import CONFIG, Switch, wait_until
from tests.wire.test_audio import registered, states, two_phones
from tests.wire.test_comfort import SAID, frames, heard_clearly, place_of
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire


def both_hear(caller: Baresip, seat: Baresip) -> bool:
    """Return whether each has heard enough of the other's tone by now, however long that took."""
    return heard_clearly(caller, 1000) > 75 and heard_clearly(seat, 440) > 75


def test_both_hear_what_they_are_told_and_then_each_other(tmp_path: Path) -> None:
    """The seat: 700 Hz for 2 s, then the caller's 440 Hz. The caller: its seat's number, then 1,000 Hz."""
    write_tone(tmp_path / "said.wav", SAID, 2)
    told = f'seat_hears = "said"\nsay_seat = true\n[[sound]]\nname = "said"\nfile = "{tmp_path}/said.wav"\n'
    with Switch(tmp_path, queue_extra=told) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            desk = sign_in(switch, ["8001"])[0]
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
            wait_until("both are heard", lambda: both_hear(caller, seat), 60.0)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
            desk.close()
        seat_heard, caller_heard = seat.heard()[-1], caller.heard()[-1]
    said, talked = frames(seat_heard, SAID), frames(seat_heard, 440)
    assert sum(said) > 50  # of 100: a phone on a busy machine skips some
    assert sum(talked) > 75
    assert not any(said[talked.index(True) :]), "what the seat is told goes on in the talk"
    assert not any(talked[: len(said) - 1 - said[::-1].index(True)])
    begin = place_of(caller_heard, "seat-number")
    assert not any(frames(caller_heard[:begin], 1000))
    assert sum(frames(caller_heard[begin:], 1000)) > 75


def test_a_seat_has_a_moment_and_is_told_how_long_its_caller_has_waited(tmp_path: Path) -> None:
    """Silence for 2 s, the words, then the caller's 440 Hz; the caller hears its music until then."""
    with Switch(tmp_path, queue_extra='seat_delay = "2s"\nseat_hears_wait = true\n') as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("the caller waits", lambda: states(admin.call("call.list")) == ["waiting"])
            wait_until("it has waited", lambda: admin.call("call.list")[0]["waited"] > 2.0)
            desk = sign_in(switch, ["8001"])[0]
            wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
            wait_until("both are heard", lambda: both_hear(caller, seat), 60.0)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
            desk.close()
        (offer,) = rows_when_complete(switch, "offers", 1)
        seat_heard, caller_heard = seat.heard()[-1], caller.heard()[-1]
    begin = place_of(seat_heard, "has-waited")
    talked = frames(seat_heard, 440)
    assert sum(talked) > 75
    assert talked.index(True) * 160 > place_of(seat_heard, "seconds") > begin
    before = seat_heard[: max(0, begin - 1_600 - 160)]
    assert max(map(abs, before), default=0) < 100, "it hears something in its moment"
    assert offer["rang"] > 2.0 + 1.3 + 0.6, "the moment and the words are before the bridge"
    assert sum(frames(caller_heard, 1000)) > 75


def test_a_mailbox_has_missed_the_call_and_a_person_takes_it_by_the_key(tmp_path: Path) -> None:
    """As it comes, without a key of the configuration: the mobile phone is a SIPp behind the trunk."""
    mobile = free_port()
    outward = f'accept = ["127.0.0.0/8"]\ncontact = "sip:127.0.0.1:{mobile}"'
    config = CONFIG.replace('accept = ["127.0.0.0/8"]', outward)
    config = config.replace('phones = ["softphone"]', 'phones = ["pstn:13900000001"]')
    with Switch(tmp_path, config=config, queue_extra="pair_back_off = 2\n") as switch:
        admin, target = switch.rpc(), f"127.0.0.1:{switch.sip_port}"
        with Sipp(tmp_path, "mobile_hangs_up", port=mobile) as mailbox:
            sign_in(switch, ["8001"])
            caller = Sipp(tmp_path, "caller", port=free_port(), target=target, options=("-d", "6000"))
            with caller:
                mailbox.finish()
                with Sipp(tmp_path, "mobile_presses", port=mobile) as person:
                    wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
                    caller.finish()
                    person.finish()
        offers = rows_when_complete(switch, "offers", 2)
        (visit,) = rows_when_complete(switch, "visits", 1)
        (call,) = rows_when_complete(switch, "calls", 1)
    assert [row["outcome"] for row in offers] == ["missed", "answered"]
    assert (visit["outcome"], visit["seat"]) == ("answered", "8001")
    assert visit["waited"] > 3.0, "0.5 s of mailbox, 2 s of rest, 1 s to the key"
    assert (call["verdict"], call["seat"]) == ("success", "8001")
