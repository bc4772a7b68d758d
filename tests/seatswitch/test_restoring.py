"""Fault list, "kill -9 mid call": what lived goes on, what cannot is ended and told, each exactly once."""

from dataclasses import replace

import pytest

from tests.simulator.checkers import check_one_row_each, check_order, check_quiet, check_visits
from tests.simulator.people import Habits
from tests.simulator.phones import RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import ONE_SEAT, staffed
from tests.simulator.town import DOMAIN, Town
from tests.simulator.world import World


def settle(world: World, within: float = 120.0) -> None:
    until = world.time.now + within
    while (left := check_quiet(world)) and world.step(until):
        pass
    assert not left
    check_one_row_each(world)
    check_visits(world)
    check_order(world)
    assert world.complaints == []


def test_conversation_goes_on_after_a_kill() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=20.0))
    caller = world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(5.0)
    port = world.node.switchboard.calls[next(iter(world.node.switchboard.calls))].caller_leg.port
    world.restart_switch()
    world.run(1.0)
    (call,) = world.node.switchboard.calls.values()
    assert (call.state, call.resumed, call.caller_leg.port) == ("talking", 1, port)
    assert world.workers.are_streams_joined(call.caller_leg.stream, call.callee.stream)
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "talking"
    assert caller.offers_seen == 1
    world.run(20.0)
    assert caller.why == "bye"
    (row,) = world.call_rows
    assert (row.verdict, row.seat, row.resumed) == ("success", "8001", 1)
    assert abs(row.talked - 20.0) < 0.1
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
    settle(world)


def test_waiting_callers_keep_their_places() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=30.0))
    for number in range(3):
        world.time.after(
            number * 1.0,
            lambda number=number: world.trunk.dial(Errand(caller=f"139{number}", hangs_up_after=300.0)),
        )
    world.run(5.0)
    world.restart_switch()
    world.run(1.0)
    waiting = [call for call in world.node.calls_view(world.time.now) if call["state"] == "waiting"]
    assert [(call["caller"], call["position"]) for call in waiting] == [("1391", 1), ("1392", 2)]
    assert world.workers.is_stream_playing(world.node.switchboard.calls[waiting[0]["call"]].caller_leg.stream)
    world.run(200.0)
    assert [row.verdict for row in world.call_rows] == ["success"] * 3
    settle(world)


def test_ringing_phone_is_cancelled_and_the_call_offered_again() -> None:
    world = staffed(Manner(answers_after=3.0, talks_for=5.0))
    world.trunk.dial(Errand(hangs_up_after=100.0))
    world.run(1.0)
    world.restart_switch()
    world.run(30.0)
    first, second = world.offer_rows
    assert (first.outcome, second.outcome) == ("withdrawn", "answered")
    assert first.offer != second.offer
    settle(world)


def test_who_is_gone_ends_the_call_on_both_sides_within_five_seconds() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=None))
    caller = world.trunk.dial(Errand(hangs_up_after=500.0))
    world.run(5.0)
    world.phones["8001"].vanish()
    world.restart_switch()
    world.run(5.0)
    assert caller.why == "bye"
    (row,) = world.call_rows
    assert row.verdict == "us:interrupted"


def test_killed_again_while_it_recovers_nothing_is_doubled() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=20.0))
    caller = world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(5.0)
    world.restart_switch()
    world.restart_switch()
    world.run(0.002)
    world.restart_switch()
    world.run(25.0)
    assert caller.why == "bye"
    assert [(row.verdict, row.resumed) for row in world.call_rows] == [("success", 3)]
    settle(world)


def test_a_callback_whose_seat_rings_is_called_off_and_stands_again() -> None:
    """The seat's phone rings for a customer who is at home: CANCEL, a row of the lost visit, its turn."""
    world = staffed(RINGS_FOR_EVER)
    world.trunk.choose = lambda _: Manner(answers_after=1.0, talks_for=5.0)
    world.admin.ask("callback.book", {"number": "13800000009", "queue": "junior"})
    world.run(2.0)
    phone = world.phones["8001"]
    assert phone.calls[0].state == "ringing"
    phone.manner = Manner(answers_after=2.0)
    world.restart_switch()
    world.run(1.0)
    assert phone.calls[0].why == "cancelled"
    world.run(20.0)
    assert [row.outcome for row in world.offer_rows] == ["withdrawn", "answered"]
    assert [(row.outcome, row.cause) for row in world.visit_rows] == [
        ("withdrawn", "interrupted"),
        ("answered", ""),
    ]
    assert [(row.direction, row.verdict) for row in world.call_rows] == [("out", "success")]
    settle(world)


