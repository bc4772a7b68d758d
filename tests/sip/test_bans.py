"""Bans: rows A-CRACK and A-SCAN2 of the checklist, and the bounds of the tables."""

import sys
from types import FrameType
from typing import Any

import pytest

from sip.bans import HOSTS_MAX, Bans
from sip.digest import answer_challenge
from sip.events import BindingsChanged, DigestRefused, InviteArrived, SourceBanned
from sip.flows import Flow
from sip.settings import Secret
from tests.sip.scene import PHONE, SDP, STRANGER, TRUNK, Scene, Sent, request
from tests.sip.test_registrar import register

OTHER = Flow("udp", 0, "198.51.100.7", 5060)


def ask(scene: Scene, flow: Flow, number: int, *, user: str = "8001", headers: tuple[str, ...] = ()) -> Sent:
    data = request(
        "REGISTER",
        "sip:example.com",
        branch=f"z9hG4bK{flow.host}{number}",
        via=f"{flow.host}:{flow.port}",
        from_=f"<sip:{user}@example.com>;tag=reg",
        to=f"<sip:{user}@example.com>",
        call_id=f"{flow.host}{number}",
        contact=f"<sip:{user}@{flow.host}:{flow.port}>",
        headers=("Expires: 600", *headers),
    )
    return scene.receive(data, flow)[-1]


def guess(scene: Scene, flow: Flow, number: int, password: str, *, user: str = "8001") -> str:
    """Ask, and answer the challenge with a password; return the status."""
    challenge = ask(scene, flow, number, user=user)
    if challenge.word != "401":
        return challenge.word
    values = challenge.message.headers("www-authenticate")
    value = answer_challenge(values, user, Secret(password), "REGISTER", "sip:example.com", b"", "cn")
    return ask(scene, flow, number + 100_000, user=user, headers=(f"Authorization: {value}",)).word


def test_a_crack_ends_after_ten_guesses_in_a_minute() -> None:
    """A-CRACK: ten wrong passwords ban the host; the right one is refused too, until the ban is over."""
    scene = Scene()
    for number in range(10):
        assert guess(scene, STRANGER, number, f"guess{number}") == "401"
        scene.advance(5.0)
    assert [event.user for event in scene.events(DigestRefused)] == ["8001"] * 10
    assert {event.flow.host for event in scene.events(DigestRefused)} == {STRANGER.host}
    assert scene.events(SourceBanned) == [SourceBanned(STRANGER.host, 300.0)]
    assert guess(scene, STRANGER, 20, "one") == "403"
    assert guess(scene, STRANGER._replace(port=6000), 21, "one") == "403"
    assert scene.stack.snapshot()["banned"] == 1
    scene.advance(294.9)
    assert guess(scene, STRANGER, 22, "one") == "403"
    scene.advance(0.2)
    assert guess(scene, STRANGER, 23, "one") == "200"
    assert scene.stack.snapshot()["banned"] == 0


def test_nobody_else_feels_a_ban() -> None:
    """A-CRACK: another host's right password is taken, a trunk behind the same address still calls."""
    scene = Scene()
    for number in range(10):
        guess(scene, TRUNK, number, f"guess{number}")
    assert guess(scene, TRUNK, 20, "one") == "403"
    assert guess(scene, OTHER, 21, "one") == "200"
    scene.receive(request("INVITE", body=SDP), TRUNK)
    assert scene.events(InviteArrived)[0].identity.kind == "trunk"


def test_guesses_spread_over_time_are_slips() -> None:
    """Nine in a minute and one later: nobody is banned."""
    scene = Scene()
    for number in range(9):
        guess(scene, STRANGER, number, f"guess{number}")
    scene.advance(60.0)
    assert guess(scene, STRANGER, 10, "wrong") == "401"
    assert guess(scene, STRANGER, 11, "one") == "200"


def test_a_forged_source_bans_nobody() -> None:
    """A-CRACK: answers without a challenge sent to that host do not count, and do not tell a right password:
    with the nonce of another host, and with an invented one.
    """
    scene = Scene()
    register(scene)
    values = ask(scene, STRANGER, 0).message.headers("www-authenticate")
    invented = ['Digest realm="example.com", nonce="00112233445566778899", algorithm=MD5, qop="auth"']
    for number, password in enumerate(["wrong", "one"] * 20):
        for offset, challenge in ((1_000, values), (2_000, invented)):
            answer = answer_challenge(
                challenge, "8001", Secret(password), "REGISTER", "sip:example.com", b"", "cn", number + 1
            )
            forged = ask(scene, PHONE, offset + number, headers=(f"Authorization: {answer}",))
            assert (forged.word, b"stale=true" in forged.data) == ("401", True)
    assert scene.events(DigestRefused) == []
    assert scene.stack.snapshot()["banned"] == 0
    assert scene.stack.is_reachable("8001")
    assert register(scene, cseq=9).word == "200"


def test_who_is_registered_over_a_flow_stays_so() -> None:
    """A guesser behind the same NAT cannot lock a registered phone out."""
    scene = Scene()
    register(scene)
    for number in range(10):
        guess(scene, PHONE._replace(port=40_000), number, f"guess{number}")
    assert guess(scene, PHONE._replace(port=40_000), 20, "one") == "403"
    assert register(scene, cseq=9).word == "200"
    assert scene.events(BindingsChanged) == [BindingsChanged("8001", True)]


