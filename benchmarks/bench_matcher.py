"""What one decision of distribution costs, against the number of seats and of waiting calls.

    python benchmarks/bench_matcher.py [--quick] [--no-peers | --peers-only]

Four figures per size, each the median of several rounds' medians, in microseconds; a round measures every
size, so that what is compared was measured at the same speed of the machine:

* ``ready``: a busy seat becomes free while calls wait, and is paired with the right one (one turn: TalkEnded
  without wrap-up, with its rows, events and commands);
* ``arrive``: a call arrives while seats are ready, and is paired with the right one (one turn: CallJoined);
* ``move``: a ready seat is let serve three other queues (one turn: SeatMoved, with its rows);
* ``call``: a whole queue call through the engine: joined, rung, answered, ended, 0.2 s of wrap-up, ready.

A hundred queues want one of twenty skills each; a seat has three skills and three queues. So 200 seats
leave a call hardly one to choose from, 50,000 leave 150 and there are runners-up to tell: ``arrive`` does
less at the small size. The line of 4 queues is 200 seats where a call has a choice, too; the last column
says how many lines of waiting calls a free seat compares and how many seats a call could have. Beside ours:
what the peers' ways to choose cost at the same sizes.
"""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import mean, median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from acd.engine import Engine
from acd.inputs import (
    CallJoined,
    CallLeft,
    OfferAnswered,
    OfferRang,
    SeatMoved,
    SignedIn,
    TalkEnded,
)
from acd.settings import AcdSettings, LevelSettings, PhoneSettings, SeatSettings, TenantSettings
from benchmarks.peers_matcher import Scan, SqlSelection
from kernel.chance import Chance
from kernel.ids import CallId, QueueName, SeatId
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from queues.settings import QueueSettings, RelaxStep, Requirement

QUEUES = 100
SKILLS = 20
ROUNDS = 7
DECISIONS = 2_000


def configuration(seats: int, queues: int, wrap_up: float = 0.0) -> AcdSettings:
    """Return ``queues`` queues that want one of twenty skills, and seats of three levels that have three."""
    draw = Random(7)
    skills = [f"skill{number:02}" for number in range(SKILLS)]
    return AcdSettings(
        levels=tuple(LevelSettings(name, wrap_up=wrap_up) for name in ("junior", "intermediate", "senior")),
        queues=tuple(
            QueueSettings(
                f"q{number}",
                "demo",
                Requirement(0, 1, ((skills[number % SKILLS], 3),)),
                relax=(RelaxStep(3000.0, highest=2), RelaxStep(6000.0, highest=2, skills=())),
                max_wait=0.0,
                max_waiting=0,
            )
            for number in range(queues)
        ),
        seats=tuple(
            SeatSettings(
                f"s{number}",
                "demo",
                number % 3,
                skills=tuple(sorted({draw.choice(skills): draw.randint(3, 10) for _ in range(3)}.items())),
                queues=tuple(f"q{draw.randrange(queues)}" for _ in range(3)),
                phones=(PhoneSettings("pstn", f"1{number}"),),
            )
            for number in range(seats)
        ),
        tenants=(TenantSettings("demo"),),
    )


