from struct import pack, unpack_from

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.ids import StreamId
from media.codecs.g711 import ALAW_TO_ULAW, ULAW_TO_ALAW
from media.messages import Close, Closed, Collect, Connect, ConnectAcross, Digit, Disconnect
from media.relay import serve
from tests.media.wires import ALICE, AUDIO, BOB, HEADER, MALLORY, Studio

A, B = StreamId(1), StreamId(2)
EVENT_END = bytes((5, 0x80 | 10, 3, 0xC0))  # digit 5, 960 units


def bridged(codec_a: str = "PCMU", codec_b: str = "PCMU", **changes: object) -> tuple[Studio, int, int]:
    studio = Studio()
    port_a, port_b = studio.open(A, ALICE, codec_a), studio.open(B, BOB, codec_b, **changes)
    studio.tell(Connect(A, B))
    return studio, port_a, port_b


def statistics(studio: Studio, stream: StreamId) -> Closed:
    reports = studio.tell(Close(stream))
    assert isinstance(reports[0], Closed)
    return reports[0]


def test_both_hear_each_other_unchanged() -> None:
    """A leg that has heard nothing before gets the other's packets as they are."""
    studio, port_a, port_b = bridged()
    studio.speak(port_a, ALICE, 500, ssrc=7, marker=True)
    studio.talk(port_a, ALICE, 501, 3, ssrc=7)
    studio.talk(port_b, BOB, 65_534, 4, ssrc=9)
    to_bob = [packet for packet in studio.packets if packet.target == BOB]
    assert [(p.sequence, p.timestamp, p.ssrc, p.marker, p.port) for p in to_bob] == [
        (500, 80_000, 7, 1, port_b),
        (501, 80_160, 7, 0, port_b),
        (502, 80_320, 7, 0, port_b),
        (503, 80_480, 7, 0, port_b),
    ]
    assert [packet.sequence for packet in studio.to(ALICE)] == [65_534, 65_535, 0, 1]
    assert to_bob[0].payload == AUDIO


def test_payload_types_are_those_of_each_leg() -> None:
    """Dynamic numbers differ between legs; DTMF is passed through (RFC 4733), unknown types are not."""
    studio = Studio()
    studio.open(A, ALICE, payload_type=0, payload_type_receive=96, dtmf_receive=101, dtmf_send=110)
    studio.open(B, BOB, payload_type=97, payload_type_receive=0, dtmf_send=98, dtmf_receive=99)
    studio.tell(Connect(A, B))
    studio.speak(20_000, ALICE, 1, payload_type=96)
    studio.speak(20_000, ALICE, 2, payload_type=96)
    studio.speak(20_000, ALICE, 3, payload_type=101, payload=EVENT_END, marker=True)
    studio.speak(20_000, ALICE, 4, payload_type=13, payload=b"\x40")
    studio.speak(20_000, ALICE, 5, payload_type=96)
    studio.speak(20_002, BOB, 1, payload_type=99, payload=EVENT_END)
    assert [(p.payload_type, p.marker) for p in studio.packets if p.target == BOB] == [
        *((97, 0), (97, 0), (98, 1), (97, 0)),
    ]
    assert [packet.payload_type for packet in studio.to(ALICE)] == [110]
    assert statistics(studio, A).statistics.unknown == 1


def test_laws_are_transcoded_when_the_legs_differ() -> None:
    studio, port_a, port_b = bridged("PCMU", "PCMA")
    studio.talk(port_a, ALICE, 1, 3, payload_type=0)
    studio.talk(port_b, BOB, 1, 3, payload_type=8)
    to_bob = [packet for packet in studio.packets if packet.target == BOB]
    assert [(p.payload_type, p.payload == AUDIO.translate(ULAW_TO_ALAW)) for p in to_bob] == [(8, True)] * 3
    to_alice = studio.to(ALICE)
    assert [(p.payload_type, p.payload == AUDIO.translate(ALAW_TO_ULAW)) for p in to_alice] == [(0, True)] * 3


def test_phone_that_changes_between_the_laws_is_understood() -> None:
    """RFC 3264 7: whoever offered both may be sent either; 0 and 8 need no negotiation to be known."""
    studio, port_a, _ = bridged("PCMU", "PCMU")
    studio.speak(port_a, ALICE, 1, payload_type=0)
    studio.speak(port_a, ALICE, 2, payload_type=8)
    studio.speak(port_a, ALICE, 3, payload_type=0)
    packets = studio.to(BOB)
    assert [packet.payload_type for packet in packets] == [0, 0, 0]
    assert [packet.payload == AUDIO for packet in packets] == [True, False, True]


