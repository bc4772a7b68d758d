"""Rows of the conformance checklist that take two legs and a call between them."""

from tests.calls.office import Office, sdp
from tests.sip.scene import PHONE, TRUNK, request


def test_an_answer_that_crosses_the_callers_cancel_leaves_one_row() -> None:
    """T21: B leg ACK, then BYE; A leg 200 to the CANCEL and 487 to the INVITE; exactly one row."""
    office = Office()
    office.register("8001")
    call = office.dial("96201")
    assert call is not None
    ring = office.last("INVITE", PHONE)
    office.answer(ring, 180)
    office.sent.clear()
    cancel = request(
        "CANCEL", "sip:96201@example.com", branch="z9hG4bKcall1", to="<sip:96201@example.com>", contact=""
    )
    office.receive(cancel, TRUNK)
    assert sorted(office.words(TRUNK)) == ["200", "487"]
    assert office.words(PHONE) == ["CANCEL"]
    office.answer(ring, 200, sdp(5000, host="192.0.2.7"))
    assert office.words(PHONE) == ["CANCEL", "ACK", "BYE"]
    office.answer(office.last("CANCEL"), 200)
    office.answer(office.last("BYE"), 200)
    refused = office.last("487", TRUNK).message.header("to") or ""
    office.receive(request("ACK", "sip:96201@example.com", branch="z9hG4bKcall1", to=refused), TRUNK)
    assert office.verdicts() == [("caller", "caller:cancelled", 487)]
    office.advance(60.0)
    assert office.is_quiet()
