"""Counting: every figure by hand, closed intervals once, and a restart that neither loses nor doubles."""

from typing import Any

import msgspec
import pytest

from acd.counting import SWEPT_AT_ONCE, Counting, state_of
from acd.inputs import Reconfigured, SeatEngaged, SeatHeld, SeatRestored, SignedIn, TalkEnded
from acd.recovery import Recovered
from kernel.ids import CallId, QueueName, SeatId
from kernel.limits import INTERVAL
from kernel.rows import (
    CountedRow,
    CountRow,
    PresenceRow,
    QueueIntervalRow,
    QueueTotalRow,
    SeatIntervalRow,
    SeatTotalRow,
)
from queues.statistics import Statistics
from tests.acd.conftest import EPOCH
from tests.acd.test_invariants import busy_hour_floor

J = QueueName("junior")
S = SeatId("8001")


def seat_counters(floor: Any, number: str = "8001") -> Any:
    floor.engine.counting.look(floor.walltime.epoch(floor.now))
    return floor.engine.counting.seat(SeatId(number)).statistics.total


def queue_counters(floor: Any, name: str = "junior") -> Any:
    return floor.engine.queues[QueueName(name)].statistics.total


def everything(floor: Any) -> dict[str, Any]:
    """Return every counter there is, in all and by interval."""
    counting = floor.engine.counting
    found: dict[str, Any] = {}
    for account in [*counting.queues.values(), *counting.seats.values()]:
        statistics: Statistics[Any] = account.statistics
        found[account.name] = statistics.total.as_dict()
        for at, counters in statistics.each(0.0, 1e12):
            found[f"{account.name} {at}"] = counters.as_dict()
    return found


def counted(rows: list[object]) -> list[CountRow | CountedRow]:
    return [row for row in rows if isinstance(row, CountRow | CountedRow)]


def reborn(kit: Any, floor: Any, rows: list[object] | None = None) -> Any:
    """Return a new floor with the settings of ``floor`` and what its rows say, as after a kill."""
    again = kit.Floor(floor.engine.settings)
    again.now = floor.now
    again.rows.clear()
    again.engine.recount(counted(floor.rows if rows is None else rows), floor.now)
    return again


