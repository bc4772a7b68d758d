"""The stack as a whole: calls in both directions, who may do what, floods, and nothing left behind."""

import gc

from sip.events import (
    InviteArrived,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionProgressed,
)
from sip.flows import Flow
from sip.session import Invitation
from tests.sip.scene import OURS, SDP, TRUNK, Scene, request, respond


def arrive(scene: Scene, **changes: object) -> InviteArrived:
    scene.receive(request("INVITE", body=SDP, **changes), TRUNK)
    return scene.events(InviteArrived)[-1]


def test_incoming_call_from_invite_to_bye() -> None:
    """RFC 3665 3.1: INVITE, 100, 180, 200, ACK, BYE, 200."""
    scene = Scene()
    event = arrive(scene)
    assert (event.identity.kind, event.identity.name, event.sdp) == ("trunk", "carrier", SDP)
    session = event.session
    scene.stack.ring(session, scene.now)
    scene.stack.answer(session, OURS, scene.now)
    assert scene.words() == ["100", "180", "200"]
    ok = scene.last("200")
    assert ok.message.body == OURS
    assert ok.message.contacts[0].uri == "sip:10.0.0.1:5060"
    tag = ok.message.to_tag
    assert tag == scene.last("180").message.to_tag == session.local_tag
    to = f"<sip:96198@example.com>;tag={tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", to=to), TRUNK)
    assert [type(event) for event in scene.told] == [InviteArrived, SessionConfirmed]
    scene.receive(request("BYE", branch="z9hG4bKbye", to=to, cseq=2), TRUNK)
    assert scene.words() == ["100", "180", "200", "200"]
    assert scene.events(SessionEnded) == [SessionEnded(session, "bye")]
    scene.advance(33)
    assert scene.stack.is_quiet()
    assert scene.words() == ["100", "180", "200", "200"]


def test_outgoing_call_from_invite_to_bye() -> None:
    """RFC 3665 3.1 as the caller, with our BYE."""
    scene = Scene()
    invitation = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", 'Ann "A"', OURS)
    session = scene.stack.invite(invitation, "leg", scene.now)
    invite = scene.last("INVITE")
    assert invite.flow == TRUNK
    assert invite.message.header("from") == f'"Ann \\"A\\"" <sip:8001@example.com>;tag={session.local_tag}'
    assert invite.message.body == OURS
    scene.receive(respond(invite, 100, tag="", contact=""), TRUNK)
    scene.receive(respond(invite, 180), TRUNK)
    scene.receive(respond(invite, 200, body=SDP), TRUNK)
    assert scene.told == [SessionProgressed(session, 180, b""), SessionAnswered(session, SDP)]
    ack = scene.last("ACK")
    assert ack.message.uri == "sip:callee@10.0.0.9:5090"
    assert ack.flow == Flow("udp", 0, "10.0.0.9", 5090)
    assert ack.message.cseq == (1, "ACK")
    assert session.user == "leg"
    scene.stack.hang_up(session, scene.now, "Q.850;cause=16")
    bye = scene.last("BYE")
    assert bye.message.cseq == (2, "BYE")
    assert bye.message.header("reason") == "Q.850;cause=16"
    assert session.user is None
    scene.receive(respond(bye, 200, contact=""), TRUNK)
    scene.advance(33)
    assert scene.words() == ["INVITE", "ACK", "BYE"]
    assert scene.stack.is_quiet()


def test_nothing_is_left_for_the_collector_after_calls() -> None:
    """Reference cycles are broken when a session ends."""
    scene = Scene()
    gc.collect()
    gc.disable()
    try:
        for number in range(50):
            branch, call_id = f"z9hG4bKc{number}", f"gc{number}"
            session = arrive(scene, branch=branch, call_id=call_id).session
            scene.stack.answer(session, OURS, scene.now)
            scene.collect()
            to = f"<sip:96198@example.com>;tag={session.local_tag}"
            scene.receive(request("ACK", branch=branch + "a", call_id=call_id, to=to), TRUNK)
            scene.receive(request("BYE", branch=branch + "b", call_id=call_id, to=to, cseq=2), TRUNK)
            invitation = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS)
            session = scene.stack.invite(invitation, "leg", scene.now)
            scene.receive(respond(scene.last("INVITE"), 200, body=SDP), TRUNK)
            scene.stack.hang_up(session, scene.now)
            scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
            scene.clear()
        del session
        scene.advance(33)
        scene.clear()
        assert scene.stack.is_quiet()
        assert gc.collect() == 0
    finally:
        gc.enable()
