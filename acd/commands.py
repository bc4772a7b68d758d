"""What the engine asks of call control."""

import msgspec

from kernel.ids import CallId, OfferId, QueueName, SeatId


class RingSeat(msgspec.Struct, frozen=True):
    """Ring the phone bound to ``seat`` for ``call``. The engine itself gives up after the queue's
    ``ring_for``.
    """

    offer: OfferId
    call: CallId
    seat: SeatId
    queue: QueueName
    phone_kind: str
    phone_number: str


class PlaceCall(msgspec.Struct, frozen=True):
    """Prepare a call that begins at a seat, which is about to be rung for it: when the seat has answered,
    ``number`` is dialled and shown ``display`` ("" the tenant's first number).
    """

    call: CallId
    queue: QueueName
    tenant: str
    number: str
    display: str
    ring_for: float


class ChangeQueue(msgspec.Struct, frozen=True):
    """The call waits in another queue than it came to, or waited in before."""

    call: CallId
    queue: QueueName


class WithdrawOffer(msgspec.Struct, frozen=True):
    """Stop ringing; ``cause``: no_answer, caller_gone, answered_elsewhere, signed_out, paused, ..."""

    offer: OfferId
    cause: str


class ReleaseCall(msgspec.Struct, frozen=True):
    """The visit ended without a seat: timed out, refused (full, empty), overflowed to ``target``
    (queue:NAME).
    """

    call: CallId
    queue: QueueName
    outcome: str
    cause: str
    target: str = ""  # "" or "hangup": end the call


class OpenLine(msgspec.Struct, frozen=True):
    """Call the phone bound to ``seat``, and keep it on the line until told otherwise."""

    seat: SeatId
    phone_kind: str
    phone_number: str


class CloseLine(msgspec.Struct, frozen=True):
    """Let the phone that is kept on the line for ``seat`` go."""

    seat: SeatId


class KickOut(msgspec.Struct, frozen=True):
    """An older session of the seat is no longer its own."""

    seat: SeatId
    session: str


Command = (
    RingSeat | PlaceCall | ChangeQueue | WithdrawOffer | ReleaseCall | OpenLine | CloseLine | KickOut
)
