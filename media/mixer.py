"""The mixer: what one stream hears of several others, in frames of 20 ms.

A stream that is mixed for is sent the sum of what its sources received lately, by the tick of its slot; what
its own peer sends goes on by the relay to whoever is connected to it. So a supervisor hears two who go on
talking by the short way of :mod:`media.relay` to each other, and pays for it alone.

Rules: a mix is one RTP stream with what its peer heard before and hears after (:meth:`Stream.play`). A source
is buffered for a frame more than its packets are long, and never for more than two frames beyond: what is
older is dropped. Without audio of a source its share is silence. Nothing ticks while nobody is mixed for.
"""

from math import inf
from typing import TypeAlias

from kernel.ids import StreamId
from media.codecs.g711 import ULAW_SILENCE, ULAW_TO_ALAW
from media.codecs.linear import DECODE, ENCODE, WIDTH, add
from media.latch import Address
from media.messages import FarSource
from media.relay import Stream, Tap
from media.rtp import CODECS, FRAME, HEADER, LONG, payload_bounds

TICK = 0.02  # seconds between two frames
SLOTS = 4
_SLOT_FILL = 16  # mixes in a slot before the next one is begun: 0.3 ms
_LATE_MAX = 0.1  # seconds behind which frames are skipped
_FRAME_BYTES = FRAME * WIDTH
_GAP_MAX = 4 * FRAME  # samples: a longer hole is a pause of the source, not loss
_LATE_SAMPLES_MAX = 8_000  # that much older than what was heard last is late; more is a new clock
_EVENT_FOR = 0.05  # seconds without audio after each packet of a telephone event

_SILENCE = {
    "PCMU": bytes((ULAW_SILENCE,)) * FRAME,
    "PCMA": bytes((ULAW_SILENCE,)).translate(ULAW_TO_ALAW) * FRAME,
}
Key: TypeAlias = StreamId | Address  # of a source: a stream of this worker, or where another's come from


class Source:
    """One of those that a mix hears: a small buffer of linear samples."""

    __slots__ = ("_buffer", "_fill", "_is_filling", "_next", "far", "mix", "near", "taps")

    def __init__(self, mix: "Mix", near: Stream | None, far: FarSource | None) -> None:
        self.mix = mix
        self.near = near  # in this worker, or
        self.far = far  # in another
        self.taps: tuple[Tap, ...] = ()  # who else hears one of another worker
        self._buffer = bytearray()
        self._fill = 2 * _FRAME_BYTES  # bytes to have before a first frame is taken
        self._is_filling = True
        self._next = -1  # timestamp

    def hear(self, size: int, start: int, end: int, codec: str, now: float) -> None:
        """Take the packet in the desk's buffer; ``codec`` is "" for a telephone event."""
        packet = self.mix.stream.desk.buffer
        timestamp = HEADER.unpack_from(packet)[2]
        if not codec:
            self.mix.pass_event(self, bytes(packet[start:end]), timestamp, now)
            return
        ahead = (timestamp - self._next) & LONG
        buffer = self._buffer
        if self._next >= 0 and ahead > LONG - _LATE_SAMPLES_MAX:
            return  # late, or a duplicate: its place was filled
        if self._next < 0 or ahead > _GAP_MAX:
            if self._is_filling:
                buffer.clear()  # the rest of what was said before a pause
        elif not self._is_filling:
            buffer += bytes(ahead * WIDTH)  # lost
        self._next = (timestamp + end - start) & LONG
        samples = DECODE[codec](bytes(packet[start:end]), WIDTH)
        buffer += samples
        self._fill = len(samples) + _FRAME_BYTES
        if len(buffer) >= self._fill:
            self._is_filling = False
            if len(buffer) > self._fill + max(2 * _FRAME_BYTES, len(samples)):
                del buffer[: len(buffer) - self._fill]

    def tap(self, taps: tuple[Tap, ...]) -> None:
        """Let exactly these hear what comes from another worker, besides the mix."""
        self.taps = taps

    def take(self) -> bytes | None:
        """Return the next frame, or None for silence."""
        if self._is_filling:
            return None
        buffer = self._buffer
        frame = bytes(buffer[:_FRAME_BYTES])
        del buffer[:_FRAME_BYTES]
        if len(frame) < _FRAME_BYTES:
            self._is_filling = True
            return frame + bytes(_FRAME_BYTES - len(frame)) if frame else None
        return frame


