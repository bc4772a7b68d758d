"""What holds in every history, each by its name: thousands of random ones, small enough to read.

A history is drawn from one number: seats of three levels, queues that relax, hold back, credit and overflow
into one another, and forty things that people do. :func:`play` calls a witness after every turn.
"""

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from acd.commands import RingSeat
from acd.counting import Counting
from acd.inputs import (
    CallJoined,
    CallLeft,
    OfferAnswered,
    OfferFailed,
    OfferRang,
    OfferRefused,
    PauseAsked,
    ReadyAsked,
    SeatHeld,
    SignedIn,
    SignedOut,
    TalkEnded,
)
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, SeatId
from kernel.rows import CountedRow, CountRow, OfferRow, PresenceRow, VisitRow
from policies.skills import serves

HISTORIES = 300  # of each property
TURNS = 40
SEATS = ("8001", "8002", "8003", "8011", "8012", "8016")
QUEUES = ("junior", "intermediate", "complaint")
POLICIES = ("least-skilled-first", "longest-idle", "round-robin", "random", "ring-all", "ring-progressively")
EPOCH = 1_800_000_000.0
Witness = Callable[[Any], None]

seeds = st.integers(0, 2**32)
thousands = settings(
    max_examples=HISTORIES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def office(kit: Any, draw: Random) -> Any:
    """Return a floor: everybody may be anywhere, calls of one queue may go on to another."""
    policy = draw.choice(POLICIES)
    few = 0 if draw.random() < 0.5 else -1
    relax = (kit.RelaxStep(8.0, highest=1), kit.RelaxStep(16.0, highest=2, when_few=few))
    # A back-off that ends together with a rest of the seat would leave the order to their timers.
    common = {"ring_for": 9.0, "pair_back_off": 4.0}
    junior = {"policy": policy, "max_waiting": 5, "max_wait": 40.0, "on_timeout": "queue:intermediate"}
    queues = (
        kit.queue(relax=relax, **junior, **common),
        kit.queue("intermediate", 1, 2, priority_credit=draw.choice((0.0, 20.0)), policy=policy, **common),
        kit.queue("complaint", 2, priority_credit=draw.choice((0.0, 90.0)), **common),
    )
    seats = (
        *(kit.seat(number, skills=(("typing", 3 + place),)) for place, number in enumerate(SEATS[:3])),
        *(kit.seat(number, 1, ("junior", "intermediate")) for number in SEATS[3:5]),
        kit.seat(SEATS[5], 2, QUEUES),
    )
    return kit.Floor(kit.settings(queues, seats, wrap_up=6.0, hold_back=(0, draw.randrange(2), 1)))


def play(kit: Any, seed: int, witness: Witness, *, turns: int = TURNS) -> Any:
    """Play the history of ``seed``; ``witness(floor)`` sees the floor after every turn, timers' ones too."""
    draw = Random(seed)
    floor = office(kit, draw)
    drain, fire, floor.turns = floor._drain, floor.timers.fire_due, 1

    def watch() -> None:
        drain()
        witness(floor)
        floor.turns = 1

    def fire_due(now: float) -> int:
        floor.turns = fire(now)
        return int(floor.turns)

    floor._drain, floor.timers.fire_due = watch, fire_due
    for seat in SEATS:
        if draw.random() < 0.8:
            say(floor, SignedIn(SeatId(seat), "a"))
    for number in range(turns):
        floor.after(draw.choice((0.0, 0.0, 0.5, 2.0, 7.0)))
        say(floor, something(floor, draw, number))
    return floor


def say(floor: Any, what: Any) -> None:
    if what is None:
        return
    try:
        floor.do(what)
    except OperationRefused:
        floor._drain()


def something(floor: Any, draw: Random, number: int) -> Any:
    """Return one thing that somebody does now."""
    kind, seat = draw.randrange(12), SeatId(draw.choice(SEATS))
    known = floor.engine.seats[seat]
    if kind < 4:
        skills = (("typing", 5),) if draw.random() < 0.2 else ()
        credit = draw.choice((0.0, 0.0, 30.0))
        queue = QueueName(draw.choice(QUEUES))
        return CallJoined(CallId(f"c{number}"), queue, f"1{number % 9}", "", credit, skills)
    if kind < 8:
        offers = [each.offer.id for each in floor.engine.seats.values() if each.offer is not None]
        how: Any = draw.choice((OfferRang, OfferAnswered, OfferAnswered, OfferRefused, OfferFailed))
        if not offers:
            return None
        offer = draw.choice(offers)
        return how(offer) if how in (OfferRang, OfferAnswered) else how(offer, 486)
    if kind == 8:
        return TalkEnded(seat, known.talk_call, True) if known.talk_call is not None else None
    if kind == 9:
        waiting = list(floor.engine._board.calls)
        return CallLeft(draw.choice(waiting)) if waiting else None
    if kind == 10:
        return SeatHeld(seat, draw.random() < 0.5)
    leaves = SignedOut(seat, draw.random() < 0.5)
    return draw.choice((PauseAsked(seat, "rest"), ReadyAsked(seat), SignedIn(seat, "a"), leaves))


@thousands
@given(seed=seeds)
def test_flow_conservation(kit: Any, seed: int) -> None:
    """Every visit that began waits, or has exactly one outcome; none has both, none is lost."""

    def witness(floor: Any) -> None:
        ended = [row.visit for row in floor.visits()]
        living = [call.visit for queue in floor.engine.queues.values() for call in queue.waiting.values()]
        assert len({*ended, *living}) == len(ended) + len(living)
        calls = {visit.partition(".")[0] for visit in (*ended, *living)}
        joined = {call for call in floor.joined if not floor.joined[call]}
        assert calls == joined, "a call came and left no trace"

    floor = watching_joins(kit, seed, witness)
    for queue in floor.engine.queues.values():
        counted = queue.statistics.total
        rows = [row for row in floor.visits() if row.queue == queue.name and row.outcome != "refused"]
        assert counted.offered == len(rows)


def watching_joins(kit: Any, seed: int, witness: Witness) -> Any:
    """Play with a list of the calls that came, by whether they were refused before there was a visit."""

    def look(floor: Any) -> None:
        if not hasattr(floor, "joined"):
            floor.joined = {}
        events = [each for each in floor.events if getattr(each, "what", "") in ("joined", "left")]
        floor.joined = {each.call: False for each in events}
        witness(floor)

    return play(kit, seed, look)


@thousands
@given(seed=seeds)
def test_littles_law(kit: Any, seed: int) -> None:
    """The area under the number of calls waiting is the sum of their waits, exactly, in every queue."""
    area = dict.fromkeys(QUEUES, 0.0)
    last: dict[str, tuple[float, int]] = dict.fromkeys(QUEUES, (0.0, 0))

    def witness(floor: Any) -> None:
        for name in QUEUES:
            at, length = last[name]
            area[name] += (floor.now - at) * length
            last[name] = (floor.now, len(floor.engine.queues[QueueName(name)].waiting))

    floor = play(kit, seed, witness)
    witness(floor)
    for name in QUEUES:
        rows = [row for row in floor.visits() if row.queue == name]
        living = floor.engine.queues[QueueName(name)].waiting.values()
        waits = sum(row.waited for row in rows) + sum(floor.now - call.entered_at for call in living)
        assert area[name] == pytest.approx(waits, abs=0.001 * (len(rows) + 1))


@thousands
@given(seed=seeds)
def test_no_double_offer(kit: Any, seed: int) -> None:
    """A seat is rung for one call at a time: the offer before has ended when the next is made."""
    seen = {"commands": 0, "rows": 0}
    live: dict[str, str] = {}

    def witness(floor: Any) -> None:
        ended = {row.offer for row in floor.rows[seen["rows"] :] if isinstance(row, OfferRow)}
        made = [each for each in floor.commands[seen["commands"] :] if isinstance(each, RingSeat)]
        seen["rows"], seen["commands"] = len(floor.rows), len(floor.commands)
        for seat, offer in list(live.items()):
            if offer in ended:
                del live[seat]
        for ring in made:
            assert ring.seat not in live, f"{ring.seat} rings for {live.get(ring.seat)} and {ring.offer}"
            if ring.offer not in ended:
                live[ring.seat] = ring.offer
        held = {seat.id: seat.offer.id for seat in floor.engine.seats.values() if seat.offer is not None}
        assert held == live

    play(kit, seed, witness)


@thousands
@given(seed=seeds)
def test_fifo_inside_equal_keys(kit: Any, seed: int) -> None:
    """Of calls that want the same, none is rung for before one that nobody rings for and that stood first."""
    seen = [0]

    def witness(floor: Any) -> None:
        made = [each for each in floor.commands[seen[0] :] if isinstance(each, RingSeat)]
        seen[0] = len(floor.commands)
        if floor.turns > 1:
            return  # several timers of one moment: the places in between are gone
        for ring in made:
            mine = floor.engine.waiting(ring.call)
            if mine is None or ring.offer not in mine.ringing:
                continue
            for other in floor.engine.queues[mine.queue].waiting.values():
                if other.line is not mine.line or other.entry is None or other.ringing:
                    continue
                if ring.seat not in other.back_off:
                    assert other.place >= mine.place, f"{other.call} was passed by"

    play(kit, seed, witness)


@thousands
@given(seed=seeds)
def test_credited_age_never_decreases(kit: Any, seed: int) -> None:
    """Through refusals, rings in vain, relaxation and overflow a caller's place only gets better."""
    keys: dict[str, float] = {}

    def witness(floor: Any) -> None:
        for queue in floor.engine.queues.values():
            for call in queue.waiting.values():
                assert call.key <= keys.get(call.call, call.key), f"{call.call} lost its place"
                keys[call.call] = call.key

    play(kit, seed, witness)


@thousands
@given(seed=seeds)
def test_no_eligible_pair_is_left_at_the_end_of_a_turn(kit: Any, seed: int) -> None:
    """Looked at from outside: settings, places and states, not the engine's indexes."""

    def witness(floor: Any) -> None:
        ready = [seat for seat in floor.engine.seats.values() if seat.is_routable]
        for queue in floor.engine.queues.values():
            for call in queue.waiting.values():
                if call.entry is None:
                    assert call.ringing, f"{call.call} neither stands nor rings"
                    continue
                for seat in ready:
                    assert not may_have(floor, call, seat, ready), f"{call.call} waits and {seat.id} is ready"

    play(kit, seed, witness)


def test_there_is_something_to_see_in_a_history(kit: Any) -> None:
    """What the witnesses look at: callers beside ready seats that they may not have, and two of one line."""
    seen: dict[str, int] = {}

    def witness(floor: Any) -> None:
        ready = [seat for seat in floor.engine.seats.values() if seat.is_routable]
        rung = [it.call for it in floor.commands if isinstance(it, RingSeat)]
        for queue in floor.engine.queues.values():
            calls = list(queue.waiting.values())
            standing = [call for call in calls if call.entry is not None]
            lines = [call.line for call in calls]
            seen["pairs"] = seen.get("pairs", 0) + len(standing) * len(ready)
            seen["rings"] = seen.get("rings", 0) + sum(call.call in rung for call in calls)
            seen["equals"] = seen.get("equals", 0) + len(lines) - len({id(line) for line in lines})

    for seed in range(20):
        play(kit, seed, witness)
    assert min(seen["pairs"], seen["rings"], seen["equals"]) > 100, seen


def may_have(floor: Any, call: Any, seat: Any, ready: list[Any]) -> bool:
    """Say by the rules of docs/queues.md whether ``seat`` may have ``call`` now."""
    settings_of = floor.engine.settings
    queue = next(each for each in settings_of.queues if each.name == call.queue)
    if queue.name not in seat.queues or seat.id in call.back_off:
        return False
    if not serves(seat.level, seat.skills, call.line.requirement):
        return False
    held = settings_of.levels[seat.level].hold_back
    if held and seat.level != queue.requires.lowest:
        starts_here = {each.name for each in settings_of.queues if each.requires.lowest == seat.level}
        pool = [it for it in ready if it.level == seat.level and starts_here.intersection(it.queues)]
        if seat in pool and len(pool) <= held:
            return False
    return True


@thousands
@given(seed=seeds)
@example(seed=18)  # a missed offer signs a seat out as unreachable: that is no sign of a switch that died
@example(seed=273)
def test_counters_are_rows_are_recomputed_state(kit: Any, seed: int) -> None:
    """Sums by hand over the rows, the living counters, and those of a start from the rows: three equals."""
    floor = play(kit, seed, lambda floor: None)
    for seat in SEATS:  # the last row of each tells the time until now
        floor.engine._board.history.seat_changed(floor.engine.seats[SeatId(seat)], "test", floor.now)
    floor._drain()
    again = Counting(lambda row: None)
    for name in QUEUES:
        again.queue(QueueName(name)).settings = floor.engine.queues[QueueName(name)].settings
    for seat in SEATS:
        again.seat(SeatId(seat))
    again.recount([row for row in floor.rows if isinstance(row, CountRow | CountedRow)])
    counting = floor.engine.counting
    for name in QUEUES:
        living = counting.queue(QueueName(name)).statistics.total
        assert living.values() == again.queue(QueueName(name)).statistics.total.values()
        rows = [row for row in floor.visits() if row.queue == name]
        for outcome in ("answered", "abandoned", "timed_out", "overflowed", "refused"):
            assert getattr(living, outcome) == sum(row.outcome == outcome for row in rows)
        assert living.answered_within + living.abandoned_within == sum(row.within for row in rows)
        assert living.offers == sum(row.queue == name for row in floor.offers())
    for number in SEATS:
        mine = counting.seat(SeatId(number)).statistics.total
        assert mine.values() == again.seat(SeatId(number)).statistics.total.values()
        offers = [row for row in floor.offers() if row.seat == number]
        missed = sum(row.outcome == "missed" for row in offers)
        assert (mine.offers, mine.offers_missed) == (len(offers), missed)
        assert mine.signed_in == pytest.approx(signed_in_time(floor.presences(number)), abs=0.01)


def signed_in_time(rows: list[PresenceRow]) -> float:
    """Return how long the seat was not offline, by its rows."""
    return sum(after.at - row.at for row, after in pairwise(rows) if row.presence != "offline")


def test_the_histories_are_worth_it(kit: Any) -> None:
    """Among a hundred of them every outcome of a visit and of an offer comes up."""
    visits: dict[str, int] = {}
    offers: dict[str, int] = {}
    for seed in range(100):
        floor = play(kit, seed, lambda floor: None)
        for row in floor.rows:
            if isinstance(row, VisitRow):
                visits[row.outcome] = visits.get(row.outcome, 0) + 1
            elif isinstance(row, OfferRow):
                offers[row.outcome] = offers.get(row.outcome, 0) + 1
    assert sorted(visits) == ["abandoned", "answered", "overflowed", "refused"]
    assert sorted(offers) == ["answered", "failed", "missed", "refused", "withdrawn"]
    assert min(*visits.values(), *offers.values()) >= 5
