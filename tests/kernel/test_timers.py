"""Timers fire in the order of (moment, arming), whatever lane or heap they stand in."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.timers import Timer, TimerQueue


class Owner:
    def __init__(self) -> None:
        self.fired: list[tuple[str, float]] = []

    def on_timer(self, name: str, now: float) -> None:
        self.fired.append((name, now))


def test_lanes_and_heap_fire_in_one_order() -> None:
    timers, owner = TimerQueue(), Owner()
    timers.arm(owner, "heap", 2.0)
    timers.arm_after(owner, "lane", 1.0, 0.0)
    timers.arm_after(owner, "tie, armed later", 2.0, 0.0)
    assert timers.next_deadline() == 1.0
    assert timers.fire_due(5.0) == 3
    assert [name for name, _ in owner.fired] == ["lane", "heap", "tie, armed later"]
    assert timers.next_deadline() is None


def test_disarmed_timer_does_not_fire() -> None:
    timers, owner = TimerQueue(), Owner()
    timer = timers.arm(owner, "a", 1.0)
    timers.disarm(timer)
    timers.disarm(timer)
    timers.disarm(None)
    assert timers.fire_due(2.0) == 0
    assert owner.fired == []
    assert timers.next_deadline() is None


def test_nothing_fires_early() -> None:
    timers, owner = TimerQueue(), Owner()
    timers.arm(owner, "a", 1.0)
    assert timers.fire_due(0.999) == 0
    assert timers.fire_due(1.0) == 1


def test_timer_armed_by_a_timer_fires_in_the_same_round_if_due() -> None:
    timers = TimerQueue()
    fired: list[str] = []

    class Chain:
        def on_timer(self, name: str, now: float) -> None:
            fired.append(name)
            if name == "first":
                timers.arm(self, "second", now)

    timers.arm(Chain(), "first", 1.0)
    assert timers.fire_due(1.0) == 2
    assert fired == ["first", "second"]


def test_lane_given_an_older_now_keeps_the_order() -> None:
    timers, owner = TimerQueue(), Owner()
    timers.arm_after(owner, "late", 1.0, 10.0)
    timers.arm_after(owner, "early", 1.0, 5.0)
    assert timers.next_deadline() == 6.0
    timers.fire_due(20.0)
    assert [name for name, _ in owner.fired] == ["early", "late"]


def test_the_disarmed_do_not_pile_up() -> None:
    """A deadline re-armed 100,000 times leaves no heap of dead entries behind."""
    timers, owner = TimerQueue(), Owner()
    timer: Timer | None = None
    for number in range(100_000):
        timers.disarm(timer)
        timer = timers.arm(owner, "again", 1000.0 + number)
    assert len(timers._heap) < 2_000
    assert len(timers.armed()) == 1


def test_the_heap_is_not_made_anew_for_what_never_stood_in_it() -> None:
    timers, owner = TimerQueue(), Owner()
    for number in range(10):
        timers.arm(owner, str(number), 500.0 + number)
    heap = timers._heap
    for _ in range(5_000):
        timers.disarm(timers.arm_after(owner, "answered in time", 0.5, 1.0))
    assert timers._heap is heap
    late = [timers.arm_after(owner, "older", 0.5, 0.5) for _ in range(2_000)]  # jumps its lane: to the heap
    for timer in late:
        timers.disarm(timer)
    assert len(timers._heap) < 1_000
    assert timers.fire_due(600.0) == 10


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans(), st.booleans()), max_size=200))
def test_any_mix_fires_sorted_and_complete(plan: list[tuple[float, bool, bool]]) -> None:
    timers, owner = TimerQueue(), Owner()
    expected = []
    for number, (after, in_lane, keep) in enumerate(plan):
        name = str(number)
        if in_lane:
            after = float(round(after))
            arm = timers.arm_after(owner, name, after, 0.0)
        else:
            arm = timers.arm(owner, name, after)
        if keep:
            expected.append((after, number))
        else:
            timers.disarm(arm)
    assert [timer.name for timer in timers.armed()] == [str(number) for _, number in sorted(expected)]
    timers.fire_due(1000.0)
    assert [name for name, _ in owner.fired] == [str(number) for _, number in sorted(expected)]
