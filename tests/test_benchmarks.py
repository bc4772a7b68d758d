"""Benchmarks are run by hand; what can break without anybody noticing is run here for a moment."""

import importlib
from pathlib import Path

import pytest

from benchmarks.bench_node import Peers
from benchmarks.load_queue_call import find_highest

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
