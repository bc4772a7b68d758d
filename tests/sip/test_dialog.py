"""Dialogs: route sets, targets, and the way to the peer (rows T27, T28; A-ROUTE)."""

import pytest

from sip.dialog import contact_target, dialog_of_request, must_stay_secure, uri_is_loose, uri_of
from sip.events import InviteArrived
from sip.flows import Flow
from sip.grammar import SipError
from sip.invitation import Invitation
from sip.message import Request
from sip.parser import parse_message
from sip.places import Places
from tests.sip.scene import OURS, PHONE, SDP, TRUNK, Scene, request, respond, settings
from tests.sip.test_registrar import register


def test_route_parts() -> None:
    assert uri_of("<sip:p1.example.com;lr>;x=1") == "sip:p1.example.com;lr"
    assert uri_of("sip:p1.example.com;x=1") == "sip:p1.example.com"
    assert uri_is_loose("<sip:p1.example.com;lr>")
    assert uri_is_loose("<sip:p1.example.com;LR=on;x>")
    assert not uri_is_loose("<sip:lr.example.com>")


def outgoing(scene: Scene, record_routes: tuple[str, ...]) -> None:
    """An answered outgoing call whose 2xx carries Record-Route, and our BYE in it."""
    invitation = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS)
    session = scene.stack.invite(invitation, "leg", scene.now)
    headers = tuple(f"Record-Route: {route}" for route in record_routes)
    scene.receive(respond(scene.last("INVITE"), 200, headers=headers, body=SDP), TRUNK)
    scene.stack.hang_up(session, scene.now)
    scene.collect()


def test_loose_routes_of_a_caller() -> None:
    """T28: Record-Route in reverse order; Request-URI is the target, the next hop the first route."""
    scene = Scene()
    outgoing(scene, ("<sip:10.0.0.21;lr>", "<sip:10.0.0.22:5066;lr>"))
    for word in ("ACK", "BYE"):
        sent = scene.last(word)
        assert sent.message.uri == "sip:callee@10.0.0.9:5090"
        assert sent.message.header("route") == "<sip:10.0.0.22:5066;lr>, <sip:10.0.0.21;lr>"
        assert sent.flow == Flow("udp", 0, "10.0.0.22", 5066)


def test_a_strict_router_is_addressed_itself() -> None:
    """T28: Request-URI is the first route, the target stands last in Route."""
    scene = Scene()
    outgoing(scene, ("<sip:10.0.0.21;lr>", "<sip:10.0.0.22>"))
    bye = scene.last("BYE")
    assert bye.message.uri == "sip:10.0.0.22"
    assert bye.message.header("route") == "<sip:10.0.0.21;lr>, <sip:callee@10.0.0.9:5090>"
    assert bye.flow == Flow("udp", 0, "10.0.0.22", 5060)


def test_routes_of_a_callee_are_in_order_and_echoed() -> None:
    """T28: RFC 3261 12.1.1; 180 and 200 copy Record-Route, the 100 need not."""
    scene = Scene()
    routes = ("Record-Route: <sip:10.0.0.21;lr>", "Record-Route: <sip:10.0.0.22;lr>")
    scene.receive(request("INVITE", headers=routes, body=SDP), TRUNK)
    session = scene.events(InviteArrived)[0].session
    scene.stack.ring(session, scene.now)
    scene.stack.answer(session, OURS, scene.now)
    for word in ("180", "200"):
        assert scene.last(word).message.headers("record-route") == [
            "<sip:10.0.0.21;lr>",
            "<sip:10.0.0.22;lr>",
        ]
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", to=to), TRUNK)
    scene.stack.hang_up(session, scene.now)
    bye = scene.last("BYE")
    assert bye.message.header("route") == "<sip:10.0.0.21;lr>, <sip:10.0.0.22;lr>"
    assert bye.flow == Flow("udp", 0, "10.0.0.21", 5060)


def test_the_target_moves_and_the_route_set_stays() -> None:
    """T27."""
    message = parse_message(request("INVITE", headers=("Record-Route: <sip:10.0.0.21;lr>",), body=SDP))
    assert isinstance(message, Request)
    places = Places(settings())
    dialog = dialog_of_request(message, "ours", places, 0)
    dialog.set_target("sip:new@10.0.0.40")
    built = parse_message(dialog.build("BYE", 1, "z9hG4bKx"))
    assert isinstance(built, Request)
    assert (built.uri, built.header("route")) == ("sip:new@10.0.0.40", "<sip:10.0.0.21;lr>")
    assert (built.from_tag, built.to_tag) == ("ours", "from1")


