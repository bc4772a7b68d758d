"""The daemon: starts a switch, keeps it, drains it, stops it.

Start, in this order: the lock of the store folder, the sockets (bound, not yet read), the journal and its
writer, the node, the state of before, the media workers, SIP, and last the JSON-RPC sockets: who can connect
there finds a switch that works. What the operator must mend ends the start with an OperatorError.
"""

import asyncio
import fcntl
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import IO, Any, Protocol

import structlog

from config.advice import files_needed
from config.diff import describe_changes, needs_restart
from config.schema import Settings
from kernel.chance import Chance
from kernel.errors import OperationRefused, OperatorError
from kernel.staterows import RecordingStateRow, StateRow, VoicemailStateRow
from media.settings import MediaSettings
from seatswitch.shell.clock import Ticker, monotonic, wall_offset
from seatswitch.shell.configuration import read_configuration
from seatswitch.shell.dns import Names
from seatswitch.shell.greeting import build_greeting, command_name
from seatswitch.shell.hugepages import use_huge_pages
from seatswitch.shell.ids import system_chance
from seatswitch.shell.logs import configure_logs
from seatswitch.shell.notify import notify
from seatswitch.shell.orphans import end_orphans
from seatswitch.shell.pump import ApiLike, Exits, NodeLike, Pump
from seatswitch.shell.recording_folder import RecordingFolder
from seatswitch.shell.retention import keep_removing
from seatswitch.shell.rounds import Rounds
from seatswitch.shell.rpc import RpcServers, make_private_folder
from seatswitch.shell.scriptguard import ScriptGuard
from seatswitch.shell.steady import Steady
from seatswitch.shell.store.counts import read_counts
from seatswitch.shell.store.database import store_folder
from seatswitch.shell.store.journal import Journal
from seatswitch.shell.store.reader import read_state
from seatswitch.shell.store.writer_link import COMMAND, READY_WITHIN, WriterLink
from seatswitch.shell.stream import Streams
from seatswitch.shell.tls import read_certificates
from seatswitch.shell.udp import bind_socket, open_udp
from sip.settings import Listener

STOP_WITHIN = 2.0  # seconds for the last BYEs and their answers
_LOOK_EVERY = 0.05  # seconds between looks whether the last call has ended
_KINDS_MAX = 1_000  # kinds of complaint counted apart
# Objects made and not ended when the collector looks, and collections of one generation per one of the next.
# Ended calls leave no cycles (tests/seatswitch/test_node.py), so it finds nothing; with Python's own 700 it
# looked at all that lives for 20 to 60 ms, twice a second at 1,000 calls/s.
_COLLECT_AT = (100_000, 20, 50)

log = structlog.get_logger()


class LinkLike(Protocol):
    """The media workers as the daemon drives them (seatswitch/shell/media_link.py)."""

    async def start(self) -> None: ...
    def send(self, worker: int, message: bytes) -> None: ...
    async def stop(self) -> None: ...


class Makers(Protocol):
    """Who makes the parts that are not the shell's; tests put stubs here."""

    def node(self, settings: Settings, chance: Chance, offset: float, now: float) -> NodeLike: ...
    def api(self, node: NodeLike, tokens: Sequence[Any]) -> ApiLike: ...
    def link(
        self,
        settings: MediaSettings,
        run_dir: str,
        on_message: Callable[[int, bytes], None],
        on_started: Callable[[int], None],
        on_lost: Callable[[int], None],
        rounds: Rounds,
    ) -> LinkLike: ...


class RealParts:
    """The parts of a real switch, imported when one is started."""

    def node(self, settings: Settings, chance: Chance, offset: float, now: float) -> NodeLike:
        """Return the node."""
        from seatswitch.node import Node

        node = Node(settings, chance, offset, now)
        node.switchboard.scripts.guard = ScriptGuard()
        return node

    def api(self, node: Any, tokens: Sequence[Any]) -> ApiLike:
        """Return the JSON-RPC side of ``node``."""
        from seatswitch.api import Api

        return Api(node, tokens)

    def link(
        self,
        settings: MediaSettings,
        run_dir: str,
        on_message: Callable[[int, bytes], None],
        on_started: Callable[[int], None],
        on_lost: Callable[[int], None],
        rounds: Rounds,
    ) -> LinkLike:
        """Return the link to the media workers."""
        from seatswitch.shell.media_link import MediaLink

        return MediaLink(settings, run_dir, on_message, on_started, on_lost, rounds.call_later)


