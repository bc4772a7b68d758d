"""Timetables: jobs by weekday and hour, in virtual time. The moment 0 is Friday 2027-01-15 08:00:00 UTC."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from acd.inputs import PauseAsked, PhoneReachable, Reconfigured, SeatEngaged, TalkEnded
from acd.settings import Job, PhoneSettings, TenantSettings, Timetable
from acd.timetable import moment_after, next_due
from kernel.ids import CallId, SeatId
from tests.acd.conftest import EPOCH

S = SeatId("8001")
EVERY_DAY = tuple(range(7))
HOUR = 3600.0


def table(*jobs: Job) -> Timetable:
    return Timetable(jobs, UTC)


def daily(clock: str, action: str, argument: str = "") -> Job:
    hour, _, minute = clock.partition(":")
    return Job(EVERY_DAY, int(hour) * 60 + int(minute), action, argument)


def floor_of(kit: Any, *jobs: Job, **more: Any) -> Any:
    return kit.floor((kit.queue(),), (kit.seat("8001", timetable=table(*jobs), **more),))


def utc(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[arg-type]


# Moments.


def test_the_next_moment_is_on_one_of_the_days_at_the_minute() -> None:
    assert datetime.fromtimestamp(EPOCH, UTC).isoformat() == "2027-01-15T08:00:00+00:00"
    weekly = Job((0,), 510, "ready")  # Mondays 08:30
    assert moment_after(weekly, table(), EPOCH) == utc(2027, 1, 18, 8, 30)
    assert moment_after(weekly, table(), utc(2027, 1, 18, 8, 30)) == utc(2027, 1, 25, 8, 30)
    assert next_due(table(weekly, daily("09:00", "ready")), EPOCH) == utc(2027, 1, 15, 9)


def test_the_zone_of_the_tenant_counts_over_a_change_of_the_clocks() -> None:
    """Europe/Berlin: 02:30 does not exist on 2027-03-28 and comes twice on 2027-10-31."""
    berlin = Timetable((), ZoneInfo("Europe/Berlin"))
    job = daily("02:30", "ready")
    assert moment_after(job, berlin, utc(2027, 3, 27, 12)) == utc(2027, 3, 28, 1, 30)
    assert moment_after(job, berlin, utc(2027, 10, 30, 12)) == utc(2027, 10, 31, 0, 30)
    assert moment_after(job, berlin, utc(2027, 10, 31, 0, 30)) == utc(2027, 11, 1, 1, 30)


# Jobs.


def test_pause_and_ready_at_their_hours(kit: Any) -> None:
    floor = floor_of(kit, daily("09:00", "pause", "rest"), daily("10:00", "ready"))
    floor.sign_in("8001")
    floor.at(HOUR - 0.1)
    assert floor.state("8001") == "ready idle"
    floor.at(HOUR)
    assert (floor.state("8001"), floor.seat("8001").reason) == ("paused idle", "rest")
    assert floor.presences("8001")[-1].cause == "timetable"
    floor.at(2 * HOUR)
    assert floor.state("8001") == "ready idle"
    floor.at(25 * HOUR)
    assert floor.state("8001") == "paused idle"  # and the day after


def test_a_busy_seat_does_it_after_its_work_and_wrap_up(kit: Any) -> None:
    jobs = (daily("09:00", "pause", "rest"),)
    floor = kit.floor((kit.queue(),), (kit.seat("8001", timetable=table(*jobs)),), wrap_up=30.0)
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    floor.at(HOUR)
    assert (floor.state("8001"), floor.seat("8001").pending) == ("ready talking", "paused:rest")
    floor.at(HOUR + 10.0)
    floor.end_talk("8001")
    assert floor.state("8001") == "wrapup idle"
    floor.at(HOUR + 40.0)
    assert floor.state("8001") == "paused idle"


def test_logout_of_an_idle_and_of_a_busy_seat(kit: Any) -> None:
    floor = floor_of(kit, daily("09:00", "logout"))
    floor.sign_in("8001")
    floor.at(HOUR)
    assert (floor.state("8001"), floor.presences("8001")[-1].cause) == ("offline idle", "timetable")
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    floor.at(25 * HOUR)
    assert floor.seat("8001").pending == "offline"
    floor.end_talk("8001", bridged=False)
    assert floor.state("8001") == "offline idle"


def test_a_seat_that_nobody_signs_in_at_signs_in_by_itself(kit: Any) -> None:
    """An outside phone needs no desk; whoever signs in later takes the seat over, whoever is there stays."""
    phones = (PhoneSettings("pstn", "138"),)
    floor = floor_of(kit, daily("09:00", "login"), daily("18:00", "logout"), phones=phones)
    floor.at(HOUR)
    assert (floor.state("8001"), floor.seat("8001").session) == ("ready idle", "timetable")
    floor.join("a")
    assert floor.ringing() == {"a": "8001"}
    floor.sign_in("8001")
    assert [(each.seat, each.session) for each in floor.kicked()] == [("8001", "timetable")]
    floor.leave("a")
    floor.pause("8001")
    floor.at(10 * HOUR)
    assert floor.state("8001") == "offline idle"
    floor.sign_in("8001", presence="paused", reason="rest")
    floor.at(25 * HOUR)
    assert (floor.state("8001"), floor.seat("8001").session) == ("paused idle", "s-8001")


def test_a_quota_holds_for_timetables_too(kit: Any) -> None:
    jobs = table(daily("09:00", "login"))
    seats = (kit.seat("8001", timetable=jobs), kit.seat("8002", timetable=jobs))
    floor = kit.floor((kit.queue(),), seats, tenant=TenantSettings("demo", seat_quota=1))
    floor.at(HOUR)
    assert (floor.state("8001"), floor.state("8002")) == ("ready idle", "offline idle")


def test_what_cannot_be_done_is_left_out(kit: Any) -> None:
    """Nobody is signed in; a supervisor's pause stays; ready stays ready; wrap-up ends by itself."""
    floor = floor_of(kit, daily("09:00", "ready"))
    floor.at(HOUR)
    assert floor.state("8001") == "offline idle"
    floor.sign_in("8001")
    floor.do(PauseAsked(S, "coaching", forced=True))
    floor.at(25 * HOUR)
    assert (floor.state("8001"), floor.seat("8001").reason) == ("paused idle", "coaching")


