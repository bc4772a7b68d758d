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

    __slots__ = ("_heap", "count", "line", "policy", "pools", "signed_in")

    def __init__(self, line: WaitingLine, policy: Policy) -> None:
        self.line = line
        self.policy = policy
        self.count = 0  # ready seats, held back or not
        self.signed_in = 0  # seats that serve it, whatever they are doing
        self.pools: list[Pool] = []  # whose seats may be held back from this class
        self._heap: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Let a ready seat stand here."""
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
        runners: list[Entry] = []
        while heap and len(runners) < RUNNERS_UP_MAX:
            entry = heap[0]
            seat = entry[2]
            if seat.ready_number != entry[1]:
                heappop(heap)
                continue
            if (seat.pool is not None and self.is_held(seat)) or (back_off and seat.id in back_off):
                passed.append(heappop(heap))
            elif found is None:
                found = entry
                if self.count == 1:
                    break
                passed.append(heappop(heap))
            else:
                runners.append(entry)
                passed.append(heappop(heap))
        for entry in passed:
            heappush(heap, entry)
        return found, runners

    def ready(self) -> list[Entry]:
        """Return the living entries, in order; for checks and explanations."""
        return sorted(entry for entry in self._heap if entry[2].ready_number == entry[1])
