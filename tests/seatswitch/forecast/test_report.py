"""Figures, intervals, curves, and how many seats are enough."""

from typing import Any

import pytest

from kernel.errors import OperatorError
from seatswitch.forecast.report import (
    build_report,
    fewest_seats,
    figures,
    half_width,
    parse_sweep,
    student,
    wait_curve,
)
from seatswitch.forecast.scenario import load_scenario, parse_document
from seatswitch.forecast.settings import Scenario
from seatswitch.forecast.tally import ClassTally, Tally


def scenario() -> Scenario:
    text = (
        '[[class]]\nname = "a"\nrate = "1/s"\nhandle = {mean = 60}\n'
        '[[group]]\nname = "g"\nseats = 5\nserves = ["a"]\n'
    )
    return load_scenario(parse_document(text, "desk.toml"))


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    [(1, 12.706), (7, 2.365), (11, 2.201), (15, 2.131), (30, 2.042), (120, 1.980), (1000, 1.962)],
)
def test_student(degrees: int, quantile: float) -> None:
    assert student(degrees) == pytest.approx(quantile, abs=0.001)


def test_half_width() -> None:
    """Mean 3, standard deviation 1.5811, n = 5, t = 2.7764."""
    assert half_width([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(1.9632, abs=1e-4)
    assert half_width([1.0]) is None
    assert half_width([1.0, None, 2.0]) is None


def test_figures_are_fractions_of_offered_calls_and_seconds() -> None:
    """10 offered, 2 blocked, 2 gave up after 30 s, 6 answered after 5 s each, in 100 s."""
    tally = ClassTally(
        offered=10, blocked=2, abandoned=2, answered=6, waited=8, within=6, wait=90.0, wait_answered=30.0
    )
    assert figures(tally, 100.0) == {
        "offered": 10,
        "blocked": 0.2,
        "abandoned": 0.2,
        "answered": 0.6,
        "mean_wait": 11.25,
        "mean_wait_answered": 5.0,
        "probability_wait": 0.8,
        "service_level": 0.6,
        "mean_queue": 0.9,
    }
    assert set(figures(ClassTally(), 0.0).values()) == {0, None}


def test_report_has_the_shape_of_the_contract() -> None:
    tallies = [
        Tally([ClassTally(offered=10, answered=answered, within=5)], [200.0], 100.0) for answered in (8, 10)
    ]
    report = build_report(scenario(), tallies)
    assert list(report) == ["classes", "groups", "overall", "half_width"]
    assert report["classes"]["a"] == report["overall"]
    assert report["overall"]["offered"] == 20
    assert report["overall"]["answered"] == 0.9
    assert report["groups"] == {"g": {"utilisation": 0.4, "peakedness": None}}
    widths = report["half_width"]
    assert list(widths) == ["classes", "groups", "overall"]
    assert widths["overall"]["answered"] == pytest.approx(12.7062 * 0.1)
    assert widths["overall"]["offered"] is None
    assert widths["groups"] == {"g": {"utilisation": 0.0, "peakedness": None}}


def test_one_replication_has_no_interval() -> None:
    report = build_report(scenario(), [Tally([ClassTally(offered=1, answered=1)], [1.0], 1.0)])
    assert set(report["half_width"]["overall"].values()) == {None}


def test_curve_of_waits() -> None:
    tally = ClassTally(offered=4)
    for waited in (0.0, 0.5, 30.0):
        tally.count_answer(waited, 10.0)
    curve = dict(wait_curve([Tally([tally], [0.0])], 0, 10.0))
    assert (curve[0.0], curve[0.5], curve[29.5], curve[30.0], max(curve)) == (0.25, 0.5, 0.5, 0.75, 60.0)


def test_sweep() -> None:
    assert parse_sweep("junior=6..14") == ("junior", range(6, 15))
    assert parse_sweep("a=b=0..0") == ("a=b", range(1))


@pytest.mark.parametrize(
    "text", ["junior", "junior=6", "=6..14", "junior=14..6", "junior=-1..4", "a=0..9999"]
)
def test_sweep_that_makes_no_sense(text: str) -> None:
    with pytest.raises(OperatorError, match="--sweep"):
        parse_sweep(text)


def points(*levels: float | None) -> list[tuple[int, Any]]:
    return [(number, {"overall": {"service_level": level}}) for number, level in enumerate(levels, 6)]


def test_fewest_seats() -> None:
    assert fewest_seats(points(0.5, 0.8, 0.9), 0.8) == 7
    assert fewest_seats(points(0.5, 0.7), 0.8) is None
    assert fewest_seats(points(0.9), 0.8) == 6
    assert fewest_seats([], 0.8) is None


def test_luck_below_the_last_miss_does_not_count() -> None:
    """More seats than that would be enough, and still were not."""
    assert fewest_seats(points(0.81, 0.79, 0.85), 0.8) == 8
    assert fewest_seats(points(0.81, None), 0.8) is None


def test_peakedness_is_variance_over_mean_of_the_seats_that_work() -> None:
    """Two seats work for half of the time, none in the other half: mean 1, variance 1."""
    counted = [Tally([ClassTally(offered=1, answered=1)], [100.0], 100.0, [200.0]) for _ in range(2)]
    report = build_report(scenario(), counted)
    assert report["groups"]["g"]["peakedness"] == pytest.approx(1.0)
    assert report["half_width"]["groups"]["g"]["peakedness"] == pytest.approx(0.0)
    idle = [Tally([ClassTally(offered=1)], [0.0], 100.0, [0.0])]
    assert build_report(scenario(), idle)["groups"]["g"]["peakedness"] is None
