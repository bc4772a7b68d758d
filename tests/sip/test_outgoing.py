"""Our INVITE until its final answer: CANCEL and its races (rows T20 and T21)."""

from tests.sip.scene import SDP, TRUNK, Scene, respond
from tests.sip.talks import invited


def test_cancel_before_any_provisional_is_held() -> None:
    """T20: held until the 1xx; INVITE's branch, Request-URI and CSeq number, To without tag; 487, ACK."""
    scene = Scene()
    session = invited(scene)
    scene.stack.hang_up(session, scene.now, "SIP;cause=200")
    scene.advance(1)
    assert scene.words() == ["INVITE", "INVITE"]
    invite = scene.last("INVITE")
    scene.receive(respond(invite, 100, tag="", contact=""), TRUNK)
    cancel = scene.last("CANCEL")
    asked, given_up = invite.message, cancel.message
    assert cancel.flow == invite.flow
    assert given_up.via.raw == asked.via.raw
    assert given_up.uri == asked.uri
    assert given_up.cseq == (1, "CANCEL")
    assert given_up.header("to") == asked.header("to")
    assert given_up.header("reason") == "SIP;cause=200"
    scene.receive(respond(cancel, 200, contact=""), TRUNK)
    scene.receive(respond(invite, 487, contact=""), TRUNK)
    assert scene.words()[-2:] == ["CANCEL", "ACK"]
    assert scene.told == []
    scene.advance(33)
    assert scene.stack.is_quiet()


def test_cancel_after_a_provisional_goes_out_at_once() -> None:
    """RFC 3261 9.1; silence after it is given up after 64*T1, and nobody hears of it."""
    scene = Scene()
    session = invited(scene)
    scene.receive(respond(scene.last("INVITE"), 180), TRUNK)
    scene.clear()
    scene.stack.hang_up(session, scene.now)
    assert scene.words() == ["CANCEL"]
    scene.advance(33)
    assert scene.told == []
    assert scene.stack.is_quiet()


def test_a_200_that_crosses_our_cancel_is_acknowledged_and_ended() -> None:
    """T21, B leg: ACK, then BYE; the user hears nothing."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    scene.receive(respond(invite, 180), TRUNK)
    scene.stack.hang_up(session, scene.now)
    scene.clear()
    scene.receive(respond(invite, 200, body=SDP), TRUNK)
    assert scene.words() == ["ACK", "BYE"]
    scene.receive(respond(invite, 200, body=SDP), TRUNK)
    assert scene.words() == ["ACK", "BYE", "ACK"]
    scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
    assert scene.told == []
    scene.advance(33)
    assert scene.stack.is_quiet()


def test_a_200_before_any_provisional_ends_a_held_cancel() -> None:
    """A callee that answers at once never sees the CANCEL: ACK, BYE."""
    scene = Scene()
    session = invited(scene)
    scene.stack.hang_up(session, scene.now)
    scene.receive(respond(scene.last("INVITE"), 200, body=SDP), TRUNK)
    assert scene.words() == ["INVITE", "ACK", "BYE"]
    assert scene.told == []


def test_a_cancelled_invite_that_stays_silent_is_given_up() -> None:
    """The CANCEL is never sent without a provisional; B ends it all."""
    scene = Scene()
    scene.stack.hang_up(invited(scene), scene.now)
    scene.advance(33)
    assert set(scene.words()) == {"INVITE"}
    assert scene.told == []
    assert scene.stack.is_quiet()
