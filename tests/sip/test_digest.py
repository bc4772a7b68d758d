"""Digest (RFC 8760, RFC 7616); checklist row R06, attacks A-AUTH1 and A-LEAK."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.digest import (
    Credentials,
    Nonces,
    answer_challenge,
    challenges,
    check_answer,
    parse_challenge,
    parse_credentials,
)
from sip.grammar import SipError
from sip.settings import Secret

SECRET = Secret(password="Circle of Life")
RFC7616 = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{response}", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
EXAMPLES = {  # RFC 7616 3.9.1
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}


def credentials(value: str) -> Credentials:
    found = parse_credentials(value)
    assert found is not None
    return found


def answer(
    values: list[str], *, method: str = "REGISTER", body: bytes = b"", nc: int = 1, realm: str = ""
) -> str:
    return answer_challenge(values, "8001", SECRET, method, "sip:h", body, "0a4f113b", nc, realm=realm)


@pytest.mark.parametrize("algorithm", EXAMPLES)
def test_examples_of_the_rfc(algorithm: str) -> None:
    """R06: RFC 7616 3.9.1."""
    theirs = credentials(RFC7616.format(algorithm=algorithm, response=EXAMPLES[algorithm]))
    assert (theirs.user, theirs.uri, theirs.nc) == ("Mufasa", "/dir/index.html", 1)
    assert check_answer(theirs, SECRET, "GET", b"")
    assert not check_answer(theirs, Secret(password="circle of life"), "GET", b"")
    assert not check_answer(theirs, SECRET, "POST", b"")


def test_example_of_rfc_2617_without_qop() -> None:
    """RFC 2069's form, as old phones still send it; hashed secrets do as well as passwords."""
    header = (
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", response="670fd8c2df070c60b045671b8b24ff02"'
    )
    assert check_answer(credentials(header), Secret(password="Circle Of Life"), "GET", b"")
    hashed = Secret(ha1={"MD5": "939e7578ed9e3c518a452acee763bce9"})
    assert check_answer(credentials(header), hashed, "GET", b"")
    assert not check_answer(credentials(header), Secret(ha1={"SHA-256": "0" * 64}), "GET", b"")


def test_our_challenges_strongest_first() -> None:
    """R06: RFC 8760 2.4: one header per algorithm, in our order."""
    assert challenges("switch.example", "abc", stale=True) == [
        'Digest realm="switch.example", nonce="abc", algorithm=SHA-256, qop="auth", stale=true',
        'Digest realm="switch.example", nonce="abc", algorithm=MD5, qop="auth", stale=true',
    ]
    challenge = parse_challenge(challenges('a"b', "abc")[0])
    assert challenge is not None
    assert (challenge.realm, challenge.algorithm, challenge.is_stale) == ('a"b', "SHA-256", False)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20), st.binary(max_size=20)
)
def test_what_we_answer_is_what_we_accept(realm: str, body: bytes) -> None:
    header = answer(challenges(realm, "n1"), body=body)
    assert "algorithm=SHA-256" in header
    assert check_answer(credentials(header), SECRET, "REGISTER", body, realm=realm)
    assert not check_answer(credentials(header), SECRET, "INVITE", body)
    assert not check_answer(credentials(header), None, "REGISTER", body)
    assert not check_answer(credentials(header), SECRET, "REGISTER", body, realm=realm + "x")


def test_body_counts_with_auth_int() -> None:
    """R06."""
    header = answer(['Digest realm="r", nonce="n", qop="auth-int", opaque="o", algorithm=MD5'], body=b"v=0")
    assert 'opaque="o"' in header
    assert check_answer(credentials(header), SECRET, "REGISTER", b"v=0")
    assert not check_answer(credentials(header), SECRET, "REGISTER", b"v=1")


def test_first_challenge_we_can_is_answered() -> None:
    values = [
        'Basic realm="r"',
        'Digest realm="r", nonce="n", algorithm=SHA3',
        "Digest ,,",
        *challenges("r", "n"),
    ]
    assert credentials(answer(values)).algorithm == "SHA-256"
    assert answer(values[:3]) == ""
    assert answer(['Digest realm="r", qop="auth"']) == ""
    assert answer(['Digest realm="r", nonce="n", qop="new"']) == ""
    old = credentials(answer(['Digest realm="r", nonce="n"']))
    assert (old.params.get("qop"), old.nc, "algorithm" in old.params) == (None, 0, False)


def test_a_foreign_realm_gets_no_password() -> None:
    """A-LEAK."""
    assert answer(challenges("elsewhere", "n"), realm="trunk.example") == ""
    assert answer(challenges("trunk.example", "n"), realm="trunk.example")


