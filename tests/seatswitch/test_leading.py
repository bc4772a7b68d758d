"""Scripts whose targets take nobody, through the whole switch: what the engine says reaches the script, and
what a reload or a kill leaves of it.
"""

from dataclasses import replace
from typing import Any

import pytest

from config.load import load_settings
from kernel.rows import ScriptRow
from tests.seatswitch.test_desk import ONE
from tests.seatswitch.test_scripts import press
from tests.simulator.phones import RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import Town
from tests.simulator.world import World

TENANT = """
[tenant.ivr.main]
otherwise = "sorry"
[tenant.ivr.main.node.hello]
kind = "menu"
within = "20s"
keys = {1 = "junior", 2 = "boss", 3 = "queue:junior"}
[tenant.ivr.main.node.junior]
kind = "go"
to = "queue:junior"
cases = {max_wait = "queue:senior"}
[tenant.ivr.main.node.boss]
kind = "go"
to = "seat:8001"
ring_for = "15s"
cases = {busy = "queue:junior"}
otherwise = "hello"
[tenant.ivr.main.node.sorry]
kind = "hangup"
cause = "turned_away"
"""
TOWN = replace(ONE, junior_entry="ivr:main", more_tenant=TENANT, max_wait=30.0, seniors=1)


def arrive(world: World) -> Any:
    caller = world.trunk.dial(Errand(hangs_up_after=900.0))
    world.run(1.0)
    return caller


def runs(world: World) -> list[tuple[str, str, str]]:
    rows = [row for row in world.rows if isinstance(row, ScriptRow)]
    return [(row.outcome, row.target, row.path) for row in rows]


def verdicts(world: World) -> list[str]:
    return [row.verdict for row in world.call_rows]


def state_of(world: World) -> tuple[str, str | None]:
    (view,) = world.admin.ask("call.list")
    return view["state"], view["script"] and view["script"]["node"]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"when_empty": "refuse"}, "empty"),
        ({"hours": "mon-sun 12:00-13:00"}, "closed"),
        ({"doors": ("max_estimate = 1",)}, ""),
    ],
)
def test_a_queue_that_lets_nobody_in_is_learned_by_the_script(changes: dict[str, Any], cause: str) -> None:
    world = World(1, replace(TOWN, **changes))
    caller = arrive(world)
    press(world, "1")
    if not cause:  # nobody is there, so nobody knows how long it takes: the queue takes the caller
        assert state_of(world) == ("waiting", None)
        caller.hang_up()
        settle(world)
        return
    world.run(1.0)
    (visit,) = world.visit_rows
    assert (visit.outcome, visit.cause) == ("refused", cause)
    assert verdicts(world) == ["success:turned_away"]
    assert [outcome for outcome, _, _ in runs(world)] == ["led", "hung_up"]
    settle(world)


def test_a_full_queue_is_learned_by_the_script() -> None:
    world = World(1, replace(TOWN, max_waiting=1))
    first = arrive(world)
    press(world, "3")
    arrive(world)
    (_, call) = world.node.switchboard.calls.values()
    for turn in (
        lambda now: world.node.switchboard.keys.pressed(call.caller_leg, "1", now),
        world.node.settle,
    ):
        world.turn(turn)
    world.run(1.0)
    assert [row.cause for row in world.visit_rows] == ["full"]
    assert verdicts(world) == ["success:turned_away"]
    first.hang_up()
    settle(world)


def test_a_caller_whom_one_queue_has_kept_waiting_comes_to_another_with_its_time() -> None:
    """And what the other has to say of it is the script's affair again."""
    world = World(1, TOWN)
    arrive(world)
    press(world, "1")
    world.run(31.0)
    (first,) = world.visit_rows
    assert (first.outcome, first.cause, first.target) == ("timed_out", "max_wait", "")
    (waiting,) = world.node.engine.living()
    assert (waiting.queue, waiting.credit, waiting.number) == ("senior", 30.0, 2)
    world.run(31.0)
    assert [row.outcome for row in world.visit_rows] == ["timed_out", "timed_out"]
    assert verdicts(world) == ["success:turned_away"]
    settle(world)


def test_a_seat_that_does_not_answer_is_rung_no_longer_and_offered_calls_again() -> None:
    world = staffed(RINGS_FOR_EVER, replace(TOWN, seniors=0))
    caller = arrive(world)
    press(world, "2")
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "ringing"
    world.run(15.5)
    assert state_of(world) == ("script", "hello")
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "idle"
    caller.hang_up()
    settle(world)
    assert verdicts(world) == ["caller:abandoned_ivr"]


def test_a_seat_in_a_call_is_busy_and_its_queue_takes_the_caller() -> None:
    world = staffed(Manner(answers_after=1.0), replace(TOWN, seniors=0))
    first = arrive(world)
    press(world, "2")
    world.run(3.0)
    assert state_of(world) == ("talking", None)
    second = world.trunk.dial(Errand(caller="13800000002", hangs_up_after=900.0))
    world.run(1.0)
    call = list(world.node.switchboard.calls.values())[-1]
    for turn in (
        lambda now: world.node.switchboard.keys.pressed(call.caller_leg, "2", now),
        world.node.settle,
    ):
        world.turn(turn)
    assert call.queue == "junior"
    first.hang_up()
    world.run(3.0)
    assert state_of(world) == ("talking", None)
    second.hang_up()
    settle(world)
    assert verdicts(world) == ["success", "success"]


