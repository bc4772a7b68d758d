"""Mixing in virtual time: each party's tone is another one, and what is heard is told by frequency."""

import math
import random
from itertools import pairwise

import pytest

from kernel.ids import StreamId
from media.codecs.g711 import alaw_to_linear, linear_to_alaw, linear_to_ulaw, ulaw_to_linear
from media.messages import (
    AddPrompt,
    Close,
    Closed,
    Command,
    Connect,
    ConnectAcross,
    FarSource,
    Feed,
    Mix,
    Play,
    SendDigits,
    Stop,
)
from tests.media.wires import ALICE, BOB, Packet, Studio
from tests.wire.phones import tone_share

CAROL = ("192.0.2.3", 4004)
A, B, C = StreamId(1), StreamId(2), StreamId(3)
PARTIES = {A: ALICE, B: BOB, C: CAROL}
TONES = {A: 440.0, B: 1000.0, C: 1700.0}
CODES = {"PCMU": (0, linear_to_ulaw, ulaw_to_linear), "PCMA": (8, linear_to_alaw, alaw_to_linear)}


def three(codecs: dict[StreamId, str] | None = None, **changes: object) -> Studio:
    """Return a studio with three streams, the first two connected."""
    studio = Studio()
    for stream, address in PARTIES.items():
        studio.open(stream, address, (codecs or {}).get(stream, "PCMU"), **changes)
    studio.tell(Connect(A, B))
    return studio


def mix(stream: StreamId, *hears: StreamId) -> Mix:
    return Mix(stream, hears, "127.0.0.1", ())


class Party:
    """Sends its tone, a frame at a time."""

    def __init__(
        self, studio: Studio, stream: StreamId, codec: str = "PCMU", samples: int = 160, first: int = 65_000
    ) -> None:
        self.studio, self.stream, self.samples = studio, stream, samples
        self.payload_type, self.code, _ = CODES[codec]
        self.sequence, self.timestamp = first, 2**32 - 4_000
        self.at = 0

    def frame(self) -> bytes:
        step = 2 * math.pi * TONES[self.stream] / 8000
        told = bytes(self.code(int(8000 * math.sin(step * (self.at + n)))) for n in range(self.samples))
        self.at += self.samples
        return told

    def speak(self, is_lost: bool = False) -> None:
        payload = self.frame()
        if not is_lost:
            self.studio.speak(
                20_000 + 2 * (self.stream - 1),
                PARTIES[self.stream],
                self.sequence,
                ssrc=self.stream,
                payload_type=self.payload_type,
                payload=payload,
                timestamp=self.timestamp,
            )
        self.sequence, self.timestamp = self.sequence + 1, self.timestamp + self.samples


def talk(studio: Studio, parties: list[Party], frames: int, lost: float = 0.0) -> None:
    """Let all of them send ``frames`` packets of 20 ms."""
    chance = random.Random(5)
    for _ in range(frames):
        for party in parties:
            party.speak(lost > 0.0 and chance.random() < lost)
        studio.run(0.02)


def linear(packets: list[Packet]) -> list[int]:
    decode = {number: code[2] for number, code in ((entry[0], entry) for entry in CODES.values())}
    return [decode[packet.payload_type](byte) for packet in packets for byte in packet.payload]


def heard(packets: list[Packet], address: tuple[str, int]) -> dict[StreamId, bool]:
    """Return whose tones are in the second half of what was sent to ``address``."""
    samples = linear([packet for packet in packets if packet.target == address])
    samples = samples[len(samples) // 2 :]
    return {stream: tone_share(samples, tone) > 0.2 for stream, tone in TONES.items()}


def is_one_stream(packets: list[Packet]) -> bool:
    """Say whether sequence numbers have no hole, times go up, and the source never changes."""
    steps = [(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(packets)]
    times = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)]
    return (
        len({packet.ssrc for packet in packets}) == 1
        and set(steps) == {1}
        and all(160 <= time < 8000 for time in times)
    )


