"""Standing lines: one phone that is called once, and what becomes of its leg."""

from typing import Any

import pytest

from calls.call import Call, CallState
from calls.events import LineMoved, SeatAnswered, SeatFreed, SeatMissed, SeatRang, SeatRefused, SeatTaken
from calls.settings import QueueMedia
from calls.standing import REST, REST_MAX
from kernel.ids import CallId, OfferId, SeatId
from media.events import DigitReceived
from media.messages import Connect, Play, Played, encode_reports
from tests.calls.office import PHONE, TRUNK, Office, Sent, call_settings, sdp

SEAT, OFFER = SeatId("8001"), OfferId("o1")
SOFTPHONE = ("softphone", "8001")
BEEP, SILENCE = "builtin:reminder", "builtin:silence"
UP, DOWN = LineMoved(SEAT, True), LineMoved(SEAT, False)


def office(how: str = "auto", accept_key: str = "1", **more: Any) -> Office:
    queue = QueueMedia("junior", "demo", **more)
    here = Office(call_settings(queues=(queue,), accept_key=accept_key, standing={"8001": how}))
    here.register("8001")
    here.book.phones["8001"] = SOFTPHONE
    return here


def open_line(here: Office) -> Sent:
    here.board.standing.open(SEAT, SOFTPHONE, here.now)
    here.settle()
    return here.last("INVITE")


def up(how: str = "auto", **more: Any) -> tuple[Office, Sent]:
    """The phone is on the line; return its INVITE."""
    here = office(how, **more)
    invite = open_line(here)
    here.answer(invite, 180)
    here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    return here, invite


def waiting(here: Office, call_id: str = "call1") -> Call:
    call = here.dial("96198", call_id)
    assert call is not None
    here.caller_says("ACK", here.last("200"), 1)
    return call


def summon(here: Office, call: Call, offer: str = "o1") -> None:
    here.offer(call.id, SOFTPHONE, "8001", offer)


def heard(here: Office, stream: int, sound: str) -> None:
    here.plane.receive_worker(0, encode_reports([Played(stream, sound)]), here.now)  # type: ignore
    here.settle()


def plays(here: Office) -> list[tuple[str, ...]]:
    """Return what the phone on the line was given to hear."""
    leg_stream = 1
    return [it.prompts for it in here.commands if isinstance(it, Play) and it.stream == leg_stream]


def connects(here: Office) -> int:
    return sum(isinstance(it, Connect) for it in here.commands)


def phone_words(here: Office) -> list[str]:
    return here.words(PHONE)


def test_a_phone_is_called_once_and_stays() -> None:
    """It hears silence, no lamp burns, and nothing is a call that anybody sees."""
    here, invite = up()
    assert invite.message.header("to") == "<sip:8001@example.com>"
    assert here.events(LineMoved) == [UP]
    assert plays(here) == [(SILENCE,)]
    assert not here.board.lines.count()
    assert not here.board.is_busy(SOFTPHONE)
    here.advance(600.0)
    assert phone_words(here).count("INVITE") == 1
    assert "BYE" not in phone_words(here)


def test_a_call_is_a_beep_and_then_the_caller_and_the_phone_is_told_nothing() -> None:
    here, _ = up()
    call = waiting(here)
    before = len(here.sent)
    summon(here, call)
    assert here.events(SeatRang) == [SeatRang(OFFER)]
    assert call.state is CallState.RINGING
    assert plays(here)[-1] == (BEEP,)
    heard(here, 1, BEEP)
    assert (call.state, call.seat) == (CallState.TALKING, SEAT)
    assert here.events(SeatAnswered) == [SeatAnswered(OFFER)]
    assert connects(here) == 1
    assert here.sent[before:] == []


