"""Counters and the formulas over them: one vector, every figure."""

import pytest

from queues.events import Outcome
from queues.statistics import (
    INTERVAL,
    INTERVALS_MAX,
    Counters,
    Statistics,
    abandon_rate,
    average_speed_of_answer,
    average_time_to_abandon,
    service_level,
)

ANSWERED = (0.0, 0.0, 5.0, 12.0, 19.0, 20.0, 21.0, 35.0)
ABANDONED = (3.0, 25.0)


def counted(short: float = 5.0) -> Counters:
    counters = Counters()
    for waited in ANSWERED:
        counters.count(Outcome.ANSWERED, waited, 20.0, short)
    for waited in ABANDONED:
        counters.count(Outcome.ABANDONED, waited, 20.0, short)
    return counters


def test_vector_counts() -> None:
    """Ten calls, threshold 20 s inclusive: six answered within it, one abandoned within it."""
    it = counted()
    assert (it.offered, it.answered_within, it.answered_late) == (10, 6, 2)
    assert (it.abandoned_within, it.abandoned_late, it.short_abandoned) == (1, 1, 1)


@pytest.mark.parametrize(
    ("mode", "level"),
    [("negative", 0.600), ("ignore", 6 / 9), ("positive", 0.700), ("answered_only", 0.750)],
)
def test_service_level_by_mode(mode: str, level: float) -> None:
    assert service_level(counted(), mode) == pytest.approx(level)


def test_service_level_without_short_abandons() -> None:
    """The abandon at 3 s is below the short limit of 5 s and leaves the denominator: 6 of 9."""
    assert service_level(counted(), without_short=True) == pytest.approx(6 / 9)
    assert service_level(counted(), "positive", without_short=True) == pytest.approx(6 / 9)
    assert service_level(counted(), "ignore", without_short=True) == pytest.approx(6 / 9)


def test_speeds_and_rates() -> None:
    it = counted()
    assert average_speed_of_answer(it) == pytest.approx(14.0)
    assert average_time_to_abandon(it) == pytest.approx(14.0)
    assert abandon_rate(it) == pytest.approx(0.20)
    assert abandon_rate(it, without_short=True) == pytest.approx(1 / 9)


def test_nothing_asked_is_no_figure() -> None:
    """A queue nobody called has no service level; it is neither 0 nor 100 %."""
    it = Counters()
    assert service_level(it) is None
    assert average_speed_of_answer(it) is None
    assert average_time_to_abandon(it) is None
    assert abandon_rate(it) is None


def test_calls_that_were_never_answered_in_time_are_not_a_perfect_score() -> None:
    it = Counters()
    it.count(Outcome.ABANDONED, 30.0, 20.0, 5.0)
    assert service_level(it) == 0.0
    assert service_level(it, "answered_only") is None


@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in (Outcome.ANSWERED, Outcome.ABANDONED)])
def test_every_other_outcome_has_its_counter(outcome: Outcome) -> None:
    it = Counters()
    it.count(outcome, 7.0, 20.0, 5.0)
    assert getattr(it, outcome.value) == 1
    assert it.offered == (0 if outcome is Outcome.REFUSED else 1)


def test_intervals_are_quarters_of_an_hour_and_bounded() -> None:
    it = Statistics()
    for number in range(INTERVALS_MAX + 5):
        it.count(Outcome.ANSWERED, 1.0, 20.0, 5.0, number * INTERVAL + 899.0)
    assert len(it.intervals) == INTERVALS_MAX
    assert it.total.answered == INTERVALS_MAX + 5
    assert it.between(10 * INTERVAL, 12 * INTERVAL).answered == 2
    assert it.between(10 * INTERVAL + 1, 12 * INTERVAL + 1).answered == 2
    assert it.between(0, 5 * INTERVAL).answered == 0


def test_sum_of_intervals_keeps_the_longest_wait() -> None:
    it = Statistics()
    it.count(Outcome.ANSWERED, 40.0, 20.0, 5.0, 0.0)
    it.count(Outcome.ANSWERED, 10.0, 20.0, 5.0, INTERVAL)
    both = it.between(0, 2 * INTERVAL)
    assert (both.answered, both.wait, both.wait_longest) == (2, 50.0, 40.0)
    assert both.as_dict()["service_level"] == 0.5
