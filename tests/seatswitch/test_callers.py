"""What one whole switch does with callers it knows: lists of callers, over a restart too."""

from dataclasses import replace

import pytest

from tests.simulator.call import Call
from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import ONE_SEAT, settle, staffed
from tests.simulator.world import World

NUISANCE = """
[[list]]
name = "nuisance"
kind = "black"
numbers = ["13800000666", "13800000667"]
"""


@pytest.mark.parametrize(("setting", "status"), [("", 603), ("barred_status = 403", 403)])
def test_a_black_number_is_refused_at_queues_and_extensions(setting: str, status: int) -> None:
    """96198 leads to a queue, 96201 to an extension: both say the same; only the queue leaves a visit."""
    world = staffed(town=replace(ONE_SEAT, more=NUISANCE, more_tenant=setting))
    calls = [
        world.trunk.dial(Errand(number=number, caller=caller, hangs_up_after=2.0))
        for number, caller in (("96198", "13800000666"), ("96201", "13800000667"), ("96198", "13800000001"))
    ]
    world.run(5.0)
    assert [call.status for call in calls] == [status, status, 200]
    verdicts = sorted((row.called, row.verdict, row.sip_status) for row in world.call_rows)
    assert verdicts[0] == ("96198", "caller:abandoned", 200)
    assert verdicts[1:] == [("96198", "us:barred", status), ("96201", "us:barred", status)]
    causes = [(row.outcome, row.cause) for row in world.visit_rows]
    assert causes == [("refused", "barred"), ("abandoned", "ringing")]
    settle(world)


def test_a_number_added_by_rpc_is_refused_after_a_kill_and_a_restart_too() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=2.0), town=replace(ONE_SEAT, more=NUISANCE))
    world.admin.ask("list.add", {"list": "nuisance", "number": "139*", "note": "robots"})
    world.admin.ask("list.remove", {"list": "nuisance", "number": "13800000666"})
    world.restart_switch()
    world.run(1.0)
    barred = world.trunk.dial(Errand(caller="13900000001"))
    forgiven = world.trunk.dial(Errand(caller="13800000666", hangs_up_after=30.0))
    world.run(10.0)
    assert (barred.status, forgiven.status) == (603, 200)
    settle(world)


def test_a_white_list_with_a_credit_is_served_first() -> None:
    """Two wait while the seat talks; the later one is a VIP with a minute of credit."""
    gold = '[[list]]\nname = "gold"\nkind = "white"\nnumbers = ["13800000008"]\ncredit = "60s"\n'
    world = staffed(Manner(answers_after=1.0, talks_for=30.0), town=replace(ONE_SEAT, more=gold))
    for after, caller in ((0.0, "13800000001"), (5.0, "13800000002"), (10.0, "13800000008")):
        errand = Errand(caller=caller, hangs_up_after=300.0)
        world.time.after(after, lambda errand=errand: world.trunk.dial(errand))
    world.run(15.0)
    waiting = [it for it in world.node.calls_view(world.time.now) if it["state"] == "waiting"]
    assert {it["caller"]: it["position"] for it in waiting} == {"13800000002": 2, "13800000008": 1}
    (vip,) = [it["call"] for it in waiting if it["caller"] == "13800000008"]
    said = world.admin.ask("explain.call", {"call": vip})
    assert (said["credit"], said["vip"]) == (60.0, "gold")
    world.run(200.0)
    callers = {row.call: row.caller for row in world.call_rows}
    assert [(callers[row.call], row.priority_credit) for row in world.visit_rows] == [
        ("13800000001", 0.0),
        ("13800000008", 60.0),
        ("13800000002", 0.0),
    ]
    settle(world)


def test_who_hangs_up_and_calls_again_is_before_who_came_meanwhile_over_a_kill_too() -> None:
    town = replace(ONE_SEAT, doors=("resume_abandoned = 60",))
    world = staffed(Manner(answers_after=1.0, talks_for=60.0), town=town)
    world.trunk.dial(Errand(caller="13800000000", hangs_up_after=300.0))
    world.run(2.0)
    world.trunk.dial(Errand(caller="13800000001", hangs_up_after=10.0))
    world.run(5.0)
    world.trunk.dial(Errand(caller="13800000002", hangs_up_after=300.0))
    world.run(10.0)
    world.restart_switch()
    world.run(5.0)
    world.trunk.dial(Errand(caller="13800000001", hangs_up_after=300.0))
    world.run(2.0)
    waiting = [it for it in world.node.calls_view(world.time.now) if it["state"] == "waiting"]
    assert {it["caller"]: it["position"] for it in waiting} == {"13800000001": 1, "13800000002": 2}
    world.run(250.0)
    (left,) = [row for row in world.visit_rows if row.outcome == "abandoned"]
    assert [row.resumes for row in world.visit_rows if row.resumes] == [left.visit]
    assert world.complaints == []


@pytest.mark.parametrize(("setting", "answered"), [("", False), ("message_answer = 200", True)])
def test_who_is_turned_away_hears_why_and_is_hung_up(setting: str, answered: bool) -> None:
    doors = ('on_empty = "message:builtin:welcome"', setting)
    world = World(1, replace(ONE_SEAT, when_empty="refuse", doors=doors))
    world.run(1.0)
    caller = world.trunk.dial(Errand())
    world.run(2.0)
    assert not caller.has_ended
    world.run(30.0)
    assert caller.has_ended
    assert caller.status == (200 if answered else 480)
    (row,), (visit,) = world.call_rows, world.visit_rows
    assert (row.verdict, row.sip_status) == ("us:empty", 200 if answered else 480)
    assert (visit.outcome, visit.cause, visit.target) == ("refused", "empty", "message:builtin:welcome")
    settle(world)


def test_a_caller_who_is_sent_on_hears_the_music_of_the_other_queue() -> None:
    """One is sent on at the door, where the queue is full, the other when it has waited for 20 s."""
    doors = ('music = ""', 'on_full = "queue:complaint"')
    town = replace(
        ONE_SEAT, seniors=1, max_waiting=1, max_wait=20.0, on_timeout="queue:senior", doors=doors
    )
    world = World(1, town)
    first = world.trunk.dial(Errand(hangs_up_after=40.0))
    world.run(1.0)
    second = world.trunk.dial(Errand(caller="13800000002", hangs_up_after=40.0))
    world.run(5.0)

    def hears(caller: Call) -> tuple[str, ...]:
        return world.workers.playing_to(caller.rtp)[-1:]

    assert (hears(first), hears(second)) == ((), ("builtin:music",))
    world.run(14.5)
    assert (hears(first), hears(second)) == (("builtin:music",), ("builtin:music",))
    world.run(30.0)
    settle(world)