def test_secret_without_the_hash_for_an_algorithm_cannot_answer_it() -> None:
    secret = Secret(ha1={"MD5": "939e7578ed9e3c518a452acee763bce9"})
    header = answer_challenge(
        challenges("testrealm@host.com", "n"), "Mufasa", secret, "BYE", "sip:h", b"", "c", 2
    )
    assert (credentials(header).algorithm, credentials(header).nc) == ("MD5", 2)


def test_foreign_schemes_are_as_if_not_there() -> None:
    """RFC 4475 3.3.7."""
    assert parse_credentials("NoOneKnowsThisScheme opaque-data=here") is None
    assert parse_challenge("Basic realm=x") is None


@pytest.mark.parametrize(
    "value", ["Digest", "Digest ,", 'Digest a="', "Digest a=1, a=2", 'Digest a="x" b="y", c']
)
def test_broken_credentials_are_refused(value: str) -> None:
    with pytest.raises(SipError, match="400"):
        parse_credentials(value)


def test_credentials_without_what_counts_prove_nothing() -> None:
    for value in (
        'Digest username="8001"',
        'Digest response="", nonce=n',
        "Digest algorithm=SHA3, response=x",
    ):
        assert not check_answer(credentials(value), SECRET, "REGISTER", b"")


@pytest.mark.parametrize("nc", ["", "x", "-1", "0x1", "1_0", "123456789"])
def test_counter_that_is_no_counter_is_zero(nc: str) -> None:
    assert credentials(f'Digest username="a", nc={nc}').nc == 0


@given(st.text(max_size=80))
def test_any_text_is_a_sip_error_or_proves_nothing(text: str) -> None:
    for value in (text, "Digest " + text, 'Digest username="a",' + text):
        try:
            found = parse_credentials(value)
        except SipError:
            continue
        if found is not None:
            assert not check_answer(found, SECRET, "REGISTER", b"")
            assert 0 <= found.nc < 2**32
            assert isinstance(found.user + found.realm, str)


def test_nonce_is_good_for_one_host_and_a_while() -> None:
    """R06, A-AUTH1: bound to source and time."""
    nonces = Nonces("key", life=300)
    nonce = nonces.make("192.0.2.1", 1000)
    assert nonces.is_fresh(nonce, "192.0.2.1", 1000)
    assert nonces.is_fresh(nonce, "192.0.2.1", 1300)
    assert not nonces.is_fresh(nonce, "192.0.2.1", 1300.1)
    assert not nonces.is_fresh(nonce, "192.0.2.2", 1000)
    assert not Nonces("other", life=300).is_fresh(nonce, "192.0.2.1", 1000)
    forged = "000000ffffff" + nonce[12:]
    for wrong in ("", "x", "é" * 30, nonce[:-1], nonce + "0", forged, nonce.upper()):
        assert not nonces.is_fresh(wrong, "192.0.2.1", 1000)
    assert nonces.make("192.0.2.1", 1000) != nonce


def test_counter_only_rises() -> None:
    """R06: nc strictly rising, replay refused; without qop a nonce is good once."""
    nonces = Nonces("key", life=300)
    one, two = nonces.make("h", 0), nonces.make("h", 0)
    assert [nonces.spend(one, nc, 1) for nc in (1, 1, 3, 2, 4)] == [True, False, True, False, True]
    assert [nonces.spend(two, 0, 1) for _ in range(2)] == [True, False]


def test_what_is_forgotten_is_not_believed_again() -> None:
    """R06: The table of counters is bounded, and neither age nor a flood lets a replay through."""
    nonces = Nonces("key", life=300)
    old = nonces.make("h", 0)
    assert nonces.spend(old, 1, 0)
    for number in range(20_001):
        nonces.spend(nonces.make("h", 1 + number / 1000), 1, 1 + number / 1000)
    assert len(nonces._used) == 20_000
    assert not nonces.is_fresh(old, "h", 22)
    young = nonces.make("h", 22)
    assert nonces.is_fresh(young, "h", 22)
    nonces.spend(young, 1, 1000)
    assert len(nonces._used) == 0
    assert not nonces.is_fresh(young, "h", 1000)


def test_a_nonce_that_is_used_late_makes_no_older_one_good() -> None:
    """R06: They are forgotten in the order of their first use; what was made before any is not believed."""
    nonces = Nonces("key", life=300)
    early, middle, late = (nonces.make("h", at) for at in (10, 15, 20))
    for nonce in (late, early):
        assert nonces.spend(nonce, 1, 30)
    newest = nonces.make("h", 320)
    nonces.spend(newest, 1, 320)
    assert len(nonces._used) == 3  # 300 s old to the moment, and still good
    nonces.life = 100
    nonces.spend(newest, 2, 320)
    nonces.life = 1_000
    assert not any(nonces.is_fresh(nonce, "h", 320) for nonce in (early, middle, late))
    assert nonces.is_fresh(newest, "h", 320)