class Mix:
    """What one stream hears."""

    __slots__ = ("_event", "_event_at", "_event_until", "is_fresh", "slot", "sources", "stream")

    def __init__(self, stream: Stream, slot: "Slot") -> None:
        self.stream = stream
        self.slot = slot
        self.sources: dict[Key, Source] = {}
        self.is_fresh = True  # the next frame begins a talkspurt
        self._event: Source | None = None  # whose telephone event was passed on last
        self._event_at = -1  # its timestamp
        self._event_until = -inf

    def hear_far(self, size: int, source: Address, now: float) -> bool:
        """Take the packet in the desk's buffer if another worker has sent it; return whether it has."""
        heard = self.sources.get(source)
        if heard is None:
            return False
        far, packet = heard.far, self.stream.desk.buffer
        start, end = payload_bounds(packet, size)
        if far is None or end <= start:
            return True
        payload_type = packet[1] & 0x7F
        if payload_type == far.dtmf:
            heard.hear(size, start, end, "", now)
            return True
        codec = far.codec if payload_type == far.payload_type else CODECS.get(payload_type)
        if codec is not None:
            heard.hear(size, start, end, codec, now)
            for tap in heard.taps:
                tap.hear(size, start, end, codec, now)
        return True

    def pass_event(self, source: Source, payload: bytes, timestamp: int, now: float) -> None:
        """Pass a packet of a telephone event on, one key of one source at a time."""
        stream = self.stream
        if source is not self._event and now < self._event_until:
            return
        is_first = source is not self._event or timestamp != self._event_at
        self._event, self._event_at = source, timestamp
        if not stream.is_playing and not stream.is_keying and stream.press(payload, is_first, now):
            self._event_until = now + _EVENT_FOR

    def send(self, now: float) -> None:
        """Send the next frame, if nothing else is sent to the stream."""
        total = None
        for source in self.sources.values():
            frame = source.take()
            if frame is not None:
                total = frame if total is None else add(total, frame, WIDTH)
        stream = self.stream
        if stream.is_playing or now < self._event_until:
            self.is_fresh = True
            return
        codec = stream.hears
        stream.play(_SILENCE[codec] if total is None else ENCODE[codec](total, WIDTH), self.is_fresh, now)
        self.is_fresh = False


class Feed:
    """Sends what a stream receives to a mix in another worker, as it is."""

    __slots__ = ("_stream", "target")

    def __init__(self, stream: Stream, target: Address) -> None:
        self._stream = stream
        self.target = target

    def hear(self, size: int, start: int, end: int, codec: str, now: float) -> None:
        """Send the packet in the desk's buffer."""
        stream = self._stream
        if stream.onward is not None and stream.onward.target == self.target:
            return  # it is relayed there already
        try:
            stream.sendto(stream.desk.views[size], self.target)
        except OSError:
            stream.unsent += 1


class Slot:
    """Mixes whose frames are sent at the same moments."""

    __slots__ = ("due_at", "mixes")

    def __init__(self) -> None:
        self.due_at = inf
        self.mixes: dict[StreamId, Mix] = {}


