"""The checkers themselves: each finds the wrong it is there for."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from kernel.rows import CallRow, OfferRow, PresenceRow, RecordingRow, VisitRow
from tests.simulator import checkers
from tests.simulator.town import Town

CALL = CallRow("c1", "demo", "in", "138", "96198", "carrier", "queue:junior", 0.0, 5.0, 20.0, 5.0, 15.0, 0.0,
               "8001", "seat", "success", 200)  # fmt: skip
VISIT = VisitRow("c1.1", "c1", "junior", 0.0, 5.0, 5.0, 0.0, "answered", "", "8001", True)
OFFER = OfferRow("c1.1.1", "c1.1", "8001", "softphone:8001", 3.0, 5.0, 2.0, "answered", 200, "p", "k", 1, "")
RESERVED = PresenceRow("8001.1", "8001", "", 2.0, "ready", "", "reserved", "offer", "c1")
AGAIN = PresenceRow("8001.2", "8001", "", 6.5, "ready", "", "reserved", "offer", "c2")


def world(calls: list[Any], visits: list[Any], offers: list[Any], presences: list[Any]) -> Any:
    """Only what checkers read."""
    node = SimpleNamespace(
        switchboard=SimpleNamespace(calls={}, recordings=SimpleNamespace(living={})),
        queues_view=lambda now: [],
        seats_view=lambda now: [],
    )
    return SimpleNamespace(
        time=SimpleNamespace(now=100.0),
        call_rows=calls,
        visit_rows=visits,
        offer_rows=offers,
        presence_rows=presences,
        rows=[*calls, *visits, *offers, *presences],
        deaths=[],
        node=node,
        workers=SimpleNamespace(tapes={}),
        trunk=SimpleNamespace(calls=[]),
        is_noisy=False,
        has_meddlers=False,
        has_reloaded=False,
        town=Town(wrap_up=0.0),
    )


def changed(row: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(row, **fields)


def test_an_honest_history_passes() -> None:
    checkers.check_rows(world([CALL], [VISIT], [OFFER], [RESERVED]))


OTHER_CALL = changed(CALL, call="c2", caller="139", arrived_at=6.0, answered_at=9.0, ended_at=30.0)
OTHER_VISIT = changed(VISIT, visit="c2.1", call="c2", joined_at=6.0, left_at=9.0, waited=3.0)
OTHER_OFFER = changed(OFFER, offer="c2.1.1", visit="c2.1", rung_at=7.0, ended_at=9.0)
PASSED_CALL = changed(
    CALL, call="c0", arrived_at=-3.0, answered_at=None, ended_at=9.0, seat="", verdict="caller"
)
PASSED_VISIT = changed(VISIT, visit="c0.1", call="c0", joined_at=-3.0, left_at=9.0, waited=12.0, seat="",
                       outcome="abandoned")  # fmt: skip

WRONG: list[tuple[str, Callable[[Any], None], Any]] = [
    ("two rows", checkers.check_one_row_each, world([CALL, CALL], [VISIT], [OFFER], [])),
    ("a visit of no call", checkers.check_one_row_each, world([], [VISIT], [], [])),
    ("an offer of no visit", checkers.check_one_row_each, world([CALL], [], [OFFER], [])),
    ("waited is wrong", checkers.check_visits, world([CALL], [changed(VISIT, waited=4.0)], [OFFER], [])),
    ("visit and offers", checkers.check_visits, world([CALL], [VISIT], [], [])),
    ("a success without", checkers.check_visits, world([CALL], [], [], [])),
    ("at once", checkers.check_offers,
     world([CALL, OTHER_CALL], [VISIT, OTHER_VISIT], [OFFER, OTHER_OFFER], [RESERVED, AGAIN])),
    ("rung while", checkers.check_offered_only_when_ready,
     world([CALL], [VISIT], [OFFER], [changed(RESERVED, presence="paused")])),
    ("was passed by", checkers.check_order,
     world([PASSED_CALL, CALL], [PASSED_VISIT, VISIT], [OFFER], [RESERVED])),
]  # fmt: skip


@pytest.mark.parametrize(("words", "check", "history"), WRONG, ids=[words for words, _, _ in WRONG])
def test_a_wrong_history_is_found(words: str, check: Callable[[Any], None], history: Any) -> None:
    with pytest.raises(AssertionError, match=words):
        check(history)


def test_a_caller_without_a_row_is_found() -> None:
    lost = SimpleNamespace(is_caller=True, status=200, has_ended=True, local="<sip:138@x>;tag=1", why="bye")
    history = world([], [], [], [])
    history.trunk.calls.append(lost)
    with pytest.raises(AssertionError, match="has the rows"):
        checkers.check_callers(history)


def test_each_recording_has_one_row_and_no_more() -> None:
    about = ("r1", "c1", "demo", "junior", "8001", "8001", "139", 1.0, 2.0, 1.0, 16_058, 0.0, "kept", "asked")
    row = RecordingRow(*about)
    town = world([CALL], [VISIT], [OFFER], [RESERVED])
    town.workers.tapes = {"r1": SimpleNamespace(is_open=False, is_message=False)}
    with pytest.raises(AssertionError, match="has no row"):
        checkers.check_recordings(town)
    town.rows.append(row)
    checkers.check_recordings(town)
    town.workers.tapes["r1"].is_open = True
    with pytest.raises(AssertionError, match="is written for ever"):
        checkers.check_recordings(town)
    town.rows.append(row)
    with pytest.raises(AssertionError, match="two rows"):
        checkers.check_recordings(town)
    town.rows = []
    town.workers.tapes = {}
    town.call_rows = [changed(CALL, recording="r2")]
    with pytest.raises(AssertionError, match="no recording"):
        checkers.check_recordings(town)
