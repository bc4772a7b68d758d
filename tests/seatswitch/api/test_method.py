"""A method's entry: parameters are closed, by name, and immutable."""

import msgspec
import pytest

from seatswitch.api.method import AGENT, Method, Nothing, Params


def test_nothing_takes_nothing() -> None:
    assert msgspec.json.decode(b"{}", type=Nothing) == Nothing()
    with pytest.raises(msgspec.ValidationError, match="unknown field `seat`"):
        msgspec.json.decode(b'{"seat":"8001"}', type=Nothing)


def test_parameters_of_a_method_inherit_that() -> None:
    class One(Params, frozen=True):
        a: int

    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"a":1,"b":2}', type=One)
    with pytest.raises(AttributeError):
        One(1).a = 2  # type: ignore[misc]


def test_a_method_without_run_is_not_built() -> None:
    assert Method("call.fly", AGENT, "Fly.", Nothing, bool).run is None
