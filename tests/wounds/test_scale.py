"""Scale and locks: what grows with the size of the whole, or stands still because of something else (3.1).

Work is counted in calls of functions, which is the same on every machine.
"""

import sys
from collections.abc import Callable
from random import Random

from acd.commands import RingSeat
from acd.engine import Engine
from acd.inputs import (
    CallJoined,
    CallLeft,
    OfferAnswered,
    PhoneReachable,
    Reconfigured,
    SignedIn,
    TalkEnded,
)
from kernel.chance import Chance
from kernel.ids import CallId, QueueName, SeatId
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from tests.acd.conftest import EPOCH, Floor, Kit, queue, seat, settings


def work(act: Callable[[], object]) -> int:
    """Return how many Python functions ``act`` calls."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def hall(seats: int, queues: int) -> Engine:
    """Many seats, each in one of many queues, all signed in and ready."""
    names = [f"q{index}" for index in range(queues)]
    numbers = [str(10_000 + index) for index in range(seats)]
    what = settings(
        tuple(queue(name, max_waiting=0) for name in names),
        tuple(seat(number, 0, (names[index % queues],)) for index, number in enumerate(numbers)),
    )
    engine = Engine(what, TimerQueue(), Chance(Random(1).randbytes), WallTime(EPOCH))
    for number in numbers:
        engine.handle(PhoneReachable("softphone", number, True), 0.0)
        engine.handle(SignedIn(SeatId(number), f"s-{number}"), 0.0)
    engine.commands.clear()
    return engine


SMALL, LARGE = (100, 10), (3_000, 300)  # seats, queues


def grows(act: Callable[[Engine], object]) -> float:
    """Return how much more work ``act`` is in a hall thirty times as large."""
    small, large = hall(*SMALL), hall(*LARGE)
    return work(lambda: act(large)) / work(lambda: act(small))


def test_a_phone_that_comes_and_goes_touches_its_own_seat_only() -> None:
    """asterisk #1972 (#1973, #1974, #2029): each device state visits every queue and member; floods with
    thousands.
    """
    phone = ("softphone", "10000")

    def flap(engine: Engine) -> None:
        engine.handle(PhoneReachable(*phone, False), 1.0)
        engine.handle(PhoneReachable(*phone, True), 2.0)

    assert grows(flap) <= 1.3


def test_one_call_wakes_one_seat_however_many_are_ready() -> None:
    """OpenACD #5: a thundering herd of free agents grabs at one call. freeswitch #2458: overload at 20
    calls/s.
    """

    def call(engine: Engine) -> None:
        engine.handle(CallJoined(CallId("x"), QueueName("q0"), "100"), 1.0)

    engine = hall(*LARGE)
    call(engine)
    assert [command.seat for command in engine.commands.take() if isinstance(command, RingSeat)] == ["10000"]
    assert grows(call) <= 1.3


def test_one_queue_is_looked_at_without_the_others() -> None:
    """asterisk #1214, #1215: a look at one of 40,000 queues loads them all."""
    assert grows(lambda engine: engine.explain_seat(SeatId("10000"), 1.0)) <= 1.3


def test_a_whole_call_costs_the_same_in_a_large_hall() -> None:
    """FreePBX, heavy queue usage: every attempt costs more the more agents there are."""

    def story(engine: Engine) -> None:
        engine.handle(CallJoined(CallId("x"), QueueName("q0"), "100"), 1.0)
        offer = engine.seats[SeatId("10000")].offer
        assert offer is not None
        engine.handle(OfferAnswered(offer.id), 2.0)
        engine.handle(TalkEnded(SeatId("10000"), CallId("x"), True), 3.0)
        engine.handle(CallJoined(CallId("y"), QueueName("q0"), "100"), 4.0)
        engine.handle(CallLeft(CallId("y")), 5.0)

    assert grows(story) <= 1.3


def test_a_seat_of_two_hundred_queues_is_counted_once(kit: Kit) -> None:
    """asterisk #1736, #1737, #1741: counters are doubled where many queues share their members."""
    names = tuple(f"q{index}" for index in range(200))
    floor = kit.floor(tuple(map(kit.queue, names)), (kit.seat("8001", 0, names),))
    floor.sign_in("8001")
    floor.join("x", "q7")
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.seat("8001").answered == 1
    counted = {name: floor.engine.queues[QueueName(name)].statistics.total.answered for name in names}
    assert {name: count for name, count in counted.items() if count} == {"q7": 1}


def test_reloads_under_load_lose_no_queue_no_place_and_no_number(kit: Kit) -> None:
    """ASTERISK-26755, -28701: queues vanish, and statistics begin anew, when the configuration is reloaded
    each minute.
    """
    names = tuple(f"q{index}" for index in range(50))
    what = kit.settings(tuple(map(kit.queue, names)), (kit.seat("8001", 0, names),), wrap_up=1.0)
    floor = Floor(what)
    floor.sign_in("8001")
    for number in range(20):
        floor.join(f"c{number}", names[number % 50])
    served = []
    for _ in range(20):
        floor.do(Reconfigured(kit.settings(what.queues, what.seats, wrap_up=1.0)))
        served.append(next(iter(floor.ringing())))
        floor.answer("8001")
        floor.do(Reconfigured(what))
        floor.end_talk("8001")
        floor.after(1.0)
    assert served == [f"c{number}" for number in range(20)]
    assert sum(each.statistics.total.answered for each in floor.engine.queues.values()) == 20
    assert floor.seat("8001").answered == 20


def test_a_queue_that_a_reload_brings_is_served_at_once(kit: Kit) -> None:
    """ASTERISK-29873, -18416, -27597: a new or changed queue is not loaded until something else happens."""
    floor = kit.floor((kit.queue("a"),), (kit.seat("8001", 0, ("a",)),))
    floor.sign_in("8001")
    both = (kit.queue("a"), kit.queue("b"))
    floor.do(Reconfigured(kit.settings(both, (kit.seat("8001", 0, ("a", "b")),))))
    floor.join("x", "b")
    assert floor.ringing() == {"x": "8001"}


def test_top_down_is_the_order_of_the_configuration_also_after_a_reload(kit: Kit) -> None:
    """asterisk #179: the linear order is undefined where members come from a database."""
    numbers = ["8003", "8001", "8002"]
    floor = kit.floor((kit.queue(policy="top-down"),), tuple(map(kit.seat, numbers)))
    floor.sign_in("8001", "8002", "8003")
    floor.join("x")
    assert floor.ringing() == {"x": "8003"}
    floor.leave("x")
    other = tuple(map(kit.seat, ("8002", "8003", "8001")))
    floor.do(Reconfigured(kit.settings((kit.queue(policy="top-down"),), other)))
    floor.join("y")
    assert floor.ringing() == {"y": "8002"}
