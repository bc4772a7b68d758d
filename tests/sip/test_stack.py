"""The stack as a whole: calls in both directions, who may do what, floods, and nothing left behind."""

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from sip.core import ALLOW
from sip.events import (
    InviteArrived,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionProgressed,
)
from sip.flows import Flow
from sip.invitation import Invitation
from tests.sip.scene import OURS, PHONE, SDP, STRANGER, TRUNK, Scene, request, respond, settings
from tests.sip.test_registrar import register


def arrive(scene: Scene, **changes: object) -> InviteArrived:
    scene.receive(request("INVITE", body=SDP, **changes), TRUNK)
    return scene.events(InviteArrived)[-1]


def test_incoming_call_from_invite_to_bye() -> None:
    """RFC 3665 3.1: INVITE, 100, 180, 200, ACK, BYE, 200."""
    scene = Scene()
    event = arrive(scene)
    assert (event.identity.kind, event.identity.name, event.sdp) == ("trunk", "carrier", SDP)
    session = event.session
    scene.stack.ring(session, scene.now)
    scene.stack.answer(session, OURS, scene.now)
    assert scene.words() == ["100", "180", "200"]
    ok = scene.last("200")
    assert ok.message.body == OURS
    assert ok.message.contacts[0].uri == "sip:10.0.0.1:5060"
    tag = ok.message.to_tag
    assert tag == scene.last("180").message.to_tag == session.local_tag
    to = f"<sip:96198@example.com>;tag={tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", to=to), TRUNK)
    assert [type(event) for event in scene.told] == [InviteArrived, SessionConfirmed]
    scene.receive(request("BYE", branch="z9hG4bKbye", to=to, cseq=2), TRUNK)
    assert scene.words() == ["100", "180", "200", "200"]
    assert scene.events(SessionEnded) == [SessionEnded(session, "bye")]
    scene.advance(33)
    assert scene.stack.is_quiet()
    assert scene.words() == ["100", "180", "200", "200"]


def test_outgoing_call_from_invite_to_bye() -> None:
    """RFC 3665 3.1 as the caller, with our BYE."""
    scene = Scene()
    invitation = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", 'Ann "A"', OURS)
    session = scene.stack.invite(invitation, "leg", scene.now)
    invite = scene.last("INVITE")
    assert invite.flow == TRUNK
    assert invite.message.header("from") == f'"Ann \\"A\\"" <sip:8001@example.com>;tag={session.local_tag}'
    assert invite.message.body == OURS
    scene.receive(respond(invite, 100, tag="", contact=""), TRUNK)
    scene.receive(respond(invite, 180), TRUNK)
    scene.receive(respond(invite, 200, body=SDP), TRUNK)
    assert scene.told == [SessionProgressed(session, 180, b""), SessionAnswered(session, SDP)]
    ack = scene.last("ACK")
    assert ack.message.uri == "sip:callee@10.0.0.9:5090"
    assert ack.flow == Flow("udp", 0, "10.0.0.9", 5090)
    assert ack.message.cseq == (1, "ACK")
    assert session.user == "leg"
    scene.stack.hang_up(session, scene.now, "Q.850;cause=16")
    bye = scene.last("BYE")
    assert bye.message.cseq == (2, "BYE")
    assert bye.message.header("reason") == "Q.850;cause=16"
    assert session.user is None
    scene.receive(respond(bye, 200, contact=""), TRUNK)
    scene.advance(33)
    assert scene.words() == ["INVITE", "ACK", "BYE"]
    assert scene.stack.is_quiet()


