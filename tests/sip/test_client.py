"""Requests of ours outside calls to names: registration, probes; and what they leave behind."""

import pytest

from sip.events import TrunkChanged
from sip.flows import Flow
from sip.invitation import Invitation
from sip.resolve import Answer
from sip.settings import Listener, Secret, TrunkPeer, TrunkProbe, TrunkRegister
from tests.sip.names import CARRIER, SILENCE, Names
from tests.sip.scene import OURS, Scene, request, respond

A5080 = Flow("udp", 0, "10.0.0.9", 5080)
B = Flow("udp", 0, "10.0.0.10", 5060)
CONTACT = "sip:carrier.example;transport=udp"


def carrier(register: str = "", *, probe: bool = False) -> TrunkPeer:
    return TrunkPeer(
        "carrier",
        user="us",
        secret=Secret(password="x"),
        contacts=(CONTACT,),
        register=TrunkRegister(register, "us", "carrier.example") if register else None,
        probe=TrunkProbe() if probe else None,
    )


def started(peer: TrunkPeer, table: dict[tuple[str, str], Answer] | None = None) -> tuple[Scene, Names]:
    scene = Scene(trunks=(peer,))
    names = Names(scene, CARRIER if table is None else table)
    scene.stack.peers.start(scene.now)
    names.answer()
    return scene, names


def test_a_registration_at_a_name_says_where_we_are_reached() -> None:
    """NAPTR says TCP: the contact we register is the one of our TCP listener; its registrar is known then."""
    scene, _ = started(carrier("sip:carrier.example"))
    register = scene.last("REGISTER")
    assert register.flow == Flow("tcp", 1, "10.0.0.9", 5070)
    assert register.message.via.transport == "TCP"
    uri = register.message.contacts[0].uri
    assert uri.startswith("sip:us@10.0.0.1:5060;transport=tcp;line=")
    flow = register.flow._replace(connection=4)
    scene.receive(respond(register, 200, contact=f"<{uri}>;expires=600"), flow)
    assert scene.events(TrunkChanged)[-1].state == "registered"


def test_calls_come_from_where_we_have_registered_by_name() -> None:
    scene, _ = started(carrier(CONTACT))
    register = scene.last("REGISTER")
    flow = Flow("udp", 0, "10.0.0.9", 5099)
    assert [it.word for it in scene.receive(request("INVITE", body=OURS), flow)] == ["403"]
    uri = register.message.contacts[0].uri
    scene.receive(respond(register, 200, contact=f"<{uri}>;expires=600"), A5080)
    answers = scene.receive(request("INVITE", branch="z9hG4bKtwo", call_id="c2", body=OURS), flow)
    assert [it.word for it in answers] == ["100"]


def test_a_registration_goes_on_to_the_next_target() -> None:
    scene, names = started(carrier(CONTACT))
    assert scene.last("REGISTER").flow == A5080
    scene.stack.flow_failed(A5080, scene.now)
    names.answer()
    assert scene.last("REGISTER").flow == B
    scene.receive(respond(scene.last("REGISTER"), 503, contact=""), B)
    assert scene.last("REGISTER").flow == Flow("udp", 0, "10.0.0.11", 5060)
    scene.receive(respond(scene.last("REGISTER"), 503, contact=""), scene.last("REGISTER").flow)
    assert scene.events(TrunkChanged)[-1].state == "failed"


def test_a_registrar_without_address_is_a_failure_that_is_tried_again() -> None:
    scene, names = started(carrier(CONTACT), {("SRV", "_sip._udp.carrier.example"): SILENCE})
    assert scene.words() == []
    changed = scene.events(TrunkChanged)[-1]
    assert (changed.state, changed.status) == ("failed", 503)
    names.table = CARRIER
    for _ in range(31):
        scene.advance(1.0)
        names.answer()
    assert scene.last("REGISTER").flow == A5080


def test_a_probe_of_a_name_finds_who_answers() -> None:
    """The first target is silent: the next probe asks the next one, and the trunk stays up."""
    scene, names = started(carrier(probe=True))
    assert scene.last("OPTIONS").flow == A5080
    answered = []
    for _ in range(200):
        scene.clear()
        scene.advance(1.0)
        names.answer()
        for sent in [it for it in scene.sent if it.flow != A5080]:
            answered.append(sent.flow)
            scene.receive(respond(sent, 200, contact=""), sent.flow)
    assert set(answered) == {B}
    assert len(answered) >= 3
    assert scene.stack.is_up("carrier", CONTACT)


@pytest.mark.parametrize("silent", [True, False])
def test_a_probe_of_a_name_that_leads_nowhere_takes_the_trunk_down(silent: bool) -> None:
    table = {("SRV", "_sip._udp.carrier.example"): SILENCE} if silent else {}
    scene, names = started(carrier(probe=True), dict(table))
    for _ in range(3):
        scene.advance(34.0)
        names.answer()
    assert not scene.stack.is_up("carrier", CONTACT)
    assert scene.sent == []


def test_a_dropped_request_is_asked_no_more() -> None:
    """A probe that is stopped while its name is being asked for is never sent."""
    scene = Scene(trunks=(carrier(probe=True),))
    names = Names(scene, CARRIER)
    scene.stack.peers.start(scene.now)
    scene.stack.peers.stop(scene.now)
    names.answer()
    assert scene.sent == []
    assert scene.stack.snapshot()["client_transactions"] == 0


def test_a_secure_contact_follows_the_socket() -> None:
    """SIPS by name: the Contact is the TLS listener's, whichever listener comes first."""
    listen = (Listener("udp", "10.0.0.1", 5060), Listener("tls", "10.0.0.1", 5061))
    scene = Scene(listen=listen)
    names = Names(scene, CARRIER)
    uri = "sips:138@a.carrier.example"
    scene.stack.invite(Invitation(uri, f"<{uri}>", "8001", sdp=OURS), "leg", scene.now)
    names.answer()
    invite = scene.last("INVITE")
    assert invite.flow == Flow("tls", 1, "10.0.0.9", 5061, 0, "a.carrier.example")
    assert invite.message.contacts[0].uri == "sips:10.0.0.1:5061"
    assert invite.message.via.transport == "TLS"
