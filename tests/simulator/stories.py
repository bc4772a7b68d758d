"""How stories begin and end: a staffed switch at the start, nothing left at the end."""

from tests.simulator.checkers import check_quiet, check_rows
from tests.simulator.people import Habits
from tests.simulator.phones import Manner
from tests.simulator.town import Town
from tests.simulator.world import World

ONE_SEAT = Town(juniors=1, intermediates=0, seniors=0)


def staffed(manner: Manner | None = None, town: Town = ONE_SEAT, habits: Habits | None = None) -> World:
    """A world whose seats are all signed in and ready, three seconds old."""
    world = World(1, town)
    for seat in town.seats:
        world.add_agent(seat, manner, habits)
    world.run(3.0)
    for seat in town.seats:
        view = world.admin.ask("seat.get", {"seat": seat})
        assert (view["presence"], view["activity"]) == ("ready", "idle")
    return world


def settle(world: World, within: float = 120.0) -> None:
    """Let the world fall quiet, and ask every question there is."""
    until = world.time.now + within
    while (left := check_quiet(world)) and world.step(until):
        pass
    assert not left, f"not quiet within {within:g} s: {left}"
    check_rows(world)
    assert world.complaints == []
