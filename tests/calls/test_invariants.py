"""What must hold of calls is asserted, and asserted about what it names."""

import pytest

from calls.call import Call, CallInput
from calls.invariants import check
from calls.leg import Leg, LegState
from kernel.ids import CallId, OfferId, StreamId


def waiting_call() -> tuple[Call, Leg]:
    call = Call(CallId("c"), 0.0)
    leg = Leg(call, StreamId(1), "1390", LegState.ARRIVED)
    call.caller_leg = leg
    call.move(CallInput.QUEUED)
    return call, leg


def test_a_waiting_call_is_whole() -> None:
    call, leg = waiting_call()
    check({call.id: call}, {leg.stream: leg}, {}, 0)


def test_a_call_that_ended_must_be_gone() -> None:
    call, _ = waiting_call()
    call.move(CallInput.ENDED)
    with pytest.raises(AssertionError, match="has ended"):
        check({call.id: call}, {}, {}, 0)


def test_a_ring_must_be_known() -> None:
    call, _ = waiting_call()
    call.move(CallInput.RUNG)
    ring = Leg(call, StreamId(2), "8001", LegState.INVITED)
    ring.offer = OfferId("c.1.1")
    call.rings.append(ring)
    check({call.id: call}, {}, {OfferId("c.1.1"): ring}, 0)
    with pytest.raises(AssertionError, match="not known as a ring"):
        check({call.id: call}, {}, {}, 0)


def test_a_stream_must_not_outlive_its_call() -> None:
    _, leg = waiting_call()
    with pytest.raises(AssertionError, match="outlived"):
        check({}, {leg.stream: leg}, {}, 0)