def test_another_phone_at_its_hour(kit: Any) -> None:
    phones = (PhoneSettings("softphone", ""), PhoneSettings("pstn", "138"))
    floor = floor_of(
        kit, daily("09:00", "phone", "pstn"), daily("10:00", "phone", "softphone"), phones=phones
    )
    floor.sign_in("8001")
    floor.at(HOUR)
    assert str(floor.seat("8001").phone) == "pstn:138"
    assert floor.states("8001")[-1].phone_kind == "pstn"
    floor.at(2 * HOUR)
    assert str(floor.seat("8001").phone) == "softphone:8001"


def test_a_busy_seat_changes_its_phone_when_it_is_free(kit: Any) -> None:
    phones = (PhoneSettings("softphone", ""), PhoneSettings("pstn", "138"))
    floor = floor_of(kit, daily("09:00", "phone", "pstn"), phones=phones)
    floor.sign_in("8001")
    floor.do(SeatEngaged(S, CallId("own"), "talking"))
    floor.at(HOUR)
    assert str(floor.seat("8001").phone) == "softphone:8001"
    floor.do(PhoneReachable("softphone", "8001", False))
    floor.do(TalkEnded(S, CallId("own"), True))
    assert (str(floor.seat("8001").phone), floor.state("8001")) == ("pstn:138", "ready idle")
    assert floor.states("8001")[-1].phone_number == "138"


def test_a_phone_that_another_seat_has_is_not_taken_from_it(kit: Any) -> None:
    phones = (PhoneSettings("softphone", ""), PhoneSettings("extension", "2001"))
    jobs = table(daily("09:00", "phone", "extension"))
    seats = (kit.seat("8001", phones=phones, timetable=jobs), kit.seat("8002", phones=phones, timetable=jobs))
    floor = kit.floor((kit.queue(),), seats)
    floor.sign_in("8001", "8002")
    floor.at(HOUR)
    assert str(floor.seat("8001").phone) == "extension:2001"
    assert str(floor.seat("8002").phone) == "softphone:8002"


def test_seats_of_one_timetable_share_one_deadline_and_a_reload_keeps_it(kit: Any) -> None:
    jobs = table(daily("09:00", "pause", "rest"))
    seats = tuple(kit.seat(f"80{n:02}", timetable=jobs) for n in range(1, 51))
    floor = kit.floor((kit.queue(),), seats)
    assert len(floor.timers.armed()) == 1
    floor.sign_in("8001", "8050")
    floor.do(Reconfigured(floor.engine.settings))
    assert len(floor.timers.armed()) == 1
    floor.at(HOUR)
    assert (floor.state("8001"), floor.state("8050")) == ("paused idle", "paused idle")
    floor.do(Reconfigured(kit.settings((kit.queue(),), (kit.seat("8001"),))))
    assert floor.timers.armed() == []


def test_a_clock_that_is_set_moves_the_deadline_and_does_nothing_twice(kit: Any) -> None:
    floor = floor_of(kit, daily("09:00", "pause", "rest"))
    floor.sign_in("8001")
    floor.at(100.0)
    floor.walltime.set_offset(EPOCH + HOUR - 200.0)  # it is 08:58:20 now
    floor.engine.set_clock()
    floor.at(199.0)
    assert floor.state("8001") == "ready idle"
    floor.at(201.0)
    assert floor.state("8001") == "paused idle"
    floor.ready("8001")
    floor.walltime.set_offset(EPOCH)  # set back: 09:00 comes again
    floor.engine.set_clock()
    floor.at(2 * HOUR)
    assert floor.state("8001") == "ready idle"
