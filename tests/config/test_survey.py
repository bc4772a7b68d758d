"""How callers rate their calls: keys, defaults and what is refused."""

import pytest

from config.load import load_settings
from config.reading import ConfigErrors
from kernel.announce import SurveySettings

BASE = '[[tenant]]\nname = "t"\n[[queue]]\nname = "q"\n'


def survey_of(text: str) -> SurveySettings:
    settings = load_settings(f"{BASE}{text}\n", file="s")
    assert settings.calls.queues[0].survey is settings.acd.queues[0].survey
    return settings.calls.queues[0].survey


def test_without_a_word_callers_rate_from_1_to_5_when_their_seat_asks() -> None:
    assert survey_of("") == SurveySettings()
    assert not SurveySettings().is_automatic


def test_every_key_is_taken() -> None:
    text = 'survey = {automatic = true, sound = "builtin:welcome", results = {"1" = "yes", "2" = "no"}, '
    assert survey_of(text + 'answer_for = "5s"}') == SurveySettings(
        True, "builtin:welcome", (("1", "yes"), ("2", "no")), 5.0
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{sound = "nothing"}', 'sound: unknown sound "nothing"'),
        ('{results = {"1" = "yes"}}', "sound: is missing: the question that is shipped asks for a key"),
        ('{sound = "builtin:welcome", results = {"12" = "yes"}}', 'results.12: "12" is no key of'),
        ('{sound = "builtin:welcome", results = {"1" = " "}}', "results.1: is empty"),
        ('{answer_for = "1s"}', "answer_for: 1 s is not between 3 and 60 s"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_key(text: str, error: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        survey_of(f"survey = {text}")
    assert str(caught.value).startswith(f's: queue[1] "q".survey.{error}')
