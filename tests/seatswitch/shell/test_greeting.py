import sys
from pathlib import Path

import pytest

from config.load import load_settings
from seatswitch.shell import greeting
from seatswitch.shell.greeting import build_greeting, command_name

DEMO = Path(__file__).resolve().parents[3] / "config" / "demo.toml"


def test_demo_says_where_it_listens_whom_it_serves_and_how_to_call() -> None:
    """Contract 1, ``make run``."""
    text = build_greeting(load_settings(DEMO.read_text(), file="demo.toml"), "demo.toml")
    assert "  from       demo.toml\n" in text
    assert "  SIP        udp://127.0.0.1:5060, tcp://127.0.0.1:5060\n" in text
    assert "  JSON-RPC   unix://run/seatswitch.sock, tcp://127.0.0.1:5070\n" in text
    assert "junior (96198)" in text
    assert "junior 8001-8010" in text
    assert "register a softphone as 8001@127.0.0.1 at 127.0.0.1:5060" in text
    login = '{"hotline": "96198", "seat": "8001", "password": "..."}'
    assert f"seatswitch call session.login '{login}'\n" in text
    assert "python -m benchmarks.softphone 8001 --sign-in" in text
    assert "sipp -sn uac -s 96198 127.0.0.1:5060" in text
    assert all(len(line) <= 110 for line in text.splitlines())


MINIMAL = """
[sip]
listen = ["udp://127.0.0.1:5060"]
domain = "127.0.0.1"
"""


def test_switch_without_queues_says_so() -> None:
    text = build_greeting(load_settings(MINIMAL, file="minimal.toml"), "minimal.toml")
    assert "queues     none" in text
    assert "seats      none" in text
    assert "No hotline leads to a queue with seats" in text


@pytest.mark.parametrize(
    ("started", "on_path", "told"),
    [
        (".venv/bin/seatswitch", None, ".venv/bin/seatswitch"),
        (".venv/bin/seatswitch", "/usr/bin/seatswitch", "seatswitch"),
        ("/src/seatswitch/__main__.py", None, "seatswitch"),
    ],
)
def test_commands_are_told_as_they_can_be_typed(
    monkeypatch: pytest.MonkeyPatch, started: str, on_path: str | None, told: str
) -> None:
    monkeypatch.setattr(sys, "argv", [started, "run"])
    monkeypatch.setattr(greeting.shutil, "which", lambda name: on_path)
    assert command_name() == told
    text = build_greeting(load_settings(DEMO.read_text(), file="demo.toml"), "demo.toml", command_name())
    assert f"Watch it with: {told} top, {told} seats, {told} calls" in text