@pytest.mark.parametrize("supervisor", ["PCMU", "PCMA"])
@pytest.mark.parametrize("seat", ["PCMU", "PCMA"])
def test_who_monitors_hears_both_and_is_heard_by_nobody(seat: str, supervisor: str) -> None:
    studio = three({B: seat, C: supervisor})
    parties = [Party(studio, A), Party(studio, B, seat), Party(studio, C, supervisor)]
    studio.tell(mix(C, A, B))
    talk(studio, parties, 50)
    packets = studio.take()
    assert heard(packets, CAROL) == {A: True, B: True, C: False}
    assert heard(packets, ALICE) == {A: False, B: True, C: False}
    assert heard(packets, BOB) == {A: True, B: False, C: False}
    to_carol = [packet for packet in packets if packet.target == CAROL]
    assert len(to_carol) in (50, 51)
    assert {packet.payload_type for packet in to_carol} == {CODES[supervisor][0]}
    assert {round(b.at - a.at, 6) for a, b in pairwise(to_carol)} == {0.02}
    # Both halves are as loud as they were sent: 8000 each.
    assert 14_000 < max(linear(to_carol[25:])) < 16_400


def test_whisper_barge_and_three_way_are_sums_of_mixes() -> None:
    studio = three()
    parties = [Party(studio, stream) for stream in PARTIES]
    studio.tell(mix(C, A, B), mix(B, A, C))
    talk(studio, parties, 40)
    packets = studio.take()
    assert heard(packets, ALICE) == {A: False, B: True, C: False}
    assert heard(packets, BOB) == {A: True, B: False, C: True}
    assert heard(packets, CAROL) == {A: True, B: True, C: False}
    studio.tell(mix(A, B, C))
    talk(studio, parties, 40)
    packets = studio.take()
    assert heard(packets, ALICE) == {A: False, B: True, C: True}
    assert heard(packets, BOB) == {A: True, B: False, C: True}


def test_who_is_heard_may_change_while_one_listens() -> None:
    """Out and in again; who stays is heard on, and it is one stream."""
    studio = three()
    parties = [Party(studio, stream) for stream in PARTIES]
    told = []
    for hears in ((A, B), (B,), (B, A)):
        studio.tell(mix(C, *hears))
        talk(studio, parties, 40)
        told += (packets := studio.to(CAROL))
        assert heard(packets, CAROL) == {A: A in hears, B: True, C: False}
    assert is_one_stream(told)


def test_who_is_told_again_what_it_hears_misses_no_frame() -> None:
    studio = three()
    parties = [Party(studio, stream) for stream in (A, B)]
    studio.tell(mix(C, A, B))
    talk(studio, parties, 10)
    studio.take()
    for _ in range(10):
        studio.tell(mix(C, A, B))
        talk(studio, parties, 1)
    packets = studio.to(CAROL)
    assert len(packets) >= 9
    assert not any(packet.marker or set(packet.payload) == {0xFF} for packet in packets)
    assert max(linear(packets)) < 16_400  # nobody is heard twice


def test_relay_to_mix_and_back_is_one_stream_for_the_peer() -> None:
    studio = three()
    parties = [Party(studio, stream) for stream in PARTIES]
    talk(studio, parties, 20)
    studio.tell(mix(A, B, C), mix(B, A, C), mix(C, A, B))
    talk(studio, parties, 20)
    studio.tell(mix(A), mix(B), mix(C))
    talk(studio, parties, 20)
    packets = studio.take()
    for address in (ALICE, BOB):
        told = [packet for packet in packets if packet.target == address]
        assert is_one_stream(told)
        assert 58 <= len(told) <= 62
        assert sum(packet.marker for packet in told) == 2  # a talkspurt begins with each change
        # Nothing piles up: a second and a bit of audio took a second and a bit.
        assert abs(((told[-1].timestamp - told[0].timestamp) & 0xFFFFFFFF) - 59 * 160) <= 2 * 160
    assert heard(packets[-40:], ALICE) == {A: False, B: True, C: False}
    assert studio.host.next_tick() > studio.now + 0.02  # nothing ticks any more


def test_sum_saturates_and_does_not_wrap() -> None:
    studio = three()
    studio.tell(mix(C, A, B))
    loud = bytes((linear_to_ulaw(30_000),)) * 160
    for index in range(10):
        for port, address in ((20_000, ALICE), (20_002, BOB)):
            studio.speak(port, address, index, payload=loud)
        studio.run(0.02)
    samples = linear(studio.to(CAROL)[5:])
    assert min(samples) > 32_000


