"""State rows: what lives now, so that a switch that is killed finds it again.

They go through the journal like every row, in the turn in which they become true and before anything of that
turn is sent, but never into the database: each is worth nothing once its thing has ended. What ends is said
by the row of the same id in :mod:`kernel.rows` (a call by its ``CallRow``, a visit by its ``VisitRow``, an
offer by its ``OfferRow``). The last state row of an id wins.

Moments are wall time (epoch seconds, UTC, milliseconds), as in every row.
"""

from collections.abc import Iterable

import msgspec

from kernel.rows import (
    AnyRow,
    CallRow,
    OfferRow,
    RecordingRow,
    Row,
    ScriptRow,
    StreamRow,
    SurveyRow,
    VisitRow,
    VoicemailRow,
)


class DialogState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One confirmed dialog (RFC 3261 12), as our side of it knows it."""

    sip_call_id: str
    local_tag: str
    remote_tag: str
    local: str  # From of our requests, tag included
    remote: str  # To of our requests, tag included
    route_set: tuple[str, ...]
    remote_target: str
    flow: str  # as text: udp/0/127.0.0.1/5070/0
    home_flow: str  # the known way to a peer behind NAT or on a connection; "" without one
    home_host: str
    is_ours: bool  # we own the Call-ID
    local_cseq: int
    remote_cseq: int
    trunk: str  # whose credentials answer challenges
    answer: bytes = b""  # our 2xx that waits for its ACK
    is_offer: bool = False  # whose description is an offer


class AudioState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What both sides agreed on for audio, seen from us."""

    remote_host: str
    remote_port: int
    codec: str  # "PCMU"
    payload_type: int  # what we send
    payload_type_receive: int  # what they send
    dtmf_send: int | None  # payload type of telephone-event, None without it
    dtmf_receive: int | None
    ptime_ms: int
    direction: str  # ours: sendrecv, sendonly, recvonly, inactive
    m_line: int = 0  # which m= line carries the audio, from 0


class LegState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One answered side of a call: its dialog, its stream and what was said about it in SDP."""

    number: str
    phone_kind: str
    phone_number: str
    seat: str
    offer: str
    trunk: str  # that the leg is counted at
    address: str  # of our stream
    port: int
    dialog: DialogState
    audio: AudioState | None
    sdp_session: int  # of our o= line
    sdp_version: int
    sdp_lines: tuple[str, ...]  # the m= lines beside ours
    sdp_types: tuple[tuple[str, int], ...]  # payload types in use


class InviteState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An INVITE without final response, theirs or ours, as it was on the wire."""

    data: bytes
    flow: str
    local_tag: str
    trunk: str = ""


class CallStateRow(Row, frozen=True, tag="call_states"):
    """One living call."""

    call: str
    tenant: str
    direction: str
    caller: str
    called: str
    trunk: str
    entry: str
    queue: str
    arrived_at: float
    joined_at: float | None
    answered_at: float | None
    held_at: float | None  # None: not on hold
    held_for: float
    resumed: int  # how often it was taken over from a switch that was killed
    is_callback: bool  # the seat is the caller's leg
    caller_leg: LegState | None  # None while the caller has no final answer
    callee_leg: LegState | None
    arrived: InviteState | None  # the caller's INVITE, while it has no final answer
    rings: tuple[InviteState, ...]  # our INVITEs that ring a phone
    seat: str = ""  # that answered it, whoever has it now
    caller_name: str = ""
    handovers: tuple[LegState, ...] = ()  # phones that have answered and are not bridged yet
    script: str = ""  # that the caller is in, and nobody serves it
    runs: int = 0  # of scripts so far
    visits: int = 0  # to queues, of a call that is in a script
    recording: str = ""  # the first that was made of it
    led_by: str = ""  # the script that has led the caller to the queue, and waits for what comes of that
    led: bytes = b""  # what it was told until then; b"": that is not written down


class VisitStateRow(Row, frozen=True, tag="visit_states"):
    """One visit that has not ended."""

    visit: str
    call: str
    number: int  # of this call's visits
    queue: str
    caller: str
    called: str
    joined_at: float  # of the first of a chain of overflows
    entered_at: float
    credit: float
    skills: tuple[tuple[str, int], ...]
    offered: int = 0  # offers made so far
    vip: str = ""  # the list of callers that part of the credit is due to
    resumes: str = ""  # the visit whose place it took over
    position: int = 0  # when it entered


