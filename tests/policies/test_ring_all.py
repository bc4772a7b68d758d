"""Who is asked first where more are free than may ring."""

from typing import Any

from policies.ring_all import RingAll


def test_order(rank: Any) -> None:
    assert rank(RingAll(), {"id": "senior", "level": 2}, {"id": "junior"}) == ["junior", "senior"]


def test_equals_end_in_the_id(rank: Any) -> None:
    assert rank(RingAll(), {"id": "2"}, {"id": "1"}) == ["1", "2"]


def test_several_ring_but_not_without_bound() -> None:
    assert RingAll.fan_out == 10
