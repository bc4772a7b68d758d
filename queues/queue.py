"""One queue: entry rules, the visits in it by place, and what is counted."""

from bisect import bisect_left, bisect_right
from math import inf

from kernel.ids import CallId, QueueName, SeatId
from queues.estimate import estimate
from queues.hours import Hours
from queues.settings import QueueSettings
from queues.statistics import Counters, Statistics
from queues.waiting import WaitingCall

_SMOOTHING = 0.1  # weight of the newest handle time in the mean


class Queue:
    """The visits of one queue. Who serves it and in which order is decided elsewhere."""

    __slots__ = (
        "_hours",
        "_places",
        "empty_since",
        "handled_for",
        "late",
        "name",
        "samples",
        "settings",
        "signed_in",
        "statistics",
        "there",
        "waiting",
    )

    def __init__(self, settings: QueueSettings, statistics: Statistics[Counters] | None = None) -> None:
        self.settings = settings
        self.name = QueueName(settings.name)
        self.waiting: dict[CallId, WaitingCall] = {}  # every visit, standing or ringing a seat
        self._places: list[tuple[float, int]] = []  # sorted
        self.statistics = statistics or Statistics(Counters)
        self.late = 0  # visits that wait longer than alert_wait
        self.signed_in = 0  # seats that serve it, whatever they are doing
        self.there: dict[SeatId, None] = {}  # those not absent, where some states count as absent
        self.empty_since: float | None = None  # since when nobody is there
        self._hours: Hours | None = None
        self.samples = 0
        self.handled_for = 0.0  # smoothed talk plus wrap-up of its calls, seconds

    @property
    def present(self) -> int:
        """Seats that serve it and are there: signed in, and in no state that its settings call absent."""
        return len(self.there) if self.settings.entry.absent else self.signed_in

    def is_open(self, epoch: float) -> bool:
        """Say whether its hours are on at ``epoch`` (seconds, UTC)."""
        wanted = self.settings.entry.hours
        if wanted is None:
            return True
        if self._hours is None or self._hours.settings is not wanted:
            self._hours = Hours(wanted)
        return self._hours.is_open(epoch)

    def refusal(self) -> str:
        """Say why a call may not enter now: ``full``, ``empty``, or "" when it may."""
        most = self.settings.max_waiting
        if most and len(self.waiting) >= most:
            return "full"
        if self.settings.when_empty == "refuse" and not self.present:
            return "empty"
        return ""

    def join(self, call: WaitingCall) -> int:
        """Let a visit begin, and return its place, counted from 1."""
        assert call.call not in self.waiting, f"{call.call} is in {self.name} already"
        self.waiting[call.call] = call
        place = call.place
        at = bisect_left(self._places, place)
        self._places.insert(at, place)
        return at + 1

    def leave(self, call: WaitingCall) -> int:
        """Let a visit end, and return its last place."""
        del self.waiting[call.call]
        at = bisect_left(self._places, call.place)
        assert self._places[at] == call.place, f"{call.call} is not at its place in {self.name}"
        del self._places[at]
        return at + 1

    def position(self, call: WaitingCall) -> int:
        """Return the call's place, counted from 1."""
        return bisect_left(self._places, call.place) + 1

    def place_of(self, key: float) -> int:
        """Return the position that a call with ``key`` would have if it came now."""
        return bisect_right(self._places, (key, inf)) + 1

    def note_handled(self, handled_for: float) -> None:
        """Learn how long a call of this queue kept a seat."""
        self.samples += 1
        weight = max(_SMOOTHING, 1 / self.samples)
        self.handled_for += weight * (handled_for - self.handled_for)

    def estimate(self, position: int, seats: int) -> tuple[float, float] | None:
        """Return the likely wait of the call at ``position`` as (low, high) seconds, None if unknown.

        ``seats`` is how many work for it. See :func:`queues.estimate.estimate`.
        """
        past, now = self.statistics.past, self.statistics.open
        abandoned, waited = past.abandoned + now.abandoned, past.wait + now.wait
        return estimate(position, seats, self.samples, self.handled_for, abandoned, waited)

    def check(self) -> None:
        """Assert that the places are those of the visits, in order."""
        assert self.late == sum(call.is_late for call in self.waiting.values()), f"{self.name}: who is late?"
        assert self._places == sorted(call.place for call in self.waiting.values()), (
            f"{self.name} lost its order"
        )
