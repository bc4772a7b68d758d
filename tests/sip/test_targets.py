"""Targets: RFC 3263 4.3 and RFC 3261 18.1.1, through the stack."""

import pytest

from sip.branches import has_cookie
from sip.events import InviteArrived, NameUnresolved, SessionAnswered, SessionFailed
from sip.flows import Flow
from sip.invitation import Invitation
from sip.session import Session
from sip.settings import Listener
from tests.sip.names import CARRIER, SILENCE, Names
from tests.sip.scene import OURS, SDP, TRUNK, Scene, request, respond

A5070 = Flow("tcp", 1, "10.0.0.9", 5070)
A5080 = Flow("udp", 0, "10.0.0.9", 5080)
B = Flow("udp", 0, "10.0.0.10", 5060)
LARGE = OURS + b"a=x-padding:" + b"x" * 900 + b"\r\n"


def invited(scene: Scene, uri: str = "sip:138@carrier.example;transport=udp", sdp: bytes = OURS) -> Session:
    return scene.stack.invite(Invitation(uri, f"<{uri}>", "8001", sdp=sdp), "leg", scene.now)


def named(uri: str = "sip:138@carrier.example;transport=udp") -> tuple[Scene, Names, Session]:
    """An INVITE to a name, its first target known."""
    scene = Scene()
    names = Names(scene, CARRIER)
    session = invited(scene, uri)
    assert scene.words() == []
    names.answer()
    return scene, names, session


def test_a_call_to_a_name_is_sent_where_the_records_say() -> None:
    """RFC 3263 4.1: TCP by NAPTR, so Via, Contact and the flow are TCP's."""
    scene, _, session = named("sip:138@carrier.example")
    invite = scene.last("INVITE")
    assert invite.flow == A5070
    assert invite.message.uri == "sip:138@carrier.example"
    assert invite.message.via.transport == "TCP"
    assert invite.message.contacts[0].uri == "sip:10.0.0.1:5060;transport=tcp"
    scene.receive(respond(invite, 200, body=SDP), A5070._replace(connection=3))
    assert scene.events(SessionAnswered) == [SessionAnswered(session, SDP)]
    assert session.flow == A5070


def test_503_leads_to_the_next_target_with_another_branch() -> None:
    """RFC 3263 4.3: the same request, a transaction of its own; 503 draws its ACK, our user hears nothing."""
    scene, names, session = named()
    first = scene.last("INVITE")
    assert first.flow == A5080
    scene.receive(respond(first, 503), A5080)
    assert scene.words() == ["INVITE", "ACK"]
    assert [it.name for it in names.answer()] == ["b.carrier.example"]
    second = scene.last("INVITE")
    assert scene.last("ACK").flow == A5080
    assert scene.last("ACK").message.via.branch == first.message.via.branch
    assert second.flow == B
    assert second.message.via.branch != first.message.via.branch
    assert has_cookie(second.message.via.branch)
    assert second.message.cseq == first.message.cseq
    assert second.message.call_id == first.message.call_id
    assert scene.told == []
    # The 503 again: the ACK again.
    scene.receive(respond(first, 503), A5080)
    assert scene.words()[-1] == "ACK"
    scene.receive(respond(second, 200, body=SDP), B)
    assert scene.events(SessionAnswered) == [SessionAnswered(session, SDP)]
    assert session.flow == B
    # The next call begins with who answered.
    invited(scene)
    assert scene.last("INVITE").flow == B


def test_no_way_there_and_silence_lead_to_the_next_target() -> None:
    scene, names, session = named()
    scene.stack.flow_failed(A5080, scene.now)
    names.answer()
    assert scene.last("INVITE").flow == B
    scene.advance(31.9)
    assert len(scene.times("INVITE")) == 8
    scene.advance(0.2)
    assert scene.last("INVITE").flow == Flow("udp", 0, "10.0.0.11", 5060)
    scene.stack.flow_failed(Flow("udp", 0, "10.0.0.11", 5060), scene.now)
    assert scene.events(SessionFailed) == [SessionFailed(session, 503, "Unreachable")]
    assert scene.stack.is_quiet()


def test_who_has_said_anything_keeps_the_call() -> None:
    """A ringing target is not left for its lost connection: the callee would be rung twice."""
    scene, _, session = named()
    scene.receive(respond(scene.last("INVITE"), 180), A5080)
    scene.stack.flow_failed(A5080, scene.now)
    assert len(scene.times("INVITE")) == 1
    assert scene.events(SessionFailed) == [SessionFailed(session, 503, "Unreachable")]


