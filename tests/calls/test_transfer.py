"""Transfers: RFC 5359 2.4 and 2.5 through the switch, row T35 of the conformance checklist."""

import gc

import pytest

from calls.call import Call
from calls.events import CallQueued, SeatFreed, SeatTaken
from kernel.rows import CallRow
from media.messages import Connect, Play
from sip.flows import Flow
from tests.calls.office import OTHER_PHONE, THIRD_PHONE, Office, call_settings, direction_of, sdp
from tests.sip.scene import PHONE, TRUNK, Sent, request


def refer_to(number: str = "2001") -> tuple[str, ...]:
    return (f"Refer-To: <sip:{number}@example.com>", "Referred-By: <sip:8001@example.com>")


def talking(**calls: object) -> tuple[Office, Call, Sent, Sent]:
    """A trunk's caller talks to seat 8001, of a queue; 2001 and 8002 are there too."""
    office = Office(call_settings(**calls) if calls else None)
    office.register("8001")
    office.register("2001", "other")
    office.register("8002", "third")
    office.book.phones["8001"] = ("softphone", "8001")
    office.book.phones["8002"] = ("softphone", "8002")
    call, ok, invite = office.talk()
    return office, call, ok, invite


def told(office: Office) -> list[str]:
    """What the NOTIFYs say, repetitions left out."""
    notifies = {sent.message.cseq: sent.message for sent in office.sent if sent.word == "NOTIFY"}
    return [
        f"{message.body.decode().split()[1]} {(message.header('subscription-state') or '')[:6]}"
        for message in notifies.values()
    ]


def settle(office: Office) -> None:
    """Be every phone: answer what the switch asks, until nothing is left open."""
    done: set[int] = getattr(office, "done", set())
    for sent in list(office.sent):
        if id(sent) not in done and sent.word in ("NOTIFY", "BYE", "CANCEL"):
            done.add(id(sent))
            office.answer(sent, 200)
    office.advance(45.0)


def rows(office: Office) -> list[tuple[str, str, str, str, str, int]]:
    return [
        (row.caller, row.called, row.seat, row.ended_by, row.verdict, row.sip_status)
        for row in office.rows
        if isinstance(row, CallRow)
    ]


def linked(office: Office) -> list[str]:
    """Return where each row says that the transferee is talking on."""
    return [row.continued_as for row in office.rows if isinstance(row, CallRow)]


def test_a_seat_transfers_its_caller_to_an_extension() -> None:
    """T35: RFC 5359 2.4: 202, NOTIFY 100, 180, 200; the caller moves at the answer, the seat is free."""
    office, call, ok, invite = talking()
    office.advance(8.0)
    office.phone_says("REFER", invite, 1, headers=refer_to())
    assert office.words(PHONE)[-2:] == ["202", "NOTIFY"]
    ring = office.last("INVITE", OTHER_PHONE)
    assert "sip:13800000000@" in (ring.message.header("from") or "")
    assert ring.message.header("referred-by") == "<sip:8001@example.com>"
    assert (call.state, len(office.board.calls)) == ("talking", 2)
    office.answer(ring, 180)
    office.advance(2.0)
    office.answer(ring, 200, sdp(6000, host="192.0.2.8"))
    assert told(office) == ["100 active", "180 active", "200 termin"]
    assert office.words(PHONE)[-1] == "BYE"
    (freed,) = office.events(SeatFreed)
    assert (freed.seat, freed.call, freed.bridged) == ("8001", call.id, True)
    (second,) = office.board.calls.values()
    assert (second.state, second.caller, second.called) == ("talking", "13800000000", "2001")
    assert "BYE" not in office.words(TRUNK)
    streams = [it for it in office.commands if isinstance(it, Connect)]
    assert len(streams) == 2
    assert streams[0].a == streams[1].a
    office.advance(5.0)
    office.caller_says("BYE", ok, 2)
    assert rows(office) == [
        ("13800000000", "96198", "8001", "seat", "success:transferred", 200),
        ("13800000000", "2001", "", "caller", "success", 200),
    ]
    first, last = (row for row in office.rows if isinstance(row, CallRow))
    assert (first.continued_as, last.continued_as) == (last.call, "")
    assert (first.talked, last.waited, last.talked, last.entry) == (10.0, 2.0, 5.0, "extension:2001")
    assert (first.trunk, last.trunk) == ("carrier", "carrier")
    assert office.board.gate.calls("carrier") == 0
    settle(office)
    assert office.is_quiet()


