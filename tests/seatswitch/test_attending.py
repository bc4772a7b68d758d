"""A supervisor in a seat's conversation, through the whole switch: what it goes along with, what ends it, and
that nothing of it is left. Every turn of these worlds is checked (calls/supervision.py).
"""

from dataclasses import replace
from typing import Any

import pytest

from config.load import load_settings
from kernel.rows import OperationRow
from tests.simulator.call import Call
from tests.simulator.checkers import talks_to
from tests.simulator.crash import DEATHS
from tests.simulator.people import Desk, Habits
from tests.simulator.phones import BUSY, RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import settle
from tests.simulator.town import PASSWORD, Town
from tests.simulator.world import World

TALKS = Manner(answers_after=0.5)
ROUTE = '[[route]]\ntenant = "demo"\ntrunks = ["carrier"]\n'
LED = Town(juniors=1, intermediates=0, seniors=0, leaders=2, wrap_up=10.0, more=ROUTE)
TWO = replace(LED, juniors=2)


def led(town: Town = LED, leader: Manner = TALKS, **habits: Any) -> tuple[World, Desk]:
    """Every seat and both leaders are signed in; return the world and the desk of leader 8901."""
    world = World(1, town)
    for seat in town.seats:
        world.add_agent(seat, TALKS)
    world.add_agent("8902", TALKS)
    world.add_agent("8901", leader, Habits(**habits))
    world.run(3.0)
    return world, desk_of(world, "8901")


def desk_of(world: World, seat: str) -> Desk:
    desk = world.agents[seat].desk
    assert desk is not None
    return desk


def seat(world: World, number: str) -> dict[str, Any]:
    view: dict[str, Any] = world.admin.ask("seat.get", {"seat": number})
    return view


def only(world: World, number: str) -> None:
    """Let nobody but ``number`` take calls."""
    for other in world.town.seats:
        if other != number:
            world.admin.ask("seat.pause", {"seat": other, "reason": "rest"})


def talking(town: Town = LED, leader: Manner = TALKS, **habits: Any) -> tuple[World, Desk, Call]:
    """A caller talks to 8001; return the world, the leader's desk and the caller's call."""
    world, lead = led(town, leader, **habits)
    only(world, "8001")
    caller = world.trunk.dial(Errand())
    world.run(2.0)
    assert seat(world, "8001")["activity"] == "talking"
    world.admin.subscribe(["supervisor", "seat"])
    return world, lead, caller


def listening(town: Town = LED, mode: str = "monitor", **more: Any) -> tuple[World, Desk, Call]:
    """As :func:`talking`, and the leader is attached."""
    world, lead, caller = talking(town)
    lead.ask(f"supervisor.{mode}", {"seat": "8001", **more})
    world.run(1.0)
    assert seat(world, "8901")["supervising"]["attached"]
    assert "ear" in hearing(world)
    return world, lead, caller


def hearing(world: World) -> dict[str, str]:
    """Return who hears a mix of whom, as the media worker has been told: the ear, seats, and whoever else."""
    names: dict[int, str] = {}
    for call in world.node.switchboard.calls.values():
        for leg in call.legs():
            names[leg.stream] = "ear" if call.is_supervision else leg.seat or leg.number
    mixed = {name: world.workers.mixed(stream) for stream, name in names.items()}
    return {name: " ".join(sorted(names[one] for one in hears)) for name, hears in mixed.items() if hears}


def told(world: World) -> list[tuple[str, str | None]]:
    """Return what was told of the supervision, with modes and reasons."""
    news = [event["data"] for event in world.admin.events if event["topic"] == "supervisor"]
    return [(it["what"], it["reason"] or it["mode"]) for it in news if "mode" in it]


