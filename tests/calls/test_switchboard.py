"""The switchboard: what becomes of callers, phones and their audio, in virtual time and as text."""

import gc

import pytest

from calls.call import CallState
from calls.events import (
    CallChanged,
    CallGone,
    CallQueued,
    PhoneChanged,
    SeatAnswered,
    SeatFailed,
    SeatFreed,
    SeatRang,
    SeatTaken,
)
from calls.settings import QueueMedia, TrunkSettings
from kernel.errors import OperationRefused
from kernel.rows import CallRow, StreamRow
from media.messages import Connect, Play, SetRemote
from sip.settings import TrunkPeer
from tests.calls.office import OTHER_PHONE, Office, call_settings, sdp
from tests.sip.scene import PHONE, STRANGER, TRUNK, request


def test_a_queue_call_from_the_first_invite_to_the_last_bye() -> None:
    """Answered at once, offered, bridged, talks 10 s; one row for the call, one for each stream."""
    office = Office()
    office.register("8001")
    call = office.dial("96198")
    assert call is not None
    assert office.words(TRUNK) == ["100", "200"]
    ok = office.last("200")
    office.caller_says("ACK", ok, 1)
    office.advance(4.0)
    invite = office.ring(call)
    assert (invite.flow, call.state) == (PHONE, "ringing")
    assert invite.message.header("x-queue") == "junior"
    assert "sip:13800000000@" in (invite.message.header("from") or "")
    assert invite.message.call_id != "call1"
    office.answer(invite, 180)
    office.advance(2.0)
    office.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    assert call.state == "talking"
    assert office.words(PHONE) == ["INVITE", "ACK"]
    office.advance(10.0)
    office.phone_says("BYE", invite, 1)
    bye = office.last("BYE", TRUNK)
    office.answer(bye, 200)
    assert [type(event) for event in office.told if not isinstance(event, CallChanged | PhoneChanged)] == [
        CallQueued,
        SeatRang,
        SeatAnswered,
        SeatFreed,
    ]
    assert office.events(SeatFreed)[0].bridged
    (row,) = [row for row in office.rows if isinstance(row, CallRow)]
    assert (row.tenant, row.direction, row.caller, row.called, row.trunk, row.entry) == (
        "demo",
        "in",
        "13800000000",
        "96198",
        "carrier",
        "queue:junior",
    )
    assert (row.waited, row.talked, row.held, row.seat) == (6.0, 10.0, 0.0, "8001")
    assert (row.ended_by, row.verdict, row.sip_status) == ("seat", "success", 200)
    streams = [row for row in office.rows if isinstance(row, StreamRow)]
    assert [(row.side, row.codec, row.packets_received) for row in streams] == [
        ("callee", "PCMU", 50),
        ("caller", "PCMU", 50),
    ]
    office.advance(40.0)
    assert office.is_quiet()


def test_the_waiting_caller_hears_the_queue_and_then_the_seat() -> None:
    office = Office()
    office.register("8001")
    office.talk()
    kinds = [type(command) for command in office.commands]
    play = next(command for command in office.commands if isinstance(command, Play))
    assert (play.prompts, play.loop_last) == (("builtin:welcome", "builtin:music"), True)
    assert kinds.index(Play) < kinds.index(Connect)
    connect = next(command for command in office.commands if isinstance(command, Connect))
    remotes = {it.stream: (it.host, it.port) for it in office.commands if isinstance(it, SetRemote)}
    assert {remotes[connect.a], remotes[connect.b]} == {("10.0.0.9", 4000), ("192.0.2.7", 5000)}


def test_a_call_that_ends_says_whose_it_was_and_how_it_went() -> None:
    office = Office()
    office.register("8001")
    _, ok, _ = office.talk()
    office.caller_says("BYE", ok, 2)
    last = office.events(CallChanged)[-1]
    assert (last.state, last.tenant, last.verdict) == ("ended", "demo", "success")


