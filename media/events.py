"""What the media plane tells."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from kernel.ids import RecordingId, StreamId


class StreamReady(msgspec.Struct, frozen=True):
    """The stream's sockets are bound: SDP may say ``address`` and ``port`` now."""

    stream: StreamId
    address: str
    port: int


class StreamFailed(msgspec.Struct, frozen=True):
    """No stream: ports exhausted, or no worker alive."""

    stream: StreamId
    reason: str


class StreamTimedOut(msgspec.Struct, frozen=True):
    """No packet for ``MediaSettings.rtp_timeout`` on a stream that expects some."""

    stream: StreamId


class PromptEnded(msgspec.Struct, frozen=True):
    """What was played once is over (loops never end)."""

    stream: StreamId
    prompt: str
    number: int = 0  # of what was played, for Plane.is_news


class DigitReceived(msgspec.Struct, frozen=True):
    """A DTMF digit (RFC 4733) ended; told only while the stream collects."""

    stream: StreamId
    digit: str
    duration_ms: int


class StreamStatistics(msgspec.Struct, frozen=True, array_like=True):
    """A stream's counters, when it closes."""

    stream: StreamId
    packets_received: int = 0
    bytes_received: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    lost: int = 0  # RFC 3550 A.3, cumulative, not below 0
    jitter_ms: float = 0.0  # RFC 3550 6.4.1, at the end
    foreign: int = 0  # packets from another source than the locked one, dropped
    malformed: int = 0
    unknown: int = 0  # packets of a payload type that was not negotiated, dropped


class StreamClosed(msgspec.Struct, frozen=True):
    """A stream is gone; its port rests before it is used again."""

    stream: StreamId
    statistics: StreamStatistics


class WorkerLost(msgspec.Struct, frozen=True):
    """A media worker died; its streams were reopened on the same ports by its successor, or are in
    ``failed``.
    """

    worker: int
    streams: int


class Written(msgspec.Struct, frozen=True):
    """What there is of a file whose writer is gone."""

    seconds: float  # of audio that can be played
    size: int  # bytes of the file; 0: there is none, or nothing of it can be played


class RecordingEnded(msgspec.Struct, frozen=True):
    """A recording is over and its file complete."""

    recording: RecordingId
    seconds: float
    size: int  # bytes of the file; 0: there is none
    # asked; limit; silence; closed: the left stream is over; worker_lost; never_begun: no worker could
    cause: str


class RecordingFailed(msgspec.Struct, frozen=True):
    """A recording is over because it cannot be written; what could be is in the file."""

    recording: RecordingId
    seconds: float  # written
    size: int  # bytes of the file; 0: there is none
    reason: str  # what the system says


NOTHING = Written(0.0, 0)
NO_FILES: Mapping[str, Written] = MappingProxyType({})


MediaEvent = (
    StreamReady
    | StreamFailed
    | StreamTimedOut
    | PromptEnded
    | DigitReceived
    | StreamClosed
    | WorkerLost
    | RecordingEnded
    | RecordingFailed
)
