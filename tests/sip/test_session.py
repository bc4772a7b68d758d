"""Sessions: CANCEL and its races, glare, re-INVITE, BYE at the wrong moment (rows T18 to T27)."""

from itertools import product

import pytest

from sip.events import (
    InfoReceived,
    InviteArrived,
    SessionAnswered,
    SessionCancelled,
    SessionConfirmed,
    SessionEnded,
    SessionFailed,
    SessionOffered,
)
from sip.flows import Flow
from sip.invitation import Invitation
from sip.sessionstate import DROPPED, MOVES, SessionInput, SessionState
from sip.settings import Secret, TrunkPeer
from tests.sip.scene import OURS, PHONE, SDP, TRUNK, Scene, request, respond
from tests.sip.talks import answered, arrived, connected, from_callee, invited
from tests.sip.test_registrar import register


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(SessionState, SessionInput)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


# CANCEL.


def test_the_caller_cancels() -> None:
    """T20, A leg: 200 to the CANCEL, 487 to the INVITE, told once; a late answer of ours is dropped."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    scene.clear()
    scene.receive(request("CANCEL", contact=""), TRUNK)
    assert scene.words() == ["200", "487"]
    assert scene.last("200").message.to_tag == scene.last("487").message.to_tag == session.local_tag
    assert scene.told == [SessionCancelled(session)]
    scene.stack.answer(session, OURS, scene.now)
    scene.stack.hang_up(session, scene.now)
    scene.receive(request("ACK", to=f"<sip:96198@example.com>;tag={session.local_tag}"), TRUNK)
    assert scene.words() == ["200", "487"]
    scene.advance(33)
    assert scene.stack.is_quiet()


def test_cancel_after_the_answer_or_of_nothing() -> None:
    """T22: 200 without effect after our final answer, 481 if no such INVITE is known."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.answer(session, OURS, scene.now)
    scene.clear()
    assert [sent.word for sent in scene.receive(request("CANCEL", contact=""), TRUNK)] == ["200"]
    assert scene.told == []
    assert session.state is SessionState.ACCEPTED
    assert scene.receive(request("CANCEL", branch="z9hG4bKno", contact=""), TRUNK)[0].word == "481"


# CSeq and INVITEs at the wrong time.


def test_a_lower_cseq_is_refused_and_a_gap_is_fine() -> None:
    """T18."""
    scene = Scene()
    session, to = answered(scene)
    info = request("INFO", branch="z9hG4bKa", to=to, cseq=9, body=b"5", content_type="application/dtmf")
    assert scene.receive(info, TRUNK)[0].word == "200"
    assert scene.told == [InfoReceived(session, "application/dtmf", b"5")]
    assert scene.receive(request("INFO", branch="z9hG4bKb", to=to, cseq=8), TRUNK)[0].word == "500"
    assert scene.receive(info, TRUNK)[0].word == "200"
    assert len(scene.told) == 1


def test_a_second_invite_before_our_final_answer() -> None:
    """T24: 500 with Retry-After in 0..10; the first goes on."""
    scene = Scene()
    session = arrived(scene)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    refusal = scene.receive(request("INVITE", branch="z9hG4bKtwo", to=to, cseq=2, body=SDP), TRUNK)[0]
    assert refusal.word == "500"
    assert 0 <= int(refusal.message.header("retry-after") or "-1") <= 10
    scene.stack.answer(session, OURS, scene.now)
    assert scene.words()[-1] == "200"


def test_their_reinvite_is_offered_and_answered() -> None:
    """RFC 3261 14.2: told, answered by the user with 200 that is repeated until the ACK."""
    scene = Scene()
    session = connected(scene)
    scene.receive(from_callee("INVITE", session, 1, SDP), TRUNK)
    assert scene.told == [SessionOffered(session, SDP)]
    scene.stack.accept_update(session, OURS, scene.now)
    assert scene.words() == ["100", "200"]
    assert scene.last("200").message.body == OURS
    scene.advance(0.5)
    assert scene.words() == ["100", "200", "200"]
    scene.receive(from_callee("ACK", session, 1), TRUNK)
    scene.advance(5)
    assert scene.words() == ["100", "200", "200"]
    assert session.state is SessionState.CONFIRMED
    scene.receive(from_callee("INVITE", session, 2, SDP), TRUNK)
    scene.stack.refuse_update(session, 488, scene.now)
    assert scene.words()[-1] == "488"
    assert session.state is SessionState.CONFIRMED


