"""Session timers in virtual time (row T30): intervals, roles, refreshes, and how a session that nobody
refreshes ends.

The default interval is 1800 s: refresh at 900 s, end at 1768 s.
"""

import pytest

from sip.events import InviteArrived, SessionAnswered, SessionEnded, SessionFailed, UpdateAnswered
from sip.grammar import SipError
from sip.sessionstate import SessionState
from sip.sessiontimer import parse_session_expires
from tests.sip.scene import OURS, SDP, TRUNK, Scene, Sent, request, respond
from tests.sip.talks import answered, connected, invited

TIMER = "Supported: timer"
UPDATES = "Allow: INVITE, ACK, BYE, UPDATE"


def header(sent: Sent, name: str) -> str:
    return sent.message.header(name) or ""


def taken(scene: Scene, *headers: str) -> Sent:
    """Take a call with these headers, up to its ACK; returns our 200."""
    scene.receive(request("INVITE", body=SDP, headers=headers), TRUNK)
    session = scene.events(InviteArrived)[-1].session
    scene.stack.answer(session, OURS, scene.now)
    ok = scene.last("200")
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", to=to), TRUNK)
    scene.clear()
    return ok


def inside(ok: Sent, method: str, cseq: int, *headers: str, body: bytes = b"") -> bytes:
    """A request of the caller inside the dialog that ``ok`` made."""
    to = f"<sip:96198@example.com>;tag={ok.message.to_tag}"
    return request(method, branch=f"z9hG4bK{method}{cseq}", to=to, cseq=cseq, headers=headers, body=body)


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        ("1800", (1800, "")),
        ("90;refresher=uac", (90, "uac")),
        ("4000 ; x=y ; refresher = UAS", (4000, "uas")),
        ("90;refresher=me", (90, "")),
        ("99999999999999999999999", (2**32 - 1, "")),
    ],
)
def test_session_expires_is_read(value: str, parsed: tuple[int, str]) -> None:
    """RFC 4028 4."""
    assert parse_session_expires(value) == parsed


@pytest.mark.parametrize("value", ["", "soon", "-1", ";refresher=uac", "1.5"])
def test_a_broken_session_expires_is_refused(value: str) -> None:
    with pytest.raises(SipError):
        parse_session_expires(value)
    scene = Scene()
    refusal = scene.receive(request("INVITE", headers=(f"Session-Expires: {value}",), body=SDP), TRUNK)
    assert [sent.word for sent in refusal] == ["400"]


def test_our_invite_offers_an_interval() -> None:
    """T30: Supported: timer, Session-Expires, Min-SE; the peer chooses who refreshes."""
    scene = Scene(session_expires=1200.0, min_se=120.0)
    invited(scene)
    invite = scene.last("INVITE")
    assert header(invite, "session-expires") == "1200"
    assert header(invite, "min-se") == "120"
    assert "timer" in header(invite, "supported")


def test_an_interval_below_ours_is_refused() -> None:
    """T30: SE < Min-SE draws 422 with Min-SE 90, from who knows session timers; nobody is told."""
    scene = Scene()
    refusal = scene.receive(request("INVITE", headers=(TIMER, "Session-Expires: 89"), body=SDP), TRUNK)
    assert [(sent.word, header(sent, "min-se")) for sent in refusal] == [("422", "90")]
    assert scene.told == []
    to = f"<sip:96198@example.com>;tag={refusal[0].message.to_tag}"
    scene.receive(request("ACK", to=to), TRUNK)
    scene.advance(33)
    assert scene.stack.is_quiet()


def test_an_interval_is_taken_from_who_cannot_hear_422() -> None:
    """RFC 4028 9: without Supported: timer the value came from a proxy; ours is not below Min-SE."""
    ok = taken(Scene(), "Session-Expires: 60")
    assert header(ok, "session-expires") == "90;refresher=uas"


@pytest.mark.parametrize(
    ("headers", "agreed", "require"),
    [
        ((), "1800;refresher=uas", ""),
        ((TIMER,), "1800;refresher=uas", ""),
        ((TIMER, "Session-Expires: 600"), "600;refresher=uas", ""),
        ((TIMER, "Session-Expires: 600;refresher=uac"), "600;refresher=uac", "timer"),
        ((TIMER, "Session-Expires: 600;refresher=uas"), "600;refresher=uas", ""),
        (("Require: timer", "x: 600;refresher=uac"), "600;refresher=uac", "timer"),
        ((TIMER, "Session-Expires: 7200"), "1800;refresher=uas", ""),
        ((TIMER, "Session-Expires: 7200", "Min-SE: 3600"), "3600;refresher=uas", ""),
        ((TIMER, "Min-SE: 3600"), "3600;refresher=uas", ""),
        # Table 2: who knows no session timers is refreshed by us.
        (("Session-Expires: 600;refresher=uac",), "600;refresher=uas", ""),
    ],
)
def test_what_we_agree_to(headers: tuple[str, ...], agreed: str, require: str) -> None:
    """T30: RFC 4028 9 and its table 2."""
    ok = taken(Scene(), *headers)
    assert (header(ok, "session-expires"), header(ok, "require")) == (agreed, require)
    assert "timer" in header(ok, "supported")


