"""Transactions: the rows T01 to T17 of the conformance checklist, in virtual time.

T1 is 0.5 s, T2 4 s, T4 5 s. Rows on dialogs and sessions are in test_session.py and test_dialog.py.
"""

from itertools import pairwise

import pytest

from kernel.limits import SIP_BODY_MAX
from sip.events import InviteArrived, SessionAnswered, SessionEnded, SessionFailed, SessionProgressed
from sip.flows import Flow
from sip.invitation import Invitation
from sip.session import Session
from sip.settings import Timing
from tests.sip.scene import OURS, SDP, STRANGER, TRUNK, Scene, request, respond, to_tag

DOUBLING = [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
CAPPED = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
OUTSIDE = Invitation("sip:138@10.0.0.9:5080", "<sip:138@10.0.0.9>", "8001", sdp=OURS)
OUTSIDE_TCP = Invitation("sip:138@10.0.0.9:5080;transport=tcp", "<sip:138@10.0.0.9>", "8001", sdp=OURS)
CONNECTION = Flow("tcp", 1, "10.0.0.9", 40000, 7)


def invited(scene: Scene, invitation: Invitation = OUTSIDE) -> Session:
    return scene.stack.invite(invitation, "leg", scene.now)


def arrived(scene: Scene, flow: Flow = TRUNK) -> Session:
    transport = flow.transport.upper()
    scene.receive(request("INVITE", transport=transport, body=SDP), flow)
    session = scene.events(InviteArrived)[-1].session
    assert isinstance(session, Session)
    return session


def confirmed(scene: Scene) -> tuple[Session, str]:
    """An answered incoming call; returns the session and the To of requests inside."""
    session = arrived(scene)
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", to=to), TRUNK)
    scene.clear()
    return session, to


def test_invite_is_repeated_until_timer_b() -> None:
    """T01: sends at 0, .5, 1.5, 3.5, 7.5, 15.5, 31.5 s; at 32 s 408."""
    scene = Scene()
    session = invited(scene)
    scene.advance(31.9)
    assert scene.told == []
    scene.advance(0.1)
    assert scene.times("INVITE") == DOUBLING
    assert scene.told == [SessionFailed(session, 408, "Request Timeout")]
    assert scene.now == pytest.approx(32.0)
    scene.advance(40)
    assert len(scene.sent) == 7
    assert scene.stack.is_quiet()


def test_invite_over_tcp_is_sent_once() -> None:
    """T01: on a stream transport only B runs."""
    scene = Scene()
    session = invited(scene, OUTSIDE_TCP)
    scene.advance(32.0)
    assert scene.times("INVITE") == [0.0]
    assert scene.last("INVITE").flow == Flow("tcp", 1, "10.0.0.9", 5080)
    assert scene.events(SessionFailed) == [SessionFailed(session, 408, "Request Timeout")]


def test_a_provisional_stops_the_repetitions_and_timer_b() -> None:
    """T02: no more INVITEs, B no longer applies; after ring_max (timer C) CANCEL, and 408 to the user."""
    scene = Scene()
    session = invited(scene)
    scene.advance(0.6)
    scene.receive(respond(scene.last("INVITE"), 180), TRUNK)
    scene.advance(180)
    assert scene.times("INVITE") == [0.0, 0.5]
    assert scene.told == [
        SessionProgressed(session, 180, b""),
        SessionFailed(session, 408, "Request Timeout"),
    ]
    cancel = scene.last("CANCEL")
    assert round(cancel.at, 3) == 180.6
    scene.receive(respond(cancel, 200, contact=""), TRUNK)
    scene.receive(respond(scene.last("INVITE"), 487, contact=""), TRUNK)
    assert scene.words()[-1] == "ACK"
    scene.advance(40)
    assert scene.stack.is_quiet()


def test_each_repeated_failure_is_acknowledged_and_told_once() -> None:
    """T03: within 32 s on UDP each 3xx-6xx draws an ACK of the same branch and CSeq number."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    busy = respond(invite, 486, contact="")
    for _ in range(3):
        scene.receive(busy, TRUNK)
        scene.advance(10)
    acks = [sent for sent in scene.sent if sent.word == "ACK"]
    assert len(acks) == 3
    assert {ack.data for ack in acks} == {acks[0].data}
    assert acks[0].message.via.branch == invite.message.via.branch
    assert acks[0].message.cseq == (1, "ACK")
    assert acks[0].message.to_tag == "callee1"
    assert scene.told == [SessionFailed(session, 486, "Whatever")]
    scene.advance(3)
    scene.receive(busy, TRUNK)
    assert len(scene.times("ACK")) == 3
    assert scene.stack.is_quiet()


def test_a_failure_over_tcp_leaves_nothing() -> None:
    """T03: D is 0 on TCP."""
    scene = Scene()
    invited(scene, OUTSIDE_TCP)
    scene.receive(respond(scene.last("INVITE"), 486, contact=""), CONNECTION)
    assert scene.words() == ["INVITE", "ACK"]
    assert scene.stack.is_quiet()


def test_bye_is_repeated_until_timer_f() -> None:
    """T04: a non-INVITE goes out at 0, .5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s (11 times), given up at 32 s."""
    scene = Scene()
    session, _ = confirmed(scene)
    scene.stack.hang_up(session, scene.now)
    scene.advance(32)
    assert scene.times("BYE") == CAPPED
    assert scene.told == []
    scene.advance(1)
    assert scene.stack.is_quiet()


def test_after_a_provisional_a_request_is_repeated_each_t2() -> None:
    """T04: after a 1xx the interval is T2."""
    scene = Scene()
    session, _ = confirmed(scene)
    scene.stack.hang_up(session, scene.now)
    scene.advance(0.1)
    scene.receive(respond(scene.last("BYE"), 100, contact=""), TRUNK)
    scene.advance(32)
    assert scene.times("BYE") == [0.0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]


def test_a_repeated_final_response_is_absorbed() -> None:
    """T05: the second 200 to a BYE changes nothing."""
    scene = Scene()
    session, _ = confirmed(scene)
    scene.stack.hang_up(session, scene.now)
    done = respond(scene.last("BYE"), 200, contact="")
    for _ in range(3):
        assert scene.receive(done, TRUNK) == []
    scene.advance(40)
    assert scene.times("BYE") == [0.0]


@pytest.mark.parametrize("flow", [TRUNK, CONNECTION])
def test_a_final_response_that_comes_again_is_absorbed_at_any_time(flow: Flow) -> None:
    """T05: within K (5 s on UDP, 0 on TCP) and after it nobody is told and nothing is sent or kept."""
    scene = Scene()
    session = arrived(scene, flow)
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    transport = flow.transport.upper()
    scene.receive(request("ACK", branch="z9hG4bKack1", to=to, transport=transport), flow)
    scene.stack.hang_up(session, scene.now)
    done = respond(scene.last("BYE"), 200, contact="")
    scene.clear()
    for _ in range(8):
        assert scene.receive(done, flow) == []
        scene.advance(1.0)
    assert scene.told == []
    assert scene.stack.snapshot()["client_transactions"] == 0


def test_a_refusal_is_repeated_until_its_ack_or_timer_h() -> None:
    """T06: G repeats at 0, .5, 1.5, 3.5, 7.5, 11.5 ... on UDP; H ends it at 32 s without a leak."""
    scene = Scene()
    scene.stack.reject(arrived(scene), 486, scene.now)
    scene.advance(32)
    assert scene.times("486") == CAPPED
    scene.advance(40)
    assert scene.times("486") == CAPPED
    assert scene.stack.is_quiet()


def test_a_refusal_over_tcp_is_sent_once() -> None:
    """T06: no G on TCP."""
    scene = Scene()
    scene.stack.reject(arrived(scene, CONNECTION), 486, scene.now)
    scene.advance(33)
    assert scene.times("486") == [0.0]
    assert scene.stack.is_quiet()


def test_repeated_acks_and_invites_after_the_ack_are_absorbed() -> None:
    """T07: for T4 after the first ACK nothing of the INVITE is answered or told; then all is forgotten."""
    scene = Scene()
    scene.stack.reject(arrived(scene), 486, scene.now)
    ack = request("ACK", to=f"<sip:96198@example.com>;tag={to_tag(scene.last('486'))}")
    scene.receive(ack, TRUNK)
    scene.advance(4)
    scene.clear()
    assert scene.receive(ack, TRUNK) == []
    assert scene.receive(request("INVITE", body=SDP), TRUNK) == []
    assert scene.told == []
    assert scene.stack.snapshot()["server_transactions"] == 1
    scene.advance(1.5)  # T4, and what the reaper may be late
    assert scene.stack.snapshot()["server_transactions"] == 0


def test_a_repeated_request_draws_the_same_answer() -> None:
    """T08: J keeps the answer of a BYE for 32 s on UDP; the user is told once."""
    scene = Scene()
    _, to = confirmed(scene)
    bye = request("BYE", branch="z9hG4bKbye", to=to, cseq=2)
    first = scene.receive(bye, TRUNK)[0]
    scene.advance(31)
    again = scene.receive(bye, TRUNK)[0]
    assert again.data == first.data
    assert len(scene.events(SessionEnded)) == 1
    scene.advance(2)
    assert [sent.word for sent in scene.receive(bye, TRUNK)] == ["481"]


def test_over_tcp_an_answer_is_not_kept() -> None:
    """T08: J is 0 on TCP, where a request is not repeated."""
    scene = Scene()
    session = arrived(scene, CONNECTION)
    scene.stack.answer(session, OURS, scene.now)
    to = f"<sip:96198@example.com>;tag={session.local_tag}"
    scene.receive(request("ACK", branch="z9hG4bKack1", to=to, transport="TCP"), CONNECTION)
    bye = request("BYE", branch="z9hG4bKbye", to=to, cseq=2, transport="TCP")
    assert scene.receive(bye, CONNECTION)[0].word == "200"
    assert len(scene.events(SessionEnded)) == 1
    assert scene.receive(bye, CONNECTION)[0].word == "481"
    assert len(scene.events(SessionEnded)) == 1


@pytest.mark.parametrize("flow", [TRUNK, CONNECTION])
def test_a_2xx_is_repeated_until_the_ack_and_then_given_up(flow: Flow) -> None:
    """T09: .5, 1, 2, 4, 4 ... also over TCP; at 64*T1 BYE and no_ack."""
    scene = Scene()
    session = arrived(scene, flow)
    scene.stack.answer(session, OURS, scene.now)
    scene.advance(32)
    assert scene.times("200") == CAPPED
    assert round(scene.last("BYE").at, 3) == 32.0
    assert scene.events(SessionEnded) == [SessionEnded(session, "no_ack")]
    scene.receive(respond(scene.last("BYE"), 481, contact=""), flow)
    scene.advance(33)
    assert scene.stack.is_quiet()


def test_a_repeated_invite_after_the_2xx_is_absorbed() -> None:
    """T10: RFC 6026 Accepted; the 2xx is repeated by the session alone, nobody is told of a new call."""
    scene = Scene()
    scene.stack.answer(arrived(scene), OURS, scene.now)
    scene.advance(0.2)
    assert scene.receive(request("INVITE", body=SDP), TRUNK) == []
    assert len(scene.events(InviteArrived)) == 1


def test_a_lost_ack_is_sent_again_the_same() -> None:
    """T11: every repeated 2xx draws the same ACK and no second call."""
    scene = Scene()
    invited(scene)
    answer = respond(scene.last("INVITE"), 200, body=SDP)
    for _ in range(4):
        scene.receive(answer, TRUNK)
        scene.advance(4)
    acks = [sent for sent in scene.sent if sent.word == "ACK"]
    assert len(acks) == 4
    assert {ack.data for ack in acks} == {acks[0].data}
    assert len(scene.events(SessionAnswered)) == 1


def test_trying_is_sent_at_once_and_again() -> None:
    """T12: 100 at once, without waiting for the user; a repeated INVITE draws it again."""
    scene = Scene()
    arrived(scene)
    assert scene.times("100") == [0.0]
    scene.advance(0.5)
    scene.receive(request("INVITE", body=SDP), TRUNK)
    assert scene.times("100") == [0.0, 0.5]


def test_trying_waits_for_an_answer_that_comes_at_once() -> None:
    """T12: with trying_after 0.1 s, as configured, 100 by 200 ms, and none where we are faster."""
    scene = Scene(timing=Timing(trying_after=0.1))
    arrived(scene)
    scene.advance(0.2)
    assert scene.times("100") == [0.1]
    quick = Scene(timing=Timing(trying_after=0.1))
    quick.stack.ring(arrived(quick), quick.now)
    quick.advance(0.5)
    assert quick.words() == ["180"]


def test_strays_are_dropped() -> None:
    """T13: a final after the timeout, a 1xx after the final, responses and ACKs of nobody: silence."""
    scene = Scene()
    invited(scene)
    invite = scene.last("INVITE")
    scene.advance(33)
    scene.clear()
    for status in (180, 200, 486):
        assert scene.receive(respond(invite, status, body=SDP), TRUNK) == []
    invited(scene)
    invite = scene.last("INVITE")
    scene.receive(respond(invite, 200, body=SDP), TRUNK)
    scene.clear()
    assert scene.receive(respond(invite, 180), TRUNK) == []
    assert scene.receive(request("ACK", to="<sip:96198@example.com>;tag=nobody"), TRUNK) == []
    assert scene.receive(b"SIP/2.0 200 OK\r\n\r\n", TRUNK) == []
    assert scene.told == []


def test_a_branch_without_cookie_is_matched_the_old_way() -> None:
    """T14: RFC 2543 clients repeat INVITE and ACK with what they keep constant."""
    scene = Scene()
    old = request("INVITE", branch="1", body=SDP)
    scene.receive(old, TRUNK)
    scene.receive(old, TRUNK)
    assert scene.words() == ["100", "100"]
    scene.stack.reject(scene.events(InviteArrived)[0].session, 486, scene.now)
    to = f"<sip:96198@example.com>;tag={to_tag(scene.last('486'))}"
    scene.receive(request("ACK", branch="1", to=to), TRUNK)
    scene.advance(40)
    assert scene.times("486") == [0.0]


def test_a_merged_request_is_refused() -> None:
    """T15: the same From tag, Call-ID and CSeq under another branch: 482."""
    scene = Scene()
    arrived(scene)
    answers = scene.receive(request("INVITE", branch="z9hG4bKother", body=SDP), TRUNK)
    assert [sent.word for sent in answers] == ["482"]
    assert len(scene.events(InviteArrived)) == 1


def test_max_forwards() -> None:
    """T16: 0 is 483 (but an OPTIONS has reached us), absent is 70, above 255 is 400."""
    scene = Scene()
    assert scene.receive(request("INVITE", max_forwards=0, body=SDP), TRUNK)[0].word == "483"
    assert scene.receive(request("OPTIONS", max_forwards=0, branch="z9hG4bKo"), TRUNK)[0].word == "200"
    assert scene.receive(request("INVITE", max_forwards=256, body=SDP), TRUNK)[0].word == "400"
    absent = request("INVITE", branch="z9hG4bKp", body=SDP).replace(b"Max-Forwards: 70\r\n", b"")
    assert scene.receive(absent, TRUNK)[0].word == "100"


def test_what_is_not_understood_is_refused_with_what_is() -> None:
    """T17: 405 and 501, 420, 415, 406, 416, 505; an ACK is never answered."""
    scene = Scene()

    def answer(data: bytes) -> tuple[str, str]:
        sent = scene.receive(data, TRUNK)
        headers = dict(sent[0].message.header_lines)
        told = [headers[n] for n in ("Allow", "Unsupported", "Accept", "Accept-Encoding") if n in headers]
        return sent[0].word, told[0] if told else ""

    allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REGISTER, REFER, NOTIFY, SUBSCRIBE"
    assert answer(request("PUBLISH")) == ("405", allowed)
    assert answer(request("FETCH")) == ("501", allowed)
    required = request("INVITE", headers=("Require: 100rel, precondition, path",), body=SDP)
    assert answer(required) == ("420", "precondition")
    assert answer(request("INVITE", body=b"x", content_type="text/plain")) == ("415", "application/sdp")
    gzip = request("INVITE", headers=("Content-Encoding: gzip",), body=SDP)
    assert answer(gzip) == ("415", "identity")
    assert answer(request("INVITE", headers=("Accept: text/plain",), body=SDP))[0] == "406"
    assert answer(request("INVITE", "xyz:96198", body=SDP))[0] == "416"
    assert answer(request("OPTIONS").replace(b" SIP/2.0\r\nVia", b" SIP/7.0\r\nVia"))[0] == "505"
    assert scene.receive(request("ACK", headers=("Require: 100rel",)), TRUNK) == []
    assert scene.told == []
    assert scene.stack.snapshot()["server_transactions"] == 0


def test_what_is_too_large_is_refused() -> None:
    """T17: a body above its cap 413, a message above its own 513; nobody is told and nothing is kept."""
    scene = Scene()
    large = request("INVITE", body=SDP + b"a=x:" + b"x" * SIP_BODY_MAX + b"\r\n")
    assert scene.receive(large, TRUNK)[0].word == "413"
    announced = request("OPTIONS", transport="TCP").replace(b"Length: 0", b"Length: 70000")
    assert scene.receive(announced, CONNECTION)[0].word == "513"
    assert scene.told == []
    assert scene.stack.snapshot()["server_transactions"] == 0


def test_an_unknown_to_tag_is_told_so_without_state() -> None:
    """T19, A-FLOOD3: 481 to every method, and nothing is kept."""
    scene = Scene()
    to = "<sip:96198@example.com>;tag=nobody"
    for method in ("BYE", "INVITE", "INFO", "OPTIONS", "UPDATE", "PRACK", "REFER", "NOTIFY", "SUBSCRIBE"):
        assert scene.receive(request(method, to=to), TRUNK)[0].word == "481"
    for method in ("MESSAGE", "PUBLISH"):
        assert scene.receive(request(method, to=to), TRUNK)[0].word == "405"
    assert scene.stack.snapshot()["server_transactions"] == 0


def test_a_storm_of_byes_from_a_stranger_is_limited() -> None:
    """P1: Phones that answer each 481 with a new BYE: a second's worth is answered, the rest is dropped."""
    scene = Scene(requests_per_source=100.0)
    to = "<sip:96198@example.com>;tag=nobody"
    for number in range(1_000):
        scene.receive(request("BYE", branch=f"z9hG4bK{number}", to=to), STRANGER)
    assert scene.words() == ["481"] * 100
    scene.advance(0.5)
    scene.receive(request("BYE", branch="z9hG4bKnew", to=to), STRANGER)
    assert scene.words() == ["481"] * 101
    assert scene.stack.snapshot()["server_transactions"] == 0


def test_answers_go_to_the_source() -> None:
    """T29: with rport to the source's port, received and rport filled in; without to the Via's port."""
    scene = Scene()
    source = Flow("udp", 0, "198.51.100.3", 61000)
    with_rport = request("OPTIONS", via="192.168.1.5:5060;rport")
    answer = scene.receive(with_rport, source)[0]
    assert answer.flow == source
    assert answer.message.via.params["received"] == "198.51.100.3"
    assert answer.message.via.params["rport"] == "61000"
    victim = request("OPTIONS", via="203.0.113.99:5070;maddr=203.0.113.98", branch="z9hG4bKv", call_id="v")
    answer = scene.receive(victim, source)[0]
    assert answer.flow == Flow("udp", 0, "198.51.100.3", 5070)
    assert answer.message.via.params["received"] == "198.51.100.3"
    assert "rport" not in answer.message.via.params


def test_a_late_answer_finds_the_old_mapping() -> None:
    """T29: what is answered 5 s later goes to where the request came from, though the Via names a LAN."""
    scene = Scene()
    behind_nat = TRUNK._replace(port=61000)
    scene.receive(request("INVITE", via="192.168.1.5:5060;rport", body=SDP), behind_nat)
    session = scene.events(InviteArrived)[0].session
    scene.advance(5.0)
    scene.stack.ring(session, scene.now)
    scene.stack.reject(session, 486, scene.now)
    for word in ("180", "486"):
        assert scene.last(word).flow == behind_nat
        assert scene.last(word).message.via.params["rport"] == "61000"


def test_a_fork_that_answers_second_is_let_go() -> None:
    """T36: two 180 with tags, one 200; the second 200 draws ACK and BYE, once, whatever it repeats."""
    scene = Scene()
    session = invited(scene)
    invite = scene.last("INVITE")
    scene.receive(respond(invite, 180, tag="a"), TRUNK)
    scene.receive(respond(invite, 180, tag="b"), TRUNK)
    scene.receive(respond(invite, 200, tag="b", body=SDP), TRUNK)
    assert scene.words() == ["INVITE", "ACK"]
    late = respond(invite, 200, tag="a", contact="<sip:other@10.0.0.9:5095>", body=SDP)
    scene.receive(late, TRUNK)
    assert scene.words() == ["INVITE", "ACK", "ACK", "BYE"]
    bye = scene.last("BYE")
    assert bye.message.to_tag == "a"
    assert bye.flow == Flow("udp", 0, "10.0.0.9", 5095)
    assert bye.message.cseq == (2, "BYE")
    scene.receive(late, TRUNK)
    assert scene.words() == ["INVITE", "ACK", "ACK", "BYE", "ACK"]
    assert scene.sent[2].data == scene.sent[4].data
    assert len(scene.events(SessionAnswered)) == 1
    assert session.state.name == "CONFIRMED"
    assert all(a.at <= b.at for a, b in pairwise(scene.sent))


def test_a_request_inside_from_elsewhere_is_refused() -> None:
    """A-DLG: right Call-ID and tags from a foreign address: 481, nothing changes; the peer's own is taken."""
    scene = Scene()
    session, to = confirmed(scene)
    for method in ("BYE", "INVITE", "UPDATE", "INFO"):
        body = SDP if method == "INVITE" else b""
        forged = request(method, branch=f"z9hG4bK{method}", to=to, cseq=2, body=body)
        assert [sent.word for sent in scene.receive(forged, STRANGER)] == ["481"]
    assert scene.told == []
    assert session.state.name == "CONFIRMED"
    neighbour = Flow("udp", 0, "10.0.0.10", 5080)  # another host of the same trunk
    assert scene.receive(request("BYE", branch="z9hG4bKbye", to=to, cseq=3), neighbour)[0].word == "200"


def test_a_contact_or_a_proxy_on_the_route_may_send_inside() -> None:
    """A-DLG: the dialog's own hosts are its peer, whatever address the INVITE came from."""
    for contact, route, source in (
        ("<sip:caller@198.51.100.7>", "", "198.51.100.7"),
        ("<sip:caller@10.0.0.9>", "Record-Route: <sip:198.51.100.8;lr>", "198.51.100.8"),
    ):
        scene = Scene()
        headers = (route,) if route else ()
        scene.receive(request("INVITE", contact=contact, headers=headers, body=SDP), TRUNK)
        session = scene.events(InviteArrived)[-1].session
        scene.stack.answer(session, OURS, scene.now)
        to = f"<sip:96198@example.com>;tag={session.local_tag}"
        bye = request("BYE", branch="z9hG4bKbye", to=to, cseq=2)
        assert scene.receive(bye, Flow("udp", 0, source, 5060))[0].word == "200"


def test_a_storm_of_byes_from_one_of_ours_costs_nothing() -> None:
    """P1: A phone that answers each 481 with a new BYE, 2,000 of them: all are told 481, none leaves anything
    behind, and the operator hears of it once.
    """
    scene = Scene()
    to = "<sip:96198@example.com>;tag=nobody"
    for number in range(2_000):
        scene.receive(request("BYE", branch=f"z9hG4bK{number}", to=to, cseq=number + 1), TRUNK)
    assert scene.words() == ["481"] * 2_000
    assert [type(event).__name__ for event in scene.told] == ["StraysSeen"]
    assert scene.stack.snapshot()["server_transactions"] == 0
    assert scene.timers.armed() == []
