"""Three whole phones in one talk: what each heard is proved by frequency, 440, 1000 and 1700 Hz."""

from pathlib import Path

import pytest

from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip
from tests.wire.switch import Switch, wait_until
from tests.wire.test_audio import shares
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire

TONES = {"2001": 440.0, "8001": 1000.0, "2002": 1700.0}
THERE = 0.3  # share of a half second's energy: of two tones together each has about a half
ABSENT = 0.05


def phone(folder: Path, switch: Switch, user: str) -> Baresip:
    """Return a phone of ``user`` with its tone; all but the caller's answer by themselves."""
    return Baresip(
        folder,
        user,
        port=free_port(),
        control=free_port(),
        rtp=free_media_ports(100),
        sip_port=switch.sip_port,
        frequency=TONES[user],
        answer="manual" if user == "2001" else "auto",
    )


def heard_together(samples: list[int], *users: str) -> int:
    """Return in how many half seconds exactly the tones of ``users`` were heard.

    Not in a row: on a busy machine a phone's own sound card, which is a timer, may stumble.
    """
    by_tone = {user: shares(samples, tone) for user, tone in TONES.items()}
    return sum(
        all((share[at] > THERE) if user in users else (share[at] < ABSENT) for user, share in by_tone.items())
        for at in range(len(by_tone["2001"]))
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_three_phones_hear_each_other_and_two_after_the_seat_has_gone(tmp_path: Path, workers: int) -> None:
    """The caller hears music, the seat, music while it is held, both, and at last the third alone. With two
    workers there are three ports: the caller's stream lives in one of them, the others' in the other.
    """
    port = free_media_ports(6)
    with Switch(tmp_path, workers=workers, ports=(port, port + 5) if workers == 2 else None) as switch:
        caller, seat, third = (phone(tmp_path, switch, user) for user in TONES)
        with caller, seat, third:
            admin = switch.rpc()
            wait_until("all are registered", lambda: admin.call("admin.status")["sip"]["bindings"] >= 3)
            (desk,) = sign_in(switch, ["8001"])

            def states() -> list[str]:
                return sorted(call["state"] for call in admin.call("call.list"))

            def lasts(what: str, since: float, seconds: float) -> None:
                wait_until(what, lambda: desk.call("call.list")[0]["talked"] > since + seconds)

            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("the caller talks", lambda: states() == ["talking"])
            lasts("two talk", 0.0, 3.0)
            desk.call("call.consult", to="extension:2002")
            wait_until("the third talks", lambda: states() == ["held", "talking"])
            lasts("the seat consults", desk.call("call.list")[0]["talked"], 3.0)
            desk.call("call.consult_join")
            assert states() == ["threeway", "threeway"]
            streams_at = [worker["streams"] for worker in admin.call("admin.status")["media"]["workers"]]
            assert streams_at == ([1, 2] if workers == 2 else [3])
            lasts("three talk", desk.call("call.list")[0]["talked"], 5.0)
            seat.command("hangup")
            wait_until("the seat has gone", lambda: states() == ["talking"])
            lasts("two are left", admin.call("call.list")[0]["talked"], 3.0)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("all is over", lambda: not states())
            desk.close()
        to_caller, to_seat, to_third = (each.heard()[-1] for each in (caller, seat, third))
        assert heard_together(to_caller, "8001") >= 3
        assert heard_together(to_caller, "8001", "2002") >= 5
        assert heard_together(to_caller, "2002") >= 3
        assert heard_together(to_seat, "2001") >= 3
        assert heard_together(to_seat, "2002") >= 3  # while it consults
        assert heard_together(to_seat, "2001", "2002") >= 5
        assert heard_together(to_third, "8001") >= 3
        assert heard_together(to_third, "8001", "2001") >= 5
        assert heard_together(to_third, "2001") >= 3
        for samples, own in ((to_caller, "2001"), (to_seat, "8001"), (to_third, "2002")):
            assert max(shares(samples, TONES[own])) < ABSENT  # nobody hears himself
        rows = {row["verdict"]: row for row in rows_when_complete(switch, "calls", 2)}
        assert rows["success:transferred"]["continued_as"] == rows["success"]["call"]
        streams = rows_when_complete(switch, "streams", 3)
        assert all(stream["lost"] == 0 for stream in streams)
