"""What holds for every message: read, written and read again it is the same; a stream may be cut anywhere."""

import string
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sip.address import build_address, parse_address
from sip.grammar import quote
from sip.message import Request, Response, build_request, build_response
from sip.parser import StreamParser, check_request, check_response, parse_message
from tests.fuzz.targets import TARGETS, said, seeds

TOKENS = st.text(string.ascii_letters + string.digits + "-.!%*_+`'~", min_size=1, max_size=20)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=("Cs",)), max_size=40
).map(lambda text: text.strip(" \t"))
QUOTED = TEXTS.map(quote)
NAMES = st.from_regex(r"X-[A-Za-z0-9-]{1,12}", fullmatch=True)
BODIES = st.binary(max_size=200)
USERS = st.from_regex(r"[A-Za-z0-9._+-]{1,12}", fullmatch=True)


@given(
    method=st.sampled_from(["INVITE", "REGISTER", "OPTIONS", "NOTIFY", "FOO.bar"]),
    user=USERS,
    display=TEXTS,
    tag=TOKENS,
    call_id=TOKENS,
    cseq=st.integers(0, 2**31 - 1),
    headers=st.lists(st.tuples(NAMES, TEXTS), max_size=6),
    body=BODIES,
)
def test_what_is_built_is_read_as_it_was_meant(
    method: str,
    user: str,
    display: str,
    tag: str,
    call_id: str,
    cseq: int,
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    """Parse(build(x)) is x, and building an answer to it and reading that loses nothing either."""
    data = build_request(
        method,
        f"sip:{user}@192.0.2.1",
        via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx;rport",
        from_=build_address(f"sip:{user}@192.0.2.9", display, tag=tag),
        to=f"<sip:{user}@192.0.2.1>",
        call_id=call_id,
        cseq=cseq,
        headers=headers,
        body=body,
    )
    found = parse_message(data)
    assert isinstance(found, Request)
    check_request(found)
    assert (found.method, found.from_.display, found.from_tag) == (method, display, tag)
    assert (found.call_id, found.cseq, found.body) == (call_id, (cseq, method), body)
    wanted = [(name.lower(), value) for name, value in headers]
    assert [pair for pair in [(n.lower(), v) for n, v in found.header_lines] if pair[0][:2] == "x-"] == wanted
    answer = parse_message(build_response(found, 200, to_tag="t2", received=("192.0.2.9", 7)))
    assert isinstance(answer, Response)
    check_response(answer)
    assert (answer.from_tag, answer.to_tag, answer.call_id, answer.cseq) == (
        tag,
        "t2",
        call_id,
        (cseq, method),
    )
    assert (answer.via.rport, answer.via.received) == ("7", "192.0.2.9")


@given(
    display=TEXTS,
    user=USERS,
    params=st.dictionaries(TOKENS.map(str.lower), st.one_of(st.just(""), TOKENS, QUOTED), max_size=5),
)
def test_an_address_is_read_as_it_was_written(display: str, user: str, params: dict[str, str]) -> None:
    read = parse_address(build_address(f"sip:{user}@h", display, params))
    assert (read.display, read.uri, read.params) == (display, f"sip:{user}@h", params)
    assert str(parse_address(str(read))) == str(read)


@given(
    messages=st.lists(st.sampled_from(seeds("stream")), min_size=1, max_size=4),
    between=st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n"]),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
)
def test_a_stream_says_the_same_wherever_it_is_cut(
    messages: list[bytes], between: bytes, cuts: list[int]
) -> None:
    """RFC 3261 18.3: TCP knows no messages; only Content-Length does."""
    data = between.join(messages)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    whole, pieces = StreamParser(), StreamParser()
    at_once = whole.feed(data)
    in_pieces = [one for begin, end in pairwise(edges) for one in pieces.feed(data[begin:end])]
    assert said(in_pieces) == said(at_once)
    assert pieces.broken == whole.broken


@given(size=st.integers(1, 50), name=st.sampled_from(["message", "stream", "sdp", "address", "digest"]))
def test_any_beginning_of_a_good_input_is_taken_or_refused(size: int, name: str) -> None:
    """What the network cut off is no bug of ours."""
    for seed in seeds(name):
        TARGETS[name](seed[: len(seed) * size // 50])
