"""Follow-ups: callbacks owed by a moment, by class (domain 4.5). Moment 0 is a Friday, 08:00 UTC."""

from typing import Any

import pytest

from acd.events import CallbackChanged
from acd.inputs import (
    CallbackAnswered,
    CallbackBooked,
    CallbackCancelled,
    CallbackFailed,
    CallbackRestored,
    FollowupClosed,
    FollowupRestored,
    Reconfigured,
)
from acd.settings import FOLLOWUPS, FollowupSettings
from kernel.ids import CallId, QueueName
from kernel.rows import CallbackRow, FollowupRow
from queues.settings import CallbackSettings

EPOCH = 1_800_000_000.0
HOUR = 3600.0
JUNIOR, SENIOR = QueueName("junior"), QueueName("senior")
ONE, TWO = "13800000001", "13800000002"
LATE = (FollowupSettings("complaint", "demo", within=12 * HOUR, escalate_to="senior"), *FOLLOWUPS)


def floor_of(kit: Any, rules: tuple[FollowupSettings, ...] = FOLLOWUPS, **callback: Any) -> Any:
    """A junior and a senior queue with a seat each, nobody signed in."""
    settings = CallbackSettings(**{"per_seat": 10.0, "retry_after": 600.0, **callback})
    queues = (kit.queue(callback=settings), kit.queue("senior", 2, callback=settings, priority_credit=90.0))
    seats = (kit.seat("8001"), kit.seat("8016", 2, ("senior",)))
    return kit.floor(queues, seats, followups=rules)


def book(floor: Any, kind: str = "complaint", number: str = ONE, callback: str = "cb", **more: Any) -> None:
    floor.do(CallbackBooked(callback, JUNIOR, number, followup=kind, **more))


def view(floor: Any, callback: str = "cb") -> dict[str, Any]:
    return next(it for it in floor.engine.callbacks.views(floor.now) if it["callback"] == callback)


def rows(floor: Any) -> list[FollowupRow]:
    return [row for row in floor.rows if isinstance(row, FollowupRow)]


def told(floor: Any, what: str) -> list[dict[str, Any]]:
    return [it.data for it in floor.events if isinstance(it, CallbackChanged) and it.what == what]


def fail(floor: Any, number: int, seat: str = "8001") -> None:
    """The seat answers, the customer does not."""
    floor.answer(seat)
    floor.do(CallbackFailed(CallId(f"cb-{number}"), "no_answer", 480))
    floor.end_talk(seat, bridged=False)


def counts(floor: Any, begin: float = 0.0, end: float = 1e12) -> dict[str, dict[str, int]]:
    found = floor.engine.callbacks.followups.counts(begin, end, floor.now)
    assert all(it["tenant"] == "demo" for it in found)
    keys = ("tenant", "class")
    return {
        it["class"]: {key: n for key, n in it.items() if key not in keys and n} for it in found
    }


@pytest.mark.parametrize(("kind", "hours"), [("urgent", 4), ("complaint", 12), ("general", 72)])
def test_the_three_classes_of_the_rules_have_their_deadlines(kit: Any, kind: str, hours: int) -> None:
    """Late from that moment on, to the second; 3 to 5 attempts."""
    floor = floor_of(kit)
    book(floor, kind)
    said = view(floor)
    assert (said["class"], said["attempts"], said["attempts_max"]) == (kind, 0, 5)
    assert said["deadline"] == floor.walltime.text(hours * HOUR)
    assert (said["overdue"], said["escalated_at"]) == (False, None)
    assert not view(floor.at(hours * HOUR - 0.1))["overdue"]
    assert told(floor, "escalated") == []
    assert view(floor.at(hours * HOUR))["overdue"]
    (event,) = told(floor, "escalated")
    assert (event["callback"], event["overdue"], event["queue"]) == ("cb", True, "junior")
    assert view(floor)["escalated_at"] == floor.walltime.text(hours * HOUR)


def test_a_callback_without_a_class_has_no_deadline_and_an_unknown_class_is_refused(kit: Any) -> None:
    floor = floor_of(kit)
    book(floor, "")
    assert [view(floor)[key] for key in ("class", "deadline", "overdue")] == [None, None, False]
    assert floor.refused(CallbackBooked("x", JUNIOR, TWO, followup="weekly")) == "NO_SUCH_CLASS"
    assert rows(floor) == []


