"""Streams: what becomes of calls without a port, and the rows of what was heard."""

import pytest

from calls.call import Call, CallState
from calls.events import (
    CallQueued,
    SeatFailed,
)
from calls.menu import GoNode, HangUpNode, MenuNode, Node, PlayNode, ScriptSettings
from calls.settings import Hotline
from kernel.ids import StreamId
from kernel.rows import StreamRow
from media.messages import Digit, Play, Played, Record, TimedOut, encode_reports
from tests.calls.office import Office, call_settings, sdp
from tests.sip.scene import TRUNK


def test_without_a_port_left_the_call_is_refused() -> None:
    """Two port pairs: the third caller finds none."""
    office = Office(ports=(30000, 30002))
    assert office.dial("96198", "one") is not None
    assert office.dial("96198", "two") is not None
    office.dial("96198", "three")
    assert office.words(TRUNK)[-1] == "503"
    assert office.verdicts() == [("switch", "us:no_ports", 503)]
    assert not [event for event in office.events(CallQueued) if event.call == office.call_of(2)]


def test_without_a_port_for_the_seat_the_offer_fails_and_the_caller_waits_on() -> None:
    office = Office(ports=(30000, 30000))
    office.register("8001")
    call = office.dial("96198")
    assert call is not None
    office.offer(call.id, ("softphone", "8001"))
    assert [(event.offer, event.status) for event in office.events(SeatFailed)] == [("o1", 503)]
    assert call.state == "waiting"


def test_a_stream_is_closing_until_its_worker_has_told() -> None:
    """One row per stream over which audio went; nothing is left when the worker has reported."""
    office = Office()
    office.register("8001")
    call, ok, _ = office.talk()
    streams = [leg.stream for leg in call.legs()]
    assert list(office.board.streams.living) == streams
    office.caller_says("BYE", ok, 2)
    assert not office.board.streams.living
    assert not office.board.streams.closing
    rows = [row for row in office.rows if isinstance(row, StreamRow)]
    assert sorted(row.stream for row in rows) == sorted(
        [f"{call.id}/caller/{streams[0]}", f"{call.id}/callee/{streams[1]}"]
    )


def silent(office: Office, stream: StreamId) -> None:
    """Let the worker tell that nothing is heard of ``stream``."""
    office.plane.receive_worker(0, encode_reports([TimedOut(stream)]), office.now)
    office.settle()


def test_a_talk_without_audio_ends_and_both_sides_are_told() -> None:
    """BYE was lost, or the trunk is silent: whichever stream it is, with BYE to both."""
    for side in (0, 1):
        office = Office()
        office.register("8001")
        call, _, invite = office.talk()
        silent(office, call.legs()[side].stream)
        for bye in (office.last("BYE", TRUNK), office.last("BYE", invite.flow)):
            office.answer(bye, 481)
        office.advance(40.0)
        assert office.verdicts() == [("switch", "network:no_audio", 200)]
        assert office.is_quiet()


def test_who_waits_or_is_on_hold_may_be_silent() -> None:
    office = Office()
    office.register("8001")
    waiting = office.dial("96198", "waits")
    assert waiting is not None
    silent(office, waiting.legs()[0].stream)
    assert waiting.state == "waiting"
    office.caller_says("BYE", office.last("200"), 2)
    call, ok, _ = office.talk("holds")
    office.caller_says("INVITE", ok, 2, sdp(4000, "sendonly", "192.0.2.7", 2))
    silent(office, call.legs()[0].stream)
    assert call.state == "talking"


# The end of a sound counts for what is played, and for nothing that is played later.


def in_script(nodes: dict[str, Node]) -> tuple[Office, Call]:
    scripts = (ScriptSettings("main", "demo", "menu", nodes),)
    office = Office(call_settings(scripts=scripts, hotlines=(Hotline("96300", "demo", "ivr:main"),)))
    call = office.dial("96300")
    assert call is not None
    office.caller_says("ACK", office.last("200"), 1)
    return office, call


def plays(office: Office) -> list[Play]:
    return [command for command in office.commands if isinstance(command, Play)]


MENU: dict[str, Node] = {
    "menu": MenuNode((("1", "bye"),), ("choose",), within=5.0, retries=1),
    "bye": HangUpNode(),
}


@pytest.mark.parametrize("is_in_one_message", [False, True])
def test_a_late_end_of_the_menu_before_does_not_begin_the_time_of_its_repetition(
    *, is_in_one_message: bool
) -> None:
    """A wrong key has the same sound played once more, as the worker says that it was over: the caller has
    its five seconds from the end of the second time on.
    """
    office, call = in_script(MENU)
    (first,) = plays(office)
    office.advance(4.0)
    wrong, late = Digit(first.stream, "9", 100), Played(first.stream, "choose", first.number)
    for message in [[wrong, late]] if is_in_one_message else [[wrong], [late]]:
        office.plane.receive_worker(0, encode_reports(message), office.now)
        office.settle()
    second = plays(office)[-1]
    assert (second.prompts, len(plays(office))) == (("choose",), 2)
    office.advance(8.0)  # the sound lasts longer than the time for a key
    assert call.state is CallState.SCRIPT
    office.plane.receive_worker(
        0, encode_reports([Played(second.stream, "choose", second.number)]), office.now
    )
    office.settle()
    office.advance(4.9)
    assert call.state is CallState.SCRIPT
    office.advance(0.2)
    assert office.verdicts()[-1][:2] == ("switch", "success:script")


def test_the_end_of_a_scripts_sound_is_not_that_of_the_greeting_it_leads_to() -> None:
    """Two sounds come before a message, greeting and tone; none is taken for over as the script ends."""
    office, call = in_script({"menu": PlayNode("go", ("sorry",)), "go": GoNode("voicemail:public")})
    for sound in ("sorry", "voice:en/leave-message"):
        played = Played(plays(office)[-1].stream, sound, plays(office)[-1].number)
        office.plane.receive_worker(0, encode_reports([played]), office.now)
        office.settle()
    assert call.state is CallState.VOICEMAIL
    assert not [command for command in office.commands if isinstance(command, Record)]
