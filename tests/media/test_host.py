import itertools
from math import inf

import pytest

from kernel.ids import StreamId
from media.codecs.g711 import ULAW_TO_ALAW
from media.host import SLOTS
from media.messages import (
    AddPrompt,
    BindPorts,
    Close,
    Closed,
    Configure,
    Connect,
    Disconnect,
    OpenFailed,
    Play,
    Played,
    PortsBound,
    Quit,
    SendDigits,
    SetRemote,
    Stop,
    TimedOut,
)
from tests.media.wires import ALICE, BOB, Packet, Studio

A, B = StreamId(1), StreamId(2)
HELLO = bytes((1,)) * 160 + bytes((2,)) * 160
MUSIC = bytes((10,)) * 160 + bytes((11,)) * 160 + bytes((12,)) * 160


def studio_with_sounds() -> Studio:
    studio = Studio()
    studio.tell(AddPrompt("hello", HELLO), AddPrompt("music", MUSIC))
    return studio


def colours(packets: list[Packet]) -> list[int]:
    return [packet.payload[0] for packet in packets]


def test_prompt_is_followed_by_music_for_ever() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.tell(Play(A, ("hello", "music"), True))
    studio.run(0.19)
    packets = studio.take()
    assert colours(packets) == [1, 2, 10, 11, 12, 10, 11, 12, 10, 11]
    assert studio.reports() == [Played(A, "hello")]


def test_music_is_one_rtp_stream_20_ms_apart() -> None:
    """RFC 3550 5.1, RFC 3551 4.1: seq + 1, timestamp + 160, one SSRC, the marker on the first packet."""
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.tell(Play(A, ("music",), True))
    studio.run(2.0)
    packets = studio.take()
    assert len(packets) == 101
    first = packets[0]
    for index, packet in enumerate(packets):
        assert packet.at == pytest.approx(100.0 + 0.02 * index)
        assert packet.sequence == (first.sequence + index) & 0xFFFF
        assert packet.timestamp == (first.timestamp + 160 * index) & 0xFFFFFFFF
        assert packet.marker == (index == 0)
        assert (packet.ssrc, packet.payload_type, packet.target) == (first.ssrc, 0, ALICE)


def test_music_is_played_in_the_law_of_the_peer() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE, "PCMA")
    studio.tell(Play(A, ("hello",), False))
    studio.run(0.05)
    packets = studio.take()
    assert [packet.payload for packet in packets] == [
        HELLO[:160].translate(ULAW_TO_ALAW),
        HELLO[160:].translate(ULAW_TO_ALAW),
    ]
    assert {packet.payload_type for packet in packets} == {8}


def test_connect_stops_the_prompt_mid_word_and_the_peer_hears_one_stream() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.open(B, BOB)
    studio.tell(Play(A, ("hello", "music"), True))
    studio.run(0.01)
    studio.tell(Connect(A, B))
    studio.run(0.05)
    studio.talk(20_002, BOB, 900, 3, ssrc=9)
    packets = studio.to(ALICE)
    assert colours(packets)[0] == 1
    assert len(packets) == 4
    first, *rest = packets
    assert [packet.sequence - first.sequence for packet in rest] == [1, 2, 3]
    assert [packet.marker for packet in rest] == [1, 0, 0]
    assert {packet.ssrc for packet in packets} == {first.ssrc}
    # 60 ms after the only frame of the prompt.
    assert [packet.timestamp - first.timestamp for packet in rest] == [480, 640, 800]


def test_silence_is_always_there_to_be_played() -> None:
    """A muted side goes on getting packets, of silence, while the other is heard."""
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.open(B, BOB)
    studio.tell(Connect(A, B))
    studio.talk(20_002, BOB, 100, 2, ssrc=9)
    studio.tell(Play(A, ("builtin:silence",), True))
    studio.run(0.1)
    silent = studio.to(ALICE)[2:]
    assert len(silent) >= 4
    assert {packet.payload for packet in silent} == {b"\xff" * 160}


