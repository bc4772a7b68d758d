"""What ends a recording, and what is left of it then: one row, whatever the workers say."""

from typing import Any

import pytest

from calls.call import Call
from calls.controls import CallMuted, InteractAsked, RecordingAsked, SurveyAsked
from calls.events import CallChanged
from calls.menu import ReadNode, ScriptSettings
from calls.settings import OutsideRoute, QueueMedia, RecordingSettings, RouteTrunk
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.rows import CallRow, RecordingRow
from kernel.staterows import Living, RecordingStateRow
from media.events import NOTHING, Written
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
from tests.calls.office import EPOCH, OTHER_PHONE, THIRD_PHONE, Office, Sent, call_settings, sdp
from tests.calls.test_replacements import enter
from tests.calls.test_transfer import replacing
from tests.calls.test_transfer import settle as finish
from tests.sip.scene import PHONE, TRUNK

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
    report(here, RecordingLost(record.recording, 3.0, 48_058, "No space left on device"))
    here.board.desk.handle(CallMuted(call.id, SEAT, True), here.now)
    here.settle()
    assert began(here) is record, "no other is begun in this call"
    assert here.board.recordings.state(call) == "off"
    with pytest.raises(OperationRefused, match="is not recorded"):
        here.board.desk.handle(RecordingAsked(call.id, SEAT, True), here.now)
    hang_up(here, ok)
    (row,) = rows(here)
    assert (row.state, row.cause) == ("failed", "No space left on device")
    assert (row.seconds, row.bytes) == (3.0, 48_058), "what could be written can be heard"
    for number, fails in enumerate((True, False, True)):
        call, ok, _ = here.talk(f"again{number}", f"o{number + 2}")
        if fails:
            report(here, RecordingLost(began(here).recording, 0.0, 0, "No space left on device"))
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


@pytest.mark.parametrize(
    ("files", "ended_at", "seconds", "size", "state"),
    [
        ({"r1": Written(11.0, 176_058)}, 12.5, 11.0, 176_058, "kept"),
        ({"r1": Written(14.0, 224_058)}, 14.0, 14.0, 224_058, "kept"),  # its worker has lived on for a while
        ({"r2": Written(14.0, 224_058)}, 12.5, 0.0, 0, "failed"),
    ],
)
def test_what_a_killed_switch_was_writing_has_its_row(
    files: dict[str, Written], ended_at: float, seconds: float, size: int, state: str
) -> None:
    here = office()
    living = RecordingStateRow("r1", "c1", "demo", "junior", "8001", "8001", "139", EPOCH)
    here.board.recordings.restore([], [living], EPOCH + 12.5, files)
    here.settle()
    (row,) = [*here.board.rows.take(), *rows(here)]
    assert row == RecordingRow(
        *("r1", "c1", "demo", "junior", "8001", "8001", "139", EPOCH, EPOCH + ended_at, seconds, size, 0.0),
        *(state, "switch_killed"),
    )


def test_a_clock_that_is_set_makes_no_recording_longer_nor_shorter() -> None:
    here = office()
    _, ok, _ = talking(here)
    here.walltime.set_offset(EPOCH - 3_600.0)
    hang_up(here, ok)
    (row,) = rows(here)
    assert (row.began_at, row.ended_at) == (EPOCH - 3_500.0, EPOCH - 3_490.0)
    living = RecordingStateRow("r1", "c1", "demo", "junior", "8001", "8001", "139", EPOCH)
    here.board.recordings.restore([], [living], EPOCH - 3_600.0, {"r1": Written(9.0, 144_058)})
    here.settle()
    assert (rows(here)[-1].ended_at, rows(here)[-1].seconds) == (EPOCH + 9.0, 9.0)


def test_a_file_that_no_worker_could_begin_is_not_kept_and_the_call_goes_on_in_another() -> None:
    """The stream is not there (yet, again); or its worker died before it had a file."""
    for how in ("never_begun", "worker_lost"):
        here = office()
        here.written = NOTHING
        call, ok, record = talking(here)
        if how == "never_begun":
            report(here, Recorded(record.recording, 0.0, 0, how))
        else:
            here.plane.worker_lost(0, here.now)
            here.settle()
            here.plane.worker_started(0, here.now)
            here.settle()
        (row,) = rows(here)
        assert (row.state, row.cause, row.seconds, row.bytes) == ("failed", how, 0.0, 0)
        assert began(here).recording != record.recording
        assert here.board.recordings.state(call) == "on"
        hang_up(here, ok)
        assert [row.state for row in rows(here)] == ["failed", "kept"]
        (ended,) = [row for row in here.rows if isinstance(row, CallRow)]
        assert ended.recording == began(here).recording, "the one that can be heard"


