"""Benchmarks are run by hand; what can break without anybody noticing is run here for a moment."""

import importlib
from pathlib import Path

import pytest

from benchmarks.bench_node import Peers
from benchmarks.load_queue_call import find_highest
from benchmarks.soak_sip import BAR_MS, GROWTH_MAX, LOOKS, SETTLED_AFTER, Memory, report

MODULES = sorted(path.stem for path in (Path(__file__).parent.parent / "benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_module_is_there_and_says_what_it_measures(module: str) -> None:
    assert importlib.import_module(f"benchmarks.{module}").__doc__


def test_the_nodes_callers_are_served() -> None:
    peers = Peers()
    for _ in range(3):
        peers.call()
    queues = {queue["queue"]: queue for queue in peers.node.queues_view(peers.now)}
    assert (queues["junior"]["offered"], queues["junior"]["answered"]) == (3, 3)


@pytest.mark.parametrize(("carries", "at_least", "tries"), [(730, 690, 7), (5_000, 1_600, 1), (0, 0, 11)])
def test_the_highest_rate_is_found_within_a_twentieth(carries: int, at_least: int, tries: int) -> None:
    tried: list[int] = []

    def measure(rate: int) -> bool:
        tried.append(rate)
        return rate <= carries

    assert at_least <= find_highest(1_600, measure) <= carries
    assert len(tried) <= tries


def held_by(growth: float, seconds: float = 4 * SETTLED_AFTER) -> Memory:
    """Return looks at a process that grows to its working size in the first third and then evenly, by so many
    MB in the last half.
    """
    memory = Memory()
    for look in range(LOOKS + 1):
        ripple = look % 3 * 100_000
        grown = int(min(look, LOOKS / 3) * 1_000_000 + look * growth * 2e6 / LOOKS)
        memory.take(seconds * look / LOOKS, look * 10_000, 60_000_000 + grown + ripple)
    return memory


@pytest.mark.parametrize(("growth", "missed"), [(0.0, 0), (GROWTH_MAX - 1, 0), (GROWTH_MAX + 1, 1)])
def test_the_soak_judges_memory_by_a_line_through_its_last_half(growth: float, missed: int) -> None:
    memory = held_by(growth)
    assert memory.growth == pytest.approx(growth, abs=0.1)
    assert report([10.0], 1, 0, {"signalling": memory}, []) == missed


@pytest.mark.parametrize("at", range(LOOKS // 2, LOOKS, 5))
def test_one_step_of_pythons_heap_is_no_growth(at: int) -> None:
    """Seen in a soak of 600,000: 1 MiB more at once, and nothing before and after it."""
    memory = Memory()
    for look in range(LOOKS + 1):
        memory.take(4 * SETTLED_AFTER * look / LOOKS, look * 6_000, 80_000_000 + (look > at) * 2**20)
    assert report([10.0], 1, 0, {"signalling": memory}, []) == 0


def test_the_soak_judges_each_process() -> None:
    memories = {"signalling": held_by(0.0), "worker": held_by(2 * GROWTH_MAX)}
    assert report([10.0], 1, 0, memories, []) == 1


def test_the_soak_does_not_judge_memory_while_it_fills() -> None:
    memory = held_by(100.0, seconds=1.9 * SETTLED_AFTER)
    assert memory.growth is None
    assert "too short" in str(memory)
    assert report([10.0], 1, 0, {"signalling": memory}, []) == 0


@pytest.mark.parametrize(
    ("times", "lost", "errors"), [([BAR_MS], 0, []), ([], 0, []), ([1.0], 1, []), ([1.0], 0, ["Traceback"])]
)
def test_the_soak_misses_each_of_its_bars(times: list[float], lost: int, errors: list[str]) -> None:
    assert report(times, 1, lost, {"signalling": held_by(0.0)}, errors) == 1
