import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kernel.chance import Chance
from kernel.ids import StreamId
from kernel.timers import TimerQueue
from media.events import (
    DigitReceived,
    MediaEvent,
    PromptEnded,
    StreamClosed,
    StreamFailed,
    StreamReady,
    StreamStatistics,
    StreamTimedOut,
    WorkerLost,
)
from media.messages import (
    AddPrompt,
    BindPorts,
    Close,
    Closed,
    Collect,
    Command,
    Configure,
    Connect,
    ConnectAcross,
    Digit,
    Disconnect,
    FarSource,
    Feed,
    Mix,
    OpenFailed,
    Play,
    Played,
    PortsBound,
    Report,
    SendDigits,
    SetRemote,
    Stop,
    TimedOut,
    decode_commands,
    encode_reports,
)
from media.plane import OPEN_WAIT, Plane, RemoteMedia
from media.ports import REST_FOR
from media.settings import MediaSettings
from tests.media.wires import draw

A, B, C = StreamId(1), StreamId(2), StreamId(3)
ALICE = RemoteMedia("192.0.2.1", 4000, "PCMU", 0, 0)
BOB = RemoteMedia("192.0.2.2", 4002, "PCMA", 8, 8)


class Desk:
    """A plane and what its workers are told."""

    def __init__(self, workers: int = 1, ports: int = 8, is_up: bool = True) -> None:
        self.now = 0.0
        self.timers = TimerQueue()
        settings = MediaSettings(
            address="192.0.2.200",
            workers=workers,
            ports_ahead=4,
            rtp_timeout=30.0,
            never_send_to=(("192.0.2.201", 5060), ("0.0.0.0", 5080)),
        )
        self.plane = Plane(settings, self.timers, Chance(draw))
        if is_up:
            for worker in range(max(1, workers)):
                self.start(worker)
                first = 20_000 + 100 * worker
                self.report(PortsBound(tuple(range(first, first + 2 * ports, 2)), True), worker=worker)
            self.told()

    def start(self, worker: int = 0) -> None:
        self.plane.worker_started(worker, self.now)

    def report(self, *reports: Report, worker: int = 0) -> None:
        self.plane.receive_worker(worker, encode_reports(list(reports)), self.now)
        self.plane.check()

    def told(self, worker: int = 0) -> list[Command]:
        """Return what one worker was told; each turn is at most one message for it."""
        messages = self.plane.commands.take()
        assert len(dict.fromkeys(number for number, _ in messages)) == len(messages)
        self.plane.check()
        return [command for number, data in messages if number == worker for command in decode_commands(data)]

    def events(self) -> list[MediaEvent]:
        return self.plane.events.take()

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (at := self.timers.next_deadline()) is not None and at <= until:
            self.now = max(self.now, at)
            self.timers.fire_due(self.now)
            self.plane.check()
        self.now = until

    def bridge(self) -> None:
        for stream, remote in ((A, ALICE), (B, BOB)):
            self.plane.open(stream, self.now)
            self.plane.set_remote(stream, remote, self.now)
        self.plane.connect(A, B, self.now)


def test_open_answers_at_once_and_tells_nobody() -> None:
    """A worker hears of a stream with its first remote: opening costs no message."""
    desk = Desk()
    assert desk.plane.open(A, 0.0) == ("192.0.2.200", 20_000)
    assert desk.plane.open(B, 0.0) == ("192.0.2.200", 20_002)
    assert desk.told() == []
    desk.plane.set_remote(A, ALICE, 0.0)
    desk.plane.play(A, ("builtin:welcome", "builtin:music"), 0.0)
    assert desk.told() == [
        SetRemote(A, 20_000, "192.0.2.1", 4000, False, "PCMU", 0, 0, -1, -1, True, True),
        Play(A, ("builtin:welcome", "builtin:music"), True, 1),
    ]


