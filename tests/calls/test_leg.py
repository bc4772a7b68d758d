"""Legs: the table of states is total."""

from itertools import product

from calls.leg import DROPPED, MOVES, LegInput, LegState


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(LegState, LegInput)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_nothing_leads_out_of_the_end() -> None:
    assert not [pair for pair in MOVES if pair[0] is LegState.ENDED]
