"""Kills of the switch: what had to survive, and whether it did.

A process dies between two turns; in the middle of writing the rows of one, so that they are a torn record and
nothing of that turn was sent; or in the middle of sending what one has to say, so that its rows are there and
some of its messages are not. What the rows said by then is what must be true afterwards.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from kernel.rows import CallbackRow, CallRow, VisitRow
from kernel.staterows import JournalRow
from seatswitch.shell.store.records import build_record, journal_path, read_last

if TYPE_CHECKING:
    from seatswitch.node import Node
    from tests.simulator.world import World

BETWEEN, TORN, SENDING = "between", "torn", "sending"
DEATHS = (BETWEEN, TORN, SENDING)
GRAIN = 0.002  # rows carry milliseconds


@dataclass(frozen=True)
class SeatKept:
    """One signed-in seat."""

    presence: str
    reason: str
    session: str
    pending: str
    wrapup_until: float | None
    is_working: bool  # in a call, or offered one


@dataclass(frozen=True)
class Memory:
    """What a switch knew when it died."""

    calls: tuple[str, ...]
    seats: dict[str, SeatKept]
    places: dict[str, tuple[str, ...]]  # calls in the order of their places, by queue; without callbacks
    visits: dict[str, str]  # call by visit
    callbacks: dict[str, tuple[str, str]]  # queue and number by callback
    dialogs: tuple[str, ...]  # Call-IDs of all legs


NOTHING = Memory((), {}, {}, {}, {}, ())


def remember(node: "Node") -> Memory:
    """Return what must survive the death of ``node`` now."""
    seats = {
        str(seat.id): SeatKept(
            seat.presence.value, seat.reason, seat.session, seat.pending, seat.wrapup_until, seat.is_busy
        )
        for seat in node.engine.seats.values()
        if seat.is_signed_in
    }
    places, visits = {}, {}
    for name, queue in node.engine.queues.items():
        standing = sorted(queue.waiting.values(), key=lambda call: call.place)
        places[str(name)] = tuple(str(call.call) for call in standing if not call.is_callback)
        visits.update({str(call.visit): str(call.call) for call in standing if not call.is_callback})
    promised = {
        view["callback"]: (view["queue"], view["number"]) for view in node.engine.callbacks.views(0.0)
    }
    # A callback that no seat has taken has not been placed.
    known = node.switchboard.calls.values()
    calls = tuple(str(call.id) for call in known if call.caller_leg is not None or not call.is_callback)
    return Memory(calls, seats, places, visits, promised, sip_call_ids(node))


def sip_call_ids(node: "Node") -> tuple[str, ...]:
    """Return the Call-IDs of all legs of living calls."""
    legs = [leg for call in node.switchboard.calls.values() for leg in call.legs()]
    return tuple(leg.session.sip_call_id for leg in legs if leg.session is not None)


def through_the_journal(rows: list[JournalRow], torn: list[JournalRow]) -> list[JournalRow]:
    """Return ``rows`` as they are read from a real journal whose last record, ``torn``, is half written."""
    last = build_record(torn) if torn else b""
    with TemporaryDirectory() as folder, capture_logs():
        path = journal_path(Path(folder), 1)
        path.write_bytes(build_record(rows) + last[: len(last) * 2 // 3])
        return read_last(Path(folder), 1)


def check_survived(world: "World", before: Memory) -> None:
    """Assert that the switch that has just been started knows what the one before knew."""
    node = world.node
    now = remember(node)
    ended = {row.call: row for row in world.rows if isinstance(row, CallRow)}
    left = {row.visit: row for row in world.rows if isinstance(row, VisitRow)}
    for call in before.calls:
        is_there = call in now.calls or call in ended
        assert is_there, f"call {call} lived when the switch was killed, and is nowhere"
    for visit, call in before.visits.items():
        if visit in now.visits:
            assert call in now.calls, f"visit {visit} waits, and its call {call} is gone"
        else:
            assert visit in left, f"visit {visit} waited when the switch was killed, and is nowhere"
    for queue, standing in before.places.items():
        again = now.places.get(queue, ())
        kept = tuple(call for call in standing if call in again)
        assert kept == again, f"{queue}: {standing} waited, and after the kill {again}"
    for number, seat in before.seats.items():
        _check_seat(number, seat, now.seats.get(number), world.time.now)
    over = {row.callback for row in world.rows if isinstance(row, CallbackRow) and row.state == "ended"}
    open_still = {key: value for key, value in before.callbacks.items() if key not in over}
    assert open_still == now.callbacks, f"callbacks {open_still}, after the kill {now.callbacks}"


def _check_seat(number: str, before: SeatKept, now: SeatKept | None, at: float) -> None:
    assert now is not None, f"{number} was signed in when the switch was killed, and is not now"
    assert now.session == before.session, f"{number} has another session after the kill"
    if before.is_working:
        return  # what it did may have ended with the switch, and its wrap-up begun
    if before.wrapup_until is not None and before.wrapup_until <= at:
        return  # it was over before the switch was back
    same = (before.presence, before.reason, before.pending) == (now.presence, now.reason, now.pending)
    assert same, f"{number} was {before}, and after the kill is {now}"
    if before.wrapup_until is not None:
        assert now.wrapup_until is not None, f"{number} lost its wrap-up"
        late = now.wrapup_until - before.wrapup_until
        assert abs(late) <= GRAIN, f"the wrap-up of {number} ends {late:.3f} s later"
