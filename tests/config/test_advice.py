"""Notes of ``seatswitch check`` about what is allowed but probably not meant."""

from pathlib import Path

import pytest

from config.advice import advise
from config.load import load_settings

DEMO = (Path(__file__).resolve().parents[2] / "config" / "demo.toml").read_text(encoding="utf-8")


def notes(text: str, files_max: int | None = 65536) -> list[str]:
    return advise(load_settings(text, file="s"), files_max)


def test_the_demo_has_no_notes() -> None:
    assert notes(DEMO) == []


def test_the_limit_of_open_files_is_compared_with_the_ports() -> None:
    assert notes(DEMO, 1024) == [
        "media.ports needs 10512 open files in a process, the limit is 1024 (ulimit -n)"
    ]
    assert notes(DEMO, None) == []


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        (
            '"tcp://127.0.0.1:5070"',
            '"tcp://10.0.0.1:5070"',
            "rpc.listen tcp://10.0.0.1:5070: passwords and tokens cross the network in the clear",
        ),
        (
            "ports = [20000, 29998]",
            "ports = [20000, 20038]",
            "media.ports has room for 10 calls, 20 seats and waiting callers may need more",
        ),
        (
            'queues = ["junior", "intermediate", "senior", "complaint"]',
            'queues = ["junior", "intermediate", "senior"]',
            "queue complaint: no seat serves it, calls wait for nobody",
        ),
        ("seat_quota = 20", "suspended = true", "tenant demo is suspended: its calls are refused"),
        (
            'address = "127.0.0.1"',
            'address = "0.0.0.0"',
            "media.address 0.0.0.0: peers are told this address; give media.advertise",
        ),
    ],
)
def test_notes(old: str, new: str, note: str) -> None:
    assert old in DEMO
    assert notes(DEMO.replace(old, new, 1)) == [note]


def test_a_network_facing_switch_is_told_of_guessable_passwords() -> None:
    text = DEMO.replace("udp://127.0.0.1:5060", "udp://0.0.0.0:5060", 1)
    assert notes(text) == [
        "sip.listen 0.0.0.0: phones are told this address; give sip.advertise",
        "seat 8001: its password is short enough to be guessed by strangers",
    ]


def test_an_outside_phone_needs_a_trunk_with_a_contact() -> None:
    text = DEMO.replace('contact = "sip:127.0.0.1:5080" ', "").replace(
        'queues = []\nphones = ["softphone"]', 'queues = []\nphones = ["pstn:13800000000"]'
    )
    assert notes(text)[0] == "seat 8019: no trunk of demo has a contact to ring its outside phone"


def test_a_switch_without_hotlines_is_told_so() -> None:
    assert "no hotline leads anywhere: no caller can reach a queue" in notes("")
