"""Rows as queue_log lines, golden: what tools that read Asterisk's log find."""

from typing import Any

import pytest

from acd.queuelog import QueueLog
from kernel.rows import CallRow, OfferRow, OperationRow, PresenceRow, StreamRow, VisitRow
from kernel.staterows import VisitStateRow

T = 1_800_000_000.0


def enters(visit: str = "c.1", at: float = 0.0, caller: str = "13800000001", position: int = 1) -> Any:
    call = visit.rpartition(".")[0]
    at += T
    return VisitStateRow(visit, call, 1, "junior", caller, "", at, at, 0.0, (), position=position)


def leaves(outcome: str, cause: str = "", visit: str = "c.1", waited: float = 8.4, **more: Any) -> VisitRow:
    call, seat = visit.rpartition(".")[0], "8001" if outcome == "answered" else ""
    places = {"position": 3, "position_left": 2} | more
    return VisitRow(
        visit, call, "junior", T, T + waited, waited, 0.0, outcome, cause, seat, False, **places
    )


def rings(outcome: str, rang: float, visit: str = "c.1", seat: str = "8001") -> OfferRow:
    return OfferRow(f"{visit}.1", visit, seat, "", T, T + 5, rang, outcome, 0, "", "", 1, "", "junior")


def call(call: str = "c", ended: float = 68.4, by: str = "caller", **more: Any) -> CallRow:
    verdict = more.pop("verdict", "success")
    arrived = T + more.pop("arrived", 0.0)
    called = more.pop("called", "96198")
    return CallRow(
        call, "demo", "in", "13800000001", called, "carrier", "queue:junior", arrived, None, T + ended, 0.0,
        0.0, 0.0, "8001", by, verdict, 200, **more,
    )  # fmt: skip


def presence(what: str, at: float, reason: str = "", cause: str = "") -> PresenceRow:
    return PresenceRow(f"8001.{at}", "8001", "li", T + at, what, reason, "idle", cause, "")


def lines(*rows: Any) -> list[str]:
    log = QueueLog()
    return [line.removeprefix("18000000") for row in rows for line in log.take(row)]


def test_a_call_that_is_answered_and_hung_up_by_the_caller() -> None:
    assert lines(enters(position=3), rings("answered", 4.2), leaves("answered"), call()) == [
        "00|c|junior|NONE|ENTERQUEUE||13800000001|3",
        "08|c|junior|8001|CONNECT|8|c.1|4",
        "68|c|junior|8001|COMPLETECALLER|8|60|3",
    ]


def test_the_seat_hangs_up() -> None:
    assert lines(enters(), rings("answered", 0.0), leaves("answered"), call(by="seat"))[-1] == (
        "68|c|junior|8001|COMPLETEAGENT|8|60|3"
    )


@pytest.mark.parametrize(
    ("outcome", "cause", "line"),
    [
        ("abandoned", "", "ABANDON|2|3|8"),
        ("abandoned", "ringing", "ABANDON|2|3|8"),
        ("timed_out", "max_wait", "EXITWITHTIMEOUT|2|3|8"),
        ("overflowed", "max_wait", "EXITWITHTIMEOUT|2|3|8"),
        ("overflowed", "empty", "EXITEMPTY|2|3|8"),
        ("timed_out", "empty", "EXITEMPTY|2|3|8"),
        ("withdrawn", "withdrawn", "WITHDRAW|2|3|8|withdrawn"),
        ("overflowed", "moved", "WITHDRAW|2|3|8|moved"),
        ("overflowed", "key:1", "EXITWITHKEY|1|2|3|8"),
    ],
)
def test_whoever_leaves_without_a_seat(outcome: str, cause: str, line: str) -> None:
    """AQ writes two lines for time-outs and empty queues (ABANDON, too); here one outcome is one line."""
    assert lines(enters(), leaves(outcome, cause))[1:] == [f"08|c|junior|NONE|{line}"]


@pytest.mark.parametrize(
    ("cause", "event"),
    [
        ("full", "FULL"),
        ("empty", "JOINEMPTY"),
        ("closed", "CLOSED"),
        ("ratio", "DIVERT_CA_RATIO"),
        ("estimate", "DIVERT_HOLDTIME"),
    ],
)
def test_who_never_got_in(cause: str, event: str) -> None:
    row = leaves("refused", cause, waited=0.0, position=0, position_left=0)
    assert lines(row) == [f"00|c|junior|NONE|{event}|"]


def test_rings_in_vain() -> None:
    rows = [rings(outcome, 20.1234) for outcome in ("missed", "refused", "failed", "withdrawn")]
    assert lines(*rows) == [
        "05|c|junior|8001|RINGNOANSWER|20123",
        "05|c|junior|8001|RINGNOANSWER|20123",
        "05|c|junior|8001|RINGNOANSWER|20123",
        "05|c|junior|8001|RINGCANCELED|20123",
    ]


def test_a_blind_transfer_names_the_number_when_it_is_known() -> None:
    """asterisk #759, FreePBX #124. The new call begins with the transfer; its row may come much later."""
    begin = (enters(), rings("answered", 0.0), leaves("answered"))
    handed_on = call(verdict="success:transferred", by="seat", continued_as="d")
    log = QueueLog()
    for row in (*begin, handed_on):
        said = log.take(row)
    assert said == []
    assert log.take(call("d", ended=99.0, arrived=68.4, called="2001")) == [
        "1800000068|c|junior|8001|BLINDTRANSFER|2001|default|8|60|3"
    ]


