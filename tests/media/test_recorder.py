"""Recordings in virtual time, to the sample."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import RecordingId, StreamId
from media.codecs.g711 import ULAW_TO_ALAW, ulaw_to_linear
from media.events import NOTHING, Written
from media.latch import Address
from media.messages import (
    Close,
    Command,
    Connect,
    ConnectAcross,
    EndRecording,
    FarSource,
    Mix,
    PauseRecording,
    PointRecording,
    Record,
    Recorded,
    RecordingLost,
    RightSide,
)
from media.prompts import read_audio
from media.recorder import FLUSH_EVERY, look_at, wav_header
from tests.media.wires import ALICE, BOB, Studio, wav_channels

A, B, C = StreamId(1), StreamId(2), StreamId(3)
CAROL: Address = ("192.0.2.3", 4004)
R = RecordingId("r1")
SILENCE = b"\xff"
ONE, TWO, THREE = b"\x11" * 160, b"\x22" * 160, b"\x33" * 160
NOBODY = RightSide((), "127.0.0.1", ())


def right(*streams: StreamId) -> RightSide:
    return RightSide(streams, "127.0.0.1", ())


def record(side: RightSide | None = NOBODY, limit: float = 3600.0) -> Record:
    return Record(R, "/recordings", A, side, limit)


def bridged(*commands: Command, codec: str = "PCMU") -> Studio:
    studio = Studio()
    studio.open(A, ALICE, codec)
    studio.open(B, BOB)
    studio.open(C, CAROL)
    studio.tell(Connect(A, B), *commands)
    return studio


@dataclass
class Talker:
    """Sends frames of one byte, by a clock that runs on while it says nothing."""

    studio: Studio
    stream: StreamId
    payload: bytes
    source: Address = ALICE
    payload_type: int = 0
    sequence: int = 65_530
    clock: int = 2**32 - 800_000 - 400  # its timestamp wraps 50 ms after the studio's 100 s

    @property
    def timestamp(self) -> int:
        return self.clock + round(self.studio.now * 8000)

    def say(self, frames: int = 1, *, lost: bool = False) -> None:
        for _ in range(frames):
            if not lost:
                self.studio.speak(
                    20_000 + 2 * (self.stream - 1),
                    self.source,
                    self.sequence,
                    ssrc=self.stream,
                    payload_type=self.payload_type,
                    payload=self.payload,
                    timestamp=self.timestamp,
                )
            self.sequence += 1
            self.studio.run(0.02)


def alice(studio: Studio) -> Talker:
    return Talker(studio, A, ONE)


def bob(studio: Studio) -> Talker:
    return Talker(studio, B, TWO, BOB)


def audio(studio: Studio) -> tuple[bytes, ...]:
    return wav_channels(bytes(studio.shelf.tapes[R].audio))


def frames(channel: bytes) -> str:
    """Return a letter per 20 ms: what was said, ``.`` silence, ``?`` a mixture."""
    assert len(channel) % 160 == 0
    kinds = {ONE: "1", TWO: "2", THREE: "3", SILENCE * 160: "."}
    return "".join(kinds.get(channel[at : at + 160], "?") for at in range(0, len(channel), 160))


def test_left_is_who_is_recorded_and_right_who_answers_to_the_sample() -> None:
    studio = bridged(record(right(B)))
    one, two = alice(studio), bob(studio)
    one.say(3)
    two.say(2)
    one.say(1)
    assert studio.tell(EndRecording(R)) == [Recorded(R, 0.12, 58 + 2 * 960, "asked")]
    left, other = audio(studio)
    assert frames(left) == "111..1"
    assert frames(other) == "...22."


def test_one_channel_is_a_file_that_can_be_played() -> None:
    """A message of a mailbox: what we have recorded we can play."""
    studio = bridged(record(None))
    alice(studio).say(5)
    studio.tell(EndRecording(R))
    assert read_audio("message", bytes(studio.shelf.tapes[R].audio)) == ONE * 5


def test_an_odd_number_of_bytes_is_padded_behind_what_the_header_says() -> None:
    """RIFF: chunks have an even length."""
    studio = bridged(record(None))
    studio.run(0.000_625)
    studio.tell(EndRecording(R))
    file = bytes(studio.shelf.tapes[R].audio)
    assert wav_channels(file) == (SILENCE * 5,)
    assert len(file) == 58 + 6


def test_a_law_is_written_as_u_law() -> None:
    studio = bridged(record(), codec="PCMA")
    Talker(studio, A, ONE.translate(ULAW_TO_ALAW), payload_type=8).say(2)
    studio.tell(EndRecording(R))
    assert [ulaw_to_linear(one) for one in audio(studio)[0]] == pytest.approx(
        [ulaw_to_linear(0x11)] * 320, rel=0.05
    )


def test_what_is_lost_is_silence_and_what_follows_keeps_its_place() -> None:
    studio = bridged(record())
    one = alice(studio)
    one.say(2)
    one.say(3, lost=True)
    one.say(2)
    studio.tell(EndRecording(R))
    assert frames(audio(studio)[0]) == "11...11"


def test_late_and_doubled_packets_are_put_in_their_place() -> None:
    studio = bridged(record())
    for sequence in (100, 102, 101, 101, 103):
        studio.speak(20_000, ALICE, sequence, payload=bytes((sequence,)) * 160)
        studio.run(0.02)
    studio.run(0.1)
    studio.tell(EndRecording(R))
    told = audio(studio)[0]
    assert [told[at] for at in range(0, 640, 160)] == [100, 101, 102, 103]
    assert set(told[640:]) == {0xFF}


def test_who_is_too_late_is_not_written_anew() -> None:
    studio = bridged(record())
    one = alice(studio)
    one.say(1)
    late, stamp = one.sequence, one.timestamp
    one.say(1, lost=True)
    one.say(60)  # more than a write and what may come late
    assert studio.shelf.tapes[R].writes > 1
    studio.speak(20_000, ALICE, late, ssrc=A, payload=THREE, timestamp=stamp)
    one.say(1)
    studio.tell(EndRecording(R))
    assert frames(audio(studio)[0]) == "1." + 61 * "1"


def test_a_new_clock_goes_on_where_the_call_is() -> None:
    """A phone after its hold, or a jump of its timestamps: placed by arrival."""
    studio = bridged(record())
    one = alice(studio)
    one.say(2)
    one.clock += 900_000
    one.say(2)
    one.clock -= 500_000
    one.say(2)
    other = Talker(studio, A, THREE, sequence=9, clock=77)
    studio.run(0.04)
    other.say(1)
    studio.tell(EndRecording(R))
    assert frames(audio(studio)[0]) == "111111..3"


def test_a_clock_that_drifts_stays_within_half_a_second() -> None:
    """1 % off, far more than any: after two minutes the difference would be 1.2 s."""
    studio = bridged(record(None))
    one = alice(studio)
    for _ in range(6_000):
        one.say()
        one.clock += 2
    studio.run(1.0)
    studio.tell(EndRecording(R))
    told = audio(studio)[0]
    assert len(told) == round(121.0 * 8000)
    assert abs(len(told.rstrip(SILENCE)) - 120.0 * 8000) <= 0.45 * 8000


def test_while_paused_there_is_silence_and_time_goes_on() -> None:
    studio = bridged(record(right(B)))
    one, two = alice(studio), bob(studio)
    one.say(2)
    studio.tell(PauseRecording(R, True))
    one.say(2)
    two.say(1)
    studio.tell(PauseRecording(R, False))
    one.say(1)
    two.say(1)
    studio.tell(EndRecording(R))
    left, other = audio(studio)
    assert frames(left) == "11...1."
    assert frames(other) == "......2"


def test_a_transfer_goes_on_in_the_same_file() -> None:
    studio = bridged(record(right(B)))
    one, two, three = alice(studio), bob(studio), Talker(studio, C, THREE, CAROL)
    two.say(2)
    studio.tell(PointRecording(R, right(C)), Connect(A, C))
    two.say(1)
    three.say(2)
    studio.tell(Close(B))
    one.say(1)
    three.say(1)
    studio.tell(EndRecording(R))
    left, other = audio(studio)
    assert frames(left) == ".....1."
    assert frames(other) == "22.33.3"


def test_several_on_the_right_are_added_up() -> None:
    studio = bridged(record(right(B, C)))
    two, three = bob(studio), Talker(studio, C, THREE, CAROL)
    two.say(1)
    three.say(1)
    studio.speak(20_004, CAROL, three.sequence, ssrc=C, payload=THREE, timestamp=three.timestamp)
    two.say(1)
    studio.tell(EndRecording(R))
    other = audio(studio)[1]
    assert frames(other) == "23?"
    total = ulaw_to_linear(0x22) + ulaw_to_linear(0x33)
    assert [ulaw_to_linear(one) for one in other[320:]] == pytest.approx([total] * 160, rel=0.05)


def test_the_relay_goes_on_as_before_and_takes_the_short_way_again_afterwards() -> None:
    studio = bridged(record(right(B)))
    one, two = alice(studio), bob(studio)
    two.say(1)
    for _ in range(3):
        one.say(1)
        two.say(1)
    studio.tell(EndRecording(R))
    assert [packet.payload for packet in studio.to(BOB)] == [ONE] * 3
    two.say(3)
    lane = studio.lanes[20_002]
    assert lane.taps == ()
    assert lane.head >= 0, "the next packet takes the short way"


def test_a_recording_is_written_every_second_and_holds_no_more() -> None:
    studio = bridged(record(right(B)))
    one = alice(studio)
    for _ in range(10):
        one.say(50)
        held = studio.host.recorder.recordings[R].left.audio
        assert len(held) <= (FLUSH_EVERY + 0.3) * 8000
        wav_channels(bytes(studio.shelf.tapes[R].audio))  # as if the process died here
    studio.run(0.01)
    assert studio.shelf.tapes[R].writes == 11
    assert len(audio(studio)[0]) == round(9.8 * 8000)


def test_the_limit_is_exact() -> None:
    studio = bridged(record(None, limit=1.5))
    one = alice(studio)
    one.say(101)
    assert studio.reports() == [Recorded(R, 1.5, 58 + 12_000, "limit")]
    assert audio(studio) == (ONE * 75,)
    assert studio.host.recorder.recordings == {}


def test_a_message_ends_when_nobody_has_spoken_for_so_long() -> None:
    """Looked at once a second: 3 s of silence end it within 3 s and a bit more; a word begins them anew."""
    studio = bridged(Record(R, "/recordings", A, None, 3600.0, 3.0))
    talker = alice(studio)
    talker.say(25)
    studio.run(2.0)
    talker.say(25)
    studio.run(6.0)
    (report,) = studio.reports()
    assert isinstance(report, Recorded)
    assert report.cause == "silence"
    assert 3.0 + 3.0 <= report.seconds <= 3.0 + 3.0 + 1.4
    assert frames(audio(studio)[0][:8000]) == "1" * 25 + "." * 25


@pytest.mark.parametrize(("silence", "causes"), [(2.0, ["silence"]), (0.0, [])])
def test_a_hum_is_silence_and_where_nothing_is_said_of_it_silence_ends_nothing(
    silence: float, causes: list[str]
) -> None:
    studio = bridged(Record(R, "/recordings", A, None, 3600.0, silence))
    hum = bytes((0xF0, 0x70)) * 80  # +-120 of 32,767
    Talker(studio, A, hum).say(250)
    assert [each.cause for each in studio.reports() if isinstance(each, Recorded)] == causes


def test_it_ends_with_its_left_stream_and_not_with_its_right() -> None:
    studio = bridged(record(right(B)))
    studio.run(0.1)
    assert not [one for one in studio.tell(Close(B)) if isinstance(one, Recorded)]
    assert studio.tell(Close(A))[0] == Recorded(R, 0.1, 58 + 2 * 800, "closed")


def test_a_stream_that_is_not_there_is_reported_at_once() -> None:
    studio = Studio()
    assert studio.tell(record()) == [Recorded(R, 0.0, 0, "never_begun")]


def test_a_full_disk_ends_the_recording_once_and_the_next_one_has_room_again() -> None:
    studio = bridged()
    studio.shelf.full = "No space left on device"
    studio.tell(record(right(B)))
    one = alice(studio)
    one.say(60)
    assert studio.reports() == [RecordingLost(R, 0.0, 0, "No space left on device")]
    assert len(studio.to(BOB)) == 60, "the call goes on"
    studio.shelf.full = ""
    studio.tell(Record(RecordingId("r2"), "", A, NOBODY, 3600.0))
    one.say(2)
    assert studio.tell(EndRecording(RecordingId("r2"))) == [
        Recorded(RecordingId("r2"), 0.04, 58 + 640, "asked")
    ]


@pytest.mark.parametrize(("right_side", "channels"), [(right(B), 2), (None, 1)])
def test_a_disk_that_fills_up_leaves_what_was_written_and_the_report_says_how_much(
    right_side: RightSide | None, channels: int
) -> None:
    studio = bridged(Record(R, "/recordings", A, right_side, 3600.0))
    one = alice(studio)
    one.say(110)
    size = studio.shelf.tapes[R].size
    studio.shelf.tapes[R].error = "No space left on device"
    one.say(50)
    (report,) = studio.reports()
    seconds = pytest.approx((size - 58) / channels / 8_000, abs=0.001)
    assert report == RecordingLost(R, seconds, size, "No space left on device")
    assert 1.7 < report.seconds < 2.0


def test_what_a_dead_writer_has_left_is_as_long_as_its_header_says_and_no_longer_than_it_is() -> None:
    data = bytes(16_000)
    for channels, seconds in ((1, 2.0), (2, 1.0)):
        head = wav_header(channels, 16_000 // channels)
        assert look_at(head + data, 16_058) == Written(seconds, 16_058)
        assert look_at(head, 20_058) == Written(seconds, 20_058), "audio whose header was not written"
        assert look_at(head, 8_058) == Written(seconds / 2, 8_058), "a header whose audio is lost"
    head = wav_header(2, 8_000)
    for wrong in (b"", head[:57], bytes(58), head.replace(b"WAVE", b"wave"), head.replace(b"data", b"list")):
        assert look_at(wrong, 16_058) == NOTHING
    assert look_at(wav_header(1, 0), 58) == Written(0.0, 58)


def test_a_file_that_is_not_closed_at_once_is_reported_when_it_is() -> None:
    studio = bridged(record())
    tape = studio.shelf.tapes[R]
    tape.close = lambda: None  # type: ignore[method-assign]  # a disk that takes its time
    assert studio.tell(EndRecording(R)) == []
    studio.run(0.1)
    assert studio.reports() == []
    tape.is_closed = True
    studio.run(0.1)
    assert studio.reports() == [Recorded(R, 0.0, 58, "asked")]


def across() -> ConnectAcross:
    return ConnectAcross(A, "127.0.0.1", 21_000, "PCMU", 0, -1)


def test_who_lives_in_another_worker_is_heard_where_the_packets_arrive() -> None:
    """First as the peer, then in a mix (a third has joined), then as the peer again."""
    studio = Studio()
    studio.open(A, ALICE)
    far = RightSide((), "127.0.0.1", (21_000,))
    there: Address = ("127.0.0.1", 21_000)
    studio.tell(across(), record(far))
    two = Talker(studio, A, TWO, there)
    two.say(2)
    studio.tell(Mix(A, (), "127.0.0.1", (FarSource(21_000, "PCMU", 0, -1),)))
    two.say(2)
    studio.tell(Mix(A, (), "127.0.0.1", ()))
    two.say(2)
    studio.tell(across())
    two.say(1)
    studio.tell(EndRecording(R))
    assert frames(audio(studio)[1]) == "2222222"


@given(order=st.permutations(range(8)))
def test_no_order_of_arrival_makes_a_file_longer_than_its_time(order: list[int]) -> None:
    studio = bridged(record(right(B)))
    for index in order:
        studio.speak(20_000, ALICE, 100 + index, payload=ONE)
        studio.run(0.02)
    studio.tell(EndRecording(R))
    assert [len(channel) for channel in audio(studio)] == [8 * 160, 8 * 160]


def test_header_of_nothing() -> None:
    assert wav_channels(wav_header(2, 0)) == (b"", b"")
