"""Dialling from the desk: the seat's phone, then the customer."""

from collections.abc import Callable

import pytest

from calls.controls import DialAsked
from calls.events import SeatTaken
from calls.settings import OutsideRoute, RouteTrunk
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from sip.message import Request
from tests.calls.office import Office, call_settings, sdp
from tests.sip.scene import PHONE

S = SeatId("8001")


def office_that_dials(**changes: object) -> Office:
    office = Office(call_settings(routes=(OutsideRoute("", (RouteTrunk("carrier"),)),), **changes))
    office.register("8001")
    office.book.phones["8001"] = ("softphone", "8001")
    return office


def dial(office: Office, number: str = "13900000077", display: str = "") -> None:
    office.board.desk.handle(DialAsked(CallId("dialled"), S, number, display), office.now)
    office.settle()


def word_of(act: Callable[[], object]) -> str:
    with pytest.raises(OperationRefused) as caught:
        act()
    return caught.value.word


def test_the_own_phone_is_asked_to_answer_and_the_customer_is_called_when_it_has() -> None:
    office = office_that_dials()
    dial(office)
    own = office.last("INVITE")
    assert own.flow == PHONE
    assert own.message.header("answer-mode") == "Auto"
    office.answer(own, 200, sdp(5000, host="192.0.2.7"))
    out = [sent for sent in office.sent if sent.word == "INVITE"][-1]
    assert isinstance(out.message, Request)
    assert out.message.uri.startswith("sip:13900000077@10.0.0.9:5080")
    assert out.message.header("answer-mode") is None
    assert "sip:96198@" in (out.message.header("from") or "")
    office.answer(out, 200, sdp(4000))
    assert [event.activity for event in office.events(SeatTaken)] == ["ringing", "talking", "talking"]
    office.board.hang_up(CallId("dialled"), "seat", office.now, "seat")
    office.settle()
    assert office.verdicts() == [("seat", "success", 200)]


def test_an_own_phone_that_does_not_answer_leaves_a_row() -> None:
    office = office_that_dials()
    dial(office)
    office.answer(office.last("INVITE"), 180)
    office.advance(30.5)
    assert office.verdicts() == [("caller", "agent:no_answer", 408)]
    assert not office.board.calls


def test_who_may_not_dial() -> None:
    office = office_that_dials(call_rights={"8001": "national"}, country="CN")
    assert word_of(lambda: dial(office, "+49301234567")) == "CALL_RIGHT"
    assert word_of(lambda: dial(office, "sales")) == "BAD_NUMBER"
    assert word_of(lambda: dial(office, display="110")) == "BAD_DISPLAY_NUMBER"
    assert word_of(lambda: dial(office, "96198")) == "NO_SUCH_TARGET"
    dial(office)
    assert word_of(lambda: dial(office)) == "BUSY"
    office.book.phones.clear()
    assert word_of(lambda: dial(office)) == "NOT_LOGGED_IN"
