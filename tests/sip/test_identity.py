"""Identity headers: RFC 3323, 3325, 3326, 5806 and 7044, and what is not believed."""

import pytest

from sip.events import InviteArrived, SessionCancelled, SessionEnded, SessionFailed
from sip.identity import (
    ENTRIES_MAX,
    NAME_MAX,
    asserted_user,
    caller_name,
    diverting_user,
    reason_to_pass,
    reasons,
    wants_privacy,
)
from sip.invitation import Invitation
from sip.message import Request
from sip.parser import parse_message
from tests.sip.scene import OURS, SDP, TRUNK, Scene, request, respond


def invite(*headers: str) -> Request:
    message = parse_message(request("INVITE", headers=headers, body=SDP))
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("id", True),
        ("header;user;id;critical", True),
        ("Full", True),
        ("none", False),
        ("critical", False),
        ("", False),
        ("a;" * 30 + "id", False),
    ],
)
def test_who_asks_not_to_be_named(value: str, wanted: bool) -> None:
    assert wants_privacy(invite(f"Privacy: {value}")) is wanted
    assert not wants_privacy(invite())


@pytest.mark.parametrize(
    ("value", "user"),
    [
        ('"Li" <sip:13800000000@carrier.example;user=phone>', "13800000000"),
        ("<sip:1390@carrier.example>, <tel:+86-139-0>", "1390"),
        ("tel:+86-139-0", "+861390"),
        ("<sip:carrier.example>, <sip:1390@carrier.example>", "1390"),
        ("<mailto:1390@carrier.example>", ""),
        ('"broken', ""),
    ],
)
def test_the_first_usable_asserted_identity(value: str, user: str) -> None:
    """RFC 3325 9.1: one or two values, sip and tel."""
    assert asserted_user(invite(f"P-Asserted-Identity: {value}")) == user
    assert asserted_user(invite()) == ""


def test_who_diverted_the_call() -> None:
    """RFC 5806 4.1: the first; RFC 7044 5.1: the entry before the one that is the target now."""
    diverted = invite("Diversion: <sip:8001@a>;reason=user-busy, <sip:8000@a>;reason=unconditional")
    assert diverting_user(diverted) == "8001"
    history = "<sip:1@a>;index=1, <sip:2@a?Reason=SIP%3Bcause%3D486>;index=1.1, <sip:3@b>;index=1.1.1"
    assert diverting_user(invite(f"History-Info: {history}")) == "2"
    assert diverting_user(invite("History-Info: <sip:1@a>;index=1")) == ""
    assert diverting_user(invite('Diversion: "broken')) == ""
    assert diverting_user(invite()) == ""
    many = ", ".join(f"<sip:{number}@a>" for number in range(200))
    assert diverting_user(invite(f"History-Info: {many}")) == str(ENTRIES_MAX - 2)


@pytest.mark.parametrize(
    ("value", "causes", "passed"),
    [
        ('Q.850;cause=16;text="Terminated; really"', {"Q.850": 16}, "Q.850;cause=16"),
        ('SIP;cause=200;text="Call completed elsewhere"', {"SIP": 200}, "SIP;cause=200"),
        ("sip ; cause = 487 , Q.850;cause=31", {"SIP": 487, "Q.850": 31}, "SIP;cause=487"),
        ("preemption;cause=1;text=x", {"PREEMPTION": 1}, ""),
        ("Q.850;cause=99999", {}, ""),
        ('Q.850;cause="16', {}, ""),
        ("", {}, ""),
    ],
)
def test_causes_of_a_reason(value: str, causes: dict[str, int], passed: str) -> None:
    """RFC 3326; what a peer writes in words stays on its side."""
    assert reasons(value) == causes
    assert reason_to_pass(value) == passed


def test_the_reason_of_a_bye_and_of_a_cancel_is_told() -> None:
    scene = Scene()
    scene.receive(request("INVITE", body=SDP), TRUNK)
    reason = "Reason: Q.850;cause=16"
    scene.receive(request("CANCEL", headers=(reason,)), TRUNK)
    assert scene.events(SessionCancelled)[0].reason == "Q.850;cause=16"
    scene.receive(request("INVITE", branch="z9hG4bKtwo", call_id="call2", body=SDP), TRUNK)
    session = scene.events(InviteArrived)[-1].session
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack", to=to, call_id="call2"), TRUNK)
    long = f'Reason: SIP;cause=200;text="{"x" * 300}"'
    bye = request("BYE", branch="z9hG4bKbye", cseq=2, headers=(long,), to=to, call_id="call2")
    scene.receive(bye, TRUNK)
    assert scene.events(SessionEnded)[0].reason == ""


def test_what_a_redirection_names_is_told_best_first() -> None:
    """RFC 3261 8.1.3.4; at most eight, and nothing where it cannot be read."""
    scene = Scene()
    outside = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS)
    named = "<sip:1@a>;q=0.2, <sip:2@b>, <sip:3@c>;q=0.5"
    for contact in (named, ", ".join(["<sip:4@d>"] * 20), "<sip:1@a>;q=x", ""):
        scene.stack.invite(outside, "leg", scene.now)
        scene.receive(respond(scene.last("INVITE"), 302, contact=contact), TRUNK)
    told = [event.redirects for event in scene.events(SessionFailed)]
    assert told == [("sip:2@b", "sip:3@c", "sip:1@a"), ("sip:4@d",) * 8, (), ()]


def named(value: str, *headers: str) -> Request:
    data = request("INVITE", headers=headers, body=SDP)
    lines = [b"From: " + value.encode() if it.startswith(b"From:") else it for it in data.split(b"\r\n")]
    message = parse_message(b"\r\n".join(lines))
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('"Wang Fang" <sip:13800000001@a>;tag=1', "Wang Fang"),
        ('"\u738b\u82b3" <sip:13800000001@a>;tag=1', "\u738b\u82b3"),
        ("Li <sip:13800000001@a>;tag=1", "Li"),
        ("<sip:13800000001@a>;tag=1", ""),
        ("sip:13800000001@a;tag=1", ""),
        ('"13800000001" <sip:13800000001@a>;tag=1', ""),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1', ""),
        ('"a \\"b\\" c" <sip:1@a>;tag=1', 'a "b" c'),
        ('"a\u202eb\u0085  c" <sip:1@a>;tag=1', "a b c"),
        (f'"{"x" * 300}" <sip:1@a>;tag=1', "x" * NAME_MAX),
    ],
)
def test_what_a_caller_is_called(value: str, name: str) -> None:
    """Whatever could turn a line of a terminal or a page around is a space."""
    assert caller_name(named(value)) == name


def test_an_asserted_name_is_believed_from_who_is_trusted_and_privacy_honoured() -> None:
    """RFC 3325 9.1, RFC 3323."""
    asserted = 'P-Asserted-Identity: "Wang" <sip:1@a>'
    call = named('"Li" <sip:2@a>;tag=1', asserted)
    assert (caller_name(call), caller_name(call, is_trusted=True)) == ("Li", "Wang")
    bare = named('"Li" <sip:2@a>;tag=1', "P-Asserted-Identity: <sip:1@a>")
    assert caller_name(bare, is_trusted=True) == "Li"
    assert caller_name(named('"Li" <sip:2@a>;tag=1', asserted, "Privacy: id"), is_trusted=True) == ""
