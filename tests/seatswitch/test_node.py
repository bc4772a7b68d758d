"""What one whole switch does with callers, queues and seats: stories in virtual time."""

import gc
from dataclasses import replace

import pytest

from config.load import load_settings
from tests.simulator.checkers import answered_by, mortal_objects, talks_to
from tests.simulator.people import Desk, Habits
from tests.simulator.phones import BUSY, RINGS_FOR_EVER, Errand, Manner, Trunk
from tests.simulator.stories import ONE_SEAT, settle, staffed
from tests.simulator.town import DOMAIN, STRANGER, SWITCH, Town
from tests.simulator.world import World


def test_a_caller_reaches_a_seat_and_leaves_one_row_each() -> None:
    """Rings at once, answered after 2 s, talks 10 s, then wrap-up of 30 s."""
    world = staffed(Manner(answers_after=2.0, talks_for=10.0))
    caller = world.trunk.dial(Errand())
    world.run(1.0)
    assert caller.status == 200
    assert world.workers.is_playing(caller.rtp)
    world.run(3.0)
    seat = world.phones["8001"].calls[0]
    assert talks_to(world, caller.rtp, seat.rtp)
    assert not world.workers.is_playing(caller.rtp)
    world.run(9.0)
    assert (caller.why, seat.why) == ("bye", "hung up")
    view = world.admin.ask("seat.get", {"seat": "8001"})
    assert view["presence"] == "wrapup"
    (call,), (visit,), (offer,) = world.call_rows, world.visit_rows, world.offer_rows
    assert (call.direction, call.caller, call.called, call.entry) == (
        "in",
        "13800000001",
        "96198",
        "queue:junior",
    )
    assert (call.seat, call.ended_by, call.verdict) == ("8001", "seat", "success")
    assert call.talked == pytest.approx(10.0, abs=0.05)
    assert call.waited == pytest.approx(2.0, abs=0.05)
    assert (visit.outcome, visit.seat, visit.within) == ("answered", "8001", True)
    assert (offer.outcome, offer.seat) == ("answered", "8001")
    assert offer.rang == pytest.approx(1.95, abs=0.02)  # from the 180 on
    assert (offer.visit, visit.call) == (visit.visit, call.call)
    world.run(29.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
    world.run(2.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "ready"
    settle(world)


def test_all_parts_write_their_rows_and_log_lines_in_one_order() -> None:
    """Each hands what it writes to the node at once, so that rows of a turn stand as they happened."""
    node = staffed().node
    boxes = (node.stack.rows, node.switchboard.rows, node.engine.rows, node.voicemails.rows)
    assert all(box is node.rows for box in boxes)
    assert node.switchboard.log is node.log


def test_the_invite_to_a_seat_says_who_calls_and_through_which_queue() -> None:
    world = staffed(RINGS_FOR_EVER)
    world.trunk.dial(Errand(caller="13912345678", hangs_up_after=3.0))
    world.run(1.0)
    invite = world.phones["8001"].calls[0].invite
    assert "sip:13912345678@" in invite.get("from")
    assert invite.get("x-queue") == "junior"
    assert invite.uri.startswith("sip:8001@198.51.100.1:5060")
    assert invite.call_id != world.trunk.calls[0].call_id
    settle(world)


def test_a_caller_who_hangs_up_while_waiting_is_abandoned() -> None:
    world = World(1, ONE_SEAT)
    caller = world.trunk.dial(Errand(hangs_up_after=7.0))
    world.run(10.0)
    (call,), (visit,) = world.call_rows, world.visit_rows
    assert (visit.outcome, visit.waited) == ("abandoned", pytest.approx(7.0, abs=0.05))
    assert (call.ended_by, call.verdict.partition(":")[0]) == ("caller", "caller")
    assert (call.answered_at, call.talked) == (None, 0.0)
    assert caller.why == "hung up"
    assert world.offer_rows == []
    settle(world)


def test_a_caller_who_hangs_up_while_the_seat_rings_frees_it_at_once() -> None:
    """No wrap-up: nobody was bridged."""
    world = staffed(RINGS_FOR_EVER)
    world.trunk.dial(Errand(hangs_up_after=5.0))
    world.run(5.2)
    (offer,) = world.offer_rows
    assert offer.outcome == "withdrawn"
    assert world.phones["8001"].calls[0].why == "cancelled"
    view = world.admin.ask("seat.get", {"seat": "8001"})
    assert (view["presence"], view["activity"]) == ("ready", "idle")
    settle(world)


def test_a_caller_who_sends_bye_instead_of_ack_is_abandoned() -> None:
    world = staffed(RINGS_FOR_EVER)
    world.trunk.dial(Errand(bye_before_ack=True))
    world.run(2.0)
    assert [row.outcome for row in world.visit_rows] == ["abandoned"]
    settle(world)


def test_a_caller_who_never_acknowledges_is_let_go_after_64_t1() -> None:
    """RFC 3261 13.3.1.4; the seat that rang or talked is free again."""
    world = staffed(Manner(answers_after=2.0))
    world.trunk.dial(Errand(acks=False))
    world.run(40.0)
    (call,) = world.call_rows
    assert call.ended_at - call.arrived_at == pytest.approx(32.0, abs=0.1)
    assert call.verdict.partition(":")[0] in ("peer", "network")
    assert world.phones["8001"].calls[0].has_ended
    settle(world)


def test_a_cancel_that_crosses_the_answer_leaves_nothing() -> None:
    """The caller's CANCEL is on its way while our 200 is: ACK, BYE, one row."""
    world = World(1, ONE_SEAT)
    world.trunk.dial(Errand(hangs_up_after=0.004))
    world.run(5.0)
    assert len(world.call_rows) == 1
    settle(world)


@pytest.mark.parametrize("status", [486, 480, 603])
def test_a_refusal_keeps_the_caller_waiting_and_the_seat_is_asked_again_later(status: int) -> None:
    """The missed-offer rule for a refusal is a delay of 5 s, the pair's back-off 10 s."""
    world = staffed(Manner(answers_after=1.0, refuses=status))
    caller = world.trunk.dial(Errand())
    world.run(2.0)
    (offer,) = world.offer_rows
    assert (offer.outcome, offer.sip_status) == ("refused", status)
    assert caller.state == "talking"
    assert world.call_rows == []
    world.phones["8001"].manner = Manner(answers_after=1.0, talks_for=3.0)
    world.run(20.0)
    assert [row.outcome for row in world.offer_rows] == ["refused", "answered"]
    assert [row.outcome for row in world.visit_rows] == ["answered"]
    settle(world)


def test_a_phone_that_never_answers_is_missed_and_paused_by_the_rule() -> None:
    """Rings 10 s each; after three in a row the seat is paused."""
    world = staffed(RINGS_FOR_EVER, Town(juniors=1, intermediates=0, seniors=0, ring_for=10.0))
    world.trunk.dial(Errand(hangs_up_after=100.0))
    world.run(99.0)
    assert [row.outcome for row in world.offer_rows] == ["missed"] * 3
    assert [row.rang for row in world.offer_rows] == pytest.approx([9.94] * 3, abs=0.02)  # from the 180 on
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "paused"
    world.run(2.0)
    settle(world)


def test_an_answer_that_crosses_our_cancel_is_ended_and_counts_for_nothing() -> None:
    world = staffed(Manner(answers_after=None, answers_cancelled=True))
    world.trunk.dial(Errand(hangs_up_after=5.0))
    world.run(8.0)
    phone = world.phones["8001"].calls[0]
    assert phone.why == "bye"
    assert [row.outcome for row in world.visit_rows] == ["abandoned"]
    assert [row.outcome for row in world.offer_rows] == ["withdrawn"]
    settle(world)


def test_callers_are_served_in_the_order_they_came() -> None:
    world = staffed(
        Manner(answers_after=1.0, talks_for=5.0), Town(juniors=1, intermediates=0, seniors=0, wrap_up=2.0)
    )
    for index in range(5):
        world.time.after(
            index * 0.5, lambda index=index: world.trunk.dial(Errand(caller=f"1380000000{index}"))
        )
    world.run(60.0)
    assert answered_by(world, "8001") == [f"1380000000{index}" for index in range(5)]
    settle(world)


def test_a_caller_whom_no_junior_can_take_reaches_the_intermediates_after_20_seconds() -> None:
    """The queue's relaxation steps; the junior talks all the while."""
    world = staffed(Manner(answers_after=1.0), Town(juniors=1, intermediates=1, seniors=0))
    world.trunk.dial(Errand(hangs_up_after=100.0))
    world.run(2.0)
    world.trunk.dial(Errand(caller="13800000002", hangs_up_after=50.0))
    world.run(60.0)
    visit = next(row for row in world.visit_rows if row.seat == "8101")
    assert visit.waited == pytest.approx(21.0, abs=0.1)
    world.run(50.0)
    settle(world)


def test_hold_and_resume_reach_the_caller() -> None:
    """RFC 3264 8.4: the seat's sendonly is answered, the call is held; then both hear each other again."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    seat = world.phones["8001"].calls[0]
    seat.reinvite("sendonly")
    world.run(5.0)
    assert seat.remote_sdp.direction in ("recvonly", "inactive")
    assert world.admin.ask("call.list")[0]["state"] == "held"
    seat.reinvite("sendrecv")
    world.run(1.0)
    assert world.admin.ask("call.list")[0]["state"] == "talking"
    assert talks_to(world, caller.rtp, seat.rtp)
    seat.hang_up()
    world.run(1.0)
    assert world.call_rows[0].held == pytest.approx(5.0, abs=0.1)
    settle(world)


def test_an_extension_calls_another() -> None:
    world = World(1, ONE_SEAT)
    one, other = world.add_phone("2001"), world.add_phone("2002", Manner(answers_after=2.0, talks_for=4.0))
    one.register()
    other.register()
    world.run(1.0)
    call = one.invite("2002", to_host=DOMAIN)
    world.run(1.0)
    assert call.status == 180
    world.run(2.0)
    assert talks_to(world, call.rtp, other.calls[0].rtp)
    world.run(5.0)
    (row,) = world.call_rows
    assert (row.direction, row.caller, row.called, row.entry) == (
        "internal",
        "2001",
        "2002",
        "extension:2002",
    )
    assert (row.verdict, row.talked) == ("success", pytest.approx(4.0, abs=0.05))
    settle(world)


def test_a_call_to_a_seat_that_talks_is_busy() -> None:
    world = staffed(Manner(answers_after=1.0))
    extension = world.add_phone("2001")
    extension.register()
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    call = extension.invite("8001", to_host=DOMAIN)
    world.run(1.0)
    assert call.why == "refused 486"
    caller.hang_up()
    settle(world)


def test_an_unknown_number_is_404() -> None:
    world = World(1, ONE_SEAT)
    call = world.trunk.dial(Errand(number="95555"))
    world.run(1.0)
    assert call.why == "refused 404"
    assert [row.sip_status for row in world.call_rows] == [404]
    settle(world)


def test_a_stranger_is_403_and_leaves_no_row() -> None:
    world = World(1, ONE_SEAT)
    stranger = Trunk("stranger", world.network, STRANGER, SWITCH, world.network._random, world)
    call = stranger.dial(Errand())
    world.run(1.0)
    assert call.why == "refused 403"
    assert world.call_rows == []
    settle(world)


def test_a_wrong_password_registers_nothing() -> None:
    world = World(1, ONE_SEAT)
    phone = world.add_phone("8001")
    phone.password = "guess"
    phone.register()
    world.run(1.0)
    assert (phone.register_status, phone.is_registered) == (401, False)
    assert world.admin.ask("seat.get", {"seat": "8001"})["phone"]["reachable"] is False


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_both_digests_register(algorithm: str) -> None:
    """RFC 8760: both are offered, either is taken."""
    world = World(1, ONE_SEAT)
    phone = world.add_phone("8001", algorithm=algorithm)
    phone.register()
    world.run(1.0)
    assert phone.is_registered
    phone.unregister()
    world.run(1.0)
    assert not phone.is_registered
    assert not world.node.stack.is_reachable("8001")


def test_a_full_queue_is_486() -> None:
    world = World(1, Town(juniors=1, max_waiting=2))
    calls = [world.trunk.dial(Errand(caller=f"1380000000{index}", hangs_up_after=9.0)) for index in range(3)]
    world.run(1.0)
    assert [call.status for call in calls] == [200, 200, 486]
    assert [row.outcome for row in world.visit_rows] == ["refused"]
    world.run(10.0)
    settle(world)


def test_an_empty_queue_that_refuses_is_480() -> None:
    world = World(1, Town(juniors=1, when_empty="refuse"))
    call = world.trunk.dial(Errand())
    world.run(1.0)
    assert call.why == "refused 480"
    assert [row.outcome for row in world.visit_rows] == ["refused"]
    settle(world)


def test_a_caller_who_waits_too_long_is_let_go() -> None:
    world = World(1, Town(juniors=1, max_wait=30.0))
    call = world.trunk.dial(Errand())
    world.run(31.0)
    assert call.why == "bye"
    assert [(row.outcome, row.waited) for row in world.visit_rows] == [
        ("timed_out", pytest.approx(30.0, abs=0.05))
    ]
    settle(world)


def test_a_queue_that_overflows_on_time_out_opens_a_second_visit() -> None:
    world = World(1, Town(juniors=1, max_wait=30.0, on_timeout="queue:complaint"))
    world.trunk.dial(Errand(hangs_up_after=50.0))
    world.run(52.0)
    assert [(row.queue, row.outcome) for row in world.visit_rows] == [
        ("junior", "overflowed"),
        ("complaint", "abandoned"),
    ]
    assert len(world.call_rows) == 1
    settle(world)


def test_early_media_until_a_seat_answers() -> None:
    """answer = "183": music in the early dialog, 200 only when a seat answers."""
    world = staffed(
        Manner(answers_after=4.0, talks_for=3.0), Town(juniors=1, intermediates=0, seniors=0, answer="183")
    )
    caller = world.trunk.dial(Errand())
    world.run(2.0)
    assert caller.status == 183
    assert world.workers.is_playing(caller.rtp)
    world.run(4.0)
    assert caller.status == 200
    assert talks_to(world, caller.rtp, world.phones["8001"].calls[0].rtp)
    world.run(5.0)
    assert caller.why == "bye"
    settle(world)


def test_a_reload_keeps_who_waits_and_who_is_signed_in() -> None:
    world = staffed(BUSY)
    calls = [world.trunk.dial(Errand(caller=f"1380000000{index}")) for index in range(2)]
    world.run(2.0)
    settings = load_settings(
        Town(juniors=2, intermediates=0, seniors=0, wrap_up=1.0).toml(), file="town.toml"
    )
    world.turn(lambda now: world.node.reconfigure(settings, now))
    world.phones["8001"].manner = Manner(answers_after=1.0, talks_for=2.0)
    world.run(40.0)
    assert [call.why for call in calls] == ["bye", "bye"]
    assert answered_by(world, "8001") == ["13800000001", "13800000000"]  # the first backs off
    settle(world)


def test_a_draining_switch_takes_no_new_call_and_keeps_the_old() -> None:
    world = staffed(Manner(answers_after=1.0))
    first = world.trunk.dial(Errand())
    world.run(3.0)
    world.turn(world.node.drain)
    second = world.trunk.dial(Errand(caller="13800000002"))
    world.run(1.0)
    assert (first.state, second.why) == ("talking", "refused 503")
    first.hang_up()
    settle(world)
    assert world.node.is_idle()


def test_a_pause_asked_for_in_a_conversation_is_applied_after_wrap_up() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=5.0))
    world.trunk.dial(Errand())
    world.run(3.0)
    desk = world.agents["8001"].desk
    desk.ask("seat.pause", {"reason": "rest"})
    view = desk.ask("seat.get")
    assert (view["presence"], view["activity"], view["pending"]) == ("ready", "talking", "paused:rest")
    world.run(5.0)
    assert desk.ask("seat.get")["presence"] == "wrapup"
    world.run(30.0)
    view = desk.ask("seat.get")
    assert (view["presence"], view["reason"]) == ("paused", "rest")


def test_a_second_sign_in_takes_the_seat_over() -> None:
    world = staffed()
    desk = Desk(world, world.next_desk())
    desk.ask("session.login", {"hotline": "96198", "seat": "8001", "password": "open-sesame"})
    assert desk.ask("session.whoami")["seat"] == "8001"
    view = world.admin.ask("seat.get", {"seat": "8001"})
    assert (view["presence"], view["activity"]) == ("ready", "idle")


def test_an_outside_number_is_rung_through_the_trunk() -> None:
    """phones = pstn:...: the agent answers on a mobile behind the carrier."""
    world = World(1, ONE_SEAT)
    world.trunk.manner = Manner(answers_after=3.0, talks_for=6.0)
    world.add_agent("8001", habits=Habits(phone_kind="pstn"))
    world.run(3.0)
    caller = world.trunk.dial(Errand())
    world.run(5.0)
    mobile = next(call for call in world.trunk.calls if not call.is_caller)
    assert mobile.invite.uri == "sip:1390008001@203.0.113.10:5060"
    assert talks_to(world, caller.rtp, mobile.rtp)
    world.run(8.0)
    assert [(row.outcome, row.phone) for row in world.offer_rows] == [("answered", "pstn:1390008001")]
    settle(world)


def test_a_mailbox_that_answers_for_a_seat_takes_no_call() -> None:
    """The mobile answers and hangs up, then answers and says nothing, then a person presses 1: two misses
    and a talk; the caller hears its music throughout and keeps its place.
    """
    free = "{no_answer = {pause_after = 0}, refused = {}, unreachable = {}}"
    world = World(1, replace(ONE_SEAT, accept_key="1", missed=free, doors=("pair_back_off = 0",)))
    world.trunk.manner = Manner(answers_after=3.0, talks_for=4.0)
    world.add_agent("8001", habits=Habits(phone_kind="pstn"))
    world.run(3.0)
    caller = world.trunk.dial(Errand())
    world.run(8.5)
    world.trunk.manner = Manner(answers_after=3.0, talks_for=30.0)
    world.run(20.0)
    assert world.workers.playing_to(caller.rtp)[-1:] == ("builtin:music",)
    assert [row.outcome for row in world.offer_rows] == ["missed", "missed"]
    (call,) = world.node.switchboard.calls.values()
    world.turn(lambda now: world.node.switchboard.keys.pressed(call.rings[0], "1", now))
    world.turn(world.node.settle)
    world.run(1.0)
    mobile = next(each for each in reversed(world.trunk.calls) if not each.is_caller)
    assert talks_to(world, caller.rtp, mobile.rtp)
    world.run(40.0)
    assert [row.outcome for row in world.visit_rows] == ["answered"]
    assert [(row.verdict, row.seat) for row in world.call_rows] == [("success", "8001")]
    settle(world)


def test_finished_calls_leave_no_object_and_nothing_for_the_collector() -> None:
    """Twenty calls of every kind; with the collector off, reference counting alone frees them all."""
    world = staffed(Manner(answers_after=0.5, talks_for=1.0), Town(juniors=3, wrap_up=0.0))
    gc.collect()
    gc.disable()
    try:
        for index in range(20):
            patience = None if index % 2 else 0.3
            world.trunk.dial(Errand(caller=f"138000000{index:02}", hangs_up_after=patience))
            world.run(3.0)
        settle(world)
        world.run(60.0)
        assert mortal_objects() == {}
    finally:
        gc.enable()
    assert len(world.call_rows) == 20
