"""The queue tests of Asterisk's own test suite (commit 379b3a56), each as one of ours and by the same name.

Where its semantics are not ours the docstring says what is theirs, and the test what is ours.
"""

import pytest

from acd.events import QueueChanged, SeatChanged
from acd.inputs import Reconfigured, SignedIn
from kernel.ids import CallId, QueueName, SeatId
from queues.settings import MissedRule, MissedRules
from tests.acd.conftest import Floor, Kit
from tests.simulator.phones import RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import Town

TWO = Town(juniors=2, intermediates=0, seniors=0, ring_for=5.0, max_wait=20.0, wrap_up=0.0)


def test_queue_baseline(kit: Kit) -> None:
    """One call, one seat: joined, offered, left answered; the seat reserved, ringing, talking, free: in
    this order.
    """
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), wrap_up=5.0)
    floor.sign_in("8001")
    floor.events.clear()
    floor.join("x")
    floor.rang("8001")
    floor.answer("8001")
    floor.end_talk("8001")
    told = [event.what for event in floor.events if isinstance(event, QueueChanged)]
    assert told == ["joined", "offered", "left"]
    rows = [(row.presence, row.activity) for row in floor.presences("8001")[-4:]]
    assert rows == [("ready", "reserved"), ("ready", "ringing"), ("ready", "talking"), ("wrapup", "idle")]


# (priority, position they ask for, position they get, position here)
ARRIVALS = (
    (0, None, 1, 1),
    (0, None, 2, 2),
    (1, None, 1, 1),
    (1, None, 2, 2),
    (2, None, 1, 1),
    (0, 5, 5, 6),
    (0, 200, 7, 7),
    (0, 1, 4, 8),
    (8, 3, 1, 1),
    (1, 7, 5, 5),
    (1, 4, 4, 6),
    (2, 5, None, None),
)


def test_position_priority_maxlen(kit: Kit) -> None:
    """Eleven callers by priority, theirs also by a position they ask for; the twelfth finds the queue full.

    Here nobody asks for a position: credit alone decides, so that the table agrees wherever none is asked
    for, and where priority beats the position. A priority is a credit of 1,000 s.
    """
    floor = kit.floor((kit.queue(max_waiting=11),), (kit.seat("8001"),))
    got: list[int | None] = []
    for number, (priority, _, _, _) in enumerate(ARRIVALS):
        call = CallId(f"c{number}")
        floor.join(call, credit=1000.0 * priority)
        got.append(floor.engine.position(call, floor.now))
    assert got == [ours for _, _, _, ours in ARRIVALS]
    agree = [theirs == ours for _, wanted, theirs, ours in ARRIVALS if wanted is None]
    assert all(agree)
    assert [(row.outcome, row.cause) for row in floor.visits()] == [("refused", "full")]


def test_set_penalty(kit: Kit) -> None:
    """Theirs: a member's penalty in one queue or in all. Here the level is the seat's own, and one change
    of the configuration is told once, of that seat alone.
    """
    seats = (kit.seat("8001"), kit.seat("8002"))
    floor = kit.floor((kit.queue(), kit.queue("senior", 2)), seats)
    floor.sign_in("8001", "8002")
    floor.events.clear()
    promoted = (kit.seat("8001", 2, ("junior", "senior")), kit.seat("8002"))
    floor.do(Reconfigured(kit.settings((kit.queue(), kit.queue("senior", 2)), promoted)))
    told = [event.seat for event in floor.events if isinstance(event, SeatChanged)]
    assert [seat for seat in told if seat == "8002"] == []
    assert floor.engine.seat_object(SeatId("8001"), floor.now)["level"] == "senior"
    floor.join("x", "senior")
    assert floor.ringing() == {"x": "8001"}


