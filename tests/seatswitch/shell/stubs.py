"""Stub node and API for the shell's tests, and waiting for a condition with a bound."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from kernel.ids import RecordingId
from kernel.outbox import Outbox
from kernel.rows import SeatStateRow
from media.events import NO_FILES, Written

WAIT_MAX = 20.0  # seconds; far beyond what anything here takes, so that a slow machine does not fail a test


async def until(condition: Callable[[], Any], what: str = "condition") -> None:
    """Return when ``condition()`` is true; fail after WAIT_MAX."""
    deadline = time.monotonic() + WAIT_MAX
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        await asyncio.sleep(0.005)


class StubNode:
    """Records its inputs; answers a datagram with itself when ``echo`` is set."""

    def __init__(self) -> None:
        self.stack = SimpleNamespace(
            datagrams=Outbox(),
            closes=Outbox(),
            questions=Outbox(),
            stream_progress=self.stream_progress,
        )
        self.progress: dict[int, tuple[int, bool]] = {}
        self.plane = SimpleNamespace(commands=Outbox())
        self.rows: Outbox[Any] = Outbox()
        self.log: Outbox[Any] = Outbox()
        self.looks: Outbox[RecordingId] = Outbox()
        self.files: dict[str, Written] = {}
        self.news = SimpleNamespace(fresh=Outbox())
        self.inputs: list[tuple[Any, ...]] = []
        self.deadline: float | None = None
        self.fired_at: list[float] = []
        self.echo = False
        self.fail_with: Exception | None = None
        self.calls: list[str] = []

    def stream_progress(self, flow: Any) -> tuple[int, bool]:
        """Every piece is one message, unless a test says otherwise."""
        heard = sum(it[2] == flow for it in self.heard("stream"))
        return self.progress.get(flow.connection, (heard, False))

    def receive_datagram(self, data: bytes, flow: Any, now: float) -> None:
        self.inputs.append(("datagram", data, flow))
        if self.echo:
            self.stack.datagrams.put((flow, data))
        if self.fail_with is not None:
            raise self.fail_with

    def receive_stream(self, data: bytes, flow: Any, now: float) -> None:
        self.inputs.append(("stream", data, flow))

    def flow_closed(self, flow: Any, now: float) -> None:
        self.inputs.append(("closed", flow))

    def flow_failed(self, flow: Any, now: float) -> None:
        self.inputs.append(("failed", flow))

    def flow_verified(self, flow: Any, names: tuple[str, ...], now: float) -> None:
        self.inputs.append(("verified", flow, names))

    def name_answered(self, question: Any, answer: Any, now: float) -> None:
        self.inputs.append(("name", question, answer))

    def receive_worker(self, worker: int, message: bytes, now: float) -> None:
        self.inputs.append(("worker", worker, message))

    def worker_started(self, worker: int, now: float) -> None:
        self.inputs.append(("started", worker))

    def worker_lost(self, worker: int, now: float) -> None:
        self.inputs.append(("lost", worker))

    def hang_up(self, call: Any, cause: str, now: float) -> None:
        self.inputs.append(("hang_up", call, cause))
        self.calls.remove(call)

    def set_clock(self, offset: float) -> None:
        self.inputs.append(("clock", offset))

    def reconfigure(self, settings: Any, now: float) -> None:
        self.inputs.append(("reconfigure", settings))

    def drain(self, now: float) -> None:
        self.inputs.append(("drain",))

    def leave(self, now: float) -> None:
        self.inputs.append(("leave",))

    def note_lag(self, lag: float, now: float) -> None:
        pass

    def start(self, now: float) -> None:
        self.inputs.append(("start", None))

    def restore(
        self,
        rows: Sequence[Any],
        now: float,
        died_at: float | None = None,
        files: Mapping[str, Written] = NO_FILES,
    ) -> None:
        self.inputs.append(("restore", list(rows)))
        self.files = dict(files)

    def recordings_removed(self, rows: Sequence[Any], now: float) -> None:
        self.inputs.append(("recordings_removed", list(rows)))

    def recording_measured(self, recording: RecordingId, written: Written, now: float) -> None:
        self.inputs.append(("measured", recording, written))

    def checkpoint(self) -> list[Any]:
        return []

    def handle_timers(self, now: float) -> None:
        self.fired_at.append(now)
        self.deadline = None

    def next_deadline(self) -> float | None:
        return self.deadline

    def is_idle(self) -> bool:
        return not self.calls

    def calls_view(self, now: float) -> list[dict[str, Any]]:
        return [{"call": call} for call in self.calls]

    def snapshot(self, now: float) -> dict[str, Any]:
        return {}

    def heard(self, kind: str) -> list[tuple[Any, ...]]:
        """Return the inputs of one kind."""
        return [it for it in self.inputs if it[0] == kind]


class StubApi:
    """Answers every line with ``answer`` and records what happens to connections."""

    def __init__(self, answer: bytes = b'{"ok":true}') -> None:
        self.replies: Outbox[tuple[int, bytes]] = Outbox()
        self.closes: Outbox[tuple[int, str]] = Outbox()
        self.requests: Outbox[str] = Outbox()
        self.reads: Outbox[tuple[int, Any]] = Outbox()
        self.inputs: list[tuple[Any, ...]] = []
        self.answer = answer
        self.flushed = 0

    def opened(self, connection: int, role: str, now: float) -> None:
        self.inputs.append(("opened", connection, role))

    def received(self, connection: int, text: bytes, now: float) -> None:
        self.inputs.append(("received", connection, text))
        self.replies.put((connection, self.answer))

    def closed(self, connection: int, now: float) -> None:
        self.inputs.append(("closed", connection))

    def audio_read(self, number: int, found: Any, now: float) -> None:
        self.inputs.append(("audio_read", number, found))

    def flush(self, now: float) -> None:
        self.flushed += 1


def seat_state(seat: str, presence: str = "ready", since: float = 1_700_000_000.0) -> SeatStateRow:
    """Return a row for tests."""
    return SeatStateRow(seat, seat, "s" + seat, presence, "", since, None, "", "softphone", seat)


# The row writer as a process of its own, without the command line in between.
WRITER_COMMAND = (
    sys.executable,
    "-c",
    "import sys; from seatswitch import put_floors_on_path; put_floors_on_path(); "
    "from seatswitch.shell.store.writer import run_writer; "
    "sys.exit(run_writer(sys.argv[2], sys.argv[4]))",
)
