"""Lowest level, then narrowest, then longest idle."""

from typing import Any

from policies.least_skilled_first import LeastSkilledFirst


def test_order(rank: Any) -> None:
    assert rank(
        LeastSkilledFirst(),
        {"id": "senior", "level": 2},
        {"id": "wide", "breadth": 4},
        {"id": "late", "idle_since": 9.0},
        {"id": "long"},
    ) == ["long", "late", "wide", "senior"]


def test_equals_end_in_the_id(rank: Any) -> None:
    assert rank(LeastSkilledFirst(), {"id": "2"}, {"id": "1"}) == ["1", "2"]
