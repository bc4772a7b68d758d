"""Busy lamps: what a colleague's phone shows of a seat, through the whole switch (RFC 4235)."""

from dataclasses import replace

from tests.simulator.phones import RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import ONE_SEAT, settle, staffed
from tests.simulator.world import World

TALKS = Manner(answers_after=2.0)
TOWN = replace(ONE_SEAT, extensions=2, wrap_up=10.0)


def watched(watcher: str = "2001") -> World:
    """An extension watches seat 8001."""
    world = staffed(TALKS, TOWN)
    world.add_phone(watcher).register()
    world.run(1.0)
    world.phones[watcher].watch("8001")
    world.run(1.0)
    return world


def test_a_seats_lamp_through_a_queue_call() -> None:
    """Ringing, talking, on hold, wrap-up, dark: one NOTIFY each."""
    world = watched()
    lamps = world.phones["2001"].lamps
    caller = world.trunk.dial(Errand())
    world.run(4.0)
    desk = world.agents["8001"].desk
    assert desk is not None
    desk.ask("call.hold")
    world.run(1.0)
    desk.ask("call.unhold")
    world.run(1.0)
    caller.hang_up()
    world.run(1.0)
    assert lamps == [
        "terminated",
        "early recipient",
        "confirmed",
        "confirmed",  # on hold: rendering "no"
        "confirmed",
        "confirmed wrapup",
    ]
    world.run(15.0)
    assert lamps[6:] == ["terminated"]
    settle(world)


def test_a_paused_seat_says_so() -> None:
    world = watched()
    lamps = world.phones["2001"].lamps
    world.admin.ask("seat.pause", {"seat": "8001", "reason": "rest"})
    world.run(1.0)
    world.admin.ask("seat.ready", {"seat": "8001"})
    world.run(1.0)
    assert lamps == ["terminated", "confirmed rest", "terminated"]
    settle(world)


def test_an_offer_that_is_missed_goes_dark_again() -> None:
    world = watched()
    world.phones["8001"].manner = RINGS_FOR_EVER
    caller = world.trunk.dial(Errand())
    world.run(30.0)
    lamps = world.phones["2001"].lamps
    assert lamps[:3] == ["terminated", "early recipient", "terminated"]
    caller.hang_up()
    settle(world)


def test_nobody_is_told_what_nobody_watches() -> None:
    """No NOTIFY, and nothing is noted of lamps."""
    world = staffed(TALKS, TOWN)
    caller = world.trunk.dial(Errand())
    world.run(4.0)
    assert world.node.switchboard.lines.count() == 1
    assert world.node.switchboard.lines.changed == {}
    caller.hang_up()
    settle(world)
    assert world.node.switchboard.lines.count() == 0
