"""What follows a talk or interrupts it, through the whole switch: ratings, and holds that last too long."""

from dataclasses import replace

from tests.seatswitch.test_desk import ONE, seat, talking
from tests.simulator.stories import settle


def test_a_long_hold_is_told_to_supervisors_and_of_the_call() -> None:
    world, desk, _, _ = talking(replace(ONE, hold_recall=30.0))
    world.admin.subscribe(["supervisor", "call"])
    desk.ask("call.hold")
    world.run(61.0)
    told = [event for event in world.admin.events if event["data"].get("what") == "hold_recall"]
    assert [(event["topic"], event["data"]["held_for"]) for event in told] == [
        ("supervisor", 30.0),
        ("call", 30.0),
        ("supervisor", 60.0),
        ("call", 60.0),
    ]
    assert [told[0]["data"][key] for key in ("tenant", "seat", "queue")] == ["demo", "8001", "junior"]
    assert told[1]["data"]["state"] == "held"
    desk.ask("call.unhold")
    desk.ask("call.hangup")
    settle(world)


def test_a_caller_rates_the_call_while_its_seat_wraps_up() -> None:
    """survey.result as an event, one row, and the seat takes the next call before the key is pressed."""
    world, desk, caller, phone = talking(ONE)
    world.admin.subscribe(["call"])
    world.run(5.0)
    desk.ask("call.survey")
    world.run(1.0)
    assert phone.why == "bye"
    assert (seat(world)["activity"], seat(world)["counters"]["answered"]) == ("idle", 1)
    (call,) = world.node.switchboard.calls.values()
    world.turn(lambda now: world.node.switchboard.keys.pressed(call.caller_leg, "5", now))
    world.turn(world.node.settle)
    world.run(15.0)
    assert caller.why == "bye"
    (event,) = [it["data"] for it in world.admin.events if it["data"].get("what") == "survey"]
    assert [event[name] for name in ("queue", "seat", "key", "result")] == ["junior", "8001", "5", "5"]
    assert [(row.verdict, row.ended_by) for row in world.call_rows] == [("success", "seat")]
    assert desk.refusal("call.survey") == "NOT_IN_CALL"
    settle(world)
