"""The seat whose last offer is longest ago."""

from typing import Any

from policies.round_robin import RoundRobin


def test_order(rank: Any) -> None:
    assert rank(
        RoundRobin(), {"id": "a", "offered_last": 7}, {"id": "b", "offered_last": 3}, {"id": "new"}
    ) == ["new", "b", "a"]


def test_equals_end_in_the_id(rank: Any) -> None:
    assert rank(RoundRobin(), {"id": "2"}, {"id": "1"}) == ["1", "2"]
