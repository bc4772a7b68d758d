"""Pauses in some queues: the seat goes on in the others, and everything says so."""

from typing import Any

from acd.inputs import QueuesPaused, QueuesReady, SeatMoved, SeatRestored
from kernel.ids import CallId, QueueName, SeatId
from queues.settings import EntrySettings

S = SeatId("8001")
JUNIOR, SECOND = QueueName("junior"), QueueName("second")


def two_queues(kit: Any, **more: Any) -> Any:
    """8001 serves both, 8002 the second alone; both are signed in."""
    queues = (kit.queue(**more), kit.queue("second"))
    seats = (kit.seat("8001", queues=("junior", "second")), kit.seat("8002", queues=("second",)))
    floor = kit.floor(queues, seats)
    floor.sign_in("8001", "8002")
    return floor


def test_a_seat_takes_the_calls_of_its_other_queues_alone(kit: Any) -> None:
    floor = two_queues(kit)
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    assert floor.state("8001") == "ready idle"
    floor.join("a")
    assert floor.ringing() == {}
    floor.join("b", "second")
    floor.join("c", "second")
    assert floor.ringing() == {"b": "8002", "c": "8001"}
    floor.answer("8001")
    floor.do(QueuesReady(S, ("junior",)))
    floor.end_talk("8001")
    assert floor.ringing()["a"] == "8001"


def test_it_is_offered_who_waits_when_it_is_back(kit: Any) -> None:
    floor = two_queues(kit)
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    floor.join("a")
    floor.do(QueuesReady(S, ("junior",)))
    assert floor.ringing() == {"a": "8001"}


def test_what_rings_rings_on(kit: Any) -> None:
    floor = two_queues(kit)
    floor.join("a")
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    assert floor.ringing() == {"a": "8001"}
    floor.answer("8001")
    floor.end_talk("8001")
    floor.join("b")
    assert floor.ringing() == {}


def test_calls_with_skills_of_their_own_do_not_find_it_either(kit: Any) -> None:
    floor = two_queues(kit)
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    floor.join("a", skills=())
    floor.join("b", seat="8001")
    assert floor.ringing() == {}
    assert floor.engine.waiting(CallId("b")).wanted_seat is None  # it is away: anybody may have the call


def test_who_waits_for_the_seat_goes_to_anybody_when_it_leaves_the_queue(kit: Any) -> None:
    seats = (kit.seat("8001", queues=("junior", "second")), kit.seat("8002"))
    floor = kit.floor((kit.queue(), kit.queue("second")), seats)
    floor.sign_in("8001", "8002")
    floor.pause("8001")
    floor.join("a", seat="8001")
    assert floor.ringing() == {}
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    assert floor.ringing() == {"a": "8002"}


def test_it_is_refused_where_it_means_nothing(kit: Any) -> None:
    floor = two_queues(kit)
    assert floor.refused(QueuesPaused(S, ("junior", "nowhere"), "rest")) == "NOT_IN_QUEUE"
    assert floor.refused(QueuesPaused(S, ("junior",), "holiday")) == "BAD_PAUSE"
    assert floor.refused(QueuesReady(S, ("junior",))) == "ALREADY_READY"
    assert floor.refused(QueuesPaused(SeatId("9"), ("junior",), "rest")) == "NO_SUCH_SEAT"
    floor.sign_out("8001")
    assert floor.refused(QueuesPaused(S, ("junior",), "rest")) == "NOT_LOGGED_IN"


def test_rows_and_views_say_where_and_why(kit: Any) -> None:
    floor = two_queues(kit)
    floor.at(10.0)
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    floor.at(20.0)
    floor.do(QueuesPaused(S, ("junior",), "rest"))  # nothing new: no row
    floor.do(QueuesPaused(S, ("junior",), "meeting"))
    view = floor.engine.seat_object(S, floor.now)
    assert (view["paused_in"], view["presence"], view["reason"]) == ({"junior": "meeting"}, "ready", "")
    assert view["since"] == floor.walltime.text(0.0)  # of the presence, which is as before
    floor.do(QueuesReady(S, ("junior", "second")))
    causes = [row.cause for row in floor.presences("8001")][-3:]
    assert causes == ["paused_in:junior:rest", "paused_in:junior:meeting", "unpaused_in:junior:meeting"]
    assert floor.states("8001")[-1].paused_in == ""


def test_explanations_name_it(kit: Any) -> None:
    floor = two_queues(kit)
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    floor.join("a")
    told = floor.engine.explain_call(CallId("a"), floor.now)
    (seat,) = told["seats"]
    assert [(test["test"], test["is"]) for test in seat["failed"]] == [("not_paused_here", "rest")]


def test_a_queue_that_everybody_has_left_is_empty(kit: Any) -> None:
    floor = two_queues(kit, when_empty="refuse", entry=EntrySettings(on_empty="queue:second"))
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    assert floor.engine.queues[JUNIOR].present == 0
    assert floor.engine.queues[SECOND].present == 2
    floor.join("a")
    assert floor.visits()[-1].cause == "empty"
    assert floor.ringing() == {"a": "8002"}


def test_it_ends_with_the_sign_out_and_outlives_a_restart(kit: Any) -> None:
    floor = two_queues(kit)
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    kept = floor.states("8001")[-1]
    assert kept.paused_in == '{"junior":"rest"}'
    floor.sign_out("8001")
    floor.sign_in("8001")
    assert floor.engine.seat_object(S, floor.now)["paused_in"] == {}
    floor.join("a")
    assert floor.ringing() == {"a": "8001"}

    other = kit.floor((kit.queue(), kit.queue("second")), (kit.seat("8001", queues=("junior", "second")),))
    restored = SeatRestored(
        S, "", "s", "ready", "", 0.0, None, "", "softphone", "8001", paused_in=(("junior", "rest"), ("x", ""))
    )
    other.do(restored)
    assert other.engine.seat_object(S, 0.0)["paused_in"] == {"junior": "rest"}
    other.join("a")
    other.join("b", "second")
    assert other.ringing() == {"b": "8001"}


def test_a_supervisor_moves_a_seat_that_has_paused_in_a_queue(kit: Any) -> None:
    floor = two_queues(kit)
    floor.do(QueuesPaused(S, ("junior",), "rest"))
    floor.do(SeatMoved(S, ("junior",)))
    floor.join("a")
    assert floor.ringing() == {}
    floor.do(QueuesReady(S, ("junior",)))
    assert floor.ringing() == {"a": "8001"}
