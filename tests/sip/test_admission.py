"""Who is it: the contract's order, and the attacks on it."""

import pytest

from sip import admission
from sip.digest import answer_challenge
from sip.events import DigestRefused, Identity, InviteArrived
from sip.flows import Flow
from sip.message import Response
from sip.settings import Secret
from tests.sip.scene import PHONE, SDP, STRANGER, TRUNK, Scene, request
from tests.sip.test_registrar import register


def invite(scene: Scene, flow: Flow, from_: str, *, branch: str = "z9hG4bKi", **more: object) -> str:
    data = request(
        "INVITE",
        from_=f"<{from_}>;tag=f{branch}",
        branch=branch,
        via=f"{flow.host}:{flow.port}",
        call_id=branch,
        body=SDP,
        **more,
    )
    answers = scene.receive(data, flow)
    return answers[0].word if answers else ""


def test_a_registered_flow_is_its_account() -> None:
    """No further challenge when From matches; another From is 403 (A-AUTH2)."""
    scene = Scene()
    register(scene)
    assert invite(scene, PHONE, "sip:8001@example.com") == "100"
    assert scene.events(InviteArrived)[0].identity == Identity("account", "8001", "demo")
    assert invite(scene, PHONE, "sip:8002@example.com", branch="z9hG4bKj") == "403"
    assert invite(scene, PHONE, "sip:8001@elsewhere.org", branch="z9hG4bKk") == "403"
    assert invite(scene, PHONE._replace(port=6000), "sip:8001@example.com", branch="z9hG4bKl") == "401"


def test_a_trunks_source_is_the_trunk() -> None:
    """Whatever it puts into From, unless that is one of our own addresses of record."""
    scene = Scene()
    assert invite(scene, TRUNK, "sip:138@anywhere.org") == "100"
    assert scene.events(InviteArrived)[0].identity == Identity("trunk", "carrier")
    assert invite(scene, TRUNK, "sip:8001@example.com", branch="z9hG4bKj") == "401"
    assert invite(scene, TRUNK, "sip:7777@example.com", branch="z9hG4bKk") == "100"
    assert invite(scene, TRUNK, "sip:8001@10.0.0.9", branch="z9hG4bKl") == "100"


def test_a_stranger_with_the_trunks_from_is_nobody() -> None:
    """A-AUTH4."""
    scene = Scene()
    assert invite(scene, STRANGER, "sip:138@anywhere.org") == "403"
    assert scene.events(InviteArrived) == []
    assert scene.stack.snapshot()["server_transactions"] == 0


def test_of_hosts_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers from everywhere cost an entry each, and the trunk is known again after them."""
    monkeypatch.setattr(admission, "_HOSTS_MAX", 10)
    scene = Scene()
    for number in range(50):
        source = STRANGER._replace(host=f"198.18.0.{number}")
        assert invite(scene, source, "sip:138@anywhere.org", branch=f"z9hG4bK{number}") == "403"
        assert 0 < len(scene.stack._admission._trunk_by_host) <= 10
    assert invite(scene, TRUNK, "sip:138@anywhere.org") == "100"


@pytest.mark.parametrize("host", ["example.com", "EXAMPLE.com:15060"])
def test_our_domains_are_challenged_whether_the_user_exists_or_not(host: str) -> None:
    """P4: A-SCAN2; a domain is matched by name, never by port."""
    scene = Scene()
    assert invite(scene, STRANGER, f"sip:8001@{host}") == "401"
    known = scene.sent[-1].message.header_lines
    assert invite(scene, STRANGER, f"sip:9999@{host}", branch="z9hG4bKj") == "401"
    unknown = scene.sent[-1].message.header_lines
    assert [name for name, _ in known] == [name for name, _ in unknown]


def test_an_account_may_call_without_registering() -> None:
    """The challenge answered, the caller is the account; wrong passwords are told to the operator."""
    scene = Scene()
    assert invite(scene, STRANGER, "sip:8001@example.com") == "401"
    challenge = scene.sent[-1].message
    assert isinstance(challenge, Response)
    values = challenge.headers("www-authenticate")

    def answered(user: str, password: str, branch: str, nc: int) -> str:
        uri = "sip:96198@example.com"
        value = answer_challenge(values, user, Secret(password), "INVITE", uri, SDP, "cn", nc)
        return invite(
            scene, STRANGER, "sip:8001@example.com", branch=branch, headers=(f"Authorization: {value}",)
        )

    assert answered("8001", "wrong", "z9hG4bKw", 1) == "401"
    assert scene.told == [DigestRefused("8001", "INVITE", STRANGER)]
    assert answered("8001", "one", "z9hG4bKr", 1) == "100"
    assert scene.events(InviteArrived)[0].identity == Identity("account", "8001", "demo")
    # A-AUTH1: the same counter again is a replay.
    assert answered("8001", "one", "z9hG4bKs", 1) == "401"
    assert b"stale=true" in scene.sent[-1].data
    # A-AUTH2: somebody else's right password does not make the From true.
    assert answered("8002", "two", "z9hG4bKt", 2) == "403"


def test_a_foreign_scheme_in_from_is_a_stranger() -> None:
    """RFC 3261 8.1.1.3 leaves From any scheme; it is no account."""
    scene = Scene()
    assert invite(scene, STRANGER, "tel:+8621555") == "403"
    assert invite(scene, TRUNK, "tel:+8621555", branch="z9hG4bKj") == "100"


def test_new_calls_are_refused_while_draining() -> None:
    """503 with Retry-After, after who is it."""
    scene = Scene()
    scene.stack.refuse_new = (503, 10)
    assert invite(scene, STRANGER, "sip:138@anywhere.org") == "403"
    assert invite(scene, TRUNK, "sip:138@anywhere.org", branch="z9hG4bKj") == "503"
    assert scene.sent[-1].message.header("retry-after") == "10"
