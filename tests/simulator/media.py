"""Virtual media workers: they speak the link's messages and keep what a real one would, but move no packet.

What can be asked: which streams are open, who is joined to whom, who is played to. A peer that has lost
power, or was cut off, is silent, and the worker reports the RTP time-out as a real one does.
"""

from collections.abc import Callable
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any

from kernel.ids import RecordingId
from media.events import NOTHING, StreamStatistics, Written
from media.messages import (
    NEVER_BEGUN,
    AddPrompt,
    BindPorts,
    Close,
    Closed,
    Collect,
    Configure,
    Connect,
    ConnectAcross,
    Disconnect,
    EndRecording,
    Feed,
    Mix,
    OpenFailed,
    PauseRecording,
    Play,
    Played,
    PointRecording,
    PortsBound,
    Quit,
    Record,
    Recorded,
    RightSide,
    SendDigits,
    SetRemote,
    Stop,
    TimedOut,
    decode_commands,
    encode_reports,
)
from media.ports import split_ports
from tests.simulator.network import Address

if TYPE_CHECKING:
    from tests.simulator.world import World

LINK_DELAY = 0.0002  # seconds each way
PROMPT_FOR = 2.0  # seconds every prompt lasts
LOOK_EVERY = 5.0  # seconds between two looks at whether a peer still sends


class _Stream:
    """One stream of a worker."""

    def __init__(self, remote: SetRemote, now: float) -> None:
        self.remote = remote
        self.local_port = remote.local_port
        self.hears: tuple[int | Address, ...] = ()  # in a mix: streams of the worker, ports of others
        self.feeds: tuple[int, ...] = ()  # ports of other workers
        self.peer: Any = None  # the number of the joined stream, or an address of another worker's
        self.playing: tuple[str, ...] = ()
        self.loops = False
        self.plays = 0  # how many times something was started, so that old ends are not told
        self.is_collecting = False
        self.keys = ""  # digits that were sent to the peer
        self.heard_at = now
        self.is_late = False

    @property
    def address(self) -> Address:
        return (self.remote.host, self.remote.port)


class Tape:
    """One recording: who was heard since when, on the left and on the right; nobody while it is paused."""

    def __init__(self, what: Record, now: float) -> None:
        self.left = int(what.left)
        self.right: tuple[int | Address, ...] = ()
        self.is_paused = False
        self.began_at = now
        self.ended_at: float | None = None  # also by the death of its worker
        self.heard: list[tuple[float, tuple[int | Address, ...], tuple[int | Address, ...]]] = []
        self.is_message = what.right is None
        self.point(what.right or RightSide((), "", ()), now)

    def point(self, right: RightSide, now: float) -> None:
        self.right = (*map(int, right.near), *((right.host, port) for port in right.far))
        self.note(now)

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    def written(self) -> Written:
        """What there is on the disk: all up to the last whole second."""
        assert self.ended_at is not None
        seconds = float(int(self.ended_at - self.began_at))
        return Written(seconds, 58 + round(seconds * (8_000 if self.is_message else 16_000)))

    def note(self, now: float) -> None:
        heard = ((), ()) if self.is_paused else ((self.left,), self.right)
        if self.heard and self.heard[-1][0] == now:
            self.heard.pop()
        if not self.heard or self.heard[-1][1:] != heard:
            self.heard.append((now, *heard))


