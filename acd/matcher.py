"""The matcher: pairs waiting calls with ready seats, in both directions, and changes nothing by it.

A call looks only at the index of ready seats of its own class; a seat only at the heads of the classes it
serves. At the end of a turn no eligible pair is unmatched; what is held back and the back-off between one
call and one seat are part of being eligible.
"""

from collections.abc import Iterable

from acd.readiness import Entry, Pool, RequirementClass
from acd.seat import Seat
from kernel.ids import QueueName, SeatId
from policies.policy import Policy, head_key
from policies.skills import serves
from policies.views import CallKey, SeatKey
from queues.settings import Requirement
from queues.waiting import WaitingCall, WaitingLine


class Choice:
    """A seat for a call, and why it."""

    __slots__ = ("eligible", "entry", "runners_up", "seat", "wanted")

    def __init__(
        self, entry: Entry, wanted: RequirementClass, eligible: int, runners_up: list[Entry]
    ) -> None:
        self.entry = entry
        self.seat = entry[2]
        self.wanted = wanted
        self.eligible = eligible
        self.runners_up = runners_up


class Matcher:
    """All requirement classes, who serves them, who is ready for them."""

    def __init__(self) -> None:
        self._classes: dict[tuple[QueueName, Requirement], RequirementClass] = {}
        self._by_line: dict[WaitingLine, RequirementClass] = {}
        self._by_queue: dict[QueueName, list[RequirementClass]] = {}
        self._pools: dict[tuple[str, int], Pool] = {}
        self._numbers = 0
        self.ready: dict[SeatId, Seat] = {}  # every seat that stands in the indexes

    # Structure: changes with the configuration, and with calls that want skills of their own.

    def open_class(
        self,
        queue: QueueName,
        requirement: Requirement,
        own_level: int,
        policy: Policy,
        seats: Iterable[Seat],
        *,
        is_configured: bool,
    ) -> RequirementClass:
        """Return the class of ``requirement`` in ``queue``; make it, served by those of ``seats`` who can."""
        known = self._classes.get((queue, requirement))
        if known is not None:
            return known
        line = WaitingLine(queue, requirement, own_level, is_configured=is_configured)
        new = RequirementClass(line, policy)
        self._classes[(queue, requirement)] = new
        self._by_line[line] = new
        self._by_queue.setdefault(queue, []).append(new)
        for seat in seats:
            if queue not in seat.paused_in and serves(seat.level, seat.skills, requirement):
                seat.classes = (*seat.classes, new)
                new.signed_in += seat.is_signed_in
                new.working += seat.works
                if seat.pool is not None and seat.level != own_level and seat.pool not in new.pools:
                    new.pools.append(seat.pool)
                if seat.ready_number:
                    new.add((key_of(policy, seat, queue), seat.ready_number, seat))
        return new

    def close_class(self, line: WaitingLine, seats: Iterable[Seat]) -> None:
        """Forget a class that nobody waits in."""
        gone = self._by_line.pop(line)
        del self._classes[(line.queue, line.requirement)]
        self._by_queue[line.queue].remove(gone)
        for seat in seats:
            if gone in seat.classes:
                seat.classes = tuple(each for each in seat.classes if each is not gone)

    def enrol(self, seat: Seat, hold_back: int) -> None:
        """Find the classes that ``seat`` serves, and its pool; it must not be ready."""
        assert not seat.ready_number, f"{seat.id} is enrolled while ready"
        seat.classes = tuple(
            each
            for queue in dict.fromkeys(seat.queues)
            if queue not in seat.paused_in
            for each in self._by_queue.get(queue, ())
            if not each.line.requirement.seat and serves(seat.level, seat.skills, each.line.requirement)
        )
        seat.pool = None
        if hold_back and any(each.line.own_level == seat.level for each in seat.classes):
            key = (seat.tenant, seat.level)
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = Pool(seat.tenant, seat.level, hold_back)
            seat.pool = pool
            for each in seat.classes:
                if each.line.own_level != seat.level and pool not in each.pools:
                    each.pools.append(pool)

    # Readiness.

    def admit(self, seat: Seat, now: float) -> None:
        """Let a routable seat stand in the indexes of its classes."""
        self._numbers += 1
        number = seat.ready_number = self._numbers
        self.ready[seat.id] = seat
        if seat.pool is not None:
            seat.pool.idle[seat.id] = seat
        policy: Policy | None = None
        queue = ""
        entry: Entry | None = None
        for each in seat.classes:
            if entry is None or each.policy is not policy or (policy.by_queue and each.line.queue != queue):
                policy, queue = each.policy, each.line.queue
                entry = (key_of(policy, seat, queue), number, seat)
            each.add(entry)

    def dismiss(self, seat: Seat) -> None:
        """Take a seat out of the indexes."""
        if not seat.ready_number:
            return
        seat.ready_number = 0
        del self.ready[seat.id]
        if seat.pool is not None:
            del seat.pool.idle[seat.id]
        for each in seat.classes:
            each.remove_one()

    # Pairing.

    def class_of(self, line: WaitingLine) -> RequirementClass:
        """Return the class of a line."""
        return self._by_line[line]

    def classes(self) -> list[RequirementClass]:
        """Return all classes; for checks and operators."""
        return list(self._by_line.values())

    def best_seat(self, call: WaitingCall) -> Choice | None:
        """Return the best ready seat for ``call``."""
        assert call.line is not None
        wanted = self._by_line[call.line]
        if not wanted.count:
            return None
        entry, runners_up = wanted.best(call)
        if entry is None:
            return None
        eligible = wanted.count
        if eligible > 1 and (wanted.pools or call.back_off):
            eligible -= self._barred(wanted, call)
        return Choice(entry, wanted, eligible, runners_up)

    def best_call(self, seat: Seat, now: float) -> WaitingCall | None:
        """Return the call that ``seat``, ready, should be offered."""
        best: WaitingCall | None = None
        best_key: CallKey | None = None  # found only where there is something to compare
        best_policy: Policy | None = None
        pool = seat.pool
        is_kept = pool is not None and len(pool.idle) <= pool.hold_back
        for each in seat.classes:
            line = each.line
            if not line.count or (is_kept and line.own_level != seat.level):
                continue
            head = line.head()
            if head is not None and head.back_off and seat.id in head.back_off:
                head = line.first_for(seat.id)
            if head is None:
                continue
            if best is None or best_policy is None:
                best, best_policy = head, each.policy
                continue
            if best_key is None:
                best_key = head_key(best_policy, best, now)
            key = head_key(each.policy, head, now)
            if key < best_key:
                best, best_key = head, key
        return best

    def is_eligible(self, call: WaitingCall, seat: Seat) -> bool:
        """Say whether a ready ``seat`` may be offered ``call`` at this moment."""
        assert call.line is not None
        wanted = self._by_line[call.line]
        return wanted in seat.classes and seat.id not in call.back_off and not wanted.is_held(seat)

    def _barred(self, wanted: RequirementClass, call: WaitingCall) -> int:
        """Count the ready seats of the class that may not be offered ``call``."""
        barred: dict[str, None] = {}
        for pool in wanted.pools:
            if len(pool.idle) <= pool.hold_back:
                for seat in pool.idle.values():
                    if wanted in seat.classes:
                        barred[seat.id] = None
        for seat_id in call.back_off:
            tired = self.ready.get(seat_id)
            if tired is not None and wanted in tired.classes:
                barred[seat_id] = None
        return len(barred)


def key_of(policy: Policy, seat: Seat, queue: str) -> SeatKey:
    """Return the key by which ``seat`` stands among the seats that are ready for ``queue``."""
    return policy.seat_key_in(seat, queue) if policy.by_queue else policy.seat_key(seat)
