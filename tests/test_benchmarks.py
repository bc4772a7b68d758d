"""Benchmarks are run by hand; what can break without anybody noticing is run here for a moment."""

import importlib
import math
from pathlib import Path
from typing import Any, cast

import pytest

from benchmarks.__main__ import BENCHMARKS, Benchmark, Outcome, find, table
from benchmarks.bench_node import Peers
from benchmarks.load_app_queue import Run, config_files, count_in_queue, ratios
from benchmarks.load_queue_call import find_highest
from benchmarks.soak_mixed import disagreements, is_flat
from benchmarks.soak_sip import BAR_MS, GROWTH_MAX, LOOKS, SETTLED_AFTER, Memory, report
from kernel.limits import EVENT_BUFFER_MAX
from tests.wire.switch import Rpc, Switch

MODULES = sorted(path.stem for path in (Path(__file__).parent.parent / "benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_module_is_there_and_says_what_it_measures(module: str) -> None:
    assert importlib.import_module(f"benchmarks.{module}").__doc__


SAMPLES = {
    "bench_parser": (
        "26 headers, ours       read   17.4 us, written   2.2 us; ours is 1.00 and 1.00 of it\n",
        ["17.4, 2.2"],
    ),
    "bench_stack": (
        "uas       77.7 us a call (target 150)\nb2bua    156.5 us a call (target 200)\n",
        ["77.7", "156.5"],
    ),
    "bench_enumeration": (
        "no credentials: exists 0.0251 ms, unknown 0.0251 ms, apart 0.0000\n"
        "wrong password: exists 0.0564 ms, unknown 0.0563 ms, apart 0.0001\n",
        ["0.0001"],
    ),
    "bench_matcher": (
        "     seats   waiting    queues  ready us arrive us   move us   call us\n"
        "       200       400         4      24.1      24.2      42.1      74.7  1.1 lines, 12 seats\n"
        "       200       400       100      25.7      24.9      55.9      68.8  1.2 lines, 1 seats\n"
        "      2000      4000       100      23.8      33.1      61.0      76.7  1.2 lines, 6 seats\n"
        "largest over smallest, 100 queues, median of 7 rounds: ready 0.93, arrive 1.27, move 1.08\n",
        ["25.7, 24.9", "0.93, 1.27"],
    ),
    "bench_decision": (
        "  p50 56 us, p99 145 us, worst 1313 us\nmemory per waiting call: 8.6 kB\n",
        ["56, 145", "8.6"],
    ),
    "bench_node": (
        "node: 454 us per queue call, peers' strings included\ngarbage found by the collector: 0\n",
        ["454", "0"],
    ),
    "bench_relay": (
        "bare           20000.0         0.0        16.0        38.2      1250.2        32.2\n"
        "worker         20000.0         0.0        11.3      1045.5      1854.4        26.5\n"
        "worker / bare: 0.70\nworker / rtpengine: 0.58\n",
        ["11.3", "0.70"],
    ),
    "bench_mixer": ("  talk of three                25.6    9.0 times\n", ["25.6"]),
    "load_queue_call": (
        "   calls/s      calls       lost CPU s/1000     signal     worker     writer     p50 ms     p99 ms\n"
        "       200       3000          0   1.210    1.030    0.070    0.110       20.0       36.0\n",
        ["0, 1.210", "20.0, 36.0"],
    ),
    "load_decision": ("  p50 1099 us, p99 4094 us, worst 4094 us\n", ["1099, 4094"]),
    "load_two_leg": (
        "  seatswitch      1.440     1.00     68.0       0\n   the queue      0.420     0.29\n",
        ["1.440", "0.420"],
    ),
    "soak_sip": ("good calls 2222, lost 0; INVITE to 200 p50 12.0 ms, p99 40.0 ms\n", ["0, 12.0, 40.0"]),
    "load_flood": (
        "flood_per_second 0  good_calls 50  of 50  all_good True  setup_median_ms 0.0  setup_p99_ms 4.0\n"
        "flood_per_second 1999  good_calls 49  of 50  all_good False  setup_p99_ms 20.0\n",
        ["49  of 50", "20.0"],
    ),
}


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda it: it.module)
def test_the_tables_figures_are_found_in_what_a_benchmark_prints(benchmark: Benchmark) -> None:
    output, figures = SAMPLES[benchmark.module]
    assert [find(pattern, output) for _, pattern in benchmark.figures] == figures
    assert figures


def test_the_table_has_figures_times_and_what_went_wrong() -> None:
    outcomes = [
        Outcome("bench_node", "", (("queue call, us", "454"), ("garbage", "0")), 4.2),
        Outcome("load_flood", "left out: sipp is not installed", (), 0.0),
        Outcome("bench_mixer", "", (), 1.0),
    ]
    assert table(outcomes).splitlines()[1:] == [
        "bench_node            4  queue call, us: 454",
        "                         garbage: 0",
        "load_flood            0  ! left out: sipp is not installed",
        "bench_mixer           1  done",
    ]


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


@pytest.mark.parametrize(
    ("duty", "growth", "events", "flat"),
    [
        ("signalling", GROWTH_MAX - 1, EVENT_BUFFER_MAX, True),
        ("signalling", GROWTH_MAX + 1, EVENT_BUFFER_MAX, False),
        ("signalling", GROWTH_MAX + 1, EVENT_BUFFER_MAX - 1, True),  # the events are not at their most yet
        ("worker", GROWTH_MAX + 1, EVENT_BUFFER_MAX, False),
        ("writer", GROWTH_MAX + 1, EVENT_BUFFER_MAX, False),
    ],
)
def test_the_mixed_soak_judges_memory_once_what_is_kept_is_full(
    duty: str, growth: float, events: int, flat: bool
) -> None:
    assert is_flat(duty, held_by(growth), events) == flat


def test_the_row_writer_may_grow_until_its_cache_is_full() -> None:
    memory = Memory()
    for look in range(LOOKS + 1):
        memory.take(4 * SETTLED_AFTER * look / LOOKS, look * 40, 51_000_000 + look * 100_000)
    assert memory.growth == pytest.approx(5.0, abs=0.1)
    assert is_flat("writer", memory, EVENT_BUFFER_MAX)
    assert not is_flat("worker", memory, EVENT_BUFFER_MAX)


class Told:
    """A switch with two visits in its rows, and an RPC connection that says how many were counted."""

    def __init__(self, answered: int, outcome: str = "answered") -> None:
        self.counted = {"timed_out": 0, "overflowed": 0, "refused": 0, "withdrawn": 0, "callback": 0}
        self.counted |= {"answered": answered, "abandoned": 1}
        self.tables = {
            "visits": [{"queue": "junior", "outcome": word} for word in (outcome, "abandoned")],
            "offers": [{"outcome": "answered"}],
        }

    def rows(self, table: str) -> list[dict[str, str]]:
        return self.tables[table]

    def call(self, method: str) -> list[dict[str, Any]]:
        return [{"queue": "junior", **self.counted}]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (Told(1), []),
        (Told(2), ["junior: answered 2 counted, 1 written"]),
        (Told(0, "lost"), ["a visit ended as 'lost'", "1 answered offers of 0 answered visits"]),
    ],
)
def test_the_mixed_soak_compares_counters_with_rows(told: Told, found: list[str]) -> None:
    assert disagreements(cast(Switch, told), cast(Rpc, told)) == found


