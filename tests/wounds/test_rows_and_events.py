"""Logs, counters and events that are wrong after transfers, parallel rings and restarts (anchors 3.6)."""

from acd.queuelog import QueueLog
from queues.settings import EntrySettings
from tests.acd.conftest import Kit
from tests.simulator.phones import RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import DOMAIN, Town
from tests.simulator.world import World

RING_ALL = Town(juniors=3, intermediates=0, seniors=0, policy="ring-all", wrap_up=5.0)


def test_a_blind_transfer_leaves_one_row_for_each_talk() -> None:
    """asterisk #759, FreePBX #124: transfers are missing in the log, or are of a channel nobody knows."""
    world = staffed(Manner(answers_after=1.0))
    other = world.add_phone("2001", Manner(answers_after=1.0, talks_for=4.0))
    other.register()
    world.trunk.dial(Errand())
    world.run(4.0)
    world.phones["8001"].calls[0].refer("2001", DOMAIN, hangs_up=0.0)
    world.run(10.0)
    first, second = world.call_rows
    assert (first.seat, first.verdict, first.ended_by) == ("8001", "success:transferred", "seat")
    assert (second.entry, second.verdict, second.caller) == ("extension:2001", "success", first.caller)
    assert [row.call for row in world.visit_rows] == [first.call]
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
    settle(world)


def test_a_transfer_is_in_the_queue_log() -> None:
    """The same as lines of Asterisk's log, in full."""
    world = staffed(Manner(answers_after=1.0))
    other = world.add_phone("2001", Manner(answers_after=1.0, talks_for=4.0))
    other.register()
    world.trunk.dial(Errand())
    world.run(4.0)
    world.phones["8001"].calls[0].refer("2001", DOMAIN, hangs_up=0.0)
    world.run(10.0)
    log = QueueLog()
    lines = [line.split("|") for row in world.rows for line in log.take(row)]
    call = world.visit_rows[0].call
    told = [[seat, event, *data] for _, known, _, seat, event, *data in lines if known == call]
    assert told == [
        ["NONE", "ENTERQUEUE", "", "", "1"],
        ["8001", "CONNECT", "1", f"{call}.1", "1"],
        ["8001", "BLINDTRANSFER", "2001", "default", "1", "3", "1"],
    ]


def test_whoever_hangs_up_the_seat_is_done_and_told_of() -> None:
    """asterisk #393: AgentComplete is missing after some ways of hanging up."""
    for who in ("caller", "seat"):
        world = staffed(Manner(answers_after=1.0))
        caller = world.trunk.dial(Errand())
        world.run(4.0)
        (caller if who == "caller" else world.phones["8001"].calls[0]).hang_up()
        world.run(1.0)
        assert [row.ended_by for row in world.call_rows] == [who]
        assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
        settle(world)


def test_a_visit_has_one_outcome(kit: Kit) -> None:
    """ASTERISK-25665, kazoo PR #5324: EXITEMPTY and ABANDON for one caller, several statistics per call."""
    floor = kit.floor((kit.queue(entry=EntrySettings(max_wait_empty=10.0)),), (kit.seat("8001"),))
    floor.join("x")
    floor.at(10.0)
    floor.leave("x")
    floor.leave("x")
    assert [(row.outcome, row.cause) for row in floor.visits()] == [("timed_out", "empty")]
    total = floor.engine.queues[floor.visits()[0].queue].statistics.total
    assert (total.timed_out, total.abandoned, total.offered) == (1, 0, 1)


def test_figures_without_calls_are_unknown(kit: Kit) -> None:
    """ASTERISK-27204, -26559: a mean that begins somewhere, a service level that says little. Null until
    something was asked; every formula follows from counters.
    """
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    view = next(iter(floor.engine.queues.values())).statistics.total.as_dict()
    assert view["answered"] == 0
    world = World(1)
    figures = world.admin.ask("queue.statistics", {"queue": "junior"})
    assert figures["asa"] is None


def test_a_ring_at_many_seats_leaves_one_row_each_and_one_talk() -> None:
    """mikopbx #1084, #1100, #771, #741: rows and recordings are lost where a queue rings several agents."""
    world = staffed(RINGS_FOR_EVER, RING_ALL)
    world.phones["8002"].manner = Manner(answers_after=2.0, talks_for=5.0)
    world.trunk.dial(Errand())
    world.run(10.0)
    (call,), (visit,) = world.call_rows, world.visit_rows
    assert (call.seat, visit.seat, call.call) == ("8002", "8002", visit.call)
    assert sorted((row.seat, row.outcome) for row in world.offer_rows) == [
        ("8001", "withdrawn"),
        ("8002", "answered"),
        ("8003", "withdrawn"),
    ]
    assert {row.visit for row in world.offer_rows} == {visit.visit}
    settle(world)