class Mixer:
    """All mixes of one worker."""

    def __init__(self) -> None:
        self.due_at = inf  # nobody is mixed for
        self._mixes: dict[StreamId, Mix] = {}
        self._slots = [Slot() for _ in range(SLOTS)]

    def mix(
        self, stream: Stream, near: list[Stream], far: list[tuple[Address, FarSource]], now: float
    ) -> None:
        """Let ``stream`` hear exactly those streams of this worker and of others."""
        mix = self._mixes.get(stream.id)
        if mix is None:
            mix = self._begin(stream, now)
        wanted: dict[Key, bool] = {source.id: True for source in near}
        wanted.update((address, True) for address, _ in far)
        for key in list(mix.sources):
            if key not in wanted:
                _drop(mix, key)
        for one in near:
            if one.id not in mix.sources:
                heard = mix.sources[one.id] = Source(mix, one, None)
                one.tap((*one.taps, heard))
        for address, told in far:
            if address in mix.sources:
                mix.sources[address].far = told
            else:
                mix.sources[address] = Source(mix, None, told)

    def end(self, stream: Stream) -> None:
        """Let ``stream`` hear its peer again; does nothing without a mix."""
        mix = self._mixes.pop(stream.id, None)
        if mix is None:
            return
        for key in list(mix.sources):
            _drop(mix, key)
        slot = mix.slot
        del slot.mixes[stream.id]
        if not slot.mixes:
            slot.due_at = inf
            self._rearm()
        stream.mix = None
        if stream.peer is not None:
            stream.peer.rewire()

    def forget(self, stream: Stream) -> None:
        """A stream ends: it hears nobody, and nobody hears it."""
        self.end(stream)
        for tap in stream.taps:
            if isinstance(tap, Source):
                del tap.mix.sources[stream.id]
        stream.tap(())

    def feed(self, stream: Stream, targets: tuple[Address, ...]) -> None:
        """Send what ``stream`` receives to mixes in other workers, too: to exactly these."""
        others = tuple(tap for tap in stream.taps if not isinstance(tap, Feed))
        stream.tap((*others, *(Feed(stream, target) for target in targets)))

    def tick(self, now: float) -> None:
        """Send the frames that are due."""
        for slot in self._slots:
            if slot.due_at > now:
                continue
            missed = int((now - slot.due_at) / TICK) if now - slot.due_at > _LATE_MAX else 0
            slot.due_at += (missed + 1) * TICK
            for mix in slot.mixes.values():
                if missed:
                    mix.stream.skip(missed)
                mix.send(now)
        self._rearm()

    def check(self, streams: dict[StreamId, Stream]) -> None:
        """Assert what must hold between two inputs."""
        for identity, mix in self._mixes.items():
            assert streams.get(identity) is mix.stream, f"stream {identity} is mixed for and not open"
            assert mix.stream.mix is mix, f"stream {identity} has another mix"
            assert mix.slot.mixes.get(identity) is mix, f"the mix of stream {identity} does not tick"
            for key, source in mix.sources.items():
                if source.near is not None:
                    assert streams.get(source.near.id) is source.near, f"{key} is heard and not open"
                    assert source in source.near.taps, f"{key} is heard and does not know"
        heard = sum(isinstance(tap, Source) for stream in streams.values() for tap in stream.taps)
        near = sum(one.near is not None for mix in self._mixes.values() for one in mix.sources.values())
        assert heard == near, "a stream is heard by a mix that is over"
        assert sum(len(slot.mixes) for slot in self._slots) == len(self._mixes), "a mix is in two slots"
        assert all((slot.due_at == inf) == (not slot.mixes) for slot in self._slots), "an idle slot ticks"
        assert self.due_at == min(slot.due_at for slot in self._slots), "the mixer ticks at another time"

    def _begin(self, stream: Stream, now: float) -> Mix:
        slot = min(self._slots, key=lambda one: len(one.mixes) // _SLOT_FILL)
        mix = self._mixes[stream.id] = slot.mixes[stream.id] = Mix(stream, slot)
        if slot.due_at == inf:
            slot.due_at = now
            self._rearm()
        stream.mix = mix
        if stream.peer is not None:
            stream.peer.rewire()
        return mix

    def _rearm(self) -> None:
        self.due_at = min(slot.due_at for slot in self._slots)


def _drop(mix: Mix, key: Key) -> None:
    source = mix.sources.pop(key)
    if source.near is not None:
        source.near.tap(tuple(tap for tap in source.near.taps if tap is not source))