def test_public_address_is_what_sdp_says() -> None:
    plane = Plane(MediaSettings(address="10.0.0.1", advertise="192.0.2.9"), TimerQueue(), Chance(draw))
    plane.worker_started(0, 0.0)
    plane.receive_worker(0, encode_reports([PortsBound((20_000,), True)]), 0.0)
    assert plane.open(A, 0.0) == ("192.0.2.9", 20_000)


def test_what_was_asked_before_the_remote_is_told_with_it() -> None:
    desk = Desk()
    desk.plane.open(A, 0.0)
    desk.plane.open(B, 0.0)
    desk.plane.connect(A, B, 0.0)
    desk.plane.collect(A, True, 0.0)
    desk.plane.set_remote(A, ALICE, 0.0)
    assert [type(command) for command in desk.told()] == [SetRemote, Collect]
    desk.plane.set_remote(B, BOB, 0.0)
    assert [type(command) for command in desk.told()] == [SetRemote, Connect]


def test_groups_names_and_ourselves_are_never_sent_to() -> None:
    """A-SDP: the worker is told no address."""
    desk = Desk()
    desk.plane.open(A, 0.0)
    desk.plane.open(B, 0.0)
    for host, port in (
        *(("239.1.1.1", 4000), ("0.0.0.0", 4000), ("255.255.255.255", 4000), ("phone.example", 4000)),
        *(("192.0.2.1", 53), ("192.0.2.1", 0), ("192.0.2.200", 20_002), ("192.0.2.200", 20_003)),
        *(("192.0.2.201", 5060), ("192.0.2.200", 5080), ("127.0.0.1", 5080)),
    ):
        desk.plane.set_remote(A, RemoteMedia(host, port, "PCMU", 0, 0), 0.0)
        (command,) = desk.told()
        assert isinstance(command, SetRemote)
        assert (command.host, command.port) == ("", 0), host


def test_commands_go_on_as_they_are() -> None:
    desk = Desk()
    desk.bridge()
    desk.told()
    desk.plane.play(A, ("hello",), 0.0, loop_last=False)
    desk.plane.stop(A, 0.0)
    desk.plane.stop(A, 0.0)
    desk.plane.collect(A, True, 0.0)
    desk.plane.collect(A, True, 0.0)
    desk.plane.disconnect(B, 0.0)
    desk.plane.disconnect(B, 0.0)
    assert desk.told() == [Play(A, ("hello",), False, 2), Stop(A), Collect(A, True), Disconnect(B)]


def test_connecting_anew_parts_the_old_pair() -> None:
    """A transfer: A and B talk, then A and C."""
    desk = Desk()
    desk.bridge()
    desk.plane.open(C, 0.0)
    desk.plane.set_remote(C, ALICE, 0.0)
    desk.told()
    desk.plane.connect(A, C, 0.0)
    assert desk.told() == [Disconnect(A), Connect(A, C)]


def test_close_is_followed_by_statistics_and_the_port_rests() -> None:
    desk = Desk(ports=2)
    desk.bridge()
    desk.told()
    desk.plane.close(A, 0.0)
    desk.plane.close(B, 0.0)
    assert desk.told() == [Close(A), Close(B)]
    assert not desk.plane.is_quiet()
    statistics = StreamStatistics(A, 5, 860, 6, 1032, 1, 0.5)
    desk.report(Closed(statistics), Closed(StreamStatistics(B)))
    assert desk.events() == [StreamClosed(A, statistics), StreamClosed(B, StreamStatistics(B))]
    assert desk.plane.is_quiet()
    assert desk.plane.open(C, 0.1) is None
    desk.wait(REST_FOR - 0.01)
    assert desk.events() == []
    desk.wait(0.02)
    assert desk.events() == [StreamReady(C, "192.0.2.200", 20_000)]


def test_stream_that_no_worker_heard_of_closes_at_once() -> None:
    desk = Desk()
    desk.plane.open(A, 0.0)
    desk.plane.close(A, 0.0)
    assert desk.told() == []
    assert desk.events() == [StreamClosed(A, StreamStatistics(A))]


