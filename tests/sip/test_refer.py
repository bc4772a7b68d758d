"""Referrals: row T33 of the conformance checklist (RFC 3515, RFC 4488)."""

from itertools import product

import pytest

from sip.events import InviteArrived, ReferArrived, ReferProgressed, SessionEnded
from sip.flows import Flow
from sip.grammar import SipError
from sip.refer import (
    DROPPED,
    EXPIRES,
    MOVES,
    Referral,
    ReferralInput,
    ReferralState,
    fragment_status,
    parse_refer_to,
    refer_to_text,
)
from sip.replaces import Replaces
from sip.session import Session
from sip.settings import Listener, Secret, TrunkPeer
from tests.sip.scene import OURS, SDP, STRANGER, TRUNK, Scene, Sent, request, respond


def answered(scene: Scene) -> tuple[Session, str]:
    """An incoming call, confirmed; returns it and the To of requests inside."""
    scene.receive(request("INVITE", body=SDP), TRUNK)
    session = scene.events(InviteArrived)[-1].session
    session.user = "leg"
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", to=to), TRUNK)
    scene.clear()
    return session, to


def refer(to: str, cseq: int = 2, *headers: str, target: str = "<sip:2001@example.com>") -> bytes:
    lines = (f"Refer-To: {target}", *headers) if target else headers
    return request("REFER", branch=f"z9hG4bKrefer{cseq}", to=to, cseq=cseq, headers=lines)


def arrived(scene: Scene, to: str, *headers: str) -> Referral:
    scene.receive(refer(to, 2, *headers), TRUNK)
    referral = scene.events(ReferArrived)[-1].referral
    assert isinstance(referral, Referral)
    return referral


def told(sent: Sent) -> tuple[str, str, bytes]:
    message = sent.message
    return message.header("event") or "", message.header("subscription-state") or "", message.body


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(ReferralState, ReferralInput)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_a_transfer_is_accepted_and_told_to_its_end() -> None:
    """T33: 202, NOTIFY with 100, then the final status, Subscription-State: terminated."""
    scene = Scene()
    session, to = answered(scene)
    referral = arrived(scene, to, "Referred-By: <sip:8001@example.com>")
    assert (referral.refer_to.user, referral.refer_to.host) == ("2001", "example.com")
    assert referral.referred_by == "<sip:8001@example.com>"
    assert scene.words() == []
    referral.accept(scene.now)
    assert scene.words() == ["202", "NOTIFY"]
    notify = scene.last("NOTIFY")
    assert told(notify) == ("refer", "active;expires=240", b"SIP/2.0 100 Trying\r\n")
    assert notify.message.header("content-type") == "message/sipfrag;version=2.0"
    assert notify.message.to_tag == "from1"
    scene.receive(respond(notify, 200, contact=""), TRUNK)
    scene.advance(10.0)
    referral.notify(180, "", scene.now)
    assert told(scene.last("NOTIFY")) == ("refer", "active;expires=230", b"SIP/2.0 180 Ringing\r\n")
    scene.receive(respond(scene.last("NOTIFY"), 200, contact=""), TRUNK)
    referral.notify(200, "", scene.now)
    last = told(scene.last("NOTIFY"))
    assert last == ("refer", "terminated;reason=noresource", b"SIP/2.0 200 OK\r\n")
    referral.notify(486, "", scene.now)
    assert len(scene.times("NOTIFY")) == 3
    scene.receive(respond(scene.last("NOTIFY"), 200, contact=""), TRUNK)
    scene.stack.hang_up(session, scene.now)
    scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
    scene.advance(40.0)
    assert scene.stack.is_quiet()
    assert not scene.timers.armed()


def test_a_repeated_refer_draws_the_same_answer() -> None:
    """T33."""
    scene = Scene()
    _, to = answered(scene)
    arrived(scene, to).accept(scene.now)
    scene.receive(refer(to), TRUNK)
    assert scene.words() == ["202", "NOTIFY", "202"]
    assert len(scene.events(ReferArrived)) == 1


def test_a_transfer_is_refused() -> None:
    """T33: 603 or 403, and no NOTIFY."""
    scene = Scene()
    _, to = answered(scene)
    arrived(scene, to).refuse(603, scene.now)
    assert scene.words() == ["603"]
    scene.advance(40.0)
    assert scene.words() == ["603"]


def test_who_wants_no_notify_gets_none() -> None:
    """T33: RFC 4488 4: Refer-Sub: false is said back, and nothing is subscribed."""
    scene = Scene()
    _, to = answered(scene)
    referral = arrived(scene, to, "Refer-Sub: false", "Require: norefersub")
    referral.accept(scene.now)
    referral.notify(180, "", scene.now)
    referral.notify(200, "", scene.now)
    assert scene.words() == ["202"]
    assert scene.last("202").message.header("refer-sub") == "false"


