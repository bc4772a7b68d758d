"""Attacks of the checklist on who somebody is, on what a call costs, and on what is written down, at a real
switch: identities, leaked passwords, toll fraud, injection. Good calls go on meanwhile.
"""

import re
from collections.abc import Iterator
from itertools import product

import pytest

from benchmarks.soak_sip import errors_of
from sip.message import Request, Response
from tests.ports import free_port
from tests.wire.party import SDP, TRUNK, Calm, Party
from tests.wire.switch import CONFIG, Switch, wait_until

pytestmark = pytest.mark.wire

PASSWORD, CARRIERS = "S3samePhone", "C4rrierSecret"  # of phones; of us at the carrier
CARRIER = free_port()
REALM = "carrier.example"
EVIL = "+8821300000001"  # Global networks, at several dollars a minute
RIGHTS = """
[[route]]
trunks = ["carrier"]
[[seat]]
number = "8101"
tenant = "demo"
password = "S3samePhone"
level = "junior"
queues = ["senior-or-junior"]
call_right = "national"
[[seat]]
number = "8102"
tenant = "demo"
password = "S3samePhone"
level = "junior"
queues = ["senior-or-junior"]
call_right = "internal"
[[queue]]
name = "senior-or-junior"
tenant = "demo"
requires = {{level = "junior"}}
"""


def configuration() -> str:
    """A carrier that we call with a password, and seats that may not call everywhere."""
    config = CONFIG.replace('password = "demo"', f'password = "{PASSWORD}"')
    auth = f'auth = {{{{user = "us", password = "{CARRIERS}", realm = "{REALM}"}}}}'
    trunk = f'accept = ["{TRUNK}/32"]\ncontact = "sip:{TRUNK}:{CARRIER}"\n{auth}\ncountry = "CN"'
    return config.replace('accept = ["127.0.0.0/8"]', trunk) + RIGHTS + '[switch]\ncountry = "CN"\n'


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with Switch(tmp_path_factory.mktemp("abuse"), config=configuration()) as one:
        yield one
        assert one.rpc().call("admin.status")["shell"]["bugs"] == {}
        assert errors_of(one.log_path) == []
        written = one.log_path.read_bytes() + b"".join(it.read_bytes() for it in one.folder.glob("journal/*"))
        assert written
        for secret in (PASSWORD, CARRIERS, "uthorization", "response="):
            assert secret.encode() not in written, f"{secret} is written down"


@pytest.fixture
def carrier(switch: Switch) -> Iterator[Party]:
    with Party(switch, TRUNK, CARRIER) as one:
        yield one


def requests_of(heard: list[Request | Response]) -> list[str]:
    return [each.method for each in heard if isinstance(each, Request)]


def head_of(message: Request | Response) -> str:
    return "\n".join(message.lines)


def is_authorized(message: Request | Response) -> bool:
    return "uthorization:" in head_of(message)


def test_an_answer_to_a_challenge_is_good_once_and_for_one_host(switch: Switch) -> None:
    """A-AUTH1: the same Authorization again is 401 with stale=true and another nonce, from its own host
    and from any other; who is registered stays so.
    """
    me = f"<sip:8001@{TRUNK}>"
    who = {"from_": f"{me};tag=r", "to": me, "call_id": "replayed"}
    with Calm(switch), Party(switch, "127.6.0.1") as phone, Party(switch, "127.6.0.2") as thief:
        uri = f"sip:{TRUNK}"
        contact = f"<sip:8001@{phone.via}>"
        asked = phone.ask("REGISTER", uri, contact=contact, **who)
        assert asked.status == 401
        said = phone.authorization(asked, "8001", PASSWORD, "REGISTER", uri)
        assert phone.ask("REGISTER", uri, contact=contact, cseq=2, headers=(said,), **who).status == 200
        for party in (phone, thief):
            contact = f"<sip:8001@{party.via}>"
            again = party.ask("REGISTER", uri, contact=contact, cseq=3, headers=(said,), **who)
            (challenge,) = again.headers("www-authenticate")
            assert again.status == 401
            assert "stale=true" in challenge
            assert challenge.split(",")[1] != asked.headers("www-authenticate")[0].split(",")[1]
        (binding,) = phone.ask_as("8001", PASSWORD, "REGISTER", uri, contact="").headers("contact")
        assert phone.via in binding