def test_a_reinvite_stands_for_a_lost_ack() -> None:
    """The peer goes on, so it has our 2xx: it is repeated no more."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.clear()
    scene.receive(request("INVITE", branch="z9hG4bKre", to=to, cseq=2, body=SDP), TRUNK)
    assert scene.told == [SessionConfirmed(session, b""), SessionOffered(session, SDP)]
    scene.stack.accept_update(session, OURS, scene.now)
    scene.receive(request("ACK", branch="z9hG4bKreack", to=to, cseq=2), TRUNK)
    scene.advance(10)
    assert scene.words() == ["100", "200"]


def test_an_offer_of_ours_is_answered_in_the_ack() -> None:
    """RFC 3261 13.2.2.4: an INVITE without offer; the 200 offers, the ACK answers."""
    scene = Scene()
    scene.receive(request("INVITE"), TRUNK)
    event = scene.events(InviteArrived)[0]
    assert event.sdp == b""
    scene.stack.answer(event.session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={event.session.local_tag}"
    reinvite = request("INVITE", branch="z9hG4bKre", to=to, cseq=2, body=SDP)
    assert scene.receive(reinvite, TRUNK)[0].word == "500"
    scene.receive(request("ACK", branch="z9hG4bKack", to=to, body=SDP), TRUNK)
    assert scene.events(SessionConfirmed) == [SessionConfirmed(event.session, SDP)]


# BYE.


def test_bye_in_the_early_dialog() -> None:
    """T26: 200 to the BYE, 487 to the pending INVITE; told as cancelled."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    scene.clear()
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("BYE", branch="z9hG4bKbye", to=to, cseq=2), TRUNK)
    assert scene.words() == ["200", "487"]
    assert scene.told == [SessionCancelled(session)]


def test_bye_while_a_reinvite_is_pending_and_a_reinvite_after_it() -> None:
    """T26: 487 to the pending re-INVITE, 481 to what comes after the BYE."""
    scene = Scene()
    session, to = answered(scene)
    scene.receive(request("INVITE", branch="z9hG4bKre", to=to, cseq=2, body=SDP), TRUNK)
    scene.receive(request("BYE", branch="z9hG4bKbye", to=to, cseq=3), TRUNK)
    assert scene.words() == ["100", "200", "487"]
    assert scene.events(SessionEnded) == [SessionEnded(session, "bye")]
    after = request("INVITE", branch="z9hG4bKlate", to=to, cseq=4, body=SDP)
    assert scene.receive(after, TRUNK)[0].word == "481"


def test_a_reinvite_after_our_bye_is_refused() -> None:
    """T26, the other way round: the dialog is ending."""
    scene = Scene()
    session, to = answered(scene)
    scene.stack.hang_up(session, scene.now)
    answer = scene.receive(request("INVITE", branch="z9hG4bKre", to=to, cseq=2, body=SDP), TRUNK)
    assert [sent.word for sent in answer] == ["481"]


def test_byes_that_cross_are_both_answered() -> None:
    """RFC 5407 3.2: theirs is answered 200 although ours is out; the user has hung up and hears nothing."""
    scene = Scene()
    session, to = answered(scene)
    scene.stack.hang_up(session, scene.now)
    assert scene.receive(request("BYE", branch="z9hG4bKx", to=to, cseq=2), TRUNK)[0].word == "200"
    scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
    assert scene.told == []
    scene.advance(33)
    assert scene.stack.is_quiet()