def test_switched_off() -> None:
    """``session_expires = 0``: nothing is said, nothing is refreshed, Require: timer is refused."""
    scene = Scene(session_expires=0.0)
    ok = taken(scene, TIMER, "Session-Expires: 60;refresher=uac")
    assert header(ok, "session-expires") == ""
    assert "timer" not in header(ok, "supported")
    scene.advance(4000)
    assert scene.sent == []
    refusal = scene.receive(
        request("INVITE", branch="z9hG4bKr", call_id="r", headers=("Require: timer",), body=SDP), TRUNK
    )
    assert refusal[0].word == "420"


def test_a_422_is_tried_again_with_what_it_asks_for() -> None:
    """T30: a new INVITE, same Call-ID, CSeq+1, with the larger interval."""
    scene = Scene()
    session = invited(scene)
    scene.receive(respond(scene.last("INVITE"), 422, contact="", headers=("Min-SE: 3600",)), TRUNK)
    again = scene.last("INVITE")
    assert scene.words() == ["INVITE", "ACK", "INVITE"]
    assert again.message.cseq == (2, "INVITE")
    assert again.message.call_id == session.sip_call_id
    assert (header(again, "session-expires"), header(again, "min-se")) == ("3600", "3600")
    accepted = respond(
        again, 200, body=SDP, headers=("Session-Expires: 3600;refresher=uas", "Require: timer")
    )
    scene.receive(accepted, TRUNK)
    assert scene.told == [SessionAnswered(session, SDP)]


@pytest.mark.parametrize("min_se", ["", "Min-SE: 90", "Min-SE: much"])
def test_a_422_that_asks_for_nothing_more_is_a_failure(min_se: str) -> None:
    scene = Scene()
    session = invited(scene)
    scene.receive(respond(scene.last("INVITE"), 422, contact="", headers=(min_se,) if min_se else ()), TRUNK)
    assert scene.told == [SessionFailed(session, 422, "Whatever")]
    scene.advance(40)
    assert scene.stack.is_quiet()


def test_422_for_ever_is_a_failure() -> None:
    """A peer whose Min-SE rises each time is given up."""
    scene = Scene()
    session = invited(scene)
    for number in range(1, 8):
        if scene.told:
            break
        refusal = respond(scene.last("INVITE"), 422, contact="", headers=(f"Min-SE: {number}000",))
        scene.receive(refusal, TRUNK)
    assert scene.words().count("INVITE") == 6
    assert scene.told == [SessionFailed(session, 422, "Whatever")]


def test_we_refresh_by_update_at_half_the_interval() -> None:
    """T30: as UAS, refresher uas: UPDATE without SDP at 900 s, 1800 s; roles and interval again."""
    scene = Scene()
    taken(scene, TIMER, UPDATES, "Session-Expires: 1800")
    scene.advance(899.9)
    assert scene.sent == []
    scene.advance(0.1)
    update = scene.last("UPDATE")
    assert (round(update.at, 3), update.message.body) == (900.0, b"")
    assert header(update, "session-expires") == "1800;refresher=uac"
    assert header(update, "contact")
    scene.receive(respond(update, 200, headers=("Session-Expires: 1800;refresher=uac",)), TRUNK)
    scene.advance(900)
    assert scene.times("UPDATE") == [900.0, 1800.0]
    assert scene.told == []


def test_we_refresh_by_reinvite_where_update_is_unknown() -> None:
    """T30: what we said last is said again, o= unchanged (RFC 4028 7.4); the answer is told."""
    scene = Scene()
    session = connected(scene)
    scene.advance(900)
    reinvite = scene.last("INVITE")
    assert (round(reinvite.at, 3), reinvite.message.body) == (900.0, OURS)
    assert reinvite.message.cseq == (2, "INVITE")
    scene.receive(respond(reinvite, 200, body=SDP), TRUNK)
    assert scene.words() == ["INVITE", "ACK"]
    assert scene.told == [UpdateAnswered(session, SDP)]
    scene.advance(900)
    assert scene.times("INVITE") == [900.0, 1800.0]