def test_reload_queue_members(kit: Kit) -> None:
    """After a reload the queue has exactly the six seats of the new configuration."""
    floor = kit.floor((kit.queue(),), tuple(kit.seat(f"900{index}") for index in range(3)))
    new = tuple(kit.seat(f"800{index}") for index in range(6))
    floor.do(Reconfigured(kit.settings((kit.queue(),), new)))
    assert list(floor.engine.seats) == [f"800{index}" for index in range(6)]
    serving = [seat.id for seat in floor.engine._board.seats_of(QueueName("junior"))]
    assert serving == [f"800{index}" for index in range(6)]


def test_queue_no_answer() -> None:
    """Nobody answers: the caller leaves when the longest wait is over; rows say missed, missed and timed
    out.
    """
    world = staffed(RINGS_FOR_EVER, TWO)
    caller = world.trunk.dial(Errand())
    world.run(40.0)
    assert caller.why == "bye"
    assert [(row.outcome, row.cause) for row in world.visit_rows] == [("timed_out", "max_wait")]
    assert {row.outcome for row in world.offer_rows} == {"missed"}
    assert [row.verdict for row in world.call_rows] == ["us:max_wait"]
    settle(world)


def paused(*numbers: str) -> tuple[Floor, Kit]:
    kit = Kit()
    floor = kit.floor((kit.queue(max_wait=30.0),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    for number in numbers:
        floor.pause(number)
    return floor, kit


def test_queue_all_paused_no_answer() -> None:
    """All seats are paused: none is rung, the caller leaves when the longest wait is over."""
    floor, _ = paused("8001", "8002")
    floor.join("x")
    floor.at(30.0)
    assert floor.rings() == []
    assert [row.outcome for row in floor.visits()] == ["timed_out"]


def test_queue_one_paused_no_answer() -> None:
    """Only the seat that is not paused is rung."""
    floor, _ = paused("8001")
    floor.join("x")
    floor.at(24.9)
    assert floor.rings() == [("x", "8002")]


def test_queue_penalty_outside_range(kit: Kit) -> None:
    """The only seat is of a level outside of what the call may have: it is not rung, the caller leaves in
    time.
    """
    floor = kit.floor((kit.queue("q", 1, 2, max_wait=30.0),), (kit.seat("8001", 0, ("q",)),))
    floor.sign_in("8001")
    floor.join("x", "q")
    floor.at(30.0)
    assert floor.rings() == []
    assert [row.outcome for row in floor.visits()] == ["timed_out"]


def test_ringinuse_and_pause(kit: Kit) -> None:
    """A busy seat is not rung and not paused, one that does not answer is paused, a paused is not rung."""
    missed = MissedRules(no_answer=MissedRule(pause_after=1))
    numbers = ("8001", "8002", "8003")
    floor = kit.floor((kit.queue(missed=missed, policy="top-down"),), tuple(map(kit.seat, numbers)))
    floor.sign_in(*numbers)
    floor.join("busy")
    floor.answer("8001")
    floor.pause("8003")
    floor.join("x")
    floor.at(25.0)
    assert floor.rings() == [("busy", "8001"), ("x", "8002")]
    states = [floor.state(number) for number in numbers]
    assert states == ["ready talking", "paused idle", "paused idle"]


def test_wrapup_time(kit: Kit) -> None:
    """Two queues share two seats. Theirs: without shared_lastcall the same member at once in the other
    queue. Here wrap-up is the seat's, so the second call goes to the other seat and the third finds nobody.
    """
    names = ("a", "b")
    seats = tuple(kit.seat(number, 0, names) for number in ("8001", "8002"))
    floor = kit.floor(tuple(map(kit.queue, names)), seats, wrap_up=30.0)
    floor.sign_in("8001", "8002")
    for call, name, number in (("x", "a", "8001"), ("y", "b", "8002")):
        floor.join(call, name)
        assert floor.ringing() == {call: number}
        floor.answer(number)
        floor.end_talk(number)
    floor.join("z", "a")
    assert floor.ringing() == {}
    floor.at(30.0)
    assert floor.ringing() == {"z": "8001"}


@pytest.mark.parametrize(("own", "until"), [(None, 20.0), (7.0, 7.0)])
def test_wrapup_time_per_member(kit: Kit, own: float | None, until: float) -> None:
    """The seat's own wrap-up goes before its queue's, which goes before its level's."""
    floor = kit.floor((kit.queue(wrap_up=20.0),), (kit.seat("8001", wrap_up=own),), wrap_up=30.0)
    floor.sign_in("8001")
    floor.join("x")
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.seat("8001").wrapup_until == until


def test_reason_pause_ami(kit: Kit) -> None:
    """The reason of a pause is told."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.do(SignedIn(SeatId("8001"), "s", presence="paused", reason="meeting"))
    assert floor.engine.seat_object(SeatId("8001"), 1.0)["reason"] == "meeting"
    assert floor.presences("8001")[-1].reason == "meeting"


def test_queue_member_forward() -> None:
    """A seat's phone answers 302 without a target: the offer ends, the caller waits on (valid targets:
    tests/calls/test_redirect.py).
    """
    world = staffed(Manner(answers_after=1.0, refuses=302), TWO)
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    assert caller.state == "talking"
    assert world.offer_rows[0].outcome in ("refused", "failed")
    caller.hang_up()
    settle(world)


def test_queue_transfer_callee() -> None:
    """Theirs: the agent goes on to an extension when the caller hangs up. Here it wraps up, and is free
    after it.
    """
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    caller.hang_up()
    world.run(1.0)
    assert world.phones["8001"].calls[0].why == "bye"
    assert world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "wrapup"
    settle(world)


def test_caller_blind() -> None:
    """Theirs: the caller transfers the agent away. Here who comes from a trunk leads a call nowhere: 403,
    and the talk goes on.
    """
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    caller.refer("2001", "sim.example")
    world.run(1.0)
    assert any("REFER to 2001: 403" in line for line in world.story)
    assert caller.state == world.phones["8001"].calls[0].state == "talking"
    caller.hang_up()
    settle(world)


def test_redirect() -> None:
    """A caller is taken out of its talk by an operator: rows, seat and streams are in order, nothing is
    left.
    """
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    call = next(iter(world.node.switchboard.calls))
    world.turn(lambda now: world.node.hang_up(call, "operator", now))
    world.run(1.0)
    assert caller.why == "bye"
    assert [(row.ended_by, row.seat) for row in world.call_rows] == [("switch", "8001")]
    settle(world)


def test_app_queue_cdr_and_accountcode() -> None:
    """Theirs: dispositions, and an account code that reaches the agent's leg. Here every row of a call
    carries its id, tenant, trunk and entry, through a refusal and the answer.
    """
    world = staffed(Manner(answers_after=1.0), TWO)
    world.phones["8001"].manner = Manner(answers_after=1.0, refuses=486)
    world.trunk.dial(Errand(hangs_up_after=10.0))
    world.run(15.0)
    (call,), (visit,) = world.call_rows, world.visit_rows
    assert (call.tenant, call.trunk, call.entry, call.seat) == ("demo", "carrier", "queue:junior", "8002")
    assert visit.call == call.call
    assert [(row.visit, row.outcome) for row in world.offer_rows] == [
        (visit.visit, "refused"),
        (visit.visit, "answered"),
    ]
    settle(world)


def test_agents_login_errors(kit: Kit) -> None:
    """Theirs (apps/agents): login errors, acknowledge, request. Here each refusal of a sign-in has its
    word.
    """
    seats = (kit.seat("8001"), kit.seat("8002", 0, ()))
    floor = kit.floor((kit.queue(),), seats)
    assert floor.refused(SignedIn(SeatId("9999"), "s")) == "NO_SUCH_SEAT"
    assert floor.refused(SignedIn(SeatId("8002"), "s")) == "NOT_IN_QUEUE"
    assert (
        floor.refused(SignedIn(SeatId("8001"), "s", phone_kind="pstn", phone_number="1"))
        == "PHONE_NOT_REGISTERED"
    )
    assert floor.refused(SignedIn(SeatId("8001"), "s", presence="paused", reason="none")) == "BAD_PAUSE"