def test_rounds_that_are_tried_again_stay_one_visit() -> None:
    """mikopbx #316, #395: every retried round becomes a call of its own."""
    world = staffed(Manner(answers_after=1.0, refuses=486))
    caller = world.trunk.dial(Errand(hangs_up_after=100.0))
    world.run(30.0)
    world.phones["8001"].manner = Manner(answers_after=1.0, talks_for=3.0)
    world.run(30.0)
    assert caller.why == "bye"
    assert len(world.call_rows) == len(world.visit_rows) == 1
    assert [row.outcome for row in world.offer_rows][-1] == "answered"
    assert len(world.offer_rows) >= 3
    settle(world)


def test_a_transfer_that_fails_leaves_the_call_and_its_row_as_they_were() -> None:
    """mikopbx #1125: the recording ends with a consult that failed."""
    world = staffed(Manner(answers_after=1.0))
    other = world.add_phone("2001", Manner(answers_after=1.0, refuses=486))
    other.register()
    caller = world.trunk.dial(Errand())
    world.run(4.0)
    seat = world.phones["8001"].calls[0]
    seat.refer("2001", DOMAIN)
    world.run(3.0)
    assert (caller.state, seat.state) == ("talking", "talking")
    assert world.workers.are_joined(caller.rtp, seat.rtp)
    caller.hang_up()
    world.run(1.0)
    row = next(row for row in world.call_rows if row.seat == "8001")
    assert (row.verdict, row.ended_by) == ("success", "caller")
    settle(world)


def test_nothing_is_left_of_calls_that_were_transferred() -> None:
    """ASTERISK-28829, -25844: subscriptions leak when a channel takes the place of another."""
    world = staffed(Manner(answers_after=1.0))
    other = world.add_phone("2001", Manner(answers_after=1.0, talks_for=2.0))
    other.register()
    for number in range(3):
        world.trunk.dial(Errand(caller=f"1380000000{number}"))
        world.run(4.0)
        world.phones["8001"].calls[-1].refer("2001", DOMAIN, hangs_up=0.0)
        world.run(10.0)
        world.admin.ask("supervisor.force_ready", {"seat": "8001"})
    settle(world)
    assert [row.verdict for row in world.call_rows].count("success:transferred") == 3


def test_events_that_were_missed_are_told_on_return() -> None:
    """AsterNET #190, #273: what happens while a client is away is lost for it."""
    world = staffed(Manner(answers_after=1.0, talks_for=3.0))
    seen = world.admin.subscribe(["seat", "call"])["seq"]
    world.admin.close()
    world._admin = None
    world.trunk.dial(Errand())
    world.run(8.0)
    again = world.admin.ask("events.subscribe", {"topics": ["seat", "call"], "since": seen})
    assert again["seq"] >= seen
    told = [event["data"].get("activity") for event in world.admin.events if event["topic"] == "seat"]
    assert "talking" in told
    assert told[-1] == "idle"
    settle(world)


def test_a_caller_that_ends_in_the_instant_of_the_answer_leaves_no_call_at_the_seat() -> None:
    """freeswitch #2529: a zombie call to the agent. The caller's BYE and the seat's 200 cross."""
    world = staffed(Manner(answers_after=2.0))
    caller = world.trunk.dial(Errand())
    world.run_until(lambda: world.phones["8001"].calls != [], 2.0, "the seat rings")
    world.run(1.999)
    caller.hang_up()
    world.run(3.0)
    assert world.phones["8001"].calls[0].has_ended
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] == "idle"
    assert len(world.call_rows) == 1
    settle(world)


def test_silent_phones_of_five_seats_cost_one_ring_each_and_all_are_free_again() -> None:
    """freeswitch #1062: five agents, and everything is stuck in Trying."""
    town = Town(juniors=5, intermediates=0, seniors=0, ring_for=10.0, max_wait=90.0)
    world = staffed(Manner(is_silent=True), town)
    for number in range(5):
        world.trunk.dial(Errand(caller=f"1380000000{number}"))
    world.run(150.0)
    states = [world.admin.ask("seat.get", {"seat": seat})["activity"] for seat in town.seats]
    assert [state for state in states if state not in ("idle", "unreachable")] == []
    assert [row.outcome for row in world.visit_rows] == ["timed_out"] * 5
    settle(world)


def test_a_lost_bye_of_the_seat_does_not_lock_it() -> None:
    """opensips #2530, #3123: an agent is locked in a call whose BYE was lost."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    world.phones["8001"].vanish()
    world.run(90.0)
    assert caller.why == "bye"
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] in ("idle", "unreachable")
    settle(world)
