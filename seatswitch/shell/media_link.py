"""The switch's side of its media workers: starts them, talks to them, starts them again when they die.

Workers connect to a socket with a name in the run directory, ``media.sock``, so that they can find a switch
that was started again. With ``workers = 0`` the same host runs in the switch's own process, on its loop.

Rules: nothing is told to the pump from within :meth:`MediaLink.send`; what a turn says to a worker leaves in
one write at the end of the loop's round. A worker that is silent for :data:`SILENT_MAX` is killed; one that
died is started again after a pause that doubles while it goes on dying young.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Protocol, cast

import structlog

from kernel.chance import Chance
from kernel.errors import OperatorError
from media.host import Host
from media.messages import Hello, PortsBound, Quit, decode_reports, encode_commands
from media.ports import split_ports
from media.relay import serve
from media.settings import MediaSettings
from seatswitch.shell.clock import monotonic
from seatswitch.shell.media_worker import FRAME_MAX, RtpSockets, load_builtin
from seatswitch.shell.recording_files import RecordingFiles
from seatswitch.shell.rounds import CallLater

START_WITHIN = 10.0  # seconds until a worker must have connected
SILENT_MAX = 10.0  # seconds without a sign of life before a worker is killed
_PING_EVERY = 2.0
_BACKOFF_MIN, _BACKOFF_MAX = 0.05, 5.0  # seconds before a worker that died is started again
_OLD_AFTER = 10.0  # seconds after which a death is no longer "young"
_QUIT_WITHIN = 2.0  # seconds a worker has to exit when told
_SOCKET_PATH_MAX = 107  # bytes, of sockaddr_un
_LENGTH = 4
_PING = (0).to_bytes(_LENGTH, "big")
_EVENTS_MAX = 64

log = structlog.get_logger()


class Carrier(Protocol):
    """One worker as the link sees it, in a process of its own or in this one."""

    async def start(self) -> None: ...
    def send(self, message: bytes) -> None: ...
    async def stop(self) -> None: ...


class MediaLink:
    """All media workers of a switch."""

    def __init__(
        self,
        settings: MediaSettings,
        run_dir: str,
        on_message: Callable[[int, bytes], None],
        on_started: Callable[[int], None],
        on_lost: Callable[[int], None],
        call_later: CallLater | None = None,
    ) -> None:
        """``call_later`` is who wakes for what waits to be sent; by default the running loop."""
        self.call_later = asyncio.get_running_loop().call_later if call_later is None else call_later
        self._settings = settings
        self.path = str(Path(run_dir) / "media.sock")
        self.on_message = on_message
        self.on_started = on_started
        self.on_lost = on_lost
        self._server: asyncio.AbstractServer | None = None
        self._carriers: list[Carrier] = []
        self._processes: list[WorkerProcess] = []
        self._early: list[Connection] = []  # of a process that has connected before its id was known here

    async def start(self) -> None:
        """Start every worker and wait until all have bound ports.

        Raises OperatorError if one does not start, or if none can bind any: no call could be heard.
        """
        settings = self._settings
        if settings.workers == 0:
            self._carriers.append(OwnWorker(self, settings))
        else:
            await self._listen()
            self._processes = [WorkerProcess(self, settings, index) for index in range(settings.workers)]
            self._carriers.extend(self._processes)
        await asyncio.gather(*(carrier.start() for carrier in self._carriers))
        if self._processes and all(process.is_portless for process in self._processes):
            first, last = settings.ports
            raise OperatorError(
                "media.ports",
                f"none of {first}-{last} can be bound at {settings.address}: other programs have them "
                "(ss -lunp names these), or media.address is none of this machine's (ip addr)",
            )

    def send(self, worker: int, message: bytes) -> None:
        """Send a message; lost if the worker is dead (the plane tells its successor everything)."""
        self._carriers[worker].send(message)

    async def stop(self) -> None:
        """Tell every worker to quit and wait until it has."""
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*(carrier.stop() for carrier in self._carriers))
        if self._server is not None:
            Path(self.path).unlink(missing_ok=True)

    def pids(self) -> list[int]:
        """Return the process ids of the workers, -1 for one that is not there."""
        return [process.pid for process in self._processes]

    def welcome(self, connection: "Connection", message: bytes) -> bool:
        """Take the first message of a connection: True if it is from a worker that was started here."""
        reports = decode_reports(message)
        hello = reports[0] if reports else None
        if isinstance(hello, Hello) and 0 <= hello.worker < len(self._processes):
            return self._processes[hello.worker].connected(connection, hello.pid)
        return False

    def is_too_early(self, connection: "Connection") -> bool:
        """Return whether a process is being started whose id is not known yet: this may be its connection,
        and is asked again when it is.
        """
        if not any(process.is_spawning for process in self._processes):
            return False
        if connection not in self._early:
            self._early.append(connection)
        return True

    def spawned(self) -> None:
        """The id of a process is known: what has come early is read."""
        early, self._early = self._early, []
        for connection in early:
            connection.data_received(b"")

    async def _listen(self) -> None:
        if len(os.fsencode(self.path)) > _SOCKET_PATH_MAX:
            raise OperatorError(self.path, f"a socket's path has at most {_SOCKET_PATH_MAX} bytes")
        Path(self.path).unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Connection(self), self.path)
        Path(self.path).chmod(0o600)


class Connection(asyncio.Protocol):
    """One connection of a worker: frames in, frames out."""

    def __init__(self, link: MediaLink) -> None:
        self._link = link
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self.owner: WorkerProcess | None = None
        self.heard_at = monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for its Hello."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Cut frames; each is one turn of the switch."""
        self.heard_at = monotonic()
        received = self._received
        received += data
        if self.owner is None and self._link.is_too_early(self):
            return
        at = 0
        while len(received) - at >= _LENGTH:
            size = int.from_bytes(received[at : at + _LENGTH], "big")
            if size > FRAME_MAX:
                self.close()
                return
            end = at + _LENGTH + size
            if len(received) < end:
                break
            if size:
                self._receive(bytes(received[at + _LENGTH : end]))
            at = end
        del received[:at]

    def connection_lost(self, error: Exception | None) -> None:
        """The worker is gone, or was closed."""
        self._received.clear()
        if self.owner is not None:
            self.owner.disconnected(self)

    def send(self, message: bytes) -> None:
        """Send a message at the end of the round, together with what else comes by then.

        A write of its own costs more than the rest of a command, and wakes the worker.
        """
        if not self._unsent:
            self._link.call_later(0.0, self._flush)
        self._unsent.append(len(message).to_bytes(_LENGTH, "big") + message)

    def ping(self) -> None:
        """Ask for a sign of life."""
        if self._transport is not None:
            self._transport.write(_PING)

    def close(self) -> None:
        """Send what is left and hang up."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        if self._unsent and self._transport is not None:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _receive(self, message: bytes) -> None:
        if self.owner is not None:
            self.owner.receive(message)
        elif not self._link.welcome(self, message):
            # A worker of a switch before this one: it forwards until its time is over.
            self.close()


class WorkerProcess:
    """One worker in a process of its own, and its successors."""

    def __init__(self, link: MediaLink, settings: MediaSettings, index: int) -> None:
        self._link = link
        self._index = index
        ports = split_ports(settings.ports, settings.workers, index)
        self._command = (
            *(sys.executable, "-m", "seatswitch", "media-worker", "--link", link.path),
            *("--worker", str(index), "--address", settings.address),
            *("--ports", f"{ports[0]}-{ports[1]}", "--ahead", str(settings.ports_ahead)),
        )
        self._binds_ahead = settings.ports_ahead > 0
        self._process: asyncio.subprocess.Process | None = None
        self._connection: Connection | None = None
        # It has said which ports it has bound; a call before that waits, and fails on a busy machine.
        self._is_useful = asyncio.Event()
        self.is_portless = False  # it has tried all of its ports and could bind none
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self.is_spawning = False

    @property
    def pid(self) -> int:
        """Return the process id, -1 if there is no process."""
        return -1 if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start the process and wait until it has bound its first ports."""
        self._task = asyncio.create_task(self._keep_alive(), name=f"media worker {self._index}")
        try:
            await asyncio.wait_for(self._is_useful.wait(), START_WITHIN)
        except TimeoutError:
            where = f"media worker {self._index}"
            why = f"it does not start within {START_WITHIN:g} s; run it by hand: {' '.join(self._command)}"
            raise OperatorError(where, why) from None

    def send(self, message: bytes) -> None:
        """Send a message if the worker is there."""
        if self._connection is not None:
            self._connection.send(message)

    async def stop(self) -> None:
        """Tell the worker to quit; kill it if it does not."""
        self._is_stopping = True
        if self._connection is not None:
            self._connection.send(encode_commands([Quit()]))
        if self._task is None:
            return
        try:
            await asyncio.wait_for(asyncio.shield(self._task), _QUIT_WITHIN)
        except TimeoutError:
            self._kill()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def connected(self, connection: Connection, pid: int) -> bool:
        """Take the connection of our own process; others are refused."""
        if pid != self.pid or self._connection is not None:
            return False
        self._connection = connection
        connection.owner = self
        self._link.on_started(self._index)
        if not self._binds_ahead:
            self._is_useful.set()
        return True

    def disconnected(self, connection: Connection) -> None:
        """Tell the switch; a process that lives without a connection is of no use."""
        if connection is self._connection:
            self._connection = None
            if not self._is_stopping:
                self._kill()
                self._link.on_lost(self._index)

    def receive(self, message: bytes) -> None:
        """Hand a message to the switch; the first ones say which ports are bound."""
        self._link.on_message(self._index, message)
        if not self._is_useful.is_set():
            self._look_for_ports(message)

    def _look_for_ports(self, message: bytes) -> None:
        for report in decode_reports(message):
            if isinstance(report, PortsBound) and (report.ports or report.are_all):
                self.is_portless = not report.ports
                self._is_useful.set()

    async def _keep_alive(self) -> None:
        pause = _BACKOFF_MIN
        while not self._is_stopping:
            started_at = monotonic()
            self._process = process = await self._spawn()
            self._link.spawned()
            watch = asyncio.create_task(self._watch())
            try:
                status = await process.wait()
            finally:
                watch.cancel()
            if self._is_stopping:
                return
            connection = self._connection
            if connection is not None:
                connection.close()
                self.disconnected(connection)
            log.error("! media worker died", worker=self._index, pid=process.pid, status=status)
            pause = _BACKOFF_MIN if monotonic() - started_at > _OLD_AFTER else min(pause * 2, _BACKOFF_MAX)
            await asyncio.sleep(pause)

    async def _spawn(self) -> asyncio.subprocess.Process:
        self.is_spawning = True
        try:
            # Its own session: a signal to the terminal's group is for the switch alone.
            return await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
            )
        finally:
            self.is_spawning = False

    async def _watch(self) -> None:
        """Ping the worker; kill it when it is silent."""
        started_at = monotonic()
        while True:
            await asyncio.sleep(_PING_EVERY)
            connection = self._connection
            heard_at = started_at if connection is None else connection.heard_at
            if monotonic() - heard_at > SILENT_MAX:
                log.error("! media worker is silent and is killed", worker=self._index, pid=self.pid)
                self._kill()
                return
            if connection is not None:
                connection.ping()

    def _kill(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGKILL)


