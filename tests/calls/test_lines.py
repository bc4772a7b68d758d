"""Lines: what watchers see of a phone, while its calls come and go."""

from sip.subscription import DARK, Lamp
from tests.calls.office import OTHER_PHONE, THIRD_PHONE, Office, sdp
from tests.sip.scene import PHONE, request

TRYING = Lamp("trying", "initiator")
RINGING = Lamp("early", "recipient")
TALKING = Lamp("confirmed")


def office() -> Office:
    made = Office()
    made.register("8001")
    made.register("2001", "other")
    made.register("8002", "third")
    return made


def test_two_extensions_in_a_call() -> None:
    """trying while it calls, early while it rings, confirmed, then nothing (RFC 4235 3.7.1)."""
    made = office()
    lamp = made.board.lines.lamp
    assert (lamp("8002"), lamp("2001")) == (DARK, DARK)
    me = "<sip:8002@example.com>;tag=mine"
    call = made.dial("2001", flow=THIRD_PHONE, from_=me, contact="<sip:8002@192.0.2.9:5066>")
    assert call is not None
    ring = made.last("INVITE", OTHER_PHONE)
    ringing = Lamp("early", "recipient", dialog=(ring.message.call_id, ring.message.from_tag))
    assert (lamp("8002"), lamp("2001")) == (TRYING, ringing)
    made.answer(ring, 180)
    assert (lamp("8002"), lamp("2001")) == (TRYING, ringing)
    made.answer(ring, 200, sdp(6000, host="192.0.2.8"))
    assert (lamp("8002"), lamp("2001")) == (TALKING, TALKING)
    call.note_hold(True, made.now)
    assert lamp("2001") == Lamp("confirmed", is_rendering=False)
    made.board.end_all(made.now)
    made.settle()
    assert (lamp("8002"), lamp("2001")) == (DARK, DARK)
    made.advance(80.0)
    assert made.is_quiet()


def test_early_media_is_early() -> None:
    made = office()
    me = "<sip:8002@example.com>;tag=mine"
    made.dial("2001", flow=THIRD_PHONE, from_=me, contact="<sip:8002@192.0.2.9:5066>")
    made.answer(made.last("INVITE", OTHER_PHONE), 183, sdp(6000, host="192.0.2.8"))
    assert made.board.lines.lamp("8002") == Lamp("early", "initiator")


def test_only_watched_numbers_are_noted() -> None:
    """A queue call rings 8001, which nobody watches, and then somebody does; it is nobody's to pick up."""
    made = office()
    call = made.dial("96198")
    assert call is not None
    made.caller_says("ACK", made.last("200"), 1)
    made.ring(call)
    assert made.board.lines.lamp("8001") == RINGING
    assert made.board.lines.changed == {}
    watch = request(
        "SUBSCRIBE",
        "sip:8001@example.com",
        via="192.0.2.8:5064",
        from_="<sip:2001@example.com>;tag=w",
        to="<sip:8001@example.com>",
        call_id="watch",
        contact="<sip:2001@192.0.2.8:5064>",
        headers=("Event: dialog",),
    )
    made.receive(watch, OTHER_PHONE)
    made.answer(made.last("INVITE", PHONE), 486)
    assert made.board.lines.changed == {"8001": True}
    assert made.board.lines.lamp("8001") == DARK


def test_the_call_that_has_come_furthest_counts() -> None:
    made = office()
    me = "<sip:8002@example.com>;tag=mine"
    made.dial("2001", "one", THIRD_PHONE, from_=me, contact="<sip:8002@192.0.2.9:5066>")
    made.answer(made.last("INVITE", OTHER_PHONE), 200, sdp(6000, host="192.0.2.8"))
    more = {"from_": "<sip:2001@example.com>;tag=m2", "contact": "<sip:2001@192.0.2.8:5064>"}
    assert made.dial("8001", "two", OTHER_PHONE, **more) is not None
    assert made.board.lines.lamp("2001") == TALKING
    assert made.board.lines.lamp("8001").state == "early"
    assert made.board.lines.count() == 4
