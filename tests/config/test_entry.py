"""Entry rules of queues from text: targets of every kind, and those that make no sense."""

import pytest

from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings
from queues.settings import EntrySettings

HEAD = """
[[level]]
name = "junior"
[[level]]
name = "senior"
[[tenant]]
name = "t"
[[tenant]]
name = "u"
[[hours]]
name = "office"
week = ["mon-fri 08:00-18:00"]
[[queue]]
name = "foreign"
tenant = "u"
[[queue]]
name = "senior"
tenant = "t"
requires = {level = "senior"}
[[queue]]
name = "complaint"
tenant = "t"
requires = {level = "senior"}
"""


def load(text: str) -> Settings:
    return load_settings(
        HEAD + f'[[queue]]\nname = "q"\ntenant = "t"\nrequires = {{level = "junior"}}\n{text}\n', file="s"
    )


def entry_of(text: str) -> EntrySettings:
    return load(text).acd.queues[-1].entry


def errors_of(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(text)
    return [str(error).removeprefix('s: queue[4] "q".') for error in caught.value.errors]


def test_nothing_said_is_nothing_barred() -> None:
    assert entry_of("") == EntrySettings()


def test_every_rule() -> None:
    found = entry_of(
        'hours = "office"\non_closed = "number:13800000000"\non_full = "queue:complaint"\n'
        'when_empty = "refuse"\non_empty = "number:13900000000"\nabsent = ["paused", "wrapup"]\n'
        'max_wait_empty = "30s"\nmax_estimate = "5m"\non_estimate = "level:senior"\n'
        'on_barred = "queue:complaint"\nresume_abandoned = "60s"\nmax_ratio = 2.5\non_ratio = "callback"'
    )
    assert (found.max_ratio, found.on_ratio) == (2.5, "callback")
    assert (found.on_barred, found.resume_abandoned) == ("queue:complaint", 60.0)
    assert found.hours is not None
    assert (found.hours.name, found.on_closed, found.on_full) == (
        "office",
        "number:13800000000",
        "queue:complaint",
    )
    assert (found.on_empty, found.absent, found.max_wait_empty) == (
        "number:13900000000",
        ("paused", "wrapup"),
        30.0,
    )
    assert (found.max_estimate, found.on_estimate) == (300.0, "queue:senior")


def test_level_is_the_queue_of_its_name_else_the_only_one_that_starts_there() -> None:
    assert load('on_timeout = "level:senior"').acd.queues[-1].on_timeout == "queue:senior"
    text = HEAD.replace('name = "senior"\ntenant', 'name = "hard"\ntenant') + (
        '[[queue]]\nname = "q"\ntenant = "t"\nrequires = {level = "junior"}\non_full = "level:senior"\n'
    )
    with pytest.raises(ConfigErrors) as caught:
        load_settings(text, file="s")
    assert str(caught.value) == (
        's: queue[4] "q".on_full: "level:senior" is the queue that starts at senior, and several do: hard, '
        "complaint; name one with queue:NAME"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('on_full = "voicemail:1"', 'on_full: unknown seat "1", whose mailbox it would be'),
        ('on_full = "seat:1"', "on_full: seat makes no sense here: the caller could not wait for it"),
        ('on_full = "queue:foreign"', 'on_full: queue "foreign" belongs to tenant u'),
        ('on_full = "queue:non"', 'on_full: unknown queue "non"; there are foreign, senior, complaint, q'),
        ('on_full = "level:medium"', 'on_full: unknown level "medium"; there are junior, senior'),
        ('on_full = "level:junior"', 'on_full: "level:junior" is the queue that starts at junior, and none'),
        ('on_full = "queue:q"', "on_full: calls would go round for ever: q -> q"),
        ('on_full = "message:builtin:welcom"', 'on_full: unknown sound "builtin:welcom" (did you'),
        ('on_full = "message:"', 'on_full: "message:" is none of hangup, queue:NAME, '),
        ('on_full = "ivr:night"', 'on_full: tenant t has no script "night"; there are none'),
        ('on_full = "number:12a"', 'on_full: "number:12a" is none of hangup, queue:NAME, '),
        ('on_empty = "queue:senior"', 'on_empty: never happens: give when_empty = "refuse" or'),
        ('on_estimate = "queue:senior"', "on_estimate: never happens: give max_estimate"),
        ('on_ratio = "queue:senior"', "on_ratio: never happens: give max_ratio"),
        ('on_closed = "queue:senior"', "on_closed: never happens: give hours, here or at the tenant"),
        ('absent = ["paused", "paused"]', "absent: names a state twice"),
        ('absent = ["offline"]', 'absent: ["offline"] is not a list of one of "paused", "wrapup", '),
        ('resume_abandoned = "2h"', "resume_abandoned: 7200 s is more than an hour"),
        ('hours = "offce"', 'hours: unknown hours "offce" (did you mean office?); there are office'),
    ],
)
def test_wrong_rules(text: str, message: str) -> None:
    """One message, which begins as said."""
    assert [error[: len(message)] for error in errors_of(text)] == [message]


def test_loops_are_found_over_every_kind_of_way_out() -> None:
    """Full here, timed out there, and back when nobody is there."""
    text = (
        '[[tenant]]\nname = "t"\n[[queue]]\nname = "a"\non_full = "queue:b"\n'
        '[[queue]]\nname = "b"\non_timeout = "queue:c"\n'
        '[[queue]]\nname = "c"\nwhen_empty = "refuse"\non_empty = "queue:a"\n'
    )
    with pytest.raises(ConfigErrors) as caught:
        load_settings(text, file="s")
    assert [str(error) for error in caught.value.errors] == [
        's: queue[1] "a".on_full: calls would go round for ever: a -> b -> c -> a',
        's: queue[2] "b".on_timeout: calls would go round for ever: b -> c -> a -> b',
        's: queue[3] "c".on_empty: calls would go round for ever: c -> a -> b -> c',
    ]


