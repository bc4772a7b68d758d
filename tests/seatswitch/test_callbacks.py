"""What one whole switch does with a promise to call back: the seat first, then the customer."""

from tests.simulator.phones import Manner
from tests.simulator.stories import settle, staffed


def test_a_booked_callback_rings_the_seat_then_the_customer_and_leaves_its_rows() -> None:
    """The seat answers after 2 s, the customer after 3 s more, and talks 10 s; then the seat wraps up."""
    world = staffed(Manner(answers_after=2.0))
    world.trunk.choose = lambda _: Manner(answers_after=3.0, talks_for=10.0)
    booked = world.admin.ask("callback.book", {"number": "13800000009", "queue": "junior"})
    assert booked["state"] == "waiting" or booked["state"] == "dialling"
    world.run(3.0)
    assert [view["state"] for view in world.admin.ask("callback.list", {})] == ["dialling"]
    world.run(4.0)
    assert world.admin.ask("callback.list", {}) == []
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "talking"
    world.run(12.0)
    (call,), (visit,) = world.call_rows, world.visit_rows
    assert (call.direction, call.called, call.seat, call.verdict) == (
        "out",
        "13800000009",
        "8001",
        "success",
    )
    assert (visit.outcome, visit.call) == ("answered", call.call)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
    settle(world)


def test_a_draining_switch_dials_nobody_and_ends_with_its_promises_kept() -> None:
    """The seat is free, the promise stands; then the switch drains: the seat stays idle, nothing is left."""
    world = staffed(Manner(answers_after=5.0))
    world.admin.ask("callback.book", {"number": "13800000009", "queue": "junior"})
    world.run(1.0)
    world.turn(world.node.drain)
    world.run(60.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "idle"
    (promise,) = world.admin.ask("callback.list", {})
    assert (promise["state"], promise["attempts"]) == ("scheduled", 0)
    assert world.node.is_idle()
    assert world.trunk.calls == []
    world.restart_switch()
    world.trunk.choose = lambda _: Manner(answers_after=3.0, talks_for=10.0)
    world.run(60.0)
    assert world.admin.ask("callback.list", {}) == []
    (call,) = world.call_rows
    assert (call.called, call.verdict) == ("13800000009", "success")
    settle(world)
