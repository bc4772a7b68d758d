"""The seat that answered least often, then the longest idle."""

from typing import Any

from policies.fewest_calls import FewestCalls


def test_order(rank: Any) -> None:
    assert rank(
        FewestCalls(),
        {"id": "a", "answered": 3},
        {"id": "b", "answered": 2, "idle_since": 8.0},
        {"id": "c", "answered": 2},
    ) == ["c", "b", "a"]


def test_equals_end_in_the_id(rank: Any) -> None:
    assert rank(FewestCalls(), {"id": "2"}, {"id": "1"}) == ["1", "2"]
