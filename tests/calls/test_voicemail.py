"""Voicemail: greeting, tone, message, thanks; one row of each message, whatever ends it."""

from itertools import product
from typing import Any

import pytest
from msgspec import structs

from calls.call import Call, CallState
from calls.controls import TransferAsked
from calls.events import CallChanged, VoicemailLeft
from calls.menu import GoNode, ScriptSettings
from calls.settings import Hotline, VoicemailSettings
from calls.voicemail import (
    DROPPED,
    GRACE,
    GREET_FOR,
    MOVES,
    THANK_FOR,
    TONE,
    Input,
    State,
    mailbox_of,
)
from kernel.errors import OperationRefused
from kernel.ids import CallId, RecordingId, SeatId
from kernel.rows import CallRow, VoicemailRow
from kernel.staterows import Living, VoicemailStateRow
from media.events import NOTHING, DigitReceived, Written
from media.messages import EndRecording, Play, Played, Record, Recorded, RecordingLost, encode_reports
from tests.calls.office import EPOCH, PHONE, TRUNK, Office, Sent, call_settings

GREETING, THANKS = "voice:en/leave-message", "voice:en/message-thanks"


def office(**voicemail: Any) -> Office:
    return Office(call_settings(voicemail={"demo": VoicemailSettings(**voicemail)}))


def sent_there(here: Office, target: str = "voicemail") -> tuple[Call, Sent]:
    """A caller whose queue lets it go to a mailbox after 30 s."""
    call = here.dial("96198")
    assert call is not None
    ok = here.last("200")
    here.caller_says("ACK", ok, 1)
    here.advance(30.0)
    here.board.release(call.id, "overflowed", "max_wait", here.now, target)
    here.settle()
    return call, ok


def heard(here: Office, call: Call, *sounds: str) -> None:
    """The media worker has played these to the end."""
    assert call.caller_leg is not None
    for sound in sounds:
        here.plane.receive_worker(0, encode_reports([Played(call.caller_leg.stream, sound)]), here.now)
        here.settle()


def speaks(here: Office, target: str = "voicemail", for_: float = 12.5) -> tuple[Call, Sent, Record]:
    call, ok = sent_there(here, target)
    heard(here, call, GREETING, TONE)
    (record,) = [command for command in here.commands if isinstance(command, Record)]
    here.advance(for_)
    return call, ok, record


def press(here: Office, call: Call, key: str) -> None:
    assert call.caller_leg is not None
    here.board.handle_media(DigitReceived(call.caller_leg.stream, key, 100), here.now)
    here.settle()


def over(here: Office, record: Record, seconds: float, cause: str = "asked") -> None:
    """The file is complete."""
    report = Recorded(record.recording, seconds, 58 + round(seconds * 8000), cause)
    here.plane.receive_worker(0, encode_reports([report]), here.now)
    here.settle()


def rows(here: Office) -> list[VoicemailRow]:
    return [event.row for event in here.events(VoicemailLeft)]


def played(here: Office) -> list[tuple[str, ...]]:
    return [command.prompts for command in here.commands if isinstance(command, Play)]


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_a_caller_speaks_after_the_tone_and_hangs_up() -> None:
    """One row of the message, with who, where from and how long; the call is a success of its own kind."""
    here = office()
    call, ok = sent_there(here)
    assert played(here)[-1] == (GREETING, TONE)
    assert call.state is CallState.VOICEMAIL
    assert here.events(CallChanged)[-1].state == "voicemail"
    heard(here, call, GREETING)
    assert not [command for command in here.commands if isinstance(command, Record)]
    heard(here, call, TONE)
    (record,) = [command for command in here.commands if isinstance(command, Record)]
    assert (record.right, record.limit, record.silence) == (None, 180.0, 10.0)
    here.advance(12.5)
    here.caller_says("BYE", ok, 2)
    over(here, record, 12.5, "closed")
    (row,) = rows(here)
    assert (row.tenant, row.mailbox, row.queue, row.call) == ("demo", "queue:junior", "junior", call.id)
    assert (row.caller, row.called, row.state, row.cause) == ("13800000000", "96198", "new", "hung_up")
    assert row.ended_at - row.began_at == 12.5
    assert row.file == f"{record.recording}.wav"
    assert here.verdicts() == [("caller", "success:voicemail", 200)]
    here.advance(64.0)
    assert here.is_quiet()


