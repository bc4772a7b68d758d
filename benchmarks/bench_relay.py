"""Relay: CPU per forwarded RTP packet and added delay, of our media worker, a bare loop and rtpengine.

All three stand between the same phones: CALLS calls, both directions, 50 packets/s each of 172 bytes, one
process sending and receiving on one core, the relay on the other. The phones never sleep, so that no
relay pays for waking them. All relays live at the same time and have their turns in short slices, so that
a machine whose speed changes changes it for all; medians over the slices. Packets come one by one, as
those of phones that know nothing of each other, or with --bursts all phones of a millisecond together.
Half of our streams have heard music before, so that their packets are rewritten to go on where it
stopped. Delay is from before the phone's ``sendto`` to the kernel's time stamp of arrival. rtpengine
(Debian: rtpengine-daemon) is measured when it is installed, without its kernel module, which no other
relay here has either.

python -m benchmarks.bench_relay                 # 200 calls, both patterns: about a minute
python -m benchmarks.bench_relay --calls 400 --rounds 20 --only worker bare
"""

import argparse
import asyncio
import json
import math
import os
import select
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeAlias

import uvloop

from kernel.chance import Chance
from kernel.ids import StreamId
from kernel.timers import TimerQueue
from media.events import StreamClosed
from media.plane import Plane, RemoteMedia
from media.settings import MediaSettings
from seatswitch.shell.media_link import MediaLink

FRAME_EVERY = 0.02
SIZE = 172
STEPS = 20  # groups of phones that send together in bursts, 1 ms apart
PACKET = struct.Struct(">BBHIIq")
SO_TIMESTAMPNS = 35
HOST = "127.0.0.1"
FIRST_PORT = 16_000  # of our worker
PORTS_AHEAD = 2_000
BARE_PORT = 12_000
LATCH_FOR = 4.0  # seconds until our worker has locked every stream


class Running(NamedTuple):
    """A relay between the phones."""

    pid: int
    targets: list[int]  # its port by phone
    rest: Callable[[], None]  # called between slices


