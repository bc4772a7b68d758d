"""What the switch and a media worker say to each other: MessagePack arrays over the link.

A message is an array of commands (to the worker) or of reports (from it); each is an array that begins with
its number. Numbers are never given to something else: a worker may be older than the switch that it serves.
"""

from typing import TypeAlias

import msgspec

from kernel.ids import RecordingId, StreamId
from media.events import StreamStatistics


class Wire(msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="kind"):
    """One command or report."""


# To the worker.


class SetRemote(Wire, frozen=True, tag=1):
    """Where a stream's peer is and what it speaks; opens the stream at ``local_port`` if it is new."""

    stream: StreamId
    local_port: int
    host: str  # "" when nothing may be sent to what SDP said
    port: int
    is_private: bool  # the host cannot be reached as written: the source of packets is what counts
    codec: str
    payload_type: int  # to send
    payload_type_receive: int
    dtmf_send: int  # -1: not negotiated
    dtmf_receive: int
    sends: bool  # the peer sends to us
    receives: bool  # we may send to the peer


class Connect(Wire, frozen=True, tag=2):
    """``a`` and ``b`` hear each other; what is played to either stops."""

    a: StreamId
    b: StreamId


class Disconnect(Wire, frozen=True, tag=3):
    """``stream`` and whoever it is connected to hear each other no more."""

    stream: StreamId


class Play(Wire, frozen=True, tag=4):
    """Play each prompt once, in order, the last one for ever if ``loop_last``."""

    stream: StreamId
    prompts: tuple[str, ...]
    loop_last: bool
    number: int = 0  # of what is played to this stream; the reports of its ends name it


class Stop(Wire, frozen=True, tag=5):
    """Stop playing to ``stream``, mid-word."""

    stream: StreamId


class Collect(Wire, frozen=True, tag=6):
    """Report DTMF digits of ``stream``, or do not."""

    stream: StreamId
    wanted: bool


class Close(Wire, frozen=True, tag=7):
    """Forget ``stream`` and report its statistics."""

    stream: StreamId


class AddPrompt(Wire, frozen=True, tag=8):
    """Keep audio under ``name``: G.711 u-law at 8 kHz, or a WAV file."""

    name: str
    audio: bytes


class BindPorts(Wire, frozen=True, tag=9):
    """Bind up to ``count`` further port pairs of the worker's range and report them."""

    count: int


class Configure(Wire, frozen=True, tag=10):
    """Settings that may change while the worker runs."""

    rtp_timeout: float


class Quit(Wire, frozen=True, tag=11):
    """Exit now: the switch ends on purpose."""


class ConnectAcross(Wire, frozen=True, tag=12):
    """``stream`` and a stream of another worker hear each other, over that stream's port at our address.

    The codec and the payload types are those of the packets as that stream's peer sends them.
    """

    stream: StreamId
    host: str
    port: int
    codec: str
    payload_type: int
    dtmf: int


class FarSource(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Part of :class:`Mix`: packets that another worker sends from its ``port`` at our address.

    The codec and the payload types are those of the packets as that stream's peer sends them.
    """

    port: int
    codec: str
    payload_type: int
    dtmf: int


class Mix(Wire, frozen=True, tag=13):
    """``stream`` hears the sum of streams of its worker and of others instead of its peer; nobody: its peer.

    Streams that the worker does not know (yet) are silent.
    """

    stream: StreamId
    near: tuple[StreamId, ...]
    host: str  # where other workers send from
    far: tuple[FarSource, ...]


class Feed(Wire, frozen=True, tag=14):
    """What ``stream`` receives also goes to these ports of other workers, as it is; () ends it."""

    stream: StreamId
    host: str
    ports: tuple[int, ...]


class SendDigits(Wire, frozen=True, tag=15):
    """Send ``digits`` to the peer of ``stream`` as telephone events (RFC 4733), behind those that wait.

    Meanwhile the peer hears nothing else.
    """

    stream: StreamId
    digits: str
    duration_ms: int
    gap_ms: int


class Record(Wire, frozen=True, tag=16):
    """Begin a recording: left what ``left`` receives, right what those of the right side do.

    Its file is ``folder``/``recording``.wav.
    """

    recording: RecordingId
    folder: str
    left: StreamId
    right: "RightSide | None"  # None: one channel
    limit: float  # seconds
    silence: float = 0.0  # seconds of silence on the left that end it; 0: none do


class RightSide(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Part of :class:`Record`: streams of the worker, and ports of other workers that send to it."""

    near: tuple[StreamId, ...]
    host: str  # where other workers send from
    far: tuple[int, ...]


class PointRecording(Wire, frozen=True, tag=17):
    """The right channel is somebody else from now on."""

    recording: RecordingId
    right: RightSide


class PauseRecording(Wire, frozen=True, tag=18):
    """Write silence while ``paused``."""

    recording: RecordingId
    paused: bool


class EndRecording(Wire, frozen=True, tag=19):
    """Close the file and report it."""

    recording: RecordingId


# From the worker.


class PortsBound(Wire, frozen=True, tag=33):
    """RTP ports that are bound (the RTCP port is the next one) and belong to nobody yet."""

    ports: tuple[int, ...]
    are_all: bool  # the range has no more


class Closed(Wire, frozen=True, tag=34):
    """A stream is closed."""

    statistics: StreamStatistics


class TimedOut(Wire, frozen=True, tag=35):
    """No packet for the RTP timeout on a stream whose peer should send."""

    stream: StreamId


class Digit(Wire, frozen=True, tag=36):
    """A DTMF digit ended."""

    stream: StreamId
    digit: str
    duration_ms: int


class Played(Wire, frozen=True, tag=37):
    """A prompt was played to its end."""

    stream: StreamId
    prompt: str
    number: int = 0  # as Play said; 0 from a worker that is older than numbers


class OpenFailed(Wire, frozen=True, tag=38):
    """A stream's port cannot be bound (again)."""

    stream: StreamId
    reason: str


class Hello(Wire, frozen=True, tag=39):
    """First on every connection of the link: who this is."""

    worker: int
    pid: int


NEVER_BEGUN = "never_begun"  # no worker could begin the recording before it was over


class Recorded(Wire, frozen=True, tag=40):
    """A recording has ended and its file is complete."""

    recording: RecordingId
    seconds: float
    size: int  # bytes of the file; 0: there is none
    cause: str  # asked, limit, silence, closed, never_begun


class RecordingLost(Wire, frozen=True, tag=41):
    """A recording has ended because it cannot be written; the file has what could be."""

    recording: RecordingId
    seconds: float
    size: int  # bytes of the file; 0: there is none
    reason: str


Command: TypeAlias = (
    SetRemote
    | Connect
    | Disconnect
    | Play
    | Stop
    | Collect
    | Close
    | AddPrompt
    | BindPorts
    | Configure
    | Quit
    | ConnectAcross
    | Mix
    | Feed
    | SendDigits
    | Record
    | PointRecording
    | PauseRecording
    | EndRecording
)
Report: TypeAlias = (
    PortsBound | Closed | TimedOut | Digit | Played | OpenFailed | Hello | Recorded | RecordingLost
)

_encoder = msgspec.msgpack.Encoder()
_commands = msgspec.msgpack.Decoder(list[Command])
_reports = msgspec.msgpack.Decoder(list[Report])

encode_commands = _encoder.encode
encode_reports = _encoder.encode
decode_commands = _commands.decode  # raises msgspec.MsgspecError
decode_reports = _reports.decode
