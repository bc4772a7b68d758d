"""Chance: equal seeds give equal ids and draws."""

import random

from kernel.chance import Chance


def test_equal_seeds_give_equal_histories() -> None:
    one, two = (Chance(random.Random(7).randbytes) for _ in range(2))
    assert [one.token() for _ in range(1000)] == [two.token() for _ in range(1000)]
    assert one.branch() == two.branch()
    assert one.call_id() == two.call_id()


def test_tokens_are_64_bits_and_do_not_repeat() -> None:
    chance = Chance(random.Random(1).randbytes)
    tokens = [chance.token() for _ in range(10_000)]
    assert len(set(tokens)) == len(tokens)
    assert {len(token) for token in tokens} == {16}
    assert chance.branch().startswith("z9hG4bK")


def test_numbers_and_floats_stay_inside() -> None:
    chance = Chance(random.Random(2).randbytes)
    assert {chance.number(3) for _ in range(200)} == {0, 1, 2}
    drawn = [chance.uniform(2.1, 4.0) for _ in range(1000)]
    assert min(drawn) >= 2.1
    assert max(drawn) < 4.0
    assert max(drawn) - min(drawn) > 1.5


def test_tokens_are_what_was_drawn_in_order() -> None:
    draws = iter((bytes(range(256)) * 16, b"\xff" * 4096))
    chance = Chance(lambda size: next(draws)[:size])
    tokens = [chance.token() for _ in range(513)]
    assert tokens[:2] == ["0001020304050607", "08090a0b0c0d0e0f"]
    assert "".join(tokens[:512]) == (bytes(range(256)) * 16).hex()
    assert tokens[512] == "ff" * 8
