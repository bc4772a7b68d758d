"""Checks of a tenant's calls from text: defaults, keys and what is refused."""

import pytest

from acd.settings import QualitySettings
from config.load import load_settings
from config.reading import ConfigErrors


def quality_of(text: str) -> QualitySettings:
    return load_settings(f'[[tenant]]\nname = "t"\n{text}\n', file="s").acd.tenants[0].quality


def test_without_a_word_each_seat_is_checked_once_better_five_times_a_month_for_five_items() -> None:
    assert quality_of("") == QualitySettings(1, 5, ("terms", "attitude", "tone", "summary", "reaction"))


def test_a_tenant_has_its_own() -> None:
    text = '[tenant.quality]\nminimum = 2\ntarget = 2\nitems = ["greeting", "解决"]'
    assert quality_of(text) == QualitySettings(2, 2, ("greeting", "解决"))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{minimum = 6}", "target: 5 is less than minimum, 6"),
        ("{target = 2000}", "target: 2000 checks of each seat"),
        ("{items = []}", "items: are 0, not 1 to 20"),
        ('{items = ["a", "a"]}', 'items[2]: "a" is given twice'),
        ('{items = [" "]}', 'items[1]: " " is no name'),
        ("{minimum = -1}", "minimum"),
        ("{often = 1}", "often: unknown key"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_key(text: str, error: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        quality_of(f"quality = {text}")
    assert str(caught.value).startswith(f's: tenant[1] "t".quality.{error}')
