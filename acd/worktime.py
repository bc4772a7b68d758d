"""What one seat did: offers and conversations, and the time it spent in each state while signed in.

All signed-in time is in exactly one state: what the phone does counts before what the person says. From these
sums follow occupancy, utilisation and whatever is compared with a schedule (adherence).
"""

from typing import Any, ClassVar

from queues.sums import WORK, Sums, share, work_figures

STATES = (
    "time_ready",
    "time_reserved",
    "time_ringing",
    "time_dialling",
    "time_talking",  # in any call, without hold
    "time_held",
    "time_wrapup",
    "time_paused",
    "time_unreachable",
)


class SeatCounters(Sums):
    """Counters of one seat in one interval, or of several in several. Times are seconds."""

    __slots__ = (*STATES, "paused_for")
    NAMES: ClassVar[tuple[str, ...]] = (*WORK, *STATES)

    time_ready: float
    time_reserved: float
    time_ringing: float
    time_dialling: float
    time_talking: float
    time_held: float
    time_wrapup: float
    time_paused: float
    time_unreachable: float

    def __init__(self) -> None:
        super().__init__()
        self.paused_for: dict[str, float] = {}  # seconds by pause reason

    def add(self, other: Sums) -> None:
        """Add another interval's or seat's counters to these."""
        super().add(other)
        assert isinstance(other, SeatCounters)
        for reason, seconds in other.paused_for.items():
            self.pause(reason, seconds)

    def pause(self, reason: str, seconds: float) -> None:
        """Count time paused for ``reason``."""
        self.paused_for[reason] = self.paused_for.get(reason, 0.0) + seconds

    @property
    def signed_in(self) -> float:
        """Seconds signed in."""
        return float(sum(getattr(self, name) for name in STATES))

    def as_dict(self) -> dict[str, Any]:
        """Return counters and the figures that follow from them, for an operator."""
        return {
            **dict(zip(self.NAMES, self.values(), strict=True)),
            "time_signed_in": round(self.signed_in, 3),
            "paused_for": {reason: round(self.paused_for[reason], 3) for reason in sorted(self.paused_for)},
            **work_figures(self),
            "occupancy": occupancy(self),
            "occupancy_without_ring": occupancy(self, with_ring=False),
            "utilisation": utilisation(self),
        }


def occupancy(counters: SeatCounters, *, with_ring: bool = True) -> float | None:
    """Return busy over busy and ready; None for who was neither.

    Busy is talking, on hold, dialling and wrap-up; reserved and ringing count as busy, or, without ring, as
    nothing.
    """
    busy = counters.time_talking + counters.time_held + counters.time_dialling + counters.time_wrapup
    if with_ring:
        busy += counters.time_reserved + counters.time_ringing
    return share(busy, busy + counters.time_ready)


def utilisation(counters: SeatCounters) -> float | None:
    """Return handling (talking, on hold, wrap-up) over signed-in time."""
    handling = counters.time_talking + counters.time_held + counters.time_wrapup
    return share(handling, counters.signed_in)
