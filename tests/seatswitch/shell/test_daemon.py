import asyncio
import io
import json
import resource
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from config.load import load_settings
from config.schema import Settings
from kernel.errors import OperatorError
from kernel.ids import RecordingId
from kernel.staterows import RecordingStateRow, VoicemailStateRow
from media.events import NOTHING, Written
from media.recorder import wav_header
from seatswitch.api.audio import Found, Wanted
from seatswitch.shell.clock import Ticker
from seatswitch.shell.daemon import Daemon, LoopErrors, hold_lock, raise_file_limit
from seatswitch.shell.logs import configure_logs
from seatswitch.shell.steady import STEADY_FOR, Seen
from seatswitch.shell.store.records import Follower, Position
from tests.ports import free_port
from tests.seatswitch.shell.stubs import WRITER_COMMAND, StubApi, StubNode, seat_state, until

CONFIGURATION = """
[sip]
listen = ["udp://127.0.0.1:{udp}", "tcp://127.0.0.1:{tcp}"]
domain = "127.0.0.1"
[rpc]
listen = ["unix://{folder}/run/switch.sock"]
[store]
url = "sqlite:///{folder}/var/switch.db"
[recording]
folder = "{folder}/recordings"
[switch]
drain_after = "{drain}s"
"""


class StubLink:
    """Media workers that start at once."""

    def __init__(self, on_started: Callable[[int], None]) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self._on_started = on_started

    async def start(self) -> None:
        self._on_started(0)

    def send(self, worker: int, message: bytes) -> None:
        self.sent.append((worker, message))

    async def stop(self) -> None:
        pass


class StubParts:
    """Makes stubs and keeps them."""

    def __init__(self) -> None:
        self.stub_node = StubNode()
        self.stub_api = StubApi()

    def node(self, settings: Settings, chance: Any, offset: float, now: float) -> StubNode:
        return self.stub_node

    def api(self, node: Any, tokens: Sequence[Any]) -> StubApi:
        return self.stub_api

    def link(
        self, settings: Any, run_dir: str, on_message: Any, on_started: Any, on_lost: Any, rounds: Any
    ) -> StubLink:
        return StubLink(on_started)


def make_settings(folder: Path, drain: float = 60.0) -> Settings:
    text = CONFIGURATION.format(folder=folder, udp=free_port(), tcp=free_port(), drain=drain)
    return load_settings(text, file="test.toml")


def make_daemon(settings: Settings, parts: StubParts, reread: Callable[[], Settings] | None = None) -> Daemon:
    return Daemon(settings, reread or (lambda: settings), parts=parts, writer_command=WRITER_COMMAND)


async def test_switch_starts_serves_and_stops(tmp_path: Path) -> None:
    settings, parts = make_settings(tmp_path), StubParts()
    daemon = make_daemon(settings, parts)
    await daemon.start()
    node = parts.stub_node
    assert node.inputs[:2] == [("started", 0), ("restore", [])]
    node.echo = True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.setblocking(False)
        phone.sendto(b"OPTIONS", ("127.0.0.1", settings.sip.listen[0].port))
        assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(phone, 100), 10.0) == b"OPTIONS"
    _, trunk = await asyncio.open_connection("127.0.0.1", settings.sip.listen[1].port)
    trunk.write(b"INVITE")
    reader, client = await asyncio.open_unix_connection(str(tmp_path / "run" / "switch.sock"))
    client.write(b"{}\n")
    assert await reader.readline() == b'{"ok":true}\n'
    await until(lambda: node.heard("stream"), "the stream")
    assert node.heard("stream")[0][2][:2] == ("tcp", 1)
    json.dumps(daemon.snapshot())
    trunk.close()
    client.close()
    daemon.interrupt()
    await daemon.wait()
    await daemon.stop()
    assert not (tmp_path / "run" / "switch.sock").exists()


async def test_rows_outlive_the_switch_and_come_back(tmp_path: Path) -> None:
    settings, first = make_settings(tmp_path), StubParts()
    daemon = make_daemon(settings, first)
    await daemon.start()
    assert daemon.pump is not None
    daemon.pump.turn(lambda now: first.stub_node.rows.put(seat_state("8001", "paused")))
    await daemon.stop()
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    second = StubParts()
    daemon = make_daemon(settings, second)
    await daemon.start()
    assert second.stub_node.heard("restore") == [("restore", [seat_state("8001", "paused")])]
    await daemon.stop()
    # The writer has taken everything over before it ended.
    follower = Follower(tmp_path / "var" / "journal", Position(0, 0))
    assert follower.next_rows() == []


