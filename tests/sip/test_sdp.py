"""SDP as data (RFC 8866)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sip.grammar import SipError
from sip.negotiation import SdpSide
from sip.sdp import _KNOWN_MAX, Descriptions, is_unspecified, parse_sdp, sendable_host

HEAD = b"v=0\r\no=u 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
AUDIO = (
    b"m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    b"a=ptime:30\r\na=sendonly\r\n"
)


def test_everything_an_answer_needs() -> None:
    session = parse_sdp(HEAD + AUDIO + b"m=video 0 RTP/AVP 31\r\nc=IN IP6 ::1\r\n")
    audio, video = session.media
    assert (session.origin, session.connection, session.time) == (
        "u 1 2 IN IP4 192.0.2.1",
        "192.0.2.1",
        "0 0",
    )
    assert (audio.kind, audio.port, audio.proto, audio.formats) == (
        "audio",
        6000,
        "RTP/AVP",
        ["0", "8", "101"],
    )
    assert (audio.encoding("0"), audio.encoding("101"), audio.encoding("96")) == (
        "PCMU/8000",
        "telephone-event/8000",
        "",
    )
    assert (audio.fmtp, audio.ptime, session.direction_of(audio)) == ({"101": "0-15"}, 30, "sendonly")
    assert (video.port, session.host_of(video), session.direction_of(video)) == (0, "::1", "sendrecv")
    assert session.host_of(audio) == "192.0.2.1"


def test_direction_of_the_session_holds_where_a_line_says_nothing() -> None:
    session = parse_sdp(
        HEAD + b"a=inactive\r\nm=audio 6000 RTP/AVP 0\r\nm=audio 6002 RTP/AVP 0\r\na=recvonly\r\n"
    )
    assert [session.direction_of(media) for media in session.media] == ["inactive", "recvonly"]


def test_bare_line_feeds_are_read() -> None:
    """RFC 8866 5: parsers should accept them."""
    assert parse_sdp((HEAD + AUDIO).replace(b"\r\n", b"\n")).media[0].port == 6000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"hello", 400),
        (b"v=0\r\ns=-\r\n", 400),
        (HEAD.replace(b"u 1 2", b"u 1"), 400),
        (HEAD + b"m=audio\r\n", 400),
        (HEAD + b"m=audio 65536 RTP/AVP 0\r\n", 400),
        (HEAD + b"m=audio -1 RTP/AVP 0\r\n", 400),
        (HEAD + b"m=audio " + b"9" * 5000 + b" RTP/AVP 0\r\n", 400),
        (HEAD + b"m=audio 6000 RTP/AVP" + b" 0" * 200 + b"\r\n", 400),
        (HEAD + AUDIO + b"a=ptime:-20\r\n", 400),
        (HEAD + AUDIO + b"a=ptime:" + b"9" * 5000 + b"\r\n", 400),
        (HEAD + AUDIO + b"a=rtpmap:101 opus/48000\r\n", 400),
        (HEAD + b"c=IN IP4\r\n", 400),
        (HEAD + b"c=XX IP4 192.0.2.1\r\n", 400),
        (HEAD + b"nonsense\r\n", 400),
        (HEAD + b"i=a\0b\r\n", 400),
        (HEAD + b"i=a\rb\r\n", 400),
        (HEAD + b"a=x\r\n" * 5000, 488),
        (HEAD + b"m=audio 6000 RTP/AVP 0\r\n" * 17, 488),
        (HEAD + b"i=" + b"x" * 70_000 + b"\r\n", 488),
    ],
)
def test_broken_or_outsized_is_refused(body: bytes, status: int) -> None:
    """A-SDP."""
    with pytest.raises(SipError) as caught:
        parse_sdp(body)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("192.0.2.1", True),
        ("127.0.0.1", True),
        ("2001:db8::1", True),
        ("::ffff:192.0.2.2", True),
        ("0.0.0.0", False),
        ("::", False),
        ("224.0.0.1", False),
        ("::ffff:224.0.0.1", False),
        ("0.1.2.3", False),
        ("224.2.1.1/127", False),
        ("ff02::1", False),
        ("255.255.255.255", False),
        ("example.com", False),
        ("1.2.3", False),
        ("1.2.3.4.5", False),
        ("٣.2.3.4", False),
        ("", False),
    ],
)
def test_audio_goes_to_unicast_literals_only(host: str, yes: bool) -> None:
    """A-SDP: no names are looked up, nothing is sent to groups or to everybody."""
    assert sendable_host(host) is yes


def test_unspecified() -> None:
    assert [is_unspecified(host) for host in ("0.0.0.0", "::", "192.0.2.1", "")] == [True, True, False, False]


@given(st.binary(max_size=300))
@example(HEAD + AUDIO)
@example(HEAD + "m=audio ６０００ RTP/AVP 0\r\n".encode())
def test_only_sip_errors(body: bytes) -> None:
    for data in (body, HEAD + body, HEAD + AUDIO + body):
        status = 0
        try:
            parse_sdp(data)
        except SipError as error:
            status = error.status
        assert status in (0, 400, 488)


PHONE = (
    "v=0\r\no=- {id} 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n{more}"
)


@pytest.mark.parametrize("more", ["", "a=sendonly\r\n", "m=video 5000 RTP/AVP 31\r\n"])
def test_a_description_read_before_says_the_same_at_another_port(more: str) -> None:
    """Known descriptions give what reading each anew gives: another port and origin, all else equal."""
    known = Descriptions()
    for number, port in enumerate((40000, 40002, 0, 40004), 1):
        body = PHONE.format(id=number, port=port, more=more).encode()
        (session, first_port), fresh = known.read(body), parse_sdp(body)
        assert first_port == port
        assert [(m.kind, m.formats, m.direction, m.rtpmaps) for m in session.media] == [
            (m.kind, m.formats, m.direction, m.rtpmaps) for m in fresh.media
        ]
        for side in (SdpSide(7, known), SdpSide(7)):
            if port:
                said, agreed = side.answer(body, "198.51.100.1", 30000, ("PCMU", "PCMA"))
                assert agreed.remote_port == port
                assert said == SdpSide(7).answer(body, "198.51.100.1", 30000, ("PCMU", "PCMA"))[0]
            else:
                with pytest.raises(SipError):
                    side.answer(body, "198.51.100.1", 30000, ("PCMU", "PCMA"))


def test_a_known_description_with_a_broken_origin_or_port_is_refused() -> None:
    """What changes from call to call is checked in every call."""
    known = Descriptions()
    body = PHONE.format(id=1, port=40000, more="").encode()
    known.read(body)
    for broken in (
        body.replace(b"o=- 1", b"o=-"),
        body.replace(b"o=- 1", b"o=\n1"),
        body.replace(b"40000", b"70000"),
    ):
        with pytest.raises(SipError):
            known.read(broken)
    # A NUL cannot make one description pass for another.
    with pytest.raises(SipError):
        known.read(body.replace(b"t=0 0\r\n", b"t=0 0\r\n\0"))


def test_descriptions_that_never_come_again_cost_no_more_than_the_table_holds() -> None:
    known = Descriptions()
    for number in range(3 * _KNOWN_MAX):
        body = PHONE.format(id=1, port=40000, more=f"a=label:{number}\r\n").encode()
        assert known.read(body)[1] == 40000
        assert 0 < len(known._known) <= _KNOWN_MAX


def test_a_media_line_has_at_most_128_formats() -> None:
    """RFC 3550 5.1: payload types are 7 bits."""
    formats = [str(number) for number in range(128)]
    assert (
        parse_sdp(HEAD + f"m=audio 6000 RTP/AVP {' '.join(formats)}\r\n".encode()).media[0].formats == formats
    )
    with pytest.raises(SipError):
        parse_sdp(HEAD + f"m=audio 6000 RTP/AVP {' '.join(formats)} 0\r\n".encode())


def test_a_media_line_has_one_of_65536_ports() -> None:
    assert parse_sdp(HEAD + b"m=audio 65535 RTP/AVP 0\r\n").media[0].port == 65535
    with pytest.raises(SipError):
        parse_sdp(HEAD + b"m=audio 65536 RTP/AVP 0\r\n")
