"""What a queue says to those who wait: keys, defaults and what is refused."""

import pytest

from config.load import load_settings
from config.reading import ConfigErrors
from kernel.announce import Announce

BASE = """
[[tenant]]
name = "demo"
[[sound]]
name = "patience"
file = "patience.ulaw"
[[queue]]
name = "junior"
"""
SOUNDS = {"patience.ulaw": bytes(800)}


def announce_of(more: str) -> Announce:
    settings = load_settings(BASE + more, file="test.toml", sounds=SOUNDS)
    assert settings.calls.queues[0].announce is settings.acd.queues[0].announce
    return settings.calls.queues[0].announce


def test_without_a_word_nothing_is_announced() -> None:
    assert announce_of("") == Announce()


def test_every_key_is_taken() -> None:
    more = 'announce = {every = "30s", after = "10s", sounds = ["patience", "builtin:welcome"]'
    said = announce_of(more + ', order = "random"}')
    assert said == Announce(30.0, 10.0, ("patience", "builtin:welcome"), "random")


@pytest.mark.parametrize(
    ("more", "key", "why"),
    [
        ('{sounds = ["patience"]}', "every", "is missing: how long after one announcement the next begins"),
        ('{every = "30s"}', "sounds", "is missing, and so are position and wait"),
        ('{position = "always"}', "every", "is missing: how long"),
        ('{every = "30s", position = "up-to"}', "position_limit", "0 is not between 1 and 999"),
        ('{every = "30s", position = "always", position_limit = 5}', "position_limit", "never matters"),
        ('{every = "1s", sounds = ["patience"]}', "every", "1 s is shorter than 5 s"),
        ('{every = "30s", sounds = ["patients"]}', "sounds[1]", "did you mean patience?"),
        ('{every = "30s", sounds = ["patience"], order = "any"}', "order", "one of"),
        ('{evry = "30s"}', "evry", "did you mean every?"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_key(more: str, key: str, why: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        announce_of(f"announce = {more}")
    assert [error.where for error in caught.value.errors] == [
        f'test.toml: queue[1] "junior".announce.{key}'
    ]
    assert why in caught.value.errors[0].why


def test_too_many_sounds_are_refused() -> None:
    with pytest.raises(ConfigErrors, match="are more than 20"):
        announce_of(f'announce = {{every = "30s", sounds = {["patience"] * 21}}}'.replace("'", '"'))


def test_place_and_wait_are_taken() -> None:
    more = 'announce = {every = "30s", position = "more-than", position_limit = 5, only_improved = true'
    said = announce_of(more + ', wait = "once"}')
    assert (said.position, said.position_limit, said.only_improved, said.wait) == (
        "more-than",
        5,
        True,
        "once",
    )


def test_the_language_is_the_queue_s_else_the_tenant_s_else_english() -> None:
    tenant = BASE.replace('name = "demo"', 'name = "demo"\nlanguage = "zh"')
    for text, language in (
        (BASE, "en"),
        (tenant, "zh"),
        (tenant + 'language = "en"', "en"),
        (BASE + 'language = "zh"', "zh"),
    ):
        settings = load_settings(text, file="test.toml", sounds=SOUNDS)
        assert settings.calls.queues[0].language == language