def test_a_reload_that_takes_the_queue_away_gives_its_callers_back() -> None:
    world = World(1, TOWN)
    arrive(world)
    press(world, "3")
    gone = Town(juniors=1, junior_entry="ivr:main", more_tenant='[tenant.ivr.main.node.a]\nkind = "hangup"\n')
    text = gone.toml().replace('name = "junior"\ntenant', 'name = "other"\ntenant')
    settings = load_settings(
        text.replace('["junior"', '["other"').replace("queue:junior", "queue:other"), file="t"
    )
    world.turn(lambda now: world.node.reconfigure(settings, now))
    world.run(1.0)
    assert [row.cause for row in world.visit_rows] == ["queue_removed"]
    assert verdicts(world) == ["success:turned_away"]
    settle(world)


def test_a_caller_whose_target_rang_when_the_switch_died_hears_the_script_once_more() -> None:
    world = staffed(RINGS_FOR_EVER, replace(TOWN, seniors=0))
    caller = arrive(world)
    press(world, "2")
    world.run(3.0)
    world.restart_switch()
    world.run(1.0)
    assert state_of(world) == ("script", "hello")
    world.run(10.0)
    caller.hang_up()
    world.run(1.0)
    assert [row.verdict for row in world.call_rows] == ["caller:abandoned_ivr"]
    assert [row.run.rpartition("/")[2] for row in world.rows if isinstance(row, ScriptRow)] == ["s1", "s2"]
    settle(world)


@pytest.mark.parametrize("kills", [1, 2])
def test_a_caller_who_waited_when_the_switch_died_waits_on_and_its_script_goes_on(kills: int) -> None:
    """Whatever follows the queue is what the script says: here another queue, and when that is in vain, too,
    its last word. The next kill finds it like the first.
    """
    world = World(1, TOWN)
    arrive(world)
    press(world, "1")
    for _ in range(kills):
        world.run(5.0)
        world.restart_switch()
    world.run(5.0)
    assert state_of(world) == ("waiting", None)
    world.run(26.0)
    (waiting,) = world.node.engine.living()
    assert (waiting.queue, waiting.credit, waiting.number) == ("senior", 30.0, 2)
    world.run(10.0)
    world.restart_switch()
    world.run(21.0)
    assert [(row.queue, row.outcome) for row in world.visit_rows] == [
        ("junior", "timed_out"),
        ("senior", "timed_out"),
    ]
    assert verdicts(world) == ["success:turned_away"]
    assert runs(world) == [
        ("led", "queue:junior", "hello > junior"),
        ("led", "queue:senior", ""),
        ("hung_up", "", "sorry"),
    ]
    settle(world)


def asking(text: str, what: str, is_secret: str) -> str:
    """Let the script ask for four digits before it leads on."""
    node = f'kind = "read"\ninto = "{what}"\nmost = 4\nsecret = {is_secret}\nthen = "junior"\n'
    return text.replace('1 = "junior"', '1 = "ask"') + f"[tenant.ivr.main.node.ask]\n{node}"


def test_what_was_read_is_with_the_call_after_a_kill_and_its_seat_is_told() -> None:
    world = World(1, replace(TOWN, more_tenant=asking(TENANT, "order", "false")))
    arrive(world)
    press(world, "1")
    press(world, "4711")
    world.restart_switch()
    world.run(5.0)
    (view,) = world.admin.ask("call.list")
    assert (view["state"], view["collected"]) == ("waiting", {"order": "4711"})
    world.run(60.0)
    assert verdicts(world) == ["success:turned_away"]
    settle(world)


@pytest.mark.parametrize("is_secret", [True, False], ids=["a secret", "another script"])
def test_a_script_that_cannot_go_on_after_a_kill_leaves_the_caller_to_its_queue(*, is_secret: bool) -> None:
    """It was told what is written nowhere, or the next process knows another one: a row says so, and the
    queue's own rule holds.
    """
    world = World(1, replace(TOWN, more_tenant=asking(TENANT, "pin", "true") if is_secret else TENANT))
    arrive(world)
    press(world, "1")
    if is_secret:
        press(world, "4711")
    else:
        other = TENANT.replace('to = "queue:junior"', 'to = "queue:senior"')
        world.town = replace(TOWN, more_tenant=other)
    world.run(1.0)
    world.restart_switch()
    world.run(5.0)
    assert state_of(world) == ("waiting", None)
    assert runs(world)[1:] == [("interrupted", "", "")]
    world.run(30.0)
    assert verdicts(world) == ["us:max_wait"]
    assert len({row.run for row in world.rows if isinstance(row, ScriptRow)}) == 2
    settle(world)