def test_the_transferor_hangs_up_while_the_target_rings() -> None:
    """RFC 5589 6.1: most phones send BYE at once; the caller waits for the target with music."""
    office, call, ok, invite = talking()
    office.phone_says("REFER", invite, 1, headers=refer_to())
    office.phone_says("BYE", invite, 2)
    assert call.state == "ended"
    assert office.events(SeatFreed)[0].bridged
    (second,) = office.board.calls.values()
    assert (second.state, second.caller_leg is not None) == ("ringing", True)
    assert isinstance(office.commands[-1], Play)
    office.answer(office.last("INVITE", OTHER_PHONE), 200, sdp(6000, host="192.0.2.8"))
    assert second.state == "talking"
    assert told(office)[-1] == "200 termin"
    office.caller_says("BYE", ok, 2)
    assert [row[4] for row in rows(office)] == ["success:transferred", "success"]
    settle(office)
    assert office.is_quiet()


@pytest.mark.parametrize(("status", "verdict"), [(603, "refused"), (486, "refused"), (408, "unreachable")])
def test_a_target_that_fails_leaves_the_call_as_it_was(status: int, verdict: str) -> None:
    """T35: the transferor hears how the target failed, and has its call still."""
    office, call, _, invite = talking()
    office.phone_says("REFER", invite, 1, headers=refer_to())
    office.answer(office.last("INVITE", OTHER_PHONE), status)
    assert told(office) == ["100 active", f"{status} termin"]
    assert (call.state, list(office.board.calls.values())) == ("talking", [call])
    assert rows(office) == [("13800000000", "2001", "", "seat", f"agent:{verdict}", status)]
    assert linked(office) == [call.id]
    office.phone_says("REFER", invite, 2, headers=refer_to("8002"))
    office.answer(office.last("INVITE", THIRD_PHONE), 200, sdp(6000, host="192.0.2.9"))
    assert call.state == "ended"
    assert office.last("NOTIFY").message.header("event") == "refer;id=2"


def test_a_target_that_fails_when_the_transferor_has_left_ends_the_call() -> None:
    office, _, _, invite = talking()
    office.phone_says("REFER", invite, 1, headers=refer_to())
    office.phone_says("BYE", invite, 2)
    office.answer(office.last("INVITE", OTHER_PHONE), 486)
    assert told(office)[-1] == "486 termin"
    assert office.words(TRUNK)[-1] == "BYE"
    assert [row[4] for row in rows(office)] == ["success:transferred", "agent:refused"]
    first, second = (row for row in office.rows if isinstance(row, CallRow))
    assert linked(office) == [second.call, ""]
    assert first.call != second.call
    settle(office)
    assert office.is_quiet()


def test_a_target_that_does_not_answer() -> None:
    """T35: the target rings for ring_for (60 s), then 480."""
    office, call, _, invite = talking()
    office.phone_says("REFER", invite, 1, headers=refer_to())
    office.answer(office.last("NOTIFY"), 200)
    office.answer(office.last("INVITE", OTHER_PHONE), 180)
    office.answer(office.last("NOTIFY"), 200)
    office.advance(60.0)
    assert office.words(OTHER_PHONE)[-1] == "CANCEL"
    assert told(office)[-1] == "480 termin"
    assert call.state == "talking"


def test_the_caller_hangs_up_while_the_target_rings() -> None:
    office, call, ok, invite = talking()
    office.phone_says("REFER", invite, 1, headers=refer_to())
    ring = office.last("INVITE", OTHER_PHONE)
    office.answer(ring, 180)
    office.caller_says("BYE", ok, 2)
    assert office.words(OTHER_PHONE)[-1] == "CANCEL"
    assert told(office)[-1] == "487 termin"
    assert [row[4:] for row in rows(office)] == [("caller:abandoned", 487), ("success", 200)]
    assert linked(office) == [call.id, ""]
    assert (call.state, office.board.calls) == ("ended", {})
    office.answer(ring, 487)
    settle(office)
    assert office.is_quiet()


def test_a_caller_on_hold_is_taken_up_again() -> None:
    """Phones hold before they transfer: the transferee is offered both directions by the switch."""
    office, _, _, invite = talking()
    office.phone_says("INVITE", invite, 1, sdp(5000, "sendonly", "192.0.2.7", 2))
    office.phone_says("ACK", invite, 1)
    hold = office.last("INVITE", TRUNK)
    office.answer(hold, 200, sdp(4000, "recvonly", version=2))
    office.advance(3.0)
    office.phone_says("REFER", invite, 2, headers=refer_to())
    office.answer(office.last("INVITE", OTHER_PHONE), 200, sdp(6000, host="192.0.2.8"))
    resume = office.last("INVITE", TRUNK)
    assert resume is not hold
    assert direction_of(resume.message.body) == "sendrecv"
    (row,) = [row for row in office.rows if isinstance(row, CallRow)]
    assert row.held == 3.0


