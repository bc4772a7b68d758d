"""Longest idle first, whatever the level."""

from typing import Any

from policies.longest_idle import LongestIdle


def test_order(rank: Any) -> None:
    assert rank(
        LongestIdle(), {"id": "a", "idle_since": 5.0}, {"id": "b", "idle_since": 1.0, "level": 2}
    ) == ["b", "a"]


def test_equals_end_in_the_id(rank: Any) -> None:
    assert rank(LongestIdle(), {"id": "2"}, {"id": "1"}) == ["1", "2"]
