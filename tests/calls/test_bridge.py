"""What two legs have to know of each other: directions, codecs, and the media plane's share of it."""

from typing import cast

import pytest

from calls.bridge import agree, codecs_for, is_held, mirrored, remote_media
from calls.call import Call
from calls.leg import Leg, LegState
from kernel.ids import CallId, StreamId
from media.plane import Plane, RemoteMedia
from sip.negotiation import AudioAgreement


def agreed(direction: str = "sendrecv", codec: str = "PCMU", port: int = 4000) -> AudioAgreement:
    return AudioAgreement("192.0.2.7", port, codec, 0, 8, None, 101, 20, direction)


def leg(agreement: AudioAgreement | None = None) -> Leg:
    made = Leg(Call(CallId("c"), 0.0), StreamId(7), "8001", LegState.INVITED)
    made.agreement = agreement
    return made


class Told:
    """A plane that remembers what it was told."""

    def __init__(self) -> None:
        self.remotes: list[tuple[StreamId, RemoteMedia]] = []

    def set_remote(self, stream: StreamId, remote: RemoteMedia, now: float) -> None:
        self.remotes.append((stream, remote))


@pytest.mark.parametrize(
    ("ours", "sends", "receives", "held", "to_the_other"),
    [
        ("sendrecv", True, True, False, "sendrecv"),
        ("recvonly", True, False, True, "sendonly"),  # they put us on hold: they play, we listen
        ("sendonly", False, True, False, "recvonly"),
        ("inactive", False, False, True, "inactive"),
    ],
)
def test_a_direction_seen_from_everywhere(
    ours: str, sends: bool, receives: bool, held: bool, to_the_other: str
) -> None:
    """RFC 3264 8.4; directions of an agreement are ours."""
    agreement = agreed(ours)
    remote = remote_media(agreement)
    assert (remote.sends, remote.receives) == (sends, receives)
    assert (is_held(agreement), mirrored(agreement)) == (held, to_the_other)


def test_the_plane_is_told_both_payload_types_and_no_dtmf_where_there_is_none() -> None:
    remote = remote_media(agreed())
    assert (remote.host, remote.port, remote.codec, remote.ptime_ms) == ("192.0.2.7", 4000, "PCMU", 20)
    assert (remote.payload_type, remote.payload_type_receive) == (0, 8)
    assert (remote.dtmf_send, remote.dtmf_receive) == (-1, 101)


def test_the_same_agreement_again_is_not_told_again() -> None:
    """Each SDP in 183 and 200 says the same; workers need not hear it twice."""
    one, plane = leg(), Told()
    for agreement in (agreed(), agreed(), agreed(port=4010)):
        agree(one, agreement, cast(Plane, plane), 1.0)
    assert [(stream, remote.port) for stream, remote in plane.remotes] == [(7, 4000), (7, 4010)]


def test_what_the_other_side_speaks_is_offered_first() -> None:
    """So that nothing is transcoded."""
    ours = ("PCMU", "PCMA")
    assert codecs_for(leg(agreed(codec="PCMA")), ours) == ("PCMA", "PCMU")
    assert codecs_for(leg(agreed(codec="PCMU")), ours) == ours
    assert codecs_for(leg(), ours) == ours
    assert codecs_for(None, ours) == ours
    assert codecs_for(leg(agreed(codec="G722")), ours) == ours  # no longer configured
