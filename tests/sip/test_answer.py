"""Answers: a 2xx until its ACK. In calls: test_checklist.py (T09)."""

from typing import Any

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.answer import Answer
from sip.flows import Flow
from sip.settings import Timing
from sip.transactions import Transactions


class Waiting:
    def __init__(self) -> None:
        self.given_up: list[float] = []

    def no_ack(self, now: float) -> None:
        self.given_up.append(now)


def test_a_stopped_answer_is_silent() -> None:
    out: Outbox[tuple[Flow, bytes]] = Outbox()
    timers, session = TimerQueue(), Waiting()
    whose: Any = session
    flow = Flow("udp", 0, "h", 1)
    answer = Answer(whose, Transactions(Timing(), timers, out), b"200", flow, 1, is_offer=False, now=0.0)
    timers.fire_due(0.5)
    assert out.take() == [(flow, b"200")]
    answer.stop()
    timers.fire_due(40.0)
    assert len(out) == 0
    assert session.given_up == []
