"""Messages: typed headers, and the bytes of answers and requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.grammar import SipError
from sip.message import REASONS, Request, Response, build_request, build_response
from sip.parser import check_request, check_response, parse_message

HEAD = (
    "INVITE sip:8001@127.0.0.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK1;rport, SIP/2.0/TCP b;branch=z9hG4bK2\r\n"
    "v: SIP/2.0/UDP c;branch=z9hG4bK3\r\n"
    'From: "A" <sip:a@b>;tag=f1\r\n'
    "To: <sip:8001@127.0.0.1>\r\n"
    "Call-ID: c1@b\r\n"
    "CSeq: 7 INVITE\r\n"
    "Record-Route: <sip:p1;lr>,<sip:p2;lr>\r\n"
    "Record-Route: <sip:p3;lr>\r\n"
    "m: <sip:a@127.0.0.1:5061>, sip:x@y;q=0.5\r\n"
    "Timestamp: 54\r\n"
    "Content-Length: 0\r\n\r\n"
)
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)


def invite(head: str = HEAD) -> Request:
    message = parse_message(head.encode())
    assert isinstance(message, Request)
    return message


def answer(
    *, head: str = HEAD, status: int = 180, source: tuple[str, int] | None = None, tag: str = ""
) -> Response:
    message = parse_message(build_response(invite(head), status, to_tag=tag, received=source))
    assert isinstance(message, Response)
    return message


def test_typed_headers() -> None:
    message = invite()
    assert (message.via.branch, message.via.raw) == (
        "z9hG4bK1",
        "SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK1;rport",
    )
    assert [via.branch for via in message.vias] == ["z9hG4bK1", "z9hG4bK2", "z9hG4bK3"]
    assert (message.cseq, message.call_id) == ((7, "INVITE"), "c1@b")
    assert (message.from_tag, message.to_tag) == ("f1", "")
    assert (message.from_.display, message.from_.tag, message.to.uri) == ("A", "f1", "sip:8001@127.0.0.1")
    assert [contact.uri for contact in message.contacts] == ["sip:a@127.0.0.1:5061", "sip:x@y"]
    assert [route.uri for route in message.record_routes] == ["sip:p1;lr", "sip:p2;lr", "sip:p3;lr"]
    assert (message.routes, message.max_forwards, message.parsed_uri.user) == ([], 70, "8001")
    assert (message.header("subject"), message.headers("subject")) == (None, [])
    assert message.headers("record-route") == ["<sip:p1;lr>,<sip:p2;lr>", "<sip:p3;lr>"]
    assert message.header_lines[1] == ("v", "SIP/2.0/UDP c;branch=z9hG4bK3")
    assert repr(message) == "<Request INVITE sip:8001@127.0.0.1:5060>"


@pytest.mark.parametrize("name", ["via", "cseq", "call_id", "from_", "from_tag", "to", "to_tag"])
def test_missing_header_is_a_sip_error(name: str) -> None:
    message = parse_message(b"BYE sip:a@b SIP/2.0\r\nX: y\r\n\r\n")
    with pytest.raises(SipError, match="400"):
        getattr(message, name)


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("<sip:a@b>", ""),
        ("sip:a@b;user=phone;tag=x", "x"),
        ('"a;tag=no" <sip:a@b;tag=no>;x=y;tag=yes', "yes"),
        ("<sip:a@b>; tag = z", "z"),
        ("Bob Smith <sip:a@b>;tag=q", "q"),
    ],
)
def test_tag_by_either_way_is_the_same(value: str, tag: str) -> None:
    message = invite(HEAD.replace("<sip:8001@127.0.0.1>\r\nCall", value + "\r\nCall"))
    assert (message.to_tag, message.to.tag) == (tag, tag)


@pytest.mark.parametrize(
    "value",
    ["Bell, A <sip:a@b>", "<sip:a@b>;tag=1, <sip:c@d>", "<sip:a b>", "<a>", "<sip:a@b", "<sip:a@b>tag=1"],
)
def test_broken_from_is_refused_without_building_an_address(value: str) -> None:
    with pytest.raises(SipError, match="400"):
        _ = invite(HEAD.replace('"A" <sip:a@b>;tag=f1', value)).from_tag


def test_answer_copies_what_it_must() -> None:
    """RFC 3261 8.2.6.2, 12.1.1."""
    found = answer(tag="t1")
    asked = invite()
    assert (found.status, found.reason) == (180, "Ringing")
    assert found.headers("via") == asked.headers("via")
    assert found.headers("record-route") == asked.headers("record-route")
    assert found.header("from") == asked.header("from")
    assert (found.call_id, found.cseq, found.to_tag) == ("c1@b", (7, "INVITE"), "t1")
    assert found.header("timestamp") is None


def test_trying_and_refusals_carry_no_record_route() -> None:
    assert answer(status=100).headers("record-route") == []
    assert answer(status=100).header("timestamp") == "54"  # RFC 3261 8.2.6.1
    assert answer(status=486).headers("record-route") == []


def test_tag_is_not_added_twice() -> None:
    head = HEAD.replace("<sip:8001@127.0.0.1>\r\nCall", "<sip:8001@127.0.0.1>;tag=old\r\nCall")
    assert answer(head=head, tag="new").to_tag == "old"


def test_via_says_where_the_request_came_from() -> None:
    """RFC 3581 4: received and rport where asked for; RFC 3261 18.2.1: else received if it differs."""
    via = answer(source=("192.0.2.7", 40000)).via
    assert (via.received, via.rport, via.branch) == ("192.0.2.7", "40000", "z9hG4bK1")
    plain = HEAD.replace(";rport", "")
    assert answer(head=plain, source=("192.0.2.7", 40000)).via.received == "192.0.2.7"
    assert answer(head=plain, source=("127.0.0.1", 5061)).via.raw == invite(plain).via.raw
    assert [via.branch for via in answer(source=("192.0.2.7", 40000)).vias][1:] == ["z9hG4bK2", "z9hG4bK3"]


@pytest.mark.parametrize(
    "claim",
    [
        ";rport;received=10.0.0.9",
        ";rport=99;received=10.0.0.9",
        ";received=10.0.0.9;rport;x",
        ";rport=",
        ";RPORT;x=rport",
    ],
)
def test_what_the_peer_claims_of_its_source_is_replaced(claim: str) -> None:
    via = answer(head=HEAD.replace(";rport", claim), source=("192.0.2.7", 40000)).via
    assert (via.received, via.rport, via.branch) == ("192.0.2.7", "40000", "z9hG4bK1")
    assert "10.0.0.9" not in via.raw


def test_ipv6_source_is_written_without_brackets() -> None:
    assert answer(source=("2001:db8::1", 5060)).via.received == "2001:db8::1"
    head = HEAD.replace("127.0.0.1:5061;branch=z9hG4bK1;rport", "[2001:db8::1];branch=z9hG4bK1")
    assert answer(head=head, source=("2001:db8::1", 5060)).via.received == ""


def test_second_answer_to_another_source_is_not_the_first() -> None:
    asked = invite()
    one, two = (build_response(asked, 100, received=("192.0.2.7", port)) for port in (1, 2))
    assert (b"rport=1;" in one, b"rport=2;" in two) == (True, True)


def test_reasons() -> None:
    assert b"SIP/2.0 299 OK\r\n" in build_response(invite(), 299)
    assert build_response(invite(), 480, "Gone\r\nX: y").startswith(b"SIP/2.0 480 GoneX: y\r\n")
    assert all(100 <= status <= 699 for status in REASONS)


def test_request() -> None:
    data = build_request(
        "INVITE",
        "sip:8001@h",
        via="SIP/2.0/UDP a;branch=z9hG4bKx",
        from_="<sip:a@b>;tag=1",
        to="<sip:8001@h>",
        call_id="cid",
        cseq=3,
        max_forwards=69,
        routes=("<sip:p1;lr>", "<sip:p2;lr>"),
        contact="<sip:a@b>",
        headers=(("Supported", "timer"),),
        body=b"v=0\r\n",
    )
    assert data == (
        b"INVITE sip:8001@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nMax-Forwards: 69\r\n"
        b"From: <sip:a@b>;tag=1\r\nTo: <sip:8001@h>\r\nCall-ID: cid\r\nCSeq: 3 INVITE\r\n"
        b"Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\nContact: <sip:a@b>\r\nSupported: timer\r\n"
        b"Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
    )


@given(TEXT, TEXT, TEXT, TEXT, TEXT, st.binary(max_size=20))
def test_no_value_adds_a_line_to_a_request(
    uri: str, to: str, route: str, value: str, kind: str, body: bytes
) -> None:
    """A-INJ: CR, LF and NUL of a foreign value never reach the wire's head."""
    data = build_request(
        "BYE",
        uri,
        via="SIP/2.0/UDP a",
        from_=value,
        to=to,
        call_id=value,
        cseq=1,
        routes=(route,),
        contact=to,
        headers=(("X-Y", value),),
        body=body,
        content_type=kind,
    )
    head = data[: len(data) - len(body)] if body else data
    names = [line.partition(b":")[0] for line in head.split(b"\r\n")[1:] if line]
    expected = [b"Via", b"Max-Forwards", b"From", b"To", b"Call-ID", b"CSeq", b"Route"]
    expected += [b"Contact"] * bool(to) + [b"X-Y"] + [b"Content-Type"] * bool(body) + [b"Content-Length"]
    assert names == expected
    assert b"\0" not in head
    assert head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n")