def test_the_leg_stays_after_the_call_and_is_lent_again() -> None:
    here, _ = up()
    for number in ("1", "2", "3"):
        call = waiting(here, f"call{number}")
        answer = here.last("200", TRUNK)
        summon(here, call, f"o{number}")
        heard(here, 1, BEEP)
        here.caller_says("BYE", answer, 2)
        assert here.events(SeatFreed)[-1].seat == SEAT
        assert plays(here)[-1] == (SILENCE,)
        assert not here.board.is_busy(SOFTPHONE)
        assert not here.board.lines.count()
    assert phone_words(here) == ["INVITE", "ACK"]
    assert here.events(LineMoved) == [UP] * 4  # it is told again after each


def test_the_key_takes_the_call_and_another_does_not() -> None:
    here, _ = up("key")
    call = waiting(here)
    summon(here, call)
    assert plays(here)[-1] == ("voice:en/call-waiting", "voice:en/1")
    for key, state in (("2", CallState.RINGING), ("1", CallState.TALKING)):
        here.board.handle_media(DigitReceived(1, key, 100), here.now)  # type: ignore[arg-type]
        here.settle()
        assert call.state is state


@pytest.mark.parametrize("how", ["auto", "key"])
def test_a_call_that_is_called_off_gives_the_leg_back(how: str) -> None:
    here, _ = up(how)
    call = waiting(here)
    summon(here, call)
    here.board.rings.withdraw(OFFER, "no_answer", here.now)
    here.settle()
    assert call.state is CallState.WAITING
    assert plays(here)[-1] == (SILENCE,)
    heard(here, 1, BEEP)  # told late
    assert call.state is CallState.WAITING
    summon(here, call, "o2")
    assert call.state is CallState.RINGING


def test_a_caller_who_hangs_up_in_the_beep_gives_the_leg_back() -> None:
    here, _ = up()
    call = waiting(here)
    summon(here, call)
    here.caller_says("BYE", here.last("200", TRUNK), 2)
    assert here.verdicts() == [("caller", "caller:abandoned", 200)]
    assert plays(here)[-1] == (SILENCE,)
    assert "BYE" not in phone_words(here)


def test_words_before_the_bridge_follow_the_beep() -> None:
    here, _ = up(seat_hears="from-the-hotline")
    call = waiting(here)
    summon(here, call)
    heard(here, 1, BEEP)
    assert plays(here)[-1] == ("from-the-hotline",)
    heard(here, 1, "from-the-hotline")
    assert call.state is CallState.TALKING


def test_the_desk_answers_and_refuses_on_the_line() -> None:
    from calls.controls import CallAnswered, CallRefused

    here, _ = up("key")
    call = waiting(here)
    summon(here, call)
    here.board.desk.handle(CallRefused(call.id, SEAT), here.now)
    here.settle()
    assert here.events(SeatRefused) == [SeatRefused(OFFER, 603)]
    summon(here, call, "o2")
    here.board.desk.handle(CallAnswered(call.id, SEAT), here.now)
    here.settle()
    assert call.state is CallState.TALKING


# The line is lost.


def test_a_phone_that_hangs_up_between_calls_is_called_again_and_leaves_a_row() -> None:
    here, invite = up()
    here.advance(10.0)
    here.phone_says("BYE", invite, 1)
    assert here.events(LineMoved) == [UP, DOWN]
    assert here.verdicts() == [("seat", "success", 200)]
    here.advance(REST - 0.1)
    assert phone_words(here).count("INVITE") == 1
    here.advance(0.1)
    assert phone_words(here).count("INVITE") == 2
    here.answer(here.last("INVITE"), 200, sdp(5000, host="192.0.2.7"))
    assert here.events(LineMoved) == [UP, DOWN, UP]