def test_a_caller_who_leaves_while_the_phone_rings_frees_it() -> None:
    """The phone is cancelled, the visit abandoned, nobody was bridged."""
    office = Office()
    office.register("8001")
    call = office.dial("96198")
    assert call is not None
    ok = office.last("200")
    office.caller_says("ACK", ok, 1)
    invite = office.ring(call)
    office.answer(invite, 180)
    office.advance(3.0)
    office.caller_says("BYE", ok, 2)
    cancel = office.last("CANCEL", PHONE)
    office.answer(cancel, 200)
    office.answer(invite, 487)
    assert [(event.call, event.cause) for event in office.events(CallGone)] == [(call.id, "abandoned")]
    assert office.verdicts() == [("caller", "caller:abandoned", 200)]
    assert not office.events(SeatFreed)
    office.advance(40.0)
    assert office.is_quiet()


def test_a_call_to_a_seat_that_talks_is_busy() -> None:
    office = Office()
    office.register("8001")
    office.talk()
    assert office.dial("96201", "call2") is None
    assert office.words(TRUNK)[-1] == "486"
    assert office.verdicts() == [("switch", "agent:busy", 486)]


def test_a_call_to_a_seat_that_does_not_answer_ends_after_ring_for() -> None:
    """60 s; the caller was told 180 and gets 480."""
    office = Office()
    office.book.phones["8001"] = ("softphone", "8001")
    office.register("8001")
    call = office.dial("96201")
    assert call is not None
    invite = office.last("INVITE", PHONE)
    office.answer(invite, 180)
    assert office.words(TRUNK) == ["100", "180"]
    office.advance(59.9)
    assert call.state == "ringing"
    office.advance(0.2)
    assert office.words(TRUNK)[-1] == "480"
    assert office.words(PHONE)[-1] == "CANCEL"
    assert office.verdicts() == [("switch", "agent:no_answer", 480)]
    assert [(event.seat, event.activity) for event in office.events(SeatTaken)] == [("8001", "ringing")]
    assert [(event.seat, event.bridged) for event in office.events(SeatFreed)] == [("8001", False)]


def test_a_direct_call_is_answered_when_the_seat_answers() -> None:
    office = Office()
    office.book.phones["8001"] = ("softphone", "8001")
    office.register("8001")
    call = office.dial("96201")
    invite = office.last("INVITE", PHONE)
    office.answer(invite, 183, sdp(5000, host="192.0.2.7"))
    assert office.words(TRUNK) == ["100", "183"]
    early = office.last("183").message.body
    office.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    assert office.last("200", TRUNK).message.body == early
    assert call is not None
    assert call.state == "talking"
    assert [event.activity for event in office.events(SeatTaken)] == ["ringing", "talking"]


def test_one_seat_calls_another_and_both_are_taken() -> None:
    office = Office()
    office.book.phones.update({"8001": ("softphone", "8001"), "8002": ("softphone", "8002")})
    office.register("8001", "phone")
    office.register("8002", "other")
    call = office.dial(
        "8002", flow=PHONE, from_="<sip:8001@example.com>;tag=x", contact="<sip:8001@192.0.2.7:5062>"
    )
    assert call is not None
    assert (call.direction, call.entry) == ("internal", "seat:8002")
    office.answer(office.last("INVITE", OTHER_PHONE), 200, sdp(5002, host="192.0.2.8"))
    assert [(event.seat, event.activity) for event in office.events(SeatTaken)] == [
        ("8001", "dialling"),
        ("8002", "ringing"),
        ("8002", "talking"),
        ("8001", "talking"),
    ]
    office.caller_says("ACK", office.last("200", PHONE), 1)
    office.caller_says("BYE", office.last("200", PHONE), 2)
    assert sorted(event.seat for event in office.events(SeatFreed)) == ["8001", "8002"]


def test_early_media_lasts_until_a_seat_answers_or_the_queue_gives_up() -> None:
    """answer = "183": the INVITE is refused in the end if nobody came."""
    office = Office(call_settings(queues=(QueueMedia("junior", "demo", answer="183"),)))
    call = office.dial("96198")
    assert call is not None
    assert office.words(TRUNK) == ["100", "183"]
    office.advance(179.0)
    assert office.words(TRUNK) == ["100", "183", "183", "183"]  # each minute, RFC 3261 13.3.1.1
    office.board.release(call.id, "timed_out", "max_wait", office.now)
    office.settle()
    assert office.words(TRUNK)[-1] == "480"
    assert office.verdicts() == [("switch", "us:max_wait", 480)]
    assert not office.events(CallGone)  # the queue itself let go of it


