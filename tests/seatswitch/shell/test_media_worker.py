"""The worker's loop in a thread of the test, with a real link and real sockets."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from calls.phrases import NAMES
from kernel.chance import Chance
from kernel.ids import StreamId
from media import host as host_module
from media.events import StreamStatistics
from media.host import Host
from media.messages import (
    BindPorts,
    Close,
    Closed,
    Command,
    Configure,
    Connect,
    Hello,
    PortsBound,
    Quit,
    Report,
    SetRemote,
    decode_reports,
    encode_commands,
)
from seatswitch import main
from seatswitch.shell import media_worker
from seatswitch.shell.media_worker import Link, RtpSockets, WorkerLoop, load_builtin
from tests.media.wires import Shelf
from tests.seatswitch.shell.test_media_link import HEADER, HOST, WAIT_MAX, free_range

ROOT = Path(__file__).resolve().parents[3]


class Switch:
    """The other end of the link, blocking."""

    def __init__(self, path: str) -> None:
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(path)
        self.listening.listen()
        self.listening.settimeout(WAIT_MAX)
        self.peer: socket.socket | None = None

    def accept(self) -> list[Report]:
        """Take a worker's connection; return its first message."""
        self.peer, _ = self.listening.accept()
        self.peer.settimeout(WAIT_MAX)
        return self.read()

    def frame(self) -> bytes:
        assert self.peer is not None
        size = int.from_bytes(self.peer.recv(4, socket.MSG_WAITALL), "big")
        return self.peer.recv(size, socket.MSG_WAITALL) if size else b""

    def read(self) -> list[Report]:
        return decode_reports(self.frame())

    def write(self, data: bytes) -> None:
        assert self.peer is not None
        self.peer.sendall(len(data).to_bytes(4, "big") + data)

    def tell(self, *commands: Command) -> None:
        self.write(encode_commands(list(commands)))

    def hang_up(self) -> None:
        assert self.peer is not None
        self.peer.close()

    def close(self) -> None:
        if self.peer is not None:
            self.peer.close()
        self.listening.close()


class Worker(threading.Thread):
    """A worker in a thread."""

    def __init__(self, path: str, ports: tuple[int, int], ahead: int) -> None:
        super().__init__(daemon=True)
        self.sockets = RtpSockets(HOST)
        self.host = Host(self.sockets, Chance(os.urandom), ports, Shelf())
        self.host.ask_for_ports(ahead)
        self.loop = WorkerLoop(Link(path, 3), self.host, self.sockets)
        self.status = -1

    def run(self) -> None:
        """Serve."""
        self.status = self.loop.run()
        self.sockets.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "media.sock")


@pytest.fixture
def switch(path: str) -> Iterator[Switch]:
    made = Switch(path)
    yield made
    made.close()


def ended(worker: Worker) -> int:
    worker.join(WAIT_MAX)
    assert not worker.is_alive()
    return worker.status


def test_worker_says_who_it_is_and_what_it_has_bound(path: str, switch: Switch) -> None:
    first, last = free_range(4)
    worker = Worker(path, (first, last), 3)
    worker.start()
    assert switch.accept() == [Hello(3, os.getpid())]
    assert switch.read() == [PortsBound((first, first + 2, first + 4), False)]
    switch.tell(BindPorts(9))
    assert switch.read() == [PortsBound((last,), True)]
    switch.tell(Quit())
    assert ended(worker) == 0