def test_a_peer_that_takes_the_role_is_waited_for() -> None:
    """T30: as UAC, refresher uas: nothing of ours goes out; BYE at SE - min(32, SE/3) (RFC 4028 10)."""
    scene = Scene()
    session = invited(scene)
    accepted = ("Session-Expires: 1800;refresher=uas", "Require: timer")
    scene.receive(respond(scene.last("INVITE"), 200, body=SDP, headers=accepted), TRUNK)
    scene.clear()
    scene.advance(1767.9)
    assert scene.sent == []
    scene.advance(0.1)
    assert scene.words() == ["BYE"]
    assert scene.told == [SessionEnded(session, "expired")]
    scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
    scene.advance(33)
    assert scene.stack.is_quiet()


def test_a_short_interval_ends_a_third_before() -> None:
    """RFC 4028 10: 90 s less a third is 60 s."""
    scene = Scene()
    taken(scene, TIMER, "Session-Expires: 90;refresher=uac")
    scene.advance(90)
    assert scene.times("BYE")[0] == 60.0


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_their_refresh_begins_a_new_interval(method: str) -> None:
    """T30: as UAS, refresher uac: an UPDATE or re-INVITE at 900 s moves the end to 900 + 1768 s."""
    scene = Scene()
    ok = taken(scene, TIMER, "Session-Expires: 1800;refresher=uac")
    scene.advance(900)
    body = SDP if method == "INVITE" else b""
    scene.receive(inside(ok, method, 2, TIMER, "Session-Expires: 1800;refresher=uac", body=body), TRUNK)
    if method == "INVITE":
        scene.stack.accept_update(scene.told[0].session, OURS, scene.now)
        scene.receive(inside(ok, "ACK", 2), TRUNK)
    answer = scene.last("200")
    assert header(answer, "session-expires") == "1800;refresher=uac"
    assert (header(answer, "require"), header(answer, "contact")) == ("timer", "<sip:10.0.0.1:5060>")
    scene.advance(1767.9)
    assert "BYE" not in scene.words()
    scene.advance(0.1)
    assert scene.times("BYE") == [2668.0]


def test_a_refresh_with_too_small_an_interval_is_refused() -> None:
    """RFC 4028 9: 422 inside the dialog; the session and its end stay as they were."""
    scene = Scene()
    ok = taken(scene, TIMER, "Session-Expires: 1800;refresher=uac")
    for method, body in (("UPDATE", b""), ("INVITE", SDP)):
        cseq = 2 if method == "UPDATE" else 3
        refusal = scene.receive(inside(ok, method, cseq, TIMER, "Session-Expires: 30", body=body), TRUNK)
        assert [(sent.word, header(sent, "min-se")) for sent in refusal] == [("422", "90")]
    scene.receive(inside(ok, "ACK", 3), TRUNK)
    scene.advance(1768)
    assert scene.times("BYE") == [1768.0]


@pytest.mark.parametrize(("status", "cause"), [(481, "gone"), (408, "timeout")])
def test_a_refresh_that_finds_nobody_ends_the_session(status: int, cause: str) -> None:
    """T25, T30: 481 or 408 to a refresh (RFC 3261 12.2.1.2): BYE, told once."""
    scene = Scene()
    taken(scene, UPDATES)
    scene.advance(900)
    scene.receive(respond(scene.last("UPDATE"), status, contact=""), TRUNK)
    assert scene.words() == ["UPDATE", "BYE"]
    assert [event.cause for event in scene.events(SessionEnded)] == [cause]


def test_a_peer_that_has_died_is_found_by_the_refresh() -> None:
    """T30, a peer without ``timer``: silence to the refresh of 900 s ends the session at 932 s."""
    scene = Scene()
    session = connected(scene)
    scene.advance(931.9)
    assert scene.told == []
    scene.advance(0.1)
    assert scene.told == [SessionEnded(session, "timeout")]
    scene.advance(70)
    assert scene.stack.is_quiet()


def test_update_that_is_not_taken_is_followed_by_a_reinvite() -> None:
    """A peer may allow UPDATE and refuse it: 405 or 501 draw a re-INVITE at once, and from then on."""
    scene = Scene()
    taken(scene, UPDATES)
    scene.advance(900)
    scene.receive(respond(scene.last("UPDATE"), 501, contact=""), TRUNK)
    assert scene.words() == ["UPDATE", "INVITE"]
    scene.receive(respond(scene.last("INVITE"), 200, body=SDP), TRUNK)
    scene.advance(900)
    assert scene.words() == ["UPDATE", "INVITE", "ACK", "INVITE"]