def test_our_bye_waits_for_the_ack() -> None:
    """RFC 3261 15: the callee sends no BYE before the ACK of its 2xx, or 64*T1."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.answer(session, OURS, scene.now)
    scene.stack.hang_up(session, scene.now, "Q.850;cause=16")
    scene.advance(3)
    assert scene.times("BYE") == []
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", to=to), TRUNK)
    assert scene.times("BYE") == [3.0]
    assert scene.last("BYE").message.header("reason") == "Q.850;cause=16"
    assert [type(event) for event in scene.told] == [InviteArrived]


def test_hang_up_before_the_answer_refuses_their_invite() -> None:
    scene = Scene()
    session = arrived(scene)
    session.user = "leg"
    scene.stack.hang_up(session, scene.now)
    assert scene.words() == ["100", "480"]
    assert session.user is None


def test_an_info_that_draws_481_ends_the_session() -> None:
    """RFC 3261 12.2.1.2."""
    scene = Scene()
    session = connected(scene)
    scene.stack.info(session, "application/dtmf-relay", b"Signal=5", scene.now)
    info = scene.last("INFO")
    assert info.message.body == b"Signal=5"
    assert info.message.header("content-type") == "application/dtmf-relay"
    scene.receive(respond(info, 481, contact=""), TRUNK)
    assert scene.told == [SessionEnded(session, "gone")]


def test_a_failing_transport_fails_the_invite() -> None:
    """503 for a transport that failed; the user is told at once."""
    scene = Scene()
    session = invited(scene)
    scene.stack.flow_failed(TRUNK, scene.now)
    assert scene.events(SessionFailed) == [SessionFailed(session, 503, "Unreachable")]
    assert scene.stack.is_quiet()


def test_nobody_can_be_invited_by_a_foreign_scheme() -> None:
    """No way there: 503, told through the events like any failure."""
    scene = Scene()
    named = Invitation("tel:+8613800000000", "<tel:+8613800000000>", "8001", sdp=OURS)
    session = scene.stack.invite(named, "leg", scene.now)
    assert scene.events(SessionFailed) == [SessionFailed(session, 503, "Unresolvable")]
    assert scene.sent == []
    assert scene.stack.is_quiet()


def test_a_provisional_is_repeated_each_minute() -> None:
    """RFC 3261 13.3.1.1: so that proxies on the way do not give up."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now, 183, OURS)
    scene.advance(125)
    assert scene.times("183") == [0.0, 60.0, 120.0]
    scene.stack.answer(session, OURS, scene.now)
    scene.advance(70)
    assert len(scene.times("183")) == 3


def test_target_refresh() -> None:
    """T27: a Contact in a re-INVITE or its 2xx is the next request's target."""
    scene = Scene()
    session = connected(scene)
    moved = from_callee("INVITE", session, 1, SDP).replace(b"10.0.0.9:5090", b"10.0.0.9:5091")
    scene.receive(moved, TRUNK)
    scene.stack.accept_update(session, OURS, scene.now)
    scene.receive(from_callee("ACK", session, 1), TRUNK)
    scene.stack.update(session, OURS, scene.now)
    ours = scene.last("INVITE")
    assert ours.message.uri == "sip:callee@10.0.0.9:5091"
    assert ours.flow.port == 5091
    scene.receive(respond(ours, 200, contact="<sip:callee@10.0.0.9:5092>", body=SDP), TRUNK)
    assert scene.last("ACK").flow.port == 5092
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow.port == 5092


# Challenges.


def trunk_with_password() -> Scene:
    trunk = TrunkPeer("carrier", accept=("10.0.0.0/24",), user="us", secret=Secret("pw"), realm="carrier")
    return Scene(trunks=(trunk,))


CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="abc", qop="auth", algorithm=MD5'


def test_a_trunks_challenge_is_answered_once() -> None:
    """RFC 3261 22.2: a new INVITE with CSeq+1 and credentials; a second challenge is a failure."""
    scene = trunk_with_password()
    invitation = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS, trunk="carrier")
    session = scene.stack.invite(invitation, "leg", scene.now)
    first = scene.last("INVITE")
    scene.receive(respond(first, 401, contact="", headers=(CHALLENGE,)), TRUNK)
    second = scene.last("INVITE")
    assert second.message.cseq == (2, "INVITE")
    assert second.message.via.branch != first.message.via.branch
    assert (second.message.header("authorization") or "").startswith('Digest username="us", realm="carrier"')
    assert scene.told == []
    scene.receive(respond(second, 401, contact="", headers=(CHALLENGE,)), TRUNK)
    assert scene.told == [SessionFailed(session, 401, "Whatever")]


