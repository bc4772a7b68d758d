"""Strays: a storm is told once per window (A-FLOOD3)."""

from sip.events import StraysSeen
from sip.strays import STORM, WINDOW, Strays
from tests.sip.scene import STRANGER, Scene, request

RESPONSE = request("INVITE").replace(b"INVITE sip:96198@example.com SIP/2.0", b"SIP/2.0 200 OK")


def test_a_storm_is_told_once_per_window() -> None:
    told: list[StraysSeen] = []
    strays = Strays(told.append)
    for number in range(STORM * 3):
        strays.note("BYE", "203.0.113.5", number / 1000)
    assert told == [StraysSeen("BYE", "203.0.113.5", STORM)]
    for number in range(STORM):
        strays.note("ACK", "203.0.113.6", WINDOW + number / 1000)
    assert told[1:] == [StraysSeen("ACK", "203.0.113.6", STORM * 4)]
    strays.note("ACK", "203.0.113.6", WINDOW * 3)
    assert (len(told), strays.total) == (2, STORM * 4 + 1)


def test_out_of_dialog_storms_leave_nothing_behind() -> None:
    """A-FLOOD3: BYE, ACK and responses of no dialog: 481 to the BYEs, silence to the rest, no state."""
    scene = Scene()
    for number in range(60):
        bye = request(
            "BYE", branch=f"z9hG4bKb{number}", to="<sip:a@b>;tag=t", call_id=f"b{number}", via="203.0.113.5"
        )
        assert [sent.word for sent in scene.receive(bye, STRANGER)] == ["481"]
        ack = request("ACK", branch=f"z9hG4bKa{number}", to="<sip:a@b>;tag=t", via="203.0.113.5")
        assert scene.receive(ack, STRANGER) == []
        assert scene.receive(RESPONSE, STRANGER) == []
    assert scene.stack.snapshot()["server_transactions"] == 0
    assert scene.stack.snapshot()["strays"] == 180
    assert [event.total for event in scene.events(StraysSeen)] == [STORM]
