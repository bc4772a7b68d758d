"""Staffing: counts of working and present seats follow every change."""

from typing import Any

from acd.inputs import PhoneReachable
from queues.settings import RelaxStep


def working(floor: Any, queue: str = "junior") -> list[int]:
    return [each.working for each in floor.engine._board.classes[queue]]


def test_who_takes_calls_now_or_next_works(kit: Any) -> None:
    """Ready, ringing, talking and wrapping up work; paused, unreachable and away do not."""
    queue = kit.queue(relax=(RelaxStep(20.0, highest=2),))
    floor = kit.floor((queue,), (kit.seat("8001"), kit.seat("8016", 2)), wrap_up=30.0)
    assert working(floor) == [0, 0]
    floor.sign_in("8001", "8016")
    assert working(floor) == [1, 2]
    floor.join("a")
    floor.rang("8001")
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.state("8001") == "wrapup idle"
    assert working(floor) == [1, 2]
    floor.pause("8016")
    assert working(floor) == [1, 1]
    floor.do(PhoneReachable("softphone", "8001", False))
    assert working(floor) == [0, 0]
    floor.ready("8016")
    floor.sign_out("8001")
    assert working(floor) == [0, 1]


def test_a_class_that_one_call_opens_counts_who_works_already(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001", skills=(("french", 5),)), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.join("x")
    floor.join("y")
    floor.join("a", skills=(("french", 3),))
    opened = floor.engine._board.matcher.class_of(floor.engine.waiting("a").line)
    assert opened.working == 1
