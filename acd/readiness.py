"""Ready seats: one index per requirement class, in the policy's order, and pools of what is held back.

A seat stands in the index of every class it can serve, with a number that changes each time it becomes ready;
an entry with another number is dead and dropped when it surfaces or when the dead outnumber the living.
"""

from bisect import insort
from heapq import heapify, heappop, heappush

from acd.seat import Seat
from kernel.ids import SeatId
from policies.policy import Policy
from policies.views import SeatKey
from queues.waiting import WaitingCall, WaitingLine

Entry = tuple[SeatKey, int, Seat]

RUNNERS_UP_MAX = 3
_FRONT_MAX = 64  # entries in the sorted list; it grows only where many seats are passed over
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
    """What one line of waiting calls wants, and the ready seats that have it.

    The first few stand in a sorted list before the heap of all others: who wins, and who comes next, is read
    there without moving anything.
    """

    __slots__ = (
        "_front",
        "_heap",
        "count",
        "few",
        "line",
        "policy",
        "pools",
        "preferred",
        "signed_in",
        "working",
    )

    def __init__(self, line: WaitingLine, policy: Policy) -> None:
        self.line = line
        self.policy = policy
        self.preferred = line.requirement.preferred  # level; -1: none
        self.count = 0  # ready seats, held back or not
        self.signed_in = 0  # seats that serve it, whatever they are doing
        self.few = 0  # of these or fewer its calls may go on to the next step at once
        self.working = 0  # of them, those that take calls now or after the one they are in
        self.pools: list[Pool] = []  # whose seats may be held back from this class
        self._front: list[Entry] = []  # the first few, sorted
        self._heap: list[Entry] = []  # those behind them

    def add(self, entry: Entry) -> None:
        """Let a ready seat stand here, by its policy key, behind those of a level nearer to the preferred."""
        if self.preferred >= 0:
            key, number, seat = entry
            entry = ((abs(seat.level - self.preferred), *key), number, seat)
        self.count += 1
        front = self._front
        if not front or entry > front[-1]:
            heappush(self._heap, entry)
            return
        insort(front, entry)
        if len(front) > _FRONT_MAX:
            for each in front[_FRONT_MAX // 2 :]:
                heappush(self._heap, each)
            del front[_FRONT_MAX // 2 :]

    def remove_one(self) -> None:
        """Note that one entry here has died."""
        self.count -= 1
        front, heap = self._front, self._heap
        if len(front) + len(heap) > 2 * self.count + _SPARE:
            self._heap = [entry for entry in (*front, *heap) if entry[2].ready_number == entry[1]]
            heapify(self._heap)
            front.clear()

    def is_held(self, seat: Seat) -> bool:
        """Say whether ``seat`` is kept for queues that start at its level, and this is not one of them."""
        pool = seat.pool
        return pool is not None and len(pool.idle) <= pool.hold_back and self.line.own_level != pool.level

    def best(self, call: WaitingCall) -> tuple[Entry | None, list[Entry]]:
        """Return the best seat that may be offered ``call``, and the next best few."""
        front, heap = self._front, self._heap
        back_off = call.back_off
        found: Entry | None = None
        runners: list[Entry] = []
        at = 0  # living entries looked at
        while at < self.count:
            if at < len(front):
                entry = front[at]
            else:
                entry = heappop(heap)
                front.append(entry)
            seat = entry[2]
            if seat.ready_number != entry[1]:
                del front[at]
                continue
            at += 1
            if (back_off and seat.id in back_off) or (seat.pool is not None and self.is_held(seat)):
                continue
            if found is None:
                found = entry
                continue
            runners.append(entry)
            if len(runners) == RUNNERS_UP_MAX:
                break
        return found, runners

    def ready(self) -> list[Entry]:
        """Return the living entries, in order; for checks and explanations."""
        return sorted(entry for entry in (*self._front, *self._heap) if entry[2].ready_number == entry[1])
