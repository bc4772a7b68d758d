"""The order of the configuration."""

from typing import Any

from policies.top_down import TopDown


def test_order(rank: Any) -> None:
    assert rank(TopDown(), {"id": "a", "order": 2}, {"id": "b", "order": 1, "level": 2}) == ["b", "a"]


def test_equals_end_in_the_id(rank: Any) -> None:
    assert rank(TopDown(), {"id": "2"}, {"id": "1"}) == ["1", "2"]
