"""Weight over handling time."""

from types import SimpleNamespace
from typing import Any

from policies.c_mu import CMu


def head(handled_for: float, weight: int = 1, key: float = 0.0, priority: int = 0) -> Any:
    return SimpleNamespace(handled_for=handled_for, weight=weight, key=key, priority=priority, sequence=1)


def first(**heads: Any) -> str:
    return min(heads, key=lambda name: CMu().call_key(heads[name], 100.0))


def test_short_calls_first() -> None:
    assert first(short=head(60.0, key=90.0), long=head(300.0, key=10.0)) == "short"


def test_weight_is_the_cost_of_a_second() -> None:
    assert first(short=head(60.0), dear=head(300.0, weight=6)) == "dear"


def test_unknown_counts_as_180_s() -> None:
    assert first(unknown=head(0.0), slow=head(181.0)) == "unknown"
    assert first(unknown=head(0.0), fast=head(179.0)) == "fast"


def test_inside_a_queue_the_oldest_and_before_all_the_priority() -> None:
    assert first(a=head(60.0, key=9.0), b=head(60.0, key=8.0)) == "b"
    assert first(a=head(60.0), b=head(600.0, priority=1)) == "b"


def test_seats_as_least_skilled_first(rank: Any) -> None:
    assert rank(CMu(), {"id": "senior", "level": 2}, {"id": "junior", "level": 0}) == ["junior", "senior"]
