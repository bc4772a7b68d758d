"""Recordings through the whole switch: who is in which file while a call is held, handed on, joined."""

from dataclasses import replace
from typing import Any

import pytest

from config.load import load_settings
from kernel.rows import OperationRow, RecordingRow
from tests.seatswitch.test_attending import TWO as LED
from tests.seatswitch.test_attending import listening
from tests.seatswitch.test_desk import ONE, TALKS, TWO, back, talking
from tests.simulator.media import Tape
from tests.simulator.phones import BUSY, RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import Town
from tests.simulator.world import World

RECORDED = "record = true"
PIN = """
[tenant.ivr.pin.node.ask]
kind = "read"
into = "pin"
most = 4
secret = true
within = "20s"
then = "return"
"""


def recorded(town: Town = ONE, **more: Any) -> Town:
    return replace(town, more_tenant=f"{RECORDED}\n{town.more_tenant}", **more)


def tape(world: World) -> Tape:
    (only,) = world.workers.tapes.values()
    return only


def right_of(world: World, *phones: Any) -> tuple[int, ...]:
    """Return the numbers of the streams of phones' calls."""
    numbers = []
    for phone in phones:
        stream = world.workers.stream_of(phone.rtp)
        numbers += [
            number
            for worker in world.workers.workers.values()
            for number, one in worker.streams.items()
            if one is stream
        ]
    return tuple(numbers)


def heard(world: World) -> tuple[Any, Any]:
    """Return who is on the left and on the right now."""
    return tape(world).heard[-1][1:]


def rows(world: World) -> list[RecordingRow]:
    return [row for row in world.rows if isinstance(row, RecordingRow)]


def test_a_recorded_call_has_one_row_that_its_own_names() -> None:
    world, _, caller, phone = talking(recorded())
    left, right = right_of(world, caller), right_of(world, phone)
    assert heard(world) == (left, right)
    (view,) = world.admin.ask("call.list")
    assert view["recording"] == "on"
    world.run(10.0)
    caller.hang_up()
    settle(world)
    (row,), (call,) = rows(world), world.call_rows
    assert call.recording == row.recording
    assert (row.call, row.tenant, row.queue, row.seat) == (call.call, "demo", "junior", "8001")
    assert (row.number, row.seats, row.state, row.cause) == (call.caller, "8001", "kept", "asked")
    assert row.seconds == pytest.approx(call.talked, abs=0.1)
    assert row.bytes > 16_000 * 10
    assert (row.suspended, row.ended_at) == (0.0, call.ended_at)


def test_nothing_is_recorded_that_nobody_asked_for() -> None:
    world, desk, caller, _ = talking(ONE)
    (view,) = world.admin.ask("call.list")
    assert view["recording"] == "off"
    assert desk.refusal("call.record_pause") == "NOT_RECORDED"
    assert desk.refusal("call.record_resume") == "NOT_RECORDED"
    caller.hang_up()
    settle(world)
    assert rows(world) == [] == list(world.workers.tapes)
    assert world.call_rows[0].recording == ""


def test_a_seat_suspends_the_recording_and_goes_on() -> None:
    world, desk, caller, phone = talking(recorded())
    left, right = right_of(world, caller), right_of(world, phone)
    desk.subscribe(["call"])
    assert desk.refusal("call.record_resume") == "NOT_SUSPENDED"
    desk.ask("call.record_pause")
    world.run(4.0)
    assert heard(world) == ((), ())
    assert world.admin.ask("call.list")[0]["recording"] == "suspended"
    assert desk.refusal("call.record_pause") == "ALREADY_SUSPENDED"
    desk.ask("call.hold")
    assert desk.refusal("call.record_resume") == "NO_BRIDGE"
    desk.ask("call.unhold")
    world.run(1.0)
    assert heard(world) == ((), ()), "a hold does not end it"
    desk.ask("call.record_resume")
    world.run(1.0)
    assert heard(world) == (left, right)
    states = [event["data"].get("recording") for event in desk.events if event["topic"] == "call"]
    assert states[0] == "suspended"
    assert states[-1] == "on"
    caller.hang_up()
    settle(world)
    assert rows(world)[0].suspended == pytest.approx(5.0, abs=0.1)
    assert desk.refusal("call.record_pause") == "NOT_IN_CALL"


