"""Transaction keys (RFC 3261 17.1.3, 17.2.3)."""

import pytest

from sip.branches import client_key, client_key_of, has_cookie, merge_key, server_key
from sip.message import Request, Response, build_response
from sip.parser import parse_message


def request(
    method: str = "INVITE",
    *,
    branch: str = "z9hG4bKabc",
    sent_by: str = "h:5060",
    to_tag: str = "",
    call_id: str = "c1",
    cseq: int = 1,
) -> Request:
    to = "<sip:c@d>" + (f";tag={to_tag}" if to_tag else "")
    message = parse_message(
        f"{method} sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP {sent_by};branch={branch}\r\nFrom: <sip:a@b>;tag=f\r\n"
        f"To: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\r\n".encode()
    )
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize("branch", ["z9hG4bKabc", "old", "z9hG4bK"])
def test_retransmission_ack_and_cancel_find_their_transaction(branch: str) -> None:
    """T14: also without the magic cookie, and with the cookie alone (RFC 4475 3.2.1)."""
    invite = server_key(request(branch=branch))
    assert server_key(request(branch=branch)) == invite
    assert server_key(request("ACK", branch=branch, to_tag="ours")) == invite
    assert server_key(request("CANCEL", branch=branch)) != invite
    assert server_key(request("CANCEL", branch=branch), "INVITE") == invite


@pytest.mark.parametrize("branch", ["z9hG4bKabc", "old"])
def test_what_differs_is_another_transaction(branch: str) -> None:
    keys = {
        server_key(request(branch=branch)),
        server_key(request("OPTIONS", branch=branch)),
        server_key(request(branch=branch + "d")),
        server_key(request(branch=branch, sent_by="i:5060")),
        server_key(request(branch=branch, sent_by="h")),
    }
    assert len(keys) == 5
    others = {server_key(request(branch=branch, call_id="c2")), server_key(request(branch=branch, cseq=2))}
    assert (others == {server_key(request(branch=branch))}) is has_cookie(branch)


def test_cookie() -> None:
    assert [has_cookie(branch) for branch in ("z9hG4bKx", "Z9HG4BKx", "z9hG4bK", "x", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_merged_requests_share_a_key() -> None:
    """T15."""
    assert merge_key(request(branch="z9hG4bK1")) == merge_key(request(branch="z9hG4bK2"))
    assert merge_key(request()) != merge_key(request(cseq=2))


def test_response_finds_the_request_it_answers() -> None:
    response = parse_message(build_response(request("CANCEL"), 200, received=("192.0.2.1", 5)))
    assert isinstance(response, Response)
    assert client_key(response) == client_key_of("z9hG4bKabc", "CANCEL")
    assert client_key(response) != client_key_of("z9hG4bKabc", "INVITE")