class Worker:
    """One media process."""

    def __init__(self, workers: "Workers", number: int, ports: tuple[int, int]) -> None:
        self.workers, self.number = workers, number
        self.streams: dict[int, _Stream] = {}
        self.rtp_timeout = 60.0
        self.is_running = True
        self.started_at = workers.now
        self.life = 0
        self._next_port, self._last_port = ports
        self._first_port = ports[0]
        self._bound: dict[int, bool] = {}
        self.tapes: dict[str, Tape] = {}  # that are written
        self._failed: dict[
            int, bool
        ] = {}  # streams that could not be opened, and that the switch may not know of
        self._on: dict[type, Callable[[Any], None]] = {
            SetRemote: self._set_remote,
            Connect: self._connect,
            Disconnect: self._disconnect,
            Mix: self._mix,
            Feed: self._feed,
            Play: self._play,
            Stop: self._stop,
            Collect: self._collect,
            SendDigits: self._send_digits,
            Close: self._close,
            AddPrompt: lambda _: None,
            BindPorts: self._bind,
            Configure: self._configure,
            Quit: lambda _: self.die(),
            ConnectAcross: self._connect_across,
            Record: self._record,
            PointRecording: self._point,
            PauseRecording: self._pause,
            EndRecording: lambda what: self._end(what.recording, "asked"),
        }

    def receive(self, message: bytes) -> None:
        """Carry out one message of the switch."""
        if self.is_running:
            for command in decode_commands(message):
                self._on[type(command)](command)

    def die(self) -> None:
        """Lose everything."""
        self.is_running = False
        self.life += 1
        self.streams.clear()
        for tape in self.tapes.values():
            tape.ended_at = self.workers.now
        self.tapes.clear()
        self._bound.clear()
        self._next_port = self._first_port

    def report(self, *reports: Any) -> None:
        """Tell the switch, a little later."""
        self.workers.tell(self, encode_reports(list(reports)))

    def _bind(self, what: BindPorts) -> None:
        ports = []
        while len(ports) < what.count and self._next_port <= self._last_port:
            if self._next_port not in self._bound:
                ports.append(self._next_port)
                self._bound[self._next_port] = True
            self._next_port += 2
        self.report(PortsBound(tuple(ports), self._next_port > self._last_port))

    def _set_remote(self, what: SetRemote) -> None:
        stream = self.streams.get(what.stream)
        now = self.workers.now
        if stream is None:
            for other in self.streams.values():
                if other.local_port == what.local_port:
                    self.workers.complain(f"port {what.local_port} is given to two streams")
            if self.workers.fails_to_bind():
                self._failed[what.stream] = True
                self.report(OpenFailed(what.stream, "address in use"))
                return
            self._bound[what.local_port] = True
            stream = self.streams[what.stream] = _Stream(what, now)
            self._look_later(what.stream, stream)
        stream.remote, stream.heard_at, stream.is_late = what, now, False

    def _known(self, stream: int, what: str) -> _Stream | None:
        found = self.streams.get(stream)
        if found is None and self.life == 0 and stream not in self._failed:
            self.workers.complain(f"{what} for stream {stream}, which is not open")
        return found

    def _connect(self, what: Connect) -> None:
        a, b = self._known(what.a, "Connect"), self._known(what.b, "Connect")
        if a is not None and b is not None:
            for stream in (a, b):
                stream.playing, stream.loops = (), False
                old = self.streams.get(stream.peer) if isinstance(stream.peer, int) else None
                if old is not None:
                    old.peer = None
            a.peer, b.peer = what.b, what.a

    def _connect_across(self, what: ConnectAcross) -> None:
        stream = self._known(what.stream, "ConnectAcross")
        if stream is not None:
            stream.peer, stream.playing = (what.host, what.port), ()

    def _disconnect(self, what: Disconnect) -> None:
        stream = self.streams.get(what.stream)
        if stream is not None:
            other = self.streams.get(stream.peer) if isinstance(stream.peer, int) else None
            if other is not None:
                other.peer = None
            stream.peer = None

    def _mix(self, what: Mix) -> None:
        stream = self._known(what.stream, "Mix")
        if stream is not None:
            stream.hears = (*what.near, *((what.host, one.port) for one in what.far))

    def _feed(self, what: Feed) -> None:
        stream = self._known(what.stream, "Feed")
        if stream is not None:
            stream.feeds = what.ports

    def _play(self, what: Play) -> None:
        stream = self._known(what.stream, "Play")
        if stream is not None:
            stream.plays += 1
            stream.playing, stream.loops = what.prompts, what.loop_last
            self._prompt_later(what.stream, stream, stream.plays, what.number)

    def _prompt_later(self, number: int, stream: _Stream, plays: int, told: int, index: int = 0) -> None:
        prompts, life = stream.playing, self.life
        if index >= len(prompts) or (stream.loops and index == len(prompts) - 1):
            return

        def ended() -> None:
            if self.life == life and self.streams.get(number) is stream and stream.plays == plays:
                if not stream.playing:
                    return
                self.report(Played(number, prompts[index], told))
                if index == len(prompts) - 1:
                    stream.playing = ()
                else:
                    self._prompt_later(number, stream, plays, told, index + 1)

        self.workers.after(PROMPT_FOR, ended)

    def _stop(self, what: Stop) -> None:
        stream = self.streams.get(what.stream)
        if stream is not None:
            stream.playing, stream.loops = (), False

    def _collect(self, what: Collect) -> None:
        stream = self._known(what.stream, "Collect")
        if stream is not None:
            stream.is_collecting = what.wanted

    def _send_digits(self, what: SendDigits) -> None:
        stream = self._known(what.stream, "SendDigits")
        if stream is not None:
            stream.keys += what.digits

    def _close(self, what: Close) -> None:
        stream = self._known(what.stream, "Close")
        if stream is not None:
            del self.streams[what.stream]
            for other in self.streams.values():
                if other.peer == what.stream:
                    other.peer = None
                other.hears = tuple(one for one in other.hears if one != what.stream)
            for name, tape in list(self.tapes.items()):
                if tape.left == what.stream:
                    self._end(name, "closed")
                elif what.stream in tape.right:
                    tape.right = tuple(one for one in tape.right if one != what.stream)
                    tape.note(self.workers.now)
        self.report(Closed(StreamStatistics(what.stream, packets_received=50, packets_sent=50)))

    def _record(self, what: Record) -> None:
        if what.recording in self.workers.tapes:
            self.workers.complain(f"recording {what.recording} is written twice")
        if what.left not in self.streams:
            self.report(Recorded(what.recording, 0.0, 0, NEVER_BEGUN))
            return
        tape = Tape(what, self.workers.now)
        self.tapes[what.recording] = self.workers.tapes[what.recording] = tape
        life = self.life
        if what.silence:  # who leaves a message has said all within a while
            cause, after = ("silence", 20.0) if what.limit > 20.0 else ("limit", what.limit)

            def enough() -> None:
                if self.life == life and tape.is_open:
                    self._end(what.recording, cause)

            self.workers.after(after, enough)

    def _change(self, recording: str, change: Callable[[Tape], None]) -> None:
        if recording in self.tapes:
            change(self.tapes[recording])

    def _point(self, what: PointRecording) -> None:
        self._change(what.recording, lambda tape: tape.point(what.right, self.workers.now))

    def _pause(self, what: PauseRecording) -> None:
        def pause(tape: Tape) -> None:
            tape.is_paused = what.paused
            tape.note(self.workers.now)

        self._change(what.recording, pause)

    def _end(self, recording: Any, cause: str) -> None:
        tape = self.tapes.pop(recording, None)
        if tape is not None:
            tape.ended_at = self.workers.now
            seconds = round(self.workers.now - tape.began_at, 3)
            self.report(Recorded(recording, seconds, 58 + round(seconds * 16_000), cause))

    def _configure(self, what: Configure) -> None:
        self.rtp_timeout = what.rtp_timeout

    def _look_later(self, number: int, stream: _Stream) -> None:
        life = self.life

        def look() -> None:
            if self.life != life or self.streams.get(number) is not stream:
                return
            now = self.workers.now
            if not stream.remote.sends or self.workers.is_sending(stream.address):
                stream.heard_at, stream.is_late = now, False
            elif self.rtp_timeout and now - stream.heard_at >= self.rtp_timeout and not stream.is_late:
                stream.is_late = True
                self.report(TimedOut(number))
            self._look_later(number, stream)

        self.workers.after(LOOK_EVERY, look)