class Bench:
    """One engine with everybody signed in."""

    def __init__(self, seats: int, queues: int, wrap_up: float = 0.0) -> None:
        self.timers = TimerQueue()
        draw = Random(1)
        settings = configuration(seats, queues, wrap_up)
        self.engine = Engine(settings, self.timers, Chance(draw.randbytes), WallTime(1.8e9))
        self.draw = draw
        self.now = 0.0
        self.calls = 0
        for seat in settings.seats:
            self.engine.handle(SignedIn(SeatId(seat.number), "session"), self.tick())
        self.forget()

    def tick(self) -> float:
        """Let a little time pass."""
        self.now += 0.000_1
        return self.now

    def forget(self) -> None:
        """Take what was said, as the shell would."""
        self.engine.commands.take()
        self.engine.events.take()
        self.engine.rows.take()

    def join(self, queue: int) -> CallId:
        """Let a call arrive."""
        self.calls += 1
        call = CallId(f"c{self.calls}")
        self.engine.handle(CallJoined(call, QueueName(f"q{queue}"), "100"), self.tick())
        return call

    def answer_all(self) -> None:
        """Let everybody who is offered a call answer it."""
        for seat in self.engine.seats.values():
            if seat.offer is not None:
                self.engine.handle(OfferAnswered(seat.offer.id), self.tick())
        self.forget()

    def fill(self, waiting: int) -> None:
        """Occupy every seat, then let ``waiting`` calls wait."""
        queues = len(self.engine.queues)
        for round_number in range(60):
            if all(seat.is_busy for seat in self.engine.seats.values() if seat.classes):
                break
            for number in range(queues):
                for _ in range(max(1, len(self.engine.seats) // queues // 4) if round_number < 8 else 1):
                    if self.engine.queues[QueueName(f"q{number}")].waiting:
                        break
                    self.join(number)
            self.answer_all()
        for call in [each for queue in self.engine.queues.values() for each in queue.waiting]:
            if self.engine.waiting(call) is not None and waiting == 0:
                self.engine.handle(CallLeft(call), self.tick())
        number = 0
        while sum(len(queue.waiting) for queue in self.engine.queues.values()) < waiting:
            for _ in range(100):
                self.join(number % queues)
                number += 1
            self.forget()


def seat_freed(bench: Bench) -> Callable[[], float]:
    """Measure: a talk ends, the seat is paired with a waiting call."""

    def measure() -> float:
        engine = bench.engine
        talking = [seat for seat in engine.seats.values() if seat.talk_call is not None]
        chosen = [bench.draw.choice(talking) for _ in range(DECISIONS)]
        spent: list[float] = []
        for seat in dict.fromkeys(chosen):
            call = seat.talk_call
            assert call is not None
            ended = TalkEnded(seat.id, call, True)
            now = bench.tick()
            begun = perf_counter()
            engine.handle(ended, now)
            spent.append(perf_counter() - begun)
            assert seat.offer is not None, "a free seat found nobody"
            queue = int(seat.offer.call.queue[1:])
            engine.handle(OfferAnswered(seat.offer.id), bench.tick())
            bench.join(queue)
            bench.forget()
        return median(spent)

    return measure


def call_arrives(bench: Bench) -> Callable[[], float]:
    """Measure: a call arrives while everybody is ready, and is given a seat."""

    def measure() -> float:
        engine = bench.engine
        spent: list[float] = []
        queues = len(engine.queues)
        for _ in range(DECISIONS):
            bench.calls += 1
            call = CallId(f"c{bench.calls}")
            joined = CallJoined(call, QueueName(f"q{bench.draw.randrange(queues)}"), "100")
            now = bench.tick()
            begun = perf_counter()
            engine.handle(joined, now)
            took = perf_counter() - begun
            visit = engine.waiting(call)
            assert visit is not None
            if visit.ringing:
                spent.append(took)
            engine.handle(CallLeft(call), bench.tick())
            bench.forget()
        return median(spent)

    return measure


def seat_moves(bench: Bench) -> Callable[[], float]:
    """Measure: a seat is moved to other queues; it goes back before the next is."""

    def measure() -> float:
        engine, draw = bench.engine, bench.draw
        names = list(engine.seats)
        spent: list[float] = []
        for _ in range(DECISIONS // 4):
            queues = tuple(f"q{draw.randrange(len(engine.queues))}" for _ in range(3))
            moved, now = SeatMoved(draw.choice(names), queues), bench.tick()
            begun = perf_counter()
            engine.handle(moved, now)
            spent.append(perf_counter() - begun)
            engine.handle(SeatMoved(moved.seat, resets=True), bench.tick())
            bench.forget()
        return median(spent)

    return measure


def whole_call(bench: Bench) -> Callable[[], float]:
    """Measure: a complete queue call with its wrap-up of 0.2 s."""

    def measure() -> float:
        engine, timers = bench.engine, bench.timers
        spent: list[float] = []
        for _ in range(DECISIONS):
            bench.calls += 1
            call = CallId(f"c{bench.calls}")
            begun = perf_counter()
            engine.handle(CallJoined(call, QueueName("q0"), "100"), bench.tick())
            ring = engine.commands.take()[0]
            offer, seat = ring.offer, ring.seat  # type: ignore[union-attr]
            engine.handle(OfferRang(offer), bench.tick())
            engine.handle(OfferAnswered(offer), bench.tick())
            engine.handle(TalkEnded(seat, call, True), bench.tick())
            bench.now += 0.2
            timers.fire_due(bench.now)
            bench.forget()
            spent.append(perf_counter() - begun)
        return median(spent)

    return measure


class Size:
    """One size: its benches, and what was measured so far."""

    def __init__(self, seats: int, waiting: int, queues: int = QUEUES) -> None:
        self.seats, self.waiting, self.queues = seats, waiting, queues
        idle, busy, one = Bench(seats, queues), Bench(seats, queues), Bench(seats, queues, wrap_up=0.2)
        busy.fill(waiting)
        self._idle, self._busy = idle.engine, busy.engine
        self.measures = {
            "ready": seat_freed(busy),
            "arrive": call_arrives(idle),
            "move": seat_moves(idle),
            "call": whole_call(one),
        }
        self.found: dict[str, list[float]] = {name: [] for name in self.measures}

    def measure(self) -> None:
        """Take one round."""
        for name, each in self.measures.items():
            each()  # the caches belong to another size
            self.found[name].append(each() * 1e6)

    def work(self) -> str:
        """Say what a decision looks at: lines that a free seat compares, seats that a call could have."""
        lines = [
            sum(bool(each.line.count) for each in seat.classes)
            for seat in self._busy.seats.values()
            if seat.talk_call is not None
        ]
        ready: dict[str, int] = {}
        for seat in self._idle.seats.values():
            for each in seat.classes:
                if each.line.requirement.highest == 1:  # no step has been taken yet
                    ready[each.line.queue] = ready.get(each.line.queue, 0) + 1
        return f"{mean(lines):.1f} lines, {mean(ready.values()):.0f} seats"

    def middle(self, name: str) -> float:
        """Return the median round, microseconds."""
        return median(self.found[name])


def ratio(small: Size, large: Size, name: str) -> float:
    """Return the median over rounds of how many times more the larger size costs.

    A round measures all sizes one after the other, so that both are measured at the machine's same speed.
    """
    pairs = zip(small.found[name], large.found[name], strict=True)
    return median(more / less for less, more in pairs)


def compare(sizes: list[tuple[int, int]]) -> None:
    """Print what the peers' ways to choose cost at the same sizes."""
    print("\nthe peers, re-created (see benchmarks/peers_matcher.py), one decision in us:")
    heads = ("SQL ready", "SQL arrive", "scan ready", "scan arrive")
    print(f"{'seats':>7} {'waiting':>8}" + "".join(f" {head:>12}" for head in heads))
    for seats, waiting in sizes:
        busy, idle = SqlSelection(seats, waiting, QUEUES, 1), SqlSelection(seats, 0, QUEUES, seats)
        costs = [busy.seat_ready(), idle.call_arrives()]
        del busy, idle
        costs += [Scan(seats, waiting, QUEUES, 1).seat_ready(), Scan(seats, 0, QUEUES, seats).call_arrives()]
        print(f"{seats:>7} {waiting:>8}" + "".join(f" {cost * 1e6:>12,.0f}" for cost in costs), flush=True)


def main() -> None:
    """Print the tables."""
    sizes = [(200, 400), (2_000, 4_000)]
    if "--quick" not in sys.argv:
        sizes = [(200, 400), (10_000, 20_000), (50_000, 100_000)]
    if "--peers-only" not in sys.argv:
        found = [Size(200, 400, 4), *(Size(seats, waiting) for seats, waiting in sizes)]
        gc.collect()
        gc.freeze()
        for _ in range(ROUNDS):
            for size in found:
                size.measure()
        heads = ("seats", "waiting", "queues", "ready us", "arrive us", "move us", "call us")
        print("".join(f"{head:>10}" for head in heads))
        for size in found:
            row = "".join(f"{size.middle(name):>10.1f}" for name in size.measures)
            print(f"{size.seats:>10}{size.waiting:>10}{size.queues:>10}{row}  {size.work()}", flush=True)
        for small, what in ((found[1], f"{QUEUES} queues"), (found[0], "4 queues at the smallest")):
            times = [f"{name} {ratio(small, found[-1], name):.2f}" for name in small.measures]
            print(f"largest over smallest, {what}, median of {ROUNDS} rounds: {', '.join(times)}", flush=True)
    if "--no-peers" not in sys.argv:
        compare(sizes)


if __name__ == "__main__":
    main()