def test_a_seat_transfers_its_caller_into_a_queue() -> None:
    """The transfer is done when the caller waits; the engine is told as of any caller."""
    office, call, _, invite = talking()
    office.phone_says("REFER", invite, 1, headers=refer_to("96198"))
    assert told(office) == ["100 active", "200 termin"]
    assert office.words(PHONE)[-1] == "BYE"
    (second,) = office.board.calls.values()
    assert (second.state, second.queue, call.state) == ("waiting", "junior", "ended")
    queued = office.events(CallQueued)[-1]
    assert (queued.call, queued.queue, queued.caller) == (second.id, "junior", "13800000000")
    offered = office.ring(second, "8002", "o2")
    assert offered.flow == THIRD_PHONE
    office.answer(offered, 200, sdp(6000, host="192.0.2.9"))
    assert second.state == "talking"


def test_a_caller_transfers_the_seat_away() -> None:
    """The queue's bookkeeping is right: the seat's queue call is over, its phone talks on."""
    office, call, _, invite = talking()
    second = office.dial(
        "96198",
        "inner",
        THIRD_PHONE,
        from_="<sip:8002@example.com>;tag=b",
        contact="<sip:8002@192.0.2.9:5066>",
    )
    assert second is not None
    ok = office.last("200", THIRD_PHONE)
    office.caller_says("ACK", ok, 1)
    office.phone_says("BYE", invite, 1)
    ring = office.ring(second, "8001", "o2")
    office.answer(ring, 200, sdp(5000, host="192.0.2.7"))
    office.told.clear()
    office.caller_says("REFER", ok, 2, headers=refer_to())
    office.answer(office.last("INVITE", OTHER_PHONE), 200, sdp(6000, host="192.0.2.8"))
    (third,) = office.board.calls.values()
    assert (third.caller, third.called, third.state) == ("8001", "2001", "talking")
    seats = [
        event for event in office.told if isinstance(event, SeatTaken | SeatFreed) and event.seat == "8001"
    ]
    assert (type(seats[0]), seats[0].call) == (SeatTaken, third.id)
    freed = [event for event in seats if isinstance(event, SeatFreed)]
    assert [(event.call, event.bridged) for event in freed] == [(second.id, True)]
    assert (call.state, rows(office)[-1][2:5]) == ("ended", ("8001", "caller", "success:transferred"))


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("sip:4711@example.com", "404"),
        ("sip:2001@elsewhere.example", "403"),
        ("sip:00882139@10.0.0.9:5080", "403"),
        ("tel:+8613900000000", "404"),
        ("sip:2001@10.0.0.1:5061", "403"),
    ],
)
def test_nobody_is_led_where_the_seat_could_not_call(target: str, status: str) -> None:
    """A-TOLL: foreign hosts and unknown numbers are refused at once, and nothing is sent there."""
    office, call, _, invite = talking()
    before = len(office.words(TRUNK))
    office.phone_says("REFER", invite, 1, headers=(f"Refer-To: <{target}>",))
    assert office.words(PHONE)[-1] == status
    assert (call.state, len(office.words(TRUNK))) == ("talking", before)
    assert [sent.flow for sent in office.sent if sent.word == "INVITE"] == [PHONE]


def test_our_own_address_is_as_good_as_our_domain() -> None:
    office, _, _, invite = talking()
    office.phone_says("REFER", invite, 1, headers=("Refer-To: <sip:2001@10.0.0.1:5060>",))
    assert office.words(PHONE)[-2] == "202"


def test_a_trunk_never_transfers() -> None:
    """Transit guard: a REFER from a trunk is 403, wherever it points."""
    office, call, ok, _ = talking()
    for cseq, number in enumerate(("2001", "96198", "8002"), 2):
        office.caller_says("REFER", ok, cseq, headers=refer_to(number))
        assert office.words(TRUNK)[-1] == "403"
    assert (call.state, len(office.board.calls)) == ("talking", 1)


def test_a_busy_target() -> None:
    """The transfer is taken, its end is 486, and the refused call has its row."""
    office, call, _, invite = talking()
    assert office.dial("2001", "busy", THIRD_PHONE, from_="<sip:8002@example.com>;tag=b") is not None
    office.phone_says("REFER", invite, 1, headers=refer_to("8002"))
    assert told(office) == ["100 active", "486 termin"]
    assert rows(office) == [("13800000000", "8002", "", "switch", "agent:busy", 486)]
    assert linked(office) == [call.id]
    assert call.state == "talking"


