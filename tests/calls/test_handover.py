"""Between a phone's answer and the bridge: the key of an outside phone, and what is said to both."""

from typing import Any

import pytest

from calls.call import Call, CallState
from calls.events import SeatAnswered, SeatMissed, SeatPickedUp, SeatTaken, SeatTook
from calls.settings import QueueMedia
from kernel.announce import Announce
from kernel.ids import OfferId
from media.events import DigitReceived
from media.messages import Connect, Play, Played, encode_reports
from tests.calls.office import PHONE, TRUNK, Office, Sent, call_settings, sdp

MUSIC, WELCOME = "builtin:music", "builtin:welcome"
MOBILE = ("pstn", "13900008001")
ASKED = ("voice:en/call-waiting", "voice:en/1")


def office(accept_key: str = "1", **media: Any) -> Office:
    queue = QueueMedia("junior", "demo", **media)
    return Office(call_settings(queues=(queue,), accept_key=accept_key))


def waiting(here: Office) -> Call:
    call = here.dial("96198")
    assert call is not None
    here.caller_says("ACK", here.last("200"), 1)
    return call


def outside(here: Office) -> tuple[Call, Sent]:
    """A call that rings the seat's mobile phone, which has answered."""
    call = waiting(here)
    here.offer(call.id, MOBILE)
    invite = here.last("INVITE")
    here.answer(invite, 180)
    here.answer(invite, 200, sdp(5000))
    return call, invite


def inside(here: Office) -> tuple[Call, Sent]:
    """A call that the seat's softphone has answered."""
    here.register("8001")
    call = waiting(here)
    invite = here.ring(call)
    here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    return call, invite


def press(here: Office, call: Call, key: str) -> None:
    """The phone that rings presses a key."""
    here.board.handle_media(DigitReceived(call.rings[0].stream, key, 100), here.now)
    here.settle()


def heard(here: Office, stream: int, *sounds: str) -> None:
    """The worker has played these to their ends."""
    for sound in sounds:
        here.plane.receive_worker(0, encode_reports([Played(stream, sound)]), here.now)  # type: ignore
        here.settle()


def plays(here: Office, stream: int) -> list[tuple[str, ...]]:
    return [it.prompts for it in here.commands if isinstance(it, Play) and it.stream == stream]


def are_connected(here: Office) -> bool:
    return any(isinstance(command, Connect) for command in here.commands)


def test_an_outside_phone_takes_the_call_by_its_key_and_the_talk_begins_there() -> None:
    """Until then it rings on for distribution, and the caller hears its music."""
    here = office()
    call, invite = outside(here)
    assert (call.state, call.answered_at) == (CallState.RINGING, None)
    assert plays(here, call.rings[0].stream) == [ASKED]
    assert plays(here, call.caller_leg.stream) == [(WELCOME, MUSIC)]  # type: ignore[union-attr]
    assert here.events(SeatPickedUp) == [SeatPickedUp(OfferId("o1"), 15.0)]
    here.advance(4.0)
    press(here, call, "2")
    assert (here.events(SeatAnswered), are_connected(here)) == ([], False)
    press(here, call, "1")
    assert (call.state, call.answered_at) == (CallState.TALKING, here.now)
    assert here.events(SeatAnswered) == [SeatAnswered(OfferId("o1"))]
    assert are_connected(here)
    here.caller_says("BYE", here.last("200", TRUNK), 2)
    assert here.last("BYE").message.call_id == invite.message.call_id
    here.advance(40.0)
    assert here.is_quiet()


def test_it_is_asked_again_until_its_time_is_over_which_distribution_says() -> None:
    here = office()
    call, invite = outside(here)
    heard(here, call.rings[0].stream, *ASKED)
    assert plays(here, call.rings[0].stream) == [ASKED, ASKED]
    here.board.rings.withdraw(OfferId("o1"), "no_answer", here.now)
    here.settle()
    assert call.state is CallState.WAITING
    assert here.last("BYE").message.call_id == invite.message.call_id
    assert not here.board.handover.steps


