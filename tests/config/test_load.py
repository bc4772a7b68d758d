"""Whole configurations: what they come to, and what is said about wrong ones."""

import tomllib
from pathlib import Path

import pytest
from msgspec.structs import fields

from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings
from config.tables import MANY, SINGLE
from queues.settings import MissedRule, RelaxStep, Requirement

ROOT = Path(__file__).resolve().parents[2]
DEMO = (ROOT / "config" / "demo.toml").read_text(encoding="utf-8")

BASE = """
[[tenant]]
name = "demo"
hotlines = [{number = "96198", entry = "queue:junior"}]
[[level]]
name = "junior"
[[level]]
name = "intermediate"
[[level]]
name = "senior"
[[queue]]
name = "junior"
requires = {level = "junior"}
relax = [{after = "20s", level = "intermediate"}]
[[queue]]
name = "complaint"
requires = {level = "senior"}
[[seat]]
numbers = "8001-8002"
password = "demo"
level = "junior"
queues = ["junior"]
[[extension]]
number = "2001"
password = "demo"
"""


def errors_of(text: str, **more: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load_settings(text, file="s.toml", **more)  # type: ignore[arg-type]
    return [str(error) for error in caught.value.errors]


def changed(old: str, new: str) -> str:
    assert BASE.count(old) == 1
    return BASE.replace(old, new)


def test_demo_has_four_queues_and_twenty_seats() -> None:
    """Contract, section 2: the demo is complete and needs nothing from the environment."""
    settings = load_settings(DEMO, file="demo.toml", cpus=2)
    assert [queue.name for queue in settings.acd.queues] == ["junior", "intermediate", "senior", "complaint"]
    by_level = [[seat.number for seat in settings.acd.seats if seat.level == rank] for rank in range(3)]
    assert by_level[0] == [str(number) for number in range(8001, 8011)]
    assert by_level[1] == [str(number) for number in range(8011, 8016)]
    assert by_level[2] == [str(number) for number in range(8016, 8021)]
    leaders = [seat for seat in settings.acd.seats if seat.role == "supervisor"]
    assert [(seat.number, seat.queues) for seat in leaders] == [("8019", ()), ("8020", ())]
    assert [(line.number, line.entry) for line in settings.calls.hotlines] == [
        ("96198", "queue:junior"),
        ("96199", "queue:complaint"),
    ]
    assert list(settings.calls.extensions) == ["2001", "2002"]
    assert len(settings.sip.accounts) == 22
    assert settings.sip.accounts["8001"].secret.password == "demo"
    assert settings.acd.tenants[0].seat_quota == 20
    assert settings.media.workers == 1
    assert settings.drain_after == 600.0


def test_demo_listens_on_loopback_only_and_has_no_tokens() -> None:
    settings = load_settings(DEMO, file="demo.toml")
    assert {listener.host for listener in settings.sip.listen} == {"127.0.0.1"}
    assert settings.rpc.listen == ("unix://run/seatswitch.sock", "tcp://127.0.0.1:5070")
    assert (settings.rpc.tokens, settings.http.listen) == ((), ())
    assert settings.sip.trunks[0].accept == ("127.0.0.0/8",)


def test_demo_queues_relax_and_credit_as_written() -> None:
    queues = {queue.name: queue for queue in load_settings(DEMO, file="demo.toml").acd.queues}
    assert queues["junior"].requires == Requirement(0, 0)
    assert queues["junior"].relax == (RelaxStep(20.0, highest=1), RelaxStep(40.0, highest=2))
    assert queues["junior"].missed.no_answer == MissedRule(pause_after=2)
    assert queues["junior"].missed.refused == MissedRule(delay=5.0)
    assert queues["complaint"].priority_credit == 90.0
    assert queues["complaint"].requires == Requirement(2, 2)


def test_example_for_a_trunk_loads_with_its_secrets() -> None:
    names = ("WALLBOARD_TOKEN", "CARRIER_PASSWORD", "SEAT_PASSWORD", "EXTENSION_PASSWORD")
    settings = load_settings(
        (ROOT / "config" / "examples" / "trunk.toml").read_text(encoding="utf-8"),
        file="trunk.toml",
        environment={f"SEATSWITCH_{name}": f"{name.lower()}-of-the-test" for name in names},
        secrets={"/etc/seatswitch/ops.token": "ops-token-of-the-test\n"},
        cpus=8,
    )
    assert settings.rpc.tokens[1].token == "ops-token-of-the-test"
    assert settings.media.workers == 4
    assert settings.media.advertise == "203.0.113.10"
    trunk = settings.sip.trunks[0]
    assert (trunk.user, trunk.secret and trunk.secret.password) == ("hotline", "carrier_password-of-the-test")
    assert [queue.on_timeout for queue in settings.acd.queues] == ["queue:back", "hangup", "hangup"]


def test_defaults_of_levels_follow_their_names() -> None:
    levels = load_settings(BASE, file="s.toml").acd.levels
    assert [(it.name, it.wrap_up, it.handle_limit, it.hold_back) for it in levels] == [
        ("junior", 30.0, 180.0, 0),
        ("intermediate", 180.0, 300.0, 0),
        ("senior", 0.0, 0.0, 1),
    ]


def test_an_empty_configuration_is_a_switch_without_seats() -> None:
    settings = load_settings("", file="s.toml")
    assert settings.acd.seats == ()
    assert [level.name for level in settings.acd.levels] == ["junior", "intermediate", "senior"]
    assert settings.sip.domains == ("127.0.0.1",)


WRONG = [
    (
        changed('requires = {level = "senior"}', 'requires = {level = "seniorr"}'),
        's.toml: queue[2] "complaint".requires.level: unknown level "seniorr": '
        "levels are junior, intermediate, senior",
    ),
    (
        changed('queues = ["junior"]', 'queues = ["junor"]'),
        's.toml: seat[1] "8001-8002".queues[1]: unknown queue "junor" (did you mean junior?); '
        "there are junior, complaint",
    ),
    (
        changed('queues = ["junior"]', 'queues = ["complaint"]'),
        's.toml: seat[1] "8001-8002".queues[1]: level junior never serves queue complaint, '
        "whose range is senior, relaxed or not",
    ),
    (
        changed('numbers = "8001-8002"', 'numbers = "8010-8001"'),
        's.toml: seat[1] "8010-8001".numbers: "8010-8001": a range counts up',
    ),
    (
        changed('number = "2001"', 'number = "8002"'),
        's.toml: seat[1] "8001-8002".numbers: 8002 is an extension already',
    ),
    (
        changed('number = "96198", entry', 'number = "8001", entry'),
        's.toml: tenant[1] "demo".hotlines[1].number: 8001 is a seat already',
    ),
    (
        changed("queue:junior", "ivr:welcome"),
        's.toml: tenant[1] "demo".hotlines[1].entry: tenant demo has no script "welcome"; '
        "there are none",
    ),
    (
        changed("queue:junior", "extension:2002"),
        's.toml: tenant[1] "demo".hotlines[1].entry: unknown extension "2002"',
    ),
    (
        changed('relax = [{after = "20s"', 'relax = [{after = "20 s"'),
        's.toml: queue[1] "junior".relax[1].after: "20 s" is not a duration such as 20, "20s", "3m" or "4h"',
    ),
    (
        changed('password = "demo"\nlevel', 'password = {env = "SEATS"}\nlevel'),
        's.toml: seat[1] "8001-8002".password: environment variable SEATS is not set',
    ),
    (
        changed(
            'requires = {level = "senior"}', 'requires = {level = "senior"}\non_timeout = "queue:complaint"'
        ),
        's.toml: queue[2] "complaint".on_timeout: calls would go round for ever: complaint -> complaint',
    ),
    (
        BASE + "[media]\nports = [20001, 29999]\n",
        "s.toml: media.ports: 20001 is odd; RTP starts on even ports, RTCP takes the next",
    ),
    (
        BASE + '[sip]\nlisten = ["tls://127.0.0.1:5061"]\n',
        "s.toml: sip.listen[1]: tls needs a certificate: give sip.tls.certificate and sip.tls.key",
    ),
    (
        BASE + '[[trunk]]\nname = "carrier"\ntenant = "dem"\naccept = ["127.0.0.0/8"]\n',
        's.toml: trunk[1] "carrier".tenant: unknown tenant "dem" (did you mean demo?); there are demo',
    ),
    (
        BASE + "[swich]\n",
        "s.toml: swich: unknown key (did you mean switch?); there are include, sip, media, rpc, store, "
        "recording, http, switch, log, trunk, route, tenant, hours, sound, list, followup, level, queue, "
        "seat, extension",
    ),
    (
        BASE + "[queues]\n",
        "s.toml: queues: unknown key (did you mean queue?); there are include, sip, media, rpc, store, "
        "recording, http, switch, log, trunk, route, tenant, hours, sound, list, followup, level, queue, "
        "seat, extension",
    ),
    (
        BASE + "[switch]\ndrain_after = -1\n",
        's.toml: switch.drain_after: -1 is not a duration such as 20, "20s", "3m" or "4h"',
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_configuration_names_file_key_and_reason(text: str, message: str) -> None:
    assert errors_of(text) == [message]


def test_all_errors_are_told_at_once() -> None:
    text = changed('requires = {level = "senior"}', 'requires = {level = "x"}\nanswer = "180"').replace(
        'queues = ["junior"]', 'queues = ["nobody"]\nlevle = "junior"'
    )
    assert [error.partition(": ")[2].partition(": ")[0] for error in errors_of(text)] == [
        'queue[2] "complaint".answer',
        'seat[1] "8001-8002".levle',
        'queue[2] "complaint".requires.level',
        'seat[1] "8001-8002".queues[1]',
    ]


def test_the_whole_message_is_one_error_a_line_and_the_short_one_counts() -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_settings("[sip]\nlisten = 3\ndomain = 4\n", file="s.toml")
    assert str(caught.value).splitlines() == [
        "s.toml: sip.listen: 3 is not a list of texts",
        "s.toml: sip.domain: 4 is not a text or a list of texts",
    ]
    assert caught.value.why == "3 is not a list of texts (and 1 more: seatswitch check tells them all)"


def test_what_is_no_toml_is_told_with_line_and_column() -> None:
    (error,) = errors_of("[sip\n")
    assert error.startswith("s.toml: is not TOML: ")
    assert "line 1" in error


def test_included_files_add_tables_and_are_named_in_errors() -> None:
    more = '[[seat]]\nnumber = "8100"\npassword = "demo"\nlevel = "junior"\nqueues = ["junior"]\n'
    text = 'include = ["more/*.toml"]\n' + BASE
    settings: Settings = load_settings(text, file="s.toml", includes={"more/a.toml": more})
    assert [seat.number for seat in settings.acd.seats] == ["8001", "8002", "8100"]
    wrong = more.replace('"junior"]', '"junio"]') + "[sip]\n"
    assert errors_of(text + "[sip]\n", includes={"more/a.toml": wrong}) == [
        "more/a.toml: sip: is given in s.toml already",
        'more/a.toml: seat[1] "8100".queues[1]: unknown queue "junio" (did you mean junior?); '
        "there are junior, complaint",
    ]
    assert errors_of(text, includes={"more/a.toml": 'include = ["b.toml"]'}) == [
        "more/a.toml: include: an included file cannot include others"
    ]


def test_include_takes_a_list_only() -> None:
    assert errors_of('include = "more.toml"\n') == [
        's.toml: include: "more.toml" is not a list of files such as ["more/*.toml"]'
    ]


def test_one_table_and_a_list_of_tables_are_told_apart() -> None:
    assert errors_of("[[sip]]\n[queue]\nname = 'a'\n") == [
        "s.toml: sip: is one table, written [sip]",
        "s.toml: queue: is a list of tables, each written [[queue]]",
    ]


def test_every_key_is_documented() -> None:
    """config/README.md names every key of every table, and gives the demo's keys no other meaning."""
    page = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    for name, table in (SINGLE | MANY).items():
        section = page.partition(f"## `[{name}]`" if name in SINGLE else f"## `[[{name}]]`")[2].partition(
            "\n## "
        )[0]
        assert section, f"{name} has no section"
        for field in fields(table):
            assert f"| `{field.encode_name}` |" in section, f"{name}.{field.encode_name}"
    assert tomllib.loads(DEMO).keys() <= SINGLE.keys() | MANY.keys()