def test_one_transfer_at_a_time() -> None:
    office, _, _, invite = talking()
    office.phone_says("REFER", invite, 1, headers=refer_to())
    office.phone_says("REFER", invite, 2, headers=refer_to("8002"))
    assert office.words(PHONE)[-1] == "491"


def test_who_waits_has_nobody_to_transfer() -> None:
    office, _, _, _ = talking()
    waiting = office.dial("96198", "inner", THIRD_PHONE, from_="<sip:8002@example.com>;tag=b")
    assert waiting is not None
    ok = office.last("200", THIRD_PHONE)
    office.caller_says("ACK", ok, 1)
    office.caller_says("REFER", ok, 2, headers=refer_to())
    assert office.words(THIRD_PHONE)[-1] == "603"


def test_a_switch_that_stops_ends_a_transfer() -> None:
    office, _, _, invite = talking()
    office.phone_says("REFER", invite, 1, headers=refer_to())
    office.board.end_all(office.now)
    office.settle()
    assert office.board.calls == {}
    assert not office.board.transfers.pending
    assert len(rows(office)) == 2


# Attended.


def consulting() -> tuple[Office, Call, Sent, Sent, Call, Sent]:
    """Seat 8001 holds its caller and has called 2001: the first call's, then the second call's messages."""
    office, call, ok, invite = talking()
    office.phone_says("INVITE", invite, 1, sdp(5000, "sendonly", "192.0.2.7", 2))
    office.phone_says("ACK", invite, 1)
    office.answer(office.last("INVITE", TRUNK), 200, sdp(4000, "recvonly", version=2))
    consult = office.dial(
        "2001", "consult", PHONE, from_="<sip:8001@example.com>;tag=c", contact="<sip:8001@192.0.2.7:5062>"
    )
    assert consult is not None
    return office, call, ok, invite, consult, office.last("INVITE", OTHER_PHONE)


def replacing(
    office: Office, tags: tuple[str, str] | None = None, call_id: str = "consult"
) -> tuple[str, ...]:
    to_tag, from_tag = tags or (office.last("180", PHONE).message.to_tag, "c")
    asked = f"{call_id}%3Bto-tag%3D{to_tag}%3Bfrom-tag%3D{from_tag}"
    return (f"Refer-To: <sip:10.0.0.1:5060?Replaces={asked}>",)


def test_a_seat_hands_its_caller_to_whom_it_has_consulted() -> None:
    """T35: RFC 5359 2.5: the caller takes the seat's place in the second call; both hear each other."""
    office, call, ok, invite, consult, ring = consulting()
    office.answer(ring, 180)
    office.answer(ring, 200, sdp(6000, host="192.0.2.8"))
    office.caller_says("ACK", office.last("200", PHONE), 1)
    assert consult.state == "talking"
    office.commands.clear()
    office.told.clear()
    office.phone_says("REFER", invite, 2, headers=replacing(office))
    assert told(office) == ["100 active", "200 termin"]
    assert office.words(PHONE).count("BYE") == 2
    assert list(office.board.calls.values()) == [consult]
    assert (consult.state, call.state) == ("talking", "ended")
    assert len([it for it in office.commands if isinstance(it, Connect)]) == 1
    resume = office.last("INVITE", TRUNK)
    assert direction_of(resume.message.body) == "sendrecv"
    freed = office.events(SeatFreed)
    assert [(event.seat, event.call, event.bridged) for event in freed] == [
        ("8001", consult.id, False),
        ("8001", call.id, True),
    ]
    office.answer(resume, 200, sdp(4000, version=3))
    office.caller_says("BYE", ok, 5)
    assert [row[4] for row in rows(office)] == ["success:transferred", "success"]
    linked = [row.continued_as for row in office.rows if isinstance(row, CallRow)]
    assert linked == [consult.id, ""]
    assert office.board.gate.calls("carrier") == 0
    settle(office)
    assert office.is_quiet()


def test_a_seat_hands_its_caller_over_before_the_target_answers() -> None:
    """T35, blonde: the caller hears music until the target answers."""
    office, call, ok, invite, consult, ring = consulting()
    office.answer(ring, 180)
    office.phone_says("REFER", invite, 2, headers=replacing(office))
    assert told(office) == ["100 active", "200 termin"]
    assert "487" in office.words(PHONE)
    assert (consult.state, call.state) == ("ringing", "ended")
    assert isinstance(office.commands[-1], Play)
    office.answer(ring, 200, sdp(6000, host="192.0.2.8"))
    assert consult.state == "talking"
    assert consult.caller_leg is not None
    assert consult.caller_leg.number == "13800000000"
    office.caller_says("BYE", ok, 5)
    office.receive(
        request(
            "ACK",
            "sip:2001@example.com",
            branch="z9hG4bKconsult",
            call_id="consult",
            to=office.last("487", PHONE).message.header("to") or "",
            from_="<sip:8001@example.com>;tag=c",
            via="192.0.2.7:5062",
        ),
        PHONE,
    )
    settle(office)
    assert office.is_quiet()


