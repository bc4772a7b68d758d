"""Two whole phones hear each other through a queue call: proved by frequency, 440 Hz against 1000 Hz."""

import os
import signal
from pathlib import Path

import pytest

from tests.wire.phones import Baresip, tone_share
from tests.wire.switch import Rpc, Switch, free_port, wait_until
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


def two_phones(folder: Path, switch: Switch) -> tuple[Baresip, Baresip]:
    """Return the caller, extension 2001 with 440 Hz, and seat 8001 with 1000 Hz, which answers by itself."""
    rtp = switch.rtp_ports[1] + 2002
    caller = Baresip(
        folder,
        "2001",
        port=free_port(),
        control=free_port(),
        rtp=rtp,
        sip_port=switch.sip_port,
        frequency=440,
    )
    seat = Baresip(
        folder,
        "8001",
        port=free_port(),
        control=free_port(),
        rtp=rtp + 100,
        sip_port=switch.sip_port,
        frequency=1000,
        answer="auto",
    )
    return caller, seat


def registered(switch: Switch) -> Rpc:
    """Wait until both phones are registered; return a connection of an operator."""
    admin = switch.rpc()
    wait_until("both phones are registered", lambda: admin.call("admin.status")["sip"]["bindings"] >= 2)
    return admin


@pytest.mark.parametrize("workers", [1, 0])
def test_each_hears_the_others_tone_and_nothing_of_it_outside_the_call(
    tmp_path: Path, workers: int
) -> None:
    """P7: the caller waits with music first, so what it hears changes from music to 1000 Hz at the answer."""
    with Switch(tmp_path, workers=workers) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
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


def test_a_media_worker_that_dies_is_replaced_and_the_conversation_goes_on(tmp_path: Path) -> None:
    """kill -9 of the worker in mid-call: its successor takes the same ports, both hear each other again."""
    with Switch(tmp_path) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            sign_in(switch, ["8001"])
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
            wait_until("for 2 s", lambda: admin.call("call.list")[0]["talked"] > 2.0)
            worker = switch.child("media-worker")
            os.kill(worker, signal.SIGKILL)
            wait_until("there is a new worker", lambda: switch.child("media-worker") not in (0, worker))
            killed_after = admin.call("call.list")[0]["talked"]
            wait_until("3 s more", lambda: admin.call("call.list")[0]["talked"] > killed_after + 4.0)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
        for heard, frequency in ((caller.heard()[-1], 1000), (seat.heard()[-1], 440)):
            last = shares(heard, frequency)[-5:]
            assert sum(share > CLEAR for share in last) >= 3, f"{frequency} Hz is not back: {last}"
        assert "media worker" in switch.log_path.read_text()


def states(calls: list[dict[str, object]]) -> list[object]:
    return [call["state"] for call in calls]
