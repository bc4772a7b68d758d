import asyncio
import io
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from kernel.ids import RecordingId
from seatswitch.shell.clock import monotonic
from seatswitch.shell.logs import configure_logs
from seatswitch.shell.pump import Exits, Pump
from sip.flows import Flow
from tests.seatswitch.shell.stubs import StubApi, StubNode, seat_state, until

PEER = Flow("udp", 0, "127.0.0.1", 5070)


class Recorder:
    """Every exit at once: writes down what leaves, in order."""

    def __init__(self) -> None:
        self.left: list[tuple[Any, ...]] = []

    def send(self, where: Any, data: bytes) -> None:
        self.left.append(("send", where, data))

    def close(self, where: Any, reason: str = "") -> None:
        self.left.append(("close", where, reason))

    def look(self, recording: Any) -> None:
        self.left.append(("look", recording))

    def remove(self, file: str) -> None:
        self.left.append(("remove", file))

    def read(self, number: int, wanted: Any) -> None:
        self.left.append(("read", number, wanted))

    def append(self, rows: list[Any]) -> None:
        self.left.append(("rows", rows))


@pytest.fixture
def log_lines() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    configure_logs("info", stream)
    yield stream
    structlog.reset_defaults()


def make_pump(node: StubNode, api: StubApi | None = None, **more: Any) -> tuple[Pump, Recorder]:
    recorder, exits = Recorder(), Exits()
    exits.udp[0] = recorder
    exits.streams = exits.workers = exits.rows = exits.replies = exits.files = recorder
    return Pump(asyncio.get_running_loop(), node, api or StubApi(), exits, **more), recorder


async def test_everything_a_turn_leaves_is_carried_out_in_order() -> None:
    """Rows first, so that a crash finds all that peers have heard of; then datagrams, commands, replies."""
    node, api = StubNode(), StubApi()
    pump, recorder = make_pump(node, api)
    stream = Flow("tcp", 1, "127.0.0.1", 6000, 4)
    row = seat_state("8001")

    def verb(now: float) -> None:
        api.closes.put((9, "session taken over"))
        api.replies.put((9, b"{}"))
        node.news.fresh.put((1, 0.0, "seat", {}))
        node.rows.put(row)
        node.looks.put(RecordingId("r1"))
        api.reads.put((3, "r1.wav"))
        node.plane.commands.put((0, b"open"))
        node.stack.closes.put(stream)
        node.stack.datagrams.put((PEER, b"INVITE"))
        node.stack.datagrams.put((stream, b"BYE"))

    pump.turn(verb)
    assert recorder.left == [
        ("rows", [row]),
        ("send", PEER, b"INVITE"),
        ("send", stream, b"BYE"),
        ("close", stream, ""),
        ("send", 0, b"open"),
        ("send", 9, b"{}"),
        ("close", 9, "session taken over"),
        ("look", "r1"),
        ("read", 3, "r1.wav"),
    ]
    assert api.flushed == 1
    pump.turn(lambda now: None)
    assert len(recorder.left) == 9


async def test_deadline_wakes_the_node_once() -> None:
    node = StubNode()
    pump, _ = make_pump(node)
    node.deadline = due_at = monotonic() + 0.03
    pump.turn(lambda now: None)
    await until(lambda: node.fired_at, "the timer")
    assert node.fired_at[0] >= due_at
    assert len(node.fired_at) == 1


async def test_earlier_deadline_replaces_a_later_one() -> None:
    node = StubNode()
    pump, _ = make_pump(node)
    node.deadline = monotonic() + 3600.0
    pump.turn(lambda now: None)
    node.deadline = monotonic() + 0.02
    pump.turn(lambda now: None)
    await until(lambda: node.fired_at, "the earlier timer")


async def test_loop_timer_is_armed_again_only_for_an_earlier_deadline() -> None:
    """One call_later costs more than a turn: a later deadline waits for the wake-up that is armed."""

    class Loop:
        def __init__(self) -> None:
            self.armed: list[float] = []

        def call_later(self, after: float, what: Any) -> asyncio.TimerHandle:
            self.armed.append(round(after, 3))
            return asyncio.get_running_loop().call_later(3600, what)

    node = StubNode()
    loop: Any = Loop()
    pump = Pump(loop, node, StubApi(), Exits(), now=lambda: 50.0)
    for node.deadline in (51.0, 52.0, 51.0, 50.999, 50.5, None, 60.0):
        pump.turn(lambda now: None)
    assert loop.armed == [1.001, 0.501]
    pump.disarm()


async def test_deadline_that_moved_away_is_waited_for_again() -> None:
    node = StubNode()
    pump, _ = make_pump(node)
    node.deadline = monotonic() + 0.02
    pump.turn(lambda now: None)
    node.deadline = due_at = monotonic() + 0.15
    await until(lambda: node.fired_at, "the second deadline")
    assert node.fired_at[0] >= due_at


async def test_bug_in_a_turn_is_logged_once_and_the_switch_stays_up(log_lines: io.BytesIO) -> None:
    """Fault list, "exception in a handler": the turn is abandoned, what it left is still sent."""
    node = StubNode()
    pump, recorder = make_pump(node)
    node.echo, node.fail_with = True, ValueError("a bug")
    for _ in range(15):
        pump.turn(node.receive_datagram, b"x", PEER)
    assert len(recorder.left) == 15
    text = log_lines.getvalue().decode()
    assert text.count("Traceback") == 1
    assert text.count("a turn was abandoned again") == 1
    assert "times=10" in text
    assert list(pump.bugs.values()) == [15]
    node.fail_with = None
    pump.turn(node.receive_datagram, b"y", PEER)
    assert recorder.left[-1] == ("send", PEER, b"y")


async def test_node_tells_the_log_and_the_api_asks_the_shell(log_lines: io.BytesIO) -> None:
    asked: list[str] = []
    node, api = StubNode(), StubApi()
    pump, _ = make_pump(node, api, on_request=asked.append)

    def verb(now: float) -> None:
        node.log.put(("call ended", {"call": "a1"}))
        api.requests.put("reload")

    pump.turn(verb)
    assert asked == []  # on a later round: a reload is a turn of its own
    await until(lambda: asked, "the request")
    assert asked == ["reload"]
    assert b"call ended call=a1" in log_lines.getvalue()


async def test_deadlines_run_in_a_busy_sockets_rounds_while_it_has_any() -> None:
    """While timers are held only run_timers() fires them; released, the pump wakes by itself again."""
    node = StubNode()
    pump, _ = make_pump(node)
    pump.hold_timers()
    node.deadline = monotonic() + 0.001
    pump.turn(lambda now: None)
    await asyncio.sleep(0.05)
    assert node.fired_at == []
    pump.run_timers()
    assert len(node.fired_at) == 1
    node.deadline = monotonic() + 0.001
    pump.release_timers()
    await until(lambda: len(node.fired_at) == 2, "the deadline")
    pump.disarm()


async def test_disarmed_pump_wakes_no_more() -> None:
    node = StubNode()
    pump, _ = make_pump(node)
    pump.disarm()
    node.deadline = monotonic()
    pump.turn(lambda now: None)
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.03, done.set_result, None)  # two grains: it would have fired
    await done
    assert node.fired_at == []
