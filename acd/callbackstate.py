"""One callback: what is promised to whom, and where it is. The table of its moves is total."""

from enum import StrEnum
from math import inf
from typing import Protocol

from kernel.ids import CallId, QueueName, SeatId
from kernel.timers import Timer


class Keeper(Protocol):
    """Who acts when a deadline of a callback has come."""

    def on_deadline(self, callback: "Callback", now: float) -> None:
        """Look at ``callback``: something is due."""


class State(StrEnum):
    """Where a callback is."""

    SCHEDULED = "scheduled"  # until it is due: the next attempt, the opening of its hours
    WAITING = "waiting"  # it stands in its queue, or rings a seat
    DIALLING = "dialling"  # a seat has taken it, the customer is rung
    ENDED = "ended"


class Input(StrEnum):
    """What can happen to it."""

    DUE = "due"
    BACK = "back"  # taken out of its queue without an attempt
    TAKEN = "taken"
    FAILED = "failed"
    END = "end"


# (state, input) -> next state; what is missing is dropped on purpose.
MOVES: dict[tuple[State, Input], State] = {
    (State.SCHEDULED, Input.DUE): State.WAITING,
    (State.SCHEDULED, Input.END): State.ENDED,
    (State.WAITING, Input.BACK): State.SCHEDULED,
    (State.WAITING, Input.TAKEN): State.DIALLING,
    (State.WAITING, Input.END): State.ENDED,
    (State.DIALLING, Input.FAILED): State.SCHEDULED,
    (State.DIALLING, Input.END): State.ENDED,
}
DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        (State.SCHEDULED, Input.BACK),
        (State.SCHEDULED, Input.TAKEN),
        (State.SCHEDULED, Input.FAILED),
        (State.WAITING, Input.DUE),
        (State.WAITING, Input.FAILED),
        (State.DIALLING, Input.DUE),
        (State.DIALLING, Input.BACK),
        (State.DIALLING, Input.TAKEN),
        (State.ENDED, Input.DUE),
        (State.ENDED, Input.BACK),
        (State.ENDED, Input.TAKEN),
        (State.ENDED, Input.FAILED),
        (State.ENDED, Input.END),
    }
)


class Callback:
    """One customer who is to be called back."""

    __slots__ = (
        "attempts",
        "booked_at",
        "booked_by",
        "call",
        "calls",
        "credit",
        "dialled_at",
        "display",
        "due_at",
        "expires_at",
        "followup",
        "for_seat",
        "id",
        "joined_at",
        "keeper",
        "last_outcome",
        "number",
        "outcome",
        "queue",
        "seat",
        "seat_until",
        "skills",
        "state",
        "tenant",
        "timer",
        "visit",
    )

    def __init__(
        self, callback: str, tenant: str, queue: QueueName, number: str, keeper: Keeper
    ) -> None:
        self.id = callback
        self.tenant = tenant
        self.queue = queue
        self.number = number
        self.keeper: Keeper | None = keeper
        self.display = ""
        self.booked_by = ""
        self.visit = ""
        self.followup = ""
        self.for_seat: SeatId | None = None  # it waits for this one
        self.seat_until = inf  # and then anybody may have it; never: for as long as it lasts
        self.skills: tuple[tuple[str, int], ...] = ()
        self.booked_at = 0.0
        self.joined_at = 0.0
        self.credit = 0.0
        self.due_at = 0.0
        self.expires_at = 0.0
        self.calls = 0
        self.attempts = 0
        self.state = State.SCHEDULED
        self.outcome = ""
        self.last_outcome = ""  # of the last attempt
        self.call: CallId | None = None  # the one that stands in the queue, or is dialled
        self.seat = ""
        self.dialled_at = 0.0
        self.timer: Timer | None = None

    @property
    def key(self) -> float:
        """Its place in the queue."""
        return self.joined_at - self.credit

    @property
    def is_dialling(self) -> bool:
        """Whether its customer is being rung."""
        return self.state is State.DIALLING

    def move(self, cause: Input) -> bool:
        """Take ``cause``; return whether it counted."""
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True

    def on_timer(self, name: str, now: float) -> None:
        """Pass a deadline on to the keeper."""
        if self.keeper is not None:
            self.keeper.on_deadline(self, now)
