"""One callback: every pair of state and input is decided."""

from itertools import product

from acd.callbackstate import DROPPED, MOVES, Callback, Input, State
from kernel.ids import QueueName


class Keeper:
    def __init__(self) -> None:
        self.looked_at: list[tuple[str, float]] = []

    def on_deadline(self, callback: Callback, now: float) -> None:
        self.looked_at.append((callback.id, now))


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_what_is_dropped_changes_nothing() -> None:
    callback = Callback("cb", "demo", QueueName("junior"), "138", Keeper())
    assert not callback.move(Input.TAKEN)
    assert callback.state is State.SCHEDULED
    assert callback.move(Input.DUE)
    assert callback.move(Input.TAKEN)
    assert callback.is_dialling


def test_its_place_is_that_of_who_joined_then() -> None:
    callback = Callback("cb", "demo", QueueName("junior"), "138", Keeper())
    callback.joined_at, callback.credit = 100.0, 30.0
    assert callback.key == 70.0


def test_a_deadline_is_its_keepers_and_nobodys_when_it_has_ended() -> None:
    keeper = Keeper()
    callback = Callback("cb", "demo", QueueName("junior"), "138", keeper)
    callback.on_timer("callback", 5.0)
    callback.keeper = None
    callback.on_timer("callback", 6.0)
    assert keeper.looked_at == [("cb", 5.0)]
