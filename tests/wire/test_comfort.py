"""What waiting callers hear, on the wire: an announcement between the music, cut by the seat that answers."""

from importlib.resources import files
from math import sqrt
from operator import mul
from pathlib import Path

import pytest

from media.codecs.g711 import ulaw_to_linear
from tests.wire.phones import Baresip, tone_share, write_tone
from tests.wire.switch import Switch, wait_until
from tests.wire.test_audio import CLEAR, registered, states, two_phones
from tests.wire.test_queue_call import sign_in

pytestmark = pytest.mark.wire

SAID = 700.0  # Hz of the announcement; the seat is 1,000 Hz
FRAME = 160  # samples: 20 ms


def announcing(folder: Path) -> str:
    """Return a queue's settings: a tone of 20 s, a second after joining."""
    write_tone(folder / "said.wav", SAID, 20)
    said = f'[[sound]]\nname = "said"\nfile = "{folder}/said.wav"\n'
    return 'welcome = ""\nannounce = {every = "30s", after = "1s", sounds = ["said"]}\n' + said


def frames(samples: list[int], frequency: float) -> list[bool]:
    """Return of each 20 ms whether it is that tone."""
    starts = range(0, len(samples) - FRAME, FRAME)
    return [tone_share(samples[start : start + FRAME], frequency) > CLEAR for start in starts]


def heard_clearly(phone: Baresip, frequency: float) -> int:
    """Return how often a phone has heard 20 ms of that tone by now; on a busy machine not all is clear."""
    recordings = phone.heard()
    return sum(frames(recordings[-1], frequency)) if recordings else 0


def test_an_announcement_is_cut_within_one_packet_by_the_seat_that_answers(tmp_path: Path) -> None:
    """ASTERISK-27216, freeswitch #1148: 20 s of announcement, and the seat signs in in the middle of it."""
    with Switch(tmp_path, queue_extra=announcing(tmp_path)) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("the caller waits", lambda: states(admin.call("call.list")) == ["waiting"])
            wait_until("it was announced to", lambda: heard_clearly(caller, SAID) > 40)
            desk = sign_in(switch, ["8001"])[0]
            wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
            wait_until("the seat is heard", lambda: heard_clearly(caller, 1000) > 75)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
            desk.close()
        heard = caller.heard()[-1]
    said, talked = frames(heard, SAID), frames(heard, 1000)
    assert sum(said) > 40  # of the announcement, a second or more
    assert sum(talked) > 75
    last_said, first_talked = len(said) - 1 - said[::-1].index(True), talked.index(True)
    assert not any(said[first_talked:]), "the announcement goes on in the talk"
    assert not any(talked[:last_said])


def test_a_caller_is_told_its_place_in_the_shipped_voice(tmp_path: Path) -> None:
    """The samples of "you are number", "1" and "in line" are in what the phone has heard, in this order."""
    said = 'welcome = ""\nannounce = {every = "30s", after = "1s", position = "always"}\n'
    with Switch(tmp_path, queue_extra=said) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("the caller waits", lambda: states(admin.call("call.list")) == ["waiting"])
            wait_until("it was told", lambda: admin.call("call.list")[0]["waited"] > 4.0)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
        heard = caller.heard()[-1]
    places = [place_of(heard, name) for name in ("you-are-number", "1", "in-line")]
    assert places == sorted(places)


def place_of(heard: list[int], name: str) -> int:
    """Return where the middle of a phrase begins in what was heard, sample by sample or nearly."""
    phrase = (files("media") / "voice" / "en" / f"{name}.ulaw").read_bytes()
    samples = [ulaw_to_linear(code) for code in phrase[1600:1760]]
    alike = [likeness(samples, heard[at : at + FRAME]) for at in range(len(heard) - FRAME)]
    best = max(range(len(alike)), key=alike.__getitem__)
    assert alike[best] > 0.98, f"{name}: {alike[best]:.3f}"
    return best


def likeness(one: list[int], other: list[int]) -> float:
    """Return the normalised correlation of two pieces, -1 to 1."""
    energy = sum(map(mul, one, one)) * sum(map(mul, other, other))
    return sum(map(mul, one, other)) / sqrt(energy) if energy else 0.0
