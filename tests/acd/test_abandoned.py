"""Who gave up waiting is called by itself. Moment 0 is a Friday, 08:00 UTC."""

from typing import Any

import pytest

import acd.abandoned
from acd.commands import PlaceCall
from acd.inputs import CallbackAnswered, CallbackRestored, ListEntryAdded
from acd.settings import ListSettings
from kernel.ids import CallId, QueueName
from kernel.rows import CallbackRow
from queues.hours import HoursSettings, Opening
from queues.settings import AbandonedSettings, CallbackSettings

ONE, TWO = "13800000001", "13800000002"
OFFICE = HoursSettings("office", week=((Opening(540, 1080),),) * 5 + ((), ()))  # Mon-Fri 09:00-18:00 UTC


def floor_of(kit: Any, rule: AbandonedSettings | None = None, lists: Any = (), **callback: Any) -> Any:
    """One queue that calls who gave up after 20 s, a minute later; nobody is signed in."""
    settings = CallbackSettings(abandoned=rule or AbandonedSettings(), **{"per_seat": 10.0} | callback)
    queue = kit.queue(callback=settings, max_wait=0.0)
    return kit.floor((queue,), (kit.seat("8001"),), lists=lists)


def gives_up(floor: Any, call: str = "a", caller: str = ONE, after: float = 30.0) -> None:
    floor.join(call, caller=caller)
    floor.after(after)
    floor.leave(call)


def of(floor: Any) -> list[tuple[str, str, str]]:
    """Return number, state and who has booked it, of every open one."""
    views = floor.engine.callbacks.views(floor.now)
    return [(view["number"], view["state"], view["booked_by"]) for view in views]


def test_who_gave_up_is_called_at_its_place(kit: Any) -> None:
    """VD's abandon_check_queue: the outcome stays, and who came later is served later."""
    floor = floor_of(kit)
    gives_up(floor)
    (visit,) = floor.visits()
    assert (visit.outcome, visit.cause) == ("abandoned", "abandoned")
    assert of(floor) == [(ONE, "scheduled", "abandoned")]
    floor.join("b", caller=TWO)  # at 30 s; the other stands where it stood at 0
    floor.at(89.9)
    assert of(floor) == [(ONE, "scheduled", "abandoned")]
    floor.at(90.0)
    assert of(floor) == [(ONE, "waiting", "abandoned")]
    floor.sign_in("8001")
    assert floor.ringing() == {"a-1": "8001"}
    (placed,) = [it for it in floor.commands if isinstance(it, PlaceCall)]
    assert placed.number == ONE
    floor.answer("8001")
    floor.do(CallbackAnswered(CallId("a-1")))
    assert of(floor) == []
    row = [it for it in floor.rows if isinstance(it, CallbackRow)][-1]
    assert (row.visit, row.outcome, row.booked_by) == ("a.1", "answered", "abandoned")


def test_who_gives_up_soon_is_left_alone(kit: Any) -> None:
    floor = floor_of(kit)
    gives_up(floor, after=19.9)
    assert of(floor) == []
    gives_up(floor, "b", after=20.0)
    assert len(of(floor)) == 1


def test_who_gives_up_while_a_seat_rings_has_given_up(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    floor.join("a", caller=ONE)
    floor.rang("8001")
    floor.after(22.0)
    floor.leave("a")
    assert floor.visits()[-1].cause == "ringing"
    assert of(floor) == [(ONE, "scheduled", "abandoned")]


@pytest.mark.parametrize("cause", ["withdrawn", "callback"])
def test_who_leaves_otherwise_has_not_given_up(kit: Any, cause: str) -> None:
    floor = floor_of(kit)
    floor.join("a", caller=ONE)
    floor.after(30.0)
    floor.leave("a", cause)
    assert of(floor) == []


@pytest.mark.parametrize("number", ["", "anonymous", "Unknown", "12"])
def test_a_hidden_number_is_nobodys(kit: Any, number: str) -> None:
    floor = floor_of(kit)
    gives_up(floor, caller=number)
    assert of(floor) == []


def test_a_number_on_a_black_list_is_not_called(kit: Any) -> None:
    """It is put there while it waits: nobody who is on one gets in."""
    floor = floor_of(kit, lists=(ListSettings("pests", "demo", "black"),))
    floor.join("a", caller=ONE)
    floor.after(30.0)
    floor.do(ListEntryAdded("pests", ONE))
    floor.leave("a")
    assert of(floor) == []


def test_who_calls_again_takes_the_place_over(kit: Any) -> None:
    floor = floor_of(kit)
    gives_up(floor)
    floor.at(40.0)
    floor.join("b", caller=ONE)
    assert of(floor) == []
    waiting = floor.engine.waiting(CallId("b"))
    assert waiting.joined_at == 0.0
    row = [it for it in floor.rows if isinstance(it, CallbackRow)][-1]
    assert (row.callback, row.outcome) == ("a", "merged")


def test_a_number_is_called_no_more_often_than_the_queue_says(kit: Any) -> None:
    """Twice in any 24 hours, whatever becomes of the calls."""
    floor = floor_of(kit, AbandonedSettings(per_number=2))
    for call in ("a", "b", "c"):
        gives_up(floor, call)
        assert len(of(floor)) == (0 if call == "c" else 1)
        if call != "c":
            floor.join(f"{call}x", caller=ONE)  # merged: it calls again itself, and hangs up at once
            floor.leave(f"{call}x", "withdrawn")
            assert of(floor) == []
    gives_up(floor, "other", TWO)
    assert len(of(floor)) == 1
    floor.at(30.0 + 86_399.0)
    gives_up(floor, "d", after=20.0)  # the first was 24 hours and 19 s ago
    assert [number for number, *_ in of(floor)].count(ONE) == 1


def test_no_more_are_promised_than_the_seats_can_make(kit: Any) -> None:
    floor = floor_of(kit, per_seat=1.0)
    gives_up(floor)
    gives_up(floor, "b", TWO)
    assert of(floor) == [(ONE, "scheduled", "abandoned")]


def test_it_is_made_in_the_hours_of_the_callbacks(kit: Any) -> None:
    floor = floor_of(kit, hours=OFFICE)
    gives_up(floor)
    floor.at(3599.0)
    assert of(floor) == [(ONE, "scheduled", "abandoned")]
    floor.at(3600.0)
    assert of(floor) == [(ONE, "waiting", "abandoned")]


def test_a_promise_outlives_a_restart_and_counts_after_it(kit: Any) -> None:
    floor = floor_of(kit)
    gives_up(floor)
    row = [it for it in floor.rows if isinstance(it, CallbackRow)][-1]
    after = floor_of(kit)
    after.at(30.0)
    after.do(CallbackRestored(row))
    after.at(90.0)
    assert of(after) == [(ONE, "waiting", "abandoned")]
    after.join("b", caller=ONE)  # merged
    after.after(30.0)
    after.leave("b")
    assert of(after) == []  # once in 24 hours


def test_of_numbers_that_were_promised_a_call_so_many_are_remembered(
    kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acd.abandoned, "NUMBERS_MAX", 3)
    callers = floor_of(kit).engine._distribution.abandoned
    for number in range(10):
        callers.promised(QueueName("junior"), str(13800000000 + number), 0.0)
    assert [number for _, number in callers._promised] == ["13800000007", "13800000008", "13800000009"]
