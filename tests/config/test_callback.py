"""How a queue calls back: keys, defaults and what is refused."""

import pytest

from config.load import load_settings
from config.reading import ConfigErrors
from queues.settings import AbandonedSettings, CallbackSettings, QueueSettings

BASE = """
[[tenant]]
name = "demo"
[[hours]]
name = "office"
week = ["mon-fri 09:00-18:00"]
[[queue]]
name = "junior"
"""


def queue_of(more: str) -> QueueSettings:
    return load_settings(BASE + 'on_timeout = "callback"\n' + more, file="test.toml").acd.queues[0]


def test_without_a_word_a_queue_calls_back_three_times_and_has_no_key() -> None:
    assert queue_of("").callback == CallbackSettings()


def test_every_key_is_taken_and_call_control_hears_of_the_telephone_s() -> None:
    more = 'callback = {key = "1", attempts = 5, retry_after = "1h", hours = "office"}'
    settings = load_settings(BASE + 'on_timeout = "callback"\n' + more, file="test.toml")
    callback = settings.acd.queues[0].callback
    assert (callback.attempts, callback.retry_after) == (5, 3600.0)
    assert callback.hours is not None
    assert callback.hours.name == "office"
    assert settings.calls.queues[0].keys == ("1",)
    assert settings.acd.queues[0].keys == (("1", "callback"),)


def test_customers_are_called_in_the_queue_s_own_hours_where_nothing_else_is_said() -> None:
    callback = queue_of('hours = "office"\non_closed = "callback"').callback
    assert callback.hours is not None
    assert callback.hours.name == "office"


@pytest.mark.parametrize(
    "wrong",
    ['key = "12"', 'key = "x"', "ring_for = 90", "retry_after = 0", "expires_after = 1", 'hours = "none"'],
)
def test_what_makes_no_sense_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigErrors, match="callback"):
        queue_of(f"callback = {{{wrong}}}")


def test_who_gives_up_is_called_where_the_queue_says_so() -> None:
    assert queue_of("").callback.abandoned is None
    assert queue_of("call_back_abandoned = {}").callback.abandoned == AbandonedSettings(60.0, 20.0, 1)
    more = 'call_back_abandoned = {after = "2m", min_waited = 5, per_number = 3}'
    assert queue_of(more).callback.abandoned == AbandonedSettings(120.0, 5.0, 3)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("after = 4", "call_back_abandoned.after: 4 s is too soon: 5 s at least"),
        ("per_number = 11", "call_back_abandoned.per_number: 11 a day would be harassment: 10 at most"),
    ],
)
def test_who_gives_up_is_not_pestered(wrong: str, why: str) -> None:
    with pytest.raises(ConfigErrors, match=why):
        queue_of(f"call_back_abandoned = {{{wrong}}}")
