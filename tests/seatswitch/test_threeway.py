"""Talks of three (咨询三方), through the whole switch: who hears whom, and who is left when one goes."""

from typing import Any

import pytest

from tests.seatswitch.test_attending import TWO as LED_TWO
from tests.seatswitch.test_attending import hearing, listening
from tests.seatswitch.test_desk import TALKS, TWO, back, consulting, desk_of, seat, talking
from tests.simulator.checkers import talks_to
from tests.simulator.people import Desk
from tests.simulator.phones import RINGS_FOR_EVER
from tests.simulator.stories import settle
from tests.simulator.world import World


def joined() -> tuple[World, Desk, Any, Any, Any]:
    """The caller, seat 8001 and seat 8002 talk as three: their phones' calls, the world and 8001's desk."""
    world, desk, caller, phone = consulting()
    desk.ask("call.consult_join")
    world.run(1.0)
    return world, desk, caller, phone, world.phones["8002"].calls[0]


def hears(world: World, listener: Any) -> list[Any]:
    """Return the ports of those whom a phone's call hears in a mix, sorted."""
    stream = world.workers.stream_of(listener.rtp)
    assert stream is not None
    numbers = [
        number
        for worker in world.workers.workers.values()
        for number, one in worker.streams.items()
        if one is stream
    ]
    found = [world.workers.find(number) for number in world.workers.mixed(numbers[0])]
    return sorted(one.address for one in found if one is not None)


def is_threeway(world: World, *calls: Any) -> bool:
    """Return whether each hears all the others."""
    return all(hears(world, one) == sorted(other.rtp for other in calls if other is not one) for one in calls)


def first(world: World) -> dict[str, Any]:
    """Return the caller's call."""
    view: dict[str, Any] = next(view for view in world.admin.ask("call.list") if view["direction"] == "in")
    return view


def test_all_three_hear_each_other() -> None:
    world, desk, caller, phone = consulting()
    other = world.phones["8002"].calls[0]
    assert {view["consult"] for view in world.admin.ask("call.list")} == {"talking"}
    desk.subscribe(["call"])
    desk.ask("call.consult_join")
    world.run(1.0)
    assert is_threeway(world, caller, phone, other)
    assert not world.workers.is_playing(caller.rtp)
    assert talks_to(world, caller.rtp, phone.rtp)  # beneath the mixes, and after them
    views = world.admin.ask("call.list")
    assert {(view["state"], view["consult"]) for view in views} == {("threeway", "threeway")}
    assert (seat(world)["held"], seat(world)["activity"]) == (False, "talking")
    assert seat(world, "8002")["activity"] == "talking"
    states = [event["data"].get("state") for event in desk.events if event["topic"] == "call"]
    assert "threeway" in states
    assert world.node.plane.snapshot()["mixes"] == 3
    caller.hang_up()
    settle(world)


def test_when_three_can_talk_and_what_they_cannot_do() -> None:
    world, desk, caller, _ = consulting(RINGS_FOR_EVER)
    assert first(world)["consult"] == "ringing"
    assert desk.refusal("call.consult_join") == "NO_CONSULT"
    desk.ask("call.consult_cancel")
    assert desk.refusal("call.consult_join") == "NO_CONSULT"
    caller.hang_up()
    settle(world)
    world, desk, caller, _, _ = joined()
    assert desk.refusal("call.consult_join") == "NO_CONSULT"
    assert desk.refusal("call.consult_cancel") == "NO_CONSULT"
    assert desk.refusal("call.hold") == "BAD_STATE"
    assert desk.refusal("call.unhold") == "NOT_HELD"
    assert desk.refusal("call.consult", {"to": "2001"}) == "BAD_STATE"
    assert desk.refusal("call.transfer", {"to": "2001"}) == "BAD_STATE"
    assert desk_of(world, "8002").refusal("call.consult_back") == "NO_CONSULT"
    caller.hang_up()
    settle(world)


def test_a_consultation_is_its_seats_and_nobody_elses() -> None:
    """A seat that is asked about one call ends no consultation about another's."""
    world, _, caller, _ = consulting()
    call = first(world)["call"]
    stranger = desk_of(world, "8002")
    for method in ("consult_back", "consult_transfer", "consult_join"):
        assert stranger.refusal(f"call.{method}", {"call": call}) == "NOT_IN_CALL"
    caller.hang_up()
    settle(world)


def test_back_to_the_caller_alone() -> None:
    world, desk, caller, phone, other = joined()
    desk.ask("call.consult_back")
    world.run(1.0)
    assert (other.why, seat(world, "8002")["activity"]) == ("bye", "idle")
    assert talks_to(world, caller.rtp, phone.rtp)
    assert hears(world, caller) == hears(world, phone) == []
    assert (first(world)["state"], first(world)["consult"]) == ("talking", None)
    assert world.node.plane.snapshot()["mixes"] == 0
    desk.ask("call.hold")  # all is as before
    desk.ask("call.unhold")
    caller.hang_up()
    settle(world)


