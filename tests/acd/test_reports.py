"""Reports add up the rows of quarters: whose, from when to when, in what parts; they equal those of calls."""

from typing import Any

import pytest

from acd.reports import COLUMNS, Report, Wanted
from kernel.rows import OfferRow, PresenceRow, QueueIntervalRow, SeatIntervalRow, VisitRow
from kernel.walltime import epoch_text

EPOCH = 1_800_000_000.0  # of a floor's moment 0, the begin of a quarter
QUARTER = 900.0
EVERYTHING = Wanted(0.0, 1e12)


@pytest.fixture
def rows(kit: Any) -> list[Any]:
    """Return what two queues and three seats leave behind in an hour."""
    queues = (kit.queue(), kit.queue("senior", 2))
    seats = (kit.seat("8001"), kit.seat("8002"), kit.seat("8016", 2, ("senior",)))
    floor = kit.floor(queues, seats, wrap_up=30.0)
    floor.sign_in("8001", "8016")
    for quarter in range(4):
        begin = quarter * QUARTER
        floor.at(begin + 10.0).join(f"a{quarter}")
        if quarter == 2:
            floor.at(begin + 15.0).refuse("8001")
            floor.at(begin + 40.0).leave("a2")
        else:
            floor.at(begin + 10.0 + 4.0 * quarter).answer("8001")
            floor.at(begin + 100.0).end_talk("8001")
        floor.at(begin + 200.0).join(f"b{quarter}", "senior")
        if quarter % 2:
            floor.rang("8016")
            floor.at(begin + 202.0).leave(f"b{quarter}")
        else:
            floor.at(begin + 203.0).answer("8016")
            floor.at(begin + 260.0).end_talk("8016")
        floor.at(begin + 400.0).pause("8001", "rest" if quarter else "meeting")
        floor.at(begin + 500.0).ready("8001")
    floor.at(4 * QUARTER + 1.0)
    floor.engine.roll(floor.now)
    floor._drain()
    assert floor.walltime.epoch(0.0) == EPOCH
    return list(floor.rows)


def report(rows: list[Any], wanted: Wanted = EVERYTHING) -> list[dict[str, Any]]:
    made = Report(wanted)
    for row in rows:
        if type(row) in (QueueIntervalRow, SeatIntervalRow):
            made.take(row)
    return made.lines()