def test_a_callback_that_no_seat_took_before_the_kill_leaves_nothing_behind() -> None:
    """Two rings are refused, the switch dies between: no call was ever placed, and none is told of."""
    world = staffed(Manner(answers_after=1.0, refuses=486))
    world.admin.ask("callback.book", {"number": "13800000009", "queue": "junior"})
    world.run(3.0)
    assert [row.outcome for row in world.offer_rows] == ["refused"]
    assert world.living.rows() != []
    world.restart_switch()
    world.run(3.0)
    (promised,) = world.admin.ask("callback.list", {})
    world.admin.ask("callback.cancel", {"callback": promised["callback"]})
    world.run(60.0)
    assert world.call_rows == []
    assert world.living.rows() == []
    settle(world)


def test_a_callback_taken_by_a_seat_and_not_dialled_yet_is_told_of() -> None:
    """Swarm seed 514: the seat has answered, the customer's stream is still being opened, the switch dies."""
    world = staffed(Manner(answers_after=1.0))
    world.admin.ask("callback.book", {"number": "13800000009", "queue": "junior"})
    world.run_until(lambda: world.visit_rows != [], 5.0, "a seat takes the callback")
    assert all(call.invite is None for call in world.trunk.calls)
    world.restart_switch()
    world.run(0.5)
    assert world.phones["8001"].calls[0].why == "bye"
    assert [row.verdict for row in world.call_rows] == ["us:interrupted"]
    assert [view["attempts"] for view in world.admin.ask("callback.list", {})] == [1]
    world.run(10.0)
    assert world.admin.ask("callback.list", {}) == []
    world.trunk.calls[-1].hang_up()
    settle(world)
    assert [row.verdict for row in world.call_rows] == ["us:interrupted", "success"]


def test_a_caller_who_is_transferred_while_the_switch_dies_is_not_forgotten() -> None:
    """Swarm seed 789: the seat has transferred and left, the target rings: both are told, one row each."""
    world = staffed(Manner(answers_after=1.0))
    world.phones["8001"].choose = lambda _: Manner(answers_after=1.0)
    other = world.add_phone("2001", RINGS_FOR_EVER)
    other.register()
    caller = world.trunk.dial(Errand())
    world.run(4.0)
    world.phones["8001"].calls[0].refer("2001", DOMAIN, hangs_up=0.0)
    world.run(1.0)
    assert other.calls[0].state == "ringing"
    world.restart_switch()
    world.run(5.0)
    assert (other.calls[0].why, caller.why) == ("cancelled", "bye")
    assert [row.verdict for row in world.call_rows] == ["success:transferred", "us:interrupted"]
    settle(world)


def test_a_target_that_rings_for_a_transferor_is_called_off() -> None:
    """The seat still talks to its caller when the switch dies: the target's ring ends, the talk goes on."""
    world = staffed(Manner(answers_after=1.0))
    other = world.add_phone("2001", RINGS_FOR_EVER)
    other.register()
    caller = world.trunk.dial(Errand(hangs_up_after=20.0))
    world.run(4.0)
    world.phones["8001"].calls[0].refer("2001", DOMAIN)
    world.run(1.0)
    world.restart_switch()
    world.run(5.0)
    assert (other.calls[0].why, caller.state) == ("cancelled", "talking")
    world.run(20.0)
    assert sorted(row.verdict for row in world.call_rows) == ["success", "us:interrupted"]
    settle(world)


def test_a_conversation_over_a_connection_goes_on_when_the_phone_is_back() -> None:
    """The kernel closes the phone's TCP connection with the switch; the phone opens another within 3 s (RFC
    5626 4.5), and the re-INVITE, which had no way to it, is sent again.
    """
    world = World(1, ONE_SEAT)
    world.add_agent("8001", Manner(answers_after=1.0), tcp=True)
    world.run(3.0)
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    world.restart_switch()
    world.run(6.0)
    assert (caller.state, world.phones["8001"].calls[0].state) == ("talking", "talking")
    assert world.phones["8001"].calls[0].offers_seen == 1
    assert world.workers.are_joined(caller.rtp, world.phones["8001"].calls[0].rtp)
    caller.hang_up()
    settle(world)
    assert [row.verdict for row in world.call_rows] == ["success"]


def test_a_conversation_over_a_connection_that_stays_lost_ends_on_the_other_side() -> None:
    world = World(1, ONE_SEAT)
    world.add_agent("8001", Manner(answers_after=1.0), tcp=True)
    world.run(3.0)
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    world.phones["8001"].vanish()
    world.restart_switch()
    world.run(5.0)
    assert caller.why == "bye"
    assert [row.verdict for row in world.call_rows] == ["us:interrupted"]


