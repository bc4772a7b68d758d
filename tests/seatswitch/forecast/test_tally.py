"""Counting, and adding up."""

from seatswitch.forecast.tally import CURVE_POINTS, ClassTally, total


def test_answers() -> None:
    """Threshold 20 s, inclusive; the curve has a step each second."""
    tally = ClassTally()
    for waited in (0.0, 0.5, 20.0, 20.1, 500.0):
        tally.count_answer(waited, 20.0)
    assert (tally.answered, tally.within, tally.wait, tally.wait_answered) == (5, 3, 540.6, 540.6)
    assert [number for number, count in enumerate(tally.curve) if count] == [0, 1, 20, 21]


def test_losses() -> None:
    tally = ClassTally()
    tally.count_loss(7.0)
    assert (tally.abandoned, tally.wait, tally.wait_answered) == (1, 7.0, 0.0)


def test_threshold_of_nothing() -> None:
    tally = ClassTally()
    tally.count_answer(0.0, 0.0)
    tally.count_answer(1.0, 0.0)
    assert (tally.within, tally.curve[0]) == (1, 2)


def test_sum() -> None:
    one, other = ClassTally(offered=3, waited=2, wait=1.5), ClassTally(offered=4, blocked=1)
    one.curve[5] = other.curve[5] = 2
    both = total([one, other])
    assert (both.offered, both.blocked, both.waited, both.wait, both.curve[5]) == (7, 1, 2, 1.5, 4)
    assert (one.offered, len(both.curve)) == (3, CURVE_POINTS)
