"""Callbacks: places in a queue without anybody on the line. Moment 0 is a Friday, 08:00 UTC."""

from collections.abc import Callable
from typing import Any

from acd.commands import PlaceCall
from acd.inputs import (
    CallbackAnswered,
    CallbackBooked,
    CallbackCancelled,
    CallbackChosen,
    CallbackFailed,
    CallbackRestored,
    CallJoined,
    DrainBegan,
    KeyChosen,
    QueuesPaused,
    QueuesReady,
    Reconfigured,
)
from acd.settings import TenantSettings
from kernel.ids import CallId, QueueName, SeatId
from kernel.rows import CallbackAttemptRow, CallbackRow
from queues.hours import HoursSettings, Opening
from queues.settings import CallbackSettings, EntrySettings

JUNIOR = QueueName("junior")
ONE = "13800000001"
OFFICE = HoursSettings("office", week=((Opening(540, 1080),),) * 5 + ((), ()))  # Mon-Fri 09:00-18:00 UTC
DAY = 86_400.0

Build = Callable[..., Any]


def floor_of(kit: Any, *, seats: tuple[str, ...] = ("8001",), wrap_up: float = 0.0, **callback: Any) -> Any:
    """One queue whose callbacks are as ``callback`` says, and ``seats``, nobody signed in."""
    settings = CallbackSettings(**{"per_seat": 10.0, "retry_after": 600.0, **callback})
    queue = kit.queue(callback=settings, max_wait=60.0, keys=(("1", "callback"),))
    return kit.floor((queue,), tuple(kit.seat(number) for number in seats), wrap_up=wrap_up)


def book(floor: Any, number: str = ONE, callback: str = "cb", **more: Any) -> None:
    floor.do(CallbackBooked(callback, JUNIOR, number, **more))


def of(floor: Any) -> list[dict[str, Any]]:
    return list(floor.engine.callbacks.views(floor.now))


def states(floor: Any, callback: str = "cb") -> list[str]:
    """Return state, and outcome once ended, of every row of a callback."""
    rows = [row for row in floor.rows if isinstance(row, CallbackRow) and row.callback == callback]
    return [row.outcome or row.state for row in rows]


def attempts(floor: Any) -> list[tuple[str, int, str, str]]:
    rows = [row for row in floor.rows if isinstance(row, CallbackAttemptRow)]
    return [(row.call, row.attempt, row.seat, row.outcome) for row in rows]


def fail(floor: Any, call: str, outcome: str = "no_answer") -> None:
    """Let the customer not answer, and the seat be free again."""
    floor.do(CallbackFailed(CallId(call), outcome, 480))
    floor.end_talk("8001", bridged=False)


def test_a_waiting_caller_goes_home_and_keeps_its_place(kit: Any) -> None:
    """Joined at 0, chose at 10; who joined at 5 and stays on the line is served after it."""
    floor = floor_of(kit)
    floor.join("first", credit=0.0)
    floor.at(5.0).join("second")
    floor.do(CallbackChosen(CallId("second"), number="13800000002"))
    floor.at(10.0).do(CallbackChosen(CallId("first"), number=ONE))
    assert [(row.call, row.outcome, row.cause) for row in floor.visits()] == [
        ("second", "callback", "caller"),
        ("first", "callback", "caller"),
    ]
    assert [(each.call, each.outcome, each.cause) for each in floor.released()][1] == (
        "first",
        "callback",
        "callback",
    )
    assert [(each["callback"], each["position"], each["state"]) for each in of(floor)] == [
        ("first", 1, "waiting"),
        ("second", 2, "waiting"),
    ]
    floor.at(20.0).join("third")
    floor.sign_in("8001")
    assert floor.rings() == [("first-1", "8001")]
    assert [each for each in floor.commands if isinstance(each, PlaceCall)] == [
        PlaceCall(CallId("first-1"), JUNIOR, "demo", ONE, "", 45.0)
    ]


def test_the_seat_answers_then_the_customer_and_the_promise_is_kept(kit: Any) -> None:
    floor = floor_of(kit, wrap_up=30.0)
    floor.sign_in("8001")
    book(floor)
    floor.at(2.0).answer("8001")
    assert floor.state("8001") == "ready talking"
    assert of(floor)[0]["state"] == "dialling"
    assert (floor.visits()[0].outcome, floor.visits()[0].seat) == ("answered", "8001")
    floor.at(9.0).do(CallbackAnswered(CallId("cb-1")))
    assert of(floor) == []
    assert states(floor) == ["scheduled", "waiting", "dialling", "answered"]
    assert attempts(floor) == [("cb-1", 1, "8001", "answered")]
    floor.at(60.0).end_talk("8001")
    assert floor.state("8001") == "wrapup idle"


