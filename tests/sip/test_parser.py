"""The parser: framing, caps, strictness, and linear time on anything."""

import gc
import sys
from time import process_time
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernel.limits import SIP_ADDRESSES_MAX
from sip.grammar import SipError
from sip.message import Request, Response, build_response
from sip.negotiation import SdpSide
from sip.parser import KEEPALIVE, StreamParser, check_request, check_response, parse_message

INVITE = (
    b"INVITE sip:8001@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK1\r\n"
    b"From: <sip:a@b>;tag=1\r\nTo: <sip:8001@127.0.0.1>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n"
    b"Contact: <sip:a@b>\r\nMax-Forwards: 70\r\nContent-Length: 3\r\n\r\nabc"
)
BYE = INVITE.replace(b"INVITE", b"BYE").replace(b"abc", b"xyz")
RINGING = INVITE.replace(b"INVITE sip:8001@127.0.0.1:5060 SIP/2.0", b"SIP/2.0 180 Ringing")


def refusal(data: bytes) -> SipError:
    try:
        message = parse_message(data)
        if isinstance(message, Request):
            check_request(message)
        else:
            check_response(message)
    except SipError as error:
        return error
    raise AssertionError("it was accepted")


def swap(old: bytes, new: bytes) -> bytes:
    assert old in INVITE
    return INVITE.replace(old, new)


def test_request_and_response() -> None:
    request, response = parse_message(INVITE), parse_message(RINGING)
    assert isinstance(request, Request)
    assert isinstance(response, Response)
    check_request(request)
    check_response(response)
    assert (request.method, request.uri, request.version) == ("INVITE", "sip:8001@127.0.0.1:5060", "SIP/2.0")
    assert (response.status, response.reason, response.body) == (180, "Ringing", b"abc")


def test_leading_line_breaks_are_ignored() -> None:
    """RFC 3261 7.5."""
    assert parse_message(b"\r\n\r\n\r\n" + INVITE).body == b"abc"


def test_body_without_content_length_is_the_rest() -> None:
    """RFC 3261 18.3."""
    assert parse_message(swap(b"Content-Length: 3\r\n", b"")).body == b"abc"


def test_folded_lines_and_compact_names() -> None:
    message = parse_message(swap(b"Call-ID: c1", b"i :\r\n\t c1\r\n  "))
    assert message.call_id == "c1"


@pytest.mark.parametrize("line", ["Call-ID:c1", "i: c1 ", "CALL-ID :\tc1", "Call-ID:   c1\t", "call-id : c1"])
def test_blanks_around_a_colon_mean_nothing(line: str) -> None:
    message = parse_message(swap(b"Call-ID: c1", line.encode() + b"\r\nX-A:b: c"))
    assert (message.call_id, message.first["x-a"]) == ("c1", "b: c")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Length: 3", b"Length: 4"),
        (b"Length: 3", b"Length: -3"),
        (b"Length: 3", b"Length: +3"),
        (b"Length: 3", b"Length: 3 3"),
        (b"Length: 3", b"Length:"),
        (b"Length: 3", b"Length: " + b"9" * 5000),
        (b"Length: 3", b"Length: 3\r\nContent-Length: 3"),
        (b"Length: 3", b"Length: 3\r\nl: 2"),
        (b"Call-ID: c1", b"Call-ID: c1\nX: y"),
        (b"Call-ID: c1", b"Call-ID: c1\rX: y"),
        (b"Call-ID: c1", b"Call-ID: c1\0"),
        (b"Call-ID: c1", b"Call-ID: c1\r\nno colon here"),
        (b"Call-ID: c1", b"Call-ID: c1\r\nBad Name: x"),
        (b"Call-ID: c1", b"Call-ID: c1\r\n: x"),
        (b"Length: 3", b"Length: 3" + b"\r\nX: y" * 300),
        (b"Call-ID: c1", b"Call-ID: c1\r\nX: " + b"y" * 9000),
        (b"SIP/2.0\r", b"SIP/2.0 \r"),
        (b"SIP/2.0\r", b"HTTP/1.1\r"),
        (b"INVITE sip", b"INVITE  sip"),
        (b"INVITE sip", b"INV(TE sip"),
    ],
)
def test_doubt_about_the_frame_is_400_and_can_be_answered(old: bytes, new: bytes) -> None:
    """A-SMUG: one policy; what is echoed holds no break."""
    error = refusal(swap(old, new))
    assert error.status == 400
    assert error.salvaged is not None
    answer = build_response(error.salvaged, 400, received=("127.0.0.1", 5061))
    assert (parse_message(answer).header("call-id") or "").startswith("c1")
    assert answer.count(b"\n") == answer.count(b"\r") == answer.count(b"\r\n")


