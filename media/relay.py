"""The relay: one stream as a worker carries it, and the hot path from one peer to the other.

:func:`serve` takes every packet. A packet that continues what was received before (same
source, SSRC, payload type and size, next sequence number) takes the short way: rewrite the header in place
if this leg's packets do not fit the other's, send from the buffer it was received into, once what came with
it has been received, too. Everything else (first packets, gaps, marks, DTMF, strangers, rubbish) goes through
:meth:`Stream.receive`, which sets things up so that the next packet can take the short way, and counts those
that took it.

A stream that has settled on one address is locked: a second socket at the same port, which the kernel
has connected to that address, takes the peer's packets and sends ours, with no address to build, compare and
look up for each. The open socket goes on taking everybody else's, who are foreign as before.

Rules: a peer hears one RTP stream of one SSRC whose sequence numbers have no holes of our making, whoever
feeds it (RFC 3550 8: music, then another leg). Nothing is sent before SDP named an address, nor to anybody
else than the target of :mod:`media.latch`. No object is made per packet.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from kernel.chance import Chance
from kernel.ids import StreamId
from media import rtcp
from media.codecs.g711 import translation
from media.events import StreamStatistics
from media.latch import Address, Latch
from media.messages import Digit, Report, SetRemote
from media.rtp import (
    CLOCK,
    CODECS,
    FRAME,
    HEADER,
    HEADER_SIZE,
    LONG,
    MARKER,
    PACKET_MAX,
    TRANSIT_STEP_MAX,
    VERSION_2,
    WORD,
    Reception,
    is_rtcp,
    payload_bounds,
)
from media.telephony import EVENT_SIZE, DigitReader, stopped

_unpack = HEADER.unpack_from
_pack = HEADER.pack_into
NOWHERE: Address = ("", 0)
_FAST_SIZE_MIN = HEADER_SIZE + 1
_TOGETHER = 32  # packets that are received before the first of them is sent


class Send(Protocol):
    """``socket.send``; raises OSError, and what was not sent is lost."""

    def __call__(self, data: memoryview | bytes, /) -> object: ...


class SendTo(Protocol):
    """``socket.sendto``; raises OSError, and what was not sent is lost."""

    def __call__(self, data: memoryview | bytes, address: Address, /) -> object: ...


class Tap(Protocol):
    """Somebody besides the peer who hears what a stream receives."""

    def hear(self, size: int, start: int, end: int, codec: str, now: float) -> None:
        """Take the packet in the desk's buffer, of ``size`` bytes, and leave it as it is. Its payload reaches
        from ``start`` to ``end``; ``codec`` is "" for a telephone event.
        """


class FarHearing(Protocol):
    """What a stream hears besides what its peer sends, as far as it comes from other workers."""

    def hear_far(self, size: int, source: Address, now: float) -> bool:
        """Take the packet in the desk's buffer if another worker has sent it; return whether it has."""


class Desk:
    """What all streams of a worker share: the receive buffer, a buffer to send from, who hears of digits."""

    __slots__ = ("buffer", "chance", "frame", "frame_view", "now", "report", "slots", "views")

    def __init__(self, chance: Chance, report: Callable[[Report], None]) -> None:
        self.now = 0.0  # of the packets that are being served
        self.chance = chance
        self.report = report
        self.buffer = bytearray(PACKET_MAX)
        # A slice of a view costs twice an index into a list of all slices.
        self.views = [memoryview(self.buffer)[:size] for size in range(PACKET_MAX + 1)]
        # Where packets wait that go the short way, and views of them by size.
        self.slots = [(bytearray(PACKET_MAX), dict[int, memoryview]()) for _ in range(_TOGETHER)]
        self.frame = bytearray(HEADER_SIZE + FRAME)
        self.frame_view = memoryview(self.frame)


