"""Alerts: who waits too long is told of once, and counted while it waits."""

from typing import Any

from acd.events import WaitLimitReached
from acd.inputs import CallbackChosen, CallMoved, Reconfigured
from kernel.ids import CallId, QueueName


def told(floor: Any) -> list[tuple[str, str, float]]:
    return [
        (each.queue, each.call, each.waited) for each in floor.events if isinstance(each, WaitLimitReached)
    ]


def late(floor: Any, name: str = "junior") -> int:
    count: int = floor.engine.queues[QueueName(name)].late
    return count


def test_a_caller_who_waits_too_long_is_told_of_once(kit: Any) -> None:
    floor = kit.floor((kit.queue(alert_wait=60.0),), (kit.seat("8001"),))
    floor.join("a")
    floor.at(10.0)
    floor.join("b")
    floor.at(59.9)
    assert told(floor) == []
    floor.at(65.0)
    assert (told(floor), late(floor)) == ([("junior", "a", 60.0)], 1)
    floor.at(500.0)
    assert (told(floor), late(floor)) == ([("junior", "a", 60.0), ("junior", "b", 60.0)], 2)
    floor.leave("a")
    assert late(floor) == 1
    floor.sign_in("8001")
    floor.answer("8001")
    assert late(floor) == 0
    assert floor.timers.armed() == []
    about = [{"call": call, "queue": "junior", "waited": 60.0} for call in ("a", "b")]
    assert floor.engine.log.take() == [("a caller waits too long", each) for each in about]


def test_whoever_is_served_in_time_is_not_told_of(kit: Any) -> None:
    floor = kit.floor((kit.queue(alert_wait=60.0),), (kit.seat("8001"),))
    floor.join("a")
    floor.at(50.0)
    floor.sign_in("8001")
    floor.answer("8001")
    floor.at(300.0)
    assert told(floor) == []


def test_a_ring_does_not_end_the_wait(kit: Any) -> None:
    floor = kit.floor((kit.queue(alert_wait=20.0),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.at(21.0)
    assert told(floor) == [("junior", "a", 20.0)]


def test_the_wait_in_a_queue_before_counts(kit: Any) -> None:
    """The caller feels one wait; a queue that tells of nobody counts all the same."""
    queues = (kit.queue(), kit.queue("second", alert_wait=60.0), kit.queue("third", alert_wait=20.0))
    floor = kit.floor(queues, (kit.seat("8001"),))
    floor.join("a")
    floor.at(50.0)
    floor.do(CallMoved(CallId("a"), "second"))
    floor.at(60.0)
    assert told(floor) == [("second", "a", 60.0)]
    floor.do(CallMoved(CallId("a"), "third"))
    floor.at(60.0)
    assert told(floor)[1:] == [("third", "a", 60.0)]  # at once
    assert (late(floor, "second"), late(floor, "third")) == (0, 1)


def test_another_limit_counts_at_once(kit: Any) -> None:
    seats = (kit.seat("8001"),)
    floor = kit.floor((kit.queue(alert_wait=60.0),), seats)
    floor.join("a")
    floor.at(61.0)
    floor.do(Reconfigured(kit.settings((kit.queue(alert_wait=90.0),), seats)))
    assert late(floor) == 0
    floor.at(90.0)
    assert ([waited for _, _, waited in told(floor)], late(floor)) == ([60.0, 90.0], 1)
    floor.do(Reconfigured(kit.settings((kit.queue(),), seats)))
    assert late(floor) == 0
    floor.do(Reconfigured(kit.settings((kit.queue(alert_wait=5.0),), seats)))
    floor.after(0.0)
    assert late(floor) == 1


def test_a_callback_has_nobody_on_the_line_to_tell_of(kit: Any) -> None:
    floor = kit.floor((kit.queue(alert_wait=60.0),), (kit.seat("8001"),))
    floor.join("a", caller="13900000001")
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.do(CallbackChosen(CallId("a")))
    floor.at(300.0)
    assert told(floor) == []
    assert len(floor.engine.queues[QueueName("junior")].waiting) == 1
