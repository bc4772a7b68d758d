"""Scripts through the whole switch: what operators and desks see, what the engine does with callers that come
out of one, and what a kill leaves of it.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from config.load import load_settings
from kernel.outbox import Outbox
from kernel.rows import CallbackRow, ScriptRow
from tests.seatswitch.test_desk import ONE, seat, talking
from tests.simulator.phones import Errand
from tests.simulator.stories import settle
from tests.simulator.town import Town
from tests.simulator.world import World

TENANT = """
[tenant.ivr.main.node.hello]
kind = "menu"
sounds = ["builtin:welcome"]
within = "20s"
keys = {1 = "queue:junior", 2 = "promise", 3 = "vip"}
[tenant.ivr.main.node.promise]
kind = "callback"
queue = "junior"
then = "hangup"
otherwise = "queue:junior"
[tenant.ivr.main.node.vip]
kind = "set"
credit = "60s"
skills = {english = 1}
then = "queue:junior"
[tenant.ivr.pin.node.ask]
kind = "read"
into = "pin"
most = 4
secret = true
within = "20s"
then = "account"
[tenant.ivr.pin.node.account]
kind = "read"
into = "account"
most = 2
within = "20s"
then = "return"
"""
MENU = replace(ONE, junior_entry="ivr:main", more_tenant=TENANT, max_wait=30.0, on_timeout="ivr:main")


def press(world: World, keys: str) -> None:
    (call,) = world.node.switchboard.calls.values()
    pressed = world.node.switchboard.keys.pressed
    for key in keys:
        world.turn(partial(pressed, call.caller_leg, key))
        world.turn(world.node.settle)


def arrive(town: Town = MENU) -> tuple[World, Any]:
    world = World(1, town)
    world.admin.subscribe(["call"])
    caller = world.trunk.dial(Errand(hangs_up_after=300.0))
    world.run(1.0)
    return world, caller


def runs(world: World) -> list[ScriptRow]:
    return [row for row in world.rows if isinstance(row, ScriptRow)]


def told(world: World, what: str) -> list[dict[str, Any]]:
    return [event["data"] for event in world.admin.events if event["data"].get("what") == what]


def test_where_in_a_script_a_call_stands_is_seen_and_explained() -> None:
    world, _ = arrive()
    (view,) = world.admin.ask("call.list")
    where = {"ivr": "main", "node": "hello", "waits_for": "collect"}
    assert (view["state"], view["script"], view["queue"]) == ("script", where, None)
    explained = world.admin.ask("explain.call", {"call": view["call"]})
    assert (explained["waiting"], explained["script"]) == (False, where)
    press(world, "1")
    (view,) = world.admin.ask("call.list")
    assert (view["state"], view["script"], view["queue"]) == ("waiting", None, "junior")
    assert "script" not in world.admin.ask("explain.call", {"call": view["call"]})
    (event,) = told(world, "script_ended")
    assert (event["ivr"], event["outcome"], event["target"]) == ("main", "led", "queue:junior")


def test_who_hangs_up_in_a_script_is_counted_at_no_queue() -> None:
    world, caller = arrive()
    caller.hang_up()
    world.run(1.0)
    assert [(row.entry, row.verdict) for row in world.call_rows] == [("ivr:main", "caller:abandoned_ivr")]
    assert world.visit_rows == []
    assert world.admin.ask("queue.get", {"queue": "junior"})["abandoned"] == 0
    assert world.admin.ask("admin.status")["scripts"] == {"demo": {"abandoned": 1}}
    settle(world)


def test_a_queue_s_timeout_leads_into_the_script_and_the_place_is_kept() -> None:
    """The first visit has overflowed with its cause; the second begins with the time waited as credit."""
    world, caller = arrive()
    press(world, "1")
    world.run(30.0)
    (first,) = world.visit_rows
    assert (first.outcome, first.cause, first.target) == ("overflowed", "max_wait", "ivr:main")
    press(world, "1")
    (waiting,) = world.node.engine.living()
    assert waiting.credit == 30.0
    caller.hang_up()
    world.run(1.0)
    assert [(row.number, row.credit) for row in [waiting]] == [(2, 30.0)]
    assert world.visit_rows[1].outcome == "abandoned"
    settle(world)


def test_credit_and_skills_are_those_of_the_visit() -> None:
    world, caller = arrive()
    press(world, "3")
    (waiting,) = world.node.engine.living()
    assert (waiting.credit, waiting.skills) == (60.0, (("english", 1),))
    caller.hang_up()
    settle(world)


def test_a_callback_that_a_caller_has_chosen_stands_in_the_queue() -> None:
    town = replace(MENU, callback='callback = {attempts = 2, retry_after = "20s"}')
    world, _ = arrive(town)
    press(world, "2")
    assert [row.verdict for row in world.call_rows] == ["success:script"]
    booked = next(row for row in world.rows if isinstance(row, CallbackRow))
    assert (booked.queue, booked.number, booked.booked_by) == ("junior", "13800000001", "caller")
    world.trunk.dial(Errand(hangs_up_after=300.0))
    world.run(1.0)
    press(world, "2")  # who is promised a call already waits instead
    (view,) = world.admin.ask("call.list")
    assert view["state"] == "waiting"


def test_a_desk_sees_what_was_read_and_not_what_is_secret() -> None:
    world, desk, caller, _ = talking(replace(ONE, more_tenant=TENANT))
    world.admin.subscribe(["call"])
    desk.ask("call.interact", {"ivr": "pin"})
    (view,) = world.admin.ask("call.list")
    assert (view["state"], view["script"]["node"]) == ("interact", "ask")
    assert seat(world)["activity"] == "talking"
    assert desk.refusal("call.interact", {"ivr": "pin"}) == "NO_BRIDGE"
    press(world, "4711")
    press(world, "12")
    (event,) = told(world, "interact_returned")
    assert (event["seat"], event["outcome"]) == ("8001", "returned")
    assert event["variables"] == {"pin": "***", "account": "12"}
    (view,) = world.admin.ask("call.list")
    assert (view["state"], view["collected"]) == ("talking", {"pin": "***", "account": "12"})
    assert "4711" not in str(world.admin.events)
    assert desk.refusal("call.interact", {"ivr": "other"}) == "NO_SUCH_TARGET"
    caller.hang_up()
    settle(world)


@pytest.mark.parametrize("is_complete", [True, False], ids=["read", "broken off"])
def test_a_secret_is_in_no_row_that_a_kill_leaves_no_event_and_no_line_of_the_log(
    is_complete: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor in what is broken off: not even the keys that were pressed so far."""
    pin = "8*64*2"
    read = TENANT.replace("most = 4", f"most = {len(pin)}")
    world, desk, caller, _ = talking(replace(ONE, more_tenant=read))
    told: list[Any] = []  # every row and every line of the log that was taken out

    def take(box: Outbox[Any]) -> list[Any]:
        found = Outbox.copy(box)
        box.clear()
        if box is world.node.rows or box is world.node.log:
            told.extend(found)
        return found

    monkeypatch.setattr(Outbox, "take", take)
    world.admin.subscribe(["call", "queue", "seat", "supervisor", "switch"])
    desk.ask("call.interact", {"ivr": "pin"})
    for count, key in enumerate(pin if is_complete else pin[:5], 1):
        press(world, key)
        shown = [world.admin.ask("call.list"), desk.ask("call.list"), world.node.checkpoint()]
        shown.append(world.admin.ask("explain.call", {"call": shown[0][0]["call"]}))
        assert count < 3 or pin[:count] not in str(shown)
    if not is_complete:
        desk.ask("call.unhold")
    caller.hang_up()
    world.run(1.0)
    seen = f"{told} {world.admin.events} {desk.events} {world.rows} {world.story}"
    assert ("'pin': '***'" in seen, "call ended" in seen) == (is_complete, True)
    assert pin[:3] not in seen
    assert pin[-3:] not in seen
    settle(world)


