"""Mistakes of operators, clients and peers: a clear error each, nothing lost, the switch stays up."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import ROOT, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire


def seatswitch(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seatswitch", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_bad_configuration_names_file_key_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    demo = (ROOT / "config" / "demo.toml").read_text()
    path.write_text(demo.replace('level = "senior"', 'level = "seniorr"'))
    for command in ("check", "run"):
        done = seatswitch(command, "-c", str(path))
        assert done.returncode == 1
        assert "bad.toml" in done.stderr
        assert "seniorr" in done.stderr
        assert "Traceback" not in done.stderr + done.stdout


def test_the_demo_configuration_is_good() -> None:
    done = seatswitch("check", "-c", "config/demo.toml")
    assert done.returncode == 0, done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with Switch(tmp_path) as switch:
        other = tmp_path / "other"
        other.mkdir()
        text = switch.config_path.read_text().replace(str(tmp_path), str(other))
        path = other / "switch.toml"
        path.write_text(text)
        done = seatswitch("run", "-c", str(path))
        assert done.returncode == 1
        assert str(switch.sip_port) in done.stderr
        assert "Traceback" not in done.stderr


def write_database(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "seatswitch.db")) as database, database:
        for statement in statements:
            database.execute(statement)


def newer_database(folder: Path, text: str) -> str:
    write_database(folder, "CREATE TABLE alembic_version (version_num)")
    write_database(folder, "INSERT INTO alembic_version VALUES ('9999')")
    return text


def strange_database(folder: Path, text: str) -> str:
    write_database(folder, "CREATE TABLE calls (number)")
    return text


def folder_for_a_database(folder: Path, text: str) -> str:
    (folder / "seatswitch.db").mkdir()
    return text


def file_for_a_socket(folder: Path, text: str) -> str:
    (folder / "switch.sock").write_text("")
    return text


def file_for_a_folder(folder: Path, text: str) -> str:
    (folder / "var").write_text("")
    return text.replace(f"{folder}/seatswitch.db", f"{folder}/var/seatswitch.db")


def full_disk(folder: Path, text: str) -> str:
    (folder / "seatswitch.lock").symlink_to("/dev/full")
    return text


def no_address_for_sip(folder: Path, text: str) -> str:
    return text.replace('["udp://127.0.0.1', '["udp://192.0.2.1')


def no_address_for_audio(folder: Path, text: str) -> str:
    return text.replace('address = "127.0.0.1"', 'address = "192.0.2.1"')


@pytest.mark.parametrize(
    ("hinder", "told"),
    [
        (
            newer_database,
            "seatswitch.db: the database is of a newer version (its schema is 9999, this one knows",
        ),
        (strange_database, "seatswitch.db: the database has tables of another program"),
        (
            folder_for_a_database,
            "seatswitch.db: the database cannot be written (unable to open database file)",
        ),
        (
            file_for_a_socket,
            "switch.sock: there is a file that is no socket; remove it or choose another path",
        ),
        (file_for_a_folder, "/var: this is not a folder"),
        (full_disk, "seatswitch.lock: the lock cannot be written ("),
        (no_address_for_sip, "sip.listen: udp://192.0.2.1:"),
        (no_address_for_audio, "media.ports: none of "),
    ],
)
def test_what_hinders_a_start_is_one_line(
    tmp_path: Path, hinder: Callable[[Path, str], str], told: str
) -> None:
    path = Switch(tmp_path).config_path
    path.write_text(hinder(tmp_path, path.read_text()))
    done = seatswitch("run", "-c", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("seatswitch: ")
    assert told in line


def test_a_taken_port_for_desks_and_a_second_switch_are_one_line_each(tmp_path: Path) -> None:
    with Switch(tmp_path) as switch:
        text = switch.config_path.read_text()
        done = seatswitch("run", "-c", str(switch.config_path))
        assert done.stderr.startswith(f"seatswitch: {tmp_path}/seatswitch.lock: another switch (process ")
        other = tmp_path / "other.toml"
        own = text.replace(f"{tmp_path}/", f"{tmp_path}/other/").replace(
            f":{switch.sip_port}", f":{free_port()}"
        )
        other.write_text(own)
        again = seatswitch("run", "-c", str(other))
        assert "rpc.listen: tcp://127.0.0.1:" in again.stderr
        assert "the port is taken by another program" in again.stderr
        for refused in (done, again):
            assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
        assert switch.rpc().call("admin.status")["draining"] is False  # the first one goes on


def test_bad_json_and_bad_requests_are_answered_and_the_connection_lives(tmp_path: Path) -> None:
    with Switch(tmp_path) as switch, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(switch.socket_path))
        file = connection.makefile("rb")
        for text, code in (
            (b"{", -32700),
            (b"[]", -32600),
            (b'{"jsonrpc":"2.0","id":1,"method":"no.such"}', -32601),
            (b'{"jsonrpc":"2.0","id":2,"method":"seat.get","params":{"seat":5}}', -32602),
            (b"[" * 5000 + b"]" * 5000, -32600),
        ):
            connection.sendall(text + b"\n")
            assert json.loads(file.readline())["error"]["code"] in (code, -32700)
        connection.sendall(b'{"jsonrpc":"2.0","id":3,"method":"session.whoami"}\n')
        assert "result" in json.loads(file.readline())


def test_bad_sip_is_refused_or_dropped_and_the_next_call_works(tmp_path: Path) -> None:
    with Switch(tmp_path) as switch, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        for garbage in (b"", b"\x00" * 100, b"INVITE\r\n\r\n", b"\r\n\r\n", os.urandom(1400), b"A" * 65000):
            peer.sendto(garbage, ("127.0.0.1", switch.sip_port))
        with Sipp(
            tmp_path, "caller", port=free_port(), target=f"127.0.0.1:{switch.sip_port}", options=("-d", "200")
        ) as caller:
            caller.finish()
        assert rows_when_complete(switch, "visits", 1)[0]["outcome"] == "abandoned"
        assert "Traceback" not in switch.log_path.read_text(errors="replace")


def test_a_wrong_password_registers_nobody_and_signs_nobody_in(tmp_path: Path) -> None:
    with Switch(tmp_path) as switch:
        with pytest.raises(AssertionError, match="SIPp says"):
            register(tmp_path, switch.sip_port, ["8001"], port=free_port(), password="wrong")
        rpc = switch.rpc()
        answers = []
        for seat in ("8001", "8999"):
            with pytest.raises(RuntimeError) as refused:
                rpc.call("session.login", hotline="96198", seat=seat, password="wrong")
            answers.append(json.loads(str(refused.value)))
        assert answers[0] == answers[1]
        assert answers[0]["data"]["word"] == "BAD_LOGIN"
        assert not rpc.call("seat.get", seat="8001")["phone"]["reachable"]


def test_a_locked_database_costs_no_call_and_no_row(tmp_path: Path) -> None:
    """F-LOCK: somebody else holds it while calls come and go."""
    with Switch(tmp_path) as switch:
        wait_until("the database is there", (tmp_path / "seatswitch.db").exists)
        target = f"127.0.0.1:{switch.sip_port}"
        lock = sqlite3.connect(tmp_path / "seatswitch.db", timeout=10, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        with Sipp(
            tmp_path, "caller", port=free_port(), target=target, calls=20, rate=20, options=("-d", "200")
        ) as callers:
            callers.finish()
        lock.execute("ROLLBACK")
        lock.close()
        rows_when_complete(switch, "calls", 20)
        rows_when_complete(switch, "visits", 20)


def test_a_read_only_database_is_named_and_no_row_is_lost(tmp_path: Path) -> None:
    """The switch does not start with it; what the journal has is written once it may be."""
    with Switch(tmp_path) as switch:
        wait_until("the database is there", (tmp_path / "seatswitch.db").exists)
        target = f"127.0.0.1:{switch.sip_port}"
        with sqlite3.connect(tmp_path / "seatswitch.db", timeout=10, isolation_level=None) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            with Sipp(tmp_path, "caller", port=free_port(), target=target, options=("-d", "200")) as caller:
                caller.finish()
            wait_until("the call is over", lambda: not switch.rpc().call("call.list"))
            switch.stop(signal.SIGKILL)
        lock.close()
        text = switch.config_path.read_text()
        file = f"{tmp_path}/seatswitch.db"
        switch.config_path.write_text(text.replace(file, f"file:{file}?mode=ro&uri=true"))
        done = seatswitch("run", "-c", str(switch.config_path))
        assert done.returncode == 1
        assert "the database cannot be written (attempt to write a readonly database)" in done.stderr
        assert "Traceback" not in done.stderr
        switch.config_path.write_text(text)
        switch.start()
        assert rows_when_complete(switch, "calls", 1)[0]["verdict"] == "caller:abandoned"


def test_killed_and_started_again_the_seat_is_still_signed_in_and_no_row_is_lost(tmp_path: Path) -> None:
    """kill -9: the journal has the rows, the store the sign-in and the registration."""
    phone_port = free_port()
    with Switch(tmp_path) as switch:
        register(tmp_path, switch.sip_port, ["8001"], port=phone_port)
        sign_in(switch, ["8001"])
        target = f"127.0.0.1:{switch.sip_port}"
        with (
            Sipp(tmp_path, "seat", port=phone_port) as seat,
            Sipp(tmp_path, "caller", port=free_port(), target=target, options=("-d", "300")) as caller,
        ):
            caller.finish()
            seat.finish()
        wait_until(
            "the seat is ready", lambda: switch.rpc().call("seat.get", seat="8001")["presence"] == "ready"
        )
        wait_until("the journal is on disk", lambda: len(switch.rows("presences")) >= 5)
        switch.stop(signal.SIGKILL)
        switch.start()
        restored = switch.rpc().call("seat.get", seat="8001")
        assert restored["presence"] == "ready"
        assert restored["phone"]["reachable"]
        assert rows_when_complete(switch, "calls", 1)[0]["verdict"] == "success"
