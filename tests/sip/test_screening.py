import pytest

from sip.grammar import SipError
from sip.message import Request
from sip.parser import parse_message
from sip.screening import Unwelcome, check_accept, check_body, check_extensions
from tests.sip.scene import SDP, request


def made(*headers: str, body: bytes = b"", content_type: str = "application/sdp") -> Request:
    message = parse_message(request("INVITE", headers=headers, body=body, content_type=content_type))
    assert isinstance(message, Request)
    return message


def test_an_unknown_extension_is_named() -> None:
    """RFC 3261 8.2.2.3."""
    check_extensions(made("Require: timer"), {"timer"})
    with pytest.raises(Unwelcome) as caught:
        check_extensions(made("Require: timer, nothing"), {"timer"})
    assert (caught.value.status, caught.value.headers) == (420, "Unsupported: nothing\r\n")


def test_a_body_of_a_foreign_kind_is_refused_unless_it_is_optional() -> None:
    """RFC 3261 8.2.3."""
    check_body(made(body=SDP))
    check_body(made("Content-Disposition: render;handling=optional", body=b"<x/>", content_type="text/xml"))
    for status, message in (
        (415, made(body=b"<x/>", content_type="text/xml")),
        (415, made("Content-Encoding: gzip", body=SDP)),
        (406, made("Accept: text/plain")),
        (413, made(body=b"x" * 20_000)),
    ):
        with pytest.raises(SipError) as caught:
            check_body(message)
        assert caught.value.status == status


@pytest.mark.parametrize("accepted", ["application/sdp", "application/*", "text/plain, */*"])
def test_accept_may_be_wide(accepted: str) -> None:
    check_accept(made(f"Accept: {accepted}"), "application/sdp")
