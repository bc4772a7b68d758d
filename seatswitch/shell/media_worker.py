"""The media worker: a process with RTP sockets, one epoll loop, and a link to the switch.

It imports as little as it can (no asyncio, no log library, nothing of the command line): an idle worker is
small. When the switch dies it goes on forwarding for :data:`ORPHAN_FOR` seconds, trying to find it again
under the link's name, then exits.

Messages on the link are framed by a length of four bytes, big-endian; a frame of no bytes is a sign of life
that is answered with another.
"""

import errno
import gc
import os
import resource
import select
import signal
import socket
import sys
from importlib.resources import files
from math import inf
from time import monotonic, sleep

from kernel.chance import Chance
from media.host import Host
from media.messages import Hello, encode_reports
from media.relay import Desk, OpenSocket, Stream, Table, serve
from seatswitch.shell.recording_files import RecordingFiles

ORPHAN_FOR = 30.0  # seconds that audio outlives the switch
RECONNECT_EVERY = 0.5  # seconds
FRAME_MAX = 64 * 1024 * 1024  # bytes of one message on the link: prompts are its longest
BUILTIN = ("welcome", "music", "reminder", "beep")
VOICES = ("en", "zh")
_IDLE_WAIT = 5.0  # seconds of poll when nothing is due
# Seconds a report waits for company: each message costs the switch a turn of its loop. A little more than a
# round of a busy switch (seatswitch/shell/udp.py), which wakes the worker for its commands anyway.
_GATHER_FOR = 0.06
_STUCK_RETRY = 0.01  # seconds until a full link is tried again
_EVENTS_MAX = 64  # packets between two looks at the clock: 0.5 ms
# A wake-up costs more than the packet it is for. So a busy worker lets packets gather, as a network card
# holds its interrupts back. What it adds to the jitter is a fraction of any jitter buffer, and the way
# through stays below 2 ms.
ROUND = 0.0012  # seconds that a busy worker sleeps between two rounds
_BUSY_FROM = 20  # packets within a window: twenty calls
_WINDOW = 0.01  # seconds
_SPARE_SHARE = 0.75  # of all descriptors: from here on they are kept for ports that must be bound
_EMPTIED_MAX = 64  # packets that wait at a socket when its stream is locked
_RTP_BUFFER = 64 * 1024  # bytes a socket may hold: 4 s of one stream
_OPTIONS = {
    "--link": "SOCKET",
    "--worker": "NUMBER",
    "--address": "HOST",
    "--ports": "FIRST-LAST",
    "--ahead": "PAIRS",
}
_LENGTH = 4
_CHUNK = 65_536  # bytes read from the link at once; kept, because a fresh buffer costs more than the reading


class RtpSockets:
    """The sockets of one host and the poll set over them: a real :class:`media.host.Network`."""

    def __init__(self, address: str) -> None:
        self.poll_set = select.epoll()
        self.nobody = Stream(Desk(Chance(os.urandom), lambda report: None), 0)  # has no source
        self.table: Table = {}
        self._address = address
        self._sockets: list[socket.socket] = []
        self._rtp: dict[int, socket.socket] = {}  # by port
        self._locked: dict[int, socket.socket] = {}  # by descriptor
        self._descriptors_max = resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    def bind(self, port: int, stream: Stream) -> bool:
        """Bind the pair that begins at ``port`` and let what comes there be delivered to ``stream``."""
        rtp = self._open(port)
        if rtp is None:
            return False
        rtcp = self._open(port + 1)
        if rtcp is None:
            rtp.close()
            return False
        stream.sendto, stream.sendto_rtcp = rtp.sendto, rtcp.sendto
        for bound, deliver in ((rtp, stream.receive), (rtcp, stream.receive_rtcp)):
            locked = stream if bound is rtp else self.nobody
            entrance = OpenSocket(bound.recvfrom_into, locked, deliver, stream.desk)
            self.table[bound.fileno()] = (entrance.receive, locked)
            self.poll_set.register(bound.fileno(), select.EPOLLIN)
            self._sockets.append(bound)
        self._rtp[stream.port] = rtp
        return True

    def lock(self, stream: Stream, now: float) -> bool:
        """Lock ``stream`` to its source with a socket that shares the port, connected to it."""
        source, shared = stream.source, self._rtp[stream.port]
        assert source is not None
        locked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            if locked.fileno() > self._descriptors_max * _SPARE_SHARE:
                locked.close()
                return False
            locked.setblocking(False)
            locked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RTP_BUFFER)
            # The port is shared for this moment alone; otherwise it stays taken for every other program.
            for one in (shared, locked):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                locked.bind((self._address, stream.port))
            finally:
                for one in (shared, locked):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            locked.connect(source)
        except OSError:
            locked.close()
            return False
        self._empty(shared, stream, now)
        self._empty(locked, stream, now)  # what came between bind and connect may be anybody's
        if stream.source != source:
            locked.close()  # one of them has changed everything
            return True
        descriptor = locked.fileno()

        def unlock() -> None:
            # The events at hand may still name it.
            self.table[descriptor] = (_receive_nothing, self.nobody)
            self._locked.pop(descriptor).close()

        stream.lock(locked.send, unlock)
        self._locked[descriptor] = locked
        self.table[descriptor] = (locked.recv_into, stream)
        self.poll_set.register(descriptor, select.EPOLLIN)
        return True

    def _empty(self, bound: socket.socket, stream: Stream, now: float) -> None:
        """Deliver what waits at ``bound``, in order."""
        for _ in range(_EMPTIED_MAX):
            try:
                size, source = bound.recvfrom_into(stream.desk.buffer)
            except OSError:
                return
            stream.receive(size, source, now)

    def close(self) -> None:
        """Close every socket."""
        for bound in (*self._sockets, *self._locked.values()):
            bound.close()
        self._sockets.clear()
        self._locked.clear()
        self._rtp.clear()
        self.table.clear()
        self.poll_set.close()

    def _open(self, port: int) -> socket.socket | None:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            bound.setblocking(False)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RTP_BUFFER)
            bound.bind((self._address, port))
        except OSError as error:
            bound.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                return None
            raise
        return bound