SHOWN = """junior has 12 calls (max unlimited) in 'leastrecent' strategy (0s holdtime, 1s talktime), \
W:0, C:345, A:6, SL:0.0%, SL2:0.0% within 0s
   No Members
"""


@pytest.mark.parametrize(("what", "count"), [("C", 345), ("A", 6), ("W", 0), ("waiting", 12)])
def test_the_peers_queue_says_how_many(what: str, count: int) -> None:
    assert count_in_queue(SHOWN, what) == count
    assert count_in_queue("No such queue: junior.", what) == 0


def test_each_seat_of_the_peer_is_a_member_with_a_phone() -> None:
    files = config_files(Path("/place"), 5060, 5070, 3)
    assert files["queues.conf"].count("member => PJSIP/s") == 3
    assert files["pjsip.conf"].count("@127.0.0.1:5070") == 3
    assert "bind = 127.0.0.1:5060" in files["pjsip.conf"]
    assert "queue_log = no" in files["logger.conf"]
    logged = config_files(Path("/place"), 5060, 5070, 0, is_logged=True)
    assert "queue_log = yes" in logged["logger.conf"]
    assert "member =>" not in logged["queues.conf"]


def test_a_pair_with_a_lost_call_has_no_ratio() -> None:
    def cost(cpu: float, lost: int = 0) -> Run:
        return Run(cpu, lost, 4.0, 20.0, 100.0)

    assert ratios([(cost(1.0), cost(8.0)), (cost(1.0), cost(4.0, lost=1)), (cost(1.0), cost(4.0))]) == (
        [0.125, 0.25],
        0.1875,
    )
    each, middle = ratios([(cost(1.0, lost=1), cost(4.0))])
    assert each == []
    assert math.isnan(middle)
