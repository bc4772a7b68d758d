"""Seats whose phones stay on the line, through the whole switch: one call of the phone for a whole shift."""

from typing import Any

from tests.simulator.checkers import talks_to
from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import settle
from tests.simulator.town import Town
from tests.simulator.world import World

OPEN = Town(juniors=1, intermediates=0, seniors=0, leaders=1, wrap_up=0.0, more_seat='standing = "auto"')
ANSWERS = Manner(answers_after=1.0)


def seat(world: World, number: str = "8001") -> dict[str, Any]:
    view: dict[str, Any] = world.admin.ask("seat.get", {"seat": number})
    return view


def state(world: World) -> str:
    view = seat(world)
    return f"{view['presence']} {view['activity']}"


def staffed(manner: Manner = ANSWERS) -> World:
    world = World(1, OPEN)
    world.add_agent("8001", manner)
    world.run(5.0)
    return world


def sign_out(world: World) -> None:
    world.admin.ask("supervisor.force_logout", {"seat": "8001"})
    world.run(1.0)
    settle(world)


def test_a_shift_is_one_call_of_the_phone() -> None:
    world = staffed()
    assert state(world) == "ready idle"
    assert world.admin.ask("call.list") == []
    (line,) = world.phones["8001"].calls
    for number in range(3):
        caller = world.trunk.dial(Errand(caller=f"1380000000{number}"))
        world.run(4.0)
        assert talks_to(world, caller.rtp, line.rtp)
        assert state(world) == "ready talking"
        caller.hang_up()
        world.run(1.0)
        assert state(world) == "ready idle"
    assert len(world.phones["8001"].calls) == 1
    assert [row.outcome for row in world.visit_rows] == ["answered"] * 3
    sign_out(world)
    assert line.why == "bye"
    row = world.call_rows[-1]
    assert (row.entry, row.verdict, row.seat) == ("standing:8001", "success", "8001")
    assert len(world.call_rows) == 4


def test_a_phone_that_hangs_up_is_out_of_reach_until_it_is_on_the_line_again() -> None:
    world = staffed()
    world.phones["8001"].calls[0].hang_up()
    world.run(0.5)
    assert state(world) == "ready unreachable"
    caller = world.trunk.dial(Errand())
    world.run(1.0)
    assert world.offer_rows == []
    world.run(6.0)
    assert len(world.phones["8001"].calls) == 2
    assert talks_to(world, caller.rtp, world.phones["8001"].calls[1].rtp)
    caller.hang_up()
    world.run(1.0)
    sign_out(world)


def test_a_kill_between_calls_lets_the_phone_go_and_calls_it_again() -> None:
    world = staffed()
    first = world.phones["8001"].calls[0]
    world.restart_switch()
    world.run(10.0)
    assert first.has_ended
    assert state(world) == "ready idle"
    assert not world.phones["8001"].calls[-1].has_ended
    caller = world.trunk.dial(Errand())
    world.run(4.0)
    assert talks_to(world, caller.rtp, world.phones["8001"].calls[-1].rtp)
    caller.hang_up()
    world.run(1.0)
    sign_out(world)


def test_a_kill_in_a_talk_keeps_that_and_calls_the_phone_again_after_it() -> None:
    world = staffed()
    caller = world.trunk.dial(Errand())
    world.run(4.0)
    first = world.phones["8001"].calls[0]
    world.restart_switch()
    world.run(10.0)
    assert talks_to(world, caller.rtp, first.rtp)
    assert state(world) == "ready talking"
    caller.hang_up()
    world.run(0.5)
    assert first.has_ended
    world.run(5.0)
    assert state(world) == "ready idle"
    assert len([call for call in world.phones["8001"].calls if not call.has_ended]) == 1
    sign_out(world)


def test_a_draining_switch_lets_the_phones_go() -> None:
    world = staffed()
    world.turn(world.node.drain)
    world.run(1.0)
    assert world.phones["8001"].calls[0].why == "bye"
    assert world.node.is_idle()
    sign_out(world)


def test_a_leader_listens_on_the_line_of_a_seat() -> None:
    world = staffed()
    world.add_agent("8901", ANSWERS)
    world.run(3.0)
    caller = world.trunk.dial(Errand())
    world.run(4.0)
    lead = world.agents["8901"].desk
    assert lead is not None
    lead.ask("supervisor.monitor", {"seat": "8001"})
    world.run(3.0)
    assert seat(world)["supervised"]["attached"] is True
    caller.hang_up()
    world.run(2.0)
    assert state(world) == "ready idle"
    assert len(world.phones["8001"].calls) == 1
    sign_out(world)


def test_a_caller_who_is_handed_on_leaves_the_phone_on_its_line() -> None:
    world = staffed()
    phone = world.add_phone("2001")
    phone.manner = ANSWERS
    phone.register()
    world.run(1.0)
    caller = world.trunk.dial(Errand())
    world.run(4.0)
    desk = world.agents["8001"].desk
    assert desk is not None
    desk.ask("call.transfer", {"to": "extension:2001"})
    world.run(3.0)
    assert talks_to(world, caller.rtp, phone.calls[0].rtp)
    assert state(world) == "ready idle"
    assert not world.phones["8001"].calls[0].has_ended
    caller.hang_up()
    world.run(1.0)
    sign_out(world)