def test_an_attended_transfer_joins_a_call_that_was_there() -> None:
    log = QueueLog()
    list(log.know("d", "2001", T + 50.0))
    handed_on = call(verdict="success:transferred", by="seat", continued_as="d")
    for row in (enters(), rings("answered", 0.0), leaves("answered"), handed_on):
        said = log.take(row)
    assert said == ["1800000068|c|junior|8001|ATTENDEDTRANSFER|BRIDGE|d|8|60|3"]


@pytest.mark.parametrize(
    ("before", "event"),
    [(0.0, "BLINDTRANSFER"), (0.5, "BLINDTRANSFER"), (1.0, "BLINDTRANSFER"), (1.5, "ATTENDEDTRANSFER")],
)
def test_who_was_called_a_second_before_was_asked_first(before: float, event: str) -> None:
    """A call that a blind transfer makes may begin a moment before the first one's row says that it ended."""
    log = QueueLog()
    list(log.know("d", "2001", T + 64.0 - before))
    handed_on = call(ended=64.0, verdict="success:transferred", by="seat", continued_as="d")
    for row in (enters(), rings("answered", 0.0), leaves("answered"), handed_on):
        said = log.take(row)
    assert [line.split("|")[4] for line in said] == [event]


def test_seats_sign_in_pause_for_another_reason_and_leave() -> None:
    """FreePBX #912: a change of the reason is two lines. Calls and wrap-ups make none."""
    assert lines(
        presence("ready", 1),
        presence("paused", 10, "rest"),
        presence("paused", 20, "lunch"),
        presence("ready", 30),
        presence("wrapup", 40),
        presence("paused", 50, "rest"),
        presence("offline", 61),
    ) == [
        "01|NONE|NONE|8001|AGENTLOGIN|li",
        "10|NONE|NONE|8001|PAUSEALL|rest",
        "20|NONE|NONE|8001|UNPAUSEALL|rest",
        "20|NONE|NONE|8001|PAUSEALL|lunch",
        "30|NONE|NONE|8001|UNPAUSEALL|lunch",
        "50|NONE|NONE|8001|PAUSEALL|rest",
        "61|NONE|NONE|8001|UNPAUSEALL|rest",
        "61|NONE|NONE|8001|AGENTLOGOFF|li|60",
    ]


def test_a_pause_in_one_queue_names_it() -> None:
    assert lines(
        presence("ready", 1),
        presence("ready", 10, cause="paused_in:junior:rest"),
        presence("ready", 20, cause="unpaused_in:junior:rest"),
    )[1:] == ["10|NONE|junior|8001|PAUSE|rest", "20|NONE|junior|8001|UNPAUSE|rest"]


def test_a_visit_that_is_told_of_twice_has_entered_once() -> None:
    """The state row of a visit is repeated where the journal begins a new file, or its place changes."""
    assert len(lines(enters(), enters())) == 1
    assert lines(leaves("abandoned"))[0] == "00|c|junior|NONE|ENTERQUEUE|||3"  # only its end was read


def test_text_of_strangers_makes_no_fields() -> None:
    assert lines(enters(caller="a|b\nc"))[0].endswith("ENTERQUEUE||a b c|1")


def test_nothing_is_kept_of_what_is_over() -> None:
    log = QueueLog()
    first = (enters(), rings("answered", 1.0), leaves("answered"), call())
    for row in (*first, enters("d.1"), leaves("abandoned", visit="d.1")):
        log.take(row)
    kept = (log._entered, log._rang, log._talks, log._calls, log._transfers)
    assert not any(kept)
    assert log.take(StreamRow("s", "c", "caller", "PCMU", T, 0, 0, 0, 0.0, 0)) == []


def test_a_seat_that_is_moved_joins_and_leaves_queues() -> None:
    """Its level is one for all queues: the penalty's queue is none."""
    assert lines(
        presence("ready", 1.0),
        presence("ready", 2.0, cause="moved"),
        presence("ready", 2.0, cause="removed_from:junior"),
        presence("ready", 2.0, cause="added_to:senior"),
        presence("ready", 2.0, cause="level:2:senior"),
        presence("paused", 3.0, "rest"),
        presence("paused", 4.0, "rest", cause="added_to:junior"),
    )[1:] == [
        "02|NONE|junior|8001|REMOVEMEMBER|",
        "02|NONE|senior|8001|ADDMEMBER|",
        "02|NONE|NONE|8001|PENALTY|2|senior",
        "03|NONE|NONE|8001|PAUSEALL|rest",
        "04|NONE|junior|8001|ADDMEMBER|PAUSED",
    ]


def test_a_start_and_a_reload() -> None:
    def operation(what: str, by: str = "switch") -> OperationRow:
        return OperationRow(what, T, "", by, what, "", "", "", "")

    assert lines(operation("started"), operation("reloaded"), operation("force_pause", "8901")) == [
        "00|NONE|NONE|NONE|QUEUESTART|",
        "00|NONE|NONE|NONE|CONFIGRELOAD|",
    ]
