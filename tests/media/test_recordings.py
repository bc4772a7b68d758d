from kernel.ids import RecordingId, StreamId
from media.events import RecordingEnded, RecordingFailed, WorkerLost, Written
from media.messages import (
    Close,
    Closed,
    EndRecording,
    PauseRecording,
    PointRecording,
    PortsBound,
    Record,
    Recorded,
    RecordingLost,
    RightSide,
    StreamStatistics,
)
from media.recordings import LIMIT
from tests.media.test_plane import ALICE, BOB, A, B, C, Desk

R, S = RecordingId("r"), RecordingId("s")
HOST = "192.0.2.200"


def bridge(workers: int = 1) -> Desk:
    desk = Desk(workers=workers)
    desk.bridge()
    desk.told()
    return desk


def test_a_recording_is_told_to_the_worker_of_its_left_stream() -> None:
    desk = bridge()
    desk.plane.recordings.begin(R, A, (B,), 0.0)
    desk.plane.recordings.pause(R, 1.0)
    desk.plane.recordings.pause(R, 1.0)
    desk.plane.recordings.resume(R, 2.0)
    desk.plane.recordings.point(R, (), 3.0)
    desk.plane.recordings.point(R, (), 3.0)
    desk.plane.recordings.end(R, 4.0)
    assert desk.told() == [
        Record(R, "", A, RightSide((B,), HOST, ()), LIMIT),
        PauseRecording(R, True),
        PauseRecording(R, False),
        PointRecording(R, RightSide((), HOST, ())),
        EndRecording(R),
    ]
    assert desk.plane.snapshot()["recordings"] == 1
    desk.report(Recorded(R, 4.0, 64_058, "asked"))
    assert desk.events() == [RecordingEnded(R, 4.0, 64_058, "asked")]
    assert desk.plane.snapshot()["recordings"] == 0


def test_a_mailbox_has_one_channel_and_a_limit() -> None:
    desk = bridge()
    desk.plane.recordings.begin(R, A, None, 0.0, 120.0, silence=8.0)
    assert desk.told() == [Record(R, "", A, None, 120.0, 8.0)]
    desk.report(RecordingLost(R, 7.0, 56_058, "No space left on device"))
    assert desk.events() == [RecordingFailed(R, 7.0, 56_058, "No space left on device")]


def test_what_is_over_may_be_told_anything() -> None:
    """The file may end, by its limit, just before whoever began it says something of it."""
    desk = bridge()
    recordings = desk.plane.recordings
    recordings.pause(R, 0.0)
    recordings.resume(R, 0.0)
    recordings.point(R, (B,), 0.0)
    recordings.end(R, 0.0)
    desk.report(Recorded(R, 1.0, 58, "limit"), RecordingLost(R, 1.0, 58, "?"))
    assert desk.told() == desk.events() == []


def test_a_stream_may_be_in_several_recordings() -> None:
    """Its call is recorded, and it leaves a message."""
    desk = bridge()
    desk.plane.recordings.begin(R, A, (B,), 0.0)
    desk.plane.recordings.begin(S, A, None, 0.0)
    desk.told()
    desk.plane.close(A, 1.0)
    assert desk.told() == [Close(A)]
    desk.report(Recorded(R, 1.0, 0, "closed"), Recorded(S, 1.0, 0, "closed"), Closed(StreamStatistics(A)))
    ended = [one.recording for one in desk.events() if isinstance(one, RecordingEnded)]
    assert ended == [R, S]


def test_a_stream_that_nobody_knows_yet_is_recorded_from_when_it_is() -> None:
    desk = Desk()
    desk.plane.open(A, 0.0)
    desk.plane.recordings.begin(R, A, (), 0.0)
    desk.plane.recordings.pause(R, 0.0)
    assert desk.told() == []
    assert not desk.plane.recordings.is_told(R)
    desk.plane.set_remote(A, ALICE, 1.0)
    assert desk.plane.recordings.is_told(R)
    told = desk.told()[1:]
    assert told == [Record(R, "", A, RightSide((), HOST, ()), LIMIT), PauseRecording(R, True)]


def test_a_stream_on_the_right_that_is_not_known_yet_is_told_of_when_it_is() -> None:
    desk = Desk()
    for stream in (A, B):
        desk.plane.open(stream, 0.0)
    desk.plane.set_remote(A, ALICE, 0.0)
    desk.plane.recordings.begin(R, A, (B,), 0.0)
    desk.told()
    desk.plane.set_remote(B, BOB, 1.0)
    assert desk.told()[1:] == [PointRecording(R, RightSide((B,), HOST, ()))]


def test_what_never_began_ends_all_the_same() -> None:
    desk = Desk()
    for stream in (A, B):
        desk.plane.open(stream, 0.0)
    desk.plane.recordings.begin(R, A, (B,), 0.0)
    desk.plane.recordings.begin(S, B, (A,), 0.0)
    desk.plane.recordings.end(R, 1.0)
    desk.plane.close(B, 2.0)
    ended = [one for one in desk.events() if isinstance(one, RecordingEnded)]
    assert ended == [RecordingEnded(R, 0.0, 0, "never_begun"), RecordingEnded(S, 0.0, 0, "never_begun")]


def test_streams_of_another_worker_are_named_by_their_ports() -> None:
    desk = Desk(workers=2)
    for stream, remote in ((A, ALICE), (B, BOB), (C, BOB)):
        desk.plane.open(stream, 0.0)
        desk.plane.set_remote(stream, remote, 0.0)
    desk.told()
    desk.plane.recordings.begin(R, A, (B, C), 0.0)
    assert desk.told() == [Record(R, "", A, RightSide((C,), HOST, (20_100,)), LIMIT)]
    desk.plane.close(B, 1.0)
    assert desk.told() == [PointRecording(R, RightSide((C,), HOST, ()))]


def test_a_worker_that_dies_ends_what_it_wrote_and_its_successor_begins_what_is_new() -> None:
    desk = bridge()
    desk.plane.recordings.begin(R, A, (B,), 1.0)
    desk.told()
    desk.now = 8.0
    desk.plane.worker_lost(0, 8.0)
    assert desk.events() == [WorkerLost(0, 2)]
    recordings = desk.plane.recordings
    assert recordings.looks.take() == [R], "only its file says how much was written"
    for verb in (recordings.end, recordings.pause):
        verb(R, 8.0)
    recordings.point(R, (), 8.0)
    desk.plane.recordings.begin(S, A, (B,), 8.0)
    assert desk.told() == []
    desk.start()
    assert [one for one in desk.told() if isinstance(one, Record)] == [
        Record(S, "", A, RightSide((B,), HOST, ()), LIMIT)
    ]
    desk.report(PortsBound((), True), Recorded(R, 1.0, 58, "asked"))
    assert desk.events() == []
    recordings.measured(R, Written(6.8, 108_858))
    assert desk.events() == [RecordingEnded(R, 6.8, 108_858, "worker_lost")]
    recordings.end(S, 9.0)
    assert not desk.plane.recordings.is_quiet()
    desk.report(Recorded(S, 1.0, 16_058, "asked"))
    assert desk.plane.recordings.is_quiet()


def test_no_recording_is_left_of_a_stream_that_never_opened() -> None:
    desk = Desk(is_up=False)
    stream = StreamId(9)
    desk.plane.open(stream, 0.0)
    desk.plane.recordings.begin(R, stream, (), 0.0)
    desk.wait(5.0)
    assert RecordingEnded(R, 0.0, 0, "never_begun") in desk.events()
    assert desk.plane.is_quiet()
