"""Ways back: answers to an INVITE whose connection is gone (RFC 3261 18.2.2, RFC 3263 5)."""

from typing import Any

import pytest

from sip.events import InviteArrived, SessionConfirmed
from sip.flows import Flow
from sip.resolve import Answer, Srv
from sip.session import Session
from sip.wayback import lead
from tests.sip.scene import OURS, SDP, Scene, request
from tests.sip.test_gruu import FIRST, INSTANCE, OUTBOUND, SECOND
from tests.sip.test_registrar import register

CAME = Flow("tcp", 1, "10.0.0.9", 41000, 3)
BACK = Flow("tcp", 1, "10.0.0.9", 5090, 0)


def called(via: str = "10.0.0.9:5090", flow: Flow = CAME, **more: Any) -> tuple[Scene, Session]:
    """A trunk calls over a connection."""
    scene = Scene()
    return scene, call(scene, via, flow, **more)


def call(scene: Scene, via: str, flow: Flow, **more: Any) -> Session:
    scene.receive(request("INVITE", via=via, transport="TCP", body=SDP, **more), flow)
    session = scene.events(InviteArrived)[-1].session
    assert isinstance(session, Session)
    scene.clear()
    return session


def seen(scene: Scene) -> list[tuple[str, Flow]]:
    scene.collect()
    found = [(sent.word, sent.flow) for sent in scene.sent]
    scene.clear()
    return found


def test_answers_go_over_a_new_connection_to_where_the_invite_came_from() -> None:
    """The port is the one in Via; the 100 that may be lost is repeated, the rest follows."""
    scene, session = called()
    scene.stack.flow_closed(CAME, scene.now)
    assert seen(scene) == [("100", BACK)]
    scene.stack.ring(session, scene.now)
    scene.stack.answer(session, OURS, scene.now)
    assert seen(scene) == [("180", BACK), ("200", BACK)]
    scene.advance(0.6)
    assert seen(scene) == [("200", BACK)]
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", via="10.0.0.9:5090", transport="TCP", to=to), BACK)
    assert scene.events(SessionConfirmed)[-1].session is session


def test_a_200_whose_connection_dies_before_the_ack_is_sent_again() -> None:
    scene, session = called("10.0.0.9")
    scene.stack.answer(session, OURS, scene.now)
    scene.clear()
    scene.stack.flow_closed(CAME, scene.now)
    back = BACK._replace(port=5060)
    assert seen(scene) == [("200", back)]
    scene.advance(0.6)
    assert seen(scene) == [("200", back)]


def test_a_trunks_name_is_asked_for_when_its_host_takes_no_connection() -> None:
    """RFC 3263 5: SRV where Via has no port; each host once."""
    scene, session = called("edge.carrier.example")
    scene.stack.flow_closed(CAME, scene.now)
    assert seen(scene) == [("100", BACK._replace(port=5060))]
    scene.stack.flow_failed(BACK._replace(port=5060), scene.now)
    (question,) = scene.stack.questions.take()
    assert question == ("SRV", "_sip._tcp.edge.carrier.example")
    records = (Srv(1, 1, 5070, "a.carrier.example"), Srv(2, 1, 5071, "b.carrier.example"))
    scene.stack.name_answered(question, Answer(records, 60.0), scene.now)
    for name, address in (("a", "10.0.0.21"), ("b", "10.0.0.22")):
        for question in scene.stack.questions.take():
            assert question.name == f"{name}.carrier.example"
            found = (address,) if question.kind == "A" else ()
            scene.stack.name_answered(question, Answer(found, 60.0), scene.now)
        flow = Flow("tcp", 1, address, 5070 if name == "a" else 5071)
        assert [(word, to[:4]) for word, to in seen(scene)] == [("100", flow[:4])]
        if name == "a":
            scene.stack.flow_failed(flow, scene.now)
    scene.stack.ring(session, scene.now)
    assert [(word, to.host) for word, to in seen(scene)] == [("180", "10.0.0.22")]


def test_a_name_with_a_port_is_an_address() -> None:
    """RFC 3263 5: A and AAAA at that port."""
    scene, _ = called("edge.carrier.example:5099")
    scene.stack.flow_closed(CAME, scene.now)
    scene.stack.flow_failed(BACK._replace(port=5099), scene.now)
    kinds = {question.kind for question in scene.stack.questions.take()}
    assert kinds <= {"A", "AAAA"}
    assert "A" in kinds


