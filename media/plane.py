"""The media plane: the face of everything that carries audio, for the calls above it.

Streams live in workers; the plane knows which worker and port a stream has, what it was told last (so that a
worker that died can be replaced), and what the worker reports. It computes no audio.

Rules: a port belongs to at most one stream and rests between two (:mod:`media.ports`). A worker hears of a
stream with its first :class:`RemoteMedia`; until then a stream is only a port in a pool. Everything told to
one worker within a turn is one message. Every :meth:`Plane.close` is followed by exactly one StreamClosed.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from kernel.chance import Chance
from kernel.ids import StreamId
from kernel.outbox import Outbox
from kernel.timers import Timer, TimerQueue
from media import messages
from media.addresses import PORT_MAX, PORT_MIN, is_private, may_be_sent_to
from media.events import (
    DigitReceived,
    MediaEvent,
    PromptEnded,
    StreamClosed,
    StreamFailed,
    StreamReady,
    StreamStatistics,
    StreamTimedOut,
    WorkerLost,
)
from media.known import CommandBox, Stream, Worker
from media.messages import (
    AddPrompt,
    BindPorts,
    Close,
    Collect,
    Command,
    Configure,
    Connect,
    ConnectAcross,
    Disconnect,
    FarSource,
    Feed,
    Mix,
    Play,
    SendDigits,
    SetRemote,
    Stop,
    decode_reports,
)
from media.ports import split_ports
from media.recordings import Recordings
from media.settings import MediaSettings

_HOSTS_MAX = 4_096  # whose kind is remembered
_HOST_LENGTH_MAX = 64  # characters, more than any address has
KEY_FOR = 160  # milliseconds a digit is pressed
KEY_GAP = 80  # milliseconds between two digits
OPEN_WAIT = 2.0  # seconds a stream waits for a port or a worker before it fails


class RemoteMedia(msgspec.Struct, frozen=True, gc=False):
    """What SDP says about a stream's peer."""

    host: str
    port: int
    codec: str  # PCMU, PCMA
    payload_type: int  # to send
    payload_type_receive: int
    dtmf_send: int = -1  # telephone-event (RFC 4733); -1: not negotiated
    dtmf_receive: int = -1
    ptime_ms: int = 20
    sends: bool = True  # the peer sends to us; else there is no RTP timeout
    receives: bool = True  # we may send to the peer