async def test_what_was_being_written_is_measured_by_whoever_comes_next(tmp_path: Path) -> None:
    """And while a switch runs, when one of its media workers has died."""
    settings, first = make_settings(tmp_path), StubParts()
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "r1.wav").write_bytes(wav_header(2, 8_000) + bytes(16_000))
    (folder / "v1.wav").write_bytes(wav_header(1, 4_000) + bytes(4_001))
    living = [RecordingStateRow(name, "c1", "demo", "", "", "", "139", 1.0) for name in ("r1", "r2")]
    spoken = VoicemailStateRow("v1", "demo", "public", "c2", "", "139", "", "96198", 1.0, 2.0)
    daemon = make_daemon(settings, first)
    await daemon.start()
    pump = daemon.pump
    assert pump is not None
    pump.turn(lambda now: first.stub_node.rows.extend([*living, spoken]))
    pump.turn(lambda now: first.stub_node.looks.put(RecordingId("r1")))
    await until(lambda: first.stub_node.heard("measured"), "a look at the file")
    assert first.stub_node.heard("measured") == [("measured", "r1", Written(1.0, 16_058))]
    await daemon.stop()
    second = StubParts()
    daemon = make_daemon(settings, second)
    await daemon.start()
    assert second.stub_node.files == {
        "r1": Written(1.0, 16_058), "r2": NOTHING, "v1": Written(0.5, 4_059),
    }  # fmt: skip
    await daemon.stop()


async def test_what_somebody_listens_to_is_read_and_handed_back(tmp_path: Path) -> None:
    settings, parts = make_settings(tmp_path), StubParts()
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "r1.wav").write_bytes(b"RIFFWAVE")
    daemon = make_daemon(settings, parts)
    await daemon.start()
    assert daemon.pump is not None
    api = parts.stub_api
    daemon.pump.turn(lambda now: api.reads.put((7, Wanted("r1.wav", 4, 3))))
    await until(lambda: len(api.inputs) > 0, "what was read")
    assert api.inputs == [("audio_read", 7, Found(b"WAV", 8))]
    await daemon.stop()


class Shelf:
    """Voicemails, as far as the shell tells them something."""

    def __init__(self, told: list[Any]) -> None:
        self.told = told

    def hold(self, now: float, *, is_held: bool) -> None:
        self.told.append(("hold", is_held))


async def test_old_messages_are_held_before_a_clock_that_has_jumped_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, too: what was before the restore counts, and nothing is restored by a wrong clock."""
    settings, parts = make_settings(tmp_path), StubParts()
    node, real = parts.stub_node, time.time
    monkeypatch.setattr(node, "voicemails", Shelf(node.inputs), raising=False)
    (tmp_path / "var").mkdir(mode=0o700)
    seen = Seen(real() - 3600.0, real() - 3600.0 - STEADY_FOR)
    (tmp_path / "var" / "clock.json").write_bytes(msgspec.json.encode(seen))
    daemon = make_daemon(settings, parts)
    await daemon.start()
    told = [one for one in node.inputs if one[0] in ("hold", "restore", "clock")]
    assert told == [("hold", True), ("hold", False), ("restore", [])]
    monkeypatch.setattr(time, "time", lambda: real() + 365 * 86_400.0)
    await until(lambda: node.heard("clock"), "the clock")
    monkeypatch.undo()
    assert [one[:2] for one in node.inputs if one[0] in ("hold", "clock")][2][1] is True
    assert [one[0] for one in node.inputs if one[0] in ("hold", "clock")][2:4] == ["hold", "clock"]
    await daemon.stop()


async def test_second_switch_is_refused_by_the_store_and_by_the_port(tmp_path: Path) -> None:
    """Fault list, "two instances started"."""
    settings = make_settings(tmp_path)
    daemon = make_daemon(settings, StubParts())
    await daemon.start()
    with pytest.raises(OperatorError, match=r"seatswitch\.lock: another switch \(process \d+\) uses"):
        await make_daemon(settings, StubParts()).start()
    elsewhere = msgspec.structs.replace(
        settings, store=msgspec.structs.replace(settings.store, url=f"sqlite:///{tmp_path}/other/switch.db")
    )
    with pytest.raises(OperatorError, match="the port is taken by another program"):
        await make_daemon(elsewhere, StubParts()).start()
    await daemon.stop()
    again = make_daemon(settings, StubParts())
    await again.start()
    await again.stop()


async def test_damaged_database_ends_the_start_with_its_name(tmp_path: Path) -> None:
    """Fault list, "DB file corrupt": refuses to start with a clear message, and lets go of everything."""
    settings = make_settings(tmp_path)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "switch.db").write_bytes(b"garbage " * 1000)
    with pytest.raises(OperatorError, match=r"var/switch\.db: the database is damaged"):
        await make_daemon(settings, StubParts()).start()
    (tmp_path / "var" / "switch.db").unlink()
    daemon = make_daemon(settings, StubParts())
    await daemon.start()
    await daemon.stop()


# A row writer that begins when there is a file.
PATIENT_WRITER = """
import os, sys, time
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
os.execv(sys.argv[2], sys.argv[2:])
"""


async def test_workers_start_while_the_row_writer_does(tmp_path: Path) -> None:
    """Whichever is later is waited for: here the writer waits for the workers."""

    class TellingLink(StubLink):
        async def start(self) -> None:
            await super().start()
            (tmp_path / "workers").touch()

    class TellingParts(StubParts):
        def link(
            self, settings: Any, run_dir: str, on_message: Any, on_started: Any, on_lost: Any, rounds: Any
        ) -> StubLink:
            return TellingLink(on_started)

    settings, parts = make_settings(tmp_path), TellingParts()
    command = (sys.executable, "-c", PATIENT_WRITER, str(tmp_path / "workers"), *WRITER_COMMAND)
    daemon = Daemon(
        settings, lambda: settings, parts=parts, writer_command=command, database_within=3_600.0
    )
    await asyncio.wait_for(daemon.start(), 60.0)
    assert parts.stub_node.inputs[:2] == [("started", 0), ("restore", [])]
    assert (tmp_path / "var" / "switch.db").exists()
    await daemon.stop()


async def test_what_ends_the_start_is_no_lateness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop is measured from then on, and desks and tools are let in: no first call is refused for it."""
    seen: list[str] = []

    class TellingTicker(Ticker):
        def start(self) -> None:
            seen.append("ticks")
            super().start()

    settings = make_settings(tmp_path)
    rpc_socket = tmp_path / "run" / "switch.sock"

    def settle() -> None:
        seen.append("open" if rpc_socket.exists() else "settled")

    monkeypatch.setattr("seatswitch.shell.daemon.Ticker", TellingTicker)
    daemon = Daemon(
        settings, lambda: settings, parts=StubParts(), writer_command=WRITER_COMMAND, settle=settle
    )
    await daemon.start()
    assert seen == ["settled", "ticks"]
    assert rpc_socket.exists()
    await daemon.stop()