@pytest.mark.parametrize("how", ["phone", "desk", "transfer"])
def test_the_seat_leaves_and_the_caller_stays_with_whom_was_consulted(how: str) -> None:
    world, desk, caller, phone, other = joined()
    call = first(world)["call"]
    if how == "phone":
        phone.hang_up()
    else:
        desk.ask("call.hangup" if how == "desk" else "call.consult_transfer")
    world.run(1.0)
    assert talks_to(world, caller.rtp, other.rtp)
    assert hears(world, caller) == hears(world, other) == []
    assert phone.has_ended
    assert not other.has_ended
    assert seat(world)["activity"] == "idle"
    assert (seat(world, "8002")["activity"], seat(world, "8002")["call"]) == ("talking", call)
    assert [(view["call"], view["state"]) for view in world.admin.ask("call.list")] == [(call, "talking")]
    other.hang_up()
    world.run(1.0)
    assert caller.why == "bye"
    settle(world)
    rows = {row.call: row for row in world.call_rows}
    assert rows.pop(call).verdict == "success"
    (consult,) = rows.values()
    assert (consult.verdict, consult.continued_as) == ("success:transferred", call)


@pytest.mark.parametrize("how", ["phone", "desk"])
def test_who_was_consulted_leaves_and_the_two_talk_on(how: str) -> None:
    world, _, caller, phone, other = joined()
    if how == "phone":
        other.hang_up()
    else:
        desk_of(world, "8002").ask("call.hangup")
    world.run(1.0)
    assert other.has_ended
    assert talks_to(world, caller.rtp, phone.rtp)
    assert hears(world, caller) == hears(world, phone) == []
    assert first(world)["state"] == "talking"
    caller.hang_up()
    settle(world)


def test_the_caller_ends_all() -> None:
    world, _, caller, phone, other = joined()
    caller.hang_up()
    world.run(1.0)
    assert (phone.why, other.why) == ("bye", "bye")
    assert (seat(world)["activity"], seat(world, "8002")["activity"]) == ("idle", "idle")
    settle(world)
    assert world.node.plane.snapshot()["mixes"] == 0


def test_a_supervisor_ends_all() -> None:
    world, _, caller, phone, other = joined()
    world.admin.ask("call.hangup", {"call": first(world)["call"]})
    world.run(1.0)
    assert [one.why for one in (caller, phone, other)] == ["bye"] * 3
    settle(world)


def test_a_muted_seat_is_heard_by_neither_and_hears_both() -> None:
    world, desk, caller, phone, other = joined()
    desk.ask("call.mute")
    world.run(1.0)
    assert hears(world, caller) == [other.rtp]
    assert hears(world, other) == [caller.rtp]
    assert hears(world, phone) == sorted([caller.rtp, other.rtp])
    assert not world.workers.is_playing(caller.rtp)
    desk.ask("call.unmute")
    world.run(1.0)
    assert is_threeway(world, caller, phone, other)
    desk.ask("call.mute")
    desk.ask("call.consult_back")
    world.run(1.0)
    assert world.workers.playing(_number(world, caller)) == ("builtin:silence",)
    caller.hang_up()
    settle(world)


def test_a_seat_that_was_muted_before_is_muted_in_a_talk_of_three() -> None:
    world, desk, caller, phone = consulting()
    desk.ask("call.mute")
    desk.ask("call.consult_join")
    world.run(1.0)
    other = world.phones["8002"].calls[0]
    assert hears(world, caller) == [other.rtp]
    assert not world.workers.is_playing(caller.rtp)
    assert hears(world, phone) == sorted([caller.rtp, other.rtp])
    caller.hang_up()
    settle(world)


def _number(world: World, call: Any) -> int:
    stream = world.workers.stream_of(call.rtp)
    return next(
        number
        for worker in world.workers.workers.values()
        for number, one in worker.streams.items()
        if one is stream
    )


@pytest.mark.parametrize("who", ["caller", "phone", "other"])
def test_a_phone_that_holds_is_out_and_the_others_talk_on(who: str) -> None:
    """No other phone is told; when it resumes all three hear each other again."""
    world, desk, caller, phone, other = joined()
    holder = {"caller": caller, "phone": phone, "other": other}[who]
    holder.reinvite("sendonly")
    world.run(1.0)
    assert is_threeway(world, caller, phone, other)
    stream = world.workers.stream_of(holder.rtp)
    assert stream is not None
    assert not stream.remote.receives  # the worker sends it nothing
    assert first(world)["state"] == "threeway"
    assert seat(world)["held"] is False
    holder.reinvite("sendrecv")
    world.run(1.0)
    assert stream.remote.receives
    desk.ask("call.consult_back")
    world.run(1.0)
    assert talks_to(world, caller.rtp, phone.rtp)
    caller.hang_up()
    settle(world)