def test_an_early_hang_up_is_a_miss_and_the_caller_keeps_its_place() -> None:
    """A mailbox that hangs up, or a pocket: not answered."""
    here = office()
    call, invite = outside(here)
    here.phone_says("BYE", invite, 1)
    assert here.events(SeatMissed) == [SeatMissed(OfferId("o1"))]
    here.board.rings.withdraw(OfferId("o1"), "no_answer", here.now)  # as distribution does then
    here.settle()
    assert (call.state, here.verdicts()) == (CallState.WAITING, [])


def test_a_caller_who_hangs_up_meanwhile_lets_the_phone_go() -> None:
    here = office()
    _, invite = outside(here)
    here.caller_says("BYE", here.last("200", TRUNK), 2)
    assert here.verdicts() == [("caller", "caller:abandoned", 200)]
    assert here.last("BYE").message.call_id == invite.message.call_id
    here.advance(40.0)
    assert here.is_quiet()


def test_without_the_key_an_answer_is_enough_and_softphones_are_never_asked() -> None:
    here = office("")
    assert outside(here)[0].state is CallState.TALKING
    here = office()
    assert inside(here)[0].state is CallState.TALKING


@pytest.mark.parametrize("has_key", [True, False])
def test_a_direct_call_to_a_seat_at_an_outside_phone_is_asked_too(has_key: bool) -> None:
    here = office()
    here.book.phones["8001"] = MOBILE
    call = here.dial("96201")
    assert call is not None
    invite = here.last("INVITE")
    here.answer(invite, 200, sdp(5000))
    assert call.state is CallState.RINGING
    if has_key:
        press(here, call, "1")
        assert call.state is CallState.TALKING
        assert here.events(SeatTaken)[-1] == SeatTaken("8001", call.id, "talking")  # type: ignore
    else:
        here.phone_says("BYE", invite, 1)
        assert here.verdicts() == [("seat", "agent:no_answer", 480)]


# What is said before the bridge.


def test_a_seat_is_told_what_call_it_is_and_then_talks() -> None:
    """The caller hears its music until then; nobody else is asked any more."""
    here = office(seat_hears="from-the-hotline")
    call, _ = inside(here)
    leg = call.rings[0]
    assert plays(here, leg.stream) == [("from-the-hotline",)]
    assert here.events(SeatTook) == [SeatTook(OfferId("o1"), 300.0)]
    assert (call.state, are_connected(here)) == (CallState.RINGING, False)
    heard(here, leg.stream, "from-the-hotline")
    assert call.state is CallState.TALKING
    assert here.events(SeatAnswered) == [SeatAnswered(OfferId("o1"))]


@pytest.mark.parametrize("seat_hears", ["", "from-the-hotline"])
def test_a_caller_is_told_the_seat_s_number(seat_hears: str) -> None:
    """语音报号: the bridge is when both have heard what they are told."""
    here = office(say_seat=True, seat_hears=seat_hears)
    call, _ = inside(here)
    leg, caller = call.rings[0], call.caller_leg
    assert caller is not None
    told = tuple(f"voice:en/{name}" for name in ("seat-number", "8", "0", "0", "1"))
    assert plays(here, caller.stream)[-1] == (*told, MUSIC)
    heard(here, caller.stream, *told)
    assert call.state is (CallState.RINGING if seat_hears else CallState.TALKING)
    if seat_hears:
        heard(here, leg.stream, seat_hears)
    assert call.state is CallState.TALKING


def test_a_seat_that_hangs_up_in_it_has_missed_the_call_and_the_caller_waits_on_with_music() -> None:
    """AGENTDUMP: back to waiting, at its place; a later announcement is said as if nothing had been."""
    here = office(say_seat=True, announce=Announce(30.0, 1.0, ("one",)), welcome="")
    here.register("8001")
    call = waiting(here)
    caller = call.caller_leg
    assert caller is not None
    here.advance(1.0)
    assert plays(here, caller.stream)[-1] == ("one", MUSIC)
    invite = here.ring(call)
    here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    said = plays(here, caller.stream)[-1]
    assert said[-1] == MUSIC
    heard(here, caller.stream, *said[:2])
    here.phone_says("BYE", invite, 1)
    assert here.events(SeatMissed) == [SeatMissed(OfferId("o1"))]
    here.board.rings.withdraw(OfferId("o1"), "no_answer", here.now)
    here.settle()
    assert (call.state, here.verdicts()) == (CallState.WAITING, [])
    here.advance(1.0)
    assert plays(here, caller.stream)[-1] == ("one", MUSIC)


