"""Levels, tenants, queues, seats, extensions and hotlines, as a configuration gives them."""

from datetime import timedelta, timezone

import pytest

from acd.settings import PhoneSettings
from config.distribution import expand_range
from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings
from policies.relax import build_steps
from policies.skills import with_skills
from queues.settings import RelaxStep, Requirement

LEVELS = '[[level]]\nname = "low"\n[[level]]\nname = "middle"\n[[level]]\nname = "high"\nwrap_up = 7\n'
TENANT = '[[tenant]]\nname = "t"\n'


def load(text: str) -> Settings:
    return load_settings(LEVELS + TENANT + text, file="s")


def errors_of(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(text)
    return [str(error).removeprefix("s: ") for error in caught.value.errors]


def queue(text: str) -> str:
    return f'[[queue]]\nname = "q"\n{text}\n'


def seat(text: str) -> str:
    return f'{queue("")}[[seat]]\nnumber = "1"\npassword = "p"\nlevel = "low"\nqueues = ["q"]\n{text}\n'


def test_levels_of_other_names_start_at_zero() -> None:
    levels = load("").acd.levels
    assert [(it.wrap_up, it.handle_limit, it.hold_back) for it in levels] == [(0, 0, 0), (0, 0, 0), (7, 0, 0)]


@pytest.mark.parametrize(
    ("requires", "requirement"),
    [
        ("", Requirement(0, 2)),
        ('requires = {level = "middle"}', Requirement(1, 1)),
        ('requires = {level = {from = "low", to = "middle"}}', Requirement(0, 1)),
        ('requires = {level = "low", skills = {z = 2, a = 1}}', Requirement(0, 0, (("a", 1), ("z", 2)))),
    ],
)
def test_requirements(requires: str, requirement: Requirement) -> None:
    assert load(queue(requires)).acd.queues[0].requires == requirement


def test_relaxations() -> None:
    text = queue(
        'requires = {level = "middle", skills = {a = 5}}\n'
        'relax = [{after = 5, skills = {}}, {after = 9, lowest = "low"}, '
        '{after = 10, level = "high", when_nobody = true}, {after = 20, skills = {}, when_few = 3}]'
    )
    assert load(text).acd.queues[0].relax == (
        RelaxStep(5.0, skills=()),
        RelaxStep(9.0, lowest=0),
        RelaxStep(10.0, highest=2, when_few=0),
        RelaxStep(20.0, skills=(), when_few=3),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('requires = {level = {from = "high", to = "low"}}', "requires.level: high is above low"),
        (
            "relax = [{after = 5, skills = {}, when_nobody = true, when_few = 2}]",
            "relax[1].when_few: is given beside when_nobody; one of them is enough",
        ),
        ("relax = [{after = 5}]", "relax[1]: changes nothing; give level, lowest or skills"),
        (
            'requires = {level = "middle"}\nrelax = [{after = 1, level = "low"}]',
            "relax[1].level: low is below middle: a step only widens",
        ),
        (
            'requires = {level = "low"}\nrelax = [{after = 1, lowest = "high"}]',
            "relax[1].lowest: high is above low: a step only widens",
        ),
        (
            "relax = [{after = 5, skills = {}}, {after = 5, skills = {}}]",
            "relax[2].after: 5 s is not after the step before (5 s)",
        ),
        (
            'policy = "longest-ilde"',
            'policy: unknown policy "longest-ilde" (did you mean longest-idle?); there are',
        ),
        (
            "seat_delay = 11",
            "seat_delay: 11 s is longer than a caller waits for who has answered: 10 s at most",
        ),
        ("ring_for = 0", "ring_for: 0 s is too short for a phone to ring"),
        (
            'music = "m.wav"',
            'music: unknown sound "m.wav"; there are builtin:music, builtin:welcome, and "" for silence',
        ),
        ('answer = "180"', 'answer: "180" is not one of "200", "183"'),
        (
            'on_timeout = "ivr:menu"',
            'on_timeout: tenant t has no script "menu"; there are none',
        ),
        (
            'on_timeout = "drop"',
            'on_timeout: "drop" is none of hangup, queue:NAME, level:NAME, seat:NUMBER, number:DIGITS',
        ),
        ('on_timeout = "queue:p"', 'on_timeout: unknown queue "p"; there are q'),
        ('tenant = "u"', 'tenant: unknown tenant "u"; there are t'),
    ],
)
def test_wrong_queues(text: str, message: str) -> None:
    (error,) = errors_of(queue(text))
    assert error.startswith(f'queue[1] "q".{message}')


def test_overflow_may_chain_but_not_loop() -> None:
    chain = "".join(
        f'[[queue]]\nname = "{name}"\non_timeout = "{to}"\n'
        for name, to in (("a", "queue:b"), ("b", "queue:c"), ("c", "hangup"))
    )
    assert [it.on_timeout for it in load(chain).acd.queues] == ["queue:b", "queue:c", "hangup"]
    assert errors_of(chain.replace('"hangup"', '"queue:b"')) == [
        'queue[2] "b".on_timeout: calls would go round for ever: b -> c -> b',
        'queue[3] "c".on_timeout: calls would go round for ever: c -> b -> c',
    ]