class Phones:
    """Both ends of every call."""

    def __init__(self, calls: int) -> None:
        self.sockets: list[socket.socket] = []
        self.poll_set = select.epoll()
        for _ in range(2 * calls):
            phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            phone.bind((HOST, 0))
            phone.setblocking(False)
            phone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
            phone.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.poll_set.register(phone.fileno(), select.EPOLLIN)
            self.sockets.append(phone)
        self.by_descriptor = {phone.fileno(): phone for phone in self.sockets}
        self.ports = [phone.getsockname()[1] for phone in self.sockets]
        self.delays: list[int] = []
        self.sent = 0
        self.frame = 0

    def talk(self, targets: list[int], seconds: float, in_bursts: bool) -> None:
        """Send 50 packets/s from every phone to its relay port, take what comes; never sleep."""
        packet = bytearray(SIZE)
        turns = self._turns(in_bursts)
        begun, monotonic, take = time.monotonic(), time.monotonic, self.take
        for index in range(int(seconds / FRAME_EVERY)):
            self.frame += 1
            start = begun + index * FRAME_EVERY
            for at, number in turns:
                while monotonic() - start < at:
                    take()
                PACKET.pack_into(
                    packet, 0, 0x80, 0, self.frame & 0xFFFF, self.frame * 160, number + 1, time.time_ns()
                )
                self.sockets[number].sendto(packet, (HOST, targets[number]))
                self.sent += 1
            take()
        until = monotonic() + 0.05
        while monotonic() < until:
            take()

    def _turns(self, in_bursts: bool) -> list[tuple[float, int]]:
        """Return when in a frame each phone sends: in STEPS bursts, or at a moment of its own."""
        count = len(self.sockets)
        if in_bursts:
            step = FRAME_EVERY / STEPS
            return [(group * step, number) for group in range(STEPS) for number in range(group, count, STEPS)]
        draw = Random(1)
        return sorted((draw.random() * FRAME_EVERY, number) for number in range(count))

    def take(self) -> None:
        """Take what is there."""
        delays = self.delays
        for descriptor, _ in self.poll_set.poll(0, 64):
            try:
                data, marks, _, _ = self.by_descriptor[descriptor].recvmsg(2048, 64)
            except BlockingIOError:
                continue
            if len(data) == SIZE and marks:
                seconds_at, fraction = struct.unpack("qq", marks[0][2][:16])
                delays.append(seconds_at * 1_000_000_000 + fraction - PACKET.unpack_from(data)[5])

    def close(self) -> None:
        """Hang up."""
        self.poll_set.close()
        for phone in self.sockets:
            phone.close()


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of all threads of a process, exact to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def resident(pid: int) -> float:
    """Return resident megabytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


# The relays: each yields (pid, relay port by phone).


def bare_loop() -> int:
    """Forward for ever: what a relay costs at least in Python. Told by one JSON line what to forward."""
    pairs = json.loads(sys.stdin.readline())
    poll_set, receive, forward, target = select.epoll(), {}, {}, {}
    for one, other, one_phone, other_phone in pairs:
        legs = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for leg, port in zip(legs, (one, other), strict=True):
            leg.bind((HOST, port))
            leg.setblocking(False)
            poll_set.register(leg.fileno(), select.EPOLLIN)
        for leg, peer, phone in ((*legs, other_phone), (*reversed(legs), one_phone)):
            receive[leg.fileno()], forward[leg.fileno()] = leg.recvfrom, peer.sendto
            target[leg.fileno()] = (HOST, phone)
    print("ready", flush=True)
    while True:
        for descriptor, _ in poll_set.poll():
            data, _ = receive[descriptor](2048)
            forward[descriptor](data, target[descriptor])


@contextmanager
def bare(phones: Phones) -> Iterator[Running]:
    """The bare loop in a process."""
    targets = [BARE_PORT + 2 * index for index in range(len(phones.ports))]
    pairs = [
        (targets[i], targets[i + 1], phones.ports[i], phones.ports[i + 1]) for i in range(0, len(targets), 2)
    ]
    command = [sys.executable, "-m", "benchmarks.bench_relay", "--bare-loop"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(pairs).encode() + b"\n")
        process.stdin.flush()
        if not process.stdout.readline():
            raise RuntimeError("the bare loop does not start")
        try:
            yield Running(process.pid, targets, lambda: None)
        finally:
            process.kill()


class Switch:
    """A plane and its one worker, without calls."""

    def __init__(self) -> None:
        settings = MediaSettings(ports=(FIRST_PORT, FIRST_PORT + 5_998), ports_ahead=PORTS_AHEAD)
        self.plane = Plane(settings, TimerQueue(), Chance(os.urandom))
        self.folder = tempfile.TemporaryDirectory()
        self.link = MediaLink(settings, self.folder.name, self.receive, self.started, self.lost)

    def receive(self, worker: int, message: bytes) -> None:
        """Take a message of the worker."""
        self.plane.receive_worker(worker, message, time.monotonic())
        self.flush()

    def started(self, worker: int) -> None:
        """The worker is there."""
        self.plane.worker_started(worker, time.monotonic())
        self.flush()

    def lost(self, worker: int) -> None:
        """The worker died: the measurement is worth nothing."""
        raise RuntimeError("the media worker died")

    def flush(self) -> None:
        """Send what the turn has left."""
        for worker, message in self.plane.commands.take():
            self.link.send(worker, message)

    async def stop(self) -> None:
        """End the worker."""
        await self.link.stop()
        self.folder.cleanup()


def worker_pid() -> int:
    """Return the process id of this process's only media worker."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == os.getpid() and b"media-worker" in command:
                return int(entry.name)
    raise RuntimeError("there is no media worker")


async def start_switch() -> Switch:
    """Start a worker and wait for its ports."""
    switch = Switch()
    await switch.link.start()
    for _ in range(100):
        await asyncio.sleep(0.02)
        if switch.plane.commands.take() == [] and f"'free': {PORTS_AHEAD}" in str(switch.plane.snapshot()):
            break
    return switch


@contextmanager
def worker(phones: Phones) -> Iterator[Running]:
    """Our media worker."""
    with asyncio.Runner() as runner:
        switch = runner.run(start_switch())
        plane, targets, now = switch.plane, [], time.monotonic()
        for index, port in enumerate(phones.ports):
            opened = plane.open(StreamId(index + 1), now)
            assert opened is not None
            targets.append(opened[1])
            plane.set_remote(StreamId(index + 1), RemoteMedia(HOST, port, "PCMU", 0, 0), now)
            if index % 2 == 0:
                plane.play(StreamId(index + 1), ("builtin:music",), now)
        switch.flush()
        runner.run(asyncio.sleep(0.2))
        for index in range(1, len(phones.ports), 2):
            plane.connect(StreamId(index), StreamId(index + 1), now)
        switch.flush()
        runner.run(asyncio.sleep(0.2))
        try:
            yield Running(worker_pid(), targets, lambda: runner.run(asyncio.sleep(0.05)))
        finally:
            runner.run(switch.stop())


