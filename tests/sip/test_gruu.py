"""GRUUs (RFC 5627) and the flows of one phone (RFC 5626): rows R03 and R04."""

import pytest

from sip.events import BindingsChanged, InviteArrived, SessionAnswered, SessionFailed, SessionProgressed
from sip.flows import Flow
from sip.gruu import TEMPORARY_MAX
from sip.invitation import Invitation
from sip.session import Session
from tests.sip.scene import OURS, PHONE, SDP, STRANGER, Scene, Sent, request, respond
from tests.sip.test_registrar import register

URN = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
INSTANCE = f'+sip.instance="<{URN}>"'
PUBLIC = f"sip:8001@example.com;gr={URN}"
MOVED = Flow("udp", 0, "192.0.2.8", 5090)
GRUU = ("Expires: 600", "Supported: gruu, path")
OUTBOUND = ("Expires: 600", "Supported: outbound, gruu, path")


def registered(scene: Scene, cseq: int = 1, flow: Flow = PHONE, call_id: str = "reg1") -> Sent:
    contact = f"<sip:8001@{flow.host}:{flow.port}>;{INSTANCE}"
    return register(scene, contacts=(contact,), headers=GRUU, cseq=cseq, flow=flow, call_id=call_id)


def gruus(answer: Sent) -> tuple[str, str]:
    """Return the public and the temporary GRUU of an answer's only contact."""
    (contact,) = answer.message.contacts
    return contact.params["pub-gruu"].strip('"'), contact.params["temp-gruu"].strip('"')


def talking(scene: Scene, contact: str) -> Session:
    """8001 has called and was answered."""
    from_ = "<sip:8001@example.com>;tag=from1"
    place = f"{PHONE.host}:{PHONE.port}"
    scene.receive(request("INVITE", via=place, from_=from_, contact=f"<{contact}>", body=SDP), PHONE)
    session = scene.events(InviteArrived)[-1].session
    assert isinstance(session, Session)
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", via=place, from_=from_, to=to), PHONE)
    return session


def test_gruus_are_handed_out_when_asked_for() -> None:
    """R03, RFC 5627 5.3: pub-gruu from AOR and instance, temp-gruu that says neither; not to who asks not."""
    scene = Scene()
    public, temporary = gruus(registered(scene))
    assert public == PUBLIC
    assert temporary.startswith("sip:tgruu.")
    assert temporary.endswith("@example.com;gr")
    assert "8001" not in temporary
    assert URN not in temporary
    plain = register(scene, contacts=(f"<sip:8001@192.0.2.7:5062>;{INSTANCE}",), cseq=7)
    assert "pub-gruu" not in plain.message.contacts[0].params
    bare = register(scene, user="8002", headers=GRUU, call_id="reg2")
    assert "pub-gruu" not in bare.message.contacts[0].params


def test_every_register_makes_another_temporary_one_and_the_last_few_are_good() -> None:
    """RFC 5627 5.1: another Call-ID ends them all; so does the end of the binding."""
    scene = Scene()
    names = [gruus(registered(scene, cseq=1 + 2 * n))[1] for n in range(TEMPORARY_MAX + 2)]
    assert len(set(names)) == len(names)
    ways = [scene.stack._registrar.flow_of_gruu(name) for name in names]
    assert ways == [None, None, *[PHONE] * TEMPORARY_MAX]
    other = gruus(registered(scene, call_id="reg9"))[1]
    assert scene.stack._registrar.flow_of_gruu(names[-1]) is None
    assert scene.stack._registrar.flow_of_gruu(other) == PHONE
    scene.advance(601.0)
    assert scene.stack._registrar.flow_of_gruu(other) is None
    scene.stack.check()


@pytest.mark.parametrize("kind", ["public", "temporary"])
def test_requests_in_a_dialog_follow_a_gruu_to_where_the_phone_is_now(kind: str) -> None:
    """R03: the phone has registered from elsewhere since; its GRUU has no port and is in our domain."""
    scene = Scene()
    public, temporary = gruus(registered(scene))
    session = talking(scene, public if kind == "public" else temporary)
    registered(scene, cseq=11, flow=MOVED)
    scene.stack.hang_up(session, scene.now)
    bye = scene.last("BYE")
    assert bye.flow == MOVED
    assert bye.message.uri == (public if kind == "public" else temporary)


