"""Where a call goes."""

import pytest

from policies.overflow import overflow_queue, release_target


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