def test_a_caller_who_hangs_up_in_it_has_abandoned() -> None:
    here = office(seat_hears="from-the-hotline")
    inside(here)
    here.caller_says("BYE", here.last("200", TRUNK), 2)
    assert here.verdicts() == [("caller", "caller:abandoned", 200)]
    assert here.words(PHONE)[-1] == "BYE"
    here.advance(40.0)
    assert here.is_quiet()


def test_an_outside_phone_is_asked_first_and_told_then() -> None:
    here = office(seat_hears="from-the-hotline")
    call, _ = outside(here)
    leg = call.rings[0]
    press(here, call, "1")
    assert plays(here, leg.stream) == [ASKED, ("from-the-hotline",)]
    assert call.state is CallState.RINGING
    press(here, call, "1")  # once more means nothing
    heard(here, leg.stream, "from-the-hotline")
    assert call.state is CallState.TALKING


# A moment, and how long the caller has waited.


@pytest.mark.parametrize(("language", "told"), [("en", "2 minutes"), ("zh", "two-of minutes")])
def test_a_seat_is_told_how_long_its_caller_has_waited(language: str, told: str) -> None:
    """AQ's reportholdtime; after what call it is, in the language of the queue."""
    here = office(seat_hears="from-the-hotline", seat_hears_wait=True, language=language)
    here.register("8001")
    call = waiting(here)
    here.advance(150.0)
    here.register("8001")
    invite = here.ring(call)
    here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    leg = call.rings[0]
    said = ("from-the-hotline", *(f"voice:{language}/{name}" for name in ("has-waited", *told.split())))
    assert plays(here, leg.stream) == [said]
    heard(here, leg.stream, *said[:-1])
    assert call.state is CallState.RINGING
    heard(here, leg.stream, said[-1])
    assert call.state is CallState.TALKING


def test_who_has_not_waited_a_second_is_bridged_at_once() -> None:
    here = office(seat_hears_wait=True)
    call, _ = inside(here)
    assert call.state is CallState.TALKING


def test_a_seat_has_a_moment_before_it_is_told_anything() -> None:
    """AQ's memberdelay: silence; nobody else is asked any more, and the caller hears its music."""
    here = office(seat_delay=2.0, seat_hears="from-the-hotline")
    call, _ = inside(here)
    leg = call.rings[0]
    assert here.events(SeatTook) == [SeatTook(OfferId("o1"), 300.0)]
    here.advance(1.9)
    assert (plays(here, leg.stream), call.state) == ([], CallState.RINGING)
    here.advance(0.1)
    assert plays(here, leg.stream) == [("from-the-hotline",)]
    heard(here, leg.stream, "from-the-hotline")
    assert call.state is CallState.TALKING


def test_a_moment_alone_ends_in_the_bridge() -> None:
    here = office(seat_delay=2.0)
    call, _ = inside(here)
    here.advance(1.9)
    assert not are_connected(here)
    here.advance(0.1)
    assert are_connected(here)
    assert (call.state, here.events(SeatAnswered)) == (CallState.TALKING, [SeatAnswered(OfferId("o1"))])


@pytest.mark.parametrize("who", ["caller", "seat"])
def test_who_hangs_up_in_the_moment_leaves_nothing_behind(who: str) -> None:
    here = office(seat_delay=2.0)
    call, invite = inside(here)
    here.advance(1.0)
    if who == "caller":
        here.caller_says("BYE", here.last("200", TRUNK), 2)
        assert here.verdicts() == [("caller", "caller:abandoned", 200)]
    else:
        here.phone_says("BYE", invite, 1)
        assert here.events(SeatMissed) == [SeatMissed(OfferId("o1"))]
        here.board.rings.withdraw(OfferId("o1"), "no_answer", here.now)
        here.settle()
        assert call.state is CallState.WAITING
        here.advance(5.0)
        assert not are_connected(here)
        here.caller_says("BYE", here.last("200", TRUNK), 2)
    assert not here.board.handover.steps
    here.advance(40.0)
    assert here.is_quiet()
