"""Reliable provisional responses and PRACK (row T31), from both ends, with UPDATE before the answer (T32)."""

import pytest

from sip.events import (
    InviteArrived,
    SessionAnswered,
    SessionCancelled,
    SessionConfirmed,
    SessionEnded,
    SessionOffered,
    SessionProgressed,
    UpdateAnswered,
)
from sip.invitation import Invitation
from sip.reliable import QUEUED_MAX
from sip.session import Session
from sip.sessionstate import SessionState
from tests.sip.scene import OURS, SDP, TRUNK, Scene, Sent, request, respond
from tests.sip.talks import OUTSIDE, from_callee, invited

OTHER = SDP.replace(b"4000", b"4002")
DOUBLING = [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
RELIABLE = ("Require: 100rel", "RSeq: 7")


def arrived(scene: Scene, body: bytes = SDP) -> Session:
    """An INVITE that requires 100rel."""
    headers = ("Require: 100rel", "Allow: INVITE, ACK, PRACK, UPDATE, BYE")
    scene.receive(request("INVITE", headers=headers, body=body), TRUNK)
    session = scene.events(InviteArrived)[-1].session
    assert isinstance(session, Session)
    return session


def inside(session: Session, method: str, cseq: int, *headers: str, body: bytes = b"") -> bytes:
    """A request of the caller in the dialog of ``session``."""
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    return request(method, branch=f"z9hG4bK{method}{cseq}", to=to, cseq=cseq, headers=headers, body=body)


def rseq(sent: Sent) -> int:
    return int(sent.message.header("rseq") or "0")


def prack(session: Session, ringing: Sent, cseq: int, body: bytes = b"") -> bytes:
    """The PRACK of one of our provisional responses."""
    return inside(session, "PRACK", cseq, f"RAck: {rseq(ringing)} 1 INVITE", body=body)


# We are called.


def test_a_provisional_is_repeated_until_its_prack() -> None:
    """T31: Require, RSeq, To tag and Contact; at 0, .5, 1.5, 3.5 s ... until the PRACK, which draws 200."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    ringing = scene.last("180")
    assert ringing.message.header("require") == "100rel"
    assert 1 <= rseq(ringing) < 2**31
    assert ringing.message.to_tag == session.local_tag
    assert ringing.message.header("contact") == "<sip:10.0.0.1:5060>"
    scene.advance(4.0)
    assert scene.times("180") == DOUBLING[:4]
    assert {sent.data for sent in scene.sent if sent.word == "180"} == {ringing.data}
    assert [sent.word for sent in scene.receive(prack(session, ringing, 2), TRUNK)] == ["200"]
    scene.advance(40)
    assert scene.times("180") == DOUBLING[:4]
    scene.stack.answer(session, OURS, scene.now)
    assert scene.last("200").message.body == OURS


def test_without_prack_the_invite_fails() -> None:
    """T31: 64*T1 after the first 1xx 504; the user is told; nothing is left."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    scene.advance(32)
    assert scene.times("180") == DOUBLING
    assert scene.times("504")[0] == 32.0
    assert scene.events(SessionEnded) == [SessionEnded(session, "no_prack")]
    scene.receive(request("ACK", to=f"<sip:96198@example.com>;tag={session.local_tag}"), TRUNK)
    scene.advance(40)
    assert scene.stack.is_quiet()


def test_the_next_waits_for_the_prack_of_the_last() -> None:
    """T31: RSeq + 1, and only after the PRACK (RFC 3262 3); 100 is never reliable."""
    scene = Scene()
    session = arrived(scene)
    assert scene.last("100").message.header("rseq") is None
    scene.stack.ring(session, scene.now)
    scene.stack.ring(session, scene.now, 183, OURS)
    assert "183" not in scene.words()
    first = scene.last("180")
    scene.receive(prack(session, first, 2), TRUNK)
    second = scene.last("183")
    assert (rseq(second), second.message.body) == (rseq(first) + 1, OURS)


@pytest.mark.parametrize("rack", ["1 1 INVITE", "RSEQ 2 INVITE", "RSEQ 1 UPDATE"])
def test_a_prack_of_something_else(rack: str) -> None:
    """T31: 481, and the repetitions go on."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    named = rack.replace("RSEQ", str(rseq(scene.last("180"))))
    refusal = scene.receive(inside(session, "PRACK", 2, f"RAck: {named}"), TRUNK)
    assert [sent.word for sent in refusal] == ["481"]
    scene.advance(1.0)
    assert scene.times("180") == [0.0, 0.5]


@pytest.mark.parametrize("rack", [(), ("RAck: 1 INVITE",), ("RAck: x 1 INVITE",)])
def test_a_broken_rack_is_refused(rack: tuple[str, ...]) -> None:
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    assert [sent.word for sent in scene.receive(inside(session, "PRACK", 2, *rack), TRUNK)] == ["400"]


def test_a_prack_repeated_or_of_nothing() -> None:
    """The same PRACK draws the same 200; another of what is acknowledged, or without 100rel, 481."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    ringing = scene.last("180")
    first = scene.receive(prack(session, ringing, 2), TRUNK)[0]
    assert scene.receive(prack(session, ringing, 2), TRUNK)[0].data == first.data
    assert scene.receive(prack(session, ringing, 3), TRUNK)[0].word == "481"


def test_the_answer_waits_for_the_prack_of_its_sdp() -> None:
    """T31: no 2xx before the PRACK of a 183 with SDP (RFC 3262 5); it then says nothing more."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now, 183, OURS)
    scene.advance(0.1)
    scene.stack.answer(session, OURS, scene.now)
    assert "200" not in scene.words()
    assert session.state is SessionState.ARRIVED
    scene.receive(prack(session, scene.last("183"), 2), TRUNK)
    assert scene.words() == ["100", "183", "200", "200"]
    ok = scene.last("200").message
    assert (ok.cseq, ok.body) == ((1, "INVITE"), b"")
    scene.receive(inside(session, "ACK", 1), TRUNK)
    assert scene.events(SessionConfirmed) == [SessionConfirmed(session, b"")]
    scene.advance(40)
    assert scene.words() == ["100", "183", "200", "200"]


def test_the_answer_does_not_wait_for_the_prack_of_a_180() -> None:
    """RFC 3262 3: the 2xx ends the repetitions; the late PRACK is still answered 200."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    ringing = scene.last("180")
    scene.stack.answer(session, OURS, scene.now)
    assert scene.last("200").message.body == OURS
    assert scene.receive(prack(session, ringing, 2), TRUNK)[0].word == "200"
    scene.receive(inside(session, "ACK", 1), TRUNK)
    scene.advance(5)
    assert scene.times("180") == [0.0]


def test_cancel_races_the_prack() -> None:
    """T31: 487 at once, the 2xx that waited is forgotten; a PRACK after it finds nobody."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now, 183, OURS)
    scene.stack.answer(session, OURS, scene.now)
    scene.receive(request("CANCEL"), TRUNK)
    assert scene.words() == ["100", "183", "200", "487"]
    assert scene.events(SessionCancelled) == [SessionCancelled(session)]
    assert scene.receive(prack(session, scene.last("183"), 2), TRUNK)[0].word == "481"
    scene.receive(request("ACK", to=f"<sip:96198@example.com>;tag={session.local_tag}"), TRUNK)
    scene.advance(40)
    assert scene.times("183") == [0.0]
    assert scene.stack.is_quiet()


def test_a_refusal_does_not_wait() -> None:
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now, 183, OURS)
    scene.stack.reject(session, 486, scene.now)
    scene.receive(request("ACK", to=f"<sip:96198@example.com>;tag={session.local_tag}"), TRUNK)
    scene.advance(40)
    assert scene.words() == ["100", "183", "486"]
    assert scene.stack.is_quiet()


def test_an_invite_without_offer() -> None:
    """T31: the first reliable response offers, the PRACK answers (RFC 3262 5), the 200 says nothing."""
    scene = Scene()
    session = arrived(scene, body=b"")
    scene.stack.offer_early(session, OURS)
    scene.stack.ring(session, scene.now)
    ringing = scene.last("180")
    assert ringing.message.body == OURS
    scene.receive(prack(session, ringing, 2, SDP), TRUNK)
    assert scene.events(UpdateAnswered) == [UpdateAnswered(session, SDP)]
    scene.stack.answer(session, OURS, scene.now)
    assert scene.last("200").message.body == b""
    scene.receive(inside(session, "ACK", 1), TRUNK)
    assert session.state is SessionState.CONFIRMED


def test_a_prack_that_owes_an_answer() -> None:
    """It acknowledges all the same; the 200 then offers again and the ACK answers."""
    scene = Scene()
    session = arrived(scene, body=b"")
    scene.stack.offer_early(session, OURS)
    scene.stack.ring(session, scene.now)
    assert scene.receive(prack(session, scene.last("180"), 2), TRUNK)[0].word == "200"
    scene.stack.answer(session, OURS, scene.now)
    assert scene.last("200").message.body == OURS
    scene.receive(inside(session, "ACK", 1, body=SDP), TRUNK)
    assert scene.events(SessionConfirmed) == [SessionConfirmed(session, SDP)]


def test_who_owes_an_answer_is_offered_nothing_before_the_200() -> None:
    """What has waited for the PRACK says nothing of its own; the 200 offers again."""
    scene = Scene()
    session = arrived(scene, body=b"")
    scene.stack.offer_early(session, OURS)
    scene.stack.ring(session, scene.now)
    scene.stack.ring(session, scene.now, 183)
    scene.receive(prack(session, scene.last("180"), 2), TRUNK)
    assert scene.last("183").message.body == b""
    scene.receive(prack(session, scene.last("183"), 3), TRUNK)
    scene.stack.answer(session, OURS, scene.now)
    assert scene.last("200").message.body == OURS


def test_an_early_offer_is_for_an_invite_without_one() -> None:
    scene = Scene()
    session = arrived(scene)
    scene.stack.offer_early(session, OURS)
    scene.stack.ring(session, scene.now)
    assert scene.last("180").message.body == b""


def test_our_offer_waits_for_the_answer_to_the_one_in_the_provisional() -> None:
    """RFC 3311 5.1: no UPDATE with an offer before the PRACK has answered the first."""
    scene = Scene()
    session = arrived(scene, body=b"")
    scene.stack.offer_early(session, OURS)
    scene.stack.ring(session, scene.now)
    scene.stack.update(session, OTHER, scene.now)
    assert "UPDATE" not in scene.words()
    scene.receive(prack(session, scene.last("180"), 2, SDP), TRUNK)
    scene.stack.update(session, OTHER, scene.now)
    assert scene.last("UPDATE").message.body == OTHER


def test_so_many_wait_for_a_prack_and_none_follows_the_answer() -> None:
    """One more than may wait is dropped; who has answered rings no more."""
    scene = Scene()
    session = arrived(scene)
    for _ in range(QUEUED_MAX + 2):
        scene.stack.ring(session, scene.now)
    for number in range(QUEUED_MAX + 1):
        assert scene.words().count("180") == number + 1
        scene.receive(prack(session, scene.last("180"), 2 + number), TRUNK)
    assert scene.words().count("180") == QUEUED_MAX + 1
    scene.stack.ring(session, scene.now, 183, OURS)
    scene.stack.ring(session, scene.now)  # has to wait
    scene.stack.answer(session, OURS, scene.now)
    scene.stack.ring(session, scene.now)
    scene.receive(prack(session, scene.last("183"), 20), TRUNK)
    scene.receive(inside(session, "ACK", 1), TRUNK)
    scene.advance(40)
    assert scene.words().count("180") == QUEUED_MAX + 1
    assert scene.events(SessionConfirmed) == [SessionConfirmed(session, b"")]


def test_an_offer_in_the_prack() -> None:
    """RFC 3262 5: after the reliable answer the PRACK may offer again; the 200 to it answers."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now, 183, OURS)
    scene.receive(prack(session, scene.last("183"), 2, OTHER), TRUNK)
    assert scene.events(SessionOffered) == [SessionOffered(session, OTHER)]
    scene.stack.accept_update(session, OURS, scene.now)
    ok = scene.last("200").message
    assert (ok.cseq, ok.body) == ((2, "PRACK"), OURS)


def test_an_update_in_their_early_dialog() -> None:
    """T32: 500 before our reliable answer, told and answered after it; ours is an UPDATE too."""
    scene = Scene()
    session = arrived(scene)
    assert scene.receive(inside(session, "UPDATE", 2, body=OTHER), TRUNK)[0].word == "500"
    scene.stack.update(session, OURS, scene.now)
    scene.stack.ring(session, scene.now, 183, OURS)
    scene.receive(prack(session, scene.last("183"), 3), TRUNK)
    scene.receive(inside(session, "UPDATE", 4, body=OTHER), TRUNK)
    scene.stack.accept_update(session, OURS, scene.now)
    assert scene.last("200").message.cseq == (4, "UPDATE")
    scene.stack.update(session, OURS, scene.now)
    update = scene.last("UPDATE")
    assert update.message.body == OURS
    assert scene.receive(inside(session, "UPDATE", 5, body=OTHER), TRUNK)[0].word == "491"
    scene.receive(respond(update, 200, body=SDP), TRUNK)
    assert scene.told[-1] == UpdateAnswered(session, SDP)
    scene.stack.answer(session, OURS, scene.now)
    scene.receive(inside(session, "ACK", 1), TRUNK)
    assert session.state is SessionState.CONFIRMED


def test_an_update_meets_the_offer_of_a_provisional() -> None:
    """RFC 3311 5.2: 491 while our offer in a 1xx has no answer."""
    scene = Scene()
    session = arrived(scene, body=b"")
    scene.stack.offer_early(session, OURS)
    scene.stack.ring(session, scene.now)
    assert scene.receive(inside(session, "UPDATE", 2, body=SDP), TRUNK)[0].word == "491"


def test_a_provisional_each_minute_is_reliable_too() -> None:
    """RFC 3261 13.3.1.1."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    first = scene.last("180")
    scene.receive(prack(session, first, 2), TRUNK)
    scene.advance(60)
    again = scene.last("180")
    assert (again.at, rseq(again)) == (60.0, rseq(first) + 1)
    scene.receive(prack(session, again, 3), TRUNK)


# We call.


def test_a_reliable_provisional_draws_prack() -> None:
    """T31: RAck with RSeq and CSeq, CSeq + 1, to the Contact, in the early dialog; told once."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    ringing = respond(invite, 180, headers=RELIABLE)
    scene.receive(ringing, TRUNK)
    sent = scene.last("PRACK").message
    assert sent.header("rack") == "7 1 INVITE"
    assert (sent.cseq, sent.uri, sent.to_tag) == ((2, "PRACK"), "sip:callee@10.0.0.9:5090", "callee1")
    scene.receive(ringing, TRUNK)
    assert scene.told == [SessionProgressed(session, 180, b"")]
    assert scene.words() == ["INVITE", "PRACK"]
    scene.receive(respond(scene.last("PRACK"), 200, contact=""), TRUNK)
    scene.receive(ringing, TRUNK)
    scene.advance(10)
    assert scene.words() == ["INVITE", "PRACK"]


def test_a_lost_prack_is_repeated() -> None:
    """It is a request like any: timer E until its answer."""
    scene = Scene()
    invited(scene)
    scene.receive(respond(scene.last("INVITE"), 180, headers=RELIABLE), TRUNK)
    scene.advance(4.0)
    assert scene.times("PRACK") == [0.0, 0.5, 1.5, 3.5]
    scene.receive(respond(scene.last("PRACK"), 481, contact=""), TRUNK)
    scene.advance(10)
    assert len(scene.times("PRACK")) == 4


def test_provisionals_out_of_order() -> None:
    """RFC 3262 4: one that is not the next is neither acknowledged nor told."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    scene.receive(respond(invite, 180, headers=RELIABLE), TRUNK)
    scene.receive(respond(invite, 183, headers=("Require: 100rel", "RSeq: 9"), body=SDP), TRUNK)
    scene.receive(respond(invite, 183, headers=("Require: 100rel", "RSeq: 6"), body=SDP), TRUNK)
    assert scene.told == [SessionProgressed(session, 180, b"")]
    scene.receive(respond(invite, 183, headers=("Require: 100rel", "RSeq: 8"), body=SDP), TRUNK)
    assert scene.told[1:] == [SessionProgressed(session, 183, SDP)]
    assert scene.last("PRACK").message.header("rack") == "8 1 INVITE"
    assert scene.last("PRACK").message.cseq == (3, "PRACK")


@pytest.mark.parametrize("value", ["0", "x", "-1", str(2**32)])
def test_a_broken_rseq_is_dropped(value: str) -> None:
    scene = Scene()
    invited(scene)
    headers = ("Require: 100rel", f"RSeq: {value}")
    scene.receive(respond(scene.last("INVITE"), 180, headers=headers), TRUNK)
    assert scene.words() == ["INVITE"]
    assert scene.told == []


def test_an_rseq_without_require_is_an_ordinary_provisional() -> None:
    scene = Scene()
    session = invited(scene)
    scene.receive(respond(scene.last("INVITE"), 180, headers=("RSeq: 7",)), TRUNK)
    assert scene.words() == ["INVITE"]
    assert scene.told == [SessionProgressed(session, 180, b"")]


def test_the_answer_in_a_provisional_is_the_answer() -> None:
    """T31: a 200 without SDP, or with another, changes nothing (RFC 3261 13.2.1); CSeq goes on."""
    for body in (b"", OTHER):
        scene = Scene()
        session = invited(scene)
        invite = scene.last("INVITE")
        scene.receive(respond(invite, 183, headers=RELIABLE, body=SDP), TRUNK)
        scene.receive(respond(scene.last("PRACK"), 200, contact=""), TRUNK)
        scene.receive(respond(invite, 200, body=body), TRUNK)
        assert scene.told == [SessionProgressed(session, 183, SDP), SessionAnswered(session, SDP)]
        assert scene.last("ACK").message.cseq == (1, "ACK")
        scene.stack.hang_up(session, scene.now)
        assert scene.last("BYE").message.cseq == (3, "BYE")


def test_an_offer_in_a_provisional_is_answered_in_the_prack() -> None:
    """T31: our INVITE offered nothing (RFC 3262 5)."""
    scene = Scene()
    bare = Invitation(OUTSIDE.uri, OUTSIDE.to, "8001")
    session = scene.stack.invite(bare, "leg", scene.now)
    scene.receive(respond(scene.last("INVITE"), 183, headers=RELIABLE, body=SDP), TRUNK)
    assert "PRACK" not in scene.words()
    assert scene.told == [SessionProgressed(session, 183, b""), SessionOffered(session, SDP)]
    scene.stack.accept_update(session, OURS, scene.now)
    sent = scene.last("PRACK").message
    assert (sent.header("rack"), sent.body) == ("7 1 INVITE", OURS)


def test_forks_count_for_themselves() -> None:
    """T31, T36: each early dialog has its own RSeq and its own CSeq; the one that answers goes on."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    for tag, number in (("a", 7), ("b", 100), ("a", 8)):
        scene.receive(respond(invite, 180, tag=tag, headers=("Require: 100rel", f"RSeq: {number}")), TRUNK)
    pracks = [sent.message for sent in scene.sent if sent.word == "PRACK"]
    assert [(sent.to_tag, sent.header("rack"), sent.cseq[0]) for sent in pracks] == [
        ("a", "7 1 INVITE", 2),
        ("b", "100 1 INVITE", 2),
        ("a", "8 1 INVITE", 3),
    ]
    scene.receive(respond(invite, 200, tag="a", body=SDP), TRUNK)
    scene.stack.hang_up(session, scene.now)
    assert (scene.last("BYE").message.to_tag, scene.last("BYE").message.cseq[0]) == ("a", 4)


def test_cancel_after_a_reliable_provisional() -> None:
    """T31: the CANCEL does not wait for the PRACK; a 200 that crosses both is ended."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    scene.receive(respond(invite, 183, headers=RELIABLE, body=SDP), TRUNK)
    scene.stack.hang_up(session, scene.now)
    assert scene.words() == ["INVITE", "PRACK", "CANCEL"]
    scene.receive(respond(invite, 200, body=SDP), TRUNK)
    assert scene.words() == ["INVITE", "PRACK", "CANCEL", "ACK", "BYE"]
    for word in ("PRACK", "CANCEL", "BYE"):
        scene.receive(respond(scene.last(word), 200, contact=""), TRUNK)
    scene.advance(40)
    assert scene.stack.is_quiet()


def test_an_update_of_a_callee_that_rings() -> None:
    """T32: 491 while our offer has no reliable answer, told and answered after it; a refresh always 200."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    scene.receive(respond(invite, 180), TRUNK)
    assert scene.receive(from_callee("UPDATE", session, 1, OTHER), TRUNK)[0].word == "491"
    assert scene.receive(from_callee("UPDATE", session, 2), TRUNK)[0].word == "200"
    scene.receive(respond(invite, 183, headers=RELIABLE, body=SDP), TRUNK)
    scene.receive(from_callee("UPDATE", session, 3, OTHER), TRUNK)
    assert scene.told[-1] == SessionOffered(session, OTHER)
    scene.stack.accept_update(session, OURS, scene.now)
    ok = scene.last("200").message
    assert (ok.cseq, ok.body) == ((3, "UPDATE"), OURS)
    late = from_callee("UPDATE", session, 3, OTHER, branch="z9hG4bKold")
    assert scene.receive(late, TRUNK)[0].word == "500"


def test_our_update_before_the_answer() -> None:
    """T32: after the reliable answer, in the early dialog, to a callee that allows it; else nothing goes."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    scene.stack.update(session, OURS, scene.now)
    headers = (*RELIABLE, "Allow: INVITE, PRACK, UPDATE")
    scene.receive(respond(invite, 183, headers=headers, body=SDP), TRUNK)
    assert "UPDATE" not in scene.words()
    scene.stack.update(session, OURS, scene.now)
    update = scene.last("UPDATE").message
    assert (update.cseq, update.to_tag, update.body) == ((3, "UPDATE"), "callee1", OURS)
    scene.receive(respond(scene.last("UPDATE"), 200, body=SDP), TRUNK)
    assert scene.told[-1] == UpdateAnswered(session, SDP)
    scene.receive(respond(invite, 200), TRUNK)
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").message.cseq == (4, "BYE")


def test_what_a_callee_may_not_send_before_its_answer() -> None:
    """RFC 3261 15: BYE and INVITE in an early dialog draw 481, as does what is of another dialog."""
    scene = Scene()
    session = invited(scene)
    scene.receive(respond(scene.last("INVITE"), 180), TRUNK)
    for cseq, method in enumerate(("BYE", "INVITE", "PRACK"), 1):
        assert scene.receive(from_callee(method, session, cseq, b""), TRUNK)[0].word == "481"
    stranger = from_callee("UPDATE", session, 9).replace(b"tag=callee1", b"tag=other")
    assert scene.receive(stranger, TRUNK)[0].word == "481"
    assert session.state is SessionState.INVITING
