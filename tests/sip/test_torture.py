"""The torture messages of RFC 4475 and RFC 5118 at the parser: accepted, or refused with the status that the
manifest beside them says.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sip.address import Address
from sip.branches import has_cookie, server_key
from sip.digest import parse_credentials
from sip.grammar import SipError
from sip.headers import media_type, parse_delta, tokens
from sip.message import Request, Response, build_response
from sip.parser import StreamParser, check_request, check_response, parse_message
from sip.sdp import parse_sdp
from sip.uri import SipUri, same_uri

DATA = Path(__file__).resolve().parent.parent / "data" / "torture"


def manifest(folder: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((DATA / folder / "manifest.json").read_text(encoding="utf-8"))
    return entries


RFC4475 = {entry["name"]: entry for entry in manifest("rfc4475")}
RFC5118 = {entry["name"]: entry for entry in manifest("rfc5118")}
DECIDED_BY_THE_PARSER = {"400", "416", "505"}


def raw(name: str) -> bytes:
    folder = "rfc4475" if name in RFC4475 else "rfc5118"
    return (DATA / folder / f"{name}.dat").read_bytes()


def checked(name: str) -> Request | Response:
    message = parse_message(raw(name))
    if isinstance(message, Request):
        check_request(message)
    else:
        check_response(message)
    return message


def request(name: str) -> Request:
    message = checked(name)
    assert isinstance(message, Request)
    return message


def status(name: str) -> int:
    """Return 0 if the parser accepts it, else the status it asks for."""
    try:
        checked(name)
    except SipError as error:
        return error.status
    return 0


def test_all_messages_are_here() -> None:
    assert (len(RFC4475), len(RFC5118)) == (50, 12)  # the 49 of RFC 4475 and its archive's own test.dat


@pytest.mark.parametrize("name", [n for n, e in RFC4475.items() if e["valid"] and not e["response"]])
def test_valid_request_is_accepted(name: str) -> None:
    """RFC 4475 3.1.1, 3.2, 3.3: what the grammar allows; who refuses more of it must say so here."""
    refused_here = {"unkscm": 416, "novelsc": 416}  # Request-URI schemes nobody here speaks
    assert status(name) == refused_here.get(name, 0)


@pytest.mark.parametrize("name", [n for n, e in RFC4475.items() if not e["valid"] and not e["response"]])
def test_invalid_request_is_refused(name: str) -> None:
    """RFC 4475 3.1.2, 3.3: refused with a status its manifest allows, or accepted where that is allowed."""
    allowed = set(RFC4475[name]["uas"])
    found = status(name)
    if found:
        assert str(found) in allowed & DECIDED_BY_THE_PARSER
    else:
        assert "normal" in allowed
        assert name == "baddate"  # we do not use Date


@pytest.mark.parametrize("name", ["scalarlg", "bigcode", "bcast"])
def test_response_to_be_dropped_is_refused(name: str) -> None:
    """RFC 4475 3.1.2.5, 3.1.2.19, 3.3.10."""
    with pytest.raises(SipError) as caught:
        checked(name)
    assert caught.value.salvaged is None  # nobody answers a response


@pytest.mark.parametrize("name", ["clerr", "ncl", "lwsruri", "lwsstart", "trws", "mcl01"])
def test_refused_request_can_be_answered(name: str) -> None:
    with pytest.raises(SipError) as caught:
        parse_message(raw(name))
    salvaged = caught.value.salvaged
    assert salvaged is not None
    answer = parse_message(build_response(salvaged, 400, to_tag="x", received=("192.0.2.1", 5060)))
    assert isinstance(answer, Response)
    check_response(answer)
    assert (answer.status, answer.call_id, answer.cseq) == (400, salvaged.call_id, salvaged.cseq)


@pytest.mark.parametrize("name", ["badvers", "quotbal", "badaspec", "insuf", "multi01", "unkscm"])
def test_request_that_fails_the_check_can_be_answered(name: str) -> None:
    message = parse_message(raw(name))
    assert isinstance(message, Request)
    with pytest.raises(SipError) as caught:
        check_request(message)
    data = build_response(message, caught.value.status, to_tag="x", received=("192.0.2.1", 5060))
    answer = parse_message(data)
    assert (answer.via.branch, answer.via.received) == (message.via.branch, "192.0.2.1")
    assert answer.header("cseq") == message.header("cseq")


def test_what_is_no_message_at_all_is_not_answered() -> None:
    with pytest.raises(SipError) as caught:
        parse_message(raw("test"))
    assert caught.value.salvaged is None


@pytest.mark.parametrize("name", RFC5118)
def test_ipv6(name: str) -> None:
    """RFC 5118: only the Request-URI without brackets (4.2) is refused."""
    assert status(name) == (400 if name == "ipv6-bad" else 0)


def answer_to_insufficient() -> None:
    """RFC 4475 3.3.1: an answer is built of what is there."""
    message = parse_message(raw("insuf"))
    assert isinstance(message, Request)
    with pytest.raises(SipError, match="400"):
        check_request(message)
    answer = parse_message(build_response(message, 400, to_tag="x"))
    assert answer.header("via") == message.header("via")
    assert answer.header("to") is None


def a_short_tortuous_invite() -> None:
    message = request("wsinv")
    assert (message.to_tag, message.from_tag) == ("1918181833n", "98asjd8")
    assert message.from_.display == 'J Rosenberg \\"'
    assert (message.max_forwards, message.cseq) == (68, (9, "INVITE"))
    assert [(via.transport, via.host, via.branch) for via in message.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert message.contacts[0].params == {"newparam": "newvalue", "secondparam": "", "q": "0.33"}
    assert message.contacts[0].display == 'Quoted string ""'
    assert message.header("subject") == ""
    assert message.routes[0].uri == "sip:services.example.com;lr;unknownwith=value;unknown-no-value"
    assert not has_cookie(message.via.branch)


def a_wide_range_of_characters() -> None:
    message = request("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    uri = message.parsed_uri
    assert isinstance(uri, SipUri)
    assert (uri.host, uri.password[:3]) == ("example.com", "&it")
    assert message.to.display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_tag == "_token~1'+`*%!-."
    answer = build_response(message, 501, to_tag="x")
    original = raw("intmeth")
    for header in (b"To: ", b"From: "):  # echoed byte by byte
        value = original.partition(header)[2].partition(b"\r\n")[0]
        assert header + value in answer


def escapes() -> None:
    message = request("esc01")
    uri = message.parsed_uri
    assert isinstance(uri, SipUri)
    assert (uri.user, uri.host) == ("sips:user@example.com", "example.net")
    assert message.to.parsed.user == "user"
    contact = message.contacts[0].parsed
    assert (contact.user, contact.params) == ("caller", {"lr": "", "name": "v%61lue%25%34%31"})


def escaped_nulls() -> None:
    message = request("escnull")
    assert message.to.parsed.user == "null-\0-null"
    one, two = (address.parsed for address in message.contacts)
    assert (one.user, two.user) == ("\0", "\0\0")
    assert not same_uri(one, two)


def percent_that_is_no_escape() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.to.display == "%Z%45"
    assert len(message.contacts) == 2  # C%6Fntact is another header


def no_blank_before_the_bracket() -> None:
    address = request("lwsdisp").from_
    assert (address.display, address.uri) == ("caller", "sip:caller@example.com")


def long_values() -> None:
    message = request("longreq")
    assert len(message.vias) == 34
    assert message.from_tag.startswith("12")
    assert len(message.body) == 150


def two_in_one_datagram() -> None:
    message = request("dblreq")
    assert (message.method, message.body) == ("REGISTER", b"")
    first, second, junk = StreamParser().feed(raw("dblreq"))
    assert isinstance(junk, SipError)  # the INVITE's body is two bytes longer than it says
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.method, second.method) == ("REGISTER", "INVITE")


def semicolon_in_the_user() -> None:
    uri = request("semiuri").parsed_uri
    assert (uri.user, uri.host, uri.params) == ("user;par=u@example.net", "example.com", {})


def transports_of_all_kinds() -> None:
    vias = request("transports").vias
    assert [via.transport for via in vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def binary_body() -> None:
    message = request("mpart01")
    assert len(message.body) == 553
    assert media_type(message.header("content-type") or "") == "multipart/mixed"


def unusual_reasons() -> None:
    one, two = checked("unreason"), checked("noreason")
    assert isinstance(one, Response)
    assert isinstance(two, Response)
    assert (one.status, two.status, two.reason) == (200, 100, "")
    assert one.reason.startswith("= 2**3 * 5**2 но")


def branch_that_is_only_the_cookie() -> None:
    message = request("badbranch")
    assert message.via.branch == "z9hG4bK"
    other = parse_message(raw("badbranch").replace(b"Call-ID: b", b"Call-ID: c"))
    assert isinstance(other, Request)
    assert server_key(message) != server_key(other)


def expires_beyond_any_number() -> None:
    message = parse_message(raw("scalar02"))
    assert parse_delta(message.header("expires") or "") == 2**32 - 1
    assert parse_delta(message.contacts[0].params["expires"]) == 2**32 - 1


def unknown_schemes_elsewhere() -> None:
    """The registrar must refuse or not know them; here they stay visible as what they are."""
    message = request("unksm2")
    for address in (message.to, message.from_, message.contacts[0]):
        with pytest.raises(SipError, match="416"):
            _ = address.parsed


def extensions() -> None:
    message = request("bext01")
    assert tokens(message.headers("require")) == ["nothingSupportsThis", "nothingSupportsThisEither"]


def unknown_type() -> None:
    assert media_type(request("invut").header("content-type") or "") == "application/unknownformat"


def unknown_authorization() -> None:
    assert parse_credentials(request("regaut01").header("authorization") or "") is None


def max_forwards_zero() -> None:
    assert request("zeromf").max_forwards == 0


def parameters_of_contact() -> None:
    outside, inside = request("cparam01").contacts[0], request("cparam02").contacts[0]
    assert (outside.uri, outside.params) == ("sip:+19725552222@gw1.example.net", {"unknownparam": ""})
    assert (inside.params, inside.parsed.params) == ({}, {"unknownparam": ""})


def route_hidden_in_a_contact() -> None:
    contact: Address = request("regescrt").contacts[0]
    assert contact.parsed.headers == {"route": "<sip:sip.example.com>"}


def client_of_rfc_2543() -> None:
    message = request("inv2543")
    assert (message.via.branch, message.from_tag, message.max_forwards) == ("", "", 70)
    assert len(message.body) == 105
    assert message.to.uri == "sip:+16505552222@ss1.example.net"
    assert "z9hG4bK" not in server_key(message)


def ports_and_ipv6() -> None:
    ambiguous, plain = request("port-ambiguous").parsed_uri, request("port-unambiguous").parsed_uri
    assert (ambiguous.host, ambiguous.port) == ("[2001:db8::10:5070]", None)
    assert (plain.host, plain.port) == ("[2001:db8::10]", 5070)
    three, two = request("ipv6-bug-abnf-3-colons"), request("ipv6-correct-abnf-2-colons")
    assert same_uri(three.parsed_uri, two.parsed_uri)
    assert request("via-received-param-no-delim").via.received == "2001:db8::9:255"
    assert request("via-received-param-no-delim").via.branch == "z9hG4bKas3"
    assert request("via-received-param-with-delim").via.received == "[2001:db8::9:255]"
    hosts = [via.host for via in request("mult-ip-in-header").vias]
    assert hosts == ["[2001:db8::9:1]", "192.0.2.1", "[2001:db8::9:255]"]


def ipv6_in_sdp() -> None:
    session = parse_sdp(request("mult-ip-in-sdp").body)
    assert [session.host_of(media) for media in session.media] == ["192.0.2.1", "2001:db8::1"]
    assert parse_sdp(request("ipv6-in-sdp").body).connection == "2001:db8::20"
    assert parse_sdp(request("ipv4-mapped-ipv6").body).connection == "::ffff:192.0.2.2"


@pytest.mark.parametrize(
    "rule",
    [
        answer_to_insufficient,
        a_short_tortuous_invite,
        a_wide_range_of_characters,
        escapes,
        escaped_nulls,
        percent_that_is_no_escape,
        no_blank_before_the_bracket,
        long_values,
        two_in_one_datagram,
        semicolon_in_the_user,
        transports_of_all_kinds,
        binary_body,
        unusual_reasons,
        branch_that_is_only_the_cookie,
        expires_beyond_any_number,
        unknown_schemes_elsewhere,
        extensions,
        unknown_type,
        unknown_authorization,
        max_forwards_zero,
        parameters_of_contact,
        route_hidden_in_a_contact,
        client_of_rfc_2543,
        ports_and_ipv6,
        ipv6_in_sdp,
    ],
    ids=lambda rule: str(rule.__name__),
)
def test_rule(rule: Callable[[], None]) -> None:
    """What the message is there to show, by the rule its manifest states."""
    rule()


@pytest.mark.parametrize("name", [*RFC4475, *RFC5118])
def test_stream_takes_every_message_or_breaks(name: str) -> None:
    """RFC 3261 18.3: in single bytes as in one piece; after a doubt nothing more is read (A-SMUG)."""
    whole, bytewise = StreamParser(), StreamParser()
    at_once = [repr(found) for found in whole.feed(raw(name))]
    one_by_one = [
        repr(found) for at in range(len(raw(name))) for found in bytewise.feed(raw(name)[at : at + 1])
    ]
    assert at_once == one_by_one
    assert whole.broken == bytewise.broken
    if whole.broken:
        assert whole.feed(raw("lwsdisp")) == []
