"""Classes of follow-ups from text: defaults, keys and what is refused."""

import pytest

from acd.settings import FOLLOWUPS, FollowupSettings
from config.load import load_settings
from config.reading import ConfigErrors

BASE = """
[[tenant]]
name = "demo"
[[tenant]]
name = "other"
[[queue]]
name = "senior"
tenant = "demo"
[[queue]]
name = "foreign"
tenant = "other"
"""
HEAD = '[[followup]]\ntenant = "demo"\n'


def load(text: str) -> tuple[FollowupSettings, ...]:
    return load_settings(BASE + text, file="s").acd.followups


def test_without_a_word_the_three_classes_of_the_rules_are_there() -> None:
    assert load("") == FOLLOWUPS
    assert [(rule.name, rule.within, rule.attempts_min, rule.attempts_max) for rule in FOLLOWUPS] == [
        ("urgent", 14_400.0, 3, 5),
        ("complaint", 43_200.0, 3, 5),
        ("general", 259_200.0, 3, 5),
    ]


def test_a_class_of_a_tenant_comes_before_everybody_s() -> None:
    rules = load(HEAD + 'name = "urgent"\nescalate_to = "queue:senior"\nattempts_max = 4')
    assert rules == (FollowupSettings("urgent", "demo", 14_400.0, 3, 4, "senior"), *FOLLOWUPS)
    (own, *_) = load(HEAD + 'name = "weekly"\nwithin = "7d"\nattempts_min = 1')
    assert (own.name, own.within, own.attempts_min, own.escalate_to) == ("weekly", 604_800.0, 1, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "weekly"', 'within: is missing; for example "12h"'),
        ('name = "urgent"\nwithin = 5', "within: 5 s: nobody could keep that"),
        ('name = "urgent"\nattempts_max = 2', "attempts_max: 2 are fewer than attempts_min, 3"),
        ('name = "urgent"\nescalate_to = "senior"', 'escalate_to: "senior" is not queue:NAME'),
        ('name = "urgent"\nescalate_to = "queue:senor"', 'escalate_to: unknown queue "senor" (did you'),
        ('name = "urgent"\nescalate_to = "queue:foreign"', 'escalate_to: queue "foreign" belongs to tenant'),
    ],
)
def test_wrong_classes(text: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(HEAD + text)
    (error,) = [str(each).partition('".')[2] for each in caught.value.errors]
    assert error.startswith(message)


def test_a_name_once_for_each_tenant() -> None:
    assert len(load(HEAD + 'name = "urgent"\n' + HEAD.replace("demo", "other") + 'name = "urgent"\n')) == 5
    with pytest.raises(ConfigErrors, match="is taken"):
        load(2 * (HEAD + 'name = "urgent"\n'))
    with pytest.raises(ConfigErrors, match='unknown tenant "dem"'):
        load('[[followup]]\nname = "urgent"\ntenant = "dem"\n')


def test_a_queue_names_a_class_for_its_voicemails() -> None:
    named = BASE.replace('name = "senior"\n', 'name = "senior"\nvoicemail_followup = "complaint"\n')
    assert load_settings(named, file="s").calls.queues[0].voicemail_followup == "complaint"
    with pytest.raises(ConfigErrors) as caught:
        load_settings(named.replace('"complaint"', '"complain"'), file="s")
    assert str(caught.value).startswith(
        's: queue[1] "senior".voicemail_followup: unknown class "complain" (did you mean complaint?)'
    )