def test_the_supervisors_seat_is_busy_meanwhile_and_as_before_afterwards() -> None:
    world, lead, caller = talking()
    lead.ask("seat.pause", {"reason": "meeting"})
    lead.ask("supervisor.monitor", {"seat": "8001"})
    world.run(0.2)
    view = seat(world, "8901")
    assert (view["activity"], view["supervising"]["attached"]) == ("ringing", False)
    world.run(1.0)
    view = seat(world, "8901")
    assert (view["presence"], view["activity"], view["supervising"]["mode"]) == (
        "paused",
        "talking",
        "monitor",
    )
    assert seat(world, "8001")["supervised"]["by"] == "8901"
    why = world.admin.ask("explain.seat", {"seat": "8901"})
    assert (why["routable"], why["supervising"]["seat"]) == (False, "8001")
    world.phones["8901"].calls[0].hang_up()
    world.run(1.0)
    view = seat(world, "8901")
    assert (view["presence"], view["reason"], view["activity"]) == ("paused", "meeting", "idle")
    assert (view["supervising"], seat(world, "8001")["supervised"]) == (None, None)
    assert told(world) == [("attached", "monitor"), ("detached", "hung_up")]
    assert talks_to(world, caller.rtp, world.phones["8001"].calls[0].rtp)
    caller.hang_up()
    settle(world)
    (row,) = [row for row in world.call_rows if row.entry == "supervise:8001"]
    assert (row.verdict, row.ended_by, row.seat) == ("success", "seat", "8901")
    (done,) = [row for row in world.rows if isinstance(row, OperationRow)]
    assert (done.what, done.by, done.seat) == ("monitor", "8901", "8001")


def test_no_queue_call_is_offered_to_a_seat_that_listens() -> None:
    """8002 serves the queue and supervises: the caller waits until it does not any more."""
    more = replace(TWO, more_seat='role = "supervisor"')
    world, _, caller = talking(more)
    world.admin.ask("seat.ready", {"seat": "8002"})
    desk_of(world, "8002").ask("supervisor.monitor", {"seat": "8001"})
    second = world.trunk.dial(Errand(caller="13800000002"))
    world.run(5.0)
    assert [row.seat for row in world.offer_rows] == ["8001"]
    assert second.state == "talking"  # to the music
    desk_of(world, "8002").ask("call.hangup")
    world.run(2.0)
    assert talks_to(world, second.rtp, world.phones["8002"].calls[-1].rtp)
    for call in (caller, second):
        call.hang_up()
    settle(world)


@pytest.mark.parametrize("mode", ["monitor", "whisper", "barge"])
def test_it_stays_through_hold_and_re_invites(mode: str) -> None:
    world, _, caller = listening(mode=mode)
    before, phone = hearing(world), world.phones["8001"].calls[0]
    agent = desk_of(world, "8001")
    agent.ask("call.hold")
    world.run(1.0)
    assert hearing(world)["ear"] == "8001"
    agent.ask("call.unhold")
    world.run(1.0)
    assert hearing(world) == before
    for direction in ("sendonly", "sendrecv"):
        phone.reinvite(direction)
        world.run(1.0)
        assert hearing(world) == before
    assert told(world) == [("attached", mode)]
    caller.hang_up()
    settle(world)


def test_it_goes_along_into_a_consultation_and_back() -> None:
    world, _, caller = listening(TWO, "whisper")
    world.admin.ask("seat.ready", {"seat": "8002"})
    agent = desk_of(world, "8001")
    agent.ask("call.consult", {"to": "seat:8002"})
    world.run(0.3)
    assert hearing(world) == {"ear": "8001", "8001": "ear"}
    world.run(1.0)
    assert hearing(world) == {"ear": "8001 8002", "8001": "8002 ear"}
    agent.ask("call.consult_back")
    world.run(1.0)
    assert hearing(world) == {"ear": "13800000001 8001", "8001": "13800000001 ear"}
    agent.ask("call.consult", {"to": "seat:8002"})
    world.run(2.0)
    agent.ask("call.consult_transfer")
    world.run(1.0)
    assert told(world)[-1] == ("detached", "target_gone")
    assert talks_to(world, caller.rtp, world.phones["8002"].calls[-1].rtp)
    caller.hang_up()
    settle(world)