def test_nothing_is_left_for_the_collector_after_calls() -> None:
    """Reference cycles are broken when a session ends."""
    scene = Scene()
    gc.collect()
    gc.disable()
    try:
        for number in range(50):
            branch, call_id = f"z9hG4bKc{number}", f"gc{number}"
            session = arrive(scene, branch=branch, call_id=call_id).session
            scene.stack.answer(session, OURS, scene.now)
            scene.collect()
            to = f"<sip:96198@example.com>;tag={session.local_tag}"
            scene.receive(request("ACK", branch=branch + "a", call_id=call_id, to=to), TRUNK)
            scene.receive(request("BYE", branch=branch + "b", call_id=call_id, to=to, cseq=2), TRUNK)
            invitation = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS)
            session = scene.stack.invite(invitation, "leg", scene.now)
            scene.receive(respond(scene.last("INVITE"), 200, body=SDP), TRUNK)
            scene.stack.hang_up(session, scene.now)
            scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
            scene.clear()
        del session
        scene.advance(33)
        scene.clear()
        assert scene.stack.is_quiet()
        assert gc.collect() == 0
    finally:
        gc.enable()


TORTURE = Path(__file__).resolve().parent.parent / "data" / "torture"


def manifest(folder: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((TORTURE / folder / "manifest.json").read_text("utf-8"))
    return entries


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("folder", "entry"),
    [(folder, entry) for folder in ("rfc4475", "rfc5118") for entry in manifest(folder)],
    ids=lambda it: str(it["name"]) if isinstance(it, dict) else it,
)
def test_torture(folder: str, entry: dict[str, Any], transport: str) -> None:
    """RFC 4475 and RFC 5118 at a switch that is called from port 5060: the answer that the manifest allows,
    and a switch that is alive. On a stream Content-Length is a must, and doubt about the framing closes it.
    """
    scene = Scene()
    data = (TORTURE / folder / f"{entry['name']}.dat").read_bytes()
    flow = TRUNK._replace(port=5060)
    if transport == "tcp":
        flow = Flow("tcp", 1, "10.0.0.9", 5060, 7)
    words = [sent.word for sent in scene.receive(data, flow)]
    is_closed = flow in scene.stack.closes.take()
    if folder == "rfc5118":
        expected = ["400"] if entry["expected"].startswith("reject") else ["normal"]
    else:
        expected = [] if entry["response"] else entry["uas"]
    allowed = {word for word in expected if word.isdigit()}
    if "normal" in expected or "ignore-headers" in expected:
        allowed |= {"100", "200", "401", "403", "481"}
    if transport == "tcp":
        # Two requests in one datagram are two on a stream; one without Content-Length is refused.
        is_open = entry["name"] == "dblreq" or is_closed
        assert set(words) <= allowed | ({"400"} if is_open else set())
        waits = entry["name"] in ("clerr", "baddn")  # for the rest
        assert words or is_closed or not expected or waits or "drop" in expected
    elif not allowed:
        assert words == []
    elif words or "drop" not in expected:
        # A message without the end of its headers, and one without a readable Via, cannot be answered.
        assert (len(words) == 1 and words[0] in allowed) or (words == [] and entry["name"] == "baddn")
    alive = request("OPTIONS", branch="z9hG4bKalive", call_id="alive")
    assert [sent.word for sent in scene.receive(alive, TRUNK)] == ["200"]


def test_a_stream_is_closed_when_its_framing_is_in_doubt() -> None:
    """A-SMUG: two Content-Lengths; one answer at most, and the connection goes."""
    scene = Scene()
    flow = Flow("tcp", 1, "10.0.0.9", 40000, 7)
    whole = request("OPTIONS", transport="TCP")
    assert scene.receive(whole[:40], flow) == []
    assert [sent.word for sent in scene.receive(whole[40:], flow)] == ["200"]
    doubtful = request("OPTIONS", transport="TCP", branch="z9hG4bK2", headers=("Content-Length: 5",))
    scene.receive(doubtful, flow)
    assert scene.stack.closes.take() == [flow]


def test_a_flood_of_invites_is_dropped_and_sampled() -> None:
    """A-FLOOD1: over its rate a stranger's INVITE costs no state, one in 32 is told 503."""
    scene = Scene(requests_per_source=50.0)
    for number in range(1_000):
        data = request("INVITE", branch=f"z9hG4bK{number}", call_id=f"f{number}", body=SDP)
        scene.receive(data, STRANGER)
    words = scene.words()
    assert words.count("403") == 50
    assert words.count("503") == 30
    assert scene.stack.snapshot()["server_transactions"] == 0
    assert scene.stack.snapshot()["dropped"] == 950
    arrive(scene)
    assert scene.words()[-1] == "100"


