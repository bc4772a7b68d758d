"""Addresses (RFC 3261 20.10, 25.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.address import build_address, parse_address, parse_addresses
from sip.grammar import SipError


@pytest.mark.parametrize(
    ("value", "display", "uri", "params"),
    [
        ("<sip:a@b>", "", "sip:a@b", {}),
        ("sip:a@b;tag=1", "", "sip:a@b", {"tag": "1"}),
        ("Bob <sip:a@b;x=y>;tag=1", "Bob", "sip:a@b;x=y", {"tag": "1"}),
        ("caller<sip:a@b>", "caller", "sip:a@b", {}),
        (r'"a \"<,;" <sip:a@b> ; tag = 1', 'a "<,;', "sip:a@b", {"tag": "1"}),
        ('sip:a@b;x="<>"', "", "sip:a@b", {"x": '"<>"'}),
        ("张三 <sip:a@b>", "张三", "sip:a@b", {}),
        ("*", "", "*", {}),
    ],
)
def test_address(value: str, display: str, uri: str, params: dict[str, str]) -> None:
    address = parse_address(value)
    assert (address.display, address.uri, address.params) == (display, uri, params)
    assert address.tag == params.get("tag", "")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "<>",
        "<sip:a@b",
        '"Bob <sip:a@b>',
        "Bell, Alexander <sip:a@b>",
        "< sip:a@b >",
        "sip:a@b?Route=%3Csip:c%3E",
        "sip:a@b, sip:c@d",
        "<sip:a@b> x",
        "<sip:a@b>;;",
        "<sip:a@b>;tag=1;tag=2",
        "alan",
        'a"b" <sip:a@b>',
        "<sip:a<b@c>",
    ],
)
def test_broken_address_is_refused(value: str) -> None:
    with pytest.raises(SipError, match="400"):
        parse_address(value)


def test_list() -> None:
    uris = [address.uri for address in parse_addresses('"a,b" <sip:a@b>, <sip:c,d@e>;q=0.5,sip:f@g')]
    assert uris == ["sip:a@b", "sip:c,d@e", "sip:f@g"]
    with pytest.raises(SipError, match="400"):
        parse_addresses("<sip:a@b>,")


def test_uri_is_looked_into_when_asked() -> None:
    address = parse_address("<isbn:123>")
    with pytest.raises(SipError, match="416"):
        _ = address.parsed
    assert parse_address("<sip:u@h:5070>").parsed.port == 5070


def test_nothing_gets_out_of_its_place() -> None:
    """A-INJ: neither a name nor a URI can end its brackets or its line."""
    built = build_address("sip:a@b>\r\nVia: x", 'E" <sip:evil@x>\r\nTo: y', {"q": "1"}, tag="t")
    assert built == r'"E\" <sip:evil@x>To: y" <sip:a@bVia:x>;q=1;tag=t'
    assert str(parse_address(built)) == built


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1))
def test_any_name_comes_back(display: str) -> None:
    address = parse_address(build_address("sip:a@b", display, tag="1"))
    assert (address.display, address.uri, address.tag) == (display, "sip:a@b", "1")
