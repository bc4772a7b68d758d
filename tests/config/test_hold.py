"""When a call on hold is recalled: off unless it is said, and what is refused."""

import pytest

from config.load import load_settings
from config.reading import ConfigErrors


def test_a_held_call_is_recalled_where_that_is_said() -> None:
    assert load_settings("", file="s").calls.hold_recall == 0.0
    assert load_settings('[switch]\nhold_recall = "2m"\n', file="s").calls.hold_recall == 120.0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('hold_recall = "2s"', "2 s is shorter than 10 s"),
        ('hold_recall = "30m"', "never happens: hold_max ends the call after 1800 s"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_settings(f"[switch]\n{text}\n", file="s")
    assert str(caught.value) == f"s: switch.hold_recall: {why}"


def test_without_a_longest_hold_any_is_good() -> None:
    text = '[switch]\nhold_max = 0\nhold_recall = "2h"\n'
    assert load_settings(text, file="s").calls.hold_recall == 7200.0
