"""INVITEs with Replaces: rows T34 and T35 of the conformance checklist, and A-DLG."""

import gc

import pytest

from calls.call import Call
from calls.events import SeatFreed, SeatTaken
from kernel.rows import CallRow
from media.messages import Connect, Play
from sip.flows import Flow
from tests.calls.office import OTHER_PHONE, THIRD_PHONE, Office, call_settings, direction_of, sdp
from tests.sip.scene import PHONE, TRUNK, Sent, request

NAMES = {PHONE: "8001", OTHER_PHONE: "2001", THIRD_PHONE: "8002"}


def made(**calls: object) -> Office:
    office = Office(call_settings(**calls) if calls else None)
    office.register("8001")
    office.register("2001", "other")
    office.register("8002", "third")
    office.book.phones["8001"] = ("softphone", "8001")
    office.book.phones["8002"] = ("softphone", "8002")
    return office


def dialog_of(invite: Sent, tag: str = "callee1") -> str:
    """The Replaces of a dialog that began with an INVITE of ours: our own tag is its to-tag."""
    message = invite.message
    return f"{message.call_id};to-tag={message.from_tag};from-tag={tag}"


def enter(office: Office, replaces: str, flow: Flow = OTHER_PHONE, name: str = "in", **more: object) -> None:
    """Send an INVITE with Replaces from the phone at ``flow``."""
    number = NAMES.get(flow, "13900000000")
    office.dial(
        "8001",
        name,
        flow,
        from_=f"<sip:{number}@example.com>;tag=new",
        contact=f"<sip:{number}@{flow.host}:{flow.port}>",
        **{"headers": (f"Replaces: {replaces}",), "body": sdp(6000, host=flow.host), **more},
    )


def rows(office: Office) -> list[tuple[str, str, str, str, str]]:
    return [
        (row.caller, row.seat, row.ended_by, row.verdict, row.continued_as)
        for row in office.rows
        if isinstance(row, CallRow)
    ]


def connected(office: Office) -> list[frozenset[int]]:
    return [frozenset((it.a, it.b)) for it in office.commands if isinstance(it, Connect)]


def finish(office: Office) -> None:
    """Let every phone answer what is left open."""
    for sent in list(office.sent):
        if sent.word in ("BYE", "CANCEL"):
            office.answer(sent, 200)
    office.advance(70.0)
    assert office.is_quiet()


def test_a_phone_takes_the_place_of_a_seat_whose_caller_goes_on_talking() -> None:
    """T34, T35: 200 to the INVITE, BYE to the old phone; the caller notices nothing but the voice; both rows
    are linked, and the seat's call of the queue is over.
    """
    office = made()
    call, ok, invite = office.talk()
    caller = call.caller_leg
    assert caller is not None
    office.advance(5.0)
    office.sent.clear()
    office.commands.clear()
    enter(office, dialog_of(invite))
    assert office.words(OTHER_PHONE) == ["100", "200"]
    assert office.words(PHONE) == ["BYE"]
    assert office.words(TRUNK) == []
    office.caller_says("ACK", office.last("200", OTHER_PHONE), 1)
    assert list(office.board.calls.values()) == [call]
    assert call.callee is not None
    assert (call.state, call.callee.number) == ("talking", "2001")
    assert connected(office)[-1] == {caller.stream, call.callee.stream}
    assert [(it.seat, it.call, it.bridged) for it in office.events(SeatFreed)] == [("8001", call.id, True)]
    assert rows(office) == [("2001", "", "caller", "success:transferred", call.id)]
    office.advance(5.0)
    office.caller_says("BYE", ok, 2)
    assert rows(office)[1] == ("13800000000", "8001", "caller", "success", "")
    assert office.words(OTHER_PHONE)[-1] == "BYE"
    finish(office)


