"""The desk: what call control does to streams and sessions when a seat asks; stories: tests/seatswitch."""

from collections.abc import Callable

import pytest

from calls.controls import (
    CallHeld,
    CallMuted,
    CallRefused,
    CallUnheld,
    Control,
    DigitsPressed,
    TransferAsked,
)
from calls.events import SeatHold, SeatRefused
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId, StreamId
from media.messages import Command, Connect, Disconnect, Play, SendDigits
from tests.calls.office import Office, call_settings, sdp, with_events
from tests.sip.scene import TRUNK

S = SeatId("8001")


def word_of(act: Callable[[], object]) -> str:
    with pytest.raises(OperationRefused) as caught:
        act()
    return caught.value.word


def talking(**changes: float) -> tuple[Office, CallId]:
    office = Office(call_settings(**changes))
    office.register("8001")
    call, _, _ = office.talk()
    return office, call.id


def do(office: Office, what: Control) -> None:
    office.board.desk.handle(what, office.now)
    office.settle()


def said(command: Command) -> tuple[StreamId, tuple[str, ...], bool]:
    assert isinstance(command, Play)
    return command.stream, command.prompts, command.loop_last


def test_hold_parts_the_streams_and_plays_to_the_caller_alone() -> None:
    office, call = talking()
    office.commands.clear()
    sent = len(office.sent)
    do(office, CallHeld(call, S))
    caller, seat = office.board.calls[call].legs()
    assert [type(command) for command in office.commands] == [Disconnect, Play]
    assert said(office.commands[1]) == (caller.stream, ("builtin:music",), True)
    assert office.events(SeatHold)[-1] == SeatHold(S, True)
    do(office, CallUnheld(call, S))
    assert office.commands[-1] == Connect(seat.stream, caller.stream)
    assert office.events(SeatHold)[-1] == SeatHold(S, False)
    assert len(office.sent) == sent  # no phone was told


def test_a_hold_ends_by_itself_when_it_lasts_too_long() -> None:
    office, call = talking(hold_max=20.0)
    do(office, CallHeld(call, S))
    office.advance(19.0)
    assert office.verdicts() == []
    office.advance(2.0)
    assert office.verdicts()[-1][1] == "network:held_too_long"


def test_mute_is_silence_for_the_other_side() -> None:
    office, call = talking()
    office.commands.clear()
    do(office, CallMuted(call, S, True))
    caller, _ = office.board.calls[call].legs()
    assert [said(command) for command in office.commands] == [(caller.stream, ("builtin:silence",), True)]
    do(office, CallMuted(call, S, True))
    assert len(office.commands) == 1


def test_a_refused_ring_is_the_seats_doing() -> None:
    office = Office()
    office.register("8001")
    call = office.dial("96198")
    assert call is not None
    office.caller_says("ACK", office.last("200"), 1)
    invite = office.ring(call)
    office.answer(invite, 180)
    do(office, CallRefused(call.id, S))
    assert office.events(SeatRefused)[-1].status == 603
    assert office.last("CANCEL").flow == invite.flow
    assert word_of(lambda: do(office, CallRefused(call.id, S))) == "NOT_RINGING"


def test_keys_go_out_as_events_where_the_other_side_has_agreed_to_them() -> None:
    """RFC 4733 before INFO."""
    office = Office()
    office.register("8001")
    call, ok, _ = office.talk()
    office.caller_says("INVITE", ok, 2, with_events(sdp(4000, version=2)))
    office.caller_says("ACK", ok, 2)
    office.commands.clear()
    before = office.words(TRUNK)
    do(office, DigitsPressed(call.id, S, "7#"))
    caller, _ = call.legs()
    assert office.commands == [SendDigits(caller.stream, "7#", 160, 80)]
    assert office.words(TRUNK) == before


def test_keys_go_out_as_info_where_it_has_not() -> None:
    office, call = talking()
    do(office, DigitsPressed(call, S, "7"))
    info = office.last("INFO")
    assert info.message.body == b"Signal=7\r\nDuration=160\r\n"
    assert info.message.header("content-type") == "application/dtmf-relay"


def test_words_of_refusals() -> None:
    office, call = talking()
    assert word_of(lambda: do(office, CallUnheld(call, S))) == "NOT_HELD"
    assert word_of(lambda: do(office, CallHeld(call, SeatId("8002")))) == "NOT_IN_CALL"
    assert word_of(lambda: do(office, TransferAsked(call, S, "queue:x"))) == "NO_SUCH_TARGET"
    assert word_of(lambda: do(office, TransferAsked(call, S, "8002"))) == "TARGET_BUSY"