def test_a_gruu_in_an_answer_leads_to_the_phone() -> None:
    """linphone answers with its GRUU, ``<sip:2003@127.0.0.1;gr=urn:uuid:...>``."""
    scene = Scene()
    registered(scene)
    binding = scene.stack.ways("8001")[0]
    invitation = Invitation(binding.uri, "<sip:8001@example.com>", "138", sdp=OURS, flow=binding.flow)
    session = scene.stack.invite(invitation, "leg", scene.now)
    scene.receive(respond(scene.last("INVITE"), 200, contact=f"<{PUBLIC}>", body=SDP), PHONE)
    assert scene.last("ACK").flow == PHONE
    registered(scene, cseq=11, flow=MOVED)
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == MOVED


@pytest.mark.parametrize(
    "uri",
    [
        "sip:8002@example.com;gr=" + URN,
        "sip:8001@example.com;gr=urn:uuid:other",
        "sip:8001@example.com;gr",
        "sip:tgruu.0123456789abcdef0123456789abcdef@example.com;gr",
        "sip:tgruu.@example.com;gr",
    ],
)
def test_a_gruu_cannot_be_made_up(uri: str) -> None:
    """R04: nobody names a flow; what leads nowhere leaves the way that the call came."""
    scene = Scene()
    registered(scene)
    assert scene.stack._registrar.flow_of_gruu(uri) is None
    scene.receive(request("INVITE", contact=f"<{uri}>", body=SDP), Flow("udp", 0, "10.0.0.9", 5080))
    session = scene.events(InviteArrived)[-1].session
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    ack = request("ACK", branch="z9hG4bKack1", to=to)
    scene.receive(ack, Flow("udp", 0, "10.0.0.9", 5080))
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == Flow("udp", 0, "10.0.0.9", 5080)


def test_one_phone_with_two_flows_rings_once() -> None:
    """R04, RFC 5626 7: two reg-ids of one instance are two bindings and one way, the latest."""
    scene = Scene()
    first = Flow("tcp", 1, "192.0.2.7", 40001, 5)
    second = Flow("tcp", 1, "192.0.2.7", 40002, 6)
    for number, flow in ((1, first), (2, second)):
        contact = f"<sip:8001@192.0.2.7:5062;transport=tcp>;{INSTANCE};reg-id={number}"
        answer = register(
            scene, contacts=(contact,), headers=OUTBOUND, cseq=3 * number, flow=flow, call_id=f"reg{number}"
        )
        assert answer.message.header("require") == "outbound"
        assert answer.message.header("flow-timer") == "120"
    assert len(scene.stack.contacts("8001")) == 2
    assert [binding.flow for binding in scene.stack.ways("8001")] == [second]
    scene.stack.flow_closed(second, scene.now)
    assert [binding.flow for binding in scene.stack.ways("8001")] == [first]
    assert scene.stack.is_reachable("8001")


FIRST = Flow("tcp", 1, "192.0.2.7", 40001, 5)
SECOND = Flow("tcp", 1, "192.0.2.7", 40002, 6)


def rung_over_two_flows() -> tuple[Scene, Session]:
    """A phone keeps two flows, and is called over the second."""
    scene = Scene()
    for number, flow in ((1, FIRST), (2, SECOND)):
        contact = f"<sip:8001@192.0.2.7:{5060 + number};transport=tcp>;{INSTANCE};reg-id={number}"
        register(
            scene, contacts=(contact,), headers=OUTBOUND, cseq=3 * number, flow=flow, call_id=f"reg{number}"
        )
    (way,) = scene.stack.ways("8001")
    invitation = Invitation(
        way.uri, "<sip:8001@example.com>", "1", sdp=OURS, flow=way.flow, account="8001", instance=way.instance
    )
    scene.clear()
    session = scene.stack.invite(invitation, "leg", scene.now)
    assert scene.last("INVITE").flow == SECOND
    return scene, session