def test_every_close_is_answered_also_of_what_had_failed() -> None:
    desk = Desk(ports=0)
    assert desk.plane.open(A, 0.0) is None
    assert desk.events() == [StreamFailed(A, "no_ports")]
    desk.plane.close(A, 0.0)
    assert desk.events() == [StreamClosed(A, StreamStatistics(A))]


def test_exhausted_ports_fail_at_once_when_none_rests() -> None:
    """The call gets 503; the next one after the rest is served."""
    desk = Desk(ports=1)
    desk.plane.open(A, 0.0)
    assert desk.plane.open(B, 0.0) is None
    assert desk.events() == [StreamFailed(B, "no_ports")]
    desk.plane.close(A, 0.0)
    desk.events()
    desk.wait(REST_FOR)
    assert desk.plane.open(C, desk.now) == ("192.0.2.200", 20_000)


def test_streams_wait_in_order_for_ports_that_rest() -> None:
    desk = Desk(ports=1)
    desk.plane.open(A, 0.0)
    desk.plane.close(A, 0.0)
    assert [desk.plane.open(B, 0.0), desk.plane.open(C, 0.0)] == [None, None]
    desk.events()
    desk.wait(OPEN_WAIT + 0.1)
    assert desk.events() == [StreamReady(B, "192.0.2.200", 20_000), StreamFailed(C, "no_ports")]
    assert desk.timers.armed() == []


def test_stream_that_waits_may_be_closed() -> None:
    desk = Desk(is_up=False)
    assert desk.plane.open(A, 0.0) is None
    desk.plane.close(A, 0.0)
    assert desk.events() == [StreamClosed(A, StreamStatistics(A))]
    desk.start()
    desk.report(PortsBound((20_000,), True))
    desk.wait(5.0)
    assert desk.events() == []


def test_without_a_worker_streams_wait_for_one_and_then_fail() -> None:
    desk = Desk(is_up=False)
    desk.plane.open(A, 0.0)
    desk.wait(1.0)
    desk.start()
    desk.report(PortsBound((20_000,), False))
    assert desk.events() == [StreamReady(A, "192.0.2.200", 20_000)]
    other = Desk(is_up=False)
    other.plane.open(A, 0.0)
    other.wait(3.0)
    assert other.events() == [StreamFailed(A, "no_media_worker")]


@pytest.mark.parametrize(("bound_after", "is_ready"), [(OPEN_WAIT - 0.01, True), (OPEN_WAIT + 0.01, False)])
def test_a_worker_that_binds_slowly_is_waited_for_as_long_as_one_that_is_not_there(
    bound_after: float, is_ready: bool
) -> None:
    """It has connected and has no ports so far: it is asked for some, and has OPEN_WAIT to answer."""
    desk = Desk(is_up=False)
    desk.start()
    desk.told()
    assert desk.plane.open(A, 0.0) is None
    assert desk.told() == [BindPorts(4)]
    desk.wait(bound_after)
    desk.report(PortsBound((20_000,), False))
    ready, failed = StreamReady(A, "192.0.2.200", 20_000), StreamFailed(A, "no_ports")
    assert desk.events() == [ready if is_ready else failed]


def test_more_ports_are_asked_for_once_before_they_run_out() -> None:
    desk = Desk(is_up=False)
    desk.start()
    desk.report(PortsBound((20_000, 20_002, 20_004, 20_006), False))
    desk.told()
    for stream in range(1, 5):
        desk.plane.open(StreamId(stream), 0.0)
    assert desk.told() == [BindPorts(4)]
    desk.report(PortsBound((20_008,), True))
    assert desk.plane.open(StreamId(5), 0.0) == ("192.0.2.200", 20_008)
    assert desk.told() == []


