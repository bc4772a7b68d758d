"""Faults of networks, phones and media against one whole switch: stories in virtual time."""

import pytest

from tests.simulator.checkers import answered_by, talks_to
from tests.simulator.network import Weather
from tests.simulator.phones import RINGS_FOR_EVER, SILENT, Errand, Manner
from tests.simulator.stories import ONE_SEAT, settle, staffed
from tests.simulator.town import CARRIER, DOMAIN, SWITCH, Town
from tests.simulator.world import BEGIN, EPOCH, World

TWO_SEATS = Town(juniors=2, intermediates=0, seniors=0, wrap_up=0.0)


def test_a_phone_that_says_nothing_costs_one_ring_time() -> None:
    """No response at all to the INVITE: the offer is over after ring_for, and the caller still waits."""
    world = staffed(SILENT)
    caller = world.trunk.dial(Errand())
    world.run(26.0)
    (offer,) = world.offer_rows
    assert offer.outcome in ("missed", "failed")
    assert offer.rang <= 25.1
    assert caller.state == "talking"
    caller.hang_up()
    settle(world)


def test_the_next_seat_is_rung_when_the_first_phone_is_dead() -> None:
    world = staffed(SILENT, TWO_SEATS)
    world.phones["8002"].manner = Manner(answers_after=1.0, talks_for=5.0)
    callers = [world.trunk.dial(Errand(caller=f"1380000000{index}")) for index in range(2)]
    world.run(60.0)
    assert [caller.why for caller in callers] == ["bye", "bye"]
    assert len(answered_by(world, "8002")) == 2
    settle(world)


def test_a_phone_that_vanishes_in_a_conversation_ends_it_by_its_silence() -> None:
    """No RTP for 60 s: both sides are let go, the row says whose fault it was."""
    world = staffed(Manner(answers_after=1.0, vanishes_after=5.0))
    caller = world.trunk.dial(Errand())
    world.run(90.0)
    assert caller.why == "bye"
    (row,) = world.call_rows
    assert row.verdict.partition(":")[0] == "network"
    assert 60.0 <= row.ended_at - row.answered_at <= 75.0
    settle(world)