def test_a_phone_behind_nat_is_reached_over_its_flow() -> None:
    """The target is the registered contact, a private address: requests go where the phone came from."""
    scene = Scene()
    register(scene, contacts=("<sip:8001@192.168.1.5:5062>",))
    binding = scene.stack.contacts("8001")[0]
    invitation = Invitation(
        binding.uri, "<sip:8001@example.com>", "138", sdp=OURS, flow=binding.flow, routes=binding.path
    )
    session = scene.stack.invite(invitation, "leg", scene.now)
    invite = scene.last("INVITE")
    assert (invite.flow, invite.message.uri) == (PHONE, "sip:8001@192.168.1.5:5062")
    answer = respond(invite, 200, contact="<sip:8001@192.168.1.5:5062;ob>", body=SDP)
    scene.receive(answer, PHONE)
    assert scene.last("ACK").flow == PHONE
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == PHONE


def test_a_gruu_of_ours_as_contact_means_the_phones_flow() -> None:
    """R03: linphone answers with its GRUU in our own domain, without port."""
    scene = Scene()
    register(scene)
    binding = scene.stack.contacts("8001")[0]
    invitation = Invitation(binding.uri, "<sip:8001@example.com>", "138", sdp=OURS, flow=binding.flow)
    scene.stack.invite(invitation, "leg", scene.now)
    gruu = "<sip:8001@10.0.0.1;gr=urn:uuid:1>"
    scene.receive(respond(scene.last("INVITE"), 200, contact=gruu, body=SDP), PHONE)
    assert scene.last("ACK").flow == PHONE
    assert scene.last("ACK").message.uri == "sip:8001@10.0.0.1;gr=urn:uuid:1"


def test_a_call_over_a_connection_stays_on_it() -> None:
    scene = Scene()
    flow = Flow("tcp", 1, "10.0.0.9", 40000, 7)
    contact = "<sip:caller@10.0.0.9:5080;transport=tcp>"
    scene.receive(request("INVITE", transport="TCP", contact=contact, body=SDP), flow)
    session = scene.events(InviteArrived)[0].session
    scene.stack.answer(session, OURS, scene.now)
    assert scene.last("200").message.contacts[0].uri == "sip:10.0.0.1:5060;transport=tcp"
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", transport="TCP", branch="z9hG4bKack", to=to), flow)
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == flow


@pytest.mark.parametrize("contact", ["", "<sip:a@10.0.0.9>, <sip:b@10.0.0.9>", "<mailto:a@b.c>", "*"])
def test_an_invite_needs_one_contact(contact: str) -> None:
    """RFC 3261 8.1.1.8: exactly one, a SIP URI; else 400."""
    scene = Scene()
    assert [sent.word for sent in scene.receive(request("INVITE", contact=contact, body=SDP), TRUNK)] == [
        "400"
    ]
    assert scene.told == []
    message = parse_message(request("INVITE", contact=contact))
    with pytest.raises(SipError):
        contact_target(message)


def test_a_route_header_is_not_followed() -> None:
    """A-ROUTE: we are where requests end; no packet goes to the Route's host."""
    scene = Scene()
    scene.receive(request("OPTIONS", headers=("Route: <sip:127.0.0.9;lr>",)), TRUNK)
    assert [sent.flow.host for sent in scene.sent] == ["10.0.0.9"]


def test_dialogs_need_both_tags_and_the_call_id() -> None:
    """A-DLG: our tag alone does not let a forged BYE in."""
    scene = Scene()
    scene.receive(request("INVITE", body=SDP), TRUNK)
    session = scene.events(InviteArrived)[0].session
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    forged = request("BYE", branch="z9hG4bK1", to=to, cseq=2, call_id="guess")
    assert scene.receive(forged, TRUNK)[0].word == "481"
    wrong_tag = request("BYE", branch="z9hG4bK2", to=to, cseq=2, from_="<sip:x@y.z>;tag=guess")
    assert scene.receive(wrong_tag, TRUNK)[0].word == "481"
    assert len(session.local_tag) == 16


def test_which_dialogs_must_stay_secure() -> None:
    """RFC 3261 12.1.1, for a dialog that is taken over: its next hop says it."""
    assert must_stay_secure((), "sips:a@10.0.0.9")
    assert must_stay_secure(("<sips:10.0.0.2;lr>",), "sip:a@10.0.0.9")
    assert not must_stay_secure((), "sip:a@10.0.0.9;transport=tls")
