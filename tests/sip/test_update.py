"""Updates: re-INVITEs of ours, their glare and their failures (rows T23 and T25)."""

import pytest

from sip.events import SessionConfirmed, SessionEnded, UpdateAnswered, UpdateFailed
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
