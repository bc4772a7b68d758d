"""A host with virtual sockets: packets go in and come out as tuples, time is a number."""

from collections.abc import Sequence
from struct import Struct

from kernel.chance import Chance
from kernel.ids import StreamId
from media.host import Host
from media.latch import Address
from media.messages import Command, Report, SetRemote, decode_reports, encode_commands
from media.relay import OpenSocket, Stream, serve

HEADER = Struct(">BBHII")
AUDIO = bytes(range(160))

ALICE: Address = ("192.0.2.1", 4000)
BOB: Address = ("192.0.2.2", 4002)
MALLORY: Address = ("203.0.113.66", 6666)


class Packet:
    """One RTP packet that left, taken apart."""

    def __init__(self, port: int, data: bytes, target: Address, at: float) -> None:
        self.port, self.target, self.at = port, target, at
        first, second, self.sequence, self.timestamp, self.ssrc = HEADER.unpack_from(data)
        self.version = first >> 6
        self.marker, self.payload_type = second >> 7, second & 0x7F
        self.payload = data[12:]


def draw(count: int) -> bytes:
    """Return bytes that are as good as random here."""
    return bytes((index * 151 + 7) % 256 for index in range(count))


class Tape:
    """A file of a recording, in memory; ``full`` is what it says when the disk is."""

    def __init__(self, full: str) -> None:
        self.audio = bytearray()
        self.error = full
        self.is_closed = False
        self.size = 0
        self.writes = 0

    def write(self, data: bytes, header: bytes) -> None:
        """Be a sink."""
        if not self.error:
            self.audio += data if self.audio else header + data
            self.audio[: len(header)] = header
            self.size = len(self.audio)
            self.writes += 1

    def close(self) -> None:
        """Be a sink that is closed at once."""
        self.is_closed = True


class Shelf:
    """Files of recordings, in memory."""

    def __init__(self) -> None:
        self.tapes: dict[str, Tape] = {}
        self.full = ""

    def create(self, folder: str, name: str) -> Tape:
        """Be where recordings go."""
        assert name not in self.tapes, f"{name} is written twice"
        tape = self.tapes[name] = Tape(self.full)
        return tape


