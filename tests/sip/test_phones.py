"""What real phones were seen to do (rows P1 to P7 of the checklist), in virtual time; P7 is in tests/wire."""

import pytest

from sip.digest import answer_challenge
from sip.events import InviteArrived, SessionEnded
from sip.flows import Flow
from sip.invitation import Invitation
from sip.session import Session
from sip.settings import Listener, Secret
from tests.sip.scene import OURS, PHONE, SDP, TRUNK, Scene, Sent, request, respond
from tests.sip.test_registrar import register

DIALLED = "sip:96198@example.com"
OVER_TCP = Flow("tcp", 1, PHONE.host, 40123, 9)


def called(scene: Scene, registered: str, contact: str) -> tuple[Session, Sent]:
    """A phone that has registered one contact, was called, and has answered with another."""
    register(scene, contacts=(registered,))
    binding = scene.stack.contacts("8001")[0]
    invitation = Invitation(binding.uri, "<sip:8001@example.com>", "138", sdp=OURS, flow=binding.flow)
    session = scene.stack.invite(invitation, "leg", scene.now)
    invite = scene.last("INVITE")
    scene.receive(respond(invite, 200, contact=contact, body=SDP), PHONE)
    return session, invite


@pytest.mark.parametrize(
    ("registered", "contact"),
    [
        ("<sip:8001@192.0.2.7:5062>", "<sip:8001@10.0.0.1;gr=urn:uuid:f81d4fae>"),
        ("<sip:8001@192.0.2.7:5062>", "<sip:8001@example.com;gr=urn:uuid:f81d4fae>"),
        ("<sip:8001@192.168.1.5:5062;ob>", "<sip:8001@192.168.1.5:5062;ob>"),
        ("<sip:8001@192.168.1.5:5062>", "<sip:8001@192.168.1.5:5062;ob;transport=UDP>"),
    ],
)
def test_a_contact_that_no_packet_could_be_sent_to(registered: str, contact: str) -> None:
    """P2: linphone's GRUU without port and pjsip's ``;ob`` stand for the way the phone registered over."""
    scene = Scene()
    session, invite = called(scene, registered, contact)
    assert scene.last("ACK").flow == PHONE
    bye = request(
        "BYE",
        "sip:10.0.0.1:5060",
        branch="z9hG4bKbye",
        via="192.168.1.5:5062;rport",
        from_=f"{invite.message.header('to')};tag=callee1",
        to=invite.message.header("from") or "",
        call_id=invite.message.call_id,
        contact=contact,
    )
    assert scene.receive(bye, PHONE)[0].word == "200"
    assert scene.events(SessionEnded) == [SessionEnded(session, "bye")]


def test_a_phone_registers_with_what_it_supports() -> None:
    """P2: ``Supported: outbound, path, gruu`` asks for nothing that would be refused."""
    scene = Scene()
    contact = '<sip:8001@192.0.2.7:5062;ob>;reg-id=1;+sip.instance="<urn:uuid:f81d4fae>"'
    answer = register(scene, contacts=(contact,), headers=("Expires: 600", "Supported: outbound, path, gruu"))
    assert answer.word == "200"
    assert len(scene.stack.contacts("8001")) == 1


def invite_of(cseq: int, headers: tuple[str, ...], transport: str) -> bytes:
    return request(
        "INVITE",
        branch=f"z9hG4bK{transport}{cseq}",
        via="192.0.2.7:5062;rport",
        transport=transport,
        from_="<sip:8001@example.com>;tag=mine",
        cseq=cseq,
        contact=f"<sip:8001@192.0.2.7:5062;transport={transport.lower()}>",
        headers=(*headers, "X-Filler: " + "x" * 900),
        body=SDP,
    )