def test_dead_worker_is_reported_and_its_successor_is_told_everything() -> None:
    """The streams reopen on the same ports: SDP stays true."""
    desk = Desk()
    desk.plane.add_prompt("hello", b"\xff" * 160, 0.0)
    desk.bridge()
    desk.plane.open(C, 0.0)
    desk.plane.set_remote(C, ALICE, 0.0)
    desk.plane.play(C, ("hello", "builtin:music"), 0.0)
    desk.report(Played(C, "hello"))
    desk.told()
    desk.plane.close(StreamId(99), 0.0)
    desk.events()
    desk.plane.worker_lost(0, 1.0)
    assert desk.events() == [WorkerLost(0, 3)]
    desk.plane.play(A, ("hello",), 1.0)
    desk.plane.connect(A, B, 1.0)
    assert desk.told() == []
    desk.start()
    told = desk.told()
    assert told[:2] == [Configure(30.0), AddPrompt("hello", b"\xff" * 160)]
    assert [(command.stream, command.local_port) for command in told if isinstance(command, SetRemote)] == [
        *((A, 20_000), (B, 20_002), (C, 20_004)),
    ]
    assert told[5:] == [Connect(A, B), Play(C, ("builtin:music",), True, 1)]
    desk.report(PortsBound(tuple(range(20_000, 20_020, 2)), True))
    assert desk.plane.open(StreamId(4), 1.0) == ("192.0.2.200", 20_006)


def test_what_was_closing_when_a_worker_died_is_closed() -> None:
    desk = Desk()
    desk.bridge()
    desk.plane.close(A, 0.0)
    desk.told()
    desk.plane.worker_lost(0, 0.5)
    assert desk.events() == [StreamClosed(A, StreamStatistics(A)), WorkerLost(0, 1)]
    desk.plane.close(B, 0.6)
    assert desk.events() == [StreamClosed(B, StreamStatistics(B))]
    assert desk.plane.is_quiet()


def test_port_that_cannot_be_bound_again_fails_its_stream() -> None:
    desk = Desk()
    desk.bridge()
    desk.told()
    desk.report(OpenFailed(B, "port_taken"))
    assert desk.events() == [StreamFailed(B, "port_taken")]
    desk.plane.close(A, 0.0)
    assert desk.told() == [Close(A)]


def test_reports_become_events_of_streams_that_live() -> None:
    desk = Desk()
    desk.bridge()
    desk.plane.collect(A, True, 0.0)
    desk.plane.play(A, ("hello",), 0.0, loop_last=False)
    reports = (Digit(A, "5", 120), Digit(B, "6", 80), TimedOut(B), Played(A, "hello"), Played(A, "hello"))
    desk.report(*reports, TimedOut(C), Digit(C, "1", 1))
    assert desk.events() == [DigitReceived(A, "5", 120), StreamTimedOut(B), PromptEnded(A, "hello", 2)]


def test_neighbours_share_a_worker_and_strangers_spread() -> None:
    desk = Desk(workers=2)
    assert desk.plane.open(A, 0.0) == ("192.0.2.200", 20_000)
    assert desk.plane.open(B, 0.0) == ("192.0.2.200", 20_100)
    assert desk.plane.open(C, 0.0, near=B) == ("192.0.2.200", 20_102)


def test_streams_of_two_workers_are_connected_across() -> None:
    desk = Desk(workers=2)
    desk.bridge()
    messages = dict(desk.plane.commands.take())
    assert decode_commands(messages[0])[1:] == [ConnectAcross(A, "192.0.2.200", 20_100, "PCMA", 8, -1)]
    assert decode_commands(messages[1])[1:] == [ConnectAcross(B, "192.0.2.200", 20_000, "PCMU", 0, -1)]
    desk.plane.close(A, 0.0)
    messages = dict(desk.plane.commands.take())
    assert decode_commands(messages[0]) == [Close(A)]
    assert decode_commands(messages[1]) == [Disconnect(B)]


def test_new_timeout_is_told_to_the_workers() -> None:
    desk = Desk()
    desk.plane.reconfigure(MediaSettings(rtp_timeout=10.0), 0.0)
    assert desk.told() == [Configure(10.0)]
    desk.plane.reconfigure(MediaSettings(rtp_timeout=10.0), 0.0)
    assert desk.told() == []


