"""Stories of distribution alone begin with a ``kit``, as in tests/acd."""

import pytest

from tests.acd.conftest import Kit


@pytest.fixture
def kit() -> Kit:
    """Return what builds a floor of seats and queues."""
    return Kit()
