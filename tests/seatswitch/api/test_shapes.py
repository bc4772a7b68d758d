"""Shapes: what is documented is what the switch gives, and what is taken holds nothing that breaks a line."""

from typing import Any

import msgspec
import pytest

from seatswitch.api.shapes import (
    CallNumber,
    CallObject,
    Name,
    Number,
    SeatNumber,
    SeatObject,
    Text,
    TrunkObject,
)
from tests.seatswitch.api.stub import Office


def must_be(view: dict[str, Any], shape: type[msgspec.Struct]) -> None:
    msgspec.convert(view, shape, strict=True)
    assert list(view) == list(shape.__struct_fields__)


def test_the_objects_are_as_documented() -> None:
    office = Office()
    desk = office.desk("admin")
    desk.sign_in()
    office.talk()
    for seat in desk.ask("seat.list"):
        must_be(seat, SeatObject)
    must_be(desk.ask("call.list")[0], CallObject)
    must_be(desk.ask("trunk.list")[0], TrunkObject)


@pytest.mark.parametrize("shape", [SeatNumber, Number, CallNumber, Name, Text])
def test_control_characters_are_in_no_text(shape: Any) -> None:
    """A-JSON: CR, LF and NUL in strings that may reach SIP, also at the very end."""
    assert msgspec.convert("8001", shape) == "8001"
    for bad in ("8001\r\nVia: x", "8001\n", "8001\r", "\x008001", "80\x7f01", "x" * 201):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, shape)


def test_texts_for_people_may_be_in_any_script() -> None:
    assert msgspec.convert("休息 ☕", Text) == "休息 ☕"
    assert msgspec.convert("", Text) == ""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert("", Name)
