"""``recording.*``: files of calls, and who may listen to them."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.rows import RecordingRow
from kernel.walltime import epoch_text
from seatswitch.api.audio import CHUNK_MAX, Audio, Length, Offset, Size, Wanted, begins, no_piece, read_piece
from seatswitch.api.dispatch import Later
from seatswitch.api.method import AGENT, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import CallNumber, Instant, Moment, Name, Number, SeatNumber, Seconds

MOST = 500  # of one answer


class Find(Params, frozen=True):
    """Recordings that began in ``from <= t < to``, of a seat, a queue, an outside number, a call."""

    begin: Moment | None = msgspec.field(name="from", default=None)
    end: Moment | None = msgspec.field(name="to", default=None)
    seat: SeatNumber | None = None
    queue: Name | None = None
    number: Number | None = None
    call: CallNumber | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100
    cursor: CallNumber | None = None


class OneRecording(Params, frozen=True):
    """A recording by its id, and which bytes of its file: ``length`` 0 for none."""

    recording: CallNumber
    offset: Offset = 0
    length: Length = 0


class RecordingObject(msgspec.Struct, frozen=True):
    """A recording whose file is closed."""

    recording: str
    call: Annotated[str, Meta(description="That it began in; a transfer may have taken it to others")]
    tenant: str
    queue: str | None
    seats: Annotated[list[str], Meta(description="That are heard, in order")]
    number: Annotated[str, Meta(description="Of the outside party")]
    began_at: Instant
    ended_at: Instant
    seconds: Seconds
    bytes: Annotated[int | None, Meta(description="null: there is no file")]
    suspended: Seconds
    state: Literal["kept", "failed", "removed"]
    cause: str


class RecordingFile(RecordingObject, frozen=True):
    """A recording, where it is, and bytes of its file."""

    file: Annotated[
        str | None, Meta(description="Path on the switch's machine; null: it was removed, or never written")
    ]
    size: Size
    offset: int
    audio: Audio


class RecordingPage(msgspec.Struct, frozen=True):
    """Recordings, the last first."""

    recordings: list[RecordingObject]
    cursor: Annotated[str | None, Meta(description="Goes on from here; null: that was all")]


def list_recordings(scope: Scope, params: Find) -> dict[str, Any]:
    """Return a page of the recordings that one may listen to."""
    begin = None if params.begin is None else params.begin.timestamp()
    end = None if params.end is None else params.end.timestamp()
    may_hear = _listener(scope)

    def matches(row: RecordingRow) -> bool:
        return (
            (begin is None or row.began_at >= begin)
            and (end is None or row.began_at < end)
            and (params.seat is None or params.seat in row.seats.split(","))
            and params.queue in (None, row.queue)
            and params.number in (None, row.number)
            and params.call in (None, row.call)
            and may_hear(row)
        )

    found, cursor = scope.node.catalogue.find(matches, params.cursor, params.limit)
    return {"recordings": [_object(row) for row in found], "cursor": cursor}


def get(scope: Scope, params: OneRecording) -> dict[str, Any] | Later:
    """Return where a recording is, with bytes of its file if they are asked for; that somebody wants to
    listen to it is a row of operations.
    """
    row = scope.node.catalogue.get(params.recording)
    if row is None or not scope.sees(row.tenant):
        raise OperationRefused("NO_SUCH_RECORDING", f"there is no recording {params.recording}")
    if not _listener(scope)(row):
        raise OperationRefused("NO_RIGHT", f"recording {params.recording} is not this connection's to hear")
    name, why = f"{row.recording}.wav", _why_silent(row)
    if params.length and why:
        raise OperationRefused("NO_AUDIO", f"recording {row.recording} {why}")
    file = None if why else f"{scope.node.catalogue.folder}/{name}"

    def answer(piece: dict[str, Any]) -> dict[str, Any]:
        if begins(scope, name, params.offset) or not params.length:
            scope.record("listen", call=row.call, tenant=row.tenant, queue=row.queue, detail=row.recording)
        return {**_object(row), "file": file, **piece}

    if params.length:
        return read_piece(scope, Wanted(name, params.offset, params.length), answer)
    return answer(no_piece(params.offset))


def _why_silent(row: RecordingRow) -> str:
    """Return why there is no file, "" if there should be one."""
    if row.state == "removed":
        return "was removed when its time was over"
    return f"was never written: {row.cause}" if row.state == "failed" and not row.bytes else ""


def _listener(scope: Scope) -> Callable[[RecordingRow], bool]:
    """Return what says whether the connection may hear a recording: a leader those of its queues, an agent
    its own. A list asks it of 20,000 rows: what does not depend on the row is found out once.
    """
    session, is_leader = scope.connection.session, scope.may("supervisor")
    own = "" if session is None else session.seat
    tenants_own = dict.fromkeys(scope.node.settings.calls.recording.tenants_own)
    seats, led = scope.node.engine.seats, dict[str, bool]()

    def leads(row: RecordingRow) -> bool:
        if not row.queue:
            known = [seats[SeatId(seat)] for seat in row.seats.split(",") if seat in seats]
            return scope.leads([queue for seat in known for queue in seat.settings.queues])
        if row.queue not in led:
            led[row.queue] = scope.leads([row.queue])
        return led[row.queue]

    def may_hear(row: RecordingRow) -> bool:
        if not scope.sees(row.tenant):
            return False
        if own and own in row.seats and row.tenant in tenants_own and own in row.seats.split(","):
            return True
        return is_leader and leads(row)

    return may_hear


def _object(row: RecordingRow) -> dict[str, Any]:
    return {
        "recording": row.recording,
        "call": row.call,
        "tenant": row.tenant,
        "queue": row.queue or None,
        "seats": row.seats.split(",") if row.seats else [],
        "number": row.number,
        "began_at": epoch_text(row.began_at),
        "ended_at": epoch_text(row.ended_at),
        "seconds": row.seconds,
        "bytes": row.bytes or None,
        "suspended": row.suspended,
        "state": row.state,
        "cause": row.cause,
    }


METHODS = (
    Method(
        "recording.list",
        AGENT,
        "Recordings whose files are closed, the last first, of the latest 20,000: an agent's own where its "
        "tenant has own_recordings, a supervisor's those of the queues it leads.",
        Find,
        RecordingPage,
        list_recordings,
    ),
    Method(
        "recording.get",
        AGENT,
        "Where a recording is and, with length, so many bytes of its file from offset on (at most "
        f"{CHUNK_MAX} at a time). Whoever asks leaves a row of the table operations (listen), one for all "
        "pieces that are fetched in a row.",
        OneRecording,
        RecordingFile,
        get,
        ("NO_SUCH_RECORDING", "NO_AUDIO", "AUDIO_LATE"),
    ),
)
