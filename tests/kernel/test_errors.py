"""Errors name the thing."""

from kernel.errors import OperationRefused, OperatorError


def test_the_operator_is_told_where_and_why() -> None:
    assert str(OperatorError("demo.toml: queue.junior.ring_for", "-1 s is not in 1..600")) == (
        "demo.toml: queue.junior.ring_for: -1 s is not in 1..600"
    )


def test_a_refused_operation_has_a_word() -> None:
    refused = OperationRefused("QUOTA", "20 of 20 seats are signed in")
    assert (refused.word, str(refused)) == ("QUOTA", "QUOTA: 20 of 20 seats are signed in")
