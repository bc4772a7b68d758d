"""Two whole phones hear each other through a queue call: proved by frequency, 440 Hz against 1000 Hz."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip, Sipp, Voice, register, tone_share
from tests.wire.switch import Rpc, Switch, wait_until
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
    caller = Baresip(
        folder,
        "2001",
        port=free_port(),
        control=free_port(),
        rtp=free_media_ports(100),
        sip_port=switch.sip_port,
        frequency=440,
    )
    seat = Baresip(
        folder,
        "8001",
        port=free_port(),
        control=free_port(),
        rtp=free_media_ports(100),
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
def test_each_hears_the_others_tone_and_nothing_of_it_outside_the_call(tmp_path: Path, workers: int) -> None:
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


@contextmanager
def conversation(
    folder: Path, switch: Switch, ended_by: str, lasts: float, streams: int = 2
) -> Iterator[tuple[Voice, Voice]]:
    """Two SIPp phones in a queue call whose audio is ours: it goes on whatever the phones do. The caller says
    440 Hz, the seat 1000 Hz; the caller has heard music alone, then both have heard each other for a second.
    """
    seat_port, logs = free_port(), [folder / "caller.log", folder / "seat.log"]
    register(folder, switch.sip_port, ["8001"], port=seat_port)
    names = ("caller_stays", "seat_hangs_up") if ended_by == "seat" else ("caller", "seat")
    options = [("-trace_msg", "-message_file", str(log), "-d", str(int(lasts * 1000))) for log in logs]
    target = f"127.0.0.1:{switch.sip_port}"
    with (
        Voice(440) as caller,
        Voice(1000) as seat,
        Sipp(folder, names[1], port=seat_port, audio=seat.port, options=options[1]) as phone,
        Sipp(
            folder, names[0], port=free_port(), target=target, audio=caller.port, options=options[0]
        ) as trunk,
    ):
        caller.to = wait_until("where to speak", partial(audio_of_switch, logs[0], caller.port))
        wait_until("the caller hears music", lambda: len(caller.heard) > 50)
        assert max(shares(caller.samples(), 1000)) < FAINT
        sign_in(switch, ["8001"])
        seat.to = wait_until("where to speak", partial(audio_of_switch, logs[1], seat.port))
        wait_until("the seat hears the caller", lambda: len(seat.heard) > 75)
        wait_until("the caller hears the seat", lambda: is_heard(caller.samples()[-8000:], 1000))
        assert is_heard(seat.samples()[-8000:], 440)
        yield caller, seat
        trunk.finish()
        phone.finish()
        assert rows_when_complete(switch, "streams", streams)  # the worker has closed them all
        said, heard = [caller.said, seat.said], [len(caller.heard), len(seat.heard)]
        wait_until("both went on for a second", lambda: min(caller.said - said[0], seat.said - said[1]) > 50)
        assert [len(caller.heard), len(seat.heard)] == heard
        assert (
            max(shares(caller.samples(), 440) + shares(seat.samples(), 1000)) < FAINT
        )  # nobody hears himself


def is_heard(samples: list[int], frequency: float) -> bool:
    return all(share > CLEAR for share in shares([*samples, 0], frequency))


def audio_of_switch(log: Path, own: int) -> tuple[str, int] | None:
    """Return where the switch listens, from what a phone has sent and received."""
    ports = re.findall(r"m=audio (\d+)", log.read_text(errors="replace")) if log.exists() else []
    return next((("127.0.0.1", int(port)) for port in ports if int(port) != own), None)


@pytest.mark.parametrize("ended_by", ["caller", "seat"])
def test_nothing_of_either_tone_arrives_after_the_hang_up(tmp_path: Path, ended_by: str) -> None:
    """Whoever hangs up: both go on speaking to the ports of the switch, and not one packet arrives."""
    with Switch(tmp_path) as switch:
        with conversation(tmp_path, switch, ended_by, lasts=4.0):
            pass
        row = rows_when_complete(switch, "calls", 1)[0]
        assert (row["verdict"], row["ended_by"]) == ("success", ended_by)


def test_audio_has_no_gap_while_signalling_stands_still(tmp_path: Path) -> None:
    """SIGSTOP for two seconds, as the longest turn one could think of: not a packet is missing."""
    with Switch(tmp_path) as switch, conversation(tmp_path, switch, "caller", lasts=7.0) as voices:
        assert switch.process is not None
        begun = [len(voice.heard) for voice in voices]
        switch.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(
                "both heard each other for two seconds",
                lambda: all(len(it.heard) - at > 100 for it, at in zip(voices, begun, strict=True)),
            )
        finally:
            switch.process.send_signal(signal.SIGCONT)
        for voice, at in zip(voices, begun, strict=True):
            sequences = [sequence for sequence, _ in voice.heard[at : at + 100]]
            assert sequences == [(sequences[0] + n) & 0xFFFF for n in range(100)]
        assert is_heard(voices[0].samples(begun[0]), 1000)
        assert is_heard(voices[1].samples(begun[1]), 440)


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
