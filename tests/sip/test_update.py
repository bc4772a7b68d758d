"""Updates: re-INVITEs of ours, their glare and their failures (rows T23 and T25); UPDATEs of theirs (T32)."""

import pytest

from kernel.rows import BindingRow
from kernel.walltime import WallTime
from sip.events import (
    InviteArrived,
    SessionConfirmed,
    SessionEnded,
    SessionOffered,
    UpdateAnswered,
    UpdateFailed,
)
from sip.flows import Flow
from sip.session import Session
from sip.sessionstate import SessionState
from tests.sip.scene import OURS, SDP, TRUNK, Scene, request, respond
from tests.sip.talks import answered, arrived, connected, from_callee


def test_glare_is_refused_and_ours_comes_again() -> None:
    """T23: 491 to theirs while ours is pending; ours again after 2.1 to 4 s, where the Call-ID is ours."""
    scene = Scene()
    session = connected(scene)
    scene.stack.update(session, OURS, scene.now)
    ours = scene.last("INVITE")
    assert ours.message.cseq == (2, "INVITE")
    theirs = from_callee("INVITE", session, 1, SDP)
    assert [sent.word for sent in scene.receive(theirs, TRUNK)] == ["491"]
    scene.receive(respond(ours, 491), TRUNK)
    assert scene.words()[-1] == "ACK"
    scene.advance(2.09)
    assert len(scene.times("INVITE")) == 1
    scene.advance(1.92)
    again = scene.times("INVITE")[1]
    assert 2.1 <= again <= 4.0
    assert round(again * 100) == pytest.approx(again * 100)
    retried = scene.last("INVITE")
    assert retried.message.cseq == (3, "INVITE")
    scene.receive(respond(retried, 200, body=SDP), TRUNK)
    assert scene.told == [UpdateAnswered(session, SDP)]


def test_glare_backs_off_shorter_where_they_own_the_call_id() -> None:
    """T23: 0 to 2 s."""
    scene = Scene()
    session, _ = answered(scene)
    scene.stack.update(session, OURS, scene.now)
    scene.receive(respond(scene.last("INVITE"), 491), TRUNK)
    scene.advance(2.01)
    assert scene.last("INVITE").message.cseq == (2, "INVITE")
    assert 0.0 <= scene.times("INVITE")[1] <= 2.0


def test_a_failing_reinvite_leaves_the_session_as_it_was() -> None:
    """T25: 488 is told; the next one may be tried; 481 ends the session with BYE."""
    scene = Scene()
    session = connected(scene)
    scene.stack.update(session, OURS, scene.now)
    scene.receive(respond(scene.last("INVITE"), 488), TRUNK)
    assert scene.told == [UpdateFailed(session, 488)]
    assert session.state is SessionState.CONFIRMED
    scene.stack.update(session, OURS, scene.now)
    scene.receive(respond(scene.last("INVITE"), 481), TRUNK)
    assert scene.told[1:] == [SessionEnded(session, "gone")]
    assert scene.words()[-1] == "BYE"


def test_a_silent_reinvite_ends_the_session() -> None:
    """T25: timeout counts as 408, which ends the dialog."""
    scene = Scene()
    session = connected(scene)
    scene.stack.update(session, OURS, scene.now)
    scene.advance(32)
    assert scene.told == [SessionEnded(session, "timeout")]
    assert scene.words()[-1] == "BYE"


def test_a_reinvite_of_ours_outlives_the_session_by_64_t1_at_most() -> None:
    scene = Scene()
    session = connected(scene)
    scene.stack.update(session, OURS, scene.now)
    scene.receive(respond(scene.last("INVITE"), 100, tag="", contact=""), TRUNK)
    scene.stack.hang_up(session, scene.now)
    scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
    scene.advance(33)
    assert scene.told == []
    assert scene.stack.is_quiet()


