"""Controls: what a desk may ask, and that somebody answers each of it."""

from typing import get_args

import pytest

from calls.controls import CallHeld, Control
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from tests.calls.office import Office


def test_every_control_is_carried_out_by_the_desk() -> None:
    assert set(get_args(Control)) == set(Office().board.desk._on)


def test_what_is_asked_of_no_call_is_refused() -> None:
    with pytest.raises(OperationRefused) as caught:
        Office().board.desk.handle(CallHeld(CallId("none"), SeatId("8001")), 0.0)
    assert caught.value.word == "NO_SUCH_CALL"