def test_seats_of_a_range_each_have_their_account() -> None:
    settings = load(seat("").replace('number = "1"', 'numbers = ["0998-1001", "77"]'))
    assert [it.number for it in settings.acd.seats] == ["0998", "0999", "1000", "1001", "77"]
    assert list(settings.sip.accounts) == ["0998", "0999", "1000", "1001", "77"]
    assert settings.calls.seats["77"] == "t"
    assert settings.acd.seats[0].phones == (PhoneSettings("softphone", "0998"),)


def test_a_seat_without_softphone_has_a_password_but_no_account() -> None:
    settings = load(seat('phones = ["pstn:+8613800000000"]'))
    assert settings.acd.seats[0].phones == (PhoneSettings("pstn", "+8613800000000"),)
    assert settings.sip.accounts == {}
    assert settings.seat_secrets["1"].password == "p"


def test_hashes_may_stand_for_the_password() -> None:
    settings = load(seat('ha1 = {"SHA-256" = "ABCD"}').replace('password = "p"\n', ""))
    assert settings.sip.accounts["1"].secret.ha1 == {"SHA-256": "abcd"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'phones = ["mobile"]',
            '.phones[1]: "mobile" is not a phone; there are "softphone", "extension:NUMBER", "pstn:NUMBER"',
        ),
        ("phones = []", '.phones: is empty; the usual one is "softphone"'),
        ('phones = ["extension:9"]', '.phones[1]: unknown extension "9"; there are none'),
        ('numbers = "2-3"', ".numbers: is given beside number; one of them is enough"),
        ('role = "boss"', '.role: "boss" is not one of "agent", "supervisor"'),
        ("skills = {french = 0}", ".skills.french: 0 is not a whole number from 1 to 10"),
        ('ha1 = {SHA1 = "x"}', ".ha1.SHA1: unknown algorithm; there are MD5, SHA-256"),
    ],
)
def test_wrong_seats(text: str, message: str) -> None:
    assert errors_of(seat(text))[0] == f'seat[1] "1"{message}'


def test_a_seat_needs_number_level_password_and_queue() -> None:
    assert errors_of("[[seat]]\n") == [
        "seat[1].level: is missing: levels are low, middle, high",
        "seat[1].queues: is missing: the seat would get no calls; only a supervisor may go without",
        "seat[1].password: is missing or empty, nobody could sign in",
        'seat[1].number: is missing; give number = "8001" or numbers = "8001-8010"',
    ]


def test_a_supervisor_needs_neither_queue_nor_level() -> None:
    seats = load('[[seat]]\nnumber = "1"\npassword = "p"\nrole = "supervisor"\n').acd.seats
    assert (seats[0].role, seats[0].level, seats[0].queues) == ("supervisor", 2, ())


def test_two_tenants_keep_apart() -> None:
    text = (
        '[[tenant]]\nname = "u"\n'
        'hotlines = [{number = "5", entry = "queue:q"}, {number = "6", entry = "seat:1"}]\n'
        + seat('tenant = "u"').replace('name = "q"', 'name = "q"\ntenant = "t"')
        + '[[extension]]\nnumber = "7"\npassword = "p"\n'
    )
    assert errors_of(text) == [
        'extension[1] "7".tenant: is missing; there are t, u',
        'seat[1] "1".queues[1]: queue "q" belongs to tenant t, the seat to u',
        'tenant[2] "u".hotlines[1].entry: queue "q" belongs to tenant t',
    ]


def test_the_same_hotline_twice_is_refused() -> None:
    text = (
        queue("") + '[[tenant]]\nname = "u"\n'
        'hotlines = [{number = "5", entry = "queue:q"}, {number = "5", entry = "queue:q"}]'
    )
    assert 'tenant[2] "u".hotlines[2].number: 5 is a hotline of tenant u already' in errors_of(
        text.replace('name = "q"', 'name = "q"\ntenant = "u"')
    )


def test_pause_reasons_are_different_words() -> None:
    assert errors_of('[[tenant]]\nname = "u"\npause_reasons = ["rest", " ", "rest"]\n') == [
        'tenant[2] "u".pause_reasons[2]: is empty',
        'tenant[2] "u".pause_reasons[3]: "rest" is given twice',
    ]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("8001", ["8001"]),
        ("8009-8011", ["8009", "8010", "8011"]),
        ("007-009", ["007", "008", "009"]),
        ("a-b", '"a-b" is not a range such as "8001-8010"'),
        ("9-10", '"9-10": both ends of a range have the same number of digits'),
        ("12-11", '"12-11": a range counts up'),
        ("00000-99999", '"00000-99999" is more than 20000 numbers'),
    ],
)
def test_ranges(text: str, result: list[str] | str) -> None:
    assert expand_range(text) == result