def test_two_refers_of_a_dialog_are_told_apart() -> None:
    """T33: RFC 3515 2.4.6: the second one's NOTIFYs carry id=CSeq."""
    scene = Scene()
    _, to = answered(scene)
    for cseq in (2, 7):
        scene.receive(refer(to, cseq), TRUNK)
        scene.events(ReferArrived)[-1].referral.accept(scene.now)
    scene.collect()
    assert [told(sent)[0] for sent in scene.sent if sent.word == "NOTIFY"] == ["refer", "refer;id=7"]


def test_a_subscription_ends_by_itself() -> None:
    """T33: Nobody tells the end: the last NOTIFY says timeout."""
    scene = Scene()
    _, to = answered(scene)
    referral = arrived(scene, to)
    referral.accept(scene.now)
    scene.receive(respond(scene.last("NOTIFY"), 200, contact=""), TRUNK)
    scene.advance(EXPIRES)
    assert told(scene.last("NOTIFY"))[1] == "terminated;reason=timeout"
    assert referral.state is ReferralState.ENDED


@pytest.mark.parametrize("status", [481, 408])
def test_a_notify_that_fails_ends_the_subscription_and_nothing_else(status: int) -> None:
    """RFC 5057 5.1: the session goes on."""
    scene = Scene()
    _, to = answered(scene)
    referral = arrived(scene, to)
    referral.accept(scene.now)
    if status == 481:
        scene.receive(respond(scene.last("NOTIFY"), 481, contact=""), TRUNK)
    else:
        scene.advance(32.0)
    referral.notify(200, "", scene.now)
    assert {told(sent)[2] for sent in scene.sent if sent.word == "NOTIFY"} == {b"SIP/2.0 100 Trying\r\n"}
    assert scene.events(SessionEnded) == []


def test_the_end_is_told_after_the_bye() -> None:
    """RFC 5057: the subscription outlives the session that it was asked in."""
    scene = Scene()
    _, to = answered(scene)
    referral = arrived(scene, to)
    referral.accept(scene.now)
    scene.receive(request("BYE", branch="z9hG4bKbye", to=to, cseq=3), TRUNK)
    referral.notify(200, "", scene.now)
    assert scene.words() == ["202", "NOTIFY", "200", "NOTIFY"]
    scene.receive(respond(scene.last("NOTIFY"), 481, contact=""), TRUNK)
    scene.advance(40.0)
    assert scene.stack.is_quiet()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (refer("TO", target=""), "400"),
        (refer("TO", target="<sip:@>"), "400"),
        (refer("TO", target="<http://example.com>"), "416"),
        (refer("TO", target="<sip:2001@example.com?Replaces=a>"), "400"),
        (refer("TO", target="<sip:2001@example.com;method=BYE>"), "405"),
        (refer("TO", 2, "Refer-To: <sip:2002@example.com>"), "400"),
        (refer("TO", 0), "500"),
    ],
)
def test_broken_refers_are_refused(data: bytes, status: str) -> None:
    scene = Scene()
    _, to = answered(scene)
    sent = scene.receive(data.replace(b"TO\r\n", f"{to}\r\n".encode()), TRUNK)
    assert [it.word for it in sent] == [status]
    assert scene.events(ReferArrived) == []


@pytest.mark.parametrize("flow", [TRUNK, STRANGER])
def test_nobody_transfers_from_outside_a_session(flow: Flow) -> None:
    """A-TOLL: a REFER that is in no dialog starts nothing, wherever it comes from."""
    scene = Scene()
    assert [sent.word for sent in scene.receive(refer("<sip:96198@example.com>", 1), flow)] == ["403"]
    assert scene.stack.snapshot()["server_transactions"] == 0


def test_the_names_in_a_refer_to() -> None:
    asked = "<sip:2001@example.com;user=phone?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=x>"
    target = parse_refer_to(asked)
    assert (target.uri, target.user) == ("sip:2001@example.com;user=phone", "2001")
    assert target.replaces == Replaces("a@b", "1", "2")
    assert parse_refer_to("tel:+86-21-555").user == "+8621555"
    ours = refer_to_text("2001", "example.com", Replaces("a@b", "1", "2"))
    assert parse_refer_to(ours).replaces == Replaces("a@b", "1", "2")
    with pytest.raises(SipError):
        parse_refer_to("<sip:2001@example.com>;tag=a;tag=b")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"SIP/2.0 200 OK\r\n", 200),
        (b"SIP/2.0 486", 486),
        (b"", 0),
        (b"HTTP/1.1 200 OK", 0),
        (b"SIP/2.0 9", 0),
    ],
)
def test_the_status_of_a_fragment(body: bytes, status: int) -> None:
    assert fragment_status(body) == status