def named(lines: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {line["name"]: line for line in lines if line["kind"] == kind}


def test_queues_are_what_the_rows_of_visits_say(rows: list[Any]) -> None:
    found = named(report(rows), "queue")
    assert list(found) == ["junior", "senior"]
    for name, line in found.items():
        visits = [row for row in rows if isinstance(row, VisitRow) and row.queue == name]
        answered = [row for row in visits if row.outcome == "answered"]
        abandoned = [row for row in visits if row.outcome == "abandoned"]
        assert (line["offered"], line["answered"], line["abandoned"]) == (
            *(len(visits), len(answered), len(abandoned)),
        )
        ringing = sum(row.cause == "ringing" for row in abandoned)
        assert (line["abandoned_ringing"], line["abandoned_waiting"]) == (ringing, len(abandoned) - ringing)
        assert line["short_abandoned"] == sum(row.waited < 5.0 for row in abandoned)
        assert line["asa"] == pytest.approx(sum(row.waited for row in answered) / len(answered))
        assert line["ata"] == pytest.approx(sum(row.waited for row in abandoned) / len(abandoned))
        in_time = sum(row.waited <= 20.0 for row in answered)
        forgiven = sum(row.waited <= 20.0 for row in abandoned)
        assert line["service_level_negative"] == in_time / len(visits)
        assert line["service_level_ignore"] == in_time / (len(visits) - forgiven)
        assert line["service_level_positive"] == (in_time + forgiven) / len(visits)
        assert line["service_level_answered_only"] == in_time / len(answered)
    assert (found["junior"]["offered"], found["senior"]["abandoned_ringing"]) == (4, 2)


def test_seats_are_what_the_rows_of_offers_and_presences_say(rows: list[Any]) -> None:
    found = named(report(rows), "seat")
    assert list(found) == ["8001", "8016"]
    for name, line in found.items():
        offers = [row for row in rows if isinstance(row, OfferRow) and row.seat == name]
        assert line["offers"] == len(offers)
        for outcome in ("answered", "missed", "refused", "failed", "withdrawn"):
            assert line[f"offers_{outcome}"] == sum(row.outcome == outcome for row in offers), outcome
        presences = [row for row in rows if isinstance(row, PresenceRow) and row.seat == name]
        spent: dict[str, float] = {}
        moments = [*presences[1:], None]
        for row, after in zip(presences, moments, strict=True):
            until = EPOCH + 4 * QUARTER if after is None else after.at
            what = row.activity if row.activity in ("talking", "ringing", "reserved") else row.presence
            spent[what] = spent.get(what, 0.0) + until - row.at
        for what in ("ready", "paused", "wrapup", "talking", "ringing", "reserved"):
            assert line[f"time_{what}"] == pytest.approx(spent.get(what, 0.0), abs=0.002), what
        assert line["time_signed_in"] == pytest.approx(4 * QUARTER, abs=0.01)
        busy = sum(spent.get(what, 0.0) for what in ("talking", "wrapup", "ringing", "reserved"))
        assert line["occupancy"] == pytest.approx(busy / (busy + spent["ready"]), abs=1e-4)
    assert found["8001"]["paused_for"] == {"meeting": 100.0, "rest": 300.0}
    assert found["8001"]["offers_refused"] == 1


def test_levels_and_tenants_are_the_sums(rows: list[Any]) -> None:
    lines = report(rows)
    queues, seats = named(lines, "queue"), named(lines, "seat")
    levels, tenants = named(lines, "level"), named(lines, "tenant")
    assert (list(levels), list(tenants)) == (["junior", "senior"], ["demo"])
    assert levels["senior"]["offered"] == queues["senior"]["offered"]
    assert levels["senior"]["time_talking"] == seats["8016"]["time_talking"]
    for name in ("offered", "abandoned", "answered", "short_abandoned"):
        assert tenants["demo"][name] == sum(line[name] for line in queues.values()), name
    for name in ("offers", "handled", "talk", "time_ready", "time_signed_in"):
        assert tenants["demo"][name] == pytest.approx(sum(line[name] for line in seats.values())), name
    for line in lines:
        assert tuple(line) == COLUMNS


def test_a_quarter_counts_where_it_begins(rows: list[Any]) -> None:
    second = report(rows, Wanted(EPOCH + QUARTER, EPOCH + 2 * QUARTER))
    assert named(second, "queue")["junior"]["asa"] == 4.0
    assert named(second, "seat")["8001"]["time_signed_in"] == pytest.approx(QUARTER)
    halves = report(rows, Wanted(EPOCH, EPOCH + 4 * QUARTER, part=2 * QUARTER))
    begins = [line["begin"] for line in halves if line["name"] == "junior" and line["kind"] == "queue"]
    assert begins == [epoch_text(EPOCH), epoch_text(EPOCH + 2 * QUARTER)]
    assert [it["offered"] for it in halves if it["name"] == "demo"] == [4, 4]
    assert report(rows, Wanted(EPOCH + 5 * QUARTER, 1e12)) == []


def test_parts_count_from_the_begin_whatever_the_clock_says(rows: list[Any]) -> None:
    """Days of a place whose midnight is no full hour of UTC."""
    early = Wanted(EPOCH - 3 * QUARTER, 1e12, part=4 * QUARTER)
    lines = [line for line in report(rows, early) if line["kind"] == "tenant"]
    assert [line["begin"] for line in lines] == [
        epoch_text(EPOCH - 3 * QUARTER),
        epoch_text(EPOCH + QUARTER),
    ]
    assert [line["offered"] for line in lines] == [2, 6]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"queue": "senior"}, [("queue", "senior")]),
        ({"seat": "8016"}, [("seat", "8016")]),
        ({"tenant": "other"}, []),
        ({"queue": "nowhere"}, []),
        ({"tenant": "demo", "seat": "8001"}, [("seat", "8001")]),
    ],
)
def test_of_one_alone(rows: list[Any], wanted: dict[str, str], names: list[tuple[str, str]]) -> None:
    lines = report(rows, Wanted(0.0, 1e12, **wanted))
    assert [(line["kind"], line["name"]) for line in lines] == names