@pytest.mark.parametrize("number", ["%ec", "96198%fe"])
def test_a_caller_whose_name_is_no_text_is_kept_like_any_other(number: str) -> None:
    """A number of bytes that are no UTF-8, as %-escapes or as they are: shown, kept, taken over, told of."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.invite("96198", user=f"139{number}", display="\udcec ")
    world.run(3.0)
    (view,) = world.admin.ask("call.list")
    assert view["state"] == "talking"
    world.restart_switch()
    world.run(2.0)
    assert caller.state == "talking"
    caller.hang_up()
    settle(world)
    assert [row.verdict for row in world.call_rows] == ["success"]


def test_what_a_seat_does_after_calls_and_the_queues_it_has_left_outlive_a_kill() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=5.0))
    world.admin.ask("seat.after_call", {"seat": "8001", "mode": "pause"})
    world.admin.ask("seat.pause", {"seat": "8001", "reason": "rest", "queues": ["junior"]})
    world.restart_switch()
    world.run(1.0)
    seat = world.admin.ask("seat.get", {"seat": "8001"})
    assert (seat["after_call"], seat["paused_in"], seat["presence"]) == ("pause", {"junior": "rest"}, "ready")
    world.trunk.dial(Errand(hangs_up_after=300.0))
    world.run(3.0)
    assert world.offer_rows == []
    world.admin.ask("seat.ready", {"seat": "8001", "queues": ["junior"]})
    world.run(40.0)
    seat = world.admin.ask("seat.get", {"seat": "8001"})
    assert (seat["presence"], seat["reason"]) == ("paused", "after_call")
    settle(world)


def test_time_since_the_last_row_outlives_two_kills() -> None:
    """Four minutes in which nothing happens: nothing of them is lost but the time the switch is down."""
    world = staffed(Manner())
    world.run(300.0)

    def signed_in() -> float:
        found: float = world.admin.ask("seat.statistics", {"seat": "8001"})["time_signed_in"]
        return found

    before = signed_in()
    assert before > 240.0
    world.kill_switch(down_for=50.0)
    world.run(60.0)
    assert signed_in() == pytest.approx(before + 10.0, abs=0.1)
    world.restart_switch()
    world.run(1.0)
    assert signed_in() == pytest.approx(before + 11.0, abs=0.1)
    causes = [row.cause for row in world.presence_rows if row.seat == "8001"]
    assert causes.count("died") == 2


def test_announcements_and_keys_go_on_for_who_waited_when_the_switch_died() -> None:
    """Said 5 s after the restart, as if it had just joined; the key takes the caller out."""
    doors = (
        'announce = {every = "30s", after = "5s", position = "always"}',
        'keys = {"0" = "queue:complaint"}',
    )
    world = World(1, replace(ONE_SEAT, doors=doors))
    caller = world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(2.0)
    world.restart_switch()
    world.run(1.0)
    assert world.workers.playing_to(caller.rtp) == ("builtin:music",)
    world.run(5.0)
    assert "voice:en/you-are-number" in world.workers.playing_to(caller.rtp)
    (call,) = world.node.switchboard.calls.values()
    world.turn(lambda now: world.node.switchboard.keys.pressed(call.caller_leg, "0", now))
    world.turn(world.node.settle)
    assert [(row.outcome, row.cause) for row in world.visit_rows] == [("overflowed", "key:0")]
    world.run(60.0)
    settle(world)


def test_a_caller_who_rates_its_call_when_the_switch_dies_is_let_go_with_one_row() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=None))
    caller = world.trunk.dial(Errand(hangs_up_after=100.0))
    world.run(5.0)
    desk = world.agents["8001"].desk
    assert desk is not None
    desk.ask("call.survey")
    world.run(1.0)
    world.restart_switch()
    world.run(6.0)
    assert caller.why == "bye"
    assert [(row.verdict, row.resumed) for row in world.call_rows] == [("us:interrupted", 1)]
    settle(world)


def test_a_phone_that_had_answered_and_was_not_bridged_is_let_go_and_the_caller_waits_on() -> None:
    """It is asked for its key when the switch dies; its dialog ends with a BYE, and it is rung anew."""
    world = World(1, replace(ONE_SEAT, accept_key="1"))
    world.trunk.manner = Manner(answers_after=2.0, talks_for=None)
    world.add_agent("8001", habits=Habits(phone_kind="pstn"))
    world.run(3.0)
    world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(4.0)
    mobile = next(each for each in world.trunk.calls if not each.is_caller)
    assert mobile.state == "talking"
    world.restart_switch()
    world.run(4.0)
    assert mobile.why == "bye"
    assert [row.outcome for row in world.offer_rows][:1] == ["withdrawn"]
    (call,) = world.node.switchboard.calls.values()
    assert call.state in ("waiting", "ringing")
    world.run(70.0)
    settle(world)


def test_a_check_of_a_call_outlives_a_kill() -> None:
    """Made before it, listed after it; the row is written once."""
    world = World(1, Town(juniors=1))
    world.run(1.0)
    items = {"terms": 5, "attitude": 4, "tone": 5, "summary": 3, "reaction": 3}
    made = world.admin.ask("quality.score", {"seat": "8001", "call": "c1", "items": items})
    world.restart_switch()
    world.run(1.0)
    assert world.admin.ask("quality.list", {"seat": "8001"})["checks"] == [made]
