"""Attempts: CANCEL and ACK repeat what the INVITE said."""

from sip.attempt import Attempt
from sip.message import Request
from sip.parser import parse_message
from sip.places import Places
from tests.sip.scene import OURS, settings


def test_cancel_and_ack_repeat_the_invite() -> None:
    """RFC 3261 9.1, 17.1.1.3."""
    place = Places(settings())[0]
    route = "Route: <sip:10.0.0.50;lr>\r\n"
    attempt = Attempt("sip:a@b", place, "z9hG4bKx", "<sip:c@d>;tag=1", "<sip:a@b>", "id", 7, route, OURS)
    invite, cancel = parse_message(attempt.invite("X: y\r\n")), parse_message(attempt.cancel("Reason: z\r\n"))
    assert isinstance(invite, Request)
    assert isinstance(cancel, Request)
    assert invite.body == OURS
    assert cancel.body == b""
    assert (invite.cseq, cancel.cseq) == ((7, "INVITE"), (7, "CANCEL"))
    assert cancel.uri == invite.uri
    for name in ("via", "from", "to", "call-id", "route"):
        assert cancel.headers(name) == invite.headers(name)
    assert cancel.header("reason") == "z"
    refusal = parse_message(b"SIP/2.0 486 Busy\r\nTo: <sip:a@b>;tag=theirs\r\n\r\n")
    assert b"To: <sip:a@b>;tag=theirs\r\n" in attempt.ack_failure(refusal)
