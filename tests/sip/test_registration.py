"""Registering at a trunk: digest, renewal, back-off, leaving, and calls to the contact."""

from itertools import product
from typing import Any

import pytest

from sip.digest import check_answer, parse_credentials
from sip.events import InviteArrived, TrunkChanged
from sip.flows import Flow
from sip.message import Request
from sip.registration import DROPPED, MOVES, WAIT_FIRST, WAIT_MAX, Input, State, line_of
from sip.settings import Secret, TrunkPeer, TrunkRegister
from tests.sip.scene import SDP, Scene, Sent, request, respond, settings

REGISTRAR = Flow("udp", 0, "198.51.100.1", 5060)
ELSEWHERE = Flow("udp", 0, "198.51.100.99", 5070)
PEER = TrunkPeer(
    "carrier",
    user="acme",
    secret=Secret("s3cret"),
    register=TrunkRegister("sip:198.51.100.1:5060", "acme", "sip.carrier.example", 600.0),
)
CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="n1", qop="auth", algorithm=MD5'


def started(peer: TrunkPeer = PEER, **changes: Any) -> Scene:
    scene = Scene(trunks=(peer,), **changes)
    scene.stack.peers.start(scene.now)
    scene.collect()
    return scene


def answer(scene: Scene, status: int, *headers: str, contact: str = "") -> list[Sent]:
    return scene.receive(respond(scene.last("REGISTER"), status, headers=headers, contact=contact), REGISTRAR)


def registered(scene: Scene, expires: int = 600) -> None:
    answer(scene, 200, f"Expires: {expires}")


def states(scene: Scene) -> list[str]:
    return [event.state for event in scene.events(TrunkChanged)]


def view(scene: Scene) -> dict[str, Any]:
    registration = scene.stack.peers.view("carrier", scene.now)["registration"]
    assert isinstance(registration, dict)
    return registration


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_a_trunk_is_registered_at_with_digest() -> None:
    """RFC 3261 10.2 and 22.2: the challenge is answered once, the binding is shown with what is left."""
    scene = started()
    first = scene.last("REGISTER")
    message = first.message
    assert isinstance(message, Request)
    assert (first.flow, message.uri) == (REGISTRAR, "sip:198.51.100.1:5060")
    assert (message.header("to"), message.header("expires")) == ("<sip:acme@sip.carrier.example>", "600")
    assert message.contacts[0].uri == f"sip:acme@10.0.0.1:5060;line={line_of(PEER)}"
    (second,) = answer(scene, 401, CHALLENGE)
    assert second.message.cseq == (2, "REGISTER")
    assert second.message.call_id == message.call_id
    credentials = parse_credentials(second.message.header("authorization") or "")
    assert credentials is not None
    assert check_answer(credentials, Secret("s3cret"), "REGISTER", b"", realm="carrier")
    registered(scene)
    assert states(scene) == ["registered"]
    assert view(scene) == {"state": "registered", "expires_in": 600.0, "status": 200}
    scene.advance(100)
    assert view(scene)["expires_in"] == 500.0


def test_it_is_renewed_before_it_expires() -> None:
    """Between 75 and 90 % of what the registrar granted, which its Contact says before its Expires does."""
    scene = started()
    contact = scene.last("REGISTER").message.contacts[0].uri
    answer(scene, 200, "Expires: 900", contact=f"<{contact}>;expires=100")
    scene.advance(74.9)
    assert scene.firsts("REGISTER") == [0.0]
    scene.advance(15.1)
    assert len(scene.firsts("REGISTER")) == 2
    assert 75.0 <= scene.firsts("REGISTER")[1] <= 90.0
    registered(scene)
    assert states(scene) == ["registered"]  # a renewal is no news


def test_a_wrong_password_is_not_tried_twice_in_a_row() -> None:
    """A second 401 to an answered challenge is a refusal, unless only the nonce was stale."""
    scene = started()
    answer(scene, 401, CHALLENGE)
    assert answer(scene, 401, CHALLENGE) == []
    assert states(scene) == ["failed"]
    assert view(scene)["status"] == 401
    scene = started()
    answer(scene, 401, CHALLENGE)
    assert len(answer(scene, 401, f"{CHALLENGE}, stale=true")) == 1


@pytest.mark.parametrize("realm", ["", "carrier"])
def test_no_other_realm_is_answered(realm: str) -> None:
    """A-LEAK: neither another realm than the configured one nor, later, another than the first."""
    scene = started(
        TrunkPeer("carrier", user="acme", secret=Secret("s3cret"), realm=realm, register=PEER.register)
    )
    foreign = CHALLENGE.replace("carrier", "evil")
    if not realm:
        assert len(answer(scene, 401, CHALLENGE)) == 1
        registered(scene, 100)
        scene.advance(90)
    assert answer(scene, 401, foreign) == []
    assert states(scene)[-1] == "failed"


