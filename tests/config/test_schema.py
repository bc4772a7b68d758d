"""The result of a configuration is one value: frozen, comparable, and the same for the same text."""

import pytest

from config.load import load_settings
from config.schema import Settings

TEXT = '[[tenant]]\nname = "t"\n[[extension]]\nnumber = "1"\npassword = "p"\n'


def test_settings_of_the_same_text_are_equal() -> None:
    assert load_settings(TEXT, file="a") == load_settings(TEXT, file="b")
    assert load_settings(TEXT, file="a") != load_settings("", file="a")


def test_settings_are_frozen() -> None:
    settings: Settings = load_settings(TEXT, file="a")
    with pytest.raises(AttributeError, match="immutable"):
        settings.drain_after = 1.0  # type: ignore[misc]
