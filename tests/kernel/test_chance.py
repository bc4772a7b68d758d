"""Chance: equal seeds give equal ids and draws."""

import random

import pytest

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


def test_ids_of_calls_follow_each_other_and_do_not_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.chance._CALLS_IN_ROW", 300)
    chance = Chance(random.Random(3).randbytes)
    rows = [[chance.call_id() for _ in range(300)] for _ in range(20)]
    assert all(row == sorted(row) for row in rows)
    assert all({call[:10] for call in row} == {row[0][:10]} for row in rows)
    ids = [call for row in rows for call in row]
    assert len(set(ids)) == len(ids)
    assert {len(call) for call in ids} == {16}


def test_two_switches_give_their_calls_different_ids() -> None:
    one, two = (Chance(random.Random(seed).randbytes) for seed in (4, 5))
    assert one.call_id()[:10] != two.call_id()[:10]


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
