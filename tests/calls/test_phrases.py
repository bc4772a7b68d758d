"""Phrases in English and Chinese: tables of what is said, sound by sound."""

from importlib.resources import files

import pytest

from calls import phrases
from calls.phrases import LANGUAGES, NAMES, Sounds


def said(sounds: Sounds) -> str:
    """Return sounds as a text, without their language."""
    return " ".join(sound.partition("/")[2] for sound in sounds)


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0, "0", "0"),
        (1, "1", "1"),
        (2, "2", "2"),
        (10, "10", "10"),
        (12, "12", "10 2"),
        (20, "20", "2 10"),
        (22, "20 2", "2 10 2"),
        (99, "90 9", "9 10 9"),
        (100, "1 hundred", "1 hundred"),
        (102, "1 hundred 2", "1 hundred 0 2"),
        (110, "1 hundred 10", "1 hundred 1 10"),
        (112, "1 hundred 12", "1 hundred 1 10 2"),
        (230, "2 hundred 30", "2 hundred 3 10"),
        (999, "9 hundred 90 9", "9 hundred 9 10 9"),
    ],
)
def test_numbers(value: int, english: str, chinese: str) -> None:
    assert said(phrases.number("en", value)) == english
    assert said(phrases.number("zh", value)) == chinese


def test_chinese_counts_with_another_two() -> None:
    assert [said(phrases.count("zh", value)) for value in (1, 2, 12)] == ["1", "two-of", "10 2"]
    assert said(phrases.count("en", 2)) == "2"


def test_telephone_numbers_are_said_digit_by_digit() -> None:
    assert said(phrases.digits("en", "8011")) == "8 0 1 1"
    assert said(phrases.digits("zh", "8011")) == "8 0 one-of-a-number one-of-a-number"
    assert said(phrases.digits("en", "+86*#")) == "8 6 star hash"


def test_places() -> None:
    assert said(phrases.position("en", 3)) == "you-are-number 3 in-line"
    assert said(phrases.position("zh", 12)) == "you-are-number 10 2 in-line"
    assert said(phrases.at_least("en", 5)) == "at-least 5 callers-before-you"
    assert said(phrases.at_least("zh", 2)) == "at-least two-of callers-before-you"
    assert phrases.position("en", 1000) == phrases.position("en", 0) == phrases.at_least("en", 0) == ()


@pytest.mark.parametrize(
    ("low", "high", "english", "chinese"),
    [
        (0, 40, "less-than 1 minute", "less-than 1 minutes"),
        (0, 60, "less-than 1 minute", "less-than 1 minutes"),
        (10, 61, "less-than 2 minutes", "less-than two-of minutes"),
        (59, 400, "less-than 7 minutes", "less-than 7 minutes"),
        (60, 100, "between 1 and 2 minutes", "1 and two-of minutes"),
        (125, 310, "between 2 and 6 minutes", "two-of and 6 minutes"),
        (120, 120, "between 2 and 3 minutes", "two-of and 3 minutes"),
        (1300, 3600, "between 21 and 60 minutes", "2 10 1 and 6 10 minutes"),
        (1300, 3601, "more-than 21 minutes", "more-than 2 10 1 minutes"),
        (90_000, 99_000, "more-than 60 minutes", "more-than 6 10 minutes"),
        (70, 7000, "more-than 1 minute", "more-than 1 minutes"),
    ],
)
def test_waits_are_whole_minutes_that_hold_the_range(
    low: float, high: float, english: str, chinese: str
) -> None:
    english = english.replace("21", "20 1")
    assert said(phrases.wait("en", low, high)) == f"wait-is {english}"
    assert said(phrases.wait("zh", low, high)) == f"wait-is {chinese}"


def test_a_range_that_says_nothing_is_not_said() -> None:
    assert phrases.wait("en", 30.0, 4000.0) == phrases.wait("zh", 0.0, 9000.0) == ()


@pytest.mark.parametrize(
    ("seconds", "english"),
    [
        (0.9, ""),
        (1.0, "has-waited 1 second"),
        (59.9, "has-waited 50 9 seconds"),
        (60.0, "has-waited 1 minute"),
        (179.0, "has-waited 2 minutes"),
        (60.0 * phrases.MINUTES_MAX + 59.0, "has-waited 60 minutes"),
        (60.0 * phrases.MINUTES_MAX + 60.0, "has-waited more-than 60 minutes"),
    ],
)
def test_a_wait_so_far_is_seconds_and_then_minutes(seconds: float, english: str) -> None:
    assert said(phrases.waited("en", seconds)) == english


def test_the_seat_s_number() -> None:
    assert phrases.seat("en", "8001") == tuple(
        f"voice:en/{name}" for name in ("seat-number", "8", "0", "0", "1")
    )
    assert said(phrases.seat("zh", "8001")) == "seat-number 8 0 0 one-of-a-number serves-you"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_is_made_of_sounds_that_are_shipped(language: str) -> None:
    ranges = [(low * 10.0, high * 100.0) for low in range(400) for high in range(42)]
    made = [phrases.wait(language, *each) for each in ranges]
    made += [phrases.position(language, place) for place in range(1000)]
    made += [phrases.waited(language, seconds) for seconds in range(4000)]
    made += [phrases.at_least(language, before) for before in range(1000)]
    made += [phrases.seat(language, "0123456789*#")]
    used = dict.fromkeys(sound.partition("/")[2] for sounds in made for sound in sounds)
    alone = ("call-waiting", "rate-us", "thank-you", "leave-message", "message-thanks")
    assert {*used, *alone} == {*NAMES[language]}
    folder = files("media") / "voice"
    assert {file.name for file in (folder / language).iterdir()} == {f"{it}.ulaw" for it in NAMES[language]}
    texts = (folder / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    assert sorted(text.partition("\t")[0] for text in texts) == sorted(NAMES[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_shipped_sounds_are_short_and_not_silent(language: str) -> None:
    shipped = list((files("media") / "voice" / language).iterdir())
    assert len(shipped) == len(NAMES[language])
    for file in shipped:
        audio = file.read_bytes()
        assert 1_600 < len(audio) < 80_000, file.name
        assert len({*audio}) > 60, file.name
