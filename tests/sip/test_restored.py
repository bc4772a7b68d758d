"""What is kept of an INVITE is the INVITE."""

from sip.message import Request
from sip.parser import parse_message
from sip.restored import request_bytes

INVITE = (
    b"INVITE sip:96198@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1\r\n"
    b"From: <sip:1390@127.0.0.1>;tag=a\r\nTo: <sip:96198@127.0.0.1>\r\nCall-ID: c@h\r\nCSeq: 1 INVITE\r\n"
    b"Content-Length: 4\r\n\r\nv=0\n"
)


def test_request_is_kept_as_it_was_on_the_wire() -> None:
    request = parse_message(INVITE)
    assert isinstance(request, Request)
    assert request_bytes(request) == INVITE
