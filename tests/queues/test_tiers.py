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


def test_a_seat_that_moves_stands_in_its_new_queues_in_the_order_of_the_configuration() -> None:
    tiers = Tiers([(SeatId("2"), [A]), (SeatId("3"), [A, B]), (SeatId("1"), [B])])
    assert (tiers.seats_of(A), tiers.seats_of(B)) == (("2", "3"), ("3", "1"))
    tiers.move(SeatId("1"), [A])
    tiers.move(SeatId("2"), [B, B])
    assert (tiers.seats_of(A), tiers.seats_of(B)) == (("3", "1"), ("2", "3"))
    assert tiers.queues_of(SeatId("2")) == (B,)
    tiers.move(SeatId("3"), [])
    assert (tiers.seats_of(A), tiers.seats_of(B)) == (("1",), ("2",))
