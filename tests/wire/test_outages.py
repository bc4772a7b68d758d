"""What the machine may do to a switch: no files, no disk, no network, a clock that jumps, processes that die
or stand still. At a real switch: calls go on, nothing is lost, and it recovers by itself.
"""

import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from benchmarks.soak_sip import errors_of
from tests.ports import free_port
from tests.wire.party import SDP, TRUNK, Calm, Party
from tests.wire.switch import CONFIG, ROOT, Switch, wait_until

pytestmark = pytest.mark.wire


@contextmanager
def limited(pid: int, what: int, most: int) -> Iterator[None]:
    """Let a process have no more than ``most`` of something for a while."""
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, what, before)


def call(switch: Switch, count: int = 1) -> None:
    """Make good calls one after the other; each leaves a row."""
    uri = f"sip:96198@{TRUNK}"
    with Party(switch, TRUNK) as caller:
        for number in range(count):
            for again in range(20):
                in_time(switch)
                named = {"call_id": f"{caller.port}-{number}-{again}", "from_": f"<sip:139@{TRUNK}>;tag=o"}
                answer = caller.ask("INVITE", uri, body=SDP, **named)
                if answer.status != 503:
                    break
            assert answer.status == 200
            caller.acknowledge(answer, uri)
            assert caller.ask("BYE", uri, to=answer.header("to"), cseq=2, **named).status == 200


def in_time(switch: Switch) -> None:
    """Wait until the switch takes calls: on a busy machine it may be late for a moment."""
    log = switch.log_path.read_text().rpartition("overloaded, new calls are refused")
    if log[1] and "no longer overloaded" not in log[2]:
        wait_until(
            "in time", lambda: switch.log_path.read_text().rpartition("overloaded")[0].endswith("no longer ")
        )


def answered(switch: Switch) -> list[dict[str, Any]]:
    """Return the rows of all calls that were not refused by a switch that was late."""
    return [row for row in switch.rows("calls") if row["sip_status"] != 503]


def rows_are(switch: Switch, count: int) -> None:
    """Wait until exactly so many calls have a row, each once."""
    wait_until(f"{count} rows", lambda: len(answered(switch)) >= count)
    rows = answered(switch)
    assert len(rows) == len({row["call"] for row in rows}) == count


