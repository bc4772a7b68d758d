"""Sessions of a :class:`tests.sip.scene.Scene`, brought as far as a test wants them."""

from sip.events import InviteArrived
from sip.invitation import Invitation
from sip.session import Session
from tests.sip.scene import OURS, SDP, TRUNK, Scene, request, respond

OUTSIDE = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS)


def invited(scene: Scene) -> Session:
    return scene.stack.invite(OUTSIDE, "leg", scene.now)


def arrived(scene: Scene) -> Session:
    scene.receive(request("INVITE", body=SDP), TRUNK)
    session = scene.events(InviteArrived)[-1].session
    assert isinstance(session, Session)
    return session


def answered(scene: Scene, body: bytes = SDP) -> tuple[Session, str]:
    """An incoming call, confirmed; returns it and the To of requests inside."""
    scene.receive(request("INVITE", body=body), TRUNK)
    session = scene.events(InviteArrived)[-1].session
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", to=to), TRUNK)
    scene.clear()
    return session, to


def connected(scene: Scene) -> Session:
    """An outgoing call, answered."""
    session = invited(scene)
    scene.receive(respond(scene.last("INVITE"), 200, body=SDP), TRUNK)
    scene.clear()
    return session


def from_callee(method: str, session: Session, cseq: int, body: bytes = b"", branch: str = "") -> bytes:
    """A request of the callee inside an outgoing call."""
    return request(
        method,
        "sip:10.0.0.1:5060",
        branch=branch or f"z9hG4bK{method}{cseq}",
        from_="<sip:138@10.0.0.9>;tag=callee1",
        to=f"<sip:8001@example.com>;tag={session.local_tag}",
        call_id=session.sip_call_id,
        cseq=cseq,
        contact="<sip:callee@10.0.0.9:5090>",
        body=body,
    )
