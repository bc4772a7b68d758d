"""Output that cannot be written, and terminals that can do little: one message, no traceback."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.seatswitch.shell.rpc_stub import StubSwitch

ROOT = Path(__file__).resolve().parents[3]
DEMO = str(ROOT / "config" / "demo.toml")
SEATSWITCH = (sys.executable, "-m", "seatswitch")
WITHIN = 60.0  # seconds a command may take on a busy machine


def run(*words: str, stdout: int | None = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SEATSWITCH, *words],
        cwd=ROOT,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=WITHIN,
        check=False,
    )


COMMANDS = [("seats",), ("seats", "--json"), ("top",), ("check", "-c", DEMO), ("call", "admin.status")]


@pytest.mark.parametrize("words", COMMANDS)
def test_full_disk_behind_the_output_is_one_message(tmp_path: Path, words: tuple[str, ...]) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch, Path("/dev/full").open("w") as full:
        done = run("--socket", switch.address, *words, stdout=full.fileno())
    assert done.returncode == 1
    assert done.stderr == "seatswitch: standard output: cannot be written (No space left on device)\n"


@pytest.mark.parametrize("words", COMMANDS)
def test_pipe_that_nobody_reads_ends_a_command_without_a_word(tmp_path: Path, words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    with StubSwitch(tmp_path / "s.sock") as switch:
        done = run("--socket", switch.address, *words, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_closed_output_is_no_trouble(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        script = f"{' '.join(SEATSWITCH)} --socket {switch.address} seats <&- >&-"
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=WITHIN, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")


# A terminal of its own, so that Ctrl-C is a signal; what a shell starts in its background ignores it else.
OWN = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def on_a_terminal(words: tuple[str, ...], key: bytes = b"", **environment: str) -> tuple[int, str]:
    """Return exit code and output of a command on a terminal; ``key`` is pressed when it shows something."""
    ours, theirs = pty.openpty()
    names = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-c", OWN, *SEATSWITCH, *words],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**names, "TERM": "xterm", **environment},
        start_new_session=True,
    )
    os.close(theirs)
    text = b""
    try:
        while select.select([ours], [], [], WITHIN)[0] and (got := os.read(ours, 65536)):
            text += got
            if key and (b"8001" in text or b"96198" in text):  # a seat, or what a caller called
                os.write(ours, key)
                key = b""
    except OSError:  # Linux says so when the other side has closed
        pass
    finally:
        os.close(ours)  # what still runs is hung up on
    assert not key, "it ended before it showed anything"
    return process.wait(WITHIN), text.decode()


def test_without_colours_no_colour_is_sent(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        words = ("--socket", switch.address, "seats")
        code, coloured = on_a_terminal(words)
        assert (code, "\x1b[1;32m" in coloured) == (0, True)
        code, plain = on_a_terminal(words, NO_COLOR="1")
    assert code == 0
    assert not any(f"\x1b[{colour}" in plain for colour in ("31", "32", "1;3"))
    assert "8001" in plain


def test_board_on_a_dumb_terminal_is_one_frame(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        code, text = on_a_terminal(("--socket", switch.address, "top"), TERM="dumb")
    assert code == 0
    assert "\x1b" not in text
    assert "Queues" in text


def test_narrow_terminal_cuts_no_seat_in_two(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        code, text = on_a_terminal(("--socket", switch.address, "seats"), COLUMNS="60", NO_COLOR="1")
    assert code == 0
    lines = [line for line in text.splitlines() if "800" in line]
    assert [line.split()[-1] != "" for line in lines] == [True] * 3
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("words", [("top",), ("seats", "--watch"), ("calls", "-w", "--every", "30")])
@pytest.mark.parametrize("key", [b"q", b"\x03"])
def test_watching_ends_with_a_key_or_ctrl_c(tmp_path: Path, words: tuple[str, ...], key: bytes) -> None:
    """The terminal is as before, and nothing is complained of."""
    with StubSwitch(tmp_path / "s.sock") as switch:
        code, text = on_a_terminal(("--socket", switch.address, *words), key)
    assert (code, "Traceback" in text, "Aborted" in text) == (0, False, False)
    assert text.count("\x1b[?1049h") == text.count("\x1b[?1049l")  # the other screen, entered and left
