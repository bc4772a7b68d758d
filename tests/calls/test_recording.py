"""What ends a recording, and what is left of it then: one row, whatever the workers say."""

from typing import Any

import pytest

from calls.call import Call
from calls.controls import CallMuted, InteractAsked, RecordingAsked, SurveyAsked
from calls.events import CallChanged
from calls.menu import ReadNode, ScriptSettings
from calls.settings import QueueMedia, RecordingSettings
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.rows import CallRow, RecordingRow
from kernel.staterows import Living, RecordingStateRow
from media.messages import (
    EndRecording,
    PauseRecording,
    PointRecording,
    Record,
    Recorded,
    RecordingLost,
    Report,
    RightSide,
    encode_reports,
)
from tests.calls.office import EPOCH, Office, Sent, call_settings

SEAT = SeatId("8001")
TAPED = QueueMedia("junior", "demo", record=True)
ABOUT_TAPES = (Record, PointRecording, PauseRecording, EndRecording)


def office(queue: QueueMedia = TAPED, **more: Any) -> Office:
    here = Office(call_settings(queues=(queue,), **more))
    here.register("8001")
    return here


def report(here: Office, *reports: Report) -> None:
    here.plane.receive_worker(0, encode_reports(list(reports)), here.now)
    here.settle()


def began(here: Office) -> Record:
    """Return the last recording that a worker was told to begin."""
    return [command for command in here.commands if isinstance(command, Record)][-1]


def rows(here: Office) -> list[RecordingRow]:
    return [row for row in here.rows if isinstance(row, RecordingRow)]


def hang_up(here: Office, ok: Sent) -> None:
    here.caller_says("BYE", ok, 2)
    here.advance(40.0)
    assert here.is_quiet()


def talking(here: Office) -> tuple[Call, Sent, Record]:
    call, ok, _ = here.talk()
    here.advance(10.0)
    return call, ok, began(here)


def test_workers_are_told_once_and_the_journal_knows_while_it_is_written() -> None:
    here = office()
    call, ok, record = talking(here)
    assert call.caller_leg is not None
    assert call.callee is not None
    right = RightSide((call.callee.stream,), "10.0.0.1", ())
    told = [command for command in here.commands if isinstance(command, ABOUT_TAPES)]
    assert told == [
        Record(record.recording, "", call.caller_leg.stream, RightSide((), "10.0.0.1", ()), record.limit),
        PointRecording(record.recording, right),
    ]
    living = Living()
    living.take(here.rows)
    (state,) = [row for row in living.rows() if isinstance(row, RecordingStateRow)]
    assert (state.recording, state.call, state.seats) == (record.recording, call.id, "8001")
    assert here.board.recordings.state_rows() == [state]
    hang_up(here, ok)
    living.take(here.rows)
    assert not [row for row in living.rows() if isinstance(row, RecordingStateRow)]
    (row,) = rows(here)
    assert (row.began_at, row.ended_at) == (EPOCH + 100.0, EPOCH + 110.0)
    assert record.recording.startswith(f"{call.id}-")


def test_a_file_that_cannot_be_written_is_told_once_and_the_call_goes_on() -> None:
    here = office()
    call, ok, record = talking(here)
    report(here, RecordingLost(record.recording, 3.0, "No space left on device"))
    here.board.desk.handle(CallMuted(call.id, SEAT, True), here.now)
    here.settle()
    assert began(here) is record, "no other is begun in this call"
    assert here.board.recordings.state(call) == "off"
    with pytest.raises(OperationRefused, match="is not recorded"):
        here.board.desk.handle(RecordingAsked(call.id, SEAT, True), here.now)
    hang_up(here, ok)
    (row,) = rows(here)
    assert (row.state, row.cause, row.seconds, row.bytes) == ("failed", "No space left on device", 3.0, 0)
    for number, fails in enumerate((True, False, True)):
        call, ok, _ = here.talk(f"again{number}", f"o{number + 2}")
        if fails:
            report(here, RecordingLost(began(here).recording, 3.0, "No space left on device"))
        hang_up(here, ok)
    events = [event for event, _ in here.logged if "record" in event]
    failed, again = "a recording cannot be written", "recordings are written again"
    assert events == [failed, again, failed]
    assert [row.state for row in rows(here)] == ["failed", "failed", "kept", "failed"]


def test_a_call_that_outlasts_a_file_goes_on_in_another() -> None:
    here = office()
    call, ok, record = talking(here)
    report(here, Recorded(record.recording, record.limit, 1_000, "limit"))
    assert began(here).recording != record.recording
    assert here.board.recordings.state(call) == "on"
    hang_up(here, ok)
    first, second = rows(here)
    (row,) = [row for row in here.rows if isinstance(row, CallRow)]
    assert (first.cause, second.cause) == ("limit", "asked")
    assert row.recording == first.recording
    assert first.call == second.call == row.call


def test_the_survey_of_a_caller_is_not_recorded() -> None:
    here = office()
    call, _, record = talking(here)
    here.board.desk.handle(SurveyAsked(call.id, SEAT), here.now)
    here.settle()
    assert here.commands.count(EndRecording(record.recording)) == 1
    assert len(rows(here)) == 1
    assert here.board.recordings.state(call) == "off"
    assert here.events(CallChanged)[-1].state == "survey"


def test_a_direct_call_to_a_seat_is_recorded_as_its_tenant_says() -> None:
    for tenants, count in (((), 0), (("demo",), 1), (("other",), 0)):
        here = office(recording=RecordingSettings(tenants_in=tenants))
        here.book.phones["8001"] = ("softphone", "8001")
        call = here.dial("96201")
        assert call is not None
        invite = here.last("INVITE")
        here.answer(
            invite,
            200,
            b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
            b"m=audio 5000 RTP/AVP 0\r\n",
        )
        here.advance(1.0)
        assert len(here.board.recordings.by_call) == count


def test_what_a_killed_switch_was_writing_has_its_row() -> None:
    here = office()
    state = RecordingStateRow("r1", "c1", "demo", "junior", "8001", "8001", "139", EPOCH)
    here.board.recordings.restore([], [state], EPOCH + 12.5)
    here.settle()
    assert [*here.board.rows.take(), *rows(here)] == [
        RecordingRow(
            *("r1", "c1", "demo", "junior", "8001", "8001", "139", EPOCH, EPOCH + 12.5, 12.5, 0, 0.0),
            *("kept", "switch_killed"),
        )
    ]


def test_what_a_caller_says_in_a_script_is_in_no_recording() -> None:
    """Silent as on hold, and on again when it is back."""
    ask = ReadNode("pin", "return", most=2, secret=True)
    here = office(scripts=(ScriptSettings("pin", "demo", "ask", {"ask": ask}),))
    call, ok, record = talking(here)
    here.board.desk.handle(InteractAsked(call.id, SEAT, "pin"), here.now)
    here.settle()
    assert pauses(here) == [PauseRecording(record.recording, True)]
    assert call.caller_leg is not None
    for key in "47":
        here.board.keys.pressed(call.caller_leg, key, here.now)
    here.settle()
    assert pauses(here) == [PauseRecording(record.recording, True), PauseRecording(record.recording, False)]
    hang_up(here, ok)
    assert [row.state for row in rows(here)] == ["kept"]


def pauses(here: Office) -> list[PauseRecording]:
    return [command for command in here.commands if isinstance(command, PauseRecording)]