def test_a_queue_may_forbid_to_suspend() -> None:
    town = replace(ONE, doors=(RECORDED, "record_pausable = false"))
    world, desk, caller, _ = talking(town)
    assert desk.refusal("call.record_pause") == "NO_RIGHT"
    caller.hang_up()
    settle(world)
    assert len(rows(world)) == 1


def test_a_queue_that_says_so_is_not_recorded() -> None:
    world, _, caller, _ = talking(recorded(doors=("record = false",)))
    caller.hang_up()
    settle(world)
    assert rows(world) == []


def test_on_hold_nobody_is_recorded_and_of_a_muted_seat_the_caller_alone() -> None:
    world, desk, caller, phone = talking(recorded())
    left, right = right_of(world, caller), right_of(world, phone)
    desk.ask("call.mute")
    world.run(1.0)
    assert heard(world) == (left, ())
    desk.ask("call.hold")
    world.run(1.0)
    assert heard(world) == ((), ())
    desk.ask("call.unhold")
    world.run(1.0)
    assert heard(world) == (left, ())
    desk.ask("call.unmute")
    world.run(1.0)
    assert heard(world) == (left, right)
    caller.hang_up()
    settle(world)
    assert len(rows(world)) == 1


def test_what_a_caller_says_and_presses_in_a_script_is_in_no_file() -> None:
    world, desk, caller, phone = talking(recorded(replace(ONE, more_tenant=PIN)))
    both = (right_of(world, caller), right_of(world, phone))
    assert heard(world) == both
    desk.ask("call.interact", {"ivr": "pin"})
    world.run(1.0)
    assert heard(world) == ((), ())
    desk.ask("call.unhold")
    world.run(1.0)
    assert heard(world) == both
    caller.hang_up()
    settle(world)
    assert len(rows(world)) == 1


def test_on_a_line_that_stays_open_each_call_has_its_own_file() -> None:
    world = World(1, recorded(more_seat='standing = "auto"'))
    world.add_agent("8001", Manner(answers_after=1.0))
    world.run(5.0)
    assert not world.workers.tapes
    phone = world.phones["8001"].calls[0]
    for number in range(2):
        caller = world.trunk.dial(Errand(caller=f"1380000000{number}"))
        world.run(4.0)
        last = list(world.workers.tapes.values())[-1]
        assert last.heard[-1][1:] == (right_of(world, caller), right_of(world, phone))
        caller.hang_up()
        world.run(60.0)
    world.admin.ask("supervisor.force_logout", {"seat": "8001"})
    settle(world)
    assert [(row.seat, row.state, row.cause) for row in rows(world)] == [("8001", "kept", "asked")] * 2


def consulting() -> tuple[World, Any, Any, Any]:
    world, desk, caller, phone = talking(recorded(TWO))
    back(world, "8002")
    desk.ask("call.consult", {"to": "8002"})
    world.run(3.0)
    return world, desk, caller, phone


def test_what_a_seat_says_to_whom_it_consults_is_in_no_file_and_a_talk_of_three_is() -> None:
    world, desk, caller, phone = consulting()
    other = world.phones["8002"].calls[0]
    left, right, third = (right_of(world, one) for one in (caller, phone, other))
    assert heard(world) == ((), ())
    desk.ask("call.consult_join")
    world.run(1.0)
    assert heard(world) == (left, (*third, *right))
    desk.ask("call.mute")
    world.run(1.0)
    assert heard(world) == (left, third)
    desk.ask("call.unmute")
    desk.ask("call.consult_back")
    world.run(1.0)
    assert heard(world) == (left, right)
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    assert row.seats == "8001"


def test_a_consultation_that_becomes_a_transfer_goes_on_in_the_same_file() -> None:
    world, desk, caller, _ = consulting()
    left, third = right_of(world, caller), right_of(world, world.phones["8002"].calls[0])
    desk.ask("call.consult_transfer")
    world.run(1.0)
    assert heard(world) == (left, third)
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    assert (row.seat, row.seats) == ("8001", "8001,8002")


def test_a_consultation_that_fails_loses_nothing() -> None:
    world, desk, caller, phone = talking(recorded(TWO))
    left, right = right_of(world, caller), right_of(world, phone)
    back(world, "8002")
    world.phones["8002"].manner = BUSY
    desk.ask("call.consult", {"to": "8002"})
    world.run(3.0)
    assert heard(world) == (left, right)
    caller.hang_up()
    settle(world)
    assert len(rows(world)) == 1


