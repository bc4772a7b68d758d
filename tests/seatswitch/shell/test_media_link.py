"""Real workers on loopback: a process of its own, or the switch's own loop."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from struct import Struct
from typing import Any

import pytest

from kernel.chance import Chance
from kernel.errors import OperatorError
from kernel.ids import StreamId
from kernel.timers import TimerQueue
from media.events import MediaEvent, StreamClosed, WorkerLost
from media.messages import Hello, encode_reports
from media.plane import Plane, RemoteMedia
from media.settings import MediaSettings
from seatswitch.shell.clock import monotonic
from seatswitch.shell.media_link import Connection, MediaLink
from tests.ports import free_media_ports

HEADER = Struct(">BBHII")
HOST = "127.0.0.1"
A, B = StreamId(1), StreamId(2)
WAIT_MAX = 30.0  # seconds any of these may take on a slow machine


def free_range(pairs: int) -> tuple[int, int]:
    """Return a range of ports of ours."""
    first = free_media_ports(2 * pairs)
    return first, first + 2 * (pairs - 1)


class Rig:
    """A plane, its link, and phones that are plain sockets."""

    def __init__(self, folder: Path, workers: int) -> None:
        settings = MediaSettings(workers=workers, ports=free_range(8 * max(1, workers)), ports_ahead=4)
        self.plane = Plane(settings, TimerQueue(), Chance(os.urandom))
        self.link = MediaLink(settings, str(folder), self.receive, self.started, self.lost)
        self.seen: list[MediaEvent] = []
        self.phones: list[socket.socket] = []
        self.targets: list[tuple[str, int]] = []

    def receive(self, worker: int, message: bytes) -> None:
        self.plane.receive_worker(worker, message, monotonic())
        self.flush()

    def started(self, worker: int) -> None:
        self.plane.worker_started(worker, monotonic())
        self.flush()

    def lost(self, worker: int) -> None:
        self.plane.worker_lost(worker, monotonic())
        self.flush()

    def flush(self) -> None:
        for worker, message in self.plane.commands.take():
            self.link.send(worker, message)
        self.seen += self.plane.events.take()
        self.plane.check()

    def count(self, what: str) -> int:
        """Return how many ports of all workers are free, rest or are used."""
        workers: Any = self.plane.snapshot()["workers"]
        return sum(int(worker["ports"][what]) for worker in workers)

    async def until(self, holds: Callable[[], bool]) -> None:
        deadline = monotonic() + WAIT_MAX
        while not holds():
            assert monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.01)

    async def call(self) -> None:
        """Open two streams to two phones."""
        await self.until(lambda: self.count("free") >= 2)
        for stream in (A, B):
            phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            phone.bind((HOST, 0))
            phone.setblocking(False)
            self.phones.append(phone)
            opened = self.plane.open(stream, monotonic())
            assert opened is not None
            self.targets.append(opened)
            remote = RemoteMedia(HOST, phone.getsockname()[1], "PCMU", 0, 0)
            self.plane.set_remote(stream, remote, monotonic())
        self.flush()

    async def hear(self, phone: int, count: int) -> list[tuple[int, ...]]:
        """Return the headers of the next packets that a phone gets."""
        loop = asyncio.get_running_loop()
        heard = []
        for _ in range(count):
            data = await asyncio.wait_for(loop.sock_recv(self.phones[phone], 2048), WAIT_MAX)
            heard.append(HEADER.unpack_from(data))
        return heard

    async def speak(self, phone: int, sequence: int) -> tuple[int, ...]:
        """Send a packet from one phone until the other hears one; return its header."""
        packet = HEADER.pack(0x80, 0, sequence, sequence * 160, 77 + phone) + bytes(160)
        loop = asyncio.get_running_loop()
        for _ in range(10):  # a worker that has just started may not know of the stream yet
            self.phones[phone].sendto(packet, self.targets[phone])
            try:
                data = await asyncio.wait_for(loop.sock_recv(self.phones[1 - phone], 2048), WAIT_MAX / 10)
            except TimeoutError:
                continue
            return HEADER.unpack_from(data)
        raise AssertionError("nothing was heard")


@asynccontextmanager
async def rig(folder: Path, workers: int) -> AsyncIterator[Rig]:
    made = Rig(folder, workers)
    try:
        await made.link.start()
        yield made
    finally:
        await made.link.stop()
        for phone in made.phones:
            phone.close()


@pytest.mark.parametrize("workers", [0, 1])
async def test_waiting_caller_hears_music_and_then_the_seat(tmp_path: Path, workers: int) -> None:
    """The same behaviour in a process of its own and in the switch's."""
    async with rig(tmp_path, workers) as made:
        await made.call()
        made.plane.play(A, ("builtin:welcome", "builtin:music"), monotonic())
        made.flush()
        music = await made.hear(0, 5)
        assert [header[2] for header in music] == [(music[0][2] + index) & 0xFFFF for index in range(5)]
        assert [header[1] for header in music] == [0x80, 0, 0, 0, 0]
        made.plane.connect(A, B, monotonic())
        made.flush()
        with suppress(TimeoutError):
            while True:  # what was on the way, until there is silence; music comes every 20 ms
                music += await asyncio.wait_for(made.hear(0, 1), 0.5)
        sequence, ssrc = music[-1][2], music[-1][4]
        assert [(await made.speak(1, index))[2:5:2] for index in range(3)] == [
            ((sequence + 1 + index) & 0xFFFF, ssrc) for index in range(3)
        ]
        assert (await made.speak(0, 500))[2] == 500
        made.plane.close(A, monotonic())
        made.plane.close(B, monotonic())
        made.flush()
        await made.until(made.plane.is_quiet)
        closed = {event.stream: event.statistics for event in made.seen if isinstance(event, StreamClosed)}
        assert (closed[A].packets_received, closed[B].packets_received, closed[B].packets_sent) == (1, 3, 1)
        assert closed[A].packets_sent == len(music) + 3