@pytest.mark.parametrize("follow", [False, True])
def test_a_transfer_of_the_seats_call_ends_it_unless_it_follows(follow: bool) -> None:
    world, _, caller = listening(TWO, follow=follow)
    world.admin.ask("seat.ready", {"seat": "8002"})
    desk_of(world, "8001").ask("call.transfer", {"to": "seat:8002"})
    world.run(2.0)
    assert talks_to(world, caller.rtp, world.phones["8002"].calls[-1].rtp)
    view = seat(world, "8901")
    if not follow:
        assert (view["activity"], told(world)[-1]) == ("idle", ("detached", "target_gone"))
        caller.hang_up()
        settle(world)
        return
    assert (view["activity"], view["supervising"]["call"]) == ("talking", None)
    assert (hearing(world), told(world)[-1]) == ({}, ("waiting", "monitor"))
    world.admin.ask("seat.pause", {"seat": "8002", "reason": "rest"})
    next_caller = world.trunk.dial(Errand(caller="13800000002"))
    world.run(15.0)  # 8001 wraps up, then takes it
    assert hearing(world) == {"ear": "13800000002 8001"}
    assert told(world)[-1] == ("attached", "monitor")
    world.phones["8901"].calls[0].hang_up()
    for call in (caller, next_caller):
        call.hang_up()
    settle(world)


@pytest.mark.parametrize("is_signed_out_later", [False, True])
def test_who_follows_a_seat_leaves_when_that_signs_out(is_signed_out_later: bool) -> None:
    world, lead, caller = listening(follow=True)
    if not is_signed_out_later:
        lead.ask("supervisor.force_logout", {"seat": "8001"})
        assert hearing(world) == {"ear": "13800000001 8001"}  # the conversation goes on, and so does this
    caller.hang_up()
    world.run(1.0)
    if is_signed_out_later:
        assert told(world)[-1] == ("waiting", "monitor")
        world.admin.ask("supervisor.force_logout", {"seat": "8001"})
    world.run(12.0)  # wrap-up ends first
    assert told(world)[-1] == ("detached", "target_signed_out")
    settle(world)


def test_the_caller_hangs_up_while_the_supervisors_phone_rings() -> None:
    world, lead, caller = talking(leader=RINGS_FOR_EVER)
    lead.ask("supervisor.monitor", {"seat": "8001"})
    world.run(1.0)
    caller.hang_up()
    world.run(1.0)
    assert world.phones["8901"].calls[0].why == "cancelled"
    assert told(world) == [("detached", "target_gone")]
    settle(world)
    (row,) = [row for row in world.call_rows if row.entry == "supervise:8001"]
    assert (row.verdict, row.answered_at) == ("caller:abandoned", None)


@pytest.mark.parametrize(
    ("manner", "reason", "verdict"),
    [
        (BUSY, "refused", "agent:refused"),
        (RINGS_FOR_EVER, "no_answer", "agent:no_answer"),
        (Manner(rings_after=None, answers_after=None), "no_answer", "agent:no_answer"),
    ],
)
def test_a_supervisor_who_does_not_answer(manner: Manner, reason: str, verdict: str) -> None:
    world, lead, caller = talking(leader=manner)
    lead.ask("supervisor.monitor", {"seat": "8001"})
    world.run(31.0)
    assert told(world) == [("detached", reason)]
    view = seat(world, "8901")
    assert (view["activity"], view["presence"], view["counters"]["missed"]) == ("idle", "ready", 0)
    assert hearing(world) == {}
    caller.hang_up()
    settle(world)
    assert [row.verdict for row in world.call_rows if row.entry == "supervise:8001"] == [verdict]


def test_one_supervisor_at_a_seat_and_one_seat_at_a_time() -> None:
    world, lead, caller = listening()
    other = desk_of(world, "8902")
    assert other.refusal("supervisor.barge", {"seat": "8001"}) == "TARGET_BUSY"
    assert other.refusal("supervisor.switch", {"mode": "barge", "seat": "8001"}) == "NOT_ATTACHED"
    assert other.refusal("supervisor.takeover", {"seat": "8001"}) == "NOT_ATTACHED"
    assert other.refusal("supervisor.monitor", {"seat": "8901"}) == "TARGET_NOT_TALKING"
    assert lead.refusal("supervisor.monitor", {"seat": "8001"}) == "STATUS_NOT_IDLE"
    assert desk_of(world, "8001").refusal("supervisor.monitor", {"seat": "8901"}) == "NO_RIGHT"
    caller.hang_up()
    settle(world)


