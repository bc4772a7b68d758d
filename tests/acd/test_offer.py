"""An offer's table, walked pair by pair."""

from itertools import product

from acd.offer import DROPPED, MOVES, Input, State


def test_every_pair_is_decided() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_an_offer_ends_once_and_for_all() -> None:
    assert all(after is State.ENDED for (_, cause), after in MOVES.items() if cause is not Input.RANG)
    assert not [before for before, _ in MOVES if before is State.ENDED]
