"""What callers go through: callbacks, announcements that block, holds without end, empty queues (3.5)."""

import pytest

from acd.inputs import CallbackBooked, CallbackChosen, CallJoined
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName
from queues.settings import CallbackSettings, EntrySettings
from tests.acd.conftest import Floor, Kit
from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import Town
from tests.simulator.world import World


def promise(floor: Floor, number: str, call: str = "") -> None:
    floor.do(CallbackBooked(call or f"cb{number}", QueueName("junior"), number))


def test_a_callback_keeps_the_place_of_its_caller(kit: Kit) -> None:
    """FusionPBX #1322, PR #6515, FreePBX #525, #621, NethServer #7566, cloudspire #46: callbacks lose the
    place, or jump the queue. Those on the line and those at home are served in one order.
    """
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    for call in ("a", "b", "c"):
        floor.do(joined(call))
        floor.after(1.0)
    floor.do(CallbackChosen(CallId("b")))
    floor.after(60.0)
    floor.do(joined("d"))
    floor.sign_in("8001")
    served = []
    for _ in range(4):
        (call,) = floor.ringing()
        served.append(call.partition("-")[0])
        floor.answer("8001")
        floor.end_talk("8001")
    assert served == ["a", "b", "c", "d"]


def joined(call: str) -> CallJoined:
    return CallJoined(CallId(call), QueueName("junior"), f"1380000000{ord(call) - 97}")


def test_there_are_never_more_callbacks_due_than_seats_can_serve(kit: Kit) -> None:
    """FreePBX #621: more callbacks are dialled than there are agents."""
    floor = kit.floor((kit.queue(callback=CallbackSettings(per_seat=2.0)),), (kit.seat("8001"),))
    floor.sign_in("8001", presence="paused", reason="rest")
    promise(floor, "13800000001")
    promise(floor, "13800000002")
    with pytest.raises(OperationRefused, match="CALLBACKS_FULL"):
        promise(floor, "13800000003")


def test_one_promise_per_number_and_queue(kit: Kit) -> None:
    """FreePBX #621: duplicates of one customer. A caller who rings in again takes its callback over."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    promise(floor, "13800000000")
    with pytest.raises(OperationRefused, match="ALREADY_BOOKED"):
        promise(floor, "13800000000", "other")
    floor.after(30.0)
    floor.do(joined("a"))
    assert list(floor.engine.callbacks.views(floor.now)) == []
    assert [call.call for call in floor.engine.queues[QueueName("junior")].waiting.values()] == ["a"]


def test_the_number_is_kept_when_the_caller_hangs_up(kit: Kit) -> None:
    """service-cloud-voice #17: the number vanishes with the call."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.do(joined("a"))
    floor.do(CallbackChosen(CallId("a"), "13911112222"))
    floor.leave("a")
    (view,) = floor.engine.callbacks.views(floor.now)
    assert view["number"] == "13911112222"


def test_a_welcome_never_delays_the_answer() -> None:
    """freeswitch #1148, #1170, ASTERISK-27216: an announcement is played to its end before the agent is
    connected. Who is answered within the welcome is joined at once.
    """
    world = staffed(Manner(answers_after=0.5))
    caller = world.trunk.dial(Errand())
    world.run(0.3)
    assert world.workers.is_playing(caller.rtp)
    world.run(0.5)
    assert world.workers.are_joined(caller.rtp, world.phones["8001"].calls[0].rtp)
    assert not world.workers.is_playing(caller.rtp)
    caller.hang_up()
    settle(world)


def test_the_first_in_line_hears_music_while_a_seat_rings() -> None:
    """asterisk #1568, #1569, #1826, kazoo #1329: the head of the queue hears nothing, or is kept out of
    matching while it hears something.
    """
    world = staffed(Manner(answers_after=None))
    caller = world.trunk.dial(Errand(hangs_up_after=20.0))
    world.run(10.0)
    assert world.phones["8001"].calls[0].state == "ringing"
    assert world.workers.is_playing(caller.rtp)
    world.run(15.0)
    settle(world)


def test_a_refusal_during_the_welcome_leaves_the_caller_waiting() -> None:
    """FS-9689: a caller is stuck if the agent rejects during the announcement."""
    world = staffed(Manner(answers_after=0.2, refuses=486))
    caller = world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(1.0)
    world.phones["8001"].manner = Manner(answers_after=1.0, talks_for=2.0)
    world.run(20.0)
    assert caller.why == "bye"
    assert [row.outcome for row in world.offer_rows] == ["refused", "answered"]
    settle(world)


def test_a_hold_without_end_ends() -> None:
    """freeswitch #1140: a caller is forgotten on hold."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    world.phones["8001"].calls[0].reinvite("sendonly")
    world.run(1.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["held"]
    world.run(1801.0)
    assert caller.why == "bye"
    settle(world)


def test_a_hold_button_without_the_phone() -> None:
    """Issabel PR #59: a hold button at the desk. call.hold and call.unhold work whatever the phone can do."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    desk = world.agents["8001"].desk
    assert desk is not None
    desk.ask("call.hold")
    world.run(1.0)
    assert world.workers.is_playing(caller.rtp)
    desk.ask("call.unhold")
    world.run(1.0)
    assert world.workers.are_joined(caller.rtp, world.phones["8001"].calls[0].rtp)
    caller.hang_up()
    settle(world)


def test_who_waits_where_nobody_is_leaves_after_a_while(kit: Kit) -> None:
    """kazoo #1334, ASTERISK-29043: callers wait in a queue without agents, and leaving it is not counted."""
    entry = EntrySettings(max_wait_empty=20.0)
    floor = kit.floor((kit.queue(entry=entry),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.pause("8001")
    floor.join("x")
    floor.at(10.0)
    floor.sign_out("8001")
    floor.at(30.0)
    (row,) = floor.visits()
    assert (row.outcome, row.cause) == ("timed_out", "empty")


def test_a_key_takes_a_waiting_caller_out() -> None:
    """FreePBX core#136: a way out of waiting. The queue's callback key lets a caller go with the place
    kept.
    """
    world = World(1, Town(juniors=1, intermediates=0, seniors=0, callback='callback = {key = "1"}'))
    caller = world.trunk.dial(Errand())
    world.run(2.0)
    leg = next(iter(world.node.switchboard.calls.values())).caller_leg
    world.turn(lambda now: world.node.switchboard.keys.pressed(leg, "1", now))
    world.turn(world.node.settle)
    world.run(1.0)
    assert caller.why == "bye"
    assert [row.outcome for row in world.visit_rows] == ["callback"]
    (view,) = world.admin.ask("callback.list", {})
    world.admin.ask("callback.cancel", {"callback": view["callback"]})
    settle(world)