def test_a_blind_transfer_takes_the_file_along_to_the_call_it_makes() -> None:
    world, desk, caller, _ = talking(recorded(TWO))
    left = right_of(world, caller)
    back(world, "8002")
    desk.ask("call.record_pause")
    desk.ask("call.transfer", {"to": "8002"})
    world.run(5.0)
    assert heard(world) == (left, right_of(world, world.phones["8002"].calls[0])), "who suspended has left"
    (view,) = world.admin.ask("call.list")
    assert view["recording"] == "on"
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    first, second = world.call_rows
    assert first.continued_as == second.call
    assert first.recording == second.recording == row.recording
    assert (row.call, row.seats) == (first.call, "8001,8002")


def test_a_transfer_to_a_queue_is_silent_while_the_caller_waits() -> None:
    world, desk, caller, _ = talking(recorded(TWO))
    world.admin.ask("seat.pause", {"seat": "8001", "reason": "rest"})
    desk.ask("call.transfer", {"to": "queue:junior"})
    world.run(5.0)
    assert heard(world) == ((), ())
    back(world, "8002")
    world.run(5.0)
    assert heard(world) == (right_of(world, caller), right_of(world, world.phones["8002"].calls[0]))
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    assert row.seats == "8001,8002"


def test_who_barges_in_is_heard_and_who_listens_is_not() -> None:
    world, leader, caller = listening(recorded(LED))
    phone, own = world.phones["8001"].calls[0], world.phones["8901"].calls[0]
    left, right, third = (right_of(world, one) for one in (caller, phone, own))
    assert heard(world) == (left, right)
    leader.ask("supervisor.switch", {"seat": "8001", "mode": "barge"})
    world.run(1.0)
    assert heard(world) == (left, (*right, *third))
    leader.ask("supervisor.switch", {"seat": "8001", "mode": "whisper"})
    world.run(1.0)
    assert heard(world) == (left, right)
    leader.ask("supervisor.takeover", {"seat": "8001"})
    world.run(2.0)
    assert heard(world) == (left, third)
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    assert row.seats == "8001,8901"


def test_what_a_seat_dials_is_recorded_where_its_tenant_says_so_the_customer_on_the_left() -> None:
    world, desk, caller, _ = talking(replace(ONE, more_tenant="record_outbound = true"))
    caller.hang_up()
    world.run(2.0)
    assert rows(world) == []
    desk.ask("call.dial", {"number": "13912345678"})
    world.run(6.0)
    assert tape(world).heard[-1][1] == right_of(world, world.trunk.calls[-1])
    assert tape(world).heard[-1][2] == right_of(world, world.phones["8001"].calls[-1])
    desk.ask("call.hangup")
    settle(world)
    (row,) = rows(world)
    assert (row.number, row.seat, row.queue) == ("13912345678", "8001", "")


def test_a_worker_that_dies_ends_the_file_and_the_call_goes_on_in_another() -> None:
    world, _, caller, phone = talking(recorded())
    world.run(5.0)
    world.workers.crash()
    world.run(5.0)
    assert world.admin.ask("call.list")[0]["recording"] == "on"
    assert list(world.workers.tapes.values())[-1].heard[-1][1:] == (
        right_of(world, caller),
        right_of(world, phone),
    )
    caller.hang_up()
    settle(world)
    first, second = rows(world)
    (call,) = world.call_rows
    assert (first.state, first.cause, second.cause) == ("kept", "worker_lost", "asked")
    assert (first.seconds, first.bytes) == (6.0, 58 + 6 * 16_000), "what the file has"
    assert first.call == second.call == call.call
    assert call.recording == first.recording
    without = 0.5  # until the worker is there again
    unwritten = 1.0  # at most
    assert -0.1 < call.talked - without - first.seconds - second.seconds < unwritten + 0.1


