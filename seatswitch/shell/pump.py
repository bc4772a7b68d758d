"""The pump: every way in is one turn of the node, and every turn ends here.

Datagrams, stream bytes, JSON-RPC lines, worker messages, signals and the one loop timer each call one verb of
the node (or of the API) with ``now`` behind its arguments; :meth:`Pump.settle` then carries out everything
the turn left: datagrams, closes, worker commands, rows, replies. Only then may the next input come.

Rule: nothing that is called from :meth:`Pump.settle` calls back into the node; a failure to send comes
back as an input of its own, on a later round of the loop.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, Protocol

import structlog

from kernel.ids import RecordingId
from kernel.outbox import Outbox
from kernel.rows import RecordingRow
from kernel.staterows import JournalRow, StateRow
from kernel.timers import GRAIN
from media.events import NO_FILES, Written
from seatswitch.shell.clock import monotonic
from seatswitch.shell.rounds import Rounds
from sip.flows import Flow
from sip.resolve import Answer, Question

_REARM_FROM = GRAIN / 2  # a deadline that moved by less is served by the wake-up already armed
_WAKE_MARGIN = 0.001  # uvloop counts whole milliseconds from the start of its round: never wake early
_BUGS_MAX = 1_000  # kinds of bug counted apart

log = structlog.get_logger()


class StackOutputs(Protocol):
    """What the SIP stack leaves behind a turn."""

    @property
    def datagrams(self) -> Outbox[tuple[Flow, bytes]]: ...
    @property
    def closes(self) -> Outbox[Flow]: ...
    @property
    def questions(self) -> Outbox[Question]: ...

    def stream_progress(self, flow: Flow) -> tuple[int, bool]: ...


class CommandSource(Protocol):
    """Commands to media workers: (worker, message)."""

    def take(self) -> list[tuple[int, bytes]]: ...


class PlaneOutputs(Protocol):
    """What the media plane leaves behind a turn."""

    @property
    def commands(self) -> CommandSource: ...


class NodeLike(Protocol):
    """The node as the shell drives it (seatswitch/node.py)."""

    @property
    def stack(self) -> StackOutputs: ...
    @property
    def plane(self) -> PlaneOutputs: ...
    @property
    def rows(self) -> Outbox[JournalRow]: ...
    @property
    def news(self) -> Any: ...

    def receive_datagram(self, data: bytes, flow: Flow, now: float) -> None: ...
    def receive_stream(self, data: bytes, flow: Flow, now: float) -> None: ...
    def flow_closed(self, flow: Flow, now: float) -> None: ...
    def flow_failed(self, flow: Flow, now: float) -> None: ...
    def flow_verified(self, flow: Flow, names: tuple[str, ...], now: float) -> None: ...
    def name_answered(self, question: Question, answer: Answer, now: float) -> None: ...
    def receive_worker(self, worker: int, message: bytes, now: float) -> None: ...
    def worker_started(self, worker: int, now: float) -> None: ...
    def worker_lost(self, worker: int, now: float) -> None: ...
    def hang_up(self, call: Any, cause: str, now: float) -> None: ...
    def set_clock(self, offset: float) -> None: ...
    def reconfigure(self, settings: Any, now: float) -> None: ...
    def drain(self, now: float) -> None: ...
    def leave(self, now: float) -> None: ...
    def note_lag(self, lag: float, now: float) -> None: ...
    def restore(
        self,
        rows: Sequence[Any],
        now: float,
        died_at: float | None = None,
        files: Mapping[str, Written] = NO_FILES,
    ) -> None: ...
    def start(self, now: float) -> None: ...
    def checkpoint(self) -> list[StateRow]: ...
    def recordings_removed(self, rows: Sequence[RecordingRow], now: float) -> None: ...
    def recording_measured(self, recording: RecordingId, written: Written, now: float) -> None: ...
    def handle_timers(self, now: float) -> None: ...
    def next_deadline(self) -> float | None: ...
    def is_idle(self) -> bool: ...
    def calls_view(self, now: float) -> list[dict[str, Any]]: ...
    def snapshot(self, now: float) -> dict[str, Any]: ...


class ApiLike(Protocol):
    """The JSON-RPC side as the shell drives it (seatswitch/api)."""

    @property
    def replies(self) -> Outbox[tuple[int, bytes]]: ...
    @property
    def closes(self) -> Outbox[tuple[int, str]]: ...
    @property
    def requests(self) -> Outbox[str]: ...

    def opened(self, connection: int, role: str, now: float) -> None: ...
    def received(self, connection: int, text: bytes, now: float) -> None: ...
    def closed(self, connection: int, now: float) -> None: ...
    def audio_read(self, number: int, found: Any, now: float) -> None: ...
    def flush(self, now: float) -> None: ...


class DatagramSender(Protocol):
    """A UDP socket (seatswitch/shell/udp.py)."""

    def send(self, flow: Flow, data: bytes) -> None: ...


class StreamSender(Protocol):
    """The TCP connections (seatswitch/shell/stream.py)."""

    def send(self, flow: Flow, data: bytes) -> None: ...
    def close(self, flow: Flow) -> None: ...


class NameAsker(Protocol):
    """The domain name system (seatswitch/shell/dns.py)."""

    def ask(self, questions: Outbox[Question]) -> None: ...


class WorkerSender(Protocol):
    """The media workers (seatswitch/shell/media_link.py)."""

    def send(self, worker: int, message: bytes) -> None: ...


class RowSink(Protocol):
    """The journal (seatswitch/shell/store/journal.py)."""

    def append(self, rows: list[JournalRow]) -> None: ...


class ReplySender(Protocol):
    """The JSON-RPC connections (seatswitch/shell/rpc.py)."""

    def send(self, connection: int, text: bytes) -> None: ...
    def close(self, connection: int, reason: str) -> None: ...


class FileKeeper(Protocol):
    """The folder of recordings (seatswitch/shell/recording_folder.py)."""

    def remove(self, file: str) -> None: ...
    def look(self, recording: RecordingId) -> None: ...
    def read(self, number: int, wanted: Any) -> None: ...


class Exits:
    """Where outputs go. Filled by the daemon before the first input; what is missing is dropped."""

    __slots__ = ("files", "names", "replies", "rows", "streams", "udp", "workers")

    def __init__(self) -> None:
        self.udp: dict[int, DatagramSender] = {}  # by Flow.local
        self.streams: StreamSender | None = None
        self.names: NameAsker | None = None
        self.workers: WorkerSender | None = None
        self.rows: RowSink | None = None
        self.files: FileKeeper | None = None
        self.replies: ReplySender | None = None


class Pump:
    """The one loop of a switch: input, turn, drain, re-arm."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        node: NodeLike,
        api: ApiLike,
        exits: Exits,
        on_request: Callable[[str], None] | None = None,
        now: Callable[[], float] = monotonic,
        rounds: Rounds | None = None,
    ) -> None:
        """``on_request(word)`` gets what the API asks of the shell: "reload", "drain"."""
        self.node = node
        self.api = api
        self.rounds = Rounds(loop) if rounds is None else rounds
        self.bugs: dict[str, int] = {}  # where -> how often
        self.refused_datagrams = 0  # sends that the operating system refused
        self._loop = loop
        self._exits = exits
        self._on_request = on_request
        self._now = now
        self._fresh = node.news.fresh
        told = getattr(node, "log", None)
        self._log: Outbox[tuple[str, dict[str, Any]]] = Outbox() if told is None else told
        gone = getattr(node, "removals", None)
        self._removals: Outbox[str] = Outbox() if gone is None else gone
        left = getattr(node, "looks", None)
        self._looks: Outbox[RecordingId] = Outbox() if left is None else left
        wanted = getattr(api, "reads", None)
        self._reads: Outbox[tuple[int, Any]] = Outbox() if wanted is None else wanted
        self._datagrams = node.stack.datagrams
        self._closes = node.stack.closes
        self._questions = node.stack.questions
        self._commands = node.plane.commands
        self._rows = node.rows
        self._replies = api.replies
        self._api_closes = api.closes
        self._api_requests = api.requests
        self._next_deadline = node.next_deadline
        self.take_log_level()
        self._armed_at = inf
        self._holders = 0  # sockets that run the timers
        self._fired_at = -inf
        self._handle: asyncio.TimerHandle | None = None

    def turn(self, verb: Callable[..., object], *arguments: Any) -> None:
        """Call ``verb(*arguments, now)`` and carry out what it leaves."""
        now = self._now()
        try:
            verb(*arguments, now)
        except Exception as bug:
            self.note_bug(bug)
        self.settle(now)

    def settle(self, now: float) -> None:
        """Send everything the turn has left, then wait for the node's next deadline."""
        try:
            self._drain(now)
            at = self._next_deadline()
        except Exception as bug:
            self.note_bug(bug)
            at = self._next_deadline()
        # One call_later costs more than the rest of this method: arm only what is not covered.
        if at is not None and at < self._armed_at - _REARM_FROM:
            self._arm(at, now)

    def take_log_level(self) -> None:
        """Take the level that the logs have been configured to, at start and on a reload."""
        self._info = log.bind().info  # binding costs as much as the line

    def note_bug(self, bug: Exception) -> None:
        """Log a bug of ours with its traceback, once per place; the turn is abandoned, the switch stays up.

        A place that goes on failing is counted, and told again at each power of ten.
        """
        place = type(bug).__name__
        trace = bug.__traceback__
        while trace is not None:
            place = f"{type(bug).__name__} {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        if place not in self.bugs and len(self.bugs) >= _BUGS_MAX:
            place = "elsewhere"
        count = self.bugs[place] = self.bugs.get(place, 0) + 1
        if count == 1:
            log.error("! a turn was abandoned: this is a bug", place=place, exc_info=bug)
        elif str(count).strip("0") == "1":
            log.error("! a turn was abandoned again", place=place, times=count)

    def hold_timers(self) -> None:
        """Wake no more for the node's deadlines: a busy socket runs them in its rounds."""
        self._holders += 1
        self.rounds.begin()
        self.disarm()

    def run_timers(self) -> None:
        """Fire what is due."""
        now = self._now()
        at = self._next_deadline()
        if at is not None and at <= now:
            self._fired_at = now
            try:
                self.node.handle_timers(now)
            except Exception as bug:
                self.note_bug(bug)
            self.settle(now)

    def release_timers(self) -> None:
        """Wake for the node's deadlines again."""
        self._holders -= 1
        self.rounds.end()
        if self._holders == 0:
            self._armed_at = inf
            self.settle(self._now())

    def disarm(self) -> None:
        """Wake no more for the node's deadlines."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._armed_at = -inf

    def _drain(self, now: float) -> None:
        exits = self._exits
        if self._rows:
            # Before anything is sent: what a peer has heard of is known after a crash.
            rows = self._rows.take()
            if exits.rows is not None:
                exits.rows.append(rows)
        if self._datagrams:
            self._send_datagrams(exits)
        if self._closes and exits.streams is not None:
            for flow in self._closes.take():
                exits.streams.close(flow)
        if self._questions and exits.names is not None:
            exits.names.ask(self._questions)
        commands = self._commands.take()
        if commands and exits.workers is not None:
            for worker, message in commands:
                exits.workers.send(worker, message)
        if self._fresh:
            self.api.flush(now)
        if self._replies and exits.replies is not None:
            for connection, text in self._replies.take():
                exits.replies.send(connection, text)
        if self._api_closes and exits.replies is not None:
            for connection, reason in self._api_closes.take():
                exits.replies.close(connection, reason)
        if self._removals and exits.files is not None:
            for file in self._removals.take():
                exits.files.remove(file)
        if self._looks and exits.files is not None:
            for recording in self._looks.take():
                exits.files.look(recording)
        if self._reads and exits.files is not None:
            for number, wanted in self._reads.take():
                exits.files.read(number, wanted)
        if self._log:
            info = self._info
            for event, fields in self._log.take():
                info(event, **fields)
        if self._api_requests:
            for word in self._api_requests.take():
                if self._on_request is not None:
                    self._loop.call_soon(self._on_request, word)

    def _send_datagrams(self, exits: Exits) -> None:
        for flow, data in self._datagrams.take():
            if flow[0] == "udp":
                sender = exits.udp.get(flow[1])
                if sender is not None:
                    sender.send(flow, data)
            elif exits.streams is not None:
                exits.streams.send(flow, data)

    def _arm(self, at: float, now: float) -> None:
        at = max(at, self._fired_at + GRAIN)  # at most one wake-up per grain
        if at >= self._armed_at - _REARM_FROM:
            return
        if self._handle is not None:
            self._handle.cancel()
        self._armed_at = at
        self._handle = self._loop.call_later(max(0.0, at - now) + _WAKE_MARGIN, self._on_deadline)

    def _on_deadline(self) -> None:
        self._handle = None
        self._armed_at = inf
        self.run_timers()
        self.settle(self._now())
