"""Probes: up and down with hysteresis."""

from itertools import pairwise

from sip.events import TrunkChanged
from sip.flows import Flow
from sip.settings import TrunkPeer, TrunkProbe
from tests.sip.scene import Scene, respond

FIRST, SECOND = "sip:198.51.100.1:5060", "sip:198.51.100.2:5060"
FLOW = Flow("udp", 0, "198.51.100.1", 5060)
PROBE = TrunkProbe(every=10.0, down_after=3, up_after=2)


def probed(*uris: str) -> Scene:
    peer = TrunkPeer("carrier", contacts=uris or (FIRST,), probe=PROBE)
    scene = Scene(trunks=(peer,))
    scene.stack.peers.start(scene.now)
    scene.collect()
    return scene


def answer(scene: Scene, status: int = 200) -> None:
    scene.receive(respond(scene.last("OPTIONS"), status), FLOW)


def next_probe(scene: Scene) -> None:
    """Let time pass until the next OPTIONS."""
    asked = len(scene.firsts("OPTIONS"))
    while len(scene.firsts("OPTIONS")) == asked:
        scene.advance(0.25)


def up(scene: Scene, uri: str = FIRST) -> bool:
    return scene.stack.is_up("carrier", uri)


def test_three_misses_take_it_down_and_two_answers_bring_it_up() -> None:
    """Fault list, trunk down: OPTIONS marks down and up with hysteresis."""
    scene = probed()
    assert up(scene)  # until it has been found to be down
    next_probe(scene)
    next_probe(scene)
    assert up(scene)
    next_probe(scene)
    assert not up(scene)
    assert scene.events(TrunkChanged) == [TrunkChanged("carrier", "contact", "down", FIRST, 408)]
    answer(scene)
    assert not up(scene)
    next_probe(scene)
    answer(scene)
    assert up(scene)
    assert [event.state for event in scene.events(TrunkChanged)] == ["down", "up"]


def test_one_miss_is_forgotten_with_the_next_answer() -> None:
    scene = probed()
    for _ in range(6):
        next_probe(scene)
        next_probe(scene)
        answer(scene)
    assert up(scene)
    assert scene.events(TrunkChanged) == []


def test_one_lucky_answer_does_not_bring_it_up() -> None:
    scene = probed()
    for _ in range(3):
        next_probe(scene)
    for _ in range(4):
        answer(scene)
        next_probe(scene)
        next_probe(scene)
    assert not up(scene)


def test_any_answer_is_a_sign_of_life_but_503() -> None:
    scene = probed()
    for status in (404, 405, 401, 500, 200):
        answer(scene, status)
        next_probe(scene)
    assert up(scene)
    for _ in range(3):
        answer(scene, 503)
        next_probe(scene)
    assert scene.events(TrunkChanged) == [TrunkChanged("carrier", "contact", "down", FIRST, 503)]


def test_no_way_there_is_known_at_once() -> None:
    """ICMP, TCP refused: each is a miss without waiting for the next probe."""
    scene = probed()
    for _ in range(3):
        scene.stack.flow_failed(FLOW, scene.now)
        next_probe(scene)
    assert not up(scene)
    unresolvable = probed("sip:carrier.example:5060")
    unresolvable.advance(33.0)
    assert not up(unresolvable, "sip:carrier.example:5060")


def test_addresses_are_judged_apart() -> None:
    scene = probed(FIRST, SECOND)
    for _ in range(4):
        for sent in [sent for sent in scene.sent if sent.word == "OPTIONS" and sent.flow == FLOW][-1:]:
            scene.receive(respond(sent, 200), FLOW)
        next_probe(scene)
        scene.advance(0.5)
    assert (up(scene), up(scene, SECOND)) == (True, False)
    view = scene.stack.peers.view("carrier", scene.now)
    assert view == {"state": "up", "registration": None, "down": [SECOND]}


def test_probes_are_spread_and_end() -> None:
    scene = probed()
    for _ in range(20):
        answer(scene)
        next_probe(scene)
    gaps = [later - earlier for earlier, later in pairwise(scene.firsts("OPTIONS"))]
    assert len(gaps) > 15
    assert all(9.0 <= round(gap, 3) <= 11.0 for gap in gaps)
    scene.stack.peers.stop(scene.now)
    scene.clear()
    scene.advance(60.0)
    assert "OPTIONS" not in scene.words()
    assert scene.timers.armed() == []