@pytest.fixture
def story(kit: Any) -> Any:
    """One seat, one call: rings 4 s, talks 60 s of which 20 s on hold, 30 s wrap-up; then a pause of 50 s."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), wrap_up=30.0)
    floor.sign_in("8001")
    floor.at(10.0).join("a")
    floor.rang("8001")
    floor.at(14.0).answer("8001")
    floor.at(30.0).do(SeatHeld(S, True))
    floor.at(50.0).do(SeatHeld(S, False))
    floor.at(74.0).end_talk("8001")
    floor.at(110.0).pause("8001")
    return floor.at(160.0)


def test_a_call_by_hand(story: Any) -> None:
    work = seat_counters(story)
    assert (work.offers, work.offers_answered, work.rang) == (1, 1, 4.0)
    assert (work.handled, work.talk, work.hold, work.wrap_up) == (1, 40.0, 20.0, 30.0)
    assert (work.time_ready, work.time_ringing, work.time_reserved) == (10.0 + 6.0, 4.0, 0.0)
    assert (work.time_talking, work.time_held, work.time_wrapup) == (40.0, 20.0, 30.0)
    assert (work.time_paused, work.paused_for) == (50.0, {"rest": 50.0})
    assert work.signed_in == 160.0
    shown = work.as_dict()
    assert (shown["aht"], shown["acw"], shown["rna_rate"], shown["transfer_rate"]) == (90.0, 30.0, 0.0, 0.0)
    assert shown["occupancy"] == pytest.approx(94 / 110)
    assert shown["utilisation"] == pytest.approx(90 / 160)
    callers = queue_counters(story).as_dict()
    assert (callers["handled"], callers["aht"], callers["asa"], callers["offers"]) == (1, 90.0, 4.0, 1)


def test_the_rows_say_whose_call_it_is(story: Any) -> None:
    talking = [row.queue for row in story.presences("8001") if row.activity == "talking"]
    assert talking == ["junior"] * 3
    assert [row.held for row in story.presences("8001") if row.activity == "talking"] == [False, True, False]
    wrapping = [row.queue for row in story.presences("8001") if row.presence == "wrapup"]
    assert wrapping == ["junior"]
    assert [row.queue for row in story.offers()] == ["junior"]


def test_a_call_of_ones_own_is_time_and_no_handling(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.at(5.0).do(SeatEngaged(S, CallId("own"), "dialling"))
    floor.at(8.0).do(SeatEngaged(S, CallId("own"), "talking"))
    floor.at(20.0).do(TalkEnded(S, CallId("own"), False))
    work = seat_counters(floor)
    assert (work.handled, work.talk, work.time_dialling, work.time_talking) == (0, 0.0, 3.0, 12.0)


def test_a_call_that_was_handed_on(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    floor.at(9.0).do(TalkEnded(S, CallId("a"), True, cause="transferred"))
    assert (seat_counters(floor).transferred, queue_counters(floor).transferred) == (1, 1)
    assert seat_counters(floor).as_dict()["transfer_rate"] == 1.0


def test_giving_up_while_a_seat_rings_is_apart(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.join("a")
    floor.at(30.0).leave("a")
    floor.sign_in("8001")
    floor.join("b")
    floor.rang("8001")
    floor.at(40.0).leave("b")
    callers = queue_counters(floor)
    assert (callers.abandoned, callers.abandoned_ringing, callers.offers_withdrawn) == (2, 1, 1)


def test_time_is_split_at_the_quarter_hour_and_work_counts_when_it_ends(kit: Any) -> None:
    """Signed in at 800, in conversation from 850 to 1000: 50 s of it in the first interval."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), wrap_up=10.0)
    floor.at(800.0).sign_in("8001")
    floor.at(850.0).join("a")
    floor.answer("8001")
    floor.at(1000.0).end_talk("8001")
    floor.at(1020.0)
    floor.engine.counting.look(floor.walltime.epoch(floor.now))
    first, second = [it for _, it in floor.engine.counting.seat(S).statistics.each(0.0, 1e12)]
    assert (first.time_ready, first.time_talking, first.handled) == (50.0, 50.0, 0)
    assert (second.time_talking, second.handled, second.talk, second.wrap_up) == (100.0, 1, 150.0, 10.0)
    callers = dict(floor.engine.queues[J].statistics.each(0.0, 1e12))
    assert [it.answered for it in callers.values()] == [1, 0]
    assert [it.talk for it in callers.values()] == [0, 150.0]