@pytest.mark.parametrize("held", [False, True])
def test_a_takeover_leaves_the_caller_with_the_supervisor(held: bool) -> None:
    world, lead, caller = listening(mode="whisper")
    if held:
        desk_of(world, "8001").ask("call.hold")
        world.run(1.0)
    lead.ask("supervisor.takeover")
    world.run(1.0)
    assert world.phones["8001"].calls[0].why == "bye"
    assert talks_to(world, caller.rtp, world.phones["8901"].calls[0].rtp)
    assert hearing(world) == {}
    view = seat(world, "8001")
    assert (view["presence"], view["activity"], view["counters"]["handled"]) == ("wrapup", "idle", 1)
    assert view["counters"]["transferred"] == 0
    assert [row.cause for row in world.presence_rows if row.seat == "8001"][-1] == "taken_over"
    view = seat(world, "8901")
    assert (view["activity"], view["held"], view["supervising"]) == ("talking", False, None)
    (live,) = world.admin.ask("call.list")
    assert (live["seat"], live["state"]) == ("8901", "talking")
    assert told(world)[-1] == ("detached", "taken_over")
    caller.hang_up()
    settle(world)
    queue = next(row for row in world.call_rows if row.entry == "queue:junior")
    own = next(row for row in world.call_rows if row.entry == "supervise:8001")
    assert (queue.verdict, queue.ended_by, queue.seat) == ("success", "caller", "8001")
    assert (own.verdict, own.continued_as) == ("success:taken_over", queue.call)
    assert seat(world, "8901")["presence"] == "ready"


def test_what_is_taken_over_from_a_phones_hold_talks_again() -> None:
    world, lead, caller = listening()
    world.phones["8001"].calls[0].reinvite("sendonly")
    world.run(1.0)
    assert seat(world, "8001")["held"]
    lead.ask("supervisor.takeover")
    world.run(1.0)
    (live,) = world.admin.ask("call.list")
    assert live["state"] == "talking"
    assert talks_to(world, caller.rtp, world.phones["8901"].calls[0].rtp)
    caller.hang_up()
    settle(world)


@pytest.mark.parametrize("apart", [0.0, 0.001, 0.02, 0.05])
def test_caller_and_supervisor_act_at_the_same_moment(apart: float) -> None:
    """Whatever comes first, there is one verdict per call, and nothing is left."""
    for is_caller_first in (False, True):
        world, lead, caller = listening()
        if is_caller_first:
            caller.hang_up()
            world.run(apart)
        lead.send("supervisor.takeover")
        if not is_caller_first:
            world.run(apart)
            caller.hang_up()
        world.run(2.0)
        settle(world)
        assert len(world.call_rows) == 2
        (queue,) = [row for row in world.call_rows if row.entry == "queue:junior"]
        assert queue.verdict == "success"


def test_who_has_been_taken_over_by_the_consulted_is_not_taken_over_again() -> None:
    world, lead, caller = listening(TWO)
    world.admin.ask("seat.ready", {"seat": "8002"})
    desk_of(world, "8001").ask("call.consult", {"to": "seat:8002"})
    world.run(0.2)
    assert lead.refusal("supervisor.takeover") == "BAD_STATE"
    world.run(1.0)
    assert lead.refusal("supervisor.takeover") == "BAD_STATE"
    caller.hang_up()
    settle(world)