def notify(to: str, cseq: int, body: bytes, state: str = "active", event: str = "refer") -> bytes:
    return request(
        "NOTIFY",
        branch=f"z9hG4bKnotify{cseq}",
        to=to,
        cseq=cseq,
        headers=(f"Event: {event}", f"Subscription-State: {state}"),
        body=body,
        content_type="message/sipfrag",
    )


def test_a_transfer_of_ours() -> None:
    """T33: The REFER, its 202, and what the NOTIFYs say; after the last one they are strays."""
    scene = Scene()
    session, to = answered(scene)
    target = refer_to_text("2001", "example.com")
    mine = scene.stack.refer(session, target, "me", scene.now, "<sip:8001@example.com>")
    sent = scene.last("REFER").message
    assert (sent.header("refer-to"), sent.header("referred-by")) == (target, "<sip:8001@example.com>")
    scene.receive(respond(scene.last("REFER"), 202), TRUNK)
    assert scene.told == []
    scene.receive(notify(to, 2, b"SIP/2.0 180 Ringing\r\n", event=f"refer;id={mine.cseq}"), TRUNK)
    scene.receive(notify(to, 3, b"SIP/2.0 200 OK\r\n", "terminated;reason=noresource"), TRUNK)
    assert scene.told == [
        ReferProgressed(mine, 180, is_final=False),
        ReferProgressed(mine, 200, is_final=True),
    ]
    assert scene.receive(notify(to, 4, b"SIP/2.0 200 OK\r\n"), TRUNK)[0].word == "481"
    assert scene.receive(notify(to, 5, b"", event="presence"), TRUNK)[0].word == "489"
    assert scene.receive(notify(to, 6, b"", event="refer;id=99"), TRUNK)[0].word == "481"


@pytest.mark.parametrize("status", [603, 408, 0])
def test_a_transfer_of_ours_that_nobody_wants(status: int) -> None:
    scene = Scene()
    session, _ = answered(scene)
    mine = scene.stack.refer(session, "<sip:2001@example.com>", "me", scene.now)
    if status == 603:
        scene.receive(respond(scene.last("REFER"), 603, contact=""), TRUNK)
    elif status == 408:
        scene.advance(32.0)
    else:
        scene.receive(respond(scene.last("REFER"), 202), TRUNK)
        scene.advance(EXPIRES)
    assert scene.told == [ReferProgressed(mine, status or 408, is_final=True)]
    late = scene.stack.refer(session, "<sip:2001@example.com>", "me", scene.now)
    assert not late.is_over


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenge_to_our_refer_draws_no_credentials(status: int) -> None:
    """A-LEAK: the trunk's password is for its own INVITEs; the transfer has failed."""
    scene = Scene(trunks=(TrunkPeer("carrier", ("10.0.0.0/24",), "me", Secret("pw"), "carrier"),))
    session, _ = answered(scene)
    mine = scene.stack.refer(session, "<sip:2001@example.com>", "me", scene.now)
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    asked = f'{name}: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"'
    scene.receive(respond(scene.last("REFER"), status, contact="", headers=(asked,)), TRUNK)
    assert scene.words() == ["REFER"]
    assert b"uthorization" not in scene.last("REFER").data
    assert scene.told == [ReferProgressed(mine, status, is_final=True)]


def test_a_secure_dialog_stays_secure() -> None:
    """RFC 3261 12.1.1: in a SIPS dialog the 202, the NOTIFY and a REFER of ours carry a SIPS Contact."""
    scene = Scene(
        listen=(Listener("udp", "10.0.0.1", 5060), Listener("tls", "10.0.0.1", 5061)),
    )
    flow = Flow("tls", 1, "10.0.0.9", 40001, 3)
    contact = "<sips:caller@10.0.0.9:5061>"
    scene.receive(
        request("INVITE", "sips:96198@example.com", transport="TLS", contact=contact, body=SDP), flow
    )
    session = scene.events(InviteArrived)[-1].session
    session.user = "leg"
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", transport="TLS", to=to), flow)
    lines = ("Refer-To: <sip:2001@example.com>",)
    scene.receive(request("REFER", transport="TLS", to=to, cseq=2, headers=lines), flow)
    scene.events(ReferArrived)[-1].referral.accept(scene.now)
    scene.stack.refer(session, "<sip:2001@example.com>", "me", scene.now)
    for word in ("200", "202", "NOTIFY", "REFER"):
        assert scene.last(word).message.header("contact") == "<sips:10.0.0.1:5061>"
    assert scene.last("NOTIFY").flow == flow