def test_a_caller_hands_its_own_place_to_another_phone_and_what_was_held_is_taken_up() -> None:
    """T35, attended among the phones themselves: 8001 has called 2001 and holds it; 8002 takes its place."""
    office = made()
    me = "<sip:8001@192.0.2.7:5062>"
    first = office.dial("2001", "first", PHONE, from_="<sip:8001@example.com>;tag=c", contact=me)
    assert first is not None
    ring = office.last("INVITE", OTHER_PHONE)
    office.answer(ring, 200, sdp(5002, host="192.0.2.8"))
    ok = office.last("200", PHONE)
    office.caller_says("ACK", ok, 1)
    office.caller_says("INVITE", ok, 2, sdp(4000, "sendonly", "192.0.2.7", 2), contact=me)
    office.caller_says("ACK", office.last("200", PHONE), 2)
    office.answer(office.last("INVITE", OTHER_PHONE), 200, sdp(5002, "recvonly", "192.0.2.8", 2))
    assert first.held
    office.told.clear()
    enter(office, f"first;to-tag={ok.message.to_tag};from-tag=c", THIRD_PHONE)
    assert office.words(THIRD_PHONE)[-1] == "200"
    assert office.words(PHONE)[-1] == "BYE"
    resume = office.last("INVITE", OTHER_PHONE)
    assert direction_of(resume.message.body) == "sendrecv"
    assert not first.held
    assert first.caller_leg is not None
    assert first.caller_leg.number == "8002"
    seats = [(type(it), it.seat) for it in office.told if isinstance(it, SeatTaken | SeatFreed)]
    assert seats.count((SeatFreed, "8001")) == 1
    assert seats.index((SeatTaken, "8002")) < seats.index((SeatFreed, "8002"))  # of the call that it left
    office.answer(resume, 200, sdp(5002, "sendrecv", "192.0.2.8", 3))
    office.caller_says("ACK", office.last("200", THIRD_PHONE), 1)
    office.caller_says("BYE", office.last("200", THIRD_PHONE), 2)
    assert [row[3:] for row in rows(office)] == [("success:transferred", first.id), ("success", "")]
    finish(office)


@pytest.mark.parametrize("tag", ["callee1", "0"])
def test_a_call_that_rings_is_picked_up_by_another_phone(tag: str) -> None:
    """T34: an early dialog that we started: the INVITE is accepted and the phone that rang gets CANCEL, with
    a Reason that keeps it from counting a missed call. "0" is the tag of a phone older than RFC 3261.
    """
    office = made()
    call = office.dial("96201")
    assert call is not None
    ring = office.last("INVITE", PHONE)
    office.answer(ring, 180, tag="" if tag == "0" else tag)
    enter(office, dialog_of(ring, tag))
    assert office.words(OTHER_PHONE) == ["100", "200"]
    cancel = office.last("CANCEL", PHONE)
    assert "cause=200" in (cancel.message.header("reason") or "")
    assert office.words(TRUNK)[-1] == "200"
    assert call.state == "talking"
    assert [(it.seat, it.bridged) for it in office.events(SeatFreed)] == [("8001", False)]
    assert rows(office) == [("2001", "", "caller", "success:transferred", call.id)]
    office.answer(ring, 487)
    office.caller_says("ACK", office.last("200", OTHER_PHONE), 1)
    office.caller_says("ACK", office.last("200", TRUNK), 1)
    office.caller_says("BYE", office.last("200", TRUNK), 2)
    assert rows(office)[-1][3] == "success"
    finish(office)


def test_a_lamp_says_how_to_pick_up() -> None:
    """RFC 4235 4.1.1: Replaces of what the NOTIFY says finds the call, whatever tag the phone has by then."""
    office = made()
    call = office.dial("96201")
    assert call is not None
    ring = office.last("INVITE", PHONE)
    office.answer(ring, 180, tag="phone")
    sip_call_id, tag = office.board.lines.lamp("8001").dialog
    assert dialog_of(ring, "0") == f"{sip_call_id};to-tag={tag};from-tag=0"
    enter(office, dialog_of(ring, "0"))
    assert office.words(OTHER_PHONE) == ["100", "200"]
    assert office.last("CANCEL", PHONE)
    assert office.board.lines.lamp("8001").dialog == ("", "")


def test_who_waits_is_replaced_and_hears_the_music() -> None:
    """A phone of ours that waits in a queue hands its place on: its visit goes on."""
    office = made()
    waiting = office.dial("96198", "w", PHONE, from_="<sip:8001@example.com>;tag=c")
    assert waiting is not None
    ok = office.last("200", PHONE)
    office.caller_says("ACK", ok, 1)
    enter(office, f"w;to-tag={ok.message.to_tag};from-tag=c")
    assert office.words(OTHER_PHONE)[-1] == "200"
    assert waiting.state == "waiting"
    assert waiting.caller_leg is not None
    assert waiting.caller_leg.number == "2001"
    assert [it for it in office.commands if isinstance(it, Play)][-1].stream == waiting.caller_leg.stream


def talking() -> tuple[Office, Call, Sent, str]:
    """A queue call; the INVITE to the seat's phone, and the Replaces of the caller's dialog."""
    office = made()
    call, ok, invite = office.talk()
    return office, call, invite, f"call1;to-tag={ok.message.to_tag};from-tag=from1"


@pytest.mark.parametrize("flow", [TRUNK, OTHER_PHONE, PHONE])
def test_nobody_takes_the_line_of_a_trunk(flow: Flow) -> None:
    """A-DLG: right names, and yet 403; a trunk gets nobody's place, not even its own."""
    office, call, invite, callers = talking()
    enter(office, callers, flow)
    assert office.words(flow)[-1] == "403"
    if flow is TRUNK:
        enter(office, dialog_of(invite), flow, "again")
        assert office.words(flow)[-1] == "403"
    assert call.state == "talking"
    assert {row[3] for row in rows(office)} == {"caller:replaces"}
    assert "BYE" not in office.words(PHONE) + office.words(TRUNK)