def bencode(value: object) -> bytes:
    """Return a str, list or dict as rtpengine's control protocol wants it."""
    if isinstance(value, str):
        return f"{len(value.encode())}:{value}".encode()
    if isinstance(value, list):
        return b"l" + b"".join(bencode(item) for item in value) + b"e"
    assert isinstance(value, dict)
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


def sdp(port: int) -> str:
    """Return an audio description of a phone."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
    )


def ask(control: socket.socket, command: dict[str, object]) -> int:
    """Ask rtpengine; return the port in the SDP of its answer."""
    cookie = f"{command['command']}{command.get('call-id', time.monotonic_ns())}"
    control.send(cookie.encode() + b" " + bencode(command))
    answer = control.recv(65_536).decode()
    return int(answer.partition("m=audio ")[2].split()[0]) if "m=audio" in answer else 0


@contextmanager
def rtpengine(phones: Phones) -> Iterator[Running]:
    """rtpengine in user space."""
    command = ["rtpengine", "--config-file=none", "-t", "-1", "-f", "-E", "-L", "2", f"--interface={HOST}"]
    command += [f"--listen-ng={HOST}:22999", "-m", "23000", "-M", "29998", "--tos=0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            control.settimeout(3)
            control.connect((HOST, 22_999))
            for _ in range(50):
                time.sleep(0.1)
                try:
                    ask(control, {"command": "ping"})
                    break
                except OSError:
                    continue
            targets: list[int] = []
            for index in range(0, len(phones.ports), 2):
                call: dict[str, object] = {"call-id": f"call{index}", "from-tag": "a", "replace": ["origin"]}
                offer = {**call, "command": "offer", "sdp": sdp(phones.ports[index])}
                to_b = ask(control, offer)
                answer = {**call, "command": "answer", "to-tag": "b", "sdp": sdp(phones.ports[index + 1])}
                to_a = ask(control, answer)
                targets += [to_a, to_b]
            control.close()
            yield Running(process.pid, targets, lambda: None)
        finally:
            process.kill()


Relay: TypeAlias = Callable[[Phones], AbstractContextManager[Running]]
RELAYS: dict[str, Relay] = {"bare": bare, "worker": worker, "rtpengine": rtpengine}


class Slices:
    """What one relay took, slice by slice."""

    def __init__(self, relay: Relay, calls: int, stack: ExitStack) -> None:
        self.phones = Phones(calls)
        stack.callback(self.phones.close)
        self.running = stack.enter_context(relay(self.phones))
        self.us: list[float] = []
        self.p50: list[float] = []
        self.p99: list[float] = []
        self.rate: list[float] = []
        self.lost = 0

    def pin(self, core: int, is_urgent: bool) -> None:
        """Put every thread of the relay on one core; ``is_urgent``: before all else that runs there."""
        for task in Path(f"/proc/{self.running.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {core})
            if is_urgent:
                os.sched_setscheduler(int(task.name), os.SCHED_FIFO, os.sched_param(1))

    def run(self, seconds: float, in_bursts: bool) -> None:
        """Have a turn."""
        phones, running = self.phones, self.running
        running.rest()
        phones.talk(running.targets, 0.1, in_bursts)  # its caches are warm again
        phones.delays.clear()
        phones.sent = 0
        before = cpu_of(running.pid)
        phones.talk(running.targets, seconds, in_bursts)
        used, delays = cpu_of(running.pid) - before, sorted(phones.delays)
        self.lost += phones.sent - len(delays)
        self.rate.append(len(delays) / seconds)
        self.us.append(used * 1e6 / max(1, len(delays)))
        self.p50.append(delays[len(delays) // 2] / 1e3 if delays else math.nan)
        self.p99.append(delays[len(delays) * 99 // 100] / 1e3 if delays else math.nan)

    def row(self) -> dict[str, float]:
        """Return medians."""
        names = {"packets/s": self.rate, "us/packet": self.us, "p50 us": self.p50, "p99 us": self.p99}
        medians = {name: statistics.median(values) for name, values in names.items()}
        return {**medians, "lost": self.lost, "MB": resident(self.running.pid)}


def measure(given: argparse.Namespace, names: list[str], in_bursts: bool) -> None:
    """Let the relays have their turns and print what each took."""
    calls, rounds, seconds = given.calls, given.rounds, min(given.seconds, 2.0)
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, cores)
        all_slices = {name: Slices(RELAYS[name], calls, stack) for name in names}
        for slices in all_slices.values():
            slices.pin(cores[0], given.urgent)
        os.sched_setaffinity(0, {cores[-1]})
        for slices in all_slices.values():
            slices.phones.talk(slices.running.targets, LATCH_FOR, in_bursts)  # latch, learn, lock
            for others in all_slices.values():
                others.running.rest()
        for _ in range(rounds):
            for slices in all_slices.values():
                slices.run(seconds, in_bursts)
        rows = {name: slices.row() for name, slices in all_slices.items()}
    columns = ("packets/s", "lost", "us/packet", "p50 us", "p99 us", "MB")
    how = "in bursts" if in_bursts else "one by one"
    print(f"\n{calls} calls, packets {how}, medians of {rounds} slices of {seconds:g} s")
    print(f"{'':10}" + "".join(f"{column:>12}" for column in columns))
    for name, row in rows.items():
        print(f"{name:10}" + "".join(f"{row[column]:12.1f}" for column in columns))
    for other in [name for name in rows if name != "worker" and "worker" in rows]:
        ours, theirs = all_slices["worker"].us, all_slices[other].us
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(f"worker / {other}: {ratio:.2f}")


async def measure_calls(count: int) -> None:
    """Print what one queue call costs the plane and its worker: two streams, music, connect, statistics.

    Each call is three messages that each wake the worker: nothing is spared by load here.
    """
    begun = time.process_time()
    for _ in range(count):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
    waiting = time.process_time() - begun
    switch = await start_switch()
    plane, pid = switch.plane, worker_pid()
    idle = resident(pid)
    remotes = [RemoteMedia(HOST, 9, "PCMU", 0, 0), RemoteMedia(HOST, 50_009, "PCMU", 0, 0)]
    worker_before, own_before = cpu_of(pid), time.process_time()
    closed, now = 0, time.monotonic()
    for number in range(1, 2 * count, 2):
        a, b = StreamId(number), StreamId(number + 1)
        plane.open(a, now)
        plane.set_remote(a, remotes[0], now)
        plane.play(a, ("builtin:welcome", "builtin:music"), now)
        switch.flush()
        await asyncio.sleep(0)
        plane.open(b, now, near=a)
        plane.set_remote(b, remotes[1], now)
        plane.connect(a, b, now)
        switch.flush()
        await asyncio.sleep(0)
        plane.close(a, now)
        plane.close(b, now)
        switch.flush()
        await asyncio.sleep(0.001)
        now = time.monotonic()
        closed += sum(isinstance(event, StreamClosed) for event in plane.events.take())
    await asyncio.sleep(0.2)
    own, theirs = time.process_time() - own_before - waiting, cpu_of(pid) - worker_before
    closed += sum(isinstance(event, StreamClosed) for event in plane.events.take())
    await switch.stop()
    print(
        f"\none queue call, us: switch {own * 1e6 / count:.1f} with the link, "
        f"worker {theirs * 1e6 / count:.1f}; {closed} of {2 * count} streams closed; "
        f"worker at the start {idle:.1f} MB"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15, help="slices of each relay, in turn")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a slice")
    parser.add_argument("--urgent", action="store_true", help="let nothing else delay the relays (root)")
    parser.add_argument("--bursts", choices=("both", "yes", "no"), default="both")
    parser.add_argument("--only", nargs="*", choices=list(RELAYS), default=list(RELAYS))
    parser.add_argument("--bare-loop", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare_loop:
        bare_loop()
    names = list(given.only)
    if "rtpengine" in names and shutil.which("rtpengine") is None:
        print("rtpengine is left out: apt-get install rtpengine-daemon")
        names.remove("rtpengine")
    for in_bursts in {"both": (False, True), "yes": (True,), "no": (False,)}[given.bursts]:
        measure(given, names, in_bursts)
    if "worker" in names:
        uvloop.run(measure_calls(2_000))


if __name__ == "__main__":
    main()