SEATS = """
[[seat]]
number = "8001"
tenant = "t"
password = "p"
level = "junior"
queues = ["q"]
[[seat]]
number = "8002"
tenant = "t"
password = "p"
level = "senior"
queues = ["senior"]
"""


def test_seats_that_callers_wait_for() -> None:
    settings = load(
        'on_timeout = "seat:8001"\nsticky_for = "30s"\nsticky_memory = "2h"\nseat_wait = "1m"\n'
        'on_seat_wait = "queue:senior"\n' + SEATS
    )
    queue = settings.acd.queues[-1]
    assert queue.on_timeout == "seat:8001"
    found = queue.entry
    assert (found.sticky_for, found.sticky_memory, found.seat_wait, found.on_seat_wait) == (
        30.0,
        7200.0,
        60.0,
        "queue:senior",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('on_timeout = "seat:9"', 'on_timeout: unknown seat "9"'),
        (
            'on_timeout = "seat:8002"',
            "on_timeout: seat 8002 does not serve queue q, so nobody can wait for it there",
        ),
        (
            'on_seat_wait = "seat:8001"',
            "on_seat_wait: seat makes no sense here: the caller could not wait for it",
        ),
    ],
)
def test_seats_that_nobody_can_wait_for(text: str, message: str) -> None:
    assert errors_of(text + SEATS) == [message]


def test_a_hotline_for_one_seat_of_a_queue() -> None:
    line = '[[tenant]]\nname = "t"\nhotlines = [{number = "96300", entry = "queue:q/%s"}]\n'
    levels = '[[level]]\nname = "junior"\n[[level]]\nname = "senior"\n'
    rest = levels + '[[queue]]\nname = "q"\n[[queue]]\nname = "senior"\n'
    seats = SEATS.replace('["q"]', '["q", "senior"]')
    (hotline,) = load_settings(line % "8001" + rest + seats, file="s").calls.hotlines
    assert hotline.entry == "queue:q/8001"
    with pytest.raises(ConfigErrors) as caught:
        load_settings(line % "8002" + rest + seats, file="s")
    assert str(caught.value) == (
        's: tenant[1] "t".hotlines[1].entry: seat 8002 does not serve queue q, so nobody can wait for it '
        "there"
    )


def test_keys_take_every_target_and_the_callback_s_own_is_one_of_them() -> None:
    text = 'keys = {"0" = "queue:senior", "9" = "number:13800000000", "#" = "hangup", "2" = "level:senior"}\n'
    more = text.replace("level:senior", "message:builtin:welcome") + 'callback = {key = "1"}'
    assert load(more).acd.queues[-1].keys == (
        ("#", "hangup"),
        ("0", "queue:senior"),
        ("1", "callback"),
        ("2", "message:builtin:welcome"),
        ("9", "number:13800000000"),
    )
    assert load(more).calls.queues[-1].keys == ("#", "0", "1", "2", "9")


def test_a_level_behind_a_key_is_its_queue() -> None:
    senior = 'tenant = "t"\nrequires = {level = "senior"}'
    text = HEAD.replace(f'"complaint"\n{senior}', '"complaint"\ntenant = "t"')
    queue = '[[queue]]\nname = "q"\ntenant = "t"\nrequires = {level = "junior"}\n'
    settings = load_settings(text + queue + 'keys = {"0" = "level:senior"}', file="s")
    assert settings.acd.queues[-1].keys == (("0", "queue:senior"),)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('keys = {"10" = "hangup"}', 'keys.10: "10" is no key of a telephone: 0123456789*#ABCD'),
        ('keys = {"1" = "queue:nobody"}', 'keys.1: unknown queue "nobody"'),
        ('keys = {"1" = "queue:foreign"}', 'keys.1: queue "foreign" belongs to tenant u'),
        ('keys = {"1" = "queue:q"}', 'keys.1: the caller waits in queue "q" already'),
        ('keys = {"1" = "seat:8999"}', 'keys.1: unknown seat "8999"'),
        ('keys = {"1" = "message:no"}', 'keys.1: unknown sound "no"'),
        ('keys = {"1" = "voicemail:"}', 'keys.1: "voicemail:" is none of hangup'),
        ('keys = {"1" = "queue:senior"}\ncallback = {key = "1"}', "callback.key: 1 leads to"),
        ('callback = {key = "12"}', 'callback.key: "12" is no key of a telephone'),
    ],
)
def test_keys_that_lead_nowhere_are_refused(text: str, error: str) -> None:
    assert any(each.startswith(error) for each in errors_of(text)), errors_of(text)


def test_a_key_may_lead_back_to_where_the_caller_came_from() -> None:
    """The caller goes round by itself, once for every press; only what it cannot help is refused."""
    senior = 'name = "senior"\ntenant = "t"'
    back = HEAD.replace(senior, senior + '\nkeys = {"0" = "queue:q"}')
    queue = '[[queue]]\nname = "q"\ntenant = "t"\nkeys = {"0" = "queue:senior"}\n'
    assert load_settings(back + queue, file="s").acd.queues[-1].keys == (("0", "queue:senior"),)
