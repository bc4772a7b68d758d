"""Voicemail of a tenant from text: defaults, keys, targets and what is refused."""

import pytest

from calls.settings import VoicemailSettings
from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings

REST = """
[[tenant]]
name = "other"
[[queue]]
name = "junior"
tenant = "t"
on_timeout = "voicemail"
%s
[[queue]]
name = "foreign"
tenant = "other"
[[seat]]
number = "8001"
tenant = "t"
level = "junior"
password = "x"
queues = ["junior"]
[[seat]]
number = "9001"
tenant = "other"
level = "junior"
password = "x"
queues = ["foreign"]
"""


def load(tenant: str = "", queue: str = "") -> Settings:
    text = f'[[tenant]]\nname = "t"\nlanguage = "zh"\n{tenant}\n{REST % queue}'
    return load_settings(text, file="s")


def test_without_a_word_a_mailbox_has_its_usual_settings_in_the_tenant_s_language() -> None:
    settings = load()
    assert settings.calls.voicemail["t"] == VoicemailSettings(language="zh")
    assert settings.calls.voicemail["other"] == VoicemailSettings()
    assert settings.acd.queues[0].on_timeout == "voicemail"


def test_every_key_is_taken() -> None:
    text = 'voicemail = {greeting = "builtin:welcome", limit = "1m", silence = 0, minimum = "3s", '
    assert load(text + 'keep = "30d", agents = "list"}').calls.voicemail["t"] == VoicemailSettings(
        "builtin:welcome", "zh", 60.0, 0.0, 3.0, 30 * 86_400.0, "list"
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{greeting = "nothing"}', 'greeting: unknown sound "nothing"'),
        ("{limit = 2}", "limit: 2 s is not between 5 s and an hour"),
        ("{silence = 1}", "silence: 1 s is neither 0 nor between 2 and 60 s"),
        ("{minimum = 200}", "minimum: 200 s is not less than limit, 180 s"),
        ('{keep = "1h"}', "keep: 3600 s is less than a day"),
        ('{agents = "all"}', "agents"),
        ("{mailbox = 1}", "mailbox: unknown key"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_key(text: str, error: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(f"voicemail = {text}")
    assert str(caught.value).startswith(f's: tenant[1] "t".voicemail.{error}')


@pytest.mark.parametrize("target", ["voicemail", "voicemail:public", "voicemail:8001"])
def test_every_way_out_may_lead_to_a_mailbox(target: str) -> None:
    queue = f'on_full = "{target}"\non_barred = "{target}"\nwhen_empty = "refuse"\non_empty = "{target}"\n'
    entry = load("", queue + f'keys = {{"1" = "{target}"}}').acd.queues[0]
    assert (entry.entry.on_full, entry.entry.on_barred, entry.entry.on_empty) == (target,) * 3
    assert entry.keys == (("1", target),)


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("voicemail:8099", 'unknown seat "8099", whose mailbox it would be'),
        ("voicemail:publik", 'unknown seat "publik", whose mailbox it would be; the tenant\'s own is'),
        ("voicemail:9001", "seat 9001 belongs to tenant other"),
        ("voicemail:", '"voicemail:" is none of hangup'),
    ],
)
def test_a_mailbox_that_is_not_there_is_refused(target: str, error: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load("", f'on_full = "{target}"')
    assert str(caught.value).startswith(f's: queue[1] "junior".on_full: {error}')


def test_a_hotline_may_be_a_mailbox_of_its_tenant() -> None:
    def entry(to: str) -> Settings:
        return load(f'hotlines = [{{number = "96300", entry = "{to}"}}]')

    for to in ("voicemail:public", "voicemail:8001"):
        assert entry(to).calls.hotlines[0].entry == to
    for to, why in (
        ("voicemail:9001", "seat 9001 belongs to tenant other"),
        ("voicemail:8099", 'unknown seat "8099", whose mailbox it would be'),
        ("voicemail", 'unknown seat "", whose mailbox it would be'),
    ):
        with pytest.raises(ConfigErrors) as caught:
            entry(to)
        assert str(caught.value).startswith('s: tenant[1] "t".hotlines[1]'), str(caught.value)
        assert why in str(caught.value)
