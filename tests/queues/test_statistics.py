"""Counters and the formulas over them: one vector, every figure."""

import pytest

from kernel.limits import INTERVAL, INTERVALS_MAX
from queues.events import Outcome
from queues.statistics import (
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


@pytest.mark.parametrize(
    ("mode", "level"),
    [("negative", 0.800), ("ignore", 1.0), ("positive", 1.0), ("answered_only", 1.0)],
)
def test_second_threshold(mode: str, level: float) -> None:
    """By 60 s all eight were answered and both had given up."""
    assert service_level(counted(), mode, second=True) == pytest.approx(level)


def test_every_figure_of_the_vector_at_once() -> None:
    """domain.md 4.1: what an operator is shown."""
    shown = counted().as_dict()
    expected = {
        "asa": 14.0,
        "ata": 14.0,
        "awt": 14.0,
        "abandon_rate": 0.2,
        "abandon_rate_without_short": 1 / 9,
    }
    assert {name: shown[name] for name in expected} == pytest.approx(expected)
    assert shown["service_levels"] == pytest.approx(
        {
            "negative": 0.6,
            "ignore": 6 / 9,
            "positive": 0.7,
            "answered_only": 0.75,
            "negative_without_short": 6 / 9,
            "ignore_without_short": 6 / 9,
            "positive_without_short": 6 / 9,
            "answered_only_without_short": 0.75,
        }
    )
    assert shown["wait_p50"] == pytest.approx(12.0, rel=0.026)
    assert shown["wait_p95"] == pytest.approx(35.0, rel=0.026)


def test_published_example_of_the_three_forms() -> None:
    """Cisco's: 70 answered in time, 10 gave up in time, 20 late, 100 offered: 77.8 %, 70 %, 80 %."""
    it = Counters()
    for outcome, waited, count in (("answered", 5.0, 70), ("abandoned", 10.0, 10), ("answered", 40.0, 20)):
        for _ in range(count):
            it.count(outcome, waited, 20.0, 0.0)
    levels = [service_level(it, mode) for mode in ("ignore", "negative", "positive")]
    assert levels == pytest.approx([70 / 90, 0.70, 0.80])


def test_abandons_while_waiting_and_while_ringing_are_apart() -> None:
    it = counted()
    it.count("abandoned", 30.0, 20.0, 5.0, cause="ringing")
    shown = it.as_dict()
    assert shown["abandon_rate"] == pytest.approx(3 / 11)
    assert shown["abandon_rate_waiting"] == pytest.approx(2 / 11)
    assert shown["abandon_rate_ringing"] == pytest.approx(1 / 11)


def test_a_short_limit_above_the_threshold_leaves_out_every_abandon_within_it() -> None:
    it = Counters()
    for waited in (1.0, 3.0, 4.0):
        it.count("abandoned", waited, 2.0, 5.0)
    it.count("answered", 1.0, 2.0, 5.0)
    assert service_level(it, "ignore", without_short=True) == 1.0


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
    shown = it.as_dict()
    nulls = [name for name, value in shown.items() if value is None]
    assert len(nulls) == len(shown) - len(Counters.NAMES) - 6  # sums, three counts, the longest, two of modes
    assert not any(value for value in shown["service_levels"].values())
    assert 100 not in shown.values()


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


def answer(it: Statistics[Counters], waited: float, epoch: float) -> None:
    it.roll(epoch)
    it.open.count("answered", waited, 20.0, 5.0)


def test_intervals_are_quarters_of_an_hour_and_bounded() -> None:
    it = Statistics(Counters)
    for number in range(INTERVALS_MAX + 5):
        answer(it, 1.0, number * INTERVAL + 899.0)
    assert len(it.intervals) == INTERVALS_MAX
    assert it.total.answered == INTERVALS_MAX + 5
    assert it.between(10 * INTERVAL, 12 * INTERVAL).answered == 2
    assert it.between(10 * INTERVAL + 1, 12 * INTERVAL + 1).answered == 2
    assert it.between(0, 4 * INTERVAL).answered == 0
    last = (INTERVALS_MAX + 4) * INTERVAL
    assert it.between(last, last + 1).answered == 1  # the open one


def test_sum_of_intervals_keeps_the_longest_wait_and_every_bucket() -> None:
    it = Statistics(Counters)
    answer(it, 40.0, 0.0)
    answer(it, 10.0, INTERVAL)
    both = it.between(0, 2 * INTERVAL)
    assert (both.answered, both.wait, both.wait_longest) == (2, 50.0, 40.0)
    assert both.as_dict()["service_level"] == 0.5
    assert both.waits.quantile(1.0) == pytest.approx(40.0, rel=0.026)


def test_a_clock_that_is_set_back_opens_no_interval_again() -> None:
    it = Statistics(Counters)
    answer(it, 1.0, 3 * INTERVAL)
    answer(it, 1.0, 2 * INTERVAL)
    assert [at for at, _ in it.each(0, 9 * INTERVAL)] == [3 * INTERVAL]
    assert it.total.answered == 2


def test_a_closed_interval_is_told_once_and_an_empty_one_never() -> None:
    it = Statistics(Counters)
    assert it.roll(INTERVAL) is None
    assert it.roll(2 * INTERVAL) is None
    answer(it, 1.0, 2 * INTERVAL)
    closed = it.roll(5 * INTERVAL)
    assert closed is not None
    assert closed.answered == 1
    assert it.roll(6 * INTERVAL) is None
    assert (it.past.answered, it.open.answered) == (1, 0)


def test_who_gives_up_at_the_bound_has_not_given_up_at_once() -> None:
    counters = Counters()
    counters.count(Outcome.ABANDONED, 5.0, 20.0, 5.0)
    assert (counters.short_abandoned, counters.abandoned_within) == (0, 1)


def test_intervals_of_several_are_gathered_into_one() -> None:
    it = Statistics(Counters)
    for begins_at in (0.0, 0.0, INTERVAL):
        it.gather(begins_at, counted())
    assert [(at, each.offered) for at, each in it.each(0.0, 3 * INTERVAL)] == [(0.0, 20), (INTERVAL, 10)]


@pytest.mark.parametrize(
    ("waited", "within", "short"), [(4.9, 1, 1), (5.0, 1, 0), (20.0, 1, 0), (20.1, 0, 0)]
)
def test_who_gives_up_at_the_threshold_is_within_it(waited: float, within: int, short: int) -> None:
    it = Counters()
    it.count(Outcome.ABANDONED, waited, 20.0, 5.0)
    assert (it.abandoned_within, it.abandoned_late, it.short_abandoned) == (within, 1 - within, short)