def test_our_update_waits_for_their_ack() -> None:
    """RFC 3261 14.1: no INVITE while another is in progress in either direction."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.answer(session, OURS, scene.now)
    scene.stack.update(session, b"v=0 first", scene.now)
    scene.stack.update(session, OURS, scene.now)
    scene.clear()
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", to=to), TRUNK)
    assert scene.words() == ["INVITE"]
    assert scene.last("INVITE").message.body == OURS
    assert scene.told == [SessionConfirmed(session, b"")]


def from_caller(session: Session, method: str, cseq: int, body: bytes = b"", contact: str = "") -> bytes:
    """A request of the caller inside an incoming call."""
    return request(
        method,
        branch=f"z9hG4bK{method}{cseq}",
        to=f"<sip:96198@example.com>;tag={session.local_tag}",
        cseq=cseq,
        contact=contact or "<sip:caller@10.0.0.9:5080>",
        body=body,
    )


def test_an_update_with_an_offer_is_told_and_answered() -> None:
    """T32: in a confirmed dialog it is what a re-INVITE is, without an ACK; a repeated one draws the same."""
    scene = Scene()
    session, _ = answered(scene)
    update = from_caller(session, "UPDATE", 2, SDP)
    assert scene.receive(update, TRUNK) == []
    assert scene.told == [SessionOffered(session, SDP)]
    assert scene.receive(update, TRUNK) == []
    scene.stack.accept_update(session, OURS, scene.now)
    ok = scene.last("200").message
    assert (ok.body, ok.header("contact")) == (OURS, "<sip:10.0.0.1:5060>")
    assert scene.receive(update, TRUNK)[0].data == scene.last("200").data
    scene.advance(40)
    assert scene.words() == ["200", "200"]
    assert session.state is SessionState.CONFIRMED


def test_an_update_may_be_refused() -> None:
    """RFC 3311 5.2: 488, and the session goes on as it was; the next one is welcome."""
    scene = Scene()
    session, _ = answered(scene)
    scene.receive(from_caller(session, "UPDATE", 2, SDP), TRUNK)
    scene.stack.refuse_update(session, 488, scene.now)
    scene.receive(from_caller(session, "UPDATE", 3, SDP), TRUNK)
    scene.stack.accept_update(session, OURS, scene.now)
    assert scene.words() == ["488", "200"]


def test_an_update_without_an_offer_refreshes_the_target() -> None:
    """T27, T32: answered at once, nobody is told; the next request goes to the new Contact."""
    scene = Scene()
    session, _ = answered(scene)
    scene.receive(from_caller(session, "UPDATE", 2, contact="<sip:caller@10.0.0.9:5099>"), TRUNK)
    assert scene.words() == ["200"]
    assert scene.told == []
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").message.uri == "sip:caller@10.0.0.9:5099"
    assert scene.last("BYE").flow.port == 5099


def test_an_update_over_an_update() -> None:
    """RFC 3311 5.2: before the answer to the first, 500 with Retry-After 0 to 10, offer or not."""
    scene = Scene()
    session, _ = answered(scene)
    scene.receive(from_caller(session, "UPDATE", 2, SDP), TRUNK)
    for cseq, body in ((3, SDP), (4, b"")):
        refusal = scene.receive(from_caller(session, "UPDATE", cseq, body), TRUNK)[0]
        assert refusal.word == "500"
        assert 0 <= int(refusal.message.header("retry-after") or "-1") <= 10
    refusal = scene.receive(from_caller(session, "INVITE", 5, SDP), TRUNK)[0]
    assert refusal.word == "500"
    scene.stack.accept_update(session, OURS, scene.now)
    assert scene.words()[-1] == "200"


def test_an_update_that_meets_an_offer_of_ours() -> None:
    """T32: 491 while our re-INVITE is out; without an offer it is no glare."""
    scene = Scene()
    session, _ = answered(scene)
    scene.stack.update(session, OURS, scene.now)
    assert scene.receive(from_caller(session, "UPDATE", 2, SDP), TRUNK)[0].word == "491"
    assert scene.receive(from_caller(session, "UPDATE", 3), TRUNK)[0].word == "200"


def test_an_update_that_meets_their_own_reinvite() -> None:
    """RFC 3311 5.2: their offer has no answer yet: 500."""
    scene = Scene()
    session, _ = answered(scene)
    scene.receive(from_caller(session, "INVITE", 2, SDP), TRUNK)
    assert scene.receive(from_caller(session, "UPDATE", 3, SDP), TRUNK)[0].word == "500"
    scene.stack.accept_update(session, OURS, scene.now)
    assert scene.words()[-1] == "200"


def test_an_update_before_any_answer() -> None:
    """T32, early dialog without 100rel: an offer draws 500, as the INVITE's has no answer; a refresh 200."""
    scene = Scene()
    session = arrived(scene)
    scene.stack.ring(session, scene.now)
    assert scene.receive(from_caller(session, "UPDATE", 2, SDP), TRUNK)[0].word == "500"
    assert scene.receive(from_caller(session, "UPDATE", 3), TRUNK)[0].word == "200"
    scene.stack.answer(session, OURS, scene.now)
    assert scene.words()[-1] == "200"