def test_music_during_a_bridge_silences_the_peer_until_it_stops() -> None:
    """Music on hold goes on where the other leg stopped, and the other way round."""
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.open(B, BOB)
    studio.tell(Connect(A, B))
    studio.talk(20_002, BOB, 100, 5, ssrc=9)
    studio.tell(Play(A, ("music",), True))
    studio.speak(20_002, BOB, 105, ssrc=9)
    studio.run(0.03)
    studio.speak(20_002, BOB, 106, ssrc=9)
    studio.tell(Stop(A))
    studio.run(0.02)
    studio.talk(20_002, BOB, 107, 2, ssrc=9)
    packets = studio.to(ALICE)
    assert [packet.sequence for packet in packets] == list(range(100, 109))
    assert {packet.ssrc for packet in packets} == {9}
    assert [packet.marker for packet in packets] == [0, 0, 0, 0, 0, 1, 0, 1, 0]
    stamps = [packet.timestamp for packet in packets]
    assert stamps == sorted(stamps)
    assert stamps[5] - stamps[4] == 160


def test_music_after_a_bridge_is_the_same_stream() -> None:
    """A caller that goes back to the queue."""
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.open(B, BOB)
    studio.tell(Connect(A, B))
    studio.talk(20_002, BOB, 100, 5, ssrc=9)
    studio.tell(Disconnect(A), Close(B), Play(A, ("music",), True))
    studio.run(0.05)
    assert [packet.sequence for packet in studio.to(ALICE)] == list(range(100, 108))


def test_codec_of_a_re_invite_is_played_from_the_next_frame() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE, "PCMU")
    studio.tell(Play(A, ("music",), True))
    studio.run(0.025)
    studio.open(A, ALICE, "PCMA")
    studio.run(0.02)
    assert [(p.payload_type, p.payload[0]) for p in studio.take()] == [
        *((0, 10), (0, 11), (8, MUSIC[320:].translate(ULAW_TO_ALAW)[0])),
    ]


def test_nothing_is_played_to_a_peer_that_does_not_listen() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE, receives=False)
    studio.tell(Play(A, ("music",), True))
    studio.run(0.1)
    assert studio.take() == []
    studio.open(A, ALICE)
    studio.run(0.04)
    assert len(studio.take()) == 2


def test_host_that_stood_still_skips_what_it_missed() -> None:
    """No burst after a pause: the time stamp jumps, the sequence does not."""
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.tell(Play(A, ("music",), True))
    studio.run(0.05)
    before = studio.take()[-1]
    studio.now += 10.0
    studio.host.tick(studio.now)
    studio.run(0.02)
    packets = studio.take()
    assert len(packets) == 2
    assert packets[0].sequence == (before.sequence + 1) & 0xFFFF
    assert 10.0 * 8000 - 320 <= packets[0].timestamp - before.timestamp <= 10.1 * 8000
    assert packets[1].timestamp - packets[0].timestamp == 160


def test_host_that_was_a_little_late_catches_up() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.tell(Play(A, ("music",), True))
    studio.run(0.01)
    studio.now += 0.06
    studio.run(0.02)
    assert len(studio.take()) == 5


def test_players_are_spread_over_slots_and_none_is_lost() -> None:
    """So that many waiting callers do not delay everybody's packets by one long burst."""
    studio = Studio(ports=(20_000, 20_598))
    studio.tell(AddPrompt("music", MUSIC))
    for number in range(1, 251):
        studio.open(number, ("192.0.2.9", 2000 + 2 * number))
        studio.tell(Play(StreamId(number), ("music",), True))
        studio.now += 0.0007
        studio.run(0.0)
    studio.take()
    studio.run(1.0)
    packets = studio.take()
    assert 250 * 49 <= len(packets) <= 250 * 51
    bursts = [sum(packet.at == at for packet in packets) for at in dict.fromkeys(p.at for p in packets)]
    assert max(bursts) <= 250 // SLOTS + 1
    for number in range(1, 251):
        studio.tell(Close(StreamId(number)))
    assert studio.host.next_tick() == inf


