"""Keys of the telephone: heard by RFC 4733 and by INFO, in an announcement and while a seat rings."""

import pytest

from calls.call import Call
from calls.events import KeyPressed
from calls.keys import key_of
from calls.settings import QueueMedia
from kernel.announce import Announce
from kernel.ids import QueueName
from media.events import DigitReceived
from media.messages import Collect, Play
from sip.events import InfoReceived
from tests.calls.office import Office, call_settings


def waiting(here: Office) -> Call:
    call = here.dial("96198")
    assert call is not None
    here.caller_says("ACK", here.last("200"), 1)
    return call


def office(*keys: str, **media: object) -> Office:
    queue = QueueMedia("junior", "demo", keys=keys, **media)  # type: ignore[arg-type]
    return Office(call_settings(queues=(queue, QueueMedia("senior", "demo", keys=("9",)))))


def press(here: Office, call: Call, key: str) -> None:
    assert call.caller_leg is not None
    here.board.handle_media(DigitReceived(call.caller_leg.stream, key, 100), here.now)
    here.settle()


def collects(here: Office) -> list[bool]:
    return [command.wanted for command in here.commands if isinstance(command, Collect)]


def test_a_waiting_caller_s_key_is_told_and_no_other() -> None:
    here = office("1", "#")
    call = waiting(here)
    assert collects(here) == [True]
    for key in ("2", "1", "#"):
        press(here, call, key)
    assert here.events(KeyPressed) == [KeyPressed(call.id, "1"), KeyPressed(call.id, "#")]


def test_a_key_as_info() -> None:
    here = office("1")
    call, ok = waiting(here), here.last("200")
    body = b"Signal=1\r\nDuration=160\r\n"
    here.caller_says("INFO", ok, 2, body, content_type="application/dtmf-relay")
    assert here.events(KeyPressed) == [KeyPressed(call.id, "1")]


def test_keys_are_heard_in_an_announcement_and_while_a_seat_rings() -> None:
    """anchors: accepted also during announcements and while an agent rings."""
    here = office("0", welcome="", announce=Announce(30.0, 5.0, ("one",)))
    here.register("8001")
    call = waiting(here)
    here.advance(5.0)
    assert [it.prompts[0] for it in here.commands if isinstance(it, Play)][-1] == "one"
    press(here, call, "0")
    here.ring(call)
    press(here, call, "0")
    assert here.events(KeyPressed) == [KeyPressed(call.id, "0")] * 2


def test_a_queue_without_keys_hears_none_and_another_queue_has_its_own() -> None:
    here = office()
    call = waiting(here)
    assert collects(here) == []
    here.board.comfort.change_queue(call.id, QueueName("senior"), here.now)
    here.settle()
    assert collects(here) == [True]
    press(here, call, "9")
    assert here.events(KeyPressed) == [KeyPressed(call.id, "9")]


def test_in_a_talk_keys_are_nobody_s_but_the_other_side_s() -> None:
    here = office("1")
    here.register("8001")
    call, _, _ = here.talk()
    press(here, call, "1")
    assert here.events(KeyPressed) == []


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay;x=y", b"duration=1\r\nSIGNAL = #\r\n", "#"),
        ("application/dtmf", b"7", "7"),
        ("application/dtmf-relay", b"", ""),
        ("text/plain", b"Signal=5", ""),
    ],
)
def test_what_an_info_brings(kind: str, body: bytes, key: str) -> None:
    assert key_of(InfoReceived(None, kind, body)) == key  # type: ignore[arg-type]
