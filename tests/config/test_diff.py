"""What a reload says it changes, and what it says must wait."""

from pathlib import Path

import pytest

from config.diff import describe_changes, needs_restart
from config.load import load_settings
from config.schema import Settings

DEMO = (Path(__file__).resolve().parents[2] / "config" / "demo.toml").read_text(encoding="utf-8")


def load(*changes: tuple[str, str]) -> Settings:
    text = DEMO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return load_settings(text, file="demo.toml")


BEFORE = load()


def test_nothing_changed_says_nothing() -> None:
    assert (needs_restart(BEFORE, load()), describe_changes(BEFORE, load())) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ('ring_for = "25s"', 'ring_for = "20s"', ["queue junior: ring_for 25 -> 20"]),
        (
            'requires = {level = "senior"}\npriority_credit = "90s"',
            'requires = {level = "senior"}',
            ["queue complaint: priority_credit 90 -> 0"],
        ),
        ("max_calls = 300", "max_calls = 30", ["trunk carrier: max_calls 300 -> 30"]),
        (
            'accept = ["127.0.0.0/8"]',
            'accept = ["10.0.0.0/8"]',
            ["trunk carrier: accept [127.0.0.0/8] -> [10.0.0.0/8]"],
        ),
        ('wrap_up = "30s"', 'wrap_up = "45s"', ["level junior: wrap_up 30 -> 45"]),
        ("seat_quota = 20", "seat_quota = 5", ["tenant demo: seat_quota 20 -> 5"]),
        ("seat_quota = 20", "suspended = true\nseat_quota = 20", ["tenant demo: suspended False -> True"]),
        (
            'entry = "queue:complaint"',
            'entry = "queue:senior"',
            ["hotline 96199: entry queue:complaint -> queue:senior"],
        ),
        ('numbers = "8011-8015"', 'numbers = "8011-8014"', ["seat 8015 is gone"]),
        (
            'numbers = "8019-8020"',
            'call_right = "internal"\nnumbers = "8019-8020"',
            ["seat 8019: call_right all -> internal", "seat 8020: call_right all -> internal"],
        ),
        ('number = "2002"', 'number = "2003"', ["extension 2002 is gone", "extension 2003 is new"]),
        ('drain_after = "10m"', 'drain_after = "1m"', ["switch.drain_after 600 -> 60"]),
        ('codecs = ["PCMU", "PCMA"]', 'codecs = ["PCMA"]', ["media.codecs [PCMU, PCMA] -> [PCMA]"]),
        ('domain = "127.0.0.1"', 'domain = "a.example"', ["sip.domains [127.0.0.1] -> [a.example]"]),
    ],
)
def test_changes_are_told_in_sentences(old: str, new: str, sentences: list[str]) -> None:
    after = load((old, new))
    assert describe_changes(BEFORE, after) == sentences
    assert needs_restart(BEFORE, after) == []


def test_a_seat_changes_its_level_by_name() -> None:
    seats = 'numbers = "8011-8015"\ntenant = "demo"\npassword = "demo"\nlevel = '
    after = load((seats + '"intermediate"', seats + '"senior"'))
    assert describe_changes(BEFORE, after)[0] == "seat 8011: level intermediate -> senior"


def test_passwords_are_told_without_their_text() -> None:
    after = load(
        (
            'numbers = "8019-8020"\ntenant = "demo"\npassword = "demo"',
            'numbers = "8019-8020"\ntenant = "demo"\npassword = "much-better"',
        )
    )
    assert describe_changes(BEFORE, after) == [
        "seat 8019: its password has changed",
        "seat 8020: its password has changed",
    ]


def test_what_a_reload_cannot_do_waits_for_a_restart() -> None:
    after = load(
        ('"tcp://127.0.0.1:5060"]', '"tcp://127.0.0.1:5062"]'),
        ("ports = [20000, 29998]", "ports = [30000, 30998]"),
        ('workers = "auto"', "workers = 2"),
        ("tokens = []", 'tokens = [{name = "ops", role = "admin", token = "0123456789abcdef"}]'),
        ("sqlite:///var/seatswitch.db", "postgresql+psycopg://me:secret@h/d"),
    )
    assert needs_restart(BEFORE, after) == [
        "sip.listen has changed ([udp://127.0.0.1:5060, tcp://127.0.0.1:5060] -> "
        "[udp://127.0.0.1:5060, tcp://127.0.0.1:5062]): it takes effect at the next start",
        "media.ports has changed ([20000, 29998] -> [30000, 30998]): it takes effect at the next start",
        "media.workers has changed (1 -> 2): it takes effect at the next start",
        "rpc.tokens has changed: it takes effect at the next start",
        "store.url has changed: it takes effect at the next start",
    ]
    assert describe_changes(BEFORE, after) == []


def test_other_name_servers_are_told() -> None:
    old, new = load_settings("", file="s"), load_settings('[sip]\ndns = ["10.0.0.2"]\n', file="s")
    assert describe_changes(old, new) == ["sip.dns the system's -> 10.0.0.2:53"]
    assert needs_restart(old, new) == []


def test_lists_classes_and_sounds_are_told_without_their_numbers_and_audio() -> None:
    head = '[[list]]\nname = "bad"\nnumbers = '
    text = DEMO + '[[followup]]\nname = "urgent"\nwithin = "{}"\n[[sound]]\nname = "s"\nfile = "f"\n'

    def build(numbers: str, within: str, audio: bytes) -> Settings:
        whole = text.replace('within = "{}"', f'within = "{within}"') + head + numbers
        return load_settings(whole, file="d", sounds={"f": audio})

    before = build('["1", "2", "3"]', "4h", b"\x7f" * 80)
    after = build('["2", "4", "5", "6"]', "2h", b"\x7e" * 80)
    assert describe_changes(before, after) == [
        "sound s has changed",
        "list bad: 3 numbers more, 2 fewer",
        "followup demo urgent: within 14400 -> 7200",
    ]
    assert "sound s is new" in describe_changes(BEFORE, after)
    assert "list bad is gone" in describe_changes(after, BEFORE)


def test_how_phones_learn_of_messages_is_told_by_seat_and_extension() -> None:
    text = '[[extension]]\nnumber = "2999"\npassword = "demo"\n'
    before = load_settings(DEMO + text, file="s")
    after = load_settings(DEMO + text + 'mwi = "unsolicited"\n', file="s")
    assert describe_changes(before, after) == ["extension 2999: mwi subscribe -> unsolicited"]
    leader = 'numbers = "8019-8020"\n'
    changed = load((leader, f'{leader}mwi = "unsolicited"\n'))
    assert describe_changes(BEFORE, changed) == [
        f"seat {number}: mwi subscribe -> unsolicited" for number in ("8019", "8020")
    ]
