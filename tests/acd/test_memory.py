"""Memory of callers: bounded in count and age."""

from acd.memory import RESUME_MAX, CallerSeats, LeftPlace, LeftPlaces
from kernel.ids import QueueName, SeatId

QUEUE, OTHER = QueueName("junior"), QueueName("senior")
ONE, TWO = SeatId("8001"), SeatId("8002")


def test_the_last_seat_by_queue_and_number() -> None:
    memory = CallerSeats()
    assert memory.remember(QUEUE, "100", ONE, 10.0)
    assert memory.remember(QUEUE, "100", TWO, 20.0)
    assert memory.remember(OTHER, "100", ONE, 20.0)
    assert memory.seat_of(QUEUE, "100", 30.0, 60.0) == TWO
    assert memory.seat_of(OTHER, "100", 30.0, 60.0) == ONE
    assert memory.seat_of(QUEUE, "200", 30.0, 60.0) is None


def test_forgotten_with_age() -> None:
    memory = CallerSeats()
    memory.remember(QUEUE, "100", ONE, 10.0)
    assert memory.seat_of(QUEUE, "100", 70.0, 60.0) == ONE
    assert memory.seat_of(QUEUE, "100", 70.1, 60.0) is None
    assert len(memory) == 0


def test_the_longest_unused_is_forgotten_first() -> None:
    memory = CallerSeats(most=2)
    for moment, number in enumerate(("100", "200", "100", "300")):
        memory.remember(QUEUE, number, ONE, float(moment))
    assert [memory.seat_of(QUEUE, number, 5.0, 60.0) for number in ("100", "200", "300")] == [ONE, None, ONE]


def test_a_hidden_number_is_nobodys() -> None:
    memory = CallerSeats()
    assert not memory.remember(QUEUE, "", ONE, 10.0)
    assert not memory.remember(QUEUE, "Anonymous", ONE, 10.0)
    assert len(memory) == 0


def test_rows_of_before_a_restart_do_not_undo_what_is_known() -> None:
    memory = CallerSeats()
    memory.remember(QUEUE, "100", TWO, 20.0)
    assert not memory.remember(QUEUE, "100", ONE, 10.0)
    assert memory.seat_of(QUEUE, "100", 30.0, 60.0) == TWO


def left(visit: str, at: float) -> LeftPlace:
    return LeftPlace(visit, at - 10.0, 0.0, at)


def test_the_newest_place_is_given_back_once_and_in_time() -> None:
    places = LeftPlaces()
    assert places.remember(QUEUE, "100", left("a.1", 10.0))
    assert places.remember(QUEUE, "100", left("b.1", 20.0))
    assert places.take(OTHER, "100", 60.0, 30.0) is None
    assert places.take(QUEUE, "100", 60.0, 80.0) == left("b.1", 20.0)
    assert places.take(QUEUE, "100", 60.0, 80.0) is None
    places.remember(QUEUE, "100", left("c.1", 100.0))
    assert places.take(QUEUE, "100", 60.0, 160.1) is None
    assert len(places) == 0


def test_places_are_bounded_in_count_and_age_and_hidden_numbers_are_nobodys() -> None:
    places = LeftPlaces(most=2)
    assert not places.remember(QUEUE, "anonymous", left("x.1", 0.0))
    for moment, number in enumerate(("100", "200", "100", "300")):
        places.remember(QUEUE, number, left(f"{number}.{moment}", float(moment)))
    assert [(number, place.visit) for _, number, place in places.items()] == [
        ("100", "100.2"),
        ("300", "300.3"),
    ]
    places.remember(QUEUE, "400", left("400.1", 3.5 + RESUME_MAX))
    assert [number for _, number, _ in places.items()] == ["400"]
