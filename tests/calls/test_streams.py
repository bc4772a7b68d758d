"""Streams: what becomes of calls without a port, and the rows of what was heard."""

from calls.events import (
    CallQueued,
    SeatFailed,
)
from kernel.rows import StreamRow
from tests.calls.office import Office
from tests.sip.scene import TRUNK


def test_without_a_port_left_the_call_is_refused() -> None:
    """Two port pairs: the third caller finds none."""
    office = Office(ports=(30000, 30002))
    assert office.dial("96198", "one") is not None
    assert office.dial("96198", "two") is not None
    office.dial("96198", "three")
    assert office.words(TRUNK)[-1] == "503"
    assert office.verdicts() == [("switch", "us:no_ports", 503)]
    assert not [event for event in office.events(CallQueued) if event.call == office.call_of(2)]


def test_without_a_port_for_the_seat_the_offer_fails_and_the_caller_waits_on() -> None:
    office = Office(ports=(30000, 30000))
    office.register("8001")
    call = office.dial("96198")
    assert call is not None
    office.offer(call.id, ("softphone", "8001"))
    assert [(event.offer, event.status) for event in office.events(SeatFailed)] == [("o1", 503)]
    assert call.state == "waiting"


def test_a_stream_is_closing_until_its_worker_has_told() -> None:
    """One row per stream over which audio went; nothing is left when the worker has reported."""
    office = Office()
    office.register("8001")
    call, ok, _ = office.talk()
    streams = [leg.stream for leg in call.legs()]
    assert list(office.board.streams.living) == streams
    office.caller_says("BYE", ok, 2)
    assert not office.board.streams.living
    assert not office.board.streams.closing
    rows = [row for row in office.rows if isinstance(row, StreamRow)]
    assert sorted(row.stream for row in rows) == sorted(
        [f"{call.id}/caller/{streams[0]}", f"{call.id}/callee/{streams[1]}"]
    )
