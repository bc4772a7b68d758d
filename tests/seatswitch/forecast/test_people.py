"""Laws and arrivals: means, spreads and profiles of what is drawn."""

from math import sqrt
from random import Random
from statistics import fmean, pstdev

import pytest

from kernel.ids import CallId
from seatswitch.forecast.people import Arrivals, People, build_draw
from seatswitch.forecast.settings import CallClass, Law

DRAWS = 20_000


@pytest.mark.parametrize(
    ("law", "cv"),
    [(Law("exponential", 150.0), 1.0), (Law("lognormal", 150.0, 1.2), 1.2), (Law("constant", 150.0), 0.0)],
)
def test_mean_and_spread(law: Law, cv: float) -> None:
    draw = build_draw(law, Random(1))
    drawn = [draw() for _ in range(DRAWS)]
    assert fmean(drawn) == pytest.approx(150.0, rel=4 * cv / sqrt(DRAWS) + 1e-9)
    assert pstdev(drawn) == pytest.approx(150.0 * cv, rel=0.06, abs=1e-9)
    assert min(drawn) > 0


def arrive(arrivals: Arrivals, until: float) -> list[float]:
    found = []
    at = arrivals.next_after(0.0)
    while at is not None and at < until:
        found.append(at)
        at = arrivals.next_after(at)
    return found


def test_poisson() -> None:
    """Counts of equal intervals have variance over mean 1."""
    found = arrive(Arrivals((0.5,), 900.0, Random(2)), 90_000.0)
    counts = [sum(1 for at in found if n * 1000 <= at < (n + 1) * 1000) for n in range(90)]
    assert fmean(counts) == pytest.approx(500, rel=0.02)
    assert pstdev(counts) ** 2 / fmean(counts) == pytest.approx(1.0, abs=0.5)


def test_profile_repeats() -> None:
    """Rates 1, 0 and 0.2 a second in intervals of 100 s, 100 times over."""
    found = arrive(Arrivals((1.0, 0.0, 0.2), 100.0, Random(3)), 30_000.0)
    counts = [sum(1 for at in found if at % 300 // 100 == part) for part in range(3)]
    assert counts[1] == 0
    assert counts[0] == pytest.approx(10_000, abs=4 * 100)
    assert counts[2] == pytest.approx(2_000, abs=4 * 45)


def test_profile_of_nearly_nothing_is_skipped_over_in_one_step() -> None:
    at = Arrivals((0.0, 1e-9), 60.0, Random(4)).next_after(0.0)
    assert at is not None
    assert at > 1e6
    assert at % 120 >= 60


def test_nobody_ever_calls() -> None:
    assert Arrivals((0.0, 0.0), 60.0, Random(5)).next_after(0.0) is None
    assert Arrivals((0.0,), 60.0, Random(5)).next_after(0.0) is None


def test_same_seed_same_callers_whatever_else_is_drawn() -> None:
    """Each stream has its own source: more arrivals do not change handle times."""
    law = Law("exponential", 60.0)
    kind = CallClass("a", (1.0,), 900.0, law, law, queued=True, threshold=20.0)
    one = People(kind, Random)
    other = People(kind, Random)
    other.arrivals.next_after(0.0)
    assert one.caller(CallId("1"), 0, 0.0).handle == other.caller(CallId("1"), 0, 0.0).handle


def test_without_patience_for_ever() -> None:
    kind = CallClass("a", (1.0,), 900.0, Law("constant", 60.0), None, queued=True, threshold=20.0)
    caller = People(kind, Random).caller(CallId("1"), 0, 5.0)
    assert (caller.handle, caller.patience, caller.joined_at) == (60.0, -1.0, 5.0)
