"""Weighted random: chances in proportion to shares, newcomers and those who stay alike; a seed replays."""

from collections import Counter
from random import Random as Generator
from typing import Any

from kernel.chance import Chance
from policies.weighted_random import WeightedRandom

SHARES = {"a": 1, "b": 2, "c": 3, "d": 4}
WINS = 8000


class Sharer:
    def __init__(self, name: str) -> None:
        self.id = name

    def share_in(self, queue: str) -> int:
        return SHARES[self.id] if queue == "sales" else 1


def policy(seed: int = 1) -> WeightedRandom:
    return WeightedRandom(Chance(Generator(seed).randbytes))


def seat(name: str) -> Any:
    return Sharer(name)


def test_a_seed_replays() -> None:
    assert policy().seat_key_in(seat("a"), "sales") == policy().seat_key_in(seat("a"), "sales")


def test_each_wins_in_proportion_to_its_share_though_the_others_stay() -> None:
    """The winner comes back at once; within 3.5 standard deviations of k/10 of all wins."""
    it = policy()
    keys = {name: it.seat_key_in(seat(name), "sales") for name in SHARES}
    wins: Counter[str] = Counter()
    for _ in range(WINS):
        name = min(keys, key=lambda each: keys[each])
        it.chosen(keys[name])
        wins[name] += 1
        keys[name] = it.seat_key_in(seat(name), "sales")
    for name, share in SHARES.items():
        chance = share / 10
        assert abs(wins[name] - WINS * chance) < 3.5 * (WINS * chance * (1 - chance)) ** 0.5


def test_queues_have_clocks_of_their_own() -> None:
    it = policy()
    for _ in range(100):
        it.chosen(it.seat_key_in(seat("a"), "sales"))
    drawn = it.seat_key_in(seat("a"), "help")[0]
    assert isinstance(drawn, float)
    assert drawn < 20.0


def test_the_clock_of_a_queue_does_not_go_back() -> None:
    """Who was drawn before another won may win after it: a newcomer is no better off for that."""
    it = policy()
    first, second = sorted(it.seat_key_in(seat(name), "sales") for name in ("a", "b"))
    it.chosen(second)
    it.chosen(first)
    assert min(it.seat_key_in(seat("d"), "sales")[0] for _ in range(100)) > second[0]