@given(TEXT, TEXT, TEXT)
def test_no_value_adds_a_line_to_an_answer(tag: str, reason: str, value: str) -> None:
    data = build_response(invite(), 200, reason, to_tag=tag, headers=(("X-Y", value),))
    assert data.endswith(b"\r\n\r\n")
    assert data.count(b"\r\n") == build_response(invite(), 200, headers=(("X-Y", ""),)).count(b"\r\n")
    assert data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n")
    assert b"\0" not in data


def test_half_a_surrogate_pair_is_no_crash() -> None:
    data = build_response(invite(), 200, headers=(("X-Y", "a\ud800b"),))
    assert b"X-Y: a?b\r\n" in data


def test_bytes_that_are_no_utf8_are_echoed() -> None:
    data = HEAD.encode().replace(b'"A"', b'"\xc4\xe3"')
    message = parse_message(data)
    assert isinstance(message, Request)
    assert b'From: "\xc4\xe3" <sip:a@b>;tag=f1\r\n' in build_response(message, 200)


TOKEN = st.text(alphabet="abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)


@given(TOKEN, TOKEN, TOKEN, st.integers(0, 2**31 - 1), st.binary(max_size=30), TEXT)
def test_what_is_built_is_read_as_it_was_meant(
    user: str, tag: str, branch: str, cseq: int, body: bytes, subject: str
) -> None:
    """Parse, build and parse again is stable."""
    data = build_request(
        "INVITE",
        f"sip:{user.replace('%', '')}@host",
        via=f"SIP/2.0/UDP h:5060;branch={branch}",
        from_=f"<sip:a@b>;tag={tag}",
        to="<sip:c@d>",
        call_id=tag,
        cseq=cseq,
        headers=(("Subject", subject),),
        body=body,
    )
    first = parse_message(data)
    assert isinstance(first, Request)
    again = parse_message(
        build_request(
            first.method,
            first.uri,
            via=first.via.raw,
            from_=str(first.from_),
            to=str(first.to),
            call_id=first.call_id,
            cseq=first.cseq[0],
            headers=(("Subject", first.header("subject") or ""),),
            body=first.body,
        )
    )
    assert isinstance(again, Request)
    assert (again.uri, again.from_tag, again.via.branch) == (first.uri, tag, branch)
    assert (again.cseq, again.call_id, again.body) == ((cseq, "INVITE"), tag, body)
    assert again.header_lines == first.header_lines
    found = parse_message(build_response(again, 200, to_tag="t"))
    check_response(found) if isinstance(found, Response) else check_request(found)
    assert (found.cseq, found.from_tag, found.to_tag) == (first.cseq, tag, "t")


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ('"Zhang San" <sip:a@b>;tag=x1', "x1"),
        ('"Zhang San"<sip:a@b>', ""),
        ('"a, <b>; c" <sip:a@b>;tag=x1', "x1"),
        ('"say \\"hi\\"" <sip:a@b>;tag=x1', "x1"),
        ('""  <sip:a@b>;tag=x1;more', "x1"),
        ('"a\tb" <sip:a@b>;tag=x1', "x1"),
    ],
)
def test_tag_behind_a_quoted_name(value: str, tag: str) -> None:
    """RFC 3261 25.1: what stands between the quotes is text, whatever it looks like."""
    assert invite(HEAD.replace('"A" <sip:a@b>;tag=f1', value)).from_tag == tag


@pytest.mark.parametrize(
    "value", ['"a" b <sip:a@b>', '"a <sip:a@b>;tag=x', '"', '"a" "b" <sip:a@b>', '"a" sip:a@b']
)
def test_quotes_that_do_not_make_a_name(value: str) -> None:
    with pytest.raises(SipError):
        _ = invite(HEAD.replace('"A" <sip:a@b>;tag=f1', value)).from_tag