def test_a_phone_that_hangs_up_in_a_talk_ends_it_and_its_line() -> None:
    """Distribution hears of the line first, so that nothing is offered in between."""
    here, invite = up()
    call = waiting(here)
    summon(here, call)
    heard(here, 1, BEEP)
    here.phone_says("BYE", invite, 1)
    told = [event for event in here.told if isinstance(event, LineMoved | SeatFreed)]
    assert told == [UP, DOWN, SeatFreed(SEAT, call.id, True)]
    assert sorted(here.verdicts()) == [("seat", "success", 200), ("seat", "success", 200)]
    here.advance(REST)
    assert phone_words(here).count("INVITE") == 2


def test_a_phone_that_hangs_up_in_the_beep_has_missed_the_call() -> None:
    here, invite = up()
    call = waiting(here)
    summon(here, call)
    here.phone_says("BYE", invite, 1)
    assert here.events(SeatMissed) == [SeatMissed(OFFER)]
    assert here.events(LineMoved) == [UP, DOWN]
    here.board.rings.withdraw(OFFER, "no_answer", here.now)
    here.settle()
    assert call.state is CallState.WAITING


def test_a_phone_that_does_not_answer_is_called_after_longer_and_longer_rests() -> None:
    here = office()
    here.board.standing.open(SEAT, SOFTPHONE, here.now)
    here.settle()
    rests = []
    for _ in range(7):
        count, since = phone_words(here).count("INVITE"), here.now
        here.answer(here.last("INVITE"), 486)
        while phone_words(here).count("INVITE") == count:
            here.advance(0.5)
        rests.append(here.now - since)
    assert rests == [REST, 2 * REST, 4 * REST, 8 * REST, 16 * REST, REST_MAX, REST_MAX]
    assert here.verdicts() == [("seat", "agent:refused", 486)] * 7
    assert here.events(LineMoved) == []


def test_a_phone_that_comes_back_is_called_at_once() -> None:
    here = Office(call_settings(standing={"8001": "auto"}))
    here.book.phones["8001"] = SOFTPHONE
    here.board.standing.open(SEAT, SOFTPHONE, here.now)
    here.settle()
    assert phone_words(here) == []
    here.advance(1.0)
    here.register("8001")
    here.board.standing.phone_came(SOFTPHONE, here.now)
    here.settle()
    assert phone_words(here) == ["INVITE"]


def test_a_phone_in_a_call_of_its_own_is_called_when_that_is_over() -> None:
    here = office()
    direct = here.dial("96201")
    assert direct is not None
    invite = here.last("INVITE")
    here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    here.board.standing.open(SEAT, SOFTPHONE, here.now)
    here.settle()
    here.advance(1.0)
    assert phone_words(here).count("INVITE") == 1
    here.phone_says("BYE", invite, 1)
    here.advance(REST)
    assert phone_words(here).count("INVITE") == 2


def test_a_phone_that_holds_its_idle_line_is_out_of_reach() -> None:
    """Nobody would hear the beep; also where the hold began in the call before."""
    here, invite = up()
    held, taken_up = sdp(5000, host="192.0.2.7", direction="sendonly"), sdp(5000, host="192.0.2.7")
    here.phone_says("INVITE", invite, 1, held)
    here.phone_says("ACK", invite, 1)
    assert here.events(LineMoved) == [UP, DOWN]
    here.phone_says("INVITE", invite, 2, taken_up)
    here.phone_says("ACK", invite, 2)
    assert here.events(LineMoved) == [UP, DOWN, UP]
    call = waiting(here)
    answer = here.last("200", TRUNK)
    summon(here, call)
    heard(here, 1, BEEP)
    here.phone_says("INVITE", invite, 3, held)
    here.phone_says("ACK", invite, 3)
    assert here.events(LineMoved) == [UP, DOWN, UP]
    here.caller_says("BYE", answer, 2)
    assert here.events(LineMoved) == [UP, DOWN, UP, DOWN]


# It ends.


def test_a_line_that_is_closed_hangs_up_and_leaves_nothing() -> None:
    here, _ = up()
    here.board.standing.close(SEAT, here.now)
    here.settle()
    assert phone_words(here)[-1] == "BYE"
    here.answer(here.last("BYE"), 200)
    here.advance(40.0)
    assert here.is_quiet()
    assert here.verdicts() == [("switch", "success", 200)]


