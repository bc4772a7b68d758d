"""Two whole phones hear each other through a queue call: proved by frequency, 440 Hz against 1000 Hz."""

from pathlib import Path

import pytest

from tests.wire.phones import Baresip, tone_share
from tests.wire.switch import Switch, free_port, wait_until
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire

WINDOW = 4000  # samples: half a second
CLEAR = 0.8  # share of a window's energy at the tone that says "this is that tone"
FAINT = 0.2


def shares(samples: list[int], frequency: float) -> list[float]:
    """Return the tone's share in each half second."""
    starts = range(0, len(samples) - WINDOW, WINDOW)
    return [tone_share(samples[start : start + WINDOW], frequency) for start in starts]


def longest_run(flags: list[bool]) -> int:
    """Return the length of the longest run of true flags."""
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


@pytest.mark.parametrize("workers", [1, 0])
def test_each_hears_the_others_tone_and_nothing_of_it_outside_the_call(
    tmp_path: Path, workers: int
) -> None:
    """The caller waits with music first, so what it hears changes from music to 1000 Hz at the answer."""
    with Switch(tmp_path, workers=workers) as switch:
        rtp = switch.rtp_ports[1] + 2002
        caller = Baresip(
            tmp_path,
            "2001",
            port=free_port(),
            control=free_port(),
            rtp=rtp,
            sip_port=switch.sip_port,
            frequency=440,
        )
        seat = Baresip(
            tmp_path,
            "8001",
            port=free_port(),
            control=free_port(),
            rtp=rtp + 100,
            sip_port=switch.sip_port,
            frequency=1000,
            answer="auto",
        )
        with caller, seat:
            admin = switch.rpc()
            wait_until(
                "both phones are registered",
                lambda: admin.call("admin.status")["sip"]["bindings"] >= 2,
            )
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("the caller waits", lambda: states(admin.call("call.list")) == ["waiting"])
            wait_until(
                "music was played for 2 s",
                lambda: admin.call("call.list")[0]["waited"] > 2.0,
            )
            desk = sign_in(switch, ["8001"])[0]
            wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
            talking = admin.call("call.list")[0]["call"]
            wait_until(
                "they talked for 3 s",
                lambda: admin.call("call.list")[0]["talked"] > 3.0,
            )
            admin.call("call.hangup", call=talking)
            wait_until("the call is over", lambda: not admin.call("call.list"))
            desk.close()
        caller_heard, seat_heard = caller.heard()[-1], seat.heard()[-1]
        assert longest_run([share > CLEAR for share in shares(caller_heard, 1000)]) >= 4
        assert longest_run([share > CLEAR for share in shares(seat_heard, 440)]) >= 4
        # Nobody hears himself, and the caller heard no 1000 Hz in the music before the answer.
        assert max(shares(caller_heard, 440)) < FAINT
        assert max(shares(seat_heard, 1000)) < FAINT
        assert all(share < FAINT for share in shares(caller_heard, 1000)[:3])
        streams = rows_when_complete(switch, "streams", 2)
        assert all(stream["packets_received"] > 100 and stream["lost"] == 0 for stream in streams)


def states(calls: list[dict[str, object]]) -> list[object]:
    return [call["state"] for call in calls]