def test_a_worker_that_dies_leaves_what_its_file_says() -> None:
    here = office()
    here.written = Written(9.0, 144_058)
    _, ok, _ = talking(here)
    here.plane.worker_lost(0, here.now)
    here.settle()
    (row,) = rows(here)
    assert (row.state, row.cause, row.seconds, row.bytes) == ("kept", "worker_lost", 9.0, 144_058)
    here.plane.worker_started(0, here.now)
    here.settle()
    hang_up(here, ok)


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


def test_of_two_recorded_calls_that_a_transfer_joins_nothing_is_lost_nor_left_open() -> None:
    """A seat has dialled somebody outside while its caller, whom a queue records, waits on hold, and hands
    one to the other: what was said to each is in a file of its own, the caller's goes on, and each call's row
    names the one that began in it.
    """
    route = OutsideRoute("", (RouteTrunk("carrier", 0),))
    here = office(routes=(route,), recording=RecordingSettings(tenants_out=("demo",)))
    here.book.phones["8001"] = ("softphone", "8001")
    call, ok, invite = here.talk()
    first = began(here)
    here.phone_says("INVITE", invite, 1, sdp(5000, "sendonly", "192.0.2.7", 2))
    here.phone_says("ACK", invite, 1)
    here.answer(here.last("INVITE", TRUNK), 200, sdp(4000, "recvonly", version=2))
    consult = here.dial(
        "13900000009", "consult", PHONE, from_="<sip:8001@example.com>;tag=c",
        contact="<sip:8001@192.0.2.7:5062>",
    )  # fmt: skip
    assert consult is not None
    here.answer(here.last("INVITE", TRUNK), 180)
    here.answer(here.last("INVITE", TRUNK), 200, sdp(6000, host="192.0.2.8"))
    here.caller_says("ACK", here.last("200", PHONE), 1)
    here.advance(3.0)
    second = began(here)
    assert second is not first
    assert [here.board.recordings.state(each) for each in (call, consult)] == ["on", "on"]
    here.phone_says("REFER", invite, 2, headers=replacing(here))
    here.advance(1.0)
    assert list(here.board.calls.values()) == [consult]
    ended = [one.recording for one in here.commands if isinstance(one, EndRecording)]
    assert ended == [second.recording], "the outside party's, which is on the right of the caller's now"
    assert consult.callee is not None
    pointed = [one for one in here.commands if isinstance(one, PointRecording)][-1]
    assert (pointed.recording, pointed.right.near) == (first.recording, (consult.callee.stream,))
    assert here.board.recordings.state(consult) == "on"
    here.caller_says("BYE", ok, 5)
    finish(here)
    assert here.is_quiet()
    assert {row.recording: (row.call, row.number, row.state) for row in rows(here)} == {
        first.recording: (call.id, "13800000000", "kept"),
        second.recording: (consult.id, "13900000009", "kept"),
    }
    named = [(row.call, row.recording) for row in here.rows if isinstance(row, CallRow)]
    assert named == [(call.id, first.recording), (consult.id, second.recording)]


def test_whoever_takes_the_place_of_who_was_recorded_is_recorded_in_another_file() -> None:
    """An extension has called a queue and hands its own place to another phone (RFC 3891)."""
    here = office()
    here.register("2001", "other")
    here.register("8002", "third")
    me = "<sip:2001@192.0.2.8:5062>"
    call = here.dial("96198", "first", OTHER_PHONE, from_="<sip:2001@example.com>;tag=c", contact=me)
    assert call is not None
    ok = here.last("200")
    here.caller_says("ACK", ok, 1)
    ring = here.ring(call)
    here.answer(ring, 200, sdp(5000, host="192.0.2.7"))
    here.advance(3.0)
    first = began(here)
    assert call.caller_leg is not None
    assert first.left == call.caller_leg.stream
    enter(here, f"first;to-tag={ok.message.to_tag};from-tag=c", THIRD_PHONE)
    here.advance(1.0)
    assert call.caller_leg.number == "8002"
    assert EndRecording(first.recording) in here.commands
    second = began(here)
    assert second.left == call.caller_leg.stream
    assert here.board.recordings.state(call) == "on"
    here.caller_says("ACK", here.last("200", THIRD_PHONE), 1)
    here.caller_says("BYE", here.last("200", THIRD_PHONE), 2)
    finish(here)
    assert here.is_quiet()
    assert [(row.recording, row.number, row.state) for row in rows(here)] == [
        (first.recording, "2001", "kept"), (second.recording, "8002", "kept"),
    ]  # fmt: skip