def test_sounds_of_the_configuration_are_told_at_the_start_and_when_they_change() -> None:
    plane = Plane(MediaSettings(sounds=(("a", b"1"), ("b", b"2"))), TimerQueue(), Chance(draw))

    def told() -> list[tuple[str, bytes]]:
        commands = [command for _, message in plane.commands.take() for command in decode_commands(message)]
        return [(it.name, it.audio) for it in commands if isinstance(it, AddPrompt)]

    plane.worker_started(0, 0.0)
    assert told() == [("a", b"1"), ("b", b"2")]
    plane.reconfigure(MediaSettings(sounds=(("a", b"1"), ("b", b"3"), ("c", b"4"))), 1.0)
    assert told() == [("b", b"3"), ("c", b"4")]


def test_snapshot_counts() -> None:
    desk = Desk()
    desk.bridge()
    assert desk.plane.snapshot() == {
        "streams": 2,
        "waiting": 0,
        "mixes": 0,
        "recordings": 0,
        "deaths": 0,
        "workers": [
            {"alive": True, "streams": 2, "closing": 0, "ports": {"free": 6, "resting": 0, "used": 2}}
        ],
    }


def test_without_workers_of_its_own_the_switch_is_one() -> None:
    assert [len(Desk(workers=count).plane.snapshot()["workers"]) for count in (0, 1, 3)] == [1, 1, 3]


def near(stream: StreamId, *hears: StreamId) -> Mix:
    return Mix(stream, hears, "192.0.2.200", ())


def three(workers: int = 1) -> Desk:
    """Return a desk with two connected streams and a third; every second lives in another worker."""
    desk = Desk(workers=workers)
    desk.bridge()
    desk.plane.open(C, 0.0)
    desk.plane.set_remote(C, ALICE, 0.0)
    desk.told()
    return desk


def test_mixes_are_told_and_ended() -> None:
    desk = three()
    desk.plane.mix(C, (A, B), 0.0)
    assert desk.told() == [near(C, A, B)]
    assert desk.plane.snapshot()["mixes"] == 1
    desk.plane.mix(C, (A, B), 0.0)
    assert desk.told() == []
    desk.plane.mix(C, (), 0.0)
    assert desk.told() == [near(C)]
    assert desk.plane.snapshot()["mixes"] == 0


def test_mix_of_a_stream_without_remote_is_told_with_it() -> None:
    desk = Desk()
    desk.bridge()
    desk.plane.open(C, 0.0)
    desk.plane.mix(C, (A, B), 0.0)
    desk.plane.mix(A, (B, C), 0.0)
    assert desk.told()[-1] == near(A, B, C)
    desk.plane.set_remote(C, ALICE, 0.0)
    assert desk.told()[1:] == [near(C, A, B), near(A, B, C)]


def test_stream_that_closes_leaves_all_mixes() -> None:
    desk = three()
    for stream, hears in ((A, (B, C)), (B, (A, C)), (C, (A, B))):
        desk.plane.mix(stream, hears, 0.0)
    desk.told()
    desk.plane.close(B, 0.0)
    assert desk.told() == [near(A, C), near(C, A), Close(B)]
    desk.report(OpenFailed(C, "port_taken"))
    assert desk.told() == [near(A)]
    assert desk.plane.snapshot()["mixes"] == 0


def test_worker_that_is_started_again_hears_of_mixes() -> None:
    desk = three()
    desk.plane.mix(C, (A, B), 0.0)
    desk.plane.worker_lost(0, 0.0)
    desk.start()
    told = desk.told()
    assert near(C, A, B) in told
    assert told.index(near(C, A, B)) > max(
        at for at, command in enumerate(told) if isinstance(command, SetRemote)
    )