def test_missing_end_of_headers() -> None:
    """It is answered 400 all the same: what can be read of it says where to."""
    error = refusal(INVITE.partition(b"\r\n\r\n")[0] + b"\r\n")
    assert error.salvaged is not None
    assert (error.status, error.salvaged.method, error.salvaged.cseq) == (400, "INVITE", (1, "INVITE"))


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 40, b"\r\n\r\n", b"x", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x80" * 99]
)
def test_no_message_is_not_answered(data: bytes) -> None:
    assert refusal(data).salvaged is None


def test_larger_than_a_datagram_is_513() -> None:
    assert refusal(INVITE + b"x" * 65536).status == 513


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia", 505),
        (b"1 INVITE", b"1 BYE", 400),
        (b"1 INVITE", b"2147483648 INVITE", 400),
        (b"CSeq: 1 INVITE\r\n", b"", 400),
        (b"Call-ID: c1\r\n", b"", 400),
        (b"Call-ID: c1", b"Call-ID: c1 c2", 400),
        (b"Call-ID: c1", b"Call-ID: c1\r\ni: c2", 400),
        (b"From: ", b"f: <sip:x@y>;tag=2\r\nFrom: ", 400),
        (b";tag=1", b";tag=1;tag=2", 400),
        (b"Forwards: 70", b"Forwards: 256", 400),
        (b"Forwards: 70", b"Forwards: -1", 400),
        (b"Forwards: 70", b"Forwards: x", 400),
        (b"sip:8001@127.0.0.1:5060 ", b"http://x ", 416),
        (b"sip:8001@127.0.0.1:5060 ", b"sip:8001@127.0.0.1:99999 ", 400),
        (b"sip:8001@127.0.0.1:5060 ", b"sip:8001@h?Route=%3Csip:evil%3E ", 400),
        (b"sip:8001@127.0.0.1:5060 ", b"8001 ", 400),
        (b"Contact: <sip:a@b>", b"Contact: <sip:a@b", 400),
        (b"SIP/2.0/UDP 127", b"SIP/2.0/UDP;127", 400),
        (b"Via: ", b"X: ", 400),
        (b"Via: ", b"Via: SIP/2.0/UDP h\r\n" * 80 + b"Via: ", 400),
        (b"Via: ", b"Via: " + b"SIP/2.0/UDP h," * 80, 400),
    ],
)
def test_what_must_not_be_acted_on_is_refused(old: bytes, new: bytes, status: int) -> None:
    """RFC 3261 8.1.1, 8.2.2, 16.3."""
    assert refusal(swap(old, new)).status == status


def test_max_forwards_absent_counts_as_70() -> None:
    message = parse_message(swap(b"Max-Forwards: 70\r\n", b""))
    assert isinstance(message, Request)
    check_request(message)
    assert message.max_forwards == 70


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"180", b"99"),
        (b"180", b"700"),
        (b"180", b"4294967301"),
        (b"180 Ringing", b"Ringing"),
        (b"SIP/2.0 180", b"SIP/7.0 180"),
        (b"CSeq: 1", b"CSeq: 9292394834772304023312"),
        (b"branch=z9hG4bK1", b"branch=z9hG4bK1,SIP/2.0/UDP other"),
    ],
)
def test_response_to_be_dropped(old: bytes, new: bytes) -> None:
    error = refusal(RINGING.replace(old, new))
    assert error.salvaged is None


def test_stream_of_two_in_any_pieces() -> None:
    """RFC 3261 18.3: Content-Length says where a message ends."""
    stream = INVITE + BYE + RINGING
    for size in (1, 2, 7, 100, len(stream)):
        parser = StreamParser()
        found = [m for at in range(0, len(stream), size) for m in parser.feed(stream[at : at + size])]
        assert [type(m) for m in found] == [Request, Request, Response]
        assert [m.body for m in found if isinstance(m, Request | Response)] == [b"abc", b"xyz", b"abc"]
        assert not parser.broken