def test_a_phone_that_holds_when_the_talk_of_three_ends_is_on_hold() -> None:
    world, desk, caller, phone, _ = joined()
    phone.reinvite("sendonly")
    world.run(1.0)
    desk.ask("call.consult_back")
    world.run(1.0)
    assert (seat(world)["held"], first(world)["state"]) == (True, "held")
    phone.reinvite("sendrecv")
    world.run(1.0)
    assert (seat(world)["held"], first(world)["state"]) == (False, "talking")
    assert talks_to(world, caller.rtp, phone.rtp)
    caller.hang_up()
    settle(world)


def keys(world: World, *calls: Any) -> list[str]:
    """Return the keys that went as events to each."""
    return [world.workers.find(_number(world, call)).keys for call in calls]


def test_keys_from_the_desk_reach_who_hears_the_seat() -> None:
    """While it consults that is the third party, and not who is on hold; of three it is both others."""
    world, desk, caller, phone = consulting()
    other = world.phones["8002"].calls[0]
    desk.ask("call.dtmf", {"digits": "1"})
    world.run(1.0)
    assert keys(world, caller, phone, other) == ["", "", "1"]
    desk.ask("call.consult_join")
    desk.ask("call.dtmf", {"digits": "23"})
    world.run(1.0)
    assert keys(world, caller, phone, other) == ["23", "", "123"]
    caller.hang_up()
    settle(world)


def test_nobody_hears_keys_while_who_is_consulted_rings() -> None:
    world, desk, caller, _ = consulting(RINGS_FOR_EVER)
    assert desk.refusal("call.dtmf", {"digits": "1"}) == "NO_BRIDGE"
    caller.hang_up()
    settle(world)


def test_a_number_outside_is_joined_and_left_with_the_caller() -> None:
    world, desk, caller, phone = talking()
    desk.ask("call.consult", {"to": "13900000077"})
    world.run(4.0)
    desk.ask("call.consult_join")
    world.run(1.0)
    outside = world.trunk.calls[-1]
    assert is_threeway(world, caller, phone, outside)
    phone.hang_up()
    world.run(1.0)
    assert talks_to(world, caller.rtp, outside.rtp)
    outside.hang_up()
    world.run(1.0)
    assert caller.why == "bye"
    settle(world)


def test_the_seat_that_has_dialled_joins_a_third() -> None:
    """Here the seat's leg is the calling one; the customer stays with whom was consulted."""
    world, _, caller, _ = talking(TWO)
    caller.hang_up()
    world.run(1.0)
    back(world, "8002")
    world.phones["8002"].manner = TALKS
    desk = desk_of(world)
    desk.ask("call.dial", {"number": "13900000066"})
    world.run(5.0)
    customer = world.trunk.calls[-1]
    phone = world.phones["8001"].calls[-1]
    assert talks_to(world, phone.rtp, customer.rtp)
    desk.ask("call.consult", {"to": "8002"})
    world.run(3.0)
    desk.ask("call.consult_join")
    world.run(1.0)
    other = world.phones["8002"].calls[-1]
    assert is_threeway(world, customer, phone, other)
    phone.hang_up()
    world.run(1.0)
    assert talks_to(world, customer.rtp, other.rtp)
    customer.hang_up()
    settle(world)


def test_who_called_the_seat_from_inside_ends_all_by_hanging_up_at_its_desk() -> None:
    """Only the seat that consulted leaves two others behind."""
    world, _, caller, _ = talking(TWO)
    caller.hang_up()
    world.run(1.0)
    back(world, "8002")
    world.phones["8002"].manner = TALKS
    asker = desk_of(world, "8002")
    asker.ask("call.dial", {"number": "8001"})
    world.run(5.0)
    desk = desk_of(world)
    desk.ask("call.consult", {"to": "13900000066"})
    world.run(4.0)
    desk.ask("call.consult_join")
    world.run(1.0)
    outside = world.trunk.calls[-1]
    asker.ask("call.hangup")
    world.run(1.0)
    assert outside.why == "bye"
    assert not world.node.switchboard.calls
    settle(world)


def test_a_worker_that_dies_mixes_again_when_it_is_back() -> None:
    world, _, caller, phone, other = joined()
    world.workers.crash()
    world.run(3.0)
    assert is_threeway(world, caller, phone, other)
    caller.hang_up()
    settle(world)


