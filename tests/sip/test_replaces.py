"""Replaces: row T34 of the conformance checklist (RFC 3891 3)."""

import pytest

from sip.events import InviteArrived
from sip.grammar import SipError
from sip.invitation import Invitation
from sip.replaces import Replaces, parse_replaces
from sip.session import Session
from tests.sip.scene import OURS, SDP, TRUNK, Scene, request, respond

OUTSIDE = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS)


def answered(scene: Scene) -> Session:
    """A call of ours, answered with the tag callee1."""
    session = scene.stack.invite(OUTSIDE, "leg", scene.now)
    scene.receive(respond(scene.last("INVITE"), 200, body=SDP), TRUNK)
    scene.clear()
    return session


def asking(replaces: str, *more: str) -> bytes:
    headers = tuple(f"Replaces: {value}" for value in (replaces, *more))
    return request("INVITE", branch="z9hG4bKreplacing", call_id="replacing", headers=headers, body=SDP)


def test_a_value_is_read_whatever_its_order() -> None:
    wanted = Replaces("12adf2f34456gs5@host.com", "12345", "54321", early_only=True)
    assert parse_replaces("12adf2f34456gs5@host.com;to-tag=12345;from-tag=54321;early-only") == wanted
    assert parse_replaces(" 12adf2f34456gs5@host.com ; early-only;from-tag=54321 ; to-tag=12345 ") == wanted


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "a;to-tag=b",
        "a;from-tag=b",
        "a b;to-tag=1;from-tag=2",
        "a;to-tag=1;to-tag=1;from-tag=2",
        "a;to-tag=1;from-tag=2,b;to-tag=1;from-tag=2",
        f"{'a' * 600};to-tag=1;from-tag=2",
    ],
)
def test_a_broken_value_is_refused(value: str) -> None:
    with pytest.raises(SipError) as refused:
        parse_replaces(value)
    assert refused.value.status == 400


def test_an_answered_dialog_is_found_by_all_three_names() -> None:
    """T34: the to-tag is the receiver's own; the user is told whose place is asked for."""
    scene = Scene()
    session = answered(scene)
    value = f"{session.sip_call_id};to-tag={session.local_tag};from-tag=callee1"
    assert scene.receive(asking(value), TRUNK)[0].word == "100"
    assert scene.events(InviteArrived)[0].replaces is session


@pytest.mark.parametrize("wrong", ["call_id", "to-tag", "from-tag", "swapped"])
def test_no_such_dialog(wrong: str) -> None:
    """T34, A-DLG: 481 if only one of the three is wrong, and no session is made."""
    scene = Scene()
    session = answered(scene)
    names = [session.sip_call_id, session.local_tag, "callee1"]
    if wrong == "swapped":
        names[1:] = names[:0:-1]
    else:
        names[["call_id", "to-tag", "from-tag"].index(wrong)] = "other"
    value = f"{names[0]};to-tag={names[1]};from-tag={names[2]}"
    assert scene.receive(asking(value), TRUNK)[0].word == "481"
    assert scene.events(InviteArrived) == []


def test_an_answered_dialog_is_not_early() -> None:
    """T34: early-only on a confirmed dialog is 486."""
    scene = Scene()
    session = answered(scene)
    value = f"{session.sip_call_id};to-tag={session.local_tag};from-tag=callee1;early-only"
    assert scene.receive(asking(value), TRUNK)[0].word == "486"


def test_an_early_dialog_that_the_peer_started() -> None:
    """T34: of an early dialog we are the UAS of, 481."""
    scene = Scene()
    scene.receive(request("INVITE", body=SDP), TRUNK)
    session = scene.events(InviteArrived)[0].session
    scene.stack.ring(session, scene.now)
    value = f"call1;to-tag={session.local_tag};from-tag=from1"
    assert scene.receive(asking(value), TRUNK)[-1].word == "481"


@pytest.mark.parametrize("tag", ["callee1", "callee2", "0", "other"])
def test_an_early_dialog_that_we_started(tag: str) -> None:
    """T34: accepted, by the tag that rings; where two ring, by either; a tag that does not ring is 481."""
    scene = Scene()
    session = scene.stack.invite(OUTSIDE, "leg", scene.now)
    invite = scene.last("INVITE")
    if tag == "0":
        scene.receive(respond(invite, 180, tag=""), TRUNK)
    else:
        scene.receive(respond(invite, 180), TRUNK)
    if tag == "callee2":
        scene.receive(respond(invite, 180, tag="callee2"), TRUNK)
    for early_only in ("", ";early-only"):
        value = f"{session.sip_call_id};to-tag={session.local_tag};from-tag={tag}{early_only}"
        asked = asking(value).replace(b"replacing", b"replacing%d" % len(early_only))
        assert scene.receive(asked, TRUNK)[0].word == ("481" if tag == "other" else "100")
    told = [event.replaces for event in scene.events(InviteArrived)]
    assert told == ([] if tag == "other" else [session, session])


def test_a_dialog_that_ends() -> None:
    """T34: 603 for a dialog that is over."""
    scene = Scene()
    session = answered(scene)
    scene.stack.hang_up(session, scene.now)
    value = f"{session.sip_call_id};to-tag={session.local_tag};from-tag=callee1"
    assert scene.receive(asking(value), TRUNK)[-1].word == "603"


def test_two_values_are_refused() -> None:
    """T34: two Replaces, or Replaces with Join: 400."""
    scene = Scene()
    session = answered(scene)
    value = f"{session.sip_call_id};to-tag={session.local_tag};from-tag=callee1"
    assert scene.receive(asking(value, value), TRUNK)[0].word == "400"
    assert scene.receive(asking(f"{value}\r\nJoin: a;to-tag=1;from-tag=2"), TRUNK)[-1].word == "400"