def test_keepalive_between_messages() -> None:
    """RFC 5626 4.4.1: a double CRLF is a ping; a single one is the answer to ours, or nothing."""
    parser = StreamParser()
    assert parser.feed(b"\r\n\r\n") == [KEEPALIVE]
    assert parser.feed(b"\r\n") == []
    assert parser.feed(b"\r\n") == [KEEPALIVE]
    assert parser.feed(b"\r") == []
    assert [type(found) for found in parser.feed(b"\n" + INVITE)] == [Request]
    assert parser.feed(b"\r\n" * 30000) == [KEEPALIVE]
    assert (repr(KEEPALIVE), parser.broken) == ("KEEPALIVE", False)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (swap(b"Content-Length: 3\r\n", b""), 400),
        (swap(b"Length: 3", b"Length: 3\r\nl: 3"), 400),
        (swap(b"Length: 3", b"Length: 70000"), 513),
        (swap(b"Call-ID: c1", b"Call-ID: c1\nX: y"), 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"x" * 70_000, 513),
        (b"INVITE sip:a@b SIP/2.0\r\n" + b"X: y\r\n" * 20_000, 513),
    ],
)
def test_doubt_breaks_a_stream(data: bytes, status: int) -> None:
    """A-SMUG: nothing behind the doubt is believed."""
    parser = StreamParser()
    *before, error = parser.feed(INVITE + data + BYE)
    assert isinstance(error, SipError)
    assert (len(before), error.status, parser.broken) == (1, status, True)
    assert parser.feed(BYE) == []


def test_more_addresses_than_anybody_has_are_not_split() -> None:
    """Caps are applied before splitting: 400, in whatever lines they stand; the most are read."""
    most = b",".join([b"<sip:a@b>"] * SIP_ADDRESSES_MAX)
    for over in (most + b",<sip:a@b>", most + b"\r\nContact: <sip:a@b>"):
        request = parse_message(swap(b"<sip:a@b>\r\nMax", over + b"\r\nMax"))
        assert isinstance(request, Request)
        with pytest.raises(SipError, match="400 Too Many Addresses"):
            check_request(request)
    request = parse_message(swap(b"<sip:a@b>\r\nMax", most + b"\r\nMax"))
    assert isinstance(request, Request)
    check_request(request)
    assert len(request.contacts) == SIP_ADDRESSES_MAX


def test_a_broken_stream_leaves_no_garbage() -> None:
    """Found by a soak: the error told held the frames that had raised it, and they held the error."""
    data = INVITE + swap(b"Length: 3", b"Length: y") + BYE
    gc.collect()
    gc.disable()
    try:
        StreamParser().feed(data)
        assert gc.collect() == 0
    finally:
        gc.enable()


def everything(data: bytes) -> None:
    """Do with ``data`` whatever the floors above do with a message."""
    parsers = StreamParser()
    parsers.feed(data)
    try:
        message = parse_message(data)
        for name in ("vias", "contacts", "routes", "record_routes", "from_", "to", "header_lines"):
            try:
                getattr(message, name)
            except SipError:
                continue
        if isinstance(message, Request):
            build_response(message, 200, to_tag="t", received=("192.0.2.1", 5))
            check_request(message)
            SdpSide().answer(message.body, "127.0.0.1", 40000, ("PCMU",))
        else:
            check_response(message)
    except SipError as error:
        if error.salvaged is not None:
            build_response(error.salvaged, error.status, to_tag="t", received=("192.0.2.1", 5))


@settings(max_examples=300)
@given(st.binary(max_size=400))
@example(b"SIP/2.0 200\r\n\r\n")
def test_only_sip_errors_on_arbitrary_bytes(data: bytes) -> None:
    everything(data)


PIECES = [INVITE[at : at + 9] for at in range(0, len(INVITE), 9)]
JUNK = [
    b"\r\n",
    b"\r\n ",
    b",",
    b";",
    b'"',
    b"<",
    b">",
    b"\0",
    b"\xff",
    b":",
    b"\\",
    b"%",
    b"[",
    b"]",
    b"=",
    b" ",
    b"9",
]


