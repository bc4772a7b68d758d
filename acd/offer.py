"""Offers: one ring at one seat for one waiting call, held as a lease.

Rule: an offer never outlives its visit, a seat holds at most one, and it ends exactly once; whatever comes
after its end is dropped by this table.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from acd.readiness import Entry
from acd.seat import Seat
from kernel.ids import OfferId
from kernel.timers import Timer
from policies.views import SeatKey
from queues.waiting import WaitingCall


class State(StrEnum):
    """Where an offer is."""

    RESERVED = "reserved"
    RINGING = "ringing"
    ENDED = "ended"


class Input(StrEnum):
    """What can happen to an offer; all but RANG end it."""

    RANG = "rang"
    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


MOVES: dict[tuple[State, Input], State] = {
    (State.RESERVED, Input.RANG): State.RINGING,
    (State.RESERVED, Input.ANSWERED): State.ENDED,
    (State.RESERVED, Input.REFUSED): State.ENDED,
    (State.RESERVED, Input.FAILED): State.ENDED,
    (State.RESERVED, Input.MISSED): State.ENDED,
    (State.RESERVED, Input.WITHDRAWN): State.ENDED,
    (State.RINGING, Input.ANSWERED): State.ENDED,
    (State.RINGING, Input.REFUSED): State.ENDED,
    (State.RINGING, Input.FAILED): State.ENDED,
    (State.RINGING, Input.MISSED): State.ENDED,
    (State.RINGING, Input.WITHDRAWN): State.ENDED,
}
DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        (State.RINGING, Input.RANG),  # 180 again, or 183 after 180
        (State.ENDED, Input.RANG),
        (State.ENDED, Input.ANSWERED),
        (State.ENDED, Input.REFUSED),
        (State.ENDED, Input.FAILED),
        (State.ENDED, Input.MISSED),
        (State.ENDED, Input.WITHDRAWN),
    }
)


class OfferKeeper(Protocol):
    """Who acts when an offer has rung long enough."""

    def offer_due(self, offer: "Offer", name: str, now: float) -> None:
        """Act on the timer ``name`` of ``offer``."""


class Offer:
    """One ring at one seat, from the reservation to its end."""

    __slots__ = (
        "call",
        "eligible",
        "id",
        "is_taken",
        "keeper",
        "key",
        "key_text",
        "made_at",
        "policy",
        "rung_at",
        "runners_text",
        "runners_up",
        "seat",
        "state",
        "timer",
    )

    def __init__(
        self, offer: OfferId, call: WaitingCall, seat: Seat, made_at: float, keeper: OfferKeeper
    ) -> None:
        self.id = offer
        self.call = call
        self.seat = seat
        self.state = State.RESERVED
        self.made_at = made_at
        self.rung_at: float | None = None  # None until the phone rings
        self.timer: Timer | None = None
        self.is_taken = False  # the seat has answered, and is told something before it talks
        self.policy = ""
        self.key: SeatKey = ()  # of the winner, as the policy gave it
        self.key_text = ""  # the same in words, once a row has told them
        self.eligible = 1
        self.runners_up: Sequence[Entry] = ()  # the next best
        self.runners_text = ""  # the same in words, once a row has told them
        self.keeper = keeper

    def step(self, cause: Input) -> bool:
        """Apply ``cause``; return False if it is dropped."""
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True

    def on_timer(self, name: str, now: float) -> None:
        """Pass the deadline on to the keeper."""
        self.keeper.offer_due(self, name, now)