def test_a_right_password_is_good_for_its_own_number_only(switch: Switch, carrier: Party) -> None:
    """A-AUTH2, A-AUTH3: 8002 calls as 8001: 403. It registers 8001: 403. It asserts 110: what the carrier is
    sent, and the row, say 8002.
    """
    uri = f"sip:8001@{TRUNK}"
    with Calm(switch), Party(switch, "127.6.0.3") as phone:
        assert phone.register("8002", PASSWORD) == 200
        as_another = {"from_": f"<sip:8001@{TRUNK}>;tag=x", "body": SDP}
        assert phone.ask_as("8002", PASSWORD, "INVITE", uri, **as_another).status == 403
        me = f"<sip:8001@{TRUNK}>"
        of_another = {"from_": f"{me};tag=y", "to": me}
        assert phone.ask_as("8002", PASSWORD, "REGISTER", f"sip:{TRUNK}", **of_another).status == 403
        outside = f"sip:13800000001@{TRUNK}"
        branch = phone.send(
            "INVITE",
            outside,
            from_=f"<sip:8002@{TRUNK}>;tag=z",
            call_id="asserts-110",
            headers=(f"P-Asserted-Identity: <sip:110@{TRUNK}>", f"P-Preferred-Identity: <sip:110@{TRUNK}>"),
            body=SDP,
        )
        asked = carrier.hear("INVITE")
        assert "110@" not in head_of(asked)
        carrier.answer(asked, 486)
        assert phone.final(branch, "INVITE", outside).status == 486
    rows = lambda: [row for row in switch.rows("calls") if row["called"] == "13800000001"]  # noqa: E731
    (row,) = wait_until("the row", rows)
    assert row["caller"] == "8002"


def test_a_strangers_call_in_the_name_of_the_trunk_is_refused(switch: Switch) -> None:
    """A-AUTH4: its From and its PAI, from an address that it is not accepted from."""
    asserted = f"P-Asserted-Identity: <sip:13800000000@{REALM}>"
    said = {"from_": f"<sip:13800000000@{REALM}>;tag=t", "headers": (asserted,)}
    with Calm(switch), Party(switch, "127.6.0.4") as stranger:
        for number in ("96198", "13800000002", "8001", "2001"):
            answer = stranger.ask("INVITE", f"sip:{number}@{TRUNK}", body=SDP, **said)
            assert answer.status in (401, 403), number
    assert {row["caller"] for row in switch.rows("calls")} <= {"+8613900000000", "8002", "13900000000"}


def test_whoever_challenges_us_gets_no_password(switch: Switch, carrier: Party) -> None:
    """A-LEAK: our INVITE and our BYE are challenged for another realm, by the carrier and by a phone:
    no Authorization leaves. Only the carrier's own realm gets one.
    """
    evil = 'Proxy-Authenticate: Digest realm="evil.example", nonce="n1", qop="auth"'
    own = f'WWW-Authenticate: Digest realm="{REALM}", nonce="n2", qop="auth"'
    number = f"sip:13800000003@{TRUNK}"
    with Calm(switch), Party(switch, "127.6.0.5") as phone:
        assert phone.register("8003", PASSWORD) == 200
        me = {"from_": f"<sip:8003@{TRUNK}>;tag=leak", "body": SDP}
        # For another realm the call fails, and nothing is tried again.
        branch = phone.send("INVITE", number, call_id="leak1", **me)
        carrier.answer(carrier.hear("INVITE"), 407, headers=(evil,))
        assert phone.final(branch, "INVITE", number).status == 480
        # For its own realm it is authorized; then everything else of the call is challenged for another.
        branch = phone.send("INVITE", number, call_id="leak2", **me)
        while "\nAuthorization: " not in head_of(asked := carrier.hear("INVITE")):
            carrier.answer(asked, 401, headers=(own,))
        assert CARRIERS not in head_of(asked)
        carrier.answer(asked, 200, body=SDP)
        answer = phone.final(branch, "INVITE", number)
        phone.acknowledge(answer, number)
        before = len(carrier.heard)
        inside = {"call_id": "leak2", "from_": me["from_"], "to": answer.header("to")}
        assert phone.ask("BYE", number, cseq=2, **inside).status == 200
        carrier.answer(carrier.hear("BYE"), 407, headers=(evil,))
        rest = carrier.heard[before:] + carrier.listen(1.0)
        assert set(requests_of(rest)) == {"ACK", "BYE"}
        assert not any(is_authorized(each) for each in rest)
        # A phone that is called is nobody's carrier, whatever realm it names.
        with Party(switch, "127.6.0.6") as called, Party(switch, TRUNK) as caller:
            assert called.register("2001", PASSWORD) == 200
            branch = caller.send("INVITE", f"sip:96200@{TRUNK}", call_id="leak3", body=SDP)
            called.answer(called.hear("INVITE"), 401, headers=(own,))
            assert caller.final(branch, "INVITE", f"sip:96200@{TRUNK}").status >= 400
            called.listen(0.5)
            assert not any(is_authorized(each) for each in called.heard)