@pytest.mark.parametrize("flow", [OVER_TCP, PHONE])
def test_a_large_request_comes_over_tcp_or_in_fragments(flow: Flow) -> None:
    """P3: pjsip sends above 1,300 bytes over TCP, be it registered over UDP, and falls back to UDP with
    1,565 bytes: both are taken, and the answer goes where the request came from.
    """
    scene = Scene()
    register(scene)
    scene.clear()
    transport = flow.transport.upper()
    first = invite_of(1, (), transport)
    assert len(first) > 1_300
    answers = scene.receive(first, flow)
    if answers[0].word == "401":
        challenges = answers[0].message.headers("www-authenticate")
        said = answer_challenge(challenges, "8001", Secret(password="one"), "INVITE", DIALLED, b"", "cn")
        answers = scene.receive(invite_of(2, (f"Authorization: {said}",), transport), flow)
    assert [(sent.word, sent.flow) for sent in answers] == [("100", flow)]
    (arrived,) = scene.events(InviteArrived)
    assert arrived.identity.name == "8001"
    scene.stack.answer(arrived.session, OURS, scene.now)
    assert scene.last("200").flow == flow


def test_a_proxy_on_our_own_host_is_not_us() -> None:
    """P5: who we are is host and port: a route of our host at another port is followed as it stands."""
    scene = Scene()
    assert [scene.stack.is_ours("10.0.0.1", port) for port in (5060, None, 5061)] == [True, True, False]
    neighbour = "<sip:10.0.0.1:5099;lr>"
    scene.receive(request("INVITE", headers=(f"Record-Route: {neighbour}",), body=SDP), TRUNK)
    session = scene.events(InviteArrived)[0].session
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", to=to), TRUNK)
    scene.stack.hang_up(session, scene.now)
    bye = scene.last("BYE")
    assert bye.flow == Flow("udp", 0, "10.0.0.1", 5099)
    assert (bye.message.uri, bye.message.header("route")) == ("sip:caller@10.0.0.9:5080", neighbour)


def test_a_browser_is_reached_over_its_connection_and_by_no_other_way() -> None:
    """R05, RFC 7118 5: Via and Contact name an ``.invalid`` host; one message a frame; what we send goes over
    the connection that the browser has registered over, until it is gone: then the binding is unreachable.
    """
    listeners = (Listener("udp", "10.0.0.1", 5060), Listener("ws", "10.0.0.1", 5066))
    scene = Scene(listen=listeners)
    browser = Flow("ws", 1, "192.0.2.7", 50123, 4)
    contact = "<sip:h2k@df7jal23ls0d.invalid;transport=ws>"

    def send(data: bytes) -> Sent:
        scene.stack.receive_datagram(data, browser, scene.now)
        scene.collect()
        return scene.sent[-1]

    def register_request(cseq: int, headers: tuple[str, ...]) -> bytes:
        return request(
            "REGISTER",
            "sip:example.com",
            branch=f"z9hG4bKws{cseq}",
            via="df7jal23ls0d.invalid",
            transport="WS",
            from_="<sip:8001@example.com>;tag=reg",
            to="<sip:8001@example.com>",
            cseq=cseq,
            contact=contact,
            headers=headers,
        )

    asked = send(register_request(1, ())).message.headers("www-authenticate")
    said = answer_challenge(asked, "8001", Secret(password="one"), "REGISTER", "sip:example.com", b"", "cn")
    assert send(register_request(2, (f"Authorization: {said}",))).word == "200"
    assert {sent.flow for sent in scene.sent} == {browser}
    binding = scene.stack.contacts("8001")[0]
    invitation = Invitation(binding.uri, "<sip:8001@example.com>", "138", sdp=OURS, flow=binding.flow)
    session = scene.stack.invite(invitation, "leg", scene.now)
    invite = scene.last("INVITE")
    assert (invite.flow, invite.message.via.transport) == (browser, "WS")
    assert send(respond(invite, 200, contact=contact, body=SDP)).flow == browser
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == browser
    scene.stack.flow_closed(browser, scene.now)
    assert not scene.stack.is_reachable("8001")