def test_a_repeated_datagram_is_one_guess() -> None:
    """An INVITE is refused without state, so each repetition of it is looked at again."""
    scene = Scene()
    first = request("INVITE", from_="<sip:8001@example.com>;tag=f", via="203.0.113.5", body=SDP)
    values = scene.receive(first, STRANGER)[0].message.headers("www-authenticate")
    value = answer_challenge(values, "8001", Secret("typo"), "INVITE", "sip:96198@example.com", SDP, "cn")
    again = request(
        "INVITE",
        branch="z9hG4bKtwo",
        from_="<sip:8001@example.com>;tag=f",
        via="203.0.113.5",
        headers=(f"Authorization: {value}",),
        body=SDP,
    )
    for _ in range(30):
        assert scene.receive(again, STRANGER)[0].word == "401"
    assert scene.stack.snapshot()["banned"] == 0


def test_an_enumeration_learns_nothing_and_is_banned() -> None:
    """A-SCAN2: the same status and headers for 1000 to 1019 and for 8001; guessing for them bans."""
    scene = Scene()
    answers = [ask(scene, STRANGER, number, user=str(number)) for number in range(1000, 1020)]
    known = ask(scene, STRANGER, 1, user="8001")
    assert {answer.word for answer in answers} == {"401"} == {known.word}
    names = [name for name, _ in known.message.header_lines]
    assert all([name for name, _ in answer.message.header_lines] == names for answer in answers)
    assert scene.events(DigestRefused) == []
    statuses = [guess(scene, STRANGER, number, "x", user=str(number)) for number in range(2000, 2012)]
    assert statuses == ["401"] * 10 + ["403"] * 2
    assert [event.user for event in scene.events(DigestRefused)] == [str(n) for n in range(2000, 2010)]


@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
@pytest.mark.parametrize("guesses", [False, True])
def test_an_unknown_user_costs_the_same_work(method: str, guesses: bool) -> None:
    """A-SCAN2: the same lines of ours are walked for who exists and who does not, and the answers have the
    same status, header names and lengths; what is left is in benchmarks.bench_enumeration.
    """
    seen = [work(method, user, guesses) for user in ("8001", "8999")]
    assert seen[0] == seen[1]
    assert len(seen[0][0]) > 100


def work(method: str, user: str, guesses: bool) -> tuple[list[tuple[str, int]], str, list[tuple[str, int]]]:
    """Walk through one try; return the lines walked, the status, and header names with lengths of values."""
    scene = Scene()
    me = f"<sip:{user}@example.com>"

    def send(number: int, headers: tuple[str, ...] = ()) -> Sent:
        return scene.receive(
            request(
                method,
                "sip:example.com",
                branch=f"z9hG4bKx{number}",
                via="203.0.113.5",
                from_=f"{me};tag=x",
                to=me,
                call_id=f"x{number}",
                contact="<sip:x@203.0.113.5>",
                headers=headers,
            ),
            STRANGER,
        )[-1]

    send(1)
    headers: tuple[str, ...] = ()
    if guesses:
        values = send(2).message.headers("www-authenticate")
        value = answer_challenge(values, user, Secret("x"), method, "sip:example.com", b"", "cn")
        headers = (f"Authorization: {value}",)
    walked: list[tuple[str, int]] = []

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        if event == "line" and "/sip/" in name and "/tests/" not in name:
            walked.append((name.rpartition("/")[2], frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        answer = send(3, headers)
    finally:
        sys.settrace(before)
    lines = [(name, len(value)) for name, value in answer.message.header_lines]
    return walked, answer.word, lines


def test_scanners_get_no_answer() -> None:
    """A-SCAN1: by User-Agent, from strangers only."""
    scene = Scene(drop_agents=("friendly-scanner",))
    scan = request("OPTIONS", via="203.0.113.5", headers=("User-Agent: Friendly-Scanner 1.1",))
    assert scene.receive(scan, STRANGER) == []
    assert scene.receive(scan, TRUNK) != []
    polite = request("OPTIONS", branch="z9hG4bKp", call_id="p", headers=("User-Agent: a phone",))
    assert scene.receive(polite, STRANGER)[0].word == "200"


def test_a_ban_is_lifted() -> None:
    scene = Scene()
    for number in range(10):
        guess(scene, STRANGER, number, f"guess{number}")
    assert scene.stack.banned(scene.now) == [(STRANGER.host, 300.0)]
    assert scene.stack.lift_ban(STRANGER.host, scene.now)
    assert not scene.stack.lift_ban(STRANGER.host, scene.now)
    assert guess(scene, STRANGER, 20, "one") == "200"


def test_bans_can_be_switched_off() -> None:
    bans = Bans(0, 60.0, 300.0)
    assert [bans.failed("a", str(number), 0.0) for number in range(100)] == [0.0] * 100


def test_the_tables_are_bounded() -> None:
    """Whoever comes from ever new hosts is forgotten first come, first gone; and takes no more memory."""
    bans = Bans(2, 60.0, 300.0)
    for number in range(HOSTS_MAX + 5):
        bans.failed(f"host{number}", "a", 0.0)
    assert bans.failed("host0", "b", 0.0) == 0.0
    assert bans.failed(f"host{HOSTS_MAX}", "b", 0.0) == 300.0
    for number in range(HOSTS_MAX + 5):
        bans.failed(f"bad{number}", "a", 1.0)
        bans.failed(f"bad{number}", "b", 1.0)
    assert len(bans.banned(2.0)) == HOSTS_MAX
    assert not bans.is_banned("bad0", 2.0)
    assert bans.is_banned("bad5", 2.0)
