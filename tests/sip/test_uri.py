"""URIs (RFC 3261 19.1, RFC 3966)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.grammar import SipError
from sip.uri import SipUri, TelUri, escape_user, parse_host_port, parse_uri, same_uri, scheme_of, unescape


def test_all_parts() -> None:
    text = "sips:al%69ce;x=1:pw@Atlanta.Example.com:5061;transport=TCP;lr?Subject=a%20b&priority=urgent"
    uri = parse_uri(text)
    assert isinstance(uri, SipUri)
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        "sips",
        "alice;x=1",
        "pw",
        "atlanta.example.com",
        5061,
    )
    assert (uri.params, uri.transport) == ({"transport": "TCP", "lr": ""}, "tcp")
    assert uri.headers == {"subject": "a b", "priority": "urgent"}
    assert str(uri) == text.replace("Atlanta.Example", "atlanta.example")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "sip:@host",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@host",
        "sip:a@host:0",
        "sip:a@host:65536",
        "sip:a@host:5060x",
        "sip:a@host:",
        "sip:a@ho st",
        "sip:2001:db8::10",
        "sip:[2001:db8::10",
        "sip:[::1]x",
        "sip:[nonsense::]",
        "sip:[fe80::1%25eth0]",
        "sip:a@host;",
        "sip:a@host;lr;lr",
        "sip:é@host",
        "<sip:a@b>",
        "sip:a@host\r\nVia: x",
        "9sip:a",
        "tel:",
        "tel:abcxyz",
    ],
)
def test_broken_uri_is_refused(text: str) -> None:
    with pytest.raises(SipError, match="400"):
        parse_uri(text)


@pytest.mark.parametrize("text", ["http://example.com", "isbn:2983792873", "soap.beep://192.0.2.103:3002"])
def test_foreign_scheme_is_416(text: str) -> None:
    with pytest.raises(SipError, match="416"):
        parse_uri(text)


def test_host_and_port() -> None:
    assert parse_host_port("[2001:DB8::1]:5070") == ("[2001:db8::1]", 5070)
    assert parse_host_port("[2001:db8:::192.0.2.1]") == ("[2001:db8::192.0.2.1]", None)  # RFC 5118 4.10
    assert parse_host_port("Host_1.example.") == ("host_1.example.", None)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        ("sip:a%3bb@c", "sip:a%3Bb@c"),
    ],
)
def test_same(a: str, b: str) -> None:
    """The examples of RFC 3261 19.1.4, and more."""
    assert same_uri(parse_uri(a), parse_uri(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("sip:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com:6000;transport=tcp", "sip:bob@biloxi.com"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:%00@b", "sip:%00%00@b"),
        ("sip:a%3Bb@c", "sip:a;b@c"),
        ("tel:+1201", "sip:+1201@host"),
        ("tel:+1201", "tel:1201"),
    ],
)
def test_not_same(a: str, b: str) -> None:
    """The examples of RFC 3261 19.1.4, and more."""
    assert not same_uri(parse_uri(a), parse_uri(b))


def test_tel() -> None:
    uri = parse_uri("tel:+86-21-(5555).1234;phone-context=x.example")
    assert isinstance(uri, TelUri)
    assert (uri.user, uri.host, uri.port, uri.headers) == ("+862155551234", "", None, {})
    assert str(uri) == "tel:+86-21-(5555).1234;phone-context=x.example"


def test_scheme() -> None:
    assert scheme_of("SOAP.beep://x") == "soap.beep"


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_any_user_can_be_escaped(user: str) -> None:
    uri = parse_uri(f"sip:{escape_user(user)}@host")
    assert uri.user == user


@given(st.text(alphabet='sip:tel+1a@;=?&%[].-0 \r\n<>"é', max_size=60))
def test_only_sip_errors(text: str) -> None:
    """What is written back is read as the same."""
    try:
        uri = parse_uri(text)
    except SipError:
        return
    assert str(parse_uri(str(uri))) == str(uri)
    assert same_uri(uri, parse_uri(str(uri)))
    assert isinstance(unescape(text), str)