def test_the_hash_key_ends_it_with_thanks() -> None:
    here = office()
    call, _, record = speaks(here)
    press(here, call, "5")
    assert not [command for command in here.commands if isinstance(command, EndRecording)]
    press(here, call, "#")
    assert [command.recording for command in here.commands if isinstance(command, EndRecording)] == [
        record.recording
    ]
    over(here, record, 12.5)
    assert played(here)[-1] == (THANKS,)
    here.advance(2.0)
    heard(here, call, THANKS)
    assert here.words(TRUNK)[-1] == "BYE"
    assert here.verdicts() == [("switch", "success:voicemail", 200)]
    assert [(row.cause, row.ended_at - row.began_at) for row in rows(here)] == [("key", 12.5)]


@pytest.mark.parametrize("cause", ["limit", "silence"])
def test_the_media_worker_says_that_it_is_enough(cause: str) -> None:
    here = office()
    call, _, record = speaks(here, for_=60.0)
    over(here, record, 60.0, cause)
    assert played(here)[-1] == (THANKS,)
    (row,) = rows(here)
    assert (row.cause, row.seconds, row.bytes, row.state) == (cause, 60.0, 480_058, "new")
    heard(here, call, THANKS)
    assert here.verdicts() == [("switch", "success:voicemail", 200)]


def test_a_key_in_the_greeting_leads_to_the_tone() -> None:
    here = office()
    call, _ = sent_there(here)
    press(here, call, "1")
    assert played(here)[-1] == (TONE,)
    press(here, call, "1")  # the tone itself is not cut
    assert played(here)[-1] == (TONE,)
    assert len(played(here)) == 3
    heard(here, call, TONE)
    assert here.board.voicemails.by_call[call.id].state is State.SPEAKING


def test_who_hangs_up_in_the_greeting_leaves_nothing() -> None:
    here = office()
    _, ok = sent_there(here)
    here.caller_says("BYE", ok, 2)
    assert here.verdicts() == [("caller", "caller:no_message", 200)]
    assert rows(here) == []
    here.advance(64.0)
    assert here.is_quiet()


def test_what_is_shorter_than_the_minimum_is_discarded() -> None:
    """Its file is to go, which the row says; the verdict says that nothing was left."""
    here = office(minimum=3.0)
    _, ok, record = speaks(here, for_=2.9)
    here.caller_says("BYE", ok, 2)
    over(here, record, 2.9, "closed")
    assert [row.state for row in rows(here)] == ["discarded"]
    assert here.verdicts() == [("caller", "caller:no_message", 200)]


def test_ten_seconds_of_silence_alone_are_no_message() -> None:
    here = office()
    call, _, record = speaks(here, for_=11.0)
    over(here, record, 11.0, "silence")
    assert [row.state for row in rows(here)] == ["discarded"]
    heard(here, call, THANKS)
    assert here.verdicts() == [("switch", "caller:no_message", 200)]


@pytest.mark.parametrize(
    ("target", "mailbox"),
    [
        ("voicemail", "queue:junior"),
        ("voicemail:public", "public"),
        ("voicemail:8001", "seat:8001"),
    ],
)
def test_a_target_is_a_mailbox(target: str, mailbox: str) -> None:
    assert mailbox_of(target, "junior") == mailbox
    here = office()
    _, ok, record = speaks(here, target)
    here.caller_says("BYE", ok, 2)
    over(here, record, 12.5)
    assert [row.mailbox for row in rows(here)] == [mailbox]


def test_an_own_greeting_and_the_language_of_the_tenant() -> None:
    here = office(greeting="closed", language="zh")
    call, _ = sent_there(here)
    assert played(here)[-1] == ("closed", TONE)
    heard(here, call, "closed", TONE)
    here.advance(5.0)
    press(here, call, "#")
    assert played(here)[-1] == ("voice:zh/message-thanks",)


