"""Random: the same chance for all that are ready, newcomers included; a seed replays."""

from collections import Counter
from random import Random as Generator
from types import SimpleNamespace
from typing import Any

from kernel.chance import Chance
from policies.random_ import Random


def policy(seed: int = 1) -> Random:
    return Random(Chance(Generator(seed).randbytes))


def seat(name: str) -> Any:
    return SimpleNamespace(id=name)


def test_a_seed_replays() -> None:
    assert policy().seat_key(seat("a")) == policy().seat_key(seat("a"))
    assert policy(2).seat_key(seat("a")) != policy(1).seat_key(seat("a"))


def test_those_who_stayed_and_newcomers_are_equals() -> None:
    """Ten seats, the winner leaves and comes back at once: each of 5,000 wins is a tenth, -/+ 3 deviations.

    With keys drawn once and kept, the one who has just come back would win most of the time.
    """
    it = policy()
    keys = {name: it.seat_key(seat(name)) for name in "abcdefghij"}
    wins: Counter[str] = Counter()
    repeats, last = 0, ""
    for _ in range(5000):
        name = min(keys, key=lambda each: keys[each])
        it.chosen(keys[name])
        wins[name] += 1
        repeats += name == last
        last = name
        keys[name] = it.seat_key(seat(name))
    assert all(abs(count - 500) < 3 * (5000 * 0.1 * 0.9) ** 0.5 for count in wins.values())
    assert abs(repeats - 500) < 3 * (5000 * 0.1 * 0.9) ** 0.5


def test_the_clock_does_not_go_back() -> None:
    """Who was drawn before another won may win after it: a newcomer is no better off for that."""
    it = policy()
    first, second = sorted(it.seat_key(seat(name)) for name in "ab")
    it.chosen(second)
    it.chosen(first)
    assert min(it.seat_key(seat("c"))[0] for _ in range(100)) > second[0]