def test_after_a_kill_the_caller_and_the_seat_talk_on() -> None:
    """Who was consulted has a call of its own, of one side, and gets BYE."""
    world, _, caller, phone, other = joined()
    world.restart_switch()
    world.run(2.0)
    assert talks_to(world, caller.rtp, phone.rtp)
    assert hears(world, caller) == []
    assert other.has_ended
    assert (seat(world)["activity"], seat(world, "8002")["activity"]) == ("talking", "idle")
    caller.hang_up()
    settle(world)
    assert [row.verdict for row in world.call_rows] == ["us:interrupted", "success"]


# A supervisor beside it.


def attended(mode: str = "monitor") -> tuple[World, Desk, Desk, Any, str]:
    """Leader 8901 is attached to 8001, which consults 8002, who has answered; with the caller's number."""
    world, lead, caller = listening(LED_TWO, mode)
    back(world, "8002")
    desk = desk_of(world)
    desk.ask("call.consult", {"to": "8002"})
    world.run(2.0)
    assert hearing(world)["ear"] == "8001 8002"
    (call,) = (call for call in world.node.switchboard.calls.values() if call.direction == "in")
    return world, lead, desk, caller, str(call.caller_leg.number)


def test_a_supervisor_listens_to_a_talk_of_three() -> None:
    world, lead, desk, caller, number = attended()
    desk.ask("call.consult_join")
    world.run(1.0)
    three = {"8001": f"{number} 8002", "8002": f"{number} 8001", number: "8001 8002"}
    assert hearing(world) == {**three, "ear": f"{number} 8001 8002"}
    lead.ask("supervisor.switch", {"seat": "8001", "mode": "whisper"})
    world.run(1.0)
    assert hearing(world) == {**three, "8001": f"{number} 8002 ear", "ear": f"{number} 8001 8002"}
    lead.ask("supervisor.switch", {"seat": "8001", "mode": "barge"})
    world.run(1.0)
    assert hearing(world) == {name: f"{heard} ear" for name, heard in three.items()} | {
        "ear": f"{number} 8001 8002"
    }
    world.phones["8901"].calls[0].hang_up()
    world.run(1.0)
    assert hearing(world) == three
    caller.hang_up()
    settle(world)


@pytest.mark.parametrize("mode", ["monitor", "barge"])
def test_a_supervisor_stays_when_three_become_two(mode: str) -> None:
    world, _, desk, caller, number = attended(mode)
    desk.ask("call.consult_join")
    world.run(1.0)
    desk.ask("call.consult_back")
    world.run(1.0)
    heard = {"ear": f"{number} 8001"}
    if mode == "barge":
        heard |= {"8001": f"{number} ear", number: "8001 ear"}
    assert hearing(world) == heard
    caller.hang_up()
    settle(world)


def test_a_muted_seat_of_three_is_heard_by_its_supervisor_alone() -> None:
    """Before it joins, while it does, and while the supervisor barges in."""
    world, lead, desk, caller, number = attended("barge")
    desk.ask("call.mute")
    desk.ask("call.consult_join")
    world.run(1.0)
    muted = {
        "8001": f"{number} 8002 ear",
        "8002": f"{number} ear",
        number: "8002 ear",
        "ear": f"{number} 8001 8002",
    }
    assert hearing(world) == muted
    assert not world.workers.is_playing(caller.rtp)
    lead.ask("supervisor.switch", {"seat": "8001", "mode": "monitor"})
    world.run(1.0)
    assert (hearing(world)[number], world.workers.is_playing(caller.rtp)) == ("8002", False)
    desk.ask("call.consult_back")
    world.run(1.0)
    assert hearing(world) == {"ear": f"{number} 8001"}
    assert world.workers.playing(_number(world, caller)) == ("builtin:silence",)
    caller.hang_up()
    settle(world)


def test_who_was_consulted_is_supervised_as_well() -> None:
    """Two supervisors, one beside each seat of the three: all they want adds up."""
    world, _, desk, caller, number = attended("whisper")
    desk_of(world, "8902").ask("supervisor.barge", {"seat": "8002"})
    world.run(1.0)
    desk.ask("call.consult_join")
    world.run(1.0)
    found: dict[str, list[str]] = {}
    board = world.node.switchboard
    names = {leg.stream: leg.seat or leg.number for call in board.calls.values() for leg in call.legs()}
    for stream, name in names.items():
        found[name] = sorted(names[one] for one in world.workers.mixed(stream))
    assert found == {
        number: ["8001", "8002", "8902"],
        "8001": [number, "8002", "8901", "8902"],
        "8002": [number, "8001", "8902"],
        "8901": [number, "8001", "8002"],
        "8902": [number, "8001", "8002"],
    }
    world.phones["8902"].calls[0].hang_up()
    world.run(1.0)
    assert hearing(world) == {
        number: "8001 8002",
        "8001": f"{number} 8002 ear",
        "8002": f"{number} 8001",
        "ear": f"{number} 8001 8002",
    }
    caller.hang_up()
    settle(world)