def test_an_extension_and_an_outside_phone_listen() -> None:
    world, lead, caller = talking()
    phone = world.add_phone("2001")
    phone.manner = TALKS
    phone.register()
    world.run(0.5)
    ext = {"kind": "extension", "number": "2001"}
    call = world.admin.ask("supervisor.monitor", {"seat": "8001", "phone": ext})["call"]
    world.run(1.0)
    assert hearing(world) == {"ear": "13800000001 8001"}
    assert seat(world, "8901")["activity"] == "idle"
    world.admin.ask("supervisor.switch", {"mode": "whisper"})
    world.admin.ask("call.hangup", {"call": call})
    world.run(1.0)
    world.trunk.manner = TALKS
    lead.ask("supervisor.monitor", {"seat": "8001", "phone": {"kind": "pstn", "number": "13900000077"}})
    world.run(1.5)
    assert hearing(world) == {"ear": "13800000001 8001"}
    assert (seat(world, "8901")["activity"], world.phones["8901"].calls) == ("talking", [])
    caller.hang_up()
    settle(world)
    rows = [(row.direction, row.called) for row in world.call_rows if row.entry == "supervise:8001"]
    assert rows == [("internal", "2001"), ("out", "13900000077")]


def test_what_a_seat_dials_is_heard_too() -> None:
    world, lead = led()
    world.trunk.manner = Manner(answers_after=3.0)
    desk_of(world, "8001").ask("call.dial", {"number": "13900000066"})
    world.run(1.5)
    assert seat(world, "8001")["activity"] == "talking"  # its own phone has answered, the customer's rings
    lead.ask("supervisor.monitor", {"seat": "8001"})
    world.run(1.0)
    assert hearing(world) == {"ear": "8001"}
    world.run(3.0)
    assert hearing(world) == {"ear": "13900000066 8001"}
    world.phones["8001"].calls[0].hang_up()
    settle(world)


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("is_attached", [False, True])
def test_a_switch_that_dies_forgets_who_listened_and_keeps_the_conversation(
    death: str, is_attached: bool
) -> None:
    world, lead, caller = talking(leader=TALKS if is_attached else RINGS_FOR_EVER)
    lead.ask("supervisor.barge", {"seat": "8001"})
    world.run(1.5)
    ear = world.phones["8901"].calls[0]
    world.kill_switch(death)
    world.phones["8902"].register()  # some deaths come in the middle of a turn
    world.run(6.0)
    assert ear.has_ended
    assert ear.why == ("bye" if is_attached else "cancelled")
    assert hearing(world) == {}
    assert talks_to(world, caller.rtp, world.phones["8001"].calls[0].rtp)
    view = seat(world, "8901")
    assert (view["activity"], view["supervising"]) == ("idle", None)
    caller.hang_up()
    settle(world)
    rows = [row.verdict for row in world.call_rows if row.entry == "supervise:8001"]
    assert rows == ["us:interrupted"]


def test_what_was_taken_over_goes_on_after_the_switch_was_killed() -> None:
    world, lead, caller = listening()
    lead.ask("supervisor.takeover")
    world.run(1.0)
    world.kill_switch()
    world.run(5.0)
    assert talks_to(world, caller.rtp, world.phones["8901"].calls[0].rtp)
    assert seat(world, "8901")["activity"] == "talking"
    caller.hang_up()
    settle(world)


def test_a_media_worker_that_dies_takes_nobodys_ear() -> None:
    world, _, caller = listening(mode="barge")
    before = hearing(world)
    assert len(before) == 3
    world.workers.crash()
    world.run(2.0)
    assert hearing(world) == before
    caller.hang_up()
    settle(world)


def test_a_reload_changes_nothing_and_a_seat_that_is_gone_is_left() -> None:
    world, _, caller = listening(follow=True)
    before = hearing(world)
    world.turn(lambda now: world.node.reconfigure(world.node.settings, now))
    assert hearing(world) == before
    text = world.town.toml().replace('number = "8001"', 'number = "8077"').replace("junior/8001", "junior")
    world.turn(lambda now: world.node.reconfigure(load_settings(text, file="town.toml"), now))
    world.run(0.5)
    assert hearing(world) == before  # its conversation goes on
    caller.hang_up()
    world.run(1.0)
    assert told(world)[-1] == ("detached", "target_signed_out")
    assert world.phones["8901"].calls[0].has_ended
    world.turn(lambda now: world.node.reconfigure(load_settings(world.town.toml(), file="t"), now))
    settle(world)