class Workers:
    """Every media worker of one world."""

    def __init__(self, world: "World", random: Random) -> None:
        self.world, self.random = world, random
        settings = world.node.settings.media
        count = max(settings.workers, 1)
        self.workers = {
            number: Worker(self, number, split_ports(settings.ports, count, number))
            for number in range(count)
        }
        self.bind_failures = 0.0
        self.tapes: dict[str, Tape] = {}  # all there ever were
        self.told_at = -inf  # when the switch last said anything to any

    @property
    def now(self) -> float:
        return self.world.time.now

    def start(self) -> None:
        """Connect every worker."""
        for number in self.workers:
            self.world.turn(lambda now, number=number: self.world.node.worker_started(number, now))

    def restart(self) -> None:
        """Every worker dies with its switch and is started for the next."""
        for worker in self.workers.values():
            worker.die()
            worker.is_running, worker.started_at = True, self.now
        self.start()

    def crash(self) -> None:
        """One worker dies and is started again half a second later."""
        number = self.random.randrange(len(self.workers))
        worker = self.workers[number]
        if not worker.is_running:
            return
        self.world.note("fault", f"media worker {number} dies")
        worker.die()
        life = worker.life
        self.world.turn(lambda now: self.world.node.worker_lost(number, now))
        self.after(0.5, lambda: self._again(worker, life))

    def _again(self, worker: Worker, life: int) -> None:
        if worker.life != life:
            return  # it died with its switch, and was started with the next
        worker.is_running, worker.started_at = True, self.now
        self.world.turn(lambda now: self.world.node.worker_started(worker.number, now))

    def receive(self, number: int, message: bytes) -> None:
        """Take one message of the switch to a worker."""
        worker = self.workers[number]
        life = worker.life
        self.told_at = self.now
        self.after(LINK_DELAY, lambda: worker.receive(message) if worker.life == life else None)

    def tell(self, worker: Worker, message: bytes) -> None:
        """Take one message of a worker to the switch."""
        life, node = worker.life, self.world.node

        def arrive() -> None:
            if worker.life == life:
                self.world.turn(lambda now: node.receive_worker(worker.number, message, now))

        self.after(LINK_DELAY, arrive)

    def written(self, recording: str) -> Written:
        """Return what there is of a file whose writer has died."""
        return self.tapes[recording].written() if recording in self.tapes else NOTHING

    def look(self, recording: RecordingId) -> None:
        """Look at the file of a recording, and tell the switch a little later."""
        node = self.world.node

        def tell() -> None:
            if self.world.node is node:
                written = self.written(recording)
                self.world.turn(lambda now: node.recording_measured(recording, written, now))

        self.after(LINK_DELAY, tell)

    def after(self, delay: float, action: Callable[[], None]) -> None:
        self.world.time.after(delay, action)

    def complain(self, what: str) -> None:
        self.world.complain("media worker", what)

    def fails_to_bind(self) -> bool:
        return bool(self.bind_failures) and self.random.random() < self.bind_failures

    def is_sending(self, address: Address) -> bool:
        """Return whether somebody's audio comes from ``address`` now."""
        for endpoint in (self.world.trunk, *self.world.phones.values()):
            if endpoint.address[0] == address[0]:
                if not endpoint.is_alive or self.world.network.is_blocked(address[0], "192.0.2.1"):
                    return False
                return any(call.rtp == address and not call.has_ended for call in endpoint.calls)
        return False

    # What can be asked.

    def open_streams(self) -> list[str]:
        """Return every open stream, for people."""
        return [
            f"{number} at {stream.local_port} of {stream.address}"
            for worker in self.workers.values()
            for number, stream in worker.streams.items()
        ]

    def stream_of(self, address: Address) -> _Stream | None:
        """Return the stream whose peer wants its audio at ``address``."""
        for worker in self.workers.values():
            for stream in worker.streams.values():
                if stream.address == address:
                    return stream
        return None

    def are_settled(self) -> bool:
        """Return whether every worker has been up for a second, and has heard all that it was told."""
        return self.now - self.told_at > LINK_DELAY and all(
            worker.is_running and self.now - worker.started_at > 1.0 for worker in self.workers.values()
        )

    def find(self, number: int) -> _Stream | None:
        """Return a stream by its number."""
        for worker in self.workers.values():
            if number in worker.streams:
                return worker.streams[number]
        return None

    def are_streams_joined(self, one: int, other: int) -> bool:
        """Return whether two streams are joined, in one worker or across two."""
        a, b = self.find(one), self.find(other)
        if a is None or b is None:
            return False
        if isinstance(a.peer, tuple) and isinstance(b.peer, tuple):
            return a.peer[1] == b.local_port and b.peer[1] == a.local_port
        return bool(a.peer == other and b.peer == one)

    def mixed(self, number: int) -> list[int]:
        """Return the streams that a stream hears in a mix, sorted; none if it hears its peer."""
        stream = self.find(number)
        if stream is None:
            return []
        numbers = [one for one in stream.hears if isinstance(one, int)]
        for worker in self.workers.values():
            for other, source in worker.streams.items():
                is_heard = any(isinstance(one, tuple) and one[1] == source.local_port for one in stream.hears)
                if is_heard and stream.local_port in source.feeds:
                    numbers.append(other)
        return sorted(numbers)

    def is_stream_playing(self, number: int) -> bool:
        """Return whether something is played into a stream."""
        stream = self.find(number)
        return stream is not None and bool(stream.playing)

    def playing(self, number: int) -> tuple[str, ...]:
        """Return what is played into a stream."""
        stream = self.find(number)
        return () if stream is None else stream.playing

    def playing_to(self, address: Address) -> tuple[str, ...]:
        """Return what is played to ``address`` now, and what comes after it."""
        stream = self.stream_of(address)
        return () if stream is None else stream.playing

    def is_playing(self, address: Address) -> bool:
        """Return whether something is played to ``address`` now."""
        stream = self.stream_of(address)
        return stream is not None and bool(stream.playing)

    def are_joined(self, one: Address, other: Address) -> bool:
        """Return whether the peers at two addresses hear each other now."""
        a, b = self.stream_of(one), self.stream_of(other)
        if a is None or b is None:
            return False
        for worker in self.workers.values():
            streams = worker.streams
            if streams.get(a.peer) is b:
                return streams.get(b.peer) is a
        return isinstance(a.peer, tuple) and a.peer[1] == b.local_port and b.peer[1] == a.local_port
