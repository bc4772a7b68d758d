"""What the engine tells the world: for event subscribers, not for call control."""

import msgspec

from kernel.ids import CallId, QueueName, SeatId


class SeatChanged(msgspec.Struct, frozen=True):
    """A seat's presence, activity, phone or pending presence changed; read the seat for the rest."""

    seat: SeatId
    cause: str


class QueueChanged(msgspec.Struct, frozen=True):
    """A call joined or left, or an offer was made."""

    queue: QueueName
    what: str  # joined, left, offered, offer_ended, relaxed
    call: CallId
    outcome: str = ""
    seat: str = ""


AcdEvent = SeatChanged | QueueChanged