class OfferStateRow(Row, frozen=True, tag="offer_states"):
    """One offer that has not ended."""

    offer: str
    visit: str
    seat: str
    phone: str
    made_at: float
    policy: str
    key: str
    eligible: int
    runners_up: str
    queue: str = ""


class LeftStateRow(Row, frozen=True, tag="left_states"):
    """A caller who gave up waiting, and may have its place back for a while."""

    visit: str
    queue: str
    number: str
    joined_at: float  # with ``credit`` its place
    credit: float
    left_at: float


class RecordingStateRow(Row, frozen=True, tag="recording_states"):
    """One recording that is being written; its ``RecordingRow`` says that it has ended."""

    recording: str
    call: str
    tenant: str
    queue: str
    seat: str
    seats: str
    number: str
    began_at: float
    suspended: float = 0.0  # seconds, before it was suspended last
    suspended_at: float = 0.0  # 0: it is not suspended


class VoicemailStateRow(Row, frozen=True, tag="voicemail_states"):
    """A message that is being spoken, or whose file is being closed."""

    voicemail: str
    tenant: str
    mailbox: str
    call: str
    queue: str
    caller: str
    caller_name: str
    called: str
    began_at: float
    minimum: float  # seconds below which it is discarded


StateRow = (
    CallStateRow | VisitStateRow | OfferStateRow | LeftStateRow | RecordingStateRow | VoicemailStateRow
)
JournalRow = AnyRow | StateRow
BoardRow = (  # of calls
    CallRow
    | StreamRow
    | SurveyRow
    | ScriptRow
    | RecordingRow
    | CallStateRow
    | RecordingStateRow
    | VoicemailStateRow
)


class Living:
    """What lives after a row: the last state row of everything that has not ended, in order of appearance."""

    __slots__ = ("_calls", "_left", "_offers", "_recordings", "_visits", "_voicemails")

    def __init__(self) -> None:
        self._calls: dict[str, CallStateRow] = {}
        self._visits: dict[str, VisitStateRow] = {}
        self._offers: dict[str, OfferStateRow] = {}
        self._left: dict[str, LeftStateRow] = {}
        self._recordings: dict[str, RecordingStateRow] = {}
        self._voicemails: dict[str, VoicemailStateRow] = {}

    def take(self, rows: Iterable[JournalRow]) -> None:
        """Follow ``rows``, in the order in which they were written."""
        for row in rows:
            if isinstance(row, CallStateRow):
                self._calls[row.call] = row
                if row.is_callback and row.caller_leg is None and not row.rings:
                    del self._calls[row.call]  # no seat has taken it: it was never placed
            elif isinstance(row, CallRow):
                self._calls.pop(row.call, None)
            elif isinstance(row, VisitStateRow):
                self._visits[row.visit] = row
                self._left.pop(row.resumes, None)
            elif isinstance(row, VisitRow):
                self._visits.pop(row.visit, None)
            elif isinstance(row, OfferStateRow):
                self._offers[row.offer] = row
                self._count_offer(row.visit, row.offer)
            elif isinstance(row, OfferRow):
                self._offers.pop(row.offer, None)
                self._count_offer(row.visit, row.offer)
            elif isinstance(row, LeftStateRow):
                self._left[row.visit] = row
            elif isinstance(row, RecordingStateRow):
                self._recordings[row.recording] = row
            elif isinstance(row, RecordingRow):
                self._recordings.pop(row.recording, None)
            elif isinstance(row, VoicemailStateRow):
                self._voicemails[row.voicemail] = row
            elif isinstance(row, VoicemailRow):
                self._voicemails.pop(row.voicemail, None)

    def rows(self) -> list[StateRow]:
        """Return what lives."""
        calls, visits, offers = self._calls.values(), self._visits.values(), self._offers.values()
        recordings, messages = self._recordings.values(), self._voicemails.values()
        return [*calls, *visits, *offers, *self._left.values(), *recordings, *messages]

    def _count_offer(self, visit: str, offer: str) -> None:
        row = self._visits.get(visit)
        number = offer.rpartition(".")[2]
        if row is not None and number.isdigit() and int(number) > row.offered:
            self._visits[visit] = msgspec.structs.replace(row, offered=int(number))