@pytest.mark.parametrize("workers", [0, 1, 2])
async def test_a_call_that_comes_at_once_finds_a_port(tmp_path: Path, workers: int) -> None:
    """Started is who has bound ports: a call in the next moment waits for nothing."""
    async with rig(tmp_path, workers) as made:
        reported: Any = made.plane.snapshot()["workers"]
        assert all(worker["ports"]["free"] for worker in reported)
        assert made.plane.open(A, monotonic()) is not None


async def test_killed_worker_is_reported_and_its_successor_has_the_same_ports(tmp_path: Path) -> None:
    async with rig(tmp_path, 1) as made:
        await made.call()
        made.plane.connect(A, B, monotonic())
        made.flush()
        assert (await made.speak(0, 1))[2] == 1
        first = made.link.pids()[0]
        os.kill(first, signal.SIGKILL)
        await made.until(lambda: WorkerLost(0, 2) in made.seen)
        await made.until(lambda: made.count("free") > 0)
        assert made.link.pids()[0] != first
        assert (await made.speak(0, 2))[2] == 2
        assert (await made.speak(1, 9))[2] == 9


async def test_two_workers_carry_one_call_between_them(tmp_path: Path) -> None:
    """Whoever connects streams of two workers is understood, though neighbours share one."""
    async with rig(tmp_path, 2) as made:
        await made.until(lambda: made.count("free") >= 8)
        await made.call()
        made.plane.connect(A, B, monotonic())
        made.flush()
        assert (await made.speak(0, 1))[2] == 1
        assert (await made.speak(1, 5))[2] == 5
        assert (await made.speak(0, 2))[2] == 2


async def test_stop_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    async with rig(tmp_path, 1) as made:
        (pid,) = made.link.pids()
        assert Path(made.link.path).is_socket()
    assert not Path(made.link.path).exists()
    assert not Path(f"/proc/{pid}").exists()


async def test_strange_workers_are_turned_away(tmp_path: Path) -> None:
    """A worker of a switch before this one goes on by itself until its time is over."""
    async with rig(tmp_path, 1) as made:
        reader, writer = await asyncio.open_unix_connection(made.link.path)
        hello = encode_reports([Hello(0, os.getpid())])
        writer.write(len(hello).to_bytes(4, "big") + hello)
        assert await asyncio.wait_for(reader.read(), WAIT_MAX) == b""
        writer.close()
        await made.until(lambda: made.count("free") > 0)


async def test_a_worker_that_connects_before_its_process_is_known_is_not_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine: what it says first, which ports it has, is said once. Nor is one that gave up kept."""
    spawn, made = asyncio.create_subprocess_exec, Rig(tmp_path, 1)
    heard: list[Connection] = []

    async def late(*command: Any, **more: Any) -> asyncio.subprocess.Process:
        _, given_up = await asyncio.open_unix_connection(made.link.path)
        given_up.write(b"\0")
        await made.until(lambda: len(heard) == 1)
        given_up.close()
        process = await spawn(*command, **more)
        await made.until(lambda: len(heard) == 2)
        return process

    asked = made.link.is_too_early

    def is_too_early(connection: Connection) -> bool:
        answer = asked(connection)
        if answer and connection not in heard:
            heard.append(connection)
        return answer

    monkeypatch.setattr(asyncio, "create_subprocess_exec", late)
    monkeypatch.setattr(made.link, "is_too_early", is_too_early)
    await asyncio.wait_for(made.link.start(), WAIT_MAX)
    assert made.count("free") == 4
    await made.link.stop()


async def test_path_too_long_for_a_socket_names_itself(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    made = Rig(folder, 1)
    with pytest.raises(OperatorError, match=r"media\.sock: a socket's path has at most 107 bytes"):
        await made.link.start()


async def test_range_of_which_nothing_can_be_bound_ends_the_start(tmp_path: Path) -> None:
    first, last = free_range(2)
    taken = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
    for place, it in enumerate(taken):
        it.bind((HOST, first + place))
    settings = MediaSettings(workers=1, ports=(first, last))
    link = MediaLink(settings, str(tmp_path), lambda *_: None, lambda _: None, lambda _: None)
    with pytest.raises(
        OperatorError, match=rf"media\.ports: none of {first}-{last} can be bound at 127\.0\.0\.1"
    ):
        await link.start()
    await link.stop()
    taken[2].close()
    taken[3].close()  # one pair is enough to begin with
    again = MediaLink(settings, str(tmp_path), lambda *_: None, lambda _: None, lambda _: None)
    await again.start()
    await again.stop()
    for it in taken:
        it.close()


async def test_media_address_that_is_not_ours_ends_the_start(tmp_path: Path) -> None:
    """RFC 5737: 192.0.2.1 is nobody's. The range is longer than what is bound in one go."""
    settings = MediaSettings(workers=2, address="192.0.2.1", ports=(20_000, 20_998))
    link = MediaLink(settings, str(tmp_path), lambda *_: None, lambda _: None, lambda _: None)
    with pytest.raises(OperatorError, match=r"can be bound at 192\.0\.2\.1"):
        await link.start()
    await link.stop()