def test_streams_of_two_workers_are_mixed() -> None:
    """A and C live in the first, B in the second, which is told to send there what B says."""
    desk = three(workers=2)
    desk.plane.mix(C, (A, B), 0.0)
    messages = {number: decode_commands(data) for number, data in desk.plane.commands.take()}
    mixed = Mix(C, (A,), "192.0.2.200", (FarSource(20_100, "PCMA", 8, -1),))
    assert messages == {0: [mixed], 1: [Feed(B, "192.0.2.200", (20_002,))]}
    desk.plane.set_remote(B, ALICE, 0.0)  # now it speaks PCMU
    again = desk.told()
    assert Mix(C, (A,), "192.0.2.200", (FarSource(20_100, "PCMU", 0, -1),)) in again
    desk.plane.worker_lost(1, 0.0)
    desk.start(1)
    assert Feed(B, "192.0.2.200", (20_002,)) in desk.told(1)
    desk.plane.close(C, 0.0)
    assert Feed(B, "192.0.2.200", ()) in desk.told(1)


def test_mix_of_a_stream_that_waits_for_its_port_is_fed_when_it_has_one() -> None:
    desk = Desk(workers=2, ports=1)
    desk.bridge()
    desk.plane.close(A, 0.0)
    assert desk.plane.open(C, 0.0) is None
    desk.plane.mix(C, (B,), 0.0)
    desk.report(Closed(StreamStatistics(A)))
    desk.told()
    desk.wait(REST_FOR)
    assert desk.events()[-1] == StreamReady(C, "192.0.2.200", 20_000)
    desk.plane.set_remote(C, ALICE, 0.0)
    messages = {number: decode_commands(data) for number, data in desk.plane.commands.take()}
    assert messages[0][1:] == [Mix(C, (), "192.0.2.200", (FarSource(20_100, "PCMA", 8, -1),))]
    assert messages[1] == [Feed(B, "192.0.2.200", (20_000,))]


