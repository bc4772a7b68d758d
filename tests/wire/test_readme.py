"""The README's own lines: the demo configuration, its softphone, a SIPp caller, and what is seen of it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wire.switch import ROOT, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete

pytestmark = pytest.mark.wire


def demo_in(folder: Path, switch: Switch) -> str:
    """Return the demo configuration with ports and folders of its own, so that two tests can run at once."""
    text = (ROOT / "config" / "demo.toml").read_text()
    for before, after in (
        ("127.0.0.1:5060", f"127.0.0.1:{switch.sip_port}"),
        ("127.0.0.1:5070", f"127.0.0.1:{free_port()}"),
        ("run/seatswitch.sock", str(switch.socket_path)),
        ("var/seatswitch.db", str(folder / "seatswitch.db")),
        ("[20000, 29998]", str(list(switch.rtp_ports))),
    ):
        assert before in text
        text = text.replace(before, after)
    return text


def test_the_first_call_by_hand(tmp_path: Path) -> None:
    switch = Switch(tmp_path)
    switch.config_path.write_text(demo_in(tmp_path, switch))
    with switch:
        server, address = f"127.0.0.1:{switch.sip_port}", f"unix://{switch.socket_path}"
        softphone = [sys.executable, "-m", "benchmarks.softphone", "8001", "--sign-in"]
        phone = subprocess.Popen([*softphone, "--server", server, "--socket", address], cwd=ROOT)
        try:
            admin = switch.rpc()
            wait_until("8001 is ready", lambda: admin.call("seat.get", seat="8001")["presence"] == "ready")
            sipp = ["sipp", "-sn", "uac", "-s", "96198", server, "-m", "1", "-d", "3000", "-nostdin"]
            own = ["-i", "127.0.0.1", "-p", str(free_port())]
            done = subprocess.run([*sipp, *own], cwd=tmp_path, capture_output=True, timeout=60, check=False)
            assert done.returncode == 0, done.stdout[-2000:]
            call = rows_when_complete(switch, "calls", 1)[0]
            assert (call["seat"], call["verdict"], call["entry"]) == ("8001", "success", "queue:junior")
            assert admin.call("seat.get", seat="8001")["presence"] == "wrapup"
            for command, word in (("seats", "8001"), ("queues", "junior"), ("calls", "")):
                told = subprocess.run(
                    [sys.executable, "-m", "seatswitch", "--socket", address, command],
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=False,
                )
                assert told.returncode == 0, told.stderr
                assert word in told.stdout
        finally:
            phone.send_signal(signal.SIGINT)
            assert phone.wait(15) == 0
