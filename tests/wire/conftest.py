"""What takes a minute begins first, so that nobody waits for it alone at the end."""

import pytest

LONG = ("test_hundred_calls_a_second_for_a_minute",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the order otherwise: a file's tests may share a switch."""
    items.sort(key=lambda item: item.name not in LONG)