def test_a_seat_takes_its_caller_back() -> None:
    world, desk, caller, _ = talking(replace(ONE, more_tenant=TENANT))
    desk.ask("call.interact", {"ivr": "pin"})
    desk.ask("call.unhold")
    assert [row.outcome for row in runs(world)] == ["taken_back"]
    (view,) = world.admin.ask("call.list")
    assert view["state"] == "talking"
    assert desk.refusal("call.unhold") == "NOT_HELD"
    caller.hang_up()
    settle(world)


def test_a_caller_in_a_script_hears_it_from_the_start_after_a_kill() -> None:
    """The number of its runs goes on, so that no row of one is written over."""
    world, caller = arrive()
    press(world, "1")
    world.run(30.0)  # and into the script once more
    world.restart_switch()
    world.run(1.0)
    (view,) = world.admin.ask("call.list")
    assert (view["state"], view["script"]["node"]) == ("script", "hello")
    assert world.workers.is_stream_playing(next(iter(world.node.switchboard.streams.living)))
    world.run(10.0)
    press(world, "1")
    caller.hang_up()
    world.run(1.0)
    assert [row.resumed for row in world.call_rows] == [1]
    assert [row.run.rpartition("/")[2] for row in runs(world)] == ["s1", "s3"]
    settle(world)


def test_who_was_sent_into_a_script_when_the_switch_died_talks_to_its_seat_again() -> None:
    world, desk, caller, phone = talking(replace(ONE, more_tenant=TENANT))
    desk.ask("call.interact", {"ivr": "pin"})
    world.restart_switch()
    world.run(6.0)
    (call,) = world.node.switchboard.calls.values()
    assert world.workers.are_streams_joined(call.caller_leg.stream, call.callee.stream)
    (view,) = world.admin.ask("call.list")
    assert (view["state"], view["script"]) == ("talking", None)
    caller.hang_up()
    world.run(1.0)
    assert (phone.why, [row.verdict for row in world.call_rows]) == ("bye", ["success"])
    settle(world)


def test_a_reload_changes_the_script_for_the_next_caller() -> None:
    world, caller = arrive()
    other = replace(MENU, more_tenant=TENANT.replace('1 = "queue:junior"', '1 = "hangup"'))
    settings = load_settings(other.toml(), file="town.toml")
    world.turn(lambda now: world.node.reconfigure(settings, now))
    press(world, "1")
    assert world.admin.ask("call.list")[0]["state"] == "waiting"
    caller.hang_up()
    world.run(1.0)
    world.trunk.dial(Errand(hangs_up_after=300.0))
    world.run(1.0)
    press(world, "1")
    assert [row.verdict for row in world.call_rows] == ["caller:abandoned", "success:script"]
    settle(world)