def test_a_disk_that_is_full_ends_the_call_with_what_could_be_written() -> None:
    """The caller is not left to speak to nobody; the operator is told once."""
    here = office()
    _, _, record = speaks(here)
    lost = RecordingLost(record.recording, 11.0, 88_058, "No space left on device")
    here.plane.receive_worker(0, encode_reports([lost]), here.now)
    here.settle()
    assert here.verdicts() == [("switch", "us:recording_failed", 200)]
    assert [(row.cause, row.seconds, row.bytes, row.state) for row in rows(here)] == [
        ("failed", 11.0, 88_058, "new")
    ]
    assert here.words(TRUNK)[-1] == "BYE"
    here.advance(64.0)
    assert here.is_quiet()


def test_a_folder_that_cannot_be_written_to_keeps_no_message() -> None:
    here = office()
    _, _, record = speaks(here)
    lost = RecordingLost(record.recording, 0.0, 0, "Permission denied")
    here.plane.receive_worker(0, encode_reports([lost]), here.now)
    here.settle()
    assert here.verdicts() == [("switch", "us:recording_failed", 200)]
    assert [row.state for row in rows(here)] == ["discarded"]
    assert [event for event, _ in here.logged] == ["a voicemail cannot be written", "call ended"]


@pytest.mark.parametrize(
    ("written", "state"),
    [(Written(5.0, 40_058), "new"), (Written(1.0, 8_058), "discarded"), (NOTHING, "discarded")],
)
def test_a_worker_that_dies_ends_the_message_where_its_file_ends(written: Written, state: str) -> None:
    here = office()
    here.written = written
    speaks(here)
    here.advance(6.0)
    here.plane.worker_lost(0, here.now)
    here.settle()
    assert here.verdicts() == [("switch", "us:media_worker_lost", 200)]
    assert [(row.cause, row.seconds, row.bytes, row.state) for row in rows(here)] == [
        ("worker_lost", written.seconds, written.size, state)
    ]


@pytest.mark.parametrize(("written", "state"), [(Written(5.0, 40_058), "new"), (NOTHING, "discarded")])
def test_of_a_caller_who_hangs_up_as_the_worker_dies_the_message_is_what_is_in_the_file(
    written: Written, state: str
) -> None:
    """The verdict cannot know that yet, and promises nothing."""
    here = office()
    _, ok, record = speaks(here)
    here.advance(6.0)
    here.plane.worker_lost(0, here.now)
    here.plane.recordings.looks.clear()  # it takes a while
    here.caller_says("BYE", ok, 2)
    assert rows(here) == []
    here.plane.recordings.measured(record.recording, written)
    here.settle()
    cause = "hung_up" if written.size else "worker_lost"
    assert [(row.cause, row.seconds, row.bytes, row.state) for row in rows(here)] == [
        (cause, written.seconds, written.size, state)
    ]
    assert here.verdicts() == [("caller", "us:media_worker_lost", 200)]
    here.advance(64.0)
    assert here.is_quiet()


def test_a_message_that_no_worker_could_begin_is_none() -> None:
    here = office()
    _, _, record = speaks(here)
    here.advance(6.0)
    here.plane.receive_worker(
        0, encode_reports([Recorded(record.recording, 0.0, 0, "never_begun")]), here.now
    )
    here.settle()
    assert here.verdicts() == [("switch", "us:recording_failed", 200)]
    assert [(row.cause, row.bytes, row.state) for row in rows(here)] == [("failed", 0, "discarded")]


@pytest.mark.parametrize("is_told_of", ["hung_up", "operator"])
def test_of_what_no_worker_could_write_the_verdict_says_so(is_told_of: str) -> None:
    """The worker is gone and there is no other yet: the row says failed, and the verdict no success."""
    here = office()
    call, ok = sent_there(here)
    here.plane.worker_lost(0, here.now)
    here.advance(GREET_FOR)
    assert here.board.voicemails.by_call[call.id].state is State.SPEAKING
    here.advance(12.5)
    if is_told_of == "hung_up":
        here.caller_says("BYE", ok, 2)
    else:
        here.board.hang_up(call.id, "operator", here.now)
        here.settle()
    assert [verdict for _, verdict, _ in here.verdicts()] == ["us:recording_failed"]
    assert [(row.cause, row.bytes, row.state) for row in rows(here)] == [("failed", 0, "discarded")]
    here.advance(64.0)
    assert here.is_quiet()


