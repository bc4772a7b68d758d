"""Ready seats: one index per requirement class, in the policy's order, and pools of what is held back.

A seat stands in the index of every class it can serve, with a number that changes each time it becomes ready;
an entry with another number is dead and dropped when it surfaces or when the dead outnumber the living.
"""

from heapq import heapify, heappop, heappush

from acd.seat import Seat
from kernel.ids import SeatId
from policies.policy import Policy
from policies.views import SeatKey
from queues.waiting import WaitingCall, WaitingLine

Entry = tuple[SeatKey, int, Seat]

RUNNERS_UP_MAX = 3
_LOOKED_AT_MAX = 12  # entries looked at for runners-up; they are told, not used
_SPARE = 32  # dead entries an index may keep before it is swept


class Pool:
    """The idle seats of one level of one tenant, where a few are kept for the queues that start there."""

    __slots__ = ("hold_back", "idle", "level", "tenant")

    def __init__(self, tenant: str, level: int, hold_back: int) -> None:
        self.tenant = tenant
        self.level = level
        self.hold_back = hold_back
        self.idle: dict[SeatId, Seat] = {}  # routable seats that serve a queue which starts at this level


class RequirementClass:
    """What one line of waiting calls wants, and the ready seats that have it."""

    __slots__ = ("_heap", "count", "line", "policy", "pools", "preferred", "signed_in", "working")

    def __init__(self, line: WaitingLine, policy: Policy) -> None:
        self.line = line
        self.policy = policy
        self.preferred = line.requirement.preferred  # level; -1: none
        self.count = 0  # ready seats, held back or not
        self.signed_in = 0  # seats that serve it, whatever they are doing
        self.working = 0  # of them, those that take calls now or after the one they are in
        self.pools: list[Pool] = []  # whose seats may be held back from this class
        self._heap: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Let a ready seat stand here, by its policy key, behind those of a level nearer to the preferred."""
        if self.preferred >= 0:
            key, number, seat = entry
            entry = ((abs(seat.level - self.preferred), *key), number, seat)
        heappush(self._heap, entry)
        self.count += 1

    def remove_one(self) -> None:
        """Note that one entry here has died."""
        self.count -= 1
        heap = self._heap
        if len(heap) > 2 * self.count + _SPARE:
            self._heap = [entry for entry in heap if entry[2].ready_number == entry[1]]
            heapify(self._heap)

    def is_held(self, seat: Seat) -> bool:
        """Say whether ``seat`` is kept for queues that start at its level, and this is not one of them."""
        pool = seat.pool
        return pool is not None and len(pool.idle) <= pool.hold_back and self.line.own_level != pool.level

    def best(self, call: WaitingCall) -> tuple[Entry | None, list[Entry]]:
        """Return the best seat that may be offered ``call``, and the next best few."""
        heap = self._heap
        back_off = call.back_off
        passed: list[Entry] = []
        found: Entry | None = None
        while heap:
            entry = heap[0]
            seat = entry[2]
            if seat.ready_number != entry[1]:
                heappop(heap)
            elif (back_off and seat.id in back_off) or (seat.pool is not None and self.is_held(seat)):
                passed.append(heappop(heap))
            else:
                found = entry
                break
        runners = self._runners_up(call) if found is not None and self.count > 1 else []
        for entry in passed:
            heappush(heap, entry)
        return found, runners

    def _runners_up(self, call: WaitingCall) -> list[Entry]:
        """Return the best few after the first, without moving anything.

        Walks down the heap from its top, best first. Popping and pushing back would cost three times as
        much; dead entries in the way count against :data:`_LOOKED_AT_MAX`.
        """
        heap = self._heap
        size = len(heap)
        frontier: list[tuple[Entry, int]] = []
        runners: list[Entry] = []
        at = 0
        for _ in range(_LOOKED_AT_MAX):
            for child in (2 * at + 1, 2 * at + 2):
                if child < size:
                    heappush(frontier, (heap[child], child))
            if not frontier:
                break
            entry, at = heappop(frontier)
            seat = entry[2]
            if seat.ready_number == entry[1] and seat.id not in call.back_off and not self.is_held(seat):
                runners.append(entry)
                if len(runners) == RUNNERS_UP_MAX:
                    break
        return runners

    def ready(self) -> list[Entry]:
        """Return the living entries, in order; for checks and explanations."""
        return sorted(entry for entry in self._heap if entry[2].ready_number == entry[1])