def test_ports_that_were_asked_for_are_told_at_once(
    path: str, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls may wait for them: no other report has to keep them company."""
    monkeypatch.setattr(media_worker, "_GATHER_FOR", 1e9)
    ports = free_range(20)
    worker = Worker(path, ports, 2)
    worker.start()
    switch.accept()
    assert switch.read() == [PortsBound((ports[0], ports[0] + 2), False)]
    switch.tell(BindPorts(18))
    told = switch.read()  # in one message, although they are bound by and by
    assert sum(len(report.ports) for report in told if isinstance(report, PortsBound)) == 18
    switch.tell(Quit())
    assert ended(worker) == 0


def test_what_waits_goes_along_when_the_switch_says_something(
    path: str, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_worker, "_GATHER_FOR", 1e9)
    worker = Worker(path, free_range(1), 0)
    worker.start()
    switch.accept()
    switch.tell(Close(StreamId(7)))
    frames = []
    while not any(frames) and len(frames) < 100:  # the first signs of life may come in with the command
        switch.write(b"")
        frames.append(switch.frame())
    assert decode_reports(frames[-1]) == [Closed(StreamStatistics(StreamId(7)))]
    switch.tell(Quit())
    assert ended(worker) == 0


def test_sign_of_life_is_answered_and_messages_may_come_in_pieces(path: str, switch: Switch) -> None:
    worker = Worker(path, free_range(1), 0)
    worker.start()
    switch.accept()
    switch.write(b"")
    assert switch.frame() == b""
    assert switch.peer is not None
    message = encode_commands([Configure(5.0)])
    for byte in len(message).to_bytes(4, "big") + message:
        switch.peer.sendall(bytes((byte,)))
    switch.write(b"")
    assert switch.frame() == b""
    switch.tell(Quit())
    assert ended(worker) == 0


def test_worker_without_a_switch_says_so(path: str) -> None:
    worker = Worker(path, free_range(1), 0)
    worker.start()
    assert ended(worker) == 1


def test_orphan_forwards_and_finds_its_switch_again(
    path: str, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch dies and comes back under the same name: audio went on, the worker says hello again."""
    monkeypatch.setattr(media_worker, "RECONNECT_EVERY", 0.05)
    first, last = free_range(2)
    worker = Worker(path, (first, last), 2)
    worker.start()
    switch.accept()
    switch.read()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for stream, phone in ((1, one), (2, other)):
            phone.bind((HOST, 0))
            phone.settimeout(WAIT_MAX)
            port, codec = phone.getsockname()[1], "PCMU"
            where = (StreamId(stream), first + 2 * (stream - 1), HOST, port, False, codec)
            switch.tell(SetRemote(*where, 0, 0, -1, -1, True, True))
        switch.tell(Connect(StreamId(1), StreamId(2)))
        switch.write(b"")
        assert switch.frame() == b""
        switch.hang_up()
        one.sendto(HEADER.pack(0x80, 0, 9, 9, 9) + bytes(160), (HOST, first))
        assert HEADER.unpack_from(other.recv(2048))[2] == 9
    assert switch.accept() == [Hello(3, os.getpid())]
    switch.tell(Quit())
    assert ended(worker) == 0


def test_orphan_gives_up(path: str, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_worker, "RECONNECT_EVERY", 0.02)
    monkeypatch.setattr(media_worker, "ORPHAN_FOR", 0.1)
    worker = Worker(path, free_range(1), 0)
    worker.start()
    switch.accept()
    switch.close()
    Path(path).unlink()
    assert ended(worker) == 0


def phone() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((HOST, 0))
    made.settimeout(WAIT_MAX)
    return made


def rtp(sequence: int, ssrc: int = 9) -> bytes:
    return HEADER.pack(0x80, 0, sequence & 0xFFFF, sequence * 160, ssrc) + bytes(160)


@pytest.fixture
def bridge(
    path: str, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Worker, int, socket.socket, socket.socket]]:
    """A worker with two phones in a call whose streams are locked as soon as they talk."""
    monkeypatch.setattr(host_module, "_LOCK_AFTER", 0.0)
    monkeypatch.setattr(host_module, "_SCAN_EVERY", 0.01)
    first, last = free_range(2)
    worker = Worker(path, (first, last), 2)
    worker.start()
    switch.accept()
    switch.read()
    with phone() as one, phone() as other:
        for stream, at in ((1, one), (2, other)):
            where = (StreamId(stream), first + 2 * (stream - 1), HOST, at.getsockname()[1], False, "PCMU")
            switch.tell(SetRemote(*where, 0, 0, -1, -1, True, True))
        switch.tell(Connect(StreamId(1), StreamId(2)))
        switch.write(b"")
        assert switch.frame() == b""
        yield worker, first, one, other
    switch.tell(Quit())
    assert ended(worker) == 0


def talk_until_locked(worker: Worker, first: int, one: socket.socket, other: socket.socket) -> int:
    """Let both talk until both streams are locked; return the next sequence number."""
    streams = worker.host.streams
    for sequence in range(2_000):
        one.sendto(rtp(sequence), (HOST, first))
        assert other.recv(2048)[12:] == bytes(160)
        other.sendto(rtp(sequence), (HOST, first + 2))
        assert one.recv(2048)[12:] == bytes(160)
        if all(streams[StreamId(number)].transmit is not None for number in (1, 2)):
            return sequence + 1
        time.sleep(0.001)
    raise AssertionError("the streams are not locked")


