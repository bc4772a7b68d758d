"""The README's own lines: the demo configuration, its softphone, a SIPp caller, and what is seen of it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wire.switch import ROOT, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete

pytestmark = pytest.mark.wire


def demo_in(folder: Path, switch: Switch, rpc_port: int) -> str:
    """Return the demo configuration with ports and folders of its own, so that two tests can run at once."""
    text = (ROOT / "config" / "demo.toml").read_text()
    for before, after in (
        ("127.0.0.1:5060", f"127.0.0.1:{switch.sip_port}"),
        ("127.0.0.1:5070", f"127.0.0.1:{rpc_port}"),
        ("run/seatswitch.sock", str(switch.socket_path)),
        ("var/seatswitch.db", str(folder / "seatswitch.db")),
        ("[20000, 29998]", str(list(switch.rtp_ports))),
    ):
        assert before in text
        text = text.replace(before, after)
    return text


def readme_blocks() -> list[str]:
    """Return the README's blocks of lines to type, in order, without what indents them in a list."""
    text = (ROOT / "README.md").read_text()
    return [re.sub(r"(?m)^   ", "", block).strip() for block in re.findall(r"```\n(.*?)```", text, re.DOTALL)]


class Terminal:
    """Types lines of the README, with the ports and folders of this test."""

    def __init__(self, folder: Path, switch: Switch, rpc_port: int) -> None:
        self._places = (
            ("127.0.0.1:5060", f"127.0.0.1:{switch.sip_port}"),
            ("/dev/tcp/127.0.0.1/5070", f"/dev/tcp/127.0.0.1/{rpc_port}"),
            ("sipp ", f"sipp -nostdin -i 127.0.0.1 -p {free_port()} "),
            ("var/seatswitch.db", str(folder / "seatswitch.db")),
            (".venv/bin/seatswitch", f"{sys.executable} -m seatswitch"),
            (".venv/bin/python -m benchmarks.softphone", f"exec {sys.executable} -m benchmarks.softphone"),
            ("--sign-in", f"--sign-in --server 127.0.0.1:{switch.sip_port} --socket {switch.socket_path}"),
        )
        self._environment = {
            **os.environ,
            "SEATSWITCH_SOCKET": str(switch.socket_path),
            "SEATSWITCH_CONFIG": str(switch.config_path),
        }

    def start(self, line: str) -> subprocess.Popen[str]:
        """Begin what a line says."""
        for before, after in self._places:
            line = line.replace(before, after)
        return subprocess.Popen(
            ["bash", "-c", line],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def type(self, line: str) -> str:
        """Return what a line prints; it must end well, and without a word of complaint."""
        process = self.start(line)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, f"{line}: {out[-2000:]} {err}"
        assert "Traceback" not in err
        return out


def test_the_first_call_by_hand(tmp_path: Path) -> None:
    """Every block of lines in the README's first hour, in its order."""
    switch, rpc_port = Switch(tmp_path), free_port()
    switch.config_path.write_text(demo_in(tmp_path, switch, rpc_port))
    make_run, softphone, caller, during, after, login, raw, make_test = readme_blocks()
    assert (make_run, make_test) == ("make run", "make test")
    terminal = Terminal(tmp_path, switch, rpc_port)
    with switch:
        phone = terminal.start(softphone)
        try:
            admin = switch.rpc()
            wait_until("8001 is ready", lambda: admin.call("seat.get", seat="8001")["presence"] == "ready")
            look, call = caller.splitlines()
            assert re.search(r"8001 +junior +ready +idle", terminal.type(look))
            calling = terminal.start(call)
            wait_until("8001 talks", lambda: admin.call("seat.get", seat="8001")["activity"] == "talking")
            told = [terminal.type(line) for line in during.splitlines()]
            assert re.search(r"talking +in +sipp +96198 +junior .* 8001 *$", told[0], re.MULTILINE)
            assert "1 of 20 signed in" in told[1]
            out, err = calling.communicate(timeout=60)
            assert calling.returncode == 0, out[-2000:] + err
            row = rows_when_complete(switch, "calls", 1)[0]
            assert (row["seat"], row["verdict"], row["entry"]) == ("8001", "success", "queue:junior")
            seats, queues, log, rows = [terminal.type(line) for line in after.splitlines()]
            assert re.search(r"8001 +junior +wrapup 0:\d\d left", seats)
            assert re.search(r"junior .* 1 of 18 +0 +100 % +1 ", queues)
            assert re.search(r"\|junior\|8001\|COMPLETECALLER\|1\|[45]\|1\n$", log)
            assert re.fullmatch(r"sipp\|8001\|[\d.]+\|[45]\.\d+\|success\n", rows)
            signed_in = json.loads(terminal.type(login.replace("8001", "8002")))
            assert (signed_in["seat"]["seat"], signed_in["seat"]["presence"]) == ("8002", "ready")
            answer = json.loads(terminal.type(raw.replace("8001", "8003")))
            assert answer["result"]["seat"]["seat"] == "8003"
            assert len(answer["result"]["session"]) == 32
        finally:
            phone.send_signal(signal.SIGINT)
            phone.communicate(timeout=15)
        assert phone.returncode == 0