def test_closed_intervals_become_rows_once(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    for quarter in range(4):
        floor.at(quarter * INTERVAL + 5.0)
        for _ in range(3):
            floor.engine.roll(floor.now)
            floor._drain()
    rows = [row for row in floor.rows if type(row) is SeatIntervalRow]
    assert [(row.begin_at, row.time_ready) for row in rows] == [
        (1_800_000_000.0 + quarter * INTERVAL, 900.0) for quarter in range(3)
    ]
    totals = [row for row in floor.rows if isinstance(row, SeatTotalRow)]
    assert [row.time_ready for row in totals] == [900.0, 1800.0, 2700.0]
    assert {row.interval for row in totals} == {"8001"}
    assert not [row for row in floor.rows if isinstance(row, QueueIntervalRow)]  # nothing was asked of it


def test_a_sweep_is_cut_into_turns(kit: Any) -> None:
    seats = tuple(kit.seat(str(8000 + number)) for number in range(2 * SWEPT_AT_ONCE + 50))
    floor = kit.floor((kit.queue(),), seats)
    floor.engine.roll(0.0)
    for seat in seats:
        floor.engine.handle(_sign_in(seat.number), 0.0)
    floor.engine.rows.clear()
    written = []
    for _ in range(4):
        floor.engine.roll(950.0)
        written.append(sum(isinstance(row, SeatTotalRow) for row in floor.engine.rows.take()))
    assert sum(written) == len(seats)
    assert max(written) <= SWEPT_AT_ONCE
    assert written[-1] == 0 or sum(written[:3]) < len(seats)


def _sign_in(number: str) -> Any:
    return SignedIn(SeatId(number), f"s-{number}")


@pytest.mark.parametrize("until", [12.0, 20.0, 40.0, 60.0, 90.0, 120.0, 160.0])
def test_after_a_restart_the_counters_are_those_of_the_rows(kit: Any, story: Any, until: float) -> None:
    """Killed at any moment of the story: recounted equals counted, up to the last row there is."""
    rows = [row for row in story.rows if _at(row) <= 1_800_000_000.0 + until]
    last = max(_at(row) for row in rows)
    one = reborn(kit, story, rows)
    two = Counting(lambda row: None)
    two.queues, two.seats = {J: two.queue(J)}, {S: two.seat(S)}
    two.queue(J).settings = story.engine.queues[J].settings
    two.recount(counted(rows))
    assert one.engine.counting.seat(S).at == last
    assert seat_counters(one).values() == two.seat(S).statistics.total.values()
    assert seat_counters(one).signed_in == last - 1_800_000_000.0


def _at(row: Any) -> float:
    for name in ("at", "left_at", "ended_at"):
        if hasattr(row, name):
            return float(getattr(row, name))
    return 0.0


def test_talk_time_of_a_seat_that_comes_back_without_any_is_a_number_of_seconds_too(kit: Any) -> None:
    """It is written into the key of an offer: "0.000", as of every other seat, not "0"."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.sign_out("8001")
    talked_for = reborn(kit, floor).seat("8001").talked_for
    assert (talked_for, type(talked_for)) == (0.0, float)


def test_an_hour_outlives_a_restart_interval_by_interval(kit: Any) -> None:
    """Calls over an hour, closed intervals and an open one: everything is back, the seat's figures too."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")), wrap_up=7.0)
    floor.sign_in("8001", "8002")
    for number in range(40):
        floor.at(number * 95.0 + 3.0)
        floor.engine.roll(floor.now)
        floor.join(f"c{number}")
        (seat,) = floor.ringing().values()
        floor.after(2.0).rang(seat)
        floor.after(3.0).answer(seat)
        floor.after(40.0 + number).end_talk(seat)
    floor.after(9.0)
    for number in ("8001", "8002"):
        floor.sign_out(number)
    floor.engine.roll(floor.now)
    floor._drain()
    before = everything(floor)
    again = reborn(kit, floor)
    assert everything(again) == before
    assert len([name for name in before if name.startswith("8001 ")]) == 5
    for number in ("8001", "8002"):
        was, now = floor.seat(number), again.seat(number)
        assert (now.offered, now.answered, now.talked_for) == (was.answered, was.answered, was.talked_for)
    twice = reborn(kit, floor, [*floor.rows, *floor.rows])  # a row that comes twice is one row
    assert everything(twice) == before


def test_rows_before_the_newest_closed_interval_need_not_be_read(kit: Any) -> None:
    """What a start reads: totals, intervals, and single rows from the newest closed interval on."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), wrap_up=7.0)
    floor.sign_in("8001")
    for number in range(30):
        floor.at(number * 100.0 + 3.0)
        floor.engine.roll(floor.now)
        floor.join(f"c{number}")
        floor.answer("8001")
        floor.after(40.0).end_talk("8001")
    floor._drain()
    newest = max(row.begin_at for row in floor.rows if isinstance(row, CountRow))
    read = [row for row in counted(floor.rows) if isinstance(row, CountRow) or _at(row) >= newest]
    assert len(read) < len(counted(floor.rows)) / 2
    assert everything(reborn(kit, floor, read)) == everything(reborn(kit, floor))


def test_a_conversation_that_is_taken_over_went_on(kit: Any) -> None:
    """In conversation at 100, killed after 130, taken over at 700, over at 720: 620 s."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001")
    floor.at(100.0).join("a")
    floor.answer("8001")
    floor.at(130.0).sign_in("8002", presence="paused", reason="rest")  # the last thing that is known
    floor.at(700.0)
    again = reborn(kit, floor)
    assert again.engine.counting.seat(S).statistics.total.time_talking == 30.0
    moment = again.walltime.epoch(700.0)
    back = PresenceRow("8001.9", "8001", "", moment, "ready", "", "talking", "restored", "a", "junior")
    over = _with(back, change="8001.10", at=again.walltime.epoch(720.0), activity="idle", queue="")
    over = _with(over, cause="talk_ended", call="")
    phone = _with(back, change="8001.8", presence="offline", activity="idle", cause="reachable", queue="")
    for row in (phone, back, over):
        again.engine.counting.presence(row, again.engine.counting.seat(S))
    work = again.engine.counting.seat(S).statistics.total
    assert (work.time_talking, work.handled, work.talk) == (620.0, 1, 620.0)
    third = reborn(kit, floor, [*floor.rows, phone, back, over])
    assert everything(third)["8001"] == everything(again)["8001"]


