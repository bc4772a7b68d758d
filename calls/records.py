"""Records: the one row a call leaves, and the rows of the streams that carried it."""

from calls.call import Call
from calls.leg import Leg
from kernel.rows import CallRow, StreamRow
from kernel.walltime import WallTime
from media.events import StreamStatistics


def call_row(
    call: Call, now: float, walltime: WallTime, *, ended_by: str, verdict: str, sip_status: int
) -> CallRow:
    """Return the row of a call that ends at ``now``."""
    answered_at = call.answered_at
    seat = call.seat
    if call.is_callback and call.caller_leg is not None:
        seat = call.caller_leg.seat
    until = now if call.talked_until is None else call.talked_until
    held_for = call.held_for + (now - call.held_at if call.held else 0.0)
    return CallRow(
        call.id,
        call.tenant,
        call.direction,
        call.caller,
        call.called,
        call.trunk,
        call.entry,
        walltime.epoch(call.arrived_at),
        None if answered_at is None else walltime.epoch(answered_at),
        walltime.epoch(now),
        round((now if answered_at is None else answered_at) - call.arrived_at, 3),
        0.0 if answered_at is None else round(until - answered_at, 3),
        round(held_for, 3),
        seat or "",
        ended_by,
        verdict,
        sip_status,
        call.recording,
        continued_as=call.continued_as,
        resumed=call.resumed,
        tag=call.tag,
        caller_name=call.caller_name,
    )


def ended_fields(row: CallRow) -> dict[str, object]:
    """Return what the one log line at a call's end says."""
    return {
        "call": row.call,
        "caller": row.caller,
        "called": row.called,
        "entry": row.entry,
        "verdict": row.verdict,
        "waited": row.waited,
        "talked": row.talked,
        "seat": row.seat,
    }


def stream_row(
    call: str, side: str, codec: str, statistics: StreamStatistics, now: float, walltime: WallTime
) -> StreamRow:
    """Return the row of a stream that carried audio."""
    return StreamRow(
        f"{call}/{side}/{statistics.stream}",
        call,
        side,
        codec,
        walltime.epoch(now),
        statistics.packets_received,
        statistics.packets_sent,
        statistics.lost,
        round(statistics.jitter_ms, 3),
        statistics.foreign,
    )


def side_of(leg: Leg) -> str:
    """Return which side of its call a leg is."""
    return "caller" if leg.call is not None and leg.call.caller_leg is leg else "callee"