def test_extensions_and_csrcs_pass_and_only_the_payload_is_transcoded() -> None:
    studio, port_a, _ = bridged("PCMU", "PCMA")
    head = pack(">BBHIII", 0x91, 0, 1, 160, 7, 0xC0FFEE) + pack(">HHI", 0xBEDE, 1, 0xAABBCCDD)
    studio.raw(port_a, head + AUDIO, ALICE)
    (packet,) = studio.to(BOB)
    assert packet.payload == head[12:] + AUDIO.translate(ULAW_TO_ALAW)


def test_packets_without_payload_are_counted_and_passed_to_nobody() -> None:
    """Some phones keep their way open with them."""
    studio, port_a, _ = bridged("PCMU", "PCMU")
    studio.speak(port_a, ALICE, 1)
    for sequence in range(2, 5):
        studio.speak(port_a, ALICE, sequence, payload=b"")
    studio.speak(port_a, ALICE, 5)
    first, second = studio.to(BOB)
    assert (first.payload, second.payload) == (AUDIO, AUDIO)
    assert statistics(studio, A).statistics.packets_received == 5


def test_dtmf_that_the_peer_does_not_know_leaves_no_hole() -> None:
    studio = Studio()
    studio.open(A, ALICE, dtmf_receive=101)
    studio.open(B, BOB)
    studio.tell(Connect(A, B))
    studio.speak(20_000, ALICE, 1)
    studio.speak(20_000, ALICE, 2, payload_type=101, payload=EVENT_END)
    studio.speak(20_000, ALICE, 3)
    studio.speak(20_000, ALICE, 4)
    assert [(packet.sequence, packet.payload_type) for packet in studio.to(BOB)] == [(1, 0), (2, 0), (3, 0)]


def test_statistics_count_packets_bytes_loss_and_jitter() -> None:
    """RFC 3550 A.3 and A.8: two of six packets lost; one came 2 ms late: 16 units, 1/16 of it twice."""
    studio, port_a, _ = bridged()
    for sequence, late in ((1, 0.0), (2, 0.0), (3, 0.002), (6, 0.0)):
        studio.now = 100.0 + 0.02 * sequence + late
        studio.speak(port_a, ALICE, sequence)
    closed = statistics(studio, A).statistics
    assert (closed.packets_received, closed.bytes_received, closed.lost) == (4, 4 * 172, 2)
    assert closed.jitter_ms == round(1.9375 / 8, 3)
    sent = statistics(studio, B).statistics
    assert (sent.packets_sent, sent.bytes_sent) == (4, 4 * 172)


def test_packets_of_the_sdp_address_win_and_others_are_foreign() -> None:
    """A-RTP1: 50 packets/s of another address before and after the lock; the attacker gets nothing."""
    studio, port_a, port_b = bridged()
    for index in range(4):
        studio.speak(port_a, MALLORY, 900 + index, ssrc=66)
        studio.now += 0.02
    assert studio.take() == []
    for index in range(100):
        studio.speak(port_a, ALICE, index, ssrc=7)
        studio.speak(port_a, MALLORY, 904 + index, ssrc=66)
        studio.speak(port_b, BOB, index, ssrc=9)
        studio.now += 0.02
    packets = studio.take()
    assert {packet.target for packet in packets} == {ALICE, BOB}
    assert [packet.sequence for packet in packets if packet.target == BOB] == list(range(100))
    assert statistics(studio, A).statistics.foreign == 104


def test_strangers_get_nothing_from_any_port() -> None:
    """A-RTP2: one packet to every port of the range, open, connected, playing or idle."""
    studio, _, _ = bridged()
    studio.host.ask_for_ports(10)
    studio.host.bind_some(20)
    for port in studio.lanes:
        studio.speak(port, MALLORY, 1)
        studio.raw(port + 1, pack(">BBHIIIIII", 0x80, 200, 6, 7, 1, 2, 3, 4, 5), MALLORY)
    assert studio.left == []


def test_nothing_is_sent_before_sdp_names_an_address() -> None:
    studio = Studio()
    port = studio.open(A, None)
    studio.open(B, BOB)
    studio.tell(Connect(A, B))
    studio.talk(20_002, BOB, 1, 10)
    assert studio.take() == []
    studio.talk(port, ALICE, 1, 6)
    assert [packet.target for packet in studio.take()] == [BOB, BOB]
    studio.talk(20_002, BOB, 11, 1)
    assert [packet.target for packet in studio.take()] == [ALICE]