def test_whoever_refuses_a_refresh_is_alive() -> None:
    """Without ``timer`` any refusal shows that somebody is there; the next refresh is 900 s later."""
    scene = Scene()
    connected(scene)
    scene.advance(900)
    scene.receive(respond(scene.last("INVITE"), 488, contact=""), TRUNK)
    scene.advance(900)
    assert scene.times("INVITE") == [900.0, 1800.0]
    assert scene.told == []


def test_a_refused_refresh_is_tried_again_until_the_end() -> None:
    """With ``timer`` the peer would end the session itself: again at half of what is left, BYE at 1768 s."""
    scene = Scene()
    taken(scene, TIMER, UPDATES, "Session-Expires: 1800")
    while scene.now < 1768:
        scene.advance(1.0)
        for sent in [sent for sent in scene.sent if sent.word == "UPDATE"]:
            scene.receive(respond(sent, 503, contact=""), TRUNK)
    assert scene.times("UPDATE")[:4] == [900.0, 1334.0, 1551.0, 1659.5]
    assert scene.times("BYE") == [1768.0]
    assert [event.cause for event in scene.events(SessionEnded)] == ["expired"]


def test_a_422_to_a_refresh_lengthens_the_interval() -> None:
    """RFC 4028 7.3: again at once, with what is asked for."""
    scene = Scene()
    taken(scene, TIMER, UPDATES, "Session-Expires: 600")
    scene.advance(300)
    scene.receive(respond(scene.last("UPDATE"), 422, contact="", headers=("Min-SE: 900",)), TRUNK)
    again = scene.last("UPDATE")
    assert (round(again.at, 3), header(again, "session-expires")) == (300.0, "900;refresher=uac")
    scene.receive(respond(again, 200, headers=("Session-Expires: 900;refresher=uac",)), TRUNK)
    scene.advance(450)
    assert scene.times("UPDATE") == [300.0, 300.0, 750.0]


def test_a_refresh_waits_for_a_reinvite_that_is_open() -> None:
    """RFC 3261 14.1; the glare of a refresh is tried again too, and nobody is told."""
    scene = Scene()
    session, to = answered(scene)
    scene.advance(899)
    scene.receive(request("INVITE", branch="z9hG4bKre", to=to, cseq=2, body=SDP), TRUNK)
    scene.advance(2)
    assert scene.times("INVITE") == []
    scene.stack.refuse_update(session, 488, scene.now)
    assert round(scene.last("INVITE").at, 3) == 901.0
    scene.receive(respond(scene.last("INVITE"), 491, contact=""), TRUNK)
    scene.advance(4.1)
    assert 901.0 <= scene.times("INVITE")[1] <= 903.0
    assert [type(event).__name__ for event in scene.told] == ["SessionOffered"]


def test_a_change_of_ours_is_a_refresh() -> None:
    """RFC 4028 7.4: each re-INVITE that succeeds begins the interval anew and may change the role."""
    scene = Scene()
    session = connected(scene)
    scene.advance(800)
    scene.stack.update(session, OURS, scene.now)
    reinvite = scene.last("INVITE")
    assert header(reinvite, "session-expires") == "1800;refresher=uac"
    scene.receive(respond(reinvite, 200, body=SDP, headers=("Session-Expires: 600;refresher=uas",)), TRUNK)
    scene.clear()
    scene.advance(567.9)
    assert scene.sent == []
    scene.advance(0.1)
    assert scene.words() == ["BYE"]


def test_nothing_is_left_of_a_session_that_ended() -> None:
    """The timer goes with the session; the sweep with the last of them."""
    scene = Scene()
    session, _ = answered(scene)
    scene.advance(880)
    assert session.state is SessionState.CONFIRMED
    assert any(timer.name == "session" for timer in scene.timers.armed())
    scene.stack.hang_up(session, scene.now)
    scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
    assert not any(timer.name == "session" for timer in scene.timers.armed())
    scene.advance(70)
    assert scene.timers.armed() == []


def test_a_refresh_that_is_out_when_the_session_ends() -> None:
    """Its answer changes nothing and is told to nobody."""
    scene = Scene()
    session = connected(scene)
    scene.advance(900)
    scene.stack.hang_up(session, scene.now)
    scene.receive(respond(scene.last("INVITE"), 200, body=SDP), TRUNK)
    scene.receive(respond(scene.last("BYE"), 200, contact=""), TRUNK)
    assert scene.words() == ["INVITE", "BYE", "ACK"]
    assert scene.told == []
    scene.advance(40)
    assert scene.stack.is_quiet()
