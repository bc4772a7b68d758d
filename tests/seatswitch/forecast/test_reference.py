"""The forecast against exact results of queueing theory and the reference department, at fixed seeds.

Every figure must lie within 3.5 standard errors; benchmarks/forecast_reference.py plays the same cases with
longer runs.
"""

from math import exp
from typing import Any

import pytest

from benchmarks.forecast_cases import (
    DRILLS,
    OVERFLOWS,
    Case,
    Drill,
    all_cases,
    erlang_b,
    hayward,
    limits,
    wilkinson,
)
from seatswitch.forecast.report import fewest_seats

CASES = all_cases()
MODEST = "calls = {calls}\nreplications = 16\n"


def test_every_row_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) == 94
    kinds = ("Erlang B", "overflow", "Erlang C", "agents for", "Erlang A", "M/M/", "priority")
    kinds = (*kinds, "N-design, loss, R =", "N-design, patience, R =", "inverted V", "department")
    kinds = (*kinds, "50 agents, 48 calls/min", "Halfin-Whitt", "Garnett")
    counts = {kind: sum(kind in name for name in names) for kind in kinds}
    assert list(counts.values()) == [22, 8, 10, 15, 2, 5, 2, 3, 3, 2, 3, 4, 5, 10]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reference(forecast: Any, case: Case) -> None:
    calls = 3500 if case.name.startswith("department") else 1000
    found = forecast(MODEST.format(calls=calls) + case.text)
    assert found.differences(own=case.own, **case.exact) == {}
    assert found.report["overall"]["offered"] == 16 * calls


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_least_agents(forecast: Any, drill: Drill) -> None:
    """One fewer than the least is not enough, the least is; the long runs find that by a sweep."""
    load = drill.calls * drill.handle / 1800
    levels = {}
    for agents in (drill.agents - 1, drill.agents):
        blocking, spare = erlang_b(agents, load), agents - load
        delay = blocking / (1 - load / agents * (1 - blocking))
        levels[agents] = 1 - delay * exp(-spare * drill.threshold / drill.handle)
        found = forecast(MODEST.format(calls=1000) + drill.text(agents))
        assert found.differences(**{"a.service_level": levels[agents]}) == {}
    assert levels[drill.agents - 1] < drill.target <= levels[drill.agents]
    assert levels[drill.agents] == pytest.approx(drill.level, abs=5e-5)


def test_a_sweep_finds_the_least_agents(forecast: Any) -> None:
    drill = DRILLS[2]
    numbers = range(drill.agents - 2, drill.agents + 2)
    reports = [forecast(MODEST.format(calls=3000) + drill.text(each)).report for each in numbers]
    assert fewest_seats(list(zip(numbers, reports, strict=True)), drill.target) == drill.agents


def test_formula_of_the_cases() -> None:
    """Of loads for a given blocking, and against what other programs' tests say."""
    for c, a, blocking in ((1, 1.0, 0.5), (10, 10.0, 0.214582), (100, 84.0642, 0.01), (30, 16.6839, 0.001)):
        assert erlang_b(c, a) == pytest.approx(blocking, rel=1e-4)
    assert erlang_b(190, 150 / 0.75) == pytest.approx(0.08869684386923561, rel=1e-12)


def test_mean_and_variance_of_an_overflow_are_those_of_wilkinson() -> None:
    for c, a, mean, variance, peak in OVERFLOWS:
        assert wilkinson(c, a) == pytest.approx((mean, variance), rel=1e-5)
        assert variance / mean == pytest.approx(peak, rel=1e-5)


def test_what_a_few_more_seats_lose_is_more_than_hayward_thinks() -> None:
    """Which is why a forecast plays the overflow instead of an estimate; that is right of Poisson."""
    assert hayward(10, 10.0, 1.0) == pytest.approx(erlang_b(10, 10.0), rel=1e-6)
    for c, a, mean, _, peak in OVERFLOWS:
        exact = erlang_b(c + 5, a) / erlang_b(c, a)
        assert 0.4 * exact < hayward(5, mean, peak) < 0.8 * exact


def test_limits_are_as_near_to_a_hundred_seats_as_the_documentation_says() -> None:
    apart = {each.name: each.says / each.exact - 1 for each in limits()}
    assert len(apart) == 17
    for name, share in apart.items():
        kind, _, beta = name.partition(", beta " if name.startswith("H") else ", patience ")
        if kind == "Halfin-Whitt":
            assert abs(share) < (0.0103 if float(beta) <= 0.8 else 0.031 if float(beta) <= 1 else 0.37)
        else:
            assert -0.074 < share < 0