def test_rebound_phone_is_heard_again_and_sent_to() -> None:
    """A-RTP3: after five packets of its stream from the new address; an attacker's stream is not."""
    studio, port_a, port_b = bridged()
    studio.talk(port_a, ALICE, 1, 10, ssrc=7)
    studio.now += 0.5
    studio.talk(port_a, MALLORY, 11, 20, ssrc=66)
    studio.take()
    moved = ("198.51.100.77", 50_000)
    studio.talk(port_a, moved, 35, 7, ssrc=7)
    assert [packet.sequence for packet in studio.take()] == [39, 40, 41]
    studio.talk(port_b, BOB, 1, 2)
    assert [packet.target for packet in studio.take()] == [moved, moved]


def test_rubbish_is_dropped_and_counted() -> None:
    """A-RTP4: short, wrong version, lies, garbage, a DTLS ClientHello, STUN; the call goes on."""
    studio, port_a, _ = bridged()
    studio.speak(port_a, ALICE, 1)
    rubbish = [b"", b"\x80", bytes(12), b"\x8f\x00" + bytes(20), b"\xa0\x00" + bytes(11) + b"\xff"]
    rubbish += [b"\x16\xfe\xfd" + bytes(60), b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)]
    for data in rubbish:
        studio.raw(port_a, data, ALICE)
    studio.speak(port_a, ALICE, 2)
    assert [packet.sequence for packet in studio.to(BOB)] == [1, 2]
    assert statistics(studio, A).statistics.malformed == len(rubbish)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.binary(max_size=200), st.sampled_from([ALICE, BOB, MALLORY])), max_size=20))
def test_any_bytes_leave_a_working_relay(packets: list[tuple[bytes, tuple[str, int]]]) -> None:
    """A-RTP4: whatever comes, nobody but the peers is sent to, and what is passed on is RTP."""
    studio, port_a, port_b = bridged("PCMU", "PCMA")
    for data, source in packets:
        for port in (port_a, port_a + 1, port_b):
            studio.raw(port, data, source)
    assert {target[0] for _, _, target in studio.left} <= {ALICE[0], BOB[0]}
    assert all(packet.version == 2 for packet in studio.packets if packet.target in (ALICE, BOB))


def test_digits_are_collected_from_the_locked_source_only() -> None:
    """A-RTP5: no digit from a stranger, nor of a payload type that was not negotiated."""
    studio = Studio()
    port = studio.open(A, ALICE, dtmf_receive=101)
    studio.tell(Collect(A, True))
    studio.speak(port, ALICE, 1)
    studio.speak(port, MALLORY, 2, payload_type=101, payload=EVENT_END, timestamp=5000)
    studio.speak(port, ALICE, 2, payload_type=96, payload=EVENT_END, timestamp=5000)
    assert studio.reports() == []
    for sequence in (3, 4, 5):
        studio.speak(port, ALICE, sequence, payload_type=101, payload=EVENT_END, timestamp=6000)
    assert studio.reports() == [Digit(A, "5", 120)]
    studio.tell(Collect(A, False))
    studio.speak(port, ALICE, 6, payload_type=101, payload=EVENT_END, timestamp=9000)
    assert studio.reports() == []


@pytest.mark.parametrize("is_over", [True, False], ids=["told", "under way"])
def test_the_rest_of_a_digit_that_was_collected_is_nobody_elses(is_over: bool) -> None:
    """The last digit of a PIN: its end is sent three times, and after the first the two sides talk again. The
    peer hears no hole, and the next digit.
    """
    studio = Studio()
    port = studio.open(A, ALICE, dtmf_receive=101)
    studio.open(B, BOB, dtmf_send=101)
    studio.tell(Collect(A, True))
    begun = EVENT_END if is_over else bytes((EVENT_END[0], 0, *EVENT_END[2:]))
    studio.speak(port, ALICE, 1, payload_type=101, payload=begun, timestamp=6000)
    assert studio.reports() == ([Digit(A, "5", 120)] if is_over else [])
    studio.tell(Collect(A, False), Connect(A, B))
    studio.speak(port, ALICE, 2, payload_type=101, payload=EVENT_END, timestamp=6000)
    studio.talk(port, ALICE, 3, 2)
    studio.speak(port, ALICE, 5, payload_type=101, payload=EVENT_END, timestamp=6000)
    studio.talk(port, ALICE, 6, 1)
    studio.speak(port, ALICE, 7, payload_type=101, payload=EVENT_END, timestamp=9000)
    heard = [(packet.sequence, packet.payload_type) for packet in studio.to(BOB)]
    assert heard == [(3, 0), (4, 0), (5, 0), (6, 101)]
    assert studio.reports() == []


