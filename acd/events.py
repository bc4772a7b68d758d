"""What the engine tells the world: for event subscribers, not for call control."""

from typing import Any

import msgspec

from kernel.ids import CallId, QueueName, SeatId


class SeatChanged(msgspec.Struct, frozen=True):
    """A seat's presence, activity, phone or pending presence changed; read the seat for the rest."""

    seat: SeatId
    cause: str


class QueueChanged(msgspec.Struct, frozen=True):
    """A call joined or left, or an offer was made."""

    queue: QueueName
    what: str  # joined, left, offered, offer_ended, relaxed, moved
    call: CallId
    outcome: str = ""
    seat: str = ""


class CallbackChanged(msgspec.Struct, frozen=True):
    """A callback was booked, moved on or ended; ``data`` is the callback object as it is then."""

    callback: str
    what: str  # booked, scheduled, waiting, dialling, ended
    data: dict[str, Any]


class HandleLimitReached(msgspec.Struct, frozen=True):
    """A queue call lasts as long as calls of the seat's level should at most; told once per call."""

    seat: SeatId
    call: CallId
    queue: str
    limit: float  # seconds


class WaitLimitReached(msgspec.Struct, frozen=True):
    """A caller has waited for as long as the queue's ``alert_wait``; told once per visit."""

    queue: QueueName
    call: CallId
    limit: float  # seconds
    waited: float  # so far, queues before this one included


class SeatMoveEnded(msgspec.Struct, frozen=True):
    """A seat that was moved is as the configuration says again, which ``why`` explains."""

    seat: SeatId
    why: str


AcdEvent = (
    SeatChanged | QueueChanged | CallbackChanged | HandleLimitReached | WaitLimitReached | SeatMoveEnded
)