def test_a_preferred_level() -> None:
    """It is kept through every step, and must be one that ever serves the queue."""
    queue = '[[queue]]\nname = "q"\nrequires = {level = "low", prefer = "NAME"}\n'
    steps = 'relax = [{after = "20s", level = "high"}]\n'
    (built,) = load(queue.replace("NAME", "high") + steps).acd.queues
    assert built.requires.preferred == 2
    assert [step.requirement.preferred for step in build_steps(built)] == [2, 2]
    assert with_skills(built.requires, (("french", 3),)).preferred == 2
    for name, reason in (("high", "high never serves this queue"), ("boss", "unknown level")):
        (error,) = errors_of(queue.replace("NAME", name))
        assert error.startswith('queue[1] "q".requires.prefer: ')
        assert reason in error


def test_what_seats_may_call_how_they_answer_and_whom_they_lead() -> None:
    settings = load(
        seat('call_right = "national"\nauto_answer = "desk"')
        + '[[seat]]\nnumber = "9"\npassword = "p"\nrole = "supervisor"\nsupervises = ["q"]\n'
        + '[[seat]]\nnumber = "2"\npassword = "p"\nlevel = "low"\nqueues = ["q"]\n'
    )
    assert settings.calls.call_rights == {"1": "national"}
    assert settings.calls.auto_answer == {"1": "desk"}
    assert [it.supervises for it in settings.acd.seats] == [(), ("q",), ()]


def test_phones_ask_for_their_mailbox_or_are_told_unasked() -> None:
    told = 'tenant = "t"\npassword = "demo"\nmwi = "unsolicited"\n'
    text = seat("") + f'[[extension]]\nnumber = "2"\n{told}'
    accounts = load(text).sip.accounts
    assert {number: account.mwi for number, account in accounts.items()} == {
        "1": "subscribe",
        "2": "unsolicited",
    }
    (error,) = errors_of(text.replace("unsolicited", "never"))
    assert error == 'extension[1] "2".mwi: "never" is not one of "subscribe", "unsolicited"'


def test_only_supervisors_lead_and_only_queues_of_their_own() -> None:
    assert errors_of(seat('supervises = ["q"]')) == [
        'seat[1] "1".supervises: is given, and role is not "supervisor"'
    ]
    wrong = '[[seat]]\nnumber = "9"\npassword = "p"\nrole = "supervisor"\nsupervises = ["p"]\n'
    (error,) = errors_of(queue("") + wrong)
    assert error.startswith('seat[1] "9".supervises[1]: unknown queue "p"')


def test_tenants_have_hours_to_dial_in_and_quotas_by_level() -> None:
    text = '[[tenant]]\nname = "u"\ncall_hours = "day"\nlevel_quota = {low = 5, high = 1}\n'
    hours = '[[hours]]\nname = "day"\ntenant = "u"\nweek = ["mon-fri 09:00-17:00"]\n'
    tenant = load(text + hours).acd.tenants[1]
    assert tenant.level_quota == ((0, 5), (2, 1))
    assert tenant.call_hours is not None
    assert tenant.call_hours.name == "day"
    assert [error.partition(":")[0] for error in errors_of(text.replace("high", "top"))] == [
        'tenant[2] "u".level_quota.top',
        'tenant[2] "u".call_hours',
    ]


def test_a_missed_offer_pauses_or_signs_out_but_not_both() -> None:
    text = 'missed = {no_answer = {logout_after = 3, forget_after = "1h", grace = 9}}'
    rules = load(queue(text)).acd.queues[0].missed
    assert (rules.no_answer.pause_after, rules.no_answer.logout_after) == (0, 3)
    assert (rules.no_answer.forget_after, rules.refused.delay) == (3600.0, 5.0)
    assert (rules.no_answer.grace, rules.refused.grace) == (9.0, 0.0)
    assert errors_of(queue("missed = {refused = {logout_after = 3, pause_after = 2}}")) == [
        'queue[1] "q".missed.refused.logout_after: is given beside pause_after; one of them is enough'
    ]


def test_a_seat_has_a_rank_and_a_share_in_each_queue_and_a_limit_a_day() -> None:
    text = (
        queue("")
        + '[[queue]]\nname = "r"\n[[seat]]\nnumber = "1"\npassword = "p"\nlevel = "low"\n'
        + 'queues = ["q", {name = "r", rank = 2, share = 3}]\ndaily_limit = 40\nafter_call = "pause"\n'
    )
    (found,) = load(text).acd.seats
    assert (found.queues, found.ranks, found.shares) == (("q", "r"), (("r", 2),), (("r", 3),))
    assert (found.daily_limit, found.after_call) == (40, "pause")
    assert errors_of(text.replace('"r", rank = 2', '"s", rank = 2'))[0].startswith(
        'seat[1] "1".queues[2]: unknown queue "s"'
    )
    assert errors_of(text.replace("rank = 2", "rank = 0")) != []
    assert errors_of(text.replace('"q", {', '"r", {'))[0] == 'seat[1] "1".queues[2]: "r" is given twice'


def test_days_begin_in_the_time_zone_of_the_tenant() -> None:
    zone = timezone(timedelta(hours=8))
    text = LEVELS + '[[tenant]]\nname = "t"\ntime_zone = "Asia/Shanghai"\n'
    (tenant,) = load_settings(text, file="s", find_zone=lambda name: zone).acd.tenants
    assert tenant.zone is zone