@pytest.mark.parametrize("wrong", ["call_id", "to-tag", "from-tag"])
def test_a_dialog_that_is_not_there(wrong: str) -> None:
    """As its INVITE would be answered: the end of the transfer is 481, and both calls go on."""
    office, call, _, invite, consult, ring = consulting()
    office.answer(ring, 180)
    tags = [office.last("180", PHONE).message.to_tag, "c"]
    names = {"call_id": "consult", "to-tag": tags[0], "from-tag": tags[1]} | {wrong: "other"}
    asked = replacing(office, (names["to-tag"], names["from-tag"]), names["call_id"])
    office.phone_says("REFER", invite, 2, headers=asked)
    assert told(office) == ["100 active", "481 termin"]
    assert (call.state, consult.state) == ("talking", "ringing")


def test_somebody_elses_call_cannot_be_given_away() -> None:
    """A-DLG: who knows the names of a dialog is not yet its owner."""
    office, call, _, _, consult, ring = consulting()
    office.answer(ring, 200, sdp(6000, host="192.0.2.8"))
    tag = office.last("200", PHONE).message.to_tag
    office.caller_says("ACK", office.last("200", PHONE), 1)
    theft = office.dial("8002", "theft", OTHER_PHONE, from_="<sip:2001@example.com>;tag=t")
    assert theft is not None
    office.answer(office.last("INVITE", THIRD_PHONE), 200, sdp(6002, host="192.0.2.9"))
    mine = office.last("200", OTHER_PHONE)
    office.caller_says("ACK", mine, 1)
    office.caller_says("REFER", mine, 2, headers=replacing(office, (tag, "c")))
    assert office.words(OTHER_PHONE)[-1] == "403"
    assert {call.state, consult.state, theft.state} == {"talking"}


@pytest.mark.parametrize("flow", [TRUNK, OTHER_PHONE])
def test_nobody_enters_a_call_by_knowing_its_names(flow: Flow) -> None:
    """A-DLG: an INVITE with the right Replaces is 403, and the call goes on."""
    office, call, ok, _ = talking()
    leg = call.caller_leg
    assert leg is not None
    assert leg.session is not None
    value = f"Replaces: call1;to-tag={leg.session.local_tag};from-tag=from1"
    me = "<sip:13900000000@carrier.example>;tag=z" if flow is TRUNK else "<sip:2001@example.com>;tag=z"
    assert office.dial("96198", "thief", flow, from_=me, headers=(value,)) is None
    assert office.words(flow)[-1] == "403"
    assert (call.state, ok.flow) == ("talking", TRUNK)
    assert [row[4] for row in rows(office)] == ["caller:replaces"]


def test_a_hundred_transfers_leave_nothing_for_the_collector() -> None:
    """Each succeeds, is asked once more for nobody, or loses its target; reference counting frees all."""
    office, _, _, invite = talking()
    office.phone_says("BYE", invite, 1)
    office.answer(office.last("BYE", TRUNK), 200)
    _transferred(office, 0)
    office.advance(80.0)
    office.sent.clear()
    office.told.clear()
    del invite
    gc.collect()
    gc.disable()
    try:
        for number in range(1, 101):
            _transferred(office, number)
            office.advance(2.0)
            office.sent.clear()
            office.told.clear()
        office.advance(80.0)
        office.rows.clear()
        office.sent.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert office.is_quiet()
    assert office.board.gate.total() == 0


def _transferred(office: Office, number: int) -> None:
    _, ok, invite = office.talk(f"call{number}x", f"offer{number}")
    office.phone_says("REFER", invite, 1, headers=refer_to())
    office.answer(office.last("NOTIFY"), 200)
    ring = office.last("INVITE", OTHER_PHONE)
    if number % 2:
        office.answer(ring, 486)
        office.phone_says("BYE", invite, 2)
        office.answer(office.last("BYE", TRUNK), 200)
    else:
        office.answer(ring, 200, sdp(6000, host="192.0.2.8"))
        office.answer(office.last("BYE", PHONE), 200)
        office.caller_says("BYE", ok, 2)
        office.answer(office.last("BYE", OTHER_PHONE), 200)
    office.answer(office.last("NOTIFY"), 200)