def test_a_call_that_the_queue_does_not_take_is_never_answered() -> None:
    office = Office()
    office.accepts = False
    call = office.dial("96198")
    assert call is not None
    office.board.release(call.id, "refused", "full", office.now)
    office.settle()
    assert office.words(TRUNK) == ["100", "486"]
    assert office.verdicts() == [("switch", "us:full", 486)]


def test_a_trunk_has_so_many_calls_and_no_more() -> None:
    trunk = TrunkSettings("carrier", tenant="demo", max_calls=2)
    office = Office(call_settings(trunks=(trunk,)))
    for name in ("one", "two"):
        assert office.dial("96198", name) is not None
    assert office.dial("96198", "three") is None
    refused = office.last("503", TRUNK)
    assert refused.message.header("retry-after") == "5"
    assert office.verdicts() == [("switch", "us:trunk_calls", 503)]
    (row,) = [row for row in office.rows if isinstance(row, CallRow)]
    assert row.trunk == "carrier"  # a refused call still says where it came from
    first = next(sent for sent in office.sent if sent.word == "200" and sent.message.call_id == "one")
    office.caller_says("ACK", first, 1)
    office.caller_says("BYE", first, 2)
    assert office.dial("96198", "four") is not None


def test_a_trunks_rate_replaces_the_limit_of_its_source_and_counts_once() -> None:
    """Contract 2: a bucket of one second's worth; here 5 a second, the source's own limit being 1."""
    trunk = TrunkSettings("carrier", tenant="demo", max_cps=5.0)
    peer = TrunkPeer("carrier", accept=("10.0.0.0/24",))
    office = Office(call_settings(trunks=(trunk,)), trunks=(peer,), requests_per_source=1.0)
    taken = [office.dial("96198", f"first{number}") is not None for number in range(7)]
    assert taken == [True] * 5 + [False] * 2
    assert [verdict for _, verdict, _ in office.verdicts()] == ["us:trunk_rate"] * 2
    office.advance(1.0)
    assert [office.dial("96198", f"then{number}") is not None for number in range(6)] == [True] * 5 + [False]


def test_a_switch_that_drains_refuses_and_keeps_what_it_has() -> None:
    office = Office()
    assert office.dial("96198", "one") is not None
    office.stack.refuse_new = (503, 10)
    assert office.dial("96198", "two") is None
    assert office.last("503").message.header("retry-after") == "10"
    assert len(office.board.calls) == 1


def test_a_full_switch_refuses() -> None:
    office = Office(call_settings(calls_max=1))
    assert office.dial("96198", "one") is not None
    assert office.dial("96198", "two") is None
    assert office.verdicts() == [("switch", "us:calls_max", 503)]


def test_no_codec_in_common_is_488() -> None:
    office = Office()
    g729 = sdp(4000).replace(b"RTP/AVP 0", b"RTP/AVP 18")
    office.dial("96198", body=g729)
    assert office.words(TRUNK) == ["100", "488"]
    assert office.verdicts() == [("switch", "peer:no_common_audio", 488)]


def test_a_caller_without_an_offer_gets_ours_and_answers_in_the_ack() -> None:
    """RFC 3261 13.2.1: the offer is in our 200."""
    office = Office()
    office.dial("96198", body=b"")
    ok = office.last("200")
    assert b"m=audio 30000 RTP/AVP 0 8" in ok.message.body
    office.caller_says("ACK", ok, 1, sdp(4000))
    remote = next(command for command in office.commands if isinstance(command, SetRemote))
    assert (remote.host, remote.port, remote.codec) == ("10.0.0.9", 4000, "PCMU")


def test_an_outside_number_is_rung_through_the_tenants_trunk() -> None:
    office = Office()
    call = office.dial("96198")
    assert call is not None
    office.offer(call.id, ("pstn", "13900000001"))
    invite = office.last("INVITE", TRUNK)
    assert invite.data.startswith(b"INVITE sip:13900000001@10.0.0.9:5080 SIP/2.0\r\n")
    office.answer(invite, 404)
    assert [event.status for event in office.events(SeatFailed)] == [404]


def test_an_operator_ends_a_call_that_exists() -> None:
    office = Office()
    office.register("8001")
    call, _, _ = office.talk()
    office.board.hang_up(call.id, "operator", office.now)
    office.settle()
    assert (office.words(TRUNK)[-1], office.words(PHONE)[-1]) == ("BYE", "BYE")
    assert office.verdicts() == [("switch", "success", 200)]
    with pytest.raises(OperationRefused, match="NO_SUCH_CALL"):
        office.board.hang_up(call.id, "operator", office.now)


