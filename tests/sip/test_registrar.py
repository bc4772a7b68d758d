"""The registrar: row R01 of the checklist, reachability, and what comes back after a restart."""

from typing import Any

import pytest

from kernel.rows import BindingRow
from kernel.walltime import WallTime
from sip.digest import answer_challenge
from sip.events import BindingsChanged, DigestRefused
from sip.flows import Flow
from sip.settings import Secret
from tests.sip.scene import PHONE, STRANGER, Scene, Sent, request, respond


def register(
    scene: Scene,
    *,
    user: str = "8001",
    contacts: tuple[str, ...] = ("<sip:8001@192.0.2.7:5062>",),
    cseq: int = 1,
    call_id: str = "reg1",
    headers: tuple[str, ...] = ("Expires: 600",),
    flow: Flow = PHONE,
    account: str = "",
    password: str = "",
    domain: str = "example.com",
) -> Sent:
    """Send a REGISTER, answer the challenge, and return the last answer."""

    def send(number: int, extra: tuple[str, ...]) -> Sent:
        lines = (*headers, *extra, *(f"Contact: {contact}" for contact in contacts))
        data = request(
            "REGISTER",
            f"sip:{domain}",
            branch=f"z9hG4bK{call_id}{number}{flow.port}{len(scene.sent)}",
            via=f"{flow.host}:{flow.port}",
            transport=flow.transport.upper(),
            from_=f"<sip:{user}@{domain}>;tag=reg",
            to=f"<sip:{user}@{domain}>",
            call_id=call_id,
            cseq=number,
            contact="",
            headers=lines,
        )
        return scene.receive(data, flow)[-1]

    first = send(cseq, ())
    if first.word != "401":
        return first
    secret = Secret(password or {"8001": "one", "8002": "two"}.get(account or user, "?"))
    values = first.message.headers("www-authenticate")
    uri = f"sip:{domain}"
    answer = answer_challenge(values, account or user, secret, "REGISTER", uri, b"", "cn", 1)
    return send(cseq + 1, (f"Authorization: {answer}",))


def bound(answer: Sent) -> list[tuple[str, str]]:
    """Return the contacts of an answer with their expiry."""
    return [(contact.uri, contact.params["expires"]) for contact in answer.message.contacts]


def test_a_phone_registers_with_digest() -> None:
    """R01, RFC 3665 2.1: 401 with SHA-256 and MD5 (RFC 8760 order), then 200 with the binding, its expiry."""
    scene = Scene()
    answer = register(scene)
    assert scene.words() == ["401", "200"]
    offered = scene.sent[0].message.headers("www-authenticate")
    assert ["SHA-256" in value for value in offered] == [True, False]
    assert ["MD5" in value for value in offered] == [False, True]
    assert bound(answer) == [("sip:8001@192.0.2.7:5062", "600")]
    assert scene.told == [BindingsChanged("8001", True)]
    binding = scene.stack.contacts("8001")[0]
    assert (binding.uri, binding.flow, binding.reachable) == ("sip:8001@192.0.2.7:5062", PHONE, True)
    assert scene.stack.is_reachable("8001")
    scene.advance(599.9)
    assert scene.stack.is_reachable("8001")
    scene.advance(0.2)
    assert not scene.stack.contacts("8001")
    assert scene.told == [BindingsChanged("8001", True), BindingsChanged("8001", False)]


def test_contacts_are_updated_queried_and_removed() -> None:
    """R01: RFC 3665 2.2 to 2.4: the answer lists all; Expires 0 and ``*`` remove."""
    scene = Scene()
    register(scene)
    second = register(scene, contacts=("<sip:8001@192.0.2.7:5070>;expires=120;q=0.5",), cseq=3)
    assert bound(second) == [("sip:8001@192.0.2.7:5062", "600"), ("sip:8001@192.0.2.7:5070", "120")]
    assert [contact.q for contact in scene.stack.contacts("8001")] == [1.0, 0.5]
    scene.advance(50)
    query = register(scene, contacts=(), headers=(), cseq=5)
    assert bound(query) == [("sip:8001@192.0.2.7:5062", "550"), ("sip:8001@192.0.2.7:5070", "70")]
    one = register(scene, contacts=("<sip:8001@192.0.2.7:5062>;expires=0",), cseq=7)
    assert bound(one) == [("sip:8001@192.0.2.7:5070", "70")]
    assert register(scene, contacts=("*",), headers=("Expires: 10",), cseq=9).word == "400"
    assert register(scene, contacts=("*",), headers=(), cseq=11).word == "400"
    assert register(scene, contacts=("*", "<sip:a@b>"), headers=("Expires: 0",), cseq=13).word == "400"
    assert bound(register(scene, contacts=("*",), headers=("Expires: 0",), cseq=15)) == []
    assert scene.told[-1] == BindingsChanged("8001", False)


