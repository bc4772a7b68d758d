"""Trunk caps: calls at once, and a bucket of one second's new calls."""

from calls.settings import TrunkSettings
from calls.trunks import TrunkGate


def test_calls_at_once_are_capped_and_counted_out() -> None:
    gate, trunk = TrunkGate(), TrunkSettings("carrier", max_calls=2)
    assert gate.admit(trunk, 0.0) == ""
    assert gate.admit(trunk, 0.0) == ""
    assert gate.admit(trunk, 0.0) == "us:trunk_calls"
    gate.release("carrier")
    assert gate.admit(trunk, 0.0) == ""
    assert gate.calls("carrier") == gate.total() == 2


def test_new_calls_a_second_are_a_bucket_of_one_second() -> None:
    gate, trunk = TrunkGate(), TrunkSettings("carrier", max_cps=5.0)
    assert [gate.admit(trunk, 0.0) for _ in range(6)] == [""] * 5 + ["us:trunk_rate"]
    assert gate.admit(trunk, 0.1) == "us:trunk_rate"
    assert gate.admit(trunk, 0.2) == ""
    assert [gate.admit(trunk, 100.0) for _ in range(6)] == [""] * 5 + ["us:trunk_rate"]


def test_a_slow_trunk_still_takes_its_first_call() -> None:
    gate, trunk = TrunkGate(), TrunkSettings("carrier", max_cps=0.5)
    assert gate.admit(trunk, 0.0) == ""
    assert gate.admit(trunk, 1.0) == "us:trunk_rate"
    assert gate.admit(trunk, 2.5) == ""