class AnyOrder(RuleBasedStateMachine):
    """Whatever calls ask and however workers die, every close is answered and no port is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(workers=2, ports=3)
        self.last = 0
        self.open: dict[StreamId, bool] = {}  # whether it has a port
        self.closed: dict[StreamId, int] = {}
        self.hears: dict[StreamId, tuple[StreamId, ...]] = {}
        self.mixes: dict[StreamId, Mix] = {}  # as the workers were told
        self.feeds: dict[StreamId, Feed] = {}

    def events(self) -> None:
        for event in self.desk.events():
            if isinstance(event, StreamReady):
                self.open[event.stream] = True
            elif isinstance(event, StreamFailed):
                del self.open[event.stream]
                self.forget(event.stream)
            elif isinstance(event, StreamClosed):
                self.closed[event.stream] -= 1

    def forget(self, stream: StreamId) -> None:
        self.hears.pop(stream, None)
        for one, hears in list(self.hears.items()):
            self.hears[one] = tuple(other for other in hears if other != stream)

    @rule()
    def open_one(self) -> None:
        self.last += 1
        stream = StreamId(self.last)
        self.open[stream] = self.desk.plane.open(stream, self.desk.now) is not None

    @rule(data=st.data())
    def set_remote(self, data: st.DataObject) -> None:
        ready = [stream for stream, has_port in self.open.items() if has_port]
        if ready:
            self.desk.plane.set_remote(data.draw(st.sampled_from(ready)), ALICE, self.desk.now)

    @rule(data=st.data())
    def connect(self, data: st.DataObject) -> None:
        ready = [stream for stream, has_port in self.open.items() if has_port]
        if len(ready) > 1:
            a, b = data.draw(st.permutations(ready))[:2]
            self.desk.plane.connect(a, b, self.desk.now)

    @rule(data=st.data(), count=st.integers(0, 3))
    def mix(self, data: st.DataObject, count: int) -> None:
        if len(self.open) > count:
            stream, *hears = data.draw(st.permutations(list(self.open)))[: count + 1]
            self.hears[stream] = tuple(hears)
            self.desk.plane.mix(stream, tuple(hears), self.desk.now)

    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        if self.open:
            stream = data.draw(st.sampled_from(list(self.open)))
            del self.open[stream]
            self.closed[stream] = 1
            self.forget(stream)
            self.desk.plane.close(stream, self.desk.now)

    @rule(worker=st.integers(0, 1))
    def die_and_start(self, worker: int) -> None:
        self.answer()
        for told in (self.mixes, self.feeds):
            for stream in [one for one in told if self.worker_of(one) in (worker, -1)]:
                del told[stream]
        self.desk.plane.worker_lost(worker, self.desk.now)
        self.desk.plane.check()
        self.desk.start(worker)
        first = 20_000 + 100 * worker
        self.desk.report(PortsBound((first, first + 2, first + 4), True), worker=worker)

    @rule(seconds=st.sampled_from([0.0, 0.5, 2.0]))
    def wait(self, seconds: float) -> None:
        self.desk.wait(seconds)

    @rule()
    def answer(self) -> None:
        for worker, message in self.desk.plane.commands.take():
            commands = decode_commands(message)
            closes = [command for command in commands if isinstance(command, Close)]
            for command in commands:
                if isinstance(command, Mix):
                    self.mixes[command.stream] = command
                elif isinstance(command, Feed):
                    self.feeds[command.stream] = command
            self.desk.report(*(Closed(StreamStatistics(c.stream)) for c in closes), worker=worker)
        self.workers_know_the_mixes()

    def worker_of(self, stream: StreamId) -> int:
        known = self.desk.plane._streams.get(stream)
        return -1 if known is None or known.remote is None else known.worker

    def port_of(self, stream: StreamId) -> int:
        return self.desk.plane._streams[stream].port

    def workers_know_the_mixes(self) -> None:
        """What the workers were told last is what calls want, for every stream that they know."""
        for stream, hears in self.hears.items():
            worker = self.worker_of(stream)
            if worker < 0:
                continue
            told = self.mixes.get(stream, near(stream))
            far = [one for one in hears if self.worker_of(one) not in (worker, -1)]
            assert {*told.near} >= {one for one in hears if self.worker_of(one) == worker}
            assert {*told.near} <= {*hears} - {*far}
            assert [one.port for one in told.far] == [self.port_of(one) for one in far]
            for one in far:
                assert self.port_of(stream) in self.feeds[one].ports
        for stream, feed in self.feeds.items():
            wanted = [self.port_of(one) for one, hears in self.hears.items() if stream in hears]
            assert stream not in self.open or {*feed.ports} <= {*wanted}

    @invariant()
    def holds(self) -> None:
        self.events()
        self.desk.plane.check()

    def teardown(self) -> None:
        for stream in list(self.open):
            del self.open[stream]
            self.closed[stream] = 1
            self.forget(stream)
            self.desk.plane.close(stream, self.desk.now)
        self.answer()
        self.events()
        assert all(count == 0 for count in self.closed.values())
        assert self.desk.plane.is_quiet()
        self.desk.wait(5.0)
        for worker in (0, 1):
            assert self.desk.plane._workers[worker].pool.counts()[2] == 0


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = hypothesis_settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_digits_are_sent_to_who_has_agreed_to_events_and_listens() -> None:
    desk = Desk()
    desk.bridge()
    desk.told()
    assert not desk.plane.send_digits(A, "1", 0.0)
    desk.plane.set_remote(A, RemoteMedia("192.0.2.1", 4000, "PCMU", 0, 0, dtmf_send=101), 0.0)
    desk.told()
    assert desk.plane.send_digits(A, "1#", 0.0)
    assert desk.told() == [SendDigits(A, "1#", 160, 80)]
    held = RemoteMedia("192.0.2.1", 4000, "PCMU", 0, 0, dtmf_send=101, receives=False)
    desk.plane.set_remote(A, held, 0.0)
    assert not desk.plane.send_digits(A, "1", 0.0)
    desk.plane.set_remote(A, RemoteMedia("192.0.2.1", 4000, "PCMU", 0, 0, dtmf_send=101), 0.0)
    desk.plane.worker_lost(0, 0.0)
    assert not desk.plane.send_digits(A, "1", 0.0)
    assert desk.told() == []
