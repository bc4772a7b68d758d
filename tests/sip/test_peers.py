"""Peers: views of trunks, and a reload that leaves alone what has not changed."""

from sip.settings import TrunkPeer, TrunkProbe
from tests.sip.scene import Scene, settings

PROBED = TrunkPeer("a", contacts=("sip:198.51.100.1:5060",), probe=TrunkProbe(every=10.0))


def test_a_trunk_that_is_not_probed_is_neither_up_nor_down() -> None:
    scene = Scene(trunks=(TrunkPeer("plain"),))
    scene.stack.peers.start(0.0)
    assert scene.stack.peers.view("plain", 0.0) == {"state": None, "registration": None, "down": []}
    assert scene.stack.is_up("plain", "sip:198.51.100.1:5060")


def test_a_start_is_one_start_and_a_reload_changes_what_has_changed() -> None:
    scene = Scene(trunks=(PROBED,))
    scene.stack.peers.start(0.0)
    scene.stack.peers.start(0.0)
    scene.collect()
    assert len(scene.sent) == 1
    other = TrunkPeer("b", contacts=("sip:198.51.100.2:5060",), probe=TrunkProbe(every=10.0))
    scene.stack.reconfigure(settings(trunks=(PROBED, other)), 0.0)
    scene.collect()
    assert [sent.flow.host for sent in scene.sent] == ["198.51.100.1", "198.51.100.2"]
    scene.stack.reconfigure(settings(trunks=(other,)), 0.0)
    scene.clear()
    scene.advance(12.0)
    assert {sent.flow.host for sent in scene.sent} == {"198.51.100.2"}


def test_before_the_start_a_reload_sends_nothing() -> None:
    scene = Scene(trunks=())
    scene.stack.reconfigure(settings(trunks=(PROBED,)), 0.0)
    scene.collect()
    assert scene.sent == []
    assert not scene.stack.peers.is_leaving()
