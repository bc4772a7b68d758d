"""The estimated wait: the law of Erlang A, a range, or an honest None."""

from random import Random

import pytest

from queues.estimate import SAMPLES_MIN, estimate


def test_unknown_while_there_is_nothing_to_go_by() -> None:
    assert estimate(1, 4, SAMPLES_MIN - 1, 100.0, 0, 0.0) is None
    assert estimate(1, 0, 50, 100.0, 0, 0.0) is None
    assert estimate(1, 4, SAMPLES_MIN, 100.0, 0, 0.0) is not None


def test_without_abandonment_every_place_costs_one_service() -> None:
    """100 s per call and four seats: one leaves each 25 s; the fourth waits 100 s -/+ 1.28 * 25 * 2."""
    assert estimate(4, 4, 50, 100.0, 0, 0.0) == pytest.approx((36.0, 164.0))


def test_those_before_who_give_up_shorten_the_wait() -> None:
    """n mu = 0.04/s, theta = 0.005/s: 1/.04 + 1/.045 + 1/.05 + 1/.055 = 85.4 s instead of 100 s."""
    low, high = estimate(4, 4, 50, 100.0, 10, 2000.0) or (0.0, 0.0)
    assert (low + high) / 2 == pytest.approx(85.404, abs=0.001)
    deviation = (25.0**2 + (1 / 0.045) ** 2 + 20.0**2 + (1 / 0.055) ** 2) ** 0.5
    assert (high - low) / 2 == pytest.approx(1.28 * deviation)


def test_a_few_abandons_tell_nothing_of_patience() -> None:
    assert estimate(4, 4, 50, 100.0, SAMPLES_MIN - 1, 20.0) == estimate(4, 4, 50, 100.0, 0, 0.0)
    assert estimate(4, 4, 50, 100.0, SAMPLES_MIN, 20.0) != estimate(4, 4, 50, 100.0, 0, 0.0)


@pytest.mark.parametrize(("abandoned", "waited_for"), [(0, 0.0), (100, 20_000.0), (1000, 10_000.0)])
def test_long_queues_are_not_counted_out_one_by_one(abandoned: int, waited_for: float) -> None:
    """Beyond 32 places the sum is an integral: within a thousandth of the sum itself."""
    patience = abandoned / waited_for if abandoned else 0.0
    mean = sum(1 / (0.1 + place * patience) for place in range(900))
    variance = sum(1 / (0.1 + place * patience) ** 2 for place in range(900))
    low, high = estimate(900, 20, 50, 200.0, abandoned, waited_for) or (0.0, 0.0)
    assert high == pytest.approx(mean + 1.28 * variance**0.5, rel=1e-3)
    assert low == pytest.approx(mean - 1.28 * variance**0.5, rel=1e-3)


def test_four_of_five_waits_end_in_the_range() -> None:
    """The law itself, drawn: five before us, three seats of 120 s, patience of 200 s."""
    draw = Random(7)
    low, high = estimate(6, 3, 50, 120.0, 50, 10_000.0) or (0.0, 0.0)
    waits = [sum(draw.expovariate(3 / 120 + place / 200) for place in range(6)) for _ in range(20_000)]
    within = sum(low <= wait <= high for wait in waits) / len(waits)
    assert 0.79 <= within <= 0.83
