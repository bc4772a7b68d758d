"""Checks of calls: at least one, better five of each operator a month. Moment 0 is 2027-01-15, 08:00 UTC."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

import acd.quality
from acd.inputs import QualityRestored, QualityScored
from acd.quality import REMEMBERED_FOR
from acd.settings import QualitySettings, TenantSettings
from kernel.ids import SeatId
from kernel.rows import QualityRow

SEAT = SeatId("8001")
DAY = 86_400.0
GOOD = {"terms": 5, "attitude": 4, "tone": 5, "summary": 3, "reaction": 3}


def floor_of(kit: Any, **tenant: Any) -> Any:
    """One agent's seat and a shift leader's."""
    seats = (kit.seat("8001"), kit.seat("8019", role="supervisor"))
    return kit.floor((kit.queue(),), seats, tenant=TenantSettings("demo", **tenant))


def score(check: str, call: str = "c1", by: str = "8019", **items: int) -> QualityScored:
    return QualityScored(check, SEAT, call, "", tuple((GOOD | items).items()), "", by)


def rows(floor: Any) -> list[QualityRow]:
    return [row for row in floor.rows if isinstance(row, QualityRow)]


def month(floor: Any, name: str = "2027-01", seat: str = "8001") -> dict[str, Any]:
    found: dict[str, Any] = floor.engine.quality.seat_in(name, SeatId(seat))
    return found


def test_a_seat_lacks_checks_until_it_has_its_minimum_and_then_its_target(kit: Any) -> None:
    floor = floor_of(kit)
    assert [month(floor)[key] for key in ("checks", "minimum", "target", "missing", "to_target", "mean")] == [
        0, 1, 5, 1, 5, None,
    ]  # fmt: skip
    floor.do(score("k1"))
    floor.do(score("k2", "c2", terms=1))
    found = month(floor)
    assert (found["checks"], found["missing"], found["to_target"]) == (2, 0, 3)
    assert (found["mean"], found["means"]["terms"], found["means"]["summary"]) == (3.6, 3.0, 3.0)
    assert [row.mean for row in rows(floor)] == [4.0, 3.2]
    assert [each["check"] for each in floor.engine.quality.checks_in("2027-01", "8001", 0.0)] == ["k1", "k2"]


def test_a_shift_leader_is_owed_no_check(kit: Any) -> None:
    found = month(floor_of(kit), seat="8019")
    assert (found["minimum"], found["target"], found["missing"]) == (0, 0, 0)


def test_the_same_leader_corrects_its_check_of_a_call_and_another_one_makes_a_second(kit: Any) -> None:
    """It stays in the month in which it was made, and is the same row."""
    floor = floor_of(kit)
    floor.do(score("k1"))
    floor.at(30 * DAY).do(score("k2", tone=1))
    first, second = rows(floor)
    assert (second.check, second.at, second.mean) == ("k1", first.at, 3.2)
    assert second.changed_at == first.at + 30 * DAY
    assert (month(floor)["checks"], month(floor, "2027-02")["checks"]) == (1, 0)
    floor.do(score("k3", by="8020"))
    assert month(floor, "2027-02")["checks"] == 1
    shown = floor.engine.quality.check_of("8001", "c1", "", "8019")
    assert (shown["check"], shown["call"], shown["recording"], shown["mean"]) == ("k1", "c1", None, 3.2)


def test_months_are_those_of_the_tenants_time_zone(kit: Any) -> None:
    """31 January 20:00 UTC is February in Shanghai."""
    floor = floor_of(kit, zone=ZoneInfo("Asia/Shanghai"))
    floor.at(16.5 * DAY)
    assert floor.walltime.text(floor.now) == "2027-01-31T20:00:00.000Z"
    floor.do(score("k1"))
    assert floor.engine.quality.month("demo", floor.now) == "2027-02"
    assert (month(floor)["checks"], month(floor, "2027-02")["checks"]) == (0, 1)


def test_every_item_of_the_tenant_is_scored_from_1_to_5_and_no_other(kit: Any) -> None:
    floor = floor_of(kit)
    assert floor.refused(score("k", terms=6)) == "BAD_SCORE"
    assert floor.refused(score("k", terms=0)) == "BAD_SCORE"
    assert floor.refused(score("k", speed=3)) == "BAD_SCORE"
    lacks = tuple(item for item in GOOD.items() if item[0] != "tone")
    assert floor.refused(QualityScored("k", SEAT, "c", "", lacks, "", "8019")) == "BAD_SCORE"
    assert floor.refused(QualityScored("k", SeatId("8099"), "c", "", lacks, "", "8019")) == "NO_SUCH_SEAT"
    own = floor_of(kit, quality=QualitySettings(2, 3, ("greeting",)))
    own.do(QualityScored("k", SEAT, "", "r1", (("greeting", 2),), "late", "8019"))
    assert rows(own)[0].items == '{"greeting":2}'
    assert (month(own)["missing"], month(own)["to_target"]) == (1, 2)


def test_checks_outlive_a_restart_for_thirteen_months(kit: Any) -> None:
    before = floor_of(kit)
    before.do(score("k1"))
    (row,) = rows(before)
    after = floor_of(kit)
    after.do(QualityRestored(row))
    assert rows(after) == []
    assert month(after)["checks"] == 1
    after.do(score("k2", tone=1))
    assert rows(after)[0].check == "k1"  # the same call by the same leader
    after.at(REMEMBERED_FOR + DAY).do(score("k3", "c3"))
    assert month(after)["checks"] == 0
    floor = floor_of(kit).at(REMEMBERED_FOR + DAY)
    floor.do(QualityRestored(row))
    assert list(floor.engine.quality.checks_in("2027-01", "8001", floor.now)) == []


def test_checks_of_a_number_that_was_another_tenants_are_not_shown(kit: Any) -> None:
    floor = floor_of(kit)
    floor.do(score("k1"))
    (row,) = rows(floor)
    after = floor_of(kit)
    after.do(QualityRestored(msgspec.structs.replace(row, check="k0", tenant="elsewhere", by="9019")))
    assert month(after)["checks"] == 0
    assert list(after.engine.quality.checks_in("2027-01", "8001", 0.0)) == []
    after.do(QualityRestored(row))
    assert [each["check"] for each in after.engine.quality.checks_in("2027-01", "8001", 0.0)] == ["k1"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_check_that_is_forgotten_leaves_nothing(kit: Any, count: int) -> None:
    floor = floor_of(kit)
    for number in range(count):
        floor.do(score(f"k{number}", f"c{number}"))
    floor.at(REMEMBERED_FOR + DAY).do(score("last", "c"))
    assert month(floor)["checks"] == 0


def test_so_many_checks_are_remembered_and_the_oldest_are_forgotten(
    kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acd.quality, "REMEMBERED_MAX", 3)
    floor = floor_of(kit)
    for number in range(10):
        floor.after(60.0).do(score(f"k{number}", f"c{number}"))
    quality = floor.engine.quality
    assert list(quality._checks) == ["k7", "k8", "k9"]
    assert (len(quality._by_call), sum(map(len, quality._of_seat.values()))) == (3, 3)