def test_an_update_of_a_session_that_ends() -> None:
    """481 after our BYE; one that waits for its answer when the session ends draws 487."""
    scene = Scene()
    session, _ = answered(scene)
    scene.receive(from_caller(session, "UPDATE", 2, SDP), TRUNK)
    scene.stack.hang_up(session, scene.now)
    assert scene.words() == ["487", "BYE"]
    assert scene.receive(from_caller(session, "UPDATE", 3, SDP), TRUNK)[0].word == "481"
    scene.stack.accept_update(session, OURS, scene.now)
    assert scene.words() == ["487", "BYE", "481"]


def test_a_body_that_is_no_sdp() -> None:
    scene = Scene()
    session, _ = answered(scene)
    update = from_caller(session, "UPDATE", 2, SDP).replace(b"application/sdp", b"text/plain")
    assert scene.receive(update, TRUNK)[0].word == "415"


def test_a_refresh_of_ours_takes_the_peers_new_address() -> None:
    """RFC 3261 12.2.1.2, RFC 4028 7.4: what the 2xx to our refresh says is the peer's address from then on,
    of signalling and of audio."""
    scene = Scene()
    session, _ = answered(scene)
    session.refresh(scene.now)
    refresh = scene.last("INVITE")
    assert refresh.message.body == OURS
    moved = SDP.replace(b"10.0.0.9", b"10.0.0.8").replace(b" 4000 ", b" 4400 ")
    scene.receive(respond(refresh, 200, tag="", contact="<sip:caller@10.0.0.8:5099>", body=moved), TRUNK)
    assert scene.told == [UpdateAnswered(session, moved)]
    assert scene.last("ACK").flow == Flow("udp", 0, "10.0.0.8", 5099)
    scene.stack.hang_up(session, scene.now)
    bye = scene.last("BYE")
    assert bye.flow == Flow("udp", 0, "10.0.0.8", 5099)
    assert bye.message.uri == "sip:caller@10.0.0.8:5099"


def test_a_phone_moves_to_another_port_of_its_host() -> None:
    """T27: a known way that was the old Contact's address is given up for the new Contact."""
    scene = Scene()
    phone = Flow("udp", 0, "192.0.2.7", 5062)
    scene.stack.restore_binding(
        BindingRow(
            "8001", "8001", "sip:8001@192.0.2.7:5062", "udp/0/192.0.2.7/5062/0", "", "", "r", 1, 1.0, 2e9
        ),
        scene.now,
        WallTime(1_000_000.0),
    )
    from_ = "<sip:8001@example.com>;tag=from1"
    contact = "<sip:8001@192.0.2.7:5062>"
    scene.receive(request("INVITE", via="192.0.2.7:5062", from_=from_, contact=contact, body=SDP), phone)
    session = scene.events(InviteArrived)[-1].session
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", via="192.0.2.7:5062", from_=from_, to=to), phone)
    session.refresh(scene.now)
    moved = "<sip:8001@192.0.2.7:5070>"
    scene.receive(respond(scene.last("INVITE"), 200, tag="", contact=moved, body=SDP), phone)
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == Flow("udp", 0, "192.0.2.7", 5070)