def test_who_says_nothing_while_no_worker_could_write_has_left_no_message() -> None:
    here = office()
    _, ok = sent_there(here)
    here.plane.worker_lost(0, here.now)
    here.advance(GREET_FOR + 0.5)
    here.caller_says("BYE", ok, 2)
    assert here.verdicts() == [("caller", "caller:no_message", 200)]
    assert [row.state for row in rows(here)] == ["discarded"]


def test_a_worker_that_is_back_in_time_writes_the_message() -> None:
    here = office()
    _, ok = sent_there(here)
    here.plane.worker_lost(0, here.now)
    here.advance(GREET_FOR + 1.0)
    here.plane.worker_started(0, here.now)
    here.settle()
    (record,) = [command for command in here.commands if isinstance(command, Record)]
    here.advance(11.0)
    here.caller_says("BYE", ok, 2)
    over(here, record, 11.0, "closed")
    assert here.verdicts() == [("caller", "success:voicemail", 200)]
    assert [row.state for row in rows(here)] == ["new"]


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (RecordingLost(RecordingId("r"), 0.0, 0, "Input/output error"), "us:recording_failed"),
        (Recorded(RecordingId("r"), 0.0, 0, "never_begun"), "us:recording_failed"),
        (Recorded(RecordingId("r"), 12.5, 100_058, "asked"), "success:voicemail"),
    ],
)
def test_whoever_hears_the_thanks_for_a_message_that_is_lost(
    report: Recorded | RecordingLost, verdict: str
) -> None:
    """What the worker says of the file after the key, and before the caller has gone, counts."""
    here = office()
    call, ok = sent_there(here)
    heard(here, call, GREETING, TONE)
    here.advance(12.5)
    here.answers_end = False
    press(here, call, "#")
    (record,) = [command for command in here.commands if isinstance(command, Record)]
    told = structs.replace(report, recording=record.recording)
    here.plane.receive_worker(0, encode_reports([told]), here.now)
    here.settle()
    here.caller_says("BYE", ok, 2)
    assert [said for _, said, _ in here.verdicts()] == [verdict]
    assert [row.state for row in rows(here)] == ["new" if report.size else "discarded"]


def test_no_media_worker_says_a_word_and_the_call_ends_all_the_same() -> None:
    """The greeting is over after five minutes at the latest, the message after its longest time."""
    here = office(limit=60.0)
    call, _ = sent_there(here)
    here.advance(GREET_FOR)
    assert here.board.voicemails.by_call[call.id].state is State.SPEAKING
    here.advance(60.0 + GRACE)
    assert here.board.voicemails.by_call[call.id].state is State.THANKED
    here.advance(THANK_FOR)
    assert here.verdicts() == [("switch", "success:voicemail", 200)]


def test_an_operator_may_end_the_call() -> None:
    here = office()
    call, _, record = speaks(here)
    here.board.hang_up(call.id, "operator", here.now)
    here.settle()
    over(here, record, 12.5)
    assert here.verdicts() == [("switch", "success:voicemail", 200)]
    assert [row.state for row in rows(here)] == ["new"]


def test_who_is_not_answered_yet_is_answered_for_it() -> None:
    """A queue that is closed refuses at the door; the mailbox is behind it."""
    here = office()
    here.accepts = False
    call = here.dial("96198")
    assert call is not None
    here.board.release(call.id, "overflowed", "closed", here.now, "voicemail")
    here.settle()
    assert here.last("200").flow == TRUNK
    assert call.state is CallState.VOICEMAIL


def test_a_caller_that_is_gone_leaves_nothing_and_no_error() -> None:
    here = office()
    here.board.release(CallId("gone"), "overflowed", "max_wait", here.now, "voicemail")
    here.settle()
    here.advance(64.0)
    assert here.is_quiet()