def test_past_its_deadline_it_is_moved_where_its_class_says_with_its_place_at_once(kit: Any) -> None:
    floor = floor_of(kit, LATE)
    floor.sign_in("8016")
    book(floor)
    assert (view(floor)["queue"], view(floor)["position"]) == ("junior", 1)
    floor.at(12 * HOUR)
    assert floor.ringing() == {"cb-2": "8016"}
    assert (view(floor)["queue"], view(floor)["joined_at"]) == ("senior", floor.walltime.text(0.0))
    assert floor.engine.waiting(CallId("cb-2")).credit == 90.0
    (visit,) = floor.visits()
    left = (visit.call, visit.queue, visit.outcome, visit.cause)
    assert left == ("cb-1", "junior", "withdrawn", "escalated")
    assert told(floor, "escalated")[0]["queue"] == "senior"
    assert (rows(floor)[-1].escalated_at, rows(floor)[-1].escalated_to) == (EPOCH + 12 * HOUR, "senior")
    assert floor.engine.callbacks._by_number.keys() == {(SENIOR, ONE)}


def test_it_stays_where_the_number_is_to_be_called_by_the_other_queue_already(kit: Any) -> None:
    floor = floor_of(kit, LATE)
    book(floor)
    floor.do(CallbackBooked("other", SENIOR, ONE))
    floor.at(12 * HOUR)
    assert (view(floor)["queue"], view(floor)["overdue"]) == ("junior", True)
    assert (rows(floor)[-1].escalated_at, rows(floor)[-1].escalated_to) == (EPOCH + 12 * HOUR, "")


def test_a_customer_who_is_just_being_rung_is_not_taken_from_the_seat(kit: Any) -> None:
    floor = floor_of(kit, LATE)
    book(floor)
    floor.at(12 * HOUR - 10.0).sign_in("8001")
    floor.answer("8001")
    floor.at(12 * HOUR)
    assert view(floor)["state"] == "dialling"
    assert told(floor, "escalated") == []
    floor.at(12 * HOUR + 20.0).do(CallbackAnswered(CallId("cb-1")))
    assert (rows(floor)[-1].outcome, rows(floor)[-1].escalated_at) == ("answered", None)
    other = floor_of(kit, LATE)
    book(other)
    other.at(12 * HOUR - 10.0).sign_in("8001")
    other.answer("8001")
    other.at(12 * HOUR + 1.0).do(CallbackFailed(CallId("cb-1"), "no_answer", 480))
    assert view(other)["queue"] == "junior"
    other.at(12 * HOUR + 60.0)
    assert view(other)["queue"] == "senior"


def test_it_ends_after_five_attempts_in_vain_and_not_before(kit: Any) -> None:
    """The queue would give up after two."""
    floor = floor_of(kit, attempts=2)
    floor.sign_in("8001")
    book(floor)
    for number in range(1, 6):
        assert (view(floor)["attempts"], view(floor)["attempts_max"]) == (number - 1, 5)
        fail(floor, number)
        floor.after(600.0)
    last = rows(floor)[-1]
    assert (last.outcome, last.attempts, last.ended_at) == ("exhausted", 5, EPOCH + 4 * 600.0)
    assert list(floor.engine.callbacks.views(floor.now)) == []


