"""How free seats choose among the heads of lines: credited wait times weight."""

from math import inf
from types import SimpleNamespace
from typing import Any

import pytest

from policies.policy import Policy, head_key


def head(
    key: float, sequence: int = 1, weight: int = 1, priority: int = 0, starves_after: float = inf
) -> Any:
    return SimpleNamespace(
        key=key, sequence=sequence, weight=weight, priority=priority, starves_after=starves_after
    )


def first(now: float, **heads: Any) -> str:
    return min(heads, key=lambda name: head_key(Policy(), heads[name], now))


def test_longest_credited_wait_first() -> None:
    assert first(100.0, a=head(50.0), b=head(40.0)) == "b"


def test_equal_waits_go_by_arrival() -> None:
    assert first(100.0, a=head(50.0, 2), b=head(50.0, 1)) == "b"


def test_weight_makes_waiting_count_more() -> None:
    """10 s at weight 3 are 30 s; a lighter queue's call of 31 s is still first."""
    assert first(100.0, heavy=head(90.0, weight=3), light=head(71.0)) == "heavy"
    assert first(100.0, heavy=head(90.0, weight=3), light=head(69.0)) == "light"


def test_aging_never_starves() -> None:
    """Against fresh calls of weight 10 each second, a call of weight 1 is first after 10 s at most."""
    assert first(20.0, old=head(0.0), fresh=head(19.0, weight=10)) == "old"


def test_strict_priority_comes_before_every_wait() -> None:
    assert first(1000.0, late=head(999.0, priority=1), early=head(0.0, weight=9)) == "late"


def test_a_policy_has_to_rank_seats() -> None:
    with pytest.raises(NotImplementedError):
        Policy().seat_key(SimpleNamespace(id="1"))  # type: ignore[arg-type]


def test_who_starves_comes_before_every_priority_and_weight() -> None:
    """From 60 s on, to the moment; before that it is one like the others."""
    low, high = head(0.0, starves_after=60.0), head(59.0, priority=9, weight=10)
    assert first(59.9, low=low, high=high) == "high"
    assert first(60.0, low=low, high=high) == "low"


def test_among_those_who_starve_waiting_alone_counts() -> None:
    """The heavy queue's call starves as well, of less waiting: its weight and its priority say nothing."""
    old = head(0.0, 2, starves_after=60.0)
    heavy = head(10.0, 1, weight=10, priority=3, starves_after=20.0)
    assert first(100.0, old=old, heavy=heavy) == "old"
    assert first(100.0, old=old, same=head(0.0, 1, starves_after=30.0)) == "same"