async def in_a_call(
    tmp_path: Path, end: Callable[[Daemon, StubNode], Awaitable[None]], drain: float = 60.0
) -> list[Any]:
    """Return the inputs of a switch with one call, from the moment on when ``end`` asks it to end."""
    parts = StubParts()
    daemon = make_daemon(make_settings(tmp_path, drain), parts)
    await daemon.start()
    node = parts.stub_node
    node.calls.append("a1")
    node.inputs.clear()
    waiting = asyncio.ensure_future(daemon.wait())
    await end(daemon, node)
    await waiting
    await daemon.stop()
    return node.inputs


async def test_drain_waits_for_the_last_call(tmp_path: Path) -> None:
    """Contract 1, SIGTERM: no new calls, waits for calls."""

    async def end(daemon: Daemon, node: StubNode) -> None:
        daemon.drain()
        await until(lambda: node.inputs, "the drain")
        node.calls.clear()

    inputs = await in_a_call(tmp_path, end)
    assert ("drain",) in inputs
    assert not [it for it in inputs if it[0] == "hang_up"]


async def test_drain_ends_calls_that_last_too_long(tmp_path: Path) -> None:
    async def end(daemon: Daemon, node: StubNode) -> None:
        daemon.drain()

    assert ("hang_up", "a1", "shutdown") in await in_a_call(tmp_path, end, drain=0.1)


async def test_stop_hangs_up_at_once_even_while_draining(tmp_path: Path) -> None:
    async def end(daemon: Daemon, node: StubNode) -> None:
        daemon.drain()
        await until(lambda: node.inputs, "the drain")
        daemon.interrupt()

    assert ("hang_up", "a1", "shutdown") in await in_a_call(tmp_path, end)


@pytest.mark.parametrize("is_last", [True, False], ids=["answered", "never answered"])
async def test_stop_gives_the_last_answers_their_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_last: bool
) -> None:
    """What was hung up is there until its BYE is answered: only then, or when the time is over, it leaves."""
    parts = StubParts()
    settings = make_settings(tmp_path)
    daemon = make_daemon(settings, parts)
    await daemon.start()
    node, looks = parts.stub_node, list[float]()
    monkeypatch.setattr("seatswitch.shell.daemon.STOP_WITHIN", 60.0 if is_last else 0.3)

    def is_idle() -> bool:
        looks.append(asyncio.get_running_loop().time())
        node.inputs.append(("look", len(looks)))
        return is_last and len(looks) == 3

    monkeypatch.setattr(node, "is_idle", is_idle)
    await asyncio.wait_for(daemon.stop(), 30.0)
    said = [one[0] for one in node.inputs if one[0] in ("drain", "look", "leave")]
    if is_last:
        assert said == ["drain", "look", "look", "look", "leave"]
    else:
        assert said[:2] == ["drain", "look"]
        assert said[-2:] == ["look", "leave"]
        assert len(looks) > 1