@pytest.mark.parametrize("how", ["closed", "unsendable", "430"])
def test_an_invite_that_a_dead_flow_did_not_deliver_goes_over_the_other(how: str) -> None:
    """RFC 5626 5.3, 7: the same call, not a second one: its Call-ID and tag, the next CSeq; one answer."""
    scene, session = rung_over_two_flows()
    before = scene.last("INVITE")
    if how == "closed":
        scene.stack.flow_closed(SECOND, scene.now)
    elif how == "unsendable":
        scene.stack.flow_failed(SECOND, scene.now)
    else:
        scene.receive(respond(before, 430), SECOND)
    again = scene.last("INVITE")
    assert (again.flow, again.message.uri) == (FIRST, "sip:8001@192.0.2.7:5061;transport=tcp")
    assert again.message.call_id == before.message.call_id
    assert again.message.from_tag == before.message.from_tag
    assert again.message.cseq[0] == before.message.cseq[0] + 1
    assert scene.words().count("INVITE") == 2
    scene.receive(respond(again, 180), FIRST)
    scene.receive(respond(again, 200, contact="<sip:8001@192.0.2.7:5061;transport=tcp>", body=SDP), FIRST)
    assert [type(event) for event in scene.told if getattr(event, "session", None) is session] == [
        SessionProgressed,
        SessionAnswered,
    ]
    assert scene.last("ACK").flow == FIRST


def test_a_phone_whose_every_flow_is_dead_cannot_be_reached() -> None:
    """Each is tried once."""
    scene, session = rung_over_two_flows()
    scene.stack.flow_failed(SECOND, scene.now)
    scene.stack.flow_failed(FIRST, scene.now)
    assert scene.words() == ["INVITE", "INVITE"]
    assert scene.events(SessionFailed) == [SessionFailed(session, 503, "Unreachable")]


def test_a_phone_that_rings_is_not_rung_again_over_its_other_flow() -> None:
    """It has got the INVITE: a second one would ring twice."""
    scene, session = rung_over_two_flows()
    scene.receive(respond(scene.last("INVITE"), 180), SECOND)
    scene.stack.flow_closed(SECOND, scene.now)
    assert scene.words() == ["INVITE"]
    assert scene.events(SessionFailed) == [SessionFailed(session, 503, "Unreachable")]


def test_a_call_that_was_given_up_is_not_sent_over_the_other_flow() -> None:
    scene, session = rung_over_two_flows()
    scene.stack.hang_up(session, scene.now)
    scene.stack.flow_closed(SECOND, scene.now)
    assert scene.words() == ["INVITE"]
    assert scene.stack.is_quiet()


def test_a_dialog_goes_on_over_the_other_flow() -> None:
    """RFC 5626 5.3: BYE finds the phone where it still is."""
    scene, session = rung_over_two_flows()
    contact = "<sip:8001@192.0.2.7:5062;transport=tcp>"
    scene.receive(respond(scene.last("INVITE"), 200, contact=contact, body=SDP), SECOND)
    scene.stack.flow_closed(SECOND, scene.now)
    scene.stack.hang_up(session, scene.now)
    assert scene.last("BYE").flow == FIRST


def test_430_means_that_the_flow_is_gone() -> None:
    """R04, RFC 5626 5.3, 11.5: an edge proxy has lost the phone: that binding is not called any more."""
    scene = Scene()
    registered(scene)
    scene.clear()
    binding = scene.stack.ways("8001")[0]
    invitation = Invitation(binding.uri, "<sip:8001@example.com>", "138", sdp=OURS, flow=binding.flow)
    session = scene.stack.invite(invitation, "leg", scene.now)
    scene.receive(respond(scene.last("INVITE"), 430), PHONE)
    assert scene.events(SessionFailed) == [SessionFailed(session, 430, "Whatever")]
    assert scene.events(BindingsChanged) == [BindingsChanged("8001", False)]
    assert scene.stack.ways("8001") == []
    registered(scene, cseq=11)
    assert len(scene.stack.ways("8001")) == 1


def test_a_path_names_no_flow_of_ours() -> None:
    """R04: a Path or a Route that looks like a flow token of ours is an address like any other."""
    scene = Scene()
    register(scene)
    token = "<sip:udp/0/192.0.2.7/5062/0@example.com;lr>"
    scene.receive(request("INVITE", headers=(f"Route: {token}",), body=SDP), STRANGER)
    assert {sent.flow.host for sent in scene.sent[2:]} == {STRANGER.host}
