"""Who serves which queue, in the order of the configuration."""

from kernel.ids import QueueName, SeatId
from queues.tiers import Tiers

A, B = QueueName("a"), QueueName("b")


def test_both_ways() -> None:
    tiers = Tiers([(SeatId("2"), [A, B, A]), (SeatId("1"), [A])])
    assert tiers.seats_of(A) == ("2", "1")
    assert tiers.seats_of(B) == ("2",)
    assert tiers.queues_of(SeatId("2")) == (A, B)


def test_strangers_serve_nothing() -> None:
    tiers = Tiers([])
    assert tiers.seats_of(A) == ()
    assert tiers.queues_of(SeatId("1")) == ()