class OwnWorker:
    """The one worker of ``workers = 0``: its host lives on the switch's loop."""

    def __init__(self, link: MediaLink, settings: MediaSettings) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._sockets = RtpSockets(settings.address)
        self._files = RecordingFiles()
        ports = split_ports(settings.ports, 1, 0)
        self._host = Host(self._sockets, Chance(os.urandom), ports, self._files)
        self._ahead = settings.ports_ahead
        self._unsent: list[bytes] = []
        self._handle: asyncio.TimerHandle | None = None
        self._armed_at = inf
        self._is_stopped = False

    async def start(self) -> None:
        """Bind ports ahead and serve them from now on."""
        load_builtin(self._host)
        self._host.ask_for_ports(self._ahead)
        self._loop.add_reader(self._sockets.poll_set.fileno(), self._on_ready)
        self._link.on_started(0)
        self._attend(monotonic())

    def send(self, message: bytes) -> None:
        """Take a message, at the end of the loop's round."""
        if not self._unsent:
            self._loop.call_soon(self._on_messages)
        self._unsent.append(message)

    async def stop(self) -> None:
        """Close every socket."""
        self._is_stopped = True
        if self._handle is not None:
            self._handle.cancel()
        self._loop.remove_reader(self._sockets.poll_set.fileno())
        self._sockets.close()
        self._host.recorder.end_all(monotonic())
        self._files.close()

    def _on_ready(self) -> None:
        now = monotonic()
        host = self._host
        serve(self._sockets.poll_set.poll(0, _EVENTS_MAX), self._sockets.table, host.desk, now)
        if host.reports:
            self._attend(now)

    def _on_messages(self) -> None:
        if self._is_stopped:
            return
        now = monotonic()
        messages, self._unsent = self._unsent, []
        for message in messages:
            self._host.receive_message(message, now)
        self._attend(now)

    def _on_due(self) -> None:
        self._armed_at = inf
        self._attend(monotonic())

    def _attend(self, now: float) -> None:
        """Do what is due, tell the switch, and wake when there will be something again."""
        host = self._host
        host.tick(now)
        has_more = host.bind_some()
        message = host.take_message()
        if message is not None:
            self._link.on_message(0, message)
        due_at = now if has_more else host.next_tick()
        if due_at == self._armed_at:
            return
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._armed_at = due_at
        if due_at < inf and not self._is_stopped:
            self._handle = self._loop.call_later(max(0.0, due_at - now), self._on_due)
