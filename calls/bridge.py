"""Bridges: two legs hear each other, and what one side's hold means to the other."""

from calls.leg import Leg
from media.plane import Plane, RemoteMedia
from sip.negotiation import AudioAgreement

_SENDS = frozenset({"sendrecv", "recvonly"})  # by our direction: the peer sends to us
_HEARS = frozenset({"sendrecv", "sendonly"})  # by our direction: the peer listens to us


def remote_media(agreement: AudioAgreement) -> RemoteMedia:
    """Return what the media plane must know of a leg's negotiated audio."""
    return RemoteMedia(
        agreement.remote_host,
        agreement.remote_port,
        agreement.codec,
        agreement.payload_type,
        agreement.payload_type_receive,
        -1 if agreement.dtmf_send is None else agreement.dtmf_send,
        -1 if agreement.dtmf_receive is None else agreement.dtmf_receive,
        agreement.ptime_ms,
        agreement.direction in _SENDS,
        agreement.direction in _HEARS,
    )


def agree(leg: Leg, agreement: AudioAgreement, plane: Plane, now: float) -> None:
    """Take a leg's (new) agreement and tell the media plane, unless nothing changed."""
    if agreement == leg.agreement:
        return
    leg.agreement = agreement
    plane.set_remote(leg.stream, remote_media(agreement), now)


def codecs_for(other: Leg | None, ours: tuple[str, ...]) -> tuple[str, ...]:
    """Return our codecs, the one the other side already speaks first, so that nothing is transcoded."""
    if other is None or other.agreement is None or other.agreement.codec not in ours:
        return ours
    spoken = other.agreement.codec
    return (spoken, *(codec for codec in ours if codec != spoken))


def is_held(agreement: AudioAgreement) -> bool:
    """Return whether the peer has put us on hold: it no longer listens to us (RFC 3264 8.4)."""
    return agreement.direction not in _HEARS


def mirrored(agreement: AudioAgreement) -> str:
    """Return the direction to offer the other side, so that it learns of this side's hold or resume."""
    if agreement.direction == "recvonly":  # this side sends only, so to the other we only send
        return "sendonly"
    if agreement.direction == "sendonly":
        return "recvonly"
    return agreement.direction
