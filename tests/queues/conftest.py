"""A waiting call of any kind."""

from collections.abc import Callable
from itertools import count

import pytest

from kernel.ids import CallId, QueueName, VisitId
from queues.waiting import WaitingCall


class Nobody:
    """Keeps the deadlines it is told of."""

    def __init__(self) -> None:
        self.due: list[tuple[str, str, float]] = []

    def call_due(self, call: WaitingCall, name: str, now: float) -> None:
        self.due.append((call.call, name, now))


@pytest.fixture
def keeper() -> Nobody:
    return Nobody()


@pytest.fixture
def waiting(keeper: Nobody) -> Callable[..., WaitingCall]:
    sequence = count(1)

    def build(call: str, joined_at: float = 0.0, credit: float = 0.0) -> WaitingCall:
        return WaitingCall(
            CallId(call),
            VisitId(f"{call}.1"),
            1,
            QueueName("q"),
            caller="100",
            called="",
            joined_at=joined_at,
            entered_at=joined_at,
            credit=credit,
            sequence=next(sequence),
            skills=(),
            keeper=keeper,
        )

    return build