def test_dtmf_before_audio_of_a_new_source_upsets_nothing() -> None:
    studio = Studio()
    port = studio.open(A, ALICE, dtmf_receive=101)
    studio.open(B, BOB, dtmf_send=101)
    studio.tell(Connect(A, B))
    studio.talk(port, ALICE, 1, 3, ssrc=7)
    studio.speak(port, ALICE, 100, ssrc=8, payload_type=101, payload=EVENT_END)
    studio.talk(port, ALICE, 101, 2, ssrc=8)
    packets = studio.to(BOB)
    assert [packet.sequence for packet in packets] == [1, 2, 3, 4, 5, 6]
    assert {packet.ssrc for packet in packets} == {7}


def test_peer_on_hold_is_not_sent_to() -> None:
    studio, port_a, _ = bridged()
    studio.talk(port_a, ALICE, 1, 2)
    studio.open(B, BOB, receives=False)
    studio.talk(port_a, ALICE, 3, 5)
    studio.open(B, BOB)
    studio.talk(port_a, ALICE, 8, 2)
    packets = studio.to(BOB)
    assert [packet.sequence for packet in packets] == [1, 2, 3, 4]
    assert [packet.marker for packet in packets] == [0, 0, 1, 0]


def test_disconnected_streams_hear_nothing() -> None:
    studio, port_a, port_b = bridged()
    studio.tell(Disconnect(B))
    studio.talk(port_a, ALICE, 1, 2)
    studio.talk(port_b, BOB, 1, 2)
    assert studio.take() == []


def test_closed_stream_is_forgotten_and_its_port_is_deaf() -> None:
    studio, port_a, port_b = bridged()
    studio.talk(port_a, ALICE, 1, 2)
    assert statistics(studio, A).statistics.packets_received == 2
    studio.take()
    studio.talk(port_a, ALICE, 3, 2)
    studio.talk(port_b, BOB, 1, 2)
    assert studio.take() == []
    studio.open(A, MALLORY)
    assert statistics(studio, A).statistics.packets_received == 0


def test_reports_are_answered_about_what_was_heard() -> None:
    """RFC 3550 6.4: SR and RR with the peer's LSR, on the RTCP port or (RFC 5761) on the RTP port."""
    studio, port_a, port_b = bridged()
    for sequence in (1, 2, 4):
        studio.speak(port_a, ALICE, sequence, ssrc=7)
    studio.talk(port_b, BOB, 1, 3, ssrc=9)
    studio.left.clear()
    report = pack(">BBHIIIIII", 0x80, 200, 6, 7, 0x11223344, 0x55667788, 640, 3, 480)
    from_rtcp = (ALICE[0], ALICE[1] + 1)
    studio.raw(port_a + 1, report, from_rtcp)
    studio.now += 0.5
    studio.raw(port_a + 1, report, from_rtcp)  # too soon for another answer
    ((port, data, target),) = studio.left
    assert (port, target) == (port_a + 1, from_rtcp)
    assert data[:2] == b"\x81\xc8"
    assert unpack_from(">I", data, 4) == (9,)  # who Alice hears
    assert unpack_from(">II", data, 20) == (3, 3 * 160)  # 6.4.1: payload alone
    source, losses, highest, _, middle, since = unpack_from(">IIIIII", data, 28)
    assert (source, losses, highest, middle, since) == (7, 64 << 24 | 1, 4, 0x33445566, 0)
    studio.now += 1.0
    studio.raw(port_a, report, ALICE)
    assert studio.left[-1][0] == port_a
    studio.raw(port_a + 1, report, MALLORY)
    studio.raw(port_a + 1, b"\x80\xc8\x00\xff", from_rtcp)
    closed = statistics(studio, A).statistics
    assert (closed.foreign, closed.malformed) == (1, 1)


