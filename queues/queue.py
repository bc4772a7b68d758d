"""One queue: entry rules, the visits in it by place, and what is counted."""

from bisect import bisect_left, insort

from kernel.ids import CallId, QueueName
from queues.settings import QueueSettings
from queues.statistics import Statistics
from queues.waiting import WaitingCall

SAMPLES_MIN = 5  # handled calls before a wait is estimated
_SMOOTHING = 0.1  # weight of the newest handle time in the mean


class Queue:
    """The visits of one queue. Who serves it and in which order is decided elsewhere."""

    __slots__ = (
        "_places",
        "handled_for",
        "name",
        "samples",
        "settings",
        "signed_in",
        "statistics",
        "waiting",
    )

    def __init__(self, settings: QueueSettings) -> None:
        self.settings = settings
        self.name = QueueName(settings.name)
        self.waiting: dict[CallId, WaitingCall] = {}  # every visit, standing or ringing a seat
        self._places: list[tuple[float, int]] = []  # sorted
        self.statistics = Statistics()
        self.signed_in = 0  # seats that serve it, whatever they are doing
        self.samples = 0
        self.handled_for = 0.0  # smoothed talk plus wrap-up of its calls, seconds

    def refusal(self) -> str:
        """Say why a call may not enter now: ``full``, ``empty``, or "" when it may."""
        most = self.settings.max_waiting
        if most and len(self.waiting) >= most:
            return "full"
        if self.settings.when_empty == "refuse" and not self.signed_in:
            return "empty"
        return ""

    def join(self, call: WaitingCall) -> None:
        """Let a visit begin."""
        assert call.call not in self.waiting, f"{call.call} is in {self.name} already"
        self.waiting[call.call] = call
        insort(self._places, call.place)

    def leave(self, call: WaitingCall) -> None:
        """Let a visit end."""
        del self.waiting[call.call]
        at = bisect_left(self._places, call.place)
        assert self._places[at] == call.place, f"{call.call} is not at its place in {self.name}"
        del self._places[at]

    def position(self, call: WaitingCall) -> int:
        """Return the call's place, counted from 1."""
        return bisect_left(self._places, call.place) + 1

    def note_handled(self, handled_for: float) -> None:
        """Learn how long a call of this queue kept a seat."""
        self.samples += 1
        weight = max(_SMOOTHING, 1 / self.samples)
        self.handled_for += weight * (handled_for - self.handled_for)

    def estimate(self, position: int, seats: int) -> tuple[float, float] | None:
        """Return the likely wait of the call at ``position`` as (low, high) seconds.

        ``seats`` is how many serve it. None while nothing is known: too few calls handled, or no seat. The
        range is mean -/+ 1.28 deviations of as many exponential intervals: 80 % of such waits end in it.
        """
        if self.samples < SAMPLES_MIN or not seats:
            return None
        interval = self.handled_for / seats
        spread = 1.28 * interval * position**0.5
        middle = interval * position
        return (max(0.0, middle - spread), middle + spread)

    def check(self) -> None:
        """Assert that the places are those of the visits, in order."""
        assert self._places == sorted(call.place for call in self.waiting.values()), (
            f"{self.name} lost its order"
        )