def test_a_vanished_phone_is_unreachable_until_it_registers_again() -> None:
    world = staffed()
    world.phones["8001"].vanish()
    world.run(120.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "unreachable"
    world.phones["8001"].restart()
    world.run(1.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "idle"


def test_a_lost_bye_of_the_caller_is_repeated_and_leaves_one_row() -> None:
    """RFC 3261 17.1.2.2: 0.5, 1.5, 3.5 s; the network is back after 2 s."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(5.0)
    world.network.block(CARRIER[0], SWITCH[0])
    caller.hang_up()
    world.run(2.0)
    assert world.call_rows == []
    world.network.heal()
    world.run(2.0)
    assert [row.ended_by for row in world.call_rows] == ["caller"]
    settle(world)


def test_a_bye_of_ours_that_nobody_hears_frees_everything_all_the_same() -> None:
    """The trunk is silent when the seat hangs up: the BYE is given up after 64*T1."""
    world = staffed(Manner(answers_after=1.0, talks_for=3.0))
    world.trunk.dial(Errand())
    world.run(3.0)
    world.trunk.vanish()
    world.run(3.0)
    assert [row.verdict for row in world.call_rows] == ["success"]
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
    settle(world)


def test_a_carrier_that_forgets_a_call_answers_481_and_the_call_is_gone() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=20.0))
    world.trunk.dial(Errand(vanishes_after=5.0))
    world.run(30.0)
    assert len(world.call_rows) == 1
    settle(world)


def test_a_waiting_caller_whose_carrier_dies_does_not_wait_for_ever() -> None:
    world = World(1, ONE_SEAT)
    world.trunk.dial(Errand(vanishes_after=5.0))
    world.run(700.0)
    (visit,) = world.visit_rows
    assert visit.outcome in ("abandoned", "timed_out")
    settle(world)


def test_a_phone_that_moves_to_another_port_is_rung_there() -> None:
    """The old contact is dead; the seat has the new one, and the caller is answered."""
    world = staffed(Manner(answers_after=1.0, talks_for=2.0))
    world.phones["8001"].unregister()
    world.run(0.1)
    world.phones["8001"].move(5062)
    world.run(1.0)
    caller = world.trunk.dial(Errand())
    world.run(6.0)
    assert caller.why == "bye"
    assert world.phones["8001"].calls[0].invite.uri.startswith("sip:8001@198.51.100.1:5062")
    settle(world)


def test_a_call_rings_both_contacts_of_a_phone_that_did_not_unregister() -> None:
    """The dead contact must not keep the living one from answering."""
    world = staffed(Manner(answers_after=1.0, talks_for=2.0))
    world.phones["8001"].move(5062)
    world.run(1.0)
    caller = world.trunk.dial(Errand())
    world.run(6.0)
    assert caller.why == "bye"
    settle(world)


def test_a_rebound_phone_is_reached_where_it_registers_next() -> None:
    """The NAT gives the phone another outside port; its refresh arrives from there."""
    world = staffed(Manner(answers_after=1.0, talks_for=2.0))
    phone = world.phones["8001"]
    world.network.rebind(phone.address, (phone.address[0], 41000))
    phone.register()
    world.run(1.0)
    caller = world.trunk.dial(Errand())
    world.run(6.0)
    assert caller.why == "bye"
    settle(world)


def test_a_media_worker_that_dies_does_not_end_the_conversation() -> None:
    """Streams are reopened on the same ports, joined as before."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(5.0)
    seat = world.phones["8001"].calls[0]
    ports = (caller.remote_sdp.port, seat.remote_sdp.port)
    world.workers.crash()
    world.run(2.0)
    assert talks_to(world, caller.rtp, seat.rtp)
    assert tuple(world.workers.stream_of(call.rtp).local_port for call in (caller, seat)) == ports
    caller.hang_up()
    settle(world)


def test_a_waiting_caller_hears_music_again_after_the_worker_died() -> None:
    world = World(1, ONE_SEAT)
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    world.workers.crash()
    world.run(2.0)
    assert world.workers.is_playing(caller.rtp)
    caller.hang_up()
    settle(world)


def test_a_switch_without_ports_refuses_and_recovers() -> None:
    """Two port pairs, three callers: 503 for the third, and its port is used again later."""
    world = World(1, Town(juniors=1, ports=(20000, 20003)))
    callers = [
        world.trunk.dial(Errand(caller=f"1380000000{index}", hangs_up_after=5.0)) for index in range(3)
    ]
    world.run(2.5)
    assert [caller.status for caller in callers] == [200, 200, 503]
    world.run(10.0)
    assert world.trunk.dial(Errand(caller="13800000009", hangs_up_after=2.0)) is not None
    world.run(1.0)
    assert world.trunk.calls[-1].status == 200
    settle(world)


def test_a_refused_transport_is_a_failed_offer_at_once() -> None:
    """ICMP: the phone's port is closed; nobody waits for a time-out."""
    world = staffed(RINGS_FOR_EVER)
    world.network.tells_unreachable = True
    world.network.detach(world.phones["8001"].address)
    world.trunk.dial(Errand(hangs_up_after=3.0))
    world.run(1.0)
    assert [row.outcome for row in world.offer_rows] == ["failed"]
    world.run(3.0)
    settle(world)


def test_sign_out_while_ringing_is_deferred_or_refused_but_never_loses_the_call() -> None:
    world = staffed(Manner(answers_after=4.0, talks_for=2.0))
    world.trunk.dial(Errand())
    world.run(2.0)
    world.agents["8001"].desk.send("session.logout", {}, lambda _: None)
    world.run(60.0)
    assert [row.outcome for row in world.visit_rows] == ["answered"]
    settle(world)


def test_a_call_whose_extension_disappears_ends_as_unreachable() -> None:
    world = World(1, ONE_SEAT)
    one = world.add_phone("2001")
    one.register()
    world.run(1.0)
    call = one.invite("2002", to_host=DOMAIN)
    world.run(1.0)
    assert call.why == "refused 480"
    settle(world)


def test_a_phone_on_tcp_is_rung_over_its_connection() -> None:
    """RFC 5626: the flow it registered over; bytes arrive cut into pieces anywhere."""
    world = World(1, ONE_SEAT)
    world.add_agent("8001", Manner(answers_after=1.0, talks_for=3.0), tcp=True)
    world.run(3.0)
    caller = world.trunk.dial(Errand())
    world.run(8.0)
    assert caller.why == "bye"
    assert [row.outcome for row in world.offer_rows] == ["answered"]
    settle(world)


def test_a_phone_whose_connection_is_cut_is_unreachable_until_it_registers_again() -> None:
    world = World(1, ONE_SEAT)
    world.add_agent("8001", Manner(answers_after=1.0, talks_for=3.0), tcp=True)
    world.run(3.0)
    world.phones["8001"].cut_connection()
    world.run(0.1)
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "unreachable"
    world.phones["8001"].register()
    world.run(0.5)
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "idle"


def test_a_conversation_survives_the_loss_of_its_connection() -> None:
    """The dialog is reached again over the connection of the next registration."""
    world = World(1, ONE_SEAT)
    world.add_agent("8001", Manner(answers_after=1.0), tcp=True)
    world.run(3.0)
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    world.phones["8001"].cut_connection()
    world.run(0.1)
    world.phones["8001"].register()
    world.run(1.0)
    assert caller.state == "talking"
    caller.hang_up()
    world.run(2.0)
    assert world.phones["8001"].calls[0].why == "bye"
    settle(world)


def test_a_conversation_follows_its_phone_through_a_nat_rebinding() -> None:
    """The outside port changes in the call; after the next REGISTER our BYE goes to the new one."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    phone = world.phones["8001"]
    world.network.rebind(phone.address, (phone.address[0], 41000))
    phone.register()
    world.run(1.0)
    caller.hang_up()
    world.run(2.0)
    assert phone.calls[0].why == "bye"
    settle(world)


def test_a_clock_that_jumps_changes_no_duration() -> None:
    """The wall clock is set back an hour while a caller waits and an agent wraps up."""
    world = staffed(Manner(answers_after=2.0, talks_for=5.0))
    world.trunk.dial(Errand())
    world.run(1.0)
    world.node.set_clock(EPOCH - BEGIN - 3600.0)
    world.run(10.0)
    (call,), (visit,) = world.call_rows, world.visit_rows
    assert visit.waited == pytest.approx(2.0, abs=0.05)
    assert call.talked == pytest.approx(5.0, abs=0.05)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
    world.run(30.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "ready"


def test_a_switch_that_was_killed_comes_back_with_its_registrations_and_seats() -> None:
    """From the journal: the phone is registered, the seat ready, and the next caller is answered."""
    world = staffed(Manner(answers_after=1.0, talks_for=3.0))
    world.restart_switch()
    world.run(1.0)
    view = world.admin.ask("seat.get", {"seat": "8001"})
    assert (view["presence"], view["activity"], view["phone"]["reachable"]) == ("ready", "idle", True)
    caller = world.trunk.dial(Errand())
    world.run(6.0)
    assert caller.why == "bye"
    settle(world)


def test_wrap_up_goes_on_where_it_was_after_a_restart() -> None:
    world = staffed(Manner(answers_after=1.0, talks_for=3.0))
    world.trunk.dial(Errand())
    world.run(15.0)
    world.restart_switch()
    world.run(18.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
    world.run(3.0)
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "ready"


@pytest.mark.parametrize("seed", range(12))
def test_every_caller_is_served_through_bad_weather(seed: int) -> None:
    """10 % loss, duplicates and reordering: ten callers, ten conversations, ten rows."""
    world = World(seed, Town(juniors=2, intermediates=0, seniors=0, wrap_up=1.0))
    for seat in world.town.seats:
        world.add_agent(seat, Manner(answers_after=1.0, talks_for=4.0))
    world.run(5.0)
    world.network.weather = Weather(delay=0.01, jitter=0.03, loss=0.1, duplicate=0.05, reorder=0.1)
    for index in range(10):
        world.time.after(
            index * 2.0, lambda index=index: world.trunk.dial(Errand(caller=f"1380000000{index}"))
        )
    world.run(150.0)
    world.network.heal()
    settle(world)
    assert [row.verdict for row in world.call_rows] == ["success"] * 10
