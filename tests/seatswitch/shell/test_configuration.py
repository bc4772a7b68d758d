import os
from pathlib import Path

import pytest

from kernel.errors import OperatorError
from seatswitch.shell.configuration import read_configuration

MAIN = """
include = ["more/*.toml"]
[sip]
listen = ["udp://127.0.0.1:5060"]
domain = "127.0.0.1"
[[tenant]]
name = "demo"
[[level]]
name = "junior"
"""
SEAT = """
[[seat]]
number = "8001"
tenant = "demo"
password = {file = "secret.txt"}
level = "junior"
role = "supervisor"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "seats.toml").write_text(SEAT)
    (tmp_path / "secret.txt").write_text("s3cret\n")
    (tmp_path / "main.toml").write_text(MAIN)
    return tmp_path


def test_includes_and_secrets_are_found_from_the_working_directory(folder: Path) -> None:
    """Contract 2."""
    settings = read_configuration("main.toml")
    assert [seat.number for seat in settings.acd.seats] == ["8001"]
    assert settings.seat_secrets["8001"].password == "s3cret"


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("main.toml", None, r"main\.toml: there is no such file; -c FILE names the configuration"),
        ("main.toml", b"\xff", r"main\.toml: is not UTF-8 text \(byte 0\)"),
        ("main.toml", b"[sip", r"main\.toml: is not TOML"),
        ("main.toml", b'include = ["gone.toml"]', r"gone\.toml: cannot be read"),
        (
            "secret.txt",
            None,
            r'seats\.toml: seat\[1\] "8001"\.password: file secret\.txt cannot be read \(No such file',
        ),
        ("secret.txt", b"\xff", r'"8001"\.password: file secret\.txt is not UTF-8 text'),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(
    folder: Path, file: str, content: bytes | None, why: str
) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(OperatorError, match=why):
        read_configuration("main.toml")


def test_pattern_that_matches_a_forest_is_refused(folder: Path) -> None:
    for number in range(257):
        (folder / "more" / f"{number}.toml").touch()
    with pytest.raises(OperatorError, match=r"main\.toml: include: names 258 files; 256 is the most"):
        read_configuration("main.toml")


def test_as_many_workers_as_processors_this_process_may_use(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``media.workers = "auto"``, on a large machine of which a container has three processors."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5, 9})
    (folder / "main.toml").write_text(MAIN + '[media]\nworkers = "auto"\n')
    assert read_configuration("main.toml").media.workers == 2  # one processor is for signalling


def test_sounds_are_read_and_one_that_is_not_there_is_said_with_its_key(folder: Path) -> None:
    (folder / "main.toml").write_text(MAIN + '[[sound]]\nname = "closed"\nfile = "closed.ulaw"\n')
    (folder / "closed.ulaw").write_bytes(b"\x7f" * 160)
    assert read_configuration("main.toml").media.sounds == (("closed", b"\x7f" * 160),)
    (folder / "closed.ulaw").unlink()
    with pytest.raises(OperatorError, match=r'sound\[1\] "closed"\.file: file closed\.ulaw cannot be read'):
        read_configuration("main.toml")


def test_phrases_of_an_own_voice_are_read_from_its_folder(folder: Path) -> None:
    (folder / "main.toml").write_text(MAIN + '[media]\nvoice = "mine"\n')
    (folder / "mine" / "zh").mkdir(parents=True)
    (folder / "mine" / "zh" / "7.wav").write_bytes(b"\x7f" * 160)
    assert read_configuration("main.toml").media.sounds == (("voice:zh/7", b"\x7f" * 160),)
    (folder / "mine" / "zh" / "7.wav").rename(folder / "mine" / "zh" / "seven.wav")
    with pytest.raises(OperatorError, match=r"media\.voice: folder mine holds no phrase"):
        read_configuration("main.toml")


def test_an_empty_file_is_a_mistake(folder: Path) -> None:
    """A reload of a file that is just being written, or was written to a full disk, would take all away."""
    for text in ("", " \n\n"):
        (folder / "main.toml").write_text(text)
        with pytest.raises(OperatorError, match="is empty"):
            read_configuration("main.toml")
