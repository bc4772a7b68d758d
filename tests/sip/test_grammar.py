"""Tokens, quoting, lists and parameters (RFC 3261 25.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.grammar import (
    SipError,
    build_params,
    is_token,
    parse_number,
    parse_params,
    quote,
    quote_end,
    split_list,
    unquote,
    without_breaks,
)


def test_error_says_what_it_deserves() -> None:
    error = SipError(416, "Unsupported URI Scheme")
    assert (str(error), error.status, error.salvaged) == ("416 Unsupported URI Scheme", 416, None)


@pytest.mark.parametrize(
    ("text", "yes"), [("INVITE", True), ("a.%", True), ("", False), ("a b", False), ("é", False)]
)
def test_token(text: str, yes: bool) -> None:
    assert is_token(text) is yes


@pytest.mark.parametrize("text", ["", "-1", "+1", "1 ", "٣", "1" * 5000, "256", "0x1"])
def test_number_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(SipError, match="400 Bad Max-Forwards"):
        parse_number(text, 255, "Max-Forwards")


def test_number() -> None:
    assert parse_number("0068", 255, "Max-Forwards") == 68


@pytest.mark.parametrize(
    ("text", "end"), [('"a"', 2), (r'"a\""', 4), (r'"a\\"', 4), (r'"a\\\"', -1), ('"a', -1), (r'"\"', -1)]
)
def test_quote_end(text: str, end: int) -> None:
    assert quote_end(text, 0) == end


@given(st.text(alphabet=st.characters(exclude_characters="\r\n\0")))
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    quoted = quote(text)
    assert quote_end(quoted, 0) == len(quoted) - 1
    assert unquote(quoted) == text


def test_quoting_leaves_no_way_out_of_the_line() -> None:
    assert quote('a\r\nVia: b\0"') == '"aVia: b\\""'
    assert without_breaks("a\rb\nc\0d") == "abcd"


def test_list_is_split_outside_quotes_and_brackets() -> None:
    assert split_list(r'"a,\",b" <sip:a,b@c>;x="d,e" , <sip:d>,e') == [
        r'"a,\",b" <sip:a,b@c>;x="d,e"',
        "<sip:d>",
        "e",
    ]


@pytest.mark.parametrize("text", ['a,"b', "a,<b", '"\\",'])
def test_open_quote_or_bracket_in_a_list_is_refused(text: str) -> None:
    with pytest.raises(SipError, match="400"):
        split_list(text)


def test_params() -> None:
    params = parse_params(' ; Tag = a1;lr; x="a;b" '.strip())
    assert params == {"tag": "a1", "lr": "", "x": '"a;b"'}
    assert build_params(params) == ';tag=a1;lr;x="a;b"'


@pytest.mark.parametrize("text", [";", ";;a", ";a=1;a=2", "a=1", ";a b", ";a=b c", ";=x", ';a="b'])
def test_broken_params_are_refused(text: str) -> None:
    """RFC 3261 7.3.1: a parameter name may come once; RFC 4475 3.1.2.1: empty ones."""
    with pytest.raises(SipError, match="400"):
        parse_params(text)
