"""The host: all streams of one worker, driven by messages of the switch, packets and one tick.

The process around it (or the switch itself with ``workers = 0``, or a simulator) gives it sockets through
:class:`Network` and time through ``now``. Packets go straight to :meth:`media.relay.Stream.receive`.

Rules: port pairs are bound ahead of need, a few per call of :meth:`Host.bind_some`, and stay bound for ever.
All playing streams share :data:`SLOTS` tick slots of 20 ms; a slot's ticks are multiples of 20 ms from its
first, so nothing drifts; a host that stood still skips what it missed instead of sending it in a burst.
"""

from collections.abc import Callable
from math import inf
from typing import Any, Protocol

from kernel.chance import Chance
from kernel.errors import OperatorError
from kernel.ids import RecordingId, StreamId
from media.events import StreamStatistics
from media.messages import (
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
    Report,
    RightSide,
    SendDigits,
    SetRemote,
    Stop,
    TimedOut,
    decode_commands,
    encode_reports,
)
from media.mixer import Mixer
from media.prompts import Prompt, read_audio
from media.recorder import Files, Recorder
from media.relay import Desk, Stream
from media.telephony import DigitWriter

TICK = 0.02  # seconds between two frames
SLOTS = 4  # so that a thousand waiting callers do not delay packets by a thousand sends at once
_SLOT_FILL = 48  # streams in a slot before the next one is begun: 0.2 ms of sending
_LATE_MAX = 0.1  # seconds behind which frames are skipped
_SCAN_EVERY = 1.0  # seconds between two looks for streams that timed out, or that may be locked
_LOCK_AFTER = 2.0  # seconds from opening: short calls are not worth a socket more
_LOCK_HEARD = 0.1  # seconds since the last packet: it talks
_LOCK_AT_ONCE = 32  # streams: 1 ms
_LOCK_AGAIN_AFTER = 60.0  # seconds without, when sockets have run out
_BIND_AT_ONCE = 8  # port pairs: 0.2 ms


class Network(Protocol):
    """The sockets of a host."""

    def bind(self, port: int, stream: Stream) -> bool:
        """Bind ``port`` and the next one, give the stream its ``sendto`` and ``sendto_rtcp``, and deliver
        what comes to its ``receive`` and ``receive_rtcp``. False if one of the two is taken.
        """

    def lock(self, stream: Stream, now: float) -> bool:
        """Lock the stream (:meth:`media.relay.Stream.lock`) to its source. False if sockets have run out."""


SILENCE = "builtin:silence"  # for who is to hear nothing and yet to get packets


class Player:
    """What is played to one stream."""

    __slots__ = (
        *("at", "frames", "goes_on_at", "index", "is_fresh", "loops", "number", "prompts", "slot"),
        "stream",
    )

    def __init__(
        self, stream: Stream, prompts: tuple[Prompt, ...], loops: bool, slot: "Slot", number: int
    ) -> None:
        self.stream = stream
        self.prompts = prompts
        self.loops = loops
        self.slot = slot
        self.number = number  # that its reports name
        self.index = 0
        self.at = 0
        self.frames: tuple[bytes, ...] = ()
        self.goes_on_at = 0  # the frame that the last prompt, which was playing before, begins with
        self.is_fresh = True  # nothing was sent yet

    def choose_frames(self) -> None:
        """Take the current prompt in the codec of the stream."""
        self.frames = self.prompts[self.index].frames.get(self.stream.hears, ())


class Slot:
    """Players whose frames are sent at the same moments."""

    __slots__ = ("due_at", "players")

    def __init__(self) -> None:
        self.due_at = inf  # nobody plays
        self.players: dict[StreamId, Player] = {}