def test_it_is_closed_by_its_department_s_word_after_three_attempts(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    book(floor)
    for number in range(1, 4):
        assert floor.refused(FollowupClosed("cb", "mended")) == "BAD_STATE"
        fail(floor, number)
        floor.after(600.0)
    assert floor.ringing() == {"cb-4": "8001"}
    floor.do(FollowupClosed("cb", "mended"))
    assert floor.ringing() == {}
    last = rows(floor)[-1]
    assert (last.outcome, last.note, last.attempts) == ("closed", "mended", 3)
    kept = [row.outcome for row in floor.rows if isinstance(row, CallbackRow)]
    assert kept[-1] == "closed"
    assert floor.refused(FollowupClosed("cb", "again")) == "NO_SUCH_CALLBACK"


def test_a_supervisor_closes_it_at_any_time_but_not_while_the_customer_is_rung(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    book(floor)
    floor.answer("8001")
    assert floor.refused(FollowupClosed("cb", "no need", forced=True)) == "BAD_STATE"
    floor.do(CallbackFailed(CallId("cb-1"), "busy", 486))
    floor.do(FollowupClosed("cb", "no need", forced=True))
    assert rows(floor)[-1].outcome == "closed"


def test_it_does_not_lapse_and_the_customer_s_own_call_does_not_end_it(kit: Any) -> None:
    """A callback of the queue lapses after an hour; a follow-up is owed until it is done."""
    floor = floor_of(kit, expires_after=3600.0)
    book(floor)
    book(floor, "", TWO, "plain")
    floor.at(2 * HOUR).join("own", caller=ONE)
    assert [it["callback"] for it in floor.engine.callbacks.views(floor.now)] == ["cb"]
    assert floor.engine.waiting(CallId("own")).joined_at == 2 * HOUR
    floor.sign_in("8001")
    assert floor.ringing() == {"cb-1": "8001"}


def test_it_is_never_refused_for_want_of_room_and_waits_until_there_is_some(kit: Any) -> None:
    """One may stand for the one seat; the second looks again after the time between attempts."""
    floor = floor_of(kit, per_seat=1.0)
    book(floor)
    book(floor, "urgent", TWO, "second")
    assert [view(floor, it)["state"] for it in ("cb", "second")] == ["waiting", "scheduled"]
    floor.sign_in("8001")
    floor.answer("8001")
    floor.do(CallbackAnswered(CallId("cb-1")))
    floor.at(600.0)
    assert view(floor, "second")["state"] == "waiting"


def test_it_outlives_a_restart_with_its_deadline_attempts_and_escalation(kit: Any) -> None:
    old = floor_of(kit, LATE)
    old.sign_in("8001")
    book(old)
    fail(old, 1)
    book(old, "urgent", TWO, "late")
    old.at(5 * HOUR)
    callbacks = {row.callback: row for row in old.rows if isinstance(row, CallbackRow)}
    kept = {row.followup: row for row in rows(old)}
    new = floor_of(kit, LATE)
    new.at(13 * HOUR)
    for row in callbacks.values():
        new.do(CallbackRestored(row))
    for row in kept.values():
        new.do(FollowupRestored(row))
    new.at(13 * HOUR)
    assert (view(new)["class"], view(new)["queue"], view(new)["overdue"]) == ("complaint", "senior", True)
    assert view(new)["attempts"] >= 1
    assert view(new)["deadline"] == new.walltime.text(12 * HOUR)
    assert [it["callback"] for it in told(new, "escalated")] == ["cb"]  # the other had been, before


def test_counts_by_class_and_week_over_a_restart(kit: Any) -> None:
    """受理 accepted, 督办 escalated, 反馈 closed, 回访 returned; on time or not; what is open now."""
    floor = floor_of(kit)
    week = 7 * 24 * HOUR
    book(floor)
    floor.at(13 * HOUR).sign_in("8001")
    floor.answer("8001")
    floor.do(CallbackAnswered(CallId("cb-1")))
    floor.end_talk("8001")
    floor.at(week + 10.0)
    book(floor, "complaint", TWO, "quick")
    floor.answer("8001")
    floor.do(CallbackAnswered(CallId("quick-1")))
    floor.end_talk("8001")
    floor.sign_out("8001")
    book(floor, "urgent", TWO, "closed")
    floor.do(FollowupClosed("closed", "dealt with", forced=True))
    book(floor, "urgent", ONE, "gone")
    floor.do(CallbackCancelled("gone"))
    book(floor, "urgent", ONE, "open")
    floor.after(4 * HOUR)
    first = {"complaint": {"accepted": 1, "escalated": 1, "returned": 1}, "urgent": {"open": 1, "overdue": 1}}
    second = {
        "complaint": {"accepted": 1, "returned": 1, "on_time": 1},
        "urgent": {"accepted": 3, "escalated": 1, "closed": 1, "cancelled": 1, "open": 1, "overdue": 1},
    }
    assert counts(floor, EPOCH, EPOCH + week) == first
    assert counts(floor, EPOCH + week, EPOCH + 2 * week) == second
    later = floor_of(kit)
    later.at(floor.now)
    for row in {row.callback: row for row in floor.rows if isinstance(row, CallbackRow)}.values():
        later.do(CallbackRestored(row))
    for row in {row.followup: row for row in rows(floor)}.values():
        later.do(FollowupRestored(row))
    assert counts(later, EPOCH, EPOCH + week) == first
    assert counts(later, EPOCH + week, EPOCH + 2 * week) == second
    later.at(floor.now + 6 * week)
    book(later, "general", TWO, "much later")
    later.do(CallbackCancelled("much later"))
    assert "complaint" not in counts(later)  # five weeks are remembered


def test_a_class_that_a_reload_takes_away_keeps_its_promises(kit: Any) -> None:
    floor = floor_of(kit, LATE)
    book(floor)
    settings = floor.engine.settings
    floor.do(Reconfigured(type(settings)(settings.levels, settings.queues, settings.seats, settings.tenants,
                                         followups=())))  # fmt: skip
    assert (view(floor)["class"], view(floor)["attempts_max"]) == ("complaint", 5)
    floor.at(12 * HOUR)
    assert (view(floor)["queue"], view(floor)["overdue"]) == ("junior", True)
    gone = settings.queues[1:]
    floor.do(Reconfigured(type(settings)(settings.levels, gone, settings.seats, settings.tenants)))
    assert rows(floor)[-1].outcome == "cancelled"