def test_a_switch_that_is_killed_leaves_the_row_and_goes_on_in_another_file() -> None:
    world, _, caller, _ = talking(recorded())
    world.run(5.0)
    world.kill_switch()
    world.run(6.0)
    assert world.admin.ask("call.list")[0]["recording"] == "on"
    first = rows(world)[0]
    assert (first.state, first.cause, first.seat) == ("kept", "switch_killed", "8001")
    assert first.seconds > 4.0
    assert (first.seconds, first.bytes) == (int(first.seconds), 58 + 16_000 * first.seconds)
    caller.hang_up()
    settle(world)
    assert [row.cause for row in rows(world)] == ["switch_killed", "asked"]
    assert [call.recording for call in world.call_rows] == [first.recording], "the first of the call's"
    assert len({row.recording for row in rows(world)}) == 2


def test_that_a_seat_has_suspended_it_outlives_a_kill() -> None:
    world, desk, _, _ = talking(recorded())
    for seconds, verb in ((2.0, "pause"), (3.0, "resume"), (1.0, "pause")):
        world.run(seconds)
        desk.ask(f"call.record_{verb}")
    world.run(4.0)
    world.kill_switch()
    world.run(6.0)
    first = rows(world)[0]
    assert (first.cause, first.suspended) == ("switch_killed", pytest.approx(7.0, abs=1.1))


def test_a_reload_that_names_another_folder_takes_no_recording_out_of_reach() -> None:
    """The folder waits for a restart: files are where they were."""
    world, _, caller, _ = talking(recorded())
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    moved = load_settings(f'{world.town.toml()}\n[recording]\nfolder = "elsewhere"\n', file="town.toml")
    world.turn(lambda now: world.node.reconfigure(moved, now))
    told = world.admin.ask("recording.get", {"recording": row.recording})
    assert told["file"] == f"var/recordings/{row.recording}.wav"


@pytest.mark.parametrize("side", ["caller", "seat"])
def test_whoever_hangs_up_there_is_one_row(side: str) -> None:
    world, _, caller, phone = talking(recorded())
    (caller if side == "caller" else phone).hang_up()
    settle(world)
    assert len(rows(world)) == 1


def test_a_call_that_nobody_answers_is_not_recorded() -> None:
    world = staffed(TALKS, recorded())
    world.admin.ask("seat.pause", {"seat": "8001", "reason": "rest"})
    caller = world.trunk.dial(Errand())
    world.run(5.0)
    caller.hang_up()
    settle(world)
    assert rows(world) == []


def test_the_next_process_knows_the_recordings_of_the_one_before() -> None:
    world, _, caller, _ = talking(recorded())
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    before = world.admin.ask("recording.list")["recordings"]
    assert [one["recording"] for one in before] == [row.recording]
    world.kill_switch()
    world.run(6.0)
    assert world.admin.ask("recording.list")["recordings"] == before
    assert world.admin.ask("recording.get", {"recording": row.recording})["seats"] == ["8001"]
    (trace,) = [one for one in world.rows if isinstance(one, OperationRow) and one.what == "listen"]
    assert (trace.detail, trace.call) == (row.recording, row.call)


def test_many_phones_and_rounds_of_ringing_make_one_recording_of_who_answered() -> None:
    """mikopbx #1084, #1100, #771, #741: rows were tied to channels that several phones shared."""
    world = staffed(RINGS_FOR_EVER, recorded(TWO, policy="ring-all", ring_for=5.0))
    caller = world.trunk.dial(Errand())
    world.run(8.0)
    assert [row.outcome for row in world.offer_rows] == ["missed", "missed"]
    assert rows(world) == [] == list(world.workers.tapes)
    world.phones["8002"].manner = TALKS
    world.run(20.0)
    assert heard(world) == (right_of(world, caller), right_of(world, world.phones["8002"].calls[-1]))
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    assert row.seats == "8002"
    assert [call.recording for call in world.call_rows] == [row.recording]


def test_a_call_that_a_leader_picks_up_is_recorded_with_the_leader() -> None:
    world = staffed(RINGS_FOR_EVER, recorded(LED))
    leader = world.add_agent("8901")
    world.phones["8901"].manner = TALKS
    caller = world.trunk.dial(Errand())
    world.run(2.0)
    assert leader.desk is not None
    leader.desk.ask("supervisor.pickup", {"seat": "8001"})
    world.run(4.0)
    assert heard(world) == (right_of(world, caller), right_of(world, world.phones["8901"].calls[-1]))
    caller.hang_up()
    settle(world)
    (row,) = rows(world)
    assert row.seats == "8901"
