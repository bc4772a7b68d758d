"""Choices by priority and weight (RFC 2782)."""

from random import Random

from kernel.chance import Chance
from kernel.choices import in_order


class One:
    def __init__(self, name: str, priority: int, weight: int) -> None:
        self.name, self.priority, self.weight = name, priority, weight


def test_priority_first_then_weight() -> None:
    """A draw below the first one's weight takes it; the one with the higher priority number is last."""
    drawn: list[int] = [0, 0, 75, 0]
    chance = Chance(lambda n: b"".join(drawn.pop(0).to_bytes(8, "big") for _ in range(2)) + bytes(n - 16))
    choices = (One("c", 2, 1), One("a", 1, 70), One("b", 1, 30))
    assert [it.name for it in in_order(choices, chance)] == ["a", "b", "c"]


def test_one_is_not_drawn_for() -> None:
    def never(n: int) -> bytes:
        raise AssertionError("nothing to draw")

    only = (One("a", 1, 0),)
    assert in_order(only, Chance(never)) == list(only)


def test_equal_priorities_share_by_weight() -> None:
    """RFC 2782: in proportion, within 3 % over 3,000 draws; nobody is left out of any list."""
    choices = (One("a", 1, 70), One("b", 1, 30), One("c", 2, 1))
    chance = Chance(Random(1).randbytes)
    firsts = {"a": 0, "b": 0}
    for _ in range(3000):
        ordered = in_order(choices, chance)
        assert sorted(choice.name for choice in ordered) == ["a", "b", "c"]
        assert ordered[-1].name == "c"
        firsts[ordered[0].name] += 1
    assert abs(firsts["a"] / 3000 - 0.7) < 0.03