def test_who_does_not_answer_is_called_again_at_the_same_place_and_not_for_ever(kit: Any) -> None:
    """Three attempts, 600 s between them."""
    floor = floor_of(kit)
    floor.sign_in("8001")
    book(floor)
    for number, moment in ((1, 0.0), (2, 600.0), (3, 1200.0)):
        assert floor.at(moment).rings()[-1] == (f"cb-{number}", "8001")
        assert floor.engine.waiting(CallId(f"cb-{number}")).joined_at == 0.0
        floor.answer("8001")
        fail(floor, f"cb-{number}", "busy")
    assert of(floor) == []
    assert states(floor)[-1] == "exhausted"
    assert [outcome for *_, outcome in attempts(floor)] == ["busy"] * 3
    assert len(floor.at(7200.0).rings()) == 3


def test_a_seat_that_misses_it_costs_the_customer_nothing(kit: Any) -> None:
    """The offer is missed, the callback goes on standing; no attempt is counted."""
    floor = floor_of(kit, seats=("8001", "8002"))
    floor.sign_in("8001", "8002")
    book(floor)
    floor.refuse("8001")
    assert floor.rings() == [("cb-1", "8001"), ("cb-1", "8002")]
    assert (of(floor)[0]["attempts"], of(floor)[0]["state"]) == (0, "waiting")


def test_a_callback_waits_longer_than_a_caller_may(kit: Any) -> None:
    """The longest wait is for people on the line: 60 s here."""
    floor = floor_of(kit)
    book(floor)
    assert [each["state"] for each in of(floor.at(3600.0))] == ["waiting"]
    assert floor.visits() == []


def test_a_callback_that_nobody_could_make_expires(kit: Any) -> None:
    floor = floor_of(kit, expires_after=1000.0)
    book(floor)
    assert of(floor.at(999.0)) != []
    assert of(floor.at(1000.0)) == []
    assert states(floor)[-1] == "expired"
    assert [(row.outcome, row.cause) for row in floor.visits()] == [("withdrawn", "expired")]


def test_one_per_number_and_queue(kit: Any) -> None:
    floor = floor_of(kit)
    book(floor)
    assert floor.refused(CallbackBooked("cb2", JUNIOR, ONE)) == "ALREADY_BOOKED"
    floor.do(CallbackCancelled("cb"))
    book(floor, callback="cb3")
    assert [each["callback"] for each in of(floor)] == ["cb3"]


def test_never_more_are_due_than_the_seats_can_work_off(kit: Any) -> None:
    """One per seat signed in; where nobody is, per seat of the queue. Later ones are another day's."""
    floor = floor_of(kit, seats=("8001", "8002"), per_seat=1.0)
    book(floor, "1001", "a")
    book(floor, "1002", "b")
    assert floor.refused(CallbackBooked("c", JUNIOR, "1003")) == "CALLBACKS_FULL"
    floor.sign_in("8001")
    assert floor.refused(CallbackBooked("c", JUNIOR, "1003")) == "CALLBACKS_FULL"
    book(floor, "1003", "c", at=DAY)
    assert [each["state"] for each in of(floor)] == ["waiting", "waiting", "scheduled"]


def test_who_cannot_be_called_stays_on_the_line(kit: Any) -> None:
    """A withheld number, and a key pressed by somebody who is promised a call already."""
    floor = floor_of(kit)
    floor.do(joined("hidden", "anonymous"))
    floor.do(KeyChosen(CallId("hidden"), "1"))
    assert floor.engine.waiting(CallId("hidden")) is not None
    assert floor.refused(CallbackChosen(CallId("hidden"))) == "BAD_NUMBER"
    assert floor.refused(CallbackChosen(CallId("nobody"))) == "NO_SUCH_CALL"
    floor.do(KeyChosen(CallId("nobody"), "1"))


def joined(call: str, caller: str = ONE, **more: Any) -> Any:
    return CallJoined(CallId(call), JUNIOR, caller, "96198", **more)


def test_a_caller_who_rings_in_again_takes_the_place_of_its_callback(kit: Any) -> None:
    """Chose at 10, joined at 0; back on the line at 50, before who joined at 5."""
    floor = floor_of(kit)
    floor.do(joined("a"))
    floor.at(5.0).do(joined("b", "13800000002"))
    floor.at(10.0).do(KeyChosen(CallId("a"), "1"))
    floor.at(50.0).do(joined("again"))
    assert states(floor, "a") == ["scheduled", "waiting", "merged"]
    assert floor.engine.position(CallId("again"), floor.now) == 1
    floor.sign_in("8001")
    assert floor.rings() == [("again", "8001")]


