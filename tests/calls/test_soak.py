"""A soak in small: good calls amid rubbish from strangers, from a registered phone and from the trunk."""

import gc
import tracemalloc

from sip.flows import Flow
from tests.calls.office import Office, sdp
from tests.sip.rubbish import Rubbish
from tests.sip.scene import PHONE, TRUNK

BETWEEN = 250  # messages between two good calls
CALLS = 80
GROWTH_MAX = 1_500_000  # bytes that bounded tables of texts and hosts may have more; a message each: 10 MB


def strangers(number: int) -> Flow:
    """500 hosts, so that neither a rate nor a ban is all that is tried."""
    return Flow("udp", 0, f"198.18.{number % 2}.{number % 250}", 5060)


def good_call(office: Office, number: int) -> None:
    """A whole queue call, each step answered as it must be."""
    call = office.dial("96198", f"good{number}x", from_=f"<sip:138@carrier.example>;tag=g{number}")
    assert call is not None
    ok = office.last("200", TRUNK)
    office.caller_says("ACK", ok, 1)
    invite = office.ring(call, offer=f"good{number}")
    office.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    assert call.state == "talking"
    office.caller_says("BYE", ok, 2)
    assert office.last("200", TRUNK).message.cseq == (2, "BYE")
    office.answer(office.last("BYE", PHONE), 200)
    assert call.state == "ended"


def test_a_good_call_works_whatever_came_before() -> None:
    """20,000 messages, four good calls in a thousand: nothing is raised, every good call is set up, and what
    the process holds after the second half is what it held after the first.
    """
    office = Office()
    office.register("8001")
    office.book.phones["8001"] = ("softphone", "8001")
    rubbish, held = Rubbish(1), list[int]()
    tracemalloc.start()
    try:
        for number in range(CALLS):
            for each in range(BETWEEN):
                flow = (strangers(number * BETWEEN + each), TRUNK, PHONE)[each % 8 // 6 + (each % 8 == 7)]
                office.stack.receive_datagram(rubbish.take(), flow, office.now)
                office.now += 0.004
            office.advance(0.5)
            good_call(office, number)
            office.sent.clear()
            office.told.clear()
            office.commands.clear()
            office.rows.clear()
            if number in (CALLS // 2 - 1, CALLS - 1):
                office.advance(70.0)
                office.board.end_all(office.now)
                office.advance(70.0)
                office.sent.clear()
                office.told.clear()
                office.rows.clear()
                office.commands.clear()
                assert office.is_quiet()
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    first, second = held
    assert second - first < GROWTH_MAX, f"{held}"
