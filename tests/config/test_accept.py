"""The key by which an outside phone takes a call: on unless it is switched off, and what is refused."""

import pytest

from calls.settings import CallSettings
from config.load import load_settings
from config.reading import ConfigErrors


def calls_of(text: str) -> CallSettings:
    return load_settings(text, file="s").calls


def test_outside_phones_press_1_within_15_s_where_nothing_else_is_said() -> None:
    assert (calls_of("").accept_key, calls_of("").accept_for) == ("1", 15.0)
    own = calls_of('[switch]\naccept_key = "#"\naccept_for = "30s"\n')
    assert (own.accept_key, own.accept_for) == ("#", 30.0)
    assert calls_of('[switch]\naccept_key = ""\n').accept_key == ""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('accept_key = "12"', 's: switch.accept_key: "12" is no key that can be said: 0123456789*#; ""'),
        ('accept_key = "A"', 's: switch.accept_key: "A" is no key that can be said'),
        ('accept_for = "2s"', "s: switch.accept_for: 2 s is not between 5 and 60 s"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, error: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        calls_of(f"[switch]\n{text}\n")
    assert str(caught.value.errors[0]).startswith(error)


def test_what_is_said_before_the_bridge_is_the_queue_s() -> None:
    text = '[[tenant]]\nname = "t"\nlanguage = "zh"\n[[queue]]\nname = "q"\n'
    more = 'seat_delay = "1s"\nseat_hears_wait = true\n'
    calls = calls_of(text + 'seat_hears = "builtin:welcome"\nsay_seat = true\n' + more)
    assert (calls.queues[0].seat_hears, calls.queues[0].say_seat) == ("builtin:welcome", True)
    assert (calls.queues[0].seat_delay, calls.queues[0].seat_hears_wait) == (1.0, True)
    assert calls.languages == {"t": "zh"}
    with pytest.raises(ConfigErrors, match='seat_hears: unknown sound "nothing"'):
        calls_of(text + 'seat_hears = "nothing"\n')


def test_a_phone_may_stay_on_the_line() -> None:
    seat = '[[tenant]]\nname = "demo"\n[[queue]]\nname = "q"\n[[seat]]\nnumber = "8001"\npassword = "p"\n'
    seat += 'level = "junior"\nqueues = ["q"]\n'
    settings = load_settings(seat, file="test.toml")
    assert (settings.calls.standing, settings.acd.seats[0].standing) == ({}, "")
    settings = load_settings(seat + 'standing = "key"\n', file="test.toml")
    assert (settings.calls.standing, settings.acd.seats[0].standing) == ({"8001": "key"}, "key")
    with pytest.raises(ConfigErrors, match=r'standing: is "key", and switch\.accept_key is none'):
        load_settings(seat + 'standing = "key"\n[switch]\naccept_key = ""\n', file="test.toml")
