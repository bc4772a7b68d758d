"""A caller who gave up and calls again has its place back (anchors: abandoned resume)."""

from typing import Any

from acd.inputs import CallbackChosen, PlaceRestored
from kernel.ids import CallId, QueueName
from kernel.staterows import LeftStateRow
from queues.settings import EntrySettings

EPOCH = 1_800_000_000.0
ME = "13800000001"


def floor_of(kit: Any, within: float = 60.0, **more: Any) -> Any:
    entry = EntrySettings(resume_abandoned=within)
    return kit.floor((kit.queue(entry=entry, **more), kit.queue("other")), (kit.seat("8001"),))


def places(floor: Any) -> list[str]:
    waiting = floor.engine.queues["junior"].waiting.values()
    return [call.call for call in sorted(waiting, key=lambda call: call.place)]


def test_who_calls_again_in_time_has_its_place_back_and_the_row_says_whose(kit: Any) -> None:
    floor = floor_of(kit, priority_credit=5.0)
    floor.join("a", caller=ME)
    floor.at(10.0).join("b")
    floor.at(20.0).leave("a")
    floor.at(80.0).join("again", caller=ME)
    assert places(floor) == ["again", "b"]
    said = floor.engine.explain_call(CallId("again"), floor.now)
    assert (said["waited"], said["credit"], said["resumes"]) == (80.0, 5.0, "a.1")
    floor.sign_in("8001")
    floor.at(82.0).answer("8001")
    first, second = floor.visits()
    assert (first.outcome, first.resumes) == ("abandoned", "")
    assert (second.outcome, second.resumes, second.waited, second.priority_credit) == (
        "answered",
        "a.1",
        2.0,
        85.0,  # with joined_at the place it had
    )


def test_too_late_another_queue_another_number_or_another_time_it_is_a_call_like_any(kit: Any) -> None:
    floor = floor_of(kit)
    floor.join("a", caller=ME)
    floor.at(10.0).leave("a")
    floor.join("other", "other", caller=ME)
    floor.join("neighbour", caller="13800000002")
    floor.at(20.0).join("once", caller=ME)
    floor.join("twice", caller=ME)
    resumed = {it.call: it.resumes for it in floor.engine.queues["junior"].waiting.values()}
    assert resumed == {"neighbour": "", "once": "a.1", "twice": ""}
    late = floor_of(kit)
    late.join("a", caller=ME)
    late.leave("a")
    late.at(60.1).join("late", caller=ME)
    assert late.engine.waiting(CallId("late")).resumes == ""


def test_the_newest_of_several_visits_counts(kit: Any) -> None:
    floor = floor_of(kit)
    floor.join("a", caller=ME)
    floor.at(5.0).join("b", caller=ME)
    floor.at(6.0).leave("a")
    floor.at(7.0).leave("b")
    floor.at(8.0).join("c", caller=ME)
    assert floor.engine.waiting(CallId("c")).resumes == "b.1"
    assert floor.engine.waiting(CallId("c")).joined_at == 5.0


def test_a_place_given_up_again_is_the_first_one_still(kit: Any) -> None:
    floor = floor_of(kit)
    floor.join("a", caller=ME)
    for moment, call in ((10.0, "a"), (70.0, "b")):
        floor.at(moment).leave(call)
        floor.join(chr(ord(call) + 1), caller=ME)
    assert floor.engine.waiting(CallId("c")).joined_at == 0.0
    assert floor.engine.waiting(CallId("c")).resumes == "b.1"


def test_only_who_gave_up_is_remembered_and_only_where_the_queue_says_so(kit: Any) -> None:
    floor = floor_of(kit)
    floor.join("hidden", caller="anonymous")
    floor.leave("hidden")
    floor.join("taken out", caller=ME)
    floor.leave("taken out", "withdrawn")
    floor.join("promised", caller="13800000003")
    floor.do(CallbackChosen(CallId("promised")))
    never = floor_of(kit, within=0.0)
    never.join("a", caller=ME)
    never.leave("a")
    assert [row for row in (*floor.rows, *never.rows) if isinstance(row, LeftStateRow)] == []
    never.join("b", caller=ME)
    assert never.engine.waiting(CallId("b")).resumes == ""


def test_a_place_worse_than_the_one_a_caller_has_by_itself_is_left(kit: Any) -> None:
    floor = floor_of(kit)
    floor.at(100.0).join("a", caller=ME)
    floor.leave("a")
    floor.at(110.0).join("vip", caller=ME, credit=60.0)
    call = floor.engine.waiting(CallId("vip"))
    assert (call.resumes, call.key) == ("", 50.0)


def test_it_is_never_worth_a_way_past_the_door(kit: Any) -> None:
    floor = floor_of(kit, max_waiting=1)
    floor.join("a", caller=ME)
    floor.at(5.0).leave("a")
    floor.join("b")
    floor.join("again", caller=ME)
    assert [(row.call, row.cause, row.resumes) for row in floor.visits()][-1] == ("again", "full", "")
    floor.leave("b", "withdrawn")
    floor.join("at last", caller=ME)
    assert floor.engine.waiting(CallId("at last")).resumes == "a.1"


def test_places_given_up_outlive_a_restart(kit: Any) -> None:
    floor = floor_of(kit)
    floor.join("a", caller=ME, credit=7.0)
    floor.at(30.0).leave("a")
    (row,) = [row for row in floor.rows if isinstance(row, LeftStateRow)]
    assert row == LeftStateRow("a.1", "junior", ME, EPOCH, 7.0, EPOCH + 30.0)
    assert row in floor.engine.living()
    later = floor_of(kit)
    later.at(40.0)
    later.do(PlaceRestored("a.1", QueueName("junior"), ME, 0.0, 7.0, 30.0))
    later.join("again", caller=ME)
    call = later.engine.waiting(CallId("again"))
    assert (call.joined_at, call.credit, call.resumes) == (0.0, 7.0, "a.1")
    assert later.engine.living() == [later.engine._board.history.visit_state(call)]
