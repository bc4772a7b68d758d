"""One replication, call by call: constant times make every figure exact."""

import gc
from typing import Any

import pytest

from seatswitch.forecast.report import build_report
from seatswitch.forecast.run import Run
from seatswitch.forecast.scenario import load_scenario, parse_document
from seatswitch.forecast.tally import Tally


class Clockwork:
    """Calls that come every ``1/rate`` seconds, and the seats' own dice."""

    def expovariate(self, lambd: float) -> float:
        return 1.0 / lambd

    def lognormvariate(self, mu: float, sigma: float) -> float:
        raise AssertionError("nobody asked for it")

    def randbytes(self, n: int) -> bytes:
        return bytes(n)


def play(text: str, acd: Any = None) -> tuple[Tally, Any]:
    scenario = load_scenario(parse_document("replications = 1\nwarm_up = 0\n" + text, "desk.toml"), acd)
    tally = Run(scenario, lambda name: Clockwork()).run()
    return tally, build_report(scenario, [tally])


def desk(top: str = "", more: str = "", handle: str = "15s", seats: int = 1) -> str:
    return (
        f'calls = 4\n{top}\n[[class]]\nname = "a"\nrate = "0.1/s"\n'
        f'handle = {{law = "constant", mean = "{handle}"}}\n{more}\n'
        f'[[group]]\nname = "g"\nseats = {seats}\nserves = ["a"]\n'
    )


def test_waits_of_a_queue() -> None:
    """Calls at 10, 20, 30, 40 s of 15 s each: waits 0, 5, 10, 15 s; the last two are seen out."""
    tally, report = play(desk(top='threshold = "5s"'))
    found = tally.classes[0]
    assert (found.offered, found.answered, found.waited, found.within) == (4, 4, 3, 2)
    assert found.wait_answered == pytest.approx(30.0)
    assert tally.span == pytest.approx(40.0)
    assert tally.squares == pytest.approx(tally.busy)  # of one seat
    assert report["classes"]["a"]["service_level"] == 0.5
    assert report["groups"]["g"]["utilisation"] == pytest.approx(30 / 40)


def test_impatient_callers() -> None:
    """Patience 7 s: waits 0, 5, 7 (gone at 37 s), 0 s: the seat is free again at 40 s."""
    tally, _ = play(desk(more='patience = {law = "constant", mean = "7s"}'))
    found = tally.classes[0]
    assert (found.answered, found.abandoned, found.waited) == (3, 1, 2)
    assert found.wait == pytest.approx(12.0)
    assert found.wait_answered == pytest.approx(5.0)


def test_not_queued() -> None:
    tally, report = play(desk(more="queued = false"))
    found = tally.classes[0]
    assert (found.answered, found.blocked, found.waited) == (2, 2, 0)
    assert report["overall"]["blocked"] == 0.5
    assert report["overall"]["mean_wait"] == 0.0


def test_lines() -> None:
    """Two lines: the call at 30 s finds one who talks and one who waits; the others wait 15 and 20 s."""
    tally, _ = play(desk(top="lines = 2", handle="25s"))
    found = tally.classes[0]
    assert (found.answered, found.blocked) == (3, 1)
    assert found.wait == pytest.approx(15.0 + 20.0)


def test_warm_up_is_not_counted() -> None:
    """Counted from 25 s on: calls at 30, 40, 50 and 60 s wait 10, 15, 20, 25 s."""
    scenario = load_scenario(parse_document('replications = 1\nwarm_up = "25s"\n' + desk(), "desk.toml"))
    later = Run(scenario, lambda name: Clockwork()).run()
    assert later.classes[0].offered == 4
    assert later.classes[0].wait == pytest.approx(10 + 15 + 20 + 25)
    assert later.span == pytest.approx(35.0)
    assert later.busy == [pytest.approx(35.0)]


def test_nobody_there_ends_all_the_same() -> None:
    """Four wait for seats that do not exist; the forecast says that they were not answered."""
    tally, report = play(desk(seats=0))
    assert (tally.classes[0].offered, tally.classes[0].answered) == (4, 0)
    assert report["groups"]["g"]["utilisation"] is None


def test_nobody_calls() -> None:
    tally, report = play(desk().replace('"0.1/s"', '"0/s"'))
    assert tally.classes[0].offered == 0
    assert report["overall"]["service_level"] is None


def test_faster_seats() -> None:
    tally, _ = play(desk(handle="15s") + "speed = 2\n")
    assert tally.classes[0].waited == 0


def test_ring_all_is_answered_once() -> None:
    tally, _ = play(desk(top='policy = "ring-all"', seats=3))
    assert (tally.classes[0].answered, tally.classes[0].waited) == (4, 0)
    assert tally.busy == [pytest.approx(15 * 2 + 10)]


def test_wrap_up_and_longest_wait_of_a_configuration(configured: Any) -> None:
    """Wrap-up 10 s after 15 s: the seat is free at 35 s and at 60 s; who has waited 12 s is let go."""
    text = 'calls = 4\n[[class]]\nname = "a"\nrate = "0.1/s"\nhandle = {law = "constant", mean = "15s"}\n'
    tally, report = play(text, configured(wrap_up=10.0, max_wait=12.0))
    found = tally.classes[0]
    assert (found.answered, found.abandoned, found.blocked) == (2, 2, 0)
    assert found.wait == pytest.approx(12.0 + 5.0 + 12.0)
    assert tally.squares == pytest.approx(tally.busy)  # wrap-up counts, and ends with counting
    assert report["groups"]["only"]["utilisation"] == pytest.approx(30 / 40)


def test_full_queue_of_a_configuration(configured: Any) -> None:
    text = 'calls = 4\n[[class]]\nname = "a"\nrate = "0.1/s"\nhandle = {law = "constant", mean = "35s"}\n'
    tally, _ = play(text, configured(max_waiting=1))
    found = tally.classes[0]
    assert (found.answered, found.blocked) == (2, 2)


def test_nothing_is_left_for_the_garbage_collector(forecast: Any) -> None:
    scenario = load_scenario(parse_document(desk().replace("calls = 4", "calls = 500"), "desk.toml"))
    run = Run(scenario, lambda name: Clockwork())
    gc.collect()
    gc.disable()
    try:
        run.run()
        assert gc.collect() < 20
    finally:
        gc.enable()
