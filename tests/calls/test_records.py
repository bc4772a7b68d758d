"""The row of a call and the rows of its streams: moments become wall time, durations stay."""

from calls.call import Call
from calls.leg import Leg, LegState
from calls.records import call_row, ended_fields, side_of, stream_row
from kernel.ids import CallId, SeatId, StreamId
from kernel.walltime import WallTime
from media.events import StreamStatistics

WALL = WallTime(1_700_000_000.0)


def make_call() -> Call:
    call = Call(CallId("abc"), 10.0)
    call.tenant, call.caller, call.called = "demo", "13800000000", "96198"
    call.trunk, call.entry = "carrier", "queue:junior"
    call.caller_leg = Leg(call, StreamId(1), "13800000000", LegState.ANSWERED)
    return call


def bridged(at: float) -> Call:
    call = make_call()
    call.answered_at = at
    call.callee = Leg(call, StreamId(2), "8001", LegState.ANSWERED)
    call.seat = SeatId("8001")
    return call


def test_a_call_that_was_bridged() -> None:
    """Waits 2.5 s, talks 60 s, of which 12 s on hold."""
    call = bridged(12.5)
    call.note_hold(True, 20.0)
    call.note_hold(True, 25.0)  # the other side holds too
    call.note_hold(False, 32.0)
    row = call_row(call, 72.5, WALL, ended_by="seat", verdict="success", sip_status=200)
    assert (row.arrived_at, row.answered_at, row.ended_at) == (
        1_700_000_010.0,
        1_700_000_012.5,
        1_700_000_072.5,
    )
    assert (row.waited, row.talked, row.held, row.seat) == (2.5, 60.0, 12.0, "8001")
    assert (row.call, row.tenant, row.direction, row.caller, row.called, row.trunk, row.entry) == (
        "abc",
        "demo",
        "in",
        "13800000000",
        "96198",
        "carrier",
        "queue:junior",
    )


def test_a_call_that_ends_on_hold_was_held_to_its_end() -> None:
    call = bridged(12.5)
    call.note_hold(True, 20.0)
    assert call_row(call, 25.25, WALL, ended_by="seat", verdict="success", sip_status=200).held == 5.25


def test_a_call_that_reached_nobody_waited_all_the_time_and_has_no_seat() -> None:
    row = call_row(make_call(), 40.1234, WALL, ended_by="caller", verdict="caller:abandoned", sip_status=200)
    assert (row.answered_at, row.waited, row.talked, row.held, row.seat) == (None, 30.123, 0.0, 0.0, "")


def test_the_log_line_tells_the_story_and_no_more() -> None:
    row = call_row(bridged(12.5), 72.5, WALL, ended_by="seat", verdict="success", sip_status=200)
    assert ended_fields(row) == {
        "call": "abc",
        "caller": "13800000000",
        "called": "96198",
        "entry": "queue:junior",
        "verdict": "success",
        "waited": 2.5,
        "talked": 60.0,
        "seat": "8001",
    }


def test_a_stream_has_its_own_row_named_after_call_and_side() -> None:
    call = bridged(12.5)
    assert call.callee is not None
    statistics = StreamStatistics(StreamId(2), 3000, 480_000, 2990, 478_400, 7, 1.23456, 4)
    row = stream_row(call.id, side_of(call.callee), "PCMA", statistics, 72.5, WALL)
    assert (row.stream, row.call, row.side, row.codec) == ("abc/callee/2", "abc", "callee", "PCMA")
    assert (row.closed_at, row.packets_received, row.packets_sent) == (1_700_000_072.5, 3000, 2990)
    assert (row.lost, row.jitter_ms, row.foreign) == (7, 1.235, 4)


def test_the_caller_is_whoever_called() -> None:
    call = bridged(12.5)
    assert call.caller_leg is not None
    assert call.callee is not None
    assert (side_of(call.caller_leg), side_of(call.callee)) == ("caller", "callee")
