"""What one whole switch does with a promise to call back: the seat first, then the customer."""

from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import Town
from tests.simulator.world import World


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


def test_a_complaint_is_followed_up_over_a_kill_and_escalated_to_the_seniors_when_it_is_late() -> None:
    """Nobody is there for twelve hours, a kill in between; then a senior calls the customer."""
    late = '[[followup]]\nname = "complaint"\nescalate_to = "queue:senior"\n'
    world = World(1, Town(juniors=1, intermediates=0, seniors=1, more=late))
    world.run(1.0)
    booked = {"number": "13800000009", "queue": "junior", "class": "complaint"}
    assert world.admin.ask("callback.book", booked)["deadline"] == "2026-01-01T12:00:01.000Z"
    world.run(6 * 3600.0)
    world.restart_switch()
    world.add_agent("8201", Manner(answers_after=2.0))
    world.trunk.choose = lambda _: Manner(answers_after=3.0, talks_for=10.0)
    world.run(5 * 3600.0)
    (promise,) = world.admin.ask("callback.list", {})
    assert (promise["class"], promise["queue"], promise["overdue"]) == ("complaint", "junior", False)
    world.run(3600.0 + 60.0)
    assert world.admin.ask("callback.list", {}) == []
    (call,) = world.call_rows
    assert (call.called, call.seat, call.verdict) == ("13800000009", "8201", "success")
    week = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-08T00:00:00Z"}
    (counted,) = world.admin.ask("callback.followups", week)
    keys = ("accepted", "escalated", "returned", "on_time", "open")
    assert [counted[key] for key in keys] == [1, 1, 1, 0, 0]
    settle(world)


def test_who_gave_up_is_called_by_itself_also_when_the_switch_was_killed_meanwhile() -> None:
    """The caller waits for 30 s, in which nobody is there; a seat comes, and a minute later it is rung."""
    rule = 'call_back_abandoned = {after = "60s", min_waited = "20s"}'
    world = World(1, Town(juniors=1, intermediates=0, seniors=0, wrap_up=0.0, doors=(rule,)))
    world.run(1.0)
    world.trunk.dial(Errand(caller="13800000009", hangs_up_after=30.0))
    world.run(40.0)
    (visit,) = world.visit_rows
    assert (visit.outcome, visit.cause) == ("abandoned", "abandoned")
    (promise,) = world.admin.ask("callback.list", {})
    assert (promise["state"], promise["booked_by"], promise["number"]) == (
        "scheduled",
        "abandoned",
        "13800000009",
    )
    world.restart_switch()
    world.add_agent("8001", Manner(answers_after=2.0))
    world.trunk.choose = lambda _: Manner(answers_after=3.0, talks_for=10.0)
    world.run(30.0)
    assert [call.called for call in world.call_rows] == ["96198"]
    world.run(60.0)
    assert world.admin.ask("callback.list", {}) == []
    assert [(row.called, row.verdict) for row in world.call_rows] == [
        ("96198", "caller:abandoned"),
        ("13800000009", "success"),
    ]
    assert [row.outcome for row in world.visit_rows] == ["abandoned", "answered"]
    settle(world)
