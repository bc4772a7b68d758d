"""Queue lengths are kept in the inverse ratio of the weights."""

from types import SimpleNamespace
from typing import Any

from policies.fixed_queue_ratio import FixedQueueRatio


def head(length: int, weight: int = 1, key: float = 0.0, priority: int = 0, sequence: int = 1) -> Any:
    return SimpleNamespace(queue_length=length, weight=weight, key=key, priority=priority, sequence=sequence)


def first(**heads: Any) -> str:
    return min(heads, key=lambda name: FixedQueueRatio().call_key(heads[name], 100.0))


def test_longest_for_its_weight() -> None:
    assert first(a=head(3), b=head(2)) == "a"
    assert first(a=head(3), b=head(2, weight=2)) == "b"


def test_in_ratio_the_oldest() -> None:
    assert first(a=head(4, key=50.0), b=head(2, weight=2, key=40.0)) == "b"
    assert first(a=head(1, sequence=2), b=head(1, sequence=1)) == "b"


def test_priority_is_strict() -> None:
    assert first(a=head(99), b=head(1, priority=1)) == "b"


def test_seats_as_least_skilled_first(rank: Any) -> None:
    seats = ({"id": "senior", "level": 2}, {"id": "busy", "idle_since": 9.0}, {"id": "idle"})
    assert rank(FixedQueueRatio(), *seats) == ["idle", "busy", "senior"]
