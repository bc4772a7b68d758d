"""The reaper: what lingers, for how long, and at what cost to the collector."""

import gc
from typing import Any

import pytest

import sip.reaper
from kernel.timers import TimerQueue
from sip.flows import Flow
from sip.reaper import SLACK, Reaper, flow_of

FLOW = Flow("udp", 0, "10.0.0.9", 5080)


def test_entries_go_when_their_time_has_come() -> None:
    table: dict[str, Any] = {}
    timers = TimerQueue()
    reaper = Reaper(table, timers)
    reaper.linger("a", "BYE", b"200", FLOW, 32.0, 0.0)
    reaper.linger("b", "INVITE", b"", FLOW, 5.0, 1.0, "tag")
    assert flow_of(table["b"]) == FLOW
    timers.fire_due(5.9)
    assert sorted(table) == ["a", "b"]
    timers.fire_due(6.0)
    assert sorted(table) == ["a"]
    timers.fire_due(32.0 + SLACK)
    assert table == {}
    assert timers.armed() == []
    reaper.check()


def test_a_key_that_lingers_again_keeps_the_later_time() -> None:
    table: dict[str, Any] = {}
    timers = TimerQueue()
    reaper = Reaper(table, timers)
    reaper.linger("a", "INVITE", b"", FLOW, 5.0, 0.0)
    reaper.linger("a", "INVITE", b"", FLOW, 32.0, 1.0)
    timers.fire_due(6.0)
    assert list(table) == ["a"]
    timers.fire_due(34.0)
    assert table == {}


def test_no_time_means_gone() -> None:
    table: dict[str, Any] = {"a": object()}
    timers = TimerQueue()
    Reaper(table, timers).linger("a", "BYE", b"", FLOW, 0.0, 0.0)
    assert table == {}
    assert timers.armed() == []


def test_the_collector_neither_looks_at_entries_nor_counts_them() -> None:
    table: dict[str, Any] = {}
    reaper = Reaper(table, TimerQueue())
    gc.disable()
    try:
        before = gc.get_count()[0]
        for number in range(1_000):
            reaper.linger(str(number), "BYE", b"200", FLOW, 32.0, 0.0)
        assert gc.get_count()[0] - before < 100
    finally:
        gc.enable()
    assert not gc.is_tracked(table["1"])


def test_a_full_table_forgets_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repetition is then a new request; nothing of it stays behind."""
    monkeypatch.setattr(sip.reaper, "LINGERING_MAX", 3)
    table: dict[str, Any] = {}
    timers = TimerQueue()
    reaper = Reaper(table, timers)
    for number in range(10):
        table[f"k{number}"] = object()
        reaper.linger(f"k{number}", "BYE", b"200", FLOW, 32.0, 0.0)
        assert len(table) <= 3
    reaper.check()
    timers.fire_due(32.0 + SLACK)
    assert table == {}
