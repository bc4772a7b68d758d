"""How two peers choose, re-created for comparison: mod_callcenter's SQL and app_queue's scan.

Written from what is documented of their behaviour, at the sizes of :mod:`benchmarks.bench_matcher`: a hundred
queues, each seat in three of them. Both are favoured: nothing is locked, no skills are compared (they have
none), the SQL runs in memory, and the time until somebody looks (100 ms and 1 s between two looks) is not
counted. The scan is Python here and C there: its growth is what can be compared, not its level.
"""

import sqlite3
from random import Random
from statistics import median
from time import perf_counter

BUDGET = 4.0  # seconds one figure may take; beyond that it is what one decision has cost by then
TRIES = 25

_TABLES = """
CREATE TABLE agents (name TEXT, status TEXT, state TEXT, wrap_up_time INTEGER, ready_time INTEGER,
  last_bridge_end INTEGER, last_offered_call INTEGER, calls_answered INTEGER, talk_time INTEGER);
CREATE TABLE tiers (queue TEXT, agent TEXT, state TEXT, level INTEGER, position INTEGER);
CREATE TABLE members (queue TEXT, uuid TEXT, joined_epoch INTEGER, base_score INTEGER, state TEXT);
"""
# One pass: everybody who waits, best score first; for each of them the agents of its queue, sorted.
_MEMBERS = (
    "SELECT queue, uuid, (? - joined_epoch) + base_score AS score FROM members "
    "WHERE state = 'Waiting' ORDER BY score DESC"
)
_AGENTS = (
    "SELECT agents.name, agents.wrap_up_time, agents.ready_time, tiers.level, tiers.position FROM agents "
    "LEFT JOIN tiers ON agents.name = tiers.agent WHERE tiers.queue = ? AND agents.status = 'Available' "
    "AND agents.state = 'Waiting' ORDER BY level, last_bridge_end, position"
)


class SqlSelection:
    """mod_callcenter with agents-by-longest-idle: the state is the database."""

    def __init__(self, seats: int, waiting: int, queues: int, ready: int) -> None:
        """``ready`` of the seats are ready, the others talk."""
        draw = Random(3)
        base = self._base = sqlite3.connect(":memory:")
        base.executescript(_TABLES)
        states = ["Waiting"] * ready + ["In a queue call"] * (seats - ready)
        agents = [
            (f"s{number}", "Available", state, 0, 0, number, 0, 0, 0) for number, state in enumerate(states)
        ]
        base.executemany("INSERT INTO agents VALUES (?,?,?,?,?,?,?,?,?)", agents)
        tiers = [
            (f"q{draw.randrange(queues)}", f"s{number}", "Ready", number % 3 + 1, 1)
            for number in range(seats)
            for _ in range(3)
        ]
        base.executemany("INSERT INTO tiers VALUES (?,?,?,?,?)", tiers)
        members = [(f"q{number % queues}", f"c{number}", number, 0, "Waiting") for number in range(waiting)]
        base.executemany("INSERT INTO members VALUES (?,?,?,?,?)", members)

    def call_arrives(self) -> float:
        """Return what one look for the best agent of a queue costs, seconds."""
        return _middle(lambda number: self._base.execute(_AGENTS, (f"q{number}",)).fetchone())

    def seat_ready(self) -> float:
        """Return what a pass costs until the one agent who is ready has found its caller, seconds."""

        def one_pass(number: int) -> None:
            self._base.execute("UPDATE agents SET state = 'In a queue call' WHERE state = 'Waiting'")
            chosen = (f"s{number * 7}",)
            self._base.execute("UPDATE agents SET state = 'Waiting' WHERE name = ?", chosen)
            until = perf_counter() + BUDGET
            for queue, _, _ in self._base.execute(_MEMBERS, (10**6,)).fetchall():
                if self._base.execute(_AGENTS, (queue,)).fetchone() or perf_counter() > until:
                    return

        return _middle(one_pass)


class _Member:
    """An agent as one queue sees it: app_queue keeps a copy per queue."""

    __slots__ = ("is_free", "last_call", "penalty")

    def __init__(self, last_call: int, penalty: int, *, is_free: bool) -> None:
        self.last_call, self.penalty, self.is_free = last_call, penalty, is_free


class Scan:
    """app_queue with strategy leastrecent: each waiting caller looks by itself, at everybody."""

    def __init__(self, seats: int, waiting: int, queues: int, ready: int) -> None:
        """``ready`` of the seats are ready, the others talk."""
        draw = Random(3)
        self._members: list[list[_Member]] = [[] for _ in range(queues)]
        for number in range(seats):
            for _ in range(3):
                queue = self._members[draw.randrange(queues)]
                queue.append(_Member(number, number % 3, is_free=number < ready))
        self._callers = [[False] * (waiting // queues) for _ in range(queues)]  # is a seat ringing for it?

    def _is_turn(self, queue: int, place: int) -> bool:
        """Say whether there are more free members than callers before this one whom nobody rings for."""
        free = sum(member.is_free for member in self._members[queue])
        before = sum(not rings for rings in self._callers[queue][:place])
        return before < free

    def _choose(self, queue: int) -> _Member | None:
        """Return the best member: a list of all that are free with their metric, then its least."""
        rated = [(it.penalty * 10**6 + it.last_call, it) for it in self._members[queue] if it.is_free]
        best: tuple[int, _Member] | None = None
        for each in rated:
            if best is None or each[0] < best[0]:
                best = each
        return None if best is None else best[1]

    def call_arrives(self) -> float:
        """Return what the first look of a new caller costs, seconds."""

        def look(number: int) -> None:
            queue = number % len(self._members)
            if self._is_turn(queue, len(self._callers[queue])):
                self._choose(queue)

        return _middle(look)

    def seat_ready(self) -> float:
        """Return what the looks of one queue's callers cost until the first of them has the seat, seconds.

        Every caller looks once a second, in no order: on average half of them before the first.
        """

        def looks(number: int) -> None:
            queue = number % len(self._members)
            until = perf_counter() + BUDGET
            for place in range(len(self._callers[queue]) // 2, -1, -1):
                if (self._is_turn(queue, place) and self._choose(queue)) or perf_counter() > until:
                    return

        return _middle(looks)


def _middle(decide: "object") -> float:
    """Return the median time of several decisions, fewer where they are slow."""
    assert callable(decide)
    spent: list[float] = []
    for number in range(TRIES):
        begun = perf_counter()
        decide(number)
        spent.append(perf_counter() - begun)
        if sum(spent) > BUDGET:
            break
    return median(spent)
