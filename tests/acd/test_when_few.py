"""Steps of relaxation that hold at once while few, or none, satisfy the one before."""

from typing import Any

from kernel.ids import CallId
from queues.settings import RelaxStep


def test_levels_are_ignored_while_few_are_there(kit: Any) -> None:
    """AQ's penaltymemberslimit, by how many of the level itself are signed in, whatever they do."""
    relax = (RelaxStep(20.0, highest=1, when_few=2),)
    seats = (kit.seat("8001"), kit.seat("8002"), kit.seat("8003"), kit.seat("8011", 1))
    floor = kit.floor((kit.queue(relax=relax),), seats)
    floor.sign_in("8001", "8002", "8003", presence="paused", reason="rest")
    floor.sign_in("8011")
    floor.join("a")
    assert floor.rings() == []  # three of its own level
    told = floor.engine.explain_call(CallId("a"), floor.now)
    assert (told["step"], told["next_step_when_few"], told["requirement"]["signed_in"]) == (0, 2, 3)
    floor.at(5.0)
    floor.sign_out("8003")
    assert floor.ringing() == {"a": "8011"}  # two: at once
    floor.answer("8011")
    floor.end_talk("8011")
    floor.join("b")
    assert floor.ringing() == {"b": "8011"}
    floor.leave("b")
    floor.sign_in("8003", presence="paused", reason="rest")
    floor.join("c")
    assert floor.ringing() == {}
    told = floor.engine.explain_call(CallId("c"), floor.now)
    assert (told["step"], told["next_step_in"]) == (0, 20.0)


def test_few_of_the_skill_that_a_call_brings(kit: Any) -> None:
    relax = (RelaxStep(20.0, highest=1, when_few=1),)
    french = {"skills": (("french", 5),)}
    seats = (kit.seat("8001"), kit.seat("8002", **french), kit.seat("8003", **french))
    floor = kit.floor((kit.queue(relax=relax),), (*seats, kit.seat("8011", 1, **french)))
    floor.sign_in("8001", "8002", "8003", presence="paused", reason="rest")
    floor.sign_in("8011")
    floor.join("a", skills=(("french", 3),))
    assert floor.rings() == []
    floor.sign_out("8001")
    assert floor.rings() == []
    floor.sign_out("8002")
    assert floor.ringing() == {"a": "8011"}


def test_steps_that_nobody_satisfies_are_skipped_where_they_say_so(kit: Any) -> None:
    relax = (RelaxStep(20.0, highest=1, when_few=0), RelaxStep(40.0, highest=2))
    floor = kit.floor((kit.queue(relax=relax),), (kit.seat("8001"), kit.seat("8011", 1)))
    floor.sign_in("8011")
    floor.join("a")
    assert floor.ringing() == {"a": "8011"}


def test_when_the_last_seat_leaves_the_next_step_opens_at_once(kit: Any) -> None:
    relax = (RelaxStep(20.0, highest=1, when_few=0),)
    floor = kit.floor((kit.queue(relax=relax),), (kit.seat("8001"), kit.seat("8011", 1)))
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.sign_in("8011")
    floor.join("a")
    assert floor.rings() == []
    floor.at(5.0)
    floor.sign_out("8001")
    assert floor.ringing() == {"a": "8011"}


def test_a_call_that_joins_later_does_not_make_others_wait_for_few(kit: Any) -> None:
    """A call that brings more skill than its queue asks for has one requirement in two steps: those who are
    at the first and those at the second share it, each with its own next step.
    """
    relax = (RelaxStep(8.0, highest=0), RelaxStep(60.0, highest=1, when_few=1))
    seats = (kit.seat("8001"), kit.seat("8002"), kit.seat("8011", 1))
    floor = kit.floor((kit.queue(relax=relax),), seats)
    floor.sign_in("8001", "8002", presence="paused", reason="rest")
    floor.sign_in("8011")
    floor.join("a")
    floor.at(10.0)  # past the first step, which changes nothing for it
    floor.join("b")
    assert floor.rings() == []
    floor.sign_out("8002")
    assert floor.ringing() == {"a": "8011"}