class Stream(Reception):
    """One stream of a worker: a port pair, its peer's addresses, what is received and what is sent.

    It belongs to its port for ever and to a call from :meth:`agree` to :meth:`clear`; so opening a stream
    makes no socket and touches no poll set.
    """

    __slots__ = (
        "_anchor",
        "_counted_to",
        "_digits",
        "_out_at",
        "_out_sequence",
        "_out_timestamp",
        "_peer_report",
        "_unlock",
        "_views",
        "desk",
        "feeder",
        "foreign",
        "head",
        "hears",
        "id",
        "inner",
        "is_keying",
        "is_playing",
        "latch",
        "malformed",
        "mix",
        "octets_sent",
        "onward",
        "out_head",
        "out_ssrc",
        "peer",
        "port",
        "remote",
        "rewrites",
        "sendto",
        "sendto_rtcp",
        "sent",
        "sequence_shift",
        "size",
        "source",
        "table",
        "taps",
        "target",
        "timestamp_shift",
        "transmit",
        "unknown",
        "unsent",
    )

    def __init__(self, desk: Desk, port: int) -> None:
        self.desk = desk
        self._views = desk.views
        self.port = port
        self.sendto: SendTo = _send_nowhere
        self.sendto_rtcp: SendTo = _send_nowhere
        self.transmit: Send | None = None  # of the connected socket, while locked
        self._unlock: Callable[[], None] | None = None
        self.latch = Latch()
        super().__init__()

    def clear(self) -> None:
        """Belong to no call: everything that comes is dropped."""
        self.unlock()
        super().clear()
        self.size = 0  # bytes of the packets that take the short way
        self._counted_to = self.expected  # the packets from here on are not counted yet
        self.id = StreamId(0)
        self.remote: SetRemote | None = None  # None: not open
        self.latch.clear()
        self.source: Address | None = None  # of the latch, for the short way
        self.target = NOWHERE  # of the latch; NOWHERE while the peer does not listen
        self.hears = ""
        self.head = -1  # first word of a packet that may take the short way; -1: none may
        self.peer: Stream | None = None  # connected
        self.onward: Stream | None = None  # the peer, while it is to be sent to what is received here
        self.feeder: Stream | None = None  # the stream whose ``onward`` this is
        self.inner: Stream | None = None  # stands for a peer in another worker
        self.is_playing = False
        self.mix: FarHearing | None = None  # heard instead of the peer (:mod:`media.mixer`)
        self.taps: tuple[Tap, ...] = ()  # who hears this one in a mix
        self.is_keying = False  # digits of ours are on their way to the peer, and nothing else
        self.sent = 0
        self.octets_sent = 0
        self.unsent = 0
        self.foreign = 0
        self.malformed = 0
        self.unknown = 0
        self.rewrites = False
        self.table: bytes | None = None
        self._anchor = -1  # SSRC of ours that the shifts are for; -1: none are set
        self.sequence_shift = 0
        self.timestamp_shift = 0
        self.out_head = VERSION_2
        self.out_ssrc = -1  # -1: nothing was sent yet
        self._out_sequence = 0
        self._out_timestamp = 0
        self._out_at = 0.0
        self._digits: DigitReader | None = None
        self._peer_report: rtcp.PeerReport | None = None

    # Told by the host.

    def agree(self, remote: SetRemote, hears: str = "") -> None:
        """Take what SDP says, first or again. ``hears`` is the codec to send, if not the one received."""
        self.id = remote.stream
        self.remote = remote
        self.hears = hears or remote.codec
        latch = self.latch
        latch.expect((remote.host, remote.port) if remote.host else None, remote.is_private)
        if latch.source is None:
            self.unlock()
        self.source = latch.source
        self.target = latch.target or NOWHERE if remote.receives else NOWHERE
        self.head = -1
        self.rewire()
        if self.peer is not None:
            self.peer.rewire()

    @property
    def is_settled(self) -> bool:
        """Say whether the peer sends from where it listens, and may be locked."""
        return self.source is not None and self.source == self.target and self.transmit is None

    def lock(self, transmit: Send, unlock: Callable[[], None]) -> None:
        """Send through a socket that is connected to the peer, until ``unlock`` is called to close it."""
        self.transmit, self._unlock = transmit, unlock

    def unlock(self) -> None:
        """Be at nobody's address in particular again."""
        if self._unlock is not None:
            unlock, self._unlock, self.transmit = self._unlock, None, None
            unlock()

    def connect(self, peer: "Stream") -> None:
        """Hear ``peer`` and be heard by it."""
        if self.peer is not peer:
            self.disconnect()
            peer.disconnect()
            self.peer, peer.peer = peer, self
        self.rewire()
        peer.rewire()

    def disconnect(self) -> None:
        """Hear and be heard by nobody."""
        peer = self.peer
        if peer is not None:
            self.peer = peer.peer = None
            self.rewire()
            peer.rewire()
        self.inner = None

    def rewire(self) -> None:
        """Set where packets received here go, after anything changed that decides it."""
        self.count()
        peer = self.peer
        onward = None
        if (
            peer is not None
            and peer.target is not NOWHERE
            and not peer.is_playing
            and peer.mix is None
            and not peer.is_keying
            and peer.remote is not None
        ):
            onward = peer
        if self.onward is not None:
            self.settle()
            self.onward.feeder = None
        self.onward = onward
        self._anchor = self.head = -1
        if onward is not None:
            onward.feeder = self

    def tap(self, taps: tuple[Tap, ...]) -> None:
        """Let exactly these hear what is received, whoever is connected."""
        self.count()
        self.taps = taps
        self.head = -1

    def collect(self, wanted: bool) -> None:
        """Report digits, or do not."""
        self._digits = DigitReader() if wanted else stopped(self._digits)

    def count(self) -> None:
        """Count the packets that took the short way: as many as sequence numbers, all of one size."""
        packets = self.expected - self._counted_to
        if not packets:
            return
        self._counted_to = self.expected
        self.received += packets
        self.octets += packets * self.size
        if self.onward is not None:
            self.onward.sent += packets
            self.onward.octets_sent += packets * self.size

    def statistics(self) -> StreamStatistics:
        """Return the counters of a stream that is over: whoever fed it was counted by :meth:`disconnect`."""
        self.count()
        return StreamStatistics(
            self.id,
            self.received,
            self.octets,
            self.sent,
            self.octets_sent,
            self.lost(),
            round(self.jitter * 1000 / CLOCK, 3),
            self.foreign,
            self.malformed,
            self.unknown,
        )

    # What is received.

    def receive(self, size: int, source: Address, now: float) -> None:
        """Take the packet of ``size`` bytes in the desk's buffer, the long way."""
        remote = self.remote
        if remote is None:
            return
        if self.mix is not None and self.mix.hear_far(size, source, now):
            return
        inner = self.inner
        if inner is not None and source == inner.source:
            inner.receive(size, source, now)
            return
        self.count()
        buffer = self.desk.buffer
        if is_rtcp(buffer, size):
            self._receive_rtcp(size, source, now, self.sendto)
            return
        start, end = payload_bounds(buffer, size)
        if start < 0:
            self.malformed += 1
            return
        head, sequence, timestamp, ssrc = _unpack(buffer)
        if source != self.source and not self._admit(source, ssrc, sequence, now):
            self.foreign += 1
            return
        if ssrc != self.ssrc:
            if self.onward is not None:
                self.settle()
            self._anchor = -1
            self.begin(ssrc, sequence)
        self.head = -1
        is_used = self.note_sequence(sequence)
        self._counted_to = self.expected
        if not is_used:
            return
        self.octets += size
        self.heard_at = now
        payload_type = head & 0x7F
        if payload_type == remote.dtmf_receive:
            self._receive_event(size, start, end, now)
            return
        codec = remote.codec if payload_type == remote.payload_type_receive else CODECS.get(payload_type)
        if codec is None:
            self.unknown += 1
            return
        self.note_arrival(timestamp, now)
        if self._digits is not None:
            self._tell_digit(self._digits.settle())
        if self.taps and end > start and remote.sends:
            for tap in self.taps:
                tap.hear(size, start, end, codec, now)
        if end > start and self.onward is not None:
            assert self.onward.remote is not None
            table = translation(codec, self.onward.hears)
            if table is not None:
                buffer[start:end] = buffer[start:end].translate(table)
            self._forward(size, self.onward.remote.payload_type, now)
        if payload_type == remote.payload_type_receive:
            self._clear_way(size, payload_type, codec)

    def _clear_way(self, size: int, payload_type: int, codec: str) -> None:
        """Let the next packet take the short way, if it has something to say and only the peer hears it."""
        if size < _FAST_SIZE_MIN or self.taps:
            return
        self.head = VERSION_2 | payload_type
        self.size = size
        onward = self.onward
        if onward is None:
            return
        assert onward.remote is not None
        self.out_head = VERSION_2 | onward.remote.payload_type
        self.table = translation(codec, onward.hears)
        self.rewrites = bool(
            self.sequence_shift
            or self.timestamp_shift
            or self.out_head != self.head
            or onward.out_ssrc != self.ssrc
            or self.table is not None
        )

    def _forward(self, size: int, payload_type: int, now: float) -> None:
        """Send the packet in the buffer to the peer, with a header that continues what the peer has heard."""
        peer, buffer = self.onward, self.desk.buffer
        assert peer is not None
        head, sequence, timestamp, ssrc = _unpack(buffer)
        if self._anchor != ssrc:
            self._anchor = ssrc
            if peer.out_ssrc < 0:
                peer.out_ssrc = ssrc
                self.sequence_shift = self.timestamp_shift = 0
            else:
                head |= MARKER
                self.sequence_shift = peer._out_sequence + 1 - sequence
                self.timestamp_shift = peer.next_timestamp(now) - timestamp
        _pack(
            buffer,
            0,
            head & ~0x7F | payload_type,
            (sequence + self.sequence_shift) & WORD,
            (timestamp + self.timestamp_shift) & LONG,
            peer.out_ssrc,
        )
        peer.send(self._views[size])

    def _receive_event(self, size: int, start: int, end: int, now: float) -> None:
        """Take a telephone event: tell its digit if wanted, pass it on if the peer knows such."""
        if end - start < EVENT_SIZE:
            self.malformed += 1
            return
        buffer, digits = self.desk.buffer, self._digits
        timestamp = _unpack(buffer)[2]
        if digits is not None:
            self._tell_digit(digits.receive(buffer, start, timestamp))
        for tap in self.taps:
            tap.hear(size, start, end, "", now)
        onward = self.onward
        if onward is None:
            return
        assert onward.remote is not None
        if onward.remote.dtmf_send >= 0 and not (digits is not None and digits.is_spent(timestamp)):
            self._forward(size, onward.remote.dtmf_send, now)
        elif self._anchor == self.ssrc:
            # The peer cannot be told; it must not take the hole for loss either.
            self.sequence_shift -= 1
            self.rewrites = True

    def _tell_digit(self, over: tuple[str, int] | None) -> None:
        if over is not None:
            self.desk.report(Digit(self.id, *over))

    def _admit(self, source: Address, ssrc: int, sequence: int, now: float) -> bool:
        latch = self.latch
        if not latch.admit(source, ssrc, sequence, now, (self.ssrc, self.expected, self.heard_at)):
            return False
        self.unlock()
        self.source = latch.source
        if latch.target is not None and self.remote is not None and self.remote.receives:
            was_nowhere = self.target is NOWHERE
            self.target = latch.target
            if was_nowhere and self.peer is not None:
                self.peer.rewire()
        return True

    # What is sent.

    def send(self, data: memoryview | bytes) -> None:
        """Send a packet to the peer and count it."""
        self.sent += 1
        self.octets_sent += len(data)
        try:
            if self.transmit is not None:
                self.transmit(data)
            else:
                self.sendto(data, self.target)
        except OSError:
            self.unsent += 1

    def play(self, frame: bytes, is_first: bool, now: float) -> None:
        """Send one frame of 20 ms in the stream's codec; a first one begins a talkspurt (RFC 3551 4.1)."""
        remote = self.remote
        if remote is None or self.target is NOWHERE or self.is_keying:
            return
        if self.out_ssrc < 0:
            self._begin_sending()
            is_first = True
        elif is_first:
            self._out_timestamp = (self.next_timestamp(now) - FRAME) & LONG
        desk = self.desk
        sequence = self._out_sequence = (self._out_sequence + 1) & WORD
        timestamp = self._out_timestamp = (self._out_timestamp + FRAME) & LONG
        head = VERSION_2 | remote.payload_type
        _pack(desk.frame, 0, head | MARKER if is_first else head, sequence, timestamp, self.out_ssrc)
        desk.frame[HEADER_SIZE:] = frame
        self._out_at = now
        self.send(desk.frame_view)

    def _begin_sending(self) -> None:
        chance = self.desk.chance
        self.out_ssrc = chance.number(2**32)
        self._out_sequence = chance.number(2**15)
        self._out_timestamp = chance.number(2**31)

    def begin_keys(self) -> None:
        """Let nothing but digits go to the peer."""
        self.is_keying = True
        if self.out_ssrc < 0:
            self._begin_sending()
        if self.peer is not None:
            self.peer.rewire()

    def end_keys(self, now: float) -> None:
        """Let the peer hear again what there is to be heard."""
        self.is_keying = False
        self._out_timestamp = (self.next_timestamp(now) - FRAME) & LONG
        self._out_at = now - FRAME / CLOCK
        if self.peer is not None:
            self.peer.rewire()

    def press(self, payload: bytes, is_first: bool, now: float) -> bool:
        """Send a packet of a telephone event between frames that are played; those of one event have the
        timestamp of its begin (RFC 4733 2.5.1.2). False for a peer that knows none, or heard nothing yet.
        """
        remote = self.remote
        if remote is None or remote.dtmf_send < 0 or self.target is NOWHERE or self.out_ssrc < 0:
            return False
        if is_first:
            self._out_timestamp = self.next_timestamp(now)
            self._out_at = now
        sequence = self._out_sequence = (self._out_sequence + 1) & WORD
        head = VERSION_2 | (MARKER if is_first else 0) | remote.dtmf_send
        self.send(HEADER.pack(head, sequence, self._out_timestamp, self.out_ssrc) + payload)
        return True

    def skip(self, frames: int) -> None:
        """Let time pass that was not played: a worker that stood still must not send it all at once."""
        self._out_timestamp = (self._out_timestamp + frames * FRAME) & LONG

    def next_timestamp(self, now: float) -> int:
        """Return the timestamp of a packet sent now, at least one frame after the last."""
        return (self._out_timestamp + max(FRAME, round((now - self._out_at) * CLOCK))) & LONG

    def settle(self) -> None:
        """Note with the peer what it heard last from here: the short way does not."""
        peer = self.onward
        if peer is not None and self._anchor == self.ssrc and self._anchor >= 0:
            peer._out_sequence = (self.expected - 1 + self.sequence_shift) & WORD
            peer._out_timestamp = (self.last_timestamp() + self.timestamp_shift) & LONG
            peer._out_at = self.heard_at

    # RTCP.

    def receive_rtcp(self, size: int, source: Address, now: float) -> None:
        """Take a packet on the RTCP port."""
        if self.remote is not None:
            self._receive_rtcp(size, source, now, self.sendto_rtcp)

    def _receive_rtcp(self, size: int, source: Address, now: float, sendto: SendTo) -> None:
        """Answer a report of the locked source; RTCP of others is foreign."""
        known = self.source or self.latch.sdp  # a peer that only listens sends reports, too
        if known is None or source[0] != known[0] or self.target is NOWHERE:
            self.foreign += 1
            return
        report = self._peer_report
        if report is None:
            report = self._peer_report = rtcp.PeerReport()
        if not report.receive(self.desk.buffer, size, now):
            self.malformed += 1
            return
        if now - report.answered_at < rtcp.ANSWER_EVERY:
            return
        report.answered_at = now
        self.count()
        if self.feeder is not None:
            self.feeder.count()
            self.feeder.settle()
        ssrc = self.out_ssrc if self.out_ssrc >= 0 else self.desk.chance.number(2**32)
        self.out_ssrc = ssrc
        # The octets of a report are payload alone; those of the statistics are whole packets.
        octets = self.octets_sent - self.sent * HEADER_SIZE
        sent = (self.next_timestamp(now), self.sent & LONG, octets & LONG) if self.sent else None
        answer = rtcp.build_report(ssrc, now, sent, self._report_block(report, now))
        try:
            sendto(answer, source)
        except OSError:
            self.unsent += 1

    def _report_block(self, report: rtcp.PeerReport, now: float) -> rtcp.Block | None:
        """Return the report block of RFC 3550 6.4.1 about what was received, if anything was."""
        if self.ssrc < 0:
            return None
        expected, lost = self.expected_total(), self.lost()
        interval, missing = expected - report.expected, lost - report.lost
        report.expected, report.lost = expected, lost
        fraction = 0 if interval <= 0 or missing <= 0 else min(255, 256 * missing // interval)
        since = round((now - report.reported_at) * 65_536) & LONG if report.middle else 0
        losses = fraction << 24 | min(lost, 0x7FFFFF)
        return self.ssrc, losses, self.highest() & LONG, round(self.jitter) & LONG, report.middle, since


Receive: TypeAlias = Callable[[bytearray], int]
ReceiveFrom: TypeAlias = Callable[[bytearray], tuple[int, Address]]  # ``recvfrom_into``; raises OSError
Deliver: TypeAlias = Callable[[int, Address, float], None]
# By descriptor: takes one packet into the buffer and returns its size, or has dealt with it and returns -1;
# raises OSError. Then the stream whose locked source has sent it.
Table: TypeAlias = dict[int, tuple[Receive, Stream]]


class OpenSocket:
    """A socket that anybody may send to: what comes from the source of its stream may go the short way."""

    __slots__ = ("_deliver", "_desk", "_receive_from", "_stream")

    def __init__(self, receive_from: ReceiveFrom, stream: Stream, deliver: Deliver, desk: Desk) -> None:
        """``deliver`` takes what comes from others."""
        self._receive_from = receive_from
        self._stream = stream
        self._deliver = deliver
        self._desk = desk

    def receive(self, buffer: bytearray) -> int:
        """Take one packet: a :data:`Receive`."""
        size, source = self._receive_from(buffer)
        if source == self._stream.source:
            return size
        self._desk.buffer[:size] = buffer[:size]
        self._deliver(size, source, self._desk.now)
        return -1


def serve(events: list[tuple[int, int]], table: Table, desk: Desk, now: float) -> None:
    """Take one packet from every ready socket: the hot path, 3/4 of a worker's Python.

    One packet per wake-up: draining each socket was measured slower. An error of a socket (an ICMP message, a
    datagram that is gone) concerns nobody. What came the short way leaves before a locked
    stream's packet goes the long way.
    """
    slots, unpack, pack = desk.slots, _unpack, _pack
    buffer, views = slots[0]
    leaving: list[tuple[Stream, memoryview]] = []
    clock = now * 8000.0
    desk.now = now
    for descriptor, _ in events:
        receive, stream = table[descriptor]
        try:
            size = receive(buffer)
        except OSError:
            continue
        head, sequence, timestamp, ssrc = unpack(buffer)
        if sequence != stream.expected or size != stream.size or head != stream.head or ssrc != stream.ssrc:
            if size >= 0 and stream.source is not None:
                _send_all(leaving)
                desk.buffer[:size] = buffer[:size]
                buffer, views = slots[0]
                stream.receive(size, stream.source, now)
            continue
        stream.expected = sequence + 1
        stream.heard_at = now
        transit = clock - timestamp
        step = transit - stream.transit
        stream.transit = transit
        if step < 0.0:
            step = -step
        if step < TRANSIT_STEP_MAX:
            stream.jitter += (step - stream.jitter) * 0.0625
        peer = stream.onward
        if peer is None:
            continue
        if stream.rewrites:
            pack(
                buffer,
                0,
                stream.out_head,
                (sequence + stream.sequence_shift) & 0xFFFF,
                (timestamp + stream.timestamp_shift) & 0xFFFFFFFF,
                peer.out_ssrc,
            )
            if stream.table is not None:
                buffer[12:size] = buffer[12:size].translate(stream.table)
        view = views.get(size)
        if view is None:
            view = views[size] = memoryview(buffer)[:size]
        leaving.append((peer, view))
        if len(leaving) == _TOGETHER:
            _send_all(leaving)
        buffer, views = slots[len(leaving)]
    _send_all(leaving)


def _send_all(leaving: list[tuple[Stream, memoryview]]) -> None:
    """Send every packet to its stream's peer, in order, and forget them."""
    for peer, view in leaving:
        try:
            if peer.transmit is not None:
                peer.transmit(view)
            else:
                peer.sendto(view, peer.target)
        except OSError:
            peer.unsent += 1
    leaving.clear()


def _send_nowhere(data: memoryview | bytes, address: Address, /) -> object:
    """Take a packet of a stream that has no socket."""
    return None
