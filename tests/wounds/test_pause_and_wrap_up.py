"""Pause, missed offers and wrap-up that nobody sees or can end (anchors 3.4)."""

import pytest

from acd.inputs import PauseAsked, ReadyAsked, WrapUpEnded, WrapUpExtended
from kernel.ids import SeatId
from tests.acd.conftest import Floor, Kit
from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import settle, staffed

SEAT = SeatId("8001")


@pytest.fixture
def floor(kit: Kit) -> Floor:
    """One seat in wrap-up of 30 s since the moment 0."""
    it = kit.floor((kit.queue(),), (kit.seat("8001"),), wrap_up=30.0)
    it.sign_in("8001")
    it.join("x")
    it.answer("8001")
    it.end_talk("8001")
    return it


def test_wrap_up_is_a_state_with_an_end(floor: Floor) -> None:
    """asterisk #1377, qpanel #39, #280: wrap-up looks like a pause, or like ready, and its end is nowhere."""
    view = floor.engine.seat_object(SEAT, 10.0)
    assert (view["presence"], view["reason"], view["wrapup_left"]) == ("wrapup", "", 20.0)
    assert floor.presences("8001")[-1].presence == "wrapup"


def test_wrap_up_is_ended_early(floor: Floor) -> None:
    """kazoo #4516, cloudspire #51: an agent who is done cannot say so."""
    floor.at(5.0)
    floor.do(WrapUpEnded(SEAT))
    assert floor.state("8001") == "ready idle"
    assert floor.refused(WrapUpEnded(SEAT)) == "BAD_STATE"


def test_wrap_up_is_extended(floor: Floor) -> None:
    """cloudspire #51: and one who is not done cannot stay."""
    floor.at(20.0)
    floor.do(WrapUpExtended(SEAT, 60.0))
    floor.at(89.9)
    assert floor.state("8001") == "wrapup idle"
    floor.at(90.0)
    assert floor.state("8001") == "ready idle"


def test_a_pause_out_of_wrap_up(floor: Floor) -> None:
    """kazoo #1331: whoever asks for a pause in wrap-up gets a call first."""
    floor.at(5.0)
    floor.join("y")
    floor.pause("8001", "meeting")
    floor.at(60.0)
    assert (floor.state("8001"), floor.ringing()) == ("paused idle", {})


def test_who_signs_in_paused_is_offered_nothing(kit: Kit) -> None:
    """asterisk #1007, #1008: a member cannot be added paused, and is rung before it can pause."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.join("x")
    floor.sign_in("8001", presence="paused", reason="rest")
    assert (floor.state("8001"), floor.rings()) == ("paused idle", [])
    assert floor.presences("8001")[-1].reason == "rest"


def test_the_end_of_a_pause_is_told_with_its_moment(kit: Kit) -> None:
    """asterisk #1021, #1022, #395: the reason is missing when a pause ends. Its length is the next row's
    moment.
    """
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.at(10.0)
    floor.pause("8001", "rest")
    floor.at(70.0)
    floor.ready("8001")
    begun, ended = floor.presences("8001")[-2:]
    assert (begun.presence, begun.reason, ended.presence) == ("paused", "rest", "ready")
    assert ended.at - begun.at == 60.0


def test_another_reason_is_another_row(kit: Kit) -> None:
    """FreePBX #912, ASTERISK-27541: a change of the reason is not logged, the last pause is wrong."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.pause("8001", "rest")
    floor.at(30.0)
    floor.pause("8001", "meeting")
    assert [(row.presence, row.reason) for row in floor.presences("8001")[-2:]] == [
        ("paused", "rest"),
        ("paused", "meeting"),
    ]
    assert floor.engine.seat_object(SEAT, 31.0)["reason"] == "meeting"


def test_pause_reason_and_since_when_in_every_view(kit: Kit) -> None:
    """qpanel #20, #177, asterisk #66, #67, #1760, #1767: neither reason nor since when are shown or kept."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.at(10.0)
    floor.pause("8001", "rest")
    view = floor.engine.seat_object(SEAT, 40.0)
    assert (view["presence"], view["reason"]) == ("paused", "rest")
    assert view["since"] == floor.walltime.text(10.0)
    kept = floor.states("8001")[-1]
    assert (kept.presence, kept.reason, kept.since) == ("paused", "rest", floor.walltime.epoch(10.0))


def test_pause_and_its_beginning_survive_a_kill() -> None:
    """asterisk #66, wazo calld #184: after a restart an agent is stuck in a pause, or its time is gone."""
    world = staffed()
    agent = world.agents["8001"]
    assert agent.desk is not None
    agent.desk.ask("seat.pause", {"reason": "rest"})
    before = world.admin.ask("seat.get", {"seat": "8001"})
    world.run(5.0)
    world.restart_switch()
    after = world.admin.ask("seat.get", {"seat": "8001"})
    same = ("presence", "reason", "since")
    assert [after[key] for key in same] == [before[key] for key in same]
    world.run(21.0)  # the desk is back by then
    assert agent.desk.ask("seat.ready")["presence"] == "ready"


def test_a_seat_is_paused_after_so_many_misses_in_a_row_and_not_after_the_first(kit: Kit) -> None:
    """FreePBX #816: auto-pause at the first unanswered ring only, and not counted across queues."""
    names = ("a", "b")
    floor = kit.floor(
        tuple(kit.queue(name, pair_back_off=1.0) for name in names), (kit.seat("8001", 0, names),)
    )
    floor.sign_in("8001")
    floor.join("x", "a")
    floor.at(25.0)
    assert floor.state("8001") == "ready idle"
    floor.leave("x")
    floor.join("y", "b")
    floor.at(51.0)
    assert floor.state("8001") == "paused idle"
    assert floor.presences("8001")[-1].reason == "no_answer"


def test_a_busy_seat_is_not_paused_for_calls_it_could_not_have(kit: Kit) -> None:
    """Asterisk's ringinuse_and_pause: a busy member is not called, and not paused for it."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("x")
    floor.answer("8001")
    for number in range(5):
        floor.join(f"c{number}")
        floor.after(30.0)
    assert floor.rings() == [("x", "8001")]
    floor.end_talk("8001")
    assert floor.state("8001") == "ready reserved"


def test_a_forced_pause_is_lifted_by_a_supervisor_alone(kit: Kit) -> None:
    """Issabel: an agent undoes what a supervisor has said."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.do(PauseAsked(SEAT, "meeting", forced=True))
    assert floor.refused(ReadyAsked(SEAT)) == "FORCED_PAUSE"
    floor.do(ReadyAsked(SEAT, forced=True))
    assert floor.state("8001") == "ready idle"


def test_a_desk_that_is_gone_for_a_minute_leaves_no_stale_seat() -> None:
    """Issabel changelog: agents stay signed in after their connection is lost. Here for 60 s, to be
    resumed.
    """
    world = staffed(Manner(answers_after=1.0))
    agent = world.agents["8001"]
    assert agent.desk is not None
    agent.desk.close()
    world.run(59.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "ready"
    world.run(2.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "offline"
    caller = world.trunk.dial(Errand(hangs_up_after=2.0))
    world.run(5.0)
    assert caller.has_ended
    settle(world)
