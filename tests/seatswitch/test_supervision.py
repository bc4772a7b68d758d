"""What supervisors do to seats and calls, through the whole switch, and what each action leaves behind."""

from typing import Any

import msgspec

from acd.queuelog import QueueLog
from kernel.rows import OperationRow
from tests.simulator.checkers import talks_to
from tests.simulator.people import Desk
from tests.simulator.phones import RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import settle
from tests.simulator.town import Town
from tests.simulator.world import World

LED = Town(juniors=1, intermediates=0, seniors=0, leaders=1, wrap_up=0.0)


def led(manner: Manner, town: Town = LED) -> tuple[World, Desk]:
    """Every seat is signed in; return the world and the desk of the leader 8901."""
    world = World(1, town)
    for seat in town.seats:
        world.add_agent(seat, manner)
    lead = world.add_agent("8901", Manner(answers_after=1.0))
    world.run(3.0)
    assert lead.desk is not None
    return world, lead.desk


def seat(world: World, number: str = "8001") -> dict[str, Any]:
    view: dict[str, Any] = world.admin.ask("seat.get", {"seat": number})
    return view


def operations(world: World) -> list[tuple[str, str, str, str]]:
    """Return by whom, what, to which seat and why, of every row."""
    return [(it.by, it.what, it.seat, it.detail) for it in world.rows if isinstance(it, OperationRow)]


def test_a_forced_pause_is_lifted_by_a_supervisor_alone_and_both_are_told_with_who_did_it() -> None:
    world, lead = led(RINGS_FOR_EVER)
    world.admin.subscribe(["supervisor"])
    desk = world.agents["8001"].desk
    assert desk is not None
    lead.ask("supervisor.force_pause", {"seat": "8001", "reason": "coaching"})
    assert desk.refusal("seat.ready") == "FORCED_PAUSE"
    world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(10.0)
    assert world.offer_rows == []
    lead.ask("supervisor.force_ready", {"seat": "8001"})
    world.run(1.0)
    assert seat(world)["activity"] == "ringing"
    assert operations(world) == [
        ("8901", "force_pause", "8001", "coaching"),
        ("8901", "force_ready", "8001", ""),
    ]
    told = [(event["data"]["what"], event["data"]["by"]) for event in world.admin.events]
    assert told == [("force_pause", "8901"), ("force_ready", "8901")]
    settle(world)


def test_disconnect_ends_the_conversation_of_a_seat() -> None:
    world, lead = led(Manner(answers_after=1.0))
    assert lead.refusal("supervisor.disconnect", {"seat": "8001"}) == "TARGET_NOT_TALKING"
    caller = world.trunk.dial(Errand())
    world.run(5.0)
    lead.ask("supervisor.disconnect", {"seat": "8001"})
    world.run(1.0)
    assert (caller.why, world.phones["8001"].calls[0].why) == ("bye", "bye")
    (row,) = world.call_rows
    assert (row.verdict, row.ended_by) == ("success:disconnected", "switch")
    assert operations(world) == [("8901", "disconnect", "8001", "")]
    settle(world)


def test_a_ringing_call_is_picked_up_at_the_leaders_own_phone() -> None:
    world, lead = led(RINGS_FOR_EVER)
    caller = world.trunk.dial(Errand(talks_for=20.0))
    world.run(2.0)
    lead.ask("supervisor.pickup", {"seat": "8001"})
    world.run(2.0)
    assert world.phones["8001"].calls[0].why == "cancelled"
    assert (seat(world)["activity"], seat(world, "8901")["activity"]) == ("idle", "talking")
    assert talks_to(world, caller.rtp, world.phones["8901"].calls[0].rtp)
    settle(world)
    (visit,) = world.visit_rows
    assert (visit.outcome, visit.seat) == ("answered", "8901")
    assert [(row.seat, row.outcome) for row in world.offer_rows] == [
        ("8001", "withdrawn"),
        ("8901", "answered"),
    ]


def test_a_waiting_call_is_picked_out_of_its_order_by_a_leader_and_by_a_seat() -> None:
    town = Town(juniors=1, intermediates=0, seniors=0, leaders=1, wrap_up=0.0, doors=("pick = true",))
    world, lead = led(Manner(answers_after=1.0), town)
    desk = world.agents["8001"].desk
    assert desk is not None
    desk.ask("seat.pause", {"reason": "rest"})
    callers = []
    for number in ("13800000001", "13800000002", "13800000003"):
        callers.append(world.trunk.dial(Errand(caller=number)))
        world.run(1.0)
    waiting = {view["caller"]: view["call"] for view in world.admin.ask("call.list")}
    lead.ask("supervisor.pickup", {"call": waiting["13800000002"]})
    desk.ask("call.pick", {"call": waiting["13800000003"]})
    world.run(2.0)
    assert talks_to(world, callers[1].rtp, world.phones["8901"].calls[0].rtp)
    assert talks_to(world, callers[2].rtp, world.phones["8001"].calls[0].rtp)
    assert lead.refusal("supervisor.pickup", {"call": waiting["13800000002"]}) == "BAD_STATE"
    assert next(view["position"] for view in world.admin.ask("call.list")) == 1
    for caller in callers:
        caller.hang_up()
    settle(world)
    assert {row.seat: row.policy for row in world.offer_rows} == {"8901": "picked", "8001": "picked"}
    assert {(row.call, row.outcome) for row in world.visit_rows} == {
        (waiting["13800000001"], "abandoned"),
        (waiting["13800000002"], "answered"),
        (waiting["13800000003"], "answered"),
    }