def test_a_caller_who_rings_in_while_its_callback_rings_a_seat_gets_that_seat(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    book(floor)
    assert floor.ringing() == {"cb-1": "8001"}
    floor.do(joined("again"))
    assert floor.ringing() == {"again": "8001"}
    assert floor.withdrawn() == [("cb-1.1.1", "caller_gone")]


def test_a_caller_who_rings_in_while_it_is_dialled_is_not_called_again(kit: Any) -> None:
    """We hear busy, because it is on the line: the callback has been overtaken."""
    floor = floor_of(kit)
    floor.sign_in("8001")
    book(floor)
    floor.answer("8001")
    floor.do(joined("again"))
    fail(floor, "cb-1", "busy")
    assert states(floor)[-1] == "merged"
    assert floor.ringing() == {"again": "8001"}


def test_the_longest_wait_may_end_in_a_callback(kit: Any) -> None:
    queue = kit.queue(max_wait=60.0, on_timeout="callback", callback=CallbackSettings(per_seat=1.0))
    floor = kit.floor((queue,), (kit.seat("8001"),))
    floor.do(joined("a"))
    floor.do(joined("b", "13800000002"))
    floor.at(60.0)
    assert [(row.call, row.outcome, row.cause) for row in floor.visits()] == [
        ("a", "callback", "max_wait"),
        ("b", "timed_out", "max_wait"),  # one seat, one callback
    ]
    assert [(each["booked_by"], each["number"], each["state"]) for each in of(floor)] == [
        ("max_wait", ONE, "waiting")
    ]


def test_customers_are_dialled_in_their_hours_only(kit: Any) -> None:
    """Booked on Friday 08:00; the window opens at 09:00 and closes at 18:00; Monday is three days later."""
    floor = floor_of(kit, hours=OFFICE)
    book(floor)
    assert [each["state"] for each in of(floor.at(3599.0))] == ["scheduled"]
    assert [each["state"] for each in of(floor.at(3600.0))] == ["waiting"]
    assert [each["state"] for each in of(floor.at(10 * 3600.0 - 1.0))] == ["waiting"]
    assert [each["state"] for each in of(floor.at(10 * 3600.0))] == ["scheduled"]
    assert [(row.outcome, row.cause) for row in floor.visits()] == [("withdrawn", "out_of_hours")]
    assert [each["state"] for each in of(floor.at(3 * DAY + 3599.0))] == ["scheduled"]
    floor.at(3 * DAY + 3600.0).sign_in("8001")
    assert floor.rings() == [("cb-2", "8001")]
    assert floor.engine.waiting(CallId("cb-2")).joined_at == 0.0


def test_a_seat_that_rings_when_the_hours_end_gets_its_chance(kit: Any) -> None:
    floor = floor_of(kit, hours=OFFICE)
    floor.at(10 * 3600.0 - 5.0).sign_in("8001")
    book(floor)
    floor.at(10 * 3600.0 + 5.0)
    assert floor.ringing() == {"cb-1": "8001"}
    floor.answer("8001")
    assert of(floor)[0]["state"] == "dialling"


def test_one_that_is_booked_for_later_has_its_place_from_then_on(kit: Any) -> None:
    floor = floor_of(kit)
    book(floor, at=500.0)
    floor.at(499.0).do(joined("before", "13800000002"))
    floor.at(510.0)
    assert floor.engine.position(CallId("cb-1"), floor.now) == 2


def test_a_promise_may_be_taken_back_but_not_while_the_customer_is_rung(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    book(floor)
    floor.do(CallbackCancelled("cb"))
    assert (floor.state("8001"), states(floor)[-1]) == ("ready idle", "cancelled")
    assert floor.refused(CallbackCancelled("cb")) == "NO_SUCH_CALLBACK"
    book(floor, callback="next")
    floor.answer("8001")
    assert floor.refused(CallbackCancelled("next")) == "BAD_STATE"


def test_an_operator_who_ends_the_ring_sends_it_back_for_a_while(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    book(floor)
    floor.leave("cb-1", "withdrawn")
    assert [(each["state"], each["attempts"]) for each in of(floor)] == [("scheduled", 0)]
    assert floor.at(600.0).ringing() == {"cb-2": "8001"}


def test_callbacks_survive_a_restart_with_their_places(kit: Any) -> None:
    """The dial that was going on is made again, and counts."""
    old = floor_of(kit)
    old.sign_in("8001")
    old.at(100.0)
    book(old, dialled := "13800000009", "dialled")
    old.answer("8001")
    book(old, ONE, "waits", skills=())
    book(old, "13800000003", "later", at=5000.0)
    book(old, "13800000004", "gone")
    old.do(CallbackCancelled("gone"))
    last = {row.callback: row for row in old.rows if isinstance(row, CallbackRow)}
    new = floor_of(kit)
    new.at(300.0)
    for row in last.values():
        new.do(CallbackRestored(row))
    new.at(300.5)
    assert [(each["callback"], each["state"], each["attempts"]) for each in of(new)] == [
        ("dialled", "waiting", 1),
        ("waits", "waiting", 0),
        ("later", "scheduled", 0),
    ]
    assert new.engine.waiting(CallId("dialled-2")).joined_at == 100.0
    assert new.refused(CallbackBooked("x", JUNIOR, dialled)) == "ALREADY_BOOKED"
    assert [each["state"] for each in of(new.at(5000.0))] == ["waiting"] * 3


def test_a_queue_that_is_gone_takes_its_promises_with_it(kit: Any) -> None:
    floor = floor_of(kit)
    book(floor)
    book(floor, "13800000002", "later", at=DAY)
    other = kit.settings((kit.queue("other"),), (kit.seat("8001", queues=("other",)),))
    floor.do(Reconfigured(other))
    assert of(floor) == []
    assert (states(floor)[-1], states(floor, "later")[-1]) == ("cancelled", "cancelled")


def test_a_suspended_tenant_s_customers_are_not_called(kit: Any) -> None:
    tenant = TenantSettings("demo", suspended=True)
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), tenant=tenant)
    book(floor)
    assert [each["state"] for each in of(floor.at(DAY))] == ["scheduled"]
    floor.do(Reconfigured(kit.settings((kit.queue(),), (kit.seat("8001"),))))
    assert [each["state"] for each in of(floor.after(1.0))] == ["waiting"]


def test_skills_a_caller_wanted_are_still_wanted(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002", skills=(("german", 5),))))
    floor.do(joined("a", skills=(("german", 3),)))
    floor.do(CallbackChosen(CallId("a")))
    floor.sign_in("8001")
    assert floor.rings() == []
    floor.sign_in("8002")
    assert floor.rings() == [("a-1", "8002")]


def test_who_finds_the_queue_closed_or_full_may_be_promised_a_call(kit: Any) -> None:
    """Friday 08:00; it opens at 09:00. One seat, so one promise; the next caller is turned away."""
    entry = EntrySettings(hours=OFFICE, on_closed="callback")
    queue = kit.queue(entry=entry, callback=CallbackSettings(per_seat=1.0, hours=OFFICE))
    floor = kit.floor((queue,), (kit.seat("8001"),))
    floor.do(joined("a"))
    floor.do(joined("b", "13800000002"))
    assert [(row.outcome, row.cause, row.target) for row in floor.visits()] == [
        ("callback", "closed", "callback"),
        ("refused", "closed", ""),
    ]
    assert [(each["booked_by"], each["state"]) for each in of(floor)] == [("closed", "scheduled")]
    floor.sign_in("8001")
    assert floor.at(3600.0).rings() == [("a-1", "8001")]


def test_a_callback_stands_in_a_queue_where_nobody_is(kit: Any) -> None:
    """The longest wait without a seat is for people on the line."""
    queue = kit.queue(entry=EntrySettings(max_wait_empty=30.0), max_wait=0.0)
    floor = kit.floor((queue,), (kit.seat("8001"),))
    book(floor)
    floor.at(10.0).do(joined("a", "13800000002"))
    assert [(row.call, row.cause) for row in floor.at(100.0).visits()] == [("a", "empty")]
    assert [each["state"] for each in of(floor)] == ["waiting"]


def test_nobody_is_dialled_while_the_switch_drains(kit: Any) -> None:
    """What stands or rings steps back with its place; who is being dialled is; new promises wait."""
    floor = floor_of(kit, seats=("8001", "8002"))
    floor.sign_in("8001", "8002")
    book(floor, ONE, "dialled")
    floor.answer("8001")
    book(floor, "13800000002", "rings")
    book(floor, "13800000003", "stands")
    assert floor.ringing() == {"rings-1": "8002"}
    floor.at(10.0).do(DrainBegan())
    assert floor.ringing() == {}
    assert floor.state("8002") == "ready idle"
    assert {it["callback"]: it["state"] for it in of(floor)} == {
        "dialled": "dialling",
        "rings": "scheduled",
        "stands": "scheduled",
    }
    causes = [(row.call, row.outcome, row.cause) for row in floor.visits() if row.call != "dialled-1"]
    assert causes == [("rings-1", "withdrawn", "draining"), ("stands-1", "withdrawn", "draining")]
    book(floor, "13800000004", "late")
    floor.do(CallbackFailed(CallId("dialled-1"), "no_answer", 480))
    floor.end_talk("8001", bridged=False)
    before = len(floor.rings())
    floor.at(10_000.0)
    assert len(floor.rings()) == before
    assert [(it["callback"], it["attempts"]) for it in of(floor) if it["attempts"]] == [("dialled", 1)]
    kept = {row.callback: row for row in floor.rows if isinstance(row, CallbackRow)}
    again = floor_of(kit)
    again.at(10_100.0).sign_in("8001")
    for row in kept.values():
        again.do(CallbackRestored(row))
    again.at(10_100.0)
    assert again.rings()[0] == ("dialled-2", "8001")
    assert [it["callback"] for it in of(again)] == ["dialled", "rings", "stands", "late"]


# For one seat.


def test_one_for_a_seat_waits_for_that_seat_until_it_is_there(kit: Any) -> None:
    """VD: user-only. Nobody else is rung for it, and nobody behind it waits."""
    floor = floor_of(kit, seats=("8001", "8002"))
    floor.sign_in("8002")
    book(floor, seat="8001")
    assert floor.ringing() == {}
    floor.join("a")
    assert floor.ringing() == {"a": "8002"}
    floor.at(300.0)
    floor.sign_in("8001", presence="paused", reason="rest")
    assert "8001" not in floor.ringing().values()
    floor.ready("8001")
    assert floor.ringing()["cb-1"] == "8001"
    floor.answer("8001")
    floor.do(CallbackAnswered(CallId("cb-1")))
    assert states(floor)[-1] == "answered"


def test_one_for_a_seat_outlasts_its_sign_out_and_its_pauses(kit: Any) -> None:
    floor = floor_of(kit, seats=("8001", "8002"))
    floor.sign_in("8001", "8002")
    floor.pause("8001")
    book(floor, seat="8001")
    floor.sign_out("8001")
    assert floor.ringing() == {}
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.do(QueuesPaused(SeatId("8001"), ("junior",), "rest"))
    floor.ready("8001")
    assert floor.ringing() == {}
    floor.do(QueuesReady(SeatId("8001"), ("junior",)))
    assert floor.ringing() == {"cb-1": "8001"}


def test_one_for_a_seat_is_anybodys_after_its_wait(kit: Any) -> None:
    floor = floor_of(kit, seats=("8001", "8002"))
    floor.sign_in("8002")
    book(floor, at=100.0, seat="8001", seat_wait=60.0)
    floor.at(159.9)
    assert floor.ringing() == {}
    assert of(floor)[0]["for_seat"] == "8001"
    assert of(floor)[0]["seat_until"] == floor.walltime.text(160.0)
    floor.at(160.0)
    assert floor.ringing() == {"cb-1": "8002"}


def test_its_wait_is_not_begun_anew_by_an_attempt_in_vain(kit: Any) -> None:
    floor = floor_of(kit, seats=("8001", "8002"), retry_after=600.0)
    floor.sign_in("8001", "8002")
    book(floor, seat="8001", seat_wait=300.0)
    assert floor.ringing() == {"cb-1": "8001"}
    floor.answer("8001")
    fail(floor, "cb-1")
    floor.sign_out("8001")
    floor.at(600.0)
    assert floor.ringing() == {"cb-2": "8002"}


def test_a_seat_that_is_unknown_or_serves_another_queue_is_refused(kit: Any) -> None:
    floor = kit.floor((kit.queue(), kit.queue("second")), (kit.seat("8001"),))
    assert floor.refused(CallbackBooked("cb", QueueName("second"), ONE, seat="8001")) == "NOT_IN_QUEUE"
    assert floor.refused(CallbackBooked("cb", QueueName("second"), ONE, seat="9")) == "NO_SUCH_SEAT"


def test_whose_it_is_outlives_a_restart_and_a_reload(kit: Any) -> None:
    floor = floor_of(kit, seats=("8001", "8002"))
    book(floor, seat="8001", seat_wait=60.0)
    row = [row for row in floor.rows if isinstance(row, CallbackRow)][-1]
    other = floor_of(kit, seats=("8001", "8002"))
    other.sign_in("8002")
    other.do(CallbackRestored(row))
    other.at(0.0)
    assert other.ringing() == {}
    other.do(Reconfigured(other.engine.settings))
    assert other.ringing() == {}
    other.at(60.0)
    assert other.ringing() == {"cb-2": "8002"}