def test_one_voice_alone_is_passed_bit_by_bit() -> None:
    studio = three()
    studio.tell(mix(C, A, B))
    payload = bytes(code for code in range(256) if code != 0x7F)[:160]  # 7F is the other zero
    for index in range(10):
        studio.speak(20_000, ALICE, index, payload=payload)
        studio.run(0.02)
    assert {packet.payload for packet in studio.to(CAROL)[4:]} == {payload}


def test_silence_of_all_is_sent_as_silence() -> None:
    studio = three({C: "PCMA"})
    studio.tell(mix(C, A, B))
    studio.run(0.199)
    packets = studio.to(CAROL)
    assert len(packets) == 10
    assert {packet.payload for packet in packets} == {b"\xd5" * 160}
    assert [packet.marker for packet in packets] == [1, *[0] * 9]


@pytest.mark.parametrize("samples", [80, 160, 240, 320, 480])
def test_packets_of_any_length_become_frames_of_20_ms(samples: int) -> None:
    studio = three()
    studio.tell(mix(C, A))
    party = Party(studio, A, samples=samples)
    for _ in range(24_000 // samples):
        party.speak()
        studio.run(samples / 8000)
    packets = studio.to(CAROL)
    assert len({len(packet.payload) for packet in packets}) == 1
    # After the buffer has filled the tone is never torn: all its energy is at one frequency.
    assert tone_share(linear(packets[10:-5]), TONES[A]) > 0.99


def test_lost_packet_is_silence_of_its_length() -> None:
    """And the rest keeps its pace: in three seconds with 5 % lost no delay grows and no tone is torn off."""
    studio = three()
    studio.tell(mix(C, A))
    talk(studio, [Party(studio, A)], 150, lost=0.05)
    samples = linear(studio.to(CAROL)[3:])
    frames = [samples[at : at + 160] for at in range(0, len(samples), 160)]
    silent = sum(max(map(abs, frame)) < 100 for frame in frames)
    assert 3 <= silent <= 15
    assert tone_share([sample for frame in frames for sample in frame], TONES[A]) > 0.85


def test_jitter_of_20_ms_tears_nothing() -> None:
    studio = three()
    studio.tell(mix(C, A))
    chance, party = random.Random(9), Party(studio, A)
    begin = studio.now
    due = sorted(begin + 0.02 * index + chance.uniform(0.0, 0.019) for index in range(200))
    for at in due:
        studio.run(max(0.0, at - studio.now))
        party.speak()
    assert tone_share(linear(studio.to(CAROL)[10:-5]), TONES[A]) > 0.99


def test_burst_after_a_hiccup_is_cut_to_the_newest() -> None:
    """A source that was stuck for half a second is heard 40 ms late after it, not half a second."""
    studio = three()
    studio.tell(mix(C, A))
    party = Party(studio, A)
    for value in range(25):
        party.code = lambda sample, value=value: linear_to_ulaw(1000 + 1000 * value)
        party.speak()
    studio.run(0.2)
    samples = [frame[0] for frame in [linear([packet]) for packet in studio.to(CAROL)]]
    newest = [ulaw_to_linear(linear_to_ulaw(value)) for value in (24_000, 25_000)]
    assert [sample for sample in samples if sample][-2:] == newest
    assert len([sample for sample in samples if sample]) <= 4


def test_late_duplicate_and_foreign_packets_are_not_heard_twice() -> None:
    studio = three()
    studio.tell(mix(C, A))
    frames = {index: bytes((linear_to_ulaw(1000 * index),)) * 160 for index in range(1, 9)}
    for index in (1, 2, 3, 3, 5, 4, 6, 7, 8):
        studio.speak(20_000, ALICE, index, payload=frames[index])
        studio.speak(20_000, ("203.0.113.66", 6666), 100 + index, ssrc=66, payload=frames[8])
        if index not in (3, 5):
            studio.run(0.02)
    studio.run(0.1)
    samples = [linear([packet])[0] for packet in studio.to(CAROL)]
    told = [round(sample / 1000) for sample in samples if sample]
    assert told == [1, 2, 3, 5, 6, 7, 8]  # the fourth came when its place had been filled with silence


def test_word_that_was_too_short_to_be_heard_does_not_begin_the_next_sentence() -> None:
    studio = three()
    studio.tell(mix(C, A))
    studio.speak(20_000, ALICE, 1, payload=bytes((linear_to_ulaw(9000),)) * 160)
    studio.run(1.0)
    for index in range(51, 56):
        studio.speak(20_000, ALICE, index, payload=bytes((linear_to_ulaw(2000),)) * 160)
        studio.run(0.02)
    assert 1900 < max(linear(studio.to(CAROL))) < 2100


def test_party_on_hold_is_not_heard_and_gets_nothing() -> None:
    studio = three()
    parties = [Party(studio, stream) for stream in PARTIES]
    studio.tell(mix(A, B, C), mix(B, A, C), mix(C, A, B))
    studio.open(B, BOB, sends=False, receives=False)
    talk(studio, parties, 30)
    packets = studio.take()
    assert heard(packets, ALICE) == {A: False, B: False, C: True}
    assert heard(packets, CAROL) == {A: True, B: False, C: False}
    assert [packet for packet in packets if packet.target == BOB] == []
    studio.open(B, BOB)
    talk(studio, parties, 30)
    packets = studio.take()
    assert heard(packets, ALICE) == {A: False, B: True, C: True}
    assert heard(packets, BOB) == {A: True, B: False, C: True}


def test_what_is_played_goes_before_the_mix_which_goes_on_after_it() -> None:
    studio = three()
    studio.tell(AddPrompt("beep", bytes((0x90,)) * 160))
    parties = [Party(studio, stream) for stream in PARTIES]
    studio.tell(mix(C, A, B))
    talk(studio, parties, 20)
    studio.tell(Play(C, ("beep",), True))
    talk(studio, parties, 20)
    studio.tell(Stop(C))
    talk(studio, parties, 30)
    packets = studio.to(CAROL)
    assert is_one_stream(packets)
    assert 69 <= len(packets) <= 72
    beeps = [packet for packet in packets if packet.payload == bytes((0x90,)) * 160]
    assert 20 <= len(beeps) <= 21
    assert heard(packets[-20:], CAROL) == {A: True, B: True, C: False}


def test_keys_reach_those_who_know_telephone_events_and_are_noise_for_nobody() -> None:
    """RFC 4733: one timestamp for all packets of a key, the marker on the first, no audio meanwhile."""
    studio = Studio()
    studio.open(A, ALICE, dtmf_receive=101, dtmf_send=101)
    studio.open(B, BOB, dtmf_receive=96, dtmf_send=96)
    studio.open(C, CAROL)
    studio.tell(Connect(A, B), mix(A, B, C), mix(B, A, C), mix(C, A, B))
    party = Party(studio, A)
    talk(studio, [party], 20)
    studio.take()
    start = party.timestamp
    for index in range(8):
        end = 0x80 if index > 4 else 0
        payload = bytes((5, end | 10)) + (160 * (index + 1)).to_bytes(2, "big")
        sequence = party.sequence & 0xFFFF
        studio.speak(
            20_000, ALICE, sequence, A, 101, payload, marker=index == 0, timestamp=start & 0xFFFFFFFF
        )
        party.sequence += 1
        studio.run(0.02)
    party.timestamp += 8 * 160
    talk(studio, [party], 20)
    packets = studio.take()
    to_bob = [packet for packet in packets if packet.target == BOB]
    keys = [packet for packet in to_bob if packet.payload_type == 96]
    assert len(keys) == 8
    assert {packet.payload[0] for packet in keys} == {5}
    assert [packet.marker for packet in keys] == [1, *[0] * 7]
    assert len({packet.timestamp for packet in keys}) == 1
    first, last = to_bob.index(keys[0]), to_bob.index(keys[-1])
    assert to_bob[first : last + 1] == keys  # no audio between them
    assert [(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(to_bob)] == [1] * (len(to_bob) - 1)
    after = to_bob[last + 1]
    assert after.marker == 1
    assert 8 * 160 <= (after.timestamp - keys[0].timestamp) & 0xFFFFFFFF <= 12 * 160
    # Carol's phone knows no events: it hears silence, and never one of the key's four bytes as sound.
    to_carol = [packet for packet in packets if packet.target == CAROL]
    assert {(packet.payload_type, len(packet.payload)) for packet in to_carol} == {(0, 160)}


def test_two_keys_at_once_do_not_mingle() -> None:
    studio = three(dtmf_receive=101, dtmf_send=101)
    studio.tell(mix(C, A, B))
    studio.run(0.1)
    studio.take()
    for index in range(4):
        for port, address, key in ((20_000, ALICE, 1), (20_002, BOB, 2)):
            payload = bytes((key, 10, 0, 160 * index & 0xFF))
            studio.speak(port, address, index, payload_type=101, payload=payload, timestamp=800)
        studio.run(0.02)
    keys = [packet.payload[0] for packet in studio.to(CAROL) if packet.payload_type == 101]
    assert keys == [1, 1, 1, 1]


def test_comfort_noise_and_unknown_types_are_ignored() -> None:
    studio = three()
    studio.tell(mix(C, A, B))
    for index in range(20):
        studio.speak(20_000, ALICE, index, payload_type=13, payload=b"\x40")
        studio.speak(20_002, BOB, index, payload_type=111, payload=bytes(160))
        studio.run(0.02)
    assert {packet.payload for packet in studio.to(CAROL)} == {b"\xff" * 160}


def test_closed_stream_leaves_every_mix() -> None:
    studio = three()
    parties = [Party(studio, stream) for stream in (A, B)]
    studio.tell(mix(A, B, C), mix(B, A, C), mix(C, A, B))
    talk(studio, parties, 10)
    assert isinstance(studio.tell(Close(C))[0], Closed)
    assert isinstance(studio.tell(Close(A))[0], Closed)
    studio.take()
    talk(studio, parties[1:], 10)
    assert {packet.target for packet in studio.take()} == {BOB}  # silence: everybody has left
    studio.tell(Close(B))
    assert studio.host.next_tick() == math.inf


def test_what_is_mixed_is_counted() -> None:
    studio = three()
    parties = [Party(studio, stream) for stream in PARTIES]
    studio.tell(mix(C, A, B))
    talk(studio, parties, 50)
    (closed,) = studio.tell(Close(C))
    assert isinstance(closed, Closed)
    assert closed.statistics.packets_sent == len(studio.to(CAROL))
    assert closed.statistics.packets_received == 50
    (closed,) = studio.tell(Close(A))
    assert isinstance(closed, Closed)
    assert (closed.statistics.packets_received, closed.statistics.packets_sent) == (50, 50)


def test_short_way_is_taken_again_when_nobody_else_hears() -> None:
    studio = three()
    parties = [Party(studio, stream) for stream in (A, B)]
    talk(studio, parties, 5)
    assert studio.host.streams[A].head >= 0
    studio.tell(mix(C, A, B))
    talk(studio, parties, 5)
    assert studio.host.streams[A].head == -1
    studio.tell(mix(C))
    talk(studio, parties, 5)
    assert studio.host.streams[A].head >= 0
    assert is_one_stream(studio.to(BOB))


def test_worker_that_stood_still_sends_no_burst() -> None:
    """What was missed is time that has passed: its timestamps are left out, its packets never sent."""
    studio = three()
    studio.tell(mix(C, A, B))
    studio.run(0.1)
    last = studio.to(CAROL)[-1]
    studio.now += 1.0
    studio.host.tick(studio.now)
    studio.run(0.1)
    packets = studio.to(CAROL)
    assert len(packets) <= 7
    assert [packet.sequence - last.sequence for packet in packets] == list(range(1, len(packets) + 1))
    for packet in packets:
        passed = round((packet.at - last.at) * 8000)
        assert abs(((packet.timestamp - last.timestamp) & 0xFFFFFFFF) - passed) <= 160


class Pair:
    """Two workers on one host, Alice's stream in the first, the others in the second."""

    def __init__(self, payload_type: int = 8) -> None:
        """Alice sends under this payload type."""
        self.studios = [Studio(), Studio()]
        for stream, address in PARTIES.items():
            if stream == A:
                self.studios[0].open(stream, address, "PCMA", payload_type_receive=payload_type)
            else:
                self.studios[1].open(stream, address)
        self.parties = [
            Party(self.studios[stream != A], stream, "PCMA" if stream == A else "PCMU") for stream in PARTIES
        ]
        self.parties[0].payload_type = payload_type

    def tell(self, studio: int, *commands: Command) -> None:
        self.studios[studio].tell(*commands)

    def run(self, frames: int) -> list[Packet]:
        """Let everybody talk; return what left for the parties."""
        packets: list[Packet] = []
        self.crossed = 0
        for _ in range(frames):
            for party in self.parties:
                party.speak()
                for near, far in (self.studios, self.studios[::-1]):
                    left, near.left = near.left, []
                    for port, data, target in left:
                        if target[0] == "127.0.0.1":
                            self.crossed += 1
                            far.raw(target[1], data, ("127.0.0.1", port))
            for studio in self.studios:
                studio.run(0.02)
                packets += [packet for packet in studio.take() if packet.target in PARTIES.values()]
        return packets


def test_source_in_another_worker_is_heard() -> None:
    pair = Pair()
    pair.tell(1, Connect(B, C), Mix(C, (B,), "127.0.0.1", (FarSource(20_000, "PCMA", 8, -1),)))
    pair.tell(0, Feed(A, "127.0.0.1", (20_004,)))
    packets = pair.run(50)
    assert heard(packets, CAROL) == {A: True, B: True, C: False}
    assert heard(packets, BOB) == {A: False, B: False, C: True}
    pair.tell(1, mix(C))
    pair.tell(0, Feed(A, "127.0.0.1", ()))
    packets = pair.run(50)
    assert heard(packets, CAROL) == {A: False, B: True, C: False}
    assert is_one_stream([packet for packet in packets if packet.target == CAROL])


def test_what_is_known_of_a_source_in_another_worker_may_change() -> None:
    """Told again, it is not interrupted; told of another payload type, it is understood from there on."""
    pair = Pair()
    far = FarSource(20_000, "PCMA", 8, -1)
    pair.tell(1, Mix(C, (B,), "127.0.0.1", (far,)))
    pair.tell(0, Feed(A, "127.0.0.1", (20_004,)))
    pair.run(5)
    told = []
    for _ in range(10):
        pair.tell(1, Mix(C, (B,), "127.0.0.1", (far,)))
        told += [packet for packet in pair.run(1) if packet.target == CAROL]
    assert not any(packet.marker for packet in told)
    assert tone_share(linear(told), TONES[A]) > 0.2
    pair = Pair(payload_type=98)
    pair.tell(0, Feed(A, "127.0.0.1", (20_004,)))
    for payload_type, is_understood in ((97, False), (98, True)):
        pair.tell(1, Mix(C, (B,), "127.0.0.1", (FarSource(20_000, "PCMA", payload_type, -1),)))
        packets = pair.run(20)
        assert heard(packets, CAROL) == {A: is_understood, B: True, C: False}


def test_peer_in_another_worker_is_heard_once() -> None:
    """It is relayed there anyway: a second copy would be a second delay."""
    pair = Pair()
    pair.tell(0, ConnectAcross(A, "127.0.0.1", 20_002, "PCMU", 0, -1), Feed(A, "127.0.0.1", (20_002,)))
    pair.tell(1, ConnectAcross(B, "127.0.0.1", 20_000, "PCMA", 8, -1))
    pair.tell(1, Mix(B, (C,), "127.0.0.1", (FarSource(20_000, "PCMA", 8, -1),)))
    packets = pair.run(50)
    assert pair.crossed == 100
    assert heard(packets, BOB) == {A: True, B: False, C: True}
    assert heard(packets, ALICE) == {A: False, B: True, C: False}
    assert tone_share(linear([p for p in packets if p.target == ALICE][5:]), TONES[B]) > 0.99
    samples = linear([packet for packet in packets if packet.target == BOB][10:])
    assert tone_share(samples, TONES[A]) + tone_share(samples, TONES[C]) > 0.99


def test_digits_of_ours_silence_a_mix_until_they_are_sent() -> None:
    """RFC 4733: one event after the other in the stream that the mix goes on in afterwards."""
    studio = three(dtmf_send=101)
    studio.tell(mix(C, A, B))
    studio.run(0.1)
    studio.take()
    studio.tell(SendDigits(C, "42", 60, 80))
    studio.run(0.26)
    during = studio.to(CAROL)
    assert {packet.payload_type for packet in during} == {101}
    assert [packet.payload[0] for packet in during] == [4] * 5 + [2] * 5
    studio.run(0.1)
    after = studio.to(CAROL)
    assert {packet.payload_type for packet in after} == {0}
    assert len(after) >= 4
    packets = during + after
    assert all((b.sequence - a.sequence) & 0xFFFF == 1 for a, b in pairwise(packets))
    assert (after[0].timestamp - during[-1].timestamp) & 0xFFFFFFFF < 2**31
