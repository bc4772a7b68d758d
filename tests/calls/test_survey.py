"""Surveys: asked by the seat or when it hangs up first, one row each, whatever the caller does."""

from typing import Any

import pytest

from calls.call import Call, CallState
from calls.controls import CallHeld, ConsultAsked, SurveyAsked
from calls.events import CallChanged, SeatFreed, SurveyEnded
from calls.settings import QueueMedia
from calls.survey import ASK_FOR, THANK_FOR
from kernel.announce import SurveySettings
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.rows import CallRow, SurveyRow
from media.events import DigitReceived
from media.messages import Play, Played, encode_reports
from tests.calls.office import EPOCH, PHONE, TRUNK, Office, Sent, call_settings

SEAT = SeatId("8001")
ASKED, THANKED = "voice:en/rate-us", "voice:en/thank-you"


def office(**survey: Any) -> Office:
    here = Office(
        call_settings(queues=(QueueMedia("junior", "demo", survey=SurveySettings(**survey)),))
    )
    here.register("8001")
    return here


def ask(here: Office, call: Call) -> None:
    here.board.desk.handle(SurveyAsked(call.id, SEAT), here.now)
    here.settle()


def asked(here: Office) -> tuple[Call, Sent, Sent]:
    """A call of 20 s whose seat has left the caller to the survey."""
    call, ok, invite = here.talk()
    here.advance(20.0)
    ask(here, call)
    return call, ok, invite


def press(here: Office, call: Call, key: str) -> None:
    assert call.caller_leg is not None
    here.board.handle_media(DigitReceived(call.caller_leg.stream, key, 100), here.now)
    here.settle()


def heard(here: Office, call: Call, sound: str) -> None:
    assert call.caller_leg is not None
    here.plane.receive_worker(0, encode_reports([Played(call.caller_leg.stream, sound)]), here.now)
    here.settle()


def surveys(here: Office) -> list[tuple[str, str, str | None]]:
    rows = [row for row in here.rows if isinstance(row, SurveyRow)]
    return [(row.seat, row.key, row.result) for row in rows]


def said(here: Office) -> tuple[str, ...]:
    return [command.prompts for command in here.commands if isinstance(command, Play)][-1]


def test_a_seat_leaves_the_caller_to_rate_the_call() -> None:
    """The seat is free at once; the talk lasted until then, not until the key."""
    here = office()
    call, _, _ = asked(here)
    assert here.words(PHONE)[-1] == "BYE"
    assert here.events(SeatFreed) == [SeatFreed(SEAT, call.id, bridged=True)]
    assert call.state is CallState.SURVEY
    assert [event.state for event in here.events(CallChanged)][-1] == "survey"
    assert said(here) == (ASKED,)
    here.advance(5.0)
    press(here, call, "4")
    assert said(here) == (THANKED,)
    assert here.verdicts() == []
    heard(here, call, THANKED)
    assert here.words(TRUNK)[-1] == "BYE"
    (row,) = [row for row in here.rows if isinstance(row, CallRow)]
    assert (row.talked, row.seat, row.ended_by, row.verdict) == (20.0, "8001", "seat", "success")
    (result,) = [row for row in here.rows if isinstance(row, SurveyRow)]
    invited_at = EPOCH + here.now - 5.0
    assert result == SurveyRow(
        call.id, "demo", "junior", "8001", invited_at, invited_at + 5.0, "4", "4"
    )
    assert here.events(SurveyEnded) == [SurveyEnded(call.id, "demo", "junior", "8001", "4", "4")]
    here.advance(40.0)
    assert here.is_quiet()


def test_keys_and_what_they_mean_are_the_queue_s_own_and_others_mean_nothing() -> None:
    three = (("1", "satisfied"), ("2", "neutral"), ("3", "dissatisfied"))
    here = office(sound="how-was-it", results=three)
    call, _, _ = asked(here)
    assert said(here) == ("how-was-it",)
    press(here, call, "5")
    assert said(here) == ("how-was-it",)
    press(here, call, "3")
    press(here, call, "1")  # the first counts
    heard(here, call, THANKED)
    assert surveys(here) == [("8001", "3", "dissatisfied")]


def test_without_a_key_the_result_is_null() -> None:
    """Ten seconds from the end of the question."""
    here = office()
    call, _, _ = asked(here)
    here.advance(30.0)
    assert here.verdicts() == []
    heard(here, call, ASKED)
    here.advance(9.9)
    assert here.verdicts() == []
    here.advance(0.1)
    assert here.verdicts() == [("seat", "success", 200)]
    assert surveys(here) == [("8001", "", None)]


@pytest.mark.parametrize(("key", "result"), [("", None), ("2", "2")])
def test_a_caller_who_hangs_up_has_answered_or_not(key: str, result: str | None) -> None:
    here = office()
    call, ok, _ = asked(here)
    if key:
        press(here, call, key)
    here.caller_says("BYE", ok, 2)
    assert here.verdicts() == [("caller", "success", 200)]
    assert surveys(here) == [("8001", key, result)]
    here.advance(ASK_FOR)
    assert len(surveys(here)) == 1


def test_a_worker_that_says_nothing_keeps_nobody() -> None:
    here = office()
    call, _, _ = asked(here)
    press(here, call, "1")
    here.advance(THANK_FOR)
    assert here.verdicts() == [("seat", "success", 200)]
    here = office()
    asked(here)
    here.advance(ASK_FOR)
    assert here.verdicts() == [("seat", "success", 200)]


@pytest.mark.parametrize("automatic", [True, False])
def test_a_seat_that_hangs_up_first_leaves_the_caller_where_the_queue_says_so(automatic: bool) -> None:
    here = office(is_automatic=automatic)
    call, _, invite = here.talk()
    here.phone_says("BYE", invite, 1)
    if automatic:
        assert (call.state, said(here)) == (CallState.SURVEY, (ASKED,))
        press(here, call, "5")
        heard(here, call, THANKED)
        assert surveys(here) == [("8001", "5", "5")]
        assert here.events(SeatFreed) == [SeatFreed(SEAT, call.id, bridged=True)]
    assert here.verdicts() == [("seat", "success", 200)]


def test_a_caller_who_hangs_up_first_is_not_asked() -> None:
    here = office(is_automatic=True)
    _, ok, _ = here.talk()
    here.caller_says("BYE", ok, 2)
    assert (here.verdicts(), surveys(here)) == ([("caller", "success", 200)], [])


def test_who_hears_nobody_or_came_by_no_queue_is_not_asked() -> None:
    def refusal(here: Office, call: Call) -> str:
        with pytest.raises(OperationRefused) as caught:
            ask(here, call)
        return caught.value.word

    here = office()
    call, _, _ = here.talk()
    here.board.desk.handle(CallHeld(call.id, SEAT), here.now)
    assert refusal(here, call) == "NO_BRIDGE"
    here = office()
    here.register("2001", "other")
    call, _, _ = here.talk()
    here.board.desk.handle(ConsultAsked(call.id, SEAT, "extension:2001"), here.now)
    here.settle()
    assert refusal(here, call) == "NO_BRIDGE"
    here = office()
    waiting = here.dial("96198")
    assert waiting is not None
    assert refusal(here, waiting) == "NOT_IN_CALL"
    call, _, _ = here.talk("call2")
    ask(here, call)
    assert refusal(here, call) == "NOT_IN_CALL"  # once per call: the seat has left it
