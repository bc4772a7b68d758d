"""Benchmarks are run by hand; what can break without anybody noticing is run here for a moment."""

import importlib
from pathlib import Path

import pytest

from benchmarks.bench_node import Peers

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