@settings(max_examples=400)
@given(st.lists(st.tuples(st.integers(0, len(INVITE)), st.sampled_from(JUNK), st.integers(0, 3)), max_size=8))
def test_only_sip_errors_on_a_damaged_invite(damage: list[tuple[int, bytes, int]]) -> None:
    data = INVITE
    for at, junk, cut in damage:
        data = data[:at] + junk + data[at + cut :]
    everything(data)


SIZE = 60_000


@pytest.mark.parametrize(
    ("name", "filling"),
    [
        ("User-Agent", b"(" * SIZE),
        ("To", b'"' * SIZE),
        ("To", b'"' + b"\\" * SIZE),
        ("To", b'"\\"' * (SIZE // 3)),
        ("Contact", b"," * SIZE),
        ("Contact", b"<sip:a@b>," * (SIZE // 10)),
        ("Contact", b'"' + b"," * SIZE),
        ("Contact", b'"a,b" <sip:a@b>,' * (SIZE // 16)),
        ("Contact", b"<sip:a@b>" + b"".join(b';p%d="a;b"' % number for number in range(SIZE // 12))),
        ("Require", b",".join(b'p%d="x"' % number for number in range(SIZE // 11))),
        ("Route", b"<" * SIZE),
        ("From", b"<sip:a@b>" + b";a" * (SIZE // 2)),
        ("From", b"<sip:a@b>" + b";" * SIZE),
        ("Via", b"SIP/2.0/UDP h" + b";" * SIZE),
        ("Via", b"SIP/2.0/UDP h," * (SIZE // 14)),
        ("Call-ID", b"\r\n x" * (SIZE // 4)),
        ("Call-ID", b"\r\n " * (SIZE // 3)),
        ("Call-ID", b"\r\n" * (SIZE // 2)),
        ("CSeq", b"9" * SIZE),
        ("CSeq", b" " * SIZE),
        ("Expires", b"9" * SIZE),
        ("X", b"a\r\nX:" * (SIZE // 6)),
        ("X", b"\r" * SIZE),
        ("X", b"\xff" * SIZE),
        ("Content-Length", b"0" * SIZE),
    ],
)
def test_work_is_linear_up_to_the_largest_datagram(name: str, filling: bytes) -> None:
    """Four times the worst in one line, in lines and in one huge line is at most six times the steps, and in
    the time is no square: that would be sixteen times.
    """
    header = name.encode() + b": "
    for small, large in (
        (header + filling[:2_000], header + filling[:8_000]),
        (in_lines(header, filling[:15_000]), in_lines(header, filling)),
        (header + filling[:15_000], header + filling),
    ):
        pair = [swap(b"Max-Forwards: 70", lines)[:65_535] for lines in (small, large)]
        few, many = [steps(data) for data in pair]
        assert many <= 6 * few, f"{few} and {many} steps"
        if not any(is_no_square(*pair) for _ in range(5)):
            pytest.fail("the time grows with the square of the length")


def in_lines(header: bytes, filling: bytes) -> bytes:
    return b"\r\n".join(header + filling[at : at + 8000] for at in range(0, len(filling), 8000))


def steps(data: bytes) -> int:
    """Return how many lines of the product are walked to do everything with ``data``."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        everything(data)
    finally:
        sys.settrace(before)
    return count


def is_no_square(small: bytes, large: bytes) -> bool:
    """Say whether the best of some runs took less than ten times longer; a busy machine is tried again."""
    return min(timed(large) for _ in range(3)) < 10 * min(timed(small) for _ in range(3))


def timed(data: bytes) -> float:
    begun = process_time()
    everything(data)
    return process_time() - begun


def test_a_stream_says_whether_a_message_has_begun() -> None:
    """A-FLOOD2: what is amid for long is closed by the shell; a keepalive, or half of one, is nothing."""
    parser = StreamParser()
    whole = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nab"
    for pieces, count, is_amid in (
        (b"\r\n\r", 0, False),
        (b"\n", 0, False),
        (whole[:10], 0, True),
        (whole[10:-1], 0, True),
        (whole[-1:], 1, False),
        (whole, 2, False),
    ):
        parser.feed(pieces)
        assert (parser.count, parser.is_amid) == (count, is_amid)