def test_failures_are_followed_by_longer_and_longer_waits() -> None:
    """RFC 5626 4.5: doubled from 30 s up to 10 minutes, each between half of it and all."""
    scene = started()
    waits = []
    for _ in range(8):
        asked_at = scene.firsts("REGISTER")[-1]
        answer(scene, 500)
        while scene.firsts("REGISTER")[-1] == asked_at:
            scene.advance(0.5)
        waits.append(scene.firsts("REGISTER")[-1] - asked_at)
    limits = [min(WAIT_MAX, WAIT_FIRST * 2**number) for number in range(8)]
    assert all(most / 2 <= wait <= most + 1 for wait, most in zip(waits, limits, strict=True)), waits
    assert waits[-1] >= 300
    registered(scene)
    scene.advance(450.1)
    answer(scene, 500)
    assert states(scene)[-2:] == ["registered", "failed"]


def test_retry_after_is_waited_for() -> None:
    scene = started()
    answer(scene, 503, "Retry-After: 120")
    scene.advance(119.0)
    assert len(scene.firsts("REGISTER")) == 1
    scene.advance(2.0)
    assert len(scene.firsts("REGISTER")) == 2


def test_a_registrar_that_finds_us_brief_gets_what_it_wants() -> None:
    """RFC 3261 10.2.8: 423 with Min-Expires; the same again is a failure."""
    scene = started()
    (again,) = answer(scene, 423, "Min-Expires: 1800")
    assert again.message.header("expires") == "1800"
    assert answer(scene, 423, "Min-Expires: 1800") == []
    assert states(scene) == ["failed"]


def test_silence_and_no_way_there_are_failures() -> None:
    scene = started()
    scene.advance(32.1)
    assert (states(scene), view(scene)["status"]) == (["failed"], 408)
    scene.advance(31.0)
    scene.stack.flow_failed(REGISTRAR, scene.now)
    assert (states(scene), view(scene)["status"]) == (["failed", "failed"], 503)


def test_a_switch_that_ends_takes_its_binding_away() -> None:
    """Drain: Expires 0, its challenge answered; silence is waited for no longer than two seconds."""
    scene = started()
    registered(scene)
    scene.stack.peers.stop(scene.now)
    scene.collect()
    assert scene.last("REGISTER").message.header("expires") == "0"
    assert scene.stack.peers.is_leaving()
    (again,) = answer(scene, 401, CHALLENGE)
    assert again.message.header("expires") == "0"
    registered(scene)
    assert not scene.stack.peers.is_leaving()
    assert states(scene) == ["registered", "unregistered"]
    silent = started()
    registered(silent)
    silent.stack.peers.stop(silent.now)
    silent.advance(1.9)
    assert silent.stack.peers.is_leaving()
    silent.advance(0.2)
    assert not silent.stack.peers.is_leaving()
    silent.advance(700.0)
    assert silent.stack.is_quiet()
    assert silent.timers.armed() == []


def test_a_restart_replaces_the_binding_of_before() -> None:
    """The same contact, made of the password; another password, another contact."""
    first, second = started().last("REGISTER"), started().last("REGISTER")
    assert first.message.contacts[0].uri == second.message.contacts[0].uri
    other = TrunkPeer("carrier", user="acme", secret=Secret("other"), register=PEER.register)
    assert line_of(other) != line_of(PEER)


def test_a_reload_registers_what_is_new_and_leaves_what_is_gone() -> None:
    scene = started()
    registered(scene)
    scene.stack.reconfigure(settings(trunks=(PEER,)), scene.now)
    scene.collect()
    assert len(scene.firsts("REGISTER")) == 1
    scene.stack.reconfigure(settings(trunks=()), scene.now)
    scene.collect()
    assert scene.last("REGISTER").message.header("expires") == "0"
    registered(scene)
    scene.stack.reconfigure(settings(trunks=(PEER,)), scene.now)
    scene.collect()
    assert scene.last("REGISTER").message.header("expires") == "600"


def test_what_calls_our_contact_is_the_trunk() -> None:
    """From the registrar's host, and with our line from anywhere; a guessed line is a stranger's."""
    scene = started()
    line = line_of(PEER)
    for number, (flow, uri, word) in enumerate(
        [
            (REGISTRAR, "sip:acme@10.0.0.1:5060", "100"),
            (ELSEWHERE, f"sip:acme@10.0.0.1:5060;line={line}", "100"),
            (ELSEWHERE, "sip:acme@10.0.0.1:5060;line=0123456789abcdef", "403"),
            (ELSEWHERE, "sip:acme@10.0.0.1:5060", "403"),
        ]
    ):
        name = f"z9hG4bKc{number}"
        data = request("INVITE", uri, branch=name, call_id=name, via=flow.host, body=SDP)
        assert scene.receive(data, flow)[0].word == word
    assert [event.identity.name for event in scene.events(InviteArrived)] == ["carrier"] * 2


def test_nothing_is_sent_before_there_are_sockets() -> None:
    scene = Scene(trunks=(PEER,))
    scene.advance(10.0)
    assert scene.sent == []
