"""Header names and the typed values that are no addresses."""

import pytest

from sip.grammar import SipError
from sip.headers import (
    COMPACT,
    NAMES,
    SINGLE,
    canonical_name,
    media_type,
    parse_cseq,
    parse_delta,
    parse_dialog_reference,
    parse_q,
    parse_rack,
    parse_via,
    tokens,
)


def test_names_in_any_spelling() -> None:
    """RFC 3261 7.3.1, 7.3.3."""
    assert {canonical_name(name) for name in ("i", "I", "call-id", "CALL-ID", "Call-ID \t")} == {"call-id"}
    assert NAMES["Call-ID"] == NAMES["i"] == NAMES["CALL-ID"] == "call-id"
    assert set(NAMES.values()) >= set(COMPACT.values()) | SINGLE - {"rack"}
    assert all(canonical_name(spelling) == name for spelling, name in NAMES.items())


@pytest.mark.parametrize("name", ["", " Via", "Vi a", "Via\0", "Vía"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(SipError, match="400"):
        canonical_name(name)


def test_via() -> None:
    via = parse_via("SIP/2.0/udp 192.0.2.1:5070;rport;branch=z9hG4bK1;received=192.0.2.9;X=y")
    assert (via.transport, via.host, via.port, via.branch) == ("UDP", "192.0.2.1", 5070, "z9hG4bK1")
    assert (via.rport, via.received, via.params["x"]) == ("", "192.0.2.9", "y")
    assert via.sent_by == ("192.0.2.1", 5070)
    assert parse_via("SIP/2.0/TLS h").sent_by == ("h", 5061)
    assert parse_via("SIP/2.0/UDP h").rport is None
    assert parse_via("SIP/7.0/UDP h").transport == "UDP"  # RFC 4475 3.1.2.16: still to be answered
    assert parse_via("sip / 2.0 / TCP [::1] : 5070 ; branch = x").sent_by == ("[::1]", 5070)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "SIP/2.0/UDP",
        "SIP//UDP h",
        "/2.0/UDP h",
        "SIP/2.0/UDP h;",
        "SIP/2.0/UDP h;;",
        "SIP/2.0/UDP h;branch=1;branch=2",
        "SIP/2.0/UDP h i",
        "SIP/2.0/UDP h:x",
        "SIP/2.0/ h",
    ],
)
def test_broken_via_is_refused(raw: str) -> None:
    with pytest.raises(SipError, match="400"):
        parse_via(raw)


def test_cseq() -> None:
    assert parse_cseq("1 INVITE") == (1, "INVITE")
    assert parse_cseq("0009 \t INVITE") == (9, "INVITE")
    assert parse_cseq("2147483647 x-y.z") == (2147483647, "x-y.z")


@pytest.mark.parametrize(
    "value", ["", "1", "INVITE", "2147483648 INVITE", "-1 BYE", "1 BYE BYE", "1 B\x00", "¹ BYE"]
)
def test_broken_cseq_is_refused(value: str) -> None:
    with pytest.raises(SipError, match="400"):
        parse_cseq(value)


def test_rack() -> None:
    assert parse_rack("776656 1 INVITE") == (776656, 1, "INVITE")
    with pytest.raises(SipError, match="400"):
        parse_rack("776656 INVITE")


def test_seconds_are_clamped() -> None:
    """RFC 3261 20.19."""
    assert (parse_delta("3600"), parse_delta("9" * 5000)) == (3600, 2**32 - 1)
    for value in ("", "-1", "1.5", "²"):
        with pytest.raises(SipError, match="400"):
            parse_delta(value)


def test_q() -> None:
    assert [parse_q(text) for text in ("0", "1", "0.5", "1.000", ".7", "0.")] == [0, 1, 0.5, 1, 0.7, 0]
    for text in ("", ".", "2", "1.001", "0.1234", "-1", "0.x"):
        with pytest.raises(SipError, match="400"):
            parse_q(text)


def test_token_lists_over_lines() -> None:
    assert tokens(["timer, 100rel", "", "path"]) == ["timer", "100rel", "path"]


def test_media_type() -> None:
    assert media_type("Application / SDP ; charset=utf-8") == "application/sdp"


def test_dialog_reference() -> None:
    """RFC 3891 6.1."""
    value = "98732@sip.example.com ;from-tag=r33th4x0r;to-tag=ff87ff;early-only"
    sip_call_id, params = parse_dialog_reference(value)
    assert sip_call_id == "98732@sip.example.com"
    assert params == {"from-tag": "r33th4x0r", "to-tag": "ff87ff", "early-only": ""}
    with pytest.raises(SipError, match="400"):
        parse_dialog_reference("a;to-tag=1")
