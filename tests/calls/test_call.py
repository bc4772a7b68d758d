"""Calls: the table of states is total, and holds add up."""

from itertools import product

from calls.call import DROPPED, MOVES, Call, CallInput, CallState
from kernel.ids import CallId


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(CallState, CallInput)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_nothing_leads_out_of_the_end() -> None:
    assert not [pair for pair in MOVES if pair[0] is CallState.ENDED]


def test_a_queue_call_waits_on_after_a_ring_that_nobody_answered() -> None:
    call = Call(CallId("c"), 0.0)
    for cause in (CallInput.QUEUED, CallInput.RUNG, CallInput.RING_ENDED, CallInput.RUNG, CallInput.BRIDGED):
        assert call.move(cause)
    assert call.state is CallState.TALKING
    assert not call.move(CallInput.RING_ENDED)


def test_time_on_hold_adds_up() -> None:
    call = Call(CallId("c"), 0.0)
    call.note_hold(True, 10.0)
    call.note_hold(True, 12.0)
    call.note_hold(False, 15.0)
    call.note_hold(False, 16.0)
    call.note_hold(True, 20.0)
    call.note_hold(False, 21.0)
    assert call.held_for == 6.0
    assert not call.held