def test_a_locked_stream_takes_its_peer_alone_and_keeps_its_port(
    switch: Switch, bridge: tuple[Worker, int, socket.socket, socket.socket]
) -> None:
    """Real sockets: what strangers send at the very port is foreign, and no other program gets the port."""
    worker, first, one, other = bridge
    begun = talk_until_locked(worker, first, one, other)
    with phone() as stranger:
        for sequence in range(begun, begun + 20):
            stranger.sendto(rtp(sequence), (HOST, first))
            one.sendto(rtp(sequence), (HOST, first))
            assert HEADER.unpack_from(other.recv(2048))[2] == sequence
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            thief.bind((HOST, first))
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.recv(2048)  # nothing of the stranger came late
    switch.tell(Close(StreamId(1)))
    closed = switch.read()[0]
    assert isinstance(closed, Closed)
    counted = closed.statistics
    assert (counted.packets_received, counted.lost, counted.foreign) == (begun + 20, 0, 20)


def test_a_locked_phone_that_moves_is_heard_again(
    bridge: tuple[Worker, int, socket.socket, socket.socket],
) -> None:
    worker, first, one, other = bridge
    begun = talk_until_locked(worker, first, one, other)
    time.sleep(0.25)  # the old source must have been silent
    with phone() as moved:
        for sequence in range(begun, begun + 5):
            moved.sendto(rtp(sequence), (HOST, first))
        assert HEADER.unpack_from(other.recv(2048))[2] == begun + 4
        other.sendto(rtp(begun), (HOST, first + 2))
        assert HEADER.unpack_from(moved.recv(2048))[4] == 9


def test_a_busy_worker_lets_packets_gather_and_loses_none(
    bridge: tuple[Worker, int, socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty packets in 10 ms and more make it busy: then it sleeps a little between two rounds."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(media_worker, "sleep", sleep)
    worker, first, one, other = bridge
    talk_until_locked(worker, first, one, other)
    heard = 0
    for sequence in range(1_000, 3_000):
        one.sendto(rtp(sequence), (HOST, first))
        if sequence % 20 == 19:
            while heard <= sequence - 1_000:
                assert HEADER.unpack_from(other.recv(2048))[2] == (1_000 + heard) & 0xFFFF
                heard += 1
    assert heard == 2_000
    assert slept
    assert max(slept) <= media_worker.ROUND


def test_taken_ports_are_passed_over(path: str, switch: Switch) -> None:
    first, last = free_range(3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, first + 3))  # the RTCP port of the second pair
        worker = Worker(path, (first, last), 3)
        worker.start()
        switch.accept()
        assert switch.read() == [PortsBound((first, last), True)]
        switch.tell(Quit())
        assert ended(worker) == 0


def test_shipped_sounds_are_loaded() -> None:
    sockets = RtpSockets(HOST)
    host = Host(sockets, Chance(os.urandom), (1, 0), Shelf())
    load_builtin(host)
    assert len(host.prompts["builtin:welcome"].frames["PCMU"]) == 150
    assert len(host.prompts["builtin:music"].frames["PCMA"]) == 1600
    said = [name for name in host.prompts if name.startswith("voice:")]
    assert sorted(said) == sorted(f"voice:{at}/{name}" for at, names in NAMES.items() for name in names)
    sockets.close()


OPTIONS = ["--link", "run/media.sock", "--worker", "2", "--address", "127.0.0.1", "--ahead", "8"]


def test_the_words_of_its_command_run_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[object, ...]] = []
    monkeypatch.setattr(media_worker, "run_worker", lambda *them: ran.append(them) or 4)
    monkeypatch.setattr(sys, "argv", ["seatswitch", "media-worker", *OPTIONS, "--ports", "20000-20998"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 4
    assert ran == [("run/media.sock", 2, "127.0.0.1", (20000, 20998), 8)]


@pytest.mark.parametrize(
    "words",
    [
        [],
        OPTIONS,
        [*OPTIONS, "--ports", "20000"],
        [*OPTIONS, "--ports"],
        [*OPTIONS, "--ports", "20000-20998", "--help"],
        [*OPTIONS, "--ports", "20000-20998", "--more", "1"],
    ],
)
def test_other_words_are_told_how_it_is_used(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert media_worker.run_words(words) == 2
    assert capsys.readouterr().err.startswith("usage: seatswitch media-worker --link SOCKET")


def test_an_idle_worker_has_no_library_that_only_others_need(tmp_path: Path) -> None:
    """Below 40 MB: the command line's libraries alone are a third of that."""
    code = (
        "import sys, seatswitch; sys.argv = ['seatswitch', 'media-worker']; "
        "status = None\n"
        "try: seatswitch.main()\n"
        "except SystemExit as ended: status = ended.code\n"
        "heavy = ('typer', 'click', 'rich', 'asyncio', 'structlog', 'sqlalchemy', 'sip', 'acd', 'calls'); "
        "print(status, [it for it in heavy if it in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "2 []\n"