class Plane:
    """The face: told by calls what streams shall do, by the shell what workers say."""

    def __init__(self, settings: MediaSettings, timers: TimerQueue, chance: Chance) -> None:
        self.commands = CommandBox()
        self.events: Outbox[MediaEvent] = Outbox()
        self._settings = settings
        self._timers = timers
        self._address = settings.advertise or settings.address
        self._own_hosts = dict.fromkeys((settings.address, self._address, "127.0.0.1"))
        self._listeners = dict.fromkeys(settings.never_send_to)
        self._workers = [Worker() for _ in range(max(1, settings.workers))]
        self._streams: dict[StreamId, Stream] = {}
        self._waiting: deque[tuple[float, Stream]] = deque()  # (fails at, stream without a port), in order
        self._timer: Timer | None = None
        self._prompts: dict[str, bytes] = dict(settings.sounds)
        self._hosts: dict[str, tuple[bool, bool]] = {}  # what _kind_of has said
        self._deaths = 0
        self.recordings = Recordings(settings, self._streams, self.commands, self.events, self._can_tell)
        self._handlers: dict[type, Callable[[int, Any, float], None]] = {
            messages.PortsBound: self._ports_bound,
            messages.Closed: self._closed,
            messages.TimedOut: self._timed_out,
            messages.Digit: self._digit,
            messages.Played: self._played,
            messages.OpenFailed: self._open_failed,
            messages.Recorded: self.recordings.ended,
            messages.RecordingLost: self.recordings.failed,
            messages.Hello: lambda worker, report, now: None,
        }

    # Verbs of calls.

    def open(self, stream: StreamId, now: float, near: StreamId | None = None) -> tuple[str, int] | None:
        """Return the address and RTP port for SDP, or None: StreamReady or StreamFailed follows.

        ``near`` is a stream that this one will probably be connected to: both then live in one worker.
        """
        assert stream not in self._streams, f"stream {stream} is open"
        opened = self._streams[stream] = Stream(stream)
        if not self._waiting and self._allocate(opened, now, near):
            return self._address, opened.port
        if self._can_never_open():
            del self._streams[stream]
            self.events.put(StreamFailed(stream, "no_ports"))
            return None
        self._waiting.append((now + OPEN_WAIT, opened))
        self._rearm(now)
        return None

    def reopen(self, stream: StreamId, port: int, now: float) -> tuple[str, int] | None:
        """Open a stream of the process before on its ``port``, else on any that is free; None if none is."""
        assert stream not in self._streams, f"stream {stream} is open"
        opened = self._streams[stream] = Stream(stream)
        for index, worker in enumerate(self._workers):
            first, last = split_ports(self._settings.ports, len(self._workers), index)
            if first <= port <= last and worker.pool.claim(port):
                opened.worker, opened.port = index, port
                worker.streams[stream] = opened
                return self._address, port
        if self._allocate(opened, now, None):
            return self._address, opened.port
        del self._streams[stream]
        return None

    def set_remote(self, stream: StreamId, remote: RemoteMedia, now: float) -> None:
        """Tell where the peer is and what it speaks; again after a re-INVITE."""
        told = self._streams[stream]
        assert told.worker >= 0, f"stream {stream} has no port yet"
        host, port = remote.host, remote.port
        is_sendable, is_behind_nat = self._kind_of(host)
        if not is_sendable or not PORT_MIN <= port <= PORT_MAX or self._is_ours(host, port):
            host, port = "", 0
        is_new = told.remote is None
        told.remote = SetRemote(
            stream,
            told.port,
            host,
            port,
            is_behind_nat,
            remote.codec,
            remote.payload_type,
            remote.payload_type_receive,
            remote.dtmf_send,
            remote.dtmf_receive,
            remote.sends,
            remote.receives,
        )
        if not self._workers[told.worker].is_alive:
            return
        self.commands.tell(told.worker, told.remote)
        if told.peer is not None:
            peer = self._streams[told.peer]
            if is_new or peer.worker != told.worker:
                self._tell_connected(told, peer)
        if is_new:
            if told.prompts or told.collects or told.hears:
                self._tell_rest(told)
            for one in told.heard_by:
                if self._streams[one].worker == told.worker:
                    self._tell_mix(self._streams[one])
            if self.recordings.living:
                self.recordings.known(told)
        if told.heard_by or told.hears:
            self._tell_far(told)

    def connect(self, a: StreamId, b: StreamId, now: float) -> None:
        """Let both hear each other; what is played to either stops mid-word."""
        one, other = self._streams[a], self._streams[b]
        for stream, peer in ((one, b), (other, a)):
            if stream.peer is not None and stream.peer != peer:
                self.disconnect(stream.id, now)
            stream.peer = peer
            stream.prompts = ()
            stream.plays += 1
        self._tell_connected(one, other)

    def disconnect(self, a: StreamId, now: float) -> None:
        """Let ``a`` and its peer hear each other no more; does nothing without a peer."""
        one = self._streams[a]
        if one.peer is None:
            return
        other = self._streams[one.peer]
        one.peer = other.peer = None
        self._tell(one, Disconnect(one.id))
        if other.worker != one.worker:
            self._tell(other, Disconnect(other.id))

    def mix(self, stream: StreamId, hears: tuple[StreamId, ...], now: float) -> None:
        """Let ``stream`` hear the sum of what is received from ``hears``; () ends it.

        What it was connected to before stays known: with () it hears its peer again as :meth:`connect` said,
        and all the time its peer hears it, unless that has a mix of its own. What is played to it goes first.
        """
        mixed = self._streams[stream]
        if hears == mixed.hears:
            return
        assert stream not in hears, f"stream {stream} is to hear itself"
        before, mixed.hears = mixed.hears, hears
        for one in (*before, *hears):
            source = self._streams[one]
            listeners = tuple(listener for listener in source.heard_by if listener != stream)
            source.heard_by = (*listeners, stream) if one in hears else listeners
            if source.worker != mixed.worker:
                self._tell_feed(source)
        self._tell_mix(mixed)

    def play(self, stream: StreamId, prompts: tuple[str, ...], now: float, loop_last: bool = True) -> None:
        """Play each prompt once, in order, the last for ever if ``loop_last``; replaces what is played."""
        told = self._streams[stream]
        told.prompts, told.loops = prompts, loop_last
        told.plays += 1
        self._tell(told, Play(stream, prompts, loop_last, told.plays))

    def stop(self, stream: StreamId, now: float) -> None:
        """Stop playing to ``stream``."""
        told = self._streams[stream]
        told.plays += 1
        if told.prompts:
            told.prompts = ()
            self._tell(told, Stop(stream))

    def is_news(self, event: PromptEnded) -> bool:
        """Say whether nothing else has been played since, nor was it stopped: its end counts."""
        told = self._streams.get(event.stream)
        return told is not None and told.plays == event.number

    def collect(self, stream: StreamId, wanted: bool, now: float) -> None:
        """Tell DigitReceived while ``wanted``."""
        told = self._streams[stream]
        if told.collects != wanted:
            told.collects = wanted
            self._tell(told, Collect(stream, wanted))

    def send_digits(self, stream: StreamId, digits: str, now: float, duration_ms: int = KEY_FOR) -> bool:
        """Send ``digits`` to the peer as telephone events; False if it has not agreed to such, or cannot hear
        any now.
        """
        told = self._streams[stream]
        remote = told.remote
        if remote is None or remote.dtmf_send < 0 or not remote.receives:
            return False
        if not self._workers[told.worker].is_alive:
            return False
        self._tell(told, SendDigits(stream, digits, duration_ms, KEY_GAP))
        return True

    def close(self, stream: StreamId, now: float) -> None:
        """End the stream: StreamClosed with statistics follows (zeros if it had failed), the port rests."""
        closed = self._streams.pop(stream, None)
        if closed is None:
            self.events.put(StreamClosed(stream, StreamStatistics(stream)))
            return
        if closed.peer is not None:
            self._part(closed)
        if self.recordings.living:
            self.recordings.forget(closed)
        if closed.heard_by or closed.hears:
            self._leave_mixes(closed)
        if closed.worker < 0:
            self._waiting = deque(entry for entry in self._waiting if entry[1] is not closed)
            self.events.put(StreamClosed(stream, StreamStatistics(stream)))
            return
        worker = self._workers[closed.worker]
        del worker.streams[stream]
        if closed.remote is not None and worker.is_alive:
            worker.closing[stream] = closed.port
            self.commands.tell(closed.worker, Close(stream))
            return
        worker.pool.give_back(closed.port, now)
        self.events.put(StreamClosed(stream, StreamStatistics(stream)))

    def add_prompt(self, name: str, wav_or_ulaw: bytes, now: float) -> None:
        """Give workers audio to play: G.711 u-law at 8 kHz, or a WAV file (8 kHz, one channel)."""
        self._prompts[name] = wav_or_ulaw
        for index, worker in enumerate(self._workers):
            if worker.is_alive:
                self.commands.tell(index, AddPrompt(name, wav_or_ulaw))

    # The workers.

    def worker_started(self, worker: int, now: float) -> None:
        """A worker is there: tell it everything it must know, its predecessor's streams first."""
        started = self._workers[worker]
        assert not started.is_alive, f"worker {worker} was started twice"
        started.is_alive = True
        self.commands.tell(worker, Configure(self._settings.rtp_timeout))
        for name, audio in self._prompts.items():
            self.commands.tell(worker, AddPrompt(name, audio))
        streams = [stream for stream in started.streams.values() if stream.remote is not None]
        for stream in streams:
            assert stream.remote is not None
            self.commands.tell(worker, stream.remote)
        for stream in streams:
            if stream.peer is not None:
                peer = self._streams[stream.peer]
                if stream.id < peer.id or peer.worker != worker:
                    self._tell_connected(stream, peer)
        for stream in streams:
            self._tell_rest(stream)
            self._tell_far(stream)
            self.recordings.known(stream)

    def worker_lost(self, worker: int, now: float) -> None:
        """A worker died: its streams wait for its successor, what was closing is closed."""
        lost = self._workers[worker]
        if not lost.is_alive:
            return
        lost.is_alive = False
        lost.pool.forget_free()
        self.commands.forget(worker)
        self._deaths += 1
        for stream, port in lost.closing.items():
            lost.pool.give_back(port, now)
            self.events.put(StreamClosed(stream, StreamStatistics(stream)))
        lost.closing.clear()
        self.recordings.worker_lost(worker, now)
        self.events.put(WorkerLost(worker, len(lost.streams)))

    def receive_worker(self, worker: int, message: bytes, now: float) -> None:
        """Take one message of a worker."""
        for report in decode_reports(message):
            self._handlers[type(report)](worker, report, now)

    def on_timer(self, name: str, now: float) -> None:
        """A resting port is free again, or a stream has waited long enough."""
        self._timer = None
        self._serve_waiting(now)
        while self._waiting and self._waiting[0][0] <= now:
            stream = self._waiting.popleft()[1]
            del self._streams[stream.id]
            if stream.peer is not None:
                self._part(stream)
            self.recordings.forget(stream)
            self._leave_mixes(stream)
            is_alive = any(worker.is_alive for worker in self._workers)
            self.events.put(StreamFailed(stream.id, "no_ports" if is_alive else "no_media_worker"))
        self._rearm(now)

    # For operators and tests.

    def reconfigure(self, settings: MediaSettings, now: float) -> None:
        """Take what may change while streams live (RTP timeout, sounds); the rest needs a restart."""
        for name, audio in settings.sounds:
            if self._prompts.get(name) != audio:
                self.add_prompt(name, audio, now)
        if settings.rtp_timeout != self._settings.rtp_timeout:
            for index, worker in enumerate(self._workers):
                if worker.is_alive:
                    self.commands.tell(index, Configure(settings.rtp_timeout))
        self._settings = msgspec.structs.replace(self._settings, rtp_timeout=settings.rtp_timeout)

    def snapshot(self) -> dict[str, object]:
        """Return counts per worker, JSON-able."""
        workers: list[dict[str, object]] = []
        for worker in self._workers:
            free, resting, used = worker.pool.counts()
            workers.append(
                {
                    "alive": worker.is_alive,
                    "streams": len(worker.streams),
                    "closing": len(worker.closing),
                    "ports": {"free": free, "resting": resting, "used": used},
                }
            )
        return {
            "streams": len(self._streams),
            "waiting": len(self._waiting),
            "mixes": sum(bool(stream.hears) for stream in self._streams.values()),
            "recordings": len(self.recordings.living),
            "deaths": self._deaths,
            "workers": workers,
        }

    def check(self) -> None:
        """Assert what must hold between turns."""
        placed = 0
        for index, worker in enumerate(self._workers):
            worker.pool.check()
            ports = [*(stream.port for stream in worker.streams.values()), *worker.closing.values()]
            assert len(dict.fromkeys(ports)) == len(ports), f"worker {index} has a port with two streams"
            assert worker.pool.counts()[2] == len(ports), f"worker {index} has lost a port"
            assert worker.is_alive or not worker.closing, f"worker {index} is dead and closes a stream"
            assert all(stream.worker == index for stream in worker.streams.values()), "a stream is misplaced"
            placed += len(worker.streams)
        assert placed + len(self._waiting) == len(self._streams), "a stream is neither placed nor waiting"
        for stream in self._streams.values():
            if stream.peer is not None:
                peer = self._streams[stream.peer]
                assert peer.peer == stream.id, f"stream {stream.id} has a one-sided peer"
            for source in stream.hears:
                assert stream.id in self._streams[source].heard_by, f"{source} is heard and does not know"
            for listener in stream.heard_by:
                assert stream.id in self._streams[listener].hears, f"{listener} is said to hear {stream.id}"
        self.recordings.check()

    def is_quiet(self) -> bool:
        """Return whether no stream is open or closing, and nothing is being recorded."""
        is_closing = any(worker.closing for worker in self._workers)
        return not (self._streams or is_closing) and self.recordings.is_quiet()

    # How it is done.

    def _alive(self) -> Iterator[tuple[int, Worker]]:
        return ((index, worker) for index, worker in enumerate(self._workers) if worker.is_alive)

    def _allocate(self, stream: Stream, now: float, near: StreamId | None) -> bool:
        """Give ``stream`` a port of its neighbour's worker, else of the one with the fewest streams."""
        first = self._streams.get(near) if near is not None else None
        if first is not None and first.worker >= 0 and self._place(stream, first.worker, now):
            return True
        if len(self._workers) == 1:
            return self._place(stream, 0, now)
        order = sorted(self._alive(), key=lambda entry: (len(entry[1].streams), entry[0]))
        return any(self._place(stream, index, now) for index, _ in order)

    def _place(self, stream: Stream, index: int, now: float) -> bool:
        worker = self._workers[index]
        if not worker.is_alive:
            return False
        pool = worker.pool
        port = pool.take(now)
        wanted = pool.wanted(self._settings.ports_ahead)
        if wanted:
            pool.is_asked = True
            self.commands.tell(index, BindPorts(wanted))
        if port is None:
            return False
        stream.worker, stream.port = index, port
        worker.streams[stream.id] = stream
        return True

    def _can_never_open(self) -> bool:
        """Return whether every port there can be is in use: waiting would not help."""
        return all(
            worker.is_alive
            and worker.pool.are_all
            and worker.pool.next_free_at() is None
            and not worker.closing
            for worker in self._workers
        )

    def _serve_waiting(self, now: float) -> None:
        while self._waiting and self._allocate(self._waiting[0][1], now, None):
            stream = self._waiting.popleft()[1]
            self.events.put(StreamReady(stream.id, self._address, stream.port))

    def _rearm(self, now: float) -> None:
        if not self._waiting:
            self._timers.disarm(self._timer)
            self._timer = None
            return
        at = self._waiting[0][0]
        for _, worker in self._alive():
            free_at = worker.pool.next_free_at()
            if free_at is not None:
                at = min(at, max(free_at, now))
        if self._timer is None or self._timer.at > at:
            self._timers.disarm(self._timer)
            self._timer = self._timers.arm(self, "ports", at)

    def _kind_of(self, host: str) -> tuple[bool, bool]:
        """Return whether ``host`` may be sent to at all, and whether its packets may come from elsewhere."""
        kind = self._hosts.get(host)
        if kind is None:
            kind = (may_be_sent_to(host, PORT_MIN), is_private(host))
            if len(host) <= _HOST_LENGTH_MAX:
                if len(self._hosts) >= _HOSTS_MAX:
                    self._hosts.clear()
                self._hosts[host] = kind
        return kind

    def _is_ours(self, host: str, port: int) -> bool:
        if (host, port) in self._listeners:
            return True
        if host not in self._own_hosts:
            return False
        return ("0.0.0.0", port) in self._listeners or any(worker.pool.owns(port) for worker in self._workers)

    def _tell(self, stream: Stream, command: Command) -> None:
        """Tell the stream's worker, if it knows the stream; else it is told with the first SetRemote."""
        if self._can_tell(stream):
            self.commands.tell(stream.worker, command)

    def _can_tell(self, stream: Stream) -> bool:
        return stream.remote is not None and self._workers[stream.worker].is_alive

    def _tell_rest(self, stream: Stream) -> None:
        """Tell what a worker must know of a stream besides its remote and its peer."""
        if stream.prompts:
            self._tell(stream, Play(stream.id, stream.prompts, stream.loops, stream.plays))
        if stream.collects:
            self._tell(stream, Collect(stream.id, True))
        if stream.hears:
            self._tell_mix(stream)

    def _tell_connected(self, one: Stream, other: Stream) -> None:
        if one.remote is None or other.remote is None:
            return  # told with the later of the two SetRemote
        if one.worker == other.worker:
            self._tell(one, Connect(one.id, other.id))
            return
        for near, far in ((one, other), (other, one)):
            remote = far.remote
            assert remote is not None
            self._tell(
                near,
                ConnectAcross(
                    near.id,
                    self._settings.address,
                    far.port,
                    remote.codec,
                    remote.payload_type_receive,
                    remote.dtmf_receive,
                ),
            )

    def _tell_mix(self, stream: Stream) -> None:
        """Tell what the stream hears; those of other workers as far as they are known."""
        near: list[StreamId] = []
        far: list[FarSource] = []
        for one in stream.hears:
            source = self._streams[one]
            remote = source.remote
            if source.worker == stream.worker or remote is None:
                near.append(one)
            else:
                far.append(
                    FarSource(source.port, remote.codec, remote.payload_type_receive, remote.dtmf_receive)
                )
        self._tell(stream, Mix(stream.id, tuple(near), self._settings.address, tuple(far)))

    def _tell_feed(self, source: Stream) -> None:
        """Tell which mixes of other workers hear the stream."""
        listeners = (self._streams[one] for one in source.heard_by)
        ports = tuple(one.port for one in listeners if one.worker != source.worker and one.worker >= 0)
        self._tell(source, Feed(source.id, self._settings.address, ports))

    def _tell_far(self, told: Stream) -> None:
        """A stream's remote is new or another: so are its mixes with streams of other workers."""
        listeners = [self._streams[one] for one in told.heard_by]
        if any(listener.worker != told.worker for listener in listeners):
            self._tell_feed(told)
        for listener in listeners:
            if listener.worker != told.worker:
                self._tell_mix(listener)
        for one in told.hears:
            if self._streams[one].worker != told.worker:
                self._tell_feed(self._streams[one])

    def _leave_mixes(self, closed: Stream) -> None:
        """A stream that is no more hears nobody and is heard by nobody."""
        for one in closed.hears:
            source = self._streams[one]
            source.heard_by = tuple(listener for listener in source.heard_by if listener != closed.id)
            if source.worker != closed.worker:
                self._tell_feed(source)
        closed.hears = ()
        for one in closed.heard_by:
            listener = self._streams[one]
            listener.hears = tuple(source for source in listener.hears if source != closed.id)
            self._tell_mix(listener)
        closed.heard_by = ()

    def _part(self, closed: Stream) -> None:
        """Free the peer of a stream that closes; a worker does so by itself for two of its own."""
        assert closed.peer is not None
        peer = self._streams.get(closed.peer)
        if peer is not None:
            peer.peer = None
            if peer.worker != closed.worker:
                self._tell(peer, Disconnect(peer.id))
        closed.peer = None

    # What workers report.

    def _ports_bound(self, worker: int, report: messages.PortsBound, now: float) -> None:
        self._workers[worker].pool.add(report.ports, report.are_all)
        if self._waiting:
            self._serve_waiting(now)
            self._rearm(now)

    def _closed(self, worker: int, report: messages.Closed, now: float) -> None:
        statistics = report.statistics
        port = self._workers[worker].closing.pop(statistics.stream, None)
        if port is not None:
            self._workers[worker].pool.give_back(port, now)
            self.events.put(StreamClosed(statistics.stream, statistics))
            if self._waiting:
                self._rearm(now)

    def _timed_out(self, worker: int, report: messages.TimedOut, now: float) -> None:
        if report.stream in self._streams:
            self.events.put(StreamTimedOut(report.stream))

    def _digit(self, worker: int, report: messages.Digit, now: float) -> None:
        stream = self._streams.get(report.stream)
        if stream is not None and stream.collects:
            self.events.put(DigitReceived(report.stream, report.digit, report.duration_ms))

    def _played(self, worker: int, report: messages.Played, now: float) -> None:
        stream = self._streams.get(report.stream)
        # What was played before may have ended while it was replaced, perhaps by the same sound: that is
        # nobody's news any more.
        if stream is None or report.number not in (0, stream.plays):
            return
        if stream.prompts and stream.prompts[0] == report.prompt:
            if len(stream.prompts) > 1:
                stream.prompts = stream.prompts[1:]
            elif not stream.loops:
                stream.prompts = ()
            self.events.put(PromptEnded(report.stream, report.prompt, stream.plays))

    def _open_failed(self, worker: int, report: messages.OpenFailed, now: float) -> None:
        stream = self._streams.pop(report.stream, None)
        if stream is None:
            return
        if stream.peer is not None:
            self._part(stream)
        self.recordings.forget(stream)
        self._leave_mixes(stream)
        del self._workers[worker].streams[stream.id]
        self._workers[worker].pool.give_back(stream.port, now)
        self.events.put(StreamFailed(report.stream, report.reason))