def subscribe(scene: Scene, flow: Flow, number: int, **more: Any) -> list[str]:
    """Send SUBSCRIBE ``number`` of 8001 and return what is answered at once."""
    more = {"branch": f"z9hG4bKs{number}", "call_id": f"s{number}", "to": "<sip:8002@example.com>"} | more
    via, headers = f"{flow.host}:{flow.port}", ("Event: dialog", "Expires: 600")
    me = "<sip:8001@example.com>;tag=w"
    data = request("SUBSCRIBE", "sip:8002@example.com", via=via, from_=me, headers=headers, **more)
    return [sent.word for sent in scene.receive(data, flow)]


def test_a_registered_phone_that_subscribes_too_fast_is_told_to_come_later() -> None:
    """RFC 3261 21.5.4: beyond the rate of its host, whose calls go on. What renews a subscription is not
    counted; a second later as many more are looked at, and with 0 all.
    """
    scene = Scene(requests_per_source=50.0)
    register(scene, headers=("Expires: 3600",))
    scene.clear()
    asked = [subscribe(scene, PHONE, number) for number in range(1_000)]
    assert asked == [["200", "NOTIFY"]] * 50 + [["503"]] * 950
    assert scene.last("503").message.header("retry-after") == "5"
    counts = scene.stack.snapshot()
    assert (counts["dropped"], counts["subscriptions"], counts["bindings"]) == (950, 50, 1)
    first = scene.sent[0].message
    renewal = {"call_id": first.call_id, "to": first.header("to"), "cseq": 2}
    assert subscribe(scene, PHONE, 1_000, **renewal) == ["200"]  # its NOTIFY follows the answer to the first
    assert scene.receive(request("OPTIONS", branch="z9hG4bKo", call_id="o"), PHONE)[0].word == "200"
    scene.advance(1.0)
    assert subscribe(scene, PHONE, 2_000) == ["200", "NOTIFY"]
    scene.stack.reconfigure(settings(requests_per_source=0.0, subscriptions_per_user=500), scene.now)
    assert [subscribe(scene, PHONE, number) for number in range(3_000, 3_100)] == [["200", "NOTIFY"]] * 100


def test_a_trunk_that_subscribes_too_fast_is_told_to_come_later() -> None:
    """Its SUBSCRIBEs are refused in any case, and its calls are taken."""
    scene = Scene(requests_per_source=50.0)
    asked = [subscribe(scene, TRUNK, number) for number in range(1_000)]
    assert asked == [["401"]] * 50 + [["503"]] * 950
    arrive(scene)
    assert scene.words()[-1] == "100"


def test_options_says_what_we_can() -> None:
    """RFC 3261 11.2; no version of the product (A-SCAN1)."""
    scene = Scene()
    answer = scene.receive(request("OPTIONS"), STRANGER)[0]
    headers = dict(answer.message.header_lines)
    assert f"Allow: {headers['Allow']}\r\n" == ALLOW
    assert (headers["Accept"], headers["Supported"]) == (
        "application/sdp",
        "100rel, gruu, norefersub, outbound, path, replaces, timer",
    )
    assert headers["Server"] == "seatswitch"


def test_a_keepalive_is_answered_on_a_stream_and_swallowed_as_a_datagram() -> None:
    """RFC 5626 4.4.1."""
    scene = Scene()
    scene.stack.receive_stream(b"\r\n\r\n", Flow("tcp", 1, "192.0.2.7", 4000, 3), scene.now)
    assert [data for _, data in scene.stack.datagrams.take()] == [b"\r\n"]
    scene.stack.receive_datagram(b"\r\n\r\n", STRANGER, scene.now)
    assert scene.stack.datagrams.take() == []