class Host:
    """All streams of one worker."""

    def __init__(self, network: Network, chance: Chance, ports: tuple[int, int], files: Files) -> None:
        """``ports`` is the worker's range of RTP ports (first, last); ``files`` are for recordings."""
        self.desk = Desk(chance, self._report)
        self.streams: dict[StreamId, Stream] = {}
        self.is_quitting = False
        self.prompts: dict[str, Prompt] = {SILENCE: Prompt(SILENCE, b"\xff" * 160)}  # of u-law
        self._network = network
        self._bound: dict[int, Stream] = {}
        self._next_port, self._last_port = ports
        self._to_bind = 0
        self._slots = [Slot() for _ in range(SLOTS)]
        self._players: dict[StreamId, Player] = {}
        self._mixer = Mixer()
        self._keys: dict[StreamId, DigitWriter] = {}  # digits on their way
        self._keys_at = inf  # their next packets
        self.reports: list[Report] = []
        self.recorder = Recorder(self.desk, files, self.reports)
        self._rtp_timeout = 0.0
        self._timed_out: dict[StreamId, float] = {}  # told; the moment that was heard last then
        self._opened_at: dict[StreamId, float] = {}
        self._scan_at = inf
        self._may_lock_at = 0.0
        self._handlers: dict[type, Callable[[Any, float], None]] = {
            SetRemote: self._set_remote,
            Connect: self._connect,
            ConnectAcross: self._connect_across,
            Disconnect: self._disconnect,
            Mix: self._mix,
            Feed: self._feed,
            Play: self._play,
            Stop: self._stop,
            Collect: self._collect,
            SendDigits: self._send_digits,
            Record: self._record,
            PointRecording: self._point_recording,
            PauseRecording: lambda command, now: self.recorder.pause(command.recording, command.paused),
            EndRecording: lambda command, now: self.recorder.end(command.recording, now),
            Close: self._close,
            AddPrompt: lambda command, now: self.add_prompt(command.name, command.audio),
            BindPorts: self._bind_ports,
            Configure: self._configure,
            Quit: self._quit,
        }

    # Driven by the shell.

    def receive_message(self, message: bytes, now: float) -> None:
        """Take one message of the switch."""
        for command in decode_commands(message):
            self._handlers[type(command)](command, now)

    def take_message(self) -> bytes | None:
        """Return what there is to tell the switch, or None."""
        if not self.reports:
            return None
        message = encode_reports(self.reports)
        self.reports.clear()
        return message

    def add_prompt(self, name: str, audio: bytes) -> None:
        """Keep audio to play: u-law or WAV. Audio that cannot be played is silence of one frame."""
        try:
            ulaw = read_audio(name, audio)
        except OperatorError:
            ulaw = b""  # the switch has refused it with a reason before it came here
        self.prompts[name] = Prompt(name, ulaw)

    def ask_for_ports(self, count: int) -> None:
        """Bind ``count`` further port pairs in the next calls of :meth:`bind_some`."""
        self._to_bind += count

    @property
    def is_binding(self) -> bool:
        """Say whether there are port pairs to bind."""
        return self._to_bind > 0

    def bind_some(self, at_once: int = _BIND_AT_ONCE) -> bool:
        """Bind some of the port pairs that were asked for and report them; return whether there are more."""
        if not self._to_bind:
            return False
        ports: list[int] = []
        while self._to_bind and self._next_port <= self._last_port and at_once:
            at_once -= 1
            port = self._next_port
            self._next_port += 2
            if port in self._bound or self._bind(port):
                ports.append(port)
                self._to_bind -= 1
        are_all = self._next_port > self._last_port
        if are_all:
            self._to_bind = 0
        self.reports.append(PortsBound(tuple(ports), are_all))
        return self._to_bind > 0

    def next_tick(self) -> float:
        """Return when :meth:`tick` is due, ``inf`` when nothing is."""
        due_at = min(self._scan_at, self._mixer.due_at, self._keys_at, self.recorder.due_at)
        for slot in self._slots:
            if slot.due_at < due_at:
                due_at = slot.due_at
        return due_at

    def tick(self, now: float) -> None:
        """Send the frames and digits that are due; look for streams that timed out."""
        if self._keys_at <= now:
            self._press(now)
        for slot in self._slots:
            if slot.due_at <= now:
                self._serve(slot, now)
        if self._mixer.due_at <= now:
            self._mixer.tick(now)
        if self.recorder.due_at <= now:
            self.recorder.tick(now)
        if self._scan_at <= now:
            self._scan(now)

    def check(self) -> None:
        """Assert what must hold between two inputs."""
        for identity, stream in self.streams.items():
            assert stream.id == identity, f"stream {identity} is another"
            assert stream.remote is not None, f"stream {identity} is not open"
            assert self._bound[stream.port] is stream, f"stream {identity} has no port"
            assert stream.is_playing == (identity in self._players), f"stream {identity} plays or not?"
            if stream.peer is not None:
                assert stream.peer.peer is stream, f"stream {identity} has a one-sided peer"
            if stream.onward is not None:
                assert stream.onward is stream.peer, f"stream {identity} feeds a stranger"
                assert stream.onward.feeder is stream, f"stream {identity} has a one-sided feed"
        keying = [identity for identity, stream in self.streams.items() if stream.is_keying]
        assert sorted(self._keys) == sorted(keying), "a stream sends digits or not?"
        assert (self._keys_at == inf) == (not self._keys), "digits are sent by nobody"
        playing = sum(len(slot.players) for slot in self._slots)
        assert playing == len(self._players), "a player is in no slot or in two"
        assert all((slot.due_at == inf) == (not slot.players) for slot in self._slots), "an idle slot ticks"
        self._mixer.check(self.streams)
        self.recorder.check(self.streams)
        open_ports = sum(stream.remote is not None for stream in self._bound.values())
        assert open_ports == len(self.streams), "a port is open and belongs to nobody"

    # Commands.

    def _set_remote(self, command: SetRemote, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is None:
            stream = self._bound.get(command.local_port)
            if stream is None:
                if not self._bind(command.local_port):
                    self.reports.append(OpenFailed(command.stream, "port_taken"))
                    return
                stream = self._bound[command.local_port]
            assert stream.remote is None, f"port {command.local_port} has two streams"
            self.streams[command.stream] = stream
            self._opened_at[command.stream] = now
            if self._scan_at == inf:
                self._scan_at = now + _SCAN_EVERY
        elif stream.remote is not None and command.sends and not stream.remote.sends:
            self._opened_at[command.stream] = now  # after a hold, silence is counted anew
        stream.agree(command)
        player = self._players.get(command.stream)
        if player is not None:
            player.choose_frames()

    def _connect(self, command: Connect, now: float) -> None:
        a, b = self.streams.get(command.a), self.streams.get(command.b)
        if a is None or b is None:
            return
        self._end_playing(a)
        self._end_playing(b)
        # A caller may have been silent while it waited, and was told so: from here on it is counted anew.
        self._opened_at[command.a] = self._opened_at[command.b] = now
        a.connect(b)
        self.recorder.rewire(a)
        self.recorder.rewire(b)

    def _connect_across(self, command: ConnectAcross, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is None:
            return
        assert stream.remote is not None
        self._end_playing(stream)
        host = _reachable(command.host)
        own = stream.remote
        inner = Stream(self.desk, stream.port)
        inner.sendto = stream.sendto
        # What our peer sends goes over unchanged: the other worker makes it fit its own peer.
        inner.agree(
            SetRemote(
                command.stream,
                stream.port,
                host,
                command.port,
                False,
                command.codec,
                own.payload_type_receive,
                command.payload_type,
                own.dtmf_receive,
                command.dtmf,
                True,
                True,
            ),
            own.codec,
        )
        inner.latch.fix((host, command.port))
        inner.source = inner.target = (host, command.port)
        stream.connect(inner)
        stream.inner = inner
        self.recorder.rewire(stream)

    def _disconnect(self, command: Disconnect, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is not None:
            stream.disconnect()
            self.recorder.rewire(stream)

    def _mix(self, command: Mix, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is None:
            return
        if not command.near and not command.far:
            self._mixer.end(stream)
            self.recorder.rewire(stream)
            return
        near = [self.streams[one] for one in command.near if one in self.streams]
        host = _reachable(command.host)
        self._mixer.mix(stream, near, [((host, one.port), one) for one in command.far], now)
        self.recorder.rewire(stream)

    def _feed(self, command: Feed, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is not None:
            host = _reachable(command.host)
            self._mixer.feed(stream, tuple((host, port) for port in command.ports))

    def _play(self, command: Play, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is None:
            return
        before = self._players.get(command.stream)
        self._end_playing(stream)
        prompts = tuple(self.prompts[name] for name in command.prompts if name in self.prompts)
        if not prompts:
            return
        slot = self._choose_slot()
        player = Player(stream, prompts, command.loop_last, slot, command.number)
        player.choose_frames()
        if before is not None and len(prompts) > 1 and before.prompts[before.index] is prompts[-1]:
            player.goes_on_at = before.at  # the music goes on where an announcement has interrupted it
        self._players[stream.id] = player
        slot.players[stream.id] = player
        if slot.due_at == inf:
            slot.due_at = now
        stream.is_playing = True
        if stream.peer is not None:
            stream.peer.rewire()

    def _stop(self, command: Stop, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is not None:
            self._end_playing(stream)

    def _collect(self, command: Collect, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is not None:
            stream.collect(command.wanted)

    def _send_digits(self, command: SendDigits, now: float) -> None:
        stream = self.streams.get(command.stream)
        if stream is None or not command.digits:
            return
        writer = self._keys.get(command.stream)
        if writer is None:
            writer = self._keys[command.stream] = DigitWriter()
            stream.begin_keys()
            if self._keys_at == inf:
                self._keys_at = now
        writer.add(command.digits, command.duration_ms, command.gap_ms)

    def _press(self, now: float) -> None:
        """Send the next packet of every stream that has digits to send."""
        # Digits get longer, and are never skipped, where the worker stood still.
        self._keys_at = max(self._keys_at + TICK, now + TICK / 2)
        for identity, writer in list(self._keys.items()):
            stream = self.streams[identity]
            packet = writer.next()
            if packet is not None:
                stream.press(*packet, now)
            elif writer.is_done:
                self._end_keys(stream, now)

    def _end_keys(self, stream: Stream, now: float) -> None:
        if self._keys.pop(stream.id, None) is not None:
            stream.end_keys(now)
            if not self._keys:
                self._keys_at = inf

    def _close(self, command: Close, now: float) -> None:
        stream = self.streams.pop(command.stream, None)
        if stream is None:
            self.reports.append(Closed(StreamStatistics(command.stream)))
            return
        self._end_playing(stream)
        self.recorder.forget(stream, now)
        self._mixer.forget(stream)
        self._end_keys(stream, now)
        stream.disconnect()
        self.reports.append(Closed(stream.statistics()))
        del self._opened_at[command.stream]
        self._timed_out.pop(command.stream, None)
        stream.clear()
        if not self.streams:
            self._scan_at = inf

    def _record(self, command: Record, now: float) -> None:
        self.recorder.begin(command, self.streams.get(command.left), now)
        if command.right is not None:
            self._point(command.recording, command.right)

    def _point_recording(self, command: PointRecording, now: float) -> None:
        self._point(command.recording, command.right)

    def _point(self, recording: RecordingId, right: RightSide) -> None:
        near = [self.streams[one] for one in right.near if one in self.streams]
        host = _reachable(right.host)
        self.recorder.point(recording, near, [(host, port) for port in right.far])

    def _bind_ports(self, command: BindPorts, now: float) -> None:
        self._to_bind += command.count

    def _configure(self, command: Configure, now: float) -> None:
        self._rtp_timeout = command.rtp_timeout

    def _quit(self, command: Quit, now: float) -> None:
        self.is_quitting = True

    # Playing.

    def _choose_slot(self) -> Slot:
        for slot in self._slots:
            if len(slot.players) < _SLOT_FILL:
                return slot
        return min(self._slots, key=lambda slot: len(slot.players))

    def _serve(self, slot: Slot, now: float) -> None:
        missed = int((now - slot.due_at) / TICK) if now - slot.due_at > _LATE_MAX else 0
        slot.due_at += (missed + 1) * TICK
        for player in list(slot.players.values()):
            stream = player.stream
            if missed:
                stream.skip(missed)
            at = player.at
            if at >= len(player.frames):
                if not self._next_prompt(player):
                    continue
                at = player.at
            stream.play(player.frames[at], player.is_fresh, now)
            player.is_fresh = False
            player.at = at + 1

    def _next_prompt(self, player: Player) -> bool:
        """Go on to the next prompt that has audio, or end playing."""
        for _ in range(len(player.prompts) + 1):
            is_last = player.index == len(player.prompts) - 1
            if not (is_last and player.loops):
                name = player.prompts[player.index].name
                self.reports.append(Played(player.stream.id, name, player.number))
                if is_last:
                    break
                player.index += 1
            player.choose_frames()
            player.at = 0
            if player.index == len(player.prompts) - 1 and player.goes_on_at < len(player.frames):
                player.at, player.goes_on_at = player.goes_on_at, 0
            if player.frames:
                return True
        self._end_playing(player.stream)
        return False

    def _end_playing(self, stream: Stream) -> None:
        player = self._players.pop(stream.id, None)
        if player is None:
            return
        slot = player.slot
        del slot.players[stream.id]
        if not slot.players:
            slot.due_at = inf
        stream.is_playing = False
        if stream.peer is not None:
            stream.peer.rewire()

    # The rest.

    def _bind(self, port: int) -> bool:
        stream = Stream(self.desk, port)
        if not self._network.bind(port, stream):
            return False
        self._bound[port] = stream
        return True

    def _report(self, report: Report) -> None:
        self.reports.append(report)

    def _scan(self, now: float) -> None:
        """Report streams that should be heard and are not, once per silence; lock those that have settled."""
        self._scan_at = now + _SCAN_EVERY
        limit = self._rtp_timeout or inf
        heard_since, opened_before = now - _LOCK_HEARD, now - _LOCK_AFTER
        places = _LOCK_AT_ONCE if now >= self._may_lock_at else 0
        for identity, stream in self.streams.items():
            if places and stream.heard_at > heard_since and stream.is_settled:
                if self._opened_at[identity] <= opened_before:
                    places = self._lock(stream, places, now)
            remote = stream.remote
            assert remote is not None
            if not remote.sends:
                continue
            heard_at = max(stream.heard_at, self._opened_at[identity])
            if now - heard_at >= limit and self._timed_out.get(identity) != heard_at:
                self._timed_out[identity] = heard_at
                self.reports.append(TimedOut(identity))

    def _lock(self, stream: Stream, places: int, now: float) -> int:
        """Lock a stream; return how many more may be at this moment."""
        if not self._network.lock(stream, now):
            self._may_lock_at = now + _LOCK_AGAIN_AFTER
            return 0
        if places == 1:
            self._scan_at = now + TICK  # for the rest
        return places - 1


def _reachable(host: str) -> str:
    """Return where our own address is sent to."""
    return "127.0.0.1" if host == "0.0.0.0" else host
