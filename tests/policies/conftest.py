"""A seat as a policy sees it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

Rank = Callable[..., list[str]]


@pytest.fixture
def rank() -> Rank:
    """Return a function that orders seats, given as ``number=(fields...)``, by a policy."""

    def build(policy: Any, *seats: dict[str, Any]) -> list[str]:
        plain = {
            "level": 0,
            "breadth": 1,
            "idle_since": 0.0,
            "offered_last": 0,
            "answered": 0,
            "talked_for": 0.0,
            "order": 0,
        }
        views = [SimpleNamespace(**{**plain, **each}) for each in seats]
        return [view.id for view in sorted(views, key=policy.seat_key)]

    return build