async def test_start_that_hangs_can_be_interrupted(tmp_path: Path) -> None:
    class HangingLink(StubLink):
        async def start(self) -> None:
            hanging.set()
            await asyncio.Event().wait()

    class HangingParts(StubParts):
        def link(
            self, settings: Any, run_dir: str, on_message: Any, on_started: Any, on_lost: Any, rounds: Any
        ) -> StubLink:
            return HangingLink(on_started)

    hanging, ready = asyncio.Event(), list[str]()
    settings = make_settings(tmp_path)
    daemon = make_daemon(settings, HangingParts())
    running = asyncio.ensure_future(daemon.run(lambda: ready.append("ready")))
    await asyncio.wait_for(hanging.wait(), 10.0)
    daemon.interrupt()
    await asyncio.wait_for(running, 10.0)
    assert ready == []
    again = make_daemon(settings, StubParts())  # everything has been let go of

    def on_ready() -> None:
        ready.append("ready")
        again.drain()

    await asyncio.wait_for(again.run(on_ready), 20.0)
    assert ready == ["ready"]


async def test_reload_takes_a_right_configuration_and_keeps_the_old_for_a_wrong_one(tmp_path: Path) -> None:
    """Fault list, "config reload with errors"."""
    settings, parts = make_settings(tmp_path), StubParts()
    changed = msgspec.structs.replace(settings, drain_after=1.0)
    answers: list[Settings | OperatorError] = [OperatorError("test.toml: sip", "is wrong"), changed]

    def reread() -> Settings:
        answer = answers.pop(0)
        if isinstance(answer, OperatorError):
            raise answer
        return answer

    daemon = make_daemon(settings, parts, reread)
    await daemon.start()
    daemon.reload()
    assert (daemon.settings, parts.stub_node.heard("reconfigure")) == (settings, [])
    assert daemon.pump is not None
    daemon.pump.turn(lambda now: parts.stub_api.requests.put("reload"))
    await until(lambda: parts.stub_node.heard("reconfigure"), "the reload")
    assert parts.stub_node.heard("reconfigure") == [("reconfigure", changed)]
    assert daemon.settings is changed
    await daemon.stop()


async def test_reload_says_what_changes_and_what_waits_for_a_restart(tmp_path: Path) -> None:
    settings, parts = make_settings(tmp_path), StubParts()
    media = msgspec.structs.replace(settings.media, ports=(30000, 30998))
    changed = msgspec.structs.replace(settings, drain_after=1.0, media=media)
    daemon = make_daemon(settings, parts, lambda: changed)
    await daemon.start()
    stream = io.BytesIO()
    configure_logs("info", stream)
    daemon.reload()
    structlog.reset_defaults()
    await daemon.stop()
    said = [line.partition("change=")[2] for line in stream.getvalue().decode().splitlines()]
    assert said == [
        '"media.ports has changed ([20000, 29998] -> [30000, 30998]): it takes effect at the next start"',
        '"switch.drain_after 60 -> 1"',
    ]


def test_ports_beyond_the_limit_of_open_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One port pair takes two files; a worker that runs out of them would drop calls at its busiest."""
    settings, taken = make_settings(tmp_path), list[tuple[int, int]]()
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: taken.append(limits))
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, 10512))
    raise_file_limit(settings)
    assert taken == [(10512, 10512)]
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, 10511))
    with pytest.raises(OperatorError, match=r"media\.ports: 20000-29998 needs 10512 .* the limit is 10511:"):
        raise_file_limit(settings)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, resource.RLIM_INFINITY))
    raise_file_limit(settings)


def test_lock_names_its_owner_and_ends_with_it(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock"), pytest.raises(OperatorError, match=r"process \d+"):
        hold_lock(tmp_path / "lock")
    hold_lock(tmp_path / "lock").close()


def test_lock_that_cannot_be_written_is_the_operators(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to("/dev/full")
    with pytest.raises(OperatorError, match=r"lock: the lock cannot be written \("):
        hold_lock(tmp_path / "lock")


async def test_loop_that_complains_without_end_is_logged_at_powers_of_ten() -> None:
    """Fault list, "fd exhaustion": the log does not grow with every refused accept."""
    stream = io.BytesIO()
    configure_logs("info", stream)
    complain = LoopErrors()
    for _ in range(5000):
        error = OSError(24, "Too many open files")
        complain(asyncio.get_running_loop(), {"message": "accept failed", "exception": error})
    structlog.reset_defaults()
    lines = stream.getvalue().decode().splitlines()
    assert [line.rpartition("times=")[2] for line in lines] == ["1", "10", "100", "1000"]
    assert 'what="accept failed" why="[Errno 24] Too many open files"' in lines[0]
