"""Figures of queues, seats, levels and tenants: in all, between two moments, by interval, and now."""

from typing import Any

import pytest

from acd.figures import Span
from kernel.ids import QueueName, SeatId
from kernel.limits import INTERVAL

EPOCH = 1_800_000_000.0
ALL = Span()


@pytest.fixture
def floor(kit: Any) -> Any:
    """Two levels, three seats; a junior answers at 0, an intermediate at 1000, a junior caller gives up."""
    queues = (kit.queue(), kit.queue("intermediate", 1))
    seats = (
        kit.seat("8001"),
        kit.seat("8002"),
        kit.seat("8011", 1, ("intermediate",)),
    )
    it = kit.floor(queues, seats, wrap_up=10.0)
    it.sign_in("8001", "8011")
    it.join("a")
    it.answer("8001")
    it.at(50.0).end_talk("8001")
    it.at(100.0).pause("8001")
    it.at(200.0).join("b")
    it.at(230.0).leave("b")
    it.at(1000.0).join("c", "intermediate")
    it.at(1003.0).answer("8011")
    it.at(1083.0).end_talk("8011")
    it.at(1100.0).join("d")
    return it.at(1125.0)


def test_a_queue_in_all_and_now(floor: Any) -> None:
    shown = floor.engine.figures.queue(QueueName("junior"), ALL, floor.now)
    assert (shown["offered"], shown["answered"], shown["abandoned"], shown["service_level"]) == (2, 1, 1, 0.5)
    assert shown["now"] == {
        "waiting": 1,
        "waiting_late": 1,
        "longest_wait": 25.0,
        "seats": {"paused": 1, "offline": 1},
    }
    assert (shown["from"], shown["to"], shown["intervals"]) == (None, None, None)


def test_a_seat_by_interval(floor: Any) -> None:
    span = Span(EPOCH, EPOCH + 2 * INTERVAL, by_interval=True)
    shown = floor.engine.figures.seat(SeatId("8001"), span, floor.now)
    first, second = shown["intervals"]
    assert (first["begin"], second["begin"]) == ("2027-01-15T08:00:00.000Z", "2027-01-15T08:15:00.000Z")
    assert (first["handled"], first["talk"], first["time_paused"]) == (1, 50.0, 800.0)
    assert (second["handled"], second["time_paused"]) == (0, 225.0)
    assert (shown["handled"], shown["time_paused"], shown["time_signed_in"]) == (1, 1025.0, 1125.0)
    assert shown["paused_for"] == {"rest": 1025.0}


def test_a_level_is_its_queues_and_its_seats(floor: Any) -> None:
    shown = floor.engine.figures.level(1, "", ALL, floor.now)
    assert (shown["level"], shown["queues"], shown["seats"]) == ("intermediate", ["intermediate"], 1)
    assert (shown["callers"]["answered"], shown["callers"]["asa"]) == (1, 3.0)
    assert (shown["work"]["handled"], shown["work"]["aht"]) == (1, 90.0)
    assert shown["work"]["occupancy"] == pytest.approx((3 + 80 + 10) / 1125)
    assert floor.engine.figures.level(1, "other", ALL, floor.now)["seats"] == 0


def test_a_tenant_is_all_of_them(floor: Any) -> None:
    shown = floor.engine.figures.tenant("demo", ALL, floor.now)
    assert (shown["callers"]["offered"], shown["callers"]["answered"]) == (3, 2)
    assert (shown["work"]["handled"], shown["work"]["time_signed_in"]) == (2, 2250.0)
    assert shown["now"]["seats"] == {"paused": 1, "offline": 1, "ready": 1}


def test_between_two_moments_closed_and_open_intervals_add_up(floor: Any) -> None:
    """The first quarter is closed, the second open; together they are everything there is."""
    figures = floor.engine.figures
    for asked in (
        lambda span: figures.tenant("demo", span, floor.now),
        lambda span: figures.level(0, "demo", span, floor.now),
    ):
        first = asked(Span(EPOCH, EPOCH + INTERVAL))
        second = asked(Span(EPOCH + INTERVAL, None))
        total = asked(ALL)
        for part, name in (("callers", "offered"), ("work", "handled"), ("work", "time_signed_in")):
            assert first[part][name] + second[part][name] == pytest.approx(total[part][name])
        both = asked(Span(EPOCH, EPOCH + 9 * INTERVAL, by_interval=True))
        assert [it["begin"] for it in both["intervals"]] == [
            "2027-01-15T08:00:00.000Z",
            "2027-01-15T08:15:00.000Z",
        ]
        assert sum(it["work"]["time_signed_in"] for it in both["intervals"]) == pytest.approx(
            total["work"]["time_signed_in"]
        )
        assert both["callers"] == total["callers"]


def test_nothing_happened_is_null_everywhere(kit: Any) -> None:
    it = kit.floor((kit.queue(),), (kit.seat("8001"),))
    shown = it.engine.figures.tenant("demo", ALL, 0.0)
    for figure in ("service_level", "asa", "ata", "wait_p50", "wait_p95", "abandon_rate", "aht"):
        assert shown["callers"][figure] is None
    for figure in ("aht", "occupancy", "utilisation", "rna_rate", "transfer_rate"):
        assert shown["work"][figure] is None
    assert shown["now"]["longest_wait"] is None