SPELLINGS = (
    *("+8821300000001", "008821300000001", "0086008821300000001", "+86008821300000001", "00+8821300000001"),
    *("8821300000001", "%2B8821300000001", "%30%308821300000001", "+882-130-0000-001", "00.882.1300000001"),
    *("+882(130)0000001", "008821300000001%23", "*67008821300000001", "9008821300000001", "+1900555000001"),
    *("008821300000001,,1", "008821300000001;ext=1", "+8821300000001;phone-context=+86"),
    "0088213\u066000001",
)
DIALLED_IN_VAIN = re.compile("BAD_NUMBER|CALL_RIGHT|-32602")
FORMS = ("sip:{0}@{1}", "sip:{0}@{1};user=phone", "tel:{0}", "sip:{0}@{2}", "sip:{0}@{1};transport=udp;lr")


@pytest.mark.parametrize(("seat", "right"), [("8101", "national"), ("8102", "internal")])
def test_no_spelling_of_a_dear_number_gets_past_the_right_to_call(
    switch: Switch, carrier: Party, seat: str, right: str
) -> None:
    """A-TOLL: premium and international numbers, spelled in nineteen ways and written as five kinds of URI:
    refused with 4xx, and not one request leaves. Its desk may not dial them either, nor transfer to them.
    """
    with Calm(switch), Party(switch, f"127.6.1.{int(seat) - 8100}") as phone:
        assert phone.register(seat, PASSWORD) == 200
        for number, form in product(SPELLINGS, FORMS):
            uri = form.format(number, TRUNK, f"{TRUNK}:{CARRIER}")
            answer = phone.ask("INVITE", uri, from_=f"<sip:{seat}@{TRUNK}>;tag=toll", body=SDP)
            assert 400 <= answer.status < 500, (uri, answer.status)
        desk = switch.rpc()
        desk.call("session.login", hotline="96198", seat=seat, password=PASSWORD)
        for number in SPELLINGS:
            for target in (number, f"number:{number}"):
                with pytest.raises(RuntimeError, match=DIALLED_IN_VAIN):
                    desk.call("call.dial", number=target)
        desk.call("session.logout")
        assert requests_of(carrier.listen(0.3)) == []


def test_nobody_is_sent_on_to_a_dear_number(switch: Switch, carrier: Party) -> None:
    """A-TOLL: by a 302 of a phone, by REFER in a call and outside of one, from a trunk through us (DISA): the
    carrier hears nothing, and each is refused.
    """
    dear = f"<sip:{EVIL}@{TRUNK}:{CARRIER}>"
    with Calm(switch), Party(switch, "127.6.1.9") as phone, Party(switch, TRUNK) as caller:
        assert phone.register("8101", PASSWORD) == 200
        # A caller of the trunk goes to no number outside, however it is written.
        for number in (*SPELLINGS, "13800000004"):
            assert caller.ask("INVITE", f"sip:{number}@{TRUNK}", body=SDP).status in (400, 403, 404), number
        # A phone that is called names it as its new address.
        inside = f"sip:8101@{TRUNK}"
        with Party(switch, "127.6.1.10") as colleague:
            assert colleague.register("8102", PASSWORD) == 200
            me = {"from_": f"<sip:8102@{TRUNK}>;tag=co", "call_id": "sent-on"}
            branch = colleague.send("INVITE", inside, body=SDP, **me)
            asked = phone.hear("INVITE")
            phone.answer(asked, 302, contact=dear)
            assert 400 <= colleague.final(branch, "INVITE", inside).status < 700
            # Outside of a call, and in one.
            refer = {"headers": (f"Refer-To: {dear}", f"Referred-By: <sip:8102@{TRUNK}>")}
            assert colleague.ask("REFER", inside, call_id="refer1", from_=me["from_"], **refer).status == 403
            branch = colleague.send("INVITE", inside, body=SDP, from_=me["from_"], call_id="refer2")
            asked = phone.hear("INVITE")
            phone.answer(asked, 200, body=SDP)
            answer = colleague.final(branch, "INVITE", inside)
            colleague.acknowledge(answer, inside)
            named = {"from_": me["from_"], "call_id": "refer2", "to": answer.header("to")}
            for number, target in enumerate((EVIL, "008821300000001", f"{EVIL}?Replaces=a%3Bto-tag%3Db"), 2):
                refer["headers"] = (f"Refer-To: <sip:{target}@{TRUNK}:{CARRIER}>",)
                status = colleague.ask("REFER", inside, cseq=number, **named, **refer).status
                assert 400 <= status < 700, target
            assert colleague.ask("BYE", inside, cseq=9, **named).status == 200
        assert requests_of(carrier.listen(0.3)) == []
