"""Who rings first, and how many at last."""

from typing import Any

from policies.ring_progressively import RingProgressively


def test_order_of_the_configuration(rank: Any) -> None:
    seats = ({"id": "b", "order": 2}, {"id": "a", "order": 3}, {"id": "c", "order": 1})
    assert rank(RingProgressively(), *seats) == ["c", "b", "a"]


def test_equals_end_in_the_id(rank: Any) -> None:
    assert rank(RingProgressively(), {"id": "2"}, {"id": "1"}) == ["1", "2"]


def test_one_more_every_five_seconds_up_to_ten() -> None:
    assert (RingProgressively.widen_after, RingProgressively.fan_out) == (5.0, 10)
