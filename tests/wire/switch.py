"""A real switch for wire tests: its own process, its own ports, its own folder; and an RPC client to look
into it.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.ports import LENGTH, Claim, free_port, switch_ports

ROOT = Path(__file__).resolve().parents[2]
# Where the switch is taken from: "build/compiled" tries what `make compiled` has made.
SWITCH_ROOT = ROOT / os.environ.get("SEATSWITCH_FROM", "")
MANY = 4 * LENGTH  # ports for the media of a switch under load: each rests between two calls
READY_WITHIN = 60.0  # seconds; a fresh machine compiles every module first, and may be busy

CONFIG = """
[sip]
listen = ["udp://127.0.0.1:{sip}", "tcp://127.0.0.1:{sip}"]
domain = "127.0.0.1"
digest_algorithms = ["MD5"]  # SIPp 3.6 gives up at the first challenge it cannot answer
options_probe_every = 0  # nor does a scenario expect OPTIONS

[media]
address = "127.0.0.1"
ports = [{rtp}, {rtp_end}]
workers = {workers}
rtp_timeout = "{rtp_timeout}"

[rpc]
listen = ["unix://{folder}/switch.sock", "tcp://127.0.0.1:{rpc}"]

[store]
url = "sqlite:///{folder}/seatswitch.db"

[[trunk]]
name = "carrier"
tenant = "demo"
accept = ["127.0.0.0/8"]

[[tenant]]
name = "demo"
hotlines = [
  {{number = "96198", entry = "queue:junior"}},
  {{number = "96199", entry = "queue:senior"}},
  {{number = "96200", entry = "extension:2001"}},
]
pause_reasons = ["rest"]

[[level]]
name = "junior"
wrap_up = {wrap_up}
[[level]]
name = "senior"
wrap_up = {wrap_up}

[[queue]]
name = "junior"
tenant = "demo"
requires = {{level = "junior"}}
relax = [{{after = "20s", level = "senior"}}]
max_waiting = {max_waiting}
ring_for = {ring_for}
{queue_extra}
[[queue]]
name = "senior"
tenant = "demo"
requires = {{level = "senior"}}

[[seat]]
numbers = "{first_seat}-{last_seat}"
tenant = "demo"
password = "demo"
level = "junior"
queues = ["junior"]
phones = ["softphone"]

[[extension]]
number = "2001"
tenant = "demo"
password = "demo"
[[extension]]
number = "2002"
tenant = "demo"
password = "demo"
"""


def seat_numbers(count: int) -> list[str]:
    """Return the numbers of ``count`` seats: 8001 and on, with a digit more for a large house."""
    first = 8001 if count < 1000 else 80001
    return [str(first + number) for number in range(count)]


def wait_until(what: str, met: Callable[[], Any], within: float = 30.0) -> Any:
    """Return the first true answer of ``met``; fail, naming ``what``, after ``within`` seconds."""
    deadline = time.monotonic() + within
    while True:
        answer = met()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.02)


class Rpc:
    """One connection to the RPC socket; blocking."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(30.0)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._file = self._socket.makefile("rb")
        self._id = 0

    def send(self, method: str, **params: Any) -> None:
        """Send one request; its answer is passed over by the next :meth:`call`."""
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def fetch(self, method: str, **which: Any) -> tuple[dict[str, Any], bytes]:
        """Return a recording or voicemail and its file, piece by piece."""
        data, size = b"", 1
        while len(data) < size:
            found = self.call(method, **which, offset=len(data), length=20_000)
            data += b64decode(found["audio"])
            size = found["size"]
        return found, data

    def call(self, method: str, **params: Any) -> Any:
        """Return the result of one request; raise RuntimeError with the error's message."""
        self.send(method, **params)
        while True:
            answer = json.loads(self._file.readline())
            if answer.get("id") == self._id:
                break
        if "error" in answer:
            raise RuntimeError(json.dumps(answer["error"]))
        return answer["result"]

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        self._file.close()
        self._socket.close()


class Switch:
    """``seatswitch run`` in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        seats: int = 10,
        workers: int = 1,
        wrap_up: float = 0.2,
        max_waiting: int = 200,
        ring_for: float = 25,
        rtp_timeout: str = "60s",
        queue_extra: str = "",
        ports: tuple[int, int] | None = None,
        config: str = CONFIG,
    ) -> None:
        self.folder = folder
        self.sip_port = free_port()
        self.socket_path = folder / "switch.sock"
        self.log_path = folder / "switch.log"
        self.config_path = folder / "switch.toml"
        self.seats = seat_numbers(seats)
        self._claim = Claim(MANY // LENGTH) if seats > 20 and not ports else None
        many = (self._claim.first, self._claim.first + MANY - 2) if self._claim else None
        self.rtp_ports = ports or many or switch_ports()
        self.config_path.write_text(
            config.format(
                sip=self.sip_port,
                rpc=free_port(),
                rtp=self.rtp_ports[0],
                rtp_end=self.rtp_ports[1],
                folder=folder,
                workers=workers,
                wrap_up=wrap_up,
                max_waiting=max_waiting,
                ring_for=ring_for,
                rtp_timeout=rtp_timeout,
                queue_extra=queue_extra,
                first_seat=self.seats[0],
                last_seat=self.seats[-1],
            )
        )
        self.process: subprocess.Popen[bytes] | None = None
        self._connections: list[Rpc] = []

    def __enter__(self) -> "Switch":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections:
            connection.close()
        self.stop()
        if self._claim is not None:
            self._claim.close()
        if error is not None:
            print(self.log_path.read_text(errors="replace")[-8000:])

    def start(self) -> None:
        """Start the process and wait until its RPC socket answers."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "seatswitch", "run", "-c", str(self.config_path)],
                cwd=SWITCH_ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until("the RPC socket", self._is_ready, READY_WITHIN)
        except BaseException:  # of __enter__ too, after which nobody calls __exit__
            self.stop(signal.SIGKILL)
            print(self.log_path.read_text(errors="replace")[-8000:])
            raise

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log_path.read_text()
        try:
            rpc = Rpc(self.socket_path)
        except OSError:
            return False
        rpc.close()
        return True

    def stop(self, how: int = signal.SIGINT) -> int:
        """End the process and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        return self.process.returncode

    def child(self, duty: str) -> int:
        """Return the pid of the child process whose command names ``duty``, 0 if there is none."""
        assert self.process is not None
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid and duty.encode() in (entry / "cmdline").read_bytes():
                    return int(entry.name)
            except OSError:
                continue  # it has just ended
        return 0

    def rpc(self) -> Rpc:
        """Return a new connection; it is closed with the switch at the latest."""
        connection = Rpc(self.socket_path)
        self._connections.append(connection)
        return connection

    def count(self, table: str) -> int:
        """Return how many rows of a table the row writer has written by now."""
        try:
            path = self.folder / "seatswitch.db"
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
                return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return every row of a table, as the row writer has them by now."""
        path = self.folder / "seatswitch.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
            database.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
            except sqlite3.OperationalError:
                return []