def test_what_was_being_spoken_when_the_switch_died_is_a_message() -> None:
    """The journal knew of it, and its file says how long it is: a worker may have lived on for a while."""
    here = office()
    _, _, record = speaks(here)
    (state,) = here.board.voicemails.state_rows()
    living = Living()
    living.take([row for row in here.rows if isinstance(row, VoicemailStateRow)])
    assert [row for row in living.rows() if isinstance(row, VoicemailStateRow)] == [state]
    after = office()
    after.board.voicemails.restore([state], EPOCH + here.now, {state.voicemail: Written(14.0, 112_058)})
    after.settle()
    (row,) = rows(after)
    assert (row.voicemail, row.seconds, row.bytes, row.cause, row.state) == (
        record.recording, 14.0, 112_058, "switch_killed", "new",
    )  # fmt: skip
    assert row.ended_at == row.began_at + 14.0
    living.take([row])
    assert not living.rows()
    for files in ({state.voicemail: Written(1.0, 8_058)}, {}):
        after.board.voicemails.restore([state], EPOCH + here.now, files)
        after.settle()
        assert rows(after)[-1].state == "discarded"


@pytest.mark.parametrize(
    ("target", "mailbox"), [("voicemail:public", "public"), ("voicemail:8001", "seat:8001")]
)
def test_a_script_leads_to_a_mailbox(target: str, mailbox: str) -> None:
    """Nobody has queued the caller: the message is of no queue."""
    script = ScriptSettings("main", "demo", "a", {"a": GoNode(target)})
    hotlines = (Hotline("96198", "demo", "queue:junior"), Hotline("96300", "demo", "ivr:main"))
    here = Office(call_settings(scripts=(script,), hotlines=hotlines))
    call = here.dial("96300")
    assert call is not None
    ok = here.last("200")
    here.caller_says("ACK", ok, 1)
    assert call.state is CallState.VOICEMAIL
    heard(here, call, GREETING, TONE)
    here.advance(5.0)
    here.caller_says("BYE", ok, 2)
    here.advance(64.0)
    assert [(row.mailbox, row.queue, row.state) for row in rows(here)] == [(mailbox, "", "new")]
    assert here.verdicts() == [("caller", "success:voicemail", 200)]
    assert here.is_quiet()


def test_a_hotline_may_be_a_mailbox() -> None:
    """No queue, no seat, no script: the caller is greeted at once."""
    here = Office(call_settings(hotlines=(Hotline("96300", "demo", "voicemail:public"),)))
    call = here.dial("96300")
    assert call is not None
    assert call.state is CallState.VOICEMAIL
    ok = here.last("200")
    here.caller_says("ACK", ok, 1)
    heard(here, call, GREETING, TONE)
    here.advance(5.0)
    here.caller_says("BYE", ok, 2)
    here.advance(64.0)
    assert [(row.mailbox, row.queue, row.state) for row in rows(here)] == [("public", "", "new")]
    (ended,) = [row for row in here.rows if isinstance(row, CallRow)]
    assert (ended.entry, ended.verdict) == ("voicemail:public", "success:voicemail")


def test_a_desk_sends_its_caller_to_the_mailbox_of_a_colleague() -> None:
    """The seat is free at once, and the caller speaks in the call that the transfer has made."""
    here = office()
    here.register("8001")
    call, ok, _ = here.talk()
    here.board.desk.handle(TransferAsked(call.id, SeatId("8001"), "voicemail:8001"), here.now)
    here.settle()
    assert here.words(PHONE)[-1] == "BYE"
    (target,) = here.board.calls.values()
    assert target.state is CallState.VOICEMAIL
    heard(here, target, GREETING, TONE)
    here.advance(5.0)
    here.caller_says("BYE", ok, 2)
    here.advance(64.0)
    assert [(row.mailbox, row.call, row.state) for row in rows(here)] == [("seat:8001", target.id, "new")]
    assert here.is_quiet()


@pytest.mark.parametrize("to", ["voicemail:8099", "voicemail:", "voicemail"])
def test_a_transfer_to_a_mailbox_that_there_is_not_is_refused(to: str) -> None:
    here = office()
    here.register("8001")
    call, _, _ = here.talk()
    with pytest.raises(OperationRefused) as refused:
        here.board.desk.handle(TransferAsked(call.id, SeatId("8001"), to), here.now)
    assert refused.value.word == "NO_SUCH_TARGET"
