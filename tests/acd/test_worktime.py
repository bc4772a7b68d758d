"""Seat counters: occupancy with and without ring, utilisation, pauses by reason."""

import pytest

from acd.worktime import SeatCounters, occupancy, utilisation


def hour() -> SeatCounters:
    """A signed-in hour: 30 min in conversation, 3 on hold, 3 ringing, 9 wrap-up, 5 paused, 10 ready."""
    it = SeatCounters()
    it.time_talking, it.time_held, it.time_ringing = 1800.0, 180.0, 180.0
    it.time_wrapup, it.time_paused, it.time_ready = 540.0, 300.0, 600.0
    it.pause("rest", 300.0)
    return it


def test_occupancy_says_whether_ring_counts() -> None:
    assert occupancy(hour()) == pytest.approx(2700 / 3300)
    assert occupancy(hour(), with_ring=False) == pytest.approx(2520 / 3120)


def test_utilisation_is_handling_over_signed_in() -> None:
    assert hour().signed_in == 3600.0
    assert utilisation(hour()) == pytest.approx(2520 / 3600)


def test_who_was_not_there_has_no_figure() -> None:
    shown = SeatCounters().as_dict()
    assert (shown["occupancy"], shown["utilisation"], shown["aht"]) == (None, None, None)
    paused = SeatCounters()
    paused.time_paused = 60.0
    assert (occupancy(paused), utilisation(paused)) == (None, 0.0)


def test_pauses_add_up_by_reason() -> None:
    both = hour()
    other = hour()
    other.pause("meeting", 60.0)
    both.add(other)
    assert both.as_dict()["paused_for"] == {"meeting": 60.0, "rest": 600.0}
    assert both.signed_in == 7200.0