def test_another_tenant_stays_out() -> None:
    """A-DLG: an account of another tenant that knows all three names is 403."""
    office = made(extensions={"2001": "other"})
    call, _, invite = office.talk()
    enter(office, dialog_of(invite))
    assert office.words(OTHER_PHONE)[-1] == "403"
    assert call.state == "talking"


def test_an_offer_is_its_seats() -> None:
    """The ring of a queue's offer is not picked up by others: distribution has chosen."""
    office = made()
    call = office.dial("96198")
    assert call is not None
    office.caller_says("ACK", office.last("200"), 1)
    ring = office.ring(call)
    office.answer(ring, 180)
    enter(office, dialog_of(ring))
    assert office.words(OTHER_PHONE)[-1] == "403"
    assert call.state == "ringing"


@pytest.mark.parametrize(
    ("change", "status"),
    [("early", "486"), ("tag", "481"), ("over", "603"), ("twice", "400"), ("transfer", "491")],
)
def test_what_cannot_be_replaced(change: str, status: str) -> None:
    """T34: early-only on a confirmed dialog 486, no match 481, ended 603, two 400; 491 in a transfer."""
    office, call, invite, _ = talking()
    value = dialog_of(invite, "other" if change == "tag" else "callee1")
    headers = (f"Replaces: {value}",)
    if change == "early":
        headers = (f"Replaces: {value};early-only",)
    elif change == "twice":
        headers *= 2
    elif change == "over":
        office.board.hang_up(call.id, "test", office.now)
    elif change == "transfer":
        office.phone_says("REFER", invite, 1, headers=("Refer-To: <sip:8002@example.com>",))
    enter(office, value, headers=headers)
    assert office.words(OTHER_PHONE)[-1] == status


def test_a_place_that_is_gone_when_the_stream_opens() -> None:
    """Between the INVITE and its stream the call has ended: 481."""
    office, call, invite, _ = talking()
    opened = office.board.streams.open
    office.board.streams.open = lambda leg, now: None  # type: ignore[method-assign]
    enter(office, dialog_of(invite))
    leg = list(office.board.calls.values())[-1].caller_leg
    assert leg is not None
    office.board.hang_up(call.id, "test", office.now)
    opened(leg, office.now)
    office.settle()
    assert office.words(OTHER_PHONE)[-1] == "481"
    assert rows(office)[-1][3] == "caller:replaces"


def test_a_caller_that_gives_up_changes_nothing() -> None:
    """CANCEL before the stream is open: 487, and the call it was sent for goes on."""
    office, call, invite, _ = talking()
    office.board.streams.open = lambda leg, now: None  # type: ignore[method-assign]
    enter(office, dialog_of(invite))
    cancel = request(
        "CANCEL",
        "sip:8001@example.com",
        branch="z9hG4bKin",
        via="192.0.2.8:5064",
        from_="<sip:2001@example.com>;tag=new",
        to="<sip:8001@example.com>",
        call_id="in",
        contact="",
    )
    office.receive(cancel, OTHER_PHONE)
    assert sorted(office.words(OTHER_PHONE)) == ["100", "200", "487"]
    assert list(office.board.calls.values()) == [call]


def test_an_invite_without_an_offer_is_offered_something() -> None:
    """The offer is in our 200, the answer in the ACK."""
    office, call, invite, _ = talking()
    enter(office, dialog_of(invite), body=b"")
    ok = office.last("200", OTHER_PHONE)
    assert b"m=audio" in ok.message.body
    office.caller_says("ACK", ok, 1, sdp(6000, host="192.0.2.8"))
    assert call.callee is not None
    assert call.callee.agreement is not None


def test_replacements_leave_nothing_for_the_collector() -> None:
    office = made()
    _replaced(office, 0)
    office.advance(80.0)
    office.sent.clear()
    office.told.clear()
    gc.collect()
    gc.disable()
    try:
        for number in range(1, 41):
            _replaced(office, number)
            office.advance(2.0)
            office.sent.clear()
            office.told.clear()
        office.advance(80.0)
        office.rows.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert office.is_quiet()


def _replaced(office: Office, number: int) -> None:
    _, ok, invite = office.talk(f"call{number}x", f"offer{number}")
    enter(office, dialog_of(invite), name=f"in{number}x")
    mine = office.last("200", OTHER_PHONE)
    office.caller_says("ACK", mine, 1)
    office.answer(office.last("BYE", PHONE), 200)
    office.caller_says("BYE", ok, 2)
    office.answer(office.last("BYE", OTHER_PHONE), 200)