def test_reports_say_the_loss_since_the_last_and_how_long_ago_the_peer_reported() -> None:
    """RFC 3550 6.4.1: LSR and DLSR of the last SR, though an RR came since; a fraction per interval."""
    studio, port_a, _ = bridged()
    for sequence in (1, 2, 4):
        studio.speak(port_a, ALICE, sequence, ssrc=7)
    from_rtcp = (ALICE[0], ALICE[1] + 1)
    receiver = pack(">BBHI", 0x80, 201, 1, 7)
    studio.raw(port_a + 1, receiver, from_rtcp)
    data = studio.left[-1][1]
    assert data[:2] == b"\x81\xc9"  # nothing was sent to Alice: a receiver report
    assert unpack_from(">IIIIII", data, 8)[4:] == (0, 0)  # she has sent no SR yet
    studio.now += 1.0
    sender = pack(">BBHIIIIII", 0x80, 200, 6, 7, 0x11223344, 0x55667788, 640, 3, 480)
    studio.raw(port_a + 1, sender, from_rtcp)
    for sequence in (5, 6, 7, 9):
        studio.speak(port_a, ALICE, sequence, ssrc=7)
    studio.now += 1.5
    studio.raw(port_a + 1, receiver, from_rtcp)
    _, losses, highest, _, middle, since = unpack_from(">IIIIII", studio.left[-1][1], 8)
    assert (losses, highest) == (256 // 5 << 24 | 2, 9)  # one of five since; two in all
    assert (middle, since) == (0x33445566, round(1.5 * 65_536))


def test_streams_of_two_workers_hear_each_other() -> None:
    """Each worker sends what its peer said to the other's port; the other makes it fit its own peer."""
    here, there = Studio(), Studio()
    host = "192.0.2.200"
    port_a = here.open(A, ALICE, "PCMU")
    port_b = there.open(B, BOB, "PCMA", local_port=20_002)
    here.tell(ConnectAcross(A, host, port_b, "PCMA", 8, -1))
    there.tell(ConnectAcross(B, host, port_a, "PCMU", 0, -1))
    for sequence in range(3):
        here.speak(port_a, ALICE, sequence)
        (hop,) = here.take()
        assert (hop.target, hop.payload_type) == ((host, port_b), 0)
        there.raw(port_b, here.left[-1][1], (host, port_a))
        (packet,) = there.take()
        assert (packet.target, packet.payload_type, packet.sequence) == (BOB, 8, sequence)
        assert packet.payload == AUDIO.translate(ULAW_TO_ALAW)
    assert statistics(there, B).statistics.packets_sent == 3


def test_closing_one_side_leaves_the_other_alone() -> None:
    studio, port_a, port_b = bridged()
    studio.talk(port_a, ALICE, 1, 2)
    statistics(studio, A)
    left = studio.host.streams[B]
    assert (left.peer, left.onward, left.feeder) == (None, None, None)
    studio.talk(port_b, BOB, 1, 2)
    assert statistics(studio, B).statistics.packets_received == 2


def locked_pair() -> tuple[Studio, int, int]:
    """Return two bridged streams whose phones have talked for 3 s."""
    studio, port_a, port_b = bridged()
    converse(studio, port_a, port_b, 150)
    return studio, port_a, port_b


def converse(studio: Studio, port_a: int, port_b: int, count: int, first: int = 0) -> None:
    """Let both phones talk and the host's time go on; what left before is forgotten."""
    studio.take()
    for index in range(first, first + count):
        studio.speak(port_a, ALICE, index, ssrc=7)
        studio.speak(port_b, BOB, index, ssrc=9)
        studio.run(0.02)


def test_streams_that_have_settled_are_locked_and_count_as_before() -> None:
    studio, port_a, port_b = locked_pair()
    assert studio.locked == {port_a: ALICE, port_b: BOB}
    converse(studio, port_a, port_b, 50, first=150)
    packets = studio.take()
    assert [packet.sequence for packet in packets if packet.target == BOB] == list(range(150, 200))
    assert [packet.sequence for packet in packets if packet.target == ALICE] == list(range(150, 200))
    for stream in (A, B):
        counted = statistics(studio, stream).statistics
        assert (counted.packets_received, counted.bytes_received, counted.lost) == (200, 200 * 172, 0)
        assert (counted.packets_sent, counted.bytes_sent) == (200, 200 * 172)
    assert studio.locked == {}


def test_strangers_of_a_locked_stream_are_foreign_and_get_nothing() -> None:
    """RTP bleed: whatever they send, in whichever order with the peer's packets."""
    studio, port_a, port_b = locked_pair()
    studio.take()
    for index in range(150, 200):
        studio.speak(port_a, MALLORY, index, ssrc=7)
        studio.speak(port_a, ALICE, index, ssrc=7)
        studio.speak(port_b, MALLORY, index, ssrc=66)
        studio.run(0.02)
    packets = studio.take()
    assert {packet.target for packet in packets} == {BOB}
    assert [packet.sequence for packet in packets] == list(range(150, 200))
    assert studio.locked == {port_a: ALICE, port_b: BOB}
    assert statistics(studio, A).statistics.foreign == 50
    assert statistics(studio, B).statistics.foreign == 50


def test_a_locked_phone_that_moves_is_unlocked_and_heard_from_where_it_is() -> None:
    studio, port_a, port_b = locked_pair()
    moved = ("198.51.100.77", 50_000)
    studio.run(0.5)
    studio.take()
    for index in range(150, 160):
        studio.speak(port_a, moved, index, ssrc=7)
        studio.speak(port_b, BOB, index, ssrc=9)
        studio.run(0.02)
    packets = studio.take()
    assert [packet.sequence for packet in packets if packet.target == BOB] == list(range(154, 160))
    assert {packet.target for packet in packets} == {ALICE, BOB, moved}
    assert studio.locked == {port_b: BOB}
    studio.run(2.0)
    for index in range(160, 260):
        studio.speak(port_a, moved, index, ssrc=7)
        studio.run(0.02)
    assert studio.locked[port_a] == moved


def test_new_address_in_sdp_unlocks_and_a_hold_does_not() -> None:
    studio, port_a, port_b = locked_pair()
    studio.open(A, ALICE, receives=False)
    studio.take()
    studio.speak(port_b, BOB, 150, ssrc=9)
    assert (studio.take(), studio.locked[port_a]) == ([], ALICE)
    studio.open(A, ALICE)
    studio.speak(port_b, BOB, 151, ssrc=9)
    assert [packet.target for packet in studio.take()] == [ALICE]
    elsewhere = (ALICE[0], 4_444)
    studio.open(A, elsewhere)
    assert studio.locked == {port_b: BOB}
    studio.speak(port_b, BOB, 152, ssrc=9)
    assert [packet.target for packet in studio.take()] == [elsewhere]


def test_who_listens_elsewhere_than_he_sends_from_is_not_locked() -> None:
    """A public host of SDP that stays silent is still the only one that is sent to."""
    studio = Studio()
    port = studio.open(A, ("198.51.100.1", 4000))
    for index in range(200):
        studio.speak(port, ALICE, index)
        studio.run(0.02)
    assert studio.host.streams[A].source == ALICE
    assert studio.locked == {}


def test_short_calls_and_silent_ones_are_not_locked_nor_those_without_sockets() -> None:
    studio, port_a, port_b = bridged()
    converse(studio, port_a, port_b, 60)
    assert studio.locked == {}
    studio.run(5.0)
    assert studio.locked == {}
    studio.lockable = False
    converse(studio, port_a, port_b, 100, first=60)
    studio.lockable = True
    converse(studio, port_a, port_b, 2_900, first=160)
    assert studio.locked == {}  # it is tried again a minute later
    converse(studio, port_a, port_b, 150, first=3_060)
    assert len(studio.locked) == 2


def test_packets_that_come_together_leave_in_order_and_whole() -> None:
    """One look at the sockets: the short way first in, first out, and before what goes the long way."""
    studio, port_a, port_b = bridged()
    studio.talk(port_a, ALICE, 1, 4)
    studio.talk(port_b, BOB, 1, 4, ssrc=9)
    studio.take()
    lane_a, lane_b = studio.lanes[port_a], studio.lanes[port_b]
    arriving = [(lane_a, 7, number, b"a" * 160) for number in range(5, 75)]
    arriving[40:40] = [(lane_b, 9, number, b"b" * 160) for number in range(5, 10)]
    arriving[20] = (lane_a, 7, 26, b"c" * 100)  # the long way: 25 is missing, and it is shorter
    ready = {}
    for descriptor, (lane, ssrc, number, payload) in enumerate(arriving):
        data = HEADER.pack(0x80, 0, number, number * 160, ssrc) + payload

        def receive(buffer: bytearray, data: bytes = data) -> int:
            buffer[: len(data)] = data
            return len(data)

        ready[descriptor] = (receive, lane)
    serve([(descriptor, 1) for descriptor in ready], ready, studio.host.desk, studio.now)
    sent = studio.take()
    expected = [(number, payload) for lane, _, number, payload in arriving if lane is lane_a]
    assert [(it.sequence, it.payload) for it in sent if it.target == BOB] == expected
    assert [(it.sequence, it.payload) for it in sent if it.target == ALICE] == [
        (number, b"b" * 160) for number in range(5, 10)
    ]
