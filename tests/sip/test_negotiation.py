"""Offers and answers (RFC 3264); checklist row S01 and attack A-SDP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.grammar import SipError
from sip.negotiation import CODECS, AudioAgreement, SdpSide
from sip.sdp import parse_sdp

CODEC_NAMES = ("PCMU", "PCMA")
DIRECTIONS = ["sendrecv", "sendonly", "recvonly", "inactive"]


def sdp(
    *media: str, host: str = "192.0.2.9", attributes: str = "", version: int = 1, time: str = "0 0"
) -> bytes:
    lines = "\r\n".join(media or ("m=audio 6000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000"))
    family = "IP6" if ":" in host else "IP4"
    return (
        f"v=0\r\no=them 7 {version} IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt={time}\r\n"
        f"{attributes}{lines}\r\n"
    ).encode()


def answered(offer: bytes, *, direction: str | None = None, side: SdpSide | None = None) -> AudioAgreement:
    side = side or SdpSide()
    return side.answer(offer, "127.0.0.1", 40000, CODEC_NAMES, direction=direction)[1]


def refused(offer: bytes) -> int:
    with pytest.raises(SipError) as caught:
        answered(offer)
    return caught.value.status


def version(body: bytes) -> str:
    return parse_sdp(body).origin.split()[2]


def test_offer_in_full() -> None:
    assert SdpSide().offer("127.0.0.1", 40000, CODEC_NAMES) == (
        b"v=0\r\no=- 40000 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        b"m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def test_what_one_session_agrees_on_leaves_the_first_offer_of_another_as_it_was() -> None:
    before = SdpSide().offer("127.0.0.1", 40000, CODEC_NAMES)
    one = SdpSide()
    one.offer("127.0.0.1", 40000, CODEC_NAMES)
    event = ("m=audio 6000 RTP/AVP 8 110", "a=rtpmap:110 telephone-event/8000")
    assert one.accept(sdp(*event)).dtmf_receive == 101
    assert answered(sdp(*event), side=one).dtmf_receive == 110
    assert b"a=rtpmap:110 telephone-event" in one.offer("127.0.0.1", 40000, CODEC_NAMES)
    assert SdpSide().offer("127.0.0.1", 40000, CODEC_NAMES) == before


def test_offer_without_dtmf_over_ipv6() -> None:
    offer = SdpSide(99).offer("2001:db8::1", 40000, ("opus",), direction="sendonly", dtmf=None)
    session = parse_sdp(offer)
    assert session.origin == "- 99 1 IN IP6 2001:db8::1"
    assert (session.media[0].formats, session.media[0].encoding("111")) == (["111"], "opus/48000/2")
    assert session.direction_of(session.media[0]) == "sendonly"


def test_two_sides_agree() -> None:
    caller, called = SdpSide(), SdpSide()
    offer = caller.offer("127.0.0.1", 40000, CODEC_NAMES)
    answer, theirs = called.answer(offer, "127.0.0.2", 50000, ("PCMA",))
    ours = caller.accept(answer)
    assert ours == AudioAgreement("127.0.0.2", 50000, "PCMA", 8, 8, 101, 101, 20, "sendrecv")
    assert theirs == AudioAgreement("127.0.0.1", 40000, "PCMA", 8, 8, 101, 101, 20, "sendrecv")


def test_our_order_of_codecs_wins_in_an_answer() -> None:
    answer, agreement = SdpSide().answer(sdp(), "127.0.0.1", 40000, ("PCMA", "PCMU"))
    assert (agreement.codec, parse_sdp(answer).media[0].formats) == ("PCMA", ["8", "101"])


def test_payload_types_are_the_offerers_in_an_answer() -> None:
    """S01: RFC 3264 6.1: what they named is what both use."""
    offer = sdp("m=audio 6000 RTP/AVP 97 98", "a=rtpmap:97 pcma/8000/1", "a=rtpmap:98 telephone-event/8000")
    agreement = answered(offer)
    assert (agreement.codec, agreement.payload_type, agreement.payload_type_receive) == ("PCMA", 97, 97)
    assert (agreement.dtmf_send, agreement.dtmf_receive) == (98, 98)


def test_payload_types_differ_by_direction_when_the_answer_says_so() -> None:
    """S01."""
    side = SdpSide()
    side.offer("127.0.0.1", 40000, CODEC_NAMES)
    answer = sdp("m=audio 6000 RTP/AVP 108 97", "a=rtpmap:108 PCMA/8000", "a=rtpmap:97 telephone-event/8000")
    agreement = side.accept(answer)
    assert (agreement.codec, agreement.payload_type, agreement.payload_type_receive) == ("PCMA", 108, 8)
    assert (agreement.dtmf_send, agreement.dtmf_receive) == (97, 101)


def test_numbers_once_agreed_keep_their_meaning() -> None:
    """S01: RFC 3264 8.3.2: we offer again with their numbers, and never theirs for something else."""
    side = SdpSide()
    answered(
        sdp("m=audio 6000 RTP/AVP 101 111", "a=rtpmap:101 PCMA/8000", "a=rtpmap:111 telephone-event/8000"),
        side=side,
    )
    audio = parse_sdp(side.offer("127.0.0.1", 40000, ("PCMA", "PCMU", "OPUS"))).media[0]
    assert audio.formats == ["101", "0", "96", "111"]
    assert (audio.encoding("101"), audio.encoding("96")) == ("PCMA/8000", "opus/48000/2")


def test_phone_with_an_event_type_per_rate_is_sent_that_of_its_codec() -> None:
    """pjsua2 offers 120 for 16 kHz, 121 for 8 kHz and 122 for 32 kHz; ours for the other side stays 101."""
    offer = sdp(
        "m=audio 6000 RTP/AVP 96 0 120 121 122",
        "a=rtpmap:96 speex/16000",
        "a=rtpmap:120 telephone-event/16000",
        "a=rtpmap:121 telephone-event/8000",
        "a=rtpmap:122 telephone-event/32000",
    )
    here, other = answered(offer), SdpSide()
    assert (here.payload_type, here.dtmf_send, here.dtmf_receive) == (0, 121, 121)
    other.offer("127.0.0.1", 40002, CODEC_NAMES)
    there = other.accept(sdp("m=audio 6002 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000"))
    assert (there.payload_type, there.dtmf_send, there.dtmf_receive) == (0, 101, 101)


def test_without_telephone_event_there_is_none() -> None:
    offer = sdp("m=audio 6000 RTP/AVP 0")
    answer, agreement = SdpSide().answer(offer, "127.0.0.1", 40000, CODEC_NAMES)
    assert (agreement.dtmf_send, agreement.dtmf_receive) == (None, None)
    assert b"telephone-event" not in answer
    side = SdpSide()
    side.offer("127.0.0.1", 40000, CODEC_NAMES)
    assert side.accept(offer).dtmf_receive is None


@pytest.mark.parametrize(
    ("theirs", "wanted", "ours"),
    [
        ("sendrecv", None, "sendrecv"),
        ("sendonly", None, "recvonly"),
        ("recvonly", None, "sendonly"),
        ("inactive", None, "inactive"),
        ("sendrecv", "sendonly", "sendonly"),
        ("sendonly", "sendonly", "inactive"),
        ("recvonly", "sendrecv", "sendonly"),
        ("inactive", "sendrecv", "inactive"),
    ],
)
def test_direction_is_mirrored_and_narrowed(theirs: str, wanted: str | None, ours: str) -> None:
    """S01: RFC 3264 6.1: hold by sendonly and inactive."""
    offer = sdp("m=audio 6000 RTP/AVP 0", "a=" + theirs)
    answer, agreement = SdpSide().answer(offer, "127.0.0.1", 40000, CODEC_NAMES, direction=wanted)
    session = parse_sdp(answer)
    assert (agreement.direction, session.direction_of(session.media[0])) == (ours, ours)


def test_hold_by_0_0_0_0() -> None:
    """S01: RFC 3264 8.4: they want to hear nothing; a session direction of theirs counts too."""
    agreement = answered(sdp(host="0.0.0.0"))
    assert (agreement.direction, agreement.remote_host) == ("recvonly", "0.0.0.0")
    assert answered(sdp(host="0.0.0.0", attributes="a=recvonly\r\n")).direction == "inactive"
    assert answered(sdp(attributes="a=sendonly\r\n")).direction == "recvonly"


def test_lines_keep_count_and_order() -> None:
    """S01: RFC 3264 6: a line we do not serve stays with port 0, in the answer and in what we offer later."""
    side = SdpSide()
    offer = sdp("m=video 5000 RTP/AVP 31", "m=audio 6000 RTP/AVP 0", "m=audio 6002 RTP/AVP 8", time="5 6")
    answer, agreement = side.answer(offer, "127.0.0.1", 40000, CODEC_NAMES)
    session = parse_sdp(answer)
    assert [(media.kind, media.port) for media in session.media] == [
        ("video", 0),
        ("audio", 40000),
        ("audio", 0),
    ]
    assert (agreement.m_line, agreement.remote_port, session.time) == (1, 6000, "5 6")
    later = parse_sdp(side.offer("127.0.0.1", 40000, CODEC_NAMES))
    assert [(media.kind, media.port) for media in later.media] == [
        ("video", 0),
        ("audio", 40000),
        ("audio", 0),
    ]
    assert (
        side.accept(sdp("m=video 0 RTP/AVP 31", "m=audio 7000 RTP/AVP 0", "m=audio 0 RTP/AVP 8")).m_line == 1
    )


def test_a_line_that_is_off_or_of_another_kind_is_passed_over() -> None:
    offer = sdp("m=audio 0 RTP/AVP 0", "m=audio 6000 RTP/SAVP 0", "m=audio 6002 RTP/AVPF 8")
    answer, agreement = SdpSide().answer(offer, "127.0.0.1", 40000, CODEC_NAMES)
    assert (agreement.m_line, agreement.codec) == (2, "PCMA")
    assert parse_sdp(answer).media[2].proto == "RTP/AVPF"


@pytest.mark.parametrize(
    "offer",
    [
        sdp("m=video 5000 RTP/AVP 31"),
        sdp("m=audio 0 RTP/AVP 0"),
        sdp("m=audio 6000 RTP/SAVP 0"),
        sdp("m=audio 6000 RTP/AVP 18 101"),
        sdp("m=audio 6000 RTP/AVP 0", "a=rtpmap:0 PCMU/16000"),
        sdp(host="224.0.0.5"),
        sdp(host="255.255.255.255"),
        sdp(host="phone.example.com"),
        sdp("m=audio 40000 RTP/AVP 0", host="127.0.0.1"),
    ],
)
def test_what_we_cannot_take_is_488(offer: bytes) -> None:
    """No audio, no codec of ours, or an address that nobody should send to (A-SDP)."""
    assert refused(offer) == 488


@pytest.mark.parametrize(
    "offer",
    [
        b"",
        sdp("m=audio 6000 RTP/AVP 999", "a=rtpmap:999 PCMU/8000"),
        sdp("m=audio 6000 RTP/AVP x", "a=rtpmap:x PCMU/8000"),
        sdp().replace(b"c=IN IP4 192.0.2.9\r\n", b""),
    ],
)
def test_what_is_broken_is_400(offer: bytes) -> None:
    assert refused(offer) == 400


@pytest.mark.parametrize(
    "answer",
    [
        sdp("m=audio 0 RTP/AVP 0"),
        sdp("m=video 6000 RTP/AVP 31"),
        sdp("m=audio 6000 RTP/AVP 9"),
        sdp("m=audio 6000 RTP/AVP 0", "m=video 0 RTP/AVP 31"),
        sdp(host="239.1.1.1"),
    ],
)
def test_answer_that_does_not_answer_is_488(answer: bytes) -> None:
    side = SdpSide()
    side.offer("127.0.0.1", 40000, CODEC_NAMES)
    with pytest.raises(SipError, match="488"):
        side.accept(answer)


def test_answer_without_an_offer_is_488() -> None:
    with pytest.raises(SipError, match="488"):
        SdpSide().accept(sdp())


def test_version_rises_by_one_exactly_on_change() -> None:
    """S01: RFC 3264 8."""
    side = SdpSide()
    bodies = [side.offer("127.0.0.1", 40000, CODEC_NAMES) for _ in range(2)]
    bodies.append(side.offer("127.0.0.1", 40000, CODEC_NAMES, direction="sendonly"))
    bodies.append(side.answer(sdp(), "127.0.0.1", 40000, CODEC_NAMES)[0])
    bodies.append(side.answer(sdp(version=2), "127.0.0.1", 40000, CODEC_NAMES)[0])
    assert [version(body) for body in bodies] == ["1", "1", "2", "3", "3"]
    assert {parse_sdp(body).origin.split()[1] for body in bodies} == {"40000"}


def test_refused_offer_leaves_the_side_as_it_was() -> None:
    side = SdpSide()
    first = side.answer(sdp(), "127.0.0.1", 40000, CODEC_NAMES)[0]
    for broken in (b"", sdp("m=video 1 RTP/AVP 31"), sdp("m=video 1 RTP/AVP 31", "m=audio 6000 RTP/AVP 9")):
        with pytest.raises(SipError):
            side.answer(broken, "127.0.0.1", 40000, CODEC_NAMES)
    assert side.answer(sdp(), "127.0.0.1", 40000, CODEC_NAMES)[0] == first


@pytest.mark.parametrize(("said", "taken"), [("30", 30), ("20.0", 20), ("0", 20), ("17", 20), ("5000", 20)])
def test_ptime(said: str, taken: int) -> None:
    """S01."""
    assert answered(sdp("m=audio 6000 RTP/AVP 0", "a=ptime:" + said)).ptime_ms == taken


@given(
    st.sampled_from(DIRECTIONS),
    st.sampled_from(DIRECTIONS),
    st.lists(st.sampled_from(sorted(CODECS)), min_size=1, unique=True),
    st.lists(st.sampled_from(sorted(CODECS)), min_size=1, unique=True),
    st.sampled_from([None, 96, 101]),
)
def test_any_two_sides_agree_on_the_same_thing(
    offered: str, wanted: str, ours: list[str], theirs: list[str], dtmf: int | None
) -> None:
    caller, called = SdpSide(), SdpSide()
    offer = caller.offer("127.0.0.1", 40000, ours, direction=offered, dtmf=dtmf)
    common = [name for name in theirs if name in ours]
    if not common:
        with pytest.raises(SipError, match="488"):
            called.answer(offer, "127.0.0.2", 50000, theirs)
        return
    answer, there = called.answer(offer, "127.0.0.2", 50000, theirs, direction=wanted)
    here = caller.accept(answer)
    assert here.codec == there.codec == common[0]
    assert (here.payload_type, here.dtmf_send) == (there.payload_type_receive, there.dtmf_receive)
    sends, hears = {"sendrecv", "sendonly"}, {"sendrecv", "recvonly"}
    assert (here.direction in sends) == (there.direction in hears) == (offered in sends and wanted in hears)
    assert (here.direction in hears) == (there.direction in sends) == (offered in hears and wanted in sends)


def test_what_we_answered_counts_as_offered_when_a_refresh_repeats_it() -> None:
    """RFC 4028 7.4: the 2xx to a refresh may name another address."""
    side = SdpSide()
    side.answer(sdp(), "127.0.0.1", 40000, ("PCMA", "PCMU"))
    moved = sdp("m=audio 7700 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000")
    agreement = side.accept(moved)
    assert (agreement.remote_port, agreement.codec, agreement.dtmf_receive) == (7700, "PCMA", 101)