def load_builtin(host: Host) -> None:
    """Give ``host`` the sounds that are shipped: ``builtin:welcome``, ``builtin:music`` and the voice."""
    media = files("media")
    for name in BUILTIN:
        host.add_prompt(f"builtin:{name}", (media / "sounds" / f"{name}.ulaw").read_bytes())
    for language in VOICES:
        for file in (media / "voice" / language).iterdir():
            host.add_prompt(f"voice:{language}/{file.name.removesuffix('.ulaw')}", file.read_bytes())


class Link:
    """The worker's end of the link: framed messages over a Unix socket, never waiting."""

    def __init__(self, path: str, worker: int) -> None:
        self._path = path
        self._worker = worker
        self._socket: socket.socket | None = None
        self._chunk = bytearray(_CHUNK)
        self._chunk_view = memoryview(self._chunk)
        self._received = bytearray()
        self._unsent = bytearray()

    @property
    def descriptor(self) -> int:
        """Return the socket's descriptor, -1 while there is no switch."""
        return -1 if self._socket is None else self._socket.fileno()

    @property
    def is_stuck(self) -> bool:
        """Return whether bytes wait until the socket can be written."""
        return bool(self._unsent)

    def connect(self) -> bool:
        """Find the switch; return whether it is there."""
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.connect(self._path)
        except OSError:
            link.close()
            return False
        link.setblocking(False)
        self._socket = link
        self._received.clear()
        self._unsent.clear()
        self.send(encode_reports([Hello(self._worker, os.getpid())]))
        return True

    def receive(self) -> list[bytes] | None:
        """Return the messages that have arrived; None when the switch is gone."""
        assert self._socket is not None
        try:
            size = self._socket.recv_into(self._chunk)
        except BlockingIOError:
            return []
        except OSError:
            size = 0
        if not size:
            self.close()
            return None
        received = self._received
        received += self._chunk_view[:size]
        messages: list[bytes] = []
        at = 0
        while len(received) - at >= _LENGTH:
            size = int.from_bytes(received[at : at + _LENGTH], "big")
            if len(received) - at - _LENGTH < size:
                break
            at += _LENGTH
            if size:
                messages.append(bytes(received[at : at + size]))
            else:
                self.send(b"")
            at += size
        del received[:at]
        return messages

    def send(self, message: bytes) -> None:
        """Send a message, now or when :meth:`flush` finds room."""
        if self._socket is not None:
            self._unsent += len(message).to_bytes(_LENGTH, "big") + message
            self.flush()

    def flush(self) -> None:
        """Send what can be sent without waiting."""
        if self._socket is None or not self._unsent:
            return
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            return  # the next receive finds the switch gone
        del self._unsent[:sent]

    def close(self) -> None:
        """Forget the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class WorkerLoop:
    """One epoll loop over RTP, the link and the tick."""

    def __init__(self, link: Link, host: Host, sockets: RtpSockets) -> None:
        self._link = link
        self._host = host
        self._sockets = sockets
        self._is_link_ready = False
        self._orphan_since: float | None = None  # no switch has said anything since
        self._tell_at = inf  # when the reports that wait are sent
        self._due_at = 0.0  # when something besides packets wants attention

    def run(self) -> int:
        """Serve until told to quit, or an orphan for too long; 1 if there was no switch to begin with."""
        if not self._find_switch():
            return 1
        host, table = self._host, self._sockets.table
        poll, desk, reports = self._sockets.poll_set.poll, host.desk, host.reports
        now = counted_from = monotonic()
        counted = 0
        is_busy = False
        while not host.is_quitting:
            wait = self._due_at - now
            events = poll(wait if wait > 0.0 else 0.0, _EVENTS_MAX)
            now = monotonic()
            serve(events, table, desk, now)
            if now >= self._due_at or (reports and self._tell_at == inf):
                self._attend(now)
            counted += len(events)
            if now - counted_from >= _WINDOW:
                is_busy, counted, counted_from = counted >= _BUSY_FROM, 0, now
            if is_busy and len(events) < _EVENTS_MAX:
                wait = self._due_at - now
                if wait > 0.0:
                    sleep(wait if wait < ROUND else ROUND)
        self._link.close()
        return 0

    def _attend(self, now: float) -> None:
        """Do what is due, tell the switch, and note when there will be something again."""
        host, link = self._host, self._link
        if self._is_link_ready:
            self._is_link_ready = False
            if host.reports:
                self._tell_at = now  # both are awake: what waits goes along
            self._serve_link(now)
        host.tick(now)
        is_binding, has_more = host.is_binding, host.bind_some()
        due_at = min(now if has_more else now + _IDLE_WAIT, host.next_tick())
        if is_binding and not has_more:
            self._tell_at = now  # calls may wait for the ports
        elif host.reports and self._tell_at == inf:
            self._tell_at = now + _GATHER_FOR
        if now >= self._tell_at or host.is_quitting:
            self._tell_at = inf
            message = host.take_message()
            if message is not None:
                link.send(message)
        due_at = min(due_at, self._tell_at)
        if link.descriptor < 0:
            due_at = min(due_at, self._seek_switch(now))
        elif link.is_stuck:
            link.flush()
            due_at = min(due_at, now + _STUCK_RETRY)
        self._due_at = due_at

    def _note_link(self, buffer: bytearray) -> int:
        """Stand for ``recv_into`` of the link: it is read when the packets at hand have been served."""
        self._is_link_ready = True
        self._due_at = 0.0
        return -1

    def _serve_link(self, now: float) -> None:
        """Take what the switch says."""
        messages = self._link.receive()
        if messages is None:
            if self._orphan_since is None:
                self._orphan_since = now
        else:
            if messages:
                self._orphan_since = None
            for message in messages:
                self._host.receive_message(message, now)

    def _find_switch(self) -> bool:
        if not self._link.connect():
            return False
        descriptor = self._link.descriptor
        self._sockets.table[descriptor] = (self._note_link, self._sockets.nobody)
        self._sockets.poll_set.register(descriptor, select.EPOLLIN)
        return True

    def _seek_switch(self, now: float) -> float:
        """Try to find the switch again, for a while; return when to try next."""
        if self._orphan_since is not None and now - self._orphan_since > ORPHAN_FOR:
            self._host.is_quitting = True
        elif self._find_switch():
            return now
        return now + RECONNECT_EVERY


def _receive_nothing(buffer: bytearray) -> int:
    """Stand for ``recv_into`` of a socket that has just been closed."""
    return -1


def run_words(words: list[str]) -> int:
    """Run the worker that a command line of option names and values describes; return the exit status."""
    options = dict(zip(words[::2], words[1::2], strict=False))
    first, _, last = options.get("--ports", "").partition("-")
    numbers = [options.get("--worker", ""), options.get("--ahead", ""), first, last]
    if options.keys() != _OPTIONS.keys() or len(words) % 2 or not all(number.isdigit() for number in numbers):
        usage = " ".join(f"{name} {value}" for name, value in _OPTIONS.items())
        print(f"usage: seatswitch media-worker {usage}", file=sys.stderr)
        return 2
    worker, ahead, *ports = map(int, numbers)
    return run_worker(options["--link"], worker, options["--address"], (ports[0], ports[1]), ahead)


def raise_file_limit() -> None:
    """Allow as many descriptors as the system lets this user have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run_worker(link: str, worker: int, address: str, ports: tuple[int, int], ahead: int) -> int:
    """Be media worker number ``worker`` of the switch behind the socket ``link``; return the exit status.

    Binds ``ahead`` port pairs of ``ports`` on ``address`` at once, more when asked.
    """
    # Ctrl-C in a terminal is for the switch, which tells its workers to quit after the last call.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_file_limit()
    sockets = RtpSockets(address)
    files = RecordingFiles()
    host = Host(sockets, Chance(os.urandom), ports, files)
    load_builtin(host)
    host.ask_for_ports(ahead)
    gc.collect()
    gc.freeze()
    try:
        return WorkerLoop(Link(link, worker), host, sockets).run()
    finally:
        sockets.close()
        host.recorder.end_all(monotonic())
        files.close()
