"""The objects that users see, while a call goes from arrival to wrap-up."""

from dataclasses import replace
from typing import NoReturn

import pytest

from acd.seat import Seat
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from tests.simulator.phones import RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import ONE_SEAT, staffed
from tests.simulator.town import Town
from tests.simulator.world import World


def test_a_call_object_from_waiting_to_talking() -> None:
    world = staffed(Manner(answers_after=2.0))
    world.phones["8001"].manner = RINGS_FOR_EVER
    world.trunk.dial(Errand(caller="13912345678"))
    world.run(1.0)
    node, now = world.node, world.time.now
    (call,) = node.calls_view(now)
    assert (call["state"], call["seat"], call["queue"], call["position"]) == ("ringing", "8001", "junior", 1)
    assert (call["direction"], call["tenant"], call["caller"], call["called"]) == (
        "in",
        "demo",
        "13912345678",
        "96198",
    )
    assert call["waited"] == pytest.approx(1.0, abs=0.05)
    assert (call["talked"], call["verdict"]) == (None, None)
    world.phones["8001"].calls[0].answer()
    world.run(4.0)
    call = node.call_view(call["call"], world.time.now)
    assert (call["state"], call["position"], call["estimate"]) == ("talking", None, None)
    assert call["waited"] == pytest.approx(1.0, abs=0.05)
    assert call["talked"] == pytest.approx(4.0, abs=0.05)
    seat = node.seat_view(SeatId("8001"), world.time.now)
    assert (seat["activity"], seat["call"]) == ("talking", call["call"])


def test_callers_know_their_place() -> None:
    world = World(1, ONE_SEAT)
    for index in range(3):
        world.trunk.dial(Errand(caller=f"1380000000{index}"))
        world.run(1.0)
    views = world.node.calls_view(world.time.now)
    assert [(view["caller"], view["position"]) for view in views] == [
        ("13800000000", 1),
        ("13800000001", 2),
        ("13800000002", 3),
    ]
    queue = world.node.queue_view("junior", world.time.now)
    assert (queue["waiting"], queue["seats"], queue["seats_signed_in"], queue["seats_ready"]) == (3, 1, 0, 0)
    assert queue["longest_wait"] == pytest.approx(3.0, abs=0.05)


def test_a_queue_object_counts_seats_and_visits() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=2.0), Town(juniors=2, intermediates=0, seniors=0))
    world.trunk.dial(Errand())
    world.run(5.0)
    queue = world.node.queue_view("junior", world.time.now)
    assert (queue["waiting"], queue["longest_wait"]) == (0, None)
    assert (queue["seats"], queue["seats_signed_in"], queue["seats_ready"]) == (2, 2, 1)  # one wraps up
    assert (queue["offered"], queue["answered"]) == (1, 1)
    numbers = [view["seat"] for view in world.node.seats_view(world.time.now, "junior")]
    assert numbers == ["8001", "8002"]


def test_a_trunk_object_counts_its_calls() -> None:
    world = World(1, ONE_SEAT)
    world.trunk.dial(Errand())
    world.run(1.0)
    (trunk,) = world.node.trunks_view(world.time.now)
    assert (trunk["trunk"], trunk["calls"]) == ("carrier", 1)
    world.trunk.calls[0].hang_up()
    world.run(1.0)
    assert world.node.trunks_view(world.time.now)[0]["calls"] == 0


def test_the_state_of_all_seats_in_a_few_numbers() -> None:
    world = staffed(Manner(answers_after=1.0), Town(juniors=3, intermediates=0, seniors=0))
    world.trunk.dial(Errand())
    world.run(2.5)
    assert world.node.views.distribution() == {
        "presence": {"ready": 3},
        "activity": {"talking": 1, "idle": 2},
        "waiting": 0,
    }


def test_what_does_not_exist_is_refused_by_its_name() -> None:
    node = World(1, ONE_SEAT).node
    with pytest.raises(OperationRefused, match="NO_SUCH_CALL: there is no call nowhere"):
        node.call_view(CallId("nowhere"), 0.0)
    with pytest.raises(OperationRefused, match="NO_SUCH_SEAT: there is no seat 9999"):
        node.seat_view(SeatId("9999"), 0.0)
    for ask in (node.queue_view, lambda name, now: node.seats_view(now, name)):
        with pytest.raises(OperationRefused, match="NO_SUCH_QUEUE: there is no queue sales"):
            ask("sales", 0.0)


def test_a_caller_who_waits_too_long_makes_an_event_and_shows_in_the_queue_object() -> None:
    world = World(1, replace(ONE_SEAT, doors=('alert_wait = "30s"',)))
    world.admin.subscribe(["queue"])
    world.trunk.dial(Errand(caller="13800000001"))
    world.run(29.0)
    assert world.node.queue_view("junior", world.time.now)["waiting_long"] == 0
    world.run(2.0)
    (view,) = world.node.calls_view(world.time.now)
    assert world.admin.events[-1]["data"] == {
        "queue": "junior",
        "what": "waits_long",
        "call": view["call"],
        "waited": 30.0,
        "limit": 30.0,
    }
    assert world.node.queue_view("junior", world.time.now)["waiting_long"] == 1


def test_a_caller_is_told_of_by_name() -> None:
    """asterisk #1091: the caller's name is missing in events. In the object, its events, the row, and after
    a kill.
    """
    world = staffed(RINGS_FOR_EVER)
    world.admin.subscribe(["call"])
    world.trunk.dial(Errand(name="Wang Fang", hangs_up_after=30.0))
    world.run(1.0)
    assert {event["data"]["caller_name"] for event in world.admin.events} == {"Wang Fang"}
    world.restart_switch()
    world.run(1.0)
    (view,) = world.node.calls_view(world.time.now)
    assert view["caller_name"] == "Wang Fang"
    world.run(40.0)
    assert [row.caller_name for row in world.call_rows] == ["Wang Fang"]


def test_a_queue_object_looks_at_the_seats_of_its_queue_only() -> None:
    """A board asks for every queue once a second, and there may be 50,000 seats in a hundred queues."""
    world = staffed(Manner(answers_after=2.0), Town(juniors=1, intermediates=0, seniors=1))
    node = world.node
    before = node.queue_view("junior", world.time.now)
    node.engine._board.seats = Unlooked(node.engine.seats)
    assert node.queue_view("junior", world.time.now) == before
    assert before["seats"] == before["seats_ready"] == 2


class Unlooked(dict[SeatId, Seat]):
    """Seats that nobody may go through."""

    def values(self) -> NoReturn:
        raise AssertionError("somebody goes through all seats")

    items = __iter__ = values