def test_503_after_ringing_forgets_who_rang() -> None:
    scene, names, session = named()
    first = scene.last("INVITE")
    scene.receive(respond(first, 180, tag="a"), A5080)
    scene.receive(respond(first, 503, tag="a"), A5080)
    names.answer()
    second = scene.last("INVITE")
    scene.receive(respond(second, 180, tag="b"), B)
    scene.receive(respond(second, 200, tag="b", body=SDP), B)
    assert session.remote_tag == "b"
    assert scene.words()[-1] == "ACK"


def test_a_name_that_leads_nowhere_is_503() -> None:
    """Told as any failure, and the operator hears of the name."""
    scene = Scene()
    names = Names(scene, {})
    session = invited(scene)
    names.answer()
    assert scene.events(SessionFailed) == [SessionFailed(session, 503, "Unresolvable")]
    assert scene.events(NameUnresolved) == [NameUnresolved("carrier.example", "no address")]
    # What is known is not asked again, and told in the next turn.
    again = invited(scene)
    assert names.answer() == []
    scene.advance(0.0)
    assert scene.events(SessionFailed)[-1] == SessionFailed(again, 503, "Unresolvable")
    assert scene.sent == []
    assert scene.stack.is_quiet()


def test_a_call_that_is_given_up_before_its_name_is_known_is_never_sent() -> None:
    scene = Scene()
    names = Names(scene, CARRIER)
    session = invited(scene)
    scene.stack.hang_up(session, scene.now)
    assert scene.stack.is_quiet()
    names.answer()
    assert scene.sent == []


def test_a_cancelled_call_goes_on_to_nobody() -> None:
    scene, _, session = named()
    scene.stack.hang_up(session, scene.now)
    scene.stack.flow_failed(A5080, scene.now)
    assert scene.words() == ["INVITE"]
    assert scene.stack.is_quiet()


def test_requests_inside_a_dialog_go_to_a_contact_that_is_a_name() -> None:
    """Contact of the 2xx: ACK and BYE wait for the address; a repeated 2xx draws the same ACK."""
    scene = Scene()
    names = Names(scene, CARRIER)
    session = invited(scene, "sip:138@10.0.0.9:5080")
    answer = respond(scene.last("INVITE"), 200, contact="<sip:gw@b.carrier.example:5090>", body=SDP)
    scene.receive(answer, TRUNK)
    assert scene.words() == ["INVITE"]
    assert [it.name for it in names.answer()] == ["b.carrier.example"]
    ack = scene.last("ACK")
    assert ack.flow == Flow("udp", 0, "10.0.0.10", 5090)
    assert ack.message.uri == "sip:gw@b.carrier.example:5090"
    scene.receive(answer, TRUNK)
    assert scene.sent[-1].data == ack.data
    assert scene.sent[-1].flow == ack.flow
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == Flow("udp", 0, "10.0.0.10", 5090)


@pytest.mark.parametrize("where", ["contact", "record-route"])
def test_a_callers_name_is_asked_for_when_it_is_needed(where: str) -> None:
    """Contact or Record-Route of an INVITE; a name that leads nowhere leaves the way that the call came."""
    scene = Scene()
    names = Names(scene, CARRIER)
    contact, headers = "<sip:c@b.carrier.example:5090>", ()
    if where == "record-route":
        contact, headers = "<sip:c@10.9.9.9>", ("Record-Route: <sip:b.carrier.example:5090;lr>",)
    scene.receive(request("INVITE", contact=contact, headers=headers, body=SDP), TRUNK)
    session = scene.events(InviteArrived)[-1].session
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", to=to), TRUNK)
    assert names.answer() == []
    scene.stack.hang_up(session, scene.now)
    names.answer()
    assert scene.last("BYE").flow == Flow("udp", 0, "10.0.0.10", 5090)


def test_a_contact_that_leads_nowhere_leaves_the_way_the_call_came() -> None:
    scene = Scene()
    names = Names(scene, {("A", "pbx.local"): SILENCE})
    scene.receive(request("INVITE", contact="<sip:c@pbx.local:5060>", body=SDP), TRUNK)
    session = scene.events(InviteArrived)[-1].session
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", to=to), TRUNK)
    scene.stack.hang_up(session, scene.now)
    names.answer()
    assert scene.last("BYE").flow == TRUNK
    assert scene.last("BYE").message.uri == "sip:c@pbx.local:5060"


def test_a_bye_goes_on_to_the_next_target() -> None:
    scene = Scene()
    names = Names(scene, CARRIER)
    session = invited(scene, "sip:138@10.0.0.9:5080")
    contact = "<sip:gw@b.carrier.example:5060>"
    scene.receive(respond(scene.last("INVITE"), 200, contact=contact, body=SDP), TRUNK)
    names.answer()
    scene.stack.hang_up(session, scene.now)
    first = scene.last("BYE")
    assert first.flow == B
    scene.stack.flow_failed(B, scene.now)
    second = scene.last("BYE")
    assert second.flow == Flow("udp", 0, "10.0.0.11", 5060)
    assert second.message.via.branch != first.message.via.branch
    scene.receive(respond(first, 200, contact=""), B)  # too late: that transaction is over
    assert not scene.stack.is_quiet()
    scene.receive(respond(second, 200, contact=""), B)
    assert scene.stack.snapshot()["sessions"] == 0