def test_what_is_played_once_ends_and_is_told() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.tell(Play(A, ("hello", "unknown", "hello"), False, 7))
    studio.run(0.2)
    assert colours(studio.take()) == [1, 2, 1, 2]
    assert studio.reports() == [Played(A, "hello", 7), Played(A, "hello", 7)]
    assert studio.tell(Play(A, ("unknown",), True)) == []
    assert studio.tell(AddPrompt("broken", b"RIFF\0\0\0\0WAVE"), Play(A, ("broken",), True)) == []
    studio.run(0.1)
    assert studio.take() == []


def test_silence_is_reported_once_and_only_where_audio_is_expected() -> None:
    studio = Studio()
    studio.tell(Configure(5.0))
    studio.open(A, ALICE)
    studio.open(B, BOB, sends=False)
    studio.run(4.5)
    assert studio.reports() == []
    studio.run(1.5)
    assert studio.reports() == [TimedOut(A)]
    studio.run(20.0)
    assert studio.reports() == []
    studio.speak(20_000, ALICE, 1)
    studio.run(10.0)
    assert studio.reports() == [TimedOut(A)]
    studio.open(B, BOB, sends=True)
    studio.run(4.0)
    assert studio.reports() == []
    studio.run(2.5)
    assert studio.reports() == [TimedOut(B)]


def test_silence_is_counted_anew_from_the_answer() -> None:
    """Whose silence was told while it waited is told again when it is silent in the talk."""
    studio = Studio()
    studio.tell(Configure(5.0))
    studio.open(A, ALICE)
    studio.run(10.0)
    assert studio.reports() == [TimedOut(A)]
    studio.open(B, BOB)
    studio.tell(Connect(A, B))
    studio.run(4.0)
    assert studio.reports() == []
    studio.run(2.5)
    assert studio.reports() == [TimedOut(A), TimedOut(B)]


def test_no_timeout_when_it_is_off() -> None:
    studio = Studio()
    studio.tell(Configure(0.0))
    studio.open(A, ALICE)
    studio.run(600.0)
    assert studio.reports() == []


def test_ports_are_bound_when_asked_past_those_of_others() -> None:
    studio = Studio(ports=(20_000, 20_010), taken=(20_002, 20_009))
    assert studio.tell(BindPorts(2)) == []
    assert not studio.host.bind_some()
    assert studio.reports() == [PortsBound((20_000, 20_004), False)]
    studio.tell(BindPorts(64))
    assert studio.host.bind_some(1)
    assert not studio.host.bind_some()
    assert studio.reports() == [PortsBound((20_006,), False), PortsBound((20_010,), True)]


def test_stream_of_a_dead_worker_binds_its_port_again_or_fails() -> None:
    studio = Studio(taken=(20_010,))
    studio.open(A, ALICE, local_port=20_050)
    remote = studio.host.streams[A].remote
    assert remote is not None
    taken = SetRemote(B, 20_010, *[getattr(remote, field) for field in remote.__struct_fields__[2:]])
    assert studio.tell(taken) == [OpenFailed(B, "port_taken")]
    studio.host.ask_for_ports(64)
    while studio.host.bind_some():
        pass
    ports = [port for report in studio.reports() if isinstance(report, PortsBound) for port in report.ports]
    assert 20_050 in ports  # the plane knows that it is taken
    assert 20_010 not in ports


def test_commands_for_unknown_streams_are_dropped() -> None:
    """A command may cross the report that the stream could not be opened."""
    studio = Studio()
    assert studio.tell(Connect(A, B), Disconnect(A), Play(A, ("x",), True), Stop(A)) == []
    (closed,) = studio.tell(Close(A))
    assert isinstance(closed, Closed)
    assert closed.statistics.packets_received == 0
    studio.tell(Quit())
    assert studio.host.is_quitting


def test_many_streams_are_locked_a_few_at_a_time() -> None:
    """A worker that has just been filled must not stand still for it."""
    studio = Studio(ports=(20_000, 20_198))
    ports = [studio.open(stream, ("192.0.2.9", 4000 + stream)) for stream in range(1, 71)]
    counts = []
    for index in range(150):
        for stream, port in enumerate(ports, 1):
            studio.speak(port, ("192.0.2.9", 4000 + stream), index)
        studio.run(0.02)
        counts.append(len(studio.locked))
    steps = [after - before for before, after in itertools.pairwise(counts) if after > before]
    assert steps == [32, 32, 6]