def _with(row: PresenceRow, **changes: Any) -> PresenceRow:
    return msgspec.structs.replace(row, **changes)


def test_time_before_and_after_a_restart_is_that_of_the_rows(kit: Any) -> None:
    """Ready since 0, the last row at 130, back at 700, away at 720: 150 s are known."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001")
    floor.at(130.0).sign_in("8002")
    floor.at(700.0)
    again = reborn(kit, floor)
    moment = again.walltime.epoch(700.0)
    back = PresenceRow("8001.9", "8001", "", moment, "ready", "", "idle", "restored", "")
    left = _with(back, change="8001.10", at=moment + 20.0, presence="offline", cause="sign_out")
    for row in (back, left):
        again.engine.counting.presence(row, again.engine.counting.seat(S))
    assert again.engine.counting.seat(S).statistics.total.time_ready == 150.0
    assert everything(reborn(kit, floor, [*floor.rows, back, left]))["8001"] == everything(again)["8001"]


@pytest.mark.parametrize("is_old", [False, True])
def test_changes_of_one_instant_are_counted_in_the_order_of_their_numbers(kit: Any, is_old: bool) -> None:
    """A database of before 29 November 2026 has the seat before the number in ``change``."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.at(50.0).join("a")  # reserved, ringing and answered in one instant
    floor.answer("8001")
    floor.after(20.0).end_talk("8001")
    rows = list(floor.rows)
    for place, row in enumerate(rows):
        if isinstance(row, PresenceRow) and is_old:
            rows[place] = _with(row, change=".".join(reversed(row.change.split("."))))
    again = reborn(kit, floor, rows[::-1])
    assert again.engine.counting.seat(S).statistics.total.time_talking == 20.0
    assert everything(again) == everything(reborn(kit, floor))


def test_a_queue_that_is_removed_and_comes_back_finds_its_counters(kit: Any) -> None:
    both = kit.settings((kit.queue(), kit.queue("other")), (kit.seat("8001"),))
    one = kit.settings((kit.queue("other"),), (kit.seat("8001"),))
    floor = kit.Floor(both)
    floor.join("a")
    floor.leave("a")
    floor.do(Reconfigured(one))
    floor.do(Reconfigured(both))
    assert queue_counters(floor).abandoned == 1


@pytest.mark.parametrize("seed", range(12))
def test_busy_hours_are_recounted_from_their_rows(kit: Any, seed: int) -> None:
    """Whatever people do, the counters of the living engine are what its rows add up to."""
    floor = busy_hour_floor(kit, seed)
    floor.engine.roll(floor.now)
    floor._drain()
    again = reborn(kit, floor)
    before = {name: _sums(account) for name, account in floor.engine.counting.queues.items()}
    assert {name: _sums(account) for name, account in again.engine.counting.queues.items()} == {
        name: sums for name, sums in before.items() if name in again.engine.queues
    }
    for name, account in again.engine.counting.seats.items():
        mine = floor.engine.counting.seats[name]
        assert _work(account) == pytest.approx(_work(mine)), name


