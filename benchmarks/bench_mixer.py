"""What a mixed frame costs a media worker, beside a relayed packet, in process and without a network.

    python -m benchmarks.bench_mixer [--conferences 50] [--seconds 4] [--rounds 5]

A conference is three streams that hear each other: three packets of 20 ms come in and three frames go out
every tick. A call that is listened to is two streams that are connected and a third that hears both: three
packets in, two relayed and one mixed out. A recorded call is two streams that are connected and written into
a file of two channels, whose disk is left out. Sending costs what an empty function does; the system calls,
which a relayed packet needs as well, are left out. Figures are process time in us, the median of the rounds.
"""

import argparse
from collections.abc import Callable
from random import Random
from statistics import median
from struct import pack
from time import process_time

from kernel.chance import Chance
from kernel.ids import RecordingId, StreamId
from media.host import TICK, Host
from media.messages import Command, Connect, Mix, Record, RightSide, SetRemote, encode_commands
from media.relay import OpenSocket, Stream, Table, serve
from tests.media.wires import Shelf

BATCH = 16  # packets between two looks at the clock


class Net:
    """The sockets of a host that lead nowhere: what is sent is counted."""

    def __init__(self) -> None:
        self.lanes: dict[int, Stream] = {}
        self.sent = 0

    def bind(self, port: int, stream: Stream) -> bool:
        """Be the network of the host."""

        def send(data: memoryview | bytes, address: tuple[str, int], /) -> None:
            self.sent += 1

        self.lanes[port] = stream
        stream.sendto = stream.sendto_rtcp = send
        return True

    def lock(self, stream: Stream, now: float) -> bool:
        """Connect no second socket."""
        return True


class Talk:
    """Groups of three streams that all speak, and what the worker is told of them."""

    def __init__(self, groups: int, told: Callable[[list[StreamId]], list[Command]]) -> None:
        self.net = Net()
        draw = Random(1)
        chance = Chance(lambda count: bytes(draw.randrange(256) for _ in range(count)))
        self.host = Host(self.net, chance, (20_000, 20_000 + 8 * groups), Shelf())
        self.now = 1.0
        self.streams = [StreamId(number) for number in range(1, 3 * groups + 1)]
        commands: list[Command] = []
        for stream in self.streams:
            port = 20_000 + 2 * (stream - 1)
            at = ("192.0.2.1", 10_000 + 2 * stream)
            commands.append(SetRemote(stream, port, *at, False, "PCMU", 0, 0, -1, -1, True, True))
        for group in range(groups):
            commands += told(self.streams[3 * group : 3 * group + 3])
        self.host.receive_message(encode_commands(commands), self.now)
        self.payloads = [bytes(draw.randrange(256) for _ in range(160)) for _ in range(50)]
        self.packets: dict[int, bytes] = {}
        self.table: Table = {}
        for stream in self.streams:
            port = 20_000 + 2 * (stream - 1)
            lane = self.net.lanes[port]
            source = ("192.0.2.1", 10_000 + 2 * stream)
            entrance = OpenSocket(self._receiver(port, source), lane, lane.receive, self.host.desk)
            self.table[port] = (entrance.receive, lane)

    def _receiver(
        self, port: int, source: tuple[str, int]
    ) -> Callable[[bytearray], tuple[int, tuple[str, int]]]:
        def receive(buffer: bytearray) -> tuple[int, tuple[str, int]]:
            packet = self.packets[port]
            buffer[: len(packet)] = packet
            return len(packet), source

        return receive

    def run(self, ticks: int) -> float:
        """Return the process time of ``ticks`` times 20 ms, the packets' making left out."""
        spent = 0.0
        for tick in range(ticks):
            sequence = round(self.now / TICK) & 0xFFFF
            for port in self.table:
                head = pack(">BBHII", 0x80, 0, sequence, sequence * 160, port)
                self.packets[port] = head + self.payloads[(tick + port) % 50]
            events = [(port, 1) for port in self.table]
            batches = [events[at : at + BATCH] for at in range(0, len(events), BATCH)]
            begun = process_time()
            for batch in batches:
                serve(batch, self.table, self.host.desk, self.now)
            if self.host.next_tick() <= self.now:
                self.host.tick(self.now)
            spent += process_time() - begun
            self.now += TICK
        return spent


def pair(streams: list[StreamId]) -> list[Command]:
    """Return what connects two of three."""
    return [Connect(streams[0], streams[1])]


def recorded(streams: list[StreamId]) -> list[Command]:
    """Return what connects two of three and records them."""
    right = RightSide((streams[1],), "127.0.0.1", ())
    return [*pair(streams), Record(RecordingId(f"r{streams[0]}"), "", streams[0], right, 14_400.0)]


def listened(streams: list[StreamId]) -> list[Command]:
    """Return what lets the third hear the two that talk."""
    return [*pair(streams), Mix(streams[2], (streams[0], streams[1]), "127.0.0.1", ())]


def three(streams: list[StreamId]) -> list[Command]:
    """Return what lets each hear the other two."""
    return [
        *pair(streams),
        *(Mix(one, tuple(other for other in streams if other != one), "127.0.0.1", ()) for one in streams),
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--conferences", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    ticks = max(10, round(chosen.seconds / TICK))
    kinds = {
        "two connected, one alone": pair,
        "and the two are recorded": recorded,
        "and the third listens": listened,
        "talk of three": three,
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(chosen.rounds):
        for name, told in kinds.items():
            talk = Talk(chosen.conferences, told)
            talk.run(10)
            before = talk.net.sent
            spent = talk.run(ticks)
            times[name].append(spent / ticks / chosen.conferences * 1e6)
            expected = 3 if told in (listened, three) else 2
            assert talk.net.sent - before >= expected * (ticks - 2) * chosen.conferences, "frames are missing"
    base = median(times["two connected, one alone"])
    print(f"{chosen.conferences} groups of three streams, {chosen.rounds} rounds; us per group and 20 ms")
    for name, found in times.items():
        print(f"  {name:26} {median(found):6.1f}   {median(found) / base:4.1f} times")
    listens = median(times["and the third listens"]) - base
    mixed = (median(times["talk of three"]) - base) / 3
    taped = median(times["and the two are recorded"]) - base
    print(f"a recorded call costs {taped:.1f} us more every 20 ms: {taped / 200:.2f} % of a core")
    print(f"a stream that listens costs {listens:.1f} us more every 20 ms, one of three {mixed:.1f} us")


if __name__ == "__main__":
    main()
