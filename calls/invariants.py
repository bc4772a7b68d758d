"""What must hold of calls between turns; the simulator asks after every step."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from calls.call import Call, CallState
from calls.leg import Leg
from kernel.ids import CallId, OfferId, StreamId
from sip.session import Session

if TYPE_CHECKING:
    from calls.switchboard import Switchboard


def check(
    calls: Mapping[CallId, Call],
    streams: Mapping[StreamId, Leg],
    rings: Mapping[OfferId, Leg],
    trunk_calls: int,
) -> None:
    """Assert that calls, legs, streams, sessions and rings belong together."""
    sessions: list[Session] = []
    for call in calls.values():
        assert call.state is not CallState.ENDED, f"{call.id} has ended and is still here"
        assert (call.callee is not None) == (call.state is CallState.TALKING), f"{call.id}: {call.state}"
        assert not call.is_parked or call.held, f"{call.id} is parked and not held"
        assert bool(call.rings) == (call.state is CallState.RINGING), f"{call.id}: {call.state}"
        for leg in call.legs():
            assert leg.call is call, f"a leg of {call.id} belongs elsewhere"
            sessions.extend(leg.ringing_sessions)
            if leg.session is not None:
                sessions.append(leg.session)
            if leg.offer is not None and leg in call.rings:
                assert rings.get(leg.offer) is leg, f"{leg.offer} is not known as a ring"
    counted = sum(1 for call in calls.values() for leg in call.legs() if leg.trunk)
    assert counted == trunk_calls, f"{trunk_calls} legs are counted at trunks, and there are {counted}"
    for session in sessions:
        assert session.user is not None, "a session has lost its leg"
    for stream, leg in streams.items():
        assert leg.call is not None, f"stream {stream} has lost its call"
        assert leg.call.id in calls, f"stream {stream} outlived its call"
    for offer, leg in rings.items():
        assert leg.call is not None, f"{offer} rings for nobody"
        assert leg in leg.call.rings, f"{offer} rings for nobody"


def is_quiet(board: "Switchboard") -> bool:
    """Return whether no part of call control knows of any call."""
    return not (
        board.calls
        or board.transfers.pending
        or board.consults.pending
        or board.comfort.told
        or board.supervision.by_call
        or board.hearing.wanted
        or board.handover.steps
        or board.surveys.asked
        or board.scripts.running
        or board.scripts.leading.away
        or board.recordings.living
        or not board.standing.is_quiet()
        or board.voicemails.by_call
        or board.voicemails.living
        or board.streams.living
        or board.rings.offers
        or board.lines.count()
        or board.streams.closing
        or not board.recovery.is_quiet()
    )
