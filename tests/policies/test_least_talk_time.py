"""The seat that talked least, then the longest idle."""

from typing import Any

from policies.least_talk_time import LeastTalkTime


def test_order(rank: Any) -> None:
    assert rank(LeastTalkTime(), {"id": "a", "talked_for": 30.5}, {"id": "b", "talked_for": 30.0}) == [
        "b",
        "a",
    ]


def test_equals_end_in_the_id(rank: Any) -> None:
    assert rank(LeastTalkTime(), {"id": "2"}, {"id": "1"}) == ["1", "2"]