def test_a_line_that_is_closed_in_a_talk_ends_with_the_talk() -> None:
    here, _ = up()
    call = waiting(here)
    answer = here.last("200", TRUNK)
    summon(here, call)
    heard(here, 1, BEEP)
    here.board.standing.close(SEAT, here.now)
    here.settle()
    assert call.state is CallState.TALKING
    assert "BYE" not in phone_words(here)
    here.caller_says("BYE", answer, 2)
    assert phone_words(here)[-1] == "BYE"
    here.answer(here.last("BYE"), 200)
    here.advance(40.0)
    assert here.is_quiet()


def test_a_line_that_is_closed_while_its_phone_rings_cancels() -> None:
    here = office()
    invite = open_line(here)
    here.answer(invite, 180)
    here.board.standing.close(SEAT, here.now)
    here.settle()
    assert phone_words(here)[-1] == "CANCEL"
    assert here.verdicts() == [("switch", "agent:cancelled", 487)]


def test_a_switch_that_drains_lets_phones_go_and_calls_none() -> None:
    here, _ = up()
    here.board.standing.hold(here.now)
    here.settle()
    assert phone_words(here)[-1] == "BYE"
    assert here.events(LineMoved) == [UP, DOWN]
    here.board.standing.open(SEAT, SOFTPHONE, here.now)
    here.advance(120.0)
    assert phone_words(here).count("INVITE") == 1


def test_silence_of_the_phone_ends_the_line() -> None:
    """No audio for so long as ends a call: it is called again."""
    here, _ = up()
    (own,) = here.board.calls.values()
    here.board.end(own, here.now, ended_by="switch", verdict="network:no_audio", status=200)
    here.settle()
    assert here.events(LineMoved) == [UP, DOWN]
    assert phone_words(here)[-1] == "BYE"
    here.advance(REST)
    assert phone_words(here).count("INVITE") == 2


# Other calls on the line.


def test_a_direct_call_beeps_on_the_line_and_its_caller_hears_it_ring() -> None:
    here, _ = up()
    call = here.dial("96201")
    assert call is not None
    assert phone_words(here).count("INVITE") == 1
    assert here.words(TRUNK)[-1] == "180"
    assert here.events(SeatTaken)[-1] == SeatTaken(SEAT, call.id, "ringing")
    heard(here, 1, BEEP)
    assert call.state is CallState.TALKING
    here.caller_says("ACK", here.last("200", TRUNK), 1)
    here.caller_says("BYE", here.last("200", TRUNK), 2)
    assert plays(here)[-1] == (SILENCE,)


def test_a_second_call_rings_the_phone_while_its_line_is_lent() -> None:
    here, _ = up()
    call = waiting(here)
    summon(here, call)
    heard(here, 1, BEEP)
    assert here.board.standing.lend(call, SOFTPHONE, here.now) is None


def test_a_desk_dials_on_the_line_without_a_beep() -> None:
    from calls.controls import DialAsked

    here, _ = up()
    here.register("2001")
    here.board.desk.handle(DialAsked(CallId("d1"), SEAT, "2001", ""), here.now)
    here.settle()
    assert (BEEP,) not in plays(here)
    invites = [sent for sent in here.sent if sent.word == "INVITE"]
    assert len(invites) == 2
    assert "2001" in (invites[-1].message.header("to") or "")
    here.answer(here.last("INVITE"), 200, sdp(6000, host="192.0.2.7"))
    call = here.board.calls[CallId("d1")]
    assert call.state is CallState.TALKING
    here.board.hang_up(call.id, "seat", here.now, "seat", SEAT)
    here.settle()
    assert plays(here)[-1] == (SILENCE,)
    assert DOWN not in here.events(LineMoved)