def test_music_goes_on_where_an_announcement_has_interrupted_it() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.tell(Play(A, ("music",), True))
    studio.run(0.03)
    assert colours(studio.take()) == [10, 11]
    studio.tell(Play(A, ("hello", "music"), True))
    studio.run(0.1)
    assert colours(studio.take()) == [1, 2, 12, 10, 11, 12]


def keyed_bridge() -> Studio:
    """Alice, who knows telephone events as 101, hears Bob."""
    studio = studio_with_sounds()
    studio.open(A, ALICE, dtmf_send=101)
    studio.open(B, BOB)
    studio.tell(Connect(A, B))
    studio.talk(20_002, BOB, 100, 3, ssrc=9)
    return studio


def test_digits_are_events_in_the_stream_that_the_peer_hears() -> None:
    """RFC 4733 2.5.1: the marker first, the timestamp of the begin, one sequence, three ends."""
    studio = keyed_bridge()
    studio.tell(SendDigits(A, "5", 60, 80))
    studio.run(0.2)
    studio.talk(20_002, BOB, 103, 2, ssrc=9)
    before, events, after = (packets := studio.to(ALICE))[:3], packets[3:8], packets[8:]
    assert [packet.sequence for packet in packets] == list(range(100, 110))
    assert {packet.ssrc for packet in packets} == {9}
    assert [packet.payload_type for packet in packets] == [0] * 3 + [101] * 5 + [0] * 2
    assert [packet.marker for packet in packets] == [0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    assert {packet.timestamp for packet in events} == {before[-1].timestamp + 160}
    assert [packet.payload.hex() for packet in events] == [
        "050a00a0",
        "050a0140",
        "058a01e0",
        "058a01e0",
        "058a01e0",
    ]
    assert [round(packet.at - events[0].at, 6) for packet in events] == [0.0, 0.02, 0.04, 0.06, 0.08]
    assert after[0].timestamp - before[-1].timestamp == pytest.approx(160 + 0.2 * 8000, abs=1)


def test_the_peer_hears_nobody_while_digits_are_sent_and_everybody_else_does() -> None:
    studio = keyed_bridge()
    studio.take()
    studio.tell(SendDigits(A, "12", 100, 80))
    for index in range(5):
        studio.speak(20_002, BOB, 103 + index, ssrc=9)
        studio.speak(20_000, ALICE, 500 + index, ssrc=5)
        studio.run(0.02)
    packets = studio.take()
    assert {packet.payload_type for packet in packets if packet.target == ALICE} == {101}
    assert [packet.sequence for packet in packets if packet.target == BOB] == list(range(500, 505))


def test_music_waits_for_digits_and_goes_on_in_the_same_stream() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE, dtmf_send=101)
    studio.tell(Play(A, ("music",), True))
    studio.run(0.05)
    studio.tell(SendDigits(A, "1", 40, 60))
    studio.run(0.2)
    packets = studio.take()
    first = packets[0]
    kinds = [packet.payload_type for packet in packets]
    assert kinds == [0] * 3 + [101] * 4 + [0] * (len(packets) - 7)
    assert len(packets) > 10
    sequence = [packet.sequence - first.sequence for packet in packets]
    assert sequence == list(range(len(packets)))
    audio = [packet.timestamp for packet in packets if packet.payload_type == 0]
    assert audio == sorted(audio)


def test_digits_go_to_nobody_who_has_not_agreed_to_them_or_is_gone() -> None:
    studio = studio_with_sounds()
    studio.open(A, ALICE)
    studio.tell(SendDigits(A, "1", 40, 60), SendDigits(B, "1", 40, 60))
    studio.run(0.5)
    assert studio.take() == []
    assert studio.host.next_tick() > studio.now + 0.1  # nothing is left of them
    studio.open(B, BOB, dtmf_send=96)
    studio.tell(SendDigits(B, "123", 100, 80))
    studio.run(0.03)
    studio.tell(Close(B))
    studio.take()
    studio.run(0.5)
    assert studio.take() == []