def test_a_seat_is_moved_live_and_a_call_waits_elsewhere_or_first() -> None:
    world, lead = led(
        Manner(answers_after=1.0), Town(juniors=2, intermediates=0, seniors=0, leaders=1, relaxes=False)
    )
    for number in ("8001", "8002"):
        lead.ask("supervisor.move_seat", {"seat": number, "queues": ["senior"], "level": "senior"})
    assert seat(world)["queues"] == ["senior"]
    first = world.trunk.dial(Errand())
    world.run(1.0)
    second = world.trunk.dial(Errand(caller="13800000002"))
    world.run(1.0)
    waiting = {view["caller"]: view["call"] for view in world.admin.ask("call.list")}
    lead.ask("supervisor.move_call", {"call": waiting["13800000002"], "first": True})
    assert world.admin.ask("call.list")[1]["position"] == 1
    lead.ask("supervisor.move_seat", {"seat": "8002", "queues": ["junior"], "level": "junior"})
    lead.ask("supervisor.move_call", {"call": waiting["13800000001"], "queue": "senior"})
    world.run(3.0)
    assert talks_to(world, second.rtp, world.phones["8002"].calls[0].rtp)
    assert talks_to(world, first.rtp, world.phones["8001"].calls[0].rtp)
    for call in (first, second):
        call.hang_up()
    settle(world)
    told = [(row.queue, row.outcome, row.cause) for row in world.visit_rows]
    assert ("junior", "overflowed", "moved") in told
    assert ("senior", "answered", "") in told


def test_a_move_outlives_a_reload_and_a_kill_and_ends_with_reset() -> None:
    world, lead = led(RINGS_FOR_EVER)
    where = {"queues": ["senior"], "level": "senior", "skills": {"billing": 7}}
    lead.ask("supervisor.move_seat", {"seat": "8001", **where})
    world.turn(lambda now: world.node.reconfigure(world.node.settings, now))
    assert {key: seat(world)[key] for key in (*where, "moved")} == {**where, "moved": True}
    world.kill_switch()
    world.run(2.0)
    assert {key: seat(world)[key] for key in (*where, "moved")} == {**where, "moved": True}
    world.admin.ask("supervisor.move_seat", {"seat": "8001", "reset": True})
    assert (seat(world)["queues"], seat(world)["level"], seat(world)["skills"]) == (["junior"], "junior", {})
    assert seat(world)["moved"] is False
    world.kill_switch()
    world.run(2.0)
    assert (seat(world)["queues"], seat(world)["moved"]) == (["junior"], False)
    settle(world)


def test_a_file_that_is_changed_ends_a_move_and_the_log_says_so() -> None:
    world, lead = led(RINGS_FOR_EVER)
    lead.ask("supervisor.move_seat", {"seat": "8001", "queues": ["senior"], "level": "senior"})
    acd = world.node.settings.acd
    seats = tuple(
        msgspec.structs.replace(it, skills=(("typing", 3),)) if it.number == "8001" else it
        for it in acd.seats
    )
    changed = msgspec.structs.replace(world.node.settings, acd=msgspec.structs.replace(acd, seats=seats))
    told: list[tuple[str, dict[str, Any]]] = []

    def reload(now: float) -> None:
        world.node.reconfigure(changed, now)
        told.extend(world.node.log.take())

    world.turn(reload)
    why = "the configuration says something else of it now"
    assert ("a seat is no longer moved", {"seat": "8001", "why": why}) in told
    assert (seat(world)["queues"], seat(world)["skills"]) == (["junior"], {"typing": 3})
    settle(world)


def test_a_moved_seat_is_in_the_queue_log() -> None:
    """And so are a start and a reload."""
    town = Town(juniors=1, intermediates=0, seniors=0, leaders=1, relaxes=False)
    world, lead = led(Manner(), town)
    world.turn(world.node.start)
    lead.ask("supervisor.move_seat", {"seat": "8001", "queues": ["senior"], "level": "senior"})
    world.turn(lambda now: world.node.reconfigure(world.node.settings, now))
    log = QueueLog()
    said = [line.partition("|")[2] for row in world.rows for line in log.take(row)]
    assert [line for line in said if "AGENTLOGIN" not in line] == [
        "NONE|NONE|NONE|QUEUESTART|",
        "NONE|junior|8001|REMOVEMEMBER|",
        "NONE|senior|8001|ADDMEMBER|",
        "NONE|NONE|8001|PENALTY|2|senior",
        "NONE|NONE|NONE|CONFIGRELOAD|",
    ]
    settle(world)