def test_a_switch_that_stops_ends_every_call() -> None:
    """One talks, one waits, one rings directly: BYE, BYE and CANCEL, 503 where nobody answered."""
    office = Office()
    office.book.phones["8002"] = ("softphone", "8002")
    office.register("8001")
    office.register("8002", "other")
    office.talk("talks")
    office.dial("96198", "waits")
    office.caller_says("ACK", office.last("200"), 1)
    office.dial(
        "8002", "rings", flow=PHONE, from_="<sip:8001@example.com>;tag=x", contact="<sip:8001@192.0.2.7:5062>"
    )
    office.board.end_all(office.now)
    office.settle()
    assert not office.board.calls
    assert sorted(verdict for _, verdict, _ in office.verdicts()) == ["us:shutdown"] * 3
    ended = [sent for sent in office.sent if sent.word == "BYE"]
    assert sorted(sent.flow for sent in ended) == [TRUNK, TRUNK, PHONE]
    assert office.words(OTHER_PHONE) == ["INVITE"]  # rung and silent: the CANCEL waits for its first answer
    assert office.words(PHONE)[-1] == "503"


def test_a_reload_changes_what_comes_next_and_not_what_is() -> None:
    office = Office()
    call = office.dial("96198", "one")
    office.board.reconfigure(call_settings(hotlines=()))
    assert office.dial("96198", "two") is None
    assert office.verdicts() == [("switch", "caller:unknown_number", 404)]
    assert call is not None
    assert call.state == "waiting"


def test_a_stranger_never_reaches_the_switchboard() -> None:
    office = Office()
    office.receive(request("INVITE", via="203.0.113.5:5060", body=sdp(4000)), STRANGER)
    assert office.words(STRANGER) == ["403"]
    assert office.verdicts() == []


def test_two_hundred_calls_leave_nothing_for_the_collector() -> None:
    """Every second one is bridged, every third refused by the phone first; reference counting frees all."""
    office = Office(ports=(30000, 32998))
    office.register("8001")
    _one_of_each(office, "warm")
    office.sent.clear()
    office.told.clear()
    gc.collect()
    gc.disable()
    try:
        for number in range(100):
            _one_of_each(office, f"call{number}")
            office.sent.clear()
            office.told.clear()
            office.advance(2.0)
        office.advance(70.0)
        office.rows.clear()
        office.sent.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert office.is_quiet()
    assert office.board.gate.total() == 0


def _one_of_each(office: Office, name: str) -> None:
    """A call that is refused once and then talks, and one that gives up while it rings."""
    call = office.dial("96198", f"{name}-talks")
    assert call is not None
    ok = office.last("200")
    office.caller_says("ACK", ok, 1)
    office.answer(office.ring(call, offer=f"{name}-1"), 486)
    invite = office.ring(call, offer=f"{name}-2")
    office.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    office.caller_says("BYE", ok, 2)
    office.answer(office.last("BYE", PHONE), 200)
    other = office.dial("96198", f"{name}-leaves")
    assert other is not None
    ok = office.last("200")
    office.caller_says("ACK", ok, 1)
    invite = office.ring(other, offer=f"{name}-3")
    office.answer(invite, 180)
    office.caller_says("BYE", ok, 2)
    office.answer(office.last("CANCEL", PHONE), 200)
    office.answer(invite, 487)


@pytest.mark.parametrize("answered_first", [False, True])
def test_a_queue_that_does_not_take_a_call_may_lead_to_a_number(answered_first: bool) -> None:
    """Its tenant has configured the number, so the call goes out by the trunk: no transit."""
    office = Office()
    office.accepts = answered_first
    call = office.dial("96198")
    assert call is not None
    office.board.release(call.id, "overflowed", "closed", office.now, "number:13900000000")
    office.settle()
    invite = office.last("INVITE")
    assert "13900000000" in invite.message.uri
    office.answer(invite, 180)
    office.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    assert call.state is CallState.TALKING
    office.phone_says("BYE", invite, 2)
    assert office.verdicts() == [("seat", "success", 200)]
    assert not office.events(CallGone)