def is_sound(switch: Switch) -> bool:
    """Return whether SQLite finds nothing wrong with the database."""
    path = switch.folder / "seatswitch.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
        return bool(database.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


def test_a_disk_without_room_costs_no_call_and_no_row(tmp_path: Path) -> None:
    """F-DISK: no file may grow, neither journal nor database nor log: calls go on, it is said, and once there
    is room every row is there.
    """
    with Switch(tmp_path) as switch:
        assert switch.process is not None
        call(switch, 3)
        rows_are(switch, 3)
        with ExitStack() as full:
            for pid in (switch.process.pid, switch.child("row-writer")):
                full.enter_context(limited(pid, resource.RLIMIT_FSIZE, 4_096))
            call(switch, 40)
            assert len(answered(switch)) < 43
        call(switch, 2)
        rows_are(switch, 45)
        assert is_sound(switch)
        log = switch.log_path.read_text()
        assert log.count("the journal cannot be written: rows are kept in memory, calls go on") == 1
        assert "the journal is written again rows_lost=0" in log
        assert switch.rpc().call("admin.status")["shell"]["bugs"] == {}


def test_a_switch_without_file_descriptors_serves_whom_it_has_and_recovers(tmp_path: Path) -> None:
    """F-FILES: nobody new over TCP or to the socket; calls over UDP go on, the processor is not busy with
    accepting in vain, and afterwards everybody is let in.
    """
    with Switch(tmp_path) as switch, ExitStack() as crowd:
        assert switch.process is not None
        pid, rpc = switch.process.pid, switch.rpc()
        call(switch)
        most = len(list(Path(f"/proc/{pid}/fd").iterdir())) + 8
        with limited(pid, resource.RLIMIT_NOFILE, most):
            for _ in range(60):
                crowd.enter_context(socket.create_connection((TRUNK, switch.sip_port), 5.0))
            before, began = seconds_used(pid), monotonic()
            with Calm(switch):
                call(switch, 10)
                wait_until("two seconds", lambda: monotonic() - began > 2.0)
            assert (seconds_used(pid) - before) / (monotonic() - began) < 0.7
            assert rpc.call("admin.status")["shell"]["stream_connections"] < 20
        crowd.close()
        with Party(switch, TRUNK) as phone:
            assert phone.register("8001", "demo") == 200
        wait_until("the socket answers", lambda: switch.rpc().call("session.whoami"))
        with socket.create_connection((TRUNK, switch.sip_port), 5.0) as late:
            late.sendall(b"\r\n\r\n")
            assert late.recv(2) == b"\r\n"
        assert switch.rpc().call("admin.status")["shell"]["bugs"] == {}
        assert errors_of(switch.log_path) == []


def seconds_used(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_row_writer_that_dies_or_stands_still_costs_no_row(tmp_path: Path, how: signal.Signals) -> None:
    """F-WRITER: killed it is started again; stopped for three seconds it goes on where it was."""
    with Switch(tmp_path) as switch:
        call(switch, 5)
        rows_are(switch, 5)
        writer = switch.child("row-writer")
        os.kill(writer, how)
        with Calm(switch) as calm:
            call(switch, 20)
            if how == signal.SIGSTOP:
                assert len(answered(switch)) < 25
                os.kill(writer, signal.SIGCONT)
        rows_are(switch, 25 + len(calm.statuses))
        restarts = switch.rpc().call("admin.status")["shell"]["writer"]["restarts"]
        assert restarts == (1 if how == signal.SIGKILL else 0)
        assert is_sound(switch)


def test_a_media_worker_that_is_killed_again_and_again_costs_no_call(tmp_path: Path) -> None:
    """F-WORKER: calls that are set up meanwhile are answered, and there is one worker in the end."""
    with Switch(tmp_path) as switch:
        with Calm(switch) as calm:
            for _ in range(4):
                worker = switch.child("media-worker")
                os.kill(worker, signal.SIGKILL)
                wait_until("a new one", lambda old=worker: switch.child("media-worker") not in (0, old))
                call(switch)
        media = switch.rpc().call("admin.status")["media"]
        assert media["deaths"] == 4
        assert [each["alive"] for each in media["workers"]] == [True]
        rows_are(switch, 4 + len(calm.statuses))


def test_a_database_that_is_no_database_is_named(tmp_path: Path) -> None:
    """F-CORRUPT: rubbish, and half a database: the switch says which file, and does not start; nothing in the
    file is changed.
    """
    with Switch(tmp_path) as switch:
        call(switch, 2)
        rows_are(switch, 2)
        switch.stop()
        path = tmp_path / "seatswitch.db"
        whole = path.read_bytes()
        rubbish = b"this is no database, and never was one.\n" * 200
        for bad in (rubbish, whole[:512] + b"\xff" * (len(whole) - 512)):
            for more in tmp_path.glob("seatswitch.db-*"):
                more.unlink()
            path.write_bytes(bad)
            done = subprocess.run(
                [sys.executable, "-m", "seatswitch", "run", "-c", str(switch.config_path)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 1
            assert "seatswitch.db" in done.stderr
            assert "Traceback" not in done.stderr
            assert path.read_bytes() == bad
        path.write_bytes(whole)
        switch.start()
        rows_are(switch, 2)


CLOCK = """
import datetime, os, time
_time, _file = time.time, os.environ["CLOCK_OFFSET"]
def jumped():
    with open(_file) as file:
        return _time() + float(file.read() or 0)
time.time = jumped
"""


def test_a_clock_that_jumps_an_hour_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-CLOCK: wall time an hour back, and two on, in a call and between calls: no negative duration, no call
    ends, no registration and no nonce expires, no phone is asked again.
    """
    offset = tmp_path / "offset"
    offset.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CLOCK_OFFSET", str(offset))
    uri = f"sip:96198@{TRUNK}"
    with Switch(tmp_path) as switch, Party(switch, TRUNK) as caller, Party(switch, "127.8.0.1") as phone:
        assert phone.register("8001", "demo") == 200
        for number, hours in enumerate((-1.0, 1.0, 0.0)):
            in_time(switch)
            named = {"call_id": f"jump{number}", "from_": f"<sip:139@{TRUNK}>;tag=j"}
            answer = caller.ask("INVITE", uri, body=SDP, **named)
            caller.acknowledge(answer, uri)
            offset.write_text(f"{hours * 3600}")
            assert caller.listen(1.2) == []
            assert caller.ask("BYE", uri, to=answer.header("to"), cseq=2, **named).status == 200
        rows_are(switch, 3)
        for row in answered(switch):
            assert 0.0 < row["waited"] < 1800.0  # half a jump
            assert row["ended_at"] >= row["arrived_at"]
        assert switch.rpc().call("seat.get", seat="8001")["phone"]["reachable"]
        assert phone.register("8001", "demo") == 200
        assert switch.rpc().call("admin.status")["shell"]["bugs"] == {}
        assert errors_of(switch.log_path) == []


def test_a_carrier_without_a_way_there_is_passed_over_at_once(tmp_path: Path) -> None:
    """F-NET: sendto says that there is no way to the first address of a carrier (ENETUNREACH, or EINVAL from
    loopback): the second has the call at once, not after an hour of try_for. Nor does audio to nowhere hurt.
    """
    carrier = free_port()
    places = (("192.0.2.1:5060", 1), (f"{TRUNK}:{carrier}", 2))
    contacts = ", ".join(f'{{{{uri = "sip:{place}", priority = {rank}}}}}' for place, rank in places)
    trunk = f'accept = ["{TRUNK}/32"]\ncontact = [{contacts}]\ntry_for = "1h"'
    config = CONFIG.replace('accept = ["127.0.0.0/8"]', trunk) + '[[route]]\ntrunks = ["carrier"]\n'
    with (
        Switch(tmp_path, config=config) as switch,
        Party(switch, TRUNK, carrier) as carriers,
        Party(switch, "127.8.0.2") as phone,
    ):
        assert phone.register("2001", "demo") == 200
        uri, me = f"sip:13800000009@{TRUNK}", f"<sip:2001@{TRUNK}>;tag=n"
        in_time(switch)
        body = SDP.replace(b"127.0.0.1", b"192.0.2.9")
        branch = phone.send("INVITE", uri, from_=me, call_id="nowhere", body=body)
        asked = carriers.hear("INVITE")
        carriers.answer(asked, 200, body=SDP.replace(b"127.0.0.1", b"192.0.2.8"))
        answer = phone.final(branch, "INVITE", uri)
        assert answer.status == 200
        phone.acknowledge(answer, uri)
        call(switch, 3)
        named = {"from_": me, "call_id": "nowhere", "to": answer.header("to")}
        assert phone.ask("BYE", uri, cseq=2, **named).status == 200
        carriers.answer(carriers.hear("BYE"), 200)
        rows_are(switch, 4)
        media = switch.rpc().call("admin.status")["media"]
        assert media["deaths"] == 0
        assert switch.rpc().call("admin.status")["shell"]["bugs"] == {}
        assert errors_of(switch.log_path) == []


def test_a_wrong_configuration_is_reported_and_the_old_one_kept(tmp_path: Path) -> None:
    """F-RELOAD: SIGHUP with a file that is wrong, empty, and gone; then the right one again."""
    with Switch(tmp_path) as switch:
        assert switch.process is not None
        right = switch.config_path.read_text()
        with Calm(switch):
            wrongs = (right.replace('"queue:junior"', '"queue:jumior"'), "", "[sip", None)
            for count, wrong in enumerate(wrongs, 1):
                if wrong is None:
                    switch.config_path.unlink()
                else:
                    switch.config_path.write_text(wrong)
                switch.process.send_signal(signal.SIGHUP)
                wait_until(
                    "it is said",
                    lambda most=count: switch.log_path.read_text().count("the old one is kept") == most,
                )
                call(switch)
            switch.config_path.write_text(right)
            switch.process.send_signal(signal.SIGHUP)
            wait_until("it is taken", lambda: "configuration reloaded" in switch.log_path.read_text())
            call(switch)
        assert "Traceback" not in switch.log_path.read_text()