class Studio:
    """One host; ``taken`` are ports that another program has."""

    def __init__(self, ports: tuple[int, int] = (20_000, 20_098), taken: Sequence[int] = ()) -> None:
        self.now = 100.0
        self.left: list[tuple[int, bytes, Address]] = []
        self.packets: list[Packet] = []
        self.taken = list(taken)
        self.lanes: dict[int, Stream] = {}
        self.locked: dict[int, Address] = {}
        self.lockable = True
        self.shelf = Shelf()
        self.host = Host(self, Chance(draw), ports, self.shelf)

    def bind(self, port: int, stream: Stream) -> bool:
        """Be the network of the host."""
        if port in self.taken or port + 1 in self.taken:
            return False
        self.lanes[port] = stream

        def sendto(data: memoryview | bytes, address: Address, /) -> None:
            self.left.append((port, bytes(data), address))
            self.packets.append(Packet(port, bytes(data), address, self.now))

        def sendto_rtcp(data: memoryview | bytes, address: Address, /) -> None:
            self.left.append((port + 1, bytes(data), address))

        stream.sendto, stream.sendto_rtcp = sendto, sendto_rtcp
        return True

    def lock(self, stream: Stream, now: float) -> bool:
        """Be the network of the host: connect a second socket to the stream's source."""
        port, source = stream.port, stream.source
        assert source is not None
        if not self.lockable:
            return False

        def transmit(data: memoryview | bytes, /) -> None:
            self.left.append((port, bytes(data), source))
            self.packets.append(Packet(port, bytes(data), source, self.now))

        self.locked[port] = source
        stream.lock(transmit, lambda: self.locked.pop(port) and None)
        return True

    def tell(self, *commands: Command) -> list[Report]:
        """Tell the host; return what it reports."""
        self.host.receive_message(encode_commands(list(commands)), self.now)
        self.host.check()
        return self.reports()

    def reports(self) -> list[Report]:
        """Return what the host has to report."""
        message = self.host.take_message()
        return [] if message is None else decode_reports(message)

    def open(self, stream: int, address: Address | None, codec: str = "PCMU", **changes: object) -> int:
        """Open a stream to ``address`` as the plane would; return its port."""
        port = 20_000 + 2 * (stream - 1)
        payload_type = 0 if codec == "PCMU" else 8
        fields: dict[str, object] = {
            "stream": StreamId(stream),
            "local_port": port,
            "host": address[0] if address else "",
            "port": address[1] if address else 0,
            "is_private": address is None or address[0].startswith("10."),
            "codec": codec,
            "payload_type": payload_type,
            "payload_type_receive": payload_type,
            "dtmf_send": -1,
            "dtmf_receive": -1,
            "sends": True,
            "receives": True,
        }
        fields.update(changes)
        assert self.tell(SetRemote(**fields)) == []  # type: ignore[arg-type]  # fields are named above
        return port

    def raw(self, port: int, data: bytes, source: Address) -> None:
        """Let any bytes arrive at ``port``."""
        size = min(len(data), len(self.host.desk.buffer))
        lane = self.lanes[port - port % 2]

        def receive(buffer: bytearray) -> tuple[int, Address]:
            buffer[:size] = data[:size]
            return size, source

        desk = self.host.desk
        if port % 2:
            receive(desk.buffer)
            lane.receive_rtcp(size, source, self.now)
        elif self.locked.get(port) == source:
            serve([(port, 1)], {port: (lambda buffer: receive(buffer)[0], lane)}, desk, self.now)
        else:
            entrance = OpenSocket(receive, lane, lane.receive, desk)
            serve([(port, 1)], {port: (entrance.receive, lane)}, desk, self.now)
        self.host.check()

    def speak(
        self,
        port: int,
        source: Address,
        sequence: int,
        ssrc: int = 7,
        payload_type: int = 0,
        payload: bytes = AUDIO,
        marker: bool = False,
        timestamp: int | None = None,
    ) -> None:
        """Let one RTP packet arrive at ``port``."""
        at = sequence * 160 if timestamp is None else timestamp
        head = HEADER.pack(0x80, payload_type | 0x80 * marker, sequence & 0xFFFF, at & 0xFFFFFFFF, ssrc)
        self.raw(port, head + payload, source)

    def talk(self, port: int, source: Address, first: int, count: int, ssrc: int = 7, **more: int) -> None:
        """Let ``count`` packets arrive, 20 ms apart."""
        for index in range(count):
            self.speak(port, source, first + index, ssrc, **more)
            self.now += 0.02

    def run(self, seconds: float) -> None:
        """Let the host's ticks come when they are due."""
        until = self.now + seconds
        while (due_at := self.host.next_tick()) <= until:
            self.now = max(self.now, due_at)
            self.host.tick(self.now)
            self.host.check()
        self.now = until

    def take(self) -> list[Packet]:
        """Return the RTP packets that left since the last call."""
        taken, self.packets = self.packets, []
        return taken

    def to(self, address: Address) -> list[Packet]:
        """Return and forget the RTP packets that left for ``address``."""
        return [packet for packet in self.take() if packet.target == address]


def wav_channels(data: bytes) -> tuple[bytes, ...]:
    """Return the channels of a u-law WAV file, after a look at everything its header says."""
    channels, rate = (int.from_bytes(data[at : at + size], "little") for at, size in ((22, 2), (24, 4)))
    size = int.from_bytes(data[54:58], "little")
    audio = data[58 : 58 + size]
    assert (data[:4], data[8:16], data[38:42], data[50:54]) == (b"RIFF", b"WAVEfmt ", b"fact", b"data")
    assert data[16:22] == bytes((18, 0, 0, 0, 7, 0)), "fmt of 18 bytes, format 7"
    assert int.from_bytes(data[28:32], "little") == rate * channels, "bytes a second"
    assert (data[32], data[34], data[36]) == (channels, 8, 0)
    assert rate == 8000
    assert int.from_bytes(data[4:8], "little") == 50 + size + size % 2
    assert int.from_bytes(data[46:50], "little") * channels == size == len(audio), "what is said is there"
    return tuple(audio[channel::channels] for channel in range(channels))
