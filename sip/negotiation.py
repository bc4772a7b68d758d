"""Negotiation: offers, answers and what they agree on for one leg's audio (RFC 3264).

One :class:`SdpSide` is our end of one session. It keeps our o= line (the version rises by one exactly when
what we say changes, RFC 3264 8), the order of the m= lines once there are any, and the payload types we
offered. Rule: a refused offer or answer leaves the side as it was.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from kernel.staterows import AudioState
from sip.grammar import SipError
from sip.sdp import Descriptions, MediaDescription, SessionDescription, is_unspecified, sendable_host

# What we can name in an offer: the encoding and the payload type we give it (static or our own choice).
CODECS: dict[str, tuple[str, int]] = {
    "PCMU": ("PCMU/8000", 0),
    "PCMA": ("PCMA/8000", 8),
    "G722": ("G722/8000", 9),
    "G729": ("G729/8000", 18),
    "GSM": ("GSM/8000", 3),
    "OPUS": ("opus/48000/2", 111),
}
_PROTOS = frozenset({"RTP/AVP", "RTP/AVPF"})
_MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_SENDING = frozenset({"sendrecv", "sendonly"})
_RECEIVING = frozenset({"sendrecv", "recvonly"})
_PTIMES = frozenset({10, 20, 30, 40, 60})
PTIME_DEFAULT = 20
_CHOICES_MAX = 16  # kept per description


class AudioAgreement(AudioState, frozen=True):
    """What both sides agreed on for audio; kept for the next process as it is. Codecs are those of CODECS."""


class SdpSide:
    """Our end of one session's offers and answers.

    ``session_id`` goes into o=; 0 takes the first port we name, which is ours alone while the session lives.
    ``descriptions`` is shared by the sides of a switch, so that what many phones say is read once.
    """

    __slots__ = (
        "_agreed",
        "_descriptions",
        "_m_line",
        "_offered",
        "_offered_direction",
        "_others",
        "_said",
        "session_id",
        "version",
    )

    def __init__(self, session_id: int = 0, descriptions: Descriptions | None = None) -> None:
        self.session_id = session_id
        self._descriptions = Descriptions() if descriptions is None else descriptions
        self.version = 0
        self._said = ""  # our last description without its o= line
        self._others: list[str] = []  # the m= lines beside ours that must be kept, with port 0
        self._m_line = 0  # where ours stands among them
        self._agreed: dict[str, int] = {}  # their payload types that we answered with
        self._offered: Mapping[str, int] = {}  # our last offer: codec or "telephone-event" -> payload type
        self._offered_direction = "sendrecv"

    def kept(self) -> tuple[int, int, tuple[str, ...], tuple[tuple[str, int], ...]]:
        """Return what the next process must know: session id, version, other m= lines, payload types."""
        return self.session_id, self.version, tuple(self._others), tuple(self._agreed.items())

    def restore(
        self,
        session_id: int,
        version: int,
        others: Sequence[str],
        m_line: int,
        agreed: Sequence[tuple[str, int]],
    ) -> None:
        """Go on where the process before was; ``version`` is at least what it has said."""
        self.session_id, self.version = session_id, version
        self._others, self._m_line, self._agreed = list(others), m_line, dict(agreed)

    def offer(
        self,
        address: str,
        port: int,
        codecs: Sequence[str],
        *,
        direction: str = "sendrecv",
        dtmf: int | None = 101,
    ) -> bytes:
        """Return an offer of audio at (address, port): ``codecs`` in order, telephone-event at ``dtmf``."""
        if self._agreed:
            offered, lines = _offer_lines(codecs, direction, dtmf, self._agreed)
        else:
            offered, lines = _first_offer(tuple(codecs), direction, dtmf)
        self._offered, self._offered_direction = offered, direction
        audio = f"m=audio {port} RTP/AVP{lines}"
        return self._say(address, port, "0 0", audio, self._others, self._m_line)

    def answer(
        self,
        offer: bytes,
        address: str,
        port: int,
        codecs: Sequence[str],
        *,
        direction: str | None = None,
    ) -> tuple[bytes, AudioAgreement]:
        """Return our answer and what is agreed. SipError 488 without audio or a codec of ours, 400 if broken.

        The codec is the first of ``codecs`` that was offered: our order wins, so that the caller can name
        first what the other leg speaks. ``direction`` is what we want; less if they offer less.
        """
        session, first_port = self._descriptions.read(offer)
        key, choices = (tuple(codecs), direction), session.choices
        choice = None if choices is None else choices.get(key)
        if choice is None:
            choice = _choose_answer(session, codecs, direction)
            if choices is not None and len(choices) < _CHOICES_MAX:
                choices[key] = choice
        m_line, codec, payload, dtmf, ptime, ours, host, proto, rest = choice
        media = session.media[m_line]
        their_port = media.port if m_line else first_port
        if host == address and their_port == port:
            raise SipError(488, "Address Is Ours")
        lines = f"m=audio {port} {proto} {rest}"
        others = (
            []
            if len(session.media) == 1
            else [_switched_off(m.line) for m in session.media if m is not media]
        )
        said = self._say(address, port, session.time, lines, others, m_line)
        self._others, self._m_line = others, m_line
        self._agreed[codec] = payload
        # What we have said is an offer when a refresh says it again (RFC 4028 7.4).
        offered = {codec: payload}
        if dtmf is not None:
            self._agreed["telephone-event"] = offered["telephone-event"] = dtmf
        self._offered, self._offered_direction = offered, ours
        return said, AudioAgreement(
            host, their_port, codec, payload, payload, dtmf, dtmf, ptime, ours, m_line
        )

    def accept(self, answer: bytes) -> AudioAgreement:
        """Return what is agreed by an answer to our last offer. SipError 488 if it refuses our audio or names
        what we did not offer, 400 if it is broken.
        """
        session, first_port = self._descriptions.read(answer)
        if len(session.media) != len(self._others) + 1 or not self._offered:
            raise SipError(488, "Answer Does Not Match Offer")
        media = session.media[self._m_line]
        their_port = media.port if self._m_line else first_port
        if media.kind != "audio" or not their_port:
            raise SipError(488, "Audio Refused")
        key, choices = (self._m_line, self._offered_direction, *self._offered.items()), session.choices
        choice = None if choices is None else choices.get(key)
        if choice is None:
            choice = _choose_accept(session, media, self._offered, self._offered_direction)
            if choices is not None and len(choices) < _CHOICES_MAX:
                choices[key] = choice
        host, codec, payload, receive, dtmf, dtmf_receive, ptime, ours = choice
        return AudioAgreement(
            host, their_port, codec, payload, receive, dtmf, dtmf_receive, ptime, ours, self._m_line
        )

    def _say(self, address: str, port: int, time: str, audio: str, others: list[str], m_line: int) -> bytes:
        """Return the description, with the version raised if it differs from the last one."""
        family = "IP6" if ":" in address else "IP4"
        if others:
            sections = [f"m={line}\r\n" for line in others]
            sections.insert(m_line, audio)
            audio = "".join(sections)
        said = f"s=-\r\nc=IN {family} {address}\r\nt={time}\r\n{audio}"
        if said != self._said:
            self._said = said
            self.version += 1
        if not self.session_id:
            self.session_id = port
        origin = f"v=0\r\no=- {self.session_id} {self.version} IN {family} {address}\r\n"
        return (origin + said).encode("utf-8", "surrogateescape")


def _offer_lines(
    codecs: Sequence[str], direction: str, dtmf: int | None, agreed: Mapping[str, int]
) -> tuple[Mapping[str, int], str]:
    """Return the payload types of an offer, and its text from the first of them on."""
    offered: dict[str, int] = {}
    formats = lines = ""
    for name in codecs:
        codec = name.upper()
        encoding, payload_type = CODECS[codec]
        offered[codec] = payload_type = _kept(codec, payload_type, agreed)
        formats += f" {payload_type}"
        lines += f"a=rtpmap:{payload_type} {encoding}\r\n"
    if dtmf is not None:
        offered["telephone-event"] = dtmf = _kept("telephone-event", dtmf, agreed)
        formats += f" {dtmf}"
        lines += f"a=rtpmap:{dtmf} telephone-event/8000\r\na=fmtp:{dtmf} 0-15\r\n"
    return offered, f"{formats}\r\n{lines}a=ptime:{PTIME_DEFAULT}\r\na={direction}\r\n"


@lru_cache(maxsize=256)
def _first_offer(
    codecs: tuple[str, ...], direction: str, dtmf: int | None
) -> tuple[Mapping[str, int], str]:
    """Return :func:`_offer_lines` of a session in which nothing is agreed: the same in every call."""
    return _offer_lines(codecs, direction, dtmf, {})


def _kept(name: str, payload_type: int, agreed: Mapping[str, int]) -> int:
    """Return the payload type for ``name``: a number once agreed keeps its meaning as long as the session
    lives (RFC 3264 8.3.2).
    """
    if name in agreed:
        return agreed[name]
    taken = agreed.values()
    if payload_type in taken:
        return next(number for number in range(96, 128) if number not in taken)
    return payload_type


def _choose_answer(
    session: SessionDescription, codecs: Sequence[str], direction: str | None
) -> tuple[int, str, int, int | None, int, str, str, str, str]:
    """Return all of an answer that neither port nor our address changes: m= line, codec, payload type of it
    and of DTMF, ptime, our direction, their host, protocol, and what follows the protocol.
    """
    m_line, media, codec, payload = _choose(session, codecs)
    host = _remote_host(session, media)
    rate = CODECS[codec][0].partition("/")[2].partition("/")[0]
    dtmf = _find(media, f"TELEPHONE-EVENT/{rate}")
    ours = _narrowed(_MIRROR[_their_direction(session, media)], direction)
    ptime = media.ptime if media.ptime in _PTIMES else PTIME_DEFAULT
    rest = f"{payload}"
    if dtmf is not None:
        rest += f" {dtmf}"
    rest += f"\r\na=rtpmap:{payload} {CODECS[codec][0]}\r\n"
    if dtmf is not None:
        rest += f"a=rtpmap:{dtmf} telephone-event/{rate}\r\na=fmtp:{dtmf} 0-15\r\n"
    rest += f"a=ptime:{ptime}\r\na={ours}\r\n"
    return m_line, codec, payload, dtmf, ptime, ours, host, media.proto, rest


def _choose_accept(
    session: SessionDescription, media: MediaDescription, offered: Mapping[str, int], direction: str
) -> tuple[str, str, int, int, int | None, int | None, int, str]:
    """Return what an answer agrees to but for its port: host, codec, payload types to send and to receive,
    the same two of DTMF, ptime, our direction.
    """
    codec, payload = "", 0
    for payload_text in media.formats:
        name = media.encoding(payload_text).partition("/")[0].upper()
        if name in offered and _fits(media.encoding(payload_text), name):
            codec, payload = name, _payload_type(payload_text)
            break
    if not codec:
        raise SipError(488, "No Common Codec")
    host = _remote_host(session, media)
    dtmf = dtmf_receive = None
    if "telephone-event" in offered:
        dtmf = _find(media, "TELEPHONE-EVENT/8000")
        dtmf_receive = offered["telephone-event"] if dtmf is not None else None
    ours = _narrowed(_MIRROR[_their_direction(session, media)], direction)
    ptime = media.ptime if media.ptime in _PTIMES else PTIME_DEFAULT
    return host, codec, payload, offered[codec], dtmf, dtmf_receive, ptime, ours


def _choose(session: SessionDescription, codecs: Sequence[str]) -> tuple[int, MediaDescription, str, int]:
    """Return the first audio line that is on and has a codec of ours: its place, itself, codec and payload
    type.
    """
    has_audio = False
    for m_line, media in enumerate(session.media):
        if media.kind != "audio" or not media.port or media.proto not in _PROTOS:
            continue
        has_audio = True
        for name in codecs:
            codec = name.upper()
            payload_type = _find(media, CODECS[codec][0].upper())
            if payload_type is not None:
                return m_line, media, codec, payload_type
    raise SipError(488, "No Common Codec" if has_audio else "No Audio")


def _find(media: MediaDescription, encoding: str) -> int | None:
    """Return the payload type of ``encoding`` ("PCMU/8000", in capitals) in an m= line, or None."""
    for payload_type in media.formats:
        found = media.encoding(payload_type).upper()
        if found == encoding or found == encoding + "/1":
            return _payload_type(payload_type)
    return None


def _fits(encoding: str, codec: str) -> bool:
    found = encoding.upper()
    expected = CODECS[codec][0].upper()
    return found == expected or found == expected + "/1"


def _payload_type(text: str) -> int:
    if not text.isdigit() or not text.isascii() or len(text) > 3 or int(text) > 127:
        raise SipError(400, "Bad SDP Payload Type")
    return int(text)


def _their_direction(session: SessionDescription, media: MediaDescription) -> str:
    direction = session.direction_of(media)
    if is_unspecified(session.host_of(media)):  # hold of RFC 2543: they do not want to receive
        return "sendonly" if direction in _SENDING else "inactive"
    return direction


def _narrowed(possible: str, wanted: str | None) -> str:
    """Return the direction that both ``possible`` and ``wanted`` allow."""
    if wanted is None or wanted == possible:
        return possible
    sends = possible in _SENDING and wanted in _SENDING
    receives = possible in _RECEIVING and wanted in _RECEIVING
    if sends:
        return "sendrecv" if receives else "sendonly"
    return "recvonly" if receives else "inactive"


def _remote_host(session: SessionDescription, media: MediaDescription) -> str:
    host = session.host_of(media)
    if not host:
        raise SipError(400, "SDP Without Connection")
    if not is_unspecified(host) and not sendable_host(host):
        raise SipError(488, "Address Not Acceptable")
    return host


def _switched_off(line: str) -> str:
    """Return an m= line with port 0: how a line that we do not serve is refused (RFC 3264 6)."""
    kind, _, *rest = line.split()
    return " ".join([kind, "0", *rest])