@pytest.mark.parametrize("realm", ["carrier", "elsewhere"])
def test_a_challenge_to_our_bye(realm: str) -> None:
    """A-LEAK: answered for the trunk's own realm, never for another's."""
    scene = trunk_with_password()
    invitation = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS, trunk="carrier")
    session = scene.stack.invite(invitation, "leg", scene.now)
    scene.receive(respond(scene.last("INVITE"), 200, body=SDP), TRUNK)
    scene.stack.hang_up(session, scene.now)
    challenge = CHALLENGE.replace('realm="carrier"', f'realm="{realm}"')
    scene.receive(respond(scene.last("BYE"), 401, contact="", headers=(challenge,)), TRUNK)
    assert len(scene.times("BYE")) == (2 if realm == "carrier" else 1)
    assert (b"Authorization" in scene.last("BYE").data) == (realm == "carrier")


def test_a_stranger_gets_no_password() -> None:
    """A-LEAK: without credentials of ours for the peer a challenge is a failure."""
    scene = trunk_with_password()
    session = invited(scene)
    scene.receive(respond(scene.last("INVITE"), 401, contact="", headers=(CHALLENGE,)), TRUNK)
    assert scene.told == [SessionFailed(session, 401, "Whatever")]
    assert b"Authorization" not in b"".join(sent.data for sent in scene.sent)


def test_only_the_first_answer_is_told() -> None:
    scene = Scene()
    session = invited(scene)
    answer = respond(scene.last("INVITE"), 200, body=SDP)
    scene.receive(answer, TRUNK)
    scene.receive(answer, TRUNK)
    assert scene.told == [SessionAnswered(session, SDP)]


def test_a_cancel_from_elsewhere_has_no_effect() -> None:
    """A-DLG: the branch alone, which can be guessed, does not end a call."""
    scene = Scene()
    session = arrived(scene)
    forged = request("CANCEL", contact="")
    elsewhere = TRUNK._replace(host="10.0.0.66")
    assert [sent.word for sent in scene.receive(forged, elsewhere)] == ["481"]
    assert session.state is SessionState.ARRIVED


def test_hanging_up_answers_a_pending_reinvite() -> None:
    """Nothing of the session is left open: 487 to theirs; ours is waited for no longer than 64*T1."""
    scene = Scene()
    session, to = answered(scene)
    scene.receive(request("INVITE", branch="z9hG4bKre", to=to, cseq=2, body=SDP), TRUNK)
    scene.stack.hang_up(session, scene.now)
    assert scene.words() == ["100", "487", "BYE"]
    scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
    scene.advance(40)
    assert scene.stack.is_quiet()


def test_a_cancel_is_held_again_after_a_challenge() -> None:
    """T20: the second INVITE is a new transaction without provisional."""
    scene = trunk_with_password()
    invitation = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS, trunk="carrier")
    session = scene.stack.invite(invitation, "leg", scene.now)
    scene.receive(respond(scene.last("INVITE"), 401, contact="", headers=(CHALLENGE,)), TRUNK)
    scene.stack.hang_up(session, scene.now)
    assert "CANCEL" not in scene.words()
    scene.receive(respond(scene.last("INVITE"), 100, tag="", contact=""), TRUNK)
    assert scene.words()[-1] == "CANCEL"


@pytest.mark.parametrize(
    ("caller", "flow", "goes_to"),
    [("8001", PHONE, (PHONE.host, PHONE.port)), ("13800000000", TRUNK, ("192.168.1.5", 5062))],
    ids=["a phone", "a trunk"],
)
def test_a_caller_behind_a_nat_is_sent_to_where_it_called_from(
    caller: str, flow: Flow, goes_to: tuple[str, int]
) -> None:
    """A phone that names a Contact of its own network is where it came from; a trunk is where it says."""
    scene = Scene()
    register(scene)
    me, via = f"<sip:{caller}@example.com>;tag=n", f"{flow.host}:{flow.port}"
    more = {"from_": me, "via": via, "contact": f"<sip:{caller}@192.168.1.5:5062>"}
    scene.receive(request("INVITE", "sip:8002@example.com", body=SDP, **more), flow)
    session = scene.events(InviteArrived)[-1].session
    scene.stack.answer(session, OURS, scene.now)
    to = scene.last("200").message.header("to")
    scene.receive(request("ACK", branch="z9hG4bKack", to=to, **more), flow)
    scene.stack.hang_up(session, scene.now)
    bye = scene.last("BYE")
    assert (bye.flow.host, bye.flow.port) == goes_to
    assert bye.message.uri == f"sip:{caller}@192.168.1.5:5062"