def _sums(account: Any) -> tuple[Any, ...]:
    return tuple(account.statistics.total.values())


def _work(account: Any) -> tuple[Any, ...]:
    counters = account.statistics.total
    return tuple(counters.values())[: len(counters.NAMES)]


def test_every_state_of_a_seat_has_a_word() -> None:
    assert state_of("offline", "idle") == "offline"
    assert state_of("paused", "talking") == "talking"
    assert state_of("paused", "unreachable") == "paused"
    assert state_of("ready", "unreachable") == "unreachable"
    assert state_of("wrapup", "idle") == "wrapup"


def test_totals_are_not_intervals(kit: Any) -> None:
    """The two row types share their columns; only the interval's is summed into a level's figures."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.join("a")
    floor.leave("a")
    floor.at(1000.0)
    floor.engine.roll(floor.now)
    floor._drain()
    rows = [row for row in floor.rows if isinstance(row, QueueIntervalRow)]
    assert [type(row) for row in rows] == [QueueIntervalRow, QueueTotalRow]
    again = reborn(kit, floor)
    (group,) = [it for key, it in again.engine.counting.groups.items() if key == ("junior", "demo")]
    assert group.callers.between(0.0, 1e12).abandoned == 1


def test_what_seats_did_until_the_switch_died_counts_once_over_two_deaths(kit: Any) -> None:
    """Ready and paused since 0 and 10, no row since, dead at 130, back at 700: 130 s and 120 s, also for the
    start after the next, which knows it by one row.
    """
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.at(10.0).pause("8002")
    floor.at(700.0)
    died_at = floor.walltime.epoch(130.0)
    again = kit.Floor(floor.engine.settings)
    again.now = 700.0
    again.rows.clear()
    unsaid = again.engine.recount(counted(floor.rows), 700.0, died_at)
    assert unsaid == died_at
    seats = [
        SeatRestored(SeatId("8001"), "", "a", "ready", "", 0.0, None, "", "softphone", "8001"),
        SeatRestored(SeatId("8002"), "", "b", "paused", "rest", 10.0, None, "", "softphone", "8002"),
    ]
    what = Recovered(seats=seats, talks=(), visits=(), offers=(), died_at=unsaid)
    again.engine.restore(what, lambda call: False, 700.0)
    again._drain()
    (row,) = [row for row in again.rows if isinstance(row, PresenceRow) and row.cause == "died"]
    assert (row.seat, row.presence, row.activity, row.at) == ("8001", "ready", "idle", died_at)
    assert seat_counters(again).time_ready == 130.0
    assert seat_counters(again, "8002").paused_for == {"rest": 120.0}
    third = kit.Floor(floor.engine.settings)
    third.now = 700.0
    rows = counted([*floor.rows, *again.rows])
    assert third.engine.recount(rows, 700.0, third.walltime.epoch(700.0)) is None
    assert seat_counters(third).time_ready == 130.0
    assert seat_counters(third, "8002").paused_for == {"rest": 120.0}


def test_a_death_that_a_row_says_already_is_not_written(kit: Any, story: Any) -> None:
    last = max(row.at for row in story.presences("8001"))
    again = kit.Floor(story.engine.settings)
    again.now = story.now
    assert again.engine.recount(counted(story.rows), story.now, last) is None
    assert again.engine.recount(counted(story.rows), story.now) is None


def test_an_interval_is_closed_at_the_moment_it_is_over(kit: Any) -> None:
    """Of a queue that is not asked for anything meanwhile; not a moment before, and once."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.engine.roll(0.0)
    floor.join("a")
    floor.leave("a")
    floor.engine.rows.clear()
    closed = []
    for at in (899.9, 900.0, 900.0, 1799.9, 1800.0):
        floor.engine.roll(at)
        rows = floor.engine.rows.take()
        closed += [(at, row.begin_at, row.abandoned_within) for row in rows if type(row) is QueueIntervalRow]
    assert closed == [(900.0, EPOCH, 1)]