class Daemon:
    """One switch on this machine."""

    def __init__(
        self,
        settings: Settings,
        reread: Callable[[], Settings],
        *,
        parts: Makers | None = None,
        writer_command: tuple[str, ...] | None = None,
        database_within: float = READY_WITHIN,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """``reread()`` returns the configuration as it is now; it raises OperatorError for a wrong one.
        ``settle()`` is done at the end of the start, when all that lives for ever is there.
        """
        self.settings = settings
        self._reread = reread
        self._parts = RealParts() if parts is None else parts
        self._writer_command = writer_command
        self._database_within = database_within
        self._settle = settle
        self._folder = store_folder(settings.store.url)
        self._loop = asyncio.get_running_loop()
        self._drain = asyncio.Event()
        self._stop = asyncio.Event()
        self._exits = Exits()
        self._rounds = Rounds(self._loop)
        self._undo = AsyncExitStack()
        self._journal: Journal | None = None
        self._living: list[StateRow] = []  # what lived in the switch before this one
        self._writer: WriterLink | None = None
        self._streams: Streams | None = None
        self._names: Names | None = None
        self._rpc: RpcServers | None = None
        self.pump: Pump | None = None

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Start, call ``on_ready()``, serve until asked to end, stop. Being asked ends a start, too."""
        starting = asyncio.ensure_future(self.start())
        asked = asyncio.ensure_future(_first(self._drain, self._stop))
        await asyncio.wait([starting, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return
        starting.result()
        on_ready()
        await self.wait()
        await self.stop()

    async def start(self) -> None:
        """Start everything; on OperatorError what had been started is stopped again."""
        try:
            await self._start()
        except BaseException:
            await self._undo.aclose()
            raise

    async def wait(self) -> None:
        """Return when the switch shall end: after the last call or ``drain_after``, or at once on a stop."""
        await _first(self._drain, self._stop)
        if self._stop.is_set():
            return
        pump = self._running()
        notify("STOPPING=1")
        log.info("draining: no new calls", ends_within=self.settings.drain_after)
        pump.turn(pump.node.drain)
        end_at = monotonic() + self.settings.drain_after
        while not self._stop.is_set() and not pump.node.is_idle() and monotonic() < end_at:
            await asyncio.sleep(_LOOK_EVERY)

    async def stop(self) -> None:
        """Hang up what is left, save every row, close everything."""
        pump = self._running()
        notify("STOPPING=1")
        pump.turn(pump.node.drain)
        pump.turn(self._hang_up_all)
        end_at = monotonic() + STOP_WITHIN
        while not pump.node.is_idle() and monotonic() < end_at:
            await asyncio.sleep(_LOOK_EVERY)
        pump.turn(pump.node.leave)
        await self._undo.aclose()
        log.info("stopped")

    def drain(self) -> None:
        """Take no new calls and end after the last one (SIGTERM)."""
        self._drain.set()

    def interrupt(self) -> None:
        """End now (SIGINT)."""
        self._stop.set()

    def reload(self) -> None:
        """Read the configuration again; a wrong one is reported and the old one kept (SIGHUP)."""
        pump = self._running()
        try:
            settings = self._reread()
            certificates = read_certificates(settings)
        except OperatorError as error:
            log.error("! wrong configuration: the old one is kept", errors=str(error))
            return
        for change in needs_restart(self.settings, settings):
            log.warning("! a change waits for a restart", change=change)
        for change in describe_changes(self.settings, settings):
            log.info("configuration changes", change=change)
        configure_logs(settings.log.level)
        pump.take_log_level()
        self.settings = settings
        if self._streams is not None:
            self._streams.reconfigure(settings.connections, certificates)
        if self._names is not None:
            self._names.reconfigure(settings.dns_servers)
        pump.turn(self._reconfigure, settings)

    def snapshot(self) -> dict[str, object]:
        """Return what an operator may see of the shell."""
        pump = self._running()
        return {
            "bugs": dict(pump.bugs),
            "refused_datagrams": pump.refused_datagrams,
            "journal": self._journal.snapshot() if self._journal is not None else {},
            "writer": self._writer.snapshot() if self._writer is not None else {},
            "stream_connections": len(self._streams) if self._streams is not None else 0,
            "rpc_connections": len(self._rpc) if self._rpc is not None else 0,
        }

    def _running(self) -> Pump:
        assert self.pump is not None, "the daemon has not been started"
        return self.pump

    async def _start(self) -> None:
        settings = self.settings
        make_private_folder(self._folder)
        self._undo.enter_context(hold_lock(self._folder / "seatswitch.lock"))
        sockets = [self._bind(listener) for listener in settings.sip.listen]
        writer = self._open_store()

        now = monotonic()
        node = self._parts.node(settings, system_chance(), wall_offset(), now)
        api = self._parts.api(node, settings.rpc.tokens)
        pump = self.pump = Pump(
            self._loop, node, api, self._exits, self._on_request, rounds=self._rounds
        )
        self._undo.callback(pump.disarm)
        if hasattr(api, "shell_snapshot"):
            api.shell_snapshot = self.snapshot
        folder = self._exits.files = RecordingFolder(
            settings.media.recordings,
            lambda recording, written: pump.turn(node.recording_measured, recording, written),
            lambda number, found: pump.turn(api.audio_read, number, found),
        )
        self._undo.callback(folder.close)
        # A switch that comes back after kill -9 is away for the longer of the two, not for both.
        begun = (writer.start(self._database_within), self._start_media(pump))
        for outcome in await asyncio.gather(*begun, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        steady = self._watch_clock(pump)
        await self._restore(pump, folder)

        streams = self._streams = Streams(pump, settings.connections, read_certificates(settings))
        self._exits.streams = streams
        self._undo.push_async_callback(streams.stop)
        for local, (listener, bound) in enumerate(zip(settings.sip.listen, sockets, strict=True)):
            if listener.transport == "udp":
                self._undo.callback(open_udp(pump, self._exits, local, bound).close)
            else:
                streams.listen(bound, local, listener.transport)
        names = self._exits.names = self._names = Names(pump, settings.dns_servers)
        self._undo.push_async_callback(names.stop)
        removing = asyncio.create_task(
            keep_removing(
                settings.media.recordings,
                settings.store.url,
                lambda: self.settings.calls.recording.keep,
                lambda rows: pump.turn(node.recordings_removed, rows),
                steady,
            ),
            name="old recordings",
        )
        self._undo.callback(removing.cancel)
        pump.turn(node.start)
        self._keep_what_lives()
        # After all of this, whose time is no lateness: the first calls would be refused for it.
        ticker = Ticker(
            self._loop,
            lambda lag: self._tick(pump, lag),
            lambda offset: self._set_clock(pump, steady, offset),
        )
        ticker.start()
        self._undo.callback(ticker.stop)
        rpc = self._rpc = RpcServers(pump)
        self._exits.replies = rpc
        self._undo.push_async_callback(rpc.stop)
        for url in settings.rpc.listen:
            await rpc.listen(url)

    def _keep_what_lives(self) -> None:
        """What lives now lives for ever: the collector need not look at it again."""
        gc.collect()
        gc.freeze()
        self._undo.callback(gc.unfreeze)
        self._undo.callback(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(*_COLLECT_AT)
        self._settle()

    def _bind(self, listener: Listener) -> socket.socket:
        bound = bind_socket("sip.listen", listener.transport, listener.host, listener.port)
        self._undo.callback(bound.close)
        return bound

    def _open_store(self) -> WriterLink:
        """Open the journal, and return who will start the row writer."""
        folder = self._folder / "journal"
        make_private_folder(folder)
        journal = self._journal = Journal(folder, call_later=self._rounds.call_later)
        self._living = journal.open()
        command = COMMAND if self._writer_command is None else self._writer_command
        writer = self._writer = WriterLink(folder, self.settings.store.url, command=command)
        self._undo.push_async_callback(writer.stop)
        self._undo.push_async_callback(journal.close)  # before the writer, which takes over what it leaves
        self._exits.rows = journal
        return writer

    async def _start_media(self, pump: Pump) -> None:
        node = pump.node
        run_dir = self._folder / "media"
        make_private_folder(run_dir)
        end_orphans(str(run_dir / "media.sock"))
        link = self._parts.link(
            self.settings.media,
            str(run_dir),
            lambda worker, message: pump.turn(node.receive_worker, worker, message),
            lambda worker: pump.turn(node.worker_started, worker),
            lambda worker: pump.turn(node.worker_lost, worker),
            self._rounds,
        )
        self._exits.workers = link
        self._undo.push_async_callback(link.stop)
        await link.start()

    def _watch_clock(self, pump: Pump) -> Steady:
        """Let voicemails know when the clock is not to be believed: not at first, before it was looked at."""
        voicemails = getattr(pump.node, "voicemails", None)

        def hold(is_steady: bool) -> None:
            if voicemails is not None:
                pump.turn(lambda now: voicemails.hold(now, is_held=not is_steady))

        hold(False)
        steady = Steady(self._folder / "clock.json", hold)
        steady.look(monotonic() + wall_offset())
        return steady

    async def _restore(self, pump: Pump, recordings: RecordingFolder) -> None:
        """Restore the state of before; its media workers have ended, so that their files are as they stay."""
        wall = monotonic() + wall_offset()
        folder = self._folder / "journal"
        url = self.settings.store.url
        rows = await asyncio.to_thread(read_state, folder, url, wall)
        counted = await asyncio.to_thread(read_counts, folder, url, wall)
        written = [row.recording for row in self._living if isinstance(row, RecordingStateRow)]
        written += [row.voicemail for row in self._living if isinstance(row, VoicemailStateRow)]
        files = await asyncio.to_thread(recordings.measure, written)
        journal = self._journal
        died_at = None if journal is None else journal.died_at
        node = pump.node
        pump.turn(lambda now: node.restore([*rows, *counted, *self._living], now, died_at, files))
        self._living = []
        if journal is not None:
            journal.checkpoint = node.checkpoint

    def _tick(self, pump: Pump, lag: float) -> None:
        pump.turn(pump.node.note_lag, lag)
        if self._journal is not None:
            self._journal.touch()

    def _set_clock(self, pump: Pump, steady: Steady, offset: float) -> None:
        steady.look(monotonic() + offset)  # first: what is too old by a wrong clock stays
        pump.node.set_clock(offset)

    def _on_request(self, word: str) -> None:
        if word == "reload":
            self.reload()
        elif word == "drain":
            self.drain()

    def _reconfigure(self, settings: Settings, now: float) -> None:
        self._running().node.reconfigure(settings, now)
        log.info("configuration reloaded")

    def _hang_up_all(self, now: float) -> None:
        node = self._running().node
        for call in node.calls_view(now):
            try:
                node.hang_up(call["call"], "shutdown", now)
            except OperationRefused:
                continue  # it ended with the one before


def hold_lock(path: Path) -> IO[str]:
    """Return the open lock file of a store folder; the lock lasts until it is closed.

    Raises OperatorError when another switch holds it.
    """
    try:
        file = path.open("a+")
    except OSError as error:
        raise OperatorError(str(path), f"the lock cannot be created ({error.strerror})") from error
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read(32).strip() or "?"
        file.close()
        raise OperatorError(
            str(path),
            f"another switch (process {owner}) uses this folder; stop it or give this one its own store.url",
        ) from None
    try:
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
    except OSError as error:
        with suppress(OSError):  # it tries to write once more
            file.close()
        raise OperatorError(str(path), f"the lock cannot be written ({error.strerror})") from error
    return file


def raise_file_limit(settings: Settings) -> None:
    """Allow as many descriptors as the system grants; refuse RTP ports that need more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return
    first, last = settings.media.ports
    needed = files_needed(settings)
    if needed > hard:
        raise OperatorError(
            "media.ports",
            f"{first}-{last} needs {needed} open files and the limit is {hard}: "
            "narrow the range or raise the limit (ulimit -n, LimitNOFILE= in systemd)",
        )


async def run_daemon(settings: Settings, reread: Callable[[], Settings], path: str) -> int:
    """Run a switch until it is told to end; return the exit code. Raises OperatorError if it cannot start.

    ``path`` is the file that the settings are of, for the greeting.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(LoopErrors())

    huge_pages: list[int] = []
    daemon = Daemon(settings, reread, settle=lambda: huge_pages.append(use_huge_pages()))
    for number, what in (
        (signal.SIGTERM, daemon.drain),
        (signal.SIGINT, daemon.interrupt),
        (signal.SIGHUP, daemon.reload),
    ):
        loop.add_signal_handler(number, what)

    def greet() -> None:
        log.info("memory in huge pages", pages=sum(huge_pages))
        print(build_greeting(settings, path, command_name()), flush=True)
        notify("READY=1")

    await daemon.run(greet)
    return 0


def run(config_path: str) -> int:
    """Run the daemon in the foreground with the configuration at ``config_path``; return the exit code."""
    try:
        settings = read_configuration(config_path)
        configure_logs(settings.log.level)
        raise_file_limit(settings)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(run_daemon(settings, lambda: read_configuration(config_path), config_path))
    except OperatorError as error:
        print(f"seatswitch: {error}", file=sys.stderr)
        return 1


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


class LoopErrors:
    """What the event loop complains about: the first, tenth, hundredth ... of a kind is logged.

    Out of descriptors, the stock loop complains thousands of times a second.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take one complaint (the signature of asyncio's exception handlers)."""
        what, error = str(context.get("message", "")), context.get("exception")
        kind = f"{what} {type(error).__name__}"
        if kind not in self.counts and len(self.counts) >= _KINDS_MAX:
            kind = "elsewhere"
        count = self.counts[kind] = self.counts.get(kind, 0) + 1
        if str(count).strip("0") == "1":
            # The peer's and the system's doing needs no traceback; a bug of ours does.
            trace = None if isinstance(error, OSError) else error
            log.error("! the event loop reports", what=what, why=str(error), times=count, exc_info=trace)


async def _first(*events: asyncio.Event) -> None:
    """Return when one of ``events`` is set."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
