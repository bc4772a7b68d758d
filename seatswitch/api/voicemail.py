"""``voicemail.*``: what callers have said whom no seat served, and what is left to do about it.

Who opens a mailbox: a seat its own, those of the queues it serves and the tenant's (``public``), as its
tenant lets agents; shift leaders those of the seats and queues they lead; tokens and operators all.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.rows import VoicemailRow
from seatswitch.api.audio import CHUNK_MAX, Audio, Length, Offset, Size, Wanted, begins, no_piece, read_piece
from seatswitch.api.dispatch import Later
from seatswitch.api.method import AGENT, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import CallNumber, Instant, Name, Seconds
from seatswitch.voicemails import belongs, view

LISTED_MAX = 1_000  # of one answer

State = Literal["new", "heard", "done"]


class ListVoicemails(Params, frozen=True):
    """A mailbox (``public``, ``queue:junior``, ``seat:8001``) and a state; left out, all one may open."""

    mailbox: Name | None = None
    state: State | None = None


class GetVoicemail(Params, frozen=True):
    """A voicemail, and which bytes of its file: ``length`` 0 for none."""

    voicemail: CallNumber
    offset: Offset = 0
    length: Length = 0


class MarkVoicemail(Params, frozen=True):
    """What was done with a voicemail; the remark stays as it is where none is given."""

    voicemail: CallNumber
    state: State
    remark: Annotated[str, Meta(max_length=1000)] | None = None


class VoicemailObject(msgspec.Struct, frozen=True):
    """A voicemail, everywhere."""

    voicemail: str
    tenant: str
    mailbox: Annotated[str, Meta(description="public, queue:NAME or seat:NUMBER")]
    call: str
    queue: str | None
    caller: str
    caller_name: str
    called: Annotated[str, Meta(description="The hotline")]
    began_at: Instant
    ended_at: Instant
    seconds: Seconds
    file: Annotated[str, Meta(description="In the folder of the recordings: WAV, G.711 u-law")]
    cause: Annotated[
        str,
        Meta(
            description="What ended it: hung_up, key, limit, silence, failed, worker_lost, switch_killed"
        ),
    ]
    state: Literal["new", "heard", "done", "removed"]
    remark: str
    changed_by: str | None
    changed_at: Instant


class WithAudio(VoicemailObject, frozen=True, kw_only=True):
    """A voicemail with bytes of its file."""

    size: Size
    offset: int
    audio: Audio


class Voicemails(msgspec.Struct, frozen=True):
    """Voicemails, oldest first."""

    voicemails: list[VoicemailObject]
    more: Annotated[bool, Meta(description=f"There are older ones than these {LISTED_MAX}")]
    unheard: Annotated[int, Meta(description="new ones, whatever state was asked for")]


def own_mailboxes(scope: Scope) -> Callable[[str], bool]:
    """Return what says, now and later, whether an agent may open a mailbox of its tenant."""
    session, node = scope.connection.session, scope.node

    def opens(mailbox: str) -> bool:
        seat = None if session is None else node.engine.seats.get(session.seat)
        if session is None or seat is None:
            return False
        settings = seat.settings
        is_let = node.voicemails.settings_of(settings.tenant).agents != "none"
        return is_let and belongs(mailbox, session.seat, settings.queues)

    return opens


def may_open(scope: Scope, row: VoicemailRow) -> bool:
    """Say whether the connection may know of a message."""
    if not scope.sees(row.tenant):
        return False
    if not scope.may("supervisor"):
        return own_mailboxes(scope)(row.mailbox)
    kind, _, name = row.mailbox.partition(":")
    if kind != "seat":
        return kind == "public" or scope.leads((name,))
    session, seat = scope.connection.session, scope.node.engine.seats.get(SeatId(name))
    is_own = session is not None and session.seat == name
    return is_own or scope.leads(() if seat is None else seat.settings.queues)


def _known(scope: Scope, voicemail: str) -> VoicemailRow:
    row = scope.node.voicemails.get(voicemail)
    if not may_open(scope, row):
        raise OperationRefused("NO_SUCH_VOICEMAIL", f"there is no voicemail {voicemail}")
    return row


def list_voicemails(scope: Scope, params: ListVoicemails) -> dict[str, Any]:
    """Return the messages that one may know of."""
    rows = [
        row
        for row in scope.node.voicemails.all()
        if params.mailbox in (None, row.mailbox) and may_open(scope, row)
    ]
    wanted = [row for row in rows if params.state in (None, row.state)]
    return {
        "voicemails": [view(row) for row in wanted[-LISTED_MAX:]],
        "more": len(wanted) > LISTED_MAX,
        "unheard": sum(row.state == "new" for row in rows),
    }


def get(scope: Scope, params: GetVoicemail) -> dict[str, Any] | Later:
    """Return a message, with bytes of its file if they are asked for."""
    row = _known(scope, params.voicemail)
    if not params.length:
        return view(row) | no_piece(params.offset)
    if not scope.may("supervisor") and scope.node.voicemails.settings_of(row.tenant).agents != "listen":
        raise OperationRefused("NO_RIGHT", "agents of this tenant do not listen to voicemails")

    def answer(piece: dict[str, Any]) -> dict[str, Any]:
        if begins(scope, row.file, params.offset):
            scope.record("voicemail_listen", call=row.call, tenant=row.tenant, detail=row.voicemail)
        return view(row) | piece

    return read_piece(scope, Wanted(row.file, params.offset, params.length), answer)


def mark(scope: Scope, params: MarkVoicemail) -> dict[str, Any]:
    """Say what was done with a message."""
    row = _known(scope, params.voicemail)
    marked = scope.node.mark_voicemail(
        row.voicemail, params.state, params.remark, scope.who(), scope.now
    )
    scope.audit("voicemail marked", voicemail=row.voicemail, state=params.state)
    return view(marked)


METHODS = (
    Method(
        "voicemail.list",
        AGENT,
        "The voicemails of the mailboxes that one may open, the newest last.",
        ListVoicemails,
        Voicemails,
        list_voicemails,
    ),
    Method(
        "voicemail.get",
        AGENT,
        f"A voicemail and, with length, so many bytes of its file from offset on (at most {CHUNK_MAX} at a "
        "time). Who listens leaves a row in operations.",
        GetVoicemail,
        WithAudio,
        get,
        ("NO_SUCH_VOICEMAIL", "NO_AUDIO", "AUDIO_LATE"),
    ),
    Method(
        "voicemail.mark",
        AGENT,
        "Say that a voicemail was heard, that all about it is done, or that it is new again.",
        MarkVoicemail,
        VoicemailObject,
        mark,
        ("NO_SUCH_VOICEMAIL",),
    ),
)
