"""Sums add up, the sketch keeps its promise, and a figure over nothing is no figure."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.sums import Sketch, Sums, read_sketch, work_figures

ERROR = 0.0251


@pytest.mark.parametrize("part", [0.5, 0.95, 0.99])
def test_quantiles_are_within_two_and_a_half_percent(part: float) -> None:
    draw = Random(11)
    waits = sorted(draw.expovariate(1 / 40.0) for _ in range(5_000))
    it = Sketch()
    for waited in waits:
        it.count(waited)
    exact = waits[int(part * len(waits) + 0.999) - 1]
    assert it.quantile(part) == pytest.approx(exact, rel=ERROR)


@given(st.lists(st.floats(0.101, 500_000.0), min_size=1, max_size=60), st.floats(0.0, 1.0))
def test_any_quantile_of_any_waits(waits: list[float], part: float) -> None:
    it = Sketch()
    for waited in waits:
        it.count(waited)
    low, high = min(waits) * (1 - ERROR) - 0.001, max(waits) * (1 + ERROR) + 0.001
    found = it.quantile(part)
    assert found is not None
    assert low <= found <= high
    assert read_sketch(it.text()) == it


def test_waits_below_a_tenth_of_a_second_are_none_and_no_wait_is_null() -> None:
    it = Sketch()
    assert it.quantile(0.5) is None
    it.count(0.0)
    it.count(0.1)
    assert it.quantile(1.0) == 0.0


def test_sketches_add_up() -> None:
    one, other = Sketch(), Sketch()
    for waited in (1.0, 2.0):
        one.count(waited)
    for waited in (2.0, 30.0):
        other.count(waited)
    one.add(other)
    assert sum(one.values()) == 4
    assert one.quantile(1.0) == pytest.approx(30.0, rel=ERROR)


def test_work_by_hand() -> None:
    """Four offers, one missed; two conversations of 100 and 60 s with 20 s of hold, one handed on."""
    it = Sums()
    for outcome, rang in (("answered", 4.0), ("answered", 6.0), ("missed", 25.0), ("refused", 1.0)):
        it.count_offer(outcome, rang)
    it.count_talk(100.0, 20.0, transferred=False)
    it.count_talk(60.0, 0.0, transferred=True)
    it.wrap_up += 30.0
    assert work_figures(it) == {
        "aht": 105.0,
        "average_talk": 80.0,
        "average_hold": 10.0,
        "acw": 15.0,
        "average_ring": 9.0,
        "rna_rate": 0.25,
        "transfer_rate": 0.5,
    }
    assert (it.offers_answered, it.offers_missed, it.offers_refused) == (2, 1, 1)


def test_nothing_done_is_no_figure() -> None:
    assert set(work_figures(Sums()).values()) == {None}
    assert Sums().is_empty()


def test_taking_values_back_is_adding() -> None:
    it, other = Sums(), Sums()
    it.count_talk(7.125, 1.5, transferred=True)
    other.take(it.values())
    other.take(it.values())
    it.add(it)
    assert other.values() == it.values()