def test_a_switch_that_drains_does_not_wait_for_who_waits_for_calls() -> None:
    world, _, caller = listening(follow=True)
    world.turn(world.node.drain)
    world.run(1.0)
    assert hearing(world) == {"ear": "13800000001 8001"}
    caller.hang_up()
    world.run(1.0)
    assert world.node.is_idle()
    assert told(world)[-1] == ("detached", "target_gone")


def test_a_switch_that_drains_lets_go_of_who_waits_already() -> None:
    world, _, caller = listening(follow=True)
    caller.hang_up()
    world.run(1.0)
    assert told(world)[-1] == ("waiting", "monitor")
    world.turn(world.node.drain)
    world.run(1.0)
    assert told(world)[-1] == ("detached", "draining")
    assert world.node.is_idle()


def test_the_target_is_disconnected_or_loses_its_power() -> None:
    world, lead, _ = listening()
    lead.ask("supervisor.disconnect", {"seat": "8001"})
    world.run(1.0)
    assert told(world)[-1] == ("detached", "target_gone")
    settle(world)
    world, _, caller = listening(mode="barge")
    world.phones["8001"].vanish()
    world.run(70.0)
    assert told(world)[-1] == ("detached", "target_gone")
    assert caller.has_ended
    world.phones["8001"].restart()
    settle(world, within=300.0)


def test_a_supervisor_whose_phone_falls_silent_is_let_go() -> None:
    world, _, caller = listening()
    world.phones["8901"].vanish()
    world.run(70.0)
    assert told(world)[-1] in (("detached", "no_audio"), ("detached", "expired"))
    assert talks_to(world, caller.rtp, world.phones["8001"].calls[0].rtp)
    caller.hang_up()
    world.phones["8901"].restart()
    settle(world, within=300.0)


def test_the_leader_of_other_queues_may_not_listen() -> None:
    more = 'supervises = ["senior"]\n'
    text = LED.toml().replace('role = "supervisor"\n', f'role = "supervisor"\n{more}')
    world, lead, caller = talking()
    world.turn(lambda now: world.node.reconfigure(load_settings(text, file="town.toml"), now))
    for mode in ("monitor", "whisper", "barge"):
        assert lead.refusal(f"supervisor.{mode}", {"seat": "8001"}) == "NO_RIGHT"
    caller.hang_up()
    settle(world)


def test_a_seat_that_signs_in_anew_is_still_listened_to() -> None:
    """A second sign-in takes the seat over; neither the conversation nor the ear is touched."""
    world, _, caller = listening()
    desk = Desk(world, world.next_desk())
    params = {"hotline": "96198", "seat": "8001", "password": PASSWORD}
    desk.ask("session.login", params)
    world.run(1.0)
    assert hearing(world) == {"ear": "13800000001 8001"}
    caller.hang_up()
    settle(world)


def test_both_sides_of_a_call_have_a_supervisor_and_one_leaves() -> None:
    """Swarm seed 1156: the ear at one seat takes nothing from the ear at the other."""
    world, lead = led(TWO)
    world.phones["8001"].invite("8002")
    world.run(2.0)
    lead.ask("supervisor.barge", {"seat": "8001"})
    other = desk_of(world, "8902")
    other.ask("supervisor.whisper", {"seat": "8002"})
    world.run(1.5)
    streams = {call.entry: leg.stream for call in living(world) for leg in call.legs() if call.is_supervision}
    first, second = streams["supervise:8001"], streams["supervise:8002"]
    seats = {leg.seat: leg.stream for call in living(world) for leg in call.legs() if not call.is_supervision}
    one, two = seats["8001"], seats["8002"]
    mixed = world.workers.mixed
    assert (mixed(first), mixed(second)) == (sorted((one, two)), sorted((one, two)))
    assert (mixed(one), mixed(two)) == (sorted((two, first)), sorted((one, first, second)))
    other.ask("call.hangup")
    world.run(1.0)
    assert (mixed(one), mixed(two)) == (sorted((two, first)), sorted((one, first)))
    world.phones["8001"].calls[0].hang_up()
    settle(world)


def living(world: World) -> list[Any]:
    return list(world.node.switchboard.calls.values())
