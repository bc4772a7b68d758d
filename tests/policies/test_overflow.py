"""Where a call goes."""

import pytest

from policies.overflow import outcome_of, overflow_queue, release_target
from queues.events import Outcome


@pytest.mark.parametrize(
    ("on_timeout", "queue", "target"),
    [
        ("hangup", None, ""),
        ("queue:senior", "senior", ""),
        ("queue:", None, "queue:"),
        ("ivr:night", None, "ivr:night"),
        ("voicemail", None, "voicemail"),
    ],
)
def test_destinations(on_timeout: str, queue: str | None, target: str) -> None:
    assert overflow_queue(on_timeout) == queue
    assert release_target(on_timeout) == target


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        ("number:139", Outcome.OVERFLOWED),
        ("ivr:night", Outcome.OVERFLOWED),
        ("voicemail", Outcome.OVERFLOWED),
        ("voicemail:sales", Outcome.OVERFLOWED),
        ("callback", Outcome.CALLBACK),
        ("message:builtin:welcome", Outcome.TIMED_OUT),
        ("hangup", Outcome.TIMED_OUT),
        ("queue:full", Outcome.TIMED_OUT),
    ],
)
def test_who_goes_on_has_overflowed_and_who_is_called_back_waits_on(target: str, outcome: Outcome) -> None:
    assert outcome_of(target, Outcome.TIMED_OUT) == outcome