def test_a_wrong_password_and_an_unknown_user_look_the_same() -> None:
    """R06: RFC 3665 2.5, A-SCAN2: 401 again with the same headers; the operator is told."""
    scene = Scene()
    known = register(scene, password="wrong")
    unknown = register(scene, user="9999", password="wrong", call_id="reg2")
    assert known.word == unknown.word == "401"
    assert [name for name, _ in known.message.header_lines] == [
        name for name, _ in unknown.message.header_lines
    ]
    assert scene.told == [
        DigestRefused("8001", "REGISTER", PHONE),
        DigestRefused("9999", "REGISTER", PHONE),
    ]


def test_nobody_registers_for_somebody_else() -> None:
    """A-AUTH3: REGISTER of 8001 with the credentials of 8002 is 403; a foreign domain is 404, after 401."""
    scene = Scene()
    assert register(scene, account="8002").word == "403"
    assert not scene.stack.contacts("8001")
    assert register(scene, domain="elsewhere.org", call_id="r3").word == "404"
    assert "401" in scene.words()


def test_a_brief_interval_is_refused_and_a_long_one_cut() -> None:
    """R01: 423 with Min-Expires; above the maximum the maximum is granted."""
    scene = Scene()
    brief = register(scene, headers=("Expires: 30",))
    assert (brief.word, brief.message.header("min-expires")) == ("423", "60")
    long = register(scene, headers=("Expires: 100000",), cseq=3)
    assert bound(long)[0][1] == "7200"
    default = register(scene, headers=(), cseq=5)
    assert bound(default)[0][1] == "3600"


def test_too_many_contacts() -> None:
    """R01: beyond the cap 403, and nothing of the request is carried out."""
    scene = Scene(registrations_per_user=2)
    contacts = tuple(f"<sip:8001@192.0.2.7:{port}>" for port in (6001, 6002, 6003))
    assert register(scene, contacts=contacts).word == "403"
    assert scene.stack.contacts("8001") == []
    assert register(scene, contacts=contacts[:2], cseq=3).word == "200"


def test_uris_are_compared_by_their_rules() -> None:
    """R01: RFC 3261 19.1.4: the host's case does not matter, the user's does."""
    scene = Scene()
    register(scene, contacts=("<sip:bob@Host.example.COM>",))
    same = register(scene, contacts=("<sip:bob@host.EXAMPLE.com>",), cseq=3)
    assert len(bound(same)) == 1
    other = register(scene, contacts=("<sip:BOB@host.example.com>",), cseq=5)
    assert len(bound(other)) == 2


def test_an_old_request_is_not_carried_out() -> None:
    """R01: RFC 3261 10.3 step 7: same Call-ID and a CSeq that is not higher."""
    scene = Scene()
    register(scene, cseq=10)
    assert register(scene, cseq=4, contacts=("<sip:8001@192.0.2.7:5062>;expires=0",)).word == "500"
    assert scene.stack.is_reachable("8001")


def test_the_same_instance_replaces_its_binding() -> None:
    """R01: RFC 5626 6: +sip.instance and reg-id name the binding; the port may change."""
    scene = Scene()
    instance = ';+sip.instance="<urn:uuid:1>";reg-id=1'
    register(scene, contacts=(f"<sip:8001@192.0.2.7:5062>{instance}",))
    moved = Flow("udp", 0, "192.0.2.7", 5099)
    answer = register(scene, contacts=(f"<sip:8001@192.0.2.7:5099>{instance}",), call_id="reg2", flow=moved)
    assert bound(answer) == [("sip:8001@192.0.2.7:5099", "600")]
    assert answer.message.contacts[0].params["+sip.instance"] == '"<urn:uuid:1>"'
    assert scene.stack.contacts("8001")[0].flow == moved
    rows = scene.stack.rows.take()
    assert [(row.contact, row.expires_at > 0) for row in rows] == [
        ("sip:8001@192.0.2.7:5062", True),
        ("sip:8001@192.0.2.7:5062", False),
        ("sip:8001@192.0.2.7:5099", True),
    ]


@pytest.mark.parametrize("instance", ["", ';+sip.instance="<urn:uuid:1>"'])
def test_a_dying_process_does_not_remove_the_new_one(instance: str) -> None:
    """P6: Two processes, one AOR: the old one's un-REGISTER is answered and has no effect."""
    scene = Scene()
    old, new = Flow("udp", 0, "192.0.2.7", 5062), Flow("udp", 0, "192.0.2.7", 5099)
    contact = "<sip:8001@192.0.2.7>" if not instance else f"<sip:8001@192.0.2.7:5099>{instance}"
    before = "<sip:8001@192.0.2.7>" if not instance else f"<sip:8001@192.0.2.7:5062>{instance}"
    register(scene, contacts=(before,), flow=old, call_id="old")
    register(scene, contacts=(contact,), flow=new, call_id="new")
    answer = register(scene, contacts=(f"{before};expires=0",), flow=old, call_id="old", cseq=3)
    assert answer.word == "200"
    assert len(bound(answer)) == 1
    assert scene.stack.contacts("8001")[0].flow == new


def test_path_is_kept_and_echoed() -> None:
    """R02, RFC 3327: stored as the route to the contact."""
    scene = Scene()
    answer = register(scene, headers=("Expires: 600", "Path: <sip:10.0.0.50;lr>", "Supported: path"))
    assert answer.message.header("path") == "<sip:10.0.0.50;lr>"
    assert scene.stack.contacts("8001")[0].path == ("<sip:10.0.0.50;lr>",)


