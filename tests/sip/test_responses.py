"""Responses: the shared head, status lines, where they go."""

from sip.flows import Flow
from sip.message import Request
from sip.parser import parse_message
from sip.responses import answer_flow, build, header_lines, record_routes, response_head, status_line
from tests.sip.scene import OURS, request

SOURCE = Flow("udp", 0, "10.0.0.9", 5080)


def read(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def test_the_head_is_what_every_response_shares() -> None:
    """RFC 3261 8.2.6.2: Via, From, To with our tag, Call-ID, CSeq."""
    head = response_head(read(request("INVITE")), "ours", SOURCE)
    response = parse_message(build(180, head, "Contact: <sip:us>\r\n"))
    assert response.header_lines == [
        ("Via", "SIP/2.0/UDP 10.0.0.9:5080;branch=z9hG4bKone"),
        ("From", "<sip:13800000000@carrier.example>;tag=from1"),
        ("Call-ID", "call1"),
        ("CSeq", "1 INVITE"),
        ("To", "<sip:96198@example.com>;tag=ours"),
        ("Contact", "<sip:us>"),
        ("Content-Length", "0"),
    ]
    with_body = parse_message(build(200, head, body=OURS))
    assert with_body.body == OURS
    assert with_body.header("content-type") == "application/sdp"


def test_a_tag_that_is_there_stays() -> None:
    head = response_head(read(request("BYE", to="<sip:a@b>;tag=theirs")), "ours", SOURCE)
    assert "To: <sip:a@b>;tag=theirs\r\n" in head


def test_status_lines() -> None:
    assert status_line(486) == "SIP/2.0 486 Busy Here\r\n"
    assert status_line(486, "Gone Fishing") == "SIP/2.0 486 Gone Fishing\r\n"
    assert status_line(499) == "SIP/2.0 499 Bad Request\r\n"


def test_where_responses_go() -> None:
    """A stream answers on itself; a datagram at its source host, never at maddr or sent-by."""
    tcp = Flow("tcp", 1, "10.0.0.9", 40000, 3)
    assert answer_flow(read(request("OPTIONS", transport="TCP")), tcp) == tcp
    other = Flow("udp", 0, "10.0.0.9", 6000)
    assert answer_flow(read(request("OPTIONS")), other) == SOURCE
    assert answer_flow(read(request("OPTIONS", via="10.0.0.9")), other).port == 5060
    assert answer_flow(read(request("OPTIONS", via="10.0.0.9:5080;rport")), other) == other


def test_headers_hold_no_line_end() -> None:
    """A-INJ."""
    assert header_lines((("X-Queue", "a\r\nVia: evil"),)) == "X-Queue: a  Via: evil\r\n"


def test_record_routes_are_copied() -> None:
    assert record_routes(read(request("INVITE"))) == ""
    routed = read(request("INVITE", headers=("Record-Route: <sip:a;lr>, <sip:b;lr>",)))
    assert record_routes(routed) == "Record-Route: <sip:a;lr>, <sip:b;lr>\r\n"