def test_nobody_but_a_trunk_makes_us_ask_for_a_name() -> None:
    """A phone may write any name into Via."""
    scene = Scene()
    flow = Flow("tcp", 1, "192.0.2.7", 40001, 5)
    register(scene, contacts=("<sip:8001@192.0.2.7:5062;transport=tcp>",), flow=flow)
    call(scene, "victim.example", flow, from_="<sip:8001@example.com>;tag=f")
    scene.stack.flow_closed(flow, scene.now)
    assert seen(scene) == [("100", Flow("tcp", 1, "192.0.2.7", 5060))]
    scene.stack.flow_failed(Flow("tcp", 1, "192.0.2.7", 5060), scene.now)
    assert list(scene.stack.questions.take()) == []
    assert seen(scene) == []


def test_a_phone_is_answered_over_its_other_flow() -> None:
    """RFC 5626: no new connection where there is one."""
    scene = Scene()
    for number, flow in ((1, FIRST), (2, SECOND)):
        contact = f"<sip:8001@192.0.2.7:{5060 + number};transport=tcp>;{INSTANCE};reg-id={number}"
        register(
            scene, contacts=(contact,), headers=OUTBOUND, cseq=3 * number, flow=flow, call_id=f"reg{number}"
        )
    session = call(scene, "192.0.2.7:5062", SECOND, from_="<sip:8001@example.com>;tag=f")
    scene.stack.flow_closed(SECOND, scene.now)
    scene.stack.ring(session, scene.now)
    assert seen(scene) == [("100", FIRST), ("180", FIRST)]


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_websocket_is_never_opened_by_us(transport: str) -> None:
    scene, session = called()
    flow = Flow(transport, 1, "10.0.0.9", 41000, 3)
    lead(session, flow)
    scene.clear()
    scene.stack.flow_closed(flow, scene.now)
    assert seen(scene) == []


def test_over_udp_a_name_in_via_means_nothing() -> None:
    """RFC 3261 18.2.2: what was received counts; nobody is asked."""
    scene = Scene()
    source = Flow("udp", 0, "10.0.0.9", 5080)
    scene.receive(request("OPTIONS", via="edge.carrier.example:5080"), source)
    assert seen(scene) == [("200", source)]
    assert list(scene.stack.questions.take()) == []


def test_a_way_back_is_forgotten_with_its_call() -> None:
    scene, session = called()
    scene.stack.flow_closed(CAME, scene.now)
    assert scene.stack._ways_back.count() == 1
    scene.stack.reject(session, 486, scene.now)
    assert scene.stack._ways_back.count() == 0
    scene.advance(40.0)
    assert scene.stack.is_quiet()


def test_a_trunks_dialog_goes_on_by_its_contact() -> None:
    """RFC 3261 12.2.1.1, 18.1.1: its connection is gone in the middle of the call; BYE makes a new one."""
    scene, session = called(contact="<sip:c@10.0.0.9:5090;transport=tcp>")
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", via="10.0.0.9:5090", transport="TCP", to=to), CAME)
    scene.stack.flow_closed(CAME, scene.now)
    scene.clear()
    scene.stack.hang_up(session, scene.now)
    assert seen(scene) == [("BYE", BACK)]


def test_a_way_back_ends_with_the_ack() -> None:
    """The answer of the next re-INVITE has a way of its own, by the source before any name."""
    scene, session = called("edge.carrier.example")
    scene.stack.answer(session, OURS, scene.now)
    scene.stack.flow_closed(CAME, scene.now)
    assert scene.stack._ways_back.count() == 1
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", via="10.0.0.9:5090", transport="TCP", to=to), BACK)
    assert scene.stack._ways_back.count() == 0


class Counted(dict[str, Session]):
    """Sessions that count how many of them are looked at."""

    looked_at = 0

    def items(self) -> Any:
        self.looked_at += len(self)
        return super().items()

    def values(self) -> Any:
        self.looked_at += len(self)
        return super().values()

    def __iter__(self) -> Any:
        self.looked_at += len(self)
        return super().__iter__()


def test_the_end_of_a_connection_costs_its_own_sessions_only() -> None:
    """Not one session of another connection is looked at, nor one client transaction to another peer."""
    scene = Scene()
    flows = [Flow("tcp", 1, "10.0.0.9", 41000 + number, 3 + number) for number in range(50)]
    sessions = [
        call(scene, f"10.0.0.9:{flow.port}", flow, branch=f"z9hG4bK{flow.port}", call_id=f"c{flow.port}")
        for flow in flows
    ]
    core = scene.stack._core
    core.sessions = counted = Counted(core.sessions)
    core.transactions.clients = clients = Counted(core.transactions.clients)
    scene.stack.flow_closed(flows[7], scene.now)
    assert (counted.looked_at, clients.looked_at) == (0, 0)
    assert [(word, to.port) for word, to in seen(scene)] == [("100", flows[7].port)]
    for session in sessions:
        scene.stack.reject(session, 486, scene.now)
    assert scene.stack._ways_back._carried == {}