def test_a_closed_connection_makes_its_bindings_unreachable() -> None:
    """RFC 5626: the binding stays, the way to it is gone until the phone registers again."""
    scene = Scene()
    flow = Flow("tcp", 1, "192.0.2.7", 40000, 3)
    register(scene, flow=flow)
    assert scene.stack.is_reachable("8001")
    scene.stack.flow_closed(flow, scene.now)
    assert not scene.stack.is_reachable("8001")
    assert scene.events(BindingsChanged)[-1] == BindingsChanged("8001", False)
    register(scene, flow=flow._replace(connection=4, port=40001), call_id="reg9")
    assert scene.stack.is_reachable("8001")
    assert len(scene.stack.contacts("8001")) == 1


def test_a_phone_that_leaves_two_options_unanswered_is_unreachable() -> None:
    """Hysteresis: two misses in a row, one answer."""
    scene = Scene(options_probe_every=30.0)
    register(scene)
    scene.clear()
    scene.advance(34)
    probe = scene.last("OPTIONS")
    assert (probe.flow, probe.message.uri) == (PHONE, "sip:8001@192.0.2.7:5062")
    scene.receive(respond(probe, 405), PHONE)
    scene.advance(60)
    assert scene.stack.is_reachable("8001")
    scene.advance(40)
    assert scene.told == [BindingsChanged("8001", False)]
    scene.receive(respond(scene.last("OPTIONS"), 200), PHONE)
    assert scene.told == [BindingsChanged("8001", False), BindingsChanged("8001", True)]
    assert scene.stack.is_quiet()


def test_bindings_come_back_after_a_restart() -> None:
    """Rows carry wall time; a connection did not survive, a binding that has expired neither."""
    scene = Scene()
    register(scene)
    row = scene.stack.rows.take()[-1]
    assert (row.user, row.contact, row.flow) == ("8001", "sip:8001@192.0.2.7:5062", "udp/0/192.0.2.7/5062/0")
    assert row.expires_at == pytest.approx(1_000_600.0)
    later = Scene()
    walltime = WallTime(1_000_500.0)
    later.stack.restore_binding(row, later.now, walltime)

    def changed(**fields: Any) -> BindingRow:
        kept = {name: getattr(row, name) for name in row.__struct_fields__}
        return BindingRow(**(kept | fields))

    later.stack.restore_binding(changed(user="8002", flow="tcp/1/192.0.2.7/4000/9"), later.now, walltime)
    later.stack.restore_binding(changed(contact="sip:x@192.0.2.8", expires_at=5.0), later.now, walltime)
    later.stack.restore_binding(changed(user="gone"), later.now, walltime)
    assert later.events(BindingsChanged) == [BindingsChanged("8001", True)]
    assert len(later.stack.contacts("8002")) == 1
    assert len(later.stack.contacts("8001")) == 1
    later.advance(101)
    assert later.stack.contacts("8001") == []


def test_accounts_that_are_gone_lose_their_bindings() -> None:
    scene = Scene()
    register(scene)
    from tests.sip.scene import settings

    scene.stack.reconfigure(settings(accounts={}), scene.now)
    assert scene.events(BindingsChanged)[-1] == BindingsChanged("8001", False)
    assert register(scene, call_id="again", flow=STRANGER).word == "401"


KEEPS = ("Expires: 600", "Supported: path, outbound")
INSTANCE = '<sip:8001@192.0.2.7:5062;transport=tcp;ob>;reg-id=1;+sip.instance="<urn:uuid:1>"'


def test_a_phone_that_keeps_its_connection_is_told_how_often() -> None:
    """R04, RFC 5626 6: Require: outbound and Flow-Timer on a stream; over UDP nobody answers STUN."""
    scene = Scene()
    stream = Flow("tcp", 1, "192.0.2.7", 40000, 3)
    told = register(scene, contacts=(INSTANCE,), headers=KEEPS, flow=stream).message
    assert (told.header("require"), told.header("flow-timer")) == ("outbound", "120")
    assert told.contacts[0].params["reg-id"] == "1"
    plain = register(scene, contacts=(INSTANCE,), cseq=5, flow=stream).message
    assert plain.header("flow-timer") is None
    over_udp = register(scene, contacts=(INSTANCE,), headers=KEEPS, cseq=9).message
    assert (over_udp.header("require"), len(over_udp.contacts)) == (None, 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [((), "439"), (("Path: <sip:192.0.2.99;lr>",), "439"), (("Path: <sip:a;lr;ob>",), "200")],
)
def test_a_first_hop_without_outbound(path: tuple[str, ...], status: str) -> None:
    """R04, RFC 5626 6: through a proxy that does not keep flows it is 439, and nothing is bound."""
    scene = Scene()
    via = "Via: SIP/2.0/UDP 192.0.2.50:5060;branch=z9hG4bKbelow"
    answer = register(scene, contacts=(INSTANCE,), headers=(*KEEPS, via, *path))
    assert answer.word == status
    assert scene.stack.snapshot()["bindings"] == (1 if status == "200" else 0)
