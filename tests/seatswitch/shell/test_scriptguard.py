"""A script in Python that computes for ever costs its own call and nothing else. In real time: what is tried
would never end by itself.
"""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs

from calls.script import Failed, Guard, HangUp, Play, Request, Return, Script, ScriptRun
from config.load import load_settings
from seatswitch.shell.daemon import RealParts
from seatswitch.shell.ids import system_chance
from seatswitch.shell.scriptguard import TAKES_LONG, ScriptGuard
from tests.simulator.town import Town
from tests.simulator.world import World

SOON = 0.05


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """Leave the signal as it was."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0
    signal.signal(signal.SIGALRM, before)


def first_of(script: Script, guard: Guard) -> Request:
    return ScriptRun(script, guard=guard, name="demo main").begin()


def computes() -> Script:
    while True:
        pass
    yield Play(())


def sleeps() -> Script:
    time.sleep(1_000.0)
    yield Play(())


def catches() -> Script:
    for _ in range(3):
        try:
            while True:
                pass
        except BaseException:
            continue
    while True:
        pass
    yield Play(())


def delegates() -> Script:
    yield from computes()


@pytest.mark.parametrize("write", [computes, sleeps, catches, delegates])
def test_a_script_that_never_yields_ends(write: type) -> None:
    with capture_logs() as lines:
        asked = first_of(write(), ScriptGuard(limit=SOON, slow=SOON))
    assert isinstance(asked, Failed)
    assert (asked.cause, asked.error.partition(" ")[0]) == ("failed", "TookTooLong")
    (line,) = lines
    assert (line["event"], line["script"]) == (TAKES_LONG, "demo main")
    assert line["took"] >= SOON


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_script_ends_in_either_loop_and_the_loop_goes_on(new_loop: Callable[[], Any]) -> None:
    asked: list[Request] = []
    loop = new_loop()
    with capture_logs():
        loop.add_signal_handler(signal.SIGHUP, asked.clear)  # as the daemon does
        loop.call_soon(lambda: asked.append(first_of(computes(), ScriptGuard(limit=SOON))))
        loop.call_later(SOON, loop.stop)
        loop.run_forever()
    loop.close()
    assert [type(request) for request in asked] == [Failed]


def test_a_script_that_will_not_be_closed_is_dropped() -> None:
    def clings() -> Script:
        try:
            yield Play(("hello",))
        finally:
            while True:
                pass

    run = ScriptRun(clings(), guard=ScriptGuard(limit=SOON), name="demo main")
    assert run.begin() == Play(("hello",))
    run.close()
    assert run.resume(None) == Return()  # nothing of it is left to run


def test_a_script_that_yields_in_time_is_not_touched_nor_told_of() -> None:
    def quick() -> Script:
        yield Play(("hello",))
        yield HangUp("done")

    guard = ScriptGuard(limit=60.0, slow=60.0)
    with capture_logs() as lines:
        run = ScriptRun(quick(), guard=guard, name="demo main")
        assert [run.begin(), run.resume(None)] == [Play(("hello",)), HangUp("done")]
    assert lines == []


def test_a_slow_script_is_told_of_and_goes_on() -> None:
    def slow() -> Script:
        yield HangUp("done")

    with capture_logs() as lines:
        assert first_of(slow(), ScriptGuard(limit=60.0, slow=0.0)) == HangUp("done")
    assert [line["script"] for line in lines] == ["demo main"]


def test_a_real_switch_has_the_guard_and_a_simulated_one_has_none() -> None:
    node: Any = RealParts().node(load_settings(Town().toml(), file="town.toml"), system_chance(), 0.0, 0.0)
    assert isinstance(node.switchboard.scripts.guard, ScriptGuard)
    assert World(1).node.switchboard.scripts.guard is None


def test_the_signal_does_nothing_outside_of_a_script() -> None:
    guard = ScriptGuard(limit=60.0)
    guard.begin("demo main", computes())
    signal.raise_signal(signal.SIGALRM)  # the script has not begun: none of its frames is there
    guard.end()
    signal.raise_signal(signal.SIGALRM)


def test_in_another_thread_the_clock_is_looked_at_and_nothing_raised() -> None:
    found: list[Request] = []

    def slow() -> Script:
        yield HangUp("done")

    guard = ScriptGuard(limit=SOON, slow=0.0)
    with capture_logs() as lines:
        thread = threading.Thread(target=lambda: found.append(first_of(slow(), guard)))
        thread.start()
        thread.join()
    assert (found, len(lines)) == ([HangUp("done")], 1)