def test_a_large_request_goes_by_tcp() -> None:
    """RFC 3261 18.1.1: beyond 1,300 bytes, by TCP: the Via says so, the Contact stays."""
    scene = Scene()
    session = invited(scene, "sip:138@10.0.0.9:5080", LARGE)
    invite = scene.last("INVITE")
    assert len(invite.data) > 1300
    assert invite.flow == Flow("tcp", 1, "10.0.0.9", 5080)
    assert invite.message.via.transport == "TCP"
    assert invite.message.contacts[0].uri == "sip:10.0.0.1:5060"
    answer = respond(invite, 200, contact="<sip:callee@10.0.0.9:5080>", body=SDP)
    scene.receive(answer, Flow("tcp", 1, "10.0.0.9", 5080, 7))
    assert scene.events(SessionAnswered) == [SessionAnswered(session, SDP)]
    assert scene.last("ACK").flow == A5080  # small, and the Contact says UDP
    assert scene.last("ACK").message.via.transport == "UDP"
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == A5080


def test_a_large_request_goes_by_udp_after_all_where_tcp_is_refused() -> None:
    """RFC 3261 18.1.1, last paragraph: another branch, Via UDP; the host is not asked again for a while."""
    scene = Scene()
    session = invited(scene, "sip:138@10.0.0.9:5080", LARGE)
    first = scene.last("INVITE")
    scene.stack.flow_failed(first.flow, scene.now)
    second = scene.last("INVITE")
    assert second.flow == A5080
    assert second.message.via.transport == "UDP"
    assert second.message.via.branch != first.message.via.branch
    assert second.message.contacts[0].uri == "sip:10.0.0.1:5060"
    scene.receive(respond(second, 486), A5080)
    assert scene.events(SessionFailed) == [SessionFailed(session, 486, "Whatever")]
    assert scene.last("ACK").flow == A5080
    assert scene.last("ACK").message.via.branch == second.message.via.branch
    invited(scene, "sip:138@10.0.0.9:5080", LARGE)
    assert scene.last("INVITE").flow == A5080
    scene.advance(601.0)
    invited(scene, "sip:138@10.0.0.9:5080", LARGE)
    assert scene.last("INVITE").flow.transport == "tcp"


def test_a_large_request_that_tcp_does_not_answer_is_not_sent_twice() -> None:
    """Only a refused connection leads back to UDP: who is silent may have taken the request."""
    scene = Scene()
    session = invited(scene, "sip:138@10.0.0.9:5080", LARGE)
    scene.advance(32.1)
    assert scene.words() == ["INVITE"]
    assert scene.events(SessionFailed) == [SessionFailed(session, 408, "Request Timeout")]


@pytest.mark.parametrize(
    "changes",
    [{"datagram_max": 0}, {"datagram_max": 4000}, {"listen": (Listener("udp", "10.0.0.1", 5060),)}],
    ids=["never", "larger", "no TCP here"],
)
def test_where_a_large_request_stays_on_udp(changes: dict[str, object]) -> None:
    scene = Scene(**changes)
    invited(scene, "sip:138@10.0.0.9:5080", LARGE)
    assert scene.last("INVITE").flow == A5080


def test_a_large_request_to_a_registered_phone_stays_on_its_flow() -> None:
    """RFC 5626: behind NAT there is no other way to it."""
    scene = Scene()
    flow = Flow("udp", 0, "192.0.2.7", 5062)
    uri = "sip:8001@192.168.1.5:5060"
    scene.stack.invite(Invitation(uri, f"<{uri}>", "138", sdp=LARGE, flow=flow), "leg", scene.now)
    assert scene.last("INVITE").flow == flow


def test_a_large_reinvite_goes_by_tcp_and_back() -> None:
    scene = Scene()
    session = invited(scene, "sip:138@10.0.0.9:5080")
    contact = "<sip:callee@10.0.0.9:5080>"
    scene.receive(respond(scene.last("INVITE"), 200, contact=contact, body=SDP), TRUNK)
    scene.stack.update(session, LARGE, scene.now)
    first = scene.last("INVITE")
    assert first.flow == Flow("tcp", 1, "10.0.0.9", 5080)
    scene.stack.flow_failed(first.flow, scene.now)
    second = scene.last("INVITE")
    assert second.flow == A5080
    scene.receive(respond(second, 488, contact=""), TRUNK)
    assert scene.last("ACK").message.via.branch == second.message.via.branch
    assert scene.last("ACK").flow == A5080
